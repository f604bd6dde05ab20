import os, sys
m = sys.argv[1]
for start in (lambda: os.spawnv(os.P_WAIT, "/bin/touch", ["touch", m]),
              lambda: os.spawnlp(os.P_WAIT, "touch", "touch", m),
              lambda: os.posix_spawnp("touch", ["touch", m], os.environ),
              lambda: os.popen("/bin/touch " + m).close()):
    try: start()
    except PermissionError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
