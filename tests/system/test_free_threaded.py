"""CPython without its interpreter lock: threads raise events, are judged and are denied at once, and change what is
being looked at.

Entries there are for each free-threaded interpreter that is found (python3.13t). What the hook does there with
values that other threads can take away has unit tests on every machine (tests/unit/test_argument_reader.c).
"""

import unittest

import interpreters
from support import ALLOW_ALL, NO_PROCESS, PACKAGE, UNTRUSTED, Test, clean_environment, execute, python

DENY_TEST = ('policy no-test {{ applies {{ platform is "linux" }} default allow all  '
             'deny event "test.denied*" as no-test  deny exec as no-exec {more} }}\n')

# Threads that begin at once, and what they return.
THREADS = """
import os, sys, threading
assert not sys._is_gil_enabled()
def together(*functions):
    gate, results = threading.Barrier(len(functions)), [None] * len(functions)
    def run(number):
        gate.wait()
        results[number] = functions[number]()
    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(functions))]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    return results
"""


class Found(Test):
    def test_free_threaded_interpreter_is_neither_the_oldest_nor_the_newest(self):
        old, new = interpreters.Interpreter("/a", (3, 8, 1)), interpreters.Interpreter("/b", (3, 13, 0))
        without = interpreters.Interpreter("/c", (3, 13, 1), free_threaded=True)
        self.assertEqual(without.name, "3.13.1-free-threaded")
        self.assertEqual(interpreters.in_order([new, without, old]), [old, without, new])
        self.assertEqual(interpreters.in_order([without, new]), [new, without])
        self.assertEqual(interpreters.ends([old, without, new]), [old, without, new])
        self.assertEqual(interpreters.oldest_and_newest([old, without, new]), [old, new])


