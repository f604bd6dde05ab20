"""A disk that is slow, full or in somebody else's hands: verdicts go on, and the record catches up."""

import contextlib
import json
import os
import sqlite3
import tempfile
import time
from pathlib import Path

import wire
from attackers import POLICY, Bystander, ProtocolTest
from support import BUILD, Daemon, execute, wait_until

ALLOWED = 3000  # more of them than half of the queue takes
DENIED = 200
LENGTH = 500


class Asker(Bystander):
    """A process with a session that asks many things at a time."""

    def serve(self, path, end):
        self.ours.close()
        connection = wire.session(path)
        end.send(b"ready")
        while True:
            order = json.loads(end.recv(1000))
            if order is None:
                return connection.session
            outcomes = {}
            for i in range(order["count"]):
                for prefix in order["prefixes"]:
                    outcome = connection.ask(wire.reading(f"{prefix}{i}/" + "x" * LENGTH))
                    outcomes[outcome] = outcomes.get(outcome, 0) + 1
            end.send(json.dumps(outcomes).encode())

    def ask(self, count, *prefixes):
        """So many questions with each prefix: how often each verdict came."""
        self.ours.send(json.dumps({"count": count, "prefixes": prefixes}).encode())
        return json.loads(self.ours.recv(1000))

    def end(self):
        self.ours.send(b"null")
        self.process.result()
        self.ours.close()


