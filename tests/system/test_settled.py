"""What is settled in the interpreter is what the daemon would have said, and is in the record as if it had.

Every program here runs twice: once where the hook settles what it can, once where the daemon is asked about
every event. Both must print the same, end the same, and leave the same record.
"""

import json
import re
import resource
import shutil
import sys
import time

import interpreters
from support import (PACKAGE, TESTS, UNTRUSTED, Test, clean_environment, execute, interpreter_process,
                     python, python_version, wait_until)

sys.path.insert(0, str(TESTS / "triggers" / "support"))
import expectation  # noqa: E402

TRIGGERS = TESTS / "triggers"

HOST = 'policy {name} {{ applies {{ platform is "linux" }} {rules} }}\n'

# Denials, defaults, both forms of paths, `log`, an observed policy, and an exception.
MIXED = HOST.format(name="mixed", rules="""
    default deny native, bind, signal
    allow native where path matches "/**/*.so" as modules
    deny  read   where path under "/etc" as no-etc
    deny  exec, fork as no-process
    deny  write  where path matches "/**/denied*" as no-denied
    log   event "open" as opened
    log   connect, socket as reached
    deny  ffi as no-ffi
""") + HOST.format(name="watched", rules="""
    mode observe
    default deny thread
    deny pickle as would-not
    deny import where module is "wave" as no-wave
""") + HOST.format(name="excepted", rules="""
    override local/mixed.no-ffi where event is "ctypes.dlsym" reason "a test" until 2999-01-01
""")


def essence(row):
    """What a record says of a decision, less what tells one run from another."""
    kept = {key: row.get(key) for key in ("summary", "verdict", "event", "arguments", "operations", "policy", "rule",
                                          "message", "operation", "unknown", "logged_by")}
    text = json.dumps(kept, sort_keys=True)
    return re.sub(r'("(?:id|pid)": )\d+', r"\1N", text)


class Both(Test):
    per_interpreter = True
    timeout = 1800

    def hosts(self, *policies, record="all"):
        """A daemon that hands its policies out, and one that is asked about everything."""
        daemons = []
        for evaluate in "hook", "daemon":
            configuration = self.policy(f'evaluate = "{evaluate}"\nrecord = "{record}"\n', f"{evaluate}.toml")
            daemon = self.daemon("--config", configuration)
            for policy in policies:
                daemon.apply(policy)
            daemons.append(daemon)
        return daemons

    def rows(self, daemon, settled):
        """The decisions of a daemon whose interpreters have ended."""
        wait_until(lambda: daemon.status()["sessions"] == 0, "the session is over")
        wait_until(lambda: daemon.status()["records_waiting"] == 0, "the record has caught up")
        rows = [row for row in daemon.log("-n", "0") if row["kind"] == "decision"]
        self.assertEqual([row for row in rows if row.get("settled") and not settled], [])
        return rows

    def same(self, daemons, script, *arguments):
        """Runs a script both ways. What was recorded where the hook settled it."""
        ends, records, answers = [], [], []
        place = self.directory / "place"
        for daemon, settled in zip(daemons, (True, False)):
            before = len(self.rows(daemon, settled))
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            result = execute([python(), "-B", script, *arguments], env=daemon.preloaded(), cwd=place)
            rows = self.rows(daemon, settled)[before:]
            ends.append((result.status, result.out))
            records.append(sorted(essence(row) for row in rows))
            answers.append(rows)
        self.assertEqual(ends[0], ends[1])
        return answers, records


