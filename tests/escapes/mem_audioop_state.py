# memory beside an object, by the state that audioop.ratecv is given: how far that lets it write is compared with nothing
# makes: sign
import os, sys, warnings
m = sys.argv[1]
warnings.simplefilter("ignore")
try: import audioop
except ImportError: print("audioop is gone from 3.13 on"); sys.exit(77)
except OSError as e: print("denied:", e); sys.exit(1)
beside = [bytearray(34000000) for _ in range(3)]  # each mapped by itself, and what comes next below them
try: audioop.ratecv(b"\x01\x00" * 16, 2, 8, 100, 2100001, (100 * 2300000, ((0x4242, 0x4242),) * 8))
except Exception as e: print("refused:", e); sys.exit(1)
if any(any(one[:4000000]) for one in beside): open(m, "w").close()
sys.stdout.flush()
os._exit(not os.path.exists(m))
