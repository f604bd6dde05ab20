/* Each governing policy judges each operation alone, and the strictest judgement wins. Operations
 * are walked in their order and policies in theirs (the block's, by tier and name), and a judgement
 * replaces the one before only if it is stricter: that is the breaking of ties which the header
 * promises. Within a policy the lowest rule index is the first name. */
#include "policies/engine/evaluate.h"

#include "policies/engine/block_layout.h"
#include "policies/engine/condition.h"
#include "policies/engine/override.h"
#include "policies/engine/rule_index.h"

/* The first rule of each effect that fires, by index, while the rules of one policy are walked.
 * What can no longer change the outcome is not evaluated. */
struct fired {
    uint32_t kill;
    uint32_t deny; /* a kill that could not be known is here too */
    uint32_t allow;
    bool deny_unknown;
    uint32_t
        cancelled;     /* the first denial that an override cancels: RULE_DEFAULT for the default */
    uint32_t override; /* which one does; OVERRIDE_NONE: there is no such denial */
};

struct judge {
    struct question question;
    const struct governing *overriding; /* whose overrides count */
    const struct policy_record *policy;
    struct deciding asked;  /* the policy and the operation that are judged */
    struct judgement *logs; /* where `log` rules go; NULL: nobody wants them */
    uint32_t logs_before;   /* how many were there before this policy was asked */
    struct fired fired;
};

static enum truth either(enum truth a, enum truth b)
{
    return a > b ? a : b;
}

enum {
    POLICY_STEPS = 4, /* of asking a policy, whatever it says: four sets of rules are looked at */
};

/* What is said of the operation by a rule whose target names it. An allow counts the form of paths
 * that the kernel will open; the others fire on either form. */
static enum truth condition_fires(struct judge *judge, const struct rule_record *rule)
{
    if (rule->condition == (uint32_t)BLOCK_NONE)
        return TRUTH_TRUE;

    struct question *question = &judge->question;
    question->names_doubted = rule->effect != EFFECT_ALLOW;
    question->resolved = rule->effect == EFFECT_ALLOW;
    enum truth truth = condition_truth(question, rule->condition);
    if (rule->effect != EFFECT_ALLOW && (rule->flags & RULE_HAS_PATHS) && truth != TRUTH_TRUE) {
        question->resolved = true;
        truth = either(truth, condition_truth(question, rule->condition));
    }
    return truth;
}

static enum truth rule_fires(struct judge *judge, const struct rule_record *rule, bool by_glob)
{
    enum truth named = TRUTH_TRUE;
    (void)budget_pay(judge->question.budget, 1);
    if (by_glob)
        named = event_name_matches(&judge->question, rule->globs.first, rule->globs.count);
    if (named == TRUTH_FALSE)
        return TRUTH_FALSE;
    const enum truth holds = condition_fires(judge, rule);
    return holds < named ? holds : named;
}

static void fire_deny(struct fired *fired, uint32_t rule, bool unknown)
{
    if (rule < fired->deny) {
        fired->deny = rule;
        fired->deny_unknown = unknown;
    }
}

/* True if an override cancels what would deny: this rule, or the default. */
static bool is_cancelled(struct judge *judge, uint32_t rule)
{
    struct fired *fired = &judge->fired;
    const uint32_t override = override_of(&judge->question, judge->overriding, judge->policy, rule);

    if (override == OVERRIDE_NONE)
        return false;
    if (fired->override == OVERRIDE_NONE || rule < fired->cancelled) {
        fired->override = override;
        fired->cancelled = rule;
    }
    return true;
}

static bool is_logged(const struct judgement *logs, uint32_t policy, uint32_t rule)
{
    for (uint32_t i = 0; i < logs->log_count; i++)
        if (logs->log_by[i].policy == policy && logs->log_by[i].rule == rule)
            return true;
    return false;
}

/* Where there is no more room, the lower rule of the same policy stays: neither the order of rules
 * nor that of lists shows. */
static bool log_has_room(const struct judge *judge, uint32_t rule)
{
    const struct judgement *logs = judge->logs;
    return logs->log_count < JUDGEMENT_LOGS_MAX ||
           (judge->logs_before < JUDGEMENT_LOGS_MAX &&
            rule < logs->log_by[JUDGEMENT_LOGS_MAX - 1].rule);
}

static void add_log(struct judge *judge, uint32_t rule)
{
    struct judgement *logs = judge->logs;
    uint32_t at = logs->log_count;

    if (at == JUDGEMENT_LOGS_MAX)
        at--;
    else
        logs->log_count++;
    for (; at > judge->logs_before && logs->log_by[at - 1].rule > rule; at--)
        logs->log_by[at] = logs->log_by[at - 1];
    logs->log_by[at] = judge->asked;
    logs->log_by[at].rule = rule;
    logs->log = true;
}

