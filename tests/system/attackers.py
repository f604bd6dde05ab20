"""What the tests of hostile clients share: attackers and bystanders that speak the protocol themselves.

Each is a process of its own, because the daemon tells sessions apart by their process.
"""

import contextlib
import json
import os
import pwd
import signal
import socket
import struct
import time
import traceback
import warnings

import wire
from support import PATIENCE, Test

POLICY = 'policy p { applies { platform is "linux" } deny read where path under "/denied" as no }'
SEALS = wire.SEAL_SEAL | wire.SEAL_SHRINK | wire.SEAL_GROW | wire.SEAL_WRITE


@contextlib.contextmanager
def lingering_socket():
    """A TCP socket with more to send than its peer receives. Whoever closes it last waits for longer than a test has."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as ours, \
            server.accept()[0]:
        ours.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                ours.send(bytes(65536))
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, int(2 * PATIENCE)))
        yield ours


class Process:
    """A function in a forked process, as another user if need be. What it returns comes back as JSON."""

    def __init__(self, function, *arguments, uid=None):
        reading, writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(reading)
            signal.alarm(int(PATIENCE * 4))  # nobody is left behind by a test that failed
            warnings.simplefilter("ignore", ResourceWarning)  # what is left open closes with the process
            status = 1
            try:
                if uid is not None:
                    os.setgroups([])
                    os.setgid(pwd.getpwuid(uid).pw_gid)
                    os.setuid(uid)
                result = {"value": function(*arguments)}
                status = 0
            except BaseException:
                result = {"error": traceback.format_exc()}
            try:
                os.write(writing, json.dumps(result).encode())
            finally:
                os._exit(status)  # also where nobody waits for the result any more
        os.close(writing)
        self.pipe = reading

    def result(self):
        text = b""
        while True:
            part = os.read(self.pipe, 65536)
            if not part:
                break
            text += part
        os.close(self.pipe)
        os.waitpid(self.pid, 0)
        result = json.loads(text)
        if "error" in result:
            raise AssertionError(result["error"])
        return result["value"]


class Bystander:
    """A process with a session of its own that asks whenever it is told to."""

    def __init__(self, path, uid=None):
        self.ours, theirs = socket.socketpair()
        self.ours.settimeout(PATIENCE)
        self.process = Process(self.serve, path, theirs, uid=uid)
        theirs.close()
        assert self.ours.recv(100) == b"ready"

    def serve(self, path, end):
        self.ours.close()
        connection = wire.session(path)
        end.send(b"ready")
        while end.recv(100) == b"ask":
            # Both answers, so that a daemon that says one thing to everything is seen.
            end.send(f"{connection.ask(wire.reading('/dev/null'))} {connection.ask(wire.reading('/denied'))}".encode())
        return connection.session

    def is_served(self):
        self.ours.send(b"ask")
        return self.ours.recv(100) == b"allow deny"

    def end(self):
        """The number of its session, when it is over."""
        self.ours.send(b"end")
        number = self.process.result()
        self.ours.close()
        return number


class ProtocolTest(Test):
    prefix = "protocol"

    def setUp(self):
        super().setUp()
        self.directory.chmod(0o755)

    def protected(self, *options, **limits):
        """A daemon with the policy, and with these limits."""
        path = self.directory / "warderd.toml"
        path.write_text("[limits]\n" + "".join(f"{name} = {value}\n" for name, value in limits.items()))
        daemon = self.daemon("--config", path, *options)
        daemon.directory.chmod(0o755)
        daemon.apply(POLICY)
        return daemon

    def refusals(self, daemon):
        return [row for row in daemon.log("-n", "0") if row["kind"] == "refusal"]

    def other_user(self):
        """Somebody else than who runs the tests."""
        if os.geteuid() != 0:
            self.skipTest("only root can be two users at once")
        return pwd.getpwnam("nobody").pw_uid

    def attack(self, daemon, function, session=True):
        """Lets a process break the protocol while another one is served. The number of the attacker's session."""
        bystander = Bystander(daemon.socket)
        self.assertTrue(bystander.is_served())

        def attacker():
            connection = wire.session(daemon.socket) if session else wire.Connection(daemon.socket)
            if session:
                assert connection.ask(wire.reading("/dev/null")) == "allow"
                # A session ends as a whole: its other connections are closed too.
                second = connection.another()
                assert second.ask(wire.reading("/dev/null")) == "allow"
            try:
                function(connection)
            except wire.Ended:
                pass
            assert connection.is_ended(), "it was answered"
            if session:
                assert second.is_ended(), "its other connection was answered"
            return connection.session

        number = Process(attacker).result()
        self.assertTrue(bystander.is_served(), "another session is served no more")
        bystander.end()
        return number

    def assertTurnedAway(self, daemon, words, function, session=True, counted="refused_messages"):
        refused = daemon.status()[counted]
        number = self.attack(daemon, function, session)
        self.assertEqual(daemon.status()[counted], refused + 1)
        row = self.refusals(daemon)[-1]
        self.assertIn(words, row["summary"])
        self.assertEqual(row["uid"], os.geteuid())
        self.assertEqual(row.get("session"), f"{number:x}" if session else None)
        if not session:
            # Refusals of one user for one reason within a second are one record: the next attack wants its own.
            time.sleep(1.2)
