"""Another thread replaces a descriptor (dup2) or a name while a call at the C boundary is under way: what is judged
is what the call is made on.
"""

import shutil
import unittest

import interpreters
from support import ALLOW_ALL, Test, python

# A process looks for the resolver's /etc/hosts among the descriptors that the threads of its parent share.
LOOKING = """
import os, signal, socket, time
free = os.open("/dev/null", os.O_RDONLY)
os.close(free)
hosts = os.path.realpath("/etc/hosts")
child = os.fork()
if child == 0:
    seen = 0
    links = [f"/proc/{os.getppid()}/fd/{number}" for number in range(free, free + 6)]
    until = time.monotonic() + 3
    while time.monotonic() < until:
        for link in links:
            try:
                seen += os.readlink(link) == hosts
            except OSError:
                pass
    os._exit(min(seen, 100))
while True:
    pid, status = os.waitpid(child, os.WNOHANG)
    if pid:
        break
    CALL
print("seen", os.WEXITSTATUS(status))
"""

NAMES = """policy p {
    default deny connect
    allow connect where host is "localhost" as local
}"""


class Names(Test):
    per_interpreter = True
    short_on = staticmethod(interpreters.ends)

    def looked_up_by(self, call, policy=NAMES):
        result = self.run_under(self.policy(policy), [python(), self.script(LOOKING.replace("CALL", call))])
        self.assertRegex(result.out, "^seen [0-9]+\n$", result)
        return int(result.out.split()[1])

    def test_no_thread_reaches_the_files_that_a_name_is_looked_up_in(self):
        for call in ("socket.getaddrinfo('localhost', 1)", "socket.gethostbyname_ex('localhost')"):
            with self.subTest(call):
                self.assertEqual(self.looked_up_by(call), 0)

    def test_where_no_connection_could_be_denied_a_name_is_looked_up_in_place(self):
        self.assertGreater(self.looked_up_by("socket.getaddrinfo('localhost', 1)", "policy p { log connect as all }"), 0)


# Another thread puts a file that may not be changed in the place of one that may.
REPLACING = """
import os, stat, sys, threading, time
sys.setswitchinterval(1e-6)
forbidden = sys.argv[1]
open("inside", "w").close()
inside, outside, flipped = (os.open(name, os.O_RDONLY) for name in ("inside", forbidden, "inside"))
os.symlink("inside", "link")
stop = False

def flip_descriptor():
    while not stop:
        os.dup2(outside, flipped)
        os.dup2(inside, flipped)

def flip_directory():
    while not stop:
        for target in (os.path.dirname(forbidden), "."):
            os.symlink(target, "next")
            os.rename("next", "way")

def make():
    try:
        os.mkfifo("way/made")
    finally:
        if os.path.lexists(os.path.dirname(forbidden) + "/made"):
            print("made")
        if os.path.lexists("made"):
            os.unlink("made")

def flip_link():
    while not stop:
        for target in (forbidden, "inside"):
            os.symlink(target, "next")
            os.rename("next", "link")

before = os.stat(forbidden)
os.symlink(".", "way")
done = denied = 0
thread = threading.Thread(target=FLIP)
thread.start()
until = time.monotonic() + 3
while time.monotonic() < until:
    try:
        CALL
        done += 1
    except PermissionError:
        denied += 1
    now = os.stat(forbidden)
    if (now.st_mode, now.st_mtime) != (before.st_mode, before.st_mtime):
        print("changed after", done)
        break
stop = True
thread.join()
print("end", done > 0)
"""

ORDINARY = """
import os, shutil, stat, sys, tempfile, zipfile
def mode(path):
    return oct(stat.S_IMODE(os.lstat(path).st_mode))
with open("one", "w") as file:
    file.write("text")
    os.fchmod(file.fileno(), 0o640)
print(mode("one"))
os.chmod("one", 0o600); print(mode("one"))
os.symlink("one", "link"); os.chmod("link", 0o620); print(mode("one"))
directory = os.open(".", os.O_RDONLY)
os.chmod("one", 0o644, dir_fd=directory); print(mode("one"))
os.chmod(directory, 0o711); print(mode("."))
os.utime("one", (10, 20)); print(os.stat("one").st_mtime)
os.utime("one", ns=(5, 7)); print(os.stat("one").st_mtime_ns)
os.utime("link", (30, 40), follow_symlinks=False); print(os.lstat("link").st_mtime, os.stat("link").st_mtime_ns)
with open("one") as file:
    os.utime(file.fileno(), (50, 60)); print(os.stat("one").st_mtime)
os.utime("one"); print(os.stat("one").st_mtime > 1000)
os.truncate("one", 2); print(os.stat("one").st_size)
os.chown("one", -1, -1); os.lchown("link", os.getuid(), -1); os.fchown(directory, -1, os.getgid())
print(shutil.copy2("one", "two"), mode("two"))
print(shutil.copytree(".", "tree", symlinks=True, ignore=shutil.ignore_patterns("tree")))
with tempfile.NamedTemporaryFile(dir=".") as file:
    print(mode(file.name))
reader, writer = os.pipe()
os.fchmod(reader, 0o600)
os.umask(0o027)
os.mkfifo("pipe"); os.mkfifo("pipe2", 0o666, dir_fd=directory); os.mknod("./node", 0o604); os.mknod("tree/../node2", stat.S_IFSOCK | 0o777, dir_fd=directory)
for name in "pipe", "pipe2", "node", "node2":
    print(oct(os.lstat(name).st_mode))
for path in "pipe", "link", "", ".", "..", "tree/.", "/", "//", "new/", "missing/new", "one/new", "x" * 300, "x/" * 3000, "tree/x" + "/" * 4090:
    for call in lambda: os.mkfifo(path), lambda: os.mknod(path, 0o600, dir_fd=directory):
        try:
            call()
        except OSError as error:
            print(path[:20], error.errno)
try:
    os.mknod("device", stat.S_IFCHR | 0o600, 1 << 33)
except OSError as error:
    print(error.errno)
os.chmod("tree", 0o500)
try:
    os.mkfifo("tree/pipe")
except OSError as error:
    print(error.errno)
os.chmod("tree", 0o700)
for call in (lambda: os.chmod("missing", 0o600), lambda: os.chmod("one/below", 0o600),
             lambda: os.utime("", (1, 1)), lambda: os.truncate(".", 0)):
    try:
        call()
    except OSError as error:
        print(error.errno)
"""


