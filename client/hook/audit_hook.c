/* The way of an event: looked up, perhaps settled here, read, mapped to operations, asked,
 * answered.
 *
 * The verdict is deny until an authentic answer says otherwise, and every path through here that
 * could not ask ends in denial. No lock of ours is held, and no connection borrowed, while
 * CPython's lock is awaited: CPython may end the thread there. */
#define _GNU_SOURCE
#include "client/hook/audit_hook.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "client/hook/argument_reader.h"
#include "client/hook/boundary_change.h"
#include "client/hook/boundary_continuation.h"
#include "client/hook/boundary_fork.h"
#include "client/hook/boundary_native.h"
#include "client/hook/boundary_refusal.h"
#include "client/hook/builtin_modules.h"
#include "client/hook/denial.h"
#include "client/hook/denial_class.h"
#include "client/hook/event_name.h"
#include "client/hook/event_table.h"
#include "client/hook/fatal.h"
#include "client/hook/hook_session.h"
#include "client/hook/name_lookup.h"
#include "client/hook/process_resolver.h"
#include "client/hook/record_batch.h"
#include "client/hook/session_terms.h"
#include "client/hook/settled_policy.h"
#include "client/hook/work_memory.h"
#include "policies/catalogue/catalogue.h"
#include "policies/engine/event_map.h"

enum {
    RUNTIMES_MAX = 4,
    ARGUMENTS_FORWARDED_MAX = 32, /* of an event that the catalogue does not know */
    MEMORY_DOMAIN_RAW = 0,        /* PYMEM_DOMAIN_RAW */
    RUNTIME_SIZE_MAX = 1 << 20,   /* of _PyRuntime: 3.12 has 460,000 bytes */
};

static const char verify_event[] = "warder.verify";
static const char clear_event[] = "cpython._PySys_ClearAuditHooks";
static const char ending_event[] = "cpython.PyInterpreterState_Clear";
static const char import_event[] = "import";
static const char new_event[] = "cpython.PyInterpreterState_New";

static struct runtime runtimes[RUNTIMES_MAX];

/* ------------------------------------------------------------------------------------- judgement
 */

/* The C boundary judges the rest of what has been allowed here. */
static void note_allowed(const struct event *event)
{
    name_lookup_note_event(event);
    boundary_native_allowed(event);
    boundary_change_allowed(event);
}

/* What this process decides without the daemon: only "allowed" can come from here, and everything
 * else is asked. So are programs and forks, whose decision the C boundary continues; and what has a
 * record and is seen there again, for the two are one decision. */
static bool settled_here(const struct event *event, const struct event_entry *entry,
                         bool seen_again, struct arena *arena)
{
    const uint32_t continued = UINT32_C(1) << CLASS_EXEC | UINT32_C(1) << CLASS_FORK;
    const uint32_t classes = entry ? entry->classes : 0;
    bool settled = false;

    if (classes & continued)
        return false;
    switch (settled_policy_judge(event)) {
    case SETTLED_SILENTLY:
        settled = true;
        break;
    case SETTLED_RECORDED:
        settled = !seen_again && record_batch_add(event, arena);
        break;
    default:
        break;
    }
    if (settled)
        note_allowed(event);
    return settled;
}

/* True if the C boundary sees more of what the event is: `mapped` operations, of which it may have
 * been left some. */
static bool is_seen_again(const struct event *event, uint32_t mapped)
{
    for (uint32_t i = 0; i < event->operation_count; i++) {
        const enum operation_class class_of = event->operations[i].operation_class;
        if (class_of == CLASS_NATIVE || class_of == CLASS_RESOLVE)
            return true;
    }
    return event->operation_count != mapped;
}

/* Reads and maps the event into the arena. False if it could not be read: nothing is
 * known of it then, and it is denied. */
static bool read_event(struct runtime *runtime, python_object *args,
                       const struct event_entry *entry, struct arena *arena, struct event *event,
                       bool *seen_again)
{
    struct process_resolver resolver = {
        .api = &runtime->api,
        .args = args,
        .starts_program = entry && (entry->classes & UINT32_C(1) << CLASS_EXEC),
    };
    const struct event_resolver table = process_resolver_table(&resolver);
    const unsigned most = entry ? entry->forwarded_count : ARGUMENTS_FORWARDED_MAX;

    event->arguments = arguments_read(&runtime->api, args, most, arena, &event->argument_count);
    if (!event->arguments || !event_map(event, &table, arena))
        return false;
    const uint32_t mapped = event->operation_count;
    boundary_continuation_leave(event);
    if (!boundary_native_leave(event, arena))
        return false;
    *seen_again = is_seen_again(event, mapped);
    if (event_name_is(event->name, import_event))
        builtin_modules_note(event);
    return true;
}

