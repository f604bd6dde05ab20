"""`./dev`, as whoever has just cloned the repository meets it."""

import os
import shutil
import unittest

import interpreters
from support import BUILD, SOURCE, Test, execute

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


if __name__ == "__main__":
    unittest.main()
