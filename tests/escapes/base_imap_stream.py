import imaplib, os, sys
m = sys.argv[1]
try: imaplib.IMAP4_stream("/bin/touch " + m)
except PermissionError as e: print("denied:", e)
except imaplib.IMAP4.error: pass
sys.exit(not os.path.exists(m))
