/* From texts to one block, and from one text to its policies. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy_fixture.h"

#include "policies/language/text_buffer.h"

/* The messages of several texts. */
static char *messages(const struct policy_text *texts, size_t count)
{
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    CLEANUP(policy_block_free)
    struct policy_block *block = policy_compile(texts, count, NULL, diagnostics);
    char *shown = diagnostics_render(diagnostics, NULL, false);
    assert_non_null(shown);
    assert_int_equal(block == NULL, diagnostics_error_count(diagnostics) > 0);
    return shown;
}

static void no_text_is_an_empty_block(void **state)
{
    (void)state;
    CLEANUP(policy_block_free) struct policy_block *block = compiled_texts(NULL, 0, NULL);
    assert_int_equal(policy_block_policy_count(block), 0);
    assert_int_equal(policy_block_rule_count(block), 0);
}

static void policies_are_ordered_by_tier_and_name_and_rules_by_name(void **state)
{
    (void)state;
    struct policy_text texts[] = {
        local_text("policy b \"the second\" { deny exec as z  allow fork as a }"),
        local_text("policy c { } policy a { }"),
        local_text("policy a { }"),
    };
    texts[2].tier = TIER_VENDOR;
    CLEANUP(policy_block_free) struct policy_block *block = compiled_texts(texts, 3, NULL);
    static const char *const names[] = {"a", "b", "c", "a"};
    assert_int_equal(policy_block_policy_count(block), 4);
    for (uint32_t i = 0; i < 4; i++)
        assert_string_equal(policy_name(block, i), names[i]);
    assert_int_equal(policy_tier(block, 2), TIER_LOCAL);
    assert_int_equal(policy_tier(block, 3), TIER_VENDOR);
    assert_string_equal(policy_tier_name(policy_tier(block, 3)), "vendor");
    assert_string_equal(policy_title(block, 1), "the second");
    assert_string_equal(policy_title(block, 0), "");
    assert_int_equal(policy_block_rule_count(block), 2);
    assert_string_equal(rule_name(block, 0), "a");
    assert_int_equal(rule_effect(block, 0), EFFECT_ALLOW);
    assert_string_equal(rule_name(block, 1), "z");
    assert_string_equal(rule_message(block, 1), "");
}

static void names_are_unique_in_a_tier_over_all_texts(void **state)
{
    (void)state;
    struct policy_text texts[] = {local_text("policy p { }"), local_text("\npolicy p { }")};
    texts[0].file = "one.warder";
    texts[1].file = "two.warder";
    CLEANUP(free) char *shown = messages(texts, 2);
    assert_string_equal(shown, "two.warder:2:8: error[E070]: policy `p` is there already\n"
                               "  2 | policy p { }\n"
                               "    |        ^\n"
                               "    ::: one.warder:1:8\n"
                               "  1 | policy p { }\n"
                               "    |        - first here\n"
                               "    = help: give one of the two another name\n"
                               "\n"
                               "1 error in 1 file.\n");
    texts[1].tier = TIER_VENDOR;
    CLEANUP(free) char *fine = messages(texts, 2);
    assert_string_equal(fine, "");
}

static void sets_of_one_file_are_unknown_in_another(void **state)
{
    (void)state;
    const struct policy_text texts[] = {
        local_text("set s = [\"x\"] policy p { deny exec where argv has s as r }"),
        local_text("policy q { deny exec where argv has s as r }"),
    };
    CLEANUP(free) char *shown = messages(texts, 2);
    assert_non_null(strstr(shown, "error[E015]: unknown set `s`"));
    assert_non_null(strstr(shown, "1 error in 1 file."));
}

static void errors_of_all_texts_come_together(void **state)
{
    (void)state;
    struct policy_text texts[] = {local_text("policy p { deny exce as a }"),
                                  local_text("policy q {"), local_text("polcy r { }")};
    texts[0].file = "a";
    texts[1].file = "b";
    texts[2].file = "c";
    CLEANUP(free) char *shown = messages(texts, 3);
    assert_non_null(strstr(shown, "a:1:17: error[E011]"));
    assert_non_null(strstr(shown, "b:1:8: error[E010]"));
    assert_non_null(strstr(shown, "c:1:1: error[E010]"));
    assert_non_null(strstr(shown, "3 errors in 3 files."));
}

