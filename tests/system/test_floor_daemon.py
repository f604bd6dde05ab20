"""The floor that the daemon compiles for a session, as it arrives: no interpreter is driven (wire.py speaks).

What a process then does with it is the matter of test_floor.py.
"""

import ctypes
import errno
import json
import os
import socket

import wire
from attackers import Process, ProtocolTest
from support import wait_until

CLASSES = {"exec": 1, "fork": 2, "read": 4, "write": 5, "connect": 6, "bind": 7}
FLOOR_TAKEN = 9
PLACE_START = 3  # enum place of policies/engine/subject.h
ROUTE_ATTACH = 3


def bits(*names):
    return sum(1 << CLASSES[name] for name in names)


def packed(fields, number):
    """A repeated number, as proto3 packs it."""
    data, numbers, at = wire.first(fields, number, b""), [], 0
    while at < len(data):
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        numbers.append(value)
    return numbers


class Floor:
    def __init__(self, data):
        fields = wire.decode(data)
        self.classes = wire.first(fields, 1, 0)
        self.required = wire.first(fields, 2, 0)
        self.base_filter = wire.first(fields, 3, b"")
        self.interpreter_filter = wire.first(fields, 4, b"")
        self.paths = {}
        for path in fields.get(5, ()):
            parts = wire.decode(path)
            self.paths[wire.first(parts, 1).decode()] = (wire.first(parts, 2), bool(wire.first(parts, 30, 0)))
        self.connect_ports = None if wire.first(fields, 7, 0) else packed(fields, 6)
        self.bind_ports = None if wire.first(fields, 9, 0) else packed(fields, 8)


def place(number, *paths):
    return 8, wire.message((1, number), *((2, path) for path in paths))


def texts(*policies):
    return 9, wire.message(*((2, wire.message((1, "p.warder"), (2, text))) for text in policies))


def install(program):
    """Puts a filter before this process, as the hook does."""
    libc = ctypes.CDLL(None, use_errno=True)
    code = ctypes.create_string_buffer(program, len(program))

    class Header(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]

    header = Header(len(program) // 8, ctypes.addressof(code))
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, ctypes.byref(header), 0, 0) == 0, os.strerror(ctypes.get_errno())  # PR_SET_SECCOMP


def error_of(function, *arguments):
    """Its errno; 0 if it was done."""
    try:
        function(*arguments)
    except OSError as error:
        return error.errno
    return 0


def fork_and_wait():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


class FloorTest(ProtocolTest):
    prefix = "floor.daemon"

    def serving(self, *policies):
        daemon = self.daemon()
        daemon.directory.chmod(0o755)
        for policy in policies:
            daemon.apply(policy)
        return daemon

    def welcome(self, daemon, *more):
        """The Welcome of a session, by a process of its own: its floor, packed, or why there is no session."""
        def become():
            connection = wire.Connection(daemon.socket)
            nonce = os.urandom(16)
            reply = connection.request(wire.hello(nonce, *more))
            if reply.kind != wire.WELCOME:
                return "refused", wire.first(reply.fields, 1).decode()
            floor = wire.first(reply.fields, 8)
            return "floor", floor.hex() if floor is not None else None
        return Process(become).result()

    def floor(self, daemon, *more):
        kind, data = self.welcome(daemon, *more)
        self.assertEqual(kind, "floor", data)
        return None if data is None else Floor(bytes.fromhex(data))


