#include "client/cli/explanation_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/ring_table.h"
#include "policies/engine/block_layout.h"
#include "policies/engine/event_text.h"
#include "policies/floor/rings.h"
#include "policies/language/text_buffer.h"
#include "policies/scene/value_text.h"

static const char *const truths[] = {"false", "unknown", "true"};
static const char *const effects[] = {"allow", "deny", "kill", "log"};
static const char *const verdicts[] = {"allow", "deny", "kill"};

/* A text that may hold any bytes. */
static json_t *shown_json(const char *bytes, size_t length)
{
    json_t *text = json_stringn(bytes, length);
    struct text_buffer buffer = {0};

    if (text)
        return text;
    text_buffer_add_shown(&buffer, bytes, length, true);
    char *shown = text_buffer_take(&buffer);
    text = json_string(shown ? shown : "");
    free(shown);
    text_buffer_deinit(&buffer);
    return text;
}

static void set_source(json_t *object, const struct source_excerpt *excerpt)
{
    json_object_set_new(object, "file", shown_json(excerpt->file, strlen(excerpt->file)));
    json_object_set_new(object, "line", json_integer(excerpt->line));
    json_object_set_new(object, "text", shown_json(excerpt->text, excerpt->length));
}

static json_t *policy_json(const struct hearing_part *part, uint32_t policy)
{
    char name[320];

    (void)snprintf(name, sizeof(name), "%s/%s", policy_tier_name(policy_tier(part->block, policy)),
                   policy_name(part->block, policy));
    return json_string(name);
}

static json_t *cited_json(const struct hearing *hearing, const struct hearing_part *part,
                          const struct deciding *by)
{
    const char *class = vocabulary_class_name(hearing_class(hearing, by->operation));
    struct source_excerpt excerpt;
    json_t *object = json_object();
    char rule[80];
    bool found;

    json_object_set_new(object, "policy", policy_json(part, by->policy));
    if (by->rule == RULE_DEFAULT) {
        (void)snprintf(rule, sizeof(rule), "default-%s", class ? class : "");
        json_object_set_new(object, "rule", json_string(rule));
        found = source_map_default(part->map, by->policy, hearing_class(hearing, by->operation),
                                   &excerpt);
    } else {
        json_object_set_new(object, "rule", json_string(rule_name(part->block, by->rule)));
        json_object_set_new(object, "effect",
                            json_string(effects[rule_effect(part->block, by->rule)]));
        found = source_map_rule(part->map, by->rule, &excerpt);
    }
    json_object_set_new(object, "operation", json_integer(by->operation));
    if (class)
        json_object_set_new(object, "class", json_string(class));
    if (found)
        set_source(object, &excerpt);
    return object;
}

/* Which rings stand behind the statement that decided. */
static void set_rings(const struct hearing *hearing, const struct hearing_answer *answer,
                      json_t *object)
{
    const struct policy_block *block = answer->part->block;
    const enum operation_class class = hearing_class(hearing, answer->by.operation);

    if (class == CLASS_NONE)
        return;
    const struct rings held = answer->by.rule != RULE_DEFAULT
                                  ? rings_of_rule(block, answer->by.policy, answer->by.rule, class)
                                  : rings_of_default(block, answer->by.policy, class);
    json_object_set_new(object, "rings", rings_json(held.rings));
    json_object_set_new(object, "kernel", json_string(held.kernel));
}

static json_t *answer_json(const struct hearing *hearing, const struct hearing_answer *answer)
{
    if (!answer->part || answer->by.policy == POLICY_NO_INDEX)
        return json_null();
    const struct policy_block *block = answer->part->block;
    json_t *object = cited_json(hearing, answer->part, &answer->by);
    const char *message = answer->by.rule != RULE_DEFAULT
                              ? rule_message(block, answer->by.rule)
                              : default_message(block, answer->by.policy,
                                                hearing_class(hearing, answer->by.operation));
    json_object_set_new(object, "verdict", json_string(verdicts[answer->verdict]));
    json_object_set_new(object, "unknown", json_boolean(answer->by.unknown));
    if (message[0])
        json_object_set_new(object, "message", shown_json(message, strlen(message)));
    set_rings(hearing, answer, object);
    return object;
}

static json_t *missed_json(const struct hearing_part *part, const struct missed_predicate *missed)
{
    struct text_buffer buffer = {0};
    struct source_excerpt excerpt;
    json_t *object = json_object();

    json_object_set_new(object, "wanted", json_boolean(missed->wanted));
    json_object_set_new(object, "answer", json_string(truths[missed->answer]));
    if (missed->node == (uint32_t)BLOCK_NONE) {
        json_object_set_new(object, "text", json_string("the event's name"));
        return object;
    }
    const struct block_node *node =
        (const struct block_node *)block_section(part->block, SECTION_NODES) + missed->node;
    if (source_map_node(part->map, missed->node, &excerpt))
        set_source(object, &excerpt);
    if (node->kind == NODE_PREDICATE)
        operand_text_add(&buffer, &missed->operand, (enum attribute_type)node->type);
    char *value = text_buffer_take(&buffer);
    if (value)
        json_object_set_new(object, "value", shown_json(value, strlen(value)));
    free(value);
    text_buffer_deinit(&buffer);
    if (node->type == TYPE_PATH)
        json_object_set_new(object, "resolved", json_boolean(missed->resolved));
    return object;
}

