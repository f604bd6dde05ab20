/* What the files of the checker share.
 *
 *     check_policy.c      names, sets, defaults, statements that come later
 *     check_floor.c       floors, and what the rules beside them say
 *     check_override.c    overrides, once every file of the generation is known
 *     check_rule.c        targets: classes and events
 *     check_event.c       names of events and of their arguments
 *     check_condition.c   predicates: attributes, operators
 *     check_value.c       literals, read as the attribute's type
 *     check_path.c        the same for paths and globs
 *     check_coverage.c    allows that a deny covers
 *     check_start.c       what would stop the interpreter's own start
 *     check_warnings.c    what is allowed and cannot be meant
 *     check_host.c        what the host says: its files, its interpreters */
#ifndef WARDER_POLICIES_LANGUAGE_CHECK_INTERNAL_H
#define WARDER_POLICIES_LANGUAGE_CHECK_INTERNAL_H

#include "policies/catalogue/catalogue.h"
#include "policies/language/check.h"
#include "policies/language/names.h"
#include "policies/language/report.h"
#include "policies/language/suggest.h"

enum target_kind {
    TARGET_SESSION, /* `applies`: no operation, the selectors alone */
    TARGET_CLASSES,
    TARGET_EVENTS,
};

/* What a condition is asked about. */
struct target {
    enum target_kind kind;
    bool all;         /* every class */
    uint32_t classes; /* CLASSES: those named; EVENTS: all that a matched event can be */
    const struct class_list *listed;
    const uint16_t *events; /* every event that may be meant, by number; see target_events */
    size_t event_count;
    bool open_ended;  /* events that the catalogue does not know may be meant too */
    struct span span; /* of the target's words */
};

struct checker {
    struct check_context *context;
    struct storage *storage;
    struct diagnostics *diagnostics;
    struct name_table file_sets;
    struct name_table policy_sets;
    bool sets_are_whole; /* every set could be read: an unknown one is none */
    enum policy_tier tier;
    bool observes; /* the whole file */
    struct target target;
};

/* A file of the generation, for what is checked once all of them are known. */
struct checked_file {
    struct file_tree *tree;
    struct checker checker;
    bool flawed; /* something is wrong with it */
    struct checked_file *next;
};

static inline uint32_t class_bit(enum operation_class operation_class)
{
    return UINT32_C(1) << operation_class;
}

/* A policy's statements. */
void check_policy(struct checker *checker, struct policy *policy);
void check_floors(struct checker *checker, const struct policy *policy);
/* With the sets of the policy in the checker. */
void check_overrides(struct checker *checker, struct policy *policy);
void check_rule(struct checker *checker, struct rule *rule);
/* Every predicate below; false if an error was reported in one. */
bool check_condition(struct checker *checker, struct condition *condition);

/* The literals of a predicate as values of `type`, in checked->values. `of` is the source's text
 * for what is compared (`argv[0]`). */
bool check_values(struct checker *checker, const struct predicate *predicate,
                  const struct literal *literals, struct checked_predicate *checked);
/* One type throughout, not empty, no bare words. */
bool check_list(struct checker *checker, const struct literal *literals, struct span span);
/* A text glob, of an event's name or for `matches`. */
struct typed_value *check_text_glob(struct checker *checker, const struct literal *literal);
/* A message or title: printable, no byte that is not UTF-8. */
void check_printable(struct checker *checker, const struct literal *literal, const char *what);

/* A string of a target that has a wildcard. */
bool is_event_glob(const struct literal *literal);
/* Adds the events of a target's string to `events` (a bit for each number). False if an error was
 * reported. */
bool find_target_events(struct checker *checker, const struct literal *literal, uint8_t *events);
/* Bytes that a set of events takes. */
size_t event_set_size(void);

/* Fills in the target's events, which rules on classes need for their arguments alone: those that
 * can be operations of its classes. False on lack of memory. */
bool target_events(struct checker *checker);

/* arg.NAME and arg[N]: some event that may be meant has such an argument, and it is read. */
bool check_argument_name(struct checker *checker, const struct predicate *predicate,
                         struct checked_predicate *checked);
bool check_argument_number(struct checker *checker, const struct predicate *predicate);

/* The set that a predicate uses; NULL if there is none (an error was reported, or its definition
 * could not be read). */
const struct set *find_set(struct checker *checker, const struct word *name);

void check_coverage(struct checker *checker, const struct policy *policy);
/* True if the policy denies the class by default; `*where` is the place that says so. */
bool default_denies(const struct policy *policy, enum operation_class operation_class,
                    struct span *where);

/* What is said of an allow's condition, of an override that cancels `rule`. */
void check_exception_warnings(struct checker *checker, const struct rule *rule,
                              const struct condition *condition);
/* Of one rule or `applies` each. */
void check_rule_warnings(struct checker *checker, const struct policy *policy);
/* Of a policy as a whole, which has no error. */
void check_policy_warnings(struct checker *checker, const struct policy *policy);

/* Of a policy that enforces: what lets no interpreter under it start. */
void check_start(struct checker *checker, const struct policy *policy);

/* Of a policy without an error: what compile_options know of the host. */
void check_host(struct checker *checker, const struct policy *policy);
/* The first place of a floor of the class; NULL if there is none. */
const struct class_word *floor_of(const struct policy *policy,
                                  enum operation_class operation_class);

/* `an integer`: a type in a reader's words. */
const char *type_in_words(enum attribute_type type);

static inline const char *span_text(struct span span)
{
    return span.source->text + span.offset;
}

#endif
