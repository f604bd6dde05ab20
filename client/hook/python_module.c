#define _GNU_SOURCE
#include "client/hook/python_module.h"

#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "client/hook/argument_reader.h"
#include "client/hook/denial_class.h"
#include "client/hook/hook_session.h"
#include "client/hook/own_pages.h"
#include "client/hook/work_memory.h"

enum {
    /* Include/methodobject.h, moduleobject.h: the same in every version that has them. */
    METHOD_VARARGS_KEYWORDS = 0x1 | 0x2,
    SLOT_EXEC = 2,
    SLOT_MULTIPLE_INTERPRETERS = 3, /* from 3.12 */
    SLOT_GIL = 4,                   /* from 3.13 */
    ATTACH_LIST_MAX = 32,           /* policies and labels that attach() takes */
    HEAD_SIZE = 16,                 /* PyObject_HEAD */
    FREE_THREADED_HEAD_SIZE = 32,   /* the same in free-threaded builds */
};

/* PyMethodDef, PyModuleDef_Slot, PyModuleDef. */
struct function_definition {
    const char *name;
    python_object *(*function)(python_object *self, python_object *args, python_object *keywords);
    int flags;
    const char *doc;
};

struct module_slot {
    int slot;
    void *value;
};

/* The definition begins where its head does: at the end of the room for one. */
struct module_definition {
    _Alignas(void *) char head[FREE_THREADED_HEAD_SIZE];
    python_object *(*init)(void);
    python_size index;
    python_object *copy;
    const char *name;
    const char *doc;
    python_size size;
    struct function_definition *functions;
    struct module_slot *slots;
    void *traverse;
    void *clear;
    void *free;
};

/* CPython calls these functions and gives them nothing of ours: which of them calls shows in where
 * the call comes from. */
static struct runtime *calling_runtime(const void *return_address)
{
    struct elf_object object;

    if (!elf_find_holder((uintptr_t)return_address, &object) ||
        !elf_symbol(&object, "PySys_AddAuditHook"))
        return NULL;
    return runtime_of(&object);
}

/* --------------------------------------------------------------------------------------- attach()
 */

/* A sequence of str as message fields. */
static bool read_names(const struct value *list, ProtobufCBinaryData *names, size_t *count)
{
    if (list->kind != VALUE_LIST || list->count > ATTACH_LIST_MAX || list->marks)
        return false;
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i].kind != VALUE_TEXT || list->items[i].marks)
            return false;
        names[i] = bytes_field(list->items[i].bytes, list->items[i].count);
    }
    *count = list->count;
    return true;
}

static bool read_labels(const struct value *map, Warder__V1__Label *labels,
                        Warder__V1__Label **pointers, size_t *count)
{
    if (map->kind == VALUE_NONE)
        return true;
    if (map->kind != VALUE_MAP || map->count > ATTACH_LIST_MAX || map->marks)
        return false;
    for (uint32_t i = 0; i < map->count; i++) {
        const struct value *name = &map->items[2 * (size_t)i];
        const struct value *value = name + 1;
        if (name->kind != VALUE_TEXT || value->kind != VALUE_TEXT || name->marks || value->marks)
            return false;
        warder__v1__label__init(&labels[i]);
        labels[i].name = bytes_field(name->bytes, name->count);
        labels[i].value = bytes_field(value->bytes, value->count);
        pointers[i] = &labels[i];
    }
    *count = map->count;
    return true;
}

static python_object *fail(const struct python_api *api, python_object *type, const char *text)
{
    api->PyErr_SetString(*(python_object **)type, text);
    return NULL;
}

static python_object *start_session(struct runtime *runtime, const char *socket_path,
                                    const Warder__V1__Wishes *wishes)
{
    const struct python_api *api = &runtime->api;
    const bool was_live = hook_session_is_live();
    struct session_failure failure;
    char text[sizeof(failure.text) + 32];
    const struct session_request request = {
        .python_version = api->version,
        .route = WARDER__V1__HOOK_ROUTE__HOOK_ROUTE_ATTACH,
        .socket_path = socket_path,
        .wishes = wishes,
    };

    own_pages_seal();
    /* The daemon may take its time; other threads go on. */
    void *thread = api->PyEval_SaveThread();
    const bool started = hook_session_start(&request, &failure);
    api->PyEval_RestoreThread(thread);
    if (!started) {
        snprintf(text, sizeof(text), "warder: %s", failure.text);
        return fail(api, api->PyExc_ConnectionError, text);
    }
    if (!audit_hook_install(runtime) || !audit_hook_verify(runtime)) {
        runtime->hooked = false;
        if (!was_live)
            hook_session_abandon();
        return fail(api, api->PyExc_RuntimeError,
                    "warder: the audit hook did not go in: an earlier hook of this interpreter "
                    "refused it. Nothing is guarded.");
    }
    api->Py_IncRef(api->_Py_NoneStruct);
    return api->_Py_NoneStruct;
}