class WhatArrives(FloorTest):
    def test_session_without_a_floor_gets_none(self):
        daemon = self.serving('policy p { applies { platform is "linux" } default deny exec }')
        self.assertIsNone(self.floor(daemon))

    def test_policy_that_applies_gives_its_floor(self):
        daemon = self.serving('policy p { applies { platform is "linux" } default deny exec, fork floor exec, fork }')
        floor = self.floor(daemon)
        self.assertEqual(floor.classes, bits("exec", "fork"))
        self.assertEqual(floor.required, 0)
        self.assertEqual(floor.paths, {})
        self.assertGreater(len(floor.interpreter_filter), len(floor.base_filter))
        self.assertEqual(len(floor.base_filter) % 8, 0)

    def test_policy_that_observes_gives_none(self):
        # Clause K-13.
        daemon = self.serving('policy p { applies { platform is "linux" } mode observe default deny exec floor exec }')
        self.assertIsNone(self.floor(daemon))

    def test_places_are_the_sessions_own(self):
        daemon = self.serving('policy p { applies { platform is "linux" } default deny write floor write '
                              'allow write where path under [session.start "/out", session.null] as out }')
        floor = self.floor(daemon, place(PLACE_START, "/srv/here"))
        self.assertEqual(floor.paths, {"/srv/here/out": (bits("write"), False),
                                       "/dev/null": (bits("write"), False)})

    def test_floor_of_several_policies_is_what_all_of_them_let_through(self):
        # Clause K-13.
        daemon = self.serving(
            'policy a { applies { platform is "linux" } default deny write floor write '
            'allow write where path under ["/srv/a", "/srv/b/deep", "/srv/only-a"] as w }',
            'policy b { applies { platform is "linux" } default deny write floor write '
            'allow write where path under ["/srv/a/inner", "/srv/b"] as w }',
            'policy c { applies { platform is "linux" } default deny write allow write where path under "/elsewhere" as w }')
        floor = self.floor(daemon)
        self.assertEqual(floor.paths, {"/srv/a/inner": (bits("write"), False),
                                       "/srv/b/deep": (bits("write"), False)})

    def test_text_of_a_session_narrows_the_floor(self):
        daemon = self.serving('policy a { applies { platform is "linux" } default deny write floor write required '
                              'allow write where path under "/srv" as w }')
        floor = self.floor(daemon, texts('policy own { default deny write, exec floor write, exec '
                                         'allow write where path under "/srv/own" as w }'))
        self.assertEqual(floor.classes, bits("write", "exec"))
        self.assertEqual(floor.required, bits("write"))
        self.assertEqual(floor.paths, {"/srv/own": (bits("write"), False)})

    def test_text_of_a_session_does_not_widen_the_floor(self):
        daemon = self.serving('policy a { applies { platform is "linux" } default deny write floor write }')
        floor = self.floor(daemon, texts('policy own { default deny write floor write '
                                         'allow write where path under "/srv/own" as w }'))
        self.assertEqual(floor.paths, {})

    def test_floor_of_read_opens_what_is_started_and_loaded_too(self):
        # Clause K-17.
        daemon = self.serving('policy p { applies { platform is "linux" } default deny read, exec, native '
                              'floor read, exec allow read where path under "/srv/r" as r '
                              'allow exec where file is "/srv/program" as e '
                              'allow native where path under "/srv/lib" as n }')
        floor = self.floor(daemon)
        self.assertEqual(floor.paths, {"/srv/r": (bits("read"), False), "/srv/lib": (bits("read"), False),
                                       "/srv/program": (bits("read", "exec"), True)})

    def test_ports_and_families_of_rules_arrive(self):
        daemon = self.serving('policy p { applies { platform is "linux" } default deny connect, bind '
                              'floor connect, bind allow connect where port in [443, 8000-8002] as c }')
        floor = self.floor(daemon)
        self.assertEqual(floor.connect_ports, [443, 8000, 8001, 8002])
        self.assertEqual(floor.bind_ports, [])

    def test_more_ports_than_a_list_can_have_are_not_listed(self):
        daemon = self.serving('policy p { applies { platform is "linux" } default deny connect, bind '
                              'floor connect, bind allow connect where port in [1-5000] as c allow bind as b }')
        floor = self.floor(daemon)
        self.assertIsNone(floor.connect_ports)
        self.assertEqual(floor.classes, bits("connect"))  # of bind everything is allowed

    def test_floor_that_is_too_large_refuses_the_session(self):
        def named(directory):
            return ", ".join(f'"/srv/{directory}/{number}"' for number in range(1000))
        daemon = self.serving('policy p { applies { platform is "linux" } default deny read, write, exec '
                              f'floor read, write, exec allow read where path in [{named("r")}] as r '
                              f'allow write where path in [{named("w")}] as w '
                              f'allow exec where file in [{named("e")}] as e }}')
        kind, words = self.welcome(daemon)
        self.assertEqual(kind, "refused")
        self.assertIn("name directories instead", words)

    def test_launcher_gets_the_filter_that_may_stand_before_the_program(self):
        daemon = self.serving('policy named { default deny exec floor exec '
                              'allow exec where file is "/bin/true" as t }')

        def launch():
            connection = wire.Connection(daemon.socket)
            reply = connection.request(wire.message((wire.LAUNCH, wire.message(
                (1, 1), (2, wire.message((1, "named")))))))
            return reply.kind, wire.first(reply.fields, 5, b"").hex()
        kind, data = Process(launch).result()
        self.assertEqual(kind, wire.LAUNCHED)
        floor = Floor(bytes.fromhex(data))
        self.assertEqual(floor.classes, bits("exec"))
        self.assertGreater(len(floor.base_filter), 0)
        self.assertEqual((floor.interpreter_filter, floor.paths), (b"", {}))


