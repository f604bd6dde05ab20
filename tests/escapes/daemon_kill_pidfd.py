# stop a process of the same user without the os.kill event (here: own child stands for the daemon, pid in $DAEMON_PID)
import sys, os, signal
if not hasattr(signal, "pidfd_send_signal"): print("signal.pidfd_send_signal is there from 3.9 on"); sys.exit(77)
m = sys.argv[1]; pid = int(os.environ["DAEMON_PID"])
try: signal.pidfd_send_signal(os.pidfd_open(pid), signal.SIGKILL); open(m, "w").close()
except Exception as e: print(type(e), e)
sys.exit(not os.path.exists(m))
