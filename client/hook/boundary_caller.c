#include "client/hook/boundary_caller.h"

#include <stdint.h>

#include "client/hook/elf_symbols.h"

bool boundary_is_asked_by_python(const void *address, const char *initializer)
{
    struct elf_object object;

    return !elf_find_holder((uintptr_t)address, &object) ||
           elf_symbol(&object, "PySys_AddAuditHook") || elf_symbol(&object, initializer);
}
