# OpenSSL's settings, by the names as bytes, and hashlib as the one who reads them
import os, sys
m = sys.argv[1]; c = os.path.abspath("mine.cnf")
with open(c, "w") as f: f.write("openssl_conf = a\n[a]\nproviders = b\n[b]\nevil = c\n[c]\nmodule = %s\nactivate = 1\n" % os.environ["EVIL_SO"])
for name, value in (b"EVIL_MARKER", os.fsencode(m)), (b"OPENSSL_CONF", os.fsencode(c)):
    try: os.putenv(name, value)
    except PermissionError as e: print("denied:", e)
    try: os.environb[name] = value
    except PermissionError as e: print("denied:", e)
try: import _hashlib; _hashlib.new("sha256"); _hashlib.openssl_md5()
except Exception as e: print(type(e).__name__, e)
sys.exit(not os.path.exists(m))
