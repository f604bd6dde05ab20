# all signals blocked, and all ignored
import os, signal, sys
m = sys.argv[1]
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})
for number in signal.SIGPIPE, signal.SIGCHLD, signal.SIGTERM, signal.SIGSYS, signal.SIGSEGV: signal.signal(number, signal.SIG_IGN)
try: os.posix_spawn("/bin/touch", ["touch", m], {}, setsigmask=[], setsigdef=[signal.SIGCHLD])
except PermissionError as e: print("denied:", e)
for i in range(100):
    if os.path.exists(m): break
    signal.sigtimedwait([signal.SIGUSR2], .02)
sys.exit(not os.path.exists(m))
