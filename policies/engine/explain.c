/* Two walks over the same rules: the first finds the verdict and notes what fired, the second,
 * which knows the verdict, what nearly did. Both go by operation, then policy, then rule, which is
 * the order that breaks ties (evaluate.h).
 *
 * Which rules an event concerns is read from each rule itself and from the events that it names;
 * the index that the evaluator goes by is not asked. */
#include "policies/engine/explain.h"

#include "policies/engine/block_layout.h"

struct walk {
    struct question question;
    const struct governing *governing;
    const struct governing *overriding;
    uint32_t policy;    /* that is asked now, */
    uint32_t operation; /* about this one */
    struct explanation *out;
    bool noting; /* the first walk */
};

/* What the rules of one policy come to. The lowest rule of each kind; POLICY_NO_INDEX: none. */
struct tally {
    uint32_t kill;
    uint32_t deny;
    bool deny_unknown;
    uint32_t allow;
    uint32_t cancelled; /* the first denial that an override cancels */
    uint32_t override;
};

static enum truth lesser(enum truth a, enum truth b)
{
    return a < b ? a : b;
}

static enum truth greater(enum truth a, enum truth b)
{
    return a > b ? a : b;
}

static const struct policy_record *policy_of(const struct walk *walk)
{
    return block_policy(walk->question.block, walk->policy);
}

/* ----------------------------------------------------------------------------------------- rules
 */

static bool names_event(const struct walk *walk, uint32_t rule)
{
    const struct policy_block *block = walk->question.block;
    const struct event_rule *named = block_section(block, SECTION_EVENT_RULES);
    const uint32_t count = block->sections[SECTION_EVENT_RULES].count;
    uint32_t low = 0;
    uint32_t high = count;

    if (walk->question.event->number == EVENT_UNKNOWN)
        return false;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (named[middle].rule < rule)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < count && named[low].rule == rule; low++)
        if (named[low].event == walk->question.event->number)
            return true;
    return false;
}

/* Whether the rule's target is this event, or this operation. */
static enum truth concerns(const struct walk *walk, uint32_t index)
{
    const struct rule_record *rule = block_rule(walk->question.block, index);
    const enum operation_class class = question_class(&walk->question);

    (void)budget_pay(walk->question.budget, 1);
    /* A target is classes or events, never both. */
    if (rule->classes != 0)
        return class != CLASS_NONE && (rule->classes >> class & 1) ? TRUTH_TRUE : TRUTH_FALSE;
    if (names_event(walk, index))
        return TRUTH_TRUE;
    if (rule->globs.count == 0)
        return TRUTH_FALSE;
    return event_name_matches(&walk->question, rule->globs.first, rule->globs.count);
}

static enum truth ask(struct walk *walk, uint32_t condition, bool resolved)
{
    walk->question.resolved = resolved;
    return condition_truth(&walk->question, condition);
}

/* An allow counts the form of paths that the kernel will open; everything else fires on either. */
static struct fired_rule judge_rule(struct walk *walk, uint32_t index)
{
    const struct rule_record *rule = block_rule(walk->question.block, index);
    const enum truth named = concerns(walk, index);
    const bool allows = rule->effect == EFFECT_ALLOW;
    struct fired_rule fired = {.policy = walk->policy,
                               .rule = index,
                               .operation = walk->operation,
                               .truth = named,
                               .written = named,
                               .resolved = named,
                               .override = OVERRIDE_NONE};

    if (named == TRUTH_FALSE || rule->condition == (uint32_t)BLOCK_NONE)
        return fired;
    fired.has_paths = (rule->flags & RULE_HAS_PATHS) != 0;
    walk->question.names_doubted = !allows;
    fired.resolved = lesser(named, ask(walk, rule->condition, true));
    fired.written =
        fired.has_paths ? lesser(named, ask(walk, rule->condition, false)) : fired.resolved;
    fired.truth = allows ? fired.resolved : greater(fired.written, fired.resolved);
    return fired;
}

/* ---------------------------------------------------------------------------------------- misses
 */

/* What a condition would have to be, and whether doubt is enough for that. */
struct wish {
    bool wanted;
    bool doubt_suffices;
};

