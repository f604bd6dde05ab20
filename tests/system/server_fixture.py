"""Tests that say nothing of Warder: test_server.py has them run by the server of tests."""

import os
import sys
import time
import unittest
from pathlib import Path


class Fixture(unittest.TestCase):
    def test_passes(self):
        print("words:", os.getcwd(), os.environ.get("WORD"), sys.stdin.read())
        os.write(2, b"errors")

    def test_fails(self):
        self.fail("on purpose")

    def test_skipped(self):
        self.skipTest("on purpose")

    def test_ends_its_process(self):
        os.kill(os.getpid(), 9)

    def test_waits(self):
        Path(os.environ["WORD"]).write_text(str(os.getpid()))
        time.sleep(600)

    def test_open_files(self):
        print("open:", sorted(os.listdir("/proc/self/fd")))
