#include "client/cli/explanation_text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policies/engine/block_layout.h"
#include "policies/engine/event_text.h"
#include "policies/floor/rings.h"
#include "policies/language/text_buffer.h"
#include "policies/scene/value_text.h"

enum {
    CITED_MAX = 640,
    BEATEN_SHOWN_MAX = 10,
    STATEMENT_LINES_MAX = 12,
};

/* What is printed about, and where to. */
struct page {
    FILE *out;
    const struct hearing *hearing;
    const struct hearing_part *part; /* that is spoken of */
    bool several;                    /* operations: each is said which one it is of */
};

const char *verdict_phrase(const char *word)
{
    static const struct {
        const char *word;
        const char *phrase;
    } phrases[] = {{"deny", "denied"},
                   {"kill", "denied, and the interpreter ended"},
                   {"would-deny", "allowed, and would be denied"},
                   {"allow", "allowed"}};

    for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++)
        if (strcmp(phrases[i].word, word) == 0)
            return phrases[i].phrase;
    return word;
}

const char *verdict_colour(const char *word, bool colour)
{
    if (!colour)
        return "";
    return strcmp(word, "allow") == 0        ? "\033[32m"
           : strcmp(word, "would-deny") == 0 ? "\033[33m"
                                             : "\033[31m";
}

/* ---------------------------------------------------------------------------------------- sources
 */

static void print_shown(FILE *out, const char *bytes, size_t length)
{
    struct text_buffer buffer = {0};

    text_buffer_add_shown(&buffer, bytes, length, false);
    char *text = text_buffer_take(&buffer);
    fputs(text ? text : "", out);
    free(text);
    text_buffer_deinit(&buffer);
}

void statement_print(FILE *out, const char *text, size_t length, const char *indentation)
{
    const char *end = text + length;

    for (int line = 0; text < end; line++) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        const char *next = stop ? stop + 1 : end;
        stop = stop ? stop : end;
        while (text < stop && (*text == ' ' || *text == '\t'))
            text++;
        while (stop > text && (stop[-1] == ' ' || stop[-1] == '\r' || stop[-1] == '\t'))
            stop--;
        if (line == STATEMENT_LINES_MAX) {
            fprintf(out, "%s    ...\n", indentation);
            return;
        }
        fprintf(out, "%s%s", indentation, line > 0 ? "    " : "");
        print_shown(out, text, (size_t)(stop - text));
        fputc('\n', out);
        text = next;
    }
}

static void print_place(const struct page *page, const struct source_excerpt *excerpt)
{
    fputs("  (", page->out);
    print_shown(page->out, excerpt->file, strlen(excerpt->file));
    fprintf(page->out, ":%u)", excerpt->line);
}

static bool find_source(const struct page *page, const struct deciding *by,
                        struct source_excerpt *excerpt)
{
    if (by->policy == POLICY_NO_INDEX)
        return false;
    if (by->rule != RULE_DEFAULT)
        return source_map_rule(page->part->map, by->rule, excerpt);
    return source_map_default(page->part->map, by->policy,
                              hearing_class(page->hearing, by->operation), excerpt);
}

/* `local/p.rule  (p.warder:3)` and the statement below. */
static void print_cited(const struct page *page, const struct deciding *by, bool statement)
{
    struct source_excerpt excerpt;
    char cited[CITED_MAX];
    const bool found = find_source(page, by, &excerpt);

    hearing_cite(page->hearing, page->part, by, cited, sizeof(cited));
    fputs(cited, page->out);
    if (found)
        print_place(page, &excerpt);
    fputc('\n', page->out);
    if (found && statement)
        statement_print(page->out, excerpt.text, excerpt.length, "      ");
}

static const char *effect_name(const struct policy_block *block, uint32_t rule)
{
    static const char *const names[] = {"allow", "deny", "kill", "log"};
    return names[rule_effect(block, rule)];
}

/* Of an event that is several operations, which one. */
static void print_operation(const struct page *page, uint32_t operation)
{
    char text[EVENT_TEXT_MAX];

    if (!page->several)
        return;
    event_text(page->hearing->event, operation, text, sizeof(text));
    fprintf(page->out, "      of  %s\n", text);
}

/* ----------------------------------------------------------------------------------------- answer
 */

static void print_message(const struct page *page, const struct hearing_answer *answer)
{
    const struct policy_block *block = page->part->block;
    const char *message = answer->by.rule != RULE_DEFAULT
                              ? rule_message(block, answer->by.rule)
                              : default_message(block, answer->by.policy,
                                                hearing_class(page->hearing, answer->by.operation));
    char shown[1024];

    if (!message[0] || answer->verdict == VERDICT_ALLOW)
        return;
    printable_text(message, strlen(message), shown, sizeof(shown));
    fprintf(page->out, "      says: %s\n", shown);
}

