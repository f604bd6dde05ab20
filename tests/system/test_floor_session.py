"""Floors and what goes on under them: when they are taken, by whom, and what ordinary programs notice."""

import os
import pwd
import re
import unittest
from pathlib import Path

import interpreters
from support import ALLOW_ALL, BUILD, HOOK, PACKAGE, TESTS, WARDER, Test, clean_environment, execute, others_reach, python
from test_floor import LANDLOCK_SCOPES, NO_COPIES, NO_PROGRAMS, NEITHER, floor_on, landlock_abi

NOBODY = pwd.getpwnam("nobody").pw_uid
LATE = BUILD / "tests" / "programs" / "late_python"
EARLY_THREAD = BUILD / "tests" / "programs" / "early_thread.so"

# All that a floor can hold, as wide as ordinary programs need it.
EVERYTHING = """policy everything {{
    default allow all
    default deny exec, fork, write, bind, connect
    allow write where path under ["{place}", session.temp] or path is session.null as places
    allow bind where family in ["inet", "inet6"] as offers
    allow connect where family in ["inet", "inet6"] as clients
    floor exec, fork, write, bind, connect required
}}
"""

# Takes as many Landlock domains as the kernel stacks, then becomes a program.
SIXTEEN_DOMAINS = """
import ctypes, os, struct, sys
libc = ctypes.CDLL(None)
libc.prctl(38, 1, 0, 0, 0)
for _ in range(16):
    domain = libc.syscall(444, struct.pack("<3Q", 0x1000, 0, 0), 24, 0)  # block devices alone
    assert domain >= 0 and libc.syscall(446, domain, 0) == 0
    os.close(domain)
os.execv(sys.argv[1], sys.argv[1:])
"""


def status_of(field):
    """Code that gives a field of this process's status."""
    return f'[line.split()[1] for line in open("/proc/self/status") if line.startswith("{field}:")][0]'


