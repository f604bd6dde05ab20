"""Arguments that are one thing when they are judged and another when they are used.

Every script tries to make a file where it may not, and prints what came of it."""

import json
import os
import signal
import subprocess
import unittest

from support import PACKAGE, WARDER, Test, clean_environment, execute, interpreter_process, python, python_version

NO_FILE = """policy no-file {
    default allow all
    deny write where not path under "/dev" as no-file
}
"""

# sys.argv[1] is the file.
PRELUDE = """
import os, sys, warnings
warnings.simplefilter("ignore")
made = sys.argv[1]
def attempt(function, *arguments):
    try:
        function(*arguments)
        print("done")
    except Exception as error:
        print(type(error).__name__)
"""


class Evasion(Test):
    per_interpreter = True

    def assertRefused(self, code, denied, policy=NO_FILE, refusals=("PolicyDenied",)):
        """Runs an attack: all of its attempts end in one and the same refusal, and no file is there."""
        made = self.directory / "made"
        script = self.script(PRELUDE + code)
        result = self.run_under(self.policy(policy), [python(), script, made])
        self.assertEqual(result.status, 0, result)
        self.assertIn(result.out.split(), [[refusal] * denied for refusal in refusals], result)
        self.assertFalse(made.exists(), result)


class Numbers(Evasion):
    def test_number_that_is_no_descriptor_and_names_a_path_is_judged_as_a_path(self):
        self.assertRefused("""
import io
class Number(int):
    def __fspath__(self):
        return made
for number in 2**40, -2**40, 2**100, 2**31:
    attempt(io.FileIO, Number(number), "w")
    attempt(open, Number(number), "w")
""", denied=8)

    def test_descriptors_are_opened_as_before(self):
        result = self.python_under(self.policy(NO_FILE), """
import os
ours, theirs = os.pipe()
open(theirs, "w").write("through")
print(open(ours).read(), open(True, "w", closefd=False).fileno())
""")
        self.assertEqual((result.status, result.out), (0, "through 1\n"), result)


class Links(Evasion):
    """Calls that follow a link or not, as they are told: their events do not say."""

    PLACES = """policy places {{
    default allow all
    default deny write
    allow write where path under "{0}/free" as free
}}
"""

    def attempts(self, code, denied):
        """Runs code between a directory that may be written and one that may not."""
        kept, free = self.directory / "kept", self.directory / "free"
        for place in kept, free:
            place.mkdir()
            (place / "file").write_text("as it was")
            os.utime(place / "file", (1000, 1000))
        (free / "to-kept").symlink_to(kept / "file")
        (kept / "to-free").symlink_to(free / "file")
        os.utime(kept / "to-free", (1000, 1000), follow_symlinks=False)
        result = self.run_under(self.policy(self.PLACES.format(self.directory)),
                                [python(), self.script(PRELUDE + code), self.directory / "made"])
        self.assertEqual((result.status, result.out.split()), (0, ["PolicyDenied"] * denied), result)
        return kept, free

    def test_hard_link_to_what_a_link_leads_to_is_judged_by_that(self):
        kept, free = self.attempts("""
free = os.open("free", os.O_RDONLY)
attempt(lambda: os.link("to-kept", "hard", src_dir_fd=free, dst_dir_fd=free))
attempt(lambda: os.link("to-kept", os.path.abspath("free/hard"), src_dir_fd=free))
attempt(lambda: os.link(os.path.abspath("free/to-kept"), "hard", dst_dir_fd=free))
""", denied=3)
        self.assertEqual((kept / "file").stat().st_nlink, 1)
        self.assertFalse((free / "hard").exists())

    def test_change_of_a_link_itself_is_judged_by_the_link(self):
        kept, _ = self.attempts("""
attempt(lambda: os.utime("kept/to-free", (0, 0), follow_symlinks=False))
attempt(lambda: os.chown("kept/to-free", 0, 0, follow_symlinks=False))
attempt(lambda: os.lchown("kept/to-free", 0, 0))
attempt(lambda: os.utime("free/to-kept", (0, 0)))
""", denied=4)
        self.assertEqual((kept / "to-free").lstat().st_mtime, 1000)
        self.assertEqual((kept / "file").stat().st_mtime, 1000)


