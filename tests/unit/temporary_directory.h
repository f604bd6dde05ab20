/* A directory for one test: a cmocka setup that makes it, and a teardown that removes it with the
 * files in it. The state is its path. */
#ifndef WARDER_TESTS_UNIT_TEMPORARY_DIRECTORY_H
#define WARDER_TESTS_UNIT_TEMPORARY_DIRECTORY_H

#include <stddef.h>

int temporary_directory_make(void **state);
int temporary_directory_remove(void **state);

/* DIRECTORY/NAME; valid until the next call. */
const char *temporary_path(void *const *state, const char *name);

/* Writes a file of that name with these bytes; its path. */
const char *temporary_file(void *const *state, const char *name, const void *bytes, size_t size);

#endif