class Programs(Test):
    per_interpreter = True
    short_on = staticmethod(interpreters.ends)

    def prints(self, policy, code, *lines, **more):
        result = self.run_under(self.policy(policy), [python(), self.script(code)], **more)
        self.assertEqual((result.status, result.out.splitlines()), (0, [str(line) for line in lines]), result)
        return result

    def test_threads_asyncio_tls_and_pools_go_on_under_every_floor_at_once(self):
        self.prints(EVERYTHING.format(place=self.directory), f"""
import asyncio, concurrent.futures, ctypes, os, socket, ssl, tempfile, threading
print({status_of("Seccomp")}, {status_of("NoNewPrivs")})
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    print(sum(pool.map(len, ["x"] * 100)))

async def echo(reader, writer):
    writer.write(await reader.readline())
    await writer.drain()
    writer.close()

async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"hello\\n")
    print((await reader.readline()).decode().strip())
    writer.close()
    print(await asyncio.get_running_loop().run_in_executor(None, lambda: "pool"))
    server.close()

asyncio.run(main())
print(ssl.create_default_context().verify_mode == ssl.CERT_REQUIRED)
with tempfile.NamedTemporaryFile() as file:
    file.write(b"x")
with open("made", "w") as file, open(os.devnull, "w") as null:
    print("x", file=null)
os.mkdir("below")
os.rename("made", "below/renamed")
os.link("below/renamed", "linked")
os.rename("linked", os.path.join(tempfile.mkdtemp(dir="."), "moved"))
print(os.path.exists("below/renamed"))
""", "2 1", 100, "hello", "pool", True, True)

    def test_refusals_of_the_kernel_are_permission_errors(self):
        # Nothing in the interpreter is against it: the floor alone.
        policy = """policy p {
    default allow all
    deny exec where file is "/nonexistent" as none
    default deny fork
    floor fork
}"""
        self.prints(policy, """
import _posixsubprocess, errno, os, subprocess
try:
    subprocess.run(["true"])
except PermissionError as error:
    print("subprocess", errno.errorcode[error.errno])
try:
    os.fork()
except PermissionError as error:
    print("fork", errno.errorcode[error.errno])
try:
    os.posix_spawn("/usr/bin/true", ["true"], {})
except PermissionError as error:
    print("spawn", errno.errorcode[error.errno])
""", "subprocess EACCES", "fork EACCES", "spawn EACCES")

    def test_call_without_an_event_is_refused_by_the_kernel(self):
        marker = self.directory / "marker"
        result = self.run_under(self.policy(NEITHER), [python(), self.script("""
import multiprocessing.util, sys
try:
    multiprocessing.util.spawnv_passfds(b"/usr/bin/touch", [b"touch", sys.argv[1].encode()], [])
except PermissionError:
    print("denied")
"""), marker])
        self.assertEqual((result.status, result.out), (0, "denied\n"), result)
        self.assertFalse(marker.exists(), result)

    def test_forked_child_inherits_the_floor_and_takes_none_anew(self):
        self.prints(NO_PROGRAMS, f"""
import os
own = {status_of("Seccomp_filters")}
pid = os.fork()
if pid == 0:
    print({status_of("Seccomp_filters")} == own, flush=True)
    try:
        os.execv("/usr/bin/true", ["true"])
    except PermissionError:
        print("denied", flush=True)
    os._exit(0)
os.waitpid(pid, 0)
""", True, "denied")

    def test_interpreter_that_an_allowed_program_starts_takes_the_floor_again(self):
        program = Path(python()).resolve()
        policy = (f'policy p {{ default allow all default deny exec allow exec where file in ["{program}", '
                  f'"/usr/bin/env"] as some floor exec required }}')
        result = self.prints(policy, f"""
import subprocess, sys
own = int({status_of("Seccomp_filters")})
code = '''
import subprocess
print(int({status_of("Seccomp_filters")}) - %d)
for program in "/usr/bin/true", "/usr/bin/env":
    try:
        print(subprocess.run([program]).returncode)
    except PermissionError as error:
        print(type(error).__name__)
''' % own
subprocess.run([{str(program)!r}, "-c", code], env={{}} or None, check=True, stdout=sys.stdout)
""".replace('print(subprocess.run([program]).returncode)',
            'print(subprocess.run([program], stdout=subprocess.DEVNULL).returncode)'), 1, "PolicyDenied", 0)
        self.assertEqual(result.err, "")

    def test_arguments_of_a_forked_child_are_known_where_proc_is_not_readable(self):
        places = [Path(python()).resolve().parent.parent, "/usr/lib", self.directory]
        policy = ("policy p { default allow all default deny read allow read where path under [" +
                  ", ".join(f'"{place}"' for place in places) +
                  '] as some deny bind where not script matches "/**/script.py" as strangers floor read required }')
        self.prints(policy, """
import os, socket
def attempt():
    try:
        socket.socket().bind(("127.0.0.1", 0))
        return "bound"
    except PermissionError as error:
        return str(error)
print(attempt(), flush=True)
try:
    open("/proc/self/cmdline")
except PermissionError:
    print("unread", flush=True)
pid = os.fork()
if pid == 0:
    print(attempt(), flush=True)
    os._exit(0)
os.waitpid(pid, 0)
""", "bound", "unread", "bound")

    def test_connection_that_is_lost_comes_back_over_another_where_no_socket_may_be_made(self):
        # Threads that ask at once make the hook open further connections; then the first is closed.
        self.prints(EVERYTHING.format(place=self.directory), """
import os, socket, threading
def sockets():
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            if int(name) > 100 and os.readlink("/proc/self/fd/" + name).startswith("socket:"):
                found.append(int(name))
        except OSError:
            pass
    return sorted(found)
def ask():
    try:
        os.system("id")  # what is denied is always asked
    except PermissionError as error:
        return "judged" if "denied by local/" in str(error) else str(error)
def ask_often():
    for _ in range(50):
        ask()
for _ in range(50):
    if len(sockets()) > 1:
        break
    threads = [threading.Thread(target=ask_often) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
before = sockets()
print(len(before) > 1)
try:
    socket.socket(socket.AF_UNIX)
except PermissionError:
    print("no socket")
os.close(before[0])
print(ask())
for end in sockets():
    os.close(end)
print("start it anew" in ask(), flush=True)
os._exit(0)
""", True, "no socket", "judged", True)

    def test_pages_of_the_hook_cannot_be_changed_or_unmapped(self):
        probe = execute([python(), "-c", "import ctypes; print(ctypes.CDLL(None).syscall(462, 0, 0, 0))"])
        if probe.out.strip() != "0":
            self.skipTest("the kernel has no mseal")
        self.prints(ALLOW_ALL, """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
sealed = {}
for line in open("/proc/self/maps"):
    fields = line.split()
    if not fields[-1].endswith("/libwarder.so"):
        continue
    start, end = (int(part, 16) for part in fields[0].split("-"))
    answers = set()
    for call in (lambda: libc.mprotect(start, end - start, 7), lambda: libc.munmap(start, end - start),
                 lambda: libc.mmap(start, end - start, 7, 0x32, -1, 0) in (-1, 2**64 - 1) and -1):
        if "w" in fields[1]:
            continue  # its variables
        answers.add(errno.errorcode[ctypes.get_errno()] if call() == -1 else "done")
    sealed.setdefault(fields[1], set()).update(answers)
for kind in sorted(sealed):
    print(kind, *sorted(sealed[kind]))
""", "r--p EPERM", "r-xp EPERM", "rw-p")


