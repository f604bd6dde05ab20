#include "client/cli/ring_table.h"

#include <stdlib.h>
#include <string.h>

#include "client/cli/json_line.h"
#include "policies/engine/block_layout.h"
#include "policies/floor/floor_outline.h"
#include "policies/floor/rings.h"

enum {
    NAME_WIDTH = 22,
    WHAT_WIDTH = 24,
    CLASSES_SHOWN_MAX = 256, /* bytes: the names of all classes */
};

/* One line: a statement, and classes of it that the same is said of. */
struct line {
    const char *name;
    const char *effect;
    uint32_t classes;
    struct rings rings;
};

struct table {
    FILE *out;
    const struct policy_block *block;
    uint32_t policy;
    bool json;
};

json_t *rings_json(uint32_t rings)
{
    json_t *list = json_array();
    for (int ring = 0; ring < 3; ring++)
        if (rings >> ring & 1)
            json_array_append_new(list, json_integer(ring + 1));
    return list;
}

static void add_name(char *text, size_t size, const char *name)
{
    const size_t length = strlen(text);
    snprintf(text + length, size - length, "%s%s", length > 0 ? ", " : "", name);
}

static void print_line(const struct table *table, const struct line *line)
{
    char classes[CLASSES_SHOWN_MAX] = "";
    char what[CLASSES_SHOWN_MAX + 16];

    for (int class = CLASS_NONE + 1; class < CLASS_COUNT; class ++)
        if (line->classes >> class & 1)
            add_name(classes, sizeof(classes), vocabulary_class_name((enum operation_class) class));
    if (!table->json) {
        snprintf(what, sizeof(what), "%s %s", line->effect, classes[0] ? classes : "event");
        fprintf(table->out, "  %-*s %-*s %s%s%s\n", NAME_WIDTH, line->name, WHAT_WIDTH, what,
                rings_text(line->rings.rings), line->rings.kernel[0] ? "; " : "",
                line->rings.kernel);
        return;
    }
    json_t *list = json_array();
    for (int class = CLASS_NONE + 1; class < CLASS_COUNT; class ++)
        if (line->classes >> class & 1)
            json_array_append_new(list,
                                  json_string(vocabulary_class_name((enum operation_class) class)));
    json_line_print_object(table->out,
                           json_pack("{s:s, s:s, s:s, s:o, s:o, s:s}", "policy",
                                     policy_name(table->block, table->policy), "rule", line->name,
                                     "effect", line->effect, "classes", list, "rings",
                                     rings_json(line->rings.rings), "kernel", line->rings.kernel));
}

static bool is_same(const struct rings *a, const struct rings *b)
{
    return a->rings == b->rings && strcmp(a->kernel, b->kernel) == 0;
}

/* Classes of which the same is said go on one line. */
static void print_rule(const struct table *table, uint32_t rule)
{
    static const char *const effects[] = {"allow", "deny", "kill", "log"};
    struct line line = {.name = rule_name(table->block, rule),
                        .effect = effects[rule_effect(table->block, rule)]};
    uint32_t left = 0;

    for (int class = CLASS_NONE + 1; class < CLASS_COUNT; class ++)
        if (rule_is_about(table->block, rule, (enum operation_class) class))
            left |= UINT32_C(1) << class;
    if (left == 0) {
        line.rings = (struct rings){RING_HOOK, ""};
        print_line(table, &line);
    }
    while (left != 0) {
        line.classes = 0;
        for (int class = CLASS_NONE + 1; class < CLASS_COUNT; class ++) {
            if (!(left >> class & 1))
                continue;
            const struct rings rings =
                rings_of_rule(table->block, table->policy, rule, (enum operation_class) class);
            if (line.classes == 0)
                line.rings = rings;
            if (is_same(&rings, &line.rings))
                line.classes |= UINT32_C(1) << class;
        }
        left &= ~line.classes;
        print_line(table, &line);
    }
}

static void print_defaults(const struct table *table)
{
    uint32_t plain = 0; /* classes that the audit hook alone can hold */

    for (int class = CLASS_NONE + 1; class < CLASS_COUNT; class ++) {
        const enum operation_class operation_class = (enum operation_class) class;
        if (!rings_default_denies(table->block, table->policy, operation_class))
            continue;
        char name[48];
        struct line line = {.name = name,
                            .effect = "deny",
                            .classes = UINT32_C(1) << class,
                            .rings =
                                rings_of_default(table->block, table->policy, operation_class)};
        snprintf(name, sizeof(name), "default-%s", vocabulary_class_name(operation_class));
        if (line.rings.rings == RING_HOOK && !line.rings.kernel[0])
            plain |= line.classes;
        else
            print_line(table, &line);
    }
    const struct line line = {
        .name = "defaults", .effect = "deny", .classes = plain, .rings = {RING_HOOK, ""}};
    if (plain != 0)
        print_line(table, &line);
}

static void print_gaps(const struct table *table)
{
    for (int class = CLASS_NONE + 1; class < CLASS_COUNT; class ++) {
        const char *gap =
            rings_class_gap(table->block, table->policy, (enum operation_class) class);
        const char *name = vocabulary_class_name((enum operation_class) class);
        if (!gap[0])
            continue;
        if (table->json)
            json_line_print_object(table->out, json_pack("{s:s, s:s, s:s}", "policy",
                                                         policy_name(table->block, table->policy),
                                                         "floor", name, "not_held", gap));
        else
            fprintf(table->out, "  not held under `floor %s`: %s\n", name, gap);
    }
}

void ring_table_print(FILE *out, const struct policy_block *block, uint32_t policy, bool json)
{
    const struct table table = {out, block, policy, json};
    const struct policy_record *record = block_policy(block, policy);

    if (!json)
        fprintf(out, "policy %s: what holds each rule (1 audit hook, 2 C boundary, 3 kernel)\n",
                policy_name(block, policy));
    print_defaults(&table);
    for (uint32_t i = 0; i < record->rules.count; i++)
        print_rule(&table, record->rules.first + i);
    print_gaps(&table);
}
