"""What a program under a policy that allows everything must not notice. CPython's own tests found these."""

import os
import resource
import signal
import socket
import struct
import subprocess
import time
import unittest

from support import ALLOW_ALL, ASK_ALL, HOOK, PATIENCE, Test, clean_environment, interpreter_process, python

SO_COOKIE = 57  # which the module socket does not have
ROUNDS = 5  # of what depends on being caught in the right moment


class Signals(Test):
    per_interpreter = True

    MAKES_DIRECTORY = """
import os, signal, sys
made = sys.argv[1]
signal.signal(signal.SIGINT, lambda *arguments: print("made" if os.path.isdir(made) else "not yet", flush=True))
os.write(1, b"r")
os.read(0, 1)
os.write(1, b"x")
try:
    os.mkdir(made)
except PermissionError:
    print("late")
"""

    def test_signal_during_the_wait_for_a_verdict_runs_no_python_code_inside_the_hook(self):
        # A handler that ran between the verdict and the operation could change what was judged.
        daemon = self.asked_daemon()
        daemon.apply(ALLOW_ALL)
        for number in range(ROUNDS):
            made = self.directory / f"made{number}"
            with interpreter_process([python(), "-c", self.MAKES_DIRECTORY, made], env=daemon.preloaded()) as process:
                # It is told to go when the daemon does not answer, and interrupted while it waits.
                self.assertEqual(process.stdout.read(1), "r")
                time.sleep(0.2)
                daemon.process.send_signal(signal.SIGSTOP)
                try:
                    process.stdin.write("x")
                    process.stdin.flush()
                    self.assertEqual(process.stdout.read(1), "x")
                    time.sleep(0.3)
                    process.send_signal(signal.SIGINT)
                    time.sleep(0.1)
                finally:
                    daemon.process.send_signal(signal.SIGCONT)
                out, err = process.communicate(timeout=20)
            if "late" not in out:  # the machine was busy, and the verdict's time was over
                break
        self.assertEqual((process.returncode, out), (0, "made\n"), err)


class Descriptors(Test):
    per_interpreter = True

    def open_files(self, soft):
        """The descriptors of an interpreter under a soft limit of open files."""
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        result = self.run_under(
            self.policy(ALLOW_ALL), [python(), "-c", "import os; print(*os.listdir('/proc/self/fd'))"],
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard)))
        self.assertEqual(result.status, 0, result)
        return [int(text) for text in result.out.split()]

    def test_connection_is_not_among_the_descriptors_of_a_program_that_lowered_its_limit(self):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if hard != resource.RLIM_INFINITY and hard < 2048:
            self.skipTest("the hard limit of open files leaves no room")
        self.assertEqual([one for one in self.open_files(soft=40) if 30 < one < 1024], [])
        self.assertEqual([one for one in self.open_files(soft=1024) if 30 < one < 1024], [])

    def test_connection_does_not_lengthen_what_a_fork_copies(self):
        # As containers have it: the kernel's table is as long as the highest descriptor.
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if hard != resource.RLIM_INFINITY and hard < 8192:
            self.skipTest("the hard limit of open files is low anyway")
        opened = self.open_files(soft=hard)
        self.assertTrue(1024 <= max(opened) < 4096, opened)

    def test_descriptor_with_the_number_of_the_door_is_left_alone(self):
        # `warder run` leaves a descriptor open for the first interpreter, and says so in the environment,
        # which children inherit; Python is shown the kernel's copy of it alone.
        result = self.python_under(self.policy(ALLOW_ALL), """
import os, socket, subprocess, sys
environment = dict(entry.split("=", 1) for entry in open("/proc/self/environ").read().split("\\0") if "=" in entry)
number = int(environment["WARDER_DOOR"].split(":")[0])
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
os.dup2(theirs.fileno(), number)
child = [sys.executable, "-c", "import os, sys; os.write(int(sys.argv[1]), b'here')", str(number)]
subprocess.run(child, pass_fds=[number], check=True)
print(ours.recv(100))
""")
        self.assertEqual((result.status, result.out), (0, "b'here'\n"), result)

    def said_at_a_door(self, daemon, number_of):
        """What an interpreter says at a socket of this process's own that its environment calls the door."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            environment = clean_environment(LD_PRELOAD=HOOK, WARDER_SOCKET="/nonexistent", WARDER_RUN="00" * 16,
                                            WARDER_DAEMON=daemon, WARDER_DOOR=f"{theirs.fileno()}:{number_of(theirs)}")
            with subprocess.Popen([python(), "-c", ""], env=environment, pass_fds=[theirs.fileno()],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                theirs.close()
                ours.settimeout(PATIENCE)
                said = ours.recv(65536)
                ours.close()
                process.wait(PATIENCE)
        return said

    @staticmethod
    def cookie(door):
        return struct.unpack("Q", door.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8))[0]

    def test_door_is_believed_by_what_no_other_socket_has(self):
        self.assertNotEqual(self.said_at_a_door(os.getpid(), self.cookie), b"")
        # The numbers of inodes come round, and whoever makes enough of them has that of the door.
        self.assertEqual(self.said_at_a_door(os.getpid(), lambda door: os.fstat(door.fileno()).st_ino), b"")

    def test_door_of_another_process_than_the_daemon_is_not_believed(self):
        self.assertEqual(self.said_at_a_door(os.getppid(), self.cookie), b"")

    def goes_on(self, code):
        result = self.python_under(self.policy(ASK_ALL), code)
        self.assertEqual((result.status, result.out), (0, "goes on\n"), result)

    def test_forked_child_that_closes_every_descriptor_goes_on(self):
        # As daemons do. What the hook needs is closed too, before the child's first event.
        self.goes_on("""
