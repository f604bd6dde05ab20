"""The hook's own code inside programs of ours, where sanitizers can watch it (tests/unit/hook_harness.c).

Under the presets asan and tsan these are the tests of the hook's memory; in an ordinary build they are tests
of how it behaves. A sanitizer's report ends the program with a status of its own, and fails the test.
"""

import re
from pathlib import Path

from support import ALLOW_ALL, BUILD, SOURCE, Test, clean_environment, execute, python

HARNESS = BUILD / "tests" / "harness"
UNUSUAL_EVENTS = SOURCE / "tests" / "system" / "programs" / "unusual_events.py"
SANITIZER_STATUS = 99

EVERYWHERE = 'policy {name} {{ applies {{ platform is "linux" }} {rules} }}\n'
NO_EXEC = EVERYWHERE.format(name="no-exec", rules='deny exec as no-exec message "Not here"')
DENY_ALL_EVENTS = EVERYWHERE.format(name="no-test", rules='deny event "test.*" as no-test message "Not that"')
MANY = EVERYWHERE.format(name="many", rules='deny exec, fork as no-process  deny event "test.denied*" as no-test  '
                                            'log event "test.*" as seen')

# Leaks are not looked for: every allocation of a Python object has libpython in its stack, CPython keeps many
# of them for good, and a suppression by library would hide the hook's as well. The hook itself allocates
# nothing but Python objects; test_denials_keep_no_objects counts those.
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": f"exitcode={SANITIZER_STATUS}:detect_leaks=0:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": f"exitcode={SANITIZER_STATUS}:print_stacktrace=1",
    "TSAN_OPTIONS": f"exitcode={SANITIZER_STATUS}:suppressions={SOURCE / 'tests' / 'unit' / 'tsan-python.txt'}",
}


class HarnessTest(Test):
    prefix = "hook_harness"
    labels = ("system", "hook_harness")
    timeout = 300

    def host(self, *policies, evaluate="daemon"):
        # What runs under a sanitizer, on a machine full of tests, may take longer than a host's bound.
        configuration = self.policy(f'evaluate = "{evaluate}"\n[limits]\nverdict_milliseconds = 30000\n',
                                    "configuration.toml")
        daemon = self.daemon("--config", configuration)
        for policy in policies:
            daemon.apply(policy)
        return daemon

    def harness(self, daemon, *command, name="hook_harness", **environment):
        """A harness under the daemon's policies. Every object is an allocation of its own: what is read beside
        it is seen."""
        program = HARNESS / name
        if not program.exists():
            self.skipTest(f"{name} was not built: python3-embed (Debian: python3-dev) was missing")
        environment.setdefault("PYTHONMALLOC", "malloc")
        result = execute([program, *command], cwd=self.directory, timeout=self.timeout - 20,
                         env=clean_environment(WARDER_SOCKET=daemon.socket, **SANITIZER_OPTIONS, **environment))
        self.assertNotIn("Sanitizer", result.err, result)
        self.assertNotIn("runtime error", result.err, result)
        self.assertNotEqual(result.status, SANITIZER_STATUS, result)
        return result

    def assertPrinted(self, result, *lines):
        self.assertEqual((result.status, result.out), (0, "".join(f"{line}\n" for line in lines)), result)


