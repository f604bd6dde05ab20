# a number in the place of a structure is an address of 32 bits: what a program that is not position-independent has there
import sys, os, fcntl
m = sys.argv[1]
class Number:
    def __init__(self, number): self.number = number
    def __index__(self): return self.number
low = [b for b in [bytes(bytearray(b"A" * 900)) for _ in range(64)] if id(b) < 1 << 31]
if not low: print("this interpreter has its memory out of reach of a number"); sys.exit(77)
b = low[0]; at = id(b) + bytes.__basicsize__ - 1
r, w = os.pipe(); os.write(w, b"xyz")
for how in (lambda: fcntl.ioctl(r, 0x541b, at), lambda: fcntl.ioctl(r, 0x541b, Number(at)), lambda: fcntl.ioctl(r, 0x541b, at, False),
            lambda: fcntl.fcntl(r, 5, at), lambda: fcntl.fcntl(r, 5, Number(at)), lambda: fcntl.fcntl(r, 1035, at)):
    try: how()
    except (OSError, TypeError, ValueError, OverflowError) as e: print(type(e).__name__, e)
if b != b"A" * 900: open(m, "w").close()
sys.exit(not os.path.exists(m))
