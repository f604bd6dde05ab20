/* Words that people bring from other languages, and what this one has for them. Only messages are
 * made of it: nothing is understood because it stands here. */
#ifndef WARDER_POLICIES_LANGUAGE_FOREIGN_WORDS_H
#define WARDER_POLICIES_LANGUAGE_FOREIGN_WORDS_H

#include <stddef.h>

#include "policies/engine/vocabulary.h"

enum foreign_place {
    FOREIGN_FILE,      /* where `policy` or `set` stands */
    FOREIGN_STATEMENT, /* where a statement begins */
    FOREIGN_CLAUSE,    /* behind the target of a rule */
    FOREIGN_JOIN,      /* behind a condition */
    FOREIGN_VALUE,     /* a bare word as a value; the answer is what to write */
    FOREIGN_MODE,
    FOREIGN_DEFAULT, /* behind `default` */
    FOREIGN_CLASS,   /* where a class stands */
};

/* What to write instead: a word, or, where `*sentence`, a whole remark. NULL if the word is none of
 * those. Case does not count. */
const char *foreign_word(enum foreign_place place, const char *text, size_t length,
                         const char **sentence);

/* What stands here for an operator of another language, behind an attribute of that type. The
 * answer is a shape: @ is the attribute, $ the value, % the text of it without its quotes. NULL if
 * it is none of those. */
const char *foreign_operator(const char *text, size_t length, enum attribute_type type);

/* What an attribute of a closed vocabulary calls what others call so: `remove` for "unlink". NULL
 * if there is nothing. */
const char *foreign_value(const char *text, size_t length);

#endif
