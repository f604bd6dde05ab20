"""Places: they are those of the topmost session, whatever those below it say of themselves."""

from support import PACKAGE, WARDER, Test, clean_environment, execute, interpreter_process, python, wait_until

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
            wait_until(lambda: len(list(kept.iterdir())) == 2, "both are kept")
            daemon.kill()
            daemon.start()
            out, err = process.communicate("go\n", timeout=60)
        self.assertEqual(out.splitlines(), HELD, err)
