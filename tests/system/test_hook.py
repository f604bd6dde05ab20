"""The hook inside interpreters: every way of starting one, and what an interpreter does in its life."""

import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

from support import (ALLOW_ALL, ASK_ALL, BUILD, NO_PROCESS, PATIENCE, Test, clean_environment, execute, free_threaded,
                     python, python_version)

FORKING_THREADS = BUILD / "tests" / "programs" / "forking_threads.so"

DENY_ID = """
import subprocess
try:
    subprocess.run(["id"])
except PermissionError as error:
    print(error)
"""

# The same without an extension module: those do not find a libpython that was opened RTLD_LOCAL.
DENY_SYSTEM = """
import os
try:
    os.system("id")
except PermissionError as error:
    print(error)
"""


class Starting(Test):
    per_interpreter = True

    def assertGuarded(self, result):
        self.assertEqual(result.status, 0, result)
        self.assertIn('exec "id" denied by local/no-process.no-exec', result.out, result)

    def test_isolated_interpreter_without_site_is_guarded(self):
        self.assertGuarded(self.run_under(NO_PROCESS, [python(), "-I", "-S", "-E", "-c", DENY_ID]))

    def test_interpreter_in_development_mode_is_guarded_and_exits_cleanly(self):
        result = self.run_under(NO_PROCESS, [python(), "-X", "dev", "-c", DENY_ID])
        self.assertGuarded(result)
        self.assertNotIn("Fatal", result.err)

    def test_interpreter_with_any_allocator_is_guarded_and_exits_cleanly(self):
        named = ("mimalloc", "mimalloc_debug") if free_threaded() else ("malloc", "malloc_debug", "pymalloc", "pymalloc_debug")
        for allocator in "default", "debug", *named:
            with self.subTest(allocator):
                self.assertGuarded(self.run_under(NO_PROCESS, [python(), "-c", DENY_ID],
                                                  env=clean_environment(PYTHONMALLOC=allocator)))

    def test_script_with_an_interpreter_line_is_guarded(self):
        script = self.script(f"#!{python()} -E\n{DENY_ID}")
        script.chmod(0o755)
        self.assertGuarded(self.run_under(NO_PROCESS, [script]))

    def test_module_run_by_name_is_guarded(self):
        self.script(DENY_ID, "guarded_module.py")
        self.assertGuarded(self.run_under(NO_PROCESS, [python(), "-m", "guarded_module"]))

    def test_program_from_standard_input_is_guarded(self):
        result = subprocess.run([BUILD / "bin" / "warder", "run", "--policy", NO_PROCESS, "--", python(), "-"],
                                input=DENY_ID, capture_output=True, text=True, timeout=PATIENCE,
                                env=clean_environment(), cwd=self.directory)
        self.assertIn('exec "id" denied', result.stdout, result.stderr)

    def test_interpreter_behind_a_shell_is_guarded(self):
        self.assertGuarded(self.run_under(NO_PROCESS, ["/bin/sh", "-c", f"'{python()}' -c '{DENY_ID}'; exit $?"]))

    def test_several_interpreters_of_one_shell_are_guarded(self):
        one = f"'{python()}' -c '{DENY_ID}'"
        result = self.run_under(NO_PROCESS, ["/bin/sh", "-c", f"{one} & {one} & {one} & wait"])
        self.assertEqual(result.out.count('exec "id" denied by local/no-process.no-exec'), 3, result)

    def test_virtual_environment_is_guarded_and_a_place(self):
        place = self.directory / "environment"
        made = execute([python(), "-m", "venv", "--without-pip", place])
        self.assertEqual(made.status, 0, made)
        policy = self.policy(NO_PROCESS.read_text())
        result, rows = self.recorded(policy, [place / "bin" / "python", "-c", DENY_ID])
        self.assertGuarded(result)
        said = next(row["subject"]["said"] for row in rows if row["kind"] == "decision")
        self.assertEqual(said["places"]["venv"], [os.path.realpath(place)])

    def test_virtual_environment_can_be_made_under_a_policy_without_processes(self):
        place = self.directory / "environment"
        result = self.run_under(NO_PROCESS, [python(), "-m", "venv", "--without-pip", place])
        self.assertEqual(result.status, 0, result)
        self.assertTrue((place / "bin" / "python").exists())

    def test_every_event_from_the_first_on_is_seen(self):
        result, rows = self.recorded(self.policy(ALLOW_ALL), [python(), "-c", "pass"])
        self.assertEqual(result.status, 0, result)
        events = [row["event"] for row in rows if row["kind"] == "decision"]
        self.assertIn("cpython.run_command", events)
        self.assertEqual(events[-1], "cpython._PySys_ClearAuditHooks")
        self.assertGreater(len(events), 40)

    def test_subject_is_recorded_as_proved_and_as_said(self):
        script = self.script("import os; os.getcwd()")
        _, rows = self.recorded(self.policy(ALLOW_ALL), [python(), "-B", script, "argument"], "--label", "role=test")
        subject = next(row["subject"] for row in rows if row["kind"] == "decision")
        self.assertEqual(subject["proved"]["uid"], os.getuid())
        self.assertGreater(subject["proved"]["pid"], 0)
        said = subject["said"]
        self.assertEqual(said["exe"], os.path.realpath(python()))
        self.assertEqual(said["script"], str(script))
        self.assertEqual(said["argv"], [python(), "-B", str(script), "argument"])
        self.assertEqual(said["python"], ".".join(map(str, python_version())))
        self.assertEqual(said["directory"], os.path.realpath(self.directory))
        self.assertEqual(said["labels"], {"role": "test"})
        self.assertEqual(said["route"], "preload")


