# system calls by number, past every function of libc that has a name
import os, sys
m = sys.argv[1]
import ctypes
numbers = {"x86_64": (57, 59), "aarch64": (None, 221)}.get(os.uname().machine)
if not numbers or not numbers[0]: print("no numbers of system calls for", os.uname().machine); sys.exit(77)
libc = ctypes.CDLL(None)
arguments = (ctypes.c_char_p * 3)(b"touch", os.fsencode(m), None)
child = libc.syscall(numbers[0])
if child == 0: libc.syscall(numbers[1], b"/bin/touch", arguments, None); os._exit(1)
if child > 0: os.waitpid(child, 0)
sys.exit(not os.path.exists(m))
