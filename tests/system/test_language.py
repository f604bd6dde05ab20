"""Clauses of the policy language, in real interpreters: what the unit tests of the specification suppose of arguments, paths and links."""

import datetime
import socket

from support import WARDER, Test, execute, python

TRY = """
import os, signal, socket, subprocess, sys
def tries(name, function):
    try:
        function()
        print(name, 'ok')
    except PermissionError as error:
        print(name, getattr(error, 'rule', None) or 'no denial of Warder: %r' % error)
    except OSError as error:
        print(name, 'ok')  # it was let through, and failed by itself
os.chdir(sys.argv[1])
"""


class Language(Test):
    per_interpreter = True

    @staticmethod
    def choose(found):
        """The oldest and the newest interpreter: what differs between them the triggers see."""
        return [found[0], *found[1:][-1:]]

    def setUp(self):
        super().setUp()
        for name in "work", "work/inside", "other":
            (self.directory / name).mkdir()
        (self.directory / "other" / "target").write_text("x")

    def assertTries(self, policy, expected):
        """`expected` maps a line of Python to the rule that denies it, or `ok`."""
        text = policy.replace("DIRECTORY", str(self.directory))
        code = TRY + "\n".join(f"tries({line!r}, lambda: {line})" for line in expected)
        result = self.run_under(self.policy(text), [python(), "-c", code, self.directory / "work"])
        found = dict(line.rsplit(" ", 1) for line in result.out.splitlines() if line)
        self.assertEqual(found, expected, result)

    def test_paths_are_judged_where_the_call_will_use_them(self):
        # Clauses F-2, F-3, F-5 and F-6.
        (self.directory / "work" / "link").symlink_to("../other")
        self.assertTries(
            'policy p { default deny write  allow write where path under "DIRECTORY/work" as in-work'
            '  deny read where path is "DIRECTORY/other/target" as secret }', {
                "open('file', 'w').close()": "ok",
                "open('./inside/../file', 'w').close()": "ok",
                "open('../file', 'w').close()": "default-write",
                "open('link/file', 'w').close()": "default-write",
                "os.mkdir('made', dir_fd=os.open('inside', os.O_RDONLY))": "ok",
                "os.mkdir('made', dir_fd=os.open('../other', os.O_RDONLY))": "default-write",
                "open('../other/target')": "secret",
                "open('link/target')": "secret",
                "os.open('target', os.O_RDONLY, dir_fd=os.open('link', os.O_RDONLY))": "secret",
                "os.listdir('link')": "ok",
            })

    def test_entries_of_directories_are_not_followed(self):
        # Clause F-7.
        for name in "a", "b", "c":
            (self.directory / "work" / name).symlink_to("../other/target")
        self.assertTries('policy p { default deny write  allow write where path under "DIRECTORY/work" as in-work }', {
            "open('a', 'w').close()": "default-write",
            "os.chmod('a', 0o600)": "default-write",
            "os.truncate('a', 0)": "default-write",
            "os.rename('a', 'd')": "ok",
            "os.link('b', 'e', follow_symlinks=False)": "default-write",  # the event does not say so
            "os.remove('b')": "ok",
            "os.symlink('/etc/passwd', 'f')": "ok",
            "os.rename('c', '../c')": "default-write",
        })
        self.assertEqual((self.directory / "other" / "target").read_text(), "x")

    def test_names_that_are_not_utf8_are_names(self):
        # Clause F-12.
        self.assertTries(r'policy p { deny write where path is "DIRECTORY/work/\xff" as byte }', {
            r"open(b'\xff', 'w').close()": "byte",
            r"open('\udcff', 'w').close()": "byte",
            r"open('\xff', 'w').close()": "ok",
        })

    def test_elements_keys_and_heads_of_arguments(self):
        # Clauses O-11, O-12 and O-15.
        self.assertTries(
            'policy p { default deny exec  allow exec where file is "/bin/echo" and argv starts ["echo"] as echo'
            '  deny exec where argv[-1] is "-x" as last  deny exec where env has matches "EVIL*" as variable'
            '  deny exec where env["A"] is "1" as value }', {
                "subprocess.check_output(['echo', 'a'])": "ok",
                "subprocess.check_output(['/bin/echo', 'a'])": "default-exec",
                "subprocess.check_output(['echo', '-x'])": "last",
                "subprocess.check_output(['echo', '-x', 'a'])": "ok",
                "subprocess.check_output(['echo'], env={'EVIL_ONE': ''})": "variable",
                "subprocess.check_output(['echo'], env={'A': '1'})": "value",
                "subprocess.check_output(['echo'], env={'A': '2'})": "ok",
                "subprocess.check_output(['id'])": "default-exec",
            })

    def test_what_may_answer_differently_is_unknown(self):
        # Clauses U-1, U-2 and U-5. Of an exec the C boundary knows what the event does not.
        self.assertTries(
            'policy p { default deny exec  allow exec where file is "/bin/echo" as echo'
            '  deny write where path is "/no/such/file" as doubted }', {
                "subprocess.check_output(['echo'])": "ok",
                "subprocess.check_output([type('S', (str,), {})('echo')])": "ok",
                "open(type('S', (str,), {})('file'), 'w').close()": "doubted",
                "open('file', 'w').close()": "ok",
            })

    def test_raw_events_have_their_arguments(self):
        # Clauses C-6, C-7, S-22 and O-26.
        self.assertTries(
            'policy p { deny event "os.rename" where arg.dst matches "*.py" as code'
            '  deny event "mine.*" where arg[0] has "x" or arg[1] is 1 as mine }', {
                "os.rename('no', 'such.py')": "code",
                "os.rename('no.py', 'such')": "ok",
                "sys.audit('mine.one', ['a', 'x'])": "mine",
                "sys.audit('mine.one', ['a'])": "ok",
                "sys.audit('mine.one', 'axb')": "ok",
                "sys.audit('mine.one', None, True)": "mine",
                "sys.audit('mine.one')": "ok",
                "sys.audit('yours.one', ['x'])": "ok",
            })

    def test_signals_addresses_and_modules(self):
        # Clauses O-7, O-16, O-17 and O-21.
        self.assertTries(
            'policy p { deny signal where target is "self" and signal in ["STOP", "SIGTSTP"] as stop'
            '  deny connect where address is 127.0.0.0/8 and port in [9, 10-20] as low'
            '  deny import where module under "xml" as xml }', {
                "os.kill(os.getpid(), 0)": "ok",
                "os.kill(os.getpid(), signal.SIGSTOP)": "stop",
                "os.kill(os.getpid(), 20)": "stop",
                "socket.socket().connect(('127.0.0.1', 15))": "low",
                "socket.socket().connect(('127.0.0.1', 21))": "ok",
                "__import__('xml.dom')": "xml",
                "__import__('tabnanny')": "ok",
            })

    def test_who_connects_to_no_address_reaches_the_loopback(self):
        # Clause H-5.
        listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listening.close)
        self.assertEqual(self.connected_by("0.0.0.0", listening), ("127.0.0.1", listening.getsockname()[1]), "what is tried here is not so")
        bound = "(lambda s: (s.bind(('127.0.0.9', 0)), s.connect(('0.0.0.0', 9))))(socket.socket())"
        expected = {
            "socket.socket().connect(('0.0.0.0', 9))": "local",
            "socket.socket().connect(('', 9))": "local",
            "socket.socket().connect(('0', 9))": "local",
            "socket.socket().connect(('127.1', 9))": "local",
            "socket.socket().connect((str(0x7f000001), 9))": "local",
            "socket.socket(2, 2).sendto(b'', ('0.0.0.0', 9))": "local",
            "socket.socket(2, 2).sendmsg([b''], [], 0, ('', 9))": "local",
            "socket.socket(10).connect(('::', 9))": "local",
            "socket.socket(10).connect(('0::0', 9, 0, 1))": "local",
            "socket.socket(10, 2).sendto(b'', ('', 9))": "local",
            "socket.socket(10).connect(('::ffff:0.0.0.0', 9))": "local",
            "socket.socket().bind(('0.0.0.0', 0))": "ok",
            "socket.socket(10).bind(('::', 0))": "ok",
            "socket.socket().connect(('127.0.0.1', 10))": "ok",
            "socket.socket().connect(('0.0.0.0', 10))": "ok",
        }
        self.assertTries("policy p { deny connect where address in [127.0.0.1, ::1] and port is 9 as local }", expected)
        # From an address of its own a socket gets to that, whatever it is.
        self.assertTries("policy p { deny connect where address is 127.0.0.9 as ninth }", {
            bound: "ninth",
            "socket.socket().connect(('0.0.0.0', 9))": "ok",
            "socket.socket().connect(('127.0.0.9', 9))": "ninth",
        })

    @staticmethod
    def connected_by(host, listening):
        with socket.create_connection((host, listening.getsockname()[1])) as end:
            return end.getpeername()

    def test_what_may_not_be_read_gets_no_other_name(self):
        # Clause C-35.
        (self.directory / "work" / "link").symlink_to("../other/target")
        self.assertTries('policy p { deny read where path under "DIRECTORY/other" as secret }', {
            "open('../other/target')": "secret",
            "os.rename('../other/target', 'a')": "secret",
            "os.replace('../other/target', 'a')": "secret",
            "os.rename('../other', 'a')": "secret",
            "os.link('../other/target', 'a')": "secret",
            "os.link('link', 'a', src_dir_fd=os.open('.', os.O_RDONLY))": "secret",
            "os.rename('target', 'a', src_dir_fd=os.open('../other', os.O_PATH))": "secret",
            "__import__('shutil').move('../other/target', 'a')": "secret",
            "os.rename('inside', 'outside')": "ok",
            "os.rename('link', 'other-link')": "ok",
            "os.remove('../other/target')": "ok",
        })

    def test_an_event_that_is_several_operations_needs_every_one(self):
        # Clause C-2.
        self.assertTries('policy p { deny write where path under "DIRECTORY/other" as other }', {
            "os.rename('a', '../other/a')": "other",
            "os.rename('../other/target', 'a')": "other",
            "os.rename('a', 'b')": "ok",
            "os.link('../other/target', 'a')": "other",
        })


