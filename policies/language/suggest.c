#include "policies/language/suggest.h"

#include <stdbool.h>
#include <string.h>

enum { NAME_MAX_COMPARED = 64 }; /* longer names are compared for equality but for case alone */

void suggestion_init(struct suggestion *suggestion, const char *wrong, size_t length)
{
    *suggestion = (struct suggestion){.wrong = wrong, .length = length};
    if (length <= 2)
        suggestion->distance = 1; /* anything is one slip from `x`: only case is tried */
    else
        suggestion->distance = length < 6 ? 2 : 3;
}

static char lower(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c + ('a' - 'A'));
    return c;
}

static bool same_but_case(const char *a, const char *b, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Damerau's distance with adjacent swaps (optimal string alignment). */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned rows[3][NAME_MAX_COMPARED + 1];

    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3];
        const unsigned *before_that = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            const unsigned same = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
            row[j] = least(above[j - 1] + same, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before_that[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

void suggestion_offer(struct suggestion *suggestion, const char *name, size_t length)
{
    const size_t wrong = suggestion->length;
    const size_t apart = wrong > length ? wrong - length : length - wrong;
    unsigned found;

    if (wrong == length && same_but_case(suggestion->wrong, name, length))
        found = 0;
    else if (wrong > NAME_MAX_COMPARED || length > NAME_MAX_COMPARED ||
             apart >= suggestion->distance)
        return;
    else
        found = distance(suggestion->wrong, wrong, name, length);
    if (found >= suggestion->distance)
        return;
    suggestion->best = name;
    suggestion->best_length = length;
    suggestion->distance = found;
}
