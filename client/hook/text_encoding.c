#include "client/hook/text_encoding.h"

#include <string.h>

enum {
    NAME_SIZE = 32, /* "surrogateescape" and whatever else is compared here fits */
};

static enum text_encoding encoding_of(const char *name, const char *errors)
{
    const bool escapes = strcmp(errors, "surrogateescape") == 0 || strcmp(errors, "strict") == 0;

    if (strcmp(name, "utf-8") == 0)
        return escapes ? TEXT_UTF8 : TEXT_UTF8_OTHERWISE;
    if (strcmp(name, "ascii") == 0)
        return escapes ? TEXT_ASCII : TEXT_ASCII_KNOWN;
    return strcmp(name, "iso8859-1") == 0 ? TEXT_ASCII_KNOWN : TEXT_NOT_KNOWN;
}

/* A str of the configuration; false if there is none. What is longer is cut. */
static bool configured(const struct python_api *api, const char *what, char name[NAME_SIZE])
{
    python_object *text = api->PyConfig_Get(what);
    if (!text) {
        api->PyErr_Clear();
        return false;
    }
    const python_size length =
        python_type(api, text) == api->PyUnicode_Type ? api->PyUnicode_GetLength(text) : 0;
    python_size i = 0;
    for (; i < length && i < NAME_SIZE - 1; i++) {
        const uint32_t character = api->PyUnicode_ReadChar(text, i);
        name[i] = '?';
        if (character < 0x80)
            name[i] = (char)character;
    }
    name[i] = '\0';
    api->Py_DecRef(text);
    return length > 0;
}

enum text_encoding text_encoding(const struct python_api *api)
{
    char name[NAME_SIZE];
    char errors[NAME_SIZE];

    /* Until its codecs are there an interpreter opens nothing but its own library. */
    if (api->filesystem_encoding && api->filesystem_errors)
        return *api->filesystem_encoding && *api->filesystem_errors
                   ? encoding_of(*api->filesystem_encoding, *api->filesystem_errors)
                   : TEXT_UTF8;
    if (!api->Py_IsInitialized())
        return TEXT_UTF8;
    if (!api->PyConfig_Get || !configured(api, "filesystem_encoding", name) ||
        !configured(api, "filesystem_errors", errors))
        return TEXT_NOT_KNOWN;
    return encoding_of(name, errors);
}
