#include "policies/engine/value.h"

bool value_is_marked_throughout(const struct value *value)
{
    if (value->marks)
        return true;
    if (value->kind != VALUE_LIST && value->kind != VALUE_MAP)
        return false;
    const size_t count = value->kind == VALUE_MAP ? 2 * (size_t)value->count : value->count;
    for (size_t i = 0; i < count; i++)
        if (value_is_marked_throughout(&value->items[i]))
            return true;
    return false;
}
