/* Which path is passed on is in boundary_native.h. Paths that were passed on are kept for the life
 * of the process, each once: what the loader, and whoever it tells of a load, makes of the pointer
 * is theirs. A thread's denial and its last allowed loads stand in memory of its own, made when it
 * is first needed and given back when the thread ends. */
#define _GNU_SOURCE
#include "client/hook/boundary_native.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <limits.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/hook/boundary.h"
#include "client/hook/boundary_refusal.h"
#include "client/hook/elf_symbols.h"
#include "client/hook/hook_session.h"
#include "client/hook/process_resolver.h"
#include "client/hook/work_memory.h"

_Static_assert(offsetof(struct native_call, path) == 0 && offsetof(struct native_call, flags) == 8,
               "boundary_native_jump.S knows the offsets");

enum {
    ALLOWED_MAX = 2, /* loads of one event: SQLite's name with and without its suffix */
};

/* A load as an audit event names it: as it was written, and where that leads; a bare name leads
 * nowhere yet. */
struct allowed_load {
    char text[PATH_MAX];
    char file[PATH_MAX];
};

struct thread_memory {
    bool denied; /* and not told yet: */
    char denial[sizeof(((struct answer *)NULL)->text)];
    size_t allowed_count;
    struct allowed_load allowed[ALLOWED_MAX];
};

/* Reached without the loader's help, as in denial.c. */
static _Thread_local struct thread_memory *own __attribute__((tls_model("initial-exec")));

/* Loads come by here: this object's dlopen is the process's. */
static bool standing;

/* What a call is about. */
struct load {
    const char *event;
    char given[PATH_MAX]; /* as the caller wrote it, copied */
    bool searched; /* a bare name, or one that the loader expands: where it leads is not known */
    bool loaded;   /* it is in the process already */
    char text[PATH_MAX]; /* absolute, as far as it is known */
    char file[PATH_MAX]; /* with links resolved; empty: not known */
    char sentence[PATH_MAX + 128];
    struct answer answer;
};
_Static_assert(sizeof(struct load) <= WORK_MEMORY_SIZE, "a load has a block");

/* ------------------------------------------------------------------------------ thread's memory */

extern int __cxa_thread_atexit_impl(void (*function)(void *), void *argument, void *object);
extern void *__dso_handle;

static void give_back(void *memory)
{
    own = NULL;
    free(memory);
}

/* NULL if there is none: then a denial is told without its sentence, and a load is asked about
 * twice. */
static struct thread_memory *thread_memory(void)
{
    if (own)
        return own;
    struct thread_memory *memory = calloc(1, sizeof(*memory));
    if (memory && __cxa_thread_atexit_impl(give_back, memory, &__dso_handle) != 0) {
        free(memory);
        memory = NULL;
    }
    own = memory;
    return memory;
}

static void leave_denial(const char *text)
{
    struct thread_memory *memory = thread_memory();

    if (!memory)
        return;
    snprintf(memory->denial, sizeof(memory->denial), "%s", text);
    memory->denied = true;
}

const char *boundary_native_denial(void)
{
    if (!own || !own->denied)
        return NULL;
    own->denied = false;
    return own->denial;
}

/* ------------------------------------------------------------------------------------ the audit
 * event before */

static bool copy_text(const struct value *value, char *buffer, size_t size)
{
    if ((value->kind != VALUE_TEXT && value->kind != VALUE_BYTES) || value->marks ||
        value->count == 0 || value->count >= size || memchr(value->bytes, '\0', value->count))
        return false;
    memcpy(buffer, value->bytes, value->count);
    buffer[value->count] = '\0';
    return true;
}

/* The load that an operation is; false if it cannot be told for certain. */
static bool read_load(const struct operation *operation, struct allowed_load *load)
{
    const struct attribute *path = operation_attribute(operation, ATTRIBUTE_PATH);
    const struct attribute *name = operation_attribute(operation, ATTRIBUTE_NAME);

    load->file[0] = '\0';
    if (name)
        return copy_text(&name->value, load->text, sizeof(load->text));
    if (!path)
        return false;
    const struct value *written = path->given.kind == VALUE_NONE ? &path->value : &path->given;
    return copy_text(written, load->text, sizeof(load->text)) && !path->value.marks &&
           copy_text(&path->resolved, load->file, sizeof(load->file));
}

void boundary_native_allowed(const struct event *event)
{
    size_t count = 0;

    for (uint32_t i = 0; i < event->operation_count && count < ALLOWED_MAX; i++) {
        if (event->operations[i].operation_class != CLASS_NATIVE)
            continue;
        struct thread_memory *memory = thread_memory();
        if (!memory)
            return;
        count += read_load(&event->operations[i], &memory->allowed[count]) ? 1 : 0;
        memory->allowed_count = count;
    }
}

static bool is_uncertain(const struct operation *operation)
{
    const struct attribute *path = operation_attribute(operation, ATTRIBUTE_PATH);
    const struct attribute *name = operation_attribute(operation, ATTRIBUTE_NAME);

    return operation->operation_class == CLASS_NATIVE && path && path->value.marks && name &&
           name->value.marks;
}