class Life(Test):
    per_interpreter = True

    def sessions(self, rows):
        return {row["session"] for row in rows if row["kind"] == "decision"}

    def test_forked_child_is_a_session_of_its_own_under_the_same_policy(self):
        result, rows = self.recorded(self.policy("""
policy no-exec { deny exec as no-exec }
"""), [python(), "-c", """
import os
child = os.fork()
if child == 0:
    try:
        os.system("id")
    except PermissionError as error:
        print(error, flush=True)
    os._exit(0)
os.waitpid(child, 0)
try:
    os.system("id")
except PermissionError as error:
    print(error)
"""])
        self.assertEqual(result.out.count('exec "/bin/sh" denied by local/no-exec.no-exec'), 2, result)
        denied = [row for row in rows if row.get("verdict") == "deny"]
        self.assertEqual(len({row["session"] for row in denied}), 2)
        child, parent = sorted(denied, key=lambda row: row["session"], reverse=True)
        self.assertEqual(child["subject"]["parent"], parent["session"])
        self.assertEqual(child["subject"]["said"]["route"], "fork")
        self.assertNotEqual(child["subject"]["proved"]["pid"], parent["subject"]["proved"]["pid"])

    def test_generations_of_forks_are_sessions_each(self):
        result, rows = self.recorded(self.policy(ALLOW_ALL), [python(), "-c", """
import os
def descend(depth):
    open(os.devnull).close()
    if depth == 0:
        return 7
    child = os.fork()
    if child == 0:
        os._exit(descend(depth - 1))
    return os.WEXITSTATUS(os.waitpid(child, 0)[1])
raise SystemExit(descend(5))
"""])
        self.assertEqual(result.status, 7, result)
        self.assertEqual(len(self.sessions(rows)), 6)

    def test_child_that_forks_before_its_first_event_has_children_under_policy(self):
        result = self.python_under(self.policy("policy p { deny exec as e }"), """
import os
r, w = os.pipe()
if os.fork() == 0:
    import _posixsubprocess
    os.close(r)
    pid = os.fork()
    if pid == 0:
        try:
            os.system("id")
        except PermissionError:
            os.write(w, b"denied")
        os._exit(0)
    os.waitpid(pid, 0)
    os._exit(0)
os.close(w)
print(os.read(r, 100).decode())
os.wait()
""")
        self.assertEqual(result.out, "denied\n", result)

    def test_process_that_was_cloned_past_the_fork_handlers_is_under_policy(self):
        result = self.python_under(self.policy("policy p { deny exec as e }"), """
import ctypes, os, platform
number = {"x86_64": 57, "aarch64": 220}[platform.machine()]
arguments = () if number == 57 else (17, 0, 0, 0, 0)
libc = ctypes.CDLL(None)
r, w = os.pipe()
child = libc.syscall(number, *arguments)
if child == 0:
    try:
        os.system("id")
    except PermissionError:
        os.write(w, b"denied")
    os._exit(0)
os.waitpid(child, 0)
os.close(w)
print(os.read(r, 100).decode())
""")
        self.assertEqual(result.out, "denied\n", result)

    def test_threads_are_judged_side_by_side(self):
        result, rows = self.recorded(self.policy("""
policy p { deny read where path under "/denied" as d  log event "open" as l }
"""), [python(), "-c", """
import threading
denied = []
def work(number):
    for i in range(40):
        open("/dev/null").close()
        try:
            open("/denied/%d/%d" % (number, i))
        except PermissionError:
            denied.append((number, i))
threads = [threading.Thread(target=work, args=(i,)) for i in range(12)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert len(set(denied)) == 12 * 40, len(denied)
print("done")
"""])
        self.assertEqual(result.out, "done\n", result)
        self.assertEqual(len(self.sessions(rows)), 1)
        self.assertEqual(sum(row["count"] for row in rows if row.get("verdict") == "deny"), 12 * 40)
        self.assertEqual(sum(row.get("arguments", {}).get("path") == "/dev/null" for row in rows), 12 * 40)

    def test_processes_and_threads_at_once(self):
        result = self.python_under(self.policy(ASK_ALL), """
import os, threading
def work():
    for i in range(5):
        child = os.fork()
        if child == 0:
            open(os.devnull).close()
            os._exit(3)
        assert os.WEXITSTATUS(os.waitpid(child, 0)[1]) == 3
        open(os.devnull).close()
threads = [threading.Thread(target=work) for i in range(6)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print("done")
""")
        self.assertEqual((result.status, result.out), (0, "done\n"), result)

    def test_multiprocessing_pool_works(self):
        script = self.script("""
import multiprocessing, os
def square(number):
    open(os.devnull).close()
    return number * number
if __name__ == "__main__":
    for method in "fork", "spawn":
        with multiprocessing.get_context(method).Pool(3) as pool:
            print(sum(pool.map(square, range(20))))
""")
        result = self.run_under(self.policy(ASK_ALL), [python(), script])
        self.assertEqual((result.status, result.out), (0, "2470\n2470\n"), result)

    def test_children_started_by_a_program_are_under_policy(self):
        result = self.python_under(self.policy("""
policy only-python { deny exec where file is "/usr/bin/id" as no-id }
"""), f"""
import subprocess, sys
code = {DENY_ID!r}
print(subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE).stdout.decode())
""")
        self.assertIn('exec "id" denied by local/only-python.no-id', result.out, result)

    def test_daemon_threads_at_exit_do_no_harm(self):
        for _ in range(5):
            result = self.python_under(self.policy(ASK_ALL), """
import os, threading, time
def work():
    while True:
        open(os.devnull).close()
for i in range(8):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.05)
""")
            # What an observing policy would have denied is shown, and nothing else is to be.
            other = [line for line in result.err.splitlines() if "  would deny  " not in line]
            self.assertEqual((result.status, other), (0, []))

    def test_events_of_finalisers_and_atexit_are_judged(self):
        result = self.python_under(NO_PROCESS, """
import atexit, os, sys
class Late:
    def __del__(self, system=os.system, write=os.write):
        try:
            system("id")
        except PermissionError:
            write(1, b"finaliser denied\\n")
def late():
    try:
        os.system("id")
    except PermissionError:
        print("atexit denied", flush=True)
atexit.register(late)
sys.keep = Late()
""")
        self.assertEqual(result.status, 0, result)
        self.assertIn("atexit denied", result.out)
        self.assertIn("finaliser denied", result.out)

    def test_signal_during_the_wait_is_handled_afterwards(self):
        result = self.python_under(self.policy(ASK_ALL), """
import os, signal
fired = []
signal.signal(signal.SIGALRM, lambda *arguments: fired.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
for i in range(2000):
    open(os.devnull).close()
signal.setitimer(signal.ITIMER_REAL, 0)
print("done", len(fired) > 0)
""")
        self.assertEqual((result.status, result.out), (0, "done True\n"), result)

    def test_sub_interpreters_are_judged(self):
        result = self.python_under(NO_PROCESS, """
try:
    import _interpreters as interpreters
    run = interpreters.exec
except ImportError:
    import _xxsubinterpreters as interpreters
    run = interpreters.run_string
code = '''
import os, warder
try:
    os.system("id")
except warder.PolicyDenied as error:
    os.write(1, str(error).encode() + b"\\\\n")
'''
for i in range(3):
    run(interpreters.create(), code)
""")
        self.assertEqual(result.out.count('exec "/bin/sh" denied by local/no-process.no-exec'), 3, result)

    def test_sub_interpreters_with_a_lock_of_their_own_are_judged_at_once(self):
        if python_version() < (3, 12):
            self.skipTest("an interpreter's own lock came with 3.12")
        result = self.python_under(NO_PROCESS, """
import threading
try:
    import _interpreters as interpreters
    run = interpreters.exec
    create = lambda: interpreters.create("isolated")
except ImportError:
    import _xxsubinterpreters as interpreters
    run = interpreters.run_string
    create = lambda: interpreters.create(isolated=True)
code = '''
import os, warder
denied = 0
for i in range(50):
    open(os.devnull).close()
    try:
        os.system("id")
    except warder.PolicyDenied as error:
        denied += 1
os.write(1, ("%d " % denied).encode())
'''
# Interpreters are made one after the other and run side by side.
made = [create() for i in range(4)]
threads = [threading.Thread(target=run, args=(one, code)) for one in made]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
""")
        self.assertEqual((result.status, result.out), (0, "50 50 50 50 "), result)

    def test_closed_descriptors_are_opened_anew(self):
        result = self.python_under(self.policy("policy p { deny exec as e }"), """
import os
for i in range(3):
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            try:
                os.close(int(name))
            except OSError:
                pass
    open(os.devnull).close()
    try:
        os.system("id")
    except PermissionError as error:
        print("denied by" in str(error))
""")
        self.assertEqual((result.status, result.out), (0, "True\n" * 3), result)

    def test_descriptors_of_the_hook_are_above_what_programs_count(self):
        result = self.python_under(self.policy(ALLOW_ALL), """
import os, resource
resource_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
seen = []
for descriptor in range(3, min(resource_limit[0], 32768)):
    try:
        os.fstat(descriptor)
        seen.append(descriptor)
    except OSError:
        pass
print(seen, resource_limit == resource.getrlimit(resource.RLIMIT_NOFILE))
""", preexec_fn=lambda: __import__("resource").setrlimit(__import__("resource").RLIMIT_NOFILE, (1024, 4096)))
        self.assertEqual((result.status, result.out), (0, "[] True\n"), result)

    def test_forks_of_native_threads_at_once_leave_no_descriptors_behind(self):
        result = self.python_under(self.policy(ALLOW_ALL), f"""
import ctypes, os, resource
library = ctypes.CDLL({str(FORKING_THREADS)!r})
def open_now():
    return len(os.listdir("/proc/self/fd"))
limit = resource.getrlimit(resource.RLIMIT_NOFILE)
library.fork_in_threads(1, 1)
before = open_now()
failed = library.fork_in_threads(6, 200)
# A connection more than at first may be kept for threads, three in all.
print(failed, open_now() - before <= 3 or open_now() - before, resource.getrlimit(resource.RLIMIT_NOFILE) == limit)
""")
        self.assertEqual((result.status, result.out), (0, "0 True True\n"), result)

    def test_forged_answers_end_the_process(self):
        result = self.python_under(NO_PROCESS, """
import os, socket, stat, threading
def answer(end):
    while True:
        try:
            end.send(b"A" * 64)
            end.recv(65536)
        except OSError:
            return
def replace():
    for number in map(int, os.listdir("/proc/self/fd")):
        try:
            if number < 3 or number in mine or not stat.S_ISSOCK(os.fstat(number).st_mode):
                continue
        except OSError:
            continue
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        keep.append((ours, theirs))
        mine.update((number, ours.fileno(), theirs.fileno()))
        threading.Thread(target=answer, args=(theirs,), daemon=True).start()
        os.dup2(ours.fileno(), number)
keep = []
mine = set()
for i in range(100):
    try:
        replace()
        os.system("echo out")
    except PermissionError:
        pass
print("went on", flush=True)
""")
        self.assertNotIn("out\n", result.out, result)
        self.assertNotIn("went on", result.out, result)
        self.assertEqual(result.status, 126, result)
        self.assertIn("too many forged answers", result.err)


