/* Invariants. The epoch is set to 0 before the bytes change and to its value after, so a reader who
 * finds the same epoch before and after it has read a byte has read one of that table. A hint says
 * which event had its name at some address before: a buffer that is used again has another text
 * there, so the text is always compared, and a hint that is wrong costs a search. */
#define _GNU_SOURCE
#include "client/hook/event_table.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policies/catalogue/catalogue.h"
#include "policies/engine/event.h"

enum {
    HINT_BITS = 9, /* three times as many as there are events */
    HINT_COUNT = 1 << HINT_BITS,
};

struct event_table {
    _Atomic uint64_t epoch;                        /* 0: nothing is skipped */
    _Atomic unsigned char skips[REACH_EVENTS_MAX]; /* enum event_skip */
};

static const struct event_table no_table;
static const struct generation_page no_page;

static struct event_table *wiped;                   /* in children; NULL until it is made */
static const struct event_table *table = &no_table; /* the same, for readers */
static const struct generation_page *page = &no_page;
static const struct event_entry *_Atomic hints[HINT_COUNT];

bool event_table_ready(void)
{
    const size_t size = (sizeof(struct event_table) + GENERATION_PAGE_SIZE - 1) /
                        GENERATION_PAGE_SIZE * GENERATION_PAGE_SIZE;

    if (wiped)
        return true;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    if (madvise(memory, size, MADV_WIPEONFORK) < 0) { /* Linux 4.14 */
        munmap(memory, size);
        return false;
    }
    wiped = memory;
    __atomic_store_n(&table, wiped, __ATOMIC_RELEASE);
    return true;
}

void event_table_set_page(const struct generation_page *new_page)
{
    if (wiped)
        wiped->epoch = 0;
    __atomic_store_n(&page, new_page ? new_page : &no_page, __ATOMIC_SEQ_CST);
}

uint64_t event_table_page_epoch(void)
{
    return generation_page_epoch(page);
}

uint64_t event_table_epoch(void)
{
    return table->epoch;
}

/* Events that the hook itself has to see: of an interpreter's life, of variables that steer lookups
 * of names, and those whose decision the C boundary continues. */
static bool is_always_looked_at(const struct event_entry *entry)
{
    static const char *const names[] = {
        "cpython._PySys_ClearAuditHooks", "cpython.PyInterpreterState_Clear",
        "cpython.PyInterpreterState_New", "os.putenv", "os.unsetenv"};
    const uint32_t continued = UINT32_C(1) << CLASS_EXEC | UINT32_C(1) << CLASS_FORK;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(names[i], entry->name) == 0)
            return true;
    return (entry->classes & continued) != 0;
}

static enum event_skip skip_of(const struct event_table_terms *terms, uint16_t number)
{
    const struct event_entry *entry = catalogue_event(number);

    if (policy_reaches(terms->reach, number) || (entry && is_always_looked_at(entry)))
        return EVENT_LOOKED_AT;
    if (!terms->keeps_hook_file || !entry || !(entry->classes & UINT32_C(1) << CLASS_WRITE))
        return EVENT_SKIPPED;
    return strcmp(entry->name, "open") == 0 ? EVENT_READ_SKIPPED : EVENT_LOOKED_AT;
}

void event_table_set(uint64_t epoch, const struct event_table_terms *terms)
{
    if (!wiped)
        return;
    wiped->epoch = 0;
    atomic_thread_fence(memory_order_seq_cst);
    for (unsigned number = 0; number < REACH_EVENTS_MAX; number++) {
        const bool looks = terms->records || number > catalogue_event_count();
        const enum event_skip skip = looks ? EVENT_LOOKED_AT : skip_of(terms, (uint16_t)number);
        atomic_store_explicit(&wiped->skips[number], (unsigned char)skip, memory_order_relaxed);
    }
    wiped->epoch = epoch;
}

static inline size_t hint_of(const char *name)
{
    const uint64_t mixed = (uint64_t)(uintptr_t)name * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(mixed >> (64 - HINT_BITS));
}

/* The event's number; EVENT_UNKNOWN if the catalogue does not know the name. */
static __attribute__((noinline)) uint16_t search(const char *name)
{
    const size_t length = strnlen(name, EVENT_NAME_MAX + 1);
    const struct event_entry *entry =
        length <= EVENT_NAME_MAX ? catalogue_find(name, length) : NULL;

    if (!entry)
        return EVENT_UNKNOWN;
    atomic_store_explicit(&hints[hint_of(name)], entry, memory_order_relaxed);
    return entry->number;
}

static inline uint16_t number_of(const char *name)
{
    const struct event_entry *entry =
        atomic_load_explicit(&hints[hint_of(name)], memory_order_relaxed);

    return entry && strcmp(entry->name, name) == 0 ? entry->number : search(name);
}

enum event_skip event_table_skips(const char *name)
{
    const struct event_table *at = __atomic_load_n(&table, __ATOMIC_ACQUIRE);
    const uint64_t epoch = atomic_load_explicit(&at->epoch, memory_order_acquire);

    if (epoch == 0 || epoch != generation_page_epoch(page))
        return EVENT_LOOKED_AT;
    const uint16_t number = number_of(name);
    const enum event_skip skip =
        number < REACH_EVENTS_MAX ? atomic_load_explicit(&at->skips[number], memory_order_relaxed)
                                  : EVENT_LOOKED_AT;
    atomic_thread_fence(memory_order_acquire);
    if (skip == EVENT_LOOKED_AT || atomic_load_explicit(&at->epoch, memory_order_relaxed) != epoch)
        return EVENT_LOOKED_AT;
    /* The hook's own. */
    if (number == EVENT_UNKNOWN && strncmp(name, "warder.", sizeof("warder.") - 1) == 0)
        return EVENT_LOOKED_AT;
    return skip;
}