static void consider(struct judge *judge, uint32_t index, bool by_glob)
{
    const struct rule_record *rule = block_rule(judge->question.block, index);
    struct fired *fired = &judge->fired;
    const bool killed = fired->kill != POLICY_NO_INDEX;
    enum truth truth;

    switch ((enum rule_effect)rule->effect) {
    case EFFECT_KILL:
        if (index >= fired->kill)
            return;
        truth = rule_fires(judge, rule, by_glob);
        if (truth == TRUTH_TRUE)
            fired->kill = index;
        else if (truth == TRUTH_UNKNOWN)
            fire_deny(fired, index, true);
        return;
    case EFFECT_DENY:
        if (killed || index >= fired->deny)
            return;
        truth = rule_fires(judge, rule, by_glob);
        if (truth != TRUTH_FALSE && !is_cancelled(judge, index))
            fire_deny(fired, index, truth == TRUTH_UNKNOWN);
        return;
    case EFFECT_ALLOW:
        if (killed || fired->deny != POLICY_NO_INDEX || index >= fired->allow)
            return;
        if (rule_fires(judge, rule, by_glob) == TRUTH_TRUE)
            fired->allow = index;
        return;
    case EFFECT_LOG:
        if (!judge->logs || !log_has_room(judge, index) ||
            is_logged(judge->logs, judge->asked.policy, index))
            return;
        if (rule_fires(judge, rule, by_glob) != TRUTH_FALSE)
            add_log(judge, index);
        return;
    }
}

/* Rules on the operation's class, or on the event by its name. */
static void consider_rule(void *judge, uint32_t rule)
{
    consider(judge, rule, false);
}

/* Rules on events by a glob. */
static void consider_glob_rule(void *judge, uint32_t rule)
{
    consider(judge, rule, true);
}

/* The set of the policy's rules on this event by name; 0, the empty one, if there are none. */
static uint32_t event_rules(const struct question *question, const struct policy_record *policy)
{
    const struct event_set *sets =
        (const struct event_set *)block_section(question->block, SECTION_EVENT_SETS) +
        policy->events.first;
    const uint32_t event = question->event->number;
    uint32_t low = 0;
    uint32_t high = event == EVENT_UNKNOWN ? 0 : policy->events.count;
    const uint32_t end = high;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (sets[middle].event < event)
            low = middle + 1;
        else
            high = middle;
    }
    return low < end && sets[low].event == event ? sets[low].rules : 0;
}

/* Tells of every rule of the policy that could speak of the operation: of those on its class, or on
 * the event by its name, and of those on events by a glob. */
static void visit_rules(struct question *question, const struct policy_record *policy,
                        rule_visitor *visit, rule_visitor *visit_by_glob, void *context)
{
    const enum operation_class operation_class = question_class(question);

    rule_set_visit(question, policy->class_rules[operation_class], visit, context);
    if (operation_class != CLASS_NONE)
        rule_set_visit(question, policy->all_rules, visit, context);
    rule_set_visit(question, event_rules(question, policy), visit, context);
    rule_set_visit(question, policy->glob_rules, visit_by_glob, context);
}

/* What one policy says; `said` is false if it has neither a rule that fires nor a default. */
struct opinion {
    bool said;
    enum verdict verdict;
    uint32_t rule;
    bool unknown;
};

static struct opinion ask_policy(struct judge *judge)
{
    const enum operation_class operation_class = question_class(&judge->question);
    struct fired *fired = &judge->fired;

    (void)budget_pay(judge->question.budget, POLICY_STEPS);
    *fired = (struct fired){.kill = POLICY_NO_INDEX,
                            .deny = POLICY_NO_INDEX,
                            .allow = POLICY_NO_INDEX,
                            .override = OVERRIDE_NONE};
    visit_rules(&judge->question, judge->policy, consider_rule, consider_glob_rule, judge);

    if (fired->kill != POLICY_NO_INDEX)
        return (struct opinion){true, VERDICT_KILL, fired->kill, false};
    if (fired->deny != POLICY_NO_INDEX)
        return (struct opinion){true, VERDICT_DENY, fired->deny, fired->deny_unknown};
    if (fired->allow != POLICY_NO_INDEX)
        return (struct opinion){true, VERDICT_ALLOW, fired->allow, false};
    switch (judge->policy->defaults[operation_class].verdict) {
    case DEFAULT_UNSAID:
        return (struct opinion){false, VERDICT_ALLOW, RULE_DEFAULT, false};
    case DEFAULT_ALLOW:
        return (struct opinion){true, VERDICT_ALLOW, RULE_DEFAULT, false};
    default:
        /* A default that is cancelled is none. */
        return (struct opinion){!is_cancelled(judge, RULE_DEFAULT), VERDICT_DENY, RULE_DEFAULT,
                                budget_is_spent(judge->question.budget)};
    }
}

static const struct deciding nobody = {POLICY_NO_INDEX, RULE_DEFAULT, 0, false};

