# libc by way of Python's own library, by address, as a prototype, and as a callback
import os, sys
m = sys.argv[1]
import ctypes
command = b"/bin/touch " + os.fsencode(m)
for way in (lambda: ctypes.pythonapi.system(command), lambda: ctypes.PyDLL(None).system(command),
            lambda: ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p)(("system", ctypes.CDLL(None)))(command),
            lambda: ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p)(ctypes.cast(ctypes.CDLL("libc.so.6").system, ctypes.c_void_p).value)(command)):
    try: way()
    except PermissionError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
