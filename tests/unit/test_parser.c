#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy_fixture.h"

#include "policies/language/parser.h"
#include "policies/language/report.h"
#include "policies/language/text_buffer.h"

/* A parsed text. */
struct parsing {
    struct storage storage;
    struct diagnostics *diagnostics;
    struct source source;
    struct file_tree *tree;
};

static void parse(struct parsing *parsing, const char *text)
{
    *parsing =
        (struct parsing){.source = {.file = "t", .text = text, .length = (uint32_t)strlen(text)}};
    parsing->diagnostics = diagnostics_new();
    (void)diagnostics_file(parsing->diagnostics, "t");
    parsing->tree = parse_policies(&parsing->source, &parsing->storage, parsing->diagnostics);
    assert_non_null(parsing->tree);
}

static void done(struct parsing *parsing)
{
    diagnostics_free(parsing->diagnostics);
    storage_deinit(&parsing->storage);
}

static const struct policy *first_policy(const struct parsing *parsing)
{
    for (const struct file_item *item = parsing->tree->items; item; item = item->next)
        if (item->policy)
            return item->policy;
    return NULL;
}

/* A condition with every parenthesis that it could have. */
static void write_condition(struct text_buffer *out, const struct condition *condition)
{
    const char *joint = condition->kind == CONDITION_AND ? " and " : " or ";
    if (condition->kind == CONDITION_PREDICATE) {
        const struct span span = condition->predicate->operand_of;
        text_buffer_add(out, span.source->text + span.offset, span.length);
        return;
    }
    text_buffer_add_text(out, condition->kind == CONDITION_NOT ? "not (" : "(");
    for (const struct condition *child = condition->first; child; child = child->next) {
        if (child != condition->first)
            text_buffer_add_text(out, joint);
        write_condition(out, child);
    }
    text_buffer_add_text(out, ")");
}

static void assert_condition(const char *condition, const char *expected)
{
    char text[512];
    struct parsing parsing;
    struct text_buffer out = {0};

    (void)snprintf(text, sizeof(text), "policy p { deny exec where %s as r }", condition);
    parse(&parsing, text);
    assert_int_equal(diagnostics_error_count(parsing.diagnostics), 0);
    write_condition(&out, first_policy(&parsing)->rules->condition);
    assert_string_equal(out.bytes, expected);
    text_buffer_deinit(&out);
    done(&parsing);
}

static void conditions_nest_as_they_are_written(void **state)
{
    (void)state;
    assert_condition("a is 1", "a");
    assert_condition("a is 1 and b is 2 and c", "(a and b and c)");
    assert_condition("a is 1 or (b is 2 and c is 3)", "(a or (b and c))");
    assert_condition("not a is 1 and not (b is 2 or c is 3)", "(not (a) and not ((b or c)))");
    assert_condition("not not a", "a");
    assert_condition("not not not a", "not (a)");
    assert_condition("((a is 1))", "a");
    assert_condition("argv[1] is \"x\" or env[\"Y\"] is absent", "(argv[1] or env[\"Y\"])");
    assert_condition("arg.path is \"x\" and arg.\"sys.path\" is none and arg[2] is 3",
                     "(arg.path and arg.\"sys.path\" and arg[2])");
    assert_condition("label role is \"x\" and label \"a b\" in [\"y\"]",
                     "(label role and label \"a b\")");
}

static void words_of_the_language_may_be_names(void **state)
{
    (void)state;
    struct parsing parsing;
    parse(&parsing, "policy policy { set set = [1] deny exec as deny  log read as log "
                    "allow fork as default message \"m\" }");
    assert_int_equal(diagnostics_error_count(parsing.diagnostics), 0);
    const struct policy *policy = first_policy(&parsing);
    assert_int_equal(policy->name.length, 6);
    assert_non_null(policy->sets);
    assert_non_null(policy->rules->next->next);
    assert_null(policy->rules->next->next->next);
    done(&parsing);
}