static python_object *attach_with(struct runtime *runtime, python_object *args,
                                  python_object *keywords, void *memory)
{
    static char *names[] = {"socket", "policies", "labels", NULL};
    const struct python_api *api = &runtime->api;
    const char *socket_path = NULL;
    python_object *policies = NULL;
    python_object *labels = NULL;
    Warder__V1__Wishes wishes = WARDER__V1__WISHES__INIT;
    ProtobufCBinaryData policy_names[ATTACH_LIST_MAX];
    Warder__V1__Label label_messages[ATTACH_LIST_MAX];
    Warder__V1__Label *label_pointers[ATTACH_LIST_MAX];
    struct arena arena;

    if (!api->PyArg_ParseTupleAndKeywords(args, keywords, "|zOO:attach", names, &socket_path,
                                          &policies, &labels))
        return NULL;
    arena_init(&arena, memory, WORK_MEMORY_SIZE);
    struct argument_reader reader = {.api = api, .arena = &arena};
    const struct value policy_list =
        policies ? argument_read(&reader, policies) : (struct value){.kind = VALUE_LIST};
    const struct value label_map = labels ? argument_read(&reader, labels) : value_none();
    wishes.policy_names = policy_names;
    wishes.labels = label_pointers;
    if (!read_names(&policy_list, policy_names, &wishes.n_policy_names) ||
        !read_labels(&label_map, label_messages, label_pointers, &wishes.n_labels))
        return fail(
            api, api->PyExc_TypeError,
            "warder: policies is a list or tuple of str, labels a dict of str to str, 32 at "
            "most");
    if (hook_session_is_live() && (wishes.n_policy_names > 0 || wishes.n_labels > 0))
        return fail(api, api->PyExc_RuntimeError,
                    "warder: this process is attached already; policies and labels can be named "
                    "only when a session starts");
    return start_session(runtime, socket_path, &wishes);
}

static python_object *attach_once(struct runtime *runtime, python_object *args,
                                  python_object *keywords)
{
    void *memory = work_memory_take();

    if (!memory)
        return fail(&runtime->api, runtime->api.PyExc_RuntimeError,
                    "warder: out of memory; nothing is guarded");
    python_object *result = attach_with(runtime, args, keywords, memory);
    work_memory_return(memory);
    return result;
}

static python_object *attach(python_object *self, python_object *args, python_object *keywords)
{
    /* The process that a thread is attaching: a forked child inherits the word, not the thread. */
    static pid_t attaching;
    const pid_t self_process = getpid();
    struct runtime *runtime = calling_runtime(__builtin_return_address(0));

    (void)self;
    if (!runtime)
        return NULL; /* nothing to raise it with: CPython makes a SystemError of this */
    /* Going in raises an event: an earlier hook of Python's may call this once more, or let another
     * thread do it, and the hook would be in twice. */
    if (__atomic_exchange_n(&attaching, self_process, __ATOMIC_ACQUIRE) == self_process)
        return fail(&runtime->api, runtime->api.PyExc_RuntimeError,
                    "warder: attach() is under way already, in another thread or in an audit hook");
    python_object *result = attach_once(runtime, args, keywords);
    __atomic_store_n(&attaching, 0, __ATOMIC_RELEASE);
    return result;
}

/* ---------------------------------------------------------------------------------------- module
 */

static const char module_doc[] =
    "Warder enforces this host's policy inside this interpreter.\n\n"
    "attach()       puts the interpreter under the host's policy, for good\n"
    "PolicyDenied   what a denied operation raises: a PermissionError";

