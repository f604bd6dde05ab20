# for hooks that keep themselves from being entered again and make text of arguments: act from inside __str__
import sys, os
m = sys.argv[1]
class S(str):
    def __str__(self):
        try: os.system("/bin/touch " + m)
        except PermissionError as e: print("denied:", e)
        return "x"
try: sys.audit("subprocess.Popen", S("x"), [], None, None)
except PermissionError as e: print("denied:", e)
print(S("x"))  # without a hook nobody else asks
sys.exit(not os.path.exists(m))