class Changes(Test):
    per_interpreter = True
    short_on = staticmethod(interpreters.ends)

    def setUp(self):
        super().setUp()
        (self.directory / "forbidden").mkdir()
        (self.directory / "work").mkdir()
        self.forbidden = self.directory / "forbidden" / "file"
        self.forbidden.touch(0o600)
        self.holding = self.policy(f'policy p {{ deny write where path under "{self.forbidden.parent}" as kept }}')

    def run_inside(self, policy, code, *arguments):
        return self.run_under(policy, [python(), self.script(code), *arguments], cwd=self.directory / "work")

    def test_what_another_thread_puts_in_the_place_of_a_file_is_not_changed(self):
        for flip, call in (("flip_descriptor", "os.fchmod(flipped, 0o666)"),
                           ("flip_descriptor", "os.utime(flipped, (1, 1))"),
                           ("flip_link", "os.chmod('link', 0o666)"),
                           ("flip_directory", "make()")):
            with self.subTest(call):
                shutil.rmtree(self.directory / "work")
                (self.directory / "work").mkdir()
                code = REPLACING.replace("FLIP", flip).replace("CALL", call)
                result = self.run_inside(self.holding, code, str(self.forbidden))
                self.assertEqual(result.out, "end True\n", result)
                self.assertEqual(self.forbidden.stat().st_mode & 0o777, 0o600)

    def test_changes_are_made_as_without_a_policy(self):
        outputs = []
        for policy in (self.policy(ALLOW_ALL, "all.warder"), self.holding):
            result = self.run_inside(policy, ORDINARY)
            self.assertEqual((result.status, result.err), (0, ""), result)
            outputs.append(result.out)
            shutil.rmtree(self.directory / "work")
            (self.directory / "work").mkdir()
        self.assertEqual(outputs[0], outputs[1])
        self.assertGreater(outputs[0].count("\n"), 15)

    def test_named_pipes_and_nodes_are_made_where_files_may_be(self):
        code = """
import os, sys
there = os.path.dirname(sys.argv[1])
os.symlink(there, "link")
beside = os.open(there, os.O_RDONLY)
for call in (lambda: os.mkfifo(there + "/made"), lambda: os.mkfifo("link/made"), lambda: os.mkfifo("made", dir_fd=beside),
             lambda: os.mknod("../forbidden/made"), lambda: os.mknod("made", dir_fd=beside), lambda: os.mkfifo(there + "/file"),
             lambda: os.mkfifo("mine"), lambda: os.mknod("mine2")):
    try:
        call()
        print("done")
    except OSError as error:
        print(error.errno, getattr(error, "strerror", "").split("[")[0])
print(os.listdir(there))
"""
        result = self.run_inside(self.holding, code, str(self.forbidden))
        lines = result.out.splitlines()
        self.assertEqual((len(lines), lines[6:]), (9, ["done", "done", "['file']"]), result)
        for line in lines[:6]:
            self.assertRegex(line, "^13 .*forbidden/(made|file)")

    def test_change_is_one_decision(self):
        policy = self.policy(f'policy p {{ deny write where path under "{self.forbidden.parent}" as kept\n'
                             'log write where action is "chmod" as changes }')
        code = "import os\nopen('one', 'w').close()\nfor mode in range(5): os.chmod('one', mode)"
        result, rows = self.recorded(policy, [python(), self.script(code)], cwd=self.directory / "work")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(sum(row.get("event") == "os.chmod" for row in rows), 5, rows)


if __name__ == "__main__":
    unittest.main()