class Harness(HarnessTest):
    def test_interpreter_of_the_harness_is_under_policy_from_its_first_event(self):
        daemon = self.host(NO_EXEC + EVERYWHERE.format(name="all", rules='log event "*" as all'))
        result = self.harness(daemon, "-c", """
import os, warder
try:
    os.system("id")
except warder.PolicyDenied as denied:
    print(denied.policy, denied.rule)
""")
        self.assertPrinted(result, "local/no-exec no-exec")
        events = [row["event"] for row in daemon.log("-n", "0") if row["kind"] == "decision"]
        self.assertIn("cpython.run_command", events)
        self.assertGreater(len(events), 40)

    def test_arguments_of_every_shape_are_read(self):
        marker = self.directory / "marker"
        result = self.harness(self.host(NO_EXEC), UNUSUAL_EVENTS, marker)
        self.assertPrinted(result, "denied")
        self.assertFalse(marker.exists())

    def test_texts_and_numbers_at_their_bounds_are_read(self):
        # The bounds of policies/engine/value.h, and one beside them; characters of each width across the cut.
        result = self.harness(self.host(NO_EXEC), "-c", """
import sys
for size in 0, 1, 1022, 1023, 1024, 1025, 16384, 65533, 65534, 65535, 65536, 65537, 600000:
    for character in "a", "\\xe9", "\\u20ac", "\\U0001f600", "\\udc80", "\\ud800", "\\0":
        text = character * size
        for shape in (text,), ("x" + text, text), ([text] * 20,), ({text: text},):
            sys.audit("test.text", *shape)
            sys.audit("open", *shape)
    for data in b"\\xff" * size, bytearray(size):
        sys.audit("test.bytes", data, [data] * 10)
for bits in 31, 32, 62, 63, 64, 65, 127, 128, 503, 504, 505, 511, 512, 513, 100000:
    for number in 2 ** bits, 2 ** bits - 1, -2 ** bits, -2 ** bits - 1:
        sys.audit("test.number", number, [number])
        sys.audit("os.kill", number, number)
for count in 4095, 4096, 4097, 16383, 16384, 16385, 100000:
    sys.audit("test.list", [None] * count)
    sys.audit("test.tuple", (None,) * count)
    sys.audit("test.map", dict.fromkeys(range(count)))
    sys.audit("test.nodes", *[[0] * 4096] * 8)
    sys.audit("test.many", *range(min(count, 5000)))
for depth in 6, 7, 8, 9, 10, 1000:
    deep = ()
    for i in range(depth):
        deep = (deep, [deep])[:2] if depth < 9 else [deep]
    sys.audit("test.deep", deep, {"x": deep})
print("read")
""")
        self.assertPrinted(result, "read")

    def test_objects_that_run_code_when_they_are_looked_at_are_not_looked_at(self):
        result = self.harness(self.host(NO_EXEC), "-c", """
import sys
ran = []
def run(self, *arguments):
    ran.append(type(self))
    raise RuntimeError("code ran inside the hook")
names = ("__str__", "__repr__", "__fspath__", "__eq__", "__hash__", "__len__", "__iter__", "__getitem__", "__index__",
         "__int__", "__float__", "__bool__", "__getattribute__", "__getattr__", "__contains__", "__next__", "keys",
         "__format__", "__bytes__", "__buffer__", "__del__", "__instancecheck__", "__subclasscheck__", "__missing__")
class Type(type):
    __getattribute__ = __instancecheck__ = __subclasscheck__ = __repr__ = __eq__ = run
    __hash__ = type.__hash__
evil = []
for base in (object, str, bytes, bytearray, int, float, list, tuple, dict, set, Exception):
    body = {name: run for name in names if name != "__del__"}
    made = Type("Evil" + base.__name__, (base,), body)
    evil.append(base.__new__(made))
key = evil[1]
dict.__setitem__(evil[8], "x", key)
list.append(evil[6], evil[7])
for event in "open", "subprocess.Popen", "os.exec", "socket.connect", "import", "test.evil", "os.rename", "os.putenv":
    for one in evil:
        for shape in (one,), (one,) * 6, ([one], {"k": one}), ("x", one, [one], one):
            try:
                sys.audit(event, *shape)
            except PermissionError:
                pass
print(len(ran))
""")
        self.assertPrinted(result, "0")

    def test_names_of_events_that_nobody_expects(self):
        result = self.harness(self.host(DENY_ALL_EVENTS), "-c", """
import sys
denied = 0
for name in ("", "test.\\xe9", "test." + "x" * 251, "test." + "x" * 252, "test." + "x" * 100000, "test.\\u202e",
             "test.%s%n", "\\n", "warder.verify", "warder.verifyx", "test.\\x1b[2J", "cpython._PySys_ClearAuditHook"):
    try:
        sys.audit(name, name)
    except PermissionError as error:
        denied += 1
        assert str(error).isprintable(), str(error)
        assert len(error.event) < 2000
for name in "a\\0b", "\\ud800", b"bytes", 5, None:
    try:
        sys.audit(name)
    except (ValueError, TypeError, UnicodeError):
        pass
try:
    sys.audit("test.\\udc80")
except UnicodeEncodeError:
    pass
print(denied)
""")
        self.assertPrinted(result, "7")

    def test_events_that_only_c_code_can_raise(self):
        result = self.harness(self.host(MANY), "-c", """
import harness
harness.audit_bare("test.bare")
harness.audit_bare("os.fork_later")
for event in "test.half", "subprocess.Popen", "import", "os.exec", "open":
    try:
        harness.audit_half_built(event)
    except PermissionError:
        pass
for argument in "text", 10 ** 300, [[]] * 50000, object(), "\\ud800", {1: "\\ud800"}:
    assert harness.audit_failing("test.failing", argument) is True
    assert harness.audit_failing("test.denied", argument) is False
for event in "open", "os.exec", "os.system", "subprocess.Popen", "socket.connect", "import":
    try:
        harness.audit_bare(event)
    except PermissionError:
        pass
print(harness.audit_from_foreign_threads("test.denied", 16, 100))
""")
        self.assertPrinted(result, "1600")

    def test_sockets_and_what_pretends_to_be_one(self):
        result = self.harness(self.host(NO_EXEC), "-c", """
import _socket, array, socket, sys
class socket_of_python:
    __slots__ = ()
small = type("socket", (object,), {"__slots__": ()})()
large = type("socket", (object,), {"__slots__": tuple("abcdefgh")})()
sub = type("socket", (socket.socket,), {})()
raw = _socket.socket.__new__(_socket.socket)
for one in small, large, sub, raw, socket.socket(), socket_of_python(), None, 5, -1, "socket", array.array("i", [1]):
    for event in "socket.connect", "socket.bind", "socket.__new__", "socket.sendto", "socket.sendmsg", "socket.listen":
        for address in ("127.0.0.1", 1), "/x" * 200, b"\\0abstract", ("::1", 1, 0, 0), (), 5, None, "x":
            try:
                sys.audit(event, one, address)
                sys.audit(event, one)
                sys.audit(event, one, 1, 2, 3)
            except PermissionError:
                pass
print("read")
""")
        self.assertPrinted(result, "read")

    def test_threads_forks_and_denials_at_once(self):
        result = self.harness(self.host(MANY), "-c", """
import os, sys, threading
denied = []
def work(number):
    for i in range(60):
        sys.audit("test.event", number, "x" * (i * 50), [i] * i)
        try:
            sys.audit("test.denied", i)
        except PermissionError as error:
            denied.append(error.rule)
threads = [threading.Thread(target=work, args=(i,)) for i in range(12)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
try:
    os.fork()
except PermissionError as error:
    denied.append(error.rule)
print(denied.count("no-test"), denied.count("no-process"))
""")
        self.assertPrinted(result, "720 1")

    def test_forked_children_are_sessions(self):
        result = self.harness(self.host(DENY_ALL_EVENTS), "-c", """
import os, sys, threading
def busy():
    while not stop:
        open(os.devnull).close()
stop = False
threads = [threading.Thread(target=busy) for i in range(3)]
[thread.start() for thread in threads]
status = []
for i in range(8):
    child = os.fork()
    if child == 0:
        try:
            sys.audit("test.child", i)
        except PermissionError:
            grandchild = os.fork()
            if grandchild == 0:
                try:
                    sys.audit("test.grandchild", i)
                except PermissionError:
                    os._exit(5)
                os._exit(0)
            os._exit(os.WEXITSTATUS(os.waitpid(grandchild, 0)[1]))
        os._exit(0)
    status.append(os.WEXITSTATUS(os.waitpid(child, 0)[1]))
stop = True
[thread.join() for thread in threads]
print(status)
""")
        self.assertPrinted(result, str([5] * 8))

    def test_denial_deep_in_the_stack_is_raised(self):
        result = self.harness(self.host(DENY_ALL_EVENTS), "-c", """
import sys
seen = []
def down():
    try:
        sys.audit("test.deep")
    except PermissionError:
        seen.append("denied")
    down()
for limit in 500, 1000:
    sys.setrecursionlimit(limit)
    try:
        down()
    except RecursionError:
        seen.append("end")
print(seen.count("end"), seen.count("denied") > 800)
""")
        self.assertPrinted(result, "2 True")

    def test_changed_class_of_denials_is_not_used(self):
        result = self.harness(self.host(DENY_ALL_EVENTS), "-c", """
import gc, sys, warder
def attempt():
    try:
        sys.audit("test.event")
    except PermissionError as error:
        return type(error).__name__
first = attempt()
def run(*arguments):
    raise RuntimeError("code ran inside the hook")
warder.PolicyDenied.__init__ = run
second = attempt()
del warder.PolicyDenied.__init__
third = attempt()
warder.PolicyDenied.__bases__ = (PermissionError,)
print(first, second, third)
""")
        self.assertPrinted(result, "PolicyDenied PermissionError PolicyDenied")

    def test_denials_keep_no_objects(self):
        # The interpreter's own allocator counts its blocks.
        result = self.harness(self.host(DENY_ALL_EVENTS), "-c", """
import gc, sys
def deny(rounds):
    for i in range(rounds):
        try:
            sys.audit("test.event", "x", [1, 2], {"a": b"b"}, 10 ** 30, object)
        except PermissionError:
            pass
deny(50)
gc.collect()
before = sys.getallocatedblocks()
deny(2000)
gc.collect()
grown = sys.getallocatedblocks() - before
print(grown < 1000 or grown)  # one object kept by each would be 2000; the interpreter's own caches come and go
""", PYTHONMALLOC="default")
        self.assertPrinted(result, "True")

    def test_lost_daemon_denies_and_does_no_harm(self):
        daemon = self.host(ALLOW_ALL)
        code = f"""
import os, signal, sys
sys.audit("test.before")
os.kill({daemon.process.pid}, signal.SIGKILL)
denied = 0
for i in range(20):
    try:
        sys.audit("test.after", "x" * 100000)
    except PermissionError as error:
        denied += "daemon" in str(error)
os.write(1, b"%d\\n" % denied)
os._exit(0)
"""
        result = self.harness(daemon, "-c", code)
        daemon.process.wait()
        daemon.process = None
        self.assertEqual(result.out, "20\n", result)

    def test_forged_answers_end_the_harness(self):
        result = self.harness(self.host(ALLOW_ALL), "-c", """
import os, socket, stat, sys, threading
keep, mine = [], set()
def answer(end):
    while True:
        try:
            data = end.recv(1 << 17)
            end.send(data or b"x")
            end.send(os.urandom(len(data) % 600 + 1))
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
for i in range(100):
    try:
        replace()
        sys.audit("test.event", i)
    except PermissionError:
        pass
print("went on", flush=True)
""")
        self.assertEqual((result.status, result.out), (126, ""), result)
        self.assertIn("too many forged answers", result.err)

    def test_sub_interpreters_of_the_harness_are_judged(self):
        result = self.harness(self.host(DENY_ALL_EVENTS), "-c", """
import _xxsubinterpreters as interpreters
code = '''
import sys, warder
for i in range(20):
    try:
        sys.audit("test.inner", [str(i)] * i)
    except warder.PolicyDenied as error:
        pass
    else:
        raise SystemExit("not denied")
'''
for i in range(4):
    one = interpreters.create()
    interpreters.run_string(one, code)
    interpreters.destroy(one)
print("done")
""")
        self.assertPrinted(result, "done")

    def test_attach_goes_in_or_leaves_nothing(self):
        result = self.harness(self.host(DENY_ALL_EVENTS), "-c", """
import sys, _hook
sys.audit("test.before")
for arguments in ({"policies": ["nobody-has-this"]}, {"socket": "/nobody"}, {"socket": "x" * 300},
                  {"labels": {"a" * 3000: "b"}}, {"policies": ["x" * 9000]}, {"policies": ["x"] * 32},
                  {"labels": {str(i): "x" for i in range(33)}}, {"policies": [[[]]]}, {"policies": 10 ** 400},
                  {"policies": "\\ud800"}, {"labels": {"\\ud800": ""}}):
    try:
        _hook.attach(**arguments)
        print("attached", arguments)
    except (ConnectionError, TypeError, RuntimeError) as error:
        sys.audit("test.still", str(error))
vetoing = True
def veto(event, arguments):
    if vetoing and event == "sys.addaudithook":
        raise ValueError
sys.addaudithook(veto)
for i in range(3):
    try:
        _hook.attach()
    except RuntimeError:
        sys.audit("test.still")
vetoing = False
for i in range(3):
    _hook.attach(labels=None if i else {"a": "b"})
try:
    sys.audit("test.after")
except _hook.PolicyDenied as error:
    print(error.rule)
""", name="hook_harness_attach")
        self.assertPrinted(result, "no-test")


