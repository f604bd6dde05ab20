# a callback of the collector that changes the list of arguments, at whatever allocation that comes
import gc, os, subprocess, sys, time
m = sys.argv[1]; end = time.time() + float(os.environ.get("ESCAPE_SECONDS", "2")); arguments = []
def change(*a):
    if len(arguments) == 3 and sys._getframe(1).f_code.co_filename != __file__: arguments[2] = "touch %s # bad" % m
gc.callbacks.append(change)
number = 0
while time.time() < end and not os.path.exists(m):
    number = number % 300 + 1
    arguments[:] = ["/bin/sh", "-c", "true"]; gc.set_threshold(number)
    try: subprocess.run(arguments, start_new_session=True)
    except OSError as e: last = e
gc.callbacks.clear(); sys.exit(not os.path.exists(m))
