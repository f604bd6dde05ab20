#include "policies/scene/scene_text.h"

#include <string.h>

#include "policies/engine/path_text.h"

static bool is_of_windows(const char *text, size_t length)
{
    const bool drive = length >= 3 && text[1] == ':' && (text[2] == '\\' || text[2] == '/');

    return drive || (length >= 1 && text[0] == '\\');
}

const char *scene_path(struct storage *storage, const char *text, size_t length)
{
    char normal[PATH_TEXT_MAX];

    if (is_of_windows(text, length) && length < PATH_TEXT_MAX && !memchr(text, '\0', length))
        return storage_copy(storage, text, length);
    const size_t normal_length = path_normalise(NULL, text, length, normal, sizeof(normal));
    return normal_length > 0 ? storage_copy(storage, normal, normal_length) : NULL;
}
