/* The VFS is SQLite's own with one method in another's place: xShmLock, which locks the bytes of
 * the -shm file. Every lock of this process goes through it, so the table here says what its
 * connections hold; what SQLite refuses beside that is another process's, and fcntl tells of which
 * kind. A lock that is passed over is held in the table alone, and not given back to SQLite.
 *
 * A process loses all of its locks on a file when it closes any descriptor of it: the one that
 * fcntl is asked through stays open until the last connection is closed. */
#define _GNU_SOURCE
#include "daemon/store/database_locks.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    /* The slots of xShmLock, and where they are in the file (sqlite.org/walformat.html, "WAL
     * Locks"). */
    SLOT_CHECKPOINT = 1,
    SLOT_READER_0 = 3,
    SLOT_READER_1 = 4,
    SLOTS = SQLITE_SHM_NLOCK,
    FIRST_BYTE = 120,
};

/* What this process holds of one database. */
struct database_locks {
    char *path; /* of the -shm file */
    int asked;  /* descriptor that fcntl is asked through; -1: it was not yet */
    unsigned connections;
    bool written; /* by this process, and so by no other */
    unsigned shared[SLOTS];
    bool exclusive[SLOTS];
    struct database_locks *next;
};

/* Behind SQLite's own part of an open file. */
struct connection_locks {
    struct database_locks *database; /* NULL: not of a database in a file */
    unsigned shared;                 /* bits: 1 << slot */
    unsigned exclusive;
    unsigned passed; /* of the exclusive ones: SQLite does not have them */
};

static sqlite3_vfs vfs;
static const sqlite3_vfs *system_vfs;
static const sqlite3_io_methods *system_methods; /* of its files */
static sqlite3_io_methods methods;
static size_t own_offset; /* of a file's connection_locks */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of what follows, and of all in it */
static struct database_locks *databases;

static struct connection_locks *locks_of(sqlite3_file *file)
{
    return (struct connection_locks *)(void *)((char *)file + own_offset);
}

static unsigned bits_of(int first, int count)
{
    return ((1U << count) - 1) << first;
}

/* ---------------------------------------------------------------------------------- other
 * processes
 */

/* What another process has of a slot: F_UNLCK, F_RDLCK or F_WRLCK; the last in doubt. */
static int foreign_lock(struct database_locks *database, int slot)
{
    struct flock found = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = FIRST_BYTE + slot, .l_len = 1};

    if (database->asked < 0)
        database->asked = open(database->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    return database->asked >= 0 && fcntl(database->asked, F_GETLK, &found) == 0 ? found.l_type
                                                                                : F_WRLCK;
}

/* SQLite takes these exclusively alone, or to look whether a recovery is over. */
static bool only_shared_beside(struct database_locks *database, int first, int count)
{
    bool any = false;

    for (int slot = first; slot < first + count; slot++) {
        const int foreign = foreign_lock(database, slot);
        if (foreign == F_WRLCK)
            return false;
        any |= foreign == F_RDLCK;
    }
    return any;
}

/* Whether a mark is no other process's: it is free, or will be in a moment. */
static bool has_own_mark(struct database_locks *database)
{
    for (int slot = SLOT_READER_1; slot < SLOTS; slot++)
        if (foreign_lock(database, slot) == F_UNLCK)
            return true;
    return false;
}

/* An exclusive lock that SQLite was refused, and that no connection of this process is against. */
static bool may_pass(const struct connection_locks *own, int first, int count)
{
    struct database_locks *database = own->database;

    if (!database->written)
        return false;
    if (first + count <= SLOT_READER_0)
        return only_shared_beside(database, first, count);
    /* A reader's mark, to read from where the database is now: what is older cannot be written
     * upon. A checkpoint, and what begins the log anew, would take from under readers what they
     * read. */
    return count == 1 && first >= SLOT_READER_1 && !(own->exclusive & 1U << SLOT_CHECKPOINT) &&
           only_shared_beside(database, first, 1) && !has_own_mark(database);
}

/* ----------------------------------------------------------------------------------------- methods
 */

static bool is_against(const struct connection_locks *own, int first, int count, bool exclusive)
{
    const struct database_locks *database = own->database;

    for (int slot = first; slot < first + count; slot++) {
        const unsigned bit = 1U << slot;
        const unsigned others = database->shared[slot] - ((own->shared & bit) ? 1 : 0);
        if ((database->exclusive[slot] && !(own->exclusive & bit)) || (exclusive && others > 0))
            return true;
    }
    return false;
}

static void take(struct connection_locks *own, int first, int count, bool exclusive)
{
    for (int slot = first; slot < first + count; slot++) {
        const unsigned bit = 1U << slot;
        if (exclusive)
            own->database->exclusive[slot] = true;
        else if (!(own->shared & bit))
            own->database->shared[slot]++;
        *(exclusive ? &own->exclusive : &own->shared) |= bit;
    }
}

