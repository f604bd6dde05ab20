/* A short name for a text, by which it is known again: against mistakes, not against somebody who
 * seeks two texts of one name. */
#ifndef WARDER_PROTO_FINGERPRINT_H
#define WARDER_PROTO_FINGERPRINT_H

#include <stddef.h>

enum { FINGERPRINT_SIZE = 17 }; /* 64 bits in hexadecimal, and the terminator */

void fingerprint(const void *bytes, size_t length, char text[FINGERPRINT_SIZE]);

#endif
