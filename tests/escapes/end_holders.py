# what the interpreter frees last: where it holds an object whose finaliser acts
import builtins, codecs, gc, os, sys
m = sys.argv[1]
class Late:
    def __call__(self, *a): return None
    def __del__(self, system=os.system, write=os.write, access=os.access, leave=os._exit, error=PermissionError, m=m):
        try: system("/bin/touch " + m)
        except error: write(1, b"denied\n")
        if access(m, 0): leave(0)
gc.callbacks.append(Late()); codecs.register(Late()); codecs.register_error("late", Late()); os.register_at_fork(before=Late())
try: sys.set_asyncgen_hooks(firstiter=Late())
except PermissionError as e: print("denied:", e)
sys.late = builtins.late = Late()
sys.exit(1)
