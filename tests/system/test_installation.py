"""What `cmake --install` puts somewhere works there, and needs nothing of where it was built."""

import subprocess
import sys

from support import BUILD, Test, execute


class Installation(Test):
    def test_installed_programs_find_one_another_wherever_they_lie(self):
        prefix = self.directory / "anywhere"
        subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True, capture_output=True)
        moved = prefix.rename(self.directory / "elsewhere")
        python = sys.executable
        denied = execute([moved / "bin" / "warder", "run", "--policy", "no-process", "--", python, "-c",
                          "import os; os.system('id')"])
        self.assertIn("denied by local/no-process.no-exec", denied.err, denied)
        for name in "untrusted.warder", "notebook.test.warder":
            self.assertTrue((moved / "share/warder/policies" / name).is_file(), name)
        checked = execute([moved / "bin" / "warder", "test", moved / "share/warder/policies"])
        self.assertEqual(checked.status, 0, checked)
        self.assertTrue((moved / "share/warder/warderd.toml").is_file())

    def test_installed_package_has_its_hook(self):
        prefix = self.directory / "anywhere"
        subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True, capture_output=True)
        result = execute([sys.executable, "-c", "import warder; print(warder.__version__)"],
                         env={"PYTHONPATH": str(prefix / "share/warder/python")})
        self.assertRegex(result.out, r"^\d+\.\d+", result)
