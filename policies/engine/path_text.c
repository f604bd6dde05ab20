#include "policies/engine/path_text.h"

#include <string.h>

struct writer {
    char *buffer;
    size_t size;
    size_t length; /* of what is written, without a final separator; 0 stands for the root */
    bool full;
};

/* Appends the components of `path` to what is written. */
static void append(struct writer *writer, const char *path, size_t length)
{
    for (size_t i = 0; i < length && !writer->full;) {
        const char *slash = memchr(path + i, '/', length - i);
        const size_t part = slash ? (size_t)(slash - (path + i)) : length - i;

        if (part == 2 && path[i] == '.' && path[i + 1] == '.') {
            while (writer->length > 0 && writer->buffer[--writer->length] != '/')
                ;
        } else if (part > 0 && !(part == 1 && path[i] == '.')) {
            if (part + 2 > writer->size - writer->length) { /* separator before, NUL behind */
                writer->full = true;
                return;
            }
            writer->buffer[writer->length++] = '/';
            memcpy(writer->buffer + writer->length, path + i, part);
            writer->length += part;
        }
        i += part + 1;
    }
}

size_t path_normalise(const char *directory, const char *path, size_t length, char *buffer,
                      size_t size)
{
    struct writer writer = {.buffer = buffer, .size = size};

    if (length == 0 || size < 2 || memchr(path, '\0', length))
        return 0;
    if (path[0] != '/') {
        if (!directory || directory[0] != '/')
            return 0;
        append(&writer, directory, strlen(directory));
    }
    append(&writer, path, length);
    if (writer.full)
        return 0;
    if (writer.length == 0)
        buffer[writer.length++] = '/';
    buffer[writer.length] = '\0';
    return writer.length;
}

bool path_is_under(const char *path, size_t path_length, const char *directory,
                   size_t directory_length)
{
    if (directory_length == 1 && directory[0] == '/')
        return path_length > 0 && path[0] == '/';
    if (path_length < directory_length || memcmp(path, directory, directory_length) != 0)
        return false;
    return path_length == directory_length || path[directory_length] == '/';
}
