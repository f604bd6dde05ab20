"""The daemon's life: started, stopped, killed, restarted, many at once."""

import contextlib
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import interpreters
from support import (ALLOW_ALL, PATIENCE, WARDER, WARDERD, Daemon, Test, clean_environment, execute,
                     interpreter_process, is_sanitized, others_reach, python, wait_until)

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


def answers(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        return client.connect_ex(str(path)) == 0


class Interrupted(Test):
    per_interpreter = True
    short_on = staticmethod(interpreters.ends)

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

    def test_wait_for_a_daemon_that_hangs_is_bounded_by_the_configuration_two_seconds_if_it_says_nothing(self):
        path = self.policy('evaluate = "daemon"\n[limits]\nverdict_milliseconds = 10000\n', "patient.toml")
        daemons = self.asked_daemon(), self.daemon("--config", path)
        with contextlib.ExitStack() as stack:
            processes = [stack.enter_context(interpreter_process([python(), "-c", LOOP], env=daemon.preloaded()))
                         for daemon in daemons]
            for process in processes:
                self.assertEqual(self.ask(process), "allowed\n")
            for daemon in daemons:
                daemon.process.send_signal(signal.SIGSTOP)
                stack.callback(daemon.process.send_signal, signal.SIGCONT)
            for process in reversed(processes):
                process.stdin.write("now\n")
                process.stdin.flush()
            first, _, _ = select.select([process.stdout for process in processes], [], [], PATIENCE)
            self.assertEqual(first, [processes[0].stdout], "the shorter bound did not end first")
            self.assertIn("the policy daemon did not answer in time", processes[0].stdout.readline())
            daemons[1].process.send_signal(signal.SIGCONT)
            self.assertEqual(processes[1].stdout.readline(), "allowed\n")

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
            self.assertRegex(text, rf"drop +{said} x3  -  -  uid \d+ pid {process.pid}  -  [0-9a-f]+\n")

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

    def test_ids_of_decisions_that_a_killed_daemon_did_not_write_are_not_used_again(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny exec as no }')
        code = """
import os, sys
for line in sys.stdin:
    try: os.system(line.strip())
    except PermissionError as error: print(getattr(error, "decision_id", error), flush=True)
"""
        with interpreter_process([python(), "-c", code], env=daemon.preloaded()) as process:
            def denied(command):
                process.stdin.write(f"{command}\n")
                process.stdin.flush()
                return process.stdout.readline().strip()

            told = [denied(f"id {number}") for number in range(3)]
            os.kill(daemon.process.pid, signal.SIGKILL)
            daemon.process.wait()
            daemon.start()
            wait_until(lambda: re.fullmatch("[0-9a-f]+-[0-9]+", told.append(denied("last")) or told[-1]),
                       "the daemon is asked again")
        ids = [one for one in told if re.fullmatch("[0-9a-f]+-[0-9]+", one)]
        self.assertEqual(len(ids), 4, told)
        self.assertEqual(len(set(ids)), 4, told)
        self.assertEqual(len({one.split("-")[0] for one in ids}), 1, told)
        row, = daemon.log("--session", ids[-1])
        self.assertEqual(row["arguments"]["command"], {"bytes": "last"})

    FLOOR = 'policy p { applies { platform is "linux" } floor connect  default deny connect }'

    def test_daemon_that_stood_still_goes_on_where_a_floor_lets_no_connection_be_made(self):
        daemon = self.asked_daemon()
        daemon.apply(self.FLOOR)
        with interpreter_process([python(), "-c", LOOP], env=daemon.preloaded()) as process:
            self.assertEqual(self.ask(process), "allowed\n")
            daemon.process.send_signal(signal.SIGSTOP)
            try:
                for _ in range(2):
                    self.assertIn("the policy daemon did not answer in time", self.ask(process))
            finally:
                daemon.process.send_signal(signal.SIGCONT)
            wait_until(lambda: self.ask(process) == "allowed\n", "events are allowed again")
            for _ in range(20):
                self.assertEqual(self.ask(process), "allowed\n")

    def test_fork_while_the_daemon_stands_still_does_not_cut_off_its_parent(self):
        daemon = self.asked_daemon()
        daemon.apply(self.FLOOR)
        code = """
import ctypes, os, sys
fork = ctypes.PyDLL(None).fork  # without an audit event, which would be denied before there is a fork
for line in sys.stdin:
    try:
        child = fork() if line == "fork\\n" else -1
    except PermissionError as error:  # from 3.14 on every call has its event
        print(error, flush=True)
        continue
    if child == 0:
        os._exit(0)
    if child > 0:
        os.waitpid(child, 0)
    try:
        open("/dev/null").close()
        print("allowed", flush=True)
    except PermissionError as error:
        print(error, flush=True)
"""
        with interpreter_process([python(), "-c", code], env=daemon.preloaded()) as process:
            self.assertEqual(self.ask(process), "allowed\n")
            daemon.process.send_signal(signal.SIGSTOP)
            try:
                process.stdin.write("fork\n")
                process.stdin.flush()
                self.assertIn("did not answer in time", process.stdout.readline())
            finally:
                daemon.process.send_signal(signal.SIGCONT)
            wait_until(lambda: self.ask(process) == "allowed\n", "events are allowed again")

    def test_restarted_daemon_is_out_of_reach_of_a_floor_on_connect_and_that_is_said(self):
        daemon = self.asked_daemon()
        daemon.apply(self.FLOOR)
        with interpreter_process([python(), "-c", LOOP], env=daemon.preloaded()) as process:
            self.assertEqual(self.ask(process), "allowed\n")
            daemon.stop()
            daemon.start()
            self.assertIn("lets this process make no new connection to it: start it anew", self.ask(process))

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

    def test_session_that_cannot_be_kept_is_told_of(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny exec as no }')
        kept = daemon.directory / "sessions"
        kept.rmdir()
        with interpreter_process([python(), "-c", LOOP], env=daemon.preloaded()) as process:
            self.assertEqual(self.ask(process), "allowed\n")

            def told():
                return [(row["kind"], row["summary"], row["pid"]) for row in daemon.log()
                        if "cannot be kept" in row["summary"]]

            wait_until(told, "it is told of")
            self.assertEqual(told(), [("daemon", "the session ends with this daemon, for it cannot be kept: No such "
                                                 "file or directory", process.pid)])
            self.assertEqual(self.ask(process), "allowed\n")
            daemon.kill()
            daemon.start()
            self.assertNotEqual(self.ask(process), "allowed\n")

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

    def test_session_whose_named_policy_is_removed_is_denied_until_it_is_back(self):
        # Clause S-6. Not under nothing: neither of what it named nor of what it may is there anybody who knows.
        text = 'policy named { deny exec as e }'
        other = 'policy other { applies { platform is "linux" } allow read as r }'
        for daemon in self.daemon(), self.asked_daemon():
            with self.subTest(daemon.options):
                daemon.apply(text)
                run = [WARDER, "run", "--socket", daemon.socket, "--policy"]
                with interpreter_process([*run, "named", "--", python(), "-c", LOOP]) as process, \
                        interpreter_process([*run, "local/named", "--observe", "--", python(), "-c", LOOP]) as observed, \
                        interpreter_process([python(), "-c", LOOP], env=daemon.preloaded()) as nobodys:
                    for one in process, observed, nobodys:
                        self.assertEqual(self.ask(one), "allowed\n")
                    said = daemon.command("remove", "named").out
                    self.assertIn("; 1 live session named it: nothing is allowed to that one until it is applied "
                                  "again", said)
                    denied = self.ask(process)
                    self.assertIn('read "/dev/null" denied by warder.policy-gone: policy `named`, which this process '
                                  'named, is gone from this host: nothing is allowed to the process until it is applied '
                                  'again [decision ', denied)
                    self.assertEqual(self.ask(observed), "allowed\n")
                    self.assertEqual(self.ask(nobodys), "allowed\n")
                    daemon.apply(other)  # another generation in which it is gone
                    self.assertIn("denied by warder.policy-gone", self.ask(process))
                    self.assertNotIn("live session", daemon.command("remove", "other").out)
                    result = execute([*run, "named", "--", python(), "-c", ""])
                    self.assertEqual(result.status, 125, "a new one is refused")
                    daemon.apply(text)
                    self.assertEqual(self.ask(process), "allowed\n")
                    row = [row for row in daemon.log("--denied") if row["kind"] == "decision"][0]
                    self.assertEqual((row["verdict"], row["policy"], row["rule"]), ("deny", "warder", "policy-gone"))
                    why = daemon.command("why", row["decision"])
                    self.assertIn("policy `named`, which this process named, is gone from this host", why.out)
                    self.assertIn("a rule of Warder's own", why.out)
                    self.assertIn("Warder itself denied it", why.out)
                    self.assertRegex(why.out, r"today's policies \(generation \d+\) would answer otherwise:\n\nallowed")
                    self.assertTrue(json.loads(daemon.command("why", "--json", row["decision"]).out)["today_differs"])
                    self.assertEqual(daemon.command("remove", "named").status, 0)
                    why = daemon.command("why", row["decision"])
                    self.assertRegex(why.out, r"today \(generation \d+\) Warder itself would deny it: policy `\S*named`, "
                                              r"which the process named")
                    self.assertNotIn("would answer otherwise", why.out)
                    told = json.loads(daemon.command("why", "--json", row["decision"]).out)
                    self.assertEqual((told["built_in"], told["today_differs"]), (True, False))
                daemon.stop()

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


class FullDisk(Test):
    """A disk of the daemon's own that is full for a while."""

    per_interpreter = True
    short_on = staticmethod(interpreters.ends)

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

    def test_one_path_for_both_sockets_is_refused(self):
        path = self.directory / "a.sock"
        config = self.directory / "warderd.toml"
        config.write_text(f'admin_socket = "{path}"\nsocket = "{path}"\n')
        for options in ("--socket", path, "--admin-socket", path), ("--config", config):
            result = execute([WARDERD, "--foreground", "--state-dir", self.directory / "state", *options])
            self.assertEqual(result.status, 2, result)
            self.assertIn(f"{path}: is to be both the session socket and the administration socket", result.err)

    def test_directories_that_the_daemon_made_for_its_sockets_go_with_it(self):
        daemon = Daemon(self.directory / "d")
        daemon.directory.mkdir()
        daemon.socket = daemon.directory / "one" / "session.sock"
        daemon.options = ("--admin-socket", daemon.directory / "two" / "admin.sock")
        self.addCleanup(daemon.stop)
        daemon.start()
        self.assertTrue((daemon.directory / "one" / "sessions").is_dir())
        # One that cannot start takes nothing of the first's away.
        self.assertEqual(execute([WARDERD, "--foreground", "--state-dir", self.directory / "other", "--socket",
                                  daemon.socket]).status, 2)
        self.assertTrue((daemon.directory / "one" / "sessions").is_dir())
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(sorted(path.name for path in daemon.directory.iterdir()), ["daemon.err", "state"])

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

    def test_paths_are_checked_alike_in_the_file_and_on_the_command_line(self):
        """A relative one was taken from the file, and an empty one made a socket that nobody could reach."""
        path = self.directory / "warderd.toml"
        long_socket, long_path = "/" + "s" * 107, "/" + "p/" * 2100
        for value, words in (("", "wants an absolute path, and this one is empty"), ("rel", "wants an absolute path"),
                             (long_socket, "wants a path of at most 107 bytes"), (long_path, "wants a path of at most")):
            for setting in "state_dir", "socket", "admin_socket":
                if (setting, value) == ("state_dir", long_socket):
                    continue  # it is not too long
                with self.subTest(setting=setting, value=value[:10]):
                    path.write_text(f'{setting} = "{value}"\n')
                    result = execute([WARDERD, "--foreground", "--config", path], cwd=self.directory)
                    self.assertEqual(result.status, 2, result)
                    self.assertIn(f"warderd.toml:1:{len(setting) + 4}: {setting} {words}", result.err)
                    option = "--" + setting.replace("_", "-")
                    result = execute([WARDERD, "--foreground", option, value], cwd=self.directory)
                    self.assertEqual(result.status, 2, result)
                    self.assertIn(f"{option} {words}", result.err)
                    self.assertLess(len(result.err), 250)
        self.assertEqual([entry.name for entry in self.directory.iterdir()], ["warderd.toml"])

    def test_administration_socket_of_the_file_stands_beside_a_socket_of_the_command_line(self):
        path = self.directory / "warderd.toml"
        path.write_text(f'socket = "{self.directory}/unused.sock"\nadmin_socket = "{self.directory}/y.sock"\n')
        daemon = self.daemon("--config", path)
        self.assertFalse(daemon.admin.exists())
        daemon.admin = self.directory / "y.sock"
        self.assertEqual(daemon.command("status").status, 0)
        self.assertFalse((self.directory / "unused.sock").exists())

    def test_start_without_threads_is_refused_with_words(self):
        """libuv would abort the daemon at its first handshake."""
        if is_sanitized(WARDERD):
            self.skipTest("a sanitizer's runtime wants memory and threads of its own")
        words = "threads cannot be made"
        prlimit = shutil.which("prlimit")
        few = [prlimit, f"--as={40 << 20}"]
        result = execute([*few, WARDERD, "--foreground", "--state-dir", self.directory / "s",
                          "--socket", self.directory / "x.sock"])
        self.assertEqual(result.status, 2, result)
        self.assertIn(words, result.err)
        self.assertIn("ulimit -v", result.err)
        result = execute([*few, WARDER, "run", "--policy", "no-process", "--", sys.executable, "-c", "1"])
        self.assertEqual(result.status, 125, result)
        self.assertIn(words, result.err)
        self.directory.chmod(0o755)
        if os.geteuid() != 0 or not others_reach(WARDERD, 54321):
            print("not tried with few processes: that wants root, and a build that others can read", flush=True)
            return
        # One that no process has: its limit counts nobody else's.
        own = self.directory / "own"
        own.mkdir()
        os.chown(own, 54321, 54321)
        for most, words in (1, "the process that closes connections cannot be made"), (2, words), (3, words), (6, words):
            with self.subTest(most):
                result = execute(["setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups", prlimit,
                                  f"--nproc={most}", WARDERD, "--foreground", "--state-dir", own / "s", "--socket",
                                  own / "x.sock"])
                self.assertEqual(result.status, 2, result)
                self.assertIn(words, result.err)
                self.assertIn("TasksMax=", result.err)
        # Where they can be made, they all stand before the first handshake.
        process = subprocess.Popen(["setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups", prlimit,
                                    "--nproc=7", WARDERD, "--foreground", "--state-dir", own / "s", "--socket",
                                    own / "x.sock"], stderr=subprocess.PIPE, text=True)
        self.assertIn("ready", process.stderr.readline())
        self.assertEqual(len(os.listdir(f"/proc/{process.pid}/task")), 6)
        process.terminate()
        self.assertEqual(process.wait(PATIENCE), 0)
        process.stderr.close()

    def test_wrong_usage_is_2(self):
        for arguments in (["--nonsense"], ["word"], ["--state-dir", "relative"], ["--record", "some"],
                          ["--config", "/nonexistent"]):
            with self.subTest(arguments):
                result = execute([WARDERD, *arguments])
                self.assertEqual(result.status, 2, result)
                self.assertTrue(result.err.startswith("warderd: "), result)


if __name__ == "__main__":
    unittest.main()
