/* The part of a floor that seccomp holds: a program that the daemon has compiled for this machine.
 */
#ifndef WARDER_CLIENT_FLOOR_FLOOR_SECCOMP_H
#define WARDER_CLIENT_FLOOR_FLOOR_SECCOMP_H

#include <stdbool.h>

#include <protobuf-c/protobuf-c.h>

/* True if the kernel has seccomp filters. */
bool seccomp_is_there(void);

/* Filters every system call of this thread, and of all that it starts, from then on, for good; with
 * `all_threads` those of the process's other threads too. no_new_privs must be set. 0, or -errno:
 * -EBADMSG for what is no program of whole instructions, -ESRCH if a thread could not be
 * reached. */
int seccomp_take(const ProtobufCBinaryData *program, bool all_threads);

#endif
