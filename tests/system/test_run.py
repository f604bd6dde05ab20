"""`warder run`, as its user meets it."""

import fcntl
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import interpreters
from support import (ALLOW_ALL, NO_PROCESS, PATIENCE, WARDER, Test, clean_environment, execute,
                     interpreter_process, is_sanitized, others_reach, python, wait_until)


def private_daemons(directory):
    """Pids of the private daemons that serve a directory."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue
        if b"--private" in command and any(os.fsencode(directory) in part for part in command):
            found.append(int(entry.name))
    return found


class Run(Test):
    def setUp(self):
        super().setUp()
        # Private daemons put their directory here, so that what is left of them can be seen.
        self.runtime = self.directory / "runtime"
        self.runtime.mkdir()
        self.environment = clean_environment(XDG_RUNTIME_DIR=self.runtime)

    def warder(self, *arguments, **options):
        return execute([WARDER, *arguments], env=self.environment, cwd=self.directory, **options)

    def assertNothingLeft(self):
        wait_until(lambda: not private_daemons(self.runtime), "the private daemon is gone", 20)
        wait_until(lambda: not list(self.runtime.iterdir()), "its directory is gone", 20)

    def test_status_is_the_program_s(self):
        for status in 0, 1, 77, 255:
            self.assertEqual(self.warder("run", "--policy", "no-process", "--", "/bin/sh", "-c", f"exit {status}").status, status)
        self.assertNothingLeft()

    def test_program_ended_by_a_signal_ends_run_alike(self):
        for number in signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV:
            result = self.warder("run", "--policy", "no-process", "--", "/bin/sh", "-c", f"kill -{number.value} $$")
            self.assertEqual(result.status, -number.value, result)
        self.assertNothingLeft()

    def test_daemon_that_cannot_be_started_is_said(self):
        run = [WARDER, "run", "--policy", "no-process", "--", "/bin/true"]
        for most in range(4, 10):  # descriptors, the standard streams among them
            result = execute(["prlimit", f"--nofile={most}", *run], env=self.environment)
            self.assertEqual(result.status, 125, result)
            self.assertIn("warder: ", result.err)
        if os.geteuid() != 0 or not others_reach(WARDER, 54322):
            print("not tried with few processes: that wants root, and a build that others can read", flush=True)
            return
        # One that no process has: its limit counts nobody else's.
        result = execute(["setpriv", "--reuid", "54322", "--regid", "54322", "--clear-groups", "prlimit", "--nproc=1",
                          *run], env=clean_environment(ASAN_OPTIONS="detect_leaks=0:verify_asan_link_order=0"))
        self.assertEqual(result.status, 125, result)
        self.assertIn("the private daemon cannot be started: Resource temporarily unavailable", result.err)
        self.assertIn("ulimit -u", result.err)

    def test_bound_on_files_ends_no_command(self):
        if is_sanitized(WARDER, ["tsan"]):
            self.skipTest("ThreadSanitizer's runtime wants a file of its own")
        short = self.directory / "short"
        with open(short, "w+b") as out:
            for command in (["--help"], ["run", "--policy", "no-such-policy", "--", "/bin/true"]):
                process = subprocess.run(["prlimit", "--fsize=0", str(WARDER), *command], env=self.environment,
                                         stdout=out, stderr=out, timeout=PATIENCE)
                self.assertEqual(process.returncode, 2 if command == ["--help"] else 125)
        # A program that is run finds the signal as it was.
        policy = self.policy("policy p { deny native as n }")
        code = "grep SigIgn /proc/self/status"
        program = ["/bin/sh", "-c", code]
        plain = execute(program)
        self.assertEqual(self.warder("run", "--policy", str(policy), "--", *program).out.split()[1::2][:1],
                         plain.out.split()[1::2][:1])
        ignoring = ["/bin/sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"]
        plain = execute([*ignoring, *program])
        result = execute([*ignoring, str(WARDER), "run", "--policy", str(policy), "--", *program], env=self.environment)
        self.assertEqual(result.out.split()[1::2][:1], plain.out.split()[1::2][:1])

    def test_program_that_is_not_there_is_127(self):
        result = self.warder("run", "--policy", "no-process", "--", "/nonexistent/program")
        self.assertEqual((result.status, result.out), (127, ""), result)
        self.assertIn("/nonexistent/program", result.err)
        self.assertNothingLeft()

    def test_program_that_cannot_be_started_is_126(self):
        result = self.warder("run", "--policy", "no-process", "--", self.script("no program"))
        self.assertEqual(result.status, 126, result)
        self.assertNothingLeft()

    def test_failures_of_warder_are_125(self):
        bad = self.policy("policy p { deny exce as x }")
        for arguments in (["--policy", bad], ["--policy", self.directory / "missing.warder"],
                          ["--policy", "no-such-policy"], ["--label", "no-value"], ["--socket", "/nonexistent/x"],
                          ["--unknown"]):
            with self.subTest(arguments):
                result = self.warder("run", *arguments, "--", "/bin/true")
                self.assertEqual(result.status, 125, result)
                self.assertTrue(result.err)
        self.assertEqual(self.warder("run").status, 125)
        self.assertNothingLeft()

    def test_bad_policy_is_shown_with_place_and_suggestion_and_nothing_runs(self):
        result = self.warder("run", "--policy", self.policy("policy p { deny exce as x }"), "--", "/bin/echo", "ran")
        self.assertRegex(result.err, r'policy\.warder:1:17: error\[E\d+\]: .*"?exce')
        self.assertIn("exec", result.err)
        self.assertEqual(result.out, "")

    def test_unknown_name_says_which_policies_there_are(self):
        result = self.warder("run", "--policy", "nonsense", "--", "/bin/true")
        self.assertIn("no-process", result.err)
        self.assertIn("untrusted", result.err)

    def test_what_is_quoted_cannot_play_with_the_terminal(self):
        result = self.warder("run", "--policy", "x\x1b[31m", "--", "/bin/true")
        self.assertEqual(result.status, 125)
        self.assertNotIn("\x1b", result.err)
        self.assertIn("x\\x1b[31m", result.err)

    def test_run_that_nothing_would_guard_is_refused_with_what_to_do(self):
        for arguments in ([], ["--observe"], ["--label", "a=b"]):
            with self.subTest(arguments):
                result = self.warder("run", *arguments, "--", "/bin/echo", "ran")
                self.assertEqual((result.status, result.out), (125, ""), result)
                self.assertIn("no policy was named", result.err)
                self.assertIn("--policy no-process", result.err)
        self.assertNothingLeft()

    def test_labels_without_a_name_and_given_twice_are_refused(self):
        for labels, words in ((("=a",), "a label is NAME=VALUE, not `=a`"), (("a",), "a label is NAME=VALUE, not `a`"),
                              (("role=a", "role=b"), "the label `role` is given twice")):
            named = [word for label in labels for word in ("--label", label)]
            result = self.warder("run", "--policy", "no-process", *named, "--", "/bin/echo", "ran")
            self.assertEqual((result.status, result.out, result.err), (125, "", f"warder: run: {words}\n"), result)
        result = self.warder("run", "--policy", "no-process", "--label", "role=a", "--label", "roles=a", "--", "/bin/echo", "ran")
        self.assertEqual(result.out, "ran\n", result)

    def test_options_of_the_program_are_its_own(self):
        result = self.warder("run", "--policy", "no-process", "/bin/echo", "--policy", "x", "-n")
        self.assertEqual((result.status, result.out), (0, "--policy x -n\n"), result)

    def test_state_kept_can_be_read_afterwards(self):
        state = self.directory / "kept"
        self.warder("run", "--policy", "no-process", "--state-dir", state, "--", python_or_skip(self), "-c",
                    "import os\ntry: os.system('id')\nexcept PermissionError: pass")
        result = self.warder("log", "--state-dir", state)
        self.assertRegex(result.out, r'denied +exec "/bin/sh" -c "id" +os\.system +local/no-process\.no-exec +\S+ \d+ +<string>:2 +1-\d+')
        self.assertNothingLeft()

    def test_record_that_could_not_be_written_is_a_failure_of_run(self):
        state = self.directory / "kept"
        code = ("import os\nprint('ready', flush=True)\ninput()\n"
                "try: os.system('id')\nexcept PermissionError: print('denied', flush=True)")
        with interpreter_process([WARDER, "run", "--policy", "no-process", "--state-dir", state, "--",
                                  python_or_skip(self), "-c", code], env=self.environment) as process:
            self.assertEqual(process.stdout.readline(), "ready\n")
            record = sqlite3.connect(state / "audit.db", isolation_level=None, timeout=PATIENCE)
            record.execute("BEGIN IMMEDIATE")
            out, err = process.communicate("go\n", timeout=PATIENCE)
        record.close()
        self.assertEqual((process.returncode, out), (125, "denied\n"), err)
        self.assertRegex(err, r"not everything could be recorded: [1-9]\d* records are lost: .*locked")
        self.assertNothingLeft()

    def test_program_that_locks_the_files_of_its_record_keeps_nothing_out_of_it(self):
        state = self.directory / "kept"
        policy = self.policy("policy p { default allow all  deny exec as no }")
        code = f'''
import fcntl, os, time
ours, theirs = os.pipe()
left = os.fork()
if left == 0:  # goes on when the daemon stops
    os.setsid()
    files = [os.open(os.path.join({str(state)!r}, name), os.O_RDONLY) for name in os.listdir({str(state)!r})]
    for file in files:
        for start, length in (120, 8), (0x40000000, 512):
            try: fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB, length, start)
            except OSError: pass  # of daemon.lock
    for standard in 0, 1, 2: os.close(standard)
    os.write(theirs, b"x")
    time.sleep(60)
os.read(ours, 1)
for name in "one", "two":
    try: os.posix_spawn("/bin/true", [name], {{}})
    except PermissionError as error: print(error.decision_id)
    time.sleep(0.5)
print(left, flush=True)
'''
        with interpreter_process([WARDER, "run", "--policy", policy, "--state-dir", state, "--", python_or_skip(self),
                                  "-c", code], env=self.environment) as process:
            *denied, left = (process.stdout.readline().strip() for _ in range(3))
            _, err = process.communicate(timeout=PATIENCE)
            again = self.warder("run", "--policy", "no-process", "--state-dir", state, "--", "true")
            os.kill(int(left), signal.SIGKILL)
        self.assertEqual((process.returncode, err), (0, ""))
        self.assertEqual((again.status, again.err), (0, ""))
        log = self.warder("log", "--state-dir", state, "--denied", "--json")
        self.assertEqual([json.loads(line)["decision"] for line in log.out.splitlines()], denied, log)

    def test_process_that_holds_the_daemon_s_lock_is_named(self):
        state = self.directory / "kept"
        state.mkdir(mode=0o700)
        (state / "daemon.lock").write_text("1\n")
        with open(state / "daemon.lock") as lock:
            fcntl.lockf(lock, fcntl.LOCK_SH)
            result = self.warder("run", "--policy", "no-process", "--state-dir", state, "--", "true")
        self.assertEqual(result.status, 125, result)
        self.assertIn(f"{state}/daemon.lock: process {os.getpid()} has a lock on it, and is no daemon: end it", result.err)

    def test_private_daemon_that_was_killed_is_said_and_is_a_failure_of_run(self):
        state = self.directory / "kept"
        with interpreter_process([WARDER, "run", "--policy", "no-process", "--state-dir", state, "--", "/bin/sh", "-c",
                                  "echo ready; read go; exit 3"], env=self.environment) as process:
            self.assertEqual(process.stdout.readline(), "ready\n")
            daemon, = private_daemons(self.runtime)
            os.kill(daemon, signal.SIGKILL)
            _, err = process.communicate("go\n", timeout=PATIENCE)
        self.assertEqual(process.returncode, 125, err)
        self.assertIn("the private daemon was killed by signal 9: what it had not written yet is in no record", err)

    def test_log_shows_what_a_shell_was_to_run(self):
        state = self.directory / "kept"
        self.warder("run", "--policy", "no-process", "--state-dir", state, "--", python_or_skip(self), "-c", """
