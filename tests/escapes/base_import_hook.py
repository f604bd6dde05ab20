# while importing: a finder, a loader, a hook of paths
import importlib.util, os, sys
m = sys.argv[1]
def start(*arguments):
    try: os.system("/bin/touch " + m)
    except PermissionError as e: print("denied:", e)
class Finder:
    def find_spec(self, name, path, target=None): start(); return importlib.util.spec_from_loader(name, self)
    def create_module(self, spec): start()
    def exec_module(self, module): start()
sys.meta_path.insert(0, Finder())
import nothing_of_that_name
sys.exit(not os.path.exists(m))