class Buffers(Evasion):
    # From 3.12 on no bytearray is taken for a path.
    REFUSALS = "PolicyDenied", "TypeError"
    CHANGES = """
path = bytearray(os.fsencode(made))
class Number:
    def __init__(self, number):
        self.number = number
    def __index__(self):
        path[:] = b"/dev/null"
        return self.number
class Argument:
    def __fspath__(self):
        path[:] = b"/bin/true"
        return made
def attempt_with_path(text, function, *arguments):
    path[:] = os.fsencode(text)
    attempt(function, path, *arguments)
"""

    def test_path_that_can_change_after_it_was_judged_is_unknown(self):
        self.assertRefused(self.CHANGES + """
attempt_with_path(made, os.open, Number(os.O_WRONLY | os.O_CREAT))
attempt_with_path(made, os.mkdir, Number(0o700))
attempt_with_path(sys.argv[0], os.truncate, Number(0))
""", denied=3, refusals=self.REFUSALS)

    def test_program_whose_name_can_change_after_it_was_judged_is_unknown(self):
        policy = """policy one-program {
    default allow all
    default deny exec
    allow exec where file is "/bin/true" or file is "/usr/bin/true" as harmless
}
"""
        # What it has become when libc gets it, the C boundary judges.
        self.assertRefused(self.CHANGES + """
attempt_with_path("/bin/touch", os.posix_spawn, ["touch", Argument()], os.environ)
attempt_with_path("/bin/touch", os.execv, ["touch", Argument()])
""", denied=2, policy=policy, refusals=("PolicyDenied", "TypeError"))


