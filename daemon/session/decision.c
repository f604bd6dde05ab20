/* The answer goes out before the record is made. A decision uses one generation from start to end.
 * A judgement is a denial until the evaluator has spoken. */
#include "daemon/session/decision.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/audit/redaction.h"
#include "daemon/session/continuation.h"
#include "daemon/session/denial_queue.h"
#include "daemon/session/sent_event.h"
#include "daemon/session/settled_records.h"
#include "daemon/store/database.h"
#include "policies/engine/event_text.h"
#include "policies/engine/hook_file.h"
#include "policies/engine/kernel_program.h"

/* A rule that no policy has to state, and none can except. */
struct built_in {
    const char *rule; /* NULL: none has denied */
    const char *message;
};

/* A verdict with the block that its indices speak of. */
struct ruling {
    struct judgement judgement;
    const struct policy_block *block;       /* of the verdict, where no built-in rule denied */
    const struct policy_block *would_block; /* of what observed policies would have said */
    const struct policy_block *log_blocks[JUDGEMENT_LOGS_MAX]; /* of each `log` rule */
    const struct policy_block *override_block;                 /* of the override */
    uint64_t generation;
    struct budget *budget; /* of the whole decision, over all blocks */
    struct built_in built_in;
    bool only_exec; /* a fork that is allowed for the sake of an exec alone */
};

/* What is said about a ruling, in the words of its policy. */
struct citation {
    char policy[WISHES_NAME_LENGTH_MAX + 16];
    char rule[2 * WISHES_NAME_LENGTH_MAX + 48]; /* of an override: that it is one, and of what */
    const char *message;
};

/* ------------------------------------------------------------------------------------- judgement
 */

static void take_would(struct ruling *ruling, const struct policy_block *block,
                       enum verdict verdict, const struct deciding *by)
{
    if (verdict <= ruling->judgement.would)
        return;
    ruling->judgement.would = verdict;
    ruling->judgement.would_by = *by;
    ruling->would_block = block;
}

static void take_logs(struct ruling *ruling, const struct policy_block *block,
                      const struct judgement *judgement)
{
    struct judgement *all = &ruling->judgement;

    all->log |= judgement->log;
    for (uint32_t i = 0; i < judgement->log_count && all->log_count < JUDGEMENT_LOGS_MAX; i++) {
        ruling->log_blocks[all->log_count] = block;
        all->log_by[all->log_count++] = judgement->log_by[i];
    }
}

/* Adds what one block says. `observed`: whatever it says is only what it would have said. */
static void add_block(struct ruling *ruling, const struct policy_block *block,
                      const struct governing *governing, const struct session *session,
                      const struct event *event, bool observed)
{
    struct judgement judgement;

    if (governing->count == 0)
        return;
    evaluate_within(block, governing, &session->subject, event, ruling->budget, &judgement);
    take_would(ruling, block, judgement.would, &judgement.would_by);
    take_logs(ruling, block, &judgement);
    if (!observed && judgement.override != OVERRIDE_NONE && !ruling->override_block) {
        ruling->judgement.override = judgement.override;
        ruling->judgement.overridden = judgement.overridden;
        ruling->override_block = block;
    }
    if (observed)
        take_would(ruling, block, judgement.verdict, &judgement.by);
    else if (judgement_take_stricter(&ruling->judgement, &judgement)) {
        ruling->block = block;
        ruling->judgement.spent = judgement.spent;
    }
}

static void add_wishes(struct ruling *ruling, const struct wishes *wishes,
                       const struct session *session, const struct event *event)
{
    enum { POLICIES_MAX = 1024 };
    uint32_t policies[POLICIES_MAX];

    if (!wishes->block)
        return;
    /* Naming a file makes all of its policies govern. Those past the array's end are judged in
     * further rounds. */
    const uint32_t count = policy_block_policy_count(wishes->block);
    for (uint32_t first = 0; first < count; first += POLICIES_MAX) {
        const uint32_t some = count - first < POLICIES_MAX ? count - first : POLICIES_MAX;
        for (uint32_t i = 0; i < some; i++)
            policies[i] = first + i;
        const struct governing governing = {.policies = policies, .count = some};
        add_block(ruling, wishes->block, &governing, session, event, false);
    }
}

