"""The server that runs these tests is asked for some that are known."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import run
import server
from support import BUILD, Test, clean_environment, execute, wait_until

RUN_TEST = BUILD / "tests" / "programs" / "run_test"


class Server(Test):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.end_server)

    def end_server(self):
        """It would end of itself, but later."""
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if entry.read_bytes().split(b"\0")[-2:-1] == [os.fsencode(self.directory)]:
                    os.kill(int(entry.parent.name), signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError):  # ended meanwhile
                pass

    def command(self, name, program=server.__file__):
        return [str(part) for part in (RUN_TEST, sys.executable, program, self.directory, f"server_fixture.Fixture.{name}")]

    def asked(self, name, **options):
        return execute(self.command(name), **options)

    def test_outcome_and_words_are_those_of_the_test(self):
        result = self.asked("test_passes", cwd="/usr", input="of stdin", env=clean_environment(WORD="here"))
        self.assertEqual((result.status, result.err), (0, "errors"), result)
        self.assertIn("words: /usr here of stdin", result.out)
        self.assertEqual(self.asked("test_fails").status, 1)
        self.assertEqual(self.asked("test_skipped").status, run.SKIPPED)
        self.assertEqual(self.asked("test_ends_its_process").status, 128 + signal.SIGKILL)
        self.assertEqual(self.asked("test_that_is_not_there").status, 1)

    def test_one_server_serves_all_that_come_at_once(self):
        asking = [subprocess.Popen(self.command("test_passes"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=clean_environment()) for _ in range(8)]
        self.assertEqual([one.wait(60) for one in asking], [0] * 8)
        self.assertEqual(Path(self.directory, "test-server.log").read_text(), "")

    def test_nothing_of_the_server_is_open_in_a_test(self):
        self.assertIn("open: ['0', '1', '2', '3']", self.asked("test_open_files").out)  # 3: the directory that is read

    def test_test_that_nobody_waits_for_is_ended(self):
        said = self.directory / "pid"
        asking = subprocess.Popen(self.command("test_waits"), stdin=subprocess.DEVNULL,
                                  env=clean_environment(WORD=said))
        pid = int(wait_until(lambda: said.exists() and said.read_text(), "the test runs"))
        asking.kill()
        asking.wait()
        wait_until(lambda: not Path(f"/proc/{pid}").exists(), "the test is ended")

    def test_module_that_has_changed_is_read_anew(self):
        copy = self.directory / "copy"
        copy.mkdir()
        for name in "server.py", "run.py", "server_fixture.py":
            shutil.copy(Path(server.__file__).parent / name, copy)
        program = copy / "server.py"
        self.assertEqual(execute(self.command("test_passes", program)).status, 0)
        changed = copy / "server_fixture.py"
        changed.write_text(changed.read_text().replace("def test_passes(self):", "def test_passes(self):\n        self.fail('new')\n"))
        result = execute(self.command("test_passes", program))
        self.assertEqual(result.status, 1, result)
        self.assertIn("AssertionError: new", result.out)

    def test_server_without_work_ends_and_the_next_test_starts_another(self):
        self.assertEqual(self.asked("test_passes").status, 0)
        address = self.directory / "test-server.sock"
        self.assertTrue(address.exists())
        wait_until(lambda: not address.exists(), "the server ends", 6 * server.IDLE_SECONDS)
        self.assertEqual(self.asked("test_passes").status, 0)