import os, subprocess
for call in (lambda: os.system("tool --password hunter2"),
             lambda: subprocess.run("ls $HOME\\n\\x1b[31m", shell=True),
             lambda: subprocess.run(b"echo " + b"x" * 5000, shell=True),
             lambda: subprocess.run(["/bin/sh-c", "-c", "own"])):
    try: call()
    except PermissionError: pass
""")
        lines = self.warder("log", "--state-dir", state).out.splitlines()
        shown = [line.split("  ")[1:] for line in lines if " exec " in line]
        self.assertEqual([[part for part in parts if part][1] for parts in shown], [
            'exec "/bin/sh" -c "tool --password <7 bytes>"',
            r'exec "/bin/sh" -c "ls $HOME\x0a\x1b[31m"',
            'exec "/bin/sh" -c "echo ' + "x" * 149 + '..."',
            'exec "/bin/sh-c"'])

    def test_program_that_gains_rights_is_refused_for_no_hook_gets_into_it(self):
        if os.geteuid() != 0:
            self.skipTest("only root can make such a program for another user")
        nobody = 65534
        if not others_reach(WARDER, nobody):
            self.skipTest(f"{WARDER} cannot be reached by other users")
        self.directory.chmod(0o755)
        self.runtime.chmod(0o777)
        for name, mode in ("plain", 0o755), ("user", 0o4755), ("group", 0o2755):
            with self.subTest(name):
                program = self.directory / name
                shutil.copy("/bin/echo", program)
                program.chmod(mode)
                for word in program, name:
                    result = execute([WARDER, "run", "--policy", "no-process", "--", word, "ran"], cwd=self.directory,
                                     env=dict(self.environment, PATH=f"{self.directory}:/usr/bin:/bin"),
                                     preexec_fn=lambda: (os.setgid(nobody), os.setuid(nobody)))
                    if name == "plain":
                        self.assertEqual((result.status, result.out), (0, "ran\n"), result)
                        continue
                    self.assertEqual((result.status, result.out), (125, ""), result)
                    self.assertIn("gets rights that you do not have", result.err)
                # Whoever has the rights gains none.
                self.assertEqual(self.warder("run", "--policy", "no-process", "--", program, "ran").out, "ran\n")

    def test_limit_of_open_files_that_is_too_low_is_named(self):
        limit = f"ulimit -n 20; exec {WARDER} run --policy no-process -- /bin/echo ran"
        result = execute(["/bin/sh", "-c", limit], env=self.environment, cwd=self.directory)
        self.assertEqual((result.status, result.out), (125, ""), result)
        self.assertIn("20 files may be open at a time", result.err)
        self.assertNotIn("memory", result.err)
        self.assertNothingLeft()

    def test_directory_of_a_run_that_keeps_its_record_goes_when_run_is_killed(self):
        state = self.directory / "kept"
        process = subprocess.Popen([WARDER, "run", "--policy", "no-process", "--state-dir", state, "--",
                                    "/bin/sh", "-c", "echo $$; exec sleep 1000"],
                                   stdout=subprocess.PIPE, text=True, env=self.environment)
        program = int(process.stdout.readline())
        try:
            process.kill()
            process.wait()
            self.assertNothingLeft()
        finally:
            os.kill(program, signal.SIGKILL)
            process.stdout.close()

    def test_reading_a_kept_record_changes_nothing_in_its_directory(self):
        for name in "kept", "of 100% and #1?":
            state = self.directory / name
            self.warder("run", "--policy", "no-process", "--state-dir", state, "--", python_or_skip(self), "-c",
                        "import os\ntry: os.system('id')\nexcept PermissionError: pass")
            before = {path.name: path.read_bytes() for path in state.iterdir()}
            first = self.warder("log", "--state-dir", state)
            self.assertIn("local/no-process.no-exec", first.out, first)
            self.assertEqual(self.warder("log", "--state-dir", state).out, first.out)
            self.assertEqual({path.name: path.read_bytes() for path in state.iterdir()}, before)
        empty = self.directory / "empty"
        empty.mkdir()
        result = self.warder("log", "--state-dir", empty)
        self.assertEqual(result.status, 2, result)
        self.assertIn(f"{empty}/audit.db: cannot be opened: No such file or directory", result.err)
        for command in ("log",), ("why", "1-1"):
            result = self.warder(command[0], "--state-dir", "/nonexistent", *command[1:])
            self.assertEqual((result.status, result.err),
                             (2, "warder: /nonexistent: cannot be read: No such file or directory\n"), result)
        self.assertEqual(list(empty.iterdir()), [])
        self.assertNothingLeft()

    def test_record_without_a_kept_state_is_printed(self):
        result = self.warder("run", "--record", "--", python_or_skip(self), "-c", "open('/dev/null')")
        self.assertRegex(result.err, r'allowed +read "/dev/null"')
        self.assertNothingLeft()

    def test_observed_policy_denies_nothing_and_says_what_it_would_have(self):
        # Clause S-9.
        result = self.warder("run", "--policy", "no-process", "--observe", "--", python_or_skip(self), "-c",
                             "import os; os.system('echo ran')")
        self.assertEqual((result.status, result.out), (0, "ran\n"), result)
        self.assertRegex(result.err, r'would deny +exec "/bin/sh" -c "echo ran" +os\.system +local/no-process\.no-exec .*<string>:1 ')

    def test_what_would_have_been_denied_may_have_a_name_with_nul(self):
        policy = self.policy('policy c { deny connect where family is "unix" as u }')
        result = self.warder("run", "--policy", policy, "--observe", "--", python_or_skip(self), "-c",
                             r'import socket; socket.socket(socket.AF_UNIX).connect_ex("\0nobody")')
        self.assertEqual(result.status, 0, result)
        self.assertRegex(result.err, r'would deny +connect "unix"  socket\.connect  local/c\.u ')

    def test_policy_that_only_observes_says_what_it_would_have_denied(self):
        policy = self.policy('policy o { mode observe  deny exec as x }\npolicy e { deny fork as f }')
        result = self.warder("run", "--policy", policy, "--", python_or_skip(self), "-c",
                             "import os\nos.system('echo ran')\ntry: os.fork()\nexcept PermissionError: print('no')")
        self.assertEqual((result.status, result.out), (0, "ran\nno\n"), result)
        self.assertRegex(result.err, r"^\S+ \S+  would deny +exec .*local/o\.x .*\n$")  # and nothing else

    def test_record_that_is_kept_is_not_printed_with_what_would_have_been_denied(self):
        result = self.warder("run", "--policy", "no-process", "--observe", "--record", "--state-dir",
                             self.directory / "kept", "--", python_or_skip(self), "-c", "import os; os.system('true')")
        self.assertEqual(result.status, 0, result)
        self.assertTrue(result.err)
        for line in result.err.splitlines():
            self.assertIn("  would deny", line)

    def test_wait_for_a_daemon_that_hangs_is_said(self):
        daemon = self.daemon()
        daemon.process.send_signal(signal.SIGSTOP)
        try:
            with interpreter_process([WARDER, "run", "--socket", daemon.socket, "--policy", "no-process", "--",
                                      "echo", "ran"]) as run:
                said = run.stderr.readline()
                daemon.process.send_signal(signal.SIGCONT)
                out, more = run.communicate(timeout=PATIENCE)
        finally:
            daemon.process.send_signal(signal.SIGCONT)
        self.assertIn("the daemon has not answered yet; waiting for another 13 seconds", said)
        self.assertEqual((run.returncode, out, more), (0, "ran\n", ""))

    def test_signals_sent_to_run_reach_the_program(self):
        code = ("import signal, sys, time\n"
                "signal.signal(signal.SIGTERM, lambda *a: sys.exit(42))\n"
                "for number in signal.SIGUSR1, signal.SIGPROF, signal.SIGRTMIN, signal.SIGRTMAX - 1:\n"
                "    signal.signal(number, lambda number, frame: __import__('os').write(1, b'%d\\n' % number))\n"
                "print('ready', flush=True)\n"
                "while True: time.sleep(0.1)")
        with subprocess.Popen([WARDER, "run", "--policy", "no-process", "--", python_or_skip(self), "-c", code],
                              stdout=subprocess.PIPE, text=True, env=self.environment) as process:
            self.assertEqual(process.stdout.readline(), "ready\n")
            for number in signal.SIGUSR1, signal.SIGPROF, signal.SIGRTMIN, signal.SIGRTMAX - 1:
                process.send_signal(number)
                self.assertEqual(process.stdout.readline(), f"{int(number)}\n")
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(PATIENCE), 42)
        self.assertNothingLeft()

    def test_private_daemon_is_gone_when_run_was_killed(self):
        process = subprocess.Popen([WARDER, "run", "--policy", "no-process", "--", "/bin/sh", "-c", "echo $$; exec sleep 1000"],
                                   stdout=subprocess.PIPE, text=True, env=self.environment)
        program = int(process.stdout.readline())
        try:
            self.assertEqual(len(private_daemons(self.runtime)), 1)
            process.kill()
            process.wait()
            wait_until(lambda: not private_daemons(self.runtime), "the private daemon is gone", 20)
            self.assertNothingLeft()
        finally:
            os.kill(program, signal.SIGKILL)
            process.stdout.close()

    def test_record_of_a_private_daemon_is_out_of_the_program_s_reach(self):
        program = """
