"""The file that the hook is loaded from: where it is gone, the loader starts programs without Warder.

Each test has a copy of the build that it may take apart.
"""

import json
import shutil

from support import BUILD, PATIENCE, Test, execute, interpreter_process, python

# What is denied is somewhere else: no rule is about the hook's file.
SOME_PROGRAMS = """policy some "Python alone" {
    default deny exec
    allow exec where file matches "/**/python3*" as python
}
"""
OBSERVED = 'policy observed { mode observe  default deny all }\n'

PRELUDE = """
import os, subprocess, sys
hook = [line.split()[-1] for line in open("/proc/self/maps") if "libwarder" in line][0]
directory = os.path.dirname(hook)
def attempt(function):
    try:
        function()
        return "done"
    except OSError as error:
        return str(error)
def child():
    code = "print(any('libwarder' in line for line in open('/proc/self/maps')))"
    try:
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip()
    except OSError as error:
        return str(error)
"""

CHANGES = """
changes = [
    lambda: os.rename(directory, directory + ".away"),
    lambda: os.rename(os.path.dirname(directory), os.path.dirname(directory) + ".away"),
    lambda: os.rename(hook, hook + ".away"),
    lambda: os.replace(__file__, hook),
    lambda: os.remove(hook),
    lambda: os.remove(os.path.join(directory, "..", os.path.basename(directory), os.path.basename(hook))),
    lambda: os.unlink(os.path.basename(hook), dir_fd=os.open(directory, os.O_RDONLY)),
    lambda: os.chmod(hook, 0),
    lambda: os.chmod(directory, 0),
    lambda: os.truncate(hook, 0),
    lambda: open(hook, "r+b").close(),
    lambda: os.close(os.open(hook, os.O_RDONLY | os.O_TRUNC)),
    lambda: os.link(hook, directory + "/other"),
]
for change in changes:
    print(attempt(change))
print(child())
"""

ORDINARY = """
changes = [
    lambda: open(hook, "rb").close(),
    lambda: os.makedirs(directory, exist_ok=True),
    lambda: open(directory + "/new", "w").close(),
    lambda: os.rename(directory + "/new", directory + "/newer"),
    lambda: os.remove(directory + "/newer"),
]
for change in changes:
    print(attempt(change))
"""

# A journal beside it, which SQLite rolls back into it, and no event tells of the file that is attached.
JOURNAL = """
import sqlite3, struct
size, part = os.path.getsize(hook), 512
with open(hook, "rb") as file:
    page = bytearray(file.read(part))
page[:4] = b"GONE"
total, at = 7, part - 200
while at > 0:
    total, at = (total + page[at]) & 0xffffffff, at - 200
header = bytes.fromhex("d9d505f920a163d7") + struct.pack(">IIIII", 1, 7, (size + part - 1) // part, 512, part)
with open(hook + "-journal", "wb") as file:
    file.write(header.ljust(512, b"\\0") + struct.pack(">I", 1) + bytes(page) + struct.pack(">I", total))
try:
    sqlite3.connect(":memory:").execute("ATTACH ? AS x", (hook,)).execute("select * from x.sqlite_master")
except sqlite3.Error as error:
    pass
with open(hook, "rb") as file:
    print(file.read(4))
print(child())
"""

WAITS = """
print("there", flush=True)
input()
print(child())
"""