import os
kept = os.dup(1)
child = os.fork()
if child == 0:
    os.closerange(0, kept)
    os.closerange(kept + 1, 70000)
    os.listdir("/")
    os.write(kept, b"goes on\\n")
    os._exit(0)
os.waitpid(child, 0)
""")

    def test_program_that_has_used_up_its_open_files_forks_and_goes_on(self):
        self.goes_on("""
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (50, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
opened = []
try:
    while True:
        opened.append(os.dup(0))
except OSError:
    pass
child = os.fork()
if child == 0:
    sys.audit("test.event")
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
sys.audit("test.event")
os.write(1, b"goes on\\n")
""")

    def test_program_that_may_open_no_file_at_all_goes_on(self):
        self.goes_on("""
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
sys.audit("test.event")
os.write(1, b"goes on\\n")
""")


class Crowds(Test):
    """Forty threads that do nothing but ask: beside other tests they would be the load that they are held against."""

    per_interpreter = True
    labels = ("system", "alone")

    def test_call_that_keeps_the_interpreter_lock_for_long_denies_no_other_thread(self):
        # A PyDLL's function keeps the lock while it runs: longer than a verdict may take.
        result = self.python_under(self.policy(ASK_ALL), """
import ctypes, sys, threading, time
denied = []
stop = False
def work():
    while not stop:
        try:
            sys.audit("test.event")
        except PermissionError as error:
            denied.append(str(error))
threads = [threading.Thread(target=work, daemon=True) for _ in range(40)]  # end with it, whatever happens
for thread in threads:
    thread.start()
time.sleep(0.2)
ctypes.PyDLL(None).sleep(3)
time.sleep(0.2)
stop = True
for thread in threads:
    thread.join()
print(denied[:1])
""")
        self.assertEqual((result.status, result.out), (0, "[]\n"), result)


class Threads(Test):
    per_interpreter = True

    def test_threads_that_set_a_trace_function_at_once_get_in_nobody_s_way(self):
        # 3.10.13 and 3.11.2 refuse a second one while the event of the first is asked about.
        result = self.python_under(self.policy(ASK_ALL), """
import sys, threading
failed = []
def work():
    for _ in range(300):
        try:
            sys.settrace(None)
            sys.setprofile(None)
        except RuntimeError as error:
            failed.append(str(error))
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(failed[:1])
""")
        self.assertEqual((result.status, result.out), (0, "[]\n"), result)


NOBODY = 65534


def give_up_root():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


@unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
class Users(Test):
    per_interpreter = True

    def child_of_another_user(self, drop=""):
        for command in [python(), "-c", ""], ["/usr/bin/test", "-r", HOOK]:
            try:
                subprocess.run(command, preexec_fn=give_up_root, check=True, cwd="/",
                               stderr=subprocess.DEVNULL)
            except (OSError, subprocess.CalledProcessError):
                self.skipTest(f"{command[-1] or command[0]} cannot be reached by other users")
        result = self.python_under(self.policy(ALLOW_ALL), f"""
import os, subprocess, sys
def give_up_root():
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
child = "import os, sys; print(os.getuid(), 'warder' in sys.builtin_module_names)"
# What brings the hook along goes with every child of an interpreter: a program without one drops it.
dropping = ["/usr/bin/env", "-u", "{drop}"] if "{drop}" else []
sys.exit(subprocess.call([*dropping, sys.executable, "-c", child], preexec_fn=give_up_root))
""")
        return result

    def test_child_that_gives_up_root_starts_and_is_guarded(self):
        result = self.child_of_another_user()
        self.assertEqual((result.status, result.out), (0, f"{NOBODY} True\n"), result)

    def test_process_of_another_user_that_is_not_of_the_run_is_refused(self):
        result = self.child_of_another_user(drop="WARDER_RUN")
        self.assertEqual((result.status, result.out), (126, ""), result)
        self.assertIn("may not start", result.err)
