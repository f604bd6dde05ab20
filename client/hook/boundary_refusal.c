#define _GNU_SOURCE
#include "client/hook/boundary_refusal.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    SLOTS =
        16, /* threads that are being denied something at one moment; one more takes the oldest */
};

enum slot_state { SLOT_EMPTY, SLOT_FULL, SLOT_TAKEN };

struct slot {
    _Atomic uint32_t state;
    pid_t owner; /* the process whose thread expects it */
    char event[REFUSED_EVENT_SIZE];
    struct answer answer; /* its texts alone */
};

/* Shared with forked children. */
static struct slot *_Atomic slots;
static _Atomic uint32_t next_slot;

/* Number of the thread's slot and 1; 0: none. With TAKEN, its sentence was said. */
_Thread_local uint32_t boundary_refusal_own;
#define TAKEN (UINT32_C(1) << 31)

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

/* From memory that another process may write to at this moment. */
static void copy_text(char *to, size_t size, const char *from, size_t most)
{
    const size_t length = strnlen(from, (most < size ? most : size) - 1);

    memcpy(to, from, length);
    to[length] = '\0';
}

static void copy_texts(struct answer *to, const struct answer *from)
{
    copy_text(to->operation, sizeof(to->operation), from->operation, sizeof(from->operation));
    copy_text(to->policy, sizeof(to->policy), from->policy, sizeof(from->policy));
    copy_text(to->rule, sizeof(to->rule), from->rule, sizeof(from->rule));
    copy_text(to->message, sizeof(to->message), from->message, sizeof(from->message));
    copy_text(to->decision_id, sizeof(to->decision_id), from->decision_id,
              sizeof(from->decision_id));
    copy_text(to->text, sizeof(to->text), from->text, sizeof(from->text));
}

void boundary_refusal_expect(void)
{
    struct slot *all = all_slots();

    if (!all)
        return;
    const uint32_t number = atomic_fetch_add(&next_slot, 1) % SLOTS;
    atomic_store(&all[number].state, SLOT_EMPTY);
    all[number].owner = getpid();
    boundary_refusal_own = number + 1;
}

void boundary_refusal_keep(const struct answer *answer)
{
    if (boundary_refusal_own == 0 || (boundary_refusal_own & TAKEN))
        boundary_refusal_expect();
    if (boundary_refusal_own == 0 || (boundary_refusal_own & TAKEN))
        return;
    struct slot *slot = &atomic_load(&slots)[boundary_refusal_own - 1];
    snprintf(slot->event, sizeof(slot->event), "%s", answer->event ? answer->event : "");
    copy_texts(&slot->answer, answer);
    atomic_store(&slot->state, SLOT_FULL);
}

const char *boundary_refusal_take(void)
{
    uint32_t full = SLOT_FULL;

    if (boundary_refusal_own == 0 || (boundary_refusal_own & TAKEN))
        return NULL;
    struct slot *slot = &atomic_load(&slots)[boundary_refusal_own - 1];
    if (!atomic_compare_exchange_strong(&slot->state, &full, SLOT_TAKEN))
        return NULL;
    boundary_refusal_own |= TAKEN;
    slot->answer.text[sizeof(slot->answer.text) - 1] = '\0';
    return slot->answer.text;
}

bool boundary_refusal_was_taken(void)
{
    return (boundary_refusal_own & TAKEN) != 0;
}

bool boundary_refusal_details(struct answer *answer, char event[REFUSED_EVENT_SIZE])
{
    if (!(boundary_refusal_own & TAKEN))
        return false;
    const struct slot *slot = &atomic_load(&slots)[(boundary_refusal_own & ~TAKEN) - 1];
    boundary_refusal_own = 0;
    if (atomic_load(&slot->state) != SLOT_TAKEN) /* another thread's by now */
        return false;
    copy_texts(answer, &slot->answer);
    copy_text(event, REFUSED_EVENT_SIZE, slot->event, sizeof(slot->event));
    return true;
}

void boundary_refusal_forget_own(void)
{
    if (boundary_refusal_own & TAKEN) {
        boundary_refusal_own = 0;
        return;
    }
    struct slot *slot = &atomic_load(&slots)[boundary_refusal_own - 1];
    /* A child that runs code of its boundary_refusal_own speaks for itself. */
    if (atomic_load(&slot->state) == SLOT_FULL || slot->owner != getpid())
        boundary_refusal_own = 0;
}
