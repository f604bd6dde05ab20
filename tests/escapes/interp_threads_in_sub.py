# a thread of a second interpreter, and what that one leaves for its end
import os, sys
m = sys.argv[1]
code = """
import atexit, os, threading
def start():
    try: os.system('/bin/touch %s')
    except PermissionError as e: print('denied:', e)
atexit.register(start)
try: thread = threading.Thread(target=start); thread.start(); thread.join()
except RuntimeError as e: print(e)
""" % m
try: import _interpreters as i
except ImportError: import _xxsubinterpreters as i
try: number = i.create(); i.run_string(number, code); i.destroy(number)
except Exception as e: print(type(e).__name__, e)
sys.exit(not os.path.exists(m))
