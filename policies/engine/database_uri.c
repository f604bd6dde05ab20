#include "policies/engine/database_uri.h"

#include <string.h>

#include "policies/engine/hexadecimal.h"
#include "policies/engine/path_attribute.h"
#include "policies/engine/path_text.h"

static const char scheme[] = "file:";

/* What is left of the text while it is read. */
struct reader {
    const char *at;
    const char *end;
};

struct options {
    bool mode_is_given;
    bool is_memory;
};

static bool begins_with(const struct reader *reader, const char *text)
{
    const size_t length = strlen(text);
    return (size_t)(reader->end - reader->at) >= length && memcmp(reader->at, text, length) == 0;
}

/* SQLite takes no other machine than this one. */
static bool skip_authority(struct reader *reader)
{
    static const char *const here[] = {"//localhost/", "///"};

    if (!begins_with(reader, "//"))
        return true;
    for (size_t i = 0; i < sizeof(here) / sizeof(*here); i++)
        if (begins_with(reader, here[i])) {
            reader->at += strlen(here[i]) - 1;
            return true;
        }
    return false;
}

/* SQLite ends the path at an encoded NUL, and takes `%` for itself where no digits follow: both are
 * left in doubt. What there is no room for is counted alone. */
static bool read_path(struct reader *reader, char *path, size_t room, size_t *length)
{
    *length = 0;
    while (reader->at < reader->end && *reader->at != '?' && *reader->at != '#') {
        char c = *reader->at++;
        if (c == '%') {
            if (reader->end - reader->at < 2)
                return false;
            const int high = hexadecimal_digit(reader->at[0]);
            const int low = hexadecimal_digit(reader->at[1]);
            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            reader->at += 2;
        }
        if (c == '\0')
            return false;
        if (*length < room)
            path[*length] = c;
        (*length)++;
    }
    return *length > 0;
}

static size_t length_until(const struct reader *reader, const char *separators)
{
    size_t length = 0;
    while (reader->at + length < reader->end && !strchr(separators, reader->at[length]))
        length++;
    return length;
}

static bool is_word(const char *text, size_t length, const char *word)
{
    return length == strlen(word) && memcmp(text, word, length) == 0;
}

/* `vfs` chooses who opens files, and what is not known here may come to mean anything. */
static bool take_option(const char *name, size_t name_length, const char *value,
                        size_t value_length, struct options *options)
{
    static const char *const harmless[] = {"cache", "immutable", "nolock", "psow"};

    if (is_word(name, name_length, "mode")) {
        const bool again = options->mode_is_given;
        options->mode_is_given = true;
        options->is_memory = is_word(value, value_length, "memory");
        return !again;
    }
    for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
        if (is_word(name, name_length, harmless[i]))
            return true;
    return false;
}

static bool read_options(struct reader *reader, struct options *options)
{
    if (reader->at == reader->end || *reader->at == '#')
        return true;
    do {
        reader->at++; /* `?` or `&` */
        const char *name = reader->at;
        const size_t name_length = length_until(reader, "=&#");
        reader->at += name_length;
        if (reader->at == reader->end || *reader->at != '=')
            return false;
        reader->at++;
        const char *value = reader->at;
        const size_t value_length = length_until(reader, "&#");
        reader->at += value_length;
        if (memchr(name, '%', name_length) || memchr(value, '%', value_length) ||
            !take_option(name, name_length, value, value_length, options))
            return false;
    } while (reader->at < reader->end && *reader->at == '&');
    return true;
}

static bool is_text(const struct value *value)
{
    return value->kind == VALUE_TEXT || value->kind == VALUE_BYTES;
}

static bool has_scheme(const struct value *value)
{
    const size_t length = sizeof(scheme) - 1;
    return is_text(value) && value->count >= length && memcmp(value->bytes, scheme, length) == 0;
}

/* False if it is not certain what the URI names. */
static bool read_uri(const struct value *uri, char *path, size_t room, size_t *length,
                     struct options *options)
{
    struct reader reader = {uri->bytes + sizeof(scheme) - 1, uri->bytes + uri->count};

    return !memchr(uri->bytes, '\0', uri->count) && skip_authority(&reader) &&
           read_path(&reader, path, room, length) && read_options(&reader, options);
}

static bool is_in_memory(const struct value *uri)
{
    static const char name[] = ":memory:";
    char path[sizeof(name)];
    size_t length;
    struct options options = {false, false};

    return value_is_plain_text(uri) && read_uri(uri, path, sizeof(path), &length, &options) &&
           (options.is_memory || (length < sizeof(path) && is_word(path, length, name)));
}

enum truth database_is_uri(const struct value *database)
{
    if (!is_text(database))
        return database->marks ? TRUTH_UNKNOWN : TRUTH_FALSE;
    return has_scheme(database) && !is_in_memory(database) ? TRUTH_TRUE : TRUTH_FALSE;
}

bool source_uri_path(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct value *database = mapper_argument(mapper, operands[0]);
    struct options options = {false, false};
    size_t length;

    path_attribute_unknown(database, out);
    if (mapper->windows || !has_scheme(database) || database->count >= PATH_TEXT_MAX)
        return true;
    char *path = arena_alloc(mapper->arena, database->count);
    if (!path || !read_uri(database, path, database->count, &length, &options))
        return true;
    const char *base = path[0] == '/' ? NULL : mapper_directory(mapper);
    path_attribute_from_text(mapper, base, path, length, LAST_FOLLOWED, out);
    /* The stored text of an object that may answer differently a second time. */
    out->value.marks |= database->marks;
    out->resolved.marks |= database->marks;
    return true;
}