class SlowRecord(ProtocolTest):
    """Every decision is recorded, and one user's queue holds a megabyte."""

    timeout = 300

    def start(self, wrapper=(), **environment):
        config = self.directory / "warderd.toml"
        config.write_text('record = "all"\n[limits]\nqueue_megabytes_per_user = 1\n')
        directory = Path(tempfile.mkdtemp(dir=self.directory, prefix="d"))
        daemon = Daemon(directory, "--config", config, wrapper=[part.format(directory / "state") for part in wrapper],
                        **environment)
        self.addCleanup(self.finish, daemon)
        daemon.start()
        daemon.apply(POLICY)
        asker = Asker(daemon.socket)
        self.addCleanup(asker.end)
        return daemon, asker

    def caught_up(self, daemon):
        wait_until(lambda: daemon.status()["records_waiting"] == 0, "the record has caught up")
        status = daemon.status()
        self.assertEqual(status.get("record_error", ""), "")
        return status

    @staticmethod
    def said_twice(daemon):
        """What status says, if it says it twice with half a second in between; else None."""
        text = daemon.command("status").out
        time.sleep(0.5)
        return text if daemon.command("status").out == text else None

    def test_record_that_somebody_else_has_locked(self):
        daemon, asker = self.start()
        record = sqlite3.connect(daemon.state / "audit.db", isolation_level=None)
        wait_until(lambda: daemon.status()["records_waiting"] == 0, "what was before is written")
        record.execute("BEGIN EXCLUSIVE")
        written = daemon.status()["records_written"]
        self.assertEqual(asker.ask(ALLOWED, "/allowed/"), {"allow": ALLOWED})
        self.assertEqual(asker.ask(DENIED, "/denied/"), {"deny": DENIED})
        wait_until(lambda: "locked" in daemon.status().get("record_error", ""), "status says why nothing is written")
        status = daemon.status()
        self.assertEqual(status["records_written"], written)
        self.assertGreater(status["records_dropped"], ALLOWED / 3)
        self.assertGreater(status["records_waiting"], DENIED)
        # What the interpreter settled itself is read a moment later.
        text = wait_until(lambda: self.said_twice(daemon), "nothing more comes")
        self.assertIn("NOT RECORDING", text)
        status = daemon.status()
        self.assertRegex(text, f"{status['records_waiting']} waiting, {status['records_dropped']} dropped")
        record.execute("ROLLBACK")
        record.close()
        status = self.caught_up(daemon)
        rows = daemon.log("-n", "0")
        self.assertEqual(len({row["arguments"]["path"] for row in rows if row.get("verdict") == "deny"}), DENIED,
                         "no denial is lost")
        missing = sum(row["count"] for row in rows if row["kind"] == "drop")
        self.assertEqual(missing, status["records_dropped"])
        self.assertEqual(sum(row.get("verdict") == "allow" for row in rows) + missing, ALLOWED,
                         "each is recorded or counted")

    def test_record_that_was_moved_away_and_put_back(self):
        daemon, asker = self.start()
        wait_until(lambda: daemon.status()["records_waiting"] == 0, "what was before is written")
        away = daemon.state / "audit.old"
        (daemon.state / "audit.db").rename(away)
        self.assertEqual(asker.ask(DENIED, "/denied/"), {"deny": DENIED})
        wait_until(lambda: "was moved or removed: put it back, or restart the daemon" in
                   daemon.status().get("record_error", ""), "status says why nothing is written")
        self.assertIn(f"warderd: recording has stopped: {daemon.state}/audit.db: was moved", daemon.errors.read_text())
        away.rename(daemon.state / "audit.db")
        self.caught_up(daemon)
        rows = daemon.log("-n", "0")
        self.assertEqual(len({row["arguments"]["path"] for row in rows if row.get("verdict") == "deny"}), DENIED)

    def test_disk_that_is_slow(self):
        slow = self.directory / "slow"
        daemon, asker = self.start(LD_PRELOAD=BUILD / "tests" / "programs" / "libslow_disk.so",
                                   WARDER_TEST_SLOW_MILLISECONDS=10000, WARDER_TEST_SLOW_WHILE=slow)
        self.assertEqual(asker.ask(1, "/allowed/first/"), {"allow": 1})
        wait_until(lambda: daemon.status()["records_waiting"] == 0, "what was before is written")
        slow.touch()
        self.assertEqual(asker.ask(1, "/allowed/slow/"), {"allow": 1})
        time.sleep(0.5)  # the writer has begun by now
        written = daemon.status()["records_written"]
        each = 50  # with all of them, the queue is not half full yet
        self.assertEqual(asker.ask(each, "/denied/", "/allowed/"), {"deny": each, "allow": each})
        self.assertEqual(daemon.status()["records_written"], written, "all are answered within one write")
        slow.unlink()
        self.caught_up(daemon)
        rows = daemon.log("-n", "0")
        self.assertEqual(sum(row.get("verdict") == "deny" for row in rows), each)
        self.assertEqual(sum(row.get("verdict") == "allow" for row in rows), each + 2)

    def test_disk_that_is_full(self):
        own = ["unshare", "-m", "sh", "-c", 'mkdir -p "$0" && mount -t tmpfs -o size=4m,mode=700 none "$0" && exec "$@"']
        if execute([*own, self.directory / "try", "true"]).status != 0:
            self.skipTest("no file system may be mounted here")
        daemon, asker = self.start(wrapper=[*own, "{}"])
        filler = Path(f"/proc/{daemon.process.pid}/root{daemon.state}/filler")
        with open(filler, "wb", buffering=0) as full, contextlib.suppress(OSError):
            while full.write(b"x" * 512):
                pass

        def is_full():  # SQLite's files have some room of their own: it is used up first
            self.assertEqual(asker.ask(100, "/allowed/before/"), {"allow": 100})
            return "full" in daemon.status().get("record_error", "")

        wait_until(is_full, "status says why nothing is written")
        self.assertEqual(asker.ask(DENIED, "/denied/", "/allowed/"), {"deny": DENIED, "allow": DENIED})
        self.assertGreater(daemon.status()["records_waiting"], DENIED)
        os.unlink(filler)
        status = self.caught_up(daemon)
        rows = daemon.log("-n", "0")
        self.assertEqual(len({row["arguments"]["path"] for row in rows if row.get("verdict") == "deny"}), DENIED,
                         "no denial is lost")
        self.assertEqual(sum(row["count"] for row in rows if row["kind"] == "drop"), status["records_dropped"])
