"""Ordinary programs go on under Warder.

Under no-process nothing but processes is touched: what people run in such a job works as it did. Under a
policy that allows everything, programs that are made of processes do too.
"""

import json
import tempfile
import zipfile

from support import ALLOW_ALL, NO_PROCESS, UNTRUSTED, WARDER, Test, clean_environment, execute, python

MODULE = "greeting.py"
WHEEL = "greeting-1.0-py3-none-any.whl"


class Programs(Test):
    per_interpreter = True

    def works(self, command, policy=NO_PROCESS, asks=(), **more):
        """The program ends well, and nothing was denied that it then did without: but for the programs in
        `asks`, which it tries to start and does not need."""
        state = tempfile.mkdtemp(dir=self.directory, prefix="state")
        result = self.run_under(policy, command, "--state-dir", state, **more)
        self.assertEqual(result.status, 0, result)
        log = execute([WARDER, "log", "--denied", "--state-dir", state, "--json", "-n", "0"])
        self.assertEqual(log.status, 0, log)
        denied = [json.loads(line) for line in log.out.splitlines()]
        for row in denied:
            self.assertEqual([operation["class"] for operation in row["operations"]], ["exec"], row)
        started = {row["arguments"]["executable"] for row in denied}
        self.assertLessEqual(started, set(asks), denied)
        return result

    def prints(self, code, *lines, policy=NO_PROCESS, asks=()):
        script = self.script(code)
        result = self.works([python(), script], policy, asks)
        self.assertEqual(result.out, "".join(f"{line}\n" for line in lines), result)

    def has(self, module):
        """Skips the test where the interpreter lacks a module."""
        if execute([python(), "-c", f"import {module}"]).status != 0:
            self.skipTest(f"{python()} has no {module}")


class Ends(Programs):
    @staticmethod
    def choose(found):
        """The oldest and the newest interpreter: these take seconds each."""
        return [found[0], *found[1:][-1:]]


