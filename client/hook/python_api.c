#include "client/hook/python_api.h"

#include <string.h>

/* "3.11.7 (main, ...)" and "3.13.0rc1 ...": the number goes up to the first character that is no
 * part of it. */
static bool read_version(struct python_api *api)
{
    const char *text = api->Py_GetVersion();
    size_t length = 0;

    while (length < sizeof(api->version) - 1 &&
           ((text[length] >= '0' && text[length] <= '9') || text[length] == '.'))
        length++;
    memcpy(api->version, text, length);
    api->version[length] = '\0';
    if (strncmp(api->version, "3.", 2) != 0)
        return false;
    for (const char *digit = api->version + 2; *digit >= '0' && *digit <= '9'; digit++)
        api->minor = api->minor * 10 + (*digit - '0');
    api->free_threaded = strstr(text, "free-threading") != NULL;
    return api->minor >= 8;
}

/* True is an object whose type is known before anything is initialised: the linker put it there. */
static bool measure_layout(struct python_api *api)
{
    for (size_t offset = 0; offset <= 64; offset += sizeof(void *)) {
        const void *word;
        memcpy(&word, (const char *)api->_Py_TrueStruct + offset, sizeof(word));
        if (word == api->PyBool_Type) {
            api->type_offset = offset;
            api->head_size = offset + sizeof(void *);
            return true;
        }
    }
    return false;
}

/* An object or a variable: the program's copy, where it has one. */
static void *data_symbol(const struct elf_object *program, const struct elf_object *object,
                         const char *name)
{
    void *copy = program ? elf_symbol(program, name) : NULL;
    return copy ? copy : elf_symbol(object, name);
}

/* PyExc_* are variables that hold the type; the types themselves are the objects. Exceptions are
 * set up when the interpreter starts, so these are read when they are needed. */
bool python_api_load(struct python_api *api, const struct elf_object *object)
{
    struct elf_object program;

    memset(api, 0, sizeof(*api));
    if (!elf_program(&program))
        return false;
    /* A program that holds an interpreter of its own has nothing to say about another's data. */
    const bool copies = !elf_symbol(&program, "PySys_AddAuditHook");
#define OPTIONAL(result, name, arguments)                                                          \
    {                                                                                              \
        void *address = elf_symbol(object, #name);                                                 \
        memcpy(&api->name, &address,                                                               \
               sizeof(address)); /* ISO C converts no pointer to a function */                     \
    }
#define REQUIRED(result, name, arguments)                                                          \
    OPTIONAL(result, name, arguments)                                                              \
    if (!api->name)                                                                                \
        return false;
#define DATA(name)                                                                                 \
    api->name = data_symbol(copies ? &program : NULL, object, #name);                              \
    if (!api->name)                                                                                \
        return false;
    PYTHON_API(REQUIRED, OPTIONAL, DATA)
#undef REQUIRED
#undef OPTIONAL
#undef DATA
    api->filesystem_encoding =
        data_symbol(copies ? &program : NULL, object, "Py_FileSystemDefaultEncoding");
    api->filesystem_errors =
        data_symbol(copies ? &program : NULL, object, "Py_FileSystemDefaultEncodeErrors");
    const struct elf_object *holder = &program;
    if (!copies || !(api->runtime = elf_symbol(&program, "_PyRuntime"))) {
        api->runtime = elf_symbol(object, "_PyRuntime");
        holder = object;
    }
    if (api->runtime)
        api->runtime_size = holder->end - (uintptr_t)api->runtime;
    if (!api->_PyThreadState_UncheckedGet && !api->PyThreadState_GetUnchecked)
        return false;
    if (!api->_PyInterpreterState_Get && !api->PyInterpreterState_Get)
        return false;
    return read_version(api) && measure_layout(api);
}

void *python_thread(const struct python_api *api)
{
    return api->PyThreadState_GetUnchecked ? api->PyThreadState_GetUnchecked()
                                           : api->_PyThreadState_UncheckedGet();
}

void *python_interpreter(const struct python_api *api)
{
    return api->PyInterpreterState_Get ? api->PyInterpreterState_Get()
                                       : api->_PyInterpreterState_Get();
}
