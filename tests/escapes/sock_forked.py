# a copy of the process that has closed and replaced what it inherited
import os, socket, sys, warnings
warnings.simplefilter("ignore")
m = sys.argv[1]
try:
    child = os.fork()
    if not child:
        os.closerange(3, 1 << 16)
        for i in range(50): socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)[0].detach()
        os.system("/bin/touch " + m); os._exit(0)
    os.waitpid(child, 0)
except PermissionError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
