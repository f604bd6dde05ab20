/* The powers of root that no floor leaves.
 *
 * A floor holds root too, but capabilities open doors that neither Landlock nor a filter of system
 * calls can tell from others: an ioctl on a directory that freezes its file system, another
 * process's share of the machine, the network's interfaces, device files, address 0. They are
 * dropped from the process and from its bounding set, so that no program that it starts gets them
 * back. What a service under a floor may need stays: to write and read files of others, to take
 * another user's identity, to bind low ports, to signal. */
#ifndef WARDER_CLIENT_FLOOR_FLOOR_CAPABILITIES_H
#define WARDER_CLIENT_FLOOR_FLOOR_CAPABILITIES_H

#include <stdbool.h>
#include <stdint.h>

/* Bits: 1 << CAP_*. */
uint64_t floor_dropped_capabilities(void);

/* Drops them from the calling thread. 0, or -errno: the process must not go on. Nothing is done for
 * a process that has none of them. */
int floor_drop_capabilities(void);

#endif
