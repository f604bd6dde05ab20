"""Several loop threads: sessions are spread over them, and nobody notices but the clock.

The protocol is spoken by the tests themselves (wire.py), each session from a process of its own. The whole of the other
system tests runs with several loops under ThreadSanitizer (WARDER_TEST_LOOP_THREADS, see CMakeLists.txt).
"""

import os
import random
import re
import signal
import socket
import time
import traceback
import unittest
from pathlib import Path

import wire
import interpreters
from attackers import POLICY, Bystander, Process, ProtocolTest
from support import (PATIENCE, WARDERD, execute, interpreter_process, is_sanitized, others_reach, python,
                     wait_until)

LOOPS = 4
MANY = 12
STORM_SECONDS = float(os.environ.get("WARDER_TEST_STORM_SECONDS", 4))


class Loops(ProtocolTest):
    prefix = "loops"

    def many(self, *lines, applied=POLICY):
        path = self.directory / "loops.toml"
        path.write_text("\n".join((f"loop_threads = {LOOPS}", *lines)) + "\n")
        daemon = self.daemon("--config", path)
        daemon.directory.chmod(0o755)
        if applied:
            daemon.apply(applied)
        return daemon

    def bystanders(self, daemon, count=MANY):
        some = [Bystander(daemon.socket) for _ in range(count)]
        self.addCleanup(lambda: [one.ours.close() for one in some])
        return some

    @staticmethod
    def busy_threads(daemon):
        """Processor time of each thread of the daemon, in nanoseconds."""
        tasks = Path(f"/proc/{daemon.process.pid}/task").iterdir()
        return {task.name: int((task / "schedstat").read_text().split()[0]) for task in tasks}

    def test_sessions_are_spread_over_the_loops(self):
        daemon = self.many()
        some = self.bystanders(daemon)
        # Nothing is recorded but denials, and one user's, so that the writer has little to do.
        before = self.busy_threads(daemon)
        for _ in range(200):
            for one in some:
                self.assertTrue(one.is_served())
        after = self.busy_threads(daemon)
        took = sorted((after[name] - before.get(name, 0) for name in after), reverse=True)
        self.assertGreater(took[LOOPS - 1], took[0] / 10, took)

    def test_one_loop_is_one_thread_fewer_each(self):
        several = len(self.busy_threads(self.many()))
        one = len(self.busy_threads(self.daemon("--config", self.policy("loop_threads = 1\n", "one.toml"))))
        self.assertEqual(several - one, LOOPS - 1)

    def test_status_says_how_many_loops_there_are(self):
        for count, words in (1, "on 1 thread"), (LOOPS, f"on {LOOPS} threads"):
            path = self.policy(f"loop_threads = {count}\n", f"{count}.toml")
            daemon = self.daemon("--config", path)
            self.assertEqual(daemon.status()["loop_threads"], count)
            self.assertIn(words, daemon.command("status").out)

    def test_start_without_threads_for_all_loops_is_refused_with_words(self):
        if is_sanitized(WARDERD):
            self.skipTest("a sanitizer's runtime wants threads of its own")
        if os.geteuid() != 0 or not others_reach(WARDERD, 54322):
            self.skipTest("few processes for one user want root, and a build that others can read")
        own = self.directory / "own"  # of a user that no process has: its limit counts nobody else's
        own.mkdir()
        os.chown(own, 54322, 54322)
        path = self.policy("loop_threads = 3\n", "three.toml")

        def command(most):
            return ["setpriv", "--reuid", "54322", "--regid", "54322", "--clear-groups", "prlimit", f"--nproc={most}",
                    WARDERD, "--foreground", "--config", path, "--state-dir", own / "s", "--socket", own / "x.sock"]

        result = execute(command(8))  # with the process that closes connections
        self.assertEqual(result.status, 2, result)
        self.assertIn("7 threads cannot be made", result.err)
        with interpreter_process(command(9)) as daemon:
            self.assertIn("ready", daemon.stderr.readline())
            self.assertEqual(len(os.listdir(f"/proc/{daemon.pid}/task")), 8)
            daemon.terminate()
            self.assertEqual(daemon.wait(PATIENCE), 0)

    def test_new_generation_is_in_force_at_the_next_event_on_every_loop(self):
        daemon = self.many()
        some = self.bystanders(daemon)
        for round_number in range(10):
            daemon.apply(POLICY.replace("/denied", "/elsewhere"))
            for one in some:
                one.ours.send(b"ask")
                self.assertEqual(one.ours.recv(100), b"allow allow", round_number)
            daemon.apply(POLICY)
            for one in some:
                self.assertTrue(one.is_served())

    def test_session_with_connections_on_several_loops_ends_as_a_whole(self):
        daemon = self.many()
        some = self.bystanders(daemon)

        def attacker():
            first = wire.session(daemon.socket)
            others = [first.another() for _ in range(3)]
            for one in others:
                assert one.ask(wire.reading("/dev/null")) == "allow"
            others[-1].send(wire.reading("/dev/null"), tag=b"forged!!")
            return [one.is_ended() for one in (first, *others)]

        for _ in range(8):
            self.assertEqual(Process(attacker).result(), [True] * 4)
        for one in some:
            self.assertTrue(one.is_served())
        self.assertEqual(len([row for row in self.refusals(daemon) if "forged" in row["summary"]]), 8)

    def test_every_decision_is_in_the_record_once_and_in_order(self):
        daemon = self.many('record = "all"')

        def asks():
            connection = wire.session(daemon.socket)
            more = [connection, *(connection.another() for _ in range(3))]
            for number in range(400):
                assert more[number % 4].ask(wire.reading(f"/number/{number}")) == "allow"
            return connection.session

        asking = [Process(asks) for _ in range(6)]
        sessions = [process.result() for process in asking]
        wait_until(lambda: daemon.status()["records_waiting"] == 0, "all is written")
        self.assertEqual(daemon.status()["records_dropped"], 0)
        rows = [row for row in daemon.log("-n", "0") if row["kind"] == "decision"]
        for session in sessions:
            mine = [row for row in rows if row["decision"].startswith(f"{session:x}-")]
            self.assertEqual([row["decision"] for row in mine],
                             [f"{session:x}-{number}" for number in range(1, 401)])
            self.assertEqual([list(row["arguments"].values())[0] for row in mine],
                             [f"/number/{number}" for number in range(400)])

    def say_last_words(self, daemon, said):
        """Sessions say the lines of their denials and end, all of it before the daemon can read any. Their numbers, and
        how long the first denial had waited for its line by then."""
        at, denying, ending = os.pipe(), os.pipe(), os.pipe()

        def says():
            os.close(denying[1])
            os.close(ending[1])
            connection = wire.session(daemon.socket)
            os.write(at[1], b"c")
            os.read(denying[0], 1)  # nothing comes: the end of it does
            began = time.monotonic()
            denied = [wire.first(connection.request(wire.reading(f"/denied/{i}")).fields, 8) for i in range(said)]
            os.write(at[1], b"d")
            os.read(ending[0], 1)
            for i, decision in enumerate(denied):
                connection.send(wire.message((wire.DENIED, wire.message(
                    (1, decision), (2, "/last/words.py"), (3, i + 1)))))
            return connection.session, began

        asking = [Process(says) for _ in range(MANY)]
        for beginning in denying, ending:
            for _ in asking:
                os.read(at[0], 1)
            if beginning is ending:
                daemon.process.send_signal(signal.SIGSTOP)
                stopped = time.monotonic()
            os.close(beginning[1])
        try:
            results = [process.result() for process in asking]
        finally:
            daemon.process.send_signal(signal.SIGCONT)
        for end in (*at, denying[0], ending[0]):
            os.close(end)
        return [session for session, _ in results], stopped - min(began for _, began in results)

    def last_words(self, daemon, rounds):
        said = 20
        seen = tries = 0
        while seen < rounds:
            tries += 1
            self.assertLess(tries, 20, "the machine is too busy to say a line within half a second")
            sessions, waited = self.say_last_words(daemon, said)
            wait_until(lambda: daemon.status()["sessions"] == 0, "all sessions are over")
            if waited > 0.5:  # a denial waits for its line for 600 ms, and is then recorded without one
                continue
            seen += 1
            rows = daemon.log("--denied", "-n", "0")
            for session in sessions:
                self.assertEqual([(row.get("file"), row.get("line")) for row in rows
                                  if row["decision"].startswith(f"{session:x}-")],
                                 [("/last/words.py", i + 1) for i in range(said)], f"round {seen}")

    def test_last_words_of_who_has_ended_are_read_by_all_loops(self):
        self.last_words(self.many(), 3)

    def test_last_words_of_who_has_ended_are_read_by_one_loop(self):
        daemon = self.daemon()
        daemon.apply(POLICY)
        self.last_words(daemon, 3)

    def test_session_ends_with_its_process_though_another_has_its_connection(self):
        daemon = self.many()
        ours, theirs = socket.socketpair()

        def leaves():
            connection = wire.session(daemon.socket)
            socket.send_fds(theirs, [b"kept"], [connection.socket.fileno()])
            return connection.session

        with ours, theirs:
            process = Process(leaves)
            _, kept, _, _ = socket.recv_fds(ours, 10, 1)
            process.result()
            with socket.socket(fileno=kept[0]) as connection:
                wait_until(lambda: daemon.status()["sessions"] == 0, "the session is over")
                self.assertEqual(connection.recv(1), b"")

    def test_daemon_stops_in_good_order_while_all_loops_are_busy(self):
        for _ in range(5):
            daemon = self.many()
            reading, writing = os.pipe()

            def asks(path=daemon.socket, asked=writing):
                connection = wire.session(path)
                count = 0
                try:
                    while True:
                        connection.ask(wire.reading("/denied"))
                        count += 1
                        if count == 1:
                            os.write(asked, b"a")
                except wire.Ended:
                    return count

            asking = [Process(asks) for _ in range(MANY)]
            for _ in asking:
                os.read(reading, 1)
            os.close(reading)
            os.close(writing)
            wait_until(lambda at=daemon: at.status()["denials"] > 1000, "all are busy")
            self.assertEqual(daemon.stop(), 0)  # with everything written: else it says what is not
            for process in asking:
                self.assertGreater(process.result(), 0)

    @staticmethod
    def storm(path, seed, until):
        """One session: asks on all of its connections, and ends in one of all ways. True if every answer was right."""
        chance = random.Random(seed)
        try:
            first = wire.session(path)
            some = [first, *(first.another() for _ in range(chance.randrange(4)))]
            for _ in range(chance.randrange(12)):
                one = chance.choice(some)
                asked, answer = chance.choice((("/dev/null", "allow"), ("/denied/it", "deny")))
                if one.ask(wire.reading(asked)) != answer:
                    return False
            end = chance.randrange(6)
            if end == 0:  # forged, while another connection waits for an answer
                some[0].send(wire.reading("/dev/null"))
                some[-1].send(wire.reading("/dev/null"), tag=b"forged!!")
            elif end == 1:  # two at once, of which nobody reads the answers
                for _ in range(2):
                    some[-1].send(wire.reading("/dev/null"))
            elif end == 2:  # one by one
                for one in some:
                    one.close()
            elif end == 3:  # not said to the end
                for _ in range(3):
                    wire.Connection(path).send(wire.hello(os.urandom(16)))
            elif end == 4:  # with a child's connection that nobody uses
                some[-1].another(child=True)
            elif chance.randrange(2):
                os.kill(os.getpid(), signal.SIGKILL)
        except (wire.Ended, OSError):
            if time.monotonic() < until:  # nothing else ends it before the daemon does
                traceback.print_exc()
                return False
        return True

    def storms(self, path, until):
        """Begins one session after the other, each of a process of its own. How many there were."""
        def begin():
            seed = int.from_bytes(os.urandom(4), "little")
            count = 0
            while time.monotonic() < until + 1:
                pid = os.fork()
                if pid == 0:
                    right = self.storm(path, seed + count, until)
                    os._exit(0 if right else 1)
                _, status = os.waitpid(pid, 0)
                if status not in (0, signal.SIGKILL):
                    raise AssertionError(f"session {seed + count} ended with {status}")
                count += 1
            return count
        return Process(begin)

    def test_storm_of_sessions_is_weathered_and_the_daemon_stops_in_the_middle_of_it(self):
        daemon = self.many('record = "all"')
        quiet = self.bystanders(daemon, 3)
        until = time.monotonic() + STORM_SECONDS
        storms = [self.storms(daemon.socket, until) for _ in range(5)]
        turn = 0
        while time.monotonic() < until - 1:
            # Always the same verdicts, of ever new generations.
            daemon.apply(POLICY + f'policy turn{turn % 3} {{ applies {{ user is "nobody{turn}" }} deny exec as no }}')
            turn += 1
            for one in quiet:
                self.assertTrue(one.is_served())
        expected = re.compile("forged|within a second|Hello|cannot be read")
        self.assertEqual([row for row in self.refusals(daemon) if not expected.search(row["summary"])], [])
        while time.monotonic() < until:
            time.sleep(0.1)
        self.assertEqual(daemon.stop(), 0, daemon.errors.read_text())
        for one in storms:
            self.assertGreater(one.result(), 0)
        self.assertEqual([line for line in daemon.errors.read_text().splitlines() if "warderd: ready" not in line], [])

    def test_sessions_that_end_leave_nothing_behind(self):
        daemon = self.many()

        def descriptors():
            return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))

        self.bystanders(daemon, 1)[0].end()
        wait_until(lambda: daemon.status()["sessions"] == 0, "the session is over")
        before = descriptors()
        for _ in range(10):
            some = self.bystanders(daemon)
            for one in some[::2]:
                os.kill(one.process.pid, signal.SIGKILL)
                os.waitpid(one.process.pid, 0)
            for one in some[1::2]:
                one.end()
        wait_until(lambda: daemon.status()["sessions"] == 0, "all sessions are over")
        wait_until(lambda: descriptors() <= before, f"of {descriptors()} descriptors {before} are left")

    def test_quiet_session_is_served_beside_floods_on_every_loop(self):
        daemon = self.many()
        quiet = self.bystanders(daemon, 1)[0]

        def flood(until):
            connection = wire.session(daemon.socket)
            until.setblocking(False)
            count = 0
            while True:
                connection.ask(wire.reading("/dev/null"))
                count += 1
                try:
                    until.recv(1)
                    return count
                except BlockingIOError:
                    pass

        ours, theirs = zip(*(socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(8)))
        floods = [Process(flood, end) for end in theirs]
        for _ in range(50):
            self.assertTrue(quiet.is_served())
        for end in ours:
            end.send(b"x")
        for process in floods:
            self.assertGreater(process.result(), 0)
        for end in (*ours, *theirs):
            end.close()

    def test_wrong_numbers_of_loops_are_refused_with_their_place(self):
        for text in "0", "17", '"two"', "true":
            path = self.policy(f"loop_threads = {text}\n", "wrong.toml")
            result = execute([WARDERD, "--config", path, "--state-dir", self.directory / "s", "--socket",
                              self.directory / "x.sock"])
            self.assertEqual(result.status, 2, result)
            self.assertRegex(result.err, r"wrong\.toml.*1.*loop_threads is a whole number from 1 to 16")