/* `operation` of what every policy allows is denied all the same. */
static void deny_built_in(struct ruling *ruling, int operation, struct built_in built_in)
{
    if (operation < 0 || ruling->judgement.verdict != VERDICT_ALLOW)
        return;
    ruling->judgement.verdict = VERDICT_DENY;
    ruling->judgement.by =
        (struct deciding){POLICY_NO_INDEX, RULE_DEFAULT, (uint32_t)operation, false};
    ruling->built_in = built_in;
}

static void judge_built_in(struct ruling *ruling, const struct session *session,
                           const struct event *event)
{
    const char *hook = session_hook_file(session);

    if (hook)
        deny_built_in(ruling, hook_file_changed_by(hook, event),
                      (struct built_in){"hook-file", HOOK_FILE_MESSAGE});
    if (session_keeps_kernel_programs(session))
        deny_built_in(ruling, kernel_program_changed_by(event),
                      (struct built_in){"kernel-programs", KERNEL_PROGRAM_MESSAGE});
    /* What a session named is not there to say what is allowed. */
    if (session->gone_policy[0])
        deny_built_in(ruling, 0, (struct built_in){"policy-gone", session->gone_policy});
}

static void judge(struct session *session, const struct event *event, struct budget *budget,
                  struct ruling *ruling)
{
    *ruling = (struct ruling){
        .judgement = {.verdict = VERDICT_ALLOW,
                      .by = {.policy = POLICY_NO_INDEX, .rule = RULE_DEFAULT},
                      .would = VERDICT_ALLOW,
                      .override = OVERRIDE_NONE},
        .budget = budget,
    };
    const struct policy_block *block = session->generation->block;
    const struct governing governing = {.policies = session->governing,
                                        .count = session->governing_count,
                                        .today = generation_today()};
    const struct governing observed = {.policies = session->observed,
                                       .count = session->observed_count,
                                       .today = governing.today,
                                       .overriding = &governing};

    ruling->generation = session->generation->number;
    ruling->block = block;
    add_block(ruling, block, &governing, session, event, false);
    add_block(ruling, block, &observed, session, event, true);
    for (size_t i = 0; i < session->wishes.count; i++)
        add_wishes(ruling, session->wishes.items[i], session, event);
    judge_built_in(ruling, session, event);
    if (ruling->judgement.verdict != VERDICT_ALLOW)
        ruling->judgement.override = OVERRIDE_NONE; /* it did not help */
}

/* ----------------------------------------------------------------------------------------- words
 */

static enum operation_class class_of(const struct event *event, uint32_t operation)
{
    return operation < event->operation_count ? event->operations[operation].operation_class
                                              : CLASS_NONE;
}

static void cite(const struct policy_block *block, const struct deciding *by,
                 const struct event *event, struct citation *citation)
{
    *citation = (struct citation){.message = ""};
    if (!block || by->policy == POLICY_NO_INDEX)
        return;
    snprintf(citation->policy, sizeof(citation->policy), "%s/%s",
             policy_tier_name(policy_tier(block, by->policy)), policy_name(block, by->policy));
    if (by->rule != RULE_DEFAULT) {
        snprintf(citation->rule, sizeof(citation->rule), "%s", rule_name(block, by->rule));
        citation->message = rule_message(block, by->rule);
        return;
    }
    const enum operation_class class = class_of(event, by->operation);
    const char *name = vocabulary_class_name(class);
    if (!name)
        return;
    snprintf(citation->rule, sizeof(citation->rule), "default-%s", name);
    citation->message = default_message(block, by->policy, class);
}

/* What denies, or ends. */
static void cite_denial(const struct ruling *ruling, const struct event *event,
                        struct citation *citation)
{
    if (ruling->built_in.rule) {
        *citation = (struct citation){.policy = "warder", .message = ruling->built_in.message};
        snprintf(citation->rule, sizeof(citation->rule), "%s", ruling->built_in.rule);
    } else {
        cite(ruling->block, &ruling->judgement.by, event, citation);
    }
}