class Programs(Both):
    PROGRAM = """
import os, pickle, socket, sys, threading
def attempt(what, *arguments):
    try:
        what(*arguments)
        print(what.__name__, "done")
    except Exception as error:
        print(what.__name__, type(error).__name__, str(error).split(" [decision")[0])
os.makedirs("made", exist_ok=True)
if not os.path.islink("link"):
    os.symlink("/etc", "link")
for path in ("/etc/hostname", "made/file", "made/denied", "link/hostname", "made/../link/hostname",
             "/proc/self/cwd/made/x", "../nowhere/at/all", "made/missing/../file", "", "/dev/null", b"made/bytes"):
    for mode in "r", "w":
        attempt(open, path, mode)
attempt(os.listdir, "/etc")
attempt(os.listdir, "made")
attempt(os.rename, "made/file", "made/denied-too")
attempt(os.rename, "made/file", "made/other")
attempt(os.remove, "made/other")
attempt(os.system, "true")
attempt(os.kill, os.getpid(), 0)
attempt(pickle.loads, pickle.dumps(os.getcwd))
attempt(__import__, "wave")
attempt(__import__, "ctypes")
attempt(socket.socket)
import ctypes
attempt(ctypes.CDLL, None)
thread = threading.Thread(target=print, args=("in a thread",))
thread.start()
thread.join()
class Path:
    def __fspath__(self): return "/etc/hostname"
attempt(open, Path())
class Text(str): pass
attempt(open, Text("made/text"), "w")
sys.audit("test.mine", 1, [2], {"3": b"4"})
attempt(eval, "1 + 1")
"""

    def compare(self, *policies):
        daemons = self.hosts(*policies)
        (settled, asked), (one, other) = self.same(daemons, self.script(self.PROGRAM))
        self.assertEqual(one, other)
        self.assertGreater(sum(row.get("settled", False) for row in settled), 50)
        # Nothing but what is allowed, plainly and for certain, was settled.
        for row in settled:
            if row.get("settled"):
                self.assertEqual(row["verdict"], "allow", row)
                self.assertFalse(row["rule"].startswith("override"), row)
        return settled

    def test_program_is_judged_and_recorded_the_same_both_ways(self):
        rows = self.compare(MIXED)
        self.assertEqual({"allow", "deny", "would-deny"}, {row["verdict"] for row in rows})

    def test_program_under_untrusted_is_judged_and_recorded_the_same_both_ways(self):
        self.compare(UNTRUSTED.read_text().replace(
            'policy untrusted "Code that nobody vouches for" {',
            'policy untrusted "Code that nobody vouches for" {\n    applies { platform is "linux" }'))

    def test_only_what_is_wanted_is_recorded_both_ways(self):
        daemons = self.hosts(MIXED, record="denied")
        (settled, asked), (one, other) = self.same(daemons, self.script(self.PROGRAM))
        self.assertEqual(one, other)
        self.assertTrue(any(row.get("settled") for row in settled))
        self.assertTrue(all(row["logged_by"] for row in settled if row["verdict"] == "allow" and row.get("settled")))


class SettledTriggers(Both):
    short_on = staticmethod(interpreters.newest)

    def check(self, daemons, row):
        script = TRIGGERS / expectation.script_name(row.event)
        found = []
        for daemon in daemons:
            result = execute([python(), "-B", script], env=daemon.preloaded(), cwd=self.directory)
            found.append((result.status, result.out if "0x" not in result.out else ""))
            # What is allowed is dropped when the writer, which has the lower priority, falls far behind.
            wait_until(lambda: daemon.status()["records_waiting"] == 0, "the record has caught up")
        return None if found[0] == found[1] else f"{row.event}: {found}"

    def test_triggers_are_judged_and_recorded_the_same_both_ways(self):
        daemons = self.hosts(MIXED)
        here = [row for row in expectation.read(TRIGGERS) if row.holds_on(python_version())]
        outcomes = [self.check(daemons, row) for row in here]
        self.assertEqual([one for one in outcomes if one], [])
        verdicts = []
        for daemon, settled in zip(daemons, (True, False)):
            rows = self.rows(daemon, settled)
            self.assertEqual(daemon.status()["records_dropped"], 0)
            self.assertEqual(any(row.get("settled") for row in rows), settled)
            # What has arguments that differ from run to run (addresses, names of temporary files) is compared by
            # what was said of it.
            verdicts.append(sorted((row["event"], row["verdict"], row["policy"], row["rule"]) for row in rows
                                   for _ in range(row["count"])))
        self.assertEqual([one for one in verdicts[0] if one[1] != "allow"],
                         [one for one in verdicts[1] if one[1] != "allow"])
        names = [{(event, verdict, policy, rule) for event, verdict, policy, rule in one} for one in verdicts]
        self.assertEqual(names[0], names[1])


