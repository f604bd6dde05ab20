"""warder.attach(): an interpreter that was started without Warder comes under policy.

The package is the one that the build leaves behind; the daemon is the test's own, told by WARDER_SOCKET as
`warder run` does, or by attach()'s argument.
"""

import json
import signal
import time

from support import (HOOK, NO_PROCESS, PACKAGE, Test, clean_environment, execute, interpreter_process, python,
                     python_version)

ON_EVERYONE = 'policy no-exec { applies { platform is "linux" } deny exec as no-exec message "Not here" }\n'
NO_ETC = 'policy no-etc { deny read where path under "/etc" as no-etc }\n'
ONLY_GRADERS = 'policy graders { applies { label role is "grader" } deny exec as no-exec }\n'

# What the scripts share: is a program started, or what is said instead?
PRELUDE = """
import os, sys, warder
def attempt():
    try:
        return os.system("exit 7") >> 8
    except PermissionError as error:
        return str(error)
"""


class AttachTest(Test):
    per_interpreter = True

    def host(self, *policies):
        """A running daemon with these policies."""
        daemon = self.daemon()
        for policy in policies:
            daemon.apply(policy)
        return daemon

    def attached(self, daemon, code, prelude=PRELUDE, **environment):
        """A program with the package at hand, and a daemon that it may attach to."""
        where = {"WARDER_SOCKET": daemon.socket} if daemon else {"WARDER_SOCKET": self.directory / "nobody.sock"}
        return execute([python(), "-c", prelude + code], cwd=self.directory,
                       env=clean_environment(PYTHONPATH=PACKAGE, **where, **environment))

    def assertPrinted(self, result, *lines):
        self.assertEqual((result.status, result.out), (0, "".join(f"{line}\n" for line in lines)), result)


