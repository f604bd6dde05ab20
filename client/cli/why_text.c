#define _GNU_SOURCE
#include "client/cli/why_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/cli/explanation_json.h"
#include "client/cli/explanation_text.h"
#include "client/cli/json_line.h"
#include "policies/catalogue/catalogue.h"
#include "policies/engine/event_text.h"
#include "policies/scene/value_text.h"
#include "proto/host_paths.h"

enum {
    CITED_MAX = 1280, /* an override's citation names two rules */
    SHOWN_MAX = 1024,
};

static void print_printable(FILE *out, const char *text)
{
    char shown[SHOWN_MAX];

    printable_text(text, strlen(text), shown, sizeof(shown));
    fputs(shown, out);
}

/* ------------------------------------------------------------------------------------- the record
 */

static void print_head(FILE *out, const struct recorded_decision *decision, bool colour)
{
    const time_t seconds = (time_t)(decision->time / 1000000000U);
    const char *word = json_line_text(decision->row, "verdict");
    const json_int_t count = json_integer_value(json_object_get(decision->row, "count"));
    struct tm parts;
    char when[64];

    localtime_r(&seconds, &parts);
    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S %z", &parts);
    fprintf(out, "%s%s%s: ", verdict_colour(word, colour), verdict_phrase(word),
            colour ? "\033[0m" : "");
    print_printable(out, json_line_text(decision->row, "summary"));
    fprintf(out, "  [decision %s, %s", json_line_text(decision->row, "decision"), when);
    if (count > 1)
        fprintf(out, ", %" JSON_INTEGER_FORMAT " times", count);
    fputs("]\n", out);
}

/* Whether the policy that the record cites is one of the session's own, which nothing stores. */
static bool is_own(const struct recorded_decision *decision)
{
    static const char tier[] = "local/";
    const char *policy = json_line_text(decision->row, "policy");
    const json_t *asked = json_object_get(json_object_get(decision->row, "subject"), "asked");
    static const char *const lists[] = {"own", "own_observed"};

    if (strncmp(policy, tier, strlen(tier)) != 0)
        return false;
    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        const json_t *names = json_object_get(asked, lists[i]);
        for (size_t j = 0; j < json_array_size(names); j++) {
            const char *name = json_string_value(json_array_get(names, j));
            if (name && strcmp(name, policy + strlen(tier)) == 0)
                return true;
        }
    }
    return false;
}

/* The statement in a file that was given with --policy, which the session had of its own. */
static bool print_own_statement(FILE *out, const struct recorded_decision *decision)
{
    const struct rehearing *then = &decision->then;
    const struct hearing_answer *answer = &then->hearing.answer;
    char recorded[CITED_MAX];
    char cited[CITED_MAX];
    struct source_excerpt excerpt;

    if (!then->heard || !answer->part || answer->part->block != then->own_block)
        return false;
    recorded_decision_cite(decision, recorded, sizeof(recorded));
    hearing_cite(&then->hearing, answer->part, &answer->by, cited, sizeof(cited));
    const bool found =
        answer->by.rule != RULE_DEFAULT
            ? source_map_rule(then->own_map, answer->by.rule, &excerpt)
            : source_map_default(then->own_map, answer->by.policy,
                                 hearing_class(&then->hearing, answer->by.operation), &excerpt);
    if (!found || strcmp(recorded, cited) != 0)
        return false;
    fputs("  (", out);
    print_printable(out, excerpt.file);
    fprintf(out, ":%u)\n", excerpt.line);
    statement_print(out, excerpt.text, excerpt.length, "      ");
    return true;
}

/* Of what was allowed the record cites the `log` rule that wanted it there, if one did. */
static bool cites_log(const struct recorded_decision *decision)
{
    return strcmp(json_line_text(decision->row, "verdict"), "allow") == 0 &&
           strncmp(json_line_text(decision->row, "rule"), "override ", strlen("override ")) != 0 &&
           json_array_size(json_object_get(decision->row, "logged_by")) > 0;
}

