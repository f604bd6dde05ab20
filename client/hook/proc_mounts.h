/* Where procfs is mounted beside /proc, so that what is reached there is judged as what it is.
 *
 * A rule on /proc/... names the file system, and a build root or a container's tree that can be
 * seen from here has a mount of it under another name. To ask of every path what it is on would
 * cost a fifth of what a settled event costs; the table of mounts is read instead, once, and again
 * when it is a second old. A mount is therefore noticed within a second; the program itself cannot
 * make one without leaving its mount namespace, which the resolver sees at once. Where the table
 * cannot be read, every path is asked.
 *
 * Allocates nothing; from any thread. */
#ifndef WARDER_CLIENT_HOOK_PROC_MOUNTS_H
#define WARDER_CLIENT_HOOK_PROC_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

/* False if procfs is mounted nowhere but at /proc. */
bool proc_mounts_elsewhere(void);

/* True if the directory of a link, an absolute path that is resolved, is on procfs. The path is as
 * it was when this returns. */
bool proc_mounts_has_link(char *link);

/* Turns a resolved path below another mount of procfs into its name below /proc. `follow` false: a
 * link in the last component is taken as itself. False: the path is there and has no such name,
 * because only a part of procfs is mounted, or there is no room. */
bool proc_mounts_rename(char *path, size_t size, bool follow);

#endif
