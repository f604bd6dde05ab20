/* A test file as the parser read it (grammar, "test files"): what was written and where, nothing
 * judged yet. Lives in the storage of the parse, points into the source. Lists are in the order of
 * the text.
 *
 * What a session is and what happens in it is said in the same words on the command line of
 * `warder explain`; policies/scene makes subjects and events of them. */
#ifndef WARDER_POLICIES_LANGUAGE_TEST_TREE_H
#define WARDER_POLICIES_LANGUAGE_TEST_TREE_H

#include "policies/engine/subject.h"
#include "policies/language/storage.h"
#include "policies/language/syntax_tree.h"

enum raw_kind {
    RAW_BAD, /* an error was reported for it */
    RAW_STRING,
    RAW_INTEGER,
    RAW_ADDRESS,
    RAW_TRUTH,
    RAW_NONE,
    RAW_UNKNOWN,
    RAW_LIST,
};

/* A value as Python passes it. */
struct raw {
    enum raw_kind kind;
    struct span span;
    const char *text; /* STRING */
    size_t length;
    int64_t integer;        /* INTEGER; TRUTH: 0 or 1 */
    struct address address; /* ADDRESS */
    struct raw *items;      /* LIST */
    uint32_t count;
    struct raw *next;
};

/* `user "media"`, `label role "plugin"`, `session.home "/home/media"`. */
struct session_fact {
    struct span span;
    struct span name_span;
    enum attribute_name selector; /* ATTRIBUTE_NONE: a place */
    enum place place;
    struct word label; /* of ATTRIBUTE_LABEL */
    struct raw *value;
    struct session_fact *next;
};

struct session_statement {
    struct span span;
    struct session_fact *facts;
};

enum given_kind {
    GIVEN_RESOLVES, /* a link, or a name that is found on PATH */
    GIVEN_HOST,
    GIVEN_PLATFORM,
};

struct given {
    enum given_kind kind;
    struct span span;
    struct literal *from; /* RESOLVES; HOST: its name */
    struct literal *to;   /* RESOLVES */
    struct raw *is;       /* HOST: an address, or a list of them */
    bool windows;         /* PLATFORM */
    struct given *next;
};

/* NAME raw, NAME ( raw ) */
struct stated_attribute {
    struct word name;
    enum attribute_name attribute;
    struct raw *value;
    struct stated_attribute *next;
};

/* What happens: an event with its arguments, or one operation with attributes. */
struct stated_event {
    struct span span;
    struct literal *event;  /* NULL: an operation */
    struct raw *arguments;  /* of the event: a list */
    struct word class_word; /* of the operation */
    enum operation_class operation_class;
    struct raw *main; /* value of the class's first attribute; NULL: none was given */
    struct stated_attribute *attributes;
};

enum expected_verdict {
    EXPECT_ALLOW,
    EXPECT_DENY,
    EXPECT_KILL,
    EXPECT_WOULD_DENY,
};

struct expectation {
    struct span span;
    enum expected_verdict verdict;
    struct stated_event happens;
    struct word by;                          /* RULE, POLICY.RULE, `default` */
    const struct session_statement *session; /* the last one before it; NULL: none */
    struct expectation *next;
};

struct policy_test {
    struct word policy;
    struct span span; /* `test NAME` */
    struct given *givens;
    struct expectation *expectations;
    struct policy_test *next;
};

struct test_tree {
    struct policy_test *tests;
};

/* NULL on lack of memory. Whether an error was reported the caller sees in `diagnostics`: the tree
 * is then of no use. */
struct test_tree *parse_tests(const struct source *source, struct storage *storage,
                              struct diagnostics *diagnostics);

#endif