/* Which rings stand behind the statement that decided. */
static void print_rings(const struct page *page, const struct hearing_answer *answer)
{
    const struct policy_block *block = answer->part->block;
    const enum operation_class class = hearing_class(page->hearing, answer->by.operation);

    if (class == CLASS_NONE)
        return;
    const struct rings held = answer->by.rule != RULE_DEFAULT
                                  ? rings_of_rule(block, answer->by.policy, answer->by.rule, class)
                                  : rings_of_default(block, answer->by.policy, class);
    fprintf(page->out, "      held by %s%s%s\n", rings_text(held.rings), held.kernel[0] ? "; " : "",
            held.kernel);
}

static void print_answer(struct page *page, const struct hearing_answer *answer, const char *by)
{
    page->part = answer->part;
    if (!answer->part) {
        fprintf(page->out, "  by nobody: no policy that governs has a rule or a default for it\n");
        return;
    }
    fprintf(page->out, "  %s ", by);
    print_cited(page, &answer->by, true);
    if (answer->verdict != VERDICT_ALLOW)
        print_operation(page, answer->by.operation);
    print_message(page, answer);
    print_rings(page, answer);
    if (answer->by.unknown)
        fprintf(page->out, "      because %s\n", hearing_doubt(page->hearing));
}

static void print_overridden(struct page *page)
{
    const struct hearing_answer *overridden = &page->hearing->overridden;
    char cited[CITED_MAX];

    if (!overridden->part)
        return;
    hearing_cite(page->hearing, overridden->part, &overridden->by, cited, sizeof(cited));
    fprintf(page->out, "  an override cancelled %s\n", cited);
}

static void print_answers(struct page *page)
{
    const struct hearing *hearing = page->hearing;

    print_answer(page, &hearing->answer, "by");
    print_overridden(page);
    if (hearing->would.part && hearing->would.verdict != VERDICT_ALLOW)
        print_answer(page, &hearing->would, "would be denied by");
}

static void print_verdict(struct page *page, bool colour)
{
    const struct hearing *hearing = page->hearing;
    const char *word = hearing_word(hearing);
    char text[EVENT_TEXT_MAX];

    event_text(hearing->event, hearing->answer.part ? hearing->answer.by.operation : 0, text,
               sizeof(text));
    fprintf(page->out, "%s%s%s: %s\n", verdict_colour(word, colour), verdict_phrase(word),
            colour ? "\033[0m" : "", text);
    print_answers(page);
    if (hearing->steps_spent)
        fputs("  this takes more steps than a decision may: that is what the daemon answers. What\n"
              "  fires and what nearly does is told as if there were steps enough\n",
              page->out);
}

/* ------------------------------------------------------------------------------------------ beaten
 */

static bool is_answer(const struct hearing_answer *answer, const struct hearing_part *part,
                      uint32_t policy, uint32_t rule, uint32_t operation)
{
    return answer->part == part && answer->by.policy == policy && answer->by.rule == rule &&
           answer->by.operation == operation;
}

static const char *form_note(const struct policy_block *block, const struct fired_rule *fired)
{
    if (!fired->has_paths || fired->written == fired->resolved)
        return "";
    if (rule_effect(block, fired->rule) == EFFECT_ALLOW)
        return ": on the path with links resolved";
    return fired->resolved > fired->written ? ": on the path with links resolved"
                                            : ": on the path as written";
}

static void print_fired(struct page *page, const struct fired_rule *fired)
{
    const struct policy_block *block = page->part->block;
    const struct deciding by = {fired->policy, fired->rule, fired->operation, false};
    const char *note = form_note(block, fired);

    fprintf(page->out, "  %-5s ", effect_name(block, fired->rule));
    print_cited(page, &by, false);
    print_operation(page, fired->operation);
    if (fired->truth == TRUTH_UNKNOWN || note[0] || fired->override != OVERRIDE_NONE)
        fprintf(page->out, "      fired%s%s%s\n", fired->truth == TRUTH_UNKNOWN ? " in doubt" : "",
                note, fired->override != OVERRIDE_NONE ? ", and was cancelled" : "");
}

static void print_opinion(struct page *page, const struct policy_opinion *opinion)
{
    const struct deciding by = {opinion->policy, RULE_DEFAULT, opinion->operation, false};

    fprintf(page->out, "  %-5s ", opinion->verdict == VERDICT_ALLOW ? "allow" : "deny");
    print_cited(page, &by, false);
    print_operation(page, opinion->operation);
}

static void print_beaten(struct page *page)
{
    const struct hearing *hearing = page->hearing;
    unsigned shown = 0;

    for (size_t i = 0; i < hearing->count; i++) {
        const struct explanation *explanation = hearing->parts[i].explanation;
        page->part = &hearing->parts[i];
        for (uint32_t j = 0; j < explanation->fired_count; j++) {
            const struct fired_rule *fired = &explanation->fired[j];
            if (is_answer(&hearing->answer, page->part, fired->policy, fired->rule,
                          fired->operation) ||
                is_answer(&hearing->would, page->part, fired->policy, fired->rule,
                          fired->operation))
                continue;
            if (shown++ == 0)
                fputs("\nwhat fired besides\n", page->out);
            if (shown <= BEATEN_SHOWN_MAX)
                print_fired(page, fired);
        }
        for (uint32_t j = 0; j < explanation->opinion_count; j++) {
            const struct policy_opinion *opinion = &explanation->opinions[j];
            if (!opinion->said || opinion->rule != RULE_DEFAULT ||
                is_answer(&hearing->answer, page->part, opinion->policy, RULE_DEFAULT,
                          opinion->operation) ||
                is_answer(&hearing->would, page->part, opinion->policy, RULE_DEFAULT,
                          opinion->operation))
                continue;
            if (shown++ == 0)
                fputs("\nwhat fired besides\n", page->out);
            if (shown <= BEATEN_SHOWN_MAX)
                print_opinion(page, opinion);
        }
    }
    if (shown > BEATEN_SHOWN_MAX)
        fprintf(page->out, "  and %u more\n", shown - BEATEN_SHOWN_MAX);
}

