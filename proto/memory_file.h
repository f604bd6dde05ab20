/* Sealed memory files: how a body larger than a packet travels.
 *
 * A reader must not be surprised by the writer: a file without all seals could change while it is
 * read, shrink under a mapping (SIGBUS) or block (a FIFO). Only a file that can do none of that is
 * read. */
#ifndef WARDER_PROTO_MEMORY_FILE_H
#define WARDER_PROTO_MEMORY_FILE_H

#include <stddef.h>

/* A close-on-exec descriptor of a memory file with these bytes and every seal; a negative errno. */
int memory_file_new(const void *bytes, size_t size);

/* Reads the whole file into `buffer`, `*length` bytes. 0; -EPERM if it is not sealed against write,
 * growth and shrinking; -EMSGSIZE if it is empty or larger than `size`; another negative errno. The
 * descriptor stays the caller's. */
int memory_file_read(int descriptor, void *buffer, size_t size, size_t *length);

/* Maps the whole of a file of `size` bytes for reading. NULL if it is not sealed as above, or of
 * another size. The descriptor stays the caller's; the mapping needs it no more. */
const void *memory_file_map(int descriptor, size_t size);
void memory_file_unmap(const void *bytes, size_t size);

#endif