class Names(Evasion):
    """Names mean something else below another root, and no event says that the root is another."""

    HARMLESS = """policy harmless-place {
    default allow all
    deny write where not path under "/harmless" as elsewhere
}
"""
    def enter(self, code):
        """Runs what needs the right to change its root; skips where nobody gives it."""
        made = self.directory / "root" / "harmless" / "made"
        made.parent.mkdir(parents=True)
        result = self.run_under(self.policy(self.HARMLESS), [python(), self.script(PRELUDE + code), made])
        if "no right" in result.out:
            self.skipTest("the kernel gives no right to do this here: " + result.out.strip())
        self.assertEqual(result.status, 0, result)
        return result, made

    RIGHT = """
def right(function, *arguments):
    try:
        function(*arguments)
    except (PermissionError, AttributeError) as error:
        print("no right:", error)
        sys.exit()
if os.geteuid() != 0:
    right(getattr, os, "unshare")
    right(os.unshare, os.CLONE_NEWUSER)
"""

    def test_path_below_another_root_is_unknown(self):
        result, made = self.enter(self.RIGHT + """
right(os.chroot, "root")
attempt(open, "/harmless/made", "wb")
os.chdir("/harmless")
attempt(open, "made", "wb")
attempt(os.mkdir, "/harmless/made")
sys.stdout.flush()
child = os.fork()
if child == 0:
    attempt(open, "/harmless/made", "wb")
    sys.stdout.flush()
    os._exit(0)
os.waitpid(child, 0)
""")
        self.assertEqual(result.out.split(), ["PolicyDenied"] * 4, result)
        self.assertFalse(made.exists())

    def test_program_below_another_root_is_unknown(self):
        policy = """policy one-program {
    default allow all
    default deny exec
    allow exec where file under "/harmless" as harmless
}
"""
        root = self.directory / "root" / "harmless"
        root.mkdir(parents=True)
        (root / "id").write_text("#!/harmless/id")
        (root / "id").chmod(0o755)
        result = self.run_under(self.policy(policy), [python(), self.script(PRELUDE + self.RIGHT + """
right(os.chroot, "root")
os.environ["PATH"] = "/harmless"
attempt(os.posix_spawn, "/harmless/id", ["id"], os.environ)
attempt(os.posix_spawnp, "id", ["id"], os.environ)
"""), "made"])
        if "no right" in result.out:
            self.skipTest("the kernel gives no right to do this here: " + result.out.strip())
        # The audit event leaves what it cannot know to the C boundary, where the call itself fails.
        self.assertEqual((result.status, result.out.split()), (0, ["PolicyDenied"] * 2), result)

    def test_path_in_another_mount_namespace_is_unknown(self):
        result, _ = self.enter(self.RIGHT + """
right(getattr, os, "unshare")
right(os.unshare, os.CLONE_NEWNS)
attempt(open, "/harmless/made", "wb")
""")
        self.assertEqual(result.out.split(), ["PolicyDenied"], result)

    def test_path_through_another_process_s_mounts_is_unknown(self):
        kept, free = self.directory / "kept", self.directory / "free"
        kept.mkdir()
        free.mkdir()
        (kept / "file").write_text("as it was")
        policy = self.policy(f"""policy free-place {{
    default allow all
    default deny write
    allow write where path under "{free}" as free
}}
""")
        mount = f"mount --bind {kept} {free} && exec 5<{free}/file && echo there && exec sleep 1000"
        with interpreter_process(["unshare", "--mount", "sh", "-c", mount]) as other:
            if other.stdout.readline() != "there\n":
                self.skipTest("the kernel gives no right to mount here")
            result = self.run_under(policy, [python(), self.script(PRELUDE + f"""
other = "/proc/{other.pid}"
attempt(open, other + "/root{free}/made", "w")
attempt(open, other + "/fd/5", "r+")
there = os.open(other + "/root{free}", os.O_RDONLY)
attempt(lambda: os.mkdir("made", dir_fd=there))
attempt(os.chmod, there, 0o777)
attempt(os.mkdir, "/proc/self/root{free}/made")
attempt(open, "/proc/self/cwd/free/file", "w")
beside = os.open("free", os.O_RDONLY)
attempt(os.mkdir, f"/proc/self/fd/{{beside}}/more")
"""), "made"])
        self.assertEqual((result.status, result.out.split()), (0, ["PolicyDenied"] * 4 + ["done"] * 3), result)
        self.assertEqual([path.name for path in kept.iterdir()], ["file"])
        self.assertEqual((kept / "file").read_text(), "as it was")

    def test_procfs_under_another_name_is_below_proc(self):
        # Clause F-16.
        other, part, late = (self.directory / name for name in ("other", "part", "late"))
        for place in other, part, late:
            place.mkdir()
        policy = self.policy(f"""policy no-memory {{
    deny read where path matches "/proc/**/mem" as memory
    deny read where path under "/proc/sys" as settings
    deny read where path is "{self.directory}/file" as file
    log  read where path is "/proc/cpuinfo" as processors
}}
""")
        (self.directory / "file").write_text("x")
        script = self.script(PRELUDE + f"""
import sys, time
other, part, late = {str(other)!r}, {str(part)!r}, {str(late)!r}
attempt(open, other + "/self/mem")
attempt(open, other + "/self/../thread-self/mem")
attempt(open, other + "/sys/kernel/ostype")
attempt(open, other + "/self/root/proc/self/mem")
attempt(lambda: os.open("mem", os.O_RDONLY, dir_fd=os.open(other + "/self", os.O_RDONLY)))
attempt(open, other + "/99999999/mem")
attempt(open, part + "/ostype")
attempt(open, other + "/self/maps")
attempt(open, other + "/cpuinfo")
attempt(open, other + "/missing")
attempt(os.mkdir, late + "/beside")
print(os.getpid(), flush=True)
sys.stdin.readline()
until = time.monotonic() + 30
while time.monotonic() < until:
    try:
        open(late + "/self/mem").close()
    except FileNotFoundError:
        print("not mounted")
        break
    except PermissionError as error:
        print(type(error).__name__)
        break
    time.sleep(0.05)
""")
        mount = f"mount -t proc proc {other} && mount --bind /proc/sys/kernel {part} && echo there && exec \"$@\""
        command = ["unshare", "--mount", "sh", "-c", mount, "sh", WARDER, "run", "--policy", policy, "--", python(), script, "made"]
        with interpreter_process(command) as running:
            if running.stdout.readline() != "there\n":
                self.skipTest("the kernel gives no right to mount here")
            seen = [running.stdout.readline().strip() for _ in range(11)]
            self.assertEqual(seen, ["PolicyDenied"] * 7 + ["done", "done", "FileNotFoundError", "done"])
            inside = running.stdout.readline().strip()
            execute(["nsenter", "--mount", "--target", inside, "mount", "-t", "proc", "proc", late])
            running.stdin.write("go\n")
            running.stdin.flush()
            self.assertEqual(running.stdout.readline(), "PolicyDenied\n")

    def test_link_into_procfs_is_itself_where_there_is_another_mount_of_it(self):
        other = self.directory / "proc"
        other.mkdir()
        policy = self.policy('policy p { deny write where path is "/nowhere" as nowhere }\n')
        script = self.script(PRELUDE + f"""
link = {str(self.directory)!r} + "/link"
for target in "/proc/self/mounts", {str(other)!r} + "/version", "/nowhere":
    os.symlink(target, link)
    attempt(os.rename, link, link + "2")
    attempt(os.unlink, link + "2")
""")
        command = ["unshare", "--mount", "sh", "-c", f"mount -t proc proc {other} && exec \"$@\"", "sh",
                   WARDER, "run", "--policy", policy, "--", python(), script, "made"]
        result = execute(command)
        if "permission denied" in result.err:
            self.skipTest("the kernel gives no right to mount here")
        self.assertEqual(result.out.split(), ["done"] * 6, result)

    def test_path_below_the_same_root_is_known(self):
        result, made = self.enter(self.RIGHT + """
right(os.chroot, "/")
attempt(open, "/harmless/made", "wb")
""")
        self.assertEqual(result.out.split(), ["FileNotFoundError"], result)


