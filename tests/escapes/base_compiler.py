# what builds extensions starts compilers
import os, sys, warnings
warnings.simplefilter("ignore")
m = sys.argv[1]
try: from distutils.spawn import spawn
except ImportError:
    try: from setuptools._distutils.spawn import spawn
    except ImportError: print("this interpreter has neither distutils nor setuptools"); sys.exit(77)
try: spawn(["/bin/touch", m])
except PermissionError as e: print("denied:", e)
except Exception as e: print(type(e).__name__, e)
sys.exit(not os.path.exists(m))