class Attach(AttachTest):
    def test_programs_are_started_until_attach_and_denied_after_it(self):
        result = self.attached(self.host(ON_EVERYONE), """
print(attempt())
print(warder.attach())
print(attempt())
""")
        self.assertEqual(result.status, 0, result)
        before, returned, after = result.out.splitlines()
        self.assertEqual((before, returned), ("7", "None"))
        self.assertRegex(after, r'^warder: exec "/bin/sh" denied by local/no-exec.no-exec: Not here \[decision \S+\]$')

    def test_finaliser_at_the_very_end_of_an_attached_interpreter_starts_nothing(self):
        # Which record of CPython's is the hook's is not known then, and another hook stands before it.
        marker = self.directory / "made"
        for options in (), ("-X", "dev"):
            result = execute([python(), *options, "-c", f"""
import gc, os, sys, warder
sys.addaudithook(lambda *arguments: None)
warder.attach()
class Late:
    def __del__(self, system=os.system, leave=os._exit):
        try:
            system("touch {marker}")
        finally:
            leave(7)
gc.callbacks.append(Late())
"""], env=clean_environment(PYTHONPATH=PACKAGE, WARDER_SOCKET=self.host(ON_EVERYONE).socket))
            self.assertFalse(marker.exists(), result)
            self.assertIn(result.status, (7, 126), result)

    def test_attached_process_is_recorded_as_one_that_attached(self):
        daemon = self.host(ON_EVERYONE)
        result = self.attached(daemon, "warder.attach(); attempt(); print('done')")
        self.assertPrinted(result, "done")
        row = next(row for row in daemon.log("--denied") if row["kind"] == "decision")
        self.assertEqual(row["subject"]["said"]["route"], "attach")
        self.assertEqual(row["subject"]["said"]["python"], ".".join(map(str, python_version())))

    def test_socket_argument_names_the_daemon(self):
        daemon = self.host(ON_EVERYONE)
        result = self.attached(None, f"warder.attach(socket={str(daemon.socket)!r}); print('denied by' in attempt())")
        self.assertPrinted(result, "True")

    def test_named_policies_narrow(self):
        result = self.attached(self.host(ON_EVERYONE, NO_ETC), """
warder.attach(policies=["no-etc"])
print("local/no-exec.no-exec" in attempt())
try:
    open("/etc/passwd")
except warder.PolicyDenied as denied:
    print(denied.policy, denied.rule)
""")
        self.assertPrinted(result, "True", "local/no-etc no-etc")

    def test_policy_that_is_not_named_does_not_govern(self):
        result = self.attached(self.host(NO_ETC), "warder.attach(); print(len(open('/etc/passwd').read(1)))")
        self.assertPrinted(result, "1")

    def test_labels_are_what_policies_select_on(self):
        daemon = self.host(ONLY_GRADERS)
        self.assertPrinted(self.attached(daemon, 'warder.attach(labels={"role": "student"}); print(attempt())'), "7")
        self.assertPrinted(self.attached(daemon, 'warder.attach(labels={"role": "grader"}); '
                                                 'print("local/graders.no-exec" in attempt())'), "True")

    def test_attach_a_second_time_changes_nothing(self):
        daemon = self.host(ON_EVERYONE)
        result = self.attached(daemon, """
for i in range(3):
    warder.attach()
attempt()
warder.attach()
print("denied by" in attempt())
""")
        self.assertPrinted(result, "True")
        # One hook: each attempt was judged, and denied, once.
        denied = [row for row in daemon.log("--denied") if row["kind"] == "decision"]
        self.assertEqual(sum(row["count"] for row in denied), 2, denied)
        self.assertEqual(len({row["session"] for row in denied}), 1)

    def test_attach_under_a_preload_changes_nothing(self):
        # The package on the path stands behind the builtin module; both are the same hook.
        result = self.run_under(NO_PROCESS, [python(), "-c", PRELUDE + """
warder.attach()
print("local/no-process.no-exec" in attempt(), hasattr(warder, "__file__"))
try:
    warder.attach(policies=["more"])
except RuntimeError as error:
    print("attached already" in str(error))
"""], env=clean_environment(PYTHONPATH=PACKAGE))
        self.assertPrinted(result, "True False", "True")

    def test_forked_child_of_an_attached_process_is_under_policy(self):
        result = self.attached(self.host(ON_EVERYONE), """
warder.attach()
child = os.fork()
if child == 0:
    os.write(1, ("child %s\\n" % ("denied by" in attempt())).encode())
    os._exit(0)
os.waitpid(child, 0)
print("parent", "denied by" in attempt())
""")
        self.assertPrinted(result, "child True", "parent True")

    def test_attach_in_a_thread_is_for_all_threads(self):
        result = self.attached(self.host(ON_EVERYONE), """
import threading
go, done = threading.Event(), threading.Event()
found = []
def early():
    go.wait()
    found.append(attempt())
    done.set()
threading.Thread(target=early).start()
attaching = threading.Thread(target=warder.attach)
attaching.start()
attaching.join()
go.set()
done.wait()
print("denied by" in found[0], "denied by" in attempt())
""")
        self.assertPrinted(result, "True True")

    def test_threads_that_attach_at_once_are_one_session(self):
        daemon = self.host(ON_EVERYONE)
        result = self.attached(daemon, """
import threading
start = threading.Barrier(8)
refused = []
def work():
    start.wait()
    while True:
        try:
            return warder.attach()
        except RuntimeError as error:
            refused.append("under way already" in str(error))
threads = [threading.Thread(target=work) for i in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(all(refused), "denied by" in attempt())
""")
        self.assertPrinted(result, "True True")
        denied = [row for row in daemon.log("--denied") if row["kind"] == "decision"]
        self.assertEqual((len(denied), denied[0]["count"]), (1, 1), denied)

    def test_attach_in_a_sub_interpreter_is_for_the_whole_process(self):
        result = self.attached(self.host(ON_EVERYONE), """
try:
    import _interpreters as interpreters
    run = interpreters.exec
except ImportError:
    import _xxsubinterpreters as interpreters
    run = interpreters.run_string
one = interpreters.create()
run(one, '''
import os, warder
warder.attach()
try:
    os.system("exit 7")
except warder.PolicyDenied as error:
    os.write(1, b"inside denied\\\\n")
''')
print("outside", "denied by" in attempt())
try:
    os.system("exit 7")
except warder.PolicyDenied:
    print("of this interpreter's own class")
""")
        self.assertPrinted(result, "inside denied", "outside True", "of this interpreter's own class")

    def test_policy_denied_has_its_attributes_and_pickles(self):
        result = self.attached(self.host(ON_EVERYONE), """
import copy, json, pickle, subprocess
warder.attach()
try:
    subprocess.run(["id"])
except warder.PolicyDenied as error:
    denied = error
again = pickle.loads(pickle.dumps(denied))
same = copy.copy(denied)
for one in denied, again, same:
    assert type(one) is warder.PolicyDenied and isinstance(one, PermissionError)
    print(json.dumps([str(one), one.errno, one.operation, one.event, one.policy, one.rule, one.decision_id,
                      one.message]))
""")
        self.assertEqual(result.status, 0, result)
        lines = result.out.splitlines()
        self.assertEqual(lines, [lines[0]] * 3)
        text, number, operation, event, policy, rule, decision, message = json.loads(lines[0])
        self.assertEqual((number, operation, event), (13, "exec", "subprocess.Popen"))
        self.assertEqual((policy, rule, message), ("local/no-exec", "no-exec", "Not here"))
        self.assertRegex(decision, r"^[0-9a-f]+-[0-9]+$")
        self.assertEqual(text, f'warder: exec "id" denied by local/no-exec.no-exec: Not here [decision {decision}]')

    def test_package_says_what_it_offers(self):
        result = self.attached(None, """
import inspect
print(warder.__all__)
print(inspect.signature(warder.attach))
print(all(word in warder.attach.__doc__ for word in ("ConnectionError", "RuntimeError", "policies", "labels",
                                                        "fork_exec", "no floor is taken", "warder run")))
print(all(word in warder.PolicyDenied.__doc__ for word in
          ("errno", "operation", "event", "policy", "rule", "decision_id", "message")))
print(warder.PolicyDenied.__module__, warder.__version__.count("."))
""")
        self.assertPrinted(result, "['PolicyDenied', 'attach', '__version__']",
                           "(socket=None, policies=(), labels=None)", "True", "True", "warder 2")

    def test_what_attach_asked_for_holds_forked_children(self):
        result = self.attached(self.host(NO_ETC, ONLY_GRADERS), """
def held():
    tried = []
    for action in (lambda: open("/etc/passwd").close(), lambda: os.execv("/nonexistent/x", ["x"])):
        try:
            action()
            tried.append("went through")
        except PermissionError as error:
            tried.append(str(error).split("denied by ")[-1].split()[0])
        except FileNotFoundError:
            tried.append("went through")
    return tried
def generation(depth):
    child = os.fork()
    if child == 0:
        os.write(1, ("forked %s\\n" % held()).encode())
        if depth:
            generation(depth - 1)
        os._exit(0)
    os.waitpid(child, 0)
warder.attach(policies=["no-etc"], labels={"role": "grader"})
print("parent", held(), flush=True)
generation(1)
""")
        both = ["local/no-etc.no-etc", "local/graders.no-exec"]
        self.assertPrinted(result, f"parent {both}", f"forked {both}", f"forked {both}")

    def test_what_attach_asked_for_holds_programs_that_a_host_preloads(self):
        daemon = self.host(NO_ETC)
        for how in "os.execve(*again)", "os.waitpid(os.spawnve(os.P_NOWAIT, *again), 0)":
            with self.subTest(how):
                result = self.attached(daemon, f"""
warder.attach(policies=["no-etc"])
environment = dict(os.environ, LD_PRELOAD={str(HOOK)!r})
again = sys.executable, [sys.executable, "-c", '''
try:
    open("/etc/passwd")
    print("went through")
except PermissionError as error:
    print("local/no-etc.no-etc" in str(error))
'''], environment
{how}
""")
                self.assertPrinted(result, "True")