static void print_rule(FILE *out, const struct recorded_decision *decision)
{
    const struct cited_statement *statement = &decision->statement;
    const char *message = json_line_text(decision->row, "message");
    char cited[CITED_MAX];

    recorded_decision_cite(decision, cited, sizeof(cited));
    if (!cited[0]) {
        fputs("  by nobody: no policy that governed had a rule or a default for it\n", out);
    } else {
        fputs(cites_log(decision) ? "  recorded for " : "  by ", out);
        print_printable(out, cited);
        if (statement->text && !is_own(decision)) {
            fprintf(out, "  (line %u of revision %" PRIu64 ", generation %" PRIu64 ")\n",
                    statement->line, statement->revision, decision->generation);
            statement_print(out, statement->text, statement->length, "      ");
        } else if (recorded_decision_is_built_in(decision)) {
            fputs("\n      a rule of Warder's own, which no policy has to say\n", out);
        } else if (!is_own(decision)) {
            fputs("\n      the store has no such statement any more\n", out);
        } else if (!print_own_statement(out, decision)) {
            fputs("\n      in a policy that the session had of its own (`warder run --policy "
                  "FILE`)\n",
                  out);
        }
    }
    if (message[0]) {
        fputs("      says: ", out);
        print_printable(out, message);
        fputc('\n', out);
    }
    if (json_is_true(json_object_get(decision->row, "spent")))
        fputs("      because it could not be judged in the steps that a decision may take\n", out);
    else if (json_is_true(json_object_get(decision->row, "unknown")))
        fputs("      because its condition could not be known for certain\n", out);
    if (json_is_true(json_object_get(decision->row, "settled")))
        fputs("      the hook let it pass by itself\n", out);
}

static void print_place(FILE *out, const json_t *place, bool counted)
{
    const char *file = json_string_value(json_object_get(place, "file"));
    const json_int_t count = json_integer_value(json_object_get(place, "count"));

    fputs("  from  ", out);
    if (file) {
        print_printable(out, file);
        fprintf(out, ":%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(place, "line")));
    } else {
        fputs("a line that is not known", out);
    }
    if (counted && count > 1)
        fprintf(out, ", %" JSON_INTEGER_FORMAT " times", count);
    fputc('\n', out);
}

/* Where the program asked: one line, or several that were told one number. */
static void print_places(FILE *out, const json_t *row)
{
    const json_t *places = json_object_get(row, "places");
    const json_t *place;
    size_t i;

    if (json_is_array(places)) {
        json_array_foreach(places, i, place) print_place(out, place, true);
    } else if (json_is_string(json_object_get(row, "file"))) {
        print_place(out, row, false);
    }
}

static void print_subject(FILE *out, const struct recorded_decision *decision)
{
    const json_t *facts = json_object_get(decision->row, "subject");
    const json_t *proved = json_object_get(facts, "proved");
    const struct subject *subject = &decision->recorded.subject;

    fputs("  who   ", out);
    print_printable(out, json_line_text(proved, "user"));
    fprintf(out, ", pid %" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(proved, "pid")));
    if (subject->unit) {
        fputs(", unit ", out);
        print_printable(out, subject->unit);
    }
    if (subject->python) {
        fputs(", python ", out);
        print_printable(out, subject->python);
    }
    if (subject->script) {
        fputs(", script ", out);
        print_printable(out, subject->script);
    }
    for (size_t i = 0; i < subject->label_count; i++) {
        fputs(", label ", out);
        print_printable(out, subject->labels[i].name);
        fputc('=', out);
        print_printable(out, subject->labels[i].value);
    }
    fputc('\n', out);
    print_places(out, decision->row);
}

static void print_value(FILE *out, const char *name, const struct value *value,
                        enum attribute_type type)
{
    struct text_buffer buffer = {0};

    value_text_add(&buffer, value, type);
    char *text = text_buffer_take(&buffer);
    fprintf(out, "        %s %s\n", name, text ? text : "");
    free(text);
    text_buffer_deinit(&buffer);
}

/* `judged`: of several, the one that the record cites the rule for. */
static void print_operation(FILE *out, const struct operation *operation, const char *judged)
{
    const char *class = vocabulary_class_name(operation->operation_class);

    fprintf(out, "  is    %s%s%s\n", class ? class : "?", *judged ? ", which was " : "", judged);
    for (uint32_t i = 0; i < operation->attribute_count; i++) {
        const struct attribute *attribute = &operation->attributes[i];
        const enum attribute_type type = vocabulary_attribute_type(attribute->name);
        const char *name = vocabulary_attribute_name(attribute->name);
        const struct value *resolved = &attribute->resolved;
        print_value(out, name, &attribute->value, type);
        if (type == TYPE_PATH && resolved->kind != VALUE_NONE &&
            (resolved->kind != attribute->value.kind || resolved->count != attribute->value.count ||
             (resolved->kind == VALUE_TEXT &&
              memcmp(resolved->bytes, attribute->value.bytes, resolved->count) != 0)))
            print_value(out, "  with links resolved", resolved, type);
    }
}

