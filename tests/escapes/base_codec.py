# while bytes are decoded: a way to decode of one's own, a handler of errors
import codecs, os, sys
m = sys.argv[1]
def start(*arguments):
    try: os.system("/bin/touch " + m)
    except PermissionError as e: print("denied:", e)
def search(name): start(); return None
codecs.register(search)
codecs.register_error("starting", lambda error: (start() or "?", error.end))
b"\xff".decode("ascii", "starting")
try: b"x".decode("nothing-of-that-name")
except LookupError: pass
sys.exit(not os.path.exists(m))
