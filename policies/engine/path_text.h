/* Paths as text: made absolute and normalised without asking the file system.
 *
 * POSIX paths: bytes, `/` the one separator. What leads where is the business of whoever can ask
 * (struct event_resolver, the daemon's literal resolver). */
#ifndef WARDER_POLICIES_ENGINE_PATH_TEXT_H
#define WARDER_POLICIES_ENGINE_PATH_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum {
    PATH_TEXT_MAX = 4096, /* PATH_MAX of Linux, terminator included */
};

/* Writes the absolute, normalised form of `path`: against `directory` (absolute) if it is relative,
 * `.`, `..` and repeated separators removed, no final separator but for "/". `..` at the root stays
 * there. Returns the length, or 0 if it does not fit `size`, holds a NUL, or `directory` is needed
 * and is not absolute. An empty path is the directory itself only to functions that say so; here it
 * gives 0. */
size_t path_normalise(const char *directory, const char *path, size_t length, char *buffer,
                      size_t size);

/* True if `path` is `directory` or below it, by whole components. Both normalised. */
bool path_is_under(const char *path, size_t path_length, const char *directory,
                   size_t directory_length);

#endif