static void print_event(FILE *out, const struct recorded_decision *decision)
{
    const struct event *event = &decision->recorded.event;
    const struct event_entry *entry = catalogue_event(event->number);
    const char *word = json_line_text(decision->row, "verdict");
    const json_t *operation = json_object_get(decision->row, "operation");
    const bool tells = operation && event->operation_count > 1 && strcmp(word, "allow") != 0;
    const json_int_t judged = tells ? json_integer_value(operation) : -1;
    const char *phrase = verdict_phrase(word);

    fputs("  event ", out);
    print_printable(out, json_line_text(decision->row, "event"));
    fputc('\n', out);
    for (uint32_t i = 0; i < event->argument_count; i++) {
        char number[16];
        (void)snprintf(number, sizeof(number), "%u", i);
        print_value(out,
                    entry && i < entry->argument_count ? catalogue_argument_name(entry, (uint8_t)i)
                                                       : number,
                    &event->arguments[i], TYPE_ANY);
    }
    for (uint32_t i = 0; i < event->operation_count; i++)
        print_operation(out, &event->operations[i], i == judged ? phrase : "");
}

/* -------------------------------------------------------------------------------------- rehearing
 */

/* What the record has lost, where it may matter. */
static void print_lost(FILE *out, const struct recorded_decision *decision)
{
    const struct recorded_event *recorded = &decision->recorded;

    /* Where nothing was in doubt, what is lost did not matter. */
    const bool matters = (decision->then.heard && hearing_has_doubt(&decision->then.hearing)) ||
                         (decision->today.heard && hearing_has_doubt(&decision->today.hearing));
    if (recorded->lost_count > 0 && matters) {
        fputs("  note  the record has only a part of ", out);
        for (size_t i = 0; i < recorded->lost_count; i++)
            fprintf(out, "%s%s", i == 0 ? "" : ", ", recorded->lost[i]);
        fputs(": secrets, and what is too long.\n        What rests on that is unknown below.\n",
              out);
    }
    if (recorded_decision_has_own(decision) && !decision->then.own_block)
        fputs("  note  the session had policies of its own, which are stored nowhere: name their "
              "files\n        with --policy to have them judged too\n",
              out);
}

static bool same_answer(const struct recorded_decision *decision, const struct hearing *hearing,
                        bool by_too)
{
    char recorded[CITED_MAX];
    char cited[CITED_MAX];
    const struct hearing_answer *answer =
        strcmp(hearing_word(hearing), "would-deny") == 0 ? &hearing->would : &hearing->answer;

    if (strcmp(hearing_word(hearing), json_line_text(decision->row, "verdict")) != 0)
        return false;
    recorded_decision_cite(decision, recorded, sizeof(recorded));
    hearing_cite(hearing, answer->part, &answer->by, cited, sizeof(cited));
    /* Of what was allowed the record cites who wanted it recorded. */
    return !by_too || answer->verdict == VERDICT_ALLOW || strcmp(recorded, cited) == 0;
}

static void print_citation(FILE *out, const struct hearing *hearing)
{
    const struct hearing_answer *answer =
        strcmp(hearing_word(hearing), "would-deny") == 0 ? &hearing->would : &hearing->answer;
    char cited[CITED_MAX];

    hearing_cite(hearing, answer->part, &answer->by, cited, sizeof(cited));
    fprintf(out, "%s%s%s", verdict_phrase(hearing_word(hearing)), cited[0] ? " by " : "", cited);
    if (answer->by.unknown)
        fputs(hearing->steps_spent ? ", as what could not be judged in the steps of a decision"
                                   : ", as what could not be known for certain",
              out);
}

static void print_then(FILE *out, const struct recorded_decision *decision)
{
    const struct rehearing *then = &decision->then;

    if (!then->heard) {
        fprintf(out, "\ngeneration %" PRIu64 " cannot be explained: %s\n", decision->generation,
                then->objection);
        return;
    }
    if (recorded_decision_is_built_in(decision)) {
        fprintf(
            out,
            "\nWarder itself denied it, and no policy could have let it pass. By themselves the "
            "policies of then\n(generation %" PRIu64 ") say: ",
            decision->generation);
        print_citation(out, &then->hearing);
        fputc('\n', out);
        return;
    }
    if (!same_answer(decision, &then->hearing, true)) {
        fprintf(out, "\nfrom the record alone, the policies of then (generation %" PRIu64 ") say: ",
                decision->generation);
        print_citation(out, &then->hearing);
        fputc('\n', out);
    } else if (cites_log(decision)) {
        fputs("\nallowed then\n", out);
        explanation_print_answer(out, &then->hearing);
    }
    explanation_print_rest(out, &then->hearing);
}

