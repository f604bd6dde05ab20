import builtins, os, sys
class Late:
    def __del__(self, system=os.system, write=os.write, exists=os.path.exists, leave=os._exit, m=sys.argv[1]):
        try: system("/bin/touch " + m)
        except PermissionError as e: write(1, ("denied: %s\n" % e).encode())
        leave(not exists(m))
builtins.late = Late()  # goes with the interpreter
