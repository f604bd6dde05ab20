/* A block whose bytes are anybody's is refused, or walked without leaving it: what leaves it is
 * found by the sanitizers' builds of this test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policies/engine/block_layout.h"
#include "policy_fixture.h"

/* Something in every section. */
static const char *const everything =
    "set probes = [\"ffprobe\", \"-v\"]\n"
    "policy p \"Title\" {\n"
    "applies { user is \"alice\" or group has \"staff\" }\n"
    "default deny exec message \"No programs\"\n"
    "deny write where path is \"/a/b\" and not action is \"open\" as exact message \"Not there\"\n"
    "deny write where path under [\"/a/b/c\", \"/a/d\", session.home \"/x\"] as under\n"
    "deny write where path matches \"/g/**/*.[ch]\" as glob\n"
    "deny write where path under \"/a/b/c/e\" as deeper\n"
    "allow exec where argv starts probes as probe\n"
    "allow exec where argv has \"x\" and env[\"PATH\"] is \"y\" as element\n"
    "allow exec where file is \"/bin/true\" as program\n"
    "allow exec where file is \"/bin/false\" as other\n"
    "deny connect where address in [10.0.0.0/8, 10.1.0.0/16, 2001:db8::/32] as networks\n"
    "deny connect where port in [443, 8000-8100] as ports\n"
    "deny connect where address is 10.1.2.3 as one\n"
    "deny connect where address is 172.16.0.0/12 as two\n"
    "deny resolve where host in [\"a.example.org\", \"*.b.example.org\"] as hosts\n"
    "deny resolve where host is \"*.example.net\" as net\n"
    "deny resolve where host is \"x.example.net\" as x\n"
    "deny resolve where host is \"y.example.net\" as y\n"
    "deny event \"sys._getframe\" where arg[0] is 3 as frames\n"
    "deny event \"os.*\" where arg.path is \"/q\" as raw\n"
    "log all where event is \"open\" as logged\n"
    "}\n"
    "policy q {\n"
    "applies { user is \"alice\" }\n"
    "override local/p.exact where path under \"/a\" reason \"ticket 1\" until 2027-01-31\n"
    "}\n";

enum { SCENES = 8 };

static void make_scenes(struct scene scenes[SCENES])
{
    static const char address[] = {10, 1, 2, 3};

    for (int i = 0; i < SCENES; i++)
        scene_init(&scenes[i], i % 2 ? "open" : "os.remove");
    scene_operation(&scenes[0], CLASS_WRITE);
    scene_path(&scenes[0], ATTRIBUTE_PATH, "/a/b", "/a/b/c/e/f");
    scene_text(&scenes[0], ATTRIBUTE_ACTION, "remove");
    scene_operation(&scenes[1], CLASS_WRITE);
    scene_path(&scenes[1], ATTRIBUTE_PATH, "/g/x/y.c", "/home/alice/x/y");
    scene_operation(&scenes[2], CLASS_EXEC);
    scene_path(&scenes[2], ATTRIBUTE_FILE, "/bin/true", "/bin/true");
    scene_value(&scenes[2], ATTRIBUTE_ARGV, list_of(&scenes[2], "ffprobe", "-v", "x", NULL));
    scene_value(&scenes[2], ATTRIBUTE_ENV, map_of(&scenes[2], "PATH", "y", NULL));
    scene_operation(&scenes[3], CLASS_CONNECT);
    struct value bytes = value_text(address, sizeof(address));
    bytes.kind = VALUE_BYTES;
    scene_value(&scenes[3], ATTRIBUTE_ADDRESS, bytes);
    scene_value(&scenes[3], ATTRIBUTE_PORT, value_int(443));
    scene_operation(&scenes[4], CLASS_RESOLVE);
    scene_text(&scenes[4], ATTRIBUTE_HOST, "z.b.example.org");
    scene_argument(&scenes[5], value_int(3));
    scene_operation(&scenes[6], CLASS_WRITE);
    scene_value(&scenes[6], ATTRIBUTE_PATH, value_unknown());
    scene_operation(&scenes[7], CLASS_RESOLVE);
    scene_text(&scenes[7], ATTRIBUTE_HOST, "x.example.net");
}

