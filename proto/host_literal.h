/* What a path in a policy leads to on this host: for the daemon, which judges by it, and for the
 * command, which explains what the daemon did. */
#ifndef WARDER_PROTO_HOST_LITERAL_H
#define WARDER_PROTO_HOST_LITERAL_H

#include <stdbool.h>
#include <stddef.h>

/* For struct compile_options: links resolved as far as the path exists, the rest as it stands.
 * False if that is the path itself, or cannot be told. `context` is not used. Looks at the disk. */
bool host_literal_resolve(void *context, const char *path, char *resolved, size_t size);

#endif