static void the_whole_grammar_is_read(void **state)
{
    (void)state;
    struct parsing parsing;
    parse(&parsing,
          "set a = [\"x\", 'y',]\n"
          "policy p \"title\" {\n"
          "  applies { } applies { user is \"a\" group has \"b\" or unit is \"c\" }\n"
          "  mode observe  default deny all message \"m\"  default allow exec, read\n"
          "  floor write, bind required  set b = [1, 2-3, -4]\n"
          "  override vendor/untrusted.default-exec where file is \"/x\" reason \"r\" until "
          "2027-01-31\n"
          "  limit exec to 5 per session as l  limit exec to 5 per 10s where shell as l2 message "
          "\"m\"\n"
          "  kill event \"a\", \"b*\" where arg.x has matches a as k message \"m\"\n"
          "  allow all where event in [\"os.fork\"] as x\n"
          "  deny connect where address in [10.0.0.0/8, ::1] and port >= 1 and port < 2 as y\n"
          "  log write where path under [session.home \"/w\", session.temp] or path matches "
          "session.home \"/*\" as z\n"
          "}\n");
    CLEANUP(free) char *shown = diagnostics_render(parsing.diagnostics, NULL, false);
    assert_string_equal(shown, "");
    const struct policy *policy = first_policy(&parsing);
    assert_int_equal(policy->applies->condition->kind, CONDITION_TRUE);
    assert_int_equal(policy->applies->next->condition->kind, CONDITION_AND);
    assert_true(policy->modes->observe);
    assert_true(policy->floors->required);
    assert_non_null(policy->floors->classes.first->next);
    assert_int_equal(policy->overrides->tier, TIER_VENDOR);
    assert_int_equal(policy->overrides->policy.length, strlen("untrusted"));
    assert_memory_equal(policy->overrides->policy.text, "untrusted", strlen("untrusted"));
    assert_int_equal(policy->overrides->rule.length, strlen("default-exec"));
    assert_memory_equal(policy->overrides->rule.text, "default-exec", strlen("default-exec"));
    assert_non_null(policy->overrides->condition);
    assert_non_null(policy->later);
    assert_false(policy->flawed);
    done(&parsing);
}

static void errors_of_all_statements_are_reported_at_once(void **state)
{
    (void)state;
    struct parsing parsing;
    parse(&parsing, "policy p {\n"
                    "  deny exec where as a\n"        /* 1 */
                    "  allow read as b\n"             /* fine */
                    "  mode maybe\n"                  /* 2 */
                    "  applies { user is }\n"         /* 3 */
                    "  set s = \"x\"\n"               /* 4 */
                    "  alow exec as c\n"              /* 5 */
                    "  deny exec where (shell as d\n" /* 6 */
                    "  default exec\n"                /* 7 */
                    "}\n"
                    "polcy q { }\n"              /* 8 */
                    "policy r { deny exec }\n"); /* 9 */
    assert_int_equal(diagnostics_error_count(parsing.diagnostics), 9);
    assert_true(parsing.tree->flawed);
    const struct policy *policy = first_policy(&parsing);
    assert_true(policy->flawed);
    assert_int_equal(policy->rules->name.text[0], 'b');
    done(&parsing);
}

static void a_forgotten_brace_costs_one_error(void **state)
{
    (void)state;
    struct parsing parsing;
    parse(&parsing, "policy p {\n  deny exec as a\n\npolicy q {\n  deny exec as a\n}\n");
    assert_int_equal(diagnostics_error_count(parsing.diagnostics), 1);
    assert_non_null(parsing.tree->items->next->policy);
    done(&parsing);
    parse(&parsing, "policy p {\n  applies { user is \"x\"\n  deny exec as a\n}\n");
    assert_int_equal(diagnostics_error_count(parsing.diagnostics), 1);
    assert_non_null(first_policy(&parsing)->rules);
    done(&parsing);
    parse(&parsing, "policy p {\n  deny exec as a\n}\n}\npolicy q { deny exec as b }\n");
    assert_int_equal(diagnostics_error_count(parsing.diagnostics), 1);
    assert_non_null(parsing.tree->items->next);
    done(&parsing);
}

/* `count` times `open`, a predicate, `count` times `close`. */
static size_t errors_of_nesting(const char *open, const char *close, size_t count)
{
    struct text_buffer text = {0};
    text_buffer_add_text(&text, "policy p { deny exec where ");
    for (size_t i = 0; i < count; i++)
        text_buffer_add_text(&text, open);
    text_buffer_add_text(&text, "shell");
    for (size_t i = 0; i < count; i++)
        text_buffer_add_text(&text, close);
    text_buffer_add_text(&text, " as r }");
    struct parsing parsing;
    parse(&parsing, text.bytes);
    const size_t errors = diagnostics_error_count(parsing.diagnostics);
    done(&parsing);
    text_buffer_deinit(&text);
    return errors;
}

