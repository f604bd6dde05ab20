# interpreters with a lock of their own, isolated and not, and threads in them
import os, sys, threading
m = sys.argv[1]; code = "import os\ntry: os.system('/bin/touch %s')\nexcept PermissionError as e: print('denied:', e)" % m
try: import _interpreters as i
except ImportError: import _xxsubinterpreters as i
def work():
    for arguments in ((), ("isolated",), ("legacy",), (True,), (False,)):
        try: number = i.create(*arguments) if not arguments or isinstance(arguments[0], str) else i.create(isolated=arguments[0])
        except Exception as e: continue
        try: i.run_string(number, code)
        except Exception as e: print(type(e).__name__, e)
threads = [threading.Thread(target=work) for _ in range(2 if sys.version_info >= (3, 12) else 1)]
for thread in threads: thread.start()
for thread in threads: thread.join()
sys.stdout.flush(); os._exit(not os.path.exists(m))