class HookFile(Test):
    per_interpreter = True

    def setUp(self):
        super().setUp()
        self.build = self.directory / "build"
        for part in ("bin", "lib", "share"):
            if (BUILD / part).is_dir():
                shutil.copytree(BUILD / part, self.build / part, symlinks=True)

    def command(self, policy, code):
        program = self.script(PRELUDE + code)
        return [self.build / "bin" / "warder", "run", "--policy", self.policy(policy), "--", python(), program]

    def test_session_may_not_change_or_move_it_whatever_its_policy_is_about(self):
        result = execute(self.command(SOME_PROGRAMS, CHANGES), cwd=self.directory)
        lines = result.out.splitlines()
        self.assertEqual(len(lines), 14, result)
        for line in lines[:-1]:
            self.assertIn("denied by warder.hook-file: the hook was loaded from there", line, result)
        self.assertEqual(lines[-1], "True", result)

    def test_library_may_neither(self):
        result = execute(self.command(SOME_PROGRAMS, JOURNAL), cwd=self.directory)
        self.assertEqual(result.out.splitlines(), [str(b"\x7fELF"), "True"], result)

    def test_why_says_that_warder_itself_denied(self):
        state = self.directory / "kept"
        command = self.command(SOME_PROGRAMS, CHANGES)
        command[2:2] = ["--state-dir", state]
        execute(command, cwd=self.directory)
        rows = [json.loads(line) for line in execute([self.build / "bin" / "warder", "log", "--json", "--state-dir",
                                                      state]).out.splitlines()]
        denied = [row["decision"] for row in rows if row.get("rule") == "hook-file"][0]
        why = execute([self.build / "bin" / "warder", "why", "--state-dir", state, denied])
        self.assertEqual(why.status, 0, why)
        self.assertIn("says: the hook was loaded from there", why.out)
        self.assertIn("Warder itself denied it, and no policy could have let it pass", why.out)
        self.assertRegex(why.out, r"today's policies \(generation 0\) can let it pass no more than those of then")
        self.assertNotIn("would answer otherwise", why.out)

    def test_forked_child_may_neither(self):
        fork = "if os.fork():\n    os.wait()\n    raise SystemExit\n"
        result = execute(self.command('policy p { deny exec as no-exec }\n', fork + "print(attempt(lambda: os.remove(hook)))"),
                         cwd=self.directory)
        self.assertIn("denied by warder.hook-file", result.out, result)

    def test_program_that_is_started_may_not_be_given_it_for_writing(self):
        spawn = """
print(attempt(lambda: os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {},
                                     file_actions=[(os.POSIX_SPAWN_OPEN, 9, hook, os.O_WRONLY | os.O_TRUNC, 0)])))
"""
        result = execute(self.command(SOME_PROGRAMS, spawn), cwd=self.directory)
        self.assertIn("denied by warder.hook-file", result.out, result)
        self.assertGreater((self.build / "lib" / "libwarder.so").stat().st_size, 0)

    def test_what_lies_beside_it_can_be_changed(self):
        result = execute(self.command(SOME_PROGRAMS, ORDINARY), cwd=self.directory)
        self.assertEqual(result.out.splitlines(), ["done"] * 5, result)

    def test_policy_that_denies_nothing_does_not_keep_it(self):
        result = execute(self.command(OBSERVED, "print(attempt(lambda: os.rename(hook, hook + '.away')))"),
                         cwd=self.directory)
        self.assertEqual(result.out, "done\n", result)

    def gone(self, take_away):
        """What a program says that starts another one, after `take_away`."""
        with interpreter_process(self.command(SOME_PROGRAMS, WAITS), cwd=self.directory) as process:
            self.assertEqual(process.stdout.readline(), "there\n")
            take_away()
            process.stdin.write("\n")
            process.stdin.flush()
            line = process.stdout.readline()
            process.wait(PATIENCE)
            return line

    def test_no_program_starts_while_it_is_gone(self):
        lib = self.build / "lib"
        line = self.gone(lambda: lib.rename(self.build / "away"))
        self.assertIn("the file that Warder's hook was loaded from is gone, replaced or unreadable", line)

    def test_no_program_starts_where_another_file_has_its_name(self):
        hook = self.build / "lib" / "libwarder.so"
        def replace():
            shutil.copy(hook, hook.with_suffix(".new"))
            hook.with_suffix(".new").rename(hook)
        self.assertIn("gone, replaced or unreadable", self.gone(replace))

    def test_no_program_starts_where_it_was_written_into(self):
        """As SQLite does, by a journal that lies beside it: the same file, and nobody was asked."""
        def write():
            with open(self.build / "lib" / "libwarder.so", "r+b") as file:
                file.write(b"\x7fELF")
        self.assertIn("gone, replaced or unreadable", self.gone(write))

    def test_programs_start_while_it_is_there(self):
        self.assertEqual(self.gone(lambda: None), "True\n")
