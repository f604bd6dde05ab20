"""What is asked costs no memory once the interpreter is warm: counted inside the hook.

The daemon's side is counted by tests/unit/test_asked_decision.c.
"""

from support import BUILD, HOOK, Test, clean_environment, execute, python

COUNTER = BUILD / "tests" / "programs" / "liballocation_counter.so"

PROGRAM = """
import ctypes, sys
count = ctypes.CDLL({counter!r}).allocations_of_hook
def ask():
    for i in range(200):
        sys.audit("test.asked", i, "text")
        try:
            sys.audit("test.denied", i)
        except PermissionError:
            pass
ask()
before = count()
ask()
print(before, count() - before)
"""


class Allocation(Test):
    per_interpreter = True

    def test_hook_allocates_nothing_for_what_is_asked(self):
        daemon = self.daemon("--record", "all")
        daemon.apply('policy p { applies { platform is "linux" } default allow all '
                     'deny other where event matches "test.denied*" as no }')
        environment = clean_environment(LD_PRELOAD=f"{COUNTER}:{HOOK}", WARDER_SOCKET=daemon.socket)
        result = execute([python(), "-c", PROGRAM.format(counter=str(COUNTER))], env=environment)
        self.assertEqual(result.status, 0, result)
        before, more = map(int, result.out.split())
        self.assertLess(before, 2 ** 32 - 1, "there is a hook")
        self.assertEqual(more, 0)
        asked = sum(row["count"] for row in daemon.log("-n", "0") if row.get("event", "").startswith("test."))
        self.assertEqual(asked, 800)