/* Settles the event, if it can be, while every connection is taken by other threads: what needs
 * none does not wait for one. One thread at a time, which lets no other run meanwhile. */
static bool settled_aside(struct runtime *runtime, python_object *args,
                          const struct event_entry *entry, struct event *event)
{
    static atomic_flag busy = ATOMIC_FLAG_INIT;
    static struct arena arena;
    struct event aside = *event;
    bool seen_again = false;
    bool settled = false;

    if (atomic_flag_test_and_set(&busy))
        return false;
    if (!arena.memory) {
        void *memory = mmap(NULL, QUESTION_ARENA_SIZE, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory != MAP_FAILED)
            arena_init(&arena, memory, QUESTION_ARENA_SIZE);
    }
    if (arena.memory) {
        arena_reset(&arena);
        settled = read_event(runtime, args, entry, &arena, &aside, &seen_again) &&
                  settled_here(&aside, entry, seen_again, &arena);
    }
    atomic_flag_clear(&busy);
    return settled;
}

/* Borrows a connection, letting other threads run while all are taken. The bound is for the wait
 * for a connection: how long CPython's lock is awaited is up to the program. */
static struct question *wait_for_question(const struct python_api *api, bool threaded)
{
    int64_t left = hook_session_bound();
    bool turn = false;
    struct question *question;

    while (!(question = hook_session_borrow(turn))) {
        if (left <= 0)
            return NULL;
        void *thread = threaded ? api->PyEval_SaveThread() : NULL;
        turn = hook_session_wait(&left, turn);
        if (threaded)
            api->PyEval_RestoreThread(thread);
    }
    return question;
}

static void deny_unread(struct answer *answer, const struct event *event, const char *why)
{
    memset(answer, 0, sizeof(*answer));
    answer->outcome = WARDER__V1__OUTCOME__OUTCOME_DENY;
    answer->unanswered = true;
    snprintf(answer->message, sizeof(answer->message), "%s", why);
    snprintf(answer->text, sizeof(answer->text), "warder: event \"%.*s\" denied: %s",
             (int)event->name_length, event->name, why);
    builtin_modules_forget(); /* an import may have been looked at before it was given up */
}

/* True while CPython is in the middle of something that no other thread may begin: 3.10.13 and
 * 3.11.2, for two, note that a trace function is being set, raise the event, and refuse every
 * thread that comes meanwhile (Python/ceval.c, _PyEval_SetTrace). The interpreter lock is kept
 * then, as it would have been. */
static bool keeps_interpreter_lock(const struct event *event)
{
    static const char *const names[] = {"sys.settrace", "sys.setprofile"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strlen(names[i]) == event->name_length &&
            memcmp(names[i], event->name, event->name_length) == 0)
            return true;
    return false;
}

/* True if other threads run while this one waits. */
static bool lets_others_run(const struct runtime *runtime, const struct event *event)
{
    return runtime->started && python_thread(&runtime->api) != NULL &&
           !keeps_interpreter_lock(event);
}

/* Fills in the answer; anything but an allow from the daemon is a denial. */
static void judge(struct runtime *runtime, python_object *args, const struct event_entry *entry,
                  struct event *event, struct answer *answer)
{
    const struct python_api *api = &runtime->api;
    struct question *question = hook_session_borrow(false);
    bool seen_again = false;

