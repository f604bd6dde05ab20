#include "policies/engine/windows_operation.h"

#include <string.h>

#include "policies/engine/path_attribute.h"

/* Access rights of handles and keys (winnt.h). */
enum {
    FILE_READ_DATA_RIGHT = 0x1,
    FILE_WRITE_DATA_RIGHT = 0x2,
    FILE_APPEND_DATA_RIGHT = 0x4,
    FILE_WRITE_EA_RIGHT = 0x10,
    FILE_EXECUTE_RIGHT = 0x20,
    FILE_WRITE_ATTRIBUTES_RIGHT = 0x100,

    KEY_QUERY_VALUE_RIGHT = 0x1,
    KEY_SET_VALUE_RIGHT = 0x2,
    KEY_CREATE_SUB_KEY_RIGHT = 0x4,
    KEY_ENUMERATE_SUB_KEYS_RIGHT = 0x8,
    KEY_NOTIFY_RIGHT = 0x10,
    KEY_CREATE_LINK_RIGHT = 0x20,

    DELETE_RIGHT = 0x10000,
    WRITE_DAC_RIGHT = 0x40000,
    WRITE_OWNER_RIGHT = 0x80000,

    OPEN_EXISTING_DISPOSITION = 3,
};
static const uint32_t maximum_allowed = UINT32_C(0x02000000);
static const uint32_t generic_all = UINT32_C(0x10000000);
static const uint32_t generic_execute = UINT32_C(0x20000000);
static const uint32_t generic_write = UINT32_C(0x40000000);
static const uint32_t generic_read = UINT32_C(0x80000000);

/* Up to which minor version the event carries garbage for a name: the wide string was read with the
 * width of another (gh-119690). */
enum {
    CREATE_FILE_NAME_SINCE = 11,
    CREATE_NAMED_PIPE_NAME_SINCE = 13,
};

static struct value name_since(const struct mapper *mapper, uint8_t operand, int python_minor)
{
    if (mapper->resolver->python_minor < python_minor)
        return value_unknown();
    return value_as_text(mapper_argument(mapper, operand));
}

bool source_created_file(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct value name = name_since(mapper, operands[0], CREATE_FILE_NAME_SINCE);

    if (value_is_plain_text(&name))
        path_attribute_from_text(mapper, NULL, name.bytes, name.count, LAST_FOLLOWED, out);
    else
        path_attribute_unknown(mapper_argument(mapper, operands[0]), out);
    return true;
}

bool source_pipe_name(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct value name = name_since(mapper, operands[0], CREATE_NAMED_PIPE_NAME_SINCE);
    path_attribute_verbatim(&name, out);
    return true;
}

static bool starts(const struct value *text, const char *front)
{
    const size_t length = strlen(front);
    return text->count >= length && memcmp(text->bytes, front, length) == 0;
}

/* \\.\pipe\NAME, \\HOST\pipe\NAME, either with slashes: the third part says so. */
enum truth file_is_pipe(const struct mapper *mapper, const uint8_t *operands)
{
    const struct value name = name_since(mapper, operands[0], CREATE_FILE_NAME_SINCE);
    static const char pipe[] = "pipe";

    if (!value_is_plain_text(&name))
        return TRUTH_UNKNOWN;
    if (!starts(&name, "\\\\") && !starts(&name, "//"))
        return TRUTH_FALSE;
    uint32_t at = 2;
    while (at < name.count && name.bytes[at] != '\\' && name.bytes[at] != '/')
        at++;
    if (name.count - at < sizeof(pipe) + 1) /* a separator before and behind */
        return TRUTH_FALSE;
    for (size_t i = 0; i < sizeof(pipe) - 1; i++)
        if ((name.bytes[at + 1 + i] | 0x20) != pipe[i])
            return TRUTH_FALSE;
    const char behind = name.bytes[at + sizeof(pipe)];
    return behind == '\\' || behind == '/' ? TRUTH_TRUE : TRUTH_FALSE;
}

/* An access mask comes as any int that fits 32 bits, signed or not. */
static enum truth has_right(const struct value *access, uint32_t rights)
{
    int64_t number;

    if (!value_read_integer(access, &number))
        return TRUTH_UNKNOWN;
    return (uint32_t)((uint64_t)number & UINT32_MAX) & rights ? TRUTH_TRUE : TRUTH_FALSE;
}

static enum truth unless_pipe(const struct mapper *mapper, const uint8_t *operands,
                              enum truth truth)
{
    const enum truth other = (enum truth)(TRUTH_TRUE - file_is_pipe(mapper, operands));
    return truth < other ? truth : other;
}

enum truth file_is_read(const struct mapper *mapper, const uint8_t *operands)
{
    const uint32_t rights = generic_read | generic_all | generic_execute | maximum_allowed |
                            FILE_READ_DATA_RIGHT | FILE_EXECUTE_RIGHT;
    return unless_pipe(mapper, operands, has_right(mapper_argument(mapper, operands[1]), rights));
}

enum truth file_is_written(const struct mapper *mapper, const uint8_t *operands)
{
    const uint32_t rights = generic_write | generic_all | maximum_allowed | DELETE_RIGHT |
                            WRITE_DAC_RIGHT | WRITE_OWNER_RIGHT | FILE_WRITE_DATA_RIGHT |
                            FILE_APPEND_DATA_RIGHT | FILE_WRITE_EA_RIGHT |
                            FILE_WRITE_ATTRIBUTES_RIGHT;
    const enum truth by_right = has_right(mapper_argument(mapper, operands[1]), rights);
    enum truth creates = TRUTH_UNKNOWN;
    int64_t disposition;

