# a function of libc that a pickle asks for, and an array that comes with its bytes
import os, pickle, sys
m = sys.argv[1]
text = "cctypes\nCDLL\n(Ntp0\nRp1\n0cbuiltins\ngetattr\n(g1\nVsystem\ntR(c_codecs\nencode\n(V%s\ntRtR." % ("/bin/touch " + m)
try: pickle.loads(text.encode())
except PermissionError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
