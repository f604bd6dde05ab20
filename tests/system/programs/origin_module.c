/* An extension module that needs a library beside it. As the hook, it is built without Python.h:
 * for every CPython with a lock. */
#include <stddef.h>

typedef struct object object; /* PyObject */

/* PyModuleDef, as Include/moduleobject.h has had it since 3.5. */
struct module_definition {
    ptrdiff_t references;
    object *type;
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

extern object *PyModule_Create2(struct module_definition *definition, int version);
extern int PyModule_AddIntConstant(object *module, const char *name, long number);
extern int needed_number(void);

enum {
    ABI_VERSION = 3, /* PYTHON_ABI_VERSION */
};

object *PyInit_origin_module(void);
object *PyInit_origin_module(void)
{
    static struct module_definition definition = {
        .references = 1, .name = "origin_module", .size = -1};
    object *module = PyModule_Create2(&definition, ABI_VERSION);

    if (module && PyModule_AddIntConstant(module, "number", needed_number()) < 0)
        return NULL;
    return module;
}
