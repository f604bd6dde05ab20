# an extension module of the interpreter's own, by another name
# makes: sign
import importlib.machinery, importlib.util, os, sys
m = sys.argv[1]
try:
    path = importlib.util.find_spec("_ctypes").origin
    os.symlink(path, "harmless.so")
    for name, at in ("a._ctypes", path), ("_ctypes", os.path.abspath("harmless.so")):
        spec = importlib.machinery.ModuleSpec(name, importlib.machinery.ExtensionFileLoader(name, at), origin=at)
        if hasattr(importlib.util.module_from_spec(spec), "dlopen"): open(m, "w").close()
except PermissionError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
