# data that acts when it is read: a pickle, settings of logging, a marshalled function
import logging.config, marshal, os, pickle, sys, types
m = sys.argv[1]
class Reduced:
    def __reduce__(self): return os.system, ("/bin/touch " + m,)
def start(): import os, sys; os.system("/bin/touch " + sys.argv[1])
for way in (lambda: pickle.loads(pickle.dumps(Reduced())),
            lambda: logging.config.dictConfig({"version": 1, "handlers": {"h": {"()": "os.system", "command": "/bin/touch " + m}}, "root": {"handlers": ["h"]}}),
            lambda: types.FunctionType(marshal.loads(marshal.dumps(start.__code__)), {"__builtins__": __builtins__})()):
    try: way()
    except PermissionError as e: print("denied:", e)
    except (TypeError, ValueError) as e: print(type(e).__name__, e)
sys.exit(not os.path.exists(m))
