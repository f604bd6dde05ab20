"""`warder fmt`, as its user meets it."""

import os
import stat
import unittest

from support import WARDER, Test, execute

UNTIDY = "policy p{ # why\r\n  deny exec\n as a }\n"
TIDY = "policy p {  # why\n    deny exec as a\n}\n"
BROKEN = "policy p { deny exec }"


class Fmt(Test):
    def fmt(self, *arguments, **options):
        return execute([WARDER, "fmt", *arguments], cwd=self.directory, **options)

    def file(self, text, name="policy.warder"):
        path = self.directory / name
        path.write_bytes(text.encode())
        return path

    def test_fmt_replaces_files_and_names_those_it_changed(self):
        untidy = self.file(UNTIDY)
        tidy = self.file(TIDY, "tidy.warder")
        test = self.file("test p{expect deny fork by a}", "p.test.warder")
        before = tidy.stat()
        result = self.fmt(untidy, tidy, test)
        self.assertEqual((result.status, result.out), (0, f"{untidy}\n{test}\n"), result)
        self.assertEqual(untidy.read_bytes().decode(), TIDY)
        self.assertEqual(test.read_text(), "test p {\n    expect deny fork by a\n}\n")
        self.assertEqual((tidy.stat().st_ino, tidy.stat().st_mtime_ns), (before.st_ino, before.st_mtime_ns))
        self.assertEqual(sorted(entry.name for entry in self.directory.iterdir()),
                         ["p.test.warder", "policy.warder", "tidy.warder"])
        again = self.fmt(untidy, tidy, test)
        self.assertEqual((again.status, again.out), (0, ""), again)

    def test_fmt_check_names_files_and_writes_nothing(self):
        untidy = self.file(UNTIDY)
        tidy = self.file(TIDY, "tidy.warder")
        before = untidy.stat()
        result = self.fmt("--check", untidy, tidy)
        self.assertEqual((result.status, result.out), (1, f"{untidy}\n"), result)
        self.assertEqual((untidy.stat().st_ino, untidy.stat().st_mtime_ns), (before.st_ino, before.st_mtime_ns))
        self.assertEqual(self.fmt("--check", tidy).status, 0)

    def test_fmt_reads_standard_input(self):
        for name in "-", "--stdin":
            result = self.fmt(name, input=UNTIDY)
            self.assertEqual((result.status, result.out), (0, TIDY), result)
        result = self.fmt("--check", "-", input=UNTIDY)
        self.assertEqual((result.status, result.out), (1, "standard-input\n"), result)
        self.assertEqual(self.fmt("--check", "--stdin", input=TIDY).status, 0)
        result = self.fmt("-", input=BROKEN)
        self.assertEqual((result.status, result.out), (1, ""), result)
        self.assertIn("standard-input:1:12: error[E045]", result.err)

    def test_fmt_leaves_files_with_errors_alone(self):
        broken = self.file(BROKEN, "broken.warder")
        untidy = self.file(UNTIDY)
        result = self.fmt(broken, untidy)
        self.assertEqual((result.status, result.out), (1, f"{untidy}\n"), result)
        self.assertIn("broken.warder:1:12: error[E045]", result.err)
        self.assertIn("files with errors are left alone", result.err)
        self.assertEqual(broken.read_text(), BROKEN)
        self.assertEqual(untidy.read_text(), TIDY)

    def test_fmt_keeps_mode_and_follows_links(self):
        untidy = self.file(UNTIDY)
        untidy.chmod(0o640)
        directory = self.directory / "links"
        directory.mkdir()
        link = directory / "link.warder"
        link.symlink_to("../policy.warder")
        result = self.fmt(link)
        self.assertEqual((result.status, result.out), (0, f"{link}\n"), result)
        self.assertTrue(link.is_symlink())
        self.assertFalse(untidy.is_symlink())
        self.assertEqual(untidy.read_text(), TIDY)
        self.assertEqual(stat.S_IMODE(untidy.stat().st_mode), 0o640)
        self.assertEqual([entry.name for entry in directory.iterdir()], ["link.warder"])

    @unittest.skipIf(os.geteuid() != 0, "only root gives files away")
    def test_fmt_keeps_the_owner(self):
        untidy = self.file(UNTIDY)
        os.chown(untidy, 12345, 54321)
        untidy.chmod(0o604)
        self.assertEqual(self.fmt(untidy).status, 0)
        status = untidy.stat()
        self.assertEqual((status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)), (12345, 54321, 0o604))
        self.assertEqual(untidy.read_text(), TIDY)

    @unittest.skipIf(os.geteuid() != 0, "only root gives files away")
    def test_fmt_leaves_a_file_whose_owner_it_cannot_keep(self):
        self.directory.chmod(0o777)
        untidy = self.file(UNTIDY)
        os.chown(untidy, 12345, 54321)
        untidy.chmod(0o666)
        result = execute(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", WARDER, "fmt", "policy.warder"],
                         cwd=self.directory)
        self.assertEqual(result.status, 2, result)
        self.assertIn("owner", result.err)
        self.assertEqual(untidy.read_bytes().decode(), UNTIDY)
        self.assertEqual([entry.name for entry in self.directory.iterdir()], ["policy.warder"])

    def test_fmt_leaves_what_is_no_single_file(self):
        untidy = self.file(UNTIDY)
        other = self.directory / "other.warder"
        os.link(untidy, other)
        result = self.fmt(untidy)
        self.assertEqual(result.status, 2, result)
        self.assertIn("hard links", result.err)
        self.assertEqual(other.read_bytes().decode(), UNTIDY)
        for path in self.directory, self.directory / "missing", "/dev/null":
            self.assertEqual(self.fmt(path).status, 2, path)
        self.assertEqual(self.fmt("--check", untidy).status, 1)

    def test_fmt_wants_files(self):
        for arguments in (), ("--check",), ("--nonsense",), ("--stdin", "x.warder"):
            result = self.fmt(*arguments)
            self.assertEqual((result.status, result.out), (2, ""), result)
            self.assertIn("fmt", result.err)
