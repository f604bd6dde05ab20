/* How what is wrong is shown. */
#include <string.h>

#include "policy_fixture.h"

#include "policies/language/report.h"

struct fixture {
    struct diagnostics *diagnostics;
    struct source source;
};

static int setup(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.diagnostics = diagnostics_new()};
    *state = &fixture;
    return fixture.diagnostics ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    diagnostics_free(fixture->diagnostics);
    return 0;
}

static void use_text(struct fixture *fixture, const char *file, const char *text)
{
    fixture->source = (struct source){file, text, (uint32_t)strlen(text), false,
                                      diagnostics_file(fixture->diagnostics, file)};
}

/* The place of a word in the text. */
static struct span at(const struct fixture *fixture, const char *word)
{
    const char *found = strstr(fixture->source.text, word);
    assert_non_null(found);
    return (struct span){&fixture->source, (uint32_t)(found - fixture->source.text),
                         (uint32_t)strlen(word)};
}

static void assert_rendered(const struct fixture *fixture, const char *closing,
                            const char *expected)
{
    CLEANUP(free) char *shown = diagnostics_render(fixture->diagnostics, closing, false);
    assert_string_equal(shown, expected);
}

static void nothing_wrong_is_nothing_said(void **state)
{
    const struct fixture *fixture = *state;
    assert_rendered(fixture, "the active policy stays.", "");
}

static void the_shape_is_that_of_the_models(void **state)
{
    struct fixture *fixture = *state;
    use_text(fixture, "ci.warder",
             "\n\n\n\n\n    floor exec, fork, write\n\n\n\n    allow exec as git\n");
    struct diagnostic *error = report(fixture->diagnostics, ERROR_FLOOR_CONTRADICTED,
                                      at(fixture, "fork"), "floor `%s` would stop them", "fork");
    diagnostic_second(error, at(fixture, "git"), "needs a fork");
    diagnostic_help(error, "remove `fork` from the floor");
    (void)report(fixture->diagnostics, WARNING_UNUSED_SET, at(fixture, "write"), "a warning");
    assert_rendered(fixture, "the active policy stays.",
                    "ci.warder:6:17: error[E061]: floor `fork` would stop them\n"
                    "  6 |     floor exec, fork, write\n"
                    "    |                 ^^^^\n"
                    " 10 |     allow exec as git\n"
                    "    |                   --- needs a fork\n"
                    "    = help: remove `fork` from the floor\n"
                    "\n"
                    "ci.warder:6:23: warning[W001]: a warning\n"
                    "  6 |     floor exec, fork, write\n"
                    "    |                       ^^^^^\n"
                    "\n"
                    "1 error, 1 warning in 1 file; the active policy stays.\n");
}

static void findings_are_in_order_of_file_and_place(void **state)
{
    struct fixture *fixture = *state;
    const struct fixture first = {
        fixture->diagnostics,
        {"a", "one two", 7, false, diagnostics_file(fixture->diagnostics, "a")}};
    const struct fixture second = {
        fixture->diagnostics,
        {"b", "three", 5, false, diagnostics_file(fixture->diagnostics, "b")}};
    (void)report(fixture->diagnostics, ERROR_SYNTAX, at(&second, "three"), "3");
    (void)report(fixture->diagnostics, ERROR_SYNTAX, at(&first, "two"), "2");
    (void)report(fixture->diagnostics, ERROR_SYNTAX, at(&first, "one"), "1");
    assert_rendered(fixture, NULL,
                    "a:1:1: error[E010]: 1\n  1 | one two\n    | ^^^\n\n"
                    "a:1:5: error[E010]: 2\n  1 | one two\n    |     ^^^\n\n"
                    "b:1:1: error[E010]: 3\n  1 | three\n    | ^^^^^\n\n"
                    "3 errors in 2 files.\n");
}

static void a_second_place_may_be_in_another_file(void **state)
{
    struct fixture *fixture = *state;
    const struct fixture first = {
        fixture->diagnostics,
        {"a", "policy p", 8, false, diagnostics_file(fixture->diagnostics, "a")}};
    use_text(fixture, "b", "\npolicy p");
    diagnostic_second(
        report(fixture->diagnostics, ERROR_DUPLICATE_POLICY, at(fixture, "po"), "twice"),
        at(&first, "po"), "first here");
    assert_rendered(fixture, NULL,
                    "b:2:1: error[E070]: twice\n"
                    "  2 | policy p\n"
                    "    | ^^\n"
                    "    ::: a:1:1\n"
                    "  1 | policy p\n"
                    "    | -- first here\n"
                    "\n"
                    "1 error in 1 file.\n");
}

static void columns_count_characters_and_tabs_stay(void **state)
{
    struct fixture *fixture = *state;
    use_text(fixture, "t", "\t\"\xc3\xa9\xe2\x82\xac\" wrong\tx\r\n");
    (void)report(fixture->diagnostics, ERROR_SYNTAX, at(fixture, "wrong"), "w");
    (void)report(fixture->diagnostics, ERROR_SYNTAX, at(fixture, "x\r"), "x");
    assert_rendered(fixture, NULL,
                    "t:1:7: error[E010]: w\n"
                    "  1 | \t\"\xc3\xa9\xe2\x82\xac\" wrong\tx\n"
                    "    | \t     ^^^^^\n\n"
                    "t:1:13: error[E010]: x\n"
                    "  1 | \t\"\xc3\xa9\xe2\x82\xac\" wrong\tx\n"
                    "    | \t          \t^\n\n"
                    "2 errors in 1 file.\n");
}