class Sessions(Test):
    per_interpreter = True

    def test_required_floor_that_cannot_be_held_ends_the_interpreter_with_a_clear_line(self):
        policy = self.policy(floor_on("write", f'path under "{self.directory}"'))
        result = execute([python(), "-c", SIXTEEN_DOMAINS, WARDER, "run", "--policy", policy, "--", python(), "-c",
                          "print('ran')"], cwd=self.directory)
        self.assertEqual((result.status, result.out), (126, ""), result)
        self.assertRegex(result.err, r"warder: this interpreter may not start: `write`: its policy requires that the "
                                     r"kernel holds this, and it cannot\. Missing: .*16 Landlock domains")

    def test_floor_that_is_not_required_is_taken_as_far_as_it_can_be(self):
        text = (f'policy p {{ default allow all default deny write, fork allow write where path under '
                f'"{self.directory}" as some floor write, fork }}')
        code = f"""
import os, ctypes
print({status_of("Seccomp")})
print(ctypes.CDLL(None).fork())
"""
        result = execute([python(), "-c", SIXTEEN_DOMAINS, WARDER, "run", "--policy", self.policy(text), "--", python(),
                          "-c", code], cwd=self.directory)
        self.assertEqual((result.status, result.out.split()), (0, ["2", "-1"]), result)

    def test_threads_that_are_there_before_are_held_by_filters_and_not_by_landlock(self):
        environment = clean_environment(LD_PRELOAD=EARLY_THREAD)
        code = f"""
import os
counts = set()
for thread in os.listdir("/proc/self/task"):
    with open("/proc/self/task/%s/status" % thread) as file:
        counts |= {{line.strip() for line in file if line.startswith("Seccomp:")}}
print(len(os.listdir("/proc/self/task")), *counts)
"""
        result = self.run_under(self.policy(NO_COPIES), [python(), "-c", code], env=environment)
        self.assertEqual((result.status, result.out), (0, "2 Seccomp:\t2\n"), result)
        result = self.run_under(self.policy(floor_on("write", f'path under "{self.directory}"')),
                                [python(), "-c", code], env=environment)
        self.assertEqual((result.status, result.out), (126, ""), result)
        self.assertIn("threads were running already", result.err)

    def test_attach_takes_no_floor_and_raises_where_one_is_required(self):
        for required, words in ((False, "attached 0"), (True, "ConnectionError")):
            with self.subTest(required=required):
                daemon = self.daemon()
                daemon.apply('policy p { applies { platform is "linux" } default allow all default deny fork floor fork '
                             + ("required }" if required else "}"))
                result = execute([python(), "-c", f"""
import warder
try:
    warder.attach()
    print("attached", {status_of("Seccomp")})
except ConnectionError as error:
    print(type(error).__name__, error)
"""], env=clean_environment(WARDER_SOCKET=daemon.socket, PYTHONPATH=PACKAGE))
                self.assertIn(words, result.out, result)
                if required:
                    self.assertIn("`fork`: its policy requires that the kernel holds this", result.out)
                    self.assertIn("attach()", result.out)

    def test_attach_that_was_refused_for_a_floor_leaves_nothing_behind(self):
        daemon = self.daemon()
        daemon.apply('policy floored { default allow all default deny fork floor fork required }\n'
                     'policy plain { deny read where path is "/denied" as no }')
        result = execute([python(), "-c", """
import warder
try:
    warder.attach(policies=["floored"])
except ConnectionError as error:
    print("refused", error)
warder.attach(policies=["plain"])
try:
    open("/denied")
except warder.PolicyDenied as denied:
    print(denied.policy)
import os
if os.fork() == 0:
    os._exit(0)
os.wait()
print("not under the other")
"""], env=clean_environment(WARDER_SOCKET=daemon.socket, PYTHONPATH=PACKAGE))
        self.assertEqual(result.status, 0, result)
        self.assertRegex(result.out, r"^refused .*`fork`: its policy requires(.|\n)*local/plain\nnot under the other\n$")

    def test_interpreter_that_a_host_preloads_takes_the_floor(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } default allow all default deny fork floor fork required }')
        result = execute([python(), "-c", f"print({status_of('Seccomp')}, {status_of('NoNewPrivs')})"],
                         env=daemon.preloaded())
        self.assertEqual((result.status, result.out), (0, "2 1\n"), result)

    def test_interpreter_below_a_floor_of_connect_says_why_it_cannot_start(self):
        program = Path(python()).resolve()
        policy = (f'policy p {{ default allow all default deny exec, connect allow exec where file is "{program}" as self '
                  f'allow connect where family is "inet" as some floor exec, connect }}')
        result = self.run_under(self.policy(policy), [python(), "-c", f"""
import os
os.execv({str(program)!r}, ["python", "-c", "print('ran')"])
"""])
        self.assertEqual((result.status, result.out), (126, ""), result)
        self.assertIn("a floor on `connect` lets no Unix socket be made", result.err)

    def test_floor_is_taken_where_proc_is_not_there(self):
        if os.geteuid() != 0:
            self.skipTest("only root can take /proc away")
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } default allow all default deny write '
                     f'allow write where path under "{self.directory}" as some floor write required }}')
        code = """
try:
    import ctypes
    print(ctypes.CDLL(None, use_errno=True).open(b"/etc/passwd", 1), ctypes.get_errno())
except OSError as error:
    print(error)
"""
        result = execute(["unshare", "--mount", "/bin/sh", "-c", 'umount -l /proc && LD_PRELOAD=$1 exec "$2" -c "$3"', "sh",
                          HOOK, python(), code], env=clean_environment(WARDER_SOCKET=daemon.socket))
        self.assertEqual((result.status, result.out), (0, "-1 13\n"), result)

    def test_process_under_a_floor_reaches_no_administration_root_included(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } default allow all default deny exec floor exec required }')
        code = f"""
import os, sys
sys.path.insert(0, {str(TESTS / "system")!r})
import wire
def ask():
    failed = wire.first(wire.Connection({str(daemon.admin)!r}).request(wire.status()).fields, 2)
    return wire.first(wire.decode(failed), 2).decode() if failed else "answered"
print(ask(), flush=True)
if os.fork() == 0:
    if os.fork() == 0:
        print(ask(), flush=True)
    else:
        os.wait()
    os._exit(0)
os.wait()
"""
        result = execute([python(), "-c", code], env=daemon.preloaded())
        self.assertEqual(result.status, 0, result)
        answers = result.out.splitlines()
        self.assertEqual(len(answers), 2, result)
        self.assertTrue(all("under policy" in answer or "only root" in answer for answer in answers), result)

    def test_library_of_an_interpreter_that_comes_late_takes_it_before_its_code(self):
        library = self.libpython()
        code = f"print({status_of('Seccomp')}, {status_of('NoNewPrivs')})"
        result = self.run_under(self.policy(EVERYTHING.format(place=self.directory)),
                                [LATE, library, "global", code])
        self.assertEqual((result.status, result.out), (0, "2 1\n"), result)

    def libpython(self):
        for path in sorted((Path(python()).resolve().parent.parent / "lib").glob("libpython3.*.so.1.0")):
            return path
        self.skipTest(f"{python()} has no shared library")

    @staticmethod
    def choose(found):
        return [found[0], *found[1:][-1:]]