class Costs(Evasion):
    def test_condition_that_costs_too_much_is_a_denial_that_says_so(self):
        # A long list of long texts, and many globs that fit almost: minutes of work, if all of it were done.
        conditions = " or ".join(f'arg[0] has matches "*{chr(97 + i % 26)}?{chr(97 + i % 26)}b"' for i in range(1000))
        policy = self.policy(f'policy slow {{ deny event "costly.*" where {conditions} as slow }}')
        result = self.python_under(policy, """
import sys
sys.audit("costly.little", ["abc"])
try:
    sys.audit("costly.much", ["a" * 1000] * 200)
except PermissionError as error:
    print(error)
sys.audit("other")
""")
        self.assertEqual(result.status, 0, result)
        self.assertIn("denied by local/slow.slow", result.out)
        self.assertIn("in the steps that a decision may take", result.out)


class Ends(Evasion):
    """What CPython still holds when its modules are gone, and frees when its hooks are gone too."""

    HOLDERS = {
        "the collector": "gc.callbacks.append(Late())",
        "the codecs": "codecs.register(Late())",
        "the error handlers": "codecs.register_error('late', Late())",
        "the handlers of forks": "os.register_at_fork(before=Late())",
        "asynchronous generators": "sys.set_asyncgen_hooks(firstiter=Late())",
    }

    def test_finaliser_at_the_very_end_starts_nothing_and_harms_nothing(self):
        policy = self.policy("""policy no-programs {
    default allow all
    deny exec as no-exec
}
""")
        for holder, hold in self.HOLDERS.items():
            for options in (), ("-X", "dev"):
                with self.subTest(holder, options=options):
                    marker = self.directory / "made"
                    script = self.script(f"""
import codecs, gc, os, sys
class Late:
    def __call__(self, *arguments):
        return None
    def __del__(self, system=os.system, leave=os._exit, write=os.write, failure=OSError):
        try:
            system("touch {marker}")
        except failure:
            write(1, b"denied")
        leave(7)
{hold}
""")
                    result = self.run_under(policy, [python(), *options, script])
                    self.assertFalse(marker.exists(), result)
                    if result.status == 126:  # nothing can be raised there any more
                        self.assertIn("denied by local/no-programs.no-exec", result.err)
                    else:
                        self.assertEqual((result.status, result.out), (7, "denied"), result)

    def test_program_ends_as_before_where_finalisers_at_the_very_end_do_what_is_allowed(self):
        for holder, hold in self.HOLDERS.items():
            with self.subTest(holder):
                result = self.python_under(self.policy(NO_FILE), f"""
import codecs, gc, os, sys
class Late:
    def __call__(self, *arguments):
        return None
    def __del__(self, write=os.write, audit=sys.audit, leave=os._exit):
        audit("test.late")
        audit("cpython._PySys_ClearAuditHooks")
        audit("test.later")
        leave(7)
{hold}
""")
                self.assertEqual((result.status, result.err), (7, ""), result)