# Says when it is denied, and by what; it raises nothing but the one event that it is about.
LOOP = """
import sys, time
denied = None
print("goes", flush=True)
{wait}
while denied is None:
    try:
        sys.audit("{event}", "/loop", "r", 0)
    except PermissionError as error:
        denied = error
    {pause}
print(denied.policy if hasattr(denied, "policy") else denied, flush=True)
"""


class Generations(Test):
    per_interpreter = True

    def becomes_denied(self, event="open", wait="", pause="pass", before=""):
        daemon = self.daemon()
        if before:
            daemon.apply(before)
        code = LOOP.format(event=event, wait=wait, pause=pause)
        with interpreter_process([python(), "-c", code], env=daemon.preloaded()) as process:
            self.assertEqual(process.stdout.readline(), "goes\n")
            time.sleep(0.2)
            self.assertIsNone(process.poll())
            daemon.apply(HOST.format(name="new", rules='deny read where path is "/loop" as no-loop '
                                                       'deny event "test.*" as no-test'))
            if wait:
                process.stdin.write("\n")
                process.stdin.flush()
            self.assertEqual(process.stdout.readline(), "local/new\n")

    def test_policy_applied_in_the_middle_of_a_loop_of_skipped_events_is_in_force(self):
        self.becomes_denied()

    def test_policy_applied_in_the_middle_of_a_loop_of_settled_events_is_in_force(self):
        self.becomes_denied(before=HOST.format(name="old", rules='deny read where path is "/elsewhere" as no-other'))

    def test_policy_applied_in_the_middle_of_a_loop_of_events_of_the_program_s_own_is_in_force(self):
        self.becomes_denied(event="test.own")

    def test_policy_applied_to_an_idle_session_is_in_force_at_its_next_event(self):
        self.becomes_denied(wait="sys.stdin.readline()")

    def test_first_event_after_the_command_is_judged_by_the_new_policy(self):
        daemon = self.daemon()
        code = """
import sys
for line in sys.stdin:
    try:
        sys.audit("open", "/loop", "r", 0)
        print("allowed", flush=True)
    except PermissionError:
        print("denied", flush=True)
"""
        with interpreter_process([python(), "-c", code], env=daemon.preloaded()) as process:
            def ask():
                process.stdin.write("x\n")
                process.stdin.flush()
                return process.stdout.readline().strip()
            for _ in range(5):
                self.assertEqual([ask(), ask()], ["allowed"] * 2)
                daemon.apply(HOST.format(name="p", rules='deny read where path is "/loop" as d'))
                self.assertEqual([ask(), ask()], ["denied"] * 2)
                daemon.apply(HOST.format(name="p", rules='deny read where path is "/else" as d'))
        rows = [row for row in daemon.log("-n", "0") if row.get("verdict") == "deny"]
        self.assertEqual(sum(row["count"] for row in rows), 10)

    def test_loop_of_settled_events_is_denied_once_the_daemon_is_gone(self):
        for end in "kill", "stop":
            daemon = self.daemon()
            with interpreter_process([python(), "-c", LOOP.format(event="open", wait="", pause="pass")],
                                     env=daemon.preloaded()) as process:
                self.assertEqual(process.stdout.readline(), "goes\n")
                getattr(daemon, end)()
                self.assertNotEqual(process.stdout.readline(), "")
                process.wait(20)

    def test_process_that_lost_its_daemon_is_judged_by_the_next_one(self):
        daemon = self.daemon()
        code = LOOP.format(event="open", wait="sys.stdin.readline()", pause="pass")
        with interpreter_process([python(), "-c", code], env=daemon.preloaded()) as process:
            self.assertEqual(process.stdout.readline(), "goes\n")
            daemon.kill()
            daemon.start()
            process.stdin.write("\n")
            process.stdin.flush()
            time.sleep(0.3)
            self.assertIsNone(process.poll())
            daemon.apply(HOST.format(name="new", rules='deny read where path is "/loop" as no-loop'))
            self.assertEqual(process.stdout.readline(), "local/new\n")


