/* The powers of root that no floor leaves.
 *
 * A floor holds root too, but capabilities open doors that neither Landlock nor a filter of system
 * calls can tell from others: an ioctl on a directory that freezes its file system, another
 * process's share of the machine, the network's interfaces, device files, address 0. They are
 * dropped from the process and from its bounding set, so that no program that it starts gets them
 * back. What a service under a floor may need stays: to write and read files of others, to take
 * another user's identity, to bind low ports, to signal.
 *
 * A floor of `write` drops CAP_FSETID too: what root writes then takes the set-id bits off a file,
 * as what others write does. So no program comes to be by a file that openat2 made with them, whose
 * mode a filter cannot see, or that was open when the floor was taken. */
#ifndef WARDER_CLIENT_FLOOR_FLOOR_CAPABILITIES_H
#define WARDER_CLIENT_FLOOR_FLOOR_CAPABILITIES_H

#include <stdbool.h>
#include <stdint.h>

/* Bits: 1 << CAP_*. */
uint64_t floor_dropped_capabilities(bool writes_held);

/* Drops them from the calling thread, which has no_new_privs. 0, or -errno: the process must not go
 * on. Nothing is done for a process that has none of them. */
int floor_drop_capabilities(bool writes_held);

#endif