static void nesting_is_bounded_and_nothing_else_is(void **state)
{
    (void)state;
    assert_int_equal(errors_of_nesting("(", ")", CONDITION_NESTING_MAX), 0);
    assert_int_equal(errors_of_nesting("not (shell and ", ")", CONDITION_NESTING_MAX), 0);
    assert_int_equal(errors_of_nesting("(", ")", CONDITION_NESTING_MAX + 1), 1);
    assert_int_equal(errors_of_nesting("(", ")", 100000), 1);
    assert_int_equal(errors_of_nesting("not ", "", 100000), 0);
    assert_int_equal(errors_of_nesting("shell and ", "", 50000), 0);
}

static void hostile_texts_are_read_to_their_end(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "policy",
        "policy p",
        "policy p {",
        "policy p { deny",
        "policy p { deny exec where",
        "policy p { deny exec where (",
        "policy p { set s = [",
        "policy p { set s = [\"",
        "{{{{{{",
        "}}}}}}",
        "set set set set",
        "policy p { applies { applies { applies {",
        "policy p { deny exec where not",
        "policy p { deny event",
        "policy p { default",
        "policy p { override",
        "policy p { limit exec to 5 per",
        "policy p { floor all }",
        "policy p { deny all, exec as x }",
        "as as as",
        "policy p { deny exec as }",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct parsing parsing;
        parse(&parsing, texts[i]);
        if (diagnostics_error_count(parsing.diagnostics) == 0)
            fail_msg("no error in: %s", texts[i]);
        done(&parsing);
    }
}

static int test_file_result(const char *text, size_t *errors)
{
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    const struct policy_text file = local_text(text);
    const int result = policy_test_parse(&file, diagnostics);
    *errors = diagnostics_error_count(diagnostics);
    return result;
}

static void test_files_are_read_whole(void **state)
{
    (void)state;
    size_t errors;
    assert_int_equal(
        test_file_result(
            "test media-plugins {\n"
            "    given \"/bin/sh\" resolves to \"/usr/bin/dash\"\n"
            "    given host \"a.org\" is 10.0.0.1\n"
            "    given host \"b.org\" is [10.0.0.1, ::1]\n"
            "    given platform linux\n"
            "    session user \"media\" unit \"media.service\" group [\"a\"] label role \"x\"\n"
            "            session.home \"/home/x\" python \"3.11\"\n"
            "    expect allow exec \"/usr/bin/ffprobe\" argv ([\"ffprobe\", \"a.mp4\"])  by probe\n"
            "    expect deny  exec \"/bin/sh\" argv [\"sh\"] env none shell true by default\n"
            "    expect deny  event \"subprocess.Popen\" [\"id\", [\"id\",], none, unknown]  by "
            "p.r\n"
            "    expect kill connect 10.0.0.1 port 443 by default\n"
            "    expect would-deny signal target \"other\" signal 9 by default\n"
            "}\n",
            &errors),
        0);
    assert_int_equal(errors, 0);
}

static void every_error_of_a_test_file_is_reported(void **state)
{
    (void)state;
    size_t errors;
    assert_int_equal(test_file_result("test t {\n"
                                      "    expect deny exce \"x\" by default\n"
                                      "    expect deny exec foo \"x\" by default\n"
                                      "    expect perhaps exec by default\n"
                                      "    expect deny exec \"x\"\n"
                                      "    session usr \"x\"\n"
                                      "    given \"x\" to \"y\"\n"
                                      "    expect deny event \"x\" by default\n"
                                      "    sesion user \"x\"\n"
                                      "}\n"
                                      "tset t { }\n",
                                      &errors),
                     -EINVAL);
    assert_int_equal(errors, 9);
    assert_int_equal(test_file_result("test t { session user \"x\" }", &errors), -EINVAL);
    assert_int_equal(errors, 1);
    assert_int_equal(test_file_result("", &errors), -EINVAL);
    assert_int_equal(
        test_file_result("test t { expect deny event \"x\" [[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
                         "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
                         &errors),
        -EINVAL);
    assert_true(errors >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_nest_as_they_are_written),
        cmocka_unit_test(words_of_the_language_may_be_names),
        cmocka_unit_test(the_whole_grammar_is_read),
        cmocka_unit_test(errors_of_all_statements_are_reported_at_once),
        cmocka_unit_test(a_forgotten_brace_costs_one_error),
        cmocka_unit_test(nesting_is_bounded_and_nothing_else_is),
        cmocka_unit_test(hostile_texts_are_read_to_their_end),
        cmocka_unit_test(test_files_are_read_whole),
        cmocka_unit_test(every_error_of_a_test_file_is_reported),
    };
    return cmocka_run_group_tests_name("parser", tests, NULL, NULL);
}