static bool is_granted(enum truth truth, struct wish wish)
{
    if (truth == TRUTH_UNKNOWN)
        return wish.doubt_suffices;
    return (truth == TRUTH_TRUE) == wish.wanted;
}

static const struct block_node *node_of(const struct walk *walk, uint32_t node)
{
    return (const struct block_node *)block_section(walk->question.block, SECTION_NODES) + node;
}

static struct missed_predicate missed_leaf(const struct walk *walk, uint32_t index,
                                           struct wish wish)
{
    const struct block_node *node = node_of(walk, index);
    struct missed_predicate missed = {.node = index,
                                      .wanted = wish.wanted,
                                      .answer = condition_truth(&walk->question, index),
                                      .resolved = walk->question.resolved};

    missed.misses = is_granted(missed.answer, wish) ? 0 : 1;
    if (missed.misses > 0 && node->kind == NODE_PREDICATE)
        missed.operand = operand_find(&walk->question, node);
    return missed;
}

/* Where the condition went wrong: of what must all hold, the first part that does not; of what one
 * part would do for, the part with the least to turn. */
static struct missed_predicate missed_in(const struct walk *walk, uint32_t index, struct wish wish,
                                         unsigned depth)
{
    const struct block_node *node = node_of(walk, index);
    const bool any = (node->kind == NODE_OR) == wish.wanted;
    struct missed_predicate found = {.node = index, .wanted = wish.wanted};

    if (depth > BLOCK_DEPTH_MAX || !budget_pay(walk->question.budget, 1) ||
        node->kind == NODE_PREDICATE || node->kind == NODE_TRUE)
        return missed_leaf(walk, index, wish);
    if (node->kind == NODE_NOT) {
        const struct wish turned = {!wish.wanted, wish.doubt_suffices};
        return missed_in(walk, node->first, turned, depth + 1);
    }
    for (uint32_t i = 0; i < node->count; i++) {
        const struct missed_predicate child = missed_in(walk, node->first + i, wish, depth + 1);
        const uint32_t all = found.misses + child.misses;
        if (any ? i == 0 || child.misses < found.misses : found.misses == 0)
            found = child;
        if (!any)
            found.misses = all;
    }
    return found;
}

/* Of the two forms of paths, the one that is nearer. */
static struct missed_predicate missed_by(struct walk *walk, uint32_t condition, bool both_forms,
                                         bool doubt_suffices)
{
    const struct wish wish = {.wanted = true, .doubt_suffices = doubt_suffices};

    walk->question.names_doubted = doubt_suffices;
    walk->question.resolved = true;
    const struct missed_predicate resolved = missed_in(walk, condition, wish, 0);
    if (!both_forms)
        return resolved;
    walk->question.resolved = false;
    const struct missed_predicate written = missed_in(walk, condition, wish, 0);
    return written.misses <= resolved.misses ? written : resolved;
}

/* ------------------------------------------------------------------------------------- overrides
 */

static bool governs(const struct governing *governing, uint32_t policy)
{
    for (size_t i = 0; i < governing->count; i++)
        if (governing->policies[i] == policy)
            return true;
    return false;
}

static enum override_fate fate_of(struct walk *walk, const struct override_record *record)
{
    (void)budget_pay(walk->question.budget, 1);
    if (!governs(walk->overriding, record->by))
        return OVERRIDE_NOT_GOVERNING;
    if (walk->overriding->today <= 0)
        return OVERRIDE_DAY_UNKNOWN;
    if (record->until < walk->overriding->today)
        return OVERRIDE_EXPIRED;
    walk->question.names_doubted = false;
    if (record->condition == (uint32_t)BLOCK_NONE ||
        ask(walk, record->condition, true) == TRUTH_TRUE)
        return budget_is_spent(walk->question.budget) ? OVERRIDE_MISSED : OVERRIDE_CANCELS;
    return OVERRIDE_MISSED;
}

