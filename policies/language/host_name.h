/* Host names of policies as DNS has them: `Bücher.example.` is `xn--bcher-kva.example`.
 *
 * Folds what needs no judgement: case, and letters that every version of IDNA takes as they are in
 * lower case. Where versions differ (ß, ς), where a character has several spellings (combining
 * marks, ligatures, full-width forms) or its script is not in the table, the name is for its author
 * to write in the form of DNS. What is folded here is what Python's own codec makes of it. */
#ifndef WARDER_POLICIES_LANGUAGE_HOST_NAME_H
#define WARDER_POLICIES_LANGUAGE_HOST_NAME_H

#include <stdbool.h>
#include <stddef.h>

enum {
    HOST_NAME_MAX_LENGTH = 253, /* RFC 1035, without the final dot */
};

/* Writes the folded name, terminated; its length, or 0 if a character cannot be folded or the name
 * is too long. Does not look at the rest. */
size_t host_name_fold(const char *text, size_t length, char folded[HOST_NAME_MAX_LENGTH + 1]);

/* True for labels as in RFC 1123, and with the underscores that real names have. */
bool host_name_is_valid(const char *text, size_t length);

#endif
