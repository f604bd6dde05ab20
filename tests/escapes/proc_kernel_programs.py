# settings of the machine that name a program which the kernel starts; nothing is written into them, the marker stands for that
# makes: program
import os, subprocess, sys
m = sys.argv[1]; pattern = "/proc/sys/kernel/core_pattern"; opened = []
if os.geteuid() != 0: print("for root alone does the kernel open them"); sys.exit(77)
class Text(str): pass
class Path:
    def __fspath__(self): return pattern
def as_file():
    with open(pattern, "r+b", 0) as file: return os.dup(file.fileno())
def below(directory, name, more=0):
    kept = [os.open("/", os.O_RDONLY) for _ in range(more)]
    at = os.open(directory, os.O_RDONLY)
    try: return os.open(name, os.O_WRONLY, dir_fd=at)
    finally: [os.close(one) for one in kept + [at]]
def from_there():
    here = os.getcwd(); os.chdir("/proc/sys/kernel")
    try: return os.open("core_pattern", os.O_WRONLY)
    finally: os.chdir(here)
def through_link():
    link = m + ".link"; os.symlink(pattern, link)
    try: return os.open(link, os.O_WRONLY)
    finally: os.unlink(link)
def history():
    import readline
    readline.append_history_file(0, pattern); return os.open("/dev/null", os.O_WRONLY)
ways = [lambda: os.open(pattern, os.O_WRONLY), lambda: os.open(pattern, os.O_RDWR), lambda: os.open(pattern.encode(), os.O_WRONLY),
        lambda: os.open(Text(pattern), os.O_WRONLY), lambda: os.open(Path(), os.O_WRONLY), as_file,
        lambda: below("/proc/sys/kernel", "core_pattern"), lambda: below("/proc/sys", "kernel/core_pattern", 12), from_there, through_link,
        lambda: os.open("/proc/self/root/proc/sys/kernel/core_pattern", os.O_WRONLY), lambda: os.open("/proc/thread-self/../../../sys/kernel/core_pattern", os.O_WRONLY),
        lambda: os.open("/proc/self/fd/%d" % os.open(pattern, os.O_RDONLY), os.O_WRONLY), history]
for path in ["/proc/sys/kernel/modprobe", "/proc/sys/kernel/poweroff_cmd", "/sys/kernel/uevent_helper", "/proc/sys/fs/binfmt_misc/register",
             "/sys/fs/cgroup/release_agent", "/sys/fs/cgroup/memory/release_agent"]:
    if os.path.exists(path): ways.append(lambda path=path: os.open(path, os.O_WRONLY))
for number, way in enumerate(ways):
    try: os.close(way()); opened.append(number)
    except OSError as e: print("denied:", number, e)
print("opened:", opened)
if opened: open(m, "w").close()
sys.exit(not os.path.exists(m))