static void note_override(struct walk *walk, uint32_t index, enum override_fate fate)
{
    struct explanation *out = walk->out;
    const uint32_t condition = block_override(walk->question.block, index)->condition;
    struct explained_override note = {
        .override = index, .operation = walk->operation, .fate = fate};

    out->override_total++;
    if (out->override_count == EXPLAIN_OVERRIDES_MAX)
        return;
    note.missed.node = (uint32_t)BLOCK_NONE;
    if (fate == OVERRIDE_MISSED && condition != (uint32_t)BLOCK_NONE)
        note.missed = missed_by(walk, condition, false, false);
    out->overrides[out->override_count++] = note;
}

/* The first override that cancels a denial of the policy, or OVERRIDE_NONE; all that name it are
 * noted. */
static uint32_t cancelled_by(struct walk *walk, uint32_t rule)
{
    const struct policy_block *block = walk->question.block;
    const uint32_t class = rule == RULE_DEFAULT ? question_class(&walk->question) : CLASS_NONE;
    uint32_t first = OVERRIDE_NONE;

    for (uint32_t i = 0; i < policy_block_override_count(block); i++) {
        const struct override_record *record = block_override(block, i);
        if (record->target != walk->policy || record->rule != rule ||
            record->operation_class != class)
            continue;
        const enum override_fate fate = fate_of(walk, record);
        if (walk->noting)
            note_override(walk, i, fate);
        if (fate == OVERRIDE_CANCELS && first == OVERRIDE_NONE)
            first = i;
    }
    return first;
}

/* -------------------------------------------------------------------------------------- policies
 */

static void note_fired(struct walk *walk, const struct fired_rule *fired)
{
    struct explanation *out = walk->out;

    if (!walk->noting)
        return;
    out->fired_total++;
    if (out->fired_count < EXPLAIN_FIRED_MAX)
        out->fired[out->fired_count++] = *fired;
}

static void note_log(struct walk *walk, uint32_t rule)
{
    struct judgement *judgement = &walk->out->judgement;

    if (!walk->noting || policy_of(walk)->observes)
        return;
    judgement->log = true;
    for (uint32_t i = 0; i < judgement->log_count; i++)
        if (judgement->log_by[i].rule == rule)
            return;
    if (judgement->log_count < JUDGEMENT_LOGS_MAX)
        judgement->log_by[judgement->log_count++] =
            (struct deciding){walk->policy, rule, walk->operation, false};
}

static void cancel(struct tally *tally, uint32_t rule, uint32_t override)
{
    if (tally->override == OVERRIDE_NONE) {
        tally->override = override;
        tally->cancelled = rule;
    }
}

static void deny(struct tally *tally, uint32_t rule, bool unknown)
{
    if (tally->deny == POLICY_NO_INDEX) {
        tally->deny = rule;
        tally->deny_unknown = unknown;
    }
}

static void add_rule(struct walk *walk, uint32_t index, struct tally *tally)
{
    const enum rule_effect effect = rule_effect(walk->question.block, index);
    struct fired_rule fired = judge_rule(walk, index);

    if (fired.truth == TRUTH_FALSE || (effect == EFFECT_ALLOW && fired.truth != TRUTH_TRUE))
        return;
    switch (effect) {
    case EFFECT_KILL:
        if (fired.truth == TRUTH_UNKNOWN)
            deny(tally, index, true);
        else if (tally->kill == POLICY_NO_INDEX)
            tally->kill = index;
        break;
    case EFFECT_DENY:
        fired.override = cancelled_by(walk, index);
        if (fired.override == OVERRIDE_NONE)
            deny(tally, index, fired.truth == TRUTH_UNKNOWN);
        else
            cancel(tally, index, fired.override);
        break;
    case EFFECT_ALLOW:
        if (tally->allow == POLICY_NO_INDEX)
            tally->allow = index;
        break;
    case EFFECT_LOG:
        note_log(walk, index);
        break;
    }
    note_fired(walk, &fired);
}

static struct policy_opinion opinion_of(struct walk *walk, struct tally *tally)
{
    struct policy_opinion opinion = {.policy = walk->policy,
                                     .operation = walk->operation,
                                     .said = true,
                                     .observes = policy_of(walk)->observes != 0,
                                     .rule = RULE_DEFAULT,
                                     .override = OVERRIDE_NONE};