    if (!question && settled_aside(runtime, args, entry, event)) {
        answer->outcome = WARDER__V1__OUTCOME__OUTCOME_ALLOW;
        return;
    }
    if (!question)
        question = wait_for_question(api, lets_others_run(runtime, event));
    if (!question) {
        deny_unread(answer, event, "every connection to the policy daemon is in use");
        return;
    }
    if (!read_event(runtime, args, entry, &question->memory.arena, event, &seen_again)) {
        hook_session_return(question);
        deny_unread(answer, event, "its arguments are too large to be judged");
        return;
    }
    if (settled_here(event, entry, seen_again, &question->memory.arena)) {
        hook_session_tell_records(question);
        hook_session_return(question);
        answer->outcome = WARDER__V1__OUTCOME__OUTCOME_ALLOW;
        return;
    }
    const bool threaded = lets_others_run(runtime, event);
    void *thread = threaded ? api->PyEval_SaveThread() : NULL;
    hook_session_ask(question, event, answer);
    if (answer->outcome == WARDER__V1__OUTCOME__OUTCOME_ALLOW)
        note_allowed(event);
    boundary_continuation_note(event, answer);
    answer->done_without = denial_is_done_without(api, event);
    event->argument_count = 0; /* they go with the question */
    event->arguments = NULL;
    hook_session_return(question);
    if (event_name_is(event->name, import_event) &&
        answer->outcome != WARDER__V1__OUTCOME__OUTCOME_ALLOW)
        builtin_modules_forget();
    if (threaded)
        api->PyEval_RestoreThread(thread);
}

/* ------------------------------------------------------------------------------ the entry's memory
 */

/* CPython allocates the record of an early hook with the default raw allocator and frees it with
 * the one that is in place at exit; under -X dev or PYTHONMALLOC=debug that is the debug one, which
 * aborts on memory that is not its own. So the record's address is noted when it is allocated, and
 * when CPython is about to free its hooks, an allocator is put in that passes over that one
 * address. */

static struct python_allocator noting_real;
static void *noted;

static void *noting_malloc(void *context, size_t size)
{
    (void)context;
    noted = noting_real.malloc(noting_real.context, size);
    return noted;
}

static int add_hook_noting_entry(struct runtime *runtime, python_audit_hook *hook)
{
    const struct python_api *api = &runtime->api;
    struct python_allocator noting;

    api->PyMem_GetAllocator(MEMORY_DOMAIN_RAW, &noting_real);
    noting = noting_real;
    noting.context = NULL;
    noting.malloc = noting_malloc;
    noted = NULL;
    /* Only malloc is called in between, by this thread: nothing of Python runs before
     * initialisation. */
    api->PyMem_SetAllocator(MEMORY_DOMAIN_RAW, &noting);
    const int result = api->PySys_AddAuditHook(hook, runtime);
    api->PyMem_SetAllocator(MEMORY_DOMAIN_RAW, &noting_real);
    runtime->hook_entry = noted;
    return result;
}

/* CPython frees its hooks before the last of its objects are gone: 3.8 clears the interpreter after
 * it, and finalisers run. The list is empty by the time that the records are freed, so the hook
 * goes in once more there, and what it denies from then on ends the process. Of a hook that was
 * attached the record is not known: the first memory that is freed after the event is taken for it,
 * and if it was none, the new record is freed with the others and the hook goes in again. */
struct sparing {
    struct python_allocator real;
    struct runtime *runtime;
    void *spared[2]; /* records that another allocator has allocated: this life's, the last one's */
    void *awaited;   /* the record behind which the list is empty; NULL: whatever comes first */
    pthread_t thread; /* that clears the hooks */
    bool clearing;    /* it is about to, or has */
    bool noting;      /* the next allocation is a record's */
};

static void stay(struct sparing *sparing);

static void *sparing_malloc(void *context, size_t size)
{
    struct sparing *sparing = context;
    void *memory = sparing->real.malloc(sparing->real.context, size);
    if (sparing->noting && pthread_equal(sparing->thread, pthread_self()))
        sparing->awaited = memory;
    return memory;
}

static void *sparing_calloc(void *context, size_t count, size_t size)
{
    const struct sparing *sparing = context;
    return sparing->real.calloc(sparing->real.context, count, size);
}

static void *sparing_realloc(void *context, void *memory, size_t size)
{
    const struct sparing *sparing = context;
    return sparing->real.realloc(sparing->real.context, memory, size);
}

static void sparing_free(void *context, void *memory)
{
    struct sparing *sparing = context;

    if (!memory)
        return;
    const bool empty = sparing->clearing && pthread_equal(sparing->thread, pthread_self()) &&
                       (!sparing->awaited || memory == sparing->awaited);
    if (memory != sparing->spared[0] && memory != sparing->spared[1])
        sparing->real.free(sparing->real.context, memory);
    if (empty)
        stay(sparing);
}

