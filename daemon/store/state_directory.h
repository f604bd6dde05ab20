/* The directories of a daemon: fit to keep what it believes, and its own.
 *
 * Whoever may write in the state directory puts policies in force, and changes the record: it is
 * the daemon's user's, and nobody else writes there. A daemon that was started as root to become
 * another user gives that user what root made for it, and nothing beyond: a directory of root's
 * alone with files of the daemon's alone. Called before the daemon becomes the user, so that all it
 * opens it opens as that user. */
#ifndef WARDER_DAEMON_STORE_STATE_DIRECTORY_H
#define WARDER_DAEMON_STORE_STATE_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct directory_owner {
    const char *name; /* of the user that the daemon becomes; "": it stays who it is */
    uid_t uid;        /* the daemon's, once it is that user */
    gid_t gid;
};

/* Makes it if it is missing, gives it to its owner if it was root's, and judges it. False if the
 * daemon cannot keep its state there: `error` says why and what to do. */
bool state_directory_prepare(const char *path, const struct directory_owner *owner, char *error,
                             size_t size);

/* The same for the directory of live sessions, of which nothing but its own files is asked. Where
 * its parent is the owner's it is left for the owner to make. */
bool session_directory_prepare(const char *path, const struct directory_owner *owner, char *error,
                               size_t size);

#endif