class Children(Test):
    per_interpreter = True

    def test_forked_child_settles_under_its_own_session(self):
        daemon = self.daemon()
        daemon.apply(HOST.format(name="p", rules='deny read where path is "/loop" as d  log read where path is "/log" as l'))
        result = execute([python(), "-c", """
import os, sys
def attempt(path):
    try:
        sys.audit("open", path, "r", 0)
        return "allowed"
    except PermissionError:
        return "denied"
print(attempt("/log"), attempt("/loop"), flush=True)
child = os.fork()
if child == 0:
    for _ in range(3):
        print(attempt("/log"), attempt("/loop"), attempt("/other"), flush=True)
    grandchild = os.fork()
    if grandchild == 0:
        print(attempt("/log"), attempt("/loop"), flush=True)
        os._exit(0)
    os.waitpid(grandchild, 0)
    os._exit(0)
os.waitpid(child, 0)
print(attempt("/log"), attempt("/loop"), flush=True)
"""], env=daemon.preloaded())
        self.assertEqual(result.out, "allowed denied\n" + "allowed denied allowed\n" * 3 + "allowed denied\n" * 2, result)
        wait_until(lambda: daemon.status()["sessions"] == 0, "the sessions are over")
        rows = [row for row in daemon.log("-n", "0") if (row.get("arguments") or {}).get("path") == "/log"]
        self.assertEqual(len(rows), 6)
        self.assertEqual(len({row["session"] for row in rows}), 3)

    def test_forked_child_is_judged_by_a_policy_that_came_after_the_fork(self):
        daemon = self.daemon()
        with interpreter_process([python(), "-c", """
import os, sys
child = os.fork()
if child == 0:
    os.listdir("/")
    print("goes", flush=True)
    sys.stdin.readline()
    try:
        sys.audit("open", "/loop", "r", 0)
        print("allowed", flush=True)
    except PermissionError as error:
        print(error.policy, flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""], env=daemon.preloaded()) as process:
            self.assertEqual(process.stdout.readline(), "goes\n")
            daemon.apply(HOST.format(name="new", rules='deny read where path is "/loop" as no-loop'))
            process.stdin.write("\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), "local/new\n")

    def test_attached_process_settles_too(self):
        daemon = self.daemon()
        daemon.apply(HOST.format(name="p", rules='deny read where path is "/loop" as d  log read where path is "/log" as l'))
        result = execute([python(), "-c", f"""
import sys
sys.path.insert(0, {str(PACKAGE)!r})
import warder
warder.attach(socket={str(daemon.socket)!r})
sys.audit("open", "/log", "r", 0)
try:
    sys.audit("open", "/loop", "r", 0)
except PermissionError as error:
    print(error.policy)
"""], env=clean_environment())
        self.assertEqual(result.out, "local/p\n", result)
        wait_until(lambda: daemon.status()["sessions"] == 0, "the session is over")
        rows = [row for row in daemon.log("-n", "0") if (row.get("arguments") or {}).get("path") == "/log"]
        self.assertEqual([row["settled"] for row in rows], [True])


class Records(Test):
    per_interpreter = True

    def logged(self, daemon):
        return [row for row in daemon.log("-n", "0") if row.get("event") == "test.logged"]

    def host(self):
        daemon = self.daemon()
        daemon.apply(HOST.format(name="p", rules='log event "test.log*" as l  deny event "test.den*" as d'))
        return daemon

    def test_record_of_a_settled_event_is_written_while_the_process_waits(self):
        daemon = self.host()
        with interpreter_process([python(), "-c", """
import sys
for line in sys.stdin:
    sys.audit("test.logged", 1)
    print("done", flush=True)
"""], env=daemon.preloaded()) as process:
            for count in 1, 2, 3:
                process.stdin.write("x\n")
                process.stdin.flush()
                self.assertEqual(process.stdout.readline(), "done\n")
                wait_until(lambda: len(self.logged(daemon)) == count, "it is written")

    def test_records_of_a_killed_process_are_written(self):
        daemon = self.host()
        result = execute([python(), "-c", """
import os, sys
for i in range(100):
    sys.audit("test.logged", i)
os.kill(os.getpid(), 9)
"""], env=daemon.preloaded())
        self.assertEqual(result.status, -9, result)
        wait_until(lambda: daemon.status()["sessions"] == 0, "the session is over")
        wait_until(lambda: len(self.logged(daemon)) == 100, "they are written")

    def test_records_keep_their_order_before_questions_and_an_exec(self):
        daemon = self.host()
        result = execute([python(), "-c", """
import os, sys
def attempt():
    try:
        sys.audit("test.denied")
    except PermissionError:
        pass
for i in range(5):
    sys.audit("test.logged", i)
    sys.audit("test.logged", i)
    attempt()
sys.audit("test.logged", 5)
os.execv(sys.executable, [sys.executable, "-c", "import sys; sys.audit('test.logged', 6)"])
"""], env=daemon.preloaded())
        self.assertEqual(result.status, 0, result)
        wait_until(lambda: daemon.status()["sessions"] == 0, "the session is over")
        wait_until(lambda: len(self.logged(daemon)) == 12, "all are written")
        numbers = [row["arguments"]["0"] if isinstance(row["arguments"], dict) else row["arguments"][0]
                   for row in self.logged(daemon)]
        self.assertEqual(numbers, sorted(numbers))
        rows = [row for row in daemon.log("-n", "0") if row.get("event", "").startswith("test.")]
        by_decision = sorted(rows, key=lambda row: (row["session"], int(row["decision"].split("-")[1])))
        self.assertEqual([row["event"] for row in by_decision[:3]], ["test.logged", "test.logged", "test.denied"])

    @interpreters.short_on(interpreters.ends)
    def test_more_records_than_the_ring_holds_are_all_written(self):
        daemon = self.host()
        result = execute([python(), "-c", """
import sys
for i in range(3000):
    sys.audit("test.logged", i, "x" * (i % 700))
sys.audit("test.logged", "x" * 20000)
"""], env=daemon.preloaded())
        self.assertEqual(result.status, 0, result)
        wait_until(lambda: daemon.status()["sessions"] == 0, "the session is over")
        wait_until(lambda: len(self.logged(daemon)) == 3001, "all are written")
        self.assertEqual([row for row in daemon.log("-n", "0") if row["kind"] in ("drop", "refusal")], [])

    @interpreters.short_on(interpreters.ends)
    def test_threads_write_every_record_once(self):
        daemon = self.host()
        result = execute([python(), "-c", """
import sys, threading
def work(number):
    for i in range(300):
        sys.audit("test.logged", number, i)
threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""], env=daemon.preloaded())
        self.assertEqual(result.status, 0, result)
        wait_until(lambda: daemon.status()["sessions"] == 0, "the session is over")
        wait_until(lambda: len(self.logged(daemon)) >= 2400, "all are written")
        found = [json.dumps(row["arguments"], sort_keys=True) for row in self.logged(daemon)]
        self.assertEqual((len(found), len(set(found))), (2400, 2400))


