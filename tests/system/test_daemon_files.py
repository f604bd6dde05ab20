"""What the daemon believes, and where it lets others say something: its files and its standard output."""

import os
import pwd
import subprocess

from support import PATIENCE, WARDERD, Test, clean_environment, execute, interpreter_process


class DaemonFiles(Test):
    def test_configuration_that_others_could_change_is_not_believed(self):
        path = self.directory / "warderd.toml"
        path.write_text(f'state_dir = "{self.directory}/s"\nsocket = "{self.directory}/x.sock"\n')
        path.chmod(0o646)
        changes = [("others may write to it", "`chmod go-w` it")]
        if os.geteuid() == 0:
            changes.append(("belongs to another user", "give it to root (chown)"))
        for words in changes:
            result = execute([WARDERD, "--foreground", "--config", path])
            self.assertEqual(result.status, 2, result)
            for word in words:
                self.assertIn(f"{word}", result.err)
            self.assertIn(f"warderd: {path}: ", result.err)
            path.chmod(0o644)
            if os.geteuid() == 0:
                os.chown(path, pwd.getpwnam("nobody").pw_uid, -1)
        self.assertFalse((self.directory / "s").exists())

    def test_directory_in_which_others_could_replace_the_socket_is_refused(self):
        shared = self.directory / "shared"
        shared.mkdir()
        shared.chmod(0o777)
        command = [WARDERD, "--foreground", "--state-dir", self.directory / "s", "--socket", shared / "x.sock"]
        result = execute(command)
        self.assertNotEqual(result.status, 0, result)
        self.assertIn(f"{shared}: others may write there (mode 0777)", result.err)
        self.assertEqual(list(shared.iterdir()), [])
        shared.chmod(0o1777)  # as /tmp is: nobody takes another's socket away there
        with interpreter_process(command) as process:
            self.assertIn("ready", process.stderr.readline())
            process.terminate()
            self.assertEqual(process.wait(PATIENCE), 0)

    def test_help_that_nobody_could_read_is_a_failure(self):
        with open("/dev/full", "w") as full:
            result = subprocess.run([WARDERD, "--help"], stdout=full, stderr=subprocess.PIPE, text=True,
                                    env=clean_environment())
        self.assertEqual((result.returncode, result.stderr), (2, "warderd: standard output: No space left on device\n"))

    def test_status_says_when_the_daemon_started_as_the_record_does(self):
        self.assertRegex(self.daemon().status()["started"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$")
