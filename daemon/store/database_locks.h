/* What other processes' locks on the databases can do: nothing that stops the daemon from writing.
 *
 * SQLite locks bytes of its files, and the kernel lets any process that can read a file take a
 * shared lock of it. A program under policy that can read the record could so keep its own denials
 * out of it. The daemon's process is the only one that writes these files (state_lock.h), so it
 * needs no other's leave for that: a shared lock where SQLite itself takes exclusive ones alone is
 * passed over, and so are those on the marks of readers when no mark is left. Readers in other
 * processes go on as SQLite has it, and hold up what they need to: a checkpoint waits for them, and
 * the -wal file grows meanwhile.
 * Exclusive locks, which only who can write the file gets, are waited for. Between the connections
 * of this process nothing changes. */
#ifndef WARDER_DAEMON_STORE_DATABASE_LOCKS_H
#define WARDER_DAEMON_STORE_DATABASE_LOCKS_H

/* The name of the VFS that opens files so, for every connection of this process. NULL if SQLite has
 * none that it could stand on. Any thread. */
const char *database_locks_vfs(void);

#endif
