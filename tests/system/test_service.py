"""A daemon that becomes another user, and what it asks of the place it keeps its state in."""

import os
import pwd
import sys
import tempfile
from pathlib import Path

from support import (NO_PROCESS, WARDER, WARDERD, Daemon, Test, execute, interpreter_process, others_reach, python,
                     wait_until)
from test_daemon import LOOP


class Becoming(Test):
    per_interpreter = True

    @staticmethod
    def choose(found):
        return found[-1:]

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("only root can become somebody else")
        self.nobody = pwd.getpwnam("nobody")
        self.directory.chmod(0o755)
        self.configuration = self.directory / "warderd.toml"
        self.configuration.write_text('user = "nobody"\n')

    def becoming(self, directory):
        daemon = Daemon(directory, "--config", self.configuration)
        self.addCleanup(self.finish, daemon)
        return daemon

    def in_made_directory(self):
        """As on a host: the directory of the sockets is the daemon's to make."""
        daemon = self.becoming(self.directory)
        daemon.socket = self.directory / "run" / "session.sock"
        daemon.admin = self.directory / "run" / "admin.sock"
        return daemon

    def ask(self, process):
        process.stdin.write("now\n")
        process.stdin.flush()
        return process.stdout.readline()

    def test_daemon_that_became_a_user_keeps_its_record_and_its_sessions_and_leaves_nothing(self):
        daemon = self.in_made_directory().start()
        status = Path(f"/proc/{daemon.process.pid}/status").read_text()
        uid = self.nobody.pw_uid
        self.assertRegex(status, rf"Uid:\t{uid}\t{uid}\t{uid}\t{uid}\n")
        for path in daemon.state, *daemon.state.iterdir(), daemon.socket.parent, daemon.socket.parent / "sessions":
            self.assertEqual((path.stat().st_uid, path.stat().st_gid), (uid, self.nobody.pw_gid), path)
        daemon.apply('policy p { applies { platform is "linux" } deny exec as no }')
        with interpreter_process([python(), "-c", LOOP], env=daemon.preloaded()) as process:
            self.assertEqual(self.ask(process), "allowed\n")
            wait_until(lambda: list((daemon.socket.parent / "sessions").iterdir()), "the session is kept")
            for end in daemon.stop, daemon.kill:
                end()
                daemon.start()
                self.assertEqual(self.ask(process), "allowed\n")
        result = execute([python(), "-c", "import os; os.system('id')"], env=daemon.preloaded())
        self.assertDenied(result, "local/p.no")
        wait_until(lambda: daemon.log("--denied"), "the denial is in the record")
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(list(daemon.socket.parent.iterdir()), [])

    def test_daemon_that_became_a_user_is_administered_by_root_and_not_by_that_user(self):
        daemon = self.in_made_directory().start()
        self.assertEqual(daemon.command("status").status, 0)
        # Its account is no administrator's: other services may run under it.
        if not others_reach(WARDER, self.nobody.pw_uid):
            self.skipTest(f"{WARDER} cannot be reached by other users")
        result = daemon.command("status", preexec_fn=lambda: os.setuid(self.nobody.pw_uid))
        self.assertEqual(result.status, 2, result)
        self.assertIn("only root", result.err)

    def test_sessions_are_kept_beside_a_socket_in_a_directory_of_root_s(self):
        directory = Path(tempfile.mkdtemp(dir=self.directory, prefix="d"))
        directory.chmod(0o755)
        daemon = self.becoming(directory).start()
        with interpreter_process([python(), "-c", LOOP], env=daemon.preloaded()) as process:
            self.assertEqual(self.ask(process), "allowed\n")
            wait_until(lambda: list((directory / "sessions").iterdir()), "the session is kept")
            daemon.stop()
            daemon.start()
            self.assertEqual(self.ask(process), "allowed\n")

    def test_state_that_root_kept_is_given_to_the_user(self):
        daemon = self.in_made_directory()
        daemon.options = ()
        daemon.start()
        daemon.apply('policy kept { applies { platform is "linux" } deny exec as no }')
        daemon.stop()
        daemon.options = ("--config", self.configuration)
        daemon.start()
        self.assertIn("kept", daemon.command("list").out)

    def test_directory_with_files_of_others_is_not_given_away(self):
        daemon = self.in_made_directory()
        daemon.state.mkdir(0o700)
        strange = daemon.state / "id_rsa"
        strange.write_text("secret")
        with self.assertRaisesRegex(AssertionError, "holds `id_rsa`, which is not the daemon's"):
            daemon.start()
        daemon.process = None
        self.assertEqual((daemon.state.stat().st_uid, strange.stat().st_uid), (0, 0))

    def test_user_that_does_not_exist_is_said(self):
        self.configuration.write_text('user = "nobody-of-that-name"\n')
        daemon = self.in_made_directory()
        with self.assertRaisesRegex(AssertionError, "`nobody-of-that-name`: there is none of that name"):
            daemon.start()
        daemon.process = None


