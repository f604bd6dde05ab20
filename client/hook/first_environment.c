#define _GNU_SOURCE
#include "client/hook/first_environment.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "client/hook/own_pages.h"
#include "proto/siphash.h"

enum {
    SLOTS = 2 * FIRST_ENVIRONMENT_MAX, /* of the table: a power of two */
};

struct first_environment {
    unsigned char key[SIPHASH_KEY_SIZE];
    uint64_t slots[SLOTS]; /* 0: free */
};

static struct first_environment *noted;

static uint64_t hash_of(const struct first_environment *environment, const char *entry)
{
    unsigned char tag[SIPHASH_TAG_SIZE];
    struct siphash hash;
    uint64_t value;

    siphash_init(&hash, environment->key);
    siphash_update(&hash, entry, strlen(entry));
    siphash_final(&hash, tag);
    memcpy(&value, tag, sizeof(value));
    return value > 0 ? value : 1;
}

/* Where the hash stands, or the free slot that it would stand in. */
static size_t slot_of(const struct first_environment *environment, uint64_t hash)
{
    size_t slot = hash % SLOTS;

    while (environment->slots[slot] != 0 && environment->slots[slot] != hash)
        slot = (slot + 1) % SLOTS;
    return slot;
}

void first_environment_note(char *const *environment)
{
    struct first_environment *filled = noted ? NULL : own_pages_map(sizeof(*filled));

    if (!filled)
        return;
    if (getrandom(filled->key, sizeof(filled->key), 0) != (ssize_t)sizeof(filled->key)) {
        munmap(filled, sizeof(*filled));
        return;
    }
    for (size_t i = 0; environment && environment[i] && i < FIRST_ENVIRONMENT_MAX; i++) {
        const uint64_t hash = hash_of(filled, environment[i]);
        filled->slots[slot_of(filled, hash)] = hash;
    }
    mprotect(filled, sizeof(*filled), PROT_READ);
    noted = filled;
}

bool first_environment_has(const char *entry)
{
    if (!noted)
        return false;
    const uint64_t hash = hash_of(noted, entry);
    return noted->slots[slot_of(noted, hash)] == hash;
}