/* The runtime's, with its allocator in place. */
static void expect_clearing(struct runtime *runtime)
{
    static struct sparing sparing[RUNTIMES_MAX];
    struct sparing *own = &sparing[runtime - runtimes];
    struct python_allocator now;

    if (runtime->clearing) /* a program said so before CPython did */
        return;
    runtime->clearing = true;
    own->runtime = runtime;
    session_terms_unwatch(runtime->hook_entry);
    own->spared[0] = runtime->hook_entry;
    own->spared[1] = runtime->late_entry;
    own->awaited = runtime->hook_entry;
    own->thread = pthread_self();
    own->clearing = true;
    runtime->hook_entry = NULL;
    runtime->late_entry = NULL;
    runtime->api.PyMem_GetAllocator(MEMORY_DOMAIN_RAW, &now);
    if (now.free == sparing_free) /* still there from the interpreter's life before this one */
        return;
    own->real = now;
    struct python_allocator allocator = {own, sparing_malloc, sparing_calloc, sparing_realloc,
                                         sparing_free};
    runtime->api.PyMem_SetAllocator(MEMORY_DOMAIN_RAW, &allocator);
}

/* ----------------------------------------------------------------------------------------- hook */

static enum denial_state denial_state(const struct runtime *runtime)
{
    const struct python_api *api = &runtime->api;

    if (!runtime->started)
        return DENIAL_ENDS;
    void *const ending = runtime->ending;
    return ending && python_thread(api) && python_interpreter(api) == ending &&
                   api->PyInterpreterState_GetID(ending) == runtime->ending_number
               ? DENIAL_ENDING
               : DENIAL_RAISES;
}

bool audit_hook_raises(const struct runtime *runtime)
{
    return runtime->hooked && denial_state(runtime) == DENIAL_RAISES;
}

/* An interpreter's end and beginning, as CPython announces them; where a program does, its denials
 * are plainer. */
static void note_interpreter(struct runtime *runtime, const char *name)
{
    if (event_name_is(name, ending_event) && python_thread(&runtime->api)) {
        void *const ending = python_interpreter(&runtime->api);
        runtime->ending_number = runtime->api.PyInterpreterState_GetID(ending);
        runtime->ending = ending;
        denial_class_forget(&runtime->api);
    } else if (event_name_is(name, new_event)) {
        runtime->ending = NULL; /* it may stand where one has ended */
    }
}

_Static_assert(sizeof(struct answer) <= WORK_MEMORY_SIZE, "an answer has a block");

static int hook_judging(struct runtime *runtime, python_object *args,
                        const struct event_entry *entry, struct event *event, struct answer *answer)
{
    judge(runtime, args, entry, event, answer);

    /* Any program can raise this event. CPython does so once it says that it is not initialised any
     * more, which no program can make it say without ending it. */
    if (event_name_is(event->name, clear_event) && !runtime->api.Py_IsInitialized()) {
        runtime->hooked = false;
        runtime->started = false;
        expect_clearing(runtime);
        return 0;
    }
    if (answer->place_wanted && denial_state(runtime) == DENIAL_RAISES &&
        python_thread(&runtime->api))
        denial_observed(&runtime->api, answer);
    if (answer->outcome == WARDER__V1__OUTCOME__OUTCOME_ALLOW ||
        (entry && entry->veto == VETO_NEVER))
        return 0;
    if (answer->unanswered)
        hook_session_count_unanswered();
    return denial_raise(&runtime->api, event, entry, answer, denial_state(runtime));
}

/* `open` carries the path, the mode (None: os.open) and the flags. */
static __attribute__((noinline)) bool opens_for_reading(const struct python_api *api,
                                                        python_object *args)
{
    enum { FLAGS = 2, COUNT };
    int overflow;

    if (!args || python_type(api, args) != api->PyTuple_Type || api->PyTuple_Size(args) != COUNT)
        return false;
    python_object *flags = api->PyTuple_GetItem(args, FLAGS);
    if (python_type(api, flags) != api->PyLong_Type)
        return false;
    const long long number = api->PyLong_AsLongLongAndOverflow(flags, &overflow);
    return overflow == 0 && number >= 0 &&
           (number & (O_ACCMODE | O_CREAT | O_TRUNC | O_TMPFILE)) == O_RDONLY;
}