bool boundary_native_leave(struct event *event, struct arena *arena)
{
    uint32_t left = 0;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < event->operation_count; i++)
        left += is_uncertain(&event->operations[i]) ? 1 : 0;
    if (left == 0 || !standing || !boundary_guards(CLASS_NATIVE))
        return true;
    struct operation *operations = arena_zalloc(arena, event->operation_count, sizeof(*operations));
    if (!operations)
        return false;
    for (uint32_t i = 0; i < event->operation_count; i++)
        if (!is_uncertain(&event->operations[i]))
            operations[kept++] = event->operations[i];
    event->operations = operations;
    event->operation_count = kept;
    return true;
}

/* CPython puts "./" before a file of an extension module without a separator. */
static bool is_text_of(const struct allowed_load *allowed, const char *given)
{
    return strcmp(allowed->text, given) == 0 ||
           (strncmp(given, "./", 2) == 0 && strcmp(allowed->text, given + 2) == 0 &&
            allowed->file[0] != '\0');
}

/* Takes an allowed load out of the thread's memory: one decision is one load. */
static bool was_allowed(const struct load *load)
{
    for (size_t i = 0; own && i < own->allowed_count; i++) {
        struct allowed_load *allowed = &own->allowed[i];
        if (!is_text_of(allowed, load->given) || strcmp(allowed->file, load->file) != 0)
            continue;
        allowed->text[0] = '\0';
        return true;
    }
    return false;
}

/* ---------------------------------------------------------------------------------- kept paths */

struct kept_path {
    struct kept_path *before;
    char text[];
};

/* Never taken from, so that it can be walked while others add. */
static struct kept_path *_Atomic kept_paths;

/* NULL if there is no memory for it. */
static const char *keep_path(const char *text)
{
    struct kept_path *first = kept_paths;

    for (const struct kept_path *kept = first; kept; kept = kept->before)
        if (strcmp(kept->text, text) == 0)
            return kept->text;
    const size_t size = strlen(text) + 1;
    struct kept_path *made = malloc(sizeof(*made) + size);
    if (!made)
        return NULL;
    memcpy(made->text, text, size);
    do {
        made->before = first;
    } while (!atomic_compare_exchange_weak(&kept_paths, &first, made));
    return made->text;
}

/* ------------------------------------------------------------------------------ where it leads */

static int look_for_loaded(struct dl_phdr_info *info, size_t size, void *data)
{
    struct load *load = data;
    struct elf_object object;

    (void)size;
    elf_describe(info, &object);
    if (strchr(load->given, '/'))
        load->loaded = object.name[0] && strcmp(object.name, load->given) == 0;
    else
        load->loaded = object.soname && strcmp(object.soname, load->given) == 0;
    return load->loaded;
}

/* Where the file would be looked for, and what stands there. */
static void find_file(struct load *load)
{
    const size_t length = strlen(load->given);
    size_t used = 0;

    load->searched = !strchr(load->given, '/') || strchr(load->given, '$');
    load->text[0] = '\0';
    load->file[0] = '\0';
    if (load->searched || !process_resolver_names_stand())
        return;
    if (load->given[0] != '/') {
        if (!getcwd(load->text, sizeof(load->text)) || load->text[0] != '/') {
            load->text[0] = '\0';
            return;
        }
        used = strlen(load->text);
        load->text[used++] = '/';
    }
    if (used + length >= sizeof(load->text)) {
        load->text[0] = '\0';
        return;
    }
    memcpy(load->text + used, load->given, length + 1);
    if (!process_resolve_path(load->text, true, load->file, sizeof(load->file)))
        load->file[0] = '\0';
}

static bool is_missing(const struct load *load)
{
    return load->text[0] && faccessat(AT_FDCWD, load->given, F_OK, AT_EACCESS) < 0 &&
           (errno == ENOENT || errno == ENOTDIR);
}

/* The path that the loader gets for a load that was judged; NULL, and a sentence left, if there is
 * none that leads there for certain. */
static const char *path_to_pass(struct load *load)
{
    const char *path = load->given;

    if (!load->searched && strcmp(load->file, load->given) != 0 &&
        (load->given[0] != '/' || !process_path_is_settled(load->given)))
        path = load->file;
    /* The loader expands $ORIGIN and its like in any path. */
    if (path == load->file && (!path[0] || strchr(path, '$'))) {
        snprintf(load->sentence, sizeof(load->sentence),
                 "warder: %s not loaded: where its path leads cannot be known for certain",
                 load->given);
        leave_denial(load->sentence);
        return NULL;
    }
    path = keep_path(path);
    if (!path)
        leave_denial("warder: not loaded: out of memory");
    return path;
}

/* ------------------------------------------------------------------------------------ judgement */

static struct value text_or_none(const char *text)
{
    return text[0]
               ? (struct value){.kind = VALUE_BYTES, .bytes = text, .count = (uint32_t)strlen(text)}
               : value_none();
}