static void keep_stricter(enum verdict *verdict, struct deciding *by, const struct opinion *opinion,
                          struct deciding said_by)
{
    if (!opinion->said)
        return;
    if (by->policy != POLICY_NO_INDEX && opinion->verdict <= *verdict)
        return;
    *verdict = opinion->verdict;
    *by = said_by;
}

static void judge_operation(struct judge *judge, const struct governing *governing,
                            uint32_t operation, struct judgement *out)
{
    for (size_t i = 0; i < governing->count; i++) {
        const uint32_t policy = governing->policies[i];
        judge->policy = block_policy(judge->question.block, policy);
        const bool observes = judge->policy->observes != 0;
        judge->logs = observes ? NULL : out;
        judge->logs_before = out->log_count;
        judge->asked = (struct deciding){policy, RULE_DEFAULT, operation, false};

        const struct opinion opinion = ask_policy(judge);
        const struct deciding by = {policy, opinion.rule, operation, opinion.unknown};
        if (observes)
            keep_stricter(&out->would, &out->would_by, &opinion, by);
        else
            keep_stricter(&out->verdict, &out->by, &opinion, by);
        if (!observes && out->override == OVERRIDE_NONE && judge->fired.override != OVERRIDE_NONE) {
            out->override = judge->fired.override;
            out->overridden = (struct deciding){policy, judge->fired.cancelled, operation, false};
        }
    }
}

void evaluate(const struct policy_block *block, const struct governing *governing,
              const struct subject *subject, const struct event *event, struct judgement *out)
{
    struct budget budget = {EVALUATION_STEPS_MAX};
    evaluate_within(block, governing, subject, event, &budget, out);
}

void evaluate_within(const struct policy_block *block, const struct governing *governing,
                     const struct subject *subject, const struct event *event,
                     struct budget *budget, struct judgement *out)
{
    struct judgement judgement = {.verdict = VERDICT_ALLOW,
                                  .by = nobody,
                                  .would_by = nobody,
                                  .override = OVERRIDE_NONE,
                                  .overridden = nobody};
    const uint64_t before = budget->left;
    struct judge judge = {
        .question = {.block = block, .subject = subject, .event = event, .budget = budget},
        .overriding = governing->overriding ? governing->overriding : governing};

    out->verdict = VERDICT_DENY;
    if (event->operation_count == 0)
        judge_operation(&judge, governing, 0, &judgement);
    for (uint32_t i = 0; i < event->operation_count; i++) {
        judge.question.operation = &event->operations[i];
        judge_operation(&judge, governing, i, &judgement);
    }
    if (judgement.verdict != VERDICT_ALLOW)
        judgement.override = OVERRIDE_NONE; /* whatever was cancelled, it did not matter */
    judgement.steps = (uint32_t)(before - budget->left);
    judgement.spent = budget_is_spent(budget);
    *out = judgement;
}

/* Who wants to be told of allows that fire. */
struct allow_search {
    struct judge judge;
    allow_visitor *visit;
    void *context;
};

static void tell_allow(struct allow_search *search, uint32_t index, bool by_glob)
{
    const struct rule_record *rule = block_rule(search->judge.question.block, index);

    if (rule->effect == EFFECT_ALLOW && rule_fires(&search->judge, rule, by_glob) == TRUTH_TRUE)
        search->visit(search->context, index);
}

static void tell_rule(void *search, uint32_t rule)
{
    tell_allow(search, rule, false);
}

static void tell_glob_rule(void *search, uint32_t rule)
{
    tell_allow(search, rule, true);
}

void visit_allows_within(const struct policy_block *block, uint32_t policy,
                         const struct subject *subject, const struct event *event,
                         uint32_t operation, struct budget *budget, allow_visitor *visit,
                         void *context)
{
    struct allow_search search = {
        .judge = {.question = {.block = block,
                               .subject = subject,
                               .event = event,
                               .operation = operation < event->operation_count
                                                ? &event->operations[operation]
                                                : NULL,
                               .budget = budget},
                  .policy = block_policy(block, policy)},
        .visit = visit,
        .context = context};

    visit_rules(&search.judge.question, search.judge.policy, tell_rule, tell_glob_rule, &search);
}

bool judgement_take_stricter(struct judgement *judgement, const struct judgement *other)
{
    if (other->verdict <= judgement->verdict)
        return false;
    judgement->verdict = other->verdict;
    judgement->by = other->by;
    return true;
}

bool policy_applies(const struct policy_block *block, uint32_t policy,
                    const struct subject *subject)
{
    struct budget budget = {EVALUATION_STEPS_MAX};
    return policy_applies_within(block, policy, subject, &budget);
}

bool policy_applies_within(const struct policy_block *block, uint32_t policy,
                           const struct subject *subject, struct budget *budget)
{
    const struct policy_record *record = block_policy(block, policy);
    const struct question question = {.block = block, .subject = subject, .budget = budget};

    for (uint32_t i = 0; i < record->applies.count; i++)
        if (condition_truth(&question, record->applies.first + i) == TRUTH_TRUE)
            return true;
    return budget_is_spent(budget);
}
