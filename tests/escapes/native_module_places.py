# an extension module: copied to where one works, in memory, by a link, from a path that changes, in a subclass of str
import _imp, os, shutil, sys
from importlib.machinery import ExtensionFileLoader, ModuleSpec
m = sys.argv[1]; os.environ["EVIL_MARKER"] = m; evil = os.environ["EVIL_SO"]
class Changing(str):
    def __str__(self): return os.__file__
shutil.copy(evil, "evil.so"); os.symlink(evil, "link.so"); paths = ["./evil.so", os.path.abspath("link.so"), Changing(evil), "/proc/self/root" + evil]
try:
    memory = os.memfd_create("module", 0)
    with open(evil, "rb") as f: os.write(memory, f.read())
    paths += ["/proc/self/fd/%d" % memory, "/dev/fd/%d" % memory]
except OSError as e: print("denied:", e)
for path in paths:
    try: _imp.create_dynamic(ModuleSpec("evil", ExtensionFileLoader("evil", path), origin=path))
    except Exception as e: print(type(e).__name__, e)
sys.exit(not os.path.exists(m))
