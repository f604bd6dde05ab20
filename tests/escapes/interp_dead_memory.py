# memory of a second interpreter that has ended, by a view that it has sent: what is written there is written
# makes: sign
import os, sys
m = sys.argv[1]
try: import _interpchannels as channels, _interpreters as interpreters
except ImportError: print("channels send views from 3.13 on"); sys.exit(77)
except OSError as e: print("denied:", e); sys.exit(1)
one = interpreters.create("isolated"); channel = channels.create(1)
interpreters.exec(one, """
import _interpchannels
_interpchannels.send(%d, memoryview(bytearray(b'A' * 400)), 1, blocking=False)
""" % int(channel))
view = channels.recv(channel)
if isinstance(view, tuple): view = view[0]
interpreters.destroy(one)
view[:4] = b"ZZZZ"
if bytes(view[:4]) == b"ZZZZ": open(m, "w").close()
sys.stdout.flush()
os._exit(not os.path.exists(m))  # dropping the view ends the process
