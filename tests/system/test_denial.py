"""A denial, as the developer of the denied program meets it."""

import errno
import json

from support import NO_PROCESS, Test, free_threaded, python

CAUGHT = """
import json
try:
    {statement}
except PermissionError as error:
    print(json.dumps([type(error).__module__ + "." + type(error).__qualname__, error.errno, str(error),
                      getattr(error, "operation", None), getattr(error, "event", None),
                      getattr(error, "policy", None), getattr(error, "rule", None),
                      getattr(error, "decision_id", None), getattr(error, "message", None)]))
"""


class Denial(Test):
    per_interpreter = True

    def caught(self, statement, policy=NO_PROCESS):
        result = self.python_under(policy, CAUGHT.format(statement=statement))
        self.assertEqual(result.status, 0, result)
        return json.loads(result.out)

    def test_denied_popen_raises_policy_denied(self):
        kind, number, text, operation, event, policy, rule, decision, message = self.caught(
            "import subprocess; subprocess.run(['id'])")
        self.assertEqual(kind, "warder.PolicyDenied")
        self.assertEqual(number, errno.EACCES)
        self.assertEqual(operation, "exec")
        self.assertEqual(event, "subprocess.Popen")
        self.assertEqual(policy, "local/no-process")
        self.assertEqual(rule, "no-exec")
        self.assertRegex(decision, r"^[0-9a-f]+-[0-9]+$")
        self.assertEqual(message, "Process creation is switched off on this host")
        self.assertEqual(text, f'warder: exec "id" denied by local/no-process.no-exec: {message} '
                               f'[decision {decision}]')

    def test_denied_fork_raises_policy_denied(self):
        kind, number, text, operation, *_ = self.caught("import os; os.fork()")
        self.assertEqual((kind, number, operation), ("warder.PolicyDenied", errno.EACCES, "fork"))
        self.assertIn("fork denied by local/no-process.no-fork", text)

    def test_denial_of_what_cannot_be_read_names_its_type_and_nothing_else(self):
        policy = self.policy("policy p { deny exec as no-exec  deny signal as no-signal }")
        script = self.script("""
import pathlib, subprocess, sys
for ask in (lambda: subprocess.run([pathlib.Path("/bin/id")], cwd="/tmp"), lambda: sys.audit("os.kill", 10**5000, 3)):
    try:
        ask()
    except PermissionError as error:
        print(error)
""")
        result, rows = self.recorded(policy, [python(), script])
        name = "object" if free_threaded() else "PosixPath"
        exec_text, signal_text = result.out.splitlines()
        self.assertTrue(exec_text.startswith(f"warder: exec of an unreadable {name} denied by local/p.no-exec"), result)
        self.assertTrue(signal_text.startswith("warder: signal of an unreadable int denied by local/p.no-signal"), result)
        row = next(row for row in rows if row.get("rule") == "no-exec")
        self.assertEqual(row["summary"], f"exec of an unreadable {name}")
        self.assertEqual(row["operations"][0]["file"], {"object": name})

    def test_policy_denied_can_be_imported_and_pickled(self):
        result = self.python_under(NO_PROCESS, """
import os, pickle, warder
try:
    os.system("id")
except warder.PolicyDenied as error:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is warder.PolicyDenied and isinstance(copy, PermissionError)
    assert str(copy) == str(error) and copy.rule == error.rule and copy.errno == 13, copy
    print("caught")
""")
        self.assertEqual((result.status, result.out), (0, "caught\n"), result)

    def test_policy_denied_that_a_program_makes_reads_as_another_permission_error(self):
        result = self.python_under(NO_PROCESS, """
import traceback, warder
def shown(error):
    return traceback.format_exception_only(type(error), error)[0].split(": ", 1)
for arguments in (), ("x",), (13, None), (1, 2, 3, 4, 5, 6, 7, 8), (13, "y"):
    error, other = warder.PolicyDenied(*arguments), PermissionError(*arguments)
    said = "y" if arguments == (13, "y") else str(other)
    assert str(error) == said and repr(error)[len("PolicyDenied"):] == repr(other)[len("PermissionError"):], arguments
    assert shown(error)[1:] == ([said + chr(10)] if said else []), shown(error)
    names = "operation", "event", "policy", "rule", "decision_id", "message"
    assert [getattr(error, name) for name in names] == [None] * 6
error = warder.PolicyDenied(13, "y")
error.rule = "no-exec"
assert error.rule == "no-exec" and warder.PolicyDenied.rule is None
error.strerror = 5
print(str(error))
""")
        self.assertEqual((result.status, result.out), (0, "[Errno 13] 5\n"), result)

    def test_changed_policy_denied_class_runs_no_code_in_the_hook(self):
        result = self.python_under(NO_PROCESS, """
import os, warder
ran = []
def run(*arguments, **keywords):
    ran.append(arguments)
    raise RuntimeError("code ran inside the hook")
for name in "__init__", "__new__", "__setattr__", "__init_subclass__", "errno", "strerror", "__dict__":
    try:
        setattr(warder.PolicyDenied, name, property(run) if not name.startswith("__") else run)
    except (TypeError, AttributeError):
        pass
try:
    os.system("id")
except PermissionError as error:
    print("denied", len(ran))
""")
        self.assertEqual((result.status, result.out), (0, "denied 0\n"), result)

    def test_class_that_is_put_in_the_place_of_policy_denied_runs_no_code_in_the_hook(self):
        result = self.python_under(NO_PROCESS, """
import gc, os, warder
ran = []
class Meta(type):
    def __call__(cls, *arguments):
        ran.append(arguments)
        raise KeyError("no denial any more")
class Other(PermissionError, metaclass=Meta):
    pass
def kinds():
    for i in range(2):
        try:
            os.system("id")
        except Exception as error:
            yield type(error) is denied
denied = warder.PolicyDenied
before = list(kinds())
places = [(found, key) for found in gc.get_objects() if type(found) is dict and found is not globals()
          for key, value in found.items() if value is denied]
for other in Other, b"no class at all" * 100, 1, None:
    for found, key in places:
        found[key] = other
    print(len(places) > 0, *before, *kinds(), len(ran))
""")
        self.assertEqual((result.status, result.out), (0, "True True True True True 0\n" * 4), result)

    def test_class_of_denials_is_one_in_each_interpreter_and_another_after_it(self):
        result = self.python_under(NO_PROCESS, """
import os, warder
try:
    import _xxsubinterpreters as interpreters
except ImportError:
    import _interpreters as interpreters
code = '''
import os, warder
kinds = set()
for i in range(2):
    try:
        os.system("id")
    except warder.PolicyDenied as error:
        kinds.add(type(error))
        rule = error.rule
print(len(kinds), rule, flush=True)
'''
for i in range(4):
    made = [interpreters.create() for j in range(3)]
    for one in made:
        interpreters.run_string(one, code)
    for one in made:
        interpreters.destroy(one)
try:
    os.system("id")
except warder.PolicyDenied:
    print("end")
""")
        self.assertEqual((result.status, result.out), (0, "1 no-exec\n" * 12 + "end\n"), result)

    def test_uncaught_denial_ends_the_program_with_a_traceback(self):
        script = self.script("import os\n\nos.system('id')\n")
        result = self.run_under(NO_PROCESS, [python(), script])
        self.assertEqual(result.status, 1, result)
        self.assertDenied(result, f'File "{script}", line 3', 'exec "/bin/sh" denied by')
