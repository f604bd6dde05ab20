"""Places: they are those of the topmost session, whatever those below it say of themselves."""

import os
import pwd
import shutil
import tempfile
from pathlib import Path

import interpreters
from support import (BUILD, PACKAGE, WARDER, Test, clean_environment, execute, interpreter_process, others_reach, python,
                     wait_until)

RULES = ('{ %s default deny write message "Not here"\n'
         'allow write where path under session.start or path is session.null as places }')
PLACES = "policy places " + RULES % ""
ON_EVERYONE = "policy places " + RULES % 'applies { platform is "linux" }'

# Writes a file in each directory that it is told, and says what came of it.
WRITER = """
import os, sys
for place in sys.argv[1:]:
    try:
        open(os.path.join(place, "written"), "w").close()
        print("wrote", os.path.basename(place))
    except PermissionError as error:
        print("denied", os.path.basename(place))
sys.stdout.flush()
"""
HELD = ["wrote inside", "denied outside"]


class PlacesTest(Test):
    def setUp(self):
        super().setUp()
        self.directory = self.directory.resolve()
        self.inside = self.directory / "inside"
        self.outside = self.directory / "outside"
        self.inside.mkdir()
        self.outside.mkdir()
        self.writer = self.directory / "writer.py"
        self.writer.write_text(WRITER)
        self.command = [python(), self.writer, self.inside, self.outside]
        self.prelude = ("import os, subprocess, sys\n"
                        f"command = {[str(part) for part in self.command]!r}\n"
                        f"inside, outside = {str(self.inside)!r}, {str(self.outside)!r}\n")

    def inside_run(self, code, *options):
        return self.run_under(self.policy(PLACES), [python(), "-c", self.prelude + code], *options, cwd=self.inside)

    def assertHeld(self, result):
        self.assertEqual(result.out.splitlines(), HELD, result)


