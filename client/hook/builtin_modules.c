/* Functions of the table get no argument, so there is one for each entry that may be. An entry is
 * given out once and never changed: interpreters with a lock of their own read them at once. */
#include "client/hook/builtin_modules.h"

#include <string.h>

#include "client/hook/event_table.h"

enum {
    MODULES_MAX = 256, /* a static build of everything has half as many */
    NAME_SIZE = 48,
};

typedef python_object *module_function(void);

/* struct _inittab. */
struct table_entry {
    const char *name;
    module_function *make;
};

struct guarded_module {
    struct runtime *runtime;
    const char *name;
    module_function *make;
};

static struct guarded_module modules[MODULES_MAX];
static size_t module_count;

/* Reached without the loader's help, as in denial.c. */
static _Thread_local char noted[NAME_SIZE] __attribute__((tls_model("initial-exec")));

void builtin_modules_note(const struct event *event)
{
    const struct value *name = &event->arguments[0];

    noted[0] = '\0';
    if (event->argument_count == 0 || name->kind != VALUE_TEXT || name->marks ||
        name->count >= NAME_SIZE || memchr(name->bytes, '\0', name->count))
        return;
    memcpy(noted, name->bytes, name->count);
    noted[name->count] = '\0';
}

void builtin_modules_forget(void)
{
    noted[0] = '\0';
}

static python_object *make(size_t number)
{
    const struct guarded_module *module = &modules[number];
    const struct runtime *runtime = module->runtime;
    python_object *none = runtime->api._Py_NoneStruct;

    /* While the interpreter starts, nothing runs but its own code. Where imports are skipped, none
     * is noted, and it would be announced twice. */
    if ((runtime->started || runtime->late) && strcmp(noted, module->name) != 0 &&
        !event_table_skips("import") &&
        runtime->api.PySys_Audit("import", "sOOOO", module->name, none, none, none, none) < 0)
        return NULL;
    return module->make();
}

#define FUNCTION(digits)                                                                           \
    static python_object *make_##digits(void)                                                      \
    {                                                                                              \
        return make(0x##digits);                                                                   \
    }
#define NAME(digits) make_##digits,
#define SIXTEEN(WHAT, digit)                                                                       \
    WHAT(digit##0)                                                                                 \
    WHAT(digit##1)                                                                                 \
    WHAT(digit##2)                                                                                 \
    WHAT(digit##3)                                                                                 \
    WHAT(digit##4)                                                                                 \
    WHAT(digit##5)                                                                                 \
    WHAT(digit##6)                                                                                 \
    WHAT(digit##7)                                                                                 \
    WHAT(digit##8)                                                                                 \
    WHAT(digit##9)                                                                                 \
    WHAT(digit##a)                                                                                 \
    WHAT(digit##b)                                                                                 \
    WHAT(digit##c)                                                                                 \
    WHAT(digit##d)                                                                                 \
    WHAT(digit##e)                                                                                 \
    WHAT(digit##f)
#define ALL(WHAT)                                                                                  \
    SIXTEEN(WHAT, 0)                                                                               \
    SIXTEEN(WHAT, 1)                                                                               \
    SIXTEEN(WHAT, 2)                                                                               \
    SIXTEEN(WHAT, 3)                                                                               \
    SIXTEEN(WHAT, 4)                                                                               \
    SIXTEEN(WHAT, 5)                                                                               \
    SIXTEEN(WHAT, 6)                                                                               \
    SIXTEEN(WHAT, 7)                                                                               \
    SIXTEEN(WHAT, 8)                                                                               \
    SIXTEEN(WHAT, 9)                                                                               \
    SIXTEEN(WHAT, a)                                                                               \
    SIXTEEN(WHAT, b)                                                                               \
    SIXTEEN(WHAT, c)                                                                               \
    SIXTEEN(WHAT, d)                                                                               \
    SIXTEEN(WHAT, e)                                                                               \
    SIXTEEN(WHAT, f)

ALL(FUNCTION)
static module_function *const functions[MODULES_MAX] = {ALL(NAME)};

static bool is_ours(module_function *function)
{
    for (size_t i = 0; i < module_count; i++)
        if (functions[i] == function)
            return true;
    return false;
}

/* The function to put in an entry's place: that of the interpreter's last life, if there was one.
 * NULL if there is none left. */
static module_function *guard(struct runtime *runtime, const struct table_entry *entry)
{
    for (size_t i = 0; i < module_count; i++)
        if (modules[i].runtime == runtime && modules[i].make == entry->make &&
            strcmp(modules[i].name, entry->name) == 0)
            return functions[i];
    if (module_count == MODULES_MAX)
        return NULL;
    modules[module_count] =
        (struct guarded_module){.runtime = runtime, .name = entry->name, .make = entry->make};
    return functions[module_count++];
}

bool builtin_modules_guard(struct runtime *runtime)
{
    struct table_entry *entry = *(struct table_entry **)runtime->api.PyImport_Inittab;

    for (; entry && entry->name; entry++) {
        /* sys and builtins have none, and the hook's own looks at who calls it. */
        if (!entry->make || is_ours(entry->make) || strcmp(entry->name, "warder") == 0)
            continue;
        module_function *function = guard(runtime, entry);
        if (!function)
            return false;
        entry->make = function;
    }
    return true;
}
