"""The daemon's life: started, stopped, killed, restarted, many at once, and its policies changed."""

import contextlib
import json
import os
import pwd
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from support import (ALLOW_ALL, NO_PROCESS, PATIENCE, WARDER, WARDERD, Daemon, Test, clean_environment, execute,
                     interpreter_process, others_reach, python, wait_until)

# Says what comes of opening a file, for each line that it reads.
LOOP = """
import sys
for line in sys.stdin:
    try:
        open("/dev/null").close()
        print("allowed", flush=True)
    except PermissionError as error:
        print(error, flush=True)
"""


class Interrupted(Test):
    per_interpreter = True

    def ask(self, process):
        process.stdin.write("now\n")
        process.stdin.flush()
        return process.stdout.readline()

    def test_killed_daemon_means_a_denial_that_says_so(self):
        daemon = self.daemon()
        with interpreter_process([python(), "-c", LOOP], env=daemon.preloaded()) as process:
            self.assertEqual(self.ask(process), "allowed\n")
            daemon.kill()
            answer = self.ask(process)
            self.assertIn('read "/dev/null" denied: the policy daemon cannot be reached', answer)
            self.assertEqual(self.ask(process), answer)

    def test_daemon_that_hangs_means_a_denial_within_the_bound(self):
        daemon = self.asked_daemon()
        with interpreter_process([python(), "-c", LOOP], env=daemon.preloaded()) as process:
            self.assertEqual(self.ask(process), "allowed\n")
            daemon.process.send_signal(signal.SIGSTOP)
            try:
                self.assertIn("the policy daemon did not answer in time", self.ask(process))
            finally:
                daemon.process.send_signal(signal.SIGCONT)
            wait_until(lambda: self.ask(process) == "allowed\n", "events are allowed again")

    def test_denials_without_an_answer_are_counted_in_the_record(self):
        daemon = self.asked_daemon()

        def gaps():
            return [(row["summary"], row["count"], row["pid"]) for row in daemon.log() if row["kind"] == "drop"]

        said = "denied without an answer of the daemon"
        with interpreter_process([python(), "-c", LOOP], env=daemon.preloaded()) as process:
            self.assertEqual(self.ask(process), "allowed\n")
            daemon.kill()
            for _ in range(3):
                self.assertIn("cannot be reached", self.ask(process))
            daemon.start()
            for _ in range(2):
                self.assertEqual(self.ask(process), "allowed\n")
            self.assertEqual(gaps(), [(said, 3, process.pid)])
            daemon.process.send_signal(signal.SIGSTOP)
            try:
                self.assertIn("did not answer in time", self.ask(process))
            finally:
                daemon.process.send_signal(signal.SIGCONT)
            late = 1  # and while it still catches up
            while self.ask(process) != "allowed\n":
                late += 1
            self.assertEqual(gaps(), [(said, 3, process.pid), (said, late, process.pid)])
            text = daemon.command("log", "-n", "2").out
            self.assertRegex(text, rf"drop +{said} x3  uid \d+  pid {process.pid}")

    def test_interpreter_lock_is_released_while_the_daemon_is_asked(self):
        daemon = self.asked_daemon()
        with interpreter_process([python(), "-c", """
import sys, threading
counted = [0]
go = threading.Lock()
def ask():
    go.acquire()
    try:
        open("/dev/null").close()
    except PermissionError:
        pass
go.acquire()
thread = threading.Thread(target=ask)
thread.start()  # an event, from 3.12 on
print("ready", flush=True)
sys.stdin.readline()
go.release()
while thread.is_alive():
    counted[0] += 1
print(counted[0])
"""], env=daemon.preloaded()) as process:
            self.assertEqual(process.stdout.readline(), "ready\n")
            daemon.process.send_signal(signal.SIGSTOP)
            try:
                counted = int(self.ask(process))
            finally:
                daemon.process.send_signal(signal.SIGCONT)
            self.assertGreater(counted, 1000)

    def test_ids_of_sessions_that_a_killed_daemon_did_not_write_are_not_used_again(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny exec as no }')
        ids = set()
        for _ in range(3):
            result = execute([python(), "-c", "import os\ntry: os.system('id')\nexcept PermissionError as e: "
                                              "print(e.decision_id, flush=True)\nos.kill(%d, 9)" % daemon.process.pid],
                             env=daemon.preloaded())
            ids.add(result.out)
            daemon.process.wait()
            daemon.start()
        self.assertEqual(len(ids), 3, ids)

    def test_restarted_daemon_takes_the_session_up_again(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny exec as no  log event "open" as seen }')
        with interpreter_process([python(), "-c", LOOP], env=daemon.preloaded()) as process:
            self.assertEqual(self.ask(process), "allowed\n")

            def rows():
                return [row for row in daemon.log() if (row.get("arguments") or {}).get("path") == "/dev/null"]

            wait_until(lambda: len(rows()) == 1, "it is written")  # what a killed daemon had not written is lost
            for end, count in (daemon.kill, 2), (daemon.stop, 3):
                end()
                daemon.start()
                self.assertEqual(self.ask(process), "allowed\n")
                wait_until(lambda: len(rows()) == count, "it is written")
            found = rows()
            self.assertEqual(len({row["session"] for row in found}), 1)
            self.assertEqual(len({row["decision"] for row in found}), len(found))

    def test_session_that_ended_while_the_daemon_was_away_is_forgotten(self):
        daemon = self.daemon()
        with interpreter_process([python(), "-c", LOOP], env=daemon.preloaded()) as process:
            self.assertEqual(self.ask(process), "allowed\n")
            kept = daemon.directory / "sessions"
            wait_until(lambda: list(kept.iterdir()), "the session is kept")
            daemon.kill()
        daemon.start()
        self.assertEqual(list(kept.iterdir()), [])

    def test_kept_sessions_are_readable_to_the_daemon_alone_and_go_with_their_process(self):
        daemon = self.daemon()
        kept = daemon.directory / "sessions"
        with interpreter_process([python(), "-c", LOOP], env=daemon.preloaded()) as process:
            self.assertEqual(self.ask(process), "allowed\n")
            files = wait_until(lambda: list(kept.iterdir()), "the session is kept")
            self.assertEqual([path.stat().st_mode & 0o777 for path in files], [0o600])
            self.assertEqual(kept.stat().st_mode & 0o777, 0o700)
        wait_until(lambda: not list(kept.iterdir()), "the session is forgotten")

    def test_new_policy_is_in_force_at_the_next_event(self):
        daemon = self.daemon()
        with interpreter_process([python(), "-c", LOOP], env=daemon.preloaded()) as process:
            for _ in range(3):
                self.assertEqual(self.ask(process), "allowed\n")
                daemon.apply('policy p { applies { platform is "linux" } deny read where path is "/dev/null" as d }')
                self.assertIn("denied by local/p.d", self.ask(process))
                self.assertEqual(daemon.command("remove", "p").status, 0)

    def test_interpreter_without_a_daemon_does_not_start(self):
        result = execute([python(), "-c", "print('started')"], env=clean_environment(
            LD_PRELOAD=Daemon(self.directory).directory and __import__("support").HOOK,
            WARDER_SOCKET=self.directory / "nobody"))
        self.assertEqual((result.status, result.out), (126, ""), result)
        self.assertRegex(result.err, r"^warder: this interpreter may not start: no policy daemon answers at \S+nobody\.")

    def test_fifty_interpreters_at_once_get_their_own_verdicts(self):
        # The test is of who gets which verdict; a busy machine may take its time.
        daemon = self.daemon("--config", self.policy("[limits]\nverdict_milliseconds = 30000\n", "slow.toml"))
        daemon.apply('policy p { applies { platform is "linux" } deny read where path under "/denied" as d }')
        code = """
import sys
number = sys.argv[1]
for i in range(20):
    open("/dev/null").close()
    try:
        open("/denied/%s/%d" % (number, i))
        sys.exit("it was allowed")
    except PermissionError as error:
        assert "/denied/%s/%d" % (number, i) in str(error), error
print(number)
"""
        processes = [subprocess.Popen([python(), "-c", code, str(i)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      text=True, env=daemon.preloaded()) for i in range(50)]
        for i, process in enumerate(processes):
            out, err = process.communicate(timeout=PATIENCE * 2)
            self.assertEqual((process.returncode, out), (0, f"{i}\n"), err)
        # A reader waits for what is under way, but not for ever: the machine may be busy.
        wait_until(lambda: sum(row["count"] for row in daemon.log("--denied")) == 50 * 20, "all are written")
        rows = daemon.log("--denied")
        by_session = {}
        for row in rows:
            by_session.setdefault(row["session"], set()).add(row["arguments"]["path"].split("/")[2])
        self.assertEqual(len(by_session), 50)
        self.assertTrue(all(len(numbers) == 1 for numbers in by_session.values()))


class Stopping(Test):
    per_interpreter = True

    def test_everything_is_written_when_the_daemon_stops(self):
        daemon = self.daemon("--record", "all")
        daemon.apply('policy p { applies { platform is "linux" } deny exec as no }')
        execute([python(), "-c", "import os\nfor i in range(500):\n open('/dev/null').close()\n"
                 "try: os.system('id')\nexcept PermissionError: pass"], env=daemon.preloaded())
        self.assertEqual(daemon.stop(), 0)
        with sqlite3.connect(daemon.state / "audit.db") as record:
            opened, = record.execute("SELECT count(*) FROM records WHERE json_extract(arguments, '$.path') = "
                                     "'/dev/null'").fetchone()
            denied, = record.execute("SELECT count(*) FROM records WHERE verdict = 'deny' AND rule = 'no'").fetchone()
            ended, = record.execute("SELECT count(*) FROM sessions WHERE ended IS NOT NULL").fetchone()
        record.close()
        self.assertEqual((opened, denied, ended), (500, 1, 1))
        self.assertFalse(daemon.socket.exists())
        self.assertFalse(daemon.admin.exists())

    def test_daemon_that_stops_leaves_interpreters_denied_not_hanging(self):
        daemon = self.daemon()
        with interpreter_process([python(), "-c", LOOP], env=daemon.preloaded()) as process:
            process.stdin.write("now\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), "allowed\n")
            self.assertEqual(daemon.stop(), 0)
            process.stdin.write("now\n")
            process.stdin.flush()
            self.assertIn("cannot be reached", process.stdout.readline())


class FullDisk(Test):
    """A disk of the daemon's own that is full for a while."""

    per_interpreter = True

    def setUp(self):
        super().setUp()
        own = ["unshare", "-m", "sh", "-c", 'mkdir -p "$0" && mount -t tmpfs -o size=4m,mode=700 none "$0" && exec "$@"']
        if execute([*own, self.directory / "try", "true"]).status != 0:
            self.skipTest("no file system may be mounted here")
        directory = Path(tempfile.mkdtemp(dir=self.directory, prefix="d"))
        self.full = Daemon(directory, wrapper=[*own, directory / "state"])
        self.full.start()
        self.addCleanup(self.full.stop)
        # The mount is in the daemon's own name space.
        self.filler = Path(f"/proc/{self.full.process.pid}/root{self.full.state}/filler")
        self.full.apply('policy p { applies { platform is "linux" } deny read where path under "/denied" as d }')

    def fill(self):
        with open(self.filler, "wb", buffering=0) as filler, contextlib.suppress(OSError):
            while filler.write(b"x" * 512):
                pass

    def deny(self, name, times):
        result = execute([python(), "-c", f"""
for i in range({times}):
    try: open('/denied/{name}%d' % i + 'x' * 2000)
    except PermissionError: print('denied')
"""], env=self.full.preloaded())
        self.assertEqual(result.out, "denied\n" * times, result)

    def said(self, words):
        wait_until(lambda: words in self.full.errors.read_text(), f"the daemon says {words!r}")

    def test_recording_that_stops_and_goes_on_is_said_and_loses_nothing(self):
        self.deny("before", 3)
        self.fill()
        self.deny("during", 300)
        self.said("warderd: recording has stopped: ")
        self.assertNotEqual(self.full.status()["record_error"], "")
        self.filler.unlink()
        self.said("warderd: recording goes on: ")
        wait_until(lambda: sum("/during" in row["arguments"]["path"] for row in self.full.log("--denied")) == 300,
                   "every denial of the meantime is recorded")
        self.assertEqual(self.full.errors.read_text().count("recording has stopped"), 1)
        self.assertEqual(self.full.stop(), 0)

    def test_what_is_lost_in_the_end_is_counted(self):
        self.fill()
        self.deny("lost", 300)
        self.said("warderd: recording has stopped: ")
        self.assertEqual(self.full.stop(), 2)
        text = self.full.errors.read_text()
        lost = re.search(r"warderd: not everything could be recorded: (\d+) records are lost: .*full", text)
        self.assertTrue(lost, text)
        self.assertGreaterEqual(int(lost[1]), 100)


class Service(Test):
    def start_with(self, environment, descriptors=()):
        state = self.directory / "state"
        return subprocess.Popen([WARDERD, "--foreground", "--state-dir", state, "--socket",
                                 self.directory / "session.sock"], env=clean_environment(**environment),
                                stderr=subprocess.PIPE, text=True, pass_fds=descriptors)

    def test_readiness_and_end_are_told_to_the_service_manager(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            path = self.directory / "notify"
            manager.bind(str(path))
            manager.settimeout(PATIENCE)
            process = self.start_with({"NOTIFY_SOCKET": path})
            self.assertEqual(manager.recv(100), b"READY=1")
            self.assertTrue((self.directory / "session.sock").is_socket())
            process.terminate()
            self.assertEqual(manager.recv(100), b"STOPPING=1")
            process.stderr.close()
            self.assertEqual(process.wait(PATIENCE), 0)

    def test_readiness_goes_to_an_abstract_address_too(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(f"\0warder-test-{os.getpid()}")
            manager.settimeout(PATIENCE)
            process = self.start_with({"NOTIFY_SOCKET": f"@warder-test-{os.getpid()}"})
            self.assertEqual(manager.recv(100), b"READY=1")
            process.terminate()
            process.stderr.close()
            self.assertEqual(process.wait(PATIENCE), 0)

    def test_sockets_of_the_service_manager_are_taken_and_left(self):
        listening = []
        for name in "session", "admin":
            one = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            one.bind(str(self.directory / f"{name}.passed"))
            one.listen()
            listening.append(one)
        # LISTEN_PID is the daemon's own: a shell knows it, and becomes the daemon.
        numbers = [one.fileno() for one in listening]
        script = ("exec 3<&{} 4<&{}; LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=session:admin "
                  "exec '{}' --foreground --state-dir '{}' --socket /nonexistent/s").format(
                      *numbers, WARDERD, self.directory / "state")
        process = subprocess.Popen(["/bin/bash", "-c", script], env=clean_environment(), stderr=subprocess.PIPE,
                                   text=True, pass_fds=numbers)
        daemon = Daemon(self.directory)
        daemon.admin = self.directory / "admin.passed"
        daemon.socket = self.directory / "session.passed"
        try:
            status = wait_until(lambda: daemon.command("status").status == 0, "it answers")
            self.assertTrue(status)
        finally:
            process.terminate()
            process.wait(PATIENCE)
            process.stderr.close()
        self.assertTrue(daemon.socket.exists(), "the manager's socket stays")
        for one in listening:
            one.close()

    def test_second_daemon_leaves_the_first_alone(self):
        daemon = self.daemon()
        result = execute([WARDERD, "--foreground", "--state-dir", self.directory / "other", "--socket", daemon.socket])
        self.assertEqual(result.status, 2, result)
        self.assertIn("another daemon answers there", result.err)
        self.assertEqual(daemon.command("status").status, 0)

    def test_state_directory_belongs_to_one_daemon(self):
        daemon = self.daemon()
        before = sorted(daemon.state.iterdir())
        result = execute([WARDERD, "--foreground", "--state-dir", daemon.state, "--socket", self.directory / "b.sock"])
        self.assertEqual(result.status, 2, result)
        self.assertIn(f"{daemon.state}: another daemon, with pid {daemon.process.pid}, keeps its state here", result.err)
        self.assertFalse((self.directory / "b.sock").exists())
        # A private one is refused just so, says who is there, and takes nothing away when it goes.
        result = execute([WARDER, "run", "--policy", self.policy(ALLOW_ALL), "--state-dir", daemon.state, "--", "true"])
        self.assertEqual(result.status, 125, result)
        self.assertIn(f"pid {daemon.process.pid}", result.err)
        # Who may read its files reads its record, which changes nothing.
        result = execute([WARDER, "log", "--state-dir", daemon.state])
        self.assertEqual(result.status, 0, result)
        self.assertEqual(sorted(daemon.state.iterdir()), before)
        self.assertEqual(daemon.command("status").status, 0)
        # Nothing is left of the lock of a daemon that was killed.
        daemon.kill()
        daemon.start()
        self.assertEqual(daemon.command("status").status, 0)

    def test_temporary_daemon_has_no_files_and_leaves_those_of_others_alone(self):
        daemon = self.daemon()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.close()  # it ends at once, in good order
        with theirs:
            result = execute([WARDERD, "--foreground", "--temporary", "--private", theirs.fileno(), "--state-dir",
                              daemon.state, "--socket", self.directory / "b.sock"], pass_fds=[theirs.fileno()])
        self.assertEqual(result.status, 0, result)
        self.assertFalse((self.directory / "b.sock").exists())
        self.assertTrue((daemon.state / "audit.db").exists())
        self.assertTrue((daemon.state / "policy.db").exists())

    def test_daemon_that_a_user_started_is_theirs(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become somebody else")
        nobody = __import__("pwd").getpwnam("nobody").pw_uid
        self.directory.chmod(0o755)
        if not others_reach(WARDER, nobody):
            self.skipTest(f"{WARDER} cannot be reached by other users")
        place = self.directory / "theirs"
        place.mkdir()
        os.chown(place, nobody, -1)
        daemon = Daemon(place, wrapper=("setpriv", f"--reuid={nobody}", "--clear-groups"))
        self.addCleanup(self.finish, daemon)
        daemon.start()
        result = daemon.command("status", preexec_fn=lambda: os.setuid(nobody))
        self.assertEqual(result.status, 0, result)

    def test_stale_socket_is_taken_over(self):
        daemon = self.daemon()
        daemon.kill()
        self.assertTrue(daemon.socket.exists())
        daemon.start()
        self.assertEqual(daemon.command("status").status, 0)

    def test_configuration_file_is_used_and_checked(self):
        path = self.directory / "warderd.toml"
        path.write_text(f'state_dir = "{self.directory}/s"\nsocket = "{self.directory}/x.sock"\n'
                        f'admin_socket = "{self.directory}/y.sock"\nrecord = "all"\n[limits]\nsessions_per_user = 7\n')
        process = subprocess.Popen([WARDERD, "--foreground", "--config", path], stderr=subprocess.PIPE, text=True)
        self.assertIn("ready", process.stderr.readline())
        daemon = Daemon(self.directory)
        daemon.admin = self.directory / "y.sock"
        self.assertTrue(daemon.status()["record_all"])
        process.terminate()
        self.assertEqual(process.wait(PATIENCE), 0)
        process.stderr.close()
        path.write_text('state_dir = "/x"\nsokcet = "/y"\n')
        result = execute([WARDERD, "--foreground", "--config", path])
        self.assertEqual(result.status, 2)
        self.assertIn("warderd.toml:2:1: there is no setting `sokcet`", result.err)

    def test_wrong_usage_is_2(self):
        for arguments in (["--nonsense"], ["word"], ["--state-dir", "relative"], ["--record", "some"],
                          ["--config", "/nonexistent"]):
            with self.subTest(arguments):
                result = execute([WARDERD, *arguments])
                self.assertEqual(result.status, 2, result)
                self.assertTrue(result.err.startswith("warderd: "), result)


class Store(Test):
    def test_store_that_a_newer_program_made_stops_the_start_and_is_left_alone(self):
        for name in "policy.db", "audit.db":
            with self.subTest(name):
                daemon = self.daemon()
                self.assertEqual(daemon.stop(), 0)
                with sqlite3.connect(daemon.state / name) as database:
                    database.execute("PRAGMA user_version = 99")
                database.close()
                before = (daemon.state / name).read_bytes()
                with self.assertRaisesRegex(AssertionError, f"{name}: made by a newer Warder"):
                    daemon.start()
                daemon.process = None
                self.assertEqual((daemon.state / name).read_bytes(), before)

    def test_store_that_cannot_be_read_stops_the_start_and_is_left_alone(self):
        for name in "policy.db", "audit.db":
            with self.subTest(name):
                daemon = self.daemon()
                self.assertEqual(daemon.stop(), 0)
                (daemon.state / name).write_bytes(b"this is no database" * 1000)
                with self.assertRaisesRegex(AssertionError, name):
                    daemon.start()
                daemon.process = None
                self.assertTrue((daemon.state / name).read_bytes().startswith(b"this is no database"))

    def test_somebody_else_s_database_is_left_alone(self):
        daemon = self.daemon()
        self.assertEqual(daemon.stop(), 0)
        for path in daemon.state.glob("policy.db*"):
            path.unlink()
        with sqlite3.connect(daemon.state / "policy.db") as database:
            database.execute("CREATE TABLE theirs (x)")
        database.close()
        with self.assertRaisesRegex(AssertionError, "this is not Warder's database"):
            daemon.start()
        daemon.process = None

    def test_policies_survive_a_restart(self):
        daemon = self.daemon()
        daemon.apply("policy one { deny exec as e }\n# of the second\npolicy two { deny fork as f }")
        daemon.kill()
        daemon.start()
        listed = [json.loads(line) for line in daemon.command("list", "--json").out.splitlines()]
        self.assertEqual([(entry["tier"], entry["name"], entry["revision"]) for entry in listed],
                         [("local", "one", 1), ("local", "two", 1)])
        self.assertEqual(daemon.command("show", "two").out, "# of the second\npolicy two { deny fork as f }\n")

    def test_policy_that_does_not_check_changes_nothing(self):
        # Clause V-9.
        daemon = self.daemon()
        daemon.apply("policy one { deny exec as e }")
        before = daemon.status()["generation"]
        bad = daemon.directory / "bad.warder"
        bad.write_text("policy one { deny fork as f }\npolicy two { deny exce as e }\n")
        result = daemon.command("apply", bad)
        self.assertEqual(result.status, 1, result)
        self.assertIn("bad.warder:2:19: error[", result.err)
        self.assertIn("the active policies stay", result.err)
        self.assertEqual(daemon.status()["generation"], before)
        self.assertIn("deny exec", daemon.command("show", "one").out)

    def test_applied_policy_replaces_the_one_of_its_name(self):
        daemon = self.daemon()
        first = daemon.apply("policy one { deny exec as e }")
        self.assertIn("applied 1 policy; generation 1 is in force", first.out)
        daemon.apply("policy one { deny fork as f }")
        listed = [json.loads(line) for line in daemon.command("list", "--json").out.splitlines()]
        self.assertEqual([(entry["name"], entry["revision"], entry["rules"]) for entry in listed], [("one", 2, 1)])
        self.assertIn("deny fork", daemon.command("show", "one").out)

    def test_shared_sets_go_with_each_policy(self):
        daemon = self.daemon()
        daemon.apply('set tools = ["/usr/bin/git"]\npolicy one { deny exec where file in tools as e }\n'
                     'policy two { deny read where path in tools as r }')
        self.assertEqual(daemon.command("remove", "one").status, 0)
        self.assertIn('set tools = ["/usr/bin/git"]', daemon.command("show", "two").out)

    def test_unknown_names_are_an_answer_of_no(self):
        daemon = self.daemon()
        for command in "show", "remove":
            result = daemon.command(command, "missing")
            self.assertEqual(result.status, 1, result)
            self.assertIn("`missing`", result.err)
            self.assertEqual(daemon.command(command).status, 2)

    def test_files_without_a_policy_are_named(self):
        daemon = self.daemon()
        empty, comment = daemon.directory / "empty.warder", daemon.directory / "comment.warder"
        empty.write_text("")
        comment.write_text("# Nothing yet.\n")
        for files, named in (((empty,), f"{empty}"), ((comment, empty), f"{comment} and 1 more")):
            with self.subTest(named):
                result = daemon.command("apply", *files)
                self.assertEqual(result.status, 1, result)
                self.assertEqual(result.err, f"warder: {named}: there is no policy in it; nothing was changed\n")

    def test_list_names_the_user_who_changed_a_policy(self):
        daemon = self.daemon()
        daemon.apply("policy one { deny exec as e }")
        with sqlite3.connect(daemon.state / "policy.db") as database:  # of somebody who has left
            database.execute("INSERT INTO revisions SELECT tier, 'two', 1, 2, time, 'uid 4000000000',"
                             " replace(text, 'one', 'two') FROM revisions")
        database.close()
        daemon.apply("policy three { deny exec as e }")  # which reads the store again
        lines = daemon.command("list").out.splitlines()
        by = {line.split()[1]: line[lines[0].index(" BY"):].split("  ")[0].strip() for line in lines[1:]}
        mine = pwd.getpwuid(os.getuid()).pw_name
        self.assertEqual(by, {"one": mine, "two": "uid 4000000000", "three": mine})
        entries = [json.loads(line) for line in daemon.command("list", "--json").out.splitlines()]
        self.assertEqual({entry["name"]: entry["who"] for entry in entries}["one"], f"uid {os.getuid()}")

    def test_tiers_are_kept_apart(self):
        # Clause V-7.
        daemon = self.daemon()
        path = daemon.directory / "p.warder"
        path.write_text("policy p { deny exec as e }")
        self.assertEqual(daemon.command("apply", "--vendor", path).status, 0)
        path.write_text("policy p { deny fork as f }")
        self.assertEqual(daemon.command("apply", path).status, 0)
        self.assertIn("deny exec", daemon.command("show", "vendor/p").out)
        self.assertIn("deny fork", daemon.command("show", "local/p").out)

    def test_list_is_a_table_for_people(self):
        daemon = self.daemon()
        self.assertIn("no policies", daemon.command("list").out)
        daemon.apply('policy one "The first one" { deny exec as e }')
        lines = daemon.command("list").out.splitlines()
        self.assertRegex(lines[0], r"^TIER +NAME +MODE +GOVERNS")
        self.assertRegex(lines[1], r"^local +one +enforce +who names it +1 +1 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\S+ +The first one")

    def test_no_daemon_is_said_with_what_to_do(self):
        for command in "list", "status", "log":
            result = Daemon(self.directory).command(command)
            self.assertEqual(result.status, 2, result)
            self.assertIn("no daemon answers", result.err)
            self.assertIn("warderd", result.err)


class Log(Test):
    per_interpreter = True

    def test_record_holds_the_denial_with_its_line_and_its_reasons(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny exec as no message "Not here" }')
        script = self.script("import os\n\ntry:\n    os.system('id')\nexcept PermissionError:\n    pass\n")
        execute([python(), script], env=daemon.preloaded())
        row, = daemon.log("--denied")
        self.assertEqual((row["verdict"], row["event"], row["summary"]), ("deny", "os.system", 'exec "/bin/sh"'))
        self.assertEqual((row["policy"], row["rule"], row["message"]), ("local/p", "no", "Not here"))
        self.assertEqual((row["file"], row["line"], row["generation"]), (str(script), 4, 1))
        self.assertEqual(row["arguments"], {"command": {"bytes": "id"}})
        operation, = row["operations"]
        self.assertEqual((operation["class"], operation["file"], operation["argv"], operation["shell"]),
                         ("exec", "/bin/sh", ["sh", "-c", "id"], True))
        self.assertEqual(set(operation["env"]), {"secret", "length"})

    def test_record_names_the_program_s_own_line_and_not_the_library_s(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny exec as no }')
        script = self.script("import subprocess\n"
                             "def start():\n"
                             "    subprocess.run(['id'], check=True)\n"
                             "try:\n"
                             "    start()\n"
                             "except PermissionError:\n"
                             "    pass\n")
        execute([python(), script], env=daemon.preloaded())
        row, = daemon.log("--denied")
        self.assertEqual((row["file"], row["line"]), (str(script), 3))

    def test_secrets_are_recorded_by_length_alone(self):
        daemon = self.daemon("--record", "all")
        execute([python(), "-c", """
import os, sys
os.putenv("NAME", "the-secret-1")
sys.audit("subprocess.Popen", "psql", ["psql", "--password=the-secret-2", "--token", "the-secret-3",
          "postgres://me:the-secret-4@host/db"], None, {"KEY": "the-secret-5"})
sys.audit("subprocess.Popen", "x --secret=the-secret-8", ["x --secret=the-secret-8"], None, None)
os.system("curl -u me:the-secret-9 -H 'Authorization: Bearer the-secret-a' 'http://127.0.0.1:1/' 2>/dev/null; true")
sys.audit("subprocess.Popen", "mysql", ["mysql", "-pthe-secret-b", "-H", "Authorization: Bearer the-secret-c"], None, None)
sys.audit("fcntl.ioctl", 0, 0x5412, b"the-secret-d")
sys.audit("smtplib.send", None, b"the-secret-6")
sys.audit("builtins.input/result", "the-secret-7")
"""], env=daemon.preloaded())
        # The last one is recorded: all of them are.
        wait_until(lambda: "builtins.input/result" in daemon.command("log", "--json", "-n", "0").out,
                   "what the program did is recorded")
        log = daemon.command("log", "--json", "-n", "0").out
        rows = [json.loads(line) for line in log.splitlines()]
        for row in rows:
            row.pop("subject", None)
            # What ran is recorded too, as the text that was compiled: only what was handed over is looked at.
            if row.get("event") in ("compile", "cpython.run_command", "code.__new__"):
                continue
            self.assertNotIn("the-secret", json.dumps(row), row)
        putenv = next(row for row in rows if row.get("event") == "os.putenv")
        self.assertEqual(putenv["arguments"], {"key": {"bytes": "NAME"}, "value": {"secret": "bytes", "length": 12}})
        popen = next(row for row in rows if row.get("event") == "subprocess.Popen")
        self.assertEqual(popen["arguments"]["args"], ["psql", "--password=<12 bytes>", "--token", "<12 bytes>",
                                                      "postgres://me:<12 bytes>@host/db"])
        self.assertEqual(popen["arguments"]["env"], {"secret": "map", "length": 1})

    def test_repeated_denials_are_counted_in_one_record(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny read where path is "/denied" as d }')
        # Other events lie between them, as they do in a program that tries again.
        result = execute([python(), "-c", "import os\n"
                                          "for i in range(1000):\n"
                                          "    try:\n"
                                          "        open('/denied')\n"
                                          "    except PermissionError as error:\n"
                                          "        print(error.decision_id)\n"
                                          "        os.listdir('.')\n"], env=daemon.preloaded())
        rows = daemon.log("--denied")
        self.assertEqual(sum(row["count"] for row in rows), 1000)
        self.assertLess(len(rows), 100)
        self.assertEqual(set(result.out.split()), {row["decision"] for row in rows})

    def test_repeated_denials_from_other_lines_are_recorded_with_their_lines(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny read where path is "/denied" as d }')
        script = self.script("def harmless():\n"
                             "    open('/denied')\n"
                             "def hidden():\n"
                             "    open('/denied')\n"
                             "for ask in [harmless] * 5 + [hidden] * 2 + [harmless]:\n"
                             "    try:\n"
                             "        ask()\n"
                             "    except PermissionError as error:\n"
                             "        print(error.decision_id)\n")
        result = execute([python(), script], env=daemon.preloaded())
        self.assertEqual(len(result.out.split()), 8, result)
        rows = daemon.log("--denied")
        counts = dict.fromkeys((2, 4), 0)
        for row in rows:
            self.assertEqual(row["file"], str(script))
            counts[row["line"]] += row["count"]
        self.assertEqual(counts, {2: 6, 4: 2})
        self.assertEqual(set(result.out.split()), {row["decision"] for row in rows})

    def test_denial_of_what_leads_to_the_calling_line_ends_in_one_denial(self):
        # 3.8 raises an event when the hook asks a frame for its code.
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny introspect where name is "f_code" as i  deny exec as e }')
        result = execute([python(), "-c", "import os\n"
                                          "try: os.system('id')\n"
                                          "except PermissionError as error: print(error.rule)"],
                         env=daemon.preloaded())
        self.assertEqual((result.status, result.out), (0, "e\n"), result)
        row, = [row for row in daemon.log("--denied") if row["rule"] == "e"]
        self.assertEqual((row["file"], row["line"]), ("<string>", 2))

    def test_log_rules_record_and_change_no_verdict(self):
        # Clause S-18.
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } log read where path under "/etc" as etc-reads }')
        result = execute([python(), "-c", "print(len(open('/etc/passwd').read()) > 0)"], env=daemon.preloaded())
        self.assertEqual(result.out, "True\n", result)
        rows = [row for row in daemon.log() if (row.get("arguments") or {}).get("path") == "/etc/passwd"]
        self.assertEqual([(row["verdict"], row["rule"]) for row in rows], [("allow", "etc-reads")])

    def test_every_log_rule_that_named_an_event_is_in_its_record(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } log read where path under "/etc" as z-reads '
                     'log read where path is "/etc/passwd" as a-users }')
        daemon.apply('policy q { applies { platform is "linux" } log read where path is "/etc/passwd" as users '
                     'deny read where path is "/etc/shadow" as no  log read where path is "/etc/shadow" as shadow }')
        daemon.apply('policy o { applies { platform is "linux" } mode observe deny read where path under "/etc" as o }')
        execute([python(), "-c", "open('/etc/passwd')\ntry: open('/etc/shadow')\nexcept PermissionError: pass"],
                env=daemon.preloaded())
        rows = {row["arguments"]["path"]: row for row in daemon.log()
                if row.get("event") == "open" and str(row["arguments"]["path"]).startswith("/etc/")}
        users, shadow = rows["/etc/passwd"], rows["/etc/shadow"]
        self.assertEqual((users["verdict"], users["rule"]), ("would-deny", "o"))
        self.assertEqual(users["logged_by"], ["local/p.a-users", "local/p.z-reads", "local/q.users"])
        self.assertEqual((shadow["verdict"], shadow["rule"]), ("deny", "no"))
        self.assertEqual(shadow["logged_by"], ["local/p.z-reads", "local/q.shadow"])

    def test_log_is_followed(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny exec as no }')
        follower = subprocess.Popen([str(part) for part in (daemon_command(daemon, "log", "--follow", "--denied", "--json"))],
                                    stdout=subprocess.PIPE, text=True, env=clean_environment())
        try:
            for i in range(2):
                execute([python(), "-c", f"import os\ntry: os.execv('/bin/{i}', ['x'])\nexcept PermissionError: pass"],
                        env=daemon.preloaded())
                self.assertEqual(json.loads(follower.stdout.readline())["arguments"]["path"], f"/bin/{i}")
        finally:
            follower.kill()
            follower.wait()
            follower.stdout.close()

    def test_log_is_followed_over_a_restart_of_the_daemon(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny exec as no }')

        def deny(name):
            execute([python(), "-c", f"import os\ntry: os.execv('/bin/{name}', ['x'])\nexcept PermissionError: pass"],
                    env=daemon.preloaded())

        deny("before")
        with interpreter_process(daemon_command(daemon, "log", "--follow", "--denied", "--json", "-n", "1")) as follower:
            rows = [json.loads(follower.stdout.readline())]
            for end, name in (daemon.stop, "stopped"), (daemon.kill, "killed"):
                end()
                self.assertIn("the daemon went away", follower.stderr.readline())
                daemon.start()
                deny(name)
                rows.append(json.loads(follower.stdout.readline()))
            self.assertIsNone(follower.poll())
            follower.terminate()
            self.assertEqual(follower.communicate()[1], "")  # said once for each
        self.assertEqual([row["arguments"]["path"] for row in rows], ["/bin/before", "/bin/stopped", "/bin/killed"])
        self.assertEqual(len({row["id"] for row in rows}), len(rows))

    def test_last_records_and_one_session_can_be_asked_for(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny read where path under "/denied" as d }')
        for name in "a", "b":
            execute([python(), "-c", f"for i in range(5):\n try: open('/denied/{name}%d' % i)\n except PermissionError: pass"],
                    env=daemon.preloaded())
        rows = daemon.log("--denied")
        self.assertEqual([row["arguments"]["path"] for row in rows],
                         [f"/denied/{name}{i}" for name in "ab" for i in range(5)])
        self.assertEqual(daemon.log("--denied", "-n", "3"), rows[-3:])
        session = rows[0]["session"]
        self.assertEqual(daemon.log("--denied", "--session", session), rows[:5])
        self.assertEqual(daemon.log("--denied", "--session", session.upper()), rows[:5])
        self.assertEqual(daemon.log("--session", rows[7]["decision"]), rows[7:8])
        for wrong in "zz", "", "0", "7f3a-", "7f3a-x", "-12", "7f3a-0", "0x7f", " 7f", "1" * 17, "7f3a-12 ":
            with self.subTest(wrong):
                result = daemon.command("log", "--session", wrong)
                self.assertEqual((result.status, result.out), (2, ""), result)
                self.assertIn("such as 7f3a", result.err)
        for given, said in ("7f3a", "nothing of session 7f3a"), ("7f3a-12", "nothing of decision 7f3a-12"):
            for more in (), ("--json",):
                result = daemon.command("log", "--session", given, *more)
                self.assertEqual((result.status, result.out, result.err), (1, "", f"warder: the record has {said}\n"))
        result = daemon.command("log", "--denied", "--session", "7f3a")
        self.assertEqual((result.status, result.err), (1, "warder: the record has no denial of session 7f3a\n"))
        text = daemon.command("log", "--denied", "-n", "1").out
        self.assertRegex(text, r'^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}  denied +read "/denied/b4"  local/p\.d  ')

    def test_names_chosen_by_a_program_cannot_play_with_the_terminal(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny read where path under "/denied" as d }')
        result = execute([python(), "-c", "try: open('/denied/\\x1b[31m\\n\\u202e\\x07')\nexcept PermissionError as e: print(e)"],
                         env=daemon.preloaded())
        log = daemon.command("log", "--denied").out
        for text in result.out, log:
            self.assertIn("/denied/\\x1b[31m\\x0a\\xe2\\x80\\xae\\x07", text)
            self.assertEqual(text.count("\n"), 1, text)

    def test_json_is_printable_ascii(self):
        daemon = self.daemon()
        hostile = "\x7f\x85\x9b\u202e\U0001f600"
        daemon.apply(f'policy p "é\U0001f600" {{ applies {{ platform is "linux" }} deny read where path under "/denied" as d }}')
        execute([python(), "-c", f"try: open('/denied/' + {hostile!a})\nexcept PermissionError: pass"],
                env=daemon.preloaded(), cwd=self.directory)
        seen = [daemon.command(*words, "--json").out for words in (["log", "--denied"], ["list"], ["show", "p"], ["status"])]
        for text in seen:
            self.assertRegex(text, r"\A[\x20-\x7e]+\n\Z")
        self.assertEqual(json.loads(seen[0])["arguments"]["path"], "/denied/" + hostile)
        self.assertEqual(json.loads(seen[1])["title"], "é\U0001f600")
        self.assertEqual(json.loads(seen[2])["title"], "é\U0001f600")
        self.assertRegex(json.loads(seen[1])["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")


def daemon_command(daemon, *arguments):
    from support import WARDER
    return [WARDER, arguments[0], "--admin-socket", daemon.admin, *arguments[1:]]


if __name__ == "__main__":
    unittest.main()
