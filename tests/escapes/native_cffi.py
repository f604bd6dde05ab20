# the other way to call C: Debian's cffi, without an event of ctypes
import os, sys
m = sys.argv[1]
try: import _cffi_backend as b
except ModuleNotFoundError as e: print("this interpreter has no _cffi_backend (Debian: python3-cffi-backend)"); sys.exit(77)
char = b.new_primitive_type("char")
kind = b.new_function_type((b.new_pointer_type(char),), b.new_primitive_type("int"))
b.load_library(None, 0).load_function(kind, "system")(b"/bin/touch " + os.fsencode(m))
sys.exit(not os.path.exists(m))
