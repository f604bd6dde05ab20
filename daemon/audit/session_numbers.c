#define _GNU_SOURCE
#include "daemon/audit/session_numbers.h"

#include <sys/random.h>

#include "daemon/store/database.h"

void session_numbers_init(struct session_numbers *numbers, uint64_t next, uint64_t reserved)
{
    numbers->next = next;
    numbers->jumped = false;
    atomic_init(&numbers->reserved, reserved);
    atomic_init(&numbers->wanted, 0);
}

/* So far that neither those who count on from what is on disk come here, nor others that jump. */
static uint64_t jump_length(void)
{
    const uint64_t least = UINT64_C(1) << 32;
    const uint64_t spread = UINT64_C(1) << 44;
    uint64_t random;

    if (getrandom(&random, sizeof(random), 0) != sizeof(random))
        random = wall_clock_now();
    return least + random % spread;
}

uint64_t session_numbers_take(struct session_numbers *numbers, bool *wants)
{
    const uint64_t reserved = atomic_load(&numbers->reserved);

    *wants = false;
    if (numbers->next < reserved) {
        numbers->jumped = false;
    } else if (!numbers->jumped) {
        numbers->next += jump_length();
        numbers->jumped = true;
    }
    const uint64_t number = numbers->next++;
    if (numbers->jumped || reserved - numbers->next < RESERVED_SESSIONS / 2)
        *wants = atomic_exchange(&numbers->wanted, numbers->next + RESERVED_SESSIONS - 1) == 0;
    return number;
}

void session_numbers_skip(struct session_numbers *numbers, uint64_t highest)
{
    if (numbers->next <= highest)
        numbers->next = highest + 1;
}

void session_numbers_reserved(struct session_numbers *numbers, uint64_t wanted)
{
    if (wanted == 0)
        return;
    atomic_store(&numbers->reserved, wanted + 1);
    /* If more is wanted by now, that is written with the next batch. */
    uint64_t written = wanted;
    atomic_compare_exchange_strong(&numbers->wanted, &written, 0);
}