import os, pathlib
try:
    os.system("id")
except PermissionError:
    pass
# Python is not shown what Warder left in the environment; the kernel's copy has it.
environment = dict(entry.split("=", 1) for entry in open("/proc/self/environ").read().split("\\0") if "=" in entry)
directory = pathlib.Path(environment["WARDER_SOCKET"]).parent
left = sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))
held = []
for name in os.listdir("/proc/self/fd"):
    try:
        held.append(os.readlink("/proc/self/fd/" + name))
    except OSError:
        pass
print(left, [name for name in held if name.endswith((".db", "-wal")) or "memfd" in name and "warder" not in name])
"""
        result = self.warder("run", "--policy", "no-process", "--record", "--", sys.executable, "-c", program)
        self.assertEqual((result.status, result.out), (0, "['session.sock'] []\n"), result)
        self.assertIn("no-process", result.err)
        self.assertIn("denied", result.err)
        self.assertNothingLeft()

    def test_run_in_a_private_run_is_under_both(self):
        inner = self.directory / "inner.warder"
        inner.write_text('policy inner { deny write where path is "/dev/zero" as no-zero }')
        outer = self.directory / "outer.warder"
        outer.write_text('policy outer { deny write where path is "/dev/full" as no-full }')
        attempts = """
for path in "/dev/full", "/dev/zero":
    try:
        open(path, "w")
    except PermissionError as error:
        print(error)