/* Why a denial is in doubt, in words. */
static const char *doubt(const struct judgement *judgement)
{
    if (!judgement->by.unknown)
        return "";
    if (judgement->spent)
        return " (it could not be judged in the steps that a decision may take)";
    return " (an argument could not be known for certain)";
}

static void sentence(const struct event *event, const struct ruling *ruling,
                     const struct citation *citation, const char *id, char *text, size_t size)
{
    char what[EVENT_TEXT_MAX];
    char message[1024];
    const struct deciding *by = &ruling->judgement.by;

    event_text(event, by->operation, what, sizeof(what));
    printable_text(citation->message, strlen(citation->message), message, sizeof(message));
    snprintf(text, size, "warder: %s %s by %s.%s%s%s%s [decision %s]", what,
             ruling->judgement.verdict == VERDICT_KILL ? "denied, and the interpreter ended,"
                                                       : "denied",
             citation->policy, citation->rule, message[0] ? ": " : "", message,
             doubt(&ruling->judgement), id);
}

static void decision_id(const struct session *session, uint64_t number, char *id, size_t size)
{
    snprintf(id, size, "%" PRIx64 "-%" PRIu64, session->number, number);
}

/* ---------------------------------------------------------------------------------------- answer
 */

enum { ENVIRONMENT_NAMES_MAX = 64 };

struct environment_names {
    const struct policy_block *block; /* of the rules that are told of */
    ProtobufCBinaryData names[ENVIRONMENT_NAMES_MAX];
    size_t count;
};

static void add_environment_name(void *context, const char *name, uint32_t length)
{
    struct environment_names *names = context;

    for (size_t i = 0; i < names->count; i++)
        if (names->names[i].len == length && memcmp(names->names[i].data, name, length) == 0)
            return;
    if (names->count < ENVIRONMENT_NAMES_MAX)
        names->names[names->count++] = bytes_field(name, length);
}

static void add_environment_of(void *context, uint32_t rule)
{
    const struct environment_names *names = context;
    policy_rule_environment(names->block, rule, add_environment_name, context);
}