class Start(PlacesTest):
    per_interpreter = True
    short_on = staticmethod(interpreters.ends)

    def test_child_that_is_started_elsewhere_has_the_place_of_the_run(self):
        # Clause P-6.
        self.assertHeld(self.inside_run("sys.exit(subprocess.call(command, cwd=outside))"))

    def test_program_executed_from_elsewhere_has_the_place_of_the_run(self):
        self.assertHeld(self.inside_run("os.chdir(outside)\nos.execv(command[0], command)"))
        forked = "os.chdir(outside)\nif os.fork():\n    os.wait()\nelse:\n    os.execv(command[0], command)"
        self.assertHeld(self.inside_run(forked))

    def test_places_go_down_through_other_programs(self):
        self.assertHeld(self.inside_run("subprocess.call(['/bin/sh', '-c', 'cd \"$0\"; \"$@\"', outside] + command)"))

    def test_orphan_has_the_place_of_the_run(self):
        # The shell between has ended before the interpreter starts: nothing tells whose it is.
        orphan = ("reading, writing = os.pipe()\nresult, said = os.pipe()\n"
                  "script = '(read line; cd \"$0\"; exec \"$@\" >&%d) <&%d & exit 0' % (said, reading)\n"
                  "subprocess.call(['/bin/sh', '-c', script, outside] + command, pass_fds=[reading, said])\n"
                  "os.close(said)\nos.write(writing, b'go\\n')\n"
                  "sys.stdout.write(open(result).read())")
        self.assertHeld(self.inside_run(orphan))
        daemon = self.daemon()
        result = execute([WARDER, "run", "--socket", daemon.socket, "--policy", self.policy(PLACES), "--", python(),
                          "-c", self.prelude + orphan], cwd=self.inside)
        self.assertHeld(result)

    def test_run_below_a_session_has_its_place(self):
        nested = f"command = [{str(WARDER)!r}, 'run', %s'--policy', {str(self.policy(PLACES))!r}, '--'] + command\n"
        call = "sys.exit(subprocess.call(command, cwd=outside))"
        self.assertHeld(self.inside_run(nested % "" + call))
        daemon = self.daemon()
        daemon.apply(ON_EVERYONE)
        code = self.prelude + nested % f"'--socket', {str(daemon.socket)!r}, " + call
        self.assertHeld(execute([python(), "-c", code], cwd=self.inside, env=daemon.preloaded()))

    def test_child_on_a_host_has_the_place_of_its_parent(self):
        daemon = self.daemon()
        daemon.apply(ON_EVERYONE)
        for code in ("sys.exit(subprocess.call(command, cwd=outside))",
                     "os.chdir(outside)\nos.execv(command[0], command)"):
            result = execute([python(), "-c", self.prelude + code], cwd=self.inside, env=daemon.preloaded())
            self.assertHeld(result)

    def test_who_stands_below_no_policy_has_a_place_of_its_own(self):
        daemon = self.daemon()
        daemon.apply("policy places " + RULES % f'applies {{ script is "{self.writer}" }}')
        code = "sys.exit(subprocess.call(command, cwd=outside))"
        result = execute([python(), "-c", self.prelude + code], cwd=self.inside, env=daemon.preloaded())
        self.assertEqual(result.out.splitlines(), ["denied inside", "wrote outside"], result)

    def test_who_attaches_below_a_session_has_its_place(self):
        daemon = self.daemon()
        daemon.apply(ON_EVERYONE)
        self.writer.write_text("import warder\nwarder.attach()\n" + WRITER)
        result = execute([python(), "-c", self.prelude + "import warder\nwarder.attach()\n"
                          "sys.exit(subprocess.call(command, cwd=outside))"], cwd=self.inside,
                         env=clean_environment(PYTHONPATH=PACKAGE, WARDER_SOCKET=daemon.socket))
        self.assertHeld(result)

    def test_places_outlive_the_daemon(self):
        daemon = self.daemon()
        daemon.apply(ON_EVERYONE)
        # The child is a session of its own, elsewhere; the daemon that meets its children has only read of it.
        code = (self.prelude + "os.chdir(outside)\nif not os.fork():\n    open('/dev/null').close()\n    print('ready')\n"
                "    sys.stdout.flush()\n    sys.stdin.readline()\n    open('/dev/null').close()\n    subprocess.call(command)\n    os._exit(0)\n"
                "os.wait()\n")
        with interpreter_process([python(), "-c", code], cwd=self.inside, env=daemon.preloaded()) as process:
            self.assertEqual(process.stdout.readline(), "ready\n")
            kept = daemon.directory / "sessions"
            wait_until(lambda: [one.stat().st_size > 0 for one in kept.iterdir()] == [True] * 2, "both are kept")
            daemon.kill()
            daemon.start()
            out, err = process.communicate("go\n", timeout=60)
        self.assertEqual(out.splitlines(), HELD, err)