static void warnings_stop_nothing(void **state)
{
    (void)state;
    size_t errors;
    size_t warnings;
    CLEANUP(free)
    char *shown = messages_of("policy p { set s = [1]  deny exec as r }", &errors, &warnings);
    assert_non_null(strstr(shown, "[W001]"));
    assert_int_equal(errors, 0);
    assert_int_equal(warnings, 1);
}

static void any_number_of_warnings_stops_nothing(void **state)
{
    (void)state;
    struct text_buffer text = {0};
    text_buffer_add_text(&text, "policy p {");
    for (unsigned i = 0; i < 1000; i++)
        text_buffer_format(&text, " deny event \"x*\" as r%u", i);
    text_buffer_add_text(&text, " }");
    CLEANUP(policy_block_free) struct policy_block *block = compiled(text.bytes);
    assert_int_equal(policy_block_rule_count(block), 1000);
    struct scene scene;
    scene_init(&scene, "xyz");
    assert_judged(block, &scene, "deny p.r0");
    text_buffer_deinit(&text);
}

static void a_text_that_is_too_large_is_refused_unread(void **state)
{
    /* Clause L-20. */
    (void)state;
    struct policy_text text = local_text("");
    CLEANUP(free) char *large = malloc(POLICY_TEXT_MAX + 1);
    assert_non_null(large);
    memset(large, '\xff', POLICY_TEXT_MAX + 1);
    text.text = large;
    text.length = POLICY_TEXT_MAX + 1;
    CLEANUP(free) char *shown = messages(&text, 1);
    assert_non_null(strstr(shown, "error[E001]"));
    assert_non_null(strstr(shown, "1 error in 1 file."));
    memset(large, ' ', POLICY_TEXT_MAX);
    text.length = POLICY_TEXT_MAX;
    CLEANUP(free) char *fine = messages(&text, 1);
    assert_string_equal(fine, "");
}

static void conditions_are_bounded_in_depth(void **state)
{
    /* Clause L-20. */
    (void)state;
    struct text_buffer text = {0};
    text_buffer_add_text(&text, "policy p { deny exec where ");
    for (int i = 0; i < 65; i++)
        text_buffer_add_text(&text, "(");
    text_buffer_add_text(&text, "shell");
    for (int i = 0; i < 65; i++)
        text_buffer_add_text(&text, ")");
    text_buffer_add_text(&text, " as r }");
    CLEANUP(free) char *shown = messages_of(text.bytes, NULL, NULL);
    assert_non_null(strstr(shown, "error[E040]"));
    text_buffer_deinit(&text);
}

static void the_deepest_condition_is_evaluated(void **state)
{
    (void)state;
    struct text_buffer text = {0};
    text_buffer_add_text(&text, "policy p { deny exec where ");
    for (int i = 0; i < 64; i++)
        text_buffer_add_text(&text, "not (shell and ");
    text_buffer_add_text(&text, "not shell");
    for (int i = 0; i < 64; i++)
        text_buffer_add_text(&text, ")");
    text_buffer_add_text(&text, " as r }");
    CLEANUP(policy_block_free) struct policy_block *block = compiled(text.bytes);
    struct scene scene;
    scene_init(&scene, "os.system");
    scene_operation(&scene, CLASS_EXEC);
    struct attribute *shell = scene_value(&scene, ATTRIBUTE_SHELL, value_bool(true));
    assert_judged(block, &scene, "allow"); /* an even number of turns around `not true` */
    shell->value = value_bool(false);
    assert_judged(block, &scene, "deny p.r");
    text_buffer_deinit(&text);
}

/* What compile_options.resolve was asked. */
struct asked {
    char paths[256];
};

static bool remember(void *context, const char *path, char *resolved, size_t size)
{
    struct asked *asked = context;
    (void)snprintf(asked->paths + strlen(asked->paths), sizeof(asked->paths) - strlen(asked->paths),
                   "%s ", path);
    (void)snprintf(resolved, size, "%s", path);
    return true; /* it resolves to itself: as good as false */
}