class FreeThreaded(Test):
    per_interpreter = True

    @staticmethod
    def choose(found):
        return [one for one in found if one.free_threaded]

    def runs(self, policy, code, *options, **more):
        """Under a private daemon, without the lock: what it prints."""
        script = self.script(THREADS + code)
        result = self.run_under(policy, [python(), script], *options, **more)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.err, "", result)
        return result.out.splitlines()

    def no_test(self, more=""):
        return self.policy(DENY_TEST.format(more=more))

    def test_lock_stays_off_under_every_policy_and_with_the_package(self):
        for policy in NO_PROCESS, UNTRUSTED, self.policy(ALLOW_ALL):
            result = self.run_under(policy, [python(), "-c", "import sys, warder\nprint(sys._is_gil_enabled())"])
            self.assertEqual((result.status, result.out, result.err), (0, "False\n", ""), result)
        result = self.run_under(NO_PROCESS, [python(), "-X", "gil=1", "-c",
                                             "import sys, os\nprint(sys._is_gil_enabled())\nos.system('true')"])
        self.assertEqual((result.status, result.out), (1, "True\n"), result)
        self.assertDenied(result, "no-process")

    def test_lock_stays_off_in_a_program_that_attaches_with_labels(self):
        daemon = self.daemon()
        daemon.apply('policy graders { applies { label role is "grader" } deny exec as no-exec }')
        result = execute([python(), "-c", """
import os, sys, warder
class Text(str): pass
for wrong in {"role": 1}, {Text("role"): "grader"}, [("role", "grader")], {str(i): "" for i in range(33)}:
    try:
        warder.attach(labels=wrong)
        print("attached")
    except TypeError:
        pass
warder.attach(labels={**{str(i): "" for i in range(31)}, "role": "grader"}, policies=["graders"])
try:
    os.system("true")
except warder.PolicyDenied as denied:
    print(denied.policy, sys._is_gil_enabled())
"""], env=clean_environment(PYTHONPATH=PACKAGE, WARDER_SOCKET=daemon.socket))
        self.assertEqual((result.status, result.out, result.err), (0, "local/graders False\n", ""), result)

    def test_every_event_of_threads_is_judged_and_recorded_once(self):
        result, rows = self.recorded(self.no_test(), [python(), self.script(THREADS + """
def work():
    denied = 0
    for i in range(200):
        sys.audit("test.allowed", i)
        try:
            sys.audit("test.denied", i)
        except PermissionError:
            denied += 1
    return denied
print(together(*[work] * 8))
""")])
        self.assertEqual((result.status, result.out), (0, f"{[200] * 8}\n"), result)
        count = {name: sum(row.get("count", 1) for row in rows if row.get("event") == name)
                 for name in ("test.allowed", "test.denied")}
        self.assertEqual(count["test.denied"], 1600, count)
        self.assertGreater(count["test.allowed"], 0, count)

    def test_threads_that_are_denied_first_at_once_see_one_class(self):
        for _ in range(5):
            printed = self.runs(self.no_test(), """
def work():
    try:
        sys.audit("test.denied")
    except PermissionError as error:
        return type(error)
found = together(*[work] * 16)
import warder
print(len(set(found)), found[0] is warder.PolicyDenied)
""")
            self.assertEqual(printed, ["1 True"])

    def test_line_that_is_told_is_the_programs_not_the_librarys(self):
        _, rows = self.recorded(NO_PROCESS, [python(), self.script("import subprocess\n\nsubprocess.run(['id'])\n")],
                                event="subprocess.Popen")
        self.assertTrue(rows[0]["file"].endswith("script.py"), rows)
        self.assertEqual(rows[0]["line"], 3, rows)

    def test_values_that_change_while_they_are_read_end_nothing(self):
        # What is read may be any of the values that there were; that it is still there is what counts.
        for options in (), ("--record", "--state-dir", self.directory / "state"):
            printed = self.runs(self.no_test('deny read where path is "/nowhere" as none'), """
import time
end = time.monotonic() + 4
class Text(str): pass
class Number(float): pass
class One: pass
class Two: __slots__ = ("__dict__", "__weakref__")
class Base: pass
class Named(Base): pass
shared, table, data = [Text("x")] * 9, {}, bytearray(9)
number, named, child = Number(1), One(), Named()
def change_list():
    while time.monotonic() < end:
        shared[:] = [Text(i) for i in range(40)]
        shared.clear()
        shared.extend([[Text("a" * 100)], {"b": "c" * 1000}, b"d" * 10000, bytearray(9), One()])
        del shared[1:]
def change_table():
    while time.monotonic() < end:
        for i in range(100):
            table[str(i) * 100] = Text("x" * 1000)
        table.clear()
def change_data():
    while time.monotonic() < end:
        data.extend(b"x" * 1_000_000)
        data.clear()
def change_classes():
    i = 0
    while time.monotonic() < end:
        i += 1
        One.__name__ = "One" + str(i) * 100
        Number.__name__ = "Number" + str(i) * 100
        Named.__bases__ = (type("Base" + str(i), (Base,), {}),)
def look():
    rounds = 0
    while time.monotonic() < end:
        rounds += 1
        sys.audit("test.values", shared, table, data, number, named, child, (shared, [data, shared]))
        for event in ("open", data, None, 0), ("subprocess.Popen", "id", shared, None, table):
            try:
                sys.audit(*event)
                return "allowed"
            except PermissionError:
                pass
    return "denied" if rounds else "never"
print(set(together(change_list, change_table, change_data, change_classes, look, look, look)[4:]))
""", *options)
            self.assertEqual(printed, ["{'denied'}"])

    def test_finaliser_of_an_element_that_only_the_hook_held_is_judged_as_any_code(self):
        printed = self.runs(self.no_test(), """
import time
end, ran = time.monotonic() + 3, []
class Last(str):
    def __del__(self):
        ran.append(1)
        sys.audit("test.finaliser", "x")
shared = []
def change():
    while time.monotonic() < end:
        shared[:] = [Last("id"), Last("x")]
        shared.clear()
def look():
    while time.monotonic() < end:
        try:
            sys.audit("test.denied", shared)
            return "allowed"
        except PermissionError:
            pass
    return "denied"
print(set(together(change, look, look)[1:]), bool(ran))
""")
        self.assertEqual(printed, ["{'denied'} True"])

    def test_class_of_denials_that_a_thread_changes_runs_nothing_of_it(self):
        printed = self.runs(self.no_test(), """
import time, warder
end, ran = time.monotonic() + 3, []
def ours(self, *arguments):
    ran.append(threading.current_thread().name)
def change():
    while time.monotonic() < end:
        warder.PolicyDenied.__init__ = ours
        del warder.PolicyDenied.__init__
def look():
    while time.monotonic() < end:
        try:
            sys.audit("test.denied")
            return "allowed"
        except PermissionError:
            pass
    return "denied"
print(set(together(change, look, look)[1:]), ran)
""")
        self.assertEqual(printed, ["{'denied'} []"])

    def test_arguments_that_threads_change_start_nothing_past_the_boundary(self):
        marker = self.directory / "marker"
        policy = self.policy('policy only-true { default allow all  default deny exec  '
                             'allow exec where argv[0] is "true" and file is "/usr/bin/true" as true }')
        printed = self.runs(policy, f"""
import time
end = time.monotonic() + 4
arguments = ["true"]
def change():
    while time.monotonic() < end:
        arguments[:] = ["touch", "{marker}"]
        arguments[:] = ["true"]
def start():
    while time.monotonic() < end:
        try:
            os.posix_spawn("/usr/bin/true", arguments, {{}})
        except (OSError, ValueError, IndexError):
            pass
        try:
            os.waitpid(os.posix_spawn("/usr/bin/touch", arguments, {{}}), 0)
        except (OSError, ValueError, IndexError):
            pass
    return "done"
print(set(together(change, start, start)[1:]))
""")
        self.assertEqual(printed, ["{'done'}"])
        self.assertFalse(marker.exists())

    def test_environment_that_threads_change_ends_nothing(self):
        # Each new variable may move the list of them, under the eyes of ring 1 and 2.
        policy = self.policy('policy only-true { default allow all  default deny exec  '
                             'allow exec where file is "/usr/bin/true" as true }')
        printed = self.runs(policy, """
import subprocess, time
subprocess._USE_POSIX_SPAWN = False  # posix_spawn of 3.13 frees environ, if it is another by then
end = time.monotonic() + 4
def change():
    i = 0
    while time.monotonic() < end:
        i += 1
        os.environ["V%d" % (i % 1000)] = "x" * (i % 50)
        if i % 1000 == 0:
            for name in [name for name in os.environ if name[0] == "V"]:
                del os.environ[name]
def look():
    while time.monotonic() < end:
        sys.audit("subprocess.Popen", "/usr/bin/true", ["true"], None, None)
def start():
    started = set()
    while time.monotonic() < end:
        started.add(subprocess.call(["/usr/bin/true"]))
    return started
print(together(change, look, start)[2])
""")
        self.assertEqual(printed, ["{0}"])

    def test_forks_of_threads_are_sessions_of_their_own(self):
        printed = self.runs(self.no_test(), """
def child():
    pid = os.fork()
    if pid == 0:
        try:
            sys.audit("test.denied")
            os._exit(1)
        except PermissionError as error:
            os._exit(0 if "no-test" in str(error) else 2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
import warnings
warnings.simplefilter("ignore")
print([together(*[child] * 4) for i in range(5)])
""")
        self.assertEqual(printed, [str([[0] * 4] * 5)])

    def test_sub_interpreters_are_under_policy(self):
        printed = self.runs(self.no_test(), """
import _interpreters
code = '''
import sys
try:
    sys.audit("test.denied")
except PermissionError as error:
    import warder
    assert type(error) is warder.PolicyDenied and not sys._is_gil_enabled()
else:
    raise SystemExit("allowed")
'''
def work():
    for _ in range(5):
        one = _interpreters.create("isolated")
        failure = _interpreters.exec(one, code)
        _interpreters.destroy(one)
        if failure:
            return failure.formatted
print(together(*[work] * 4))
""")
        self.assertEqual(printed, [str([None] * 4)])


if __name__ == "__main__":
    unittest.main()
