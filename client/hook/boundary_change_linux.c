/* Two threads: one opens and changes, in a table of its own; the caller asks the daemon, over
 * connections that are in the process's table. They take turns by `phase`. */
#define _GNU_SOURCE
#include "client/hook/boundary_change.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "client/hook/boundary.h"
#include "client/hook/event_name.h"
#include "client/hook/own_table.h"
#include "client/hook/process_resolver.h"
#include "client/hook/raw_syscall.h"
#include "client/hook/work_memory.h"
#include "proto/siphash.h"

enum {
    ARGUMENTS_MAX = 4,
    ALLOWED_MAX = 2, /* operations of one event: the file, and the link that leads to it */
};

enum phase {
    PHASE_OPENING,
    PHASE_OPENED, /* or not: `error` */
    PHASE_ALLOWED,
    PHASE_DENIED,
};

struct work {
    const struct change *change;
    _Atomic uint32_t phase;
    int error; /* errno */
    bool own;  /* the table is */
    enum resolver_answer named;
    struct timespec times[2];
    struct answer answer;
    char path[PATH_MAX + sizeof(".")]; /* to be opened: of mknod, the directory */
    char name[PATH_MAX];               /* of what was opened, or is to be made */
    const char *last;                  /* of mknod: what follows in `path`; NULL otherwise */
};
_Static_assert(sizeof(struct work) <= WORK_MEMORY_SIZE, "a change has a block");

static const char *const events[] = {
    [CHANGE_MODE] = "os.chmod",      [CHANGE_OWNER] = "os.chown",  [CHANGE_TIMES] = "os.utime",
    [CHANGE_LENGTH] = "os.truncate", [CHANGE_NODE] = "libc.mknod",
};

/* ---------------------------------------------------------------------------- the event before */

struct allowed {
    unsigned char digests[ALLOWED_MAX][SIPHASH_TAG_SIZE];
    uint8_t count;
};

static _Thread_local struct allowed allowed __attribute__((tls_model("initial-exec")));

/* Of a change to a file: the event, its numbers, and the file's path. */
static void digest_of(const char *event, const struct value *arguments, uint32_t count,
                      const struct value *path, unsigned char *digest)
{
    struct siphash hash;

    hook_session_digest(&hash);
    siphash_update(&hash, event, strlen(event) + 1);
    for (uint32_t i = 1; i < 3; i++) {
        const int64_t number =
            i < count && arguments[i].kind == VALUE_INT ? arguments[i].integer : 0;
        siphash_update(&hash, &number, sizeof(number));
    }
    siphash_update(&hash, path->bytes, path->count);
    siphash_final(&hash, digest);
}

static bool is_text(const struct value *value)
{
    return (value->kind == VALUE_TEXT || value->kind == VALUE_BYTES) && !value->marks;
}

static const char *changing_event(const char *name)
{
    for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++)
        if (event_name_is(name, events[i]))
            return events[i];
    return NULL;
}

void boundary_change_allowed(const struct event *event)
{
    const char *name = event->operation_count > 0 ? changing_event(event->name) : NULL;

    if (!name)
        return;
    allowed.count = 0;
    for (uint32_t i = 0; i < event->operation_count && allowed.count < ALLOWED_MAX; i++) {
        const struct attribute *path = operation_attribute(&event->operations[i], ATTRIBUTE_PATH);
        if (path && is_text(&path->resolved))
            digest_of(name, event->arguments, event->argument_count, &path->resolved,
                      allowed.digests[allowed.count++]);
    }
}

/* Takes it: one decision is one change. */
static bool was_allowed(const unsigned char *digest)
{
    bool was = false;

    for (uint8_t i = 0; i < allowed.count; i++)
        was |= siphash_compare(digest, allowed.digests[i]) == 0;
    allowed.count = 0;
    return was;
}

/* ------------------------------------------------------------------------------ the other thread
 */

