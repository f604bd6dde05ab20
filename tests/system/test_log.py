"""The record, and `warder log`."""

import json
import os
import re
import subprocess
import threading
import unittest

import interpreters
from support import WARDER, Test, clean_environment, execute, interpreter_process, python, wait_until


class Log(Test):
    per_interpreter = True
    short_on = staticmethod(interpreters.ends)

    def test_record_holds_the_denial_with_its_line_and_its_reasons(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny exec as no message "Not here" }')
        script = self.script("import os\n\ntry:\n    os.system('id')\nexcept PermissionError:\n    pass\n")
        execute([python(), script], env=daemon.preloaded())
        row, = daemon.log("--denied")
        self.assertEqual((row["verdict"], row["event"], row["summary"]), ("deny", "os.system", 'exec "/bin/sh"'))
        self.assertEqual((row["policy"], row["rule"], row["message"]), ("local/p", "no", "Not here"))
        self.assertEqual((row["file"], row["line"], row["generation"]), (str(script), 4, 1))
        self.assertEqual(row["arguments"], {"command": {"bytes": "id"}})
        operation, = row["operations"]
        self.assertEqual((operation["class"], operation["file"], operation["argv"], operation["shell"]),
                         ("exec", "/bin/sh", ["sh", "-c", "id"], True))
        self.assertEqual(set(operation["env"]), {"secret", "length"})

    def test_record_names_the_program_s_own_line_and_not_the_library_s(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny exec as no }')
        script = self.script("import subprocess\n"
                             "def start():\n"
                             "    subprocess.run(['id'], check=True)\n"
                             "try:\n"
                             "    start()\n"
                             "except PermissionError:\n"
                             "    pass\n")
        execute([python(), script], env=daemon.preloaded())
        row, = daemon.log("--denied")
        self.assertEqual((row["file"], row["line"]), (str(script), 3))

    def test_secrets_are_recorded_by_length_alone(self):
        daemon = self.daemon("--record", "all")
        execute([python(), "-c", """
import os, sys
os.putenv("NAME", "the-secret-1")
sys.audit("subprocess.Popen", "psql", ["psql", "--password=the-secret-2", "--token", "the-secret-3",
          "postgres://me:the-secret-4@host/db"], None, {"KEY": "the-secret-5"})
sys.audit("subprocess.Popen", "x --secret=the-secret-8", ["x --secret=the-secret-8"], None, None)
os.system("curl -u me:the-secret-9 -H 'Authorization: Bearer the-secret-a' 'http://127.0.0.1:1/' 2>/dev/null; true")
sys.audit("subprocess.Popen", "mysql", ["mysql", "-pthe-secret-b", "-H", "Authorization: Bearer the-secret-c"], None, None)
sys.audit("fcntl.ioctl", 0, 0x5412, b"the-secret-d")
sys.audit("http.client.connect", None, "me:the-sec" "ret-e@127.0.0.1", 80)
sys.audit("socket.getaddrinfo", "me:the-sec" "ret-f@127.0.0.1", 80, 0, 1, 0)
sys.audit("socket.connect", None, ("the-sec" "ret-g@127.0.0.1", 80))
sys.audit("smtplib.send", None, b"the-secret-6")
sys.audit("builtins.input/result", "the-secret-7")
"""], env=daemon.preloaded())
        # The last one is recorded: all of them are.
        wait_until(lambda: "builtins.input/result" in daemon.command("log", "--json", "-n", "0").out,
                   "what the program did is recorded")
        log = daemon.command("log", "--json", "-n", "0").out
        rows = [json.loads(line) for line in log.splitlines()]
        for row in rows:
            row.pop("subject", None)
            # What ran is recorded too, as the text that was compiled: only what was handed over is looked at.
            if row.get("event") in ("compile", "cpython.run_command", "code.__new__"):
                continue
            self.assertNotIn("the-secret", json.dumps(row), row)
        putenv = next(row for row in rows if row.get("event") == "os.putenv")
        self.assertEqual(putenv["arguments"], {"key": {"bytes": "NAME"}, "value": {"secret": "bytes", "length": 12}})
        popen = next(row for row in rows if row.get("event") == "subprocess.Popen")
        self.assertEqual(popen["arguments"]["args"], ["psql", "--password=<12 bytes>", "--token", "<12 bytes>",
                                                      "postgres://me:<12 bytes>@host/db"])
        self.assertEqual(popen["arguments"]["env"], {"secret": "map", "length": 1})
        lookup = next(row for row in rows if row.get("event") == "socket.getaddrinfo")
        self.assertEqual((lookup["summary"], lookup["arguments"]["host"]),
                         ('resolve "me:<12 bytes>@127.0.0.1"', "me:<12 bytes>@127.0.0.1"))
        # Nor are they in its files, where the text that was compiled has them in two pieces.
        for file in daemon.state.glob("audit.db*"):
            self.assertEqual(re.findall(rb"the-secret-[efg]", file.read_bytes()), [], file.name)

    def test_repeated_denials_are_counted_in_one_record(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny read where path is "/denied" as d }')
        # Other events lie between them, as they do in a program that tries again.
        result = execute([python(), "-c", "import os\n"
                                          "for i in range(1000):\n"
                                          "    try:\n"
                                          "        open('/denied')\n"
                                          "    except PermissionError as error:\n"
                                          "        print(error.decision_id)\n"
                                          "        os.listdir('.')\n"], env=daemon.preloaded())
        rows = daemon.log("--denied")
        self.assertEqual(sum(row["count"] for row in rows), 1000)
        self.assertLess(len(rows), 100)
        self.assertEqual(set(result.out.split()), {row["decision"] for row in rows})

    def test_repeated_denials_from_other_lines_are_recorded_with_their_lines(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny read where path is "/denied" as d }')
        script = self.script("def harmless():\n"
                             "    open('/denied')\n"
                             "def hidden():\n"
                             "    open('/denied')\n"
                             "for ask in [harmless] * 5 + [hidden] * 2 + [harmless]:\n"
                             "    try:\n"
                             "        ask()\n"
                             "    except PermissionError as error:\n"
                             "        print(error.decision_id)\n")
        result = execute([python(), script], env=daemon.preloaded())
        self.assertEqual(len(result.out.split()), 8, result)
        rows = daemon.log("--denied")
        counts = dict.fromkeys((2, 4), 0)
        for row in rows:
            self.assertEqual(row["file"], str(script))
            counts[row["line"]] += row["count"]
        self.assertEqual(counts, {2: 6, 4: 2})
        self.assertEqual(set(result.out.split()), {row["decision"] for row in rows})

    def test_denial_of_what_leads_to_the_calling_line_ends_in_one_denial(self):
        # 3.8 raises an event when the hook asks a frame for its code.
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny introspect where name is "f_code" as i  deny exec as e }')
        result = execute([python(), "-c", "import os\n"
                                          "try: os.system('id')\n"
                                          "except PermissionError as error: print(error.rule)"],
                         env=daemon.preloaded())
        self.assertEqual((result.status, result.out), (0, "e\n"), result)
        wait_until(lambda: daemon.status()["sessions"] == 0, "what the session had to say is read")
        row, = [row for row in daemon.log("--denied") if row["rule"] == "e"]
        self.assertEqual((row["file"], row["line"]), ("<string>", 2))

    def test_log_rules_record_and_change_no_verdict(self):
        # Clause S-18.
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } log read where path under "/etc" as etc-reads }')
        result = execute([python(), "-c", "print(len(open('/etc/passwd').read()) > 0)"], env=daemon.preloaded())
        self.assertEqual(result.out, "True\n", result)
        rows = [row for row in daemon.log() if (row.get("arguments") or {}).get("path") == "/etc/passwd"]
        self.assertEqual([(row["verdict"], row["rule"]) for row in rows], [("allow", "etc-reads")])

    def test_every_log_rule_that_named_an_event_is_in_its_record(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } log read where path under "/etc" as z-reads '
                     'log read where path is "/etc/passwd" as a-users }')
        daemon.apply('policy q { applies { platform is "linux" } log read where path is "/etc/passwd" as users '
                     'deny read where path is "/etc/shadow" as no  log read where path is "/etc/shadow" as shadow }')
        daemon.apply('policy o { applies { platform is "linux" } mode observe deny read where path under "/etc" as o }')
        execute([python(), "-c", "open('/etc/passwd')\ntry: open('/etc/shadow')\nexcept PermissionError: pass"],
                env=daemon.preloaded())
        rows = {row["arguments"]["path"]: row for row in daemon.log()
                if row.get("event") == "open" and str(row["arguments"]["path"]).startswith("/etc/")}
        users, shadow = rows["/etc/passwd"], rows["/etc/shadow"]
        self.assertEqual((users["verdict"], users["rule"]), ("would-deny", "o"))
        self.assertEqual(users["logged_by"], ["local/p.a-users", "local/p.z-reads", "local/q.users"])
        self.assertEqual((shadow["verdict"], shadow["rule"]), ("deny", "no"))
        self.assertEqual(shadow["logged_by"], ["local/p.z-reads", "local/q.shadow"])

    def test_log_is_followed(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny exec as no }')
        follower = subprocess.Popen([str(part) for part in (daemon_command(daemon, "log", "--follow", "--denied", "--json"))],
                                    stdout=subprocess.PIPE, text=True, env=clean_environment())
        try:
            for i in range(2):
                execute([python(), "-c", f"import os\ntry: os.execv('/bin/{i}', ['x'])\nexcept PermissionError: pass"],
                        env=daemon.preloaded())
                self.assertEqual(json.loads(follower.stdout.readline())["arguments"]["path"], f"/bin/{i}")
        finally:
            follower.kill()
            follower.wait()
            follower.stdout.close()

    def test_log_is_followed_from_now_on(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny exec as no }')

        def deny(name):
            execute([python(), "-c", f"import os\ntry: os.execv('/bin/{name}', ['x'])\nexcept PermissionError: pass"],
                    env=daemon.preloaded())

        deny("old")
        self.assertEqual(len(daemon.log("--denied")), 1)
        with interpreter_process(daemon_command(daemon, "log", "--follow", "--denied", "--json", "-n", "0")) as follower:
            rows = []
            reader = threading.Thread(target=lambda: rows.append(follower.stdout.readline()))
            reader.start()
            while reader.is_alive():  # it may begin to follow at any moment from now on
                deny("new")
                reader.join(0.2)
        self.assertEqual(json.loads(rows[0])["arguments"]["path"], "/bin/new")

    def test_record_of_a_run_that_is_over_is_not_followed(self):
        self.recorded(None, ["true"])
        kept = next(self.directory.glob("state*"))
        result = execute([WARDER, "log", "--follow", "--state-dir", kept])
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertIn("nobody adds to the record of a run that is over", result.err)

    def test_log_is_followed_over_a_restart_of_the_daemon(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny exec as no }')

        def deny(name):
            execute([python(), "-c", f"import os\ntry: os.execv('/bin/{name}', ['x'])\nexcept PermissionError: pass"],
                    env=daemon.preloaded())

        deny("before")
        with interpreter_process(daemon_command(daemon, "log", "--follow", "--denied", "--json", "-n", "1")) as follower:
            rows = [json.loads(follower.stdout.readline())]
            for end, name in (daemon.stop, "stopped"), (daemon.kill, "killed"):
                end()
                self.assertIn("the daemon went away", follower.stderr.readline())
                daemon.start()
                deny(name)
                rows.append(json.loads(follower.stdout.readline()))
            self.assertIsNone(follower.poll())
            follower.terminate()
            self.assertEqual(follower.communicate()[1], "")  # said once for each
        self.assertEqual([row["arguments"]["path"] for row in rows], ["/bin/before", "/bin/stopped", "/bin/killed"])
        self.assertEqual(len({row["id"] for row in rows}), len(rows))

    def test_last_records_and_one_session_can_be_asked_for(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny read where path under "/denied" as d }')
        for name in "a", "b":
            execute([python(), "-c", f"for i in range(5):\n try: open('/denied/{name}%d' % i)\n except PermissionError: pass"],
                    env=daemon.preloaded())
        rows = daemon.log("--denied")
        self.assertEqual([row["arguments"]["path"] for row in rows],
                         [f"/denied/{name}{i}" for name in "ab" for i in range(5)])
        self.assertEqual(daemon.log("--denied", "-n", "3"), rows[-3:])
        session = rows[0]["session"]
        self.assertEqual(daemon.log("--denied", "--session", session), rows[:5])
        self.assertEqual(daemon.log("--denied", "--session", session.upper()), rows[:5])
        self.assertEqual(daemon.log("--session", rows[7]["decision"]), rows[7:8])
        for wrong in "zz", "", "0", "7f3a-", "7f3a-x", "-12", "7f3a-0", "0x7f", " 7f", "1" * 17, "7f3a-12 ":
            with self.subTest(wrong):
                result = daemon.command("log", "--session", wrong)
                self.assertEqual((result.status, result.out), (2, ""), result)
                self.assertIn("such as 7f3a", result.err)
        for given, said in ("7f3a", "nothing of session 7f3a"), ("7f3a-12", "nothing of decision 7f3a-12"):
            for more in (), ("--json",):
                result = daemon.command("log", "--session", given, *more)
                self.assertEqual((result.status, result.out, result.err), (1, "", f"warder: the record has {said}\n"))
        result = daemon.command("log", "--denied", "--session", "7f3a")
        self.assertEqual((result.status, result.err), (1, "warder: the record has no denial of session 7f3a\n"))
        text = daemon.command("log", "--denied", "-n", "1").out
        self.assertRegex(text, r'^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}  denied +read "/denied/b4"  open  local/p\.d  ')

    def test_columns_are_always_the_same(self):
        daemon = self.daemon("--record", "all")
        daemon.apply('policy p { applies { platform is "linux" } deny read where path under "/denied" as d }\n'
                     'policy o { applies { platform is "linux" } mode observe deny read where path under "/seen" as s }')
        execute([python(), "-c", "import sys\n"
                                 "for name in '/denied/a', '/denied/a', '/seen/b', '/allowed/c':\n"
                                 "    try: open(name)\n"
                                 "    except OSError: pass\n"
                                 "sys.audit('my.event', 1)"], env=daemon.preloaded())
        wait_until(lambda: daemon.status()["sessions"] == 0, "the session is over")
        wait_until(lambda: daemon.status()["records_waiting"] == 0, "the record has caught up")
        lines = [re.split("  +", line) for line in daemon.command("log", "-n", "0").out.splitlines()]
        self.assertEqual({len(line) for line in lines}, {8}, lines)

        def found(verdict, what):
            return [line[3:5] + line[6:7] for line in lines if line[1] == verdict and line[2] == what]

        self.assertEqual(found("denied", 'read "/denied/a" x2') or found("denied", 'read "/denied/a"')[:1],
                         [["open", "local/p.d", "<string>:3"]])
        self.assertEqual(found("would deny", 'read "/seen/b"')[0][:2], ["open", "local/o.s"])
        self.assertEqual(found("allowed", 'read "/allowed/c"'), [["open", "-", "-"]])
        self.assertEqual([line[1:2] + line[4:5] + line[6:7] for line in lines if line[3] == "my.event"],
                         [["allowed", "-", "-"]])
        started = [line for line in lines if line[1] == "daemon" and "started" in line[2]]
        self.assertEqual([line[3:5] + line[6:] for line in started], [["-", "-", "-", "-"]])
        self.assertEqual(started[0][5], f"pid {daemon.process.pid}")

    def test_heading_names_columns_and_zone_on_a_terminal(self):
        daemon = self.daemon()
        ours, theirs = os.openpty()
        try:
            result = subprocess.run([str(part) for part in daemon_command(daemon, "log")], stdout=theirs,
                                    stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                    env=clean_environment(TZ="America/New_York", NO_COLOR="1"), check=True)
            self.assertEqual(result.stderr, "")
            text = b""
            while text.count(b"\n") < 2:  # a terminal gives a line at a time
                text += os.read(ours, 65536)
            lines = text.decode().splitlines()
        finally:
            os.close(ours)
            os.close(theirs)
        self.assertRegex(lines[0], r"^TIME \(-0[45]00\) +VERDICT +WHAT  EVENT  BY  WHO  WHERE  DECISION$")
        self.assertEqual(len(re.split("  +", lines[0])), len(re.split("  +", lines[1])), lines)
        self.assertNotIn("TIME", "".join(lines[1:]) + daemon.command("log").out)

    def test_one_event_can_be_asked_for(self):
        daemon = self.daemon("--record", "all")
        daemon.apply('policy p { applies { platform is "linux" } deny read where path under "/denied" as d }')
        execute([python(), "-c", "import os\nos.listdir('/')\nos.mkdir('made')\nos.rmdir('made')\nopen('made', 'w').close()\n"
                                 "try: open('/denied/a')\nexcept PermissionError: pass\n"],
                env=daemon.preloaded(), cwd=self.directory)
        wait_until(lambda: daemon.status()["sessions"] == 0, "the session is over")
        wait_until(lambda: daemon.status()["records_waiting"] == 0, "the record has caught up")
        rows = daemon.log("-n", "0")
        for asked, fits in ("os.mkdir", "os.mkdir".__eq__), ("os.*dir", re.compile(r"os\..*dir$").match):
            expected = [row for row in rows if fits(row.get("event", ""))]
            self.assertGreater(len(expected), 0)
            self.assertEqual(daemon.log("--event", asked, "-n", "0"), expected)
        self.assertEqual(daemon.log("--event", "os.*dir", "-n", "1"), expected[-1:])
        denied, = daemon.log("--event", "open", "--denied")
        self.assertEqual(denied["arguments"]["path"], "/denied/a")
        for event, words in (("os.mkdirr", "; did you mean `os.mkdir`?"), ("nothing.like.it", ""), ("no*such*", "")):
            result = daemon.command("log", "--event", event)
            self.assertEqual((result.status, result.out, result.err), (
                0, "", f"warder: log: the record has nothing of `{event}`, and CPython raises no such event{words}\n"))
        for event in "os.chmod", "os.ch*":
            result = daemon.command("log", "--event", event)
            self.assertEqual((result.status, result.out, result.err), (0, "", ""), "it is one, and was not raised")
        result = daemon.command("log", "--event", "x" * 129)
        self.assertEqual((result.status, result.out, result.err), (2, "", "warder: no event has so long a name\n"))

    def test_names_chosen_by_a_program_cannot_play_with_the_terminal(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny read where path under "/denied" as d }')
        result = execute([python(), "-c", "try: open('/denied/\\x1b[31m\\n\\u202e\\x07')\nexcept PermissionError as e: print(e)"],
                         env=daemon.preloaded())
        log = daemon.command("log", "--denied").out
        for text in result.out, log:
            self.assertIn("/denied/\\x1b[31m\\x0a\\xe2\\x80\\xae\\x07", text)
            self.assertEqual(text.count("\n"), 1, text)

    def test_denial_of_a_name_with_nul_is_in_the_log(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny connect where family is "unix" as d  deny exec as e }')
        execute([python(), "-c", r"""
import socket, subprocess
try: socket.socket(socket.AF_UNIX).connect("\0name")
except PermissionError: pass
try: subprocess.run(["/bin/sh", "-c", "echo\0hidden"])
except PermissionError: pass"""], env=daemon.preloaded())
        first, second = daemon.command("log", "--denied").out.splitlines()
        self.assertRegex(first, r'  connect "unix"  socket\.connect  local/p\.d  .* <string>:3  ')
        self.assertIn('  exec "/bin/sh" -c "echo\\x00hidden"  subprocess.Popen  local/p.e  ', second)
        self.assertEqual([row["rule"] for row in daemon.log("--denied")], ["d", "e"])

    def test_names_chosen_by_a_program_stay_in_their_column(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny read where path under "/denied" as d }')
        forged = '/denied/x"  local/p.other  root 1  /usr/bin/ok:1  9-9 "'
        opening = f"open({forged!r})"
        result = execute([python(), "-c", f"""code = compile({opening!r}, 'a b.py:1  9-9', 'exec')
try: exec(code)
except PermissionError as e: print(e)
try: open('/denied/\U000e0041')
except PermissionError as e: print(e)"""], env=daemon.preloaded())
        shown = 'read "/denied/x\\"  local/p.other  root 1  /usr/bin/ok:1  9-9 \\""'
        first, second = daemon.command("log", "--denied").out.splitlines()
        self.assertIn(shown, result.out)
        self.assertIn(f"  {shown}  open  local/p.d  ", first)
        self.assertRegex(first, r'  "a b\.py:1  9-9":1  [0-9a-f]+-[0-9]+$')
        for text in second, result.out:
            self.assertIn('"/denied/\\xf3\\xa0\\x81\\x81"', text)

    def test_json_is_printable_ascii(self):
        daemon = self.daemon()
        hostile = "\x7f\x85\x9b\u202e\U0001f600"
        daemon.apply(f'policy p "é\U0001f600" {{ applies {{ platform is "linux" }} deny read where path under "/denied" as d }}')
        execute([python(), "-c", f"try: open('/denied/' + {hostile!a})\nexcept PermissionError: pass"],
                env=daemon.preloaded(), cwd=self.directory)
        seen = [daemon.command(*words, "--json").out for words in (["log", "--denied"], ["list"], ["show", "p"], ["status"])]
        for text in seen:
            self.assertRegex(text, r"\A[\x20-\x7e]+\n\Z")
        self.assertEqual(json.loads(seen[0])["arguments"]["path"], "/denied/" + hostile)
        self.assertEqual(json.loads(seen[1])["title"], "é\U0001f600")
        self.assertEqual(json.loads(seen[2])["title"], "é\U0001f600")
        self.assertRegex(json.loads(seen[1])["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")


def daemon_command(daemon, *arguments):
    return [WARDER, arguments[0], "--admin-socket", daemon.admin, *arguments[1:]]


if __name__ == "__main__":
    unittest.main()
