#include "client/cli/hearing.h"

#include <stdio.h>
#include <stdlib.h>

void hearing_init(struct hearing *hearing, const struct subject *subject, const struct event *event)
{
    static const struct hearing_answer nobody = {
        .verdict = VERDICT_ALLOW, .by = {.policy = POLICY_NO_INDEX, .rule = RULE_DEFAULT}};

    *hearing = (struct hearing){.subject = subject,
                                .event = event,
                                .answer = nobody,
                                .would = nobody,
                                .overridden = nobody,
                                .budget = {EVALUATION_STEPS_MAX}};
}

void hearing_deinit(struct hearing *hearing)
{
    for (size_t i = 0; i < hearing->count; i++)
        free(hearing->parts[i].explanation);
    hearing->count = 0;
}

static void take(struct hearing_answer *answer, const struct hearing_part *part,
                 enum verdict verdict, const struct deciding *by)
{
    if (by->policy == POLICY_NO_INDEX || (answer->part && verdict <= answer->verdict))
        return;
    *answer = (struct hearing_answer){verdict, part, *by};
}

static void take_part(struct hearing *hearing, const struct hearing_part *part,
                      const struct judgement *judgement)
{
    take(&hearing->would, part, judgement->would, &judgement->would_by);
    if (part->observed) {
        take(&hearing->would, part, judgement->verdict, &judgement->by);
        return;
    }
    take(&hearing->answer, part, judgement->verdict, &judgement->by);
    if (!hearing->overridden.part && judgement->override != OVERRIDE_NONE)
        hearing->overridden = (struct hearing_answer){VERDICT_DENY, part, judgement->overridden};
    if (hearing->answer.verdict != VERDICT_ALLOW)
        hearing->overridden.part = NULL; /* it did not help */
}

bool hearing_ask(struct hearing *hearing, const struct policy_block *block,
                 const struct source_map *map, const struct governing *governing, bool observed)
{
    struct judgement judgement;

    if (governing->count == 0 || hearing->count == HEARING_PARTS_MAX)
        return true;
    struct hearing_part *part = &hearing->parts[hearing->count];
    *part = (struct hearing_part){block, map, malloc(sizeof(*part->explanation)), observed};
    if (!part->explanation)
        return false;
    hearing->count++;
    explain(block, governing, hearing->subject, hearing->event, part->explanation);
    evaluate_within(block, governing, hearing->subject, hearing->event, &hearing->budget,
                    &judgement);
    take_part(hearing, part, judgement.spent ? &judgement : &part->explanation->judgement);
    hearing->steps_spent |= judgement.spent;
    return true;
}

const char *hearing_doubt(const struct hearing *hearing)
{
    return hearing->steps_spent ? "it could not be judged in the steps that a decision may take"
                                : "its condition could not be known for certain";
}

bool hearing_has_doubt(const struct hearing *hearing)
{
    for (size_t i = 0; i < hearing->count; i++) {
        const struct explanation *explanation = hearing->parts[i].explanation;
        for (uint32_t j = 0; j < explanation->fired_count; j++)
            if (explanation->fired[j].truth == TRUTH_UNKNOWN)
                return true;
        for (uint32_t j = 0; j < explanation->miss_count; j++)
            if (explanation->misses[j].missed.answer == TRUTH_UNKNOWN)
                return true;
        for (uint32_t j = 0; j < explanation->override_count; j++)
            if (explanation->overrides[j].fate == OVERRIDE_MISSED &&
                explanation->overrides[j].missed.answer == TRUTH_UNKNOWN)
                return true;
    }
    return false;
}

const char *hearing_word(const struct hearing *hearing)
{
    switch (hearing->answer.verdict) {
    case VERDICT_KILL:
        return "kill";
    case VERDICT_DENY:
        return "deny";
    default:
        return hearing->would.verdict != VERDICT_ALLOW ? "would-deny" : "allow";
    }
}

enum operation_class hearing_class(const struct hearing *hearing, uint32_t operation)
{
    return operation < hearing->event->operation_count
               ? hearing->event->operations[operation].operation_class
               : CLASS_NONE;
}

void hearing_cite(const struct hearing *hearing, const struct hearing_part *part,
                  const struct deciding *by, char *text, size_t size)
{
    text[0] = '\0';
    if (!part || by->policy == POLICY_NO_INDEX)
        return;
    const char *tier = policy_tier_name(policy_tier(part->block, by->policy));
    const char *policy = policy_name(part->block, by->policy);
    const char *class = vocabulary_class_name(hearing_class(hearing, by->operation));
    if (by->rule != RULE_DEFAULT)
        (void)snprintf(text, size, "%s/%s.%s", tier, policy, rule_name(part->block, by->rule));
    else
        (void)snprintf(text, size, "%s/%s.default-%s", tier, policy, class ? class : "");
}