    if (value_read_integer(mapper_argument(mapper, operands[2]), &disposition))
        creates = disposition != OPEN_EXISTING_DISPOSITION ? TRUTH_TRUE : TRUTH_FALSE;
    return unless_pipe(mapper, operands, by_right > creates ? by_right : creates);
}

/* What asks for nothing that changes a key reads it. */
enum truth key_is_read(const struct value *access)
{
    const uint32_t reads = generic_read | generic_all | generic_execute | maximum_allowed |
                           KEY_QUERY_VALUE_RIGHT | KEY_ENUMERATE_SUB_KEYS_RIGHT | KEY_NOTIFY_RIGHT;
    const enum truth writes = key_is_written(access);
    const enum truth by_right = has_right(access, reads);
    const enum truth otherwise = (enum truth)(TRUTH_TRUE - writes);
    return by_right > otherwise ? by_right : otherwise;
}

enum truth key_is_written(const struct value *access)
{
    return has_right(access, generic_write | generic_all | maximum_allowed | DELETE_RIGHT |
                                 WRITE_DAC_RIGHT | WRITE_OWNER_RIGHT | KEY_SET_VALUE_RIGHT |
                                 KEY_CREATE_SUB_KEY_RIGHT | KEY_CREATE_LINK_RIGHT);
}

/* Where there is no application name, the program is the first word of a command line that the
 * event carries as garbage. */
bool source_process_program(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct value *name = mapper_argument(mapper, operands[0]);

    if (value_is_plain_text(name))
        path_attribute_from_text(mapper, NULL, name->bytes, name->count, LAST_FOLLOWED, out);
    else
        path_attribute_unknown(name, out);
    return true;
}

static bool ends(const struct value *text, const char *suffix)
{
    const size_t length = strlen(suffix);

    if (text->count < length)
        return false;
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)text->bytes[text->count - length + i] | 0x20) !=
            ((unsigned char)suffix[i] | 0x20))
            return false;
    return true;
}

bool source_started_program(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct value *path = mapper_argument(mapper, operands[0]);

    if (value_is_plain_text(path) && (ends(path, ".exe") || ends(path, ".com")))
        path_attribute_from_text(mapper, NULL, path->bytes, path->count, LAST_FOLLOWED, out);
    else
        path_attribute_unknown(path, out);
    return true;
}

/* The C runtime joins the arguments with blanks and quotes nothing: one with a blank or a quote in
 * it arrives as something else. */
bool source_joined_arguments(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    out->value = value_as_texts(mapper, mapper_argument(mapper, operands[0]));
    if (out->value.kind != VALUE_LIST)
        return true;
    for (uint32_t i = 0; i < out->value.count; i++) {
        const struct value *word = &out->value.items[i];
        if (word->kind != VALUE_TEXT || word->count == 0 || memchr(word->bytes, ' ', word->count) ||
            memchr(word->bytes, '\t', word->count) || memchr(word->bytes, '"', word->count))
            out->value.marks |= VALUE_OPAQUE;
    }
    return true;
}

/* \\NAME, with or without the backslashes. */
bool source_computer(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    out->value = value_as_text(mapper_argument(mapper, operands[0]));
    while (out->value.kind == VALUE_TEXT && out->value.count > 0 && out->value.bytes[0] == '\\') {
        out->value.bytes++;
        out->value.count--;
    }
    return true;
}

/* The constants of winreg.h; any other key is a handle, and its name the kernel's to tell. */
static const char *root_name(const struct value *key)
{
    static const char *const roots[] = {"HKCR", "HKCU", "HKLM", "HKU", "HKPD", "HKCC"};
    const uint32_t first = UINT32_C(0x80000000);
    int64_t number;

    if (!value_read_integer(key, &number))
        return NULL;
    /* 0x80000002, or the same sign-extended: a handle has as many bits as a pointer. */
    const uint64_t bits = (uint64_t)number;
    if (bits >> 32 != 0 && bits >> 32 != UINT32_MAX)
        return NULL;
    const uint32_t root = (uint32_t)(bits & UINT32_MAX) - first;
    return root < sizeof(roots) / sizeof(*roots) ? roots[root] : NULL;
}

bool source_key(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    static const struct value none = {.kind = VALUE_NONE};
    const char *root = root_name(mapper_argument(mapper, operands[0]));
    const struct value *sub =
        operands[1] == MAPPING_NO_OPERAND ? &none : mapper_argument(mapper, operands[1]);

    path_attribute_unknown(sub, out);
    if (!root || (!value_is_none(sub) && !value_is_plain_text(sub)))
        return true;
    const size_t front = strlen(root);
    const size_t length = value_is_none(sub) ? 0 : sub->count;
    char *path = arena_alloc(mapper->arena, front + 1 + length);
    if (!path)
        return true;
    memcpy(path, root, front + 1);
    path[front] = '\\';
    if (length > 0)
        memcpy(path + front + 1, sub->bytes, length);
    out->value = value_text(path, length > 0 ? front + 1 + length : front);
    out->resolved = out->value;
    out->given = value_none();
    return true;
}
