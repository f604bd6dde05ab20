/* Invariants. An entry belongs to the interpreter whose address stands in it, and only threads that
 * hold that interpreter's lock change it or read its class; it becomes free when the address is
 * gone. One whose number is another's is of an interpreter that ended unseen (in a forked child,
 * CPython drops those of other threads): its class lies in memory that may be gone, and is not
 * touched. Entries are never unlinked, and no lock is taken: a fork in the middle leaves nothing
 * that its child would wait for. */
#include "client/hook/denial_class.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define FLAG_UNICODE (1UL << 28) /* Py_TPFLAGS_UNICODE_SUBCLASS, the same from 3.0 on */

enum {
    /* Include/typeslots.h, the same in every version. */
    SLOT_INIT = 60,
    SLOT_NEW = 65,
    METHOD_NO_ARGUMENTS = 4, /* METH_NOARGS */
};

/* PyMethodDef. */
struct method_definition {
    const char *name;
    python_object *(*function)(python_object *self, python_object *ignored);
    int flags;
    const char *doc;
};

struct entry {
    _Atomic(void *) interpreter; /* NULL: free */
    _Atomic int64_t number;      /* the interpreter's, used once: its address is used again */
    _Atomic(python_object *) class;
    struct entry *next;
};

static _Atomic(struct entry *) entries;

/* The API of whichever interpreter shows an exception: methods get no pointer of ours. */
static const struct python_api *_Atomic text_api;

/* str(): the sentence alone, without the "[Errno 13]" that OSError puts before it. What a program
 * makes by hand may have no sentence: that reads as any OSError does. */
static python_object *denial_text(python_object *self, python_object *ignored)
{
    const struct python_api *api = text_api;
    (void)ignored;
    python_object *text = api->PyObject_GetAttrString(self, "strerror");
    if (!text || (api->PyType_GetFlags(python_type(api, text)) & FLAG_UNICODE))
        return text;
    api->Py_DecRef(text);
    python_object *method =
        api->PyObject_GetAttrString(*(python_object **)api->PyExc_PermissionError, "__str__");
    text = method ? api->PyObject_CallFunctionObjArgs(method, self, NULL) : NULL;
    if (method)
        api->Py_DecRef(method);
    return text;
}

static struct method_definition text_method = {"__str__", denial_text, METHOD_NO_ARGUMENTS,
                                               "What was denied, by which rule, and why."};

static const char class_name[] = "warder.PolicyDenied";
static const char class_doc[] =
    "An operation that a policy of this host does not allow.\n\n"
    "A PermissionError with errno EACCES. Attributes, all str but the first; None in one that was\n"
    "made by hand:\n"
    "  errno        EACCES\n"
    "  operation    the operation class: 'exec'\n"
    "  event        the audit event: 'subprocess.Popen'\n"
    "  policy       the policy that denied: 'local/no-process'\n"
    "  rule         its rule, or 'default-exec'\n"
    "  decision_id  under which the record has it: '7f3a-12'\n"
    "  message      what the policy's author says about it\n"
    "str() gives the whole sentence.";

/* The slots of the class as it was made, the same in every interpreter: each has a lock of its own.
 * A changed __new__ or __init__ shows in them. */
static _Atomic(void *) made_new;
static _Atomic(void *) made_init;

/* What describe() of denial.c sets in each denial. */
static bool add_attributes(const struct python_api *api, python_object *dict)
{
    static const char *const names[] = {"operation", "event",       "policy",
                                        "rule",      "decision_id", "message"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (api->PyDict_SetItemString(dict, names[i], api->_Py_NoneStruct) < 0)
            return false;
    return true;
}

static python_object *make_class(const struct python_api *api)
{
    python_object *base = *(python_object **)api->PyExc_PermissionError;
    python_object *dict = api->PyDict_New();
    if (!dict)
        return NULL;
    text_api = api;
    python_object *method = api->PyDescr_NewMethod(base, &text_method);
    python_object *made = NULL;
    if (method && api->PyDict_SetItemString(dict, "__str__", method) == 0 &&
        add_attributes(api, dict))
        made = api->PyErr_NewExceptionWithDoc(class_name, class_doc, base, dict);
    if (method)
        api->Py_DecRef(method);
    api->Py_DecRef(dict);
    if (made) {
        made_new = api->PyType_GetSlot(made, SLOT_NEW);
        made_init = api->PyType_GetSlot(made, SLOT_INIT);
    }
    return made;
}

static struct entry *entry_of(const struct python_api *api, void *interpreter)
{
    const int64_t number = api->PyInterpreterState_GetID(interpreter);
    struct entry *entry = atomic_load(&entries);

    while (entry && atomic_load(&entry->interpreter) != interpreter)
        entry = entry->next;
    if (entry && atomic_load(&entry->number) != number) {
        atomic_store(&entry->class, NULL);
        atomic_store(&entry->number, number);
    }
    return entry;
}

/* Takes a free entry, or a new one, for the interpreter. False if there is no memory. */
static bool take_entry(void *interpreter)
{
    for (struct entry *entry = atomic_load(&entries); entry; entry = entry->next) {
        void *free_entry = NULL;
        if (atomic_compare_exchange_strong(&entry->interpreter, &free_entry, interpreter))
            return true;
    }
    struct entry *made = calloc(1, sizeof(*made));
    if (!made)
        return false;
    atomic_init(&made->interpreter, interpreter);
    atomic_init(&made->number, -1);
    made->next = atomic_load(&entries);
    while (!atomic_compare_exchange_weak(&entries, &made->next, made))
        ;
    return true;
}

python_object *denial_class(const struct python_api *api)
{
    void *interpreter = python_interpreter(api);
    struct entry *entry = entry_of(api, interpreter);
    python_object *class = entry ? atomic_load(&entry->class) : NULL;
    if (class)
        return class;
    python_object *made = make_class(api);
    if (!made)
        return NULL;
    /* Making it may have let another thread in, which made one too. */
    entry = entry_of(api, interpreter);
    if (!entry && take_entry(interpreter))
        entry = entry_of(api, interpreter);
    if (!entry) {
        api->Py_DecRef(made);
        api->PyErr_SetString(*(python_object **)api->PyExc_RuntimeError, "warder: out of memory");
        return NULL;
    }
    if (atomic_compare_exchange_strong(&entry->class, &class, made))
        return made;
    api->Py_DecRef(made);
    return class;
}

/* Slots are asked for of a class alone whose class is `type` itself: no metaclass is called. */
bool denial_class_is_intact(const struct python_api *api, python_object *class)
{
    return python_type(api, class) == api->PyType_Type &&
           api->PyType_GetSlot(class, SLOT_NEW) == made_new &&
           api->PyType_GetSlot(class, SLOT_INIT) == made_init;
}

/* Dropping the reference runs nothing: a class refers to itself, and goes by a collection. */
void denial_class_forget(const struct python_api *api)
{
    struct entry *entry = entry_of(api, python_interpreter(api));
    python_object *class = entry ? atomic_exchange(&entry->class, NULL) : NULL;

    if (class)
        api->Py_DecRef(class);
    if (entry) {
        atomic_store(&entry->number, -1);
        atomic_store(&entry->interpreter, NULL);
    }
}
