/* The words of the grammar, apart from the names of classes, attributes and places, which are in
 * the vocabulary (policies/engine). The parser finds statements by them, and the grammars for
 * editors (packaging/editors) are made from them. */
#ifndef WARDER_POLICIES_LANGUAGE_WORDS_H
#define WARDER_POLICIES_LANGUAGE_WORDS_H

enum word_group {
    WORDS_FILE,      /* begin what stands in a policy file */
    WORDS_STATEMENT, /* begin a statement of a policy */
    WORDS_TEST_FILE, /* begin what stands in a test file */
    WORDS_TEST,      /* begin a line of a test */
    WORDS_EFFECT,    /* what rules do, and tests expect */
    WORDS_CLAUSE,    /* go on with a statement */
    WORDS_JOIN,      /* stand between conditions or before one */
    WORDS_OPERATOR,  /* stand between an attribute and a value */
    WORDS_CONSTANT,  /* are values, or stand in the place of one */
    WORD_GROUP_COUNT
};

/* Ending with NULL. */
const char *const *grammar_words(enum word_group group);

#endif
