/* Pairs stand in the order in which they came, in a ring; one that comes again is moved to no other
 * place, so what is forgotten is what was first seen longest ago. The lock is held for a walk
 * through the ring. A child that was cloned without libc's knowledge may find it held for good: it
 * then adds nothing and is told nothing. */
#define _GNU_SOURCE
#include "client/hook/name_lookup.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>

#include "client/hook/event_name.h"
#include "policies/engine/event_mapper.h"
#include "policies/engine/socket_operation.h"

extern char **environ;

enum {
    TRIES = 1000, /* for the lock: each lets another thread run */
};

struct pair {
    struct address address;
    unsigned char length;
    char name[NAME_LOOKUP_NAME_MAX];
};

/* The lock is a flag, and waiting for it is bounded: the try-functions of pthread have versions
 * that older libcs lack. */
static struct {
    _Atomic bool locked;
    size_t count; /* that have ever been added: the next goes to this place of the ring */
    struct pair pairs[NAME_LOOKUP_PAIRS_MAX];
} table;

static _Atomic bool doubted;

static bool lock_table(void)
{
    for (int i = 0; i < TRIES; i++) {
        if (!atomic_exchange_explicit(&table.locked, true, memory_order_acquire))
            return true;
        sched_yield();
    }
    return false;
}

static void unlock_table(void)
{
    atomic_store_explicit(&table.locked, false, memory_order_release);
}

/* Whether the thread that forks holds the lock meanwhile, so that its child finds the table whole.
 * It holds no other lock of the hook's before this one. */
static _Thread_local bool held_across_fork __attribute__((tls_model("initial-exec")));

static void before_fork(void)
{
    held_across_fork = lock_table();
}

static void after_fork(void)
{
    if (held_across_fork)
        unlock_table();
    held_across_fork = false;
}

/* Once, whichever thread is first. */
static void watch_forks(void)
{
    static _Atomic bool watching;

    if (!atomic_exchange(&watching, true))
        pthread_atfork(before_fork, after_fork, after_fork);
}

static struct address folded(const struct address *address)
{
    struct address result = *address;
    unsigned prefix = address_bits(address);

    address_fold(&result, &prefix);
    return result;
}

static bool is_of(const struct pair *pair, const struct address *address)
{
    return address_is_in(&pair->address, address, address_bits(address));
}

static size_t pair_count(void)
{
    return table.count < NAME_LOOKUP_PAIRS_MAX ? table.count : NAME_LOOKUP_PAIRS_MAX;
}

static bool is_known(const char *name, size_t length, const struct address *address)
{
    for (size_t i = 0; i < pair_count(); i++) {
        const struct pair *pair = &table.pairs[i];
        if (pair->length == length && strncasecmp(pair->name, name, length) == 0 &&
            is_of(pair, address))
            return true;
    }
    return false;
}

void name_lookup_note(const char *name, const struct address *address)
{
    const size_t length = strnlen(name, NAME_LOOKUP_NAME_MAX + 1);
    const struct value text = value_text(name, length);
    const struct address wanted = folded(address);

    if (doubted || length > NAME_LOOKUP_NAME_MAX || host_is_looked_up(&text) != TRUTH_TRUE)
        return;
    watch_forks();
    if (!lock_table())
        return;
    if (!is_known(name, length, &wanted)) {
        struct pair *pair = &table.pairs[table.count % NAME_LOOKUP_PAIRS_MAX];
        pair->address = wanted;
        pair->length = (unsigned char)length;
        memcpy(pair->name, name, length);
        table.count++;
    }
    unlock_table();
}

bool name_lookup_names(const struct address *address, struct arena *arena, struct value *names)
{
    const struct address wanted = folded(address);
    struct value *items = arena_zalloc(arena, (size_t)NAME_LOOKUP_ANSWER_MAX, sizeof(struct value));

    *names = (struct value){.kind = VALUE_LIST, .items = items};
    if (!items || !lock_table())
        return false;
    if (table.count > NAME_LOOKUP_PAIRS_MAX)
        names->marks |= VALUE_CUT;
    for (size_t i = 0; i < pair_count(); i++) {
        const struct pair *pair = &table.pairs[i];
        if (!is_of(pair, &wanted))
            continue;
        const char *name = names->count < NAME_LOOKUP_ANSWER_MAX
                               ? arena_copy(arena, pair->name, pair->length)
                               : NULL;
        if (name)
            items[names->count++] = value_text(name, pair->length);
        else
            names->marks |= VALUE_CUT;
    }
    unlock_table();
    return names->count > 0;
}

/* ---------------------------------------------------------------------------------------- doubt */

bool name_lookup_is_doubted(void)
{
    return doubted;
}

void name_lookup_doubt(void)
{
    doubted = true;
}

/* Variables that steer a lookup: resolv.conf(5), hostname(7), host.conf(5). */
static bool steers_lookups(const struct value *variable)
{
    static const char *const names[] = {"LOCALDOMAIN", "RES_OPTIONS", "HOSTALIASES"};
    static const char prefix[] = "RESOLV_";

    if (!value_is_plain_text(variable))
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (value_is_text(variable, names[i]))
            return true;
    return variable->count >= sizeof(prefix) - 1 &&
           memcmp(variable->bytes, prefix, sizeof(prefix) - 1) == 0;
}

bool name_lookup_watches(const char *event)
{
    return event_name_is(event, "os.putenv") || event_name_is(event, "os.unsetenv");
}

void name_lookup_note_event(const struct event *event)
{
    if (name_lookup_watches(event->name) &&
        (event->argument_count == 0 || steers_lookups(&event->arguments[0])))
        name_lookup_doubt();
}

void name_lookup_begin(void)
{
    for (char **entry = environ; entry && *entry; entry++) {
        const struct value name = value_text(*entry, strcspn(*entry, "="));
        if (steers_lookups(&name))
            name_lookup_doubt();
    }
}

void name_lookup_reset(void)
{
    if (!lock_table())
        return;
    table.count = 0;
    doubted = false;
    unlock_table();
}
