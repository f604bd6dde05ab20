# the class of denials, found by the collector in the interpreter's own dict, replaced by one whose metaclass acts
# makes: sign
import gc, os, sys
m = sys.argv[1]; inside = []
try:
    sys.audit("subprocess.Popen", "/bin/x", ["/bin/x"], None, None); denial = OSError
except PermissionError as e: denial = type(e)
class Meta(type):
    def __call__(cls, *a): inside.append(a); raise KeyError("no denial any more")
class Other(PermissionError, metaclass=Meta): pass
for d in [d for d in gc.get_objects() if type(d) is dict and d is not globals()]:
    for key in [key for key, value in d.items() if value is denial and "warder" in str(key)]: d[key] = Other
if denial is OSError:  # without Warder nobody denies, and the class is called by hand
    try: Other("subprocess.Popen")
    except KeyError: pass
try: sys.audit("subprocess.Popen", "/bin/x", ["/bin/x"], None, None)
except BaseException as e: print("denied:", type(e).__name__, e)
if inside: open(m, "w").close()
sys.exit(not os.path.exists(m))
