/* What check_value.c (which value a literal is) and check_path.c (paths and globs) share. */
#ifndef WARDER_POLICIES_LANGUAGE_CHECK_VALUE_INTERNAL_H
#define WARDER_POLICIES_LANGUAGE_CHECK_VALUE_INTERNAL_H

#include "policies/language/check_internal.h"

/* One literal on its way to a typed value. */
struct reading {
    struct checker *checker;
    const struct predicate *predicate; /* NULL: the name of an event in a target */
    const struct checked_predicate *checked;
    const struct literal *literal;
};

/* Reports at the literal, with the use of the set that it came from as the second place. */
struct diagnostic *wrong(const struct reading *reading, enum diagnostic_code code,
                         const char *format, ...) TEXT_FORMAT(3, 4);

/* Zeroed but for its kind and its texts, which are empty. NULL on lack of memory. */
struct typed_value *new_value(const struct reading *reading, enum block_value_kind kind);
/* The literal's own text. */
struct typed_value *text_value(const struct reading *reading);

/* Says that a `*` is read as it stands, where somebody may have meant a glob. */
void warn_wildcard(const struct reading *reading, const char *text, size_t length);

/* NULL, and an error, where the literal is no such value. */
struct typed_value *path_value(const struct reading *reading);
struct typed_value *registry_value(const struct reading *reading);
struct typed_value *glob_value(const struct reading *reading);

#endif
