/* An extension module that needs a library beside it. As the hook, it is built without Python.h:
 * for every CPython, with a lock and without. */
#include <stddef.h>
#include <string.h>

typedef struct object object; /* PyObject */

/* PyModuleDef behind its head, as Include/moduleobject.h has had it since 3.5. */
struct module_definition {
    object *(*init)(void);
    ptrdiff_t index;
    object *copy;
    const char *name;
    const char *doc;
    ptrdiff_t size;
    void *methods;
    void *slots;
    void *traverse;
    void *clear;
    void *free;
};

/* The whole, its head at the end of the room for one: 16 bytes, without the lock 32. */
struct headed_definition {
    char head[32];
    struct module_definition definition;
};

extern object *PyModule_Create2(void *definition, int version);
extern const char *Py_GetVersion(void);
extern int PyModule_AddIntConstant(object *module, const char *name, long number);
extern int needed_number(void);

enum {
    ABI_VERSION = 3, /* PYTHON_ABI_VERSION */
};

object *PyInit_origin_module(void);
object *PyInit_origin_module(void)
{
    static struct headed_definition made = {.definition = {.name = "origin_module", .size = -1}};
    const size_t head_size = strstr(Py_GetVersion(), "free-threading") ? 32 : 16;
    object *module = PyModule_Create2((char *)&made.definition - head_size, ABI_VERSION);

    if (module && PyModule_AddIntConstant(module, "number", needed_number()) < 0)
        return NULL;
    return module;
}
