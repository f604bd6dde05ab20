# shared memory starts a process that watches over it; which program that is can be said
import multiprocessing, os, sys, time
import multiprocessing.resource_tracker
m = sys.argv[1]
with open("mine", "w") as f: f.write("#!/bin/sh\n/bin/touch %s\n" % m)
os.chmod("mine", 0o755); multiprocessing.set_executable(os.path.abspath("mine"))
multiprocessing.resource_tracker.ensure_running()
for i in range(100):
    if os.path.exists(m): break
    time.sleep(.02)
sys.exit(not os.path.exists(m))
