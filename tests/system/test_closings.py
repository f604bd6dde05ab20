"""Descriptors that a user sends and that nobody can close: a file whose file system never answers waits in close(), a socket
that lingers in whatever closes it last. They keep nobody waiting but their user."""

import contextlib
import ctypes
import fcntl
import os
import select
import signal
import socket
import time
import unittest
from pathlib import Path

import wire
from attackers import POLICY, Bystander, Process, ProtocolTest, lingering_socket
from slow_files import SlowFiles
from support import PATIENCE, wait_until

KEEP_SIZE = 1  # FALLOC_FL_KEEP_SIZE of fallocate(2)
AS_MANY_AS_ARE_READ = 32  # CLOSINGS_MAX of daemon/session/closings.h


class Sender:
    """A process that has one of the files open until it is ended, and does what it is told with it."""

    def __init__(self, path, uid=None):
        self.path, self.uid = path, uid

    def does(self, function, *arguments):
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            file = os.open(self.path, os.O_RDWR)
            if self.uid is not None:
                os.setgroups([])
                os.setuid(self.uid)
            with contextlib.suppress(OSError, wire.Ended):
                function(file, *arguments)
            theirs.send(b"done")
            signal.pause()
            os._exit(0)
        theirs.close()
        ours.settimeout(PATIENCE)
        with ours:
            assert ours.recv(10) == b"done"

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


