/* A policy text as the parser read it: what was written and where, nothing judged yet.
 *
 * Everything lives in the compilation's storage. Lists are linked in the order of the text. Texts
 * are not terminated, and point into the source or the storage. */
#ifndef WARDER_POLICIES_LANGUAGE_SYNTAX_TREE_H
#define WARDER_POLICIES_LANGUAGE_SYNTAX_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/engine/address.h"
#include "policies/engine/policy_block.h"
#include "policies/language/source.h"

/* A stretch of text that names something. */
struct word {
    const char *text;
    size_t length;
    struct span span;
};

enum literal_kind {
    LITERAL_BAD, /* an error was reported for it */
    LITERAL_STRING,
    LITERAL_INTEGER,
    LITERAL_RANGE,
    LITERAL_ADDRESS,
    LITERAL_CIDR,
    LITERAL_TRUTH,
    LITERAL_PLACE, /* session.home, or session.home "/work" */
    LITERAL_WORD,  /* a bare word where a value was expected: never right */
};

struct literal {
    enum literal_kind kind;
    struct span span;
    const char *text; /* STRING: what it stands for; PLACE: its name; WORD: as written */
    size_t length;
    int64_t low; /* INTEGER, RANGE; TRUTH: 0 or 1 */
    int64_t high;
    struct address address; /* ADDRESS, CIDR */
    unsigned prefix;
    bool has_below; /* PLACE: a string follows */
    const char *below;
    size_t below_length;
    struct span below_span;
    struct literal *next;
};

enum test {
    TEST_ALONE, /* the attribute stands by itself */
    TEST_IS,
    TEST_IS_NONE,
    TEST_IS_ABSENT,
    TEST_IN,
    TEST_UNDER,
    TEST_MATCHES,
    TEST_STARTS,
    TEST_HAS,
    TEST_HAS_MATCHES,
    TEST_LESS,
    TEST_LESS_OR_EQUAL,
    TEST_GREATER,
    TEST_GREATER_OR_EQUAL,
};

enum operand_form {
    FORM_NOTHING,
    FORM_ONE,
    FORM_LIST,
    FORM_SET, /* a bare word: the name of a set */
};

enum index_form {
    INDEX_NONE,
    INDEX_NUMBER,   /* argv[1], arg[0] */
    INDEX_TEXT,     /* env["PATH"] */
    INDEX_ARGUMENT, /* arg.NAME, arg."NAME" */
    INDEX_LABEL,    /* label NAME */
};

struct checked_predicate;

struct predicate {
    struct span span;
    struct word attribute; /* without its index: argv, arg, label */
    enum index_form index;
    int64_t number;
    struct word key;        /* TEXT, ARGUMENT, LABEL */
    struct span index_span; /* of the number or key */
    struct span operand_of; /* attribute and index: `argv[1]` */
    enum test test;
    struct span test_span;
    enum operand_form form;
    struct span form_span;
    struct literal *values;            /* ONE, LIST */
    struct word set;                   /* SET */
    struct checked_predicate *checked; /* the checker's; NULL if it found an error */
};

enum condition_kind {
    CONDITION_AND,
    CONDITION_OR,
    CONDITION_NOT,
    CONDITION_PREDICATE,
    CONDITION_TRUE, /* `applies { }` */
};

struct condition {
    enum condition_kind kind;
    struct span span;
    bool mixed; /* AND, OR: both stand in it, so that it means neither; that was reported */
    struct condition *first; /* AND, OR: two or more; NOT: one */
    struct condition *next;  /* among the children of one parent */
    struct predicate *predicate;
};

struct class_word {
    struct word word;
    enum operation_class operation_class; /* the checker's */
    struct class_word *next;
};

struct class_list {
    bool all;
    struct span span;
    struct class_word *first;
};

struct set {
    struct word name;
    struct span span; /* the whole statement */
    struct span list_span;
    struct literal *values;
    bool flawed; /* the list could not be read */
    bool used;   /* the checker's */
    struct set *next;
};

struct applies {
    struct span span;
    struct condition *condition;
    struct applies *next;
};

struct mode {
    struct span span;
    bool observe;
    struct mode *next;
};

struct default_statement {
    struct span span;
    bool deny;
    struct class_list classes;
    struct literal *message; /* NULL for none */
    struct default_statement *next;
};

struct rule {
    struct span span;
    struct span effect_span;
    enum rule_effect effect;
    struct class_list classes;   /* empty where the target is events */
    struct literal *events;      /* NULL where the target is classes */
    struct condition *condition; /* NULL: always */
    struct word name;
    struct literal *message;
    struct checked_rule *checked; /* the checker's; NULL if it found an error */
    struct rule *next;
};

struct floor_statement {
    struct span span;
    struct class_list classes; /* never `all` */
    bool required;
    struct span required_span;
    struct floor_statement *next;
};

struct policy;

struct override {
    struct span span;      /* the whole statement */
    struct word reference; /* TIER/POLICY.RULE, and its parts: */
    enum policy_tier tier;
    struct word policy;
    struct word rule;
    struct condition *condition; /* NULL: always */
    struct literal *reason;
    struct span date_span;
    int32_t until; /* the last day that it counts, in days since 1970-01-01 */
    /* The checker's, where it counts: whom and what it cancels, a rule or the default of a class.
     */
    bool counts;
    const struct policy *target_policy;
    const struct rule *target_rule; /* NULL: the default of target_class */
    enum operation_class target_class;
    struct override *next;
};

/* `limit`: read, and not there yet. */
struct later {
    struct span span;
    struct later *next;
};

struct name_table;

struct policy {
    struct word name;
    struct literal *title; /* NULL for none */
    struct span span;      /* from `policy` to `}` */
    uint32_t indentation;  /* of `policy` */
    struct applies *applies;
    struct mode *modes;
    struct default_statement *defaults;
    struct floor_statement *floors;
    struct set *sets;
    struct rule *rules;
    struct override *overrides;
    struct later *later;
    bool flawed; /* a statement could not be read: nothing is concluded from what is missing */
    struct name_table *rule_names; /* the checker's: to struct rule */
    uint32_t index;                /* the emitter's: in the block */
    struct policy *next;
};

/* What stands at file level, in its order. */
struct file_item {
    struct set *set; /* one of the two */
    struct policy *policy;
    struct span span;
    struct file_item *next;
};

struct file_tree {
    const struct source *source;
    struct file_item *items;
    bool flawed;    /* something could not be read */
    bool sets_lost; /* and that may have been a set: nobody is told that one does not exist */
};

#endif