static void the_resolver_is_asked_about_literals_and_fronts(void **state)
{
    (void)state;
    struct asked asked = {0};
    const struct compile_options options = {.resolve = remember, .context = &asked};
    const struct policy_text text =
        local_text("policy p { deny exec where file is \"/bin/../bin/sh\" as a"
                   " deny read where path matches \"/var/run/x/*.pid\" as b"
                   " deny read where path matches \"/*/x\" as c"
                   " deny read where path under session.home \"/x\" as d"
                   " deny import where module is \"os\" as e }");
    CLEANUP(policy_block_free) struct policy_block *block = compiled_texts(&text, 1, &options);
    assert_string_equal(asked.paths, "/bin/sh /var/run/x ");
    CLEANUP(policy_block_free) struct policy_block *plain = compiled_texts(&text, 1, NULL);
    assert_int_equal(policy_block_size(block), policy_block_size(plain));
}

static bool lead_out(void *context, const char *path, char *resolved, size_t size)
{
    (void)context;
    (void)snprintf(resolved, size, "%s", strcmp(path, "/usr/bin/out") == 0 ? "/opt/out" : path);
    return true;
}

static void allow_of_what_leads_out_of_the_denied_directory_is_not_covered(void **state)
{
    static const struct {
        const char *text;
        size_t errors;
    } cases[] = {
        {"policy p { deny exec where file under \"/usr\" as d"
         " allow exec where file is \"/usr/bin/in\" as a }",
         1},
        {"policy p { deny exec where file under \"/usr\" as d"
         " allow exec where file is \"/usr/bin/out\" as a }",
         0},
        {"policy p { deny exec where file under \"/usr\" or file is \"/opt/out\" as d"
         " allow exec where file is \"/usr/bin/out\" as a }",
         1},
    };
    const struct compile_options options = {.resolve = lead_out};
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct policy_text text = local_text(cases[i].text);
        CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
        CLEANUP(policy_block_free)
        struct policy_block *block = policy_compile(&text, 1, &options, diagnostics);
        assert_int_equal(diagnostics_error_count(diagnostics), cases[i].errors);
        assert_true((block == NULL) == (cases[i].errors > 0));
    }
}

/* ---- policy_split ---- */

static const char whole[] =
    "# The host's policies.\r\n"
    "\n"
    "# Programs.\n"
    "set tools = [\"git\", \"hg\"] # kept short\n"
    "set never = [\"x\"]\n"
    "\n"
    "# First.\n"
    "policy one {\n"
    "    deny exec where argv starts tools as a # why\n"
    "}   # the end of one\n"
    "\n"
    "# Second,\n"
    "\n"
    "# in two parts.\n"
    "policy two \"t\" { applies { user in users } deny fork as b }\n"
    "set users = [\"alice\"]\n"
    "policy three { deny exec where argv has tools and user in users as c }\n"
    "# behind everything\n";

static void a_text_comes_apart_into_its_policies(void **state)
{
    (void)state;
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    const struct policy_text text = local_text(whole);
    struct policy_parts parts;
    assert_int_equal(policy_split(&text, &parts, diagnostics), 0);
    assert_int_equal(parts.count, 3);
    assert_string_equal(parts.parts[0].name, "one");
    assert_string_equal(parts.parts[0].text, "# The host's policies.\r\n\n# Programs.\n"
                                             "set tools = [\"git\", \"hg\"] # kept short\n\n"
                                             "# First.\npolicy one {\n"
                                             "    deny exec where argv starts tools as a # why\n"
                                             "}   # the end of one\n");
    assert_string_equal(parts.parts[1].name, "two");
    assert_string_equal(parts.parts[1].text,
                        "set users = [\"alice\"]\n\n"
                        "# Second,\n\n# in two parts.\n"
                        "policy two \"t\" { applies { user in users } deny fork as b }\n");
    assert_string_equal(parts.parts[2].text,
                        "# The host's policies.\r\n\n# Programs.\n"
                        "set tools = [\"git\", \"hg\"] # kept short\n\n"
                        "set users = [\"alice\"]\n\n"
                        "policy three { deny exec where argv has tools and user in users as c }\n");
    policy_parts_deinit(&parts);
    assert_null(parts.parts);
    assert_int_equal(diagnostics_error_count(diagnostics), 0);
}

