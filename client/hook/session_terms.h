/* What decides whether anything is judged in this process: that there is a session, which classes
 * of operations its policies hold, and where CPython has the audit hook.
 *
 * These stand in pages of their own that are read-only but while they are changed here: what the
 * kernel, or a library, is made to write to an address of somebody's choice does not reach them.
 * (Native code can do as it likes, and whoever writes to any address can get native code to run.)
 *
 * Any thread may read and change them; the child of a vfork changes nothing. */
#ifndef WARDER_CLIENT_HOOK_SESSION_TERMS_H
#define WARDER_CLIENT_HOOK_SESSION_TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum session_state {
    SESSION_NONE,
    SESSION_LIVE,
    SESSION_CHILD, /* forked: Hello is still to be said */
};

enum {
    HOOK_WATCHES_MAX = 4, /* runtimes of a process */
    HOOK_ENTRY_WORDS = 3, /* CPython's record of a hook: next one, function, what it is passed */
};

/* Where CPython has the first of its audit hooks, and what it had there when ours went in. */
struct hook_watch {
    void *const volatile *head; /* NULL: nothing is watched */
    void *const volatile *entry;
    void *function;
    void *passed;
};

struct session_terms {
    _Atomic enum session_state state;
    _Atomic bool begun;       /* a process that came under policy before its own code ran */
    _Atomic pid_t process;    /* whose session it is */
    _Atomic uint32_t guarded; /* classes of operations, as the daemon said last */
    _Atomic uint32_t held;
    _Atomic uint32_t flat;
    volatile unsigned char *_Atomic owner; /* the page that the kernel wipes in forked children */
    struct hook_watch watches[HOOK_WATCHES_MAX];
};

const struct session_terms *session_terms(void);

/* From here on to say that there is no session ends the process. */
void session_terms_begin(void);

void session_terms_set_state(enum session_state state);
void session_terms_set_process(pid_t process);
void session_terms_set_owner(volatile unsigned char *owner);

bool session_terms_have_classes(uint32_t guarded, uint32_t held, uint32_t flat);
void session_terms_set_classes(uint32_t guarded, uint32_t held, uint32_t flat);

/* In the child of a fork, before any of the others: no other thread is there. */
void session_terms_become_child(void);

/* Watches the hook whose record is at `entry`, if a word of the runtime's `size` bytes leads there:
 * then it is the first one, and stays it. */
void session_terms_watch(const void *runtime, size_t size, const void *entry);
void session_terms_unwatch(const void *entry);

/* What is wrong with them, for a person; NULL if nothing is. Who finds something ends the process.
 * Costs a few loads. */
const char *session_terms_broken(void);

#endif
