"""One user asks too much of the daemon: connections, memory, records. He is held up, and nobody else."""

import json
import os
import pwd
import resource
import socket
import time

import wire
from attackers import POLICY, Bystander, Process, ProtocolTest
from support import BUILD, PATIENCE, WARDERD, execute, is_sanitized, wait_until


class Flood(ProtocolTest):
    timeout = 300

    def hold(self, path, count, until):
        """Opens so many connections and leaves them open until it is told to end. How many were made."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        held = []
        made = 0
        for _ in range(count):
            end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            end.settimeout(PATIENCE)
            try:
                wait_until(lambda: end.connect_ex(str(path)) == 0, "there is room among those that wait")
            except AssertionError:
                return made
            made += 1
            held.append(end)
            if len(held) > hard - 100:
                held.pop(0).close()
        until.send(b"held")
        until.recv(10)
        return made

    def test_ten_thousand_connections_opened_and_left(self):
        daemon = self.protected()
        # Who floods is another user where there can be one; where not, the same user is served when it stops.
        uid = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
        bystander = Bystander(daemon.socket)
        ours, theirs = socket.socketpair()
        ours.settimeout(PATIENCE * 3)
        flooder = Process(self.hold, daemon.socket, 10000, theirs, uid=uid)
        theirs.close()
        while True:
            self.assertTrue(bystander.is_served())
            ours.setblocking(False)
            try:
                if ours.recv(10) != b"held":
                    flooder.result()
                break
            except BlockingIOError:
                pass
        ours.setblocking(True)
        if uid is not None:
            newcomer = Bystander(daemon.socket)
            self.assertTrue(newcomer.is_served())
            newcomer.end()

        def refused():
            status = daemon.status()
            return status["refused_connections"] + status["refused_messages"]

        wait_until(lambda: refused() == 10000, "all of them are turned away, those that were taken too")
        self.assertTrue(bystander.is_served())
        ours.send(b"end")
        self.assertEqual(flooder.result(), 10000)
        bystander.end()
        wait_until(lambda: sum(row["count"] for row in self.refusals(daemon)) == 10000, "all refusals are recorded")
        rows = self.refusals(daemon)
        self.assertLess(len(rows), 500, "a record for each would be a flood of its own")
        self.assertEqual({row["uid"] for row in rows}, {os.geteuid() if uid is None else uid})
        self.assertIn("a connection: too many of its user have not said Hello yet (session socket)",
                      {row["summary"] for row in rows})
        served = Process(lambda: wire.session(daemon.socket).ask(wire.reading("/dev/null")))
        self.assertEqual(served.result(), "allow")

    def costly(self, path, blocks, pipeline, until):
        """Asks, many requests at a time, what spends the steps of a decision under each of many policies."""
        rules = "\n".join(f'log read where path matches "/**/*a*a*/**/*a*b*/**/*c" as r{i}' for i in range(900))
        sessions = [wire.session(path, (9, wire.message((2, wire.message((1, "f"), (2, f"policy p{i} {{{rules}}}"))))))
                    for i in range(blocks)]
        connections = [sessions[-1]] + [sessions[-1].another() for _ in range(3)]
        body = wire.reading("/" + "/".join(["a" * 60] * 60) + "/b")
        until.send(b"ready")
        until.setblocking(False)
        answers = 0
        while True:
            for connection in connections:
                for _ in range(pipeline):
                    connection.send(body)
            for connection in connections:
                for _ in range(pipeline):
                    connection.socket.recv(131072)
                    answers += 1
            try:
                until.recv(10)
                return answers
            except BlockingIOError:
                pass

    def test_costly_decisions_of_one_user_hold_up_nobody_else(self):
        uid = self.other_user()
        daemon = self.protected()
        bystander = Bystander(daemon.socket)
        flooders = []
        for _ in range(3):
            ours, theirs = socket.socketpair()
            ours.settimeout(PATIENCE * 3)
            flooders.append((ours, Process(self.costly, daemon.socket, 8, 8, theirs, uid=uid)))
            theirs.close()
        for end, _ in flooders:
            self.assertEqual(end.recv(10), b"ready")
        slowest = 0
        for _ in range(20):
            began = time.monotonic()
            self.assertTrue(bystander.is_served())
            slowest = max(slowest, time.monotonic() - began)
        for end, _ in flooders:
            end.send(b"end")
        for _, flooder in flooders:
            self.assertGreater(flooder.result(), 0)
        bystander.end()
        # A decision takes ten times as long under a sanitizer.
        bound = 20 if is_sanitized(WARDERD) else 2
        self.assertLess(slowest, bound, "the hook denies by itself what is not answered by then")

    def begin_again_and_again(self, path, until):
        """Keeps a hundred Hellos under way, each with a text of hundreds of mistakes in one long line."""
        body = wire.hello(None, (9, wire.message((2, wire.message((1, "f"), (2, "policy p { " + "\u00e9x ^ " * 8000))))))
        under_way = []
        refused = 0
        until.setblocking(False)
        while True:
            while len(under_way) < 100:
                connection = wire.Connection(path)
                connection.send(body)
                under_way.append(connection)
            connection = under_way.pop(0)
            connection.socket.recv(131072)
            connection.close()
            refused += 1
            if refused == 10:
                until.send(b"ready")
            try:
                until.recv(10)
                return refused
            except BlockingIOError:
                pass

    def test_costly_hellos_of_one_user_hold_up_nobody_else_s(self):
        uid = self.other_user()
        daemon = self.protected()
        ours, theirs = socket.socketpair()
        ours.settimeout(PATIENCE * 3)
        flooder = Process(self.begin_again_and_again, daemon.socket, theirs, uid=uid)
        theirs.close()
        self.assertEqual(ours.recv(10), b"ready")
        slowest = 0
        for _ in range(5):
            began = time.monotonic()
            newcomer = Bystander(daemon.socket)
            slowest = max(slowest, time.monotonic() - began)
            self.assertTrue(newcomer.is_served())
            newcomer.end()
        ours.send(b"end")
        self.assertGreater(flooder.result(), 10)
        self.assertLess(slowest, 2, "an interpreter gives up when it is not welcomed in time")

    def test_connections_that_said_hello_are_bounded_for_each_user(self):
        daemon = self.protected(connections_per_user=10)

        def fill():
            held = []
            while True:
                connection = wire.Connection(daemon.socket)
                try:
                    assert connection.say_hello() is None
                except wire.Ended:
                    break
                held.append(connection)
            counts = [len(held)]
            held.pop().close()
            again = wire.Connection(daemon.socket)
            end = time.monotonic() + PATIENCE
            while time.monotonic() < end:  # for the daemon to see that there is room again
                try:
                    counts.append(again.say_hello())
                    break
                except wire.Ended:
                    again = wire.Connection(daemon.socket)
            return counts + [held[0].ask(wire.reading("/dev/null"))]

        if os.geteuid() == 0:
            bystander = Bystander(daemon.socket)
            self.assertEqual(Process(fill, uid=self.other_user()).result(), [10, None, "allow"])
            self.assertTrue(bystander.is_served())
            bystander.end()
        else:
            self.assertEqual(Process(fill).result(), [10, None, "allow"])
        self.assertIn("a connection: its user has too many (session socket)",
                      [row["summary"] for row in self.refusals(daemon)])

    def test_sessions_are_bounded_for_each_user(self):
        daemon = self.protected(sessions_per_user=5)

        def fill():
            held = [wire.session(daemon.socket) for _ in range(5)]
            refused = wire.Connection(daemon.socket).say_hello()
            return [refused.kind, wire.first(refused.fields, 1).decode(), held[0].ask(wire.reading("/dev/null"))]

        kind, reason, outcome = Process(fill).result()
        self.assertEqual((kind, outcome), (wire.REFUSED, "allow"))
        self.assertIn("sessions_per_user", reason)

    def test_what_sessions_say_of_themselves_is_bounded_for_each_user(self):
        daemon = self.protected(megabytes_per_user=1)

        def fill():
            held = []
            for _ in range(100):
                connection = wire.Connection(daemon.socket)
                try:
                    refused = connection.say_hello(argv=["x" * 15000] * 6)
                except wire.Ended:
                    break
                if refused:
                    break
                held.append(connection)
            return len(held), held[0].ask(wire.reading("/dev/null"))

        count, outcome = Process(fill).result()
        self.assertGreater(count, 5)
        self.assertLess(count, 12)
        self.assertEqual(outcome, "allow")
        self.assertIn("memory", " ".join(row["summary"] for row in self.refusals(daemon)))

    def test_daemon_short_of_descriptors_keeps_some_for_every_user(self):
        uid = self.other_user()
        path = self.directory / "warderd.toml"
        path.write_text("")
        daemon = self.daemon("--config", path, wrapper=("prlimit", "--nofile=256:256"))
        daemon.directory.chmod(0o755)
        daemon.apply(POLICY)

        def fill():
            held = []
            for _ in range(400):
                connection = wire.Connection(daemon.socket)
                try:
                    if connection.say_hello():
                        break
                except wire.Ended:
                    break
                held.append(connection)
            theirs.send(b"full")
            theirs.recv(10)
            return len(held)

        ours, theirs = socket.socketpair()
        process = Process(fill, uid=uid)
        theirs.close()
        self.assertEqual(ours.recv(10), b"full")
        bystanders = [Bystander(daemon.socket) for _ in range(5)]
        for bystander in bystanders:
            self.assertTrue(bystander.is_served())
            bystander.end()
        self.assertEqual(daemon.command("status").status, 0)
        ours.send(b"end")
        self.assertGreater(process.result(), 20)

    def test_record_that_cannot_be_written_holds_up_who_is_denied_and_nobody_else(self):
        import sqlite3
        uid = self.other_user()
        daemon = self.protected(queue_megabytes_per_user=2)
        bystander = Bystander(daemon.socket)
        record = sqlite3.connect(daemon.state / "audit.db", isolation_level=None)
        record.execute("BEGIN IMMEDIATE")

        def flood():
            connection = wire.session(daemon.socket)
            connection.socket.settimeout(3)
            answered = 0
            try:
                for i in range(2000):
                    path = f"/denied/{i}/" + "x" * 30000
                    connection.send(wire.reading(path))
                    connection.receive()
                    answered += 1
            except socket.timeout:
                pass
            theirs.send(b"held up")
            connection.socket.settimeout(PATIENCE)
            if answered < 2000:
                connection.receive()  # when there is room again
            return answered

        ours, theirs = socket.socketpair()
        ours.settimeout(PATIENCE)
        process = Process(flood, uid=uid)
        theirs.close()
        self.assertEqual(ours.recv(10), b"held up")
        self.assertTrue(bystander.is_served())
        self.assertEqual(daemon.status()["pid"], daemon.process.pid)
        record.execute("ROLLBACK")
        record.close()
        answered = process.result()
        self.assertLess(answered, 200)
        self.assertTrue(bystander.is_served())
        bystander.end()
        wait_until(lambda: sum(row["count"] for row in daemon.log("--denied") if len(row["summary"]) > 100)
                   == answered + 1, "no denial is lost")

    def test_quiet_session_is_answered_beside_ten_floods(self):
        daemon = self.protected("--record", "all", queue_megabytes_per_user=8)  # that are left to be written at the end
        questions = 300
        load = execute([BUILD / "tests" / "programs" / "load", "beside", daemon.socket, 10, questions],
                       timeout=PATIENCE * 4)
        self.assertEqual(load.status, 0, load)
        answered = json.loads(load.out)
        self.assertEqual(answered["answers"], questions, "each question was answered, and allowed")
        self.assertLess(answered["p99_us"], 1000000, "a hook denies what is not answered within two seconds")
        self.assertGreater(daemon.status()["decisions"], 3 * questions, "they were floods")