@unittest.skipUnless(os.geteuid() == 0 and os.path.exists("/dev/fuse"), "wants root, and a kernel with FUSE")
class Closings(ProtocolTest):
    prefix = "closings"

    def setUp(self):
        super().setUp()
        place = self.directory / "slow"
        place.mkdir()
        self.senders = []
        self.addCleanup(lambda: [sender.end() for sender in self.senders])
        self.files = SlowFiles(place)
        try:
            self.files.__enter__()
        except OSError as error:
            self.skipTest(f"nothing can be mounted here: {error}")

    def send(self, function, *arguments, uid=None):
        self.senders.append(Sender(self.files.path, uid))
        self.senders[-1].does(function, *arguments)

    def started(self, *lines):
        path = self.directory / "warderd.toml"
        path.write_text("".join(line + "\n" for line in lines))
        daemon = self.daemon("--config", path)
        self.addCleanup(self.files.__exit__)  # before the daemon is stopped: it could not end
        daemon.directory.chmod(0o755)
        daemon.apply(POLICY)
        return daemon

    @staticmethod
    def says_nonsense(file, path, times=1):
        for _ in range(times):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
                client.connect(str(path))
                socket.send_fds(client, [b"nonsense"], [file] * 9)

    def test_file_beside_a_message_that_is_refused_keeps_nobody_waiting(self):
        daemon = self.started()
        bystander = Bystander(daemon.socket)
        self.send(self.says_nonsense, daemon.socket)
        wait_until(lambda: self.files.flushes > 0, "a thread of the daemon closes the file")
        self.assertTrue(bystander.is_served())
        self.assertTrue(Bystander(daemon.socket).is_served())

    def test_file_in_the_place_of_the_executable_of_a_hello_is_none(self):
        daemon = self.started()

        def says_hello(file):
            connection = wire.Connection(daemon.socket)
            connection.send(wire.hello(os.urandom(16), (12, 1), (13, 1)), (file, file))
            assert connection.receive().kind == wire.WELCOME
            signal.pause()

        self.senders.append(Sender(self.files.path))
        sender = self.senders[-1]
        sender.pid = os.fork()
        if sender.pid == 0:
            says_hello(os.open(self.files.path, os.O_RDWR))
        wait_until(lambda: daemon.status()["sessions"] == 1, "its session has begun")
        self.assertTrue(Bystander(daemon.socket).is_served())

    def test_file_in_the_place_of_a_message_keeps_nobody_waiting(self):
        daemon = self.started()

        def asks_in_it(file):
            connection = wire.session(daemon.socket)
            connection.send_bytes(connection.packet(b"", flags=wire.IN_FILE), (file,))

        self.send(asks_in_it)
        wait_until(lambda: self.files.flushes > 0, "a thread of the daemon closes the file")
        self.assertTrue(Bystander(daemon.socket).is_served())

    def test_memory_beyond_the_end_of_a_message_is_no_reason_not_to_answer_it(self):
        # Freed by the user's thread: it may be any amount.
        daemon = self.started()
        connection = wire.session(daemon.socket)
        libc = ctypes.CDLL(None, use_errno=True)
        body = wire.reading("/denied/in/a/file")
        for _ in range(3):
            file = os.memfd_create("message", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
            os.write(file, body)
            self.assertEqual(libc.fallocate(file, KEEP_SIZE, ctypes.c_long(0), ctypes.c_long(64 << 20)), 0)
            fcntl.fcntl(file, wire.F_ADD_SEALS, wire.SEAL_SEAL | wire.SEAL_SHRINK | wire.SEAL_GROW | wire.SEAL_WRITE)
            sequence = connection.sent + 1
            tag = wire.mac(connection.key, wire.TO_DAEMON, connection.number, wire.IN_FILE, sequence, body)
            connection.send(body, (file,), flags=wire.IN_FILE, tag=tag)
            os.close(file)
            reply = connection.receive()
            self.assertEqual(wire.OUTCOMES[wire.first(reply.fields, 1, 0)], "deny")

    def test_what_is_not_read_any_more_goes_with_its_connection(self):
        # Closed by a process that ends, which asks nobody: neither the file system nor the peer of a socket that lingers.
        daemon = self.started()
        bystander = Bystander(daemon.socket)

        def says_more_than_is_read(file):
            with lingering_socket() as sent:
                for _ in range(100):
                    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
                        client.connect(str(daemon.socket))
                        client.send(b"nonsense")
                        for one in file, sent.fileno():
                            socket.send_fds(client, [b"nonsense"], [one])
                        socket.send_fds(client, [b""], [sent.fileno()] * 50)
                signal.pause()

        daemon.process.send_signal(signal.SIGSTOP)  # it would close at the first of several packets
        self.senders.append(Sender(self.files.path))
        pid = self.senders[-1].pid = os.fork()
        if pid == 0:
            says_more_than_is_read(os.open(self.files.path, os.O_RDWR))
        time.sleep(0.5)
        descriptors = len(os.listdir(f"/proc/{daemon.process.pid}/fd"))
        daemon.process.send_signal(signal.SIGCONT)
        self.assertTrue(bystander.is_served())
        wait_until(lambda: daemon.status()["refused_messages"] >= 90, "what was sent is refused")
        wait_until(lambda: len(os.listdir(f"/proc/{daemon.process.pid}/fd")) < descriptors + 10, "all is closed")
        self.assertEqual(self.files.flushes, 0)

    def test_user_whose_files_cannot_be_closed_waits_and_the_others_do_not(self):
        daemon = self.started()
        other = self.other_user()
        bystander = Bystander(daemon.socket)
        theirs = Bystander(daemon.socket, uid=other)
        self.assertTrue(theirs.is_served())
        self.send(self.says_nonsense, daemon.socket, 2 * AS_MANY_AS_ARE_READ, uid=other)
        wait_until(lambda: self.files.flushes > 0, "a thread of the daemon closes the file")
        self.assertTrue(bystander.is_served())
        wait_until(lambda: any("cannot be closed" in row["summary"] for row in self.refusals(daemon)),
                   "the record says that the user waits")
        theirs.ours.settimeout(1)
        with self.assertRaises(TimeoutError):
            theirs.is_served()
        self.assertEqual(self.files.flushes, 1)
        self.assertTrue(bystander.is_served())
        self.files.__exit__()  # whoever waited for it goes on
        theirs.ours.settimeout(PATIENCE)
        self.assertEqual(theirs.ours.recv(100), b"allow deny")
        self.assertTrue(Bystander(daemon.socket, uid=other).is_served())

    def test_daemon_stops_when_its_user_s_files_can_be_closed(self):
        daemon = self.started()
        self.send(self.says_nonsense, daemon.socket)
        wait_until(lambda: self.files.flushes > 0, "a thread of the daemon closes the file")
        daemon.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not daemon.socket.exists(), "its sockets are gone, whatever the file does")
        self.files.__exit__()
        self.assertEqual(daemon.stop(), 0)


