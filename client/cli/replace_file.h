/* A file's content replaced: whoever opens it finds the old one or the new one, whole. */
#ifndef WARDER_CLIENT_CLI_REPLACE_FILE_H
#define WARDER_CLIENT_CLI_REPLACE_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* A file as it was found. */
struct found_file;

/* The file behind the path, links followed. NULL after a complaint: there is none, it is no regular
 * file, or it has other names (hard links), which would keep the old content. */
struct found_file *found_file_new(const char *path);
void found_file_free(struct found_file *file);

/* Puts the text in its place, with the mode, owner and group that it had. False after a complaint:
 * it then stands as it did. That includes a file that was changed since it was found. */
bool found_file_replace(const struct found_file *file, const char *text, size_t length);

#endif
