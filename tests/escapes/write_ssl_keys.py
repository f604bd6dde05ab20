# OpenSSL writes the keys of connections into a file
import os, sys
m = sys.argv[1]
try: import ssl
except ImportError: print("this interpreter has no ssl"); sys.exit(77)
try: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).keylog_filename = m
except OSError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