    if (tally->kill != POLICY_NO_INDEX) {
        opinion.verdict = VERDICT_KILL;
        opinion.rule = tally->kill;
    } else if (tally->deny != POLICY_NO_INDEX) {
        opinion.verdict = VERDICT_DENY;
        opinion.rule = tally->deny;
        opinion.unknown = tally->deny_unknown;
    } else if (tally->allow != POLICY_NO_INDEX) {
        opinion.rule = tally->allow;
    } else if (policy_of(walk)->defaults[question_class(&walk->question)].verdict == DEFAULT_DENY) {
        opinion.override = cancelled_by(walk, RULE_DEFAULT);
        opinion.said = opinion.override == OVERRIDE_NONE;
        opinion.verdict = opinion.said ? VERDICT_DENY : VERDICT_ALLOW;
        if (!opinion.said)
            cancel(tally, RULE_DEFAULT, opinion.override);
    } else {
        opinion.said =
            policy_of(walk)->defaults[question_class(&walk->question)].verdict == DEFAULT_ALLOW;
    }
    return opinion;
}

static struct policy_opinion ask_policy(struct walk *walk, struct tally *tally)
{
    const struct block_range rules = policy_of(walk)->rules;

    *tally = (struct tally){.kill = POLICY_NO_INDEX,
                            .deny = POLICY_NO_INDEX,
                            .allow = POLICY_NO_INDEX,
                            .cancelled = RULE_DEFAULT,
                            .override = OVERRIDE_NONE};
    for (uint32_t i = 0; i < rules.count; i++)
        add_rule(walk, rules.first + i, tally);
    return opinion_of(walk, tally);
}

/* --------------------------------------------------------------------------------- the two walks
 */

static void take_opinion(enum verdict *verdict, struct deciding *by,
                         const struct policy_opinion *opinion)
{
    if (!opinion->said || (by->policy != POLICY_NO_INDEX && opinion->verdict <= *verdict))
        return;
    *verdict = opinion->verdict;
    *by = (struct deciding){opinion->policy, opinion->rule, opinion->operation, opinion->unknown};
}

static void judge_policy(struct walk *walk)
{
    struct explanation *out = walk->out;
    struct judgement *judgement = &out->judgement;
    struct tally tally;
    const struct policy_opinion opinion = ask_policy(walk, &tally);

    out->opinion_total++;
    if (out->opinion_count < EXPLAIN_OPINIONS_MAX)
        out->opinions[out->opinion_count++] = opinion;
    if (opinion.observes) {
        take_opinion(&judgement->would, &judgement->would_by, &opinion);
        return;
    }
    take_opinion(&judgement->verdict, &judgement->by, &opinion);
    if (judgement->override == OVERRIDE_NONE && tally.override != OVERRIDE_NONE) {
        judgement->override = tally.override;
        judgement->overridden =
            (struct deciding){walk->policy, tally.cancelled, walk->operation, false};
    }
}

/* How much a miss has to do with the verdict; less is more. NOT_TELLING: nothing. A policy that
 * denies might have allowed; one that does not might have denied. */
enum { NOT_TELLING = 9 };

static unsigned distance(const struct walk *walk, const struct policy_opinion *opinion,
                         enum rule_effect effect)
{
    const struct judgement *judgement = &walk->out->judgement;
    const bool decides =
        judgement->by.policy == walk->policy && judgement->by.operation == walk->operation;

    if (effect == EFFECT_LOG)
        return opinion->observes ? NOT_TELLING : 4;
    if (opinion->verdict != VERDICT_ALLOW) {
        if (effect != EFFECT_ALLOW)
            return NOT_TELLING;
        /* No allow helps against a rule. */
        return opinion->rule != RULE_DEFAULT ? 2 : decides ? 0 : 1;
    }
    if (effect == EFFECT_ALLOW)
        return NOT_TELLING;
    return judgement->verdict == VERDICT_ALLOW ? 0 : 3;
}

/* The order of what is noted; the distance is kept beside it. */
struct ranked {
    unsigned distance[EXPLAIN_MISSES_MAX];
};