static bool is_allowed(struct load *load, int flags)
{
    struct question *question = boundary_borrow();
    const struct value arguments[] = {text_or_none(load->text[0] ? load->text : load->given),
                                      value_int(flags), text_or_none(load->file)};

    const bool allowed = boundary_judge(question, load->event, arguments,
                                        sizeof(arguments) / sizeof(*arguments), &load->answer);
    boundary_return(question);
    if (!allowed) {
        boundary_refuse(&load->answer);
        boundary_refusal_take(); /* dlerror() says it, not strerror() */
        boundary_refusal_forget();
        leave_denial(load->answer.text);
    }
    return allowed;
}

/* Fills in the call; false if it is not to be made. */
static bool judge(struct load *load, bool base, struct native_call *call)
{
    const int flags = (int)call->flags;

    if (base)
        dl_iterate_phdr(look_for_loaded, load);
    if (load->loaded) {
        call->flags = flags | RTLD_NOLOAD;
        call->path = keep_path(load->given);
        return call->path != NULL;
    }
    find_file(load);
    const bool held = boundary_holds(CLASS_NATIVE);
    if (is_missing(load)) {
        if (!held)
            return true;
        /* In the words of the loader. */
        snprintf(load->sentence, sizeof(load->sentence),
                 "%s: cannot open shared object file: No such file or directory", load->given);
        leave_denial(load->sentence);
        return false;
    }
    if (!was_allowed(load) && !is_allowed(load, flags))
        return false;
    if (held)
        call->path = path_to_pass(load);
    return call->path != NULL;
}

static void *judge_call(const char *event, bool base, void *next, struct native_call *call)
{
    if (own)
        own->denied = false;
    /* Its calls would go to libc and past every function that stands before it. */
    if (hook_session_held() != 0)
        call->flags &= ~RTLD_DEEPBIND;
    /* None and the empty name are the program itself. */
    if (!next || !call->path || (call->flags & RTLD_NOLOAD) || !boundary_guards(CLASS_NATIVE))
        return next;
    const int error = errno;
    const size_t length = strnlen(call->path, PATH_MAX);
    struct load *load = length > 0 && length < PATH_MAX ? work_memory_take() : NULL;
    bool made = true;
    if (length == PATH_MAX) {
        leave_denial("warder: not loaded: its path is longer than any that the kernel opens");
        made = false;
    } else if (load) {
        load->event = event;
        load->loaded = false;
        memcpy(load->given, call->path, length);
        load->given[length] = '\0';
        made = judge(load, base, call);
    } else if (length > 0) {
        leave_denial("warder: not loaded: out of memory");
        made = false;
    }
    work_memory_return(load);
    errno = error;
    return made ? next : NULL;
}

void *boundary_native_dlopen(const char *path, int flags, struct native_call *call)
{
    static void *_Atomic next;

    *call = (struct native_call){.path = path, .flags = flags};
    if (!next)
        next = elf_next("dlopen");
    return judge_call("libc.dlopen", true, next, call);
}

void *boundary_native_dlmopen(const char *path, int flags, struct native_call *call, long space)
{
    static void *_Atomic next;

    *call = (struct native_call){.path = path, .flags = flags};
    if (!next)
        next = elf_next("dlmopen");
    return judge_call("libc.dlopen", space == LM_ID_BASE, next, call);
}

/* ------------------------------------------------------------------------- what libc loads itself
 */

bool boundary_native_allows_root(const char *path)
{
    const size_t length = path ? strnlen(path, PATH_MAX) : 0;

    if (length == 0 || length == PATH_MAX || !boundary_guards(CLASS_NATIVE))
        return true; /* the kernel refuses it, or nobody does */
    struct load *load = work_memory_take();
    if (!load) {
        errno = ENOMEM;
        return false;
    }
    memcpy(load->given, path, length);
    load->given[length] = '\0';
    const struct value argument = text_or_none(load->given);
    struct question *question = boundary_borrow();
    const bool allowed = boundary_judge(question, "libc.chroot", &argument, 1, &load->answer);
    boundary_return(question);
    if (!allowed)
        boundary_refuse(&load->answer);
    work_memory_return(load);
    return allowed;
}

bool boundary_native_allows_translations(const char *domain, const char *directory)
{
    struct answer answer;

    if (!boundary_guards(CLASS_NATIVE))
        return true;
    /* libc asks for the current directory whenever it looks for a translation. */
    if (directory[0] != '/' && boundary_holds(CLASS_NATIVE)) {
        boundary_deny("libc.bindtextdomain", "the directory of translations is a relative one",
                      &answer);
        boundary_refuse(&answer);
        return false;
    }
    const struct value arguments[] = {text_or_none(domain), text_or_none(directory)};
    struct question *question = boundary_borrow();
    const bool allowed = boundary_judge(question, "libc.bindtextdomain", arguments, 2, &answer);
    boundary_return(question);
    if (!allowed)
        boundary_refuse(&answer);
    return allowed;
}

void boundary_native_begin(void)
{
    standing = true;
    if (!boundary_guards(CLASS_NATIVE))
        return;
    /* glibc reads GCONV_PATH and the lists of conversions when the first is asked for, and never
     * again (iconv/gconv_conf.c). */
    const iconv_t conversion = iconv_open("UTF-8", "ISO-8859-1");
    if (conversion != (iconv_t)-1)
        iconv_close(conversion);
}
