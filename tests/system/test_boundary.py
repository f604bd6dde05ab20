"""Programs and forks where they reach libc: what no audit event tells, or tells too early.

The policies here allow a program or two, so that it is the C boundary that decides: each call is made both for
one that is allowed and for one that is not.
"""

import os
import shutil
import textwrap

import interpreters
from support import ALLOW_ALL, Test, execute, python, python_version

SOME = """policy some {
    default deny exec message "not this one"
    allow exec where file is "/bin/true" as nothing
    allow exec where file is "/bin/sh" and not argv has matches "*bad*" as shell
}
"""
NO_FORK = """policy no-fork {
    default deny exec, fork
    allow exec where file is "/bin/true" as nothing
}
"""
# Denies nothing that a test does, but could.
HELD = 'policy held { deny exec where file is "/no/such/file" as nothing }\n'

# The functions of libc that start a program, each called by name in a child of its own: how it ended.
CALLS = """
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
STRINGS = ctypes.c_char_p * 3
def argv(file): return STRINGS(os.path.basename(file), b"", None)
def in_child(call):
    child = os.fork()
    if child == 0:
        call()
        os._exit(100 + ctypes.get_errno())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) if hasattr(os, "waitstatus_to_exitcode") else \\
        os.WEXITSTATUS(os.waitpid(child, 0)[1])
def spawn(function, file):
    child = ctypes.c_int()
    error = function(ctypes.byref(child), file, None, None, argv(file), STRINGS())
    return 100 + error if error else os.WEXITSTATUS(os.waitpid(child.value, 0)[1])
def environment(): return STRINGS(b"A=1", None, None)
calls = {
    "execve": lambda file: in_child(lambda: libc.execve(file, argv(file), environment())),
    "execv": lambda file: in_child(lambda: libc.execv(file, argv(file))),
    "execvp": lambda file: in_child(lambda: libc.execvp(file, argv(file))),
    "execvpe": lambda file: in_child(lambda: libc.execvpe(file, argv(file), environment())),
    "execl": lambda file: in_child(lambda: libc.execl(file, file, None)),
    "execlp": lambda file: in_child(lambda: libc.execlp(file, file, None)),
    "execle": lambda file: in_child(lambda: libc.execle(file, file, None, environment())),
    "execveat": lambda file: in_child(lambda: libc.execveat(-100, file, argv(file), environment(), 0)),
    "fexecve": lambda file: in_child(lambda: libc.fexecve(os.open(file, os.O_RDONLY), argv(file), environment())),
    "syscall": lambda file: in_child(lambda: libc.syscall(EXECVE, file, argv(file), environment())),
    "posix_spawn": lambda file: spawn(libc.posix_spawn, file),
    "posix_spawnp": lambda file: spawn(libc.posix_spawnp, file),
}
EXECVE = {"x86_64": 59, "aarch64": 221}[os.uname().machine]
"""

# _posixsubprocess.fork_exec without subprocess, as multiprocessing calls it: what the child reports.
FORK_EXEC = """
import os, sys, _posixsubprocess
def fork_exec(argv, environment=None):
    reading, writing = os.pipe()
    arguments = [argv, [os.fsencode(argv[0])], True, (writing,), None, environment, -1, -1, -1, -1, -1, -1,
                 reading, writing, True, False]
    if sys.version_info >= (3, 11): arguments += [-1]
    if sys.version_info >= (3, 9): arguments += [None, None, None]
    if sys.version_info >= (3, 9): arguments += [-1]
    arguments += [None]
    if (3, 11) <= sys.version_info < (3, 14): arguments += [True]
    child = _posixsubprocess.fork_exec(*arguments)
    os.close(writing)
    said = b""
    while True:
        more = os.read(reading, 1000)  # the child writes in pieces
        if not more:
            break
        said += more
    os.close(reading)
    os.waitpid(child, 0)
    return said
"""


# Run in each of two interpreters of one process.
SECOND = """
try: fork_exec(["/bin/touch", "x"])
except PermissionError as error:
    print(type(error), error.rule, error.event)
    kind = type(error)
try: fork_exec(["/bin/touch", "x"])
except kind as error: print("the same")
"""


