/* A reduced set is sorted with `/` before every other byte, so that what is beneath a directory
 * stands right behind it, and has no two items of one path. */
#include "policies/floor/path_set.h"

#include <stdlib.h>
#include <string.h>

#include "policies/engine/path_text.h"

enum { FIRST_CAPACITY = 16 };

void path_set_add(struct path_set *set, const char *text, size_t length, bool alone)
{
    if (set->everywhere || set->failed || length == 0)
        return;
    if (length == 1 && !alone) {
        set->everywhere = true;
        set->count = 0;
        return;
    }
    if (set->count == set->capacity) {
        const size_t capacity = set->capacity == 0 ? FIRST_CAPACITY : 2 * set->capacity;
        struct floor_path *items = arena_zalloc(set->arena, capacity, sizeof(*items));
        if (!items) {
            set->failed = true;
            return;
        }
        if (set->count > 0)
            memcpy(items, set->items, set->count * sizeof(*items));
        set->items = items;
        set->capacity = capacity;
    }
    set->items[set->count++] = (struct floor_path){text, length, alone};
}

void path_set_join(struct path_set *set, const struct path_set *other)
{
    set->failed |= other->failed;
    if (other->everywhere)
        path_set_add(set, "/", 1, false);
    for (size_t i = 0; i < other->count; i++)
        path_set_add(set, other->items[i].text, other->items[i].length, other->items[i].alone);
}

static int rank(unsigned char byte)
{
    return byte == '/' ? 0 : byte + 1;
}

static int by_text(const struct floor_path *a, const struct floor_path *b)
{
    const size_t shorter = a->length < b->length ? a->length : b->length;

    for (size_t i = 0; i < shorter; i++)
        if (a->text[i] != b->text[i])
            return rank((unsigned char)a->text[i]) - rank((unsigned char)b->text[i]);
    return (a->length > b->length) - (a->length < b->length);
}

/* Of one path, the item that stands for more comes first. */
static int by_text_and_reach(const void *a, const void *b)
{
    const struct floor_path *left = a;
    const struct floor_path *right = b;
    const int order = by_text(left, right);

    return order != 0 ? order : (int)left->alone - (int)right->alone;
}

static bool stands_for(const struct floor_path *above, const struct floor_path *path)
{
    if (!above->alone)
        return path_is_under(path->text, path->length, above->text, above->length);
    return path->alone && by_text(above, path) == 0;
}

void path_set_reduce(struct path_set *set)
{
    const struct floor_path *tree = NULL; /* the last directory that was kept with all beneath it */
    size_t kept = 0;

    if (set->count == 0)
        return;
    qsort(set->items, set->count, sizeof(*set->items), by_text_and_reach);
    for (size_t i = 0; i < set->count; i++) {
        const struct floor_path item = set->items[i];
        if ((tree && stands_for(tree, &item)) ||
            (kept > 0 && stands_for(&set->items[kept - 1], &item)))
            continue;
        set->items[kept] = item;
        if (!item.alone)
            tree = &set->items[kept];
        kept++;
    }
    set->count = kept;
}

static const struct floor_path *find_text(const struct path_set *set, const struct floor_path *path)
{
    size_t low = 0;
    size_t high = set->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = by_text(&set->items[middle], path);
        if (order == 0)
            return &set->items[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct floor_path *path_set_find(const struct path_set *set, const struct floor_path *path)
{
    const struct floor_path *found = find_text(set, path);

    return found && found->alone == path->alone ? found : NULL;
}

bool path_set_has(const struct path_set *set, const struct floor_path *path)
{
    if (set->everywhere)
        return true;
    for (struct floor_path above = *path; above.length > 0; above.length--) {
        if (above.length < path->length && path->text[above.length] != '/')
            continue;
        const struct floor_path *found = find_text(set, &above);
        if (found && stands_for(found, path))
            return true;
    }
    return false;
}

static void add_common(struct path_set *common, const struct path_set *from,
                       const struct path_set *within)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct floor_path *item = &from->items[i];
        if (path_set_has(within, item))
            path_set_add(common, item->text, item->length, item->alone);
    }
}

void path_set_meet(struct path_set *set, struct path_set *other)
{
    struct path_set common = path_set_empty(set->arena);

    common.failed = set->failed || other->failed;
    common.everywhere = set->everywhere && other->everywhere;
    path_set_reduce(set);
    path_set_reduce(other);
    add_common(&common, set, other);
    add_common(&common, other, set);
    path_set_reduce(&common);
    *set = common;
}
