# the loader expands $ORIGIN in a name, the kernel does not
# makes: sign
import _imp, os, shutil, sys
from importlib.machinery import ExtensionFileLoader, ModuleSpec
m = sys.argv[1]; own = os.path.join(os.path.dirname(os.__file__), "lib-dynload")
module = next(name for name in sorted(os.listdir(own)) if name.startswith("_json"))
shutil.copyfile(os.path.join(own, module), "mine.so")
up = "/.." * 20 + os.getcwd()
os.makedirs("$ORIGIN" + os.path.dirname(up.replace("/..", "") or "/"), exist_ok=True)
for name in "$ORIGIN" + up + "/mine.so", "${ORIGIN}" + up + "/mine.so":
    try: _imp.create_dynamic(ModuleSpec("_json", ExtensionFileLoader("_json", name), origin=name)); open(m, "w").close()
    except (ImportError, OSError) as e: print("denied:", e)
sys.exit(not os.path.exists(m))
