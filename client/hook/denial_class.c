/* Invariants. An entry belongs to the interpreter whose address stands in it; it becomes free when
 * the address is gone. One whose number is another's is of an interpreter that ended unseen (in a
 * forked child, CPython drops those of other threads): its class lies in memory that may be gone,
 * and is not touched. Entries are never unlinked. The table is changed and read by one thread at a
 * time, which waits for nothing and makes no object meanwhile: a turn, and not a lock, so that a
 * fork in the middle leaves nothing that its child would wait for. */
#include "client/hook/denial_class.h"

#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/hook/denial_of_call.h"

#define FLAG_UNICODE (1UL << 28) /* Py_TPFLAGS_UNICODE_SUBCLASS, the same from 3.0 on */

enum {
    /* Include/typeslots.h, the same in every version. */
    SLOT_INIT = 60,
    SLOT_NEW = 65,
    METHOD_NO_ARGUMENTS = 4, /* METH_NOARGS */

    TURN_ROUNDS_MAX = 100000, /* sched_yield()s, some 20 ms at least: a turn takes a microsecond */
};

/* PyMethodDef. */
struct method_definition {
    const char *name;
    python_object *(*function)(python_object *self, python_object *ignored);
    int flags;
    const char *doc;
};

struct entry {
    void *interpreter; /* NULL: free */
    int64_t number;    /* the interpreter's, used once: its address is used again */
    python_object *class;
    struct entry *next;
};

static struct entry *entries;
static _Atomic(pid_t) turn; /* the process whose thread has it: a forked child's is free */

/* False if it does not come: then there is no class. */
static bool turn_take(void)
{
    const pid_t self = getpid();

    for (int rounds = 0; rounds < TURN_ROUNDS_MAX; rounds++) {
        pid_t holder = atomic_load_explicit(&turn, memory_order_relaxed);
        if (holder != self && atomic_compare_exchange_strong(&turn, &holder, self))
            return true;
        sched_yield();
    }
    return false;
}

static void turn_end(void)
{
    atomic_store_explicit(&turn, 0, memory_order_release);
}

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

/* The slots of the class as it is made, the same in every interpreter: each has a lock of its own.
 * A changed __new__ or __init__ shows in them. */
static void *_Atomic made_new;
static void *_Atomic made_init;

/* What stands in the class's slot for the second; that one, where it is not ours. */
static void *_Atomic class_init;

/* An instance that denial_class_allocate() made is CPython's to fill in, and comes by here after
 * that. Others have not been filled in yet. */
static int initialise(python_object *self, python_object *args, python_object *keywords)
{
    int (*init)(python_object *, python_object *, python_object *);
    void *const original = made_init;

    if (denial_of_call_finish(self))
        return 0;
    __builtin_memcpy(&init, &original, sizeof(init));
    return init(self, args, keywords);
}

/* The class's allocator: for Python code that makes one by its name. */
static python_object *allocate_by_name(python_object *type, python_size items)
{
    python_object *instance = text_api->PyType_GenericAlloc(type, items);

    denial_of_call_made_by_name(instance);
    return instance;
}

/* Puts initialise() and allocate_by_name() into the class, if its slots are where they are in every
 * version so far. What stands in the first's. */
static void *replace_slots(const struct python_api *api, python_object *class)
{
    int (*const init)(python_object *, python_object *, python_object *) = initialise;
    python_object *(*const allocate)(python_object *, python_size) = allocate_by_name;
    python_object *(*const generic)(python_object *, python_size) = api->PyType_GenericAlloc;
    char *const init_place = (char *)class + python_type_slot_offset(api, TYPE_INIT);
    char *const allocator_place = (char *)class + python_type_slot_offset(api, TYPE_ALLOC);
    void *found;

    __builtin_memcpy(&found, init_place, sizeof(found));
    /* Pointers are compared. NOLINTNEXTLINE(bugprone-sizeof-expression) */
    if (found != api->PyType_GetSlot(class, SLOT_INIT) ||
        __builtin_memcmp(allocator_place, &generic, sizeof(generic)) != 0)
        return found;
    __builtin_memcpy(allocator_place, &allocate, sizeof(allocate));
    __builtin_memcpy(init_place, &init, sizeof(init));
    __builtin_memcpy(&found, &init, sizeof(init));
    return found;
}