class Stored(Test):
    """With a daemon on the host."""

    per_interpreter = True

    @staticmethod
    def choose(found):
        """One: what is tried is the daemon's and the command's."""
        return found[-1:]

    def echo_at(self, daemon, *options):
        return execute([WARDER, "run", "--socket", daemon.socket, *options, "--", python(), "-c",
                        "import subprocess\ntry: subprocess.run(['/bin/echo', 'ran'])\n"
                        "except PermissionError as error: print(error)"], cwd=self.directory)

    def test_override_cancels_a_denial_until_its_day_has_passed(self):
        # Clauses S-23, S-27 and S-29.
        daemon = self.daemon()
        vendor = self.policy('policy strict { applies { platform is "linux" } deny exec as no }', "vendor.warder")
        self.assertEqual(daemon.command("apply", "--vendor", vendor).status, 0)
        self.assertIn("denied by vendor/strict.no", self.echo_at(daemon).out)
        today = datetime.datetime.now(datetime.timezone.utc).date()
        for until, expected in (today + datetime.timedelta(days=1), "ran"), \
                (today - datetime.timedelta(days=1), "denied by vendor/strict.no"):
            said = daemon.apply('policy mine { applies { platform is "linux" } override vendor/strict.no'
                                f' where file is "/bin/echo" reason "a test" until {until} }}').out
            self.assertEqual("this override has ended" in said, expected != "ran", said)
            self.assertNotIn("cancels nothing:", said)  # it was checked beside the policy that it is about
            self.assertIn(expected, self.echo_at(daemon).out)

    def test_override_of_what_is_not_stored_gives_a_warning_and_is_stored(self):
        # Clause S-31.
        daemon = self.daemon()
        said = daemon.apply('policy mine { override vendor/strict.no reason "a test" until 2999-12-31 }').out
        self.assertIn("there is no vendor policy `strict` here", said)
        self.assertIn("applied 1 policy", said)

    def test_override_in_a_file_of_the_session_cancels_nothing(self):
        # Clauses S-30 and V-6.
        daemon = self.daemon()
        daemon.apply('policy strict { applies { platform is "linux" } deny exec as no }')
        mine = self.policy('policy mine { override local/strict.no reason "I want to" until 2999-12-31 }')
        result = self.echo_at(daemon, "--policy", mine)
        self.assertIn("denied by local/strict.no", result.out)
        self.assertIn("this override cancels nothing: this policy is not stored on the host", result.err)
