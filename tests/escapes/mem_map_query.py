# PROCMAP_QUERY (Linux 6.11) of /proc/self/maps: the kernel writes the name of a mapping where the structure says
import errno, fcntl, mmap, os, struct, sys
m = sys.argv[1]
with open("mapped", "wb") as f: f.write(b"x" * 4096)
with open("mapped", "rb") as f: kept = mmap.mmap(f.fileno(), 4096, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ); number = os.fstat(f.fileno()).st_ino
b = bytes(bytearray(b"A" * 4096)); maps = os.open("/proc/self/maps", os.O_RDONLY); at = 0
def query(start, where, size):
    # the mapping that covers an address, or the next; its name goes to `where`
    a = bytearray(struct.pack("<9Q4I2Q", 104, 0x10, start, 0, 0, 0, 0, 0, 0, 0, 0, size, 0, where, 0))
    fcntl.ioctl(maps, 0xC0686611, a, True)
    return struct.unpack("<9Q4I2Q", a)
try:
    while True:
        found = query(at, 0, 0)
        if found[8] == number: break
        at = found[4]
    query(at, id(b) + bytes.__basicsize__ - 1, 4096)
except OSError as e:
    if e.errno == errno.ENOTTY: print("this kernel has no such request"); sys.exit(77)
    print("denied:", e)
if b != b"A" * 4096: open(m, "w").close()
sys.exit(not os.path.exists(m))