static json_t *fired_json(const struct hearing *hearing, const struct hearing_part *part,
                          const struct fired_rule *fired)
{
    const struct deciding by = {fired->policy, fired->rule, fired->operation, false};
    json_t *object = cited_json(hearing, part, &by);

    json_object_set_new(object, "truth", json_string(truths[fired->truth]));
    if (fired->has_paths) {
        json_object_set_new(object, "written", json_string(truths[fired->written]));
        json_object_set_new(object, "resolved", json_string(truths[fired->resolved]));
    }
    if (fired->override != OVERRIDE_NONE)
        json_object_set_new(object, "cancelled_by",
                            policy_json(part, override_facts(part->block, fired->override).by));
    return object;
}

static json_t *override_json(const struct hearing_part *part,
                             const struct explained_override *explained)
{
    static const char *const fates[] = {"cancels", "not-governing", "expired", "day-unknown",
                                        "missed"};
    const struct override_facts facts = override_facts(part->block, explained->override);
    struct source_excerpt excerpt;
    json_t *object = json_object();

    json_object_set_new(object, "policy", policy_json(part, facts.by));
    json_object_set_new(object, "of", policy_json(part, facts.target));
    json_object_set_new(object, "fate", json_string(fates[explained->fate]));
    json_object_set_new(object, "reason", shown_json(facts.reason, strlen(facts.reason)));
    if (source_map_override(part->map, explained->override, &excerpt))
        set_source(object, &excerpt);
    if (explained->fate == OVERRIDE_MISSED)
        json_object_set_new(object, "predicate", missed_json(part, &explained->missed));
    return object;
}

/* Adds what one set of policies says to the lists. */
static void add_part(const struct hearing *hearing, const struct hearing_part *part, json_t *object)
{
    const struct explanation *explanation = part->explanation;

    for (uint32_t i = 0; i < explanation->fired_count; i++)
        json_array_append_new(json_object_get(object, "fired"),
                              fired_json(hearing, part, &explanation->fired[i]));
    for (uint32_t i = 0; i < explanation->opinion_count; i++) {
        const struct policy_opinion *opinion = &explanation->opinions[i];
        const struct deciding by = {opinion->policy, RULE_DEFAULT, opinion->operation, false};
        if (!opinion->said || opinion->rule != RULE_DEFAULT)
            continue;
        json_t *standing = cited_json(hearing, part, &by);
        json_object_set_new(standing, "verdict", json_string(verdicts[opinion->verdict]));
        json_array_append_new(json_object_get(object, "defaults"), standing);
    }
    for (uint32_t i = 0; i < explanation->override_count; i++)
        json_array_append_new(json_object_get(object, "overrides"),
                              override_json(part, &explanation->overrides[i]));
    for (uint32_t i = 0; i < explanation->miss_count; i++) {
        const struct near_miss *miss = &explanation->misses[i];
        const struct deciding by = {miss->policy, miss->rule, miss->operation, false};
        json_t *near = cited_json(hearing, part, &by);
        json_object_set_new(near, "misses", json_integer(miss->missed.misses));
        json_object_set_new(near, "predicate", missed_json(part, &miss->missed));
        json_array_append_new(json_object_get(object, "near_misses"), near);
    }
}

json_t *explanation_json(const struct hearing *hearing)
{
    const struct event *event = hearing->event;
    json_t *object = json_object();
    char text[EVENT_TEXT_MAX];

    event_text(event, hearing->answer.part ? hearing->answer.by.operation : 0, text, sizeof(text));
    json_object_set_new(object, "verdict", json_string(hearing_word(hearing)));
    json_object_set_new(object, "event", shown_json(event->name, event->name_length));
    json_object_set_new(object, "summary", json_string(text));
    json_object_set_new(object, "by", answer_json(hearing, &hearing->answer));
    json_object_set_new(object, "would_by", answer_json(hearing, &hearing->would));
    json_object_set_new(object, "overridden", answer_json(hearing, &hearing->overridden));
    json_object_set_new(object, "steps_spent", json_boolean(hearing->steps_spent));
    json_object_set_new(object, "fired", json_array());
    json_object_set_new(object, "defaults", json_array());
    json_object_set_new(object, "overrides", json_array());
    json_object_set_new(object, "near_misses", json_array());
    for (size_t i = 0; i < hearing->count; i++)
        add_part(hearing, &hearing->parts[i], object);
    return object;
}
