#include "policies/engine/hook_file.h"

#include <stdbool.h>
#include <string.h>

#include "policies/engine/path_text.h"

static bool is_action(const struct operation *operation, const char *const *actions)
{
    const struct attribute *action = operation_attribute(operation, ATTRIBUTE_ACTION);

    if (!action || action->value.kind != VALUE_TEXT)
        return true;
    for (; *actions; actions++)
        if (strlen(*actions) == action->value.count &&
            memcmp(*actions, action->value.bytes, action->value.count) == 0)
            return true;
    return false;
}

/* What matters of a directory: it is not empty, so it cannot be removed. */
static bool moves_directory(const struct operation *operation)
{
    static const char *const actions[] = {"rename", "chmod", "chown", "xattr", "flags", NULL};
    return is_action(operation, actions);
}

/* An event that opens a file whose name it cannot tell (a database of SQLite's by a URI or a Path)
 * is no attempt on this one: it would be denied under nearly every policy. Ring 2 sees what is
 * opened so (boundary_open). What only makes something new leaves a file alone that is there. */
static bool leaves_unknown_alone(const struct operation *operation)
{
    static const char *const actions[] = {"open", "create", "mkdir", "symlink", "socket", NULL};
    const struct attribute *action = operation_attribute(operation, ATTRIBUTE_ACTION);
    return action && action->value.kind == VALUE_TEXT && is_action(operation, actions);
}

static bool changes(const struct operation *operation, const char *path, size_t length)
{
    const struct attribute *attribute = operation_attribute(operation, ATTRIBUTE_PATH);

    if (operation->operation_class != CLASS_WRITE || !attribute)
        return false;
    const struct value *named = &attribute->resolved;
    if (named->kind == VALUE_NONE)
        return false;
    /* What a subclass of str stores is what is opened. */
    if ((named->kind != VALUE_TEXT && named->kind != VALUE_BYTES) ||
        (named->marks & (VALUE_CUT | VALUE_OPAQUE)))
        return !leaves_unknown_alone(operation);
    if (named->count == length && memcmp(named->bytes, path, length) == 0)
        return true;
    return path_is_under(path, length, named->bytes, named->count) && moves_directory(operation);
}

int hook_file_changed_by(const char *path, const struct event *event)
{
    const size_t length = strlen(path);

    for (uint32_t i = 0; i < event->operation_count; i++)
        if (changes(&event->operations[i], path, length))
            return (int)i;
    return HOOK_FILE_UNCHANGED;
}
