"""Ordinary programs go on under floors that fit them: what each shipped policy is for works under it, and what it is
against is held where no event tells of it."""

import os
import re
import shutil
import socket
import tempfile
import zipfile
from pathlib import Path

from support import SOURCE, UNTRUSTED, Test, clean_environment, execute, interpreter_process, python, python_version

POLICIES = SOURCE / "policies"
WEB_SERVICE = POLICIES / "web-service.warder"
NOTEBOOK = POLICIES / "notebook.warder"
DATA_SCIENCE = POLICIES / "data-science.warder"
PIP_INSTALL = POLICIES / "pip-install.warder"
NO_PROCESS = POLICIES / "no-process.warder"
FLOORED = (UNTRUSTED, NO_PROCESS, WEB_SERVICE, NOTEBOOK)

# Asks the kernel itself, past every event: what a floor holds is refused there.
HELD = """
def refused(function):
    try:
        function()
    except OSError as error:
        return type(error).__name__
    return "went through"
"""


class Programs(Test):
    per_interpreter = True

    @staticmethod
    def choose(found):
        """The distribution's interpreter, the oldest and the newest."""
        system = [one for one in found if one.path.startswith("/usr/bin/")]
        return list(dict.fromkeys([found[0], *system, found[-1]]))

    def outside(self):
        """A directory that no policy lets be written: the project itself may lie in a temporary one."""
        directory = tempfile.mkdtemp(prefix="warder-outside-", dir="/var/lib" if os.geteuid() == 0 else Path.home())
        self.addCleanup(shutil.rmtree, directory)
        return Path(directory)

    def prints(self, policy, code, *lines, **more):
        script = self.script(code)
        result = self.run_under(policy, [python(), script], **more)
        self.assertEqual((result.status, result.out), (0, "".join(f"{line}\n" for line in lines)), result)

    def under_each(self, code, *lines):
        for policy in FLOORED:
            with self.subTest(policy.stem):
                self.prints(policy, code, *lines)

    def has(self, module):
        if execute([python(), "-c", f"import {module}"]).status != 0:
            self.skipTest(f"{python()} has no {module}")


class UnderFloors(Programs):
    def test_threads_and_pools_of_threads_work_under_floors(self):
        self.under_each("""
import concurrent.futures, queue, threading
results = queue.Queue()
threads = [threading.Thread(target=results.put, args=(number,)) for number in range(50)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sum(results.get() for _ in threads))
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    print(sum(pool.map(lambda number: number * number, range(100))))
timer = threading.Timer(0.01, results.put, ["rang"])
timer.start()
print(results.get(timeout=60))
""", 1225, 328350, "rang")

    def test_asyncio_works_under_floors(self):
        self.under_each("""
import asyncio
async def answer(number):
    await asyncio.sleep(0.001)
    return number
async def main():
    print(sum(await asyncio.gather(*(answer(number) for number in range(100)))))
    loop = asyncio.get_running_loop()
    print(await loop.run_in_executor(None, sum, range(10)))
    print((await loop.getaddrinfo("localhost", 80, family=2))[0][4][0])
    lock, queue = asyncio.Lock(), asyncio.Queue()
    async with lock:
        await queue.put("put")
    print(await asyncio.wait_for(queue.get(), 10))
asyncio.run(main())
""", 4950, 45, "127.0.0.1", "put")

    def test_files_and_databases_work_under_floors_where_they_may_be_written(self):
        self.under_each("""
import os, pathlib, shutil, tempfile
try:
    import sqlite3
except PermissionError:  # untrusted code has none
    sqlite3 = None
places = [pathlib.Path(tempfile.mkdtemp())] + ([pathlib.Path("data")] if os.path.isdir("data") else [])
for place in places:
    if sqlite3:
        base = sqlite3.connect(str(place / "base.db"))
        with base:
            base.execute("CREATE TABLE t (a)")
            base.execute("INSERT INTO t VALUES (1)")
        base.close()
    else:
        (place / "base.db").touch()
    (place / "a").mkdir()
    (place / "a" / "file").write_text("x")
    os.chmod(place / "a" / "file", 0o600)
    os.utime(place / "a" / "file", (1, 1))
    os.replace(place / "a" / "file", place / "moved")
    os.symlink("moved", place / "link")
    os.truncate(place / "moved", 0)
    shutil.copytree(place / "a", place / "copy")
    print(sorted(path.name for path in place.iterdir()))
shutil.rmtree(places[0])
with open(os.devnull, "w") as null:
    null.write("x")
""", "['a', 'base.db', 'copy', 'link', 'moved']")

    def test_shelves_and_databases_by_uri_work_where_they_may_be_written(self):
        """From 3.13 on a shelf is SQLite's, by a URI; what a URI leads to elsewhere is denied."""
        self.has("sqlite3")
        for policy in NOTEBOOK, DATA_SCIENCE:
            with self.subTest(policy.stem):
                self.prints(policy, """
import os, shelve, sqlite3
with shelve.open(os.path.abspath("a shelf")) as shelf:
    shelf["key"] = [1, 2]
with shelve.open("a shelf") as shelf:
    print(shelf["key"])
sqlite3.connect("file:base.db?mode=rwc", uri=True).execute("CREATE TABLE IF NOT EXISTS t (a)")
sqlite3.connect("file::memory:?cache=shared", uri=True).execute("CREATE TABLE t (a)")
for elsewhere in "file:/var/lib/base.db", "file:///var/lib/b%61se.db?mode=rwc", "file:base.db?vfs=unix-dotfile":
    try:
        sqlite3.connect(elsewhere, uri=True)
    except PermissionError as error:
        print(type(error).__name__)
""", "[1, 2]", *["PolicyDenied"] * 3)

    def test_pools_of_threads_that_use_the_locks_of_multiprocessing_work(self):
        for policy in NOTEBOOK, DATA_SCIENCE, WEB_SERVICE:
            with self.subTest(policy.stem):
                self.prints(policy, """
import multiprocessing, multiprocessing.pool
with multiprocessing.pool.ThreadPool(2) as pool:
    print(pool.map(abs, [-1, -2]))
with multiprocessing.Lock():
    print("locked")
""", "[1, 2]", "locked")

    def test_cryptography_of_the_distribution_works(self):
        self.has("cryptography.fernet")
        for policy in NOTEBOOK, DATA_SCIENCE, WEB_SERVICE:
            with self.subTest(policy.stem):
                self.prints(policy, """
from cryptography.fernet import Fernet
safe = Fernet(Fernet.generate_key())
print(safe.decrypt(safe.encrypt(b"secret")))
""", "b'secret'")

    def test_asyncio_does_without_second_interpreters_where_they_are_denied(self):
        if python_version() < (3, 14):
            self.skipTest("no module of the standard library asks for _interpreters before 3.14")
        self.prints(UNTRUSTED, """
import asyncio, concurrent.futures
print(concurrent.futures._interpreters, asyncio.run(asyncio.to_thread(lambda: 7)))
try:
    import _interpreters
except ImportError as error:
    print(str(error).startswith('warder: import "_interpreters" denied by'), type(error.__cause__).__name__)
try:
    import _interpchannels
except PermissionError as error:
    print(type(error).__name__)
""", "None 7", "True PolicyDenied", "PolicyDenied")

    def test_what_floors_hold_is_held_where_no_event_tells(self):
        self.under_each(HELD + """
import multiprocessing.util
print(refused(lambda: multiprocessing.util.spawnv_passfds(b"/bin/true", [b"true"], ())))
""", "PolicyDenied")