static void the_parts_compile_to_what_the_whole_does(void **state)
{
    (void)state;
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    const struct policy_text text = local_text(whole);
    struct policy_parts parts;
    struct policy_text texts[3];
    assert_int_equal(policy_split(&text, &parts, diagnostics), 0);
    for (size_t i = 0; i < 3; i++)
        texts[i] = local_text(parts.parts[i].text);
    CLEANUP(policy_block_free) struct policy_block *apart = compiled_texts(texts, 3, NULL);
    CLEANUP(policy_block_free) struct policy_block *together = compiled_texts(&text, 1, NULL);
    assert_int_equal(policy_block_size(apart), policy_block_size(together));
    assert_memory_equal(apart, together, policy_block_size(apart));
    policy_parts_deinit(&parts);
}

static void a_text_that_does_not_parse_has_no_parts(void **state)
{
    (void)state;
    static const char *const bad[] = {"policy p {", "policy p { deny exec }", "set s = [",
                                      "rubbish"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
        const struct policy_text text = local_text(bad[i]);
        struct policy_parts parts;
        assert_int_equal(policy_split(&text, &parts, diagnostics), -EINVAL);
        assert_int_equal(parts.count, 0);
        assert_true(diagnostics_error_count(diagnostics) > 0);
        policy_parts_deinit(&parts);
    }
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    const struct policy_text text = local_text("# nothing but a comment\n");
    struct policy_parts parts;
    assert_int_equal(policy_split(&text, &parts, diagnostics), 0);
    assert_int_equal(parts.count, 0);
    policy_parts_deinit(&parts);
}

static void rules_that_leave_no_time_are_warned_of(void **state)
{
    (void)state;
    static char text[1024 * 1024];
    size_t warnings;
    size_t length = (size_t)snprintf(text, sizeof(text), "policy p {\n");
    for (int i = 0; i < 3000; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length,
                                   "deny read where path matches \"**/f%d*.py\" as r%d\n", i, i);
    (void)snprintf(text + length, sizeof(text) - length, "}\n");
    CLEANUP(free) char *said = messages_of(text, NULL, &warnings);
    assert_int_equal(warnings, 1);
    assert_non_null(strstr(said, "test.warder:1:8: warning[W018]: every `read` is asked by 3000 "
                                 "rules of this policy, more than a decision has time for"));

    length = (size_t)snprintf(text, sizeof(text), "policy p {\n");
    for (int i = 0; i < 3000; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length,
                                   "deny read where path matches \"**/f%d.py\" as r%d\n", i, i);
    (void)snprintf(text + length, sizeof(text) - length, "}\n");
    CLEANUP(free) char *nothing = messages_of(text, NULL, &warnings);
    assert_string_equal(nothing, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_that_leave_no_time_are_warned_of),
        cmocka_unit_test(no_text_is_an_empty_block),
        cmocka_unit_test(policies_are_ordered_by_tier_and_name_and_rules_by_name),
        cmocka_unit_test(names_are_unique_in_a_tier_over_all_texts),
        cmocka_unit_test(sets_of_one_file_are_unknown_in_another),
        cmocka_unit_test(errors_of_all_texts_come_together),
        cmocka_unit_test(warnings_stop_nothing),
        cmocka_unit_test(any_number_of_warnings_stops_nothing),
        cmocka_unit_test(a_text_that_is_too_large_is_refused_unread),
        cmocka_unit_test(conditions_are_bounded_in_depth),
        cmocka_unit_test(the_deepest_condition_is_evaluated),
        cmocka_unit_test(the_resolver_is_asked_about_literals_and_fronts),
        cmocka_unit_test(allow_of_what_leads_out_of_the_denied_directory_is_not_covered),
        cmocka_unit_test(a_text_comes_apart_into_its_policies),
        cmocka_unit_test(the_parts_compile_to_what_the_whole_does),
        cmocka_unit_test(a_text_that_does_not_parse_has_no_parts),
    };
    return cmocka_run_group_tests_name("compile", tests, NULL, NULL);
}
