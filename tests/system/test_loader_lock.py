"""The hook asks the daemon without the loader's lock, which a thread can hold for long, and a fork can leave taken for
good in the child."""

from support import Test, python

POLICY = """
policy p {
    deny native where path under "/nowhere" as no-libraries-there
    deny write  where path under "/denied"  as no-writes-there
    deny exec   where file under "/denied"  as no-programs-there
}
"""

# dl_iterate_phdr holds the lock while it calls back.
HELD = """
import ctypes, os, sys, threading, warnings
warnings.simplefilter("ignore")
inside, leave = threading.Event(), threading.Event()
@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
def hold(info, size, data):
    inside.set()
    leave.wait()
    return 1
holder = threading.Thread(target=ctypes.CDLL(None).dl_iterate_phdr, args=(hold, None), daemon=True)
holder.start()
inside.wait()
def denied(who):
    try:
        open("/denied/file", "w")
    except PermissionError as error:
        print(who, type(error).__name__, flush=True)
denied("parent")
child = os.fork()
if child == 0:
    denied("child")
    print(os.waitpid(os.posix_spawn("/bin/true", ["true"], {}, file_actions=[(os.POSIX_SPAWN_CLOSE, 0)]), 0)[1], flush=True)
    os._exit(0)
print(os.waitpid(child, 0)[1])
leave.set()
holder.join()
"""


class LoaderLock(Test):
    per_interpreter = True

    def test_events_are_judged_while_another_thread_holds_the_loaders_lock(self):
        if self.run_under(self.policy(POLICY), [python(), "-c", "import ctypes"]).status != 0:
            self.skipTest(f"{python()} has no ctypes")
        result = self.run_under(self.policy(POLICY), [python(), self.script(HELD)])
        self.assertEqual((result.status, result.out), (0, "parent PolicyDenied\nchild PolicyDenied\n0\n0\n"), result)
