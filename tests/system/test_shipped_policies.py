"""The shipped policy `untrusted`: ordinary programs work under it, and what it names is denied."""

from support import UNTRUSTED, Test

# The standard library, as far as programs are made of it. ctypes and tkinter are not among them: they are
# ways to memory and to programs, which `untrusted` denies.
IMPORTS = """
import importlib, sys
failed = []
for name in '''abc argparse array ast asyncio base64 bisect bz2 calendar cmath codecs collections
        concurrent.futures configparser contextlib copy csv dataclasses datetime decimal difflib dis doctest
        email.message enum fractions functools getpass glob gzip hashlib heapq hmac html.parser http.client
        http.cookies http.server imaplib inspect io ipaddress itertools json locale logging logging.handlers lzma
        mailbox math mimetypes multiprocessing numbers operator optparse pathlib pdb pickle pkgutil platform
        plistlib pprint queue random re reprlib sched secrets select selectors shelve shlex shutil signal smtplib
        socket socketserver ssl statistics string struct subprocess sysconfig tarfile tempfile textwrap
        threading time timeit token tokenize traceback types typing unicodedata unittest unittest.mock
        urllib.parse urllib.request uuid venv warnings weakref xml.dom.minidom xml.etree.ElementTree
        xmlrpc.client zipfile zlib'''.split():
    try:
        importlib.import_module(name)
    except PermissionError as error:
        failed.append((name, str(error)))
    except ImportError as error:
        print("not in this interpreter:", name, error, file=sys.stderr)
print(failed)
"""

WORKS = """
import asyncio, collections, typing, dataclasses, json, logging, os, pathlib, tempfile, threading, unittest

@dataclasses.dataclass
class Point:
    x: int = 0
class Named(typing.NamedTuple):
    a: int = 0
Pair = collections.namedtuple("Pair", "a b", defaults=(1,))
async def main():
    await asyncio.gather(*(asyncio.sleep(0) for _ in range(3)))
asyncio.run(main())
thread = threading.Thread(target=print, args=("thread",))
thread.start()
thread.join()
pathlib.Path("made").mkdir()
(pathlib.Path("made") / "a.json").write_text(json.dumps(dataclasses.asdict(Point(2))))
with tempfile.NamedTemporaryFile() as file:
    file.write(b"x")
with open(os.devnull, "w") as null:
    print("x", file=null)
os.replace("made/a.json", "made/b.json")
with tempfile.TemporaryDirectory() as directory:
    os.makedirs(os.path.join(directory, "a", "b", "c"))
    open(os.path.join(directory, "a", "b", "file"), "w").close()
assert not os.path.exists(directory)
os.close(os.open("made/relative", os.O_RDWR | os.O_CREAT))
os.kill(os.getpid(), 0)
class Case(unittest.TestCase):
    def test(self):
        self.assertEqual(Pair(0), (0, 1))
unittest.main(argv=["x"], exit=False, verbosity=0)
print("worked")
"""

DENIED = """
import fcntl, importlib.machinery, importlib.util, os, socket, struct, sys, termios, warder

def load(name, module):
    # A module of the interpreter's own, under another name.
    return load_file(name, importlib.util.find_spec(module).origin)

def load_file(name, path):
    spec = importlib.machinery.ModuleSpec(name, importlib.machinery.ExtensionFileLoader(name, path), origin=path)
    return importlib.util.module_from_spec(spec)

def denied(what, function):
    try:
        function()
    except warder.PolicyDenied as error:
        print(what, error.rule)
    except OSError as error:
        print(what, type(error).__name__, error)
    else:
        print(what, "went through")

denied("exec", lambda: os.system("true"))
denied("fork", os.fork)
denied("signal", lambda: os.kill(1, 0))
denied("owner", lambda: fcntl.fcntl(0, fcntl.F_SETOWN, 1))
denied("owner", lambda: fcntl.ioctl(0, 0x8901, struct.pack("i", 1)))
denied("typing", lambda: fcntl.ioctl(0, termios.TIOCSTI, b"x"))
denied("native", lambda: __import__("ctypes"))
denied("native", lambda: __import__("_ctypes"))
denied("native", lambda: load("a._ctypes", "_ctypes"))
os.symlink(importlib.util.find_spec("_ctypes").origin, "_harmless.so")
denied("native", lambda: __import__("_harmless"))
package = next(path for path in sys.path if path.endswith("-packages"))
denied("native", lambda: load_file("_cffi_backend", os.path.join(package, "_cffi_backend.so")))
denied("environ", lambda: os.environ.__setitem__("GCONV_PATH", "."))
denied("environ", lambda: os.environ.__setitem__("OPENSSL_CONF", "x"))
denied("write", lambda: open("/var/lib/warder-test", "w"))
denied("memory", lambda: open("/proc/self/mem", "rb"))
denied("maps", lambda: open("/proc/self/maps"))
denied("maps", lambda: open("/proc/thread-self/smaps"))
denied("task memory", lambda: open("/proc/%d/task/%d/mem" % (os.getpid(), os.getpid()), "r+b"))
os.chdir("/proc/self")
denied("memory, relative", lambda: os.open("mem", os.O_RDONLY))
os.chdir("/")
beside = os.open("/proc/self", os.O_RDONLY)
denied("memory, beside", lambda: os.open("mem", os.O_RDONLY, dir_fd=beside))
denied("bind", lambda: socket.socket().bind(("127.0.0.1", 0)))
denied("unix", lambda: socket.socketpair()[0].connect("/run/dbus/system_bus_socket"))
denied("unix", lambda: socket.socket(socket.AF_UNIX))
"""


class Untrusted(Test):
    per_interpreter = True

    def test_untrusted_code_imports_the_standard_library(self):
        result = self.python_under(UNTRUSTED, IMPORTS)
        self.assertEqual((result.status, result.out), (0, "[]\n"), result)

    def test_untrusted_code_works_in_its_directory(self):
        result = self.python_under(UNTRUSTED, WORKS)
        self.assertEqual((result.status, result.out), (0, "thread\nworked\n"), result)

    def test_untrusted_code_is_denied_what_the_policy_names(self):
        result = self.python_under(UNTRUSTED, DENIED)
        self.assertEqual(result.out.splitlines(),
                         ["exec no-exec", "fork no-fork", "signal no-signals",
                          "owner no-signals-by-descriptor", "owner no-signals-by-descriptor", "typing no-typing",
                          "native no-powerful-imports", "native no-powerful-imports", "native no-powerful-modules",
                          "native no-powerful-modules", "native default-native", "environ no-library-paths", "environ no-library-paths",
                          "write default-write", "memory no-memory", "maps no-memory", "maps no-memory", "task memory no-memory",
                          "memory, relative no-memory", "memory, beside no-memory", "bind no-bind", "unix no-unix-sockets",
                          # That one the kernel refuses to make: no event asks.
                          "unix PermissionError [Errno 13] Permission denied"], result)
