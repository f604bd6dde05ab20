/* The table is read in pieces and word by word, so that lines of any length fit: the name of a
 * place may have 4,096 bytes, four of them for each that is escaped. Paths are cut where they stand
 * and made whole again, so that a small stack is enough. */
#define _GNU_SOURCE
#include "client/hook/proc_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum {
    TABLE_SECONDS = 1,
    TABLE_PIECE = 1024,
    WORD_MAX = 8, /* "/proc/" and "proc" are told from others by so much */

    /* proc_pid_mountinfo(5): the fourth word behind the first, and what stands behind "-". */
    WORD_OF_PLACE = 4,
    WORD_OF_OPTIONS = 6,

    PROC_ROOT_INODE = 1, /* PROC_ROOT_INO of Linux */
};

enum table_state {
    TABLE_NOT_READ,
    TABLE_PROC_ALONE,
    TABLE_PROC_ELSEWHERE, /* or nobody knows */
};

static _Atomic int64_t table_read_at;
static _Atomic int table_state;

/* A line as far as it is read. */
struct mount_line {
    unsigned word;
    bool in_proc;   /* it is mounted at /proc, or below */
    bool type_next; /* the next word is the type of the file system */
    size_t length;  /* of the word */
    char text[WORD_MAX];
};

/* At the end of a word; true if the line is one of procfs elsewhere. */
static bool end_word(struct mount_line *line)
{
    const size_t length = line->length < WORD_MAX ? line->length : WORD_MAX;
    bool found = false;

    if (line->word == WORD_OF_PLACE)
        line->in_proc = (line->length == 5 && memcmp(line->text, "/proc", 5) == 0) ||
                        (length > 5 && memcmp(line->text, "/proc/", 6) == 0);
    else if (line->type_next)
        found = !line->in_proc && line->length == 4 && memcmp(line->text, "proc", 4) == 0;
    line->type_next =
        line->word >= WORD_OF_OPTIONS && line->length == 1 && line->text[0] == '-' && !found;
    line->word++;
    line->length = 0;
    return found;
}

static bool piece_has_proc_elsewhere(struct mount_line *line, const char *piece, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (piece[i] == ' ' || piece[i] == '\n') {
            if (end_word(line))
                return true;
            if (piece[i] == '\n')
                *line = (struct mount_line){0};
            continue;
        }
        if (line->length < WORD_MAX)
            line->text[line->length] = piece[i];
        line->length++;
    }
    return false;
}

static enum table_state read_table(void)
{
    char piece[TABLE_PIECE];
    struct mount_line line = {0};
    struct statfs status;
    bool found = false;
    size_t whole = 0;
    ssize_t size;
    const int table = open("/proc/thread-self/mountinfo", O_RDONLY | O_CLOEXEC);

    if (table < 0)
        return TABLE_PROC_ELSEWHERE;
    while (!found &&
           ((size = read(table, piece, sizeof(piece))) > 0 || (size < 0 && errno == EINTR))) {
        found = size > 0 && piece_has_proc_elsewhere(&line, piece, (size_t)size);
        whole += size > 0 ? (size_t)size : 0;
    }
    /* Another thread can put a file of its own under that number. */
    const bool is_table = fstatfs(table, &status) == 0 && status.f_type == PROC_SUPER_MAGIC;
    close(table);
    return found || size < 0 || whole == 0 || !is_table ? TABLE_PROC_ELSEWHERE : TABLE_PROC_ALONE;
}

bool proc_mounts_elsewhere(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC_COARSE, &now) < 0)
        return true;
    if (atomic_load(&table_state) == TABLE_NOT_READ ||
        now.tv_sec - atomic_load(&table_read_at) >= TABLE_SECONDS) {
        const enum table_state state = read_table();
        atomic_store(&table_state, state);
        atomic_store(&table_read_at, now.tv_sec);
    }
    return atomic_load(&table_state) != TABLE_PROC_ALONE;
}

enum place {
    PLACE_MISSING,
    PLACE_ELSEWHERE,
    PLACE_ON_PROC,
};

/* Of the first `length` bytes of the path, which is a component's end. */
static enum place place_of(char *path, size_t length)
{
    const char behind = path[length];
    struct statfs status;

    path[length] = '\0';
    const int failed = statfs(length > 0 ? path : "/", &status);
    path[length] = behind;
    if (failed < 0)
        return PLACE_MISSING;
    return status.f_type == PROC_SUPER_MAGIC ? PLACE_ON_PROC : PLACE_ELSEWHERE;
}

static bool is_root_of_proc(char *path, size_t length)
{
    const char behind = path[length];
    struct statx status;

    path[length] = '\0';
    const int failed = statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_INO, &status);
    path[length] = behind;
    return failed == 0 && status.stx_ino == PROC_ROOT_INODE;
}

/* Where the parent of the first `length` bytes ends; 0 is the root. */
static size_t parent_of(const char *path, size_t length)
{
    while (length > 0 && path[--length] != '/')
        ;
    return length;
}

bool proc_mounts_has_link(char *link)
{
    return place_of(link, parent_of(link, strlen(link))) == PLACE_ON_PROC;
}

bool proc_mounts_rename(char *path, size_t size, bool follow)
{
    static const char proc[] = "/proc";
    const size_t name = sizeof(proc) - 1;
    const size_t length = strlen(path);
    size_t mount = follow ? length : parent_of(path, length);
    enum place place;

    if (strncmp(path, proc, name) == 0 && (path[name] == '/' || path[name] == '\0'))
        return true;
    while ((place = place_of(path, mount)) == PLACE_MISSING && mount > 0)
        mount = parent_of(path, mount);
    if (place != PLACE_ON_PROC)
        return true;
    while (!is_root_of_proc(path, mount)) {
        mount = parent_of(path, mount);
        if (mount == 0 || place_of(path, mount) != PLACE_ON_PROC)
            return false;
    }
    if (name + (length - mount) >= size)
        return false;
    memmove(path + name, path + mount, length - mount + 1);
    memcpy(path, proc, name);
    return true;
}
