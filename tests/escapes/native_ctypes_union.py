# ctypes without its events: a union of a number and a pointer reads and writes any address
# makes: sign
import os, sys
m = sys.argv[1]
try:
    import _ctypes
    class Number(_ctypes._SimpleCData): _type_ = "L"
    class Byte(_ctypes._SimpleCData): _type_ = "B"
    class Pointer(_ctypes._Pointer): _type_ = Byte
    class Both(_ctypes.Union): _fields_ = [("number", Number), ("pointer", Pointer)]
    text = b"any address"
    both = Both()
    both.number = id(text) + bytes.__basicsize__ - 1
    if both.pointer[0] == text[0]: open(m, "w").close()
except PermissionError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