class State(Test):
    def refused(self, state):
        result = execute([WARDERD, "--foreground", "--state-dir", state, "--socket", self.directory / "s.sock"])
        self.assertEqual(result.status, 2, result)
        self.assertFalse((self.directory / "s.sock").exists())
        self.assertEqual(list(state.iterdir()), [])
        return result.err

    def test_state_directory_that_others_may_write_is_refused(self):
        state = self.directory / "state"
        for mode in 0o777, 0o1777, 0o770, 0o702:
            with self.subTest(oct(mode)):
                state.mkdir()
                state.chmod(mode)
                error = self.refused(state)
                self.assertIn(f"{state}: others may write there (mode {mode:04o})", error)
                self.assertIn("`chmod go-w` it", error)
                state.rmdir()
        state.mkdir()
        state.chmod(0o777)
        result = self.run_under(NO_PROCESS, ["true"], "--state-dir", state)
        self.assertEqual(result.status, 125, result)
        self.assertIn("others may write there", result.err)

    def test_state_directory_of_another_user_is_refused(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give a directory away")
        state = self.directory / "state"
        state.mkdir(0o700)
        os.chown(state, 65534, 65534)
        self.assertIn(f"{state}: belongs to uid 65534, and the daemon is uid 0", self.refused(state))


    def test_state_directory_that_is_out_of_reach_is_said_with_what_to_do(self):
        if os.geteuid() != 0 or not others_reach(WARDERD, 65534):
            self.skipTest("only root can become another user, who must reach the build")
        self.directory.chmod(0o755)
        state = self.directory / "state"
        state.mkdir(0o700)
        for path, what in (state, "cannot be opened"), (self.directory / "more", "cannot be made"):
            result = execute([WARDERD, "--foreground", "--state-dir", path, "--socket", self.directory / "s.sock"],
                             preexec_fn=lambda: os.setuid(65534))
            self.assertEqual((result.status, result.err), (
                2, f"warderd: {path}: {what}: Permission denied; start the daemon as root, or give it directories of "
                   "its own (--state-dir, --socket)\n"), result)

    def test_state_directory_on_a_full_disk_is_said_with_what_to_do(self):
        for size in 64, 128:
            full = ["unshare", "-m", "sh", "-c", f'mount -t tmpfs -o size={size}k,mode=700 none "$0" && exec "$@"']
            state = self.directory / "full"
            state.mkdir(exist_ok=True)
            if execute([*full, state, "true"]).status != 0:
                self.skipTest("no file system may be mounted here")
            result = execute([*full, state, WARDERD, "--foreground", "--state-dir", state,
                              "--socket", self.directory / "s.sock"])
            self.assertEqual(result.status, 2, result)
            self.assertRegex(result.err, r"audit\.db: .*(No space left on device|full); make room on its file system")


class Life(Test):
    def test_end_in_good_order_is_recorded_and_a_crash_is_not(self):
        daemon = self.daemon()
        daemon.stop()
        daemon.start()

        def said():
            return [row["summary"].split(",")[0].split()[-1] for row in daemon.log() if row["kind"] == "daemon"]

        wait_until(lambda: len(said()) == 3, "the second start is written")
        daemon.kill()
        daemon.start()
        wait_until(lambda: len(said()) == 4, "the third start is written")
        self.assertEqual(said(), ["started", "stopped", "started", "started"])


class Changes(Test):
    def test_record_says_which_policies_were_applied_and_removed_and_by_whom(self):
        daemon = self.daemon()
        daemon.apply("policy a { deny exec as no }\npolicy b { deny fork as no }")
        daemon.apply("policy a { deny exec as never }")
        self.assertEqual(daemon.command("remove", "b").status, 0)
        said = [row["summary"] for row in daemon.log() if row["kind"] == "daemon"][1:]
        self.assertEqual([text.split(" by ")[0] for text in said],
                         ["local/a revision 1 applied", "local/b revision 1 applied", "local/a revision 2 applied",
                          "local/b removed"])
        self.assertTrue(all(f" by uid {os.getuid()}" in text for text in said), said)


class Streams(Test):
    def closed(self, command, closed):
        """Runs a command with standard streams closed."""
        return execute(["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *command])

    def test_daemon_starts_with_its_standard_streams_closed(self):
        for number, closed in enumerate(("<&-", "<&- >&-", "<&- >&- 2>&-")):
            with self.subTest(closed):
                directory = self.directory / str(number)
                directory.mkdir()
                script = f'exec "$@" {closed}'
                daemon = Daemon(directory, wrapper=["/bin/sh", "-c", script, "sh"])
                if "2>&-" in closed:  # it cannot say that it is ready
                    daemon.errors.write_text("")
                    daemon.wrapper = ["/bin/sh", "-c", f'echo ready: >&2; {script}', "sh"]
                self.addCleanup(self.finish, daemon)
                daemon.start()
                wait_until(lambda one=daemon: one.command("status").status == 0, "it answers")
                self.assertEqual(daemon.stop(), 0)

    def test_output_that_cannot_be_written_is_no_success(self):
        daemon = self.daemon()
        for arguments in (["list", "--admin-socket", daemon.admin], ["status", "--admin-socket", daemon.admin],
                          ["--help"], ["--version"], ["check", "--help"]):
            with self.subTest(arguments):
                result = self.closed([WARDER, *arguments], ">/dev/full")
                self.assertEqual(result.status, 2, result)
                self.assertIn("standard output cannot be written: No space left on device", result.err)

    def test_run_starts_with_its_standard_streams_closed_and_leaves_them_so(self):
        for closed in "<&-", "<&- >&-", "<&- 2>&-", "<&- >&- 2>&-":
            with self.subTest(closed):
                out = self.directory / "out"
                program = (f"import os\n"
                           f"def is_open(number):\n"
                           f"    try:\n        os.fstat(number)\n        return True\n"
                           f"    except OSError:\n        return False\n"
                           f"seen = [number for number in range(3) if is_open(number)]\n"
                           f"open({str(out)!r}, 'w').write(repr(seen))\n")
                script = self.script(program)
                result = self.closed([WARDER, "run", "--policy", NO_PROCESS, "--", sys.executable, script], closed)
                self.assertEqual(result.status, 0, result)
                plain = out.read_text()
                self.closed([sys.executable, script], closed)
                self.assertEqual(plain, out.read_text())
                out.unlink()
