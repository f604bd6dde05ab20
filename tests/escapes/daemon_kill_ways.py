# a process of the same user is stopped, by each call that stops one
import fcntl, os, signal, sys, time
m = sys.argv[1]; pid = int(os.environ["DAEMON_PID"])
def there():
    with open("/proc/%d/stat" % pid) as f: return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
def owner():
    ours, theirs = os.pipe(); fcntl.fcntl(ours, fcntl.F_SETOWN, pid); fcntl.fcntl(ours, 10, signal.SIGKILL)
    fcntl.fcntl(ours, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK); os.write(theirs, b"x")
for way in (owner, lambda: os.kill(pid, signal.SIGKILL), lambda: os.killpg(os.getpgid(pid), signal.SIGKILL) if os.getpgid(pid) == pid else None,
            lambda: signal.pidfd_send_signal(os.open("/proc/%d" % pid, os.O_RDONLY | os.O_DIRECTORY), signal.SIGKILL)):
    try: way(); time.sleep(.05)
    except (OSError, AttributeError) as e: print("denied:", e)
    if not there(): open(m, "w").close(); break
sys.exit(not os.path.exists(m))