class Runs(Test):
    def run_as(self, uid, policy, command, *options):
        def become():
            if uid is not None:
                os.setgroups([])
                os.setgid(pwd.getpwuid(uid).pw_gid)
                os.setuid(uid)
        self.directory.chmod(0o755)
        path = self.policy(policy)
        path.chmod(0o644)
        return execute([WARDER, "run", "--policy", path, *options, "--", *command], preexec_fn=become, cwd="/tmp")

    def users(self):
        yield None
        if os.geteuid() == 0 and others_reach(WARDER, NOBODY):
            yield NOBODY
        else:
            print("not tried as another user: this is not root, or the build cannot be reached")

    def test_base_of_a_floor_stands_before_the_program(self):
        for policy, expected in ((NO_COPIES, ["1", "2"]), (ALLOW_ALL, ["0", "0"])):
            for uid in self.users():
                with self.subTest(policy, uid=uid):
                    result = self.run_as(uid, policy, ["/bin/sh", "-c", "while read name value rest; do case $name in "
                                                       "NoNewPrivs:|Seccomp:) echo $value;; esac; done "
                                                       "< /proc/self/status; /bin/true"])
                    self.assertEqual((result.status, result.out.split()), (0, expected), result)

    # What a process of the program's own user could do to the one that judges it.
    ATTACKS = r"""
import ctypes, errno, os, signal, struct, sys
parent = os.getppid()
daemon = None
for name in os.listdir("/proc"):
    try:
        with open("/proc/%s/cmdline" % name, "rb") as file:
            words = file.read().split(b"\0")
        with open("/proc/%s/stat" % name) as file:
            is_sibling = int(file.read().rpartition(")")[2].split()[1]) == parent
    except (OSError, IndexError, ValueError):
        continue
    if is_sibling and words[0].endswith(b"warderd"):
        daemon = int(name)
libc = ctypes.CDLL(None, use_errno=True)
def attempt(name, call):
    try:
        result = call()
        answer = "done" if result is None or result >= 0 else errno.errorcode[ctypes.get_errno()]
    except OSError as error:
        answer = errno.errorcode[error.errno]
    print(name, answer)
byte = ctypes.create_string_buffer(1)
vector = ctypes.create_string_buffer(struct.pack("<2Q", ctypes.addressof(byte), 1))
def by_handle():
    return libc.syscall(424, os.open("/proc/%d" % daemon, os.O_RDONLY | os.O_DIRECTORY), signal.SIGKILL, None, 0)
attempt("kill", lambda: os.kill(daemon, signal.SIGKILL))
attempt("stop", lambda: os.kill(daemon, signal.SIGSTOP))
attempt("by handle", by_handle)
attempt("ptrace", lambda: libc.ptrace(0x4206, daemon, 0, 0))
attempt("write memory", lambda: libc.process_vm_writev(daemon, vector, 1, vector, 1, 0))
attempt("memory file", lambda: os.open("/proc/%d/mem" % daemon, os.O_RDWR))
attempt("descriptor", lambda: libc.syscall(438, libc.syscall(434, daemon, 0), 3, 0))
attempt("limit", lambda: libc.prlimit(daemon, 4, ctypes.create_string_buffer(16), None))
attempt("descriptor of the command", lambda: libc.syscall(438, libc.syscall(434, parent, 0), 3, 0))
attempt("memory of the command", lambda: os.open("/proc/%d/mem" % parent, os.O_RDWR))
attempt("the command", lambda: os.kill(parent, signal.SIGKILL))
print("judged", open("/dev/null").close() is None)
"""

    def test_private_daemon_is_out_of_reach_of_its_program(self):
        if landlock_abi() < LANDLOCK_SCOPES:
            self.skipTest("the kernel's Landlock cannot keep signals inside")
        without_floor = 'policy p { default allow all deny signal where target is "other" and pid is 1 as n }'
        for policy, reached in ((NO_COPIES, set()), (without_floor, {"limit"})):
            for uid in self.users():
                with self.subTest(policy, uid=uid):
                    result = self.run_as(uid, policy, ["/usr/bin/python3", "-c", self.ATTACKS])
                    self.assertEqual(result.status, 0, result)
                    answers = dict(line.rsplit(" ", 1) for line in result.out.splitlines())
                    self.assertEqual(answers.pop("judged"), "True", result)
                    self.assertEqual({name for name, answer in answers.items() if answer not in ("EPERM", "EACCES")},
                                     reached, result)
                    self.assertEqual(len(answers), 11)

    def test_nobody_looks_into_a_run_and_its_daemon_where_nothing_is_kept_inside(self):
        looks = re.sub('^attempt\\("(kill|stop|by handle|limit|the command)".*\n', "", self.ATTACKS, flags=re.MULTILINE)
        for uid in self.users():
            if uid is None and os.geteuid() == 0:
                continue  # root may trace whatever it likes
            result = self.run_as(uid, ALLOW_ALL, ["/usr/bin/python3", "-c", looks])
            answers = dict(line.rsplit(" ", 1) for line in result.out.splitlines())
            self.assertEqual(answers.pop("judged", None), "True", result)
            self.assertEqual({name for name, answer in answers.items() if answer not in ("EPERM", "EACCES")}, set(), result)
            self.assertEqual(len(answers), 6, result)

    def test_program_goes_on_signalling_what_it_starts_and_job_control_works(self):
        policy = 'policy p { default allow all deny signal where target is "other" and pid is 1 as n }'
        for uid in self.users():
            with self.subTest(uid=uid):
                result = self.run_as(uid, policy, ["/bin/sh", "-c", "sleep 100 & kill $!; wait $!; echo $?; "
                                                   "kill -0 $$ && echo own; kill -0 0 && echo group"])
                self.assertEqual((result.status, result.out.split()), (0, ["143", "own", "group"]), result)

    def test_without_a_word_about_signals_in_the_policy_they_go_everywhere(self):
        result = self.run_as(None, ALLOW_ALL, ["/bin/sh", "-c", "kill -0 $PPID && echo sent"])
        self.assertEqual((result.status, result.out), (0, "sent\n"), result)

    def test_observed_policy_keeps_no_signals_inside(self):
        policy = 'policy p { default allow all default deny signal }'
        result = self.run_as(None, policy, ["/bin/sh", "-c", "kill -0 $PPID && echo sent"], "--observe")
        self.assertEqual((result.status, result.out), (0, "sent\n"), result)


if __name__ == "__main__":
    unittest.main()