class Tls(Programs):
    def certificate(self):
        """A key and a certificate of its own, for localhost."""
        result = execute(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                          "-keyout", self.directory / "key.pem", "-out", self.directory / "certificate.pem", "-days", "2",
                          "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        self.assertEqual(result.status, 0, result)

    CLIENT = """
import socket, ssl
context = ssl.create_default_context(cafile="certificate.pem")
with socket.create_connection(("127.0.0.1", PORT)) as plain, context.wrap_socket(plain, server_hostname="localhost") as tls:
    tls.sendall(b"asked\\n")
    print(tls.recv(100).decode().strip(), tls.version() in ("TLSv1.2", "TLSv1.3"))
"""
    SERVER = """
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("certificate.pem", "key.pem")
listening = socket.create_server(("127.0.0.1", PORT))
print(listening.getsockname()[1], flush=True)
plain, _ = listening.accept()
with context.wrap_socket(plain, server_side=True) as tls:
    tls.sendall(tls.recv(100).replace(b"asked", b"answered"))
"""

    def test_untrusted_code_speaks_tls_as_a_client(self):
        self.has("ssl")
        self.certificate()
        with interpreter_process([python(), "-c", self.SERVER.replace("PORT", "0")], cwd=self.directory) as server:
            port = server.stdout.readline().strip()
            self.prints(UNTRUSTED, self.CLIENT.replace("PORT", port), "answered True")

    def test_service_speaks_tls_on_its_port(self):
        self.has("ssl")
        self.certificate()
        policy, port = free_port(self, WEB_SERVICE)
        code = "import threading\n" + HELD + f"""
def serve():
{indented(self.SERVER.replace("PORT", str(port)).replace("print(listening.getsockname()[1], flush=True)", "ready.set()"))}
ready = threading.Event()
thread = threading.Thread(target=serve)
thread.start()
ready.wait(60)
""" + self.CLIENT.replace("PORT", str(port)) + "thread.join()\n"
        self.prints(policy, code, "answered True")


class Services(Programs):
    APPLICATION = """
import http.server, json, pathlib, socketserver, threading, urllib.request
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer({"notes": sorted(path.name for path in pathlib.Path("data").iterdir())})
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        (pathlib.Path("data") / self.path[1:]).write_bytes(body)
        self.answer({"kept": len(body)})
    def answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
def ask(path, data=None):
    with opener.open("http://127.0.0.1:PORT" + path, data=data) as answer:
        return json.load(answer)
print(ask("/first", b"some text"), ask("/"))
"""

    def test_service_serves_on_the_port_that_its_policy_allows_and_keeps_its_data(self):
        (self.directory / "data").mkdir()
        outside = self.outside() / "made-by-a-service"
        policy, port = free_port(self, WEB_SERVICE)
        self.prints(policy, (self.APPLICATION + HELD + """
import socket, sqlite3
print(refused(lambda: socket.socket().bind(("127.0.0.1", 0))))
try:
    sqlite3.connect(":memory:").execute("VACUUM INTO ?", (OUTSIDE,))
except sqlite3.Error:
    print("no database there")
server.shutdown()
server.server_close()
""").replace("PORT", str(port)).replace("OUTSIDE", repr(str(outside))), "{'kept': 9} {'notes': ['first']}", "PolicyDenied",
                    "no database there")
        self.assertFalse(outside.exists())

    def test_notebook_talks_to_its_front_end_on_this_machine(self):
        self.prints(NOTEBOOK, """
import socket, threading
offered = socket.create_server(("127.0.0.1", 0))
def front_end():
    with socket.create_connection(offered.getsockname()) as end:
        end.sendall(b"print(1 + 1)")
threading.Thread(target=front_end).start()
kernel, _ = offered.accept()
exec(kernel.recv(100))
""" + HELD + """
print(refused(lambda: socket.socket().bind(("0.0.0.0", 0))))
""", 2, "PolicyDenied")


class Numerical(Programs):
    @staticmethod
    def choose(found):
        """numpy is the distribution's."""
        return [one for one in found if one.path.startswith("/usr/bin/")]

    def test_numpy_and_ctypes_can_be_imported_under_each_policy_that_lets_packages_in(self):
        self.has("numpy")
        for name in "notebook", "web-service", "pip-install", "data-science":
            with self.subTest(name):
                result = self.run_under(name, [python(), "-c", "import ctypes, numpy; print(numpy.arange(3).sum())"])
                self.assertEqual((result.status, result.out), (0, "3\n"), result)

    def test_numpy_computes_and_keeps_arrays(self):
        self.has("numpy")
        self.prints(DATA_SCIENCE, """
import numpy
numbers = numpy.random.default_rng(1).normal(size=(200, 200))
print(bool(numpy.allclose(numbers @ numpy.linalg.inv(numbers), numpy.eye(200))))
print(numpy.fft.fft(numbers).shape, len(numpy.linalg.svd(numbers)[1]))
numpy.save("numbers.npy", numbers)
print(numpy.load("numbers.npy", mmap_mode="r").shape)
""", True, "(200, 200) 200", "(200, 200)")

    def test_native_code_that_the_policy_lets_in_starts_nothing_and_writes_nowhere_else(self):
        self.has("numpy")
        outside = self.outside() / "made-by-native-code"
        self.prints(DATA_SCIENCE, f"""
import ctypes, numpy, os
libc = ctypes.CDLL(None, use_errno=True)
print(libc.system(b"/bin/true") != 0)
print(libc.open({str(outside)!r}.encode(), os.O_CREAT | os.O_WRONLY, 0o600), libc.fork(), libc.socket(1, 1, 0))
""", True, "-1 -1 -1")
        self.assertFalse(outside.exists())


class Installing(Programs):
    def wheel(self):
        path = self.directory / "greeting-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr("greeting.py", 'def greet():\n    return "hello from a wheel"\n')
            wheel.writestr("greeting-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
            wheel.writestr("greeting-1.0.dist-info/WHEEL",
                           "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr("greeting-1.0.dist-info/RECORD",
                           "greeting.py,,\ngreeting-1.0.dist-info/METADATA,,\ngreeting-1.0.dist-info/WHEEL,,\n"
                           "greeting-1.0.dist-info/RECORD,,\n")
        return path

    def test_pip_installs_a_wheel_into_a_virtual_environment(self):
        self.has("pip")
        place = self.directory / "environment"
        # pip is the interpreter's: an environment with its own takes a minute to be made.
        made = execute([python(), "-m", "venv", "--without-pip", "--system-site-packages", place])
        self.assertEqual(made.status, 0, made)
        environment = clean_environment(HOME=self.directory, PIP_ROOT_USER_ACTION="ignore")
        result = self.run_under(PIP_INSTALL, [place / "bin" / "python", "-m", "pip", "install", "--no-index", "--no-deps",
                                              "--disable-pip-version-check", "--no-cache-dir", self.wheel()], env=environment)
        self.assertEqual(result.status, 0, result)
        greeted = self.run_under(UNTRUSTED, [place / "bin" / "python", "-c", "import greeting; print(greeting.greet())"])
        self.assertEqual(greeted.out, "hello from a wheel\n", greeted)


def indented(code):
    return "".join(f"    {line}\n" for line in code.splitlines())


def free_port(test, policy):
    """The policy for a port that nobody has at the moment, and that port."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    text = re.sub(r"(?m)^set ports = .*$", f"set ports = [{port}]", policy.read_text())
    return test.policy(text, policy.name), port