class Descriptors(Test):
    per_interpreter = True

    def test_nothing_that_was_handed_over_stays_open(self):
        daemon = self.daemon()
        daemon.apply(HOST.format(name="p", rules="deny exec as d"))
        result = execute([python(), "-c", """
import os
opened = []
for number in os.listdir("/proc/self/fd"):
    try:
        opened.append(os.readlink("/proc/self/fd/" + number))
    except OSError:
        pass
print(sum("memfd" in path for path in opened))
maps = open("/proc/self/maps").read()
print([part in maps for part in ("warder-generation", "warder-message", "warder-records")])
for line in maps.splitlines():
    if "warder-generation" in line or "warder-message" in line:
        assert line.split()[1].startswith("r--"), line
"""], env=daemon.preloaded())
        self.assertEqual(result.out, "0\n[True, True, True]\n", result)

    def test_process_without_a_descriptor_to_spare_is_judged_all_the_same(self):
        daemon = self.daemon()
        daemon.apply(HOST.format(name="p", rules='deny event "test.den*" as d'))

        def few():
            resource.setrlimit(resource.RLIMIT_NOFILE, (9, 9))

        result = execute([python(), "-S", "-c", """
import sys
try:
    sys.audit("test.denied")
except PermissionError as error:
    print(error.policy)
"""], env=daemon.preloaded(), preexec_fn=few)
        self.assertEqual(result.out, "local/p\n", result)
