"""Who may administer, and what becomes of others who try."""

import os
import signal
import socket
import time

import wire
from attackers import Process, ProtocolTest
from support import WARDER, execute, wait_until


class Administration(ProtocolTest):
    FORBIDDEN = 3

    def ask_status(self, daemon, connection=None):
        connection = connection or wire.Connection(daemon.admin)
        reply = connection.request(wire.status())
        failed = wire.first(reply.fields, 2)
        if failed is None:
            return [0, ""]
        failed = wire.decode(failed)
        return [wire.first(failed, 1, 0), wire.first(failed, 2).decode()]

    def assertForbidden(self, answer, words):
        self.assertEqual(answer[0], self.FORBIDDEN, answer)
        self.assertIn(words, answer[1])

    def test_root_may_and_a_process_in_a_session_may_not(self):
        daemon = self.protected()

        def member():
            before = self.ask_status(daemon)
            wire.session(daemon.socket)
            return [before, self.ask_status(daemon)]

        before, after = Process(member).result()
        if os.geteuid() == 0:
            self.assertEqual(before, [0, ""])
            self.assertForbidden(after, "under policy")
        else:
            self.assertForbidden(before, "only root")
            self.assertForbidden(after, "only root")
            print("not root: that root in a session is refused was not tried")
        if os.geteuid() == 0:
            self.assertIn(f"{after[1]} (administration socket)", [row["summary"] for row in self.refusals(daemon)])
            self.assertEqual(daemon.status()["refused_requests"], 1)
            self.assertIn("0 connections, 1 requests of administration", daemon.command("status").out)

    def test_request_of_a_subject_that_has_ended_is_not_carried_out(self):
        if os.geteuid() != 0:
            self.skipTest("only root is refused as a subject: others are refused anyway")
        daemon = self.protected()
        for _ in range(5):
            ready, going = os.pipe(), os.pipe()
            pid = os.fork()
            if pid == 0:
                wire.session(daemon.socket)
                os.write(ready[1], b"r")
                os.read(going[0], 1)
                wire.Connection(daemon.admin).send(wire.remove("p"))
                os._exit(0)
            os.read(ready[0], 1)
            refused = daemon.status()["refused_requests"]
            daemon.process.send_signal(signal.SIGSTOP)
            os.write(going[1], b"g")
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # its number stays its own
            daemon.process.send_signal(signal.SIGCONT)
            wait_until(lambda: daemon.status()["refused_requests"] == refused + 1, "the request was refused")
            os.waitpid(pid, 0)
            for end in (*ready, *going):
                os.close(end)
            self.assertIn("p", daemon.command("list").out)

    def test_process_in_a_session_may_not_when_the_daemon_was_started_anew(self):
        if os.geteuid() != 0:
            self.skipTest("only root is refused as a subject: others are refused anyway")
        daemon = self.protected()
        ours, theirs = socket.socketpair()

        def member():
            wire.session(daemon.socket)
            theirs.send(b"ready")
            theirs.recv(10)
            return [self.ask_status(daemon), Process(self.ask_status, daemon).result()]

        with ours, theirs:
            process = Process(member)
            ours.recv(10)
            wait_until(lambda: list((daemon.directory / "sessions").iterdir()), "the session is kept")
            daemon.kill()
            daemon.start()
            self.assertEqual(self.ask_status(daemon), [0, ""])
            ours.send(b"go")
            for answer in process.result():
                self.assertForbidden(answer, "under policy")
        wait_until(lambda: self.ask_status(daemon) == [0, ""], "others may")

    def test_descendant_of_a_session_may_not_however_far_down(self):
        if os.geteuid() != 0:
            self.skipTest("only root is refused for its descent: others are refused anyway")
        daemon = self.protected()

        def nested(depth):
            return self.ask_status(daemon) if depth == 0 else Process(nested, depth - 1).result()

        def family(depth):
            connection = wire.session(daemon.socket)
            answer = nested(depth)
            return answer if connection.ask(wire.reading("/dev/null")) == "allow" else None

        for depth in 1, 2, 31, 32, 33, 60:
            with self.subTest(depth):
                self.assertForbidden(Process(family, depth).result(), "started by one")
        self.assertEqual(Process(nested, 60).result(), [0, ""])

    def test_command_started_by_a_session_may_not(self):
        if os.geteuid() != 0:
            self.skipTest("only root is refused for its descent: others are refused anyway")
        daemon = self.protected()

        def commands():
            wire.session(daemon.socket)
            path = self.directory / "other.warder"
            path.write_text("policy p { default allow all }")
            return [[result.status, result.err] for result in
                    (execute([WARDER, *words, "--admin-socket", daemon.admin]) for words in
                     (("apply", path), ("remove", "p"), ("show", "p"), ("log",), ("status",), ("list",)))]

        for status, err in Process(commands).result():
            self.assertNotEqual(status, 0)
            self.assertIn("under policy", err)
        self.assertIn("deny read", daemon.command("show", "p").out)

    def test_program_of_a_run_may_not(self):
        if os.geteuid() != 0:
            self.skipTest("only root is refused for its descent: others are refused anyway")
        daemon = self.protected()

        def launcher():
            connection = wire.Connection(daemon.socket)
            assert connection.request(wire.message((wire.LAUNCH, wire.message((1, 1))))).kind == wire.LAUNCHED
            # The program is no interpreter: no session, and yet it is there under the run's policies.
            return Process(self.ask_status, daemon).result()

        self.assertForbidden(Process(launcher).result(), "under policy")

    def test_process_that_broke_its_session_may_not_nor_its_children(self):
        if os.geteuid() != 0:
            self.skipTest("only root is refused for its descent: others are refused anyway")
        daemon = self.protected()

        def breaker():
            answers = []
            connections = [wire.session(daemon.socket) for _ in range(2)]
            for connection in reversed(connections):  # one beside the first, then the first itself
                connection.send_bytes(b"junk")
                assert connection.is_ended()
                answers += [self.ask_status(daemon), Process(self.ask_status, daemon).result()]
            return answers

        for answer in Process(breaker).result():
            self.assertForbidden(answer, "under policy")
        self.assertEqual(Process(self.ask_status, daemon).result(), [0, ""])

    def test_orphan_of_a_run_may_not(self):
        if os.geteuid() != 0:
            self.skipTest("only root is refused for its descent: others are refused anyway")
        daemon = self.protected()
        # No session anywhere: nothing but `warder run` itself, which adopts it, tells whose it is.
        script = (f'(setsid sh -c "sleep 1; {WARDER} status --admin-socket {daemon.admin} >said 2>&1; echo >>said" &)\n'
                  'until [ -s said ]; do sleep 0.1; done')
        result = execute([WARDER, "run", "--socket", daemon.socket, "--", "/bin/sh", "-c", script], cwd=self.directory)
        self.assertEqual(result.status, 0, result)
        self.assertIn("under policy", (self.directory / "said").read_text())

    def test_other_users_may_not(self):
        uid = self.other_user()
        daemon = self.protected()
        self.assertForbidden(Process(self.ask_status, daemon, uid=uid).result(), "only root")
        row = self.refusals(daemon)[-1]
        self.assertEqual(row["uid"], uid)
        self.assertIn("only root and members of the group", row["summary"])

        def write():
            connection = wire.Connection(daemon.admin)
            policy = wire.message((1, "f"), (2, "policy p { default allow all }"))
            reply = connection.request(wire.message((wire.ADMIN, wire.message((1, wire.message((1, policy), (2, 1)))))))
            return wire.first(wire.decode(wire.first(reply.fields, 2)), 1)

        self.assertEqual(Process(write, uid=uid).result(), self.FORBIDDEN)
        self.assertIn("deny read", daemon.command("show", "p").out)

    def test_member_of_the_group_may(self):
        uid = self.other_user()
        group = 61234
        # The daemon sees a group of this name: no account of this host is changed for it.
        names = self.directory / "group"
        names.write_text("".join(line for line in open("/etc/group") if not line.startswith("warder:")) +
                         f"warder:x:{group}:\n")
        wrapper = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/group && exec "$@"', names]
        if execute([*wrapper, "true"]).status != 0:
            self.skipTest("no file may be mounted here, so there is no group `warder`")
        self.directory.chmod(0o755)
        daemon = self.daemon(wrapper=wrapper)
        daemon.directory.chmod(0o755)

        def as_member(primary, supplementary):
            os.setgroups(supplementary)
            os.setresgid(primary, primary, primary)
            os.setresuid(uid, uid, uid)
            return self.ask_status(daemon)

        for primary, supplementary in ((65534, [group]), (65534, [7, group, 9]), (group, [])):
            with self.subTest(primary=primary, supplementary=supplementary):
                self.assertEqual(Process(as_member, primary, supplementary).result(), [0, ""])
        for primary, supplementary in ((65534, []), (65534, [group - 1, group + 1])):
            with self.subTest(primary=primary, supplementary=supplementary):
                self.assertForbidden(Process(as_member, primary, supplementary).result(), "only root")

        # A member in a session is under policy like anybody.
        def in_session():
            os.setgroups([group])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(uid, uid, uid)
            wire.session(daemon.socket)
            return self.ask_status(daemon)

        self.assertForbidden(Process(in_session).result(), "under policy")

    def test_connection_of_an_administrator_serves_nobody_else(self):
        uid = self.other_user()
        daemon = self.protected()
        connection = wire.Connection(daemon.admin)
        for other in None, uid:
            with self.subTest(uid=other):
                self.assertForbidden(Process(self.ask_status, daemon, connection, uid=other).result(),
                                     "did not come from the process that connected")
                connection.sent += 1
        self.assertEqual(self.ask_status(daemon, connection), [0, ""])

    def test_log_of_what_is_no_session_is_refused_by_the_daemon_too(self):
        daemon = self.protected()
        for session in "zz", "0", "7f3a-12", "7f3a\0", "1" * 17:
            with self.subTest(session):
                connection = wire.Connection(daemon.admin)
                reply = connection.request(wire.message((wire.ADMIN, wire.message((6, wire.message((4, session)))))))
                failed = wire.decode(wire.first(reply.fields, 2))
                self.assertIn(b"no session's id", wire.first(failed, 2))

    def test_broken_messages_at_the_administration_socket_are_turned_away(self):
        daemon = self.protected()
        for words, body in (("not allowed now", wire.hello()), ("not allowed now", wire.reading("/x")),
                            ("does not decode", b"\xff\xff")):
            with self.subTest(words):
                def break_it():
                    connection = wire.Connection(daemon.admin)
                    connection.send(body)
                    return connection.is_ended()

                self.assertTrue(Process(break_it).result())
                self.assertIn(words, self.refusals(daemon)[-1]["summary"])
                time.sleep(1.2)
        self.assertEqual(daemon.command("status").status, 0)
