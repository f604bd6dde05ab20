"""`./dev`, as whoever has just cloned the repository meets it."""

import os
import shutil
import signal
import subprocess
import unittest
from pathlib import Path

import interpreters
from support import BUILD, PATIENCE, SOURCE, Test, clean_environment, execute, wait_until

DEV = SOURCE / "dev"


class Dev(Test):
    def tools(self, **scripts):
        """A directory for PATH with what a shell script needs of a bare machine, and programs of our own."""
        directory = self.directory / "tools"
        directory.mkdir()
        for name in "sh", "dirname", "id", "cat":
            (directory / name).symlink_to(shutil.which(name))
        for name, text in scripts.items():
            program = directory / name.replace("_", "-")
            program.write_text(f"#!/bin/sh\n{text}\n")
            program.chmod(0o755)
        directory.chmod(0o755)
        self.directory.chmod(0o755)
        return {"PATH": str(directory)}

    def test_demo_refuses_every_interpreter_that_is_found(self):
        result = execute([SOURCE / "tests" / "demo.sh", BUILD])
        found = interpreters.find()
        self.assertEqual((result.status, result.err), (0, ""), result)
        said = 'warder.PolicyDenied: warder: exec "id" denied by local/no-process.no-exec: Process creation is'
        self.assertEqual(result.out.count(said), len(found), result)
        self.assertRegex(result.out, "(?m)^ +[0-9: .-]+ denied +exec \"id\" +subprocess.Popen +local/no-process.no-exec ")
        self.assertIn(f"Refused: {len(found)} of {len(found)}", result.out)
        for one in found:
            self.assertIn(f"CPython {one.name} ", result.out)

    def test_machine_without_apt_is_told_what_to_do(self):
        result = execute([DEV, "setup"], env=self.tools())
        self.assertEqual(result.status, 1, result)
        self.assertIn("this machine has no apt", result.err)

    def test_missing_packages_without_root_are_named_and_nothing_is_tried(self):
        environment = self.tools(dpkg_query="exit 1", apt_get="echo TRIED", grep=f'exec {shutil.which("grep")} "$@"')
        command = [DEV, "setup"]
        if os.geteuid() == 0:
            # A copy, for the sources may be where nobody else can read.
            copy = self.directory / "copy"
            copy.mkdir(0o755)
            command = [shutil.which("setpriv"), "--reuid", "65534", "--regid", "65534", "--clear-groups",
                       shutil.copy(DEV, copy / "dev"), "setup"]
        result = execute(command, env=environment)
        self.assertEqual(result.status, 1, result)
        self.assertIn("that needs root: run `sudo ./dev setup` once", result.err)
        self.assertRegex(result.out, r"libuv1-dev +the loop of the daemon")
        self.assertNotIn("TRIED", result.out)

    def test_arguments_that_mean_nothing_are_refused(self):
        for command in "setup", "build", "demo", "lint", "test":
            result = execute([DEV, command, "nonsense"])
            self.assertEqual((result.status, result.err), (1, f"dev: {command}: what is `nonsense`? ./dev help\n"))
        for option in "-R", "--preset":
            result = execute([DEV, "test", option])
            self.assertEqual(result.status, 1, result)
            self.assertRegex(result.err, f"^dev: test: {option} wants a ")
        result = execute([DEV, "nonsense"])
        self.assertEqual(result.status, 2, result)
        self.assertIn("there is no command `nonsense`", result.err)


