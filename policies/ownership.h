/* Ownership that the compiler keeps: a pointer declared CLEANUP(f) is handed to f when its scope
 * ends, unless TAKE moved it elsewhere first.
 *
 *     CLEANUP(thing_free) struct thing *t = thing_new();
 *     ...
 *     *out = TAKE(t);
 *
 * gcc, clang and mingw-w64 all have the attribute. Free functions named in CLEANUP accept NULL and
 * are declared for it with DEFINE_CLEANUP(type, function), once, beside the function. */
#ifndef WARDER_POLICIES_OWNERSHIP_H
#define WARDER_POLICIES_OWNERSHIP_H

#include <stdlib.h>

#define CLEANUP(function) __attribute__((cleanup(function##_cleanup)))

/* NOLINTBEGIN(bugprone-macro-parentheses): a type stands in no parentheses */
#define DEFINE_CLEANUP(type, function)                                                             \
    static inline void function##_cleanup(type *owned)                                             \
    {                                                                                              \
        if (*owned)                                                                                \
            function(*owned);                                                                      \
    }                                                                                              \
    struct warder_cleanup_##function##_needs_a_semicolon
/* NOLINTEND(bugprone-macro-parentheses) */

/* Moves a pointer out of its variable: the value is returned, the variable is NULL. */
#define TAKE(pointer)                                                                              \
    __extension__({                                                                                \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    })

DEFINE_CLEANUP(char *, free);

#endif
