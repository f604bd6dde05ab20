"""The session protocol under attack: whoever breaks it is turned away, alone, and it is recorded.

No interpreter is driven: attackers and bystanders speak the protocol themselves (wire.py).
"""

import os
import random
import signal
import socket
import time

import wire
from attackers import SEALS, Bystander, Process, ProtocolTest
from support import PATIENCE, wait_until


class BeforeHello(ProtocolTest):
    def test_garbage_before_hello_is_turned_away(self):
        daemon = self.protected()
        for data in b"x", b"GET / HTTP/1.0\r\n\r\n", bytes(32), wire.MAGIC, bytes(range(256)) * 16:
            with self.subTest(data[:16]):
                self.assertTurnedAway(daemon, "without a proper header", lambda c: c.send_bytes(data), False)

    def test_other_messages_than_hello_are_turned_away(self):
        daemon = self.protected()
        for name, body in (("ask", wire.reading("/dev/null")), ("open", wire.open_connection()),
                           ("records", wire.message((wire.RECORDS, b""))), ("admin", wire.status())):
            with self.subTest(name):
                self.assertTurnedAway(daemon, "not allowed now", lambda c: c.send(body), False)

    def test_hello_that_is_none_is_turned_away(self):
        daemon = self.protected()
        for words, body in (("protocol version", wire.hello(protocol=2)), ("protocol version", wire.hello(b"short")),
                            ("not decode", b""), ("not decode", wire.hello()[:-3]),
                            ("did not send it", wire.hello(None, (14, 12345)))):
            with self.subTest(words):
                self.assertTurnedAway(daemon, words, lambda c: c.send(body), False)

    def test_hello_that_is_too_long_is_refused_and_makes_no_session(self):
        daemon = self.protected()

        def refused(body):
            connection = wire.Connection(daemon.socket)
            connection.send(body) if len(body) < wire.PACKET_MAX - wire.HEADER_SIZE else connection.send_in_file(body)
            reply = connection.receive()
            return reply.kind, wire.first(reply.fields, 1).decode(), connection.is_ended()

        text = 'policy long { deny exec as e }' + '#' * 65536
        for words, body in (("too long", wire.hello(argv=["x" * 20000])),
                            ("longer than 64 KiB", wire.hello(None, (9, wire.message((2, wire.message((2, text))))))),
                            ("too many labels", wire.hello(None, (9, wire.message(*((3, b""),) * 100)))),
                            ("too many policies", wire.hello(None, (9, wire.message(*((1, "p"),) * 100)))),
                            ("no text", wire.hello(None, (9, wire.message((1, "a\0b")))))):
            with self.subTest(words):
                kind, reason, ended = Process(refused, body).result()
                self.assertEqual((kind, ended), (wire.REFUSED, True))
                self.assertIn(words, reason)
        self.assertEqual(daemon.status()["sessions_total"], 0)

    def test_client_that_says_no_hello_is_closed(self):
        daemon = self.protected()
        self.assertTurnedAway(daemon, "nobody said Hello (session socket)", lambda c: None, False,
                              counted="refused_connections")
        self.assertEqual(daemon.status()["refused_messages"], 0)

    def test_client_that_says_no_hello_holds_its_place_for_some_seconds_at_most(self):
        """Two, by the design; here it is not the clock that is tested, but that nobody stays for ever."""
        daemon = self.protected()
        connection = wire.Connection(daemon.socket)
        connection.socket.settimeout(10)
        self.assertTrue(connection.is_ended())

    def test_client_that_says_nothing_at_the_administration_socket_is_closed(self):
        daemon = self.protected()
        self.assertTrue(Process(lambda: wire.Connection(daemon.admin).is_ended()).result())
        self.assertIn("nobody said Hello (administration socket)", self.refusals(daemon)[-1]["summary"])

    def test_each_reason_to_be_turned_away_is_recorded_with_its_socket_and_what_follows_is_counted(self):
        daemon = self.protected()

        def break_them():
            for path in daemon.socket, daemon.admin:
                for data in b"", b"x" * 40, b"":
                    connection = wire.Connection(path)
                    connection.send_bytes(data)
                    assert connection.is_ended()
                    connection.close()
            return os.getpid()

        attacker = Process(break_them)
        pid = attacker.result()
        # The line of each second's counted ones comes behind it.
        wait_until(lambda: sum(row["count"] for row in self.refusals(daemon)) == 6, "all refusals are recorded")
        expected = [(f"{reason} ({socket} socket)", 1, pid) for socket in ("session", "administration")
                    for reason in ("an empty packet", "a message without a proper header")]
        expected += [(f"refused as well, within a second: an empty packet ({socket} socket)", 1, None)
                     for socket in ("session", "administration")]
        self.assertEqual([(row["summary"], row["count"], row.get("pid")) for row in self.refusals(daemon)], expected)
        self.assertEqual(daemon.status()["refused_messages"], 6)

    def test_connection_that_was_asked_for_at_a_door_says_hello_or_is_closed(self):
        daemon = self.protected()

        def run():
            launcher = wire.Connection(daemon.socket)
            launched = launcher.request(wire.message((wire.LAUNCH, wire.message((1, 1)))))
            door = wire.Connection(end=socket.socket(fileno=launched.descriptors[0]))
            first, second = (wire.Connection(end=socket.socket(fileno=door.request(wire.open_connection()).descriptors[0]))
                             for _ in range(2))
            assert first.say_hello() is None
            assert second.is_ended()
            return first.ask(wire.reading("/dev/null"))

        self.assertEqual(Process(run).result(), "allow")


