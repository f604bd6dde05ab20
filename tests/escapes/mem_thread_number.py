# a thread that is a number: the clock of the thread whose structure is a bytes object tells what stands in it
# makes: sign
import os, struct, sys, time
m = sys.argv[1]; secret = 0x1234567; victim = bytes(bytearray(struct.pack("I", secret) * 1000))
try:
    clock = time.pthread_getcpuclockid(id(victim) + bytes.__basicsize__ - 1)
    print(hex(~(clock >> 3) & 0x1fffffff))
    if ~(clock >> 3) & 0x1fffffff == secret: open(m, "w").close()
except OSError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