static void set_phase(struct work *work, enum phase phase)
{
    atomic_store(&work->phase, phase);
    raw_syscall(SYS_futex, &work->phase, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* The first phase that is none of these. */
static enum phase wait_past(struct work *work, enum phase phase)
{
    uint32_t now;

    while ((now = atomic_load(&work->phase)) <= (uint32_t)phase)
        raw_syscall(SYS_futex, &work->phase, FUTEX_WAIT_PRIVATE, now, NULL, NULL, 0);
    return now;
}

static long open_file(const struct work *work)
{
    const struct change *change = work->change;
    const int flags =
        O_PATH | O_CLOEXEC | (change->no_follow ? O_NOFOLLOW : 0) | (work->last ? O_DIRECTORY : 0);
    const int needless = change->directory == 0 ? 1 : 0;

    if (!change->path) {
        const long is_open = raw_syscall(SYS_fcntl, change->directory, F_GETFD);
        return raw_failed(is_open) ? is_open : change->directory;
    }
    long opened = raw_syscall(SYS_openat, change->directory, work->path, flags);
    if (opened == -EMFILE) { /* this table is a copy: the process keeps what it has */
        raw_syscall(SYS_close, needless);
        opened = raw_syscall(SYS_openat, change->directory, work->path, flags);
    }
    return opened;
}

static bool is_link(int descriptor)
{
    struct statx status;

    return raw_failed(raw_syscall(SYS_statx, descriptor, "", AT_EMPTY_PATH, STATX_TYPE, &status)) ||
           S_ISLNK(status.stx_mode);
}

static long change_descriptor(const struct work *work)
{
    const struct change *change = work->change;

    switch (change->kind) {
    case CHANGE_MODE:
        return raw_syscall(SYS_fchmod, change->directory, change->mode);
    case CHANGE_OWNER:
        return raw_syscall(SYS_fchown, change->directory, change->user, change->group);
    case CHANGE_TIMES:
        return raw_syscall(SYS_utimensat, change->directory, NULL, change->times, 0);
    default:
        return raw_syscall(SYS_ftruncate, change->directory, change->length);
    }
}

static long change_opened(const struct work *work, int opened)
{
    const struct change *change = work->change;
    char link[sizeof("/proc/thread-self/fd/") + 12];

    snprintf(link, sizeof(link), "/proc/thread-self/fd/%d", opened);
    switch (change->kind) {
    case CHANGE_MODE: /* links have none */
        return is_link(opened) ? -EOPNOTSUPP
                               : raw_syscall(SYS_fchmodat, AT_FDCWD, link, change->mode);
    case CHANGE_OWNER:
        return raw_syscall(SYS_fchownat, opened, "", change->user, change->group, AT_EMPTY_PATH);
    case CHANGE_TIMES:
        return raw_syscall(SYS_utimensat, AT_FDCWD, link, change->times, 0);
    case CHANGE_NODE:
        return raw_syscall(SYS_mknodat, opened, work->last, change->mode, change->device);
    default:
        return raw_syscall(SYS_truncate, link, change->length);
    }
}

/* The name of the directory becomes that of what is to be made in it. A directory without a name
 * that leads there is not one of which nothing is to be said. */
static enum resolver_answer append_last(struct work *work, enum resolver_answer named)
{
    const size_t length = named == ANSWER_KNOWN ? strlen(work->name) : 0;
    size_t last = strlen(work->last);

    while (last > 0 && work->last[last - 1] == '/')
        last--;
    if (named != ANSWER_KNOWN || length + 1 + last >= sizeof(work->name))
        return ANSWER_UNKNOWN;
    snprintf(work->name + length, sizeof(work->name) - length, "%s%.*s",
             length == 1 && work->name[0] == '/' ? "" : "/", (int)last, work->last);
    return ANSWER_KNOWN;
}

static void open_and_change(void *argument, bool own)
{
    struct work *work = argument;
    const long opened = own ? open_file(work) : -EACCES;

    work->own = own;
    if (raw_failed(opened)) {
        work->error = (int)-opened;
        set_phase(work, PHASE_OPENED);
        return;
    }
    work->named = process_descriptor_name((int)opened, work->name, sizeof(work->name));
    if (work->last)
        work->named = append_last(work, work->named);
    set_phase(work, PHASE_OPENED);
    if (wait_past(work, PHASE_OPENED) != PHASE_ALLOWED)
        return;
    const long result =
        work->change->path ? change_opened(work, (int)opened) : change_descriptor(work);
    work->error = raw_failed(result) ? (int)-result : 0;
}

/* ------------------------------------------------------------------------------------ the caller
 */

static uint32_t arguments_of(const struct work *work, struct value *arguments)
{
    const struct change *change = work->change;

    arguments[0] =
        work->named == ANSWER_KNOWN ? value_text(work->name, strlen(work->name)) : value_unknown();
    arguments[1] = value_none();
    arguments[2] = value_none();
    arguments[3] = value_int(-1);
    switch (change->kind) {
    case CHANGE_MODE:
        arguments[1] = value_int(change->mode);
        arguments[2] = value_int(-1);
        return 3;
    case CHANGE_OWNER: /* -1 as the event has it */
        arguments[1] = value_int(change->user);
        arguments[2] = value_int(change->group);
        return 4;
    case CHANGE_TIMES:
        return 4;
    case CHANGE_NODE: /* an event of the boundary's own, whose texts are bytes */
        if (arguments[0].kind == VALUE_TEXT)
            arguments[0].kind = VALUE_BYTES;
        arguments[1] = value_int(change->mode);
        return 2;
    default:
        arguments[1] = value_int(change->length);
        return 2;
    }
}

static bool is_allowed(struct work *work)
{
    const char *event = events[work->change->kind];
    unsigned char digest[SIPHASH_TAG_SIZE];
    struct value arguments[ARGUMENTS_MAX];

    if (work->named == ANSWER_NONE)
        return true;
    const uint32_t count = arguments_of(work, arguments);
    if (is_text(&arguments[0])) {
        digest_of(event, arguments, count, &arguments[0], digest);
        if (was_allowed(digest))
            return true;
    }
    struct question *question = boundary_borrow();
    const bool allows = boundary_judge(question, event, arguments, count, &work->answer);
    boundary_return(question);
    return allows;
}

static int refuse(struct work *work, const char *why)
{
    if (why)
        boundary_deny(events[work->change->kind], why, &work->answer);
    boundary_refuse(&work->answer);
    return EACCES;
}

static int change_in(struct work *work)
{
    static const char unreachable[] =
        "other threads share its descriptors, and it cannot have its own";
    struct own_table table;

    hook_session_check_process();
    if (!own_table_begin(&table, open_and_change, work))
        return refuse(work, unreachable);
    wait_past(work, PHASE_OPENING);
    if (work->error) {
        own_table_wait(&table);
        return work->own ? work->error : refuse(work, unreachable);
    }
    const bool allows = is_allowed(work);
    set_phase(work, allows ? PHASE_ALLOWED : PHASE_DENIED);
    own_table_wait(&table);
    return allows ? work->error : refuse(work, NULL);
}

bool boundary_change_concerns(void)
{
    return boundary_holds(CLASS_WRITE);
}

/* Parts `path` before its last component. False if that is none that a file could be made as. */
static bool part_last(struct work *work)
{
    size_t end = strlen(work->path);
    const size_t size = end + 1;

    while (end > 0 && work->path[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && work->path[start - 1] != '/')
        start--;
    const char *last = work->path + start;
    const size_t length = end - start;
    if (length == 0 || (length <= 2 && memcmp(last, "..", length) == 0))
        return false;
    const size_t at = start > 0 ? start + 1 : sizeof(".");
    memmove(work->path + at, last, size - start);
    if (start == 0)
        work->path[0] = '.';
    work->path[at - 1] = '\0';
    work->last = work->path + at;
    return true;
}

int boundary_change(const struct change *change)
{
    const int before = errno;
    const size_t length = change->path ? strnlen(change->path, PATH_MAX) : 0;
    struct work *work = length < PATH_MAX ? work_memory_take() : NULL;
    struct change kept = *change;

    if (!work) {
        errno = length < PATH_MAX ? ENOMEM : ENAMETOOLONG;
        return -1;
    }
    work->change = &kept;
    atomic_init(&work->phase, PHASE_OPENING);
    work->error = 0;
    work->own = false;
    work->last = NULL;
    if (change->path) {
        memcpy(work->path, change->path, length);
        work->path[length] = '\0';
    }
    if (change->times) {
        memcpy(work->times, change->times, sizeof(work->times));
        kept.times = work->times;
    }
    int error;
    if (change->kind == CHANGE_NODE && !part_last(work)) /* the kernel says why */
        error = (int)-raw_syscall(SYS_mknodat, change->directory, work->path, change->mode, 0);
    else
        error = change_in(work);
    work_memory_return(work);
    errno = error ? error : before;
    return error ? -1 : 0;
}
