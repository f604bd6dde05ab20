/* Where what is in a block stands in its text. */
#include "policy_fixture.h"

#include <string.h>

#include "policies/engine/block_layout.h"
#include "policies/language/source_map.h"

static const char text[] = "# none\n"
                           "set names = [\"bob\"]\n"
                           "policy p {\n"
                           "    default deny all message \"m\"\n"
                           "    default allow exec\n"
                           "    deny fork\n"
                           "        where user in names and not (script is absent) as d\n"
                           "    kill read as a message \"\xc3\xa4\"  deny bind as b\n"
                           "    override local/p.d reason \"r\" until 2030-01-31\n"
                           "}\n";

static void assert_excerpt(const struct source_excerpt *excerpt, const char *file, uint32_t line,
                           uint32_t column, const char *expected)
{
    char found[200];

    assert_true(excerpt->length < sizeof(found));
    memcpy(found, excerpt->text, excerpt->length);
    found[excerpt->length] = '\0';
    assert_string_equal(found, expected);
    assert_string_equal(excerpt->file, file);
    assert_int_equal(excerpt->line, line);
    assert_int_equal(excerpt->column, column);
}

static void places_lead_back_to_the_text(void **state)
{
    (void)state;
    const struct policy_text texts[] = {
        {.file = "v.warder",
         .text = "policy a { log exec as l }",
         .length = 26,
         .tier = TIER_VENDOR},
        {.file = "l.warder", .text = text, .length = strlen(text), .tier = TIER_LOCAL},
    };
    CLEANUP(source_map_free) struct source_map *map = source_map_new();
    const struct compile_options options = {.map = map};
    CLEANUP(policy_block_free) struct policy_block *block = compiled_texts(texts, 2, &options);
    struct source_excerpt excerpt;

    assert_true(source_map_policy(map, 0, &excerpt));
    assert_int_equal(excerpt.line, 3);
    assert_true(source_map_rule(map, 1, &excerpt));
    assert_excerpt(&excerpt, "l.warder", 8, 33, "deny bind as b");
    assert_true(source_map_rule(map, 2, &excerpt));
    assert_excerpt(&excerpt, "l.warder", 6, 5,
                   "deny fork\n        where user in names and not (script is absent) as d");
    assert_true(source_map_rule(map, 3, &excerpt));
    assert_excerpt(&excerpt, "v.warder", 1, 12, "log exec as l");
    assert_false(source_map_rule(map, 4, &excerpt));
    assert_true(source_map_override(map, 0, &excerpt));
    assert_excerpt(&excerpt, "l.warder", 9, 5, "override local/p.d reason \"r\" until 2030-01-31");

    const struct block_node *nodes = block_section(block, SECTION_NODES);
    const uint32_t root = block_rule(block, 2)->condition;
    assert_true(source_map_node(map, root, &excerpt));
    assert_excerpt(&excerpt, "l.warder", 7, 15, "user in names and not (script is absent)");
    assert_true(source_map_node(map, nodes[root].first, &excerpt));
    assert_excerpt(&excerpt, "l.warder", 7, 15, "user in names");
    const uint32_t turned = nodes[root].first + 1;
    assert_true(source_map_node(map, nodes[turned].first, &excerpt));
    assert_excerpt(&excerpt, "l.warder", 7, 38, "script is absent");
}

static void a_default_leads_to_the_statement_that_counts(void **state)
{
    (void)state;
    const struct policy_text one = {
        .file = "l.warder", .text = text, .length = strlen(text), .tier = TIER_LOCAL};
    CLEANUP(source_map_free) struct source_map *map = source_map_new();
    const struct compile_options options = {.map = map};
    CLEANUP(policy_block_free) struct policy_block *block = compiled_texts(&one, 1, &options);
    struct source_excerpt excerpt;

    assert_true(source_map_default(map, 0, CLASS_BIND, &excerpt));
    assert_excerpt(&excerpt, "l.warder", 4, 5, "default deny all message \"m\"");
    assert_true(source_map_default(map, 0, CLASS_EXEC, &excerpt));
    assert_excerpt(&excerpt, "l.warder", 5, 5, "default allow exec");
    assert_false(source_map_default(map, 0, CLASS_NONE, &excerpt));
    assert_false(source_map_default(map, 1, CLASS_EXEC, &excerpt));
    assert_false(source_map_default(NULL, 0, CLASS_EXEC, &excerpt));
    assert_int_equal(policy_block_policy_count(block), 1);
}

static void a_block_is_the_same_with_a_map_and_without(void **state)
{
    (void)state;
    const struct policy_text one = local_text(text);
    CLEANUP(source_map_free) struct source_map *map = source_map_new();
    const struct compile_options options = {.map = map};
    CLEANUP(policy_block_free) struct policy_block *with = compiled_texts(&one, 1, &options);
    CLEANUP(policy_block_free) struct policy_block *without = compiled_texts(&one, 1, NULL);

    assert_int_equal(policy_block_size(with), policy_block_size(without));
    assert_memory_equal(with, without, policy_block_size(with));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_lead_back_to_the_text),
        cmocka_unit_test(a_default_leads_to_the_statement_that_counts),
        cmocka_unit_test(a_block_is_the_same_with_a_map_and_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