static int compare_names(const void *one, const void *other)
{
    const ProtobufCBinaryData *a = one;
    const ProtobufCBinaryData *b = other;
    const int order = memcmp(a->data, b->data, a->len < b->len ? a->len : b->len);

    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

/* The variables that the rules which allow an exec speak of: each that fires, whichever of them is
 * named as the one that allowed it. By name: where the hook has no room for all, what the rules are
 * called decides nothing either. */
static void tell_environment(const struct session *session, const struct event *event,
                             const struct ruling *ruling, struct environment_names *names)
{
    names->block = session->exec_block;
    names->count = 0;
    if (names->block)
        visit_allows_within(names->block, session->exec_policy, &session->subject, event, 0,
                            ruling->budget, add_environment_of, names);
    if (names->count > 1)
        qsort(names->names, names->count, sizeof(*names->names), compare_names);
}

/* What is allowed because whoever would deny it only observes. */
static bool would_be_denied(const struct ruling *ruling)
{
    return ruling->judgement.verdict == VERDICT_ALLOW && ruling->judgement.would != VERDICT_ALLOW;
}

static void send_message(struct connection *connection, const struct incoming *incoming,
                         const struct event *event, const struct ruling *ruling, uint64_t number)
{
    Warder__V1__DaemonMessage message = WARDER__V1__DAEMON_MESSAGE__INIT;
    Warder__V1__Verdict verdict = WARDER__V1__VERDICT__INIT;
    struct citation citation;
    const struct session *session = connection->session;
    char id[64];
    char text[2560]; /* what, policy, rule, message and id, each at its longest */
    struct environment_names names;
    const struct reply_to to = connection_reply_to(connection, incoming);

    message.body_case = WARDER__V1__DAEMON_MESSAGE__BODY_VERDICT;
    message.verdict = &verdict;
    verdict.decision = number;
    verdict.guarded = session->guard.guarded;
    verdict.held = session->guard.held;
    verdict.flat = session->guard.flat;
    if (ruling->judgement.verdict == VERDICT_ALLOW) {
        verdict.outcome = WARDER__V1__OUTCOME__OUTCOME_ALLOW;
        verdict.only_exec = ruling->only_exec;
        verdict.place_wanted = would_be_denied(ruling);
        if (class_of(event, 0) == CLASS_EXEC) {
            tell_environment(session, event, ruling, &names);
            verdict.environment = names.names;
            verdict.n_environment = names.count;
        }
    } else {
        if (ruling->judgement.verdict == VERDICT_KILL)
            verdict.outcome = WARDER__V1__OUTCOME__OUTCOME_KILL;
        cite_denial(ruling, event, &citation);
        decision_id(session, number, id, sizeof(id));
        sentence(event, ruling, &citation, id, text, sizeof(text));
        verdict.operation =
            text_field(vocabulary_class_name(class_of(event, ruling->judgement.by.operation)));
        verdict.policy = text_field(citation.policy);
        verdict.rule = text_field(citation.rule);
        verdict.message = text_field(citation.message);
        verdict.decision_id = text_field(id);
        verdict.text = text_field(text);
    }
    connection_send(connection, &to, &message, NULL, 0);
}

static void send_verdict(struct connection *connection, const struct incoming *incoming,
                         const struct event *event, const struct ruling *ruling, uint64_t number)
{
    const struct policy_guard *guard = &connection->session->guard;
    const struct plain_verdict plain = {.decision = number,
                                        .guarded = guard->guarded,
                                        .held = guard->held,
                                        .flat = guard->flat,
                                        .only_exec = ruling->only_exec};

    if (ruling->judgement.verdict == VERDICT_ALLOW && class_of(event, 0) != CLASS_EXEC &&
        !would_be_denied(ruling))
        connection_send_plain(connection, incoming, &plain);
    else
        send_message(connection, incoming, event, ruling, number);
}

/* ---------------------------------------------------------------------------------------- record
 */

/* An exception that was made use of: the policy that makes it, what it cancelled, and why. */
static void cite_override(const struct ruling *ruling, const struct event *event,
                          struct citation *citation)
{
    const struct policy_block *block = ruling->override_block;
    const struct override_facts facts = override_facts(block, ruling->judgement.override);
    struct citation cancelled;

    cite(block, &ruling->judgement.overridden, event, &cancelled);
    *citation = (struct citation){.message = facts.reason};
    (void)snprintf(citation->policy, sizeof(citation->policy), "%s/%s",
                   policy_tier_name(policy_tier(block, facts.by)), policy_name(block, facts.by));
    (void)snprintf(citation->rule, sizeof(citation->rule), "override %.270s.%.270s",
                   cancelled.policy, cancelled.rule);
}

/* Every `log` rule that named the event, a line each; NULL if none did. */
static const char *logged_by(const struct ruling *ruling, const struct event *event, char *text,
                             size_t size)
{
    struct citation citation;
    size_t used = 0;

    for (uint32_t i = 0; i < ruling->judgement.log_count; i++) {
        cite(ruling->log_blocks[i], &ruling->judgement.log_by[i], event, &citation);
        used += (size_t)snprintf(text + used, size - used, "%s%s.%s", i > 0 ? "\n" : "",
                                 citation.policy, citation.rule);
    }
    return used > 0 ? text : NULL;
}

/* A decision as the record has it, with the texts that it points at. */
struct description {
    struct audit_decision decision;
    struct citation citation;
    char logs[JUDGEMENT_LOGS_MAX * (sizeof(struct citation) + 2)];
};

/* False if the decision is not to be recorded. `settled`: when the hook settled it, nanoseconds
 * since 1970; 0: it was asked. */
static bool describe(const struct session *session, const struct event *event,
                     const struct ruling *ruling, uint64_t number, const struct sent_event *packed,
                     uint64_t settled, struct description *description)
{
    const struct judgement *judgement = &ruling->judgement;
    struct citation *citation = &description->citation;
    struct audit_decision *decision = &description->decision;

    *decision = (struct audit_decision){
        .number = number,
        .count = 1,
        .generation = ruling->generation,
        .verdict = "allow",
        .settled = settled > 0,
        .time = settled,
        .logged_by = logged_by(ruling, event, description->logs, sizeof(description->logs)),
        .name = event->name,
        .name_length = event->name_length,
        .event = packed->bytes,
        .event_size = packed->size,
        .plain = !redaction_is_needed(event),
    };

    if (judgement->verdict != VERDICT_ALLOW) {
        decision->verdict = judgement->verdict == VERDICT_KILL ? "kill" : "deny";
        decision->unknown = judgement->by.unknown;
        decision->spent = judgement->by.unknown && judgement->spent;
        decision->operation = judgement->by.operation;
        cite_denial(ruling, event, citation);
    } else if (judgement->would != VERDICT_ALLOW) {
        decision->verdict = "would-deny";
        decision->unknown = judgement->would_by.unknown;
        decision->spent = judgement->would_by.unknown && budget_is_spent(ruling->budget);
        decision->operation = judgement->would_by.operation;
        cite(ruling->would_block, &judgement->would_by, event, citation);
    } else if (judgement->override != OVERRIDE_NONE) {
        decision->operation = judgement->overridden.operation;
        cite_override(ruling, event, citation);
    } else if (judgement->log) {
        decision->operation = judgement->log_by[0].operation;
        cite(ruling->log_blocks[0], &judgement->log_by[0], event, citation);
    } else if (session->record) {
        decision->operation = judgement->by.operation;
        cite(ruling->block, &judgement->by, event, citation);
    } else {
        return false;
    }
    decision->policy = citation->policy;
    decision->rule = citation->rule;
    decision->message = citation->message;
    return true;
}

static void record_described(struct session *session, const struct audit_decision *decision)
{
    if (strcmp(decision->verdict, "allow") != 0)
        denial_queue_add(session, decision);
    else
        audit_log_add_decision(session->server->audit, session->number, decision,
                               session->account->uid, true);
}

/* Records what there is to record. */
static void record(struct session *session, const struct event *event, const struct ruling *ruling,
                   uint64_t number, const struct sent_event *packed, uint64_t settled)
{
    struct description description;

    if (!packed->bytes)
        session_record(session, NULL, false); /* counted as lost */
    else if (describe(session, event, ruling, number, packed, settled, &description))
        record_described(session, &description.decision);
}

/* True if the event is part of what was decided before, and there is nothing to record. */
static bool is_continued(const struct session *session, const struct sent_event *asked,
                         struct ruling *ruling)
{
    const enum continuation continued =
        asked->continues ? continuation_of(session, &asked->event, asked->continues)
                         : CONTINUES_NOTHING;

    if (continued == CONTINUES_FORK && ruling->judgement.verdict == VERDICT_DENY) {
        ruling->judgement.verdict = VERDICT_ALLOW;
        ruling->only_exec = true;
    }
    return continued != CONTINUES_NOTHING && ruling->judgement.verdict == VERDICT_ALLOW;
}

/* What is denied, or would be, with the number that the record is going to give it. */
static void answer_denial(struct connection *connection, const struct incoming *incoming,
                          const struct event *event, const struct ruling *ruling, uint64_t number,
                          const struct sent_event *packed)
{
    struct session *session = connection->session;
    struct description description;
    const bool described =
        packed->bytes && describe(session, event, ruling, number, packed, 0, &description);

    if (described)
        number = denial_queue_number(session, &description.decision);
    if (ruling->judgement.verdict == VERDICT_ALLOW)
        continuation_remember(session, event, number);
    send_verdict(connection, incoming, event, ruling, number);
    if (described)
        record_described(session, &description.decision);
    else
        session_record(session, NULL, false); /* counted as lost */
}

/* What is asked; false if it is ill formed. */
static bool take_asked(struct server *server, struct incoming *incoming)
{
    if (incoming->is_plain)
        return true;
    incoming->asked.continues = incoming->message->ask->continues;
    return sent_event_of(incoming->message->ask->event, &server->arena, &incoming->asked);
}

void decision_answer(struct connection *connection, struct incoming *incoming)
{
    struct session *session = connection->session;
    struct server *server = connection->server;
    const struct sent_event *asked = &incoming->asked;
    const struct event *event = &asked->event;
    struct ruling ruling;
    struct budget budget = {EVALUATION_STEPS_MAX};

    if (!take_asked(server, incoming)) {
        connection_refuse(connection, "an event that is ill formed");
        return;
    }
    if (!session_follow_generation(session)) {
        connection_refuse(connection, "out of memory while a new generation was taken up");
        return;
    }
    settled_records_read(session); /* of what happened before */
    judge(session, event, &budget, &ruling);
    if (is_continued(session, asked, &ruling)) {
        send_verdict(connection, incoming, event, &ruling, asked->continues);
        return;
    }
    const uint64_t number = ++session->decisions;
    server->statistics.decisions++;
    if (ruling.judgement.verdict != VERDICT_ALLOW) {
        session->denials++;
        server->statistics.denials++;
    }
    /* Sending may find the peer gone, and end the session: what was decided is recorded all the
     * same. */
    session_hold(session);
    if (ruling.judgement.verdict == VERDICT_ALLOW && !would_be_denied(&ruling)) {
        continuation_remember(session, event, number);
        send_verdict(connection, incoming, event, &ruling, number);
        record(session, event, &ruling, number, asked, 0);
    } else {
        answer_denial(connection, incoming, event, &ruling, number, asked);
    }
    session_release(session);
}

void decision_record_gap(struct session *session, uint64_t count, const char *text)
{
    if (count == 0)
        return;
    struct audit_item *item =
        audit_item_notice(AUDIT_DROP, session->number, session->facts.identity.uid,
                          session->facts.identity.pid, text);
    if (item) /* the database's numbers are signed */
        item->notice.count = count < INT64_MAX ? count : INT64_MAX;
    session_record(session, item, false);
}

/* When the hook says that it settled an event. It may say what it likes, so it is heard only where
 * that is about now: batches are not held back for long. */
static uint64_t settled_time(uint64_t said, uint64_t now)
{
    const uint64_t most = UINT64_C(10) * 1000000000;
    return said <= now && now - said <= most ? said : now;
}

void decision_record_one(struct session *session, const struct sent_event *settled,
                         struct budget *budget)
{
    const struct event *event = &settled->event;
    struct ruling ruling;

    judge(session, event, budget, &ruling);
    /* The hook let it pass, whatever is said of it here: that is what happened. */
    ruling.judgement.verdict = VERDICT_ALLOW;
    session->decisions++;
    session->server->statistics.decisions++;
    record(session, event, &ruling, session->decisions, settled,
           settled_time(settled->time, wall_clock_now()));
}

void decision_record_settled(struct connection *connection, struct session *session,
                             const Warder__V1__Records *records)
{
    struct server *server = session->server;
    struct budget budget = {RECORDS_STEPS_MAX};
    struct sent_event settled;

    if (records->n_records > RECORDS_MAX) {
        connection_refuse(connection, "more records than a batch may have");
        return;
    }
    for (size_t i = 0; i < records->n_records; i++) {
        const Warder__V1__Record *one = records->records[i];
        if (!session_follow_generation(session) ||
            !sent_event_of(one->event, &server->arena, &settled) || !settled.bytes) {
            connection_refuse(connection, "a recorded event that is ill formed, or too large");
            return;
        }
        settled.time = one->time;
        decision_record_one(session, &settled, &budget);
    }
    decision_record_gap(session, records->lost, "records lost by the hook");
    decision_record_gap(session, records->unanswered, "denied without an answer of the daemon");
}