class InSession(ProtocolTest):
    def test_forged_messages_end_the_session(self):
        daemon = self.protected()
        body = wire.reading("/dev/null")
        for name, bend in (("no MAC", {"tag": wire.NO_TAG}), ("random MAC", {"tag": bytes(range(16))}),
                           ("another key", {"key": bytes(16)})):
            with self.subTest(name):
                self.assertTurnedAway(daemon, "forged", lambda c: c.send(body, **bend))
        with self.subTest("other bytes than those of the MAC"):
            self.assertTurnedAway(daemon, "forged", lambda c: c.send_bytes(
                bytes(byte ^ (i == 40) for i, byte in enumerate(c.packet(body)))))
        with self.subTest("cut short"):
            self.assertTurnedAway(daemon, "forged", lambda c: c.send_bytes(c.packet(body)[:-1]))
        with self.subTest("another direction"):
            self.assertTurnedAway(daemon, "forged", lambda c: c.send(
                body, tag=wire.mac(c.key, wire.TO_CLIENT, c.number, 0, c.sent + 1, body)))
        with self.subTest("of another connection"):
            self.assertTurnedAway(daemon, "forged", lambda c: c.send(
                body, tag=wire.mac(c.key, wire.TO_DAEMON, c.number + 1, 0, c.sent + 1, body)))

    def test_message_of_another_connection_of_the_session_is_worth_nothing(self):
        daemon = self.protected()

        def swap(connection):
            other = connection.another()
            other.sent = connection.sent
            connection.send_bytes(other.packet(wire.reading("/dev/null")))

        self.assertTurnedAway(daemon, "forged", swap)

    def test_repeated_and_skipped_numbers_end_the_session(self):
        daemon = self.protected()
        body = wire.reading("/dev/null")
        for name, step in (("repeated", 0), ("skipped", 2), ("backwards", -1), ("zero", None)):
            with self.subTest(name):
                self.assertTurnedAway(daemon, "out of order, or repeated", lambda c: c.send(
                    body, sequence=0 if step is None else c.sent + step))

    def test_recorded_request_is_not_answered_twice(self):
        daemon = self.protected()

        def replay(connection):
            packet = connection.packet(wire.reading("/dev/null"))
            connection.send_bytes(packet)
            connection.sent += 1
            assert wire.OUTCOMES[wire.first(connection.receive().fields, 1, 0)] == "allow"
            connection.send_bytes(packet)

        self.assertTurnedAway(daemon, "out of order, or repeated", replay)

    def test_messages_out_of_their_state_end_the_session(self):
        daemon = self.protected()
        for name, body in (("hello", wire.hello()), ("resume", wire.resume(1)), ("admin", wire.status()),
                           ("launch", wire.message((wire.LAUNCH, wire.message((1, 1)))))):
            with self.subTest(name):
                self.assertTurnedAway(daemon, "not allowed now", lambda c: c.send(body))

    def test_messages_that_do_not_decode_end_the_session(self):
        daemon = self.protected()
        bodies = {
            "empty": b"", "unknown": wire.message((77, b"what?")), "garbage": b"\xff" * 100,
            "cut": wire.reading("/dev/null")[:-5], "endless number": b"\x2a" + b"\xff" * 12,
            "wrong type": wire.message((wire.ASK, 7)),
            # 100,000 empty arguments: more than the decoder's bound of memory.
            "dense": wire.ask(wire.event("x", packed=[b""] * 100000, count=0)),
        }
        for name, body in bodies.items():
            with self.subTest(name):
                self.assertTurnedAway(daemon, "does not decode",
                                      lambda c: c.send(body) if len(body) < 100000 else c.send_in_file(body))

    def test_events_that_are_ill_formed_end_the_session(self):
        daemon = self.protected()
        deep = [wire.node(7, count=1)] * 20 + [wire.node(0)]
        read = wire.operation(wire.CLASS_READ, path="/x")
        events = {
            "none": wire.message((wire.ASK, b"")),
            "deeper than values may be": wire.ask(wire.event("x", packed=deep, count=1)),
            "an element that is missing": wire.ask(wire.event("x", packed=[wire.node(7, count=2), wire.node(0)], count=1)),
            "an element left over": wire.ask(wire.event("x", packed=[wire.node(0)] * 2, count=1)),
            "more arguments than there are": wire.ask(wire.event("x", count=4000000000)),
            "a list longer than lists may be": wire.ask(wire.event(
                "x", packed=[wire.node(7, count=5000)] + [b""] * 5000, count=1)),
            "a map of more pairs than an int holds": wire.ask(wire.event(
                "x", packed=[wire.node(8, count=1 << 31)] + [b""] * 4, count=1)),
            "too many values": wire.ask(wire.event("x", packed=[b""] * 17000, count=17000)),
            "an unknown kind": wire.ask(wire.event("x", packed=[wire.node(99)], count=1)),
            "a negative kind": wire.ask(wire.event("x", packed=[wire.node(-1)], count=1)),
            "unknown marks": wire.ask(wire.event("x", packed=[wire.node(0, marks=8)], count=1)),
            "an object that is known": wire.ask(wire.event("x", packed=[wire.node(9, raw=b"int")], count=1)),
            "a text too long": wire.ask(wire.event("x", ("y" * 66000,))),
            "a name too long": wire.ask(wire.event("x" * 257)),
            "an unknown class": wire.ask(wire.event("x", (), (wire.message((1, 99)),))),
            "class none": wire.ask(wire.event("x", (), (b"",))),
            "too many operations": wire.ask(wire.event("x", (), (read,) * 17)),
            "an attribute of another class": wire.ask(wire.event(
                "x", (), (wire.message((1, wire.CLASS_READ), (2, wire.message((1, 1), (2, wire.node(0))))),))),
            "an attribute twice": wire.ask(wire.event("x", (), (read + read[2:],))),
            "an attribute without a value": wire.ask(wire.event(
                "x", (), (wire.message((1, wire.CLASS_READ), (2, wire.message((1, wire.ATTRIBUTE_PATH)))),))),
        }
        for name, body in events.items():
            with self.subTest(name):
                self.assertTurnedAway(daemon, "ill formed",
                                      lambda c: c.send(body) if len(body) < 100000 else c.send_in_file(body))

    def test_records_that_are_ill_formed_or_too_many_end_the_session(self):
        daemon = self.protected()
        one = wire.message((1, wire.message((1, 1), (2, wire.event("x")))))
        for words, body in (("ill formed", wire.message((wire.RECORDS, wire.message((1, b""))))),
                            ("more records", wire.message((wire.RECORDS, one * 2000)))):
            with self.subTest(words):
                self.assertTurnedAway(daemon, words, lambda c: c.send(body))

    def test_count_of_what_is_missing_is_no_more_than_the_record_can_hold(self):
        daemon = self.protected()

        def lose():
            connection = wire.session(daemon.socket)
            connection.send(wire.message((wire.RECORDS, wire.message((2, 2**64 - 1), (3, 2**64 - 1)))))
            return connection.ask(wire.reading("/dev/null"))

        self.assertEqual(Process(lose).result(), "allow")
        for said in "records lost by the hook", "denied without an answer of the daemon":
            rows = [row for row in daemon.log() if row["summary"] == said]
            self.assertEqual([row["count"] for row in rows], [2**63 - 1])

    def test_packets_that_are_too_large_or_empty_end_the_session(self):
        daemon = self.protected()
        with self.subTest("too large"):
            body = wire.ask(wire.event("x", ("y" * 60000, "y" * 60000, "y" * 60000)))
            self.assertTurnedAway(daemon, "larger than a packet", lambda c: c.send(body))
        with self.subTest("empty"):
            self.assertTurnedAway(daemon, "an empty packet", lambda c: c.send_bytes(b""))
        with self.subTest("a header cut short"):
            self.assertTurnedAway(daemon, "without a proper header", lambda c: c.send_bytes(c.packet(b"")[:31]))
        with self.subTest("flags of nobody"):
            self.assertTurnedAway(daemon, "without a proper header", lambda c: c.send(
                wire.reading("/dev/null"), flags=2))

    def test_memory_files_that_are_none_end_the_session(self):
        daemon = self.protected()
        body = wire.reading("/dev/null")

        def with_file(make):
            def send(connection):
                descriptor = make()
                connection.send(body, (descriptor,) if descriptor is not None else (), flags=wire.IN_FILE)
            return send

        cases = {"missing": lambda: None,
                 "of no kind that is sealed": lambda: os.open("/dev/zero", os.O_RDONLY),
                 "a pipe, which would block": lambda: os.pipe()[0],
                 "empty": lambda: wire.memory_file(b""),
                 "too large": lambda: wire.memory_file(b"x" * (wire.MESSAGE_MAX + 1))}
        for seal in wire.SEAL_SEAL, wire.SEAL_SHRINK, wire.SEAL_GROW, wire.SEAL_WRITE:
            cases[f"without seal {seal}"] = lambda seal=seal: wire.memory_file(body, SEALS & ~seal)
        for name, make in cases.items():
            with self.subTest(name):
                self.assertTurnedAway(daemon, "not sealed, empty or too large", with_file(make))
        with self.subTest("another body than the MAC's"):
            self.assertTurnedAway(daemon, "forged", with_file(lambda: wire.memory_file(wire.reading("/else"))))
        with self.subTest("a body beside the file"):
            self.assertTurnedAway(daemon, "not sealed", lambda c: c.send_bytes(
                c.packet(body, flags=wire.IN_FILE) + body, (wire.memory_file(body),)))

    def test_message_in_a_memory_file_is_answered_like_any_other(self):
        daemon = self.protected()

        def ask():
            connection = wire.session(daemon.socket)
            texts = ["y" * 60000] * 8
            answers = []
            for path in "/dev/null", "/denied/x":
                connection.send_in_file(wire.ask(wire.event("open", (path, texts), (
                    wire.operation(wire.CLASS_READ, path=path),))))
                answers.append(wire.OUTCOMES[wire.first(connection.receive().fields, 1, 0)])
            return answers

        self.assertEqual(Process(ask).result(), ["allow", "deny"])

    def test_descriptors_passed_along_end_the_session_or_are_closed(self):
        daemon = self.protected()
        body = wire.reading("/dev/null")
        for count in 5, 6, 100:
            with self.subTest(count):
                self.assertTurnedAway(daemon, "larger than a packet", lambda c: c.send(body, [0] * count))

        def stuff():
            connection = wire.session(daemon.socket)
            for _ in range(3000):
                assert connection.request(body, [0] * 4).kind == wire.VERDICT
            return connection.session

        Process(stuff).result()
        self.assertLess(len(os.listdir(f"/proc/{daemon.process.pid}/fd")), 100)

    def test_more_connections_than_a_session_may_have_end_it(self):
        daemon = self.protected()

        def grow(connection):
            held = []
            while True:
                held.append(connection.another())

        self.assertTurnedAway(daemon, "more connections than a session", grow)

    def test_changed_bits_are_never_an_allow(self):
        daemon = self.protected()

        def flip():
            chance = random.Random(20)
            path = "/dev/null"
            for _ in range(400):
                connection = wire.session(daemon.socket)
                packet = bytearray(connection.packet(wire.reading(path)))
                bit = chance.randrange(len(packet) * 8)
                packet[bit // 8] ^= 1 << bit % 8
                connection.send_bytes(bytes(packet))
                assert connection.is_ended(), f"bit {bit} was answered"
                connection.close()

        Process(flip).result()
        self.assertEqual(daemon.status()["decisions"], 0)
        self.assertEqual(daemon.status()["refused_messages"], 400)

    def test_changed_events_under_the_right_mac_leave_the_daemon_serving(self):
        daemon = self.protected()
        bystander = Bystander(daemon.socket)

        def bend():
            chance = random.Random(7)
            answered = 0
            connection = None
            for _ in range(3000):
                connection = connection or wire.session(daemon.socket)
                body = bytearray(wire.ask(wire.event("open", ("/dev/null", ["a", {"b": b"c"}], 7),
                                                     (wire.operation(wire.CLASS_READ, path="/dev/null"),))))
                for _ in range(chance.randrange(1, 5)):
                    body[chance.randrange(len(body))] = chance.randrange(256)
                if chance.randrange(3) == 0:
                    del body[chance.randrange(len(body)):]
                try:
                    answered += connection.request(bytes(body)).kind == wire.VERDICT
                except wire.Ended:
                    connection.close()
                    connection = None
            return answered

        self.assertGreater(Process(bend).result(), 0)
        self.assertTrue(bystander.is_served())
        bystander.end()
        self.assertGreater(daemon.status()["refused_messages"], 0)

    def test_client_that_reads_no_answers_is_closed_and_nobody_waits_for_it(self):
        daemon = self.protected()
        bystander = Bystander(daemon.socket)

        def deaf():
            connection = wire.session(daemon.socket)
            connection.socket.settimeout(PATIENCE)
            try:
                for _ in range(100000):
                    connection.send(wire.reading("/denied"))
            except wire.Ended:
                return True
            return False

        self.assertTrue(Process(deaf).result())
        self.assertTrue(bystander.is_served())
        bystander.end()


def denying(*paths):
    """The Wishes that nobody reads what is below these paths."""
    return wire.message(*((2, wire.message((1, "wish.warder"), (
        2, f'policy wish{i} {{ deny read where path under "{path}" as no }}'))) for i, path in enumerate(paths)))


class DaemonThatCouldNotRun(ProtocolTest):
    """What was said while the daemon stood still is heard before it is found to be late."""

    def test_calling_line_of_a_denial_is_recorded(self):
        daemon = self.protected()
        asked, told = self.directory / "asked", self.directory / "told"

        def deny():
            connection = wire.session(daemon.socket)
            reply = connection.request(wire.reading("/denied/x"))
            asked.touch()
            wait_until(told.exists, "the daemon stands still")
            connection.send(wire.message((wire.DENIED, wire.message(
                (1, wire.first(reply.fields, 8)), (2, "/the/script.py"), (3, 7)))))
            time.sleep(1.5)
            return connection.ask(wire.reading("/dev/null"))

        process = Process(deny)
        wait_until(asked.exists, "the event was denied")
        daemon.process.send_signal(signal.SIGSTOP)
        told.touch()
        time.sleep(1)
        daemon.process.send_signal(signal.SIGCONT)
        self.assertEqual(process.result(), "allow")
        self.assertEqual([(row["file"], row["line"]) for row in daemon.log("--denied")], [("/the/script.py", 7)])

    def test_hello_is_answered(self):
        daemon = self.protected()
        connected, told, said = (self.directory / name for name in ("connected", "told", "said"))

        def begin():
            connection = wire.Connection(daemon.socket)
            connected.touch()
            wait_until(told.exists, "the daemon stands still")
            connection.send(wire.hello())
            said.touch()
            return connection.receive().kind

        process = Process(begin)
        wait_until(connected.exists, "the connection is made")
        daemon.status()  # it has accepted it by then
        daemon.process.send_signal(signal.SIGSTOP)
        told.touch()
        wait_until(said.exists, "Hello is said")
        time.sleep(2.5)
        daemon.process.send_signal(signal.SIGCONT)
        self.assertEqual(process.result(), wire.WELCOME)


class Descent(ProtocolTest):
    """What was asked for a process, or above it, can only add up, whatever it says on new connections."""

    def launch(self, daemon, wishes):
        """Makes this process a launcher. The connection that must stay, and the run's token."""
        connection = wire.Connection(daemon.socket)
        reply = connection.request(wire.message((wire.LAUNCH, wire.message((1, 1), (2, wishes)))))
        assert reply.kind == wire.LAUNCHED, reply.fields
        return connection, wire.first(reply.fields, 1)

    def verdicts(self, daemon, *more):
        """What a new session of this process hears of three paths."""
        connection = wire.session(daemon.socket, *more)
        return [connection.ask(wire.reading(path)) for path in ("/one", "/two", "/dev/null")]

    def test_children_of_a_process_inherit_whatever_became_of_its_sessions(self):
        daemon = self.protected()

        def process():
            first = wire.session(daemon.socket, (9, denying("/one")))
            found = [self.verdicts(daemon), Process(self.verdicts, daemon).result()]
            second = wire.session(daemon.socket)
            for connection in second, first:
                connection.send_bytes(b"junk")
                assert connection.is_ended()
                found.append(Process(self.verdicts, daemon).result())
            return found + [self.verdicts(daemon)]

        self.assertEqual(Process(process).result(), [["deny", "allow", "allow"]] * 5)
        self.assertEqual(Process(self.verdicts, daemon).result(), ["allow"] * 3)

    def test_token_of_a_run_elsewhere_adds_to_descent(self):
        daemon = self.protected()
        ours, theirs = socket.socketpair()

        def elsewhere():
            stays, token = self.launch(daemon, denying("/two"))
            theirs.send(token)
            said = theirs.recv(10).decode()
            stays.close()
            return said

        def launcher(token):
            stays, _ = self.launch(daemon, denying("/one"))
            found = [Process(self.verdicts, daemon).result(), Process(self.verdicts, daemon, (10, token)).result()]
            stays.close()
            return found + [Process(self.verdicts, daemon).result()]

        other = Process(elsewhere)
        token = ours.recv(100)
        one, two, both = ["deny", "allow", "allow"], ["allow", "deny", "allow"], ["deny", "deny", "allow"]
        self.assertEqual(Process(launcher, token).result(), [one, both, one])
        self.assertEqual(Process(self.verdicts, daemon, (10, token)).result(), two)
        ours.send(b"end")
        self.assertEqual(other.result(), "end")

    def test_forked_child_is_under_all_that_its_parent_asked_for(self):
        daemon = self.protected()

        def parent():
            connection = wire.session(daemon.socket, (9, denying("/one")))
            opened = connection.another(child=True)

            def child():
                assert opened.say_hello() is None
                return opened.ask(wire.reading("/one"))

            return Process(child).result()

        self.assertEqual(Process(parent).result(), "deny")

    def test_what_a_session_asked_for_holds_after_a_restart(self):
        daemon = self.protected()
        ours, theirs = socket.socketpair()

        def process():
            wire.session(daemon.socket, (9, denying("/one")))
            connection = wire.session(daemon.socket, (9, denying("/two")))
            theirs.send(b"ready")
            theirs.recv(10)
            fresh = wire.Connection(daemon.socket)
            reply = fresh.request(wire.resume(connection.session), key=connection.key)
            fresh.number, fresh.key = wire.first(reply.fields, 2), connection.key
            return [[fresh.ask(wire.reading(path)) for path in ("/one", "/two", "/dev/null")],
                    Process(self.verdicts, daemon).result()]

        asked = Process(process)
        theirs.close()
        ours.recv(10)
        wait_until(lambda: [one.stat().st_size > 0 for one in (daemon.directory / "sessions").iterdir()] == [True] * 2,
                   "the sessions are kept")
        daemon.kill()
        daemon.start()
        ours.send(b"go")
        self.assertEqual(asked.result(), [["deny", "deny", "allow"]] * 2)

    def test_more_than_a_session_can_be_under_is_refused_and_nothing_is_left_out(self):
        daemon = self.protected()

        def process():
            for i in range(16):
                assert wire.Connection(daemon.socket).say_hello((9, denying(f"/held/{i}"))) is None, i
            refused = wire.Connection(daemon.socket).say_hello((9, denying("/held/16")))
            again = wire.session(daemon.socket, (9, denying("/held/3")))
            return [wire.first(refused.fields, 1).decode(),
                    [again.ask(wire.reading(f"/held/{i}")) for i in range(17)]]

        words, verdicts = Process(process).result()
        self.assertIn("more than one session can be under", words)
        self.assertEqual(verdicts, ["deny"] * 16 + ["allow"])

    def test_user_has_so_many_processes_under_policy_and_no_more(self):
        daemon = self.protected(sessions_per_user=2, connections_per_user=3)
        ours, theirs = socket.socketpair()

        def broken():
            connection = wire.Connection(daemon.socket)
            refused = connection.say_hello()
            if refused:
                theirs.send(b"refused")
                return wire.first(refused.fields, 1).decode()
            connection.send_bytes(b"junk")
            assert connection.is_ended()
            connection.close()
            theirs.send(b"broken")
            return theirs.recv(3).decode()

        processes = []
        for _ in range(6):
            processes.append(Process(broken))
            said = ours.recv(7)
        self.assertEqual(said, b"refused")
        self.assertIn("as many processes under policy", processes.pop().result())
        for process in processes:
            ours.send(b"end")
        self.assertEqual([process.result() for process in processes], ["end"] * 5)
        wait_until(lambda: Process(lambda: wire.Connection(daemon.socket).say_hello() is None).result(),
                   "there is room again")


class TakingUpAgain(ProtocolTest):
    def test_session_is_taken_up_by_its_process_with_its_key_alone(self):
        daemon = self.protected()

        def sessions():
            connection = wire.session(daemon.socket)

            def again(key, number=connection.session):
                fresh = wire.Connection(daemon.socket)
                try:
                    nonce = os.urandom(16)
                    reply = fresh.request(wire.resume(number, nonce), key=key)
                    if reply.kind == wire.REFUSED:
                        return "refused"
                    fresh.number = wire.first(reply.fields, 2)
                    fresh.key = connection.key
                    return [reply.kind == wire.RESUMED and wire.first(reply.fields, 1) == nonce,
                            fresh.ask(wire.reading("/dev/null"))]
                except wire.Ended:
                    return "ended"

            return {"right": again(connection.key), "wrong key": again(bytes(16)), "no key": again(None),
                    "another number": again(connection.key, connection.session + 1),
                    "another process": Process(again, connection.key).result(),
                    "still": connection.ask(wire.reading("/dev/null"))}

        self.assertEqual(Process(sessions).result(), {
            "right": [True, "allow"], "wrong key": "ended", "no key": "ended", "another number": "refused",
            "another process": "ended", "still": "allow"})
        self.assertEqual(daemon.status()["refused_messages"], 3)
        self.assertIn("a forged message", " ".join(row["summary"] for row in self.refusals(daemon)))

    def test_session_is_taken_up_after_a_restart_by_its_process_with_its_key_alone(self):
        daemon = self.protected()
        ours, theirs = socket.socketpair()

        def sessions():
            connection = wire.session(daemon.socket)
            theirs.send(b"ready")
            theirs.recv(10)

            def again(key):
                fresh = wire.Connection(daemon.socket)
                try:
                    reply = fresh.request(wire.resume(connection.session), key=key)
                    if reply.kind == wire.REFUSED:
                        return "refused"
                    fresh.number, fresh.key = wire.first(reply.fields, 2), connection.key
                    return [reply.kind, fresh.ask(wire.reading("/dev/null"))]
                except wire.Ended:
                    return "ended"

            return [Process(again, connection.key).result(), again(bytes(16)), again(connection.key)]

        process = Process(sessions)
        theirs.close()
        ours.recv(10)
        wait_until(lambda: list((daemon.directory / "sessions").iterdir()), "the session is kept")
        daemon.kill()
        daemon.start()
        ours.send(b"go")
        self.assertEqual(process.result(), ["refused", "ended", [wire.RESUMED, "allow"]])

    def test_taking_up_again_and_again_gives_no_more_connections_than_a_session_may_have(self):
        daemon = self.protected()

        def sessions():
            connection = wire.session(daemon.socket)
            taken = []
            for _ in range(10):
                fresh = wire.Connection(daemon.socket, patience=1)
                reply = fresh.request(wire.resume(connection.session), key=connection.key)
                fresh.number, fresh.key = wire.first(reply.fields, 2), connection.key
                taken.append(fresh)
            alive = 0
            for fresh in [connection, *taken]:
                try:
                    alive += fresh.ask(wire.reading("/dev/null")) == "allow"
                except wire.Ended:
                    pass
            return alive, taken[-1].ask(wire.reading("/dev/null"))

        self.assertEqual(Process(sessions).result(), [4, "allow"])

    def test_child_of_another_session_is_not_believed(self):
        daemon = self.protected()

        def processes():
            parent = wire.session(daemon.socket)

            def child(key):
                connection = wire.Connection(daemon.socket)
                connection.key = key
                try:
                    connection.say_hello((14, parent.session))
                    return connection.ask(wire.reading("/denied"))
                except wire.Ended:
                    return "ended"

            return [Process(child, parent.key).result(), Process(child, bytes(16)).result()]

        self.assertEqual(Process(processes).result(), ["deny", "ended"])