/* Whoever steers lookups of names is never skipped (event_table.c). */
static bool is_skipped(const struct runtime *runtime, const char *name, python_object *args)
{
    switch (event_table_skips(name)) {
    case EVENT_SKIPPED:
        return true;
    case EVENT_READ_SKIPPED:
        return opens_for_reading(&runtime->api, args);
    default:
        return false;
    }
}

/* Of its own, so that an event that is skipped pays for no frame of what comes after. */
static __attribute__((noinline)) int look_at_event(struct runtime *runtime, const char *name,
                                                   python_object *args)
{
    struct event event = {.name = name};

    event.name_length = (uint32_t)strnlen(name, EVENT_NAME_MAX + 1);
    if (event.name_length > EVENT_NAME_MAX) {
        event.name_length = EVENT_NAME_MAX;
        event.name_cut = true;
    }
    hook_session_check_process();
    if (event_name_is(name, verify_event)) {
        runtime->seen = true;
        return 0;
    }
    if (denial_is_looking(&runtime->api, name, args))
        return 0;

    note_interpreter(runtime, name);
    const struct event_entry *entry =
        event.name_cut ? NULL : catalogue_find(name, event.name_length);
    event.number = entry ? entry->number : EVENT_UNKNOWN;
    if (boundary_only_execs() && (!entry || entry->classes != 1U << CLASS_EXEC))
        fatal_end("warder: a process that was forked to start an allowed program, by a policy that "
                  "denies forks, has done something else; it is ended");
    struct answer *answer = work_memory_take();
    if (!answer)
        fatal_end("warder: out of memory: an event cannot be judged, and the process is ended");
    const int result = hook_judging(runtime, args, entry, &event, answer);
    work_memory_return(answer);
    return result;
}

static __attribute__((noinline)) void note_start(struct runtime *runtime)
{
    runtime->started = runtime->api.Py_IsInitialized() != 0;
}

static int hook(const char *name, python_object *args, void *data)
{
    struct runtime *runtime = data;

    if (!runtime->started)
        note_start(runtime);
    boundary_refusal_forget();
    if (is_skipped(runtime, name, args) && !boundary_only_execs())
        return 0;
    return look_at_event(runtime, name, args);
}

/* The hook for the time between the clearing of the hooks and the end of the process, or the next
 * life of the interpreter: CPython keeps the record over that, and the hook of that life is put in
 * beside it. */
static int late_hook(const char *name, python_object *args, void *data)
{
    const struct runtime *runtime = data;
    return runtime->late ? hook(name, args, data) : 0;
}

static void stay(struct sparing *sparing)
{
    struct runtime *runtime = sparing->runtime;

    sparing->awaited = NULL;
    sparing->noting = true;
    runtime->late = runtime->api.PySys_AddAuditHook(late_hook, runtime) == 0;
    sparing->noting = false;
    runtime->late_entry = sparing->awaited;
    sparing->clearing = runtime->late && sparing->awaited;
}

struct runtime *runtime_of(const struct elf_object *object)
{
    for (int i = 0; i < RUNTIMES_MAX; i++) {
        struct runtime *runtime = &runtimes[i];
        if (runtime->base == object->start)
            return runtime;
        if (runtime->base)
            continue;
        if (!python_api_load(&runtime->api, object))
            return NULL;
        runtime->base = object->start;
        return runtime;
    }
    return NULL;
}

bool audit_hook_install(struct runtime *runtime)
{
    if (runtime->hooked)
        return true;
    process_resolver_note_root();
    runtime->late = false;
    runtime->clearing = false;
    runtime->ending = NULL;
    runtime->early = !runtime->api.Py_IsInitialized();
    const int result = runtime->early ? add_hook_noting_entry(runtime, hook)
                                      : runtime->api.PySys_AddAuditHook(hook, runtime);
    runtime->hooked = result == 0;
    if (runtime->hooked && runtime->early)
        session_terms_watch(runtime->api.runtime,
                            runtime->api.runtime_size < RUNTIME_SIZE_MAX ? runtime->api.runtime_size
                                                                         : RUNTIME_SIZE_MAX,
                            runtime->hook_entry);
    return runtime->hooked;
}

bool audit_hook_verify(struct runtime *runtime)
{
    runtime->seen = false;
    if (runtime->api.PySys_Audit(verify_event, NULL) < 0)
        runtime->api.PyErr_Clear();
    return runtime->seen;
}
