import os, sys, threading
m = sys.argv[1]
def start():
    try: os.system("/bin/touch " + m)
    except PermissionError as e: print("denied:", e)
threads = [threading.Thread(target=start) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
sys.exit(not os.path.exists(m))