class Descriptors(Evasion):
    def test_thread_with_descriptors_of_its_own_is_judged_by_those(self):
        if python_version() < (3, 12):
            self.skipTest("os.unshare() is there from 3.12 on")
        # The first thread has /dev, where files may be made, under the number that the other one has the place of
        # `made` under.
        self.assertRefused("""
import threading
name = os.path.basename(made)
def work():
    os.unshare(os.CLONE_FILES)
    os.close(beside)
    place = os.open(os.path.dirname(made), os.O_RDONLY)
    assert place == beside
    attempt(lambda: os.mkdir(name, dir_fd=place))
    attempt(lambda: os.symlink("x", name, dir_fd=place))
    attempt(lambda: os.open(name, os.O_WRONLY | os.O_CREAT, dir_fd=place))
    os.chdir("/dev")
    attempt(lambda: os.open(name, os.O_WRONLY | os.O_CREAT, dir_fd=place))
beside = os.open("/dev", os.O_RDONLY)
thread = threading.Thread(target=work)
thread.start()
thread.join()
""", denied=4)


class Sockets(Evasion):
    POLICY = """policy no-local-services {
    default allow all
    deny connect where family is "unix" as no-unix
}
"""

    def test_socket_whose_descriptor_is_of_another_family_is_of_no_known_family(self):
        result = self.python_under(self.policy(self.POLICY), """
import os, socket
def attempt(family, descriptor):
    with socket.socket(family, socket.SOCK_STREAM, 0, fileno=os.dup(descriptor.fileno())) as both:
        try:
            both.connect("nobody" if family == socket.AF_UNIX else ("127.0.0.1", 1))
        except PermissionError as error:
            print(error.rule)
        except OSError as error:
            print(type(error).__name__)
unix, inet = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_INET)
attempt(socket.AF_UNIX, unix)
attempt(socket.AF_UNIX, inet)  # which another thread could change for a Unix one now
attempt(socket.AF_INET, unix)
attempt(socket.AF_INET, inet)
""")
        self.assertEqual((result.status, result.out.split()), (0, ["no-unix"] * 3 + ["ConnectionRefusedError"]), result)


class Encodings(Evasion):
    """Interpreters whose file system encoding is not UTF-8: a parent chooses it for its child."""

    POLICY = """policy no-secret {{
    default allow all
    deny read where path under "{0}/\u00e9" as no-secret
}}
"""
    CODE = """
import os, sys
here = os.path.dirname(os.path.abspath(sys.argv[0]))
for path in here + "/\\u00c3\\u00a9/f", here + "/\\u00e9/f", here + "/\\udcc3\\udca9/f", here + "/f", b"f", os.fsencode(here) + b"/\\xc3\\xa9/f":
    try:
        print(open(path).read())
    except Exception as error:
        print(type(error).__name__)
print(sys.getfilesystemencoding())
"""

    def runs(self, environment):
        (self.directory / "\u00e9").mkdir()
        (self.directory / "\u00e9" / "f").write_text("secret")
        (self.directory / "f").write_text("free")
        return self.run_under(self.policy(self.POLICY.format(self.directory)),
                              [python(), "-X", "utf8=0", self.script(self.CODE)],
                              env=clean_environment(PYTHONCOERCECLOCALE=0, **environment))

    def locale(self, encoding):
        """The environment of a locale, made for the test."""
        name = f"en_US.{encoding}"
        subprocess.run(["localedef", "-i", "en_US", "-f", encoding, self.directory / name], capture_output=True)
        if not (self.directory / name).exists():
            self.skipTest(f"localedef makes no locale of {encoding} here: the package `locales` is not there")
        return {"LOCPATH": self.directory, "LC_ALL": name}

    def test_text_of_a_locale_without_letters_is_judged_by_its_bytes(self):
        denied, refused = "PolicyDenied", "UnicodeEncodeError"
        result = self.runs({"LC_ALL": "C"})
        self.assertEqual((result.status, result.out.split()),
                         (0, [refused, refused, denied, "free", "free", denied, "ascii"]), result)

    def test_text_of_an_eight_bit_locale_is_unknown(self):
        denied = "PolicyDenied"
        result = self.runs(self.locale("ISO-8859-1"))
        self.assertEqual((result.status, result.out.split()),
                         (0, [denied, denied, denied, "free", "free", denied, "iso8859-1"]), result)

    def test_codec_that_python_code_can_replace_makes_every_text_unknown(self):
        # Not even the script can be opened; how CPython says that differs.
        result = self.runs(self.locale("KOI8-R"))
        self.assertNotEqual(result.status, 0, result)
        self.assertEqual(result.out, "", result)


