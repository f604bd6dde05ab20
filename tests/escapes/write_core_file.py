# the kernel writes a core file to whatever directory a process ends in
import os, resource, sys
m = sys.argv[1]; highest = resource.getrlimit(resource.RLIMIT_CORE)[1]
with open("/proc/sys/kernel/core_pattern") as f: pattern = f.read().strip()
if highest == 0 or pattern[:1] in ("|", "/", "@"):
    print("core files do not go to the directory that a process ends in"); sys.exit(77)
try: resource.setrlimit(resource.RLIMIT_CORE, (highest, highest))
except OSError as e: print("denied:", e)
os.chdir(os.path.dirname(m)); sys.stdout.flush()
os.abort()
