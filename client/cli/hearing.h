/* What several sets of policies say of one event, explained: the stored ones, those that are only
 * observed, a session's own. The strictest of what is enforced is the answer, as in the daemon. */
#ifndef WARDER_CLIENT_CLI_HEARING_H
#define WARDER_CLIENT_CLI_HEARING_H

#include <stdbool.h>
#include <stddef.h>

#include "policies/engine/explain.h"
#include "policies/language/source_map.h"

enum { HEARING_PARTS_MAX = 3 };

struct hearing_part {
    const struct policy_block *block;
    const struct source_map *map;    /* may be NULL */
    struct explanation *explanation; /* owned */
    bool observed;                   /* whatever it says is what it would have said */
};

/* Who says so. */
struct hearing_answer {
    enum verdict verdict;
    const struct hearing_part *part; /* NULL: nobody; the language's own, allow */
    struct deciding by;
};

struct hearing {
    const struct subject *subject;
    const struct event *event;
    struct hearing_part parts[HEARING_PARTS_MAX];
    size_t count;
    struct hearing_answer answer;
    struct hearing_answer would; /* of observed policies; VERDICT_ALLOW: nothing */
    /* An override without which the answer would have been another; `part` NULL: none. */
    struct hearing_answer overridden;
    /* The steps of the whole decision. Where they are spent, the answer is the evaluator's, as in
     * the daemon, and not what the walk through every rule has found. */
    struct budget budget;
    bool steps_spent;
};

void hearing_init(struct hearing *hearing, const struct subject *subject,
                  const struct event *event);
void hearing_deinit(struct hearing *hearing);

/* Asks the governing policies of a block, and takes what they say into account. Borrows block and
 * map. False on lack of memory. */
bool hearing_ask(struct hearing *hearing, const struct policy_block *block,
                 const struct source_map *map, const struct governing *governing, bool observed);

/* True if something that fired, or nearly did, was in doubt. */
bool hearing_has_doubt(const struct hearing *hearing);

/* Why an answer is in doubt: `its condition could not be known for certain`, or that the steps of a
 * decision were spent. */
const char *hearing_doubt(const struct hearing *hearing);

/* allow, deny, kill or would-deny: as the record has it. */
const char *hearing_word(const struct hearing *hearing);

/* Writes `local/p.rule`, `local/p.default-exec`, or nothing for nobody. */
void hearing_cite(const struct hearing *hearing, const struct hearing_part *part,
                  const struct deciding *by, char *text, size_t size);

/* The class of an operation; CLASS_NONE where the event is none. */
enum operation_class hearing_class(const struct hearing *hearing, uint32_t operation);

#endif