"""
        program = f"""
import subprocess, sys
shell = ["/bin/sh", "-c", '"$@"; true', "sh", "/usr/bin/env", "WARDER_RUN=0", "WARDER_DOOR="]
for before in [], shell:
    subprocess.run([{str(WARDER)!r}, "run", "--policy", {str(inner)!r}, "--", *before, sys.executable, "-c", {attempts!r}])
"""
        result = self.warder("run", "--policy", outer, "--", sys.executable, "-c", program)
        self.assertEqual(result.status, 0, result)
        # Also where the program has its interpreter forget which run it is of.
        self.assertEqual(result.out.count("local/outer.no-full"), 2, result)
        self.assertEqual(result.out.count("local/inner.no-zero"), 2, result)

    def test_run_whose_outer_daemon_is_gone_does_not_start(self):
        # Nobody may trace there, and the sanitizer's search for leaks would.
        result = self.warder("run", "--policy", "no-process", "--", "/usr/bin/env", "WARDER_DAEMON=1",
                             "ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0", WARDER,
                             "run", "--policy", "no-process", "--", "/bin/true")
        self.assertEqual(result.status, 125, result)
        self.assertIn("would drop what that run is under", result.err)

    def test_who_takes_the_place_of_a_private_daemon_is_not_believed(self):
        program = """
