#define _GNU_SOURCE
#include "client/hook/session_terms.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "client/hook/fatal.h"
#include "client/hook/own_pages.h"

static union {
    struct session_terms terms;
    unsigned char pages[OWN_PAGES_SIZE];
} kept_terms __attribute__((aligned(OWN_PAGES_SIZE)));

/* Who changes them does it alone: another's end would leave the pages read-only before one's own.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

const struct session_terms *session_terms(void)
{
    return &kept_terms.terms;
}

static struct session_terms *open_terms(void)
{
    pthread_mutex_lock(&lock);
    if (mprotect(kept_terms.pages, sizeof(kept_terms.pages), PROT_READ | PROT_WRITE) != 0)
        fatal_end("warder: the terms of this session cannot be changed any more: the kernel does "
                  "not let this process write its own memory; it is ended");
    return &kept_terms.terms;
}

/* Where the kernel has no more room for maps the pages stay as they are until the next change. */
static void close_terms(void)
{
    (void)mprotect(kept_terms.pages, sizeof(kept_terms.pages), PROT_READ);
    pthread_mutex_unlock(&lock);
}

void session_terms_begin(void)
{
    open_terms()->begun = true;
    close_terms();
}

void session_terms_set_state(enum session_state state)
{
    open_terms()->state = state;
    close_terms();
}

void session_terms_set_process(pid_t process)
{
    open_terms()->process = process;
    close_terms();
}

void session_terms_set_owner(volatile unsigned char *owner)
{
    open_terms()->owner = owner;
    close_terms();
}

bool session_terms_have_classes(uint32_t guarded, uint32_t held, uint32_t flat)
{
    return kept_terms.terms.guarded == guarded && kept_terms.terms.held == held &&
           kept_terms.terms.flat == flat;
}

void session_terms_set_classes(uint32_t guarded, uint32_t held, uint32_t flat)
{
    struct session_terms *terms = open_terms();
    terms->guarded = guarded;
    terms->held = held;
    terms->flat = flat;
    close_terms();
}

void session_terms_become_child(void)
{
    lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

void session_terms_watch(const void *runtime, size_t size, const void *entry)
{
    void *const *word = runtime;
    void *const *end = word + size / sizeof(*word);

    while (word < end && *word != entry)
        word++;
    if (word >= end || !entry)
        return;
    struct hook_watch *watches = open_terms()->watches;
    for (int i = 0; i < HOOK_WATCHES_MAX; i++) {
        if (watches[i].head)
            continue;
        void *const *record = entry;
        watches[i] = (struct hook_watch){
            .head = word, .entry = record, .function = record[1], .passed = record[2]};
        break;
    }
    close_terms();
}

void session_terms_unwatch(const void *entry)
{
    if (!entry)
        return;
    struct hook_watch *watches = open_terms()->watches;
    for (int i = 0; i < HOOK_WATCHES_MAX; i++)
        if ((const void *)watches[i].entry == entry)
            watches[i] = (struct hook_watch){.head = NULL};
    close_terms();
}

const char *session_terms_broken(void)
{
    const struct session_terms *terms = &kept_terms.terms;

    if (terms->begun && terms->state == SESSION_NONE)
        return "warder: the session of this interpreter has been overwritten; it is ended";
    for (int i = 0; i < HOOK_WATCHES_MAX; i++) {
        const struct hook_watch *watch = &terms->watches[i];
        if (watch->head && ((const void *)*watch->head != (const void *)watch->entry ||
                            watch->entry[1] != watch->function || watch->entry[2] != watch->passed))
            return "warder: the audit hook has been taken out of this interpreter; it is ended";
    }
    return NULL;
}
