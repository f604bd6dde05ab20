/* The arguments of an audit event, read out of the interpreter without running any Python code.
 *
 * Exact builtin types are read, and the content that their subclasses store (marked); everything
 * else goes by the name of its type (marked opaque). Never str(), repr(), __fspath__, iteration,
 * attribute access. The interpreter lock must be held: what is read cannot change meanwhile, and
 * everything is copied into the arena, so that it may change afterwards.
 *
 * In a free-threaded build other threads run meanwhile, and what they can take away is looked at
 * only where CPython gives a reference or a copy: elements of lists, and dicts. If that is the last
 * one by then, a finaliser runs while arguments are read: before anything is judged, or looked up
 * for that. A bytearray is one without its bytes, and a class that can be changed has no name and
 * no bases. What else a class is made of stays while this thread is attached to its interpreter:
 * what refers to itself goes when every thread has stopped, and so does a change of an object's
 * class.
 *
 * Texts are read as the bytes that the interpreter will give to the system. Where those cannot be
 * told (text_encoding.h) a text is in UTF-8 and marked opaque.
 *
 * Bounds are those of value.h; the reader stops copying there and marks the cut. */
#ifndef WARDER_CLIENT_HOOK_ARGUMENT_READER_H
#define WARDER_CLIENT_HOOK_ARGUMENT_READER_H

#include <stdbool.h>

#include "client/hook/python_api.h"
#include "client/hook/text_encoding.h"
#include "policies/engine/arena.h"
#include "policies/engine/value.h"

struct argument_reader {
    const struct python_api *api;
    struct arena *arena;
    enum text_encoding encoding; /* of what the interpreter does with the texts */
    size_t nodes;                /* read so far, of VALUE_NODES_MAX */
    size_t bytes;                /* copied so far, of VALUE_TOTAL_BYTES_MAX */
};

/* Reads the first `most` elements of the argument tuple; `*count` says how many there were to read.
 * NULL if the arena is full or `args` is no tuple: then nothing is known, and the event is denied.
 */
const struct value *arguments_read(const struct python_api *api, python_object *args, unsigned most,
                                   struct arena *arena, uint32_t *count);

/* Reads one object. */
struct value argument_read(struct argument_reader *reader, python_object *object);

struct socket_fields {
    int descriptor; /* -1: the object cannot be a socket */
    int family;     /* that the object reads addresses by */
};

/* What is inside a `_socket.socket` object. Reads the C struct: the object may be half built, and
 * its methods are Python's to change. */
struct socket_fields argument_socket_fields(const struct python_api *api, python_object *object);

/* co_filename of a code object as a text in the arena; false if the object is none. Allocates, and
 * reads an attribute of an exact code object, which no Python code can hook. */
bool argument_code_filename(const struct python_api *api, python_object *object,
                            struct arena *arena, struct value *filename);

#endif
