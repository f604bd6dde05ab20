# modules that ask a program for what they want to know, found along PATH
import os, sys
m = sys.argv[1]
for name in "gcc", "cc", "objdump", "ld", "ldconfig", "ifconfig", "ip", "arp", "lanscan", "file", "uname", "clear":
    with open(name, "w") as f: f.write("#!/bin/sh\n/bin/touch %s\n" % m)
    os.chmod(name, 0o755)
os.environ["PATH"] = os.getcwd() + ":" + os.environ["PATH"]
def library():
    import ctypes.util
    ctypes.util.find_library("nothing-of-that-name")
def machine():
    import platform
    platform.architecture()
def hardware():
    import uuid
    uuid._ifconfig_getter()
for ask in library, machine, hardware:
    try: ask()
    except PermissionError as e: print("denied:", e)
    except Exception as e: print(type(e).__name__, e)
sys.exit(not os.path.exists(m))
