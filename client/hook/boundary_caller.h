/* Who has called a function of libc that this object stands before.
 *
 * What Python code can steer comes from the interpreter or from the module of its library that the
 * function belongs to; other libraries make their calls for themselves, and mean what they ask. */
#ifndef WARDER_CLIENT_HOOK_BOUNDARY_CALLER_H
#define WARDER_CLIENT_HOOK_BOUNDARY_CALLER_H

#include <stdbool.h>

/* True if the code at `address` is the interpreter's, which can have the module built in, or that
 * of the extension module which defines `initializer` (PyInit_fcntl); or nobody's. Asks the loader
 * where that is not known yet, which takes a lock that a fork can leave taken: for rare calls. */
bool boundary_is_asked_by_python(const void *address, const char *initializer);

#endif
