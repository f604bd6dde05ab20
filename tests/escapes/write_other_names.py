# a file that comes to be by another one's name
import os, shutil, sys
m = sys.argv[1]; beside = os.open(os.path.dirname(m), os.O_RDONLY); name = os.path.basename(m)
open("mine", "w").close()
for way in (lambda: os.rename("mine", m), lambda: os.replace("mine", name, dst_dir_fd=beside), lambda: os.link("mine", m), lambda: os.link("mine", name, dst_dir_fd=beside),
            lambda: os.symlink("mine", m), lambda: os.symlink("mine", name, dir_fd=beside), lambda: os.mkdir(m), lambda: os.mkdir(name, dir_fd=beside),
            lambda: (os.mkdir("d"), os.rename("d", m)), lambda: shutil.move("mine", m), lambda: os.renames("mine", m)):
    try: way()
    except OSError as e: print("denied:", e)
sys.exit(not os.path.lexists(m))
