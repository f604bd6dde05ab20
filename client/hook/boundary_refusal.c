#define _GNU_SOURCE
#include "client/hook/boundary_refusal.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    SLOTS =
        16, /* threads that are being denied something at one moment; one more takes the oldest */
    TEXT_SIZE = 2048,
};

enum slot_state { SLOT_EMPTY, SLOT_FULL, SLOT_TAKEN };

struct slot {
    _Atomic uint32_t state;
    pid_t owner; /* the process whose thread expects it */
    char text[TEXT_SIZE];
};

/* Shared with forked children. */
static struct slot *_Atomic slots;
static _Atomic uint32_t next_slot;

/* Number of the thread's slot and 1; 0: none. */
static _Thread_local uint32_t own __attribute__((tls_model("initial-exec")));

static struct slot *all_slots(void)
{
    struct slot *made = atomic_load(&slots);
    struct slot *none = NULL;

    if (made)
        return made;
    made = mmap(NULL, SLOTS * sizeof(*made), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                0);
    if (made == MAP_FAILED)
        return NULL;
    if (atomic_compare_exchange_strong(&slots, &none, made))
        return made;
    munmap(made, SLOTS * sizeof(*made));
    return none;
}

void boundary_refusal_expect(void)
{
    struct slot *all = all_slots();

    if (!all)
        return;
    const uint32_t number = atomic_fetch_add(&next_slot, 1) % SLOTS;
    atomic_store(&all[number].state, SLOT_EMPTY);
    all[number].owner = getpid();
    own = number + 1;
}

void boundary_refusal_keep(const char *text)
{
    if (own == 0)
        boundary_refusal_expect();
    if (own == 0)
        return;
    struct slot *slot = &atomic_load(&slots)[own - 1];
    snprintf(slot->text, sizeof(slot->text), "%s", text);
    atomic_store(&slot->state, SLOT_FULL);
}

const char *boundary_refusal_take(void)
{
    uint32_t full = SLOT_FULL;

    if (own == 0)
        return NULL;
    struct slot *slot = &atomic_load(&slots)[own - 1];
    if (!atomic_compare_exchange_strong(&slot->state, &full, SLOT_TAKEN))
        return NULL;
    own = 0;
    return slot->text;
}

void boundary_refusal_forget(void)
{
    if (own == 0)
        return;
    struct slot *slot = &atomic_load(&slots)[own - 1];
    /* A child that runs code of its own speaks for itself. */
    if (atomic_load(&slot->state) == SLOT_FULL || slot->owner != getpid())
        own = 0;
}
