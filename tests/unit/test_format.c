/* The canonical form: what comes of each text in policies/format, and that it is what it says, that
 * formatting it again changes nothing, and that the policies of the repository have it.
 *
 * `test_format --accept` writes what comes out now into the .expected files, to be read in the
 * change. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_fixture.h"
#include "tree_comparison.h"

#include "policies/language/format.h"
#include "policies/language/parser.h"

enum { CASES_MAX = 128, NAME_SIZE = 64, TEXT_MAX = 128 * 1024 };

static char names[CASES_MAX][NAME_SIZE];
static bool accept;

static char *read_file(const char *directory, const char *name, const char *ending)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s%s", directory, name, ending);
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    char *text = calloc(1, TEXT_MAX + 1);
    assert_non_null(text);
    assert_in_range(fread(text, 1, TEXT_MAX, file), 0, TEXT_MAX - 1);
    (void)fclose(file);
    return text;
}

static void write_expected(const char *name, const char *text)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s.expected", FORMAT_DIRECTORY, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* The form of a text; the test fails if it has none. */
static char *formatted(const char *name, const char *text)
{
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    const struct policy_text policy = {
        .file = name, .text = text, .length = strlen(text), .tier = TIER_LOCAL};
    char *form = policy_format(&policy, diagnostics);
    CLEANUP(free) char *said = diagnostics_render(diagnostics, NULL, false);
    if (!form)
        fail_msg("%s has no form:\n%s", name, said);
    return form;
}

static struct source source_of(const char *name, const char *text)
{
    return (struct source){.file = name, .text = text, .length = (uint32_t)strlen(text)};
}

static void assert_same_tree(const char *name, const char *text, const char *form)
{
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    const struct source one = source_of(name, text);
    const struct source other = source_of(name, form);
    struct storage storage = {0};

    if (strstr(name, ".test.")) {
        assert_true(words_equal(&one, &other));
    } else {
        const struct file_tree *left = parse_policies(&one, &storage, diagnostics);
        const struct file_tree *right = parse_policies(&other, &storage, diagnostics);
        assert_int_equal(diagnostics_error_count(diagnostics), 0);
        assert_non_null(left);
        assert_non_null(right);
        assert_true(trees_equal(left, right));
    }
    storage_deinit(&storage);
}

/* Lines are short enough where words and comments let them, and none ends with a blank. */
static void assert_lines(const char *form)
{
    for (const char *line = form; *line;) {
        const char *end = strchr(line, '\n');
        assert_non_null(end);
        assert_true(end == line || (end[-1] != ' ' && end[-1] != '\r'));
        line = end + 1;
    }
}

static void check_case(void **state)
{
    /* Clause N-1. */
    const char *name = *state;
    char file[NAME_SIZE + 16];
    CLEANUP(free) char *text = read_file(FORMAT_DIRECTORY, name, ".warder");
    assert_non_null(text);

    (void)snprintf(file, sizeof(file), "%s.warder", name);
    CLEANUP(free) char *form = formatted(file, text);
    if (accept)
        write_expected(name, form);
    CLEANUP(free) char *expected = read_file(FORMAT_DIRECTORY, name, ".expected");
    if (!expected)
        fail_msg("%s.expected is missing; this comes out:\n%s", name, form);
    if (strcmp(form, expected) != 0)
        fail_msg("%s: came out\n%s\nexpected\n%s", file, form, expected);
    CLEANUP(free) char *again = formatted(file, form);
    assert_string_equal(again, form);
    assert_same_tree(file, text, form);
    assert_lines(form);
}

static bool ends_with(const char *text, const char *ending)
{
    const size_t length = strlen(text);
    return length > strlen(ending) && strcmp(text + length - strlen(ending), ending) == 0;
}

static void policies_that_ship_are_in_canonical_form(void **state)
{
    (void)state;
    size_t count = 0;
    DIR *directory = opendir(SHIPPED_POLICIES_DIRECTORY);
    assert_non_null(directory);
    for (const struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        if (!ends_with(entry->d_name, ".warder"))
            continue;
        CLEANUP(free) char *text = read_file(SHIPPED_POLICIES_DIRECTORY, entry->d_name, "");
        CLEANUP(free) char *form = formatted(entry->d_name, text);
        assert_string_equal(form, text);
        count++;
    }
    (void)closedir(directory);
    assert_true(count >= 2);
}