class LateHarness(HarnessTest):
    """The same code in a program that opens the libpython of each interpreter: versions differ in what the
    hook calls and in what its objects look like."""

    per_interpreter = True

    def library(self):
        result = execute([python(), "-c", "import os, sysconfig; print(os.path.join(sysconfig.get_config_var("
                                          "'LIBDIR'), sysconfig.get_config_var('LDLIBRARY')))"])
        path = Path(result.out.strip())
        if not re.search(r"\.so(\.|$)", path.name) or not path.exists():
            self.skipTest(f"{python()} has no shared libpython")
        return path

    def late(self, daemon, code, rounds=1):
        library = self.library()
        home = execute([python(), "-c", "import sys; print(sys.base_prefix)"]).out.strip()
        return self.harness(daemon, library, "global", code, str(rounds), name="hook_harness_late",
                            PYTHONHOME=home)

    def test_arguments_of_every_shape_are_read_in_each_version(self):
        marker = self.directory / "marker"
        result = self.late(self.host(NO_EXEC), f"""
import sys
sys.argv = ["unusual_events.py", {str(marker)!r}]
exec(compile(open({str(UNUSUAL_EVENTS)!r}).read(), "unusual_events.py", "exec"))
""")
        self.assertPrinted(result, "denied")
        self.assertFalse(marker.exists())

    def test_interpreter_that_starts_again_is_judged_in_each_version(self):
        result = self.late(self.host(DENY_ALL_EVENTS), """
import sys, threading
def attempt():
    try:
        sys.audit("test.event", 10 ** 40, "\\udc80" * 2000)
    except PermissionError as error:
        print(type(error).__name__)
attempt()
thread = threading.Thread(target=attempt)
thread.start()
thread.join()
""", rounds=2)
        self.assertPrinted(result, *["PolicyDenied"] * 4)