import os, pathlib, socket, subprocess, sys
variables = open("/proc/self/environ").read().split("\\0")
path = pathlib.Path(next(entry for entry in variables if entry.startswith("WARDER_SOCKET=")).split("=", 1)[1])
path.parent.rename(str(path.parent) + "-gone")
path.parent.mkdir()
end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
end.bind(str(path))
end.listen()
child = subprocess.Popen([sys.executable, "-c", "print('free')"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
end.settimeout(20)
connection, _ = end.accept()
connection.settimeout(20)
print("said", connection.recv(1))
out, error = child.communicate()
print(out, child.returncode != 0, b"no policy daemon answers" in error)
"""
        policy = self.directory / "open.warder"
        policy.write_text('policy open { deny write where path under "/nonexistent" as nothing }')
        result = self.warder("run", "--policy", policy, "--", sys.executable, "-c", program)
        self.assertEqual((result.status, result.out), (0, "said b''\nb'' True True\n"), result)

    def test_what_lies_where_the_private_daemon_s_directory_was_is_left_alone(self):
        kept = self.directory / "kept"
        (kept / "sessions").mkdir(parents=True)
        (kept / "session.sock").write_text("kept")
        program = f"""
import os, pathlib
variables = open("/proc/self/environ").read().split("\\0")
path = pathlib.Path(next(entry for entry in variables if entry.startswith("WARDER_SOCKET=")).split("=", 1)[1])
path.parent.rename(str(path.parent) + "-gone")
os.symlink({str(kept)!r}, path.parent)
"""
        result = self.warder("run", "--policy", "no-process", "--", sys.executable, "-c", program)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(sorted(path.name for path in kept.iterdir()), ["session.sock", "sessions"])

    def test_private_daemon_has_no_administration_socket(self):
        with subprocess.Popen([WARDER, "run", "--policy", "no-process", "--", "/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              env=self.environment) as process:
            directory = wait_until(lambda: list(self.runtime.glob("*/session.sock")), "it is there")[0].parent
            self.assertEqual([path.name for path in directory.rglob("*") if path.is_socket()], ["session.sock"])
            # Processes that root's program turns into another user's go through, and see nothing.
            self.assertEqual(directory.stat().st_mode & 0o777, 0o711 if os.geteuid() == 0 else 0o700)
            process.stdin.close()
            self.assertEqual(process.wait(PATIENCE), 0)
        self.assertNothingLeft()

    def test_help_has_examples(self):
        for command in "run", "check", "fmt", "apply", "list", "show", "remove", "log", "status", "explain", "why":
            result = self.warder(command, "--help")
            self.assertEqual(result.status, 0, result)
            self.assertRegex(result.out, rf"examples?:\n.*warder {command}")
            self.assertIn("\nexit status: ", result.out)
            self.assertEqual(self.warder("help", command).out, result.out)
            self.assertEqual(self.warder("--help", command, "--json").out, result.out)
        self.assertIn("warder run", self.warder("--help").out)

    def test_commands_that_come_later_say_so(self):
        for command in "diff", "sessions":
            result = self.warder(command, "x")
            self.assertEqual(result.status, 2, result)
            self.assertIn("not in this version yet", result.err)
        self.assertEqual(self.warder("nonsense").status, 2)

    def test_check_has_exit_statuses(self):
        good = self.policy(ALLOW_ALL, "good.warder")
        bad = self.policy("policy p { deny exce as x }", "bad.warder")
        self.assertEqual(self.warder("check", good).status, 0)
        result = self.warder("check", good, bad)
        self.assertEqual(result.status, 1, result)
        self.assertIn("bad.warder:1:17: error[", result.out)
        self.assertEqual(self.warder("check").status, 2)
        self.assertEqual(self.warder("check", self.directory / "missing").status, 2)


def python_or_skip(test):
    """Some interpreter for a test that is about none in particular."""
    path = "/usr/bin/python3"
    if not os.path.exists(path):
        test.skipTest("no /usr/bin/python3")
    return path


class Host(Test):
    """With a daemon on the host."""

    per_interpreter = True
    short_on = staticmethod(interpreters.ends)

    def run_at(self, daemon, *arguments, **options):
        return execute([WARDER, "run", "--socket", daemon.socket, *arguments], cwd=self.directory, **options)

    def test_file_named_by_a_user_narrows(self):
        # Clauses V-6 and V-8.
        daemon = self.daemon()
        code = "import os\ntry: os.system('echo ran')\nexcept PermissionError as e: print(e)"
        self.assertIn("ran", self.run_at(daemon, "--", python(), "-c", code).out)
        result = self.run_at(daemon, "--policy", NO_PROCESS, "--", python(), "-c", code)
        self.assertIn("denied by local/no-process.no-exec", result.out, result)

    def test_file_named_by_a_user_cannot_widen(self):
        # Clause V-6.
        daemon = self.daemon()
        daemon.apply('policy all-python { applies { platform is "linux" } deny exec as no }')
        allow = self.policy("policy wide { default allow all  allow exec as yes }")
        result = self.run_at(daemon, "--policy", allow, "--", python(), "-c",
                             "import os\ntry: os.system('echo ran')\nexcept PermissionError as e: print(e)")
        self.assertIn("denied by local/all-python.no", result.out, result)
        self.assertNotIn("ran", result.out)

    def test_run_that_no_policy_governs_says_so_once(self):
        daemon = self.daemon()
        daemon.apply('policy others { applies { user is "nobody-of-this-host" } default deny exec }')
        said = "no policy of this host governs the program"
        both = f"{python()} -c 'print(1)'; {python()} -c 'print(2)'"
        result = self.run_at(daemon, "--", "/bin/sh", "-c", both)
        self.assertEqual((result.status, result.out), (0, "1\n2\n"), result)
        self.assertEqual(result.err.count(said), 1, result)
        self.assertEqual(len(result.err.splitlines()), 1, result)
        self.assertIn("Name one, such as --policy no-process", result.err)
        for more in ("--record",), ("--policy", "others"), ("--policy", "others", "--observe"), ("--policy", NO_PROCESS):
            with self.subTest(more):
                result = self.run_at(daemon, *more, "--", python(), "-c", "print(1)")
                self.assertEqual((result.status, result.out), (0, "1\n"), result)
                self.assertNotIn(said, result.err)
        daemon.apply('policy all { applies { platform is "linux" } default deny exec }')
        self.assertEqual(self.run_at(daemon, "--", python(), "-c", "pass").err, "")
        # A run in a run is under what that is under, and a program that is no interpreter is under nothing to say.
        self.assertEqual(daemon.command("remove", "all").status, 0)
        self.assertEqual(self.run_at(daemon, "--", "true").err, "")
        nested = self.run_at(daemon, "--policy", "others", "--", WARDER, "run", "--socket", daemon.socket, "--",
                             python(), "-c", "print(1)")
        self.assertEqual((nested.out, nested.err), ("1\n", ""), nested)

    def test_observing_does_not_loosen_what_the_host_enforces(self):
        daemon = self.daemon()
        daemon.apply('policy all-python { applies { platform is "linux" } deny exec as no }\n'
                     'policy named { deny fork as f }')
        result = self.run_at(daemon, "--policy", "all-python", "--policy", "named", "--observe", "--", python(), "-c",
                             "import os\nif os.fork() == 0: os._exit(0)\nos.wait()\n"
                             "try: os.system('echo ran')\nexcept PermissionError as e: print(e)")
        self.assertIn("denied by local/all-python.no", result.out, result)
        would = [row for row in daemon.log() if row.get("verdict") == "would-deny"]
        self.assertEqual([row["rule"] for row in would], ["f"])

    def test_stored_policy_is_named(self):
        # Clause S-6.
        daemon = self.daemon()
        daemon.apply("policy by-name { deny exec as no }")
        code = "import os\ntry: os.system('echo ran')\nexcept PermissionError as e: print(e)"
        self.assertIn("ran", self.run_at(daemon, "--", python(), "-c", code).out)
        for name in "by-name", "local/by-name":
            result = self.run_at(daemon, "--policy", name, "--", python(), "-c", code)
            self.assertIn("denied by local/by-name.no", result.out, result)

    def test_name_that_is_not_stored_is_refused(self):
        daemon = self.daemon()
        result = self.run_at(daemon, "--policy", "missing", "--", python(), "-c", "print('ran')")
        self.assertEqual((result.status, result.out), (125, ""), result)
        self.assertIn("`missing`", result.err)
        self.assertRegex(result.err, "warder: these come with Warder: .*no-process.*untrusted")

    def test_directory_for_the_record_that_would_stay_empty_is_refused(self):
        daemon = self.daemon()
        kept = self.directory / "kept"
        result = self.run_at(daemon, "--policy", "no-process", "--state-dir", kept, "--", python(), "-c", "print('ran')")
        self.assertEqual((result.status, result.out), (125, ""), result)
        self.assertIn(f"{kept}: would stay empty: ", result.err)
        self.assertFalse(kept.exists())

    def test_who_observes_is_told_where_to_look(self):
        daemon = self.daemon()
        result = self.run_at(daemon, "--policy", "no-process", "--observe", "--", python(), "-c", "")
        self.assertEqual((result.status, result.err), (
            0, "warder: what would have been denied is in the record of the daemon that judged: `warder log --denied` "
               "shows it to an administrator\n"), result)

    def test_name_that_comes_with_warder_is_that_where_the_host_has_none(self):
        daemon = self.daemon()
        code = "import os\ntry: os.system('echo ran')\nexcept PermissionError as e: print(e)"
        for names in ["no-process"], ["untrusted", "no-process"]:
            named = [word for name in names for word in ("--policy", name)]
            result = self.run_at(daemon, *named, "--", python(), "-c", code)
            self.assertIn("denied by local/", result.out, result)
            self.assertNotIn("ran", result.out)
        daemon.apply('policy no-process { deny exec as of-the-host }')
        result = self.run_at(daemon, "--policy", "no-process", "--", python(), "-c", code)
        self.assertIn("denied by local/no-process.of-the-host", result.out, result)
        self.assertEqual([row for row in daemon.log() if row["kind"] == "refusal"], [], "nothing was refused")

    def test_policy_that_is_named_twice_is_named_once(self):
        code = "import os\ntry: os.system('echo ran')\nexcept PermissionError as e: print(e)"
        mine = str(self.policy("policy mine { deny exec as e }"))
        daemon = self.daemon()
        for twice in "no-process", mine:
            named = ["--policy", twice, "--policy", twice]
            for result in (execute([WARDER, "run", *named, "--", python(), "-c", code], env=clean_environment()),
                           self.run_at(daemon, *named, "--", python(), "-c", code)):
                self.assertEqual(result.status, 0, result)
                self.assertIn("denied by local/", result.out, result)
        daemon.apply("policy no-process { deny exec as of-the-host }")
        result = self.run_at(daemon, "--policy", "no-process", "--policy", "no-process", "--", python(), "-c", code)
        self.assertIn("denied by local/no-process.of-the-host", result.out, result)

    def test_policy_file_of_more_than_64_kib_is_refused_with_what_to_do(self):
        daemon = self.daemon()
        large = self.policy("policy p {\n" + "# filler\n" * 9000 + "deny exec as e }")
        result = self.run_at(daemon, "--policy", large, "--", python(), "-c", "print('ran')")
        self.assertEqual((result.status, result.out), (125, ""), result)
        self.assertIn("64 KiB", result.err)
        self.assertIn("warder apply", result.err)

    def test_labels_select_policies_and_reach_children(self):
        # Clauses S-3 and S-7.
        daemon = self.daemon()
        daemon.apply('policy plugins { applies { label role is "plugin" } deny exec where file is "/bin/false" as no }')
        code = ("import subprocess, sys\n"
                "code = 'import os\\ntry: os.execv(\"/bin/false\", [\"false\"])\\nexcept PermissionError as e: print(e)'\n"
                "print(subprocess.run([sys.executable, '-c', code], stdout=subprocess.PIPE).stdout.decode())")
        result = self.run_at(daemon, "--label", "role=plugin", "--", python(), "-c", code)
        self.assertIn("denied by local/plugins.no", result.out, result)
        result = self.run_at(daemon, "--label", "role=other", "--", python(), "-c", code)
        self.assertNotIn("denied", result.out, result)

    def test_children_with_an_emptied_run_token_inherit_by_descent(self):
        daemon = self.daemon()
        code = ("import os, subprocess, sys\n"
                "environment = {key: value for key, value in os.environ.items() if key != 'WARDER_RUN'}\n"
                "code = 'import os\\ntry: os.execv(\"/bin/false\", [\"false\"])\\nexcept PermissionError as e: print(e)'\n"
                "print(subprocess.run([sys.executable, '-c', code], env=environment, "
                "stdout=subprocess.PIPE).stdout.decode())")
        policy = self.policy('policy p { deny exec where file is "/bin/false" as no }')
        result = self.run_at(daemon, "--policy", policy, "--", python(), "-c", code)
        self.assertIn("denied by local/p.no", result.out, result)

    # What a host that preloads for everyone leaves in the environment of a program that drops the rest.
    DROP = ("import os, subprocess, sys, time\n"
            "environment = {key: value for key, value in os.environ.items() if key not in ('WARDER_RUN', 'WARDER_DOOR')}\n"
            "command = [sys.executable, '-c', 'import os\\ntry: os.execv(\"/bin/false\", [\"false\"])\\n'\n"
            "           'except PermissionError as e: print(e, os.getppid())']\n")
    NO_FALSE = 'policy p { deny exec where file is "/bin/false" as no }'

    def test_what_a_process_executes_in_its_own_place_stays_under_the_run(self):
        result = self.run_at(self.daemon(), "--policy", self.policy(self.NO_FALSE), "--", python(), "-c",
                             self.DROP + "os.execve(sys.executable, command, environment)")
        self.assertIn("denied by local/p.no", result.out, result)

    def test_token_of_another_run_adds_and_never_replaces(self):
        daemon = self.daemon()
        other = self.policy('policy other { deny exec where file is "/bin/true" as other }', "other.warder")
        with interpreter_process([WARDER, "run", "--socket", daemon.socket, "--policy", other, "--", "/bin/sh", "-c",
                                  "echo $WARDER_RUN; read line"]) as launched:
            token = launched.stdout.readline().strip()
            self.assertRegex(token, "^[0-9a-f]{32}$")
            result = self.run_at(daemon, "--policy", self.policy(self.NO_FALSE), "--", python(), "-c", self.DROP +
                                 f"environment['WARDER_RUN'] = {token!r}\n"
                                 "sys.stdout.write(subprocess.run(command, env=environment, stdout=subprocess.PIPE)"
                                 ".stdout.decode())\n"
                                 "sys.stdout.flush()\n"
                                 "command[2] = command[2].replace('/bin/false', '/bin/true')\n"
                                 "os.execve(sys.executable, command, environment)")
            launched.communicate("end\n", timeout=PATIENCE)
        self.assertIn("denied by local/p.no", result.out, result)
        self.assertIn("denied by local/other.other", result.out, result)

    def test_run_in_a_run_is_under_both(self):
        daemon = self.daemon()
        inner = self.policy('policy inner { deny exec where file is "/bin/true" as inner }', "inner.warder")
        code = ("import os\nfor file in '/bin/false', '/bin/true':\n"
                "    try: os.execv(file, [file])\n    except PermissionError as e: print(e)")
        result = self.run_at(daemon, "--policy", self.policy(self.NO_FALSE), "--", WARDER, "run", "--socket",
                             daemon.socket, "--policy", inner, "--", python(), "-c", code)
        self.assertIn("denied by local/p.no", result.out, result)
        self.assertIn("denied by local/inner.inner", result.out, result)

    def test_orphans_of_a_run_stay_under_it_and_leave_its_status_alone(self):
        said = self.directory / "said"
        said.touch()
        # The shell between has ended before the interpreter starts: nothing but who adopted it tells whose it is.
        result = self.run_at(self.daemon(), "--policy", self.policy(self.NO_FALSE), "--", python(), "-c", self.DROP +
                             "reading, writing = os.pipe()\n"
                             "script = '(read line; exec \"$0\" \"$@\") <&%d >said 2>&1 & exit 0' % reading\n"
                             "subprocess.run(['/bin/sh', '-c', script] + command, env=environment, pass_fds=[reading])\n"
                             "os.write(writing, b'go\\n')\n"
                             "while not os.path.getsize('said'): time.sleep(0.1)\n"
                             "print(os.getppid())\n"
                             "sys.exit(7)")
        self.assertEqual(result.status, 7, result)
        self.assertIn("denied by local/p.no", said.read_text())
        # It sees a parent that is there: `warder run`, which is the program's own parent too.
        self.assertEqual(said.read_text().split()[-1], result.out.split()[-1])

    def test_orphan_that_ends_is_no_news_of_the_program(self):
        daemon = self.daemon()
        result = self.run_at(daemon, "--", "/bin/sh", "-c",
                             "(sh -c 'kill -9 $$' &); (exit 3 &); sleep 0.5; (sleep 0.1; exit 4) & exit 5")
        self.assertEqual(result.status, 5, result)
        result = self.run_at(daemon, "--", "/bin/sh", "-c", "(sleep 60 >/dev/null 2>&1 & echo $! >left); kill -15 $$")
        os.kill(int((self.directory / "left").read_text()), signal.SIGKILL)
        self.assertEqual(result.status, -signal.SIGTERM, result)

    def test_recorded_run_is_in_the_host_s_record(self):
        daemon = self.daemon()
        self.run_at(daemon, "--record", "--label", "a=b", "--", python(), "-c", "open('/dev/null')")
        rows = [row for row in daemon.log() if row.get("event") == "open"]
        self.assertIn("/dev/null", [row["arguments"]["path"] for row in rows])
        self.assertEqual(rows[0]["subject"]["said"]["labels"], {"a": "b"})