class LoopsAndInterpreters(Loops):
    prefix = "system"
    per_interpreter = True
    short_on = staticmethod(interpreters.ends)

    def test_interpreters_on_several_loops_get_their_own_verdicts(self):
        daemon = self.many('evaluate = "daemon"', 'record = "all"', applied=None)
        daemon.apply('policy a { applies { platform is "linux" } deny exec as no }')
        code = """
import sys, threading
def asks(number):
    for turn in range(50):
        sys.audit("open", "/mine", "r", 0)
        try:
            sys.audit("os.system", f"{number} {turn}")
        except PermissionError as error:
            assert error.rule == "no", error
        else:
            raise SystemExit("it was allowed")
threads = [threading.Thread(target=asks, args=(number,)) for number in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("all were denied")
"""
        processes = [interpreter_process([python(), "-c", code], env=daemon.preloaded()) for _ in range(6)]
        for process in processes:
            with process as running:
                self.assertEqual(running.stdout.read(), "all were denied\n")

        def denied():
            rows = daemon.log("-n", "0", "--denied")
            return sum(row.get("count", 1) for row in rows if row["kind"] == "decision")

        wait_until(lambda: denied() >= 6 * 6 * 50, "all is written")  # which a sanitizer makes slow
        self.assertEqual(denied(), 6 * 6 * 50)


    def test_what_interpreters_on_several_loops_settle_is_recorded_once(self):
        daemon = self.many('record = "all"', applied=None)
        policy = 'policy a { applies { platform is "linux" } deny exec as no }'
        daemon.apply(policy)
        code = """
import sys, threading
def settles(number):
    for turn in range(300):
        sys.audit("open", f"/by/{sys.argv[1]}/{number}/{turn}", "r", 0)
threads = [threading.Thread(target=settles, args=(number,)) for number in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("done")
"""
        processes = [interpreter_process([python(), "-c", code, number], env=daemon.preloaded())
                     for number in range(6)]
        for turn, process in enumerate(processes):
            with process as running:
                daemon.apply(policy + f' policy turn {{ applies {{ user is "nobody{turn}" }} deny exec as no }}')
                self.assertEqual(running.stdout.read(), "done\n")
        wait_until(lambda: daemon.status()["sessions"] == 0, "the sessions are over")
        wait_until(lambda: daemon.status()["records_waiting"] == 0, "the record has caught up")
        self.assertEqual(daemon.status()["records_dropped"], 0)
        rows = [row for row in daemon.log("-n", "0", "--event", "open") if row["kind"] == "decision"]
        paths = [str(list(row["arguments"].values())[0]) for row in rows]
        mine = sorted(path for path in paths if path.startswith("/by/"))
        self.assertEqual(mine, sorted(f"/by/{process}/{number}/{turn}" for process in range(6) for number in range(3)
                                      for turn in range(300)))
        self.assertTrue([row for row in rows if row.get("settled")])


for name in [name for name in vars(Loops) if name.startswith("test_")]:
    setattr(LoopsAndInterpreters, name, None)  # they drive no interpreter


if __name__ == "__main__":
    unittest.main()