class Verdicts(Test):
    per_interpreter = True

    def test_kill_ends_the_interpreter_with_one_line(self):
        result = self.python_under(self.policy("""
policy p { kill exec where file is "/bin/sh" as no-shell message "No shells" }
"""), "import os\ntry:\n    os.system('id')\nexcept BaseException:\n    pass\nprint('went on')")
        self.assertEqual((result.status, result.out), (126, ""), result)
        self.assertRegex(result.err, r'^warder: exec "/bin/sh" denied, and the interpreter ended, by '
                                     r'local/p.no-shell: No shells \[decision \S+\]\n$')

    def test_denial_while_the_interpreter_starts_ends_it_with_a_clear_line(self):
        result = self.python_under(self.policy('policy p { deny event "open", "import", "exec", "marshal.loads" as d }'),
                                   "print('started')")
        self.assertEqual((result.status, result.out), (126, ""), result)
        self.assertRegex(result.err, r"^warder: .*denied by local/p\.d \[decision \S+\]; an interpreter that starts or ends "
                                     r"takes no exception, so it was ended\n$")

    def test_denied_sub_interpreter_ends_the_process(self):
        if python_version() >= (3, 13):
            self.skipTest("from 3.13 on the event is raised by the bare C call alone")
        result = self.python_under(self.policy('policy p { deny thread as d }'), """
import _xxsubinterpreters
_xxsubinterpreters.create()
print("went on")
""")
        self.assertEqual((result.status, result.out), (126, ""), result)
        self.assertRegex(result.err, r"^warder: thread denied by local/p\.d \[decision \S+\]; CPython takes no exception "
                                     r"here, so the process was ended\n$")

    def test_denied_audit_hook_is_not_added(self):
        result = self.python_under(self.policy('policy p { deny hook where name is "sys.addaudithook" as d }'), """
import sys
seen = []
sys.addaudithook(lambda event, arguments: seen.append(event))
sys.audit("anything")
print(len(seen))
""")
        self.assertEqual((result.status, result.out), (0, "0\n"), result)

    def test_arguments_that_may_answer_differently_are_unknown(self):
        # A file that is written: of a program the C boundary sees more than the event.
        policy = self.policy("""
policy p {
    default deny write
    allow write where path is "/srv/true" as true
}
""")
        result = self.python_under(policy, """
import os
ran = []
class Text(str):
    def __eq__(self, other): ran.append(1); return True
    def __str__(self): ran.append(1); return "/srv/true"
    __repr__ = __fspath__ = __str__
    __hash__ = str.__hash__
class Path:
    def __fspath__(self): ran.append(1); return "/srv/true"
class List(list):
    def __iter__(self): ran.append(1); return iter([])
    def __len__(self): ran.append(1); return 0
    def __getitem__(self, index): ran.append(1); return "true"
import sys
for program in Text("/srv/true"), Path():
    try:
        sys.audit("os.mkdir", program, List(["true"]), -1)
        print("allowed")
    except PermissionError as error:
        print("denied", len(ran))
sys.audit("os.mkdir", "/srv/true", 0o777, -1)
print("allowed")
""")
        self.assertEqual((result.status, result.out), (0, "denied 0\ndenied 0\nallowed\n"), result)

    def test_forged_events_with_unusual_arguments_neither_crash_nor_open(self):
        script = self.script((Path(__file__).parent / "programs" / "unusual_events.py").read_text())
        marker = self.directory / "marker"
        result = self.run_under(NO_PROCESS, [python(), script, marker])
        self.assertEqual((result.status, result.out.splitlines()[-1:]), (0, ["denied"]), result)
        self.assertFalse(marker.exists())

    def test_long_and_undecodable_names_are_recorded_as_they_are(self):
        result, rows = self.recorded(self.policy(ALLOW_ALL), [python(), "-c", r"""
import os, sys
sys.audit("one", "caf\udce9", b"caf\xe9\0'\\", "\ud800", 2 ** 70, -2 ** 70, 1.5, float("inf"), True, None, ...)
sys.audit("two", "x" * 100000, list(range(5000)), [[[[[[[[[[1]]]]]]]]]], {"a": 1, 2: "b"})
sys.audit("e" * 400, 1)
"""])
        self.assertEqual(result.status, 0, result)
        by_name = {row["event"]: row["arguments"] for row in rows if row["kind"] == "decision"}
        one = by_name["one"]
        self.assertEqual(one["0"], {"text": "caf\\xe9"})
        self.assertEqual(one["1"], {"bytes": "caf\\xe9\\x00\\'\\\\"})
        self.assertTrue(one["2"]["opaque"])
        self.assertEqual(one["3"], {"int": "0x400000000000000000"})
        self.assertEqual(one["4"], {"int": "0xc00000000000000000"})
        self.assertEqual([one[str(i)] for i in range(5, 9)], [1.5, {"float": "inf"}, True, None])
        self.assertEqual(one["9"], {"object": "ellipsis"})
        two = by_name["two"]
        self.assertTrue(two["0"]["cut"])
        self.assertEqual(set(two["0"]["value"]), {"x"})
        self.assertTrue(two["1"]["cut"])
        self.assertIn('"cut": true', __import__("json").dumps(two["2"]))
        self.assertEqual(two["3"], {"map": [["a", 1], [2, "b"]]})
        self.assertTrue(any(set(name) == {"e"} for name in by_name))