class WhatIsTaken(FloorTest):
    POLICY = 'policy p { applies { platform is "linux" } default deny exec, write floor exec, write%s }'

    def held(self, daemon, classes, missing=(), ask=True, route=1):
        """A process with a session that says it took these classes, one after the other if they are several; it
        lives until the end that is given back is closed."""
        if not isinstance(classes, tuple):
            classes = () if classes is None else (classes,)
        ours, theirs = socket.socketpair()

        def live():
            ours.close()
            connection = wire.Connection(daemon.socket)
            assert connection.say_hello((4, route)) is None
            for taken in classes:
                connection.send(wire.message((FLOOR_TAKEN, wire.message(
                    (1, taken), (2, 7), *((3, words) for words in missing)))))
            verdict = None
            if ask:
                try:
                    verdict = connection.ask(wire.reading("/dev/null"))
                except wire.Ended:
                    verdict = "ended"
            theirs.send(b"x")
            theirs.recv(1)
            return verdict
        process = Process(live)
        theirs.close()
        self.assertEqual(ours.recv(1), b"x")
        return process, ours

    def sessions(self, daemon):
        result = daemon.command("status", "--sessions", "--json")
        self.assertEqual(result.status, 0, result)
        return [json.loads(line) for line in result.out.splitlines()]

    def test_status_tells_what_each_session_took_and_what_its_kernel_lacks(self):
        daemon = self.serving(self.POLICY % "")
        self.assertEqual(self.sessions(daemon), [])
        self.assertEqual(daemon.command("status", "--sessions").out,
                         "there are no sessions: no interpreter is under this daemon now\n")
        process, end = self.held(daemon, bits("exec"), ["files cut by truncate", "a\x1bb"])
        session, = self.sessions(daemon)
        self.assertEqual((session["pid"], session["policies"]), (process.pid, ["local/p"]))
        floor = session["floor"]
        self.assertEqual((floor["asked"], floor["taken"], floor["said"], floor["landlock"]),
                         (["exec", "write"], ["exec"], True, 7))
        self.assertEqual(floor["missing"][0], "files cut by truncate")
        self.assertNotIn("\x1b", floor["missing"][1])
        self.assertIsNone(floor["changed_by"])
        text = daemon.command("status", "--sessions").out
        self.assertIn("NOT HELD   write", text)
        self.assertIn("missing    files cut by truncate", text)
        self.assertEqual((daemon.status()["floors"], daemon.status()["floors_lacking"]), (1, 1))
        end.close()
        self.assertEqual(process.result(), "allow")

    def test_status_claims_no_c_boundary_for_what_attached(self):
        daemon = self.serving(self.POLICY % "")
        for route, boundary, words in ((1, True, "by the audit hook and the C boundary alone"),
                                       (3, False, "by the audit hook alone, for attach() brings no C boundary")):
            process, end = self.held(daemon, bits("exec"), route=route)
            session, = self.sessions(daemon)
            self.assertEqual((session["route"], session["boundary"]), ({1: "preload", 3: "attach"}[route], boundary))
            text = daemon.command("status", "--sessions").out
            self.assertIn(f"NOT HELD   write: {words}\n", text)
            self.assertEqual("  attached   " in text, not boundary)
            end.close()
            self.assertEqual(process.result(), "allow")
            wait_until(lambda: not self.sessions(daemon), "the session is over")

    def test_status_tells_a_session_whose_policies_ask_for_another_floor_now(self):
        # Clause K-11.
        daemon = self.serving(self.POLICY % "")
        process, end = self.held(daemon, bits("exec", "write"))
        daemon.apply('policy other { applies { platform is "windows" } default deny exec floor exec }')
        self.assertIsNone(self.sessions(daemon)[0]["floor"]["changed_by"])
        daemon.apply(self.POLICY % ' allow write where path under "/srv" as w')
        self.assertEqual(self.sessions(daemon)[0]["floor"]["changed_by"], "local/p")
        self.assertIn("taken before local/p changed: restart the process", daemon.command("status", "--sessions").out)
        end.close()
        process.result()

    def test_policy_that_came_later_and_one_that_went_are_named(self):
        daemon = self.serving(self.POLICY % "")
        process, end = self.held(daemon, bits("exec", "write"))
        daemon.apply('policy more { applies { platform is "linux" } default deny bind floor bind }')
        self.assertEqual(self.sessions(daemon)[0]["floor"]["changed_by"], "local/more")
        self.assertEqual(daemon.command("remove", "more").status, 0)
        self.assertIsNone(self.sessions(daemon)[0]["floor"]["changed_by"])
        self.assertEqual(daemon.command("remove", "p").status, 0)
        self.assertEqual(self.sessions(daemon)[0]["floor"]["changed_by"], "local/p")
        end.close()
        process.result()

    def test_what_was_taken_is_in_the_record(self):
        daemon = self.serving('policy q { applies { platform is "linux" } deny read where path under "/denied" as no }',
                              self.POLICY % "")

        def become():
            connection = wire.Connection(daemon.socket)
            assert connection.say_hello() is None
            connection.send(wire.message((FLOOR_TAKEN, wire.message((1, bits("exec", "fork")), (2, 3), (3, "one")))))
            return connection.ask(wire.reading("/denied/x"))
        self.assertEqual(Process(become).result(), "deny")
        row = wait_until(lambda: [row for row in daemon.log("-n", "0") if row["kind"] == "decision"], "the record")[-1]
        self.assertEqual(row["subject"]["floor"],
                         {"asked": ["exec", "write"], "taken": ["exec"], "landlock": 3, "missing": ["one"]})

    def test_process_that_did_not_take_what_is_required_is_turned_away(self):
        # Clause K-7.
        daemon = self.serving(self.POLICY % " required")
        process, end = self.held(daemon, bits("exec"))
        end.close()
        self.assertEqual(process.result(), "ended")
        self.assertIn("did not take the floor", " ".join(row["summary"] for row in self.refusals(daemon)))

    def test_events_before_a_required_floor_are_turned_away(self):
        # Clause K-7.
        daemon = self.serving(self.POLICY % " required")
        process, end = self.held(daemon, None)
        end.close()
        self.assertEqual(process.result(), "ended")
        self.assertIn("before the floor", " ".join(row["summary"] for row in self.refusals(daemon)))

    def test_only_the_first_word_of_what_was_taken_counts(self):
        daemon = self.serving(self.POLICY % "")
        process, end = self.held(daemon, (0, bits("exec", "write")))
        self.assertEqual(self.sessions(daemon)[0]["floor"]["taken"], [])
        end.close()
        process.result()

    def test_restarted_daemon_knows_the_floors_of_sessions(self):
        daemon = self.serving(self.POLICY % " required")
        ours, theirs = socket.socketpair()

        def process():
            ours.close()
            connection = wire.Connection(daemon.socket)
            assert connection.say_hello() is None
            connection.send(wire.message((FLOOR_TAKEN, wire.message((1, bits("exec", "write")), (2, 5), (3, "one")))))
            connection.ask(wire.reading("/dev/null"))
            theirs.send(b"x")
            theirs.recv(1)
            fresh = wire.Connection(daemon.socket)
            reply = fresh.request(wire.resume(connection.session), key=connection.key)
            fresh.number, fresh.key = wire.first(reply.fields, 2), connection.key
            verdict = fresh.ask(wire.reading("/dev/null"))
            theirs.send(b"x")
            theirs.recv(1)
            return verdict
        asked = Process(process)
        theirs.close()
        ours.recv(1)
        before, = self.sessions(daemon)
        kept = daemon.directory / "sessions" / before["session"]
        wait_until(lambda: b"one" in kept.read_bytes(), "the floor is kept")
        daemon.kill()
        daemon.start()
        ours.send(b"x")
        ours.recv(1)
        after, = self.sessions(daemon)
        self.assertEqual(after["floor"], before["floor"])
        daemon.apply(self.POLICY % ' required allow write where path under "/srv" as w')
        self.assertEqual(self.sessions(daemon)[0]["floor"]["changed_by"], "local/p")
        ours.close()
        self.assertEqual(asked.result(), "allow")

    def test_forked_child_has_its_parents_floor(self):
        # Clause K-11.
        daemon = self.serving(self.POLICY % " required")

        def become():
            connection = wire.Connection(daemon.socket)
            assert connection.say_hello() is None
            connection.send(wire.message((FLOOR_TAKEN, wire.message((1, bits("exec", "write"))))))
            child = connection.another(child=True)
            pid = os.fork()
            if pid == 0:
                nonce = os.urandom(16)
                reply = child.request(wire.hello(nonce))
                status = 1
                if reply.kind == wire.WELCOME and 8 not in reply.fields:
                    child.session = wire.first(reply.fields, 1)
                    child.key = wire.child_key(child.key, nonce, wire.first(reply.fields, 3), child.session)
                    child.number = wire.first(reply.fields, 4)
                    status = 0 if child.ask(wire.reading("/dev/null")) == "allow" else 2
                os._exit(status)
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self.assertEqual(Process(become).result(), 0)


class WhatTheFiltersHold(FloorTest):
    def behind(self, policy, function):
        """What the function gives in a process behind the interpreter's filter."""
        daemon = self.serving(policy)
        floor = self.floor(daemon)

        def guarded():
            install(floor.base_filter)
            install(floor.interpreter_filter)
            return function()
        return Process(guarded).result()

    def test_nothing_is_started_and_nothing_forked(self):
        def attempts():
            return [error_of(os.execv, "/bin/true", ["true"]), error_of(fork_and_wait),
                    error_of(os.posix_spawn, "/bin/true", ["true"], {})]
        got = self.behind('policy p { applies { platform is "linux" } default deny exec, fork floor exec, fork }',
                          attempts)
        self.assertEqual(got, [errno.EACCES] * 3)