static struct function_definition functions[] = {
    {"attach", attach, METHOD_VARARGS_KEYWORDS,
     "attach(socket=None, policies=(), labels=None)\n--\n\n"
     "Put this interpreter under the policy of the host, for the rest of its life.\n\n"
     "socket    path of the daemon's session socket, a str, if not the host's; what the\n"
     "          variable WARDER_SOCKET names else, where the interpreter was started with it\n"
     "policies  names of stored policies that shall govern too: they can only narrow\n"
     "labels    dict of names to values that policies may select on\n\n"
     "Once it has returned, every thread and sub-interpreter is under policy, and so are\n"
     "forked children; programs that are started are not, unless the host preloads Warder.\n\n"
     "It judges what raises an audit event, and nothing else: it is for programs that play by\n"
     "the rules. Warder does not stand before libc then, so what raises no event starts\n"
     "programs all the same (_posixsubprocess.fork_exec, Tcl, addresses by ctypes), and the\n"
     "kernel holds nothing: no floor is taken. A policy whose floor is `required` is refused\n"
     "with ConnectionError. `warder run` has all three.\n\n"
     "Raises ConnectionError if no daemon answers or the daemon refuses the process (a\n"
     "policy that it does not have, too many sessions), RuntimeError if the hook did not\n"
     "really go in, which an earlier audit hook can bring about. Nothing is guarded then,\n"
     "and it can be tried again: a program that must not run unguarded lets these end it.\n\n"
     "Does nothing if the interpreter is attached already; RuntimeError if policies or\n"
     "labels are named then, because the session has begun without them."},
    {NULL, NULL, 0, NULL},
};

static int module_exec(python_object *module)
{
    struct runtime *runtime = calling_runtime(__builtin_return_address(0));
    if (!runtime)
        return -1;
    const struct python_api *api = &runtime->api;
    python_object *class = denial_class(api);
    python_object *version = api->PyUnicode_FromString(WARDER_VERSION);

    if (!class || !version)
        return -1;
    api->Py_IncRef(class); /* PyModule_AddObject takes one */
    if (api->PyModule_AddObject(module, "PolicyDenied", class) < 0 ||
        api->PyModule_AddObject(module, "__version__", version) < 0)
        return -1;
    return 0;
}

/* What is written here is the same each time: interpreters with locks of their own may be in here
 * at once. */
static python_object *module_init(struct runtime *runtime, const char *name)
{
    /* What the version does not know comes behind the end. */
    static struct module_slot slots[] = {
        {SLOT_EXEC, NULL},
        {SLOT_MULTIPLE_INTERPRETERS, (void *)2}, /* Py_MOD_PER_INTERPRETER_GIL_SUPPORTED */
        {SLOT_GIL, (void *)1}, /* Py_MOD_GIL_NOT_USED: without it a free-threaded build takes up its
                                  lock again, for good */
        {0, NULL},
    };
    /* Builtin and extension; CPython keeps an index in each. */
    static struct module_definition definitions[2];
    struct module_definition *definition = &definitions[strcmp(name, "warder") == 0];

    slots[0].value = (void *)(uintptr_t)module_exec;
    if (runtime->api.minor < 13)
        slots[2].slot = 0;
    if (runtime->api.minor < 12)
        slots[1].slot = 0;
    definition->doc = module_doc;
    definition->functions = functions;
    definition->slots = slots;
    definition->name = name;
    return runtime->api.PyModuleDef_Init((char *)&definition->init - runtime->api.head_size);
}

static bool has_known_layout(const struct runtime *runtime)
{
    return runtime->api.head_size ==
           (runtime->api.free_threaded ? FREE_THREADED_HEAD_SIZE : HEAD_SIZE);
}

static python_object *builtin_init(void)
{
    struct runtime *runtime = calling_runtime(__builtin_return_address(0));
    return runtime && has_known_layout(runtime) ? module_init(runtime, "warder") : NULL;
}

void python_module_register(struct runtime *runtime)
{
    if (has_known_layout(runtime))
        runtime->api.PyImport_AppendInittab("warder", builtin_init);
}

/* What the import system calls in warder/_hook.so. */
python_object *PyInit__hook(void);
__attribute__((visibility("default"))) python_object *PyInit__hook(void)
{
    struct runtime *runtime = calling_runtime(__builtin_return_address(0));
    return runtime && has_known_layout(runtime) ? module_init(runtime, "warder._hook") : NULL;
}
