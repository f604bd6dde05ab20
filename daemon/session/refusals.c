#include "daemon/session/refusals.h"

#include <stdio.h>
#include <string.h>

#include "daemon/session/connection.h"

/* Forgets reasons that nothing is counted of any more. */
static void forget_old(struct refusals *refusals, uint64_t now)
{
    size_t kept = 0;

    for (size_t i = 0; i < refusals->count; i++) {
        const struct refusal *item = &refusals->items[i];
        if (item->until <= now && item->more == 0)
            continue;
        if (kept != i)
            refusals->items[kept] = *item;
        kept++;
    }
    refusals->count = kept;
}

static struct refusal *find(struct refusals *refusals, const char *reason)
{
    for (size_t i = 0; i < refusals->count; i++)
        if (strncmp(refusals->items[i].reason, reason, REFUSAL_TEXT_MAX - 1) == 0)
            return &refusals->items[i];
    return NULL;
}

bool refusals_add(struct refusals *refusals, const char *reason, uint64_t now)
{
    struct refusal *item = find(refusals, reason);

    if (!item || (item->until <= now && item->more == 0)) {
        forget_old(refusals, now);
        if (refusals->count < REFUSAL_REASONS_MAX) {
            item = &refusals->items[refusals->count++];
            *item = (struct refusal){.until = now + REFUSAL_MILLISECONDS};
            (void)snprintf(item->reason, sizeof(item->reason), "%s", reason);
            return true;
        }
        item = &refusals->others;
        if (item->more == 0)
            item->until = now + REFUSAL_MILLISECONDS;
    }
    item->more++;
    return false;
}

static bool take(struct refusal *item, uint64_t now, uint64_t *count, bool *waiting)
{
    if (item->more == 0)
        return false;
    if (item->until > now) {
        *waiting = true;
        return false;
    }
    *count = item->more;
    item->more = 0;
    return true;
}

bool refusals_take(struct refusals *refusals, uint64_t now, char *text, size_t size,
                   uint64_t *count, bool *waiting)
{
    *waiting = false;
    for (size_t i = 0; i < refusals->count; i++) {
        struct refusal *item = &refusals->items[i];
        if (!take(item, now, count, waiting))
            continue;
        (void)snprintf(text, size, "refused as well, within a second: %s", item->reason);
        return true;
    }
    if (!take(&refusals->others, now, count, waiting))
        return false;
    (void)snprintf(text, size, "refused as well, within a second, for other reasons");
    return true;
}

const char *refusal_at_socket(int state, const char *reason, char *text, size_t size)
{
    if (state != STATE_NEW && state != STATE_ADMIN)
        return reason;
    (void)snprintf(text, size, "%s (%s socket)", reason,
                   state == STATE_ADMIN ? "administration" : "session");
    return text;
}