/* What denial_describe() sets in each denial. */
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
        /* It has its base's, which nobody can change. 3.9 tells them of no class of C's. */
        python_object *source = api->minor >= 10 ? base : made;
        made_new = api->PyType_GetSlot(source, SLOT_NEW);
        made_init = api->PyType_GetSlot(source, SLOT_INIT);
        class_init = replace_slots(api, made);
    }
    return made;
}

/* Needs the turn, as do the two that follow. */
static struct entry *entry_of(const struct python_api *api, void *interpreter)
{
    const int64_t number = api->PyInterpreterState_GetID(interpreter);
    struct entry *entry = entries;

    while (entry && entry->interpreter != interpreter)
        entry = entry->next;
    if (entry && entry->number != number) {
        entry->class = NULL;
        entry->number = number;
    }
    return entry;
}

/* The interpreter's entry; a free one, or a new one, if it has none. NULL if there is no memory. */
static struct entry *take_entry(const struct python_api *api, void *interpreter)
{
    struct entry *entry = entry_of(api, interpreter);

    if (entry)
        return entry;
    entry = entries;
    while (entry && entry->interpreter)
        entry = entry->next;
    if (!entry) {
        entry = calloc(1, sizeof(*entry));
        if (!entry)
            return NULL;
        entry->next = entries;
        entries = entry;
    }
    entry->interpreter = interpreter;
    entry->number = api->PyInterpreterState_GetID(interpreter);
    entry->class = NULL;
    return entry;
}

/* What is known of the interpreter's class. False if the turn does not come. */
static bool find_class(const struct python_api *api, python_object **class)
{
    if (!turn_take())
        return false;
    const struct entry *entry = entry_of(api, python_interpreter(api));
    *class = entry ? entry->class : NULL;
    turn_end();
    return true;
}

/* The class that another thread has made meanwhile, or else this one. NULL if it cannot be noted.
 */
static python_object *note_class(const struct python_api *api, python_object *made)
{
    if (!turn_take())
        return NULL;
    struct entry *entry = take_entry(api, python_interpreter(api));
    if (entry && !entry->class)
        entry->class = made;
    python_object *class = entry ? entry->class : NULL;
    turn_end();
    return class;
}

python_object *denial_class(const struct python_api *api)
{
    python_object *class = NULL;

    if (find_class(api, &class) && class)
        return class;
    python_object *made = make_class(api);
    if (!made)
        return NULL;
    class = note_class(api, made);
    if (class != made)
        api->Py_DecRef(made);
    if (!class)
        api->PyErr_SetString(*(python_object **)api->PyExc_RuntimeError, "warder: out of memory");
    return class;
}

python_object *denial_class_instance(const struct python_api *api, python_object *class,
                                     python_object *number, python_object *text)
{
    python_object *(*new_instance)(python_object *, python_object *, python_object *);
    int (*init)(python_object *, python_object *, python_object *);
    python_object *args = api->PyTuple_Pack(2, number, text);

    if (!args)
        return NULL;
    /* ISO C converts no pointer to a function. */
    void *const slots[] = {made_new, made_init};
    __builtin_memcpy(&new_instance, &slots[0], sizeof(new_instance));
    __builtin_memcpy(&init, &slots[1], sizeof(init));
    python_object *instance = new_instance(class, args, NULL);
    if (instance && init(instance, args, NULL) < 0) {
        api->Py_DecRef(instance);
        instance = NULL;
    }
    api->Py_DecRef(args);
    return instance;
}

/* Slots are asked for of a class alone whose class is `type` itself: no metaclass is called. */
bool denial_class_is_intact(const struct python_api *api, python_object *class)
{
    if (python_type(api, class) != api->PyType_Type ||
        api->PyType_GetSlot(class, SLOT_NEW) != made_new)
        return false;
    /* The second, once Python code has given it an __init__ and taken it away again. */
    const void *const init = api->PyType_GetSlot(class, SLOT_INIT);
    return init == class_init || init == made_init;
}

bool denial_class_tells_calls(const struct python_api *api, python_object *class)
{
    return class_init != made_init && denial_class_is_intact(api, class) &&
           api->PyType_GetSlot(class, SLOT_INIT) == class_init;
}

/* Dropping the reference runs nothing: a class refers to itself, and goes by a collection. */
void denial_class_forget(const struct python_api *api)
{
    python_object *class = NULL;

    if (!turn_take())
        return;
    struct entry *entry = entry_of(api, python_interpreter(api));
    if (entry) {
        class = entry->class;
        *entry = (struct entry){.number = -1, .next = entry->next};
    }
    turn_end();
    if (class)
        api->Py_DecRef(class);
}
