/* What the argument of ioctl(2) and fcntl(2) is, by the request: Linux's numbers.
 *
 * For most requests it is an address that the kernel reads or writes. Who can choose that address
 * can have any memory of the process written, so a number in its place is one that nothing certain
 * can be said of. Requests that are not listed take an address. */
#ifndef WARDER_POLICIES_ENGINE_CONTROL_REQUEST_H
#define WARDER_POLICIES_ENGINE_CONTROL_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

/* True if the kernel takes the argument as a number, or not at all. */
bool ioctl_takes_number(uint32_t request);
bool fcntl_takes_number(int64_t command);

/* True if it is known of the request that the kernel writes nowhere but where the argument points,
 * and no more than 1,024 bytes: neither an address nor a count in the structure says otherwise.
 * Of one that is not listed anything is to be expected, and of one whose structure has grown with
 * Linux, too. */
bool ioctl_is_bounded(uint32_t request);

#endif
