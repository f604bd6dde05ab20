/* "Did you mean …?": only where a name is close. */
#ifndef WARDER_POLICIES_LANGUAGE_SUGGEST_H
#define WARDER_POLICIES_LANGUAGE_SUGGEST_H

#include <stddef.h>

/* The nearest candidate so far. */
struct suggestion {
    const char *wrong;
    size_t length;
    const char *best; /* NULL: none is close. Terminated or not, as it was offered */
    size_t best_length;
    unsigned distance;
};

void suggestion_init(struct suggestion *suggestion, const char *wrong, size_t length);

/* Offers a name. Close is: one slip (a letter more, less, other, or two swapped) in a short name,
 * two in one of six letters and more; the case of letters is a slip for the whole name. The first
 * of equals stays. */
void suggestion_offer(struct suggestion *suggestion, const char *name, size_t length);

#endif