/* Everything that can be asked of a block. */
static void walk(const struct policy_block *block, const struct scene scenes[SCENES])
{
    size_t seen = 0;

    for (uint32_t i = 0; i < policy_block_policy_count(block); i++) {
        seen += strlen(policy_name(block, i)) + strlen(policy_title(block, i));
        seen += strlen(default_message(block, i, CLASS_EXEC));
        seen += (size_t)policy_applies(block, i, &scenes[0].subject);
    }
    for (uint32_t i = 0; i < policy_block_rule_count(block); i++)
        seen += strlen(rule_name(block, i)) + strlen(rule_message(block, i));
    for (uint32_t i = 0; i < policy_block_override_count(block); i++)
        seen += strlen(override_facts(block, i).reason);
    if (policy_block_policy_count(block) <= SCENE_GOVERNING_MAX)
        for (int i = 0; i < SCENES; i++)
            seen += (size_t)judge(block, &scenes[i]).verdict;
    assert_true(seen < SIZE_MAX);
}

static void seal(struct policy_block *block)
{
    block->checksum = block_checksum(block);
}

static void a_byte_that_is_another_is_refused_or_walked(void **state)
{
    (void)state;
    static const unsigned char others[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    static struct scene scenes[SCENES];
    CLEANUP(policy_block_free) struct policy_block *block = compiled(everything);
    const size_t size = policy_block_size(block);
    CLEANUP(policy_block_free) struct policy_block *spoilt = compiled(everything);
    char *bytes = (char *)spoilt;
    size_t refused = 0;
    size_t walked = 0;

    assert_int_equal(policy_block_size(spoilt), size);
    make_scenes(scenes);
    walk(block, scenes);
    for (size_t i = sizeof(struct policy_block) - sizeof(block->sections); i < size; i++) {
        for (size_t j = 0; j < sizeof(others); j++) {
            memcpy(bytes, block, size);
            bytes[i] = (char)others[j];
            seal(spoilt);
            const struct policy_block *changed = policy_block_open(bytes, size);
            refused += changed ? 0 : 1;
            if (!changed)
                continue;
            walk(changed, scenes);
            walked++;
        }
    }
    assert_true(refused > size / 2); /* most numbers are indexes, whose high bytes must be 0 */
    assert_true(walked > size / 2);  /* and texts may be anything */
}

static void *records(struct policy_block *block, enum block_section section)
{
    return (char *)block + block->sections[section].first;
}

static uint32_t first_of(const struct policy_block *block, enum node_kind kind)
{
    uint32_t node = 0;
    while (block_nodes(block)[node].kind != kind)
        node++;
    return node;
}

static uint32_t first_text(const struct policy_block *block)
{
    uint32_t value = 0;
    while (!block_value_has_text(&block_values(block)[value]))
        value++;
    return value;
}

/* One way for a walk to leave the block, each. */
static void leave_through_text(struct policy_block *block)
{
    char *text = records(block, SECTION_TEXT);
    text[block->sections[SECTION_TEXT].count - 1] = 'x';
}

static void leave_through_condition(struct policy_block *block)
{
    struct rule_record *rule = records(block, SECTION_RULES);
    rule->condition = block->sections[SECTION_NODES].count;
}

static void turn_condition_into_circle(struct policy_block *block)
{
    struct block_node *nodes = records(block, SECTION_NODES);
    for (uint32_t i = 0; i < block->sections[SECTION_NODES].count; i++)
        if (nodes[i].kind == NODE_AND)
            nodes[i].first = i;
}

static void take_child_from_not(struct policy_block *block)
{
    struct block_node *nodes = records(block, SECTION_NODES);
    for (uint32_t i = 0; i < block->sections[SECTION_NODES].count; i++)
        if (nodes[i].kind == NODE_NOT)
            nodes[i].count = 0;
}

static void lengthen_value(struct policy_block *block)
{
    struct block_value *value = records(block, SECTION_VALUES);
    for (uint32_t i = 0; i < block->sections[SECTION_VALUES].count; i++)
        if (block_value_has_text(&value[i]))
            value[i].length = block->sections[SECTION_TEXT].count;
}

static void leave_through_list(struct policy_block *block)
{
    uint32_t *list = records(block, SECTION_RULE_LISTS);
    list[0] = block->sections[SECTION_RULES].count;
}

static void leave_through_slot(struct policy_block *block)
{
    uint32_t *slots = records(block, SECTION_KEY_SLOTS);
    slots[block->sections[SECTION_KEY_SLOTS].count - 1]++;
}

static void turn_slots_round(struct policy_block *block)
{
    uint32_t *slots = records(block, SECTION_TRIE_SLOTS);
    slots[0] = slots[block->sections[SECTION_TRIE_SLOTS].count - 1];
}

static void make_slots_no_power_of_two(struct policy_block *block)
{
    block->sections[SECTION_TRIE_SLOTS].count--;
}

static void stand_still_in_trie(struct policy_block *block)
{
    struct trie_node *node = records(block, SECTION_TRIE_NODES);
    node->length = 0;
}

static void leave_through_component(struct policy_block *block)
{
    struct trie_node *node = records(block, SECTION_TRIE_NODES);
    node->length = UINT16_MAX;
}

static void turn_bits_into_circle(struct policy_block *block)
{
    struct bit_node *node = records(block, SECTION_BIT_NODES);
    node[0].children[1] = 0;
}

static void take_text_for_number(struct policy_block *block)
{
    struct exact_key *keys = records(block, SECTION_KEYS);
    struct lookup *lookups = records(block, SECTION_LOOKUPS);
    lookups[keys[0].lookup].kind = LOOKUP_NUMBER;
}

static void use_set_twice(struct policy_block *block)
{
    struct policy_record *policy = records(block, SECTION_POLICIES);
    for (int class = 0; class < CLASS_COUNT; class ++)
        policy->class_rules[class] = policy->class_rules[CLASS_WRITE];
}

static void use_list_twice(struct policy_block *block)
{
    struct rule_set *sets = records(block, SECTION_RULE_SETS);
    for (uint32_t i = 1; i < block->sections[SECTION_RULE_SETS].count; i++)
        sets[i].always = (struct block_range){0, block->sections[SECTION_RULE_LISTS].count};
}

static void overlap_sections(struct policy_block *block)
{
    block->sections[SECTION_VALUES].first = block->sections[SECTION_NODES].first;
}

static void enlarge_section(struct policy_block *block)
{
    block->sections[SECTION_POLICIES].count = UINT32_MAX;
}

static void override_what_is_not_there(struct policy_block *block)
{
    struct override_record *record = records(block, SECTION_OVERRIDES);
    record->by = block->sections[SECTION_POLICIES].count;
}

/* Sets a member of every record of a section for which `when` holds. */
#define SPOIL(name, section, type, member, number, when)                                           \
    static void name(struct policy_block *block)                                                   \
    {                                                                                              \
        /* A type stands in no parentheses. NOLINTNEXTLINE(bugprone-macro-parentheses) */          \
        type *record = records(block, (section));                                                  \
        for (uint32_t i = 0; i < block->sections[section].count; i++)                              \
            if (when)                                                                              \
                record[i].member = (number);                                                       \
    }

SPOIL(no_tier, SECTION_POLICIES, struct policy_record, tier, 3, true)
SPOIL(no_effect, SECTION_RULES, struct rule_record, effect, 4, true)
SPOIL(override_of_no_class, SECTION_OVERRIDES, struct override_record, operation_class, CLASS_COUNT,
      true)
SPOIL(no_type, SECTION_NODES, struct block_node, type, TYPE_ANY + 1,
      record[i].kind == NODE_PREDICATE)
SPOIL(no_attribute, SECTION_NODES, struct block_node, attribute, ATTRIBUTE_COUNT,
      record[i].kind == NODE_PREDICATE)
SPOIL(no_operator, SECTION_NODES, struct block_node, operator_kind, OPERATOR_GREATER_OR_EQUAL + 1,
      record[i].kind == NODE_PREDICATE)
SPOIL(no_part, SECTION_NODES, struct block_node, part, PART_ARGUMENT + 1,
      record[i].kind == NODE_PREDICATE)
SPOIL(no_place, SECTION_VALUES, struct block_value, place, PLACE_COUNT,
      block_value_has_text(&record[i]))
SPOIL(too_long_a_prefix, SECTION_VALUES, struct block_value, prefix, 129,
      record[i].kind == BLOCK_VALUE_ADDRESS)
SPOIL(no_width, SECTION_VALUES, struct block_value, place, 5, record[i].kind == BLOCK_VALUE_ADDRESS)
SPOIL(too_many_words, SECTION_VALUES, struct block_value, glob.count, 1025,
      record[i].kind == BLOCK_VALUE_GLOB)
SPOIL(lookup_without_predicate, SECTION_LOOKUPS, struct lookup, node, first_of(block, NODE_AND),
      true)
SPOIL(no_lookup_kind, SECTION_LOOKUPS, struct lookup, kind, LOOKUP_KIND_COUNT, true)
SPOIL(no_way, SECTION_LOOKUPS, struct lookup, way, WAY_COUNT, true)
SPOIL(place_beyond_all, SECTION_LOOKUPS, struct lookup, place, PLACE_COUNT + 1, true)
SPOIL(bits_beyond_an_address, SECTION_BIT_NODES, struct bit_node, prefix, 129, true)
SPOIL(bits_of_a_text, SECTION_BIT_NODES, struct bit_node, value, first_text(block), true)

static void misalign_section(struct policy_block *block)
{
    block->sections[SECTION_ARGUMENTS].first += 4;
}

static void ways_out_of_a_block_are_refused(void **state)
{
    (void)state;
    static void (*const ways[])(struct policy_block *) = {
        leave_through_text,
        leave_through_condition,
        turn_condition_into_circle,
        take_child_from_not,
        lengthen_value,
        leave_through_list,
        leave_through_slot,
        turn_slots_round,
        make_slots_no_power_of_two,
        stand_still_in_trie,
        leave_through_component,
        turn_bits_into_circle,
        take_text_for_number,
        use_set_twice,
        use_list_twice,
        overlap_sections,
        enlarge_section,
        override_what_is_not_there,
        no_tier,
        no_effect,
        override_of_no_class,
        no_type,
        no_attribute,
        no_operator,
        no_part,
        no_place,
        too_long_a_prefix,
        no_width,
        too_many_words,
        lookup_without_predicate,
        no_lookup_kind,
        no_way,
        place_beyond_all,
        bits_beyond_an_address,
        bits_of_a_text,
        misalign_section,
    };
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        CLEANUP(policy_block_free) struct policy_block *block = compiled(everything);
        const size_t size = policy_block_size(block);
        seal(block);
        assert_non_null(policy_block_open(block, size));
        ways[i](block);
        seal(block);
        if (policy_block_open(block, size))
            fail_msg("way %zu out of the block is open", i);
    }
}

static void the_sections_of_the_test_have_something_in_them(void **state)
{
    (void)state;
    CLEANUP(policy_block_free) struct policy_block *block = compiled(everything);
    for (int i = 0; i < SECTION_COUNT; i++)
        if (block->sections[i].count == 0)
            fail_msg("section %d is empty: nothing is tested of it", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sections_of_the_test_have_something_in_them),
        cmocka_unit_test(ways_out_of_a_block_are_refused),
        cmocka_unit_test(a_byte_that_is_another_is_refused_or_walked),
    };
    return cmocka_run_group_tests_name("validate_block", tests, NULL, NULL);
}
