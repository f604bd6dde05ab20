# CPython's own test modules reach into everything
# makes: sign
import os, sys
m = sys.argv[1]
try:
    import _testcapi, _testinternalcapi
except ModuleNotFoundError: print("this interpreter comes without its test modules"); sys.exit(77)
if hasattr(_testcapi, "run_in_subinterp"): open(m, "w").close()
sys.exit(not os.path.exists(m))
