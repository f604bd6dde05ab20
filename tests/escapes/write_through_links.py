# the way to a file, by links: a link in its place, a link on the way, a chain of both
import os, sys
m = sys.argv[1]; directory, name = os.path.split(m)
os.symlink(m, "file"); os.symlink(directory, "place"); os.symlink("place/" + name, "chain"); os.symlink("/", "root"); os.symlink("/proc/self/cwd", "here")
for path in "file", "place/" + name, "chain", "root" + m, "./here/place/./" + name, "place/../" + os.path.basename(directory) + "/" + name, "/proc/self/cwd/file", "/tmp/.." + m:
    for way in lambda: open(path, "w").close(), lambda: os.close(os.open(path, os.O_CREAT | os.O_RDWR)), lambda: os.mkdir(path), lambda: os.rename("here", path):
        try: way()
        except OSError as e: last = e
print("denied:", last)
sys.exit(not os.path.lexists(m))
