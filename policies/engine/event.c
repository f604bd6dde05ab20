#include "policies/engine/event.h"

const struct attribute *operation_attribute(const struct operation *operation,
                                            enum attribute_name name)
{
    for (uint32_t i = 0; i < operation->attribute_count; i++)
        if (operation->attributes[i].name == name)
            return &operation->attributes[i];
    return NULL;
}