/* What is said of a text that has no form. */
static void assert_refused(const char *name, const char *text, size_t length, const char *said)
{
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    const struct policy_text policy = {
        .file = name, .text = text, .length = length, .tier = TIER_LOCAL};
    assert_null(policy_format(&policy, diagnostics));
    CLEANUP(free) char *report = diagnostics_render(diagnostics, NULL, false);
    if (!strstr(report, said))
        fail_msg("said\n%s\nnot\n%s", report, said);
}

static void texts_with_errors_have_no_form(void **state)
{
    (void)state;
    static const char open[] = "policy p {\n  deny exec as a\n";
    static const char expects[] = "test p {\n  expect deny exec\n}\n";
    assert_refused("x.warder", open, strlen(open), "x.warder:1:8: error[E010]");
    assert_refused("x.test.warder", expects, strlen(expects), "x.test.warder:3:1: error[E010]");
    assert_refused("x.test.warder", open, strlen(open), "expected `test`");
    assert_refused("x.warder", "policy p {}\0", 12, "error[E005]");
}

static void texts_above_the_limit_have_no_form(void **state)
{
    (void)state;
    CLEANUP(free) char *text = calloc(1, POLICY_TEXT_MAX + 2);
    assert_non_null(text);
    memset(text, '\n', POLICY_TEXT_MAX + 1);
    assert_refused("x.warder", text, POLICY_TEXT_MAX + 1, "error[E001]");

    /* A text below it whose form would be above. */
    enum { STATEMENTS = 64 * 1024 }; /* bytes of them, behind a comment that stays as it is */
    memset(text, 'x', POLICY_TEXT_MAX);
    text[0] = '#';
    char *end = stpcpy(text + POLICY_TEXT_MAX - STATEMENTS, "\npolicy p{");
    while (end - text < POLICY_TEXT_MAX - 16)
        end = stpcpy(end, "log fork as a ");
    end = stpcpy(end, "}");
    assert_refused("x.warder", text, (size_t)(end - text), "error[E001]");
}

/* What the words mean is not asked: a policy is formatted while it is being written. */
static void texts_that_do_not_check_have_a_form(void **state)
{
    (void)state;
    CLEANUP(free)
    char *form = formatted("x.warder", "policy p{deny exce where fiel in none-such as a}");
    assert_string_equal(form, "policy p {\n    deny exce where fiel in none-such as a\n}\n");
    CLEANUP(free) char *test = formatted("x.test.warder", "test p{session user \"a\"}");
    assert_string_equal(test, "test p {\n    session user \"a\"\n}\n");
    CLEANUP(free) char *unnamed = formatted("standard-input", "test p{session user \"a\"}");
    assert_string_equal(unnamed, test);
    CLEANUP(free) char *nothing = formatted("x.warder", " \n\n");
    assert_string_equal(nothing, "");
}

static size_t find_cases(void)
{
    size_t count = 0;
    DIR *directory = opendir(FORMAT_DIRECTORY);
    if (!directory)
        return 0;
    for (const struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        const size_t length = strlen(entry->d_name);
        if (!ends_with(entry->d_name, ".warder") || length >= NAME_SIZE || count == CASES_MAX - 8)
            continue;
        memcpy(names[count++], entry->d_name, length - strlen(".warder"));
    }
    (void)closedir(directory);
    return count;
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(policies_that_ship_are_in_canonical_form),
        cmocka_unit_test(texts_with_errors_have_no_form),
        cmocka_unit_test(texts_above_the_limit_have_no_form),
        cmocka_unit_test(texts_that_do_not_check_have_a_form),
    };
    static struct CMUnitTest tests[CASES_MAX];
    const size_t count = find_cases();

    accept = argc > 1 && strcmp(argv[1], "--accept") == 0;
    if (count == 0) {
        (void)fprintf(stderr, "no texts in %s\n", FORMAT_DIRECTORY);
        return 1;
    }
    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){names[i], check_case, NULL, NULL, names[i]};
    memcpy(tests + count, others, sizeof(others));
    return _cmocka_run_group_tests("format", tests, count + sizeof(others) / sizeof(*others), NULL,
                                   NULL);
}
