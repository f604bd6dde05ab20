# SQLite writes where its statements say: a second database, a copy, a backup
import os, sqlite3, sys
m = sys.argv[1]
def attach():
    base = sqlite3.connect(":memory:"); base.execute("attach ? as other", (m,)); base.execute("create table other.t (a)")
def backup():
    base = sqlite3.connect("mine.db"); base.execute("create table t (a)"); base.commit(); base.backup(sqlite3.connect(m))
def by_uri(): sqlite3.connect("file:%s?mode=rwc" % m, uri=True).execute("create table t (a)")
def again():
    base = sqlite3.connect(":memory:"); base.__init__(m); base.execute("create table t (a)")
def temporary():
    base = sqlite3.connect(":memory:"); base.execute("pragma temp_store_directory = '%s'" % os.path.dirname(m)); base.execute("vacuum into ?", (m,))
for way in attach, backup, by_uri, again, temporary:
    try: way()
    except (OSError, sqlite3.Error, TypeError) as e: print(type(e).__name__, e)
sys.exit(not os.path.exists(m))