static void give_back(struct connection_locks *own, int first, int count)
{
    for (int slot = first; slot < first + count; slot++) {
        const unsigned bit = 1U << slot;
        if (own->exclusive & bit)
            own->database->exclusive[slot] = false;
        if (own->shared & bit)
            own->database->shared[slot]--;
    }
    own->exclusive &= ~bits_of(first, count);
    own->shared &= ~bits_of(first, count);
    own->passed &= ~bits_of(first, count);
}

static int lock_slots(sqlite3_file *file, struct connection_locks *own, int first, int count,
                      int flags)
{
    const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;

    if (is_against(own, first, count, exclusive))
        return SQLITE_BUSY;
    int result = system_methods->xShmLock(file, first, count, flags);
    if (result == SQLITE_BUSY && exclusive && may_pass(own, first, count)) {
        own->passed |= bits_of(first, count);
        result = SQLITE_OK;
    }
    if (result == SQLITE_OK)
        take(own, first, count, exclusive);
    return result;
}

static int unlock_slots(sqlite3_file *file, struct connection_locks *own, int first, int count,
                        int flags)
{
    const bool passed = (own->passed & bits_of(first, count)) != 0;

    give_back(own, first, count);
    return passed ? SQLITE_OK : system_methods->xShmLock(file, first, count, flags);
}

static int shm_lock(sqlite3_file *file, int first, int count, int flags)
{
    struct connection_locks *own = locks_of(file);

    pthread_mutex_lock(&lock);
    const int result = flags & SQLITE_SHM_UNLOCK ? unlock_slots(file, own, first, count, flags)
                                                 : lock_slots(file, own, first, count, flags);
    pthread_mutex_unlock(&lock);
    return result;
}

/* With the lock held. NULL on lack of memory. */
static struct database_locks *find_database(const char *path)
{
    struct database_locks *database;
    char *shm = NULL;

    if (asprintf(&shm, "%s-shm", path) < 0)
        return NULL;
    for (database = databases; database && strcmp(database->path, shm) != 0;)
        database = database->next;
    if (!database)
        database = calloc(1, sizeof(*database));
    if (database && !database->path) {
        *database = (struct database_locks){.path = shm, .asked = -1, .next = databases};
        databases = database;
        shm = NULL;
    }
    free(shm);
    return database;
}

/* With the lock held, behind SQLite's own end of the connection. */
static void release_database(struct database_locks *database)
{
    struct database_locks **place = &databases;

    if (--database->connections > 0)
        return;
    while (*place != database)
        place = &(*place)->next;
    *place = database->next;
    if (database->asked >= 0)
        close(database->asked);
    free(database->path);
    free(database);
}

static int close_file(sqlite3_file *file)
{
    struct connection_locks *own = locks_of(file);

    pthread_mutex_lock(&lock);
    give_back(own, 0, SLOTS);
    const int result = system_methods->xClose(file);
    release_database(own->database);
    pthread_mutex_unlock(&lock);
    return result;
}

/* All files of SQLite's own VFS have the same methods, but those that need no locks. */
static void take_methods(sqlite3_file *file, const char *path, int flags)
{
    struct database_locks *database = NULL;

    pthread_mutex_lock(&lock);
    if (!system_methods && file->pMethods->iVersion >= 2 && file->pMethods->xShmLock) {
        system_methods = file->pMethods;
        methods = *system_methods;
        methods.xShmLock = shm_lock;
        methods.xClose = close_file;
    }
    if (file->pMethods == system_methods)
        database = find_database(path);
    if (database) {
        database->connections++;
        database->written |= (flags & SQLITE_OPEN_READWRITE) != 0;
        *locks_of(file) = (struct connection_locks){.database = database};
        file->pMethods = &methods;
    }
    pthread_mutex_unlock(&lock);
}

static int open_file(sqlite3_vfs *self, const char *path, sqlite3_file *file, int flags,
                     int *flags_out)
{
    (void)self;
    const int result =
        system_vfs->xOpen((sqlite3_vfs *)(uintptr_t)system_vfs, path, file, flags, flags_out);
    if (result == SQLITE_OK && path && file->pMethods && flags & SQLITE_OPEN_MAIN_DB)
        take_methods(file, path, flags);
    return result;
}

static void make_vfs(void)
{
    const size_t alignment = _Alignof(struct connection_locks);

    system_vfs = sqlite3_vfs_find("unix");
    if (!system_vfs)
        return;
    own_offset = ((size_t)system_vfs->szOsFile + alignment - 1) / alignment * alignment;
    vfs = *system_vfs;
    vfs.zName = "warder";
    vfs.szOsFile = (int)(own_offset + sizeof(struct connection_locks));
    vfs.pNext = NULL;
    vfs.xOpen = open_file;
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
        system_vfs = NULL;
}

const char *database_locks_vfs(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_vfs);
    return system_vfs ? vfs.zName : NULL;
}
