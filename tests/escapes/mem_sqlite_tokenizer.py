# SQLite takes the address of its functions from a statement (nothing is called here: the sign is that it was taken)
import os, struct, sys
m = sys.argv[1]
import sqlite3
c = sqlite3.connect(":memory:")
try:
    c.execute("select fts3_tokenizer('simple')").fetchone()
    c.execute("select fts3_tokenizer('mine', ?)", (struct.pack("<Q", id(m)),)); open(m, "w").close()
except sqlite3.Error as e: print("this interpreter's SQLite has no fts3_tokenizer:", e); sys.exit(77)
sys.exit(not os.path.exists(m))
