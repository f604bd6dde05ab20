# the loader expands $LIB in the name of a module, the kernel does not: to the policy it is a link to the interpreter's own
# makes: sign
import _imp, os, shutil, sys
from importlib.machinery import ExtensionFileLoader, ModuleSpec
m = sys.argv[1]; d = m + ".d"; own = os.path.join(os.path.dirname(os.__file__), "lib-dynload")
module = next(name for name in sorted(os.listdir(own)) if name.startswith("_json"))
for lib in "lib", "lib64", "lib/%s-linux-gnu" % os.uname().machine:
    os.makedirs(os.path.join(d, lib), exist_ok=True); shutil.copyfile(os.path.join(own, module), os.path.join(d, lib, "mine.so"))
os.symlink(own, d + "/$LIB"); path = d + "/$LIB/mine.so"
try: _imp.create_dynamic(ModuleSpec("_json", ExtensionFileLoader("_json", path), origin=path)); open(m, "w").close()
except (ImportError, PermissionError) as e: print("denied:", e)
shutil.rmtree(d); sys.exit(not os.path.exists(m))