/* -------------------------------------------------------------------------- overrides and misses
 */

static void print_missed(struct page *page, const struct missed_predicate *missed)
{
    struct text_buffer buffer = {0};
    struct source_excerpt excerpt;

    if (missed->node == (uint32_t)BLOCK_NONE) {
        fputs("      the event's name could not be known for certain\n", page->out);
        return;
    }
    const struct block_node *node =
        (const struct block_node *)block_section(page->part->block, SECTION_NODES) + missed->node;
    fprintf(page->out, "      %s", missed->wanted ? "" : "not ");
    if (source_map_node(page->part->map, missed->node, &excerpt))
        print_shown(page->out, excerpt.text, excerpt.length);
    else
        fputs(vocabulary_attribute_name((enum attribute_name)node->attribute), page->out);
    if (node->kind == NODE_PREDICATE)
        operand_text_add(&buffer, &missed->operand, (enum attribute_type)node->type);
    char *value = text_buffer_take(&buffer);
    if (value && value[0])
        fprintf(page->out, ": it was %s", value);
    free(value);
    text_buffer_deinit(&buffer);
    if (missed->misses > 1)
        fprintf(page->out, " (the first of %u)", missed->misses);
    fputc('\n', page->out);
}

static void print_override(struct page *page, const struct explained_override *explained)
{
    static const char *const fates[] = {
        "cancelled it", "does not count: its policy does not govern", "has expired",
        "is not counted: the day is not known", "does not count: its condition does not hold"};
    const struct override_facts facts = override_facts(page->part->block, explained->override);
    struct source_excerpt excerpt;

    fprintf(page->out, "  %s/%s", policy_tier_name(policy_tier(page->part->block, facts.by)),
            policy_name(page->part->block, facts.by));
    if (source_map_override(page->part->map, explained->override, &excerpt))
        print_place(page, &excerpt);
    fprintf(page->out, " %s\n", fates[explained->fate]);
    if (source_map_override(page->part->map, explained->override, &excerpt))
        statement_print(page->out, excerpt.text, excerpt.length, "      ");
    if (explained->fate == OVERRIDE_MISSED)
        print_missed(page, &explained->missed);
}

static void print_overrides(struct page *page)
{
    unsigned shown = 0;

    for (size_t i = 0; i < page->hearing->count; i++) {
        const struct explanation *explanation = page->hearing->parts[i].explanation;
        page->part = &page->hearing->parts[i];
        for (uint32_t j = 0; j < explanation->override_count; j++) {
            if (shown++ == 0)
                fputs("\noverrides\n", page->out);
            print_override(page, &explanation->overrides[j]);
        }
    }
}

static void print_misses(struct page *page)
{
    unsigned shown = 0;

    for (size_t i = 0; i < page->hearing->count; i++) {
        const struct explanation *explanation = page->hearing->parts[i].explanation;
        page->part = &page->hearing->parts[i];
        for (uint32_t j = 0; j < explanation->miss_count; j++) {
            const struct near_miss *miss = &explanation->misses[j];
            const struct deciding by = {miss->policy, miss->rule, miss->operation, false};
            if (shown++ == 0)
                fputs("\nnear misses\n", page->out);
            fprintf(page->out, "  %-5s ", effect_name(page->part->block, miss->rule));
            print_cited(page, &by, false);
            print_operation(page, miss->operation);
            print_missed(page, &miss->missed);
        }
        if (explanation->miss_total > explanation->miss_count)
            fprintf(page->out, "  and %u farther off\n",
                    explanation->miss_total - explanation->miss_count);
    }
}

void explanation_print_answer(FILE *out, const struct hearing *hearing)
{
    struct page page = {
        .out = out, .hearing = hearing, .several = hearing->event->operation_count > 1};

    print_answers(&page);
}

void explanation_print_rest(FILE *out, const struct hearing *hearing)
{
    struct page page = {
        .out = out, .hearing = hearing, .several = hearing->event->operation_count > 1};

    print_beaten(&page);
    print_overrides(&page);
    print_misses(&page);
}

void explanation_print(FILE *out, const struct hearing *hearing, bool colour)
{
    struct page page = {
        .out = out, .hearing = hearing, .several = hearing->event->operation_count > 1};

    print_verdict(&page, colour);
    explanation_print_rest(out, hearing);
}