class Environments(PlacesTest):
    """session.venv and session.python, where who starts an interpreter could have made them himself."""

    per_interpreter = True
    short_on = staticmethod(interpreters.ends)
    MODULES = """policy modules {
    default deny native
    allow native where path under [session.python, session.venv] as modules
}"""
    # Loads an extension module of the program's own, and a part of the standard library's that is in a file.
    LOAD = """
import sys, _imp, importlib.machinery, ssl
sys.path[:] = [os.path.dirname(path)]
try:
    _imp.create_dynamic(importlib.machinery.ModuleSpec("origin_module", None, origin=path))
    print("loaded")
except ImportError as error:
    print("denied" if "modules.default-native" in str(error) else error)
except PermissionError as error:
    print("denied" if "modules.default-native" in str(error) else error)
"""

    def environment(self, place):
        """A virtual environment with an extension module in it. The module's path."""
        made = execute([python(), "-m", "venv", "--without-pip", place])
        self.assertEqual(made.status, 0, made)
        packages = next((place / "lib").glob("python3*")) / "site-packages"
        for library in "origin_module.so", "libneeded.so":
            shutil.copy(BUILD / "tests" / "libraries" / library, packages)
        return packages / "origin_module.so"

    def load(self, module):
        return f"import os\npath = {str(module)!r}\n" + self.LOAD

    def as_nobody(self, *command, **options):
        """`warder run` by another user; skips where that cannot be."""
        if os.geteuid() != 0:
            self.skipTest("only root can be two users at once")
        nobody = pwd.getpwnam("nobody").pw_uid
        if not others_reach(WARDER, nobody) or not others_reach(python(), nobody):
            self.skipTest(f"another user does not reach {WARDER} or {python()}")
        return execute(["setpriv", f"--reuid={nobody}", "--clear-groups", WARDER, "run", *command], **options)

    def test_environment_that_a_run_starts_counts_and_goes_down(self):
        # Clause P-6.
        module = self.environment(self.directory / "v")
        code = ("import subprocess, sys\n"
                f"subprocess.call([sys.executable, '-c', {self.load(module)!r}])\n"
                f"subprocess.call([{python()!r}, '-c', {self.load(module)!r}])\n")
        result = self.run_under(self.policy(self.MODULES), [self.directory / "v" / "bin" / "python", "-c", code])
        self.assertEqual(result.out, "loaded\nloaded\n", result)

    def test_environment_that_a_child_is_said_to_be_of_does_not_count(self):
        module = self.environment(self.directory / "v")
        own = str(self.directory / "v" / "bin" / "python")
        code = ("import subprocess, sys\n"
                f"subprocess.call([{own!r}, '-c', {self.load(module)!r}])\n"
                f"subprocess.call([{own!r}, '-c', {self.load(module)!r}], executable={python()!r})\n")
        result = self.run_under(self.policy(self.MODULES), [python(), "-c", code])
        self.assertEqual(result.out, "denied\ndenied\n", result)

    def test_environment_is_made_and_used_below_a_run(self):
        place = self.directory / "v"
        code = ("import subprocess, sys\n"
                f"subprocess.check_call([sys.executable, '-m', 'venv', '--without-pip', {str(place)!r}])\n"
                f"subprocess.check_call([{str(place / 'bin' / 'python')!r}, '-c', "
                "'import sys, ssl, json; print(sys.prefix)'])\n")
        result = self.run_under(self.policy(self.MODULES), [python(), "-c", code])
        self.assertEqual((result.status, result.out), (0, f"{place}\n"), result)

    def test_environment_of_somebody_else_s_counts_in_a_child_of_his_interpreter(self):
        # Clause P-7. Below /tmp, where the build may be too, everybody could put another directory in its place.
        if os.geteuid() != 0:
            self.skipTest("only root can make a directory that nobody else can move")
        place = Path(tempfile.mkdtemp(dir="/var/lib", prefix="warder-places-"))
        self.addCleanup(shutil.rmtree, place, ignore_errors=True)
        place.chmod(0o755)
        module = self.environment(place / "v")
        policy = place / "modules.warder"
        policy.write_text(self.MODULES)
        program = str(place / "v" / "bin" / "python")
        code = f"import subprocess\nsubprocess.call([{program!r}, '-c', {self.load(module)!r}])\n"
        command = ("--policy", policy, "--", python(), "-c", code)
        nobody = pwd.getpwnam("nobody").pw_uid
        result = self.as_nobody(*command, cwd="/")
        self.assertEqual(result.out, "loaded\n", result)
        for his in place / "v" / "pyvenv.cfg", module.parent, place:
            mode = his.stat().st_mode & 0o777
            os.chown(his, nobody, -1)
            his.chmod(mode & 0o555)  # its owner can give himself the right to write
            result = self.as_nobody(*command, cwd="/")
            self.assertEqual(result.out, "denied\n", (his, result))
            os.chown(his, 0, -1)
            his.chmod(mode)

    def test_root_of_a_user_namespace_of_one_s_own_is_not_root(self):
        daemon = self.daemon()
        self.directory.chmod(0o755)
        daemon.directory.chmod(0o755)
        daemon.apply(ON_EVERYONE)
        self.as_nobody("--help")  # or skips
        code = "import os\nprint(os.geteuid())\ntry: open('/etc/none', 'w')\nexcept PermissionError: print('denied')"
        as_nobody = ["setpriv", f"--reuid={pwd.getpwnam('nobody').pw_uid}", "--clear-groups"]
        for root in [], ["unshare", "-r"]:
            result = execute([*as_nobody, *root, python(), "-c", code], env=daemon.preloaded(), cwd=self.inside)
            self.assertEqual(result.out.splitlines()[1:], ["denied"], result)
        places = [row["subject"]["said"]["places"]["python"] for row in daemon.log() if row.get("verdict") == "deny"]
        self.assertEqual(sorted(map(bool, places)), [False, True], places)