class Full(Test):
    """`./dev test --full`, over tests that say that they ran: with ctest itself, and nothing that is built."""

    # What is not of the tree stands beside it. The one named `middle` fails, or does not end, while there is a file that says so.
    TESTS = """
add_test(first /bin/sh -c "echo {build} first >> {ran}")
add_test(middle /bin/sh -c "echo {build} middle >> {ran}; test ! -e {beside}/hangs || sleep 1000; test ! -e {beside}/fails")
add_test(last /bin/sh -c "echo {build} last >> {ran}")
add_test(race /bin/sh -c "echo {build} race >> {ran}")
add_test(transparency.test_os /bin/sh -c "echo {build} transparency >> {ran}")
set_tests_properties(race PROPERTIES LABELS long)
set_tests_properties(transparency.test_os PROPERTIES LABELS "long;transparency")
"""
    EVERYTHING = sorted([*(f"{build} {name}" for build in ("build", "build-asan", "build-tsan", "build-clang")
                           for name in ("first", "middle", "last")), "lint", "fuzz", "build race", "build transparency"])

    def setUp(self):
        super().setUp()
        self.ran = self.directory / "ran"
        self.tree = self.directory / "tree"
        tools = self.directory / "tools"
        for name in "tools", "tree", "tree/tests/fuzz":
            (self.directory / name).mkdir(parents=True)
        builds = "".join(f"mkdir -p {build}; cat > {build}/CTestTestfile.cmake <<'END'"
                         f"{self.TESTS.format(build=build, ran=self.ran, beside=self.directory)}END\n"
                         for build in ("build", "build-asan", "build-tsan", "build-clang"))
        for path, text in ((tools / "cmake", builds), (tools / "apt-get", ""), (tools / "dpkg-query", "echo install ok installed"),
                           (self.tree / "tests" / "lint.sh", f"echo lint >> {self.ran}"),
                           (self.tree / "tests" / "fuzz" / "run.sh", f"echo fuzz >> {self.ran}")):
            path.write_text(f"#!/bin/sh\n{text}\n")
            path.chmod(0o755)
        shutil.copy(SOURCE / "dev", self.tree)
        (self.tree / ".gitignore").write_text("build*/\n")
        self.environment = {**clean_environment(), "PATH": f"{tools}:{os.environ['PATH']}"}
        for command in (["init", "-q"], ["add", "."], ["-c", "user.name=x", "-c", "user.email=x", "commit", "-qm", "x"]):
            subprocess.run(["git", *command], cwd=self.tree, env=self.environment, check=True)

    def full(self):
        """Runs it. Its result, and what ran, sorted."""
        self.ran.write_text("")
        result = execute([self.tree / "dev", "test", "--full"], env=self.environment)
        return result, sorted(self.ran.read_text().splitlines())

    def test_everything_that_passed_is_left_out_until_the_sources_change(self):
        result, ran = self.full()
        self.assertEqual((result.status, ran), (0, self.EVERYTHING), result)
        self.assertIn("everything passed", result.out)
        result, ran = self.full()
        self.assertEqual((result.status, ran), (0, []), result)
        self.assertIn("everything passed", result.out)
        (self.tree / "source.c").write_text("int x;\n")  # which need not be committed to count
        result, ran = self.full()
        self.assertEqual((result.status, ran), (0, self.EVERYTHING), result)

    def test_test_that_failed_is_run_again_alone(self):
        fails = self.directory / "fails"
        fails.touch()
        result, ran = self.full()
        self.assertEqual((result.status, ran), (1, self.EVERYTHING), result)
        self.assertIn("did not pass: everything that is short, preset asan, preset tsan, preset clang", result.err)
        fails.unlink()
        result, ran = self.full()
        self.assertEqual(result.status, 0, result)
        self.assertEqual(ran, ["build middle", "build-asan middle", "build-clang middle", "build-tsan middle"])

    def test_run_that_was_stopped_goes_on_with_what_it_had_not_come_to(self):
        hangs = self.directory / "hangs"
        hangs.touch()
        self.ran.write_text("")
        run = subprocess.Popen([self.tree / "dev", "test", "--full"], env=self.environment, start_new_session=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            # As many run at once as there are cores, and two: all but the one that hangs are over.
            wait_until(lambda: self.ran.read_text().count("\n") == 3, "all tests of the first stage have begun")
            log = next(Path(self.tree, "build-full").glob("*everything-that-is-short*.log"))
            wait_until(lambda: log.read_text().count("   Passed") == 2, "the others have passed")
        finally:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait(PATIENCE)
        hangs.unlink()
        result, ran = self.full()
        self.assertEqual(result.status, 0, result)
        self.assertEqual(ran, sorted({*self.EVERYTHING} - {"build first", "build last"}))


if __name__ == "__main__":
    unittest.main()