class NoPython(Test):
    def test_program_that_is_no_python_is_left_alone(self):
        bare = execute(["/bin/ls", "/proc/self/fd"])
        result = execute(["/bin/ls", "/proc/self/fd"], env=clean_environment(
            LD_PRELOAD=BUILD / "lib" / "libwarder.so", WARDER_SOCKET="/nonexistent/socket"))
        self.assertEqual((result.status, result.out, result.err), (0, bare.out, ""))

    def test_locale_of_a_program_that_is_no_python_works(self):
        result = execute(["/usr/bin/locale", "charmap"], env=clean_environment(
            LD_PRELOAD=BUILD / "lib" / "libwarder.so", LC_ALL="C.UTF-8"))
        self.assertEqual((result.status, result.out), (0, "UTF-8\n"), result)

    def test_run_gives_the_program_s_output_and_status(self):
        result = self.run_under(NO_PROCESS, ["/bin/sh", "-c", "echo out; echo err >&2; exit 3"])
        self.assertEqual((result.status, result.out, result.err), (3, "out\n", "err\n"))


def shared_library():
    """The libpython that the interpreter of this test is linked to; None if it has none."""
    out = subprocess.run(["ldd", python()], capture_output=True, text=True).stdout
    found = re.search(r"libpython\S+ => (\S+)", out)
    return found and found.group(1)


class Late(Test):
    per_interpreter = True
    program = BUILD / "tests" / "programs" / "late_python"

    def late(self, scope, code, rounds=1):
        library = shared_library()
        if not library:
            self.skipTest("this interpreter has no shared library")
        home = Path(library).parent.parent
        return self.run_under(NO_PROCESS, [self.program, library, scope, code, str(rounds)],
                              env=clean_environment(PYTHONHOME=home))

    def test_libpython_that_comes_by_dlopen_is_guarded(self):
        for scope in "local", "global":
            with self.subTest(scope):
                result = self.late(scope, DENY_SYSTEM)
                self.assertEqual(result.status, 0, result)
                self.assertIn('exec "/bin/sh" denied by local/no-process.no-exec', result.out, result)

    def test_interpreter_that_is_initialised_again_is_guarded_again(self):
        result = self.late("global", DENY_SYSTEM, rounds=3)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.out.count('exec "/bin/sh" denied by local/no-process.no-exec'), 3, result)


if __name__ == "__main__":
    unittest.main()
