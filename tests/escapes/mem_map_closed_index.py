# a map that is closed while it is asked for an index: CPython before 3.11.4 reads, and writes, at that number as an address
import mmap, os, sys
m = sys.argv[1]; base = 0x400000  # where a program that is not position independent lies
class Closes:
    def __index__(self): kept.close(); return base
kept = mmap.mmap(-1, 8 << 20)
try:
    if kept[Closes()] == 0x7f: open(m, "w").close()
except ValueError as e: print("mended:", e)
sys.exit(not os.path.exists(m))