class Lingering(ProtocolTest):
    """Sockets that linger, in what the daemon does not read any more. Who closes them last is a race: so many times."""

    prefix = "closings"
    NONSENSE = b"what no client says"

    def keeps_nobody_waiting(self, daemon, *before, unread=None):
        """A client says all of that, and sends such sockets with a last packet, before the daemon can read any of it. It
        goes with the answer to `unread` in its socket."""
        def says(path, pid):
            with lingering_socket() as sent:
                client = wire.Connection(path)
                if unread:
                    client.socket.send(unread())
                    select.select([client.socket], [], [])
                os.kill(pid, signal.SIGSTOP)  # else it would close at the first packet
                try:
                    for packet in before:
                        client.socket.send(packet() if callable(packet) else packet)
                    socket.send_fds(client.socket, [self.NONSENSE], [sent.fileno()] * 9)
                finally:
                    sent.close()
                    client.close()
                    os.kill(pid, signal.SIGCONT)
                theirs.send(b"sent")
                theirs.recv(10)  # so that its peer is there

        for _ in range(15):
            ours, theirs = socket.socketpair()
            with ours, theirs:
                process = Process(says, daemon.socket, daemon.process.pid)
                ours.recv(10)
                self.assertTrue(daemon.status())
                self.assertTrue(self.bystander.is_served())
                ours.send(b"end")
                process.result()

    def started(self):
        daemon = self.protected()
        self.bystander = Bystander(daemon.socket)
        return daemon

    def sweeper(self, daemon):
        """The process's number."""
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                name, rest = path.read_text().rsplit(")", 1)
                if name.endswith("(warderd-sweeper") and int(rest.split()[1]) == daemon.process.pid:
                    return int(path.parent.name)
        return None

    def test_socket_that_lingers_in_the_only_packet_keeps_nobody_waiting(self):
        self.keeps_nobody_waiting(self.started())

    def test_socket_that_lingers_behind_a_refused_packet_keeps_nobody_waiting(self):
        self.keeps_nobody_waiting(self.started(), self.NONSENSE)

    @staticmethod
    def hello():
        return wire.Connection().packet(wire.hello())

    def test_socket_that_lingers_behind_a_hello_that_a_worker_has_keeps_nobody_waiting(self):
        self.keeps_nobody_waiting(self.started(), self.hello, self.NONSENSE)

    def test_socket_that_lingers_from_who_leaves_an_answer_unread_keeps_nobody_waiting(self):
        daemon = self.started()
        self.keeps_nobody_waiting(daemon, unread=self.hello)
        self.keeps_nobody_waiting(daemon, self.NONSENSE, unread=self.hello)

    def test_sweeper_that_is_gone_keeps_nobody_waiting_and_the_daemon_stops(self):
        daemon = self.started()
        os.kill(self.sweeper(daemon), signal.SIGKILL)
        wait_until(lambda: Path(f"/proc/{self.sweeper(daemon)}/exe").exists() is False, "it is gone")
        other = self.other_user() if os.geteuid() == 0 else None
        self.assertTrue(Bystander(daemon.socket, uid=other).is_served())
        self.keeps_nobody_waiting(daemon, self.NONSENSE)
        self.assertEqual(daemon.stop(), 0)

    def test_nothing_of_it_is_left_when_the_daemon_has_stopped(self):
        daemon = self.started()
        sweeper = self.sweeper(daemon)
        self.assertEqual(daemon.stop(), 0)
        self.assertFalse(Path(f"/proc/{sweeper}").exists())
        daemon.start()
        sweeper = self.sweeper(daemon)
        daemon.kill()
        wait_until(lambda: not Path(f"/proc/{sweeper}/exe").exists(), "it ends with a daemon that was killed")


if __name__ == "__main__":
    unittest.main()