static void a_place_behind_the_end_is_pointed_at(void **state)
{
    struct fixture *fixture = *state;
    use_text(fixture, "t", "abc");
    (void)report(fixture->diagnostics, ERROR_SYNTAX, (struct span){&fixture->source, 3, 0}, "e");
    assert_rendered(fixture, NULL,
                    "t:1:4: error[E010]: e\n  1 | abc\n    |    ^\n\n1 error in 1 file.\n");
}

static void a_place_over_several_lines_is_underlined_in_its_first(void **state)
{
    struct fixture *fixture = *state;
    use_text(fixture, "t", "abc\ndef\n");
    (void)report(fixture->diagnostics, ERROR_SYNTAX, (struct span){&fixture->source, 1, 5}, "e");
    assert_rendered(fixture, NULL,
                    "t:1:2: error[E010]: e\n  1 | abc\n    |  ^^\n\n1 error in 1 file.\n");
}

static void long_lines_are_cut_around_the_place(void **state)
{
    struct fixture *fixture = *state;
    static char text[2000];
    memset(text, 'a', sizeof(text) - 1);
    memset(text + 1000, 'b', 4);
    use_text(fixture, "t", text);
    (void)report(fixture->diagnostics, ERROR_SYNTAX, at(fixture, "bbbb"), "e");
    CLEANUP(free) char *shown = diagnostics_render(fixture->diagnostics, NULL, false);
    const char *line = strchr(shown, '\n') + 1;
    const char *end = strchr(line, '\n');
    /* 6 for the number, 80 characters, two of which are an ellipsis of three bytes. */
    assert_int_equal(end - line, 6 + 80 + 4);
    assert_non_null(strstr(line, "bbbb"));
    assert_memory_equal(shown, "t:1:1001:", 9);
}

static void what_could_move_the_cursor_is_not_shown(void **state)
{
    struct fixture *fixture = *state;
    use_text(fixture, "t\x1b", "a\x1b[2Jb\xff \xe2\x80\xae wrong");
    (void)report(fixture->diagnostics, ERROR_SYNTAX, at(fixture, "wrong"), "%s", "m\x1b]0;x\x07\n");
    CLEANUP(free) char *shown = diagnostics_render(fixture->diagnostics, NULL, false);
    assert_null(strchr(shown, '\x1b'));
    assert_null(strchr(shown, '\x07'));
    assert_null(strstr(shown, "\xe2\x80\xae"));
    assert_null(strchr(shown, '\xff'));
    assert_non_null(strstr(shown, "^^^^^"));
}

static void colour_is_for_terminals(void **state)
{
    struct fixture *fixture = *state;
    use_text(fixture, "t", "abc");
    (void)report(fixture->diagnostics, ERROR_SYNTAX, at(fixture, "abc"), "e");
    CLEANUP(free) char *plain = diagnostics_render(fixture->diagnostics, NULL, false);
    CLEANUP(free) char *coloured = diagnostics_render(fixture->diagnostics, NULL, true);
    assert_null(strchr(plain, '\x1b'));
    assert_non_null(strstr(coloured, "\x1b[1;31m"));
    assert_non_null(strstr(coloured, "\x1b[0m"));
}

static void one_place_is_told_one_thing_once(void **state)
{
    struct fixture *fixture = *state;
    use_text(fixture, "t", "abc");
    assert_non_null(report(fixture->diagnostics, ERROR_SYNTAX, at(fixture, "abc"), "e"));
    assert_null(report(fixture->diagnostics, ERROR_SYNTAX, at(fixture, "abc"), "again"));
    assert_int_equal(diagnostics_error_count(fixture->diagnostics), 1);
}

static void a_flood_is_counted_and_not_kept(void **state)
{
    struct fixture *fixture = *state;
    static char text[5001];
    memset(text, 'a', sizeof(text) - 1);
    use_text(fixture, "t", text);
    for (uint32_t i = 0; i < 5000; i++)
        (void)report(fixture->diagnostics, ERROR_SYNTAX, (struct span){&fixture->source, i, 1},
                     "e");
    assert_int_equal(diagnostics_error_count(fixture->diagnostics), 5000);
    CLEANUP(free) char *shown = diagnostics_render(fixture->diagnostics, NULL, false);
    assert_non_null(strstr(shown, "4750 more are not shown."));
    assert_non_null(strstr(shown, "5000 errors in 1 file."));
}

static void lack_of_memory_is_an_error_of_its_own(void **state)
{
    struct fixture *fixture = *state;
    report_no_memory(fixture->diagnostics);
    assert_int_equal(diagnostics_error_count(fixture->diagnostics), 1);
    assert_rendered(fixture, NULL,
                    "error[E002]: out of memory: not everything was checked\n\n"
                    "1 error.\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_wrong_is_nothing_said, setup, teardown),
        cmocka_unit_test_setup_teardown(the_shape_is_that_of_the_models, setup, teardown),
        cmocka_unit_test_setup_teardown(findings_are_in_order_of_file_and_place, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_place_may_be_in_another_file, setup, teardown),
        cmocka_unit_test_setup_teardown(columns_count_characters_and_tabs_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(a_place_behind_the_end_is_pointed_at, setup, teardown),
        cmocka_unit_test_setup_teardown(a_place_over_several_lines_is_underlined_in_its_first,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(long_lines_are_cut_around_the_place, setup, teardown),
        cmocka_unit_test_setup_teardown(what_could_move_the_cursor_is_not_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(colour_is_for_terminals, setup, teardown),
        cmocka_unit_test_setup_teardown(one_place_is_told_one_thing_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_flood_is_counted_and_not_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(lack_of_memory_is_an_error_of_its_own, setup, teardown),
    };
    return cmocka_run_group_tests_name("diagnostics", tests, NULL, NULL);
}