/* Of a decision that policies alone do not settle, today. False if they do. */
static bool print_own_today(FILE *out, const struct recorded_decision *decision)
{
    const char *gone = recorded_decision_gone_policy(decision, decision->now);
    const bool is_gone_rule = strcmp(json_line_text(decision->row, "rule"), "policy-gone") == 0;

    if (gone) {
        fprintf(out, "\ntoday (generation %" PRIu64 ") Warder itself would deny it: policy `",
                decision->now);
        print_printable(out, gone);
        fputs(
            "`, which the process named, is gone from\nthis host; `warder apply` brings it back\n",
            out);
        return true;
    }
    if (!recorded_decision_is_built_in(decision) || is_gone_rule)
        return false;
    fprintf(out,
            "\ntoday's policies (generation %" PRIu64
            ") can let it pass no more than those of then\n",
            decision->now);
    return true;
}

/* The session had policies of its own, and their texts are not here. */
static bool lacks_own(const struct recorded_decision *decision)
{
    return recorded_decision_has_own(decision) && !decision->then.own_block;
}

static void print_today(FILE *out, const struct recorded_decision *decision, bool colour)
{
    const struct rehearing *today = &decision->today;

    if (print_own_today(out, decision))
        return;

    if (!today->heard) {
        fprintf(out,
                "\nwhat today's policies (generation %" PRIu64 ") would answer cannot be told: "
                "%s\n",
                decision->now, today->objection);
        return;
    }
    if (lacks_own(decision)) {
        fprintf(out,
                "\nwhat today's policies (generation %" PRIu64 ") would answer beside those of the "
                "session's own cannot be told\nwithout the texts of these\n",
                decision->now);
        return;
    }
    fprintf(out, "\ntoday's policies (generation %" PRIu64 ") ", decision->now);
    if (same_answer(decision, &today->hearing, true)) {
        fputs("answer the same\n", out);
        return;
    }
    if (same_answer(decision, &today->hearing, false)) {
        fputs("answer the same, for another reason: ", out);
        print_citation(out, &today->hearing);
        fputc('\n', out);
        return;
    }
    fputs("would answer otherwise:\n\n", out);
    explanation_print(out, &today->hearing, colour);
}

void why_print(FILE *out, const struct recorded_decision *decision, bool colour)
{
    print_head(out, decision, colour);
    print_rule(out, decision);
    if (!decision->readable) {
        fputs("  the record has no event that could be judged again\n", out);
        return;
    }
    print_subject(out, decision);
    print_event(out, decision);
    if (decision->partial) {
        fputs("\nroot and members of the group `" HOST_ADMIN_GROUP
              "` are told more: what nearly held, and what today's policies\nwould answer\n",
              out);
        return;
    }
    print_lost(out, decision);
    print_then(out, decision);
    print_today(out, decision, colour);
}

/* ------------------------------------------------------------------------------------------- JSON
 */

static json_t *statement_json(const struct recorded_decision *decision)
{
    const struct cited_statement *statement = &decision->statement;

    if (!statement->text || is_own(decision))
        return json_null();
    return json_pack("{s:s, s:s, s:I, s:I, s:o}", "policy", json_line_text(decision->row, "policy"),
                     "rule", json_line_text(decision->row, "rule"), "revision",
                     (json_int_t)statement->revision, "line", (json_int_t)statement->line, "text",
                     json_stringn(statement->text, statement->length));
}

/* What would be answered today: by Warder itself, where policies have no say. */
static bool today_differs(const struct recorded_decision *decision)
{
    const bool denied = strcmp(json_line_text(decision->row, "verdict"), "deny") == 0;

    if (recorded_decision_gone_policy(decision, decision->now))
        return !denied;
    if (recorded_decision_is_built_in(decision) &&
        strcmp(json_line_text(decision->row, "rule"), "policy-gone") != 0)
        return false;
    return !same_answer(decision, &decision->today.hearing, false);
}

json_t *why_json(const struct recorded_decision *decision)
{
    const struct rehearing *then = &decision->then;
    const struct rehearing *today = &decision->today;
    json_t *lost = json_array();

    for (size_t i = 0; i < decision->recorded.lost_count; i++)
        json_array_append_new(lost, json_string(decision->recorded.lost[i]));
    return json_pack(
        "{s:O, s:o, s:b, s:o, s:b, s:o, s:o, s:o, s:I}", "record", decision->row, "statement",
        statement_json(decision), "built_in", (int)recorded_decision_is_built_in(decision), "lost",
        lost, "own_policies_missing", lacks_own(decision), "then",
        then->heard ? explanation_json(&then->hearing) : json_null(), "today",
        today->heard ? explanation_json(&today->hearing) : json_null(), "today_differs",
        today->heard && !lacks_own(decision) ? json_boolean(today_differs(decision)) : json_null(),
        "generation", (json_int_t)decision->now);
}
