/* Changing what is said of a file (its mode, its owner, its times) and its length, and making one
 * that mknod makes, at the C boundary.
 *
 * The audit event knows a name or a descriptor, and until the call both can come to stand for
 * another file. So the file is opened where no other thread reaches it (own_table.h), what is
 * opened is judged by the event's own name in the catalogue (os.chmod and its like), and that is
 * changed. What the thread's audit event has just allowed for the same file is that decision. Of
 * mknod no event tells: it is judged as libc.mknod, by the directory that was opened and the name,
 * and made in that directory.
 *
 * Where no policy could deny a write, the call is libc's. What has no name (a pipe, a socket,
 * memory that is no file) is nothing to judge. */
#ifndef WARDER_CLIENT_HOOK_BOUNDARY_CHANGE_H
#define WARDER_CLIENT_HOOK_BOUNDARY_CHANGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "policies/engine/event.h"

enum change_kind { CHANGE_MODE, CHANGE_OWNER, CHANGE_TIMES, CHANGE_LENGTH, CHANGE_NODE };

struct change {
    enum change_kind kind;
    int directory;    /* that a relative path is taken from; AT_FDCWD */
    const char *path; /* NULL: the file that `directory` is a descriptor of */
    bool no_follow;   /* a link in the last component is taken as itself */
    mode_t mode;      /* with the type, of what mknod makes */
    unsigned device;  /* of mknod, as the kernel has it */
    uid_t user;
    gid_t group;
    const struct timespec *times; /* two; NULL: now */
    off_t length;
};

/* True if there is a reason to make the call here. */
bool boundary_change_concerns(void);

/* Makes it. As chmod(2) and the others: 0, or -1 and errno. */
int boundary_change(const struct change *change);

/* The calling thread has raised an audit event that has been allowed, with its operations. */
void boundary_change_allowed(const struct event *event);

#endif