class Boundary(Test):
    per_interpreter = True

    def under(self, policy, code, *options, **more):
        return self.run_under(self.policy(policy), [python(), self.script(textwrap.dedent(code))], *options, **more)

    def marker(self):
        return self.directory / "marker"

    def test_each_function_that_starts_a_program_is_judged(self):
        result = self.under(SOME, CALLS + "for name in calls:\n"
                                          "    print(name, calls[name](b'/bin/true'), calls[name](b'/bin/touch'))\n")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(len(result.out.splitlines()), 12, result)
        for line in result.out.splitlines():
            with self.subTest(line):
                self.assertRegex(line, r"^\w+ 0 113$")  # 100 + EACCES

    def test_what_is_not_there_is_not_asked_about(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { user in ["root", "nobody"] or not user is "x" } ' + SOME.split("{", 1)[1])
        code = CALLS + "print([calls[name](b'/no/such/file') for name in calls if name != 'fexecve'])"
        result = execute([python(), self.script(code)], env=daemon.preloaded())
        self.assertEqual(result.out.strip(), str([102] * 11), result)  # 100 + ENOENT
        self.assertNotIn("/no/such/file", str(daemon.log("--denied")))

    def test_shell_functions_are_judged(self):
        code = CALLS + """
libc.popen.restype = ctypes.c_void_p
def popen(command):
    stream = libc.popen(command, b"r")
    return libc.pclose(ctypes.c_void_p(stream)) if stream else "none"
print(libc.system(b"exit 3") >> 8, libc.system(b"bad"), ctypes.get_errno())
print(popen(b"exit 4") >> 8, popen(b"bad"))
print(libc.system(None))
"""
        result = self.under(SOME, code)
        self.assertEqual(result.out.split(), ["3", "-1", "13", "4", "none", "1"], result)

    def test_words_with_a_command_are_not_expanded(self):
        code = CALLS + """
class Words(ctypes.Structure):
    _fields_ = [("count", ctypes.c_size_t), ("words", ctypes.POINTER(ctypes.c_char_p)), ("first", ctypes.c_size_t)]
words = Words()
print(libc.wordexp(b"a $HOME b", ctypes.byref(words), 0), words.count)
print(libc.wordexp(b"$(/bin/touch %s)", ctypes.byref(words), 0))
""" % str(self.marker())
        result = self.under(SOME, code)
        self.assertEqual(result.out.split(), ["0", "3", "4"], result)  # WRDE_CMDSUB
        self.assertFalse(self.marker().exists())

    def test_direct_fork_exec_is_judged_and_says_why(self):
        code = FORK_EXEC + f"""
print(fork_exec(["/bin/true"]))
print(fork_exec(["/bin/touch", {str(self.marker())!r}]))
print(os.strerror(13))
print(os.strerror(13))
"""
        result = self.under(SOME, code)
        lines = result.out.splitlines()
        self.assertEqual(lines[:2], ["b''", "b'OSError:d:'"], result)
        self.assertRegex(lines[2], r'^warder: exec "/bin/touch" denied by local/some\.default-exec: not this one '
                                   r"\[decision [0-9a-f]+-\d+\]$")
        self.assertEqual(lines[3], "Permission denied")  # said once
        self.assertFalse(self.marker().exists())

    def test_subprocess_says_the_rule_of_what_ring_1_could_not_know(self):
        code = f"""
        import subprocess
        class Program:
            names = ["/bin/true", "/bin/touch", "/bin/touch"]
            def __fspath__(self): return self.names.pop(0) if len(self.names) > 1 else self.names[0]
        try: subprocess.run([Program(), {str(self.marker())!r}])
        except PermissionError as error:
            print(type(error), error.errno, error.event, error.operation, error.policy, error.rule, error.message)
            print(error.decision_id in str(error), error, sep="\\n")
        """
        result = self.under(SOME, code)
        told, same, text = result.out.splitlines()
        self.assertRegex(told, r"^<class 'warder.PolicyDenied'> 13 libc\.(execve|posix_spawn) exec local/some "
                               r"default-exec not this one$")
        self.assertEqual(same, "True")
        self.assertRegex(text, r'^warder: exec "/bin/touch" denied by local/some\.default-exec: not this one \[')
        self.assertFalse(self.marker().exists())

    def test_denied_call_of_the_process_itself_says_the_rule(self):
        # What is denied there comes as what an event is denied as, and nothing else does.
        result = self.under(NO_FORK, FORK_EXEC + """
def denied():
    try: fork_exec(["/bin/touch", "x"])
    except PermissionError as error: return error
first, second = denied(), denied()
for error in first, second:
    print(type(error).__name__, error.event, error.operation, error.policy, error.rule)
print(first.decision_id == second.decision_id)  # of one record, which counts them
kind = type(first)
for error in PermissionError(13, "by hand"), OSError(13, "by hand"), kind(13, "by hand"), kind("alone"):
    print(type(error).__name__, error.args, str(error), getattr(error, "rule", "no rule"))
class Own(PermissionError):
    def __init__(self, one, two, three): super().__init__(one, two); self.three = three
class OwnDenial(kind):
    def __init__(self, one, two, three): super().__init__(one, two); self.three = three
for error in Own(13, "by hand", 3), OwnDenial(13, "by hand", 3):
    print(type(error).__name__, error.args, error.errno, error.three)
""")
        if python_version() >= (3, 14):
            self.skipTest("fork_exec has an event of its own")
        self.assertEqual(result.out.splitlines(), [
            *["PolicyDenied libc.fork fork local/no-fork default-fork"] * 2, "True",
            "PermissionError (13, 'by hand') [Errno 13] by hand no rule",
            "PermissionError (13, 'by hand') [Errno 13] by hand no rule",
            "PolicyDenied (13, 'by hand') by hand None",
            "PolicyDenied ('alone',) alone None",
            "Own (13, 'by hand') 13 3",
            "OwnDenial (13, 'by hand') 13 3"], result)

    def test_denied_call_asks_nothing_of_the_class_that_a_program_has_changed(self):
        # Nor is an instance that was given up taken for one that was made at its place.
        result = self.under(SOME, FORK_EXEC + """
def denied():
    fork_exec(["/bin/touch", "x"])
    return OSError(13, os.strerror(13))
kind = type(denied())
def ask(self): print("asked"); raise KeyboardInterrupt
def told(self, value): print("told")
for name in "strerror", "errno", "args", "rule": setattr(kind, name, property(ask, told))
first = denied()
for name in "strerror", "errno", "args", "rule": delattr(kind, name)
kind.rule = None
print(first.rule, first.errno)
fork_exec(["/bin/touch", "x"])
print(os.strerror(13)[:12])
given_up = PermissionError.__new__(PermissionError, 13, "given up")
print(type(given_up) is kind, given_up.rule)
number = id(given_up)
kind.strerror = "filled in"
del given_up
others = [kind(13, "by hand") for _ in range(100)]
print({one.args for one in others}, {one.rule for one in others}, number in map(id, others))
""")
        self.assertEqual(result.out.splitlines(), ["default-exec 13", "warder: exec", "True None",
                                                   "{(13, 'by hand')} {None} True"], result)

    def test_words_of_a_denial_are_not_taken_for_those_of_another(self):
        # Not after the thread's next event, and not in other threads.
        result = self.under(SOME, FORK_EXEC + """
import threading
def kinds():
    print(type(OSError(13, "another")).__name__, type(PermissionError("another")).__name__)
told, shown = threading.Lock(), threading.Lock()
told.acquire(); shown.acquire()
def other():
    told.acquire(); kinds(); shown.release()
threading.Thread(target=other).start()
for other_thread in False, True:
    fork_exec(["/bin/touch", "x"])
    print(os.strerror(13)[:12])
    if other_thread: told.release(); shown.acquire()
    else: sys.audit("example"); kinds()
""")
        self.assertEqual(result.out.splitlines(), ["warder: exec", "PermissionError PermissionError"] * 2, result)

    def test_denial_in_a_second_interpreter_is_of_its_own_class(self):
        if python_version() >= (3, 14):
            self.skipTest("fork_exec has an event of its own")
        options = "isolated=False" if (3, 9) <= python_version() < (3, 12) else ""  # isolated ones start no programs
        result = self.under(NO_FORK, f"""
code = {FORK_EXEC + SECOND!r}
exec(code)
try: import _interpreters as interpreters
except ImportError: import _xxsubinterpreters as interpreters
interpreters.run_string(interpreters.create({options}), code)
""")
        self.assertEqual(result.out.splitlines(), ["<class 'warder.PolicyDenied'> default-fork libc.fork", "the same"] * 2,
                         result)

    def test_objects_that_name_an_allowed_program_start_it(self):
        # Clause B-3.
        result = self.under(SOME, """
        import pathlib, subprocess
        print(subprocess.run([pathlib.Path("/bin/true")]).returncode)
        """)
        self.assertEqual(result.out, "0\n", result)

    def test_fork_on_the_way_to_an_allowed_program_is_let_be(self):
        result = self.under(NO_FORK, """
        import os, subprocess
        print(subprocess.run(["/bin/true"]).returncode, subprocess.run("/bin/true", close_fds=False).returncode)
        try: os.fork()
        except PermissionError as error: print(error)
        """)
        self.assertRegex(result.out, r"^0 0\nwarder: fork denied by local/no-fork.default-fork", result)

    def test_direct_fork_exec_is_no_way_around_a_denied_fork(self):
        result = self.under(NO_FORK, FORK_EXEC + f"""
for program in ["/bin/true"], ["/bin/touch", {str(self.marker())!r}]:
    try: print("went through" if b"" == fork_exec(program) else "no exec")
    except PermissionError as error: print(error)
""")
        first, second = result.out.splitlines()
        if python_version() >= (3, 14):  # it has an event of its own, so that the fork is on the way to a program
            self.assertEqual((first, second), ("went through", "no exec"))
        else:
            self.assertIn("fork denied by local/no-fork.default-fork", first, result)
            self.assertIn("fork denied by local/no-fork.default-fork", second, result)
        self.assertFalse(self.marker().exists())

    def test_child_forked_for_a_program_may_do_nothing_else(self):
        result = self.under(NO_FORK, f"""
        import os, subprocess
        try: subprocess.run(["/bin/true"], preexec_fn=lambda: open({str(self.marker())!r}, "w"))
        except BaseException as error: print(type(error).__name__)
        """)
        self.assertIn("has done something else; it is ended", result.err, result)
        self.assertFalse(self.marker().exists())

    def test_raw_forks_are_judged(self):
        result = self.under(NO_FORK, CALLS + """
for name in "fork", "vfork":
    print(name, getattr(libc, name)(), ctypes.get_errno())
numbers = {"x86_64": (57, 58, 56), "aarch64": (220,)}[os.uname().machine]
for number in numbers:
    print(libc.syscall(number, 17, 0, 0, 0, 0), ctypes.get_errno())
print(libc.syscall(435, 0, 0), ctypes.get_errno())
print(libc.daemon(1, 1), ctypes.get_errno())
""")
        lines = result.out.splitlines()
        self.assertEqual(lines[:2], ["fork -1 13", "vfork -1 13"], result)
        self.assertEqual(set(lines[2:-2]), {"-1 13"}, result)
        self.assertEqual(lines[-2:], ["-1 38", "-1 13"], result)  # ENOSYS

    def test_other_names_and_spellings_of_the_same_calls_are_judged(self):
        result = self.under(NO_FORK, CALLS + """
for name in "__fork", "__vfork":
    print(name, getattr(libc, name)(), ctypes.get_errno())
number = {"x86_64": 57, "aarch64": 220}[os.uname().machine]
print("high bits", libc.syscall(ctypes.c_long(1 << 32 | number), 17, 0, 0, 0, 0), ctypes.get_errno())
if os.uname().machine == "x86_64":
    print("x32", libc.syscall(0x40000000 | 57, 0, 0), ctypes.get_errno())
""")
        self.assertEqual(result.out.splitlines()[:3], ["__fork -1 13", "__vfork -1 13", "high bits -1 13"], result)
        self.assertIn(result.out.splitlines()[3:], ([], ["x32 -1 38"]))
        result = self.under(SOME, CALLS + f"""
print(libc._IO_popen(b"touch {self.marker()} bad", b"r"))
print(in_child(lambda: libc.syscall(ctypes.c_long(1 << 32 | EXECVE), b"/bin/touch", argv(b"/bin/touch"), environment())))
""")
        self.assertEqual(result.out, "0\n113\n", result)
        self.assertFalse(self.marker().exists())

    def test_arguments_are_looked_through_as_far_as_an_event_carries_them(self):
        result = self.under(SOME, """
import subprocess
for last in "good", "bad":
    arguments = ["/bin/sh", "-c", ":"] + ["x" * 50000] * 4 + [last]
    try:
        print(subprocess.run(arguments).returncode)
    except PermissionError:
        print("denied")
""")
        self.assertEqual((result.status, result.out), (0, "0\ndenied\n"), result)

    def test_loader_is_no_program(self):
        loader = {"x86_64": "/lib64/ld-linux-x86-64.so.2", "aarch64": "/lib/ld-linux-aarch64.so.1"}[os.uname().machine]
        result = self.under(HELD, f"""
        import subprocess
        try: subprocess.run([{loader!r}, "/bin/touch", {str(self.marker())!r}])
        except PermissionError as error: print(error)
        """)
        self.assertIn("the dynamic loader starts any program that it is given", result.out, result)
        self.assertFalse(self.marker().exists())

    def test_interpreter_of_a_script_is_seen(self):
        # Clause B-4.
        script = self.directory / "script"
        script.write_text(f"#!/bin/sh -e\n/bin/touch {self.marker()}\necho \"$@\"\n")
        script.chmod(0o755)
        nested = self.directory / "nested"
        nested.write_text(f"#!{script}\n")
        nested.chmod(0o755)
        code = f"""
        import subprocess
        for file in {str(script)!r}, {str(nested)!r}:
            try: print(subprocess.run([file, "a b", "c"], stdout=subprocess.PIPE).stdout.decode().split())
            except PermissionError as error: print(error)
        """
        result = self.under('policy p { deny exec where interpreter is "/bin/sh" as no-shell }', code)
        self.assertIn("denied by local/p.no-shell", result.out, result)
        self.assertFalse(self.marker().exists())
        result = self.under(HELD, code)
        first, second = result.out.splitlines()
        self.assertEqual(first, "['a', 'b', 'c']", result)
        self.assertIn("its interpreter is a script itself", second)
        self.assertTrue(self.marker().exists())

    def test_child_of_an_emptied_environment_is_under_policy(self):
        result = self.under(HELD.replace("/no/such/file", "/bin/true"), """
        import subprocess, sys
        code = "import os\\ntry: os.execv('/bin/true', ['true'])\\nexcept PermissionError as e: print(e)"
        subprocess.run([sys.executable, "-c", code], env={})
        """)
        self.assertIn("denied by local/held.nothing", result.out, result)
        self.assertIn("denied by local/p.no", self.under(
            'policy p { deny write where path is "/no/such/file" as no }', """
            import subprocess, sys
            code = "try: open('/no/such/file', 'w')\\nexcept PermissionError as e: print(e)"
            subprocess.run([sys.executable, "-c", code], env={})
            """).out)

    def test_environment_of_a_child_is_an_allow_list(self):
        # Clauses B-5 and B-6.
        code = """
        import os, subprocess
        environment = {"LD_LIBRARY_PATH": "/x", "BASH_ENV": "/x", "PYTHONPATH": "/x", "GIT_DIR": "/x",
                       "PLAIN": "1", "LANG": "C", "HOME": os.environ["HOME"] + "-other"}
        environment.update((name, os.environ[name]) for name in os.environ if name.startswith("WARDER_TEST_"))
        print(sorted(line.split("=")[0] for line in subprocess.run(
            ["/usr/bin/env"], env=environment, stdout=subprocess.PIPE).stdout.decode().split()))
        """
        seen = self.under(HELD, code).out
        for name in "LD_LIBRARY_PATH", "BASH_ENV", "PYTHONPATH", "GIT_DIR", "PLAIN":
            self.assertNotIn(name, seen)
        # As the interpreter was started with it; and what any program may be told.
        for name in "WARDER_TEST_PYTHON", "LANG", "HOME", "LD_PRELOAD":
            self.assertIn(name, seen)
        named = 'policy p { default deny exec\n' \
                'allow exec where file is "/usr/bin/env" and env has "LD_LIBRARY_PATH" as one }'
        seen = self.under(named, code).out
        self.assertIn("LD_LIBRARY_PATH", seen)
        self.assertNotIn("BASH_ENV", seen)
        everything = self.under(ALLOW_ALL, code).out
        self.assertIn("GIT_DIR", everything)
        self.assertIn("PLAIN", everything)
        # Every allow that fires lets its names through, whatever the rules are called.
        for plain, steering in ("a1", "z1"), ("z1", "a1"):
            seen = self.under(f"""policy p {{ default deny exec
                allow exec where file is "/usr/bin/env" as {plain}
                allow exec where file is "/usr/bin/env" and env has "LD_LIBRARY_PATH" as {steering}
                allow exec where env has "GIT_DIR" as m1
                allow exec where file is "/bin/true" and env has "BASH_ENV" as m2 }}""", code).out
            self.assertIn("LD_LIBRARY_PATH", seen)
            self.assertIn("GIT_DIR", seen)
            self.assertNotIn("BASH_ENV", seen)

    def race(self, start, seconds=3):
        """A thread flips a link between what is allowed and what is not; another puts descriptors in place of others."""
        code = f"""
        import os, subprocess, sys, threading, time
        marker, link = {str(self.marker())!r}, {str(self.directory / "link")!r}
        stop = []
        def flip():
            while not stop:
                for target in "/bin/true", "/bin/touch":
                    os.symlink(target, link + "-new")
                    os.rename(link + "-new", link)
        def swap():
            touch = os.dup2(os.open("/bin/touch", os.O_RDONLY), 300)
            while not stop:
                for descriptor in range(20, 60):
                    try: os.dup2(touch, descriptor); os.close(descriptor)
                    except OSError: pass
        os.symlink("/bin/true", link)
        threads = [threading.Thread(target=target) for target in (flip, swap)]
        for thread in threads: thread.start()
        sys.setswitchinterval(1e-4)
        outcomes = {{}}
        def start():
            {start}
        end = time.monotonic() + {seconds}
        while time.monotonic() < end:
            try: outcome = start()
            except PermissionError: outcome = "denied"
            except OSError: outcome = "failed"
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
        stop.append(True)
        for thread in threads: thread.join()
        print(outcomes)
        """
        result = self.under(SOME, code)
        self.assertEqual(result.status, 0, result)
        self.assertFalse(self.marker().exists(), result)
        self.assertIn("denied", result.out, result)
        self.assertIn("0:", result.out, result)

    @interpreters.short_on(interpreters.ends)
    def test_flipped_link_is_no_way_through_posix_spawn(self):
        self.race('return os.waitpid(os.posix_spawn(link, ["touch", marker], {}), 0)[1]')

    @interpreters.short_on(interpreters.ends)
    def test_flipped_link_is_no_way_through_subprocess(self):
        self.race("return subprocess.call([link, marker], close_fds=False)")

    def test_descriptor_put_in_place_by_file_actions_is_judged(self):
        code = f"""
        import os
        touch = os.open("/bin/touch", os.O_RDONLY)
        actions = [(os.POSIX_SPAWN_DUP2, touch, number) for number in range(3, 200)]
        print(os.waitpid(os.posix_spawn("/bin/true", ["touch", {str(self.marker())!r}], {{}}, file_actions=actions),
                         0)[1])
        out = os.open({str(self.directory / "out")!r}, os.O_WRONLY | os.O_CREAT)
        child = os.posix_spawn("/bin/sh", ["sh", "-c", "echo said"], {{}}, file_actions=[
            (os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_CLOSE, out),
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)])
        print(os.waitpid(child, 0)[1])
        """
        result = self.under(SOME, code)
        self.assertEqual(result.out.split(), ["0", "0"], result)
        self.assertEqual((self.directory / "out").read_text(), "said\n")
        self.assertFalse(self.marker().exists())

    def test_one_start_is_one_decision(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { not user is "x" } log exec, fork as all\n'
                     ' deny exec where file is "/no/such/file" as nothing }')
        code = 'import subprocess\nprint(subprocess.run(["/bin/true"]).returncode)'
        result = execute([python(), "-I", "-S", "-c", code], env=daemon.preloaded())
        self.assertEqual(result.out, "0\n", result)
        events = [entry["event"] for entry in daemon.log() if entry["kind"] == "decision" and "exec" in str(entry)]
        names = [event["name"] if isinstance(event, dict) else event for event in events]
        self.assertEqual([name for name in names if name in ("subprocess.Popen", "libc.execve", "libc.vfork",
                                                             "libc.fork", "libc.posix_spawn", "os.posix_spawn")][:1],
                         ["subprocess.Popen"], names)
        self.assertNotIn("libc.execve", names)

    def test_where_all_is_recorded_a_start_is_asked_about_once(self):
        daemon = self.daemon("--record", "all")
        daemon.apply('policy p { applies { not user is "x" }\n deny exec where file is "/no/such/file" as nothing }')
        code = 'import subprocess\nprint([subprocess.run(["/bin/true"]).returncode for _ in range(3)])'
        result = execute([python(), "-c", code], env=daemon.preloaded())
        self.assertEqual(result.out, "[0, 0, 0]\n", result)
        # The child of a vfork that asks is a session of its own for as long.
        self.assertEqual(daemon.status()["sessions_total"], 1)
        started = [entry["event"] for entry in daemon.log()
                   if entry["kind"] == "decision" and entry["event"] in ("subprocess.Popen", "libc.execve", "libc.vfork",
                                                                         "libc.fork", "libc.posix_spawn")]
        self.assertEqual(started, ["subprocess.Popen"] * 3)

    def static_program(self):
        """One that no preload reaches, and that does nothing."""
        program = self.directory / "static"
        source = self.directory / "static.c"
        source.write_text("int main(void) { return 0; }\n")
        compiler = shutil.which("cc")
        if not compiler or execute([compiler, "-static", "-o", program, source]).status != 0:
            self.skipTest("there is no compiler that links statically")
        return program

    def test_programs_that_leave_the_reach_of_the_hook_are_told(self):
        program = self.static_program()
        daemon = self.daemon()
        daemon.apply('policy p { applies { not user is "x" } log event "libc.*" as all }')
        result = execute([python(), "-c", FORK_EXEC + f"print(fork_exec([{str(program)!r}]))"], env=daemon.preloaded())
        self.assertEqual(result.out, "b''\n", result)
        self.assertIn("static", str([entry for entry in daemon.log() if "libc.execve" in str(entry)]))

    def test_program_that_leaves_the_reach_is_told_behind_the_event_that_allowed_it_too(self):
        program = self.static_program()
        code = f"import subprocess; print([subprocess.run([one]).returncode for one in ({str(program)!r}, 'true')])"
        result, rows = self.recorded(self.policy(HELD), [python(), "-c", code])
        self.assertEqual(result.out, "[0, 0]\n", result)
        reached = [row["arguments"]["reach"] for row in rows if row.get("event") in ("libc.execve", "libc.posix_spawn")]
        self.assertEqual([one for one in reached if one], ["static"])

    def test_multiprocessing_starts_where_its_interpreter_is_allowed(self):
        code = """
        import multiprocessing, os, sys
        def work(name): print(name, os.getppid() != 1, flush=True)
        if __name__ == "__main__":
            for method in "spawn", "forkserver":
                process = multiprocessing.get_context(method).Process(target=work, args=(method,))
                process.start(); process.join()
                print(process.exitcode, flush=True)
        """
        interpreter = os.path.realpath(python())
        allowed = 'policy p { default deny exec allow exec where file is "%s" as own }' % interpreter
        result = self.under(allowed, code)
        self.assertEqual(result.out.split(), ["spawn", "True", "0", "forkserver", "True", "0"], result)
        result = self.under(SOME, code)
        self.assertNotIn("True", result.out, result)

    def test_programs_of_tcl_are_judged(self):
        code = """
        import tkinter
        tcl = tkinter.Tcl()
        print(repr(tcl.eval("exec /bin/true")))
        try: tcl.eval("exec /bin/touch %s")
        except tkinter.TclError as error: print(error)
        """ % self.marker()
        if execute([python(), "-c", "import tkinter"]).status != 0:
            self.skipTest("this interpreter has no tkinter")
        result = self.under(SOME, code)
        self.assertIn("''\n", result.out, result)
        self.assertIn("permission denied", result.out, result)
        self.assertFalse(self.marker().exists())

    def test_process_without_a_session_notices_nothing(self):
        result = self.run_under(self.policy(SOME), ["/bin/sh", "-c", "/bin/echo one; (exec /bin/echo two); env -i "
                                                                     "/bin/echo three"])
        self.assertEqual(result.out.split(), ["one", "two", "three"], result)
