/* Standard input, output and error, which a caller may have closed.
 *
 * The next descriptor that is opened would take the number of a stream that is not there: messages
 * for people would go into a socket, and libuv ends a process that closes such a number as a handle
 * of its own. */
#ifndef WARDER_PROTO_STANDARD_STREAMS_H
#define WARDER_PROTO_STANDARD_STREAMS_H

#include <stdbool.h>

/* Puts /dev/null where a stream is closed; the first thing in main(). With `inherited` the programs
 * that this process becomes or starts have it too; without, the stream is closed for them as it was
 * for us. False if that is not possible. */
bool standard_streams_fill(bool inherited);

#endif
