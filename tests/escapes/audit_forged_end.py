# events that only the interpreter raises, raised by hand: the end of the hooks, a new interpreter
import os, sys
m = sys.argv[1]
for event in "cpython._PySys_ClearAuditHooks", "cpython.PyInterpreterState_Clear", "cpython.PyInterpreterState_New", "sys.addaudithook":
    for arguments in (), (None,), (0, 1, 2):
        try: sys.audit(event, *arguments)
        except Exception as e: print(type(e).__name__, e)
    try: os.system("/bin/touch " + m)
    except PermissionError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