class Modules(Evasion):
    POLICY = """policy few-modules {
    default allow all
    deny import where module in ["faulthandler", "atexit", "_tracemalloc", "gc"] as no-module
}
"""

    def test_built_in_module_is_judged_however_it_is_asked_for(self):
        result = self.python_under(self.policy(self.POLICY), """
import _imp, importlib, importlib.machinery, sys
def attempt(name):
    spec = importlib.machinery.ModuleSpec(name, importlib.machinery.BuiltinImporter)
    for function in (lambda: __import__(name), lambda: importlib.import_module(name), lambda: _imp.create_builtin(spec)):
        try:
            function()
            print(name, "done")
        except PermissionError as error:
            print(error.rule)
for name in "faulthandler", "gc":
    if name in sys.builtin_module_names:
        attempt(name)
import _symtable
attempt("_symtable")
""")
        self.assertEqual((result.status, result.out.splitlines()),
                         (0, ["no-module"] * 6 + ["_symtable done"] * 3), result)

    def test_import_that_was_denied_for_want_of_a_connection_lets_no_module_be_made(self):
        daemon = self.daemon()
        daemon.apply(self.POLICY.replace("{\n", "{\n    applies { platform is \"linux\" }\n", 1))
        script = self.script("""
import _imp, importlib.machinery, os, sys, threading, time
assert "gc" not in sys.modules and "gc" in sys.builtin_module_names
spec = importlib.machinery.ModuleSpec("gc", importlib.machinery.BuiltinImporter)
def ask():
    try:
        sys.audit("import", "_tracemalloc")
    except PermissionError:
        pass
print("stop", flush=True)
sys.stdin.readline()
threads = [threading.Thread(target=ask) for i in range(8)]
for thread in threads:
    thread.start()
    time.sleep(0.02)
for attempt in lambda: __import__("gc"), lambda: _imp.create_builtin(spec):
    try:
        attempt()
        print("done", flush=True)
    except PermissionError as error:
        print("in use" in str(error), flush=True)
    if attempt.__code__.co_names[0] == "__import__":
        sys.stdin.readline()
        for thread in threads:
            thread.join()
""")
        with interpreter_process([python(), script], env=daemon.preloaded()) as process:
            self.assertEqual(process.stdout.readline(), "stop\n")
            daemon.process.send_signal(signal.SIGSTOP)
            try:
                process.stdin.write("\n")
                process.stdin.flush()
                self.assertEqual(process.stdout.readline(), "True\n")
            finally:
                daemon.process.send_signal(signal.SIGCONT)
            out, _ = process.communicate("\n", 60)
            self.assertEqual(out, "False\n")

    def test_built_in_module_is_judged_once_by_a_statement(self):
        result, rows = self.recorded(self.policy(self.POLICY), [python(), "-c", """
import sys
assert "_symtable" in sys.builtin_module_names and "_symtable" not in sys.modules
import _symtable
"""])
        self.assertEqual(result.status, 0, result)
        imports = [row for row in rows if row["kind"] == "decision" and row.get("event") == "import"
                   and "_symtable" in json.dumps(row["arguments"])]
        self.assertEqual(len(imports), 1, imports)


class Events(Evasion):
    """What CPython alone has to say, said by a program."""

    def test_said_end_of_the_hooks_is_not_believed(self):
        policy = self.policy("""policy no-hooks {
    default allow all
    deny exec as no-exec
    deny hook as no-hooks
}
""")
        for options in (), ("-X", "dev"):
            result = self.run_under(policy, [python(), *options, "-c", """
import os, sys
class Late:
    def __del__(self, audit=sys.audit):
        audit("cpython._PySys_ClearAuditHooks")
sys.audit("cpython._PySys_ClearAuditHooks")
import warder
warder.attach()
try:
    os.system("id")
except PermissionError as error:
    print(error.rule)
late = Late()
"""], env=clean_environment(PYTHONPATH=PACKAGE))
            self.assertEqual((result.status, result.out, result.err), (0, "no-exec\n", ""), result)


if __name__ == "__main__":
    unittest.main()