class NotAttached(AttachTest):
    """attach() raises: then nothing is guarded, nothing is left behind, and it can be tried again."""

    def refused(self, daemon, call, kind):
        """The text of what `call` raises. The program goes on unguarded, and a right call then attaches it."""
        result = self.attached(daemon, f"""
try:
    {call}
    print("did not raise")
except Exception as error:
    print(type(error).__name__, error)
print(attempt())
try:
    warder.attach()
    print("denied by" in attempt())
except ConnectionError:
    print("nobody")
""")
        self.assertEqual(result.status, 0, result)
        said, unguarded, again = result.out.splitlines()
        self.assertEqual(said.split()[0], kind)
        self.assertEqual(unguarded, "7")
        self.assertEqual(again, "True" if daemon else "nobody")
        return said

    def test_attach_without_a_daemon_raises_and_guards_nothing(self):
        said = self.refused(None, "warder.attach()", "ConnectionError")
        self.assertIn(f"no policy daemon answers at {self.directory}/nobody.sock", said)

    def test_policy_that_the_host_does_not_have_is_named(self):
        daemon = self.host(ON_EVERYONE, NO_ETC)
        said = self.refused(daemon, 'warder.attach(policies=["no-etc", "no-such-policy"])', "ConnectionError")
        self.assertEqual(said, "ConnectionError warder: this host has no policy named `no-such-policy`; "
                               "`warder list` shows those it has")

    def test_arguments_of_wrong_types_are_refused(self):
        daemon = self.host(ON_EVERYONE)
        for call in ('policies=5', 'policies="no-etc"', 'policies=[b"no-etc"]', 'policies=["x"] * 33',
                     'policies=["\\udc80"] and ["\\ud800"]', 'labels=["role"]', 'labels={"role": 1}',
                     'labels={1: "role"}', 'policies=iter(["no-etc"])', 'policies=None'):
            with self.subTest(call):
                said = self.refused(daemon, f"warder.attach({call})", "TypeError")
                self.assertIn("policies is a list or tuple of str, labels a dict of str to str, 32 at most", said)
        self.refused(daemon, "warder.attach(socket=5)", "TypeError")
        self.refused(daemon, "warder.attach(what=5)", "TypeError")

    def test_path_of_a_socket_that_no_address_holds_is_refused(self):
        said = self.refused(self.host(ON_EVERYONE), 'warder.attach(socket="/" + "x" * 200)', "ConnectionError")
        self.assertIn("path of the policy daemon's socket is too long", said)

    def test_socket_of_something_else_is_no_daemon(self):
        said = self.refused(self.host(ON_EVERYONE), """
    import socket, threading
    other = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    other.bind("other.sock")
    other.listen()
    def answer():
        end, _ = other.accept()
        end.recv(100000)
        end.send(b"Welcome" * 20)
        end.recv(100)
    threading.Thread(target=answer, daemon=True).start()
    warder.attach(socket="other.sock")""", "ConnectionError")
        self.assertIn("not the policy daemon", said)

    def test_earlier_audit_hook_that_vetoes_makes_attach_raise(self):
        for exception in "RuntimeError", "PermissionError", "BaseException":
            with self.subTest(exception):
                said = self.refused(self.host(ON_EVERYONE), f"""
    vetoing = True
    def veto(event, arguments):
        if vetoing and event == "sys.addaudithook":
            raise {exception}("mine alone")
    sys.addaudithook(veto)
    try:
        warder.attach()
    finally:
        vetoing = False""", "RuntimeError")
                self.assertIn("the audit hook did not go in", said)
                self.assertIn("Nothing is guarded", said)

    def test_after_a_veto_no_session_is_left_and_policies_can_be_named(self):
        daemon = self.host(NO_ETC)
        result = self.attached(daemon, """
vetoing = True
def veto(event, arguments):
    if vetoing and event == "sys.addaudithook":
        raise RuntimeError
sys.addaudithook(veto)
try:
    warder.attach()
except RuntimeError:
    vetoing = False
child = os.fork()
if child == 0:
    os._exit(attempt())
print(os.WEXITSTATUS(os.waitpid(child, 0)[1]))
warder.attach(policies=["no-etc"])
try:
    open("/etc/passwd")
except warder.PolicyDenied as denied:
    print(denied.rule)
""")
        self.assertPrinted(result, "7", "no-etc")

    def test_audit_hook_that_attaches_while_attach_goes_in_is_refused(self):
        daemon = self.host(ON_EVERYONE)
        result = self.attached(daemon, """
said = []
def again(event, arguments):
    if event == "sys.addaudithook":
        try:
            warder.attach()
        except RuntimeError as error:
            said.append(str(error))
sys.addaudithook(again)
warder.attach()
print(said)
print("denied by" in attempt())
""")
        self.assertPrinted(result, "['warder: attach() is under way already, in another thread or in an audit hook']",
                           "True")
        denied = [row for row in daemon.log("--denied") if row["kind"] == "decision"]
        self.assertEqual((len(denied), denied[0]["count"]), (1, 1), denied)

    def test_other_threads_go_on_and_fork_while_attach_waits_for_the_daemon(self):
        daemon = self.host(ON_EVERYONE)
        code = PRELUDE + """
import threading
attaching = threading.Thread(target=warder.attach)
os.read(0, 1)
attaching.start()
sum(range(1000000))  # longer than a thread has the interpreter lock for
print("went on", attaching.is_alive(), flush=True)
child = os.fork()  # waits for the answer, so that the child finds the session at rest
if child == 0:
    warder.attach()
    os.write(1, ("child %s\\n" % ("denied by" in attempt())).encode())
    os._exit(0)
attaching.join()
os.waitpid(child, 0)
print("parent", "denied by" in attempt())
"""
        environment = clean_environment(PYTHONPATH=PACKAGE, WARDER_SOCKET=daemon.socket)
        with interpreter_process([python(), "-c", code], env=environment) as process:
            daemon.process.send_signal(signal.SIGSTOP)
            try:
                process.stdin.write("x")
                process.stdin.flush()
                said = process.stdout.readline()
                time.sleep(0.3)
            finally:
                daemon.process.send_signal(signal.SIGCONT)
            out, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, said, out), (0, "went on True\n", "child True\nparent True\n"), err)