class Installing(Ends):
    def wheel(self):
        """A package as pip takes it: files in a ZIP, with a record of them."""
        path = self.directory / WHEEL
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(MODULE, 'def greet():\n    return "hello from a wheel"\n')
            wheel.writestr("greeting-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
            wheel.writestr("greeting-1.0.dist-info/WHEEL",
                           "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr("greeting-1.0.dist-info/RECORD",
                           f"{MODULE},,\ngreeting-1.0.dist-info/METADATA,,\ngreeting-1.0.dist-info/WHEEL,,\n"
                           "greeting-1.0.dist-info/RECORD,,\n")
        return path

    def test_pip_installs_a_wheel(self):
        self.has("pip")
        target = self.directory / "installed"
        # HOME: pip's own settings and cache are no part of this.
        self.works([python(), "-m", "pip", "install", "--no-index", "--no-deps", "--disable-pip-version-check",
                    "--no-cache-dir", "--target", target, self.wheel()],
                   asks=("uname", "lsb_release", "rustc", "getconf"),  # what it tells an index of the machine
                   env=clean_environment(HOME=self.directory, PIP_ROOT_USER_ACTION="ignore"))
        result = self.works([python(), "-c", "import greeting; print(greeting.greet())"],
                            env=clean_environment(PYTHONPATH=target))
        self.assertEqual(result.out, "hello from a wheel\n")

    def test_pip_installs_a_wheel_for_untrusted_code(self):
        self.has("pip")
        target = self.directory / "installed"
        result = self.run_under(
            UNTRUSTED, [python(), "-m", "pip", "install", "--no-index", "--no-deps", "--disable-pip-version-check",
                        "--no-cache-dir", "--target", target, self.wheel()],
            env=clean_environment(HOME=self.directory, PIP_ROOT_USER_ACTION="ignore"))
        self.assertEqual(result.status, 0, result)
        self.assertTrue((target / MODULE).exists(), result)

    def test_virtual_environment_without_pip_is_made_and_runs(self):
        place = self.directory / "environment"
        self.works([python(), "-m", "venv", "--without-pip", place])
        result = self.works([place / "bin" / "python", "-c", "import sys; print(sys.prefix != sys.base_prefix)"])
        self.assertEqual(result.out, "True\n")

    def test_virtual_environment_with_pip_stops_where_it_would_start_pip(self):
        self.has("ensurepip")
        place = self.directory / "environment"
        result = self.run_under(NO_PROCESS, [python(), "-m", "venv", place])
        self.assertNotEqual(result.status, 0, result)
        self.assertIn("denied by local/no-process.no-exec", result.err)
        self.assertTrue((place / "bin" / "python").exists())


class WithoutProcesses(Programs):
    def tests_of_somebody(self):
        tests = self.directory / "tests"
        tests.mkdir()
        (tests / "__init__.py").write_text("")
        (tests / "test_sum.py").write_text("""
import logging, os, tempfile, unittest
class Sum(unittest.TestCase):
    def test_sum(self):
        self.assertEqual(sum(range(10)), 45)
    def test_file(self):
        with tempfile.TemporaryDirectory() as directory, self.assertLogs() as logs:
            path = os.path.join(directory, "file")
            with open(path, "w") as file:
                file.write("x")
            logging.warning("%s", os.path.getsize(path))
        self.assertEqual(len(logs.output), 1)
""")

    def test_unittest_discovers_and_runs(self):
        self.tests_of_somebody()
        result = self.works([python(), "-m", "unittest", "discover", "-s", "tests", "-t", "."])
        self.assertIn("Ran 2 tests", result.err)

    def test_pytest_runs(self):
        self.has("pytest")
        self.tests_of_somebody()
        result = self.works([python(), "-m", "pytest", "-q", "tests"])
        self.assertIn("2 passed", result.out)

    def test_pytest_runs_for_untrusted_code(self):
        self.has("pytest")
        self.tests_of_somebody()
        result = self.run_under(UNTRUSTED, [python(), "-m", "pytest", "-q", "tests"])
        self.assertIn("2 passed", result.out, result)

    def test_http_server_and_client_exchange_json(self):
        self.prints("""
import http.client, http.server, json, threading, urllib.request
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({"sum": sum(asked)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
port = server.server_address[1]
client = http.client.HTTPConnection("127.0.0.1", port)
client.request("POST", "/", json.dumps([1, 2, 3]))
print(json.load(client.getresponse()))
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
with opener.open(f"http://localhost:{port}/", data=b"[4, 5]") as answer:
    print(json.load(answer))
server.shutdown()
server.server_close()
""", "{'sum': 6}", "{'sum': 9}")

    def test_programs_get_as_many_arguments_as_without_warder(self):
        code = """
import subprocess
for count in 5, 15, 19:
    print(subprocess.run(["/bin/true"] + ["y" * 100000] * count).returncode)
try:
    subprocess.run(["/bin/true"] + ["y" * 100000] * 100)
except OSError as error:
    print(error.errno)
"""
        held = self.policy('policy held { deny exec where file is "/no/such/file" as nothing }')
        for policy in self.policy(ALLOW_ALL, "all.warder"), held:
            with self.subTest(policy):
                self.prints(code, "0", "0", "0", "7", policy=policy)

    def test_sqlite_database_is_written_and_read(self):
        self.has("sqlite3")
        self.prints("""
import sqlite3
for name in "data.db", ":memory:", "file:data.db?mode=ro":
    database = sqlite3.connect(name, uri=name.startswith("file:"))
    if not name.endswith("ro"):
        with database:
            database.execute("CREATE TABLE numbers (value INTEGER)")
            database.executemany("INSERT INTO numbers VALUES (?)", [(i,) for i in range(100)])
    database.create_function("twice", 1, lambda value: 2 * value)
    print(database.execute("SELECT sum(twice(value)) FROM numbers").fetchone())
    database.close()
""", "(9900,)", "(9900,)", "(9900,)")

    def test_asyncio_echoes_over_tcp_and_unix_sockets(self):
        self.prints("""
import asyncio
async def echo(reader, writer):
    writer.write(await reader.readline())
    await writer.drain()
    writer.close()
async def ask(reader, writer):
    writer.write(b"hello\\n")
    answer = await reader.readline()
    writer.close()
    return answer
async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    print(await ask(*await asyncio.open_connection(*server.sockets[0].getsockname())))
    server.close()
    server = await asyncio.start_unix_server(echo, "echo.sock")
    print(await ask(*await asyncio.open_unix_connection("echo.sock")))
    server.close()
    loop = asyncio.get_running_loop()
    print(await loop.run_in_executor(None, sum, range(10)))
    print((await loop.getaddrinfo("localhost", 80))[0][4][1])
asyncio.run(main())
""", "b'hello\\n'", "b'hello\\n'", "45", "80")

    def test_logging_goes_to_files_that_rotate(self):
        self.prints("""
import logging, logging.handlers, os
handler = logging.handlers.RotatingFileHandler("program.log", maxBytes=1000, backupCount=2)
logging.basicConfig(level=logging.INFO, handlers=[handler], format="%(process)d %(threadName)s %(message)s")
for i in range(100):
    logging.info("line %d", i)
logging.shutdown()
print(sorted(name for name in os.listdir(".") if name.startswith("program.log")))
""", "['program.log', 'program.log.1', 'program.log.2']")

    def test_thread_pools_queues_and_timers_work(self):
        self.prints("""
import concurrent.futures, queue, threading
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    print(sum(pool.map(lambda number: number * number, range(100))))
work = queue.Queue()
timer = threading.Timer(0.01, work.put, ["rang"])
timer.start()
print(work.get(timeout=60))
""", "328350", "rang")

    def test_tls_contexts_are_made(self):
        self.has("ssl")
        self.prints("""
import ssl
context = ssl.create_default_context()
print(context.verify_mode == ssl.CERT_REQUIRED, isinstance(context.cert_store_stats(), dict))
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
wrapped = context.wrap_bio(incoming, outgoing, server_hostname="example.org")
try:
    wrapped.do_handshake()
except ssl.SSLWantReadError:
    print(outgoing.pending > 100)
""", "True True", "True")

    def test_tkinter_can_be_imported(self):
        self.has("_tkinter")
        self.prints("import tkinter; print(tkinter.TkVersion >= 8)", "True")

    def test_files_archives_and_temporary_directories_work(self):
        self.prints("""
import glob, gzip, mmap, os, pathlib, shutil, tarfile, tempfile, zipfile
with tempfile.TemporaryDirectory() as name:
    top = pathlib.Path(name)
    (top / "a" / "b").mkdir(parents=True)
    (top / "a" / "file").write_text("content" * 100)
    os.link(top / "a" / "file", top / "link")
    os.symlink("a", top / "symlink")
    os.chmod(top / "link", 0o600)
    os.utime(top / "link", (10 ** 9, 10 ** 9))
    shutil.copytree(top / "a", top / "copy")
    for format in "zip", "gztar":
        shutil.unpack_archive(shutil.make_archive(str(top / "packed"), format, str(top / "a")), str(top / format))
    with gzip.open(top / "file.gz", "wt") as file:
        file.write("x")
    with open(top / "a" / "file", "r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        mapped[:7] = b"CONTENT"
    print(len(glob.glob(name + "/**/file", recursive=True)) >= 4, (top / "link").read_text()[:8])
    shutil.move(str(top / "copy"), str(top / "moved"))
    shutil.rmtree(top / "moved")
    os.truncate(top / "link", 3)
    print(sorted(os.listdir(top / "zip")))
""", "True CONTENTc", "['b', 'file']")

    def test_what_programs_ask_of_the_system_is_answered(self):
        # Each of these can be done with a process, and is done without one where there is another way.
        self.prints("""
import ctypes.util, getpass, locale, os, platform, pwd, resource, shutil, signal, socket, sysconfig, time, uuid
print(shutil.which("sh") is not None, len(pwd.getpwall()) > 0, bool(platform.python_version()))
print(bool(sysconfig.get_paths()), bool(uuid.uuid4()), bool(socket.gethostname()), os.cpu_count() > 0)
signal.signal(signal.SIGUSR1, lambda *arguments: print("signalled"))
os.kill(os.getpid(), signal.SIGUSR1)
locale.setlocale(locale.LC_ALL, "C")
resource.getrusage(resource.RUSAGE_SELF)
""", "True True True", "True True True True", "signalled",
                    asks=("uname",))  # platform of 3.8, for the processor's name


class WithProcesses(Ends):
    def test_subprocess_pipelines_work(self):
        self.prints("""
import subprocess, sys
first = subprocess.Popen(["printf", "c\\\\nb\\\\na\\\\n"], stdout=subprocess.PIPE)
second = subprocess.Popen(["sort"], stdin=first.stdout, stdout=subprocess.PIPE)
first.stdout.close()
print(second.communicate()[0].split(), first.wait(), second.returncode)
print(subprocess.run("printf one | tr a-z A-Z", shell=True, stdout=subprocess.PIPE).stdout)
print(subprocess.check_output([sys.executable, "-c", "print(6 * 7)"], input=b"", stderr=subprocess.STDOUT))
try:
    subprocess.run(["sleep", "100"], timeout=0.2)
except subprocess.TimeoutExpired:
    print("ended")
try:
    subprocess.run(["/nonexistent/program"])
except FileNotFoundError as error:
    print(error.filename)
""", "[b'a', b'b', b'c'] 0 0", "b'ONE'", "b'42\\n'", "ended", "/nonexistent/program",
                    policy=self.policy(ALLOW_ALL))

    def test_every_way_of_starting_a_program_works(self):
        self.prints("""
import os, pty, sys
true = "/bin/true"
print(os.system("exit 3") >> 8, os.popen("echo opened").read().strip())
print(os.spawnv(os.P_WAIT, "/bin/sh", ["sh", "-c", "exit 4"]))
print(os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", "exit 5"], os.environ), 0)[1] >> 8)
child, terminal = pty.fork()
if child == 0:
    os.execvp("sh", ["sh", "-c", "exit 6"])
print(os.waitpid(child, 0)[1] >> 8)
child = os.fork()
if child == 0:
    os.execl("/bin/sh", "sh", "-c", "exit 7")
print(os.waitpid(child, 0)[1] >> 8)
""", "3 opened", "4", "5", "6", "7", policy=self.policy(ALLOW_ALL))

    def test_asyncio_starts_programs(self):
        self.prints("""
import asyncio
async def main():
    process = await asyncio.create_subprocess_exec("tr", "a-z", "A-Z", stdin=asyncio.subprocess.PIPE,
                                                   stdout=asyncio.subprocess.PIPE)
    print((await process.communicate(b"text"))[0], process.returncode)
    process = await asyncio.create_subprocess_shell("exit 9")
    print(await process.wait())
asyncio.run(main())
""", "b'TEXT' 0", "9", policy=self.policy(ALLOW_ALL))

    def test_multiprocessing_works_in_each_way_of_starting(self):
        self.prints("""
import multiprocessing
def work(queue, number):
    queue.put(number * number)
def square(number):
    return number * number
if __name__ == "__main__":
    for method in "fork", "spawn", "forkserver":
        context = multiprocessing.get_context(method)
        queue = context.Queue()
        processes = [context.Process(target=work, args=(queue, number)) for number in range(3)]
        [process.start() for process in processes]
        found = sorted(queue.get(timeout=100) for process in processes)
        [process.join() for process in processes]
        with context.Pool(2) as pool:
            print(method, found, pool.map(square, range(4)))
    with multiprocessing.Manager() as manager:
        shared = manager.dict(a=1)
        print(dict(shared))
""", "fork [0, 1, 4] [0, 1, 4, 9]", "spawn [0, 1, 4] [0, 1, 4, 9]", "forkserver [0, 1, 4] [0, 1, 4, 9]",
                    "{'a': 1}", policy=self.policy(ALLOW_ALL))

    def test_process_pools_work(self):
        self.prints("""
import concurrent.futures
def square(number):
    return number * number
if __name__ == "__main__":
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        print(sum(pool.map(square, range(20))))
""", "2470", policy=self.policy(ALLOW_ALL))
