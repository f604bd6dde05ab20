# Python code in a copy of the process that was made for a program
import os, subprocess, sys
m = sys.argv[1]
sys.audit = lambda *a: None
try: subprocess.Popen(["/nothing"], preexec_fn=lambda: open(m, "w").close()).wait()
except FileNotFoundError: pass
sys.exit(not os.path.exists(m))