static void note_miss(struct explanation *out, struct ranked *ranked, unsigned distance_of,
                      const struct near_miss *miss)
{
    uint32_t at = out->miss_count;

    out->miss_total++;
    while (at > 0 && (distance_of < ranked->distance[at - 1] ||
                      (distance_of == ranked->distance[at - 1] &&
                       miss->missed.misses < out->misses[at - 1].missed.misses)))
        at--;
    if (at == EXPLAIN_MISSES_MAX)
        return;
    if (out->miss_count < EXPLAIN_MISSES_MAX)
        out->miss_count++;
    for (uint32_t i = out->miss_count - 1; i > at; i--) {
        out->misses[i] = out->misses[i - 1];
        ranked->distance[i] = ranked->distance[i - 1];
    }
    out->misses[at] = *miss;
    ranked->distance[at] = distance_of;
}

static void find_misses(struct walk *walk, struct ranked *ranked)
{
    const struct policy_block *block = walk->question.block;
    const struct block_range rules = policy_of(walk)->rules;
    struct tally tally;
    const struct policy_opinion opinion = ask_policy(walk, &tally);

    for (uint32_t index = rules.first; index < rules.first + rules.count; index++) {
        const struct rule_record *rule = block_rule(block, index);
        const bool allows = rule->effect == EFFECT_ALLOW;
        const unsigned far = distance(walk, &opinion, (enum rule_effect)rule->effect);
        const enum truth named = far == NOT_TELLING ? TRUTH_FALSE : concerns(walk, index);
        if (named == TRUTH_FALSE)
            continue;
        const struct fired_rule judged = judge_rule(walk, index);
        if (allows ? judged.truth == TRUTH_TRUE : judged.truth != TRUTH_FALSE)
            continue;
        struct near_miss miss = {.policy = walk->policy,
                                 .rule = index,
                                 .operation = walk->operation,
                                 .truth = judged.truth,
                                 .missed = {.misses = 0}};
        if (rule->condition != (uint32_t)BLOCK_NONE)
            miss.missed = missed_by(walk, rule->condition, !allows && judged.has_paths, !allows);
        if (miss.missed.misses == 0) /* the condition holds: it is the name that is in doubt */
            miss.missed = (struct missed_predicate){
                .node = (uint32_t)BLOCK_NONE, .wanted = true, .answer = named, .misses = 1};
        note_miss(walk->out, ranked, far, &miss);
    }
}

static void walk_policies(struct walk *walk, struct ranked *ranked)
{
    for (size_t i = 0; i < walk->governing->count; i++) {
        walk->policy = walk->governing->policies[i];
        if (walk->noting)
            judge_policy(walk);
        else
            find_misses(walk, ranked);
    }
}

static void walk_operations(struct walk *walk, const struct event *event, struct ranked *ranked)
{
    walk->operation = 0;
    walk->question.operation = NULL;
    if (event->operation_count == 0)
        walk_policies(walk, ranked);
    for (uint32_t i = 0; i < event->operation_count; i++) {
        walk->operation = i;
        walk->question.operation = &event->operations[i];
        walk_policies(walk, ranked);
    }
}

void explain(const struct policy_block *block, const struct governing *governing,
             const struct subject *subject, const struct event *event, struct explanation *out)
{
    static const struct deciding nobody = {POLICY_NO_INDEX, RULE_DEFAULT, 0, false};
    struct budget budget = {UINT64_MAX};
    struct ranked ranked = {{0}};
    struct walk walk = {
        .question = {.block = block, .subject = subject, .event = event, .budget = &budget},
        .governing = governing,
        .overriding = governing->overriding ? governing->overriding : governing,
        .out = out,
        .noting = true};

    *out = (struct explanation){
        .judgement = {
            .by = nobody, .would_by = nobody, .override = OVERRIDE_NONE, .overridden = nobody}};
    walk_operations(&walk, event, &ranked);
    if (out->judgement.verdict != VERDICT_ALLOW)
        out->judgement.override = OVERRIDE_NONE; /* it did not help */
    walk.noting = false;
    walk_operations(&walk, event, &ranked);
    const uint64_t steps = UINT64_MAX - budget.left;
    out->judgement.steps = steps < UINT32_MAX ? (uint32_t)steps : UINT32_MAX;
}
