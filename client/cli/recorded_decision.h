/* A decision of the record, as the daemon tells it, and judged once more: by the policies that were
 * stored then, and by those that are stored now. */
#ifndef WARDER_CLIENT_CLI_RECORDED_DECISION_H
#define WARDER_CLIENT_CLI_RECORDED_DECISION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/cli/daemon_client.h"
#include "client/cli/hearing.h"
#include "client/cli/policy_file.h"
#include "client/cli/recorded_event.h"

/* A policy as the store had it at a generation. */
struct stored_text {
    char *file; /* TIER/NAME */
    char *text;
    size_t length;
    enum policy_tier tier;
    uint64_t revision;
    uint64_t generation;
};

/* The statement that the record cites; `text` NULL: the store does not have it. */
struct cited_statement {
    char *text;
    size_t length;
    uint64_t revision;
    uint32_t line;
};

/* The decision judged by what was stored at one generation. */
struct rehearing {
    bool heard; /* else nothing below is filled in, and `objection` says why */
    const char *objection;
    struct hearing hearing;
    struct policy_block *block;
    struct source_map *map;
    struct policy_block *own_block;
    struct source_map *own_map;
    uint32_t *governing;
    uint32_t *observed;
};

struct recorded_decision {
    json_t *row;
    uint64_t time;       /* nanoseconds since 1970, UTC */
    uint64_t generation; /* that it was judged by, */
    uint64_t now;        /* and that is in force */
    bool partial;        /* the asker is told of the record alone */
    struct cited_statement statement;
    struct stored_text *texts;
    size_t text_count;
    struct storage storage;
    bool readable; /* the event can be judged again: */
    struct recorded_event recorded;
    struct rehearing then;
    struct rehearing today;
};

enum decision_answer {
    DECISION_TOLD,
    DECISION_NOT_FOUND, /* `error` has the daemon's words */
    DECISION_FAILED,    /* after a complaint */
};

/* Asks a daemon. `session` in hexadecimal. To be deinitialised whatever the answer. */
enum decision_answer recorded_decision_ask(struct recorded_decision *decision,
                                           struct daemon_client *client, const char *session,
                                           uint64_t number, char *error, size_t size);
void recorded_decision_deinit(struct recorded_decision *decision);

/* Judges it again. `own`: the files of policies that the session had of its own. False after a
 * complaint. */
bool recorded_decision_rehear(struct recorded_decision *decision, const struct policy_file *own,
                              size_t own_count);

/* True if the session had policies of its own, which are stored nowhere. */
bool recorded_decision_has_own(const struct recorded_decision *decision);

/* True if the session had this very text of its own. */
bool recorded_decision_knows(const struct recorded_decision *decision,
                             const struct policy_file *file);

/* True if a rule of Warder's own decided, which stands beside every policy. */
bool recorded_decision_is_built_in(const struct recorded_decision *decision);

/* The first policy that the process named, and not to be observed alone, and that a generation of
 * which the texts were told does not have: everything is denied to the process under it. NULL if it
 * has all of them. */
const char *recorded_decision_gone_policy(const struct recorded_decision *decision,
                                          uint64_t generation);

/* `local/p.rule`, as the record cites it. */
void recorded_decision_cite(const struct recorded_decision *decision, char *text, size_t size);

#endif
