/* Bad policies beside what the checker says of them: policies/bad/NAME.warder and NAME.expected.
 *
 * A message is part of the product, and changes only on purpose: `test_bad_policies --accept`
 * writes what is said now into the .expected files, to be read in the change. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_fixture.h"

#include "policies/catalogue/catalogue.h"
#include "policies/language/diagnostic_codes.h"

enum { CASES_MAX = 256, TEXT_MAX = 128 * 1024 };

static char names[CASES_MAX][64];
static bool accept;

static char *read_file(const char *name, const char *ending, size_t *length)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s.%s", BAD_POLICIES_DIRECTORY, name, ending);
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    char *text = calloc(1, TEXT_MAX + 1);
    assert_non_null(text);
    *length = fread(text, 1, TEXT_MAX, file);
    (void)fclose(file);
    return text;
}

static void write_expected(const char *name, const char *text)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s.expected", BAD_POLICIES_DIRECTORY, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* The host of `host-NAME`: what is there is the same on every machine that runs the tests. */
static bool resolve_on_host(void *context, const char *path, char *resolved, size_t size)
{
    (void)context;
    if (strcmp(path, "/bin/sh") != 0 && strcmp(path, "/bin") != 0)
        return false;
    (void)snprintf(resolved, size, "%s", strcmp(path, "/bin") == 0 ? "/usr/bin" : "/usr/bin/dash");
    return true;
}

static bool look_at_host(void *context, const char *path, const char *const *users,
                         size_t user_count, struct file_facts *facts)
{
    (void)context;
    *facts = (struct file_facts){.set_id = strcmp(path, "/usr/bin/passwd") == 0};
    if (strncmp(path, "/srv/", strlen("/srv/")) == 0) {
        (void)snprintf(facts->who, sizeof(facts->who), "%s%s", user_count > 0 ? "user " : "",
                       user_count > 0 ? users[0] : "everybody");
        (void)snprintf(facts->what, sizeof(facts->what), "/srv/media");
    }
    return true;
}

static bool is_test_file(const char *name)
{
    const size_t length = strlen(name);
    return length > strlen(".test") && strcmp(name + length - strlen(".test"), ".test") == 0;
}

/* A help, or the word that was meant. Notes are about what is right. */
static void assert_each_says_what_to_do(const struct diagnostics *diagnostics)
{
    for (size_t i = 0; i < diagnostics_kept(diagnostics); i++) {
        const struct diagnostic_view view = diagnostics_view(diagnostics, i);
        bool says = strcmp(view.severity, "note") == 0 ||
                    strstr(view.place.label, "did you mean") ||
                    strstr(view.place.label, "here that is");
        bool is_help = false;
        for (size_t number = 0; diagnostics_remark(diagnostics, i, number, &is_help); number++)
            says |= is_help;
        if (!says)
            fail_msg("%s:%u: %s says nothing to do: %s", view.place.file, view.place.line,
                     view.code, view.message);
    }
}

/* `run-NAME` is checked as `warder run --policy` does, `vendor-NAME` as a shipped policy,
 * `host-NAME` as `warder check` does, on a host of the test's own. True if it compiled. */
static bool compile_case(const char *name, const char *text, size_t length,
                         struct diagnostics *diagnostics)
{
    char file[80];

    (void)snprintf(file, sizeof(file), "%s.warder", name);
    const bool run = strncmp(name, "run-", 4) == 0;
    const bool vendor = strncmp(name, "vendor-", 7) == 0;
    const bool host = strncmp(name, "host-", 5) == 0;
    const struct policy_text policy = {
        .file = file, .text = text, .length = length, .tier = vendor ? TIER_VENDOR : TIER_LOCAL};
    const struct compile_options options = {.today = SCENE_TODAY,
                                            .session = run,
                                            .resolve = host ? resolve_on_host : NULL,
                                            .look = host ? look_at_host : NULL,
                                            .pythons = host ? 1U << 11 : 0,
                                            .platforms = host ? PLATFORM_LINUX : 0,
                                            .notes = host};
    CLEANUP(policy_block_free)
    struct policy_block *block = policy_compile(&policy, 1, &options, diagnostics);
    return block != NULL;
}

static void check_case(void **state)
{
    const char *name = *state;
    char file[80];
    size_t length = 0;
    CLEANUP(free) char *text = read_file(name, "warder", &length);
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    assert_non_null(text);

    (void)snprintf(file, sizeof(file), "%s.warder", name);
    if (is_test_file(name)) {
        const struct policy_text test = {.file = file, .text = text, .length = length};
        (void)policy_test_parse(&test, diagnostics);
    } else {
        const bool compiled = compile_case(name, text, length, diagnostics);
        assert_int_equal(!compiled, diagnostics_error_count(diagnostics) > 0);
    }
    CLEANUP(free)
    char *said = diagnostics_render(diagnostics, "the active policy stays.", false);
    assert_non_null(said);
    assert_each_says_what_to_do(diagnostics);
    if (accept)
        write_expected(name, said);
    CLEANUP(free) char *expected = read_file(name, "expected", &length);
    if (!expected)
        fail_msg("%s.expected is missing; this is said:\n%s", name, said);
    if (strcmp(said, expected) != 0)
        fail_msg("%s: said\n%s\nexpected\n%s", file, said, expected);
}

/* ------------------------------------------------------------------ corrections */

/* The text to write that a help or label offers: false if it offers none, or one with a gap. What
 * stands behind `write` is language, but for these words of English. */
static bool read_correction(const char *said, char *text, size_t size)
{
    static const char *const fronts[] = {"write ",
                                         "did you mean ",
                                         "here that is ",
                                         "addresses stand without quotes: ",
                                         "texts stand in quotes: ",
                                         "several values stand in a list: ",
                                         "some element: ",
                                         "the home directory is ",
                                         "a text or a version stands in quotes: ",
                                         "a range is written "};
    static const char *const english[] = {"the ", "it ",    "its ",   "one ",    "a ",
                                          "in ",  "whole ", "plain ", "without "};
    static const char *const ends[] = {"; ", ", or ", ", if ", ", a glob", " or mode ", "?"};
    const char *from = NULL;

    for (size_t i = 0; i < sizeof(fronts) / sizeof(*fronts) && !from; i++)
        if (strncmp(said, fronts[i], strlen(fronts[i])) == 0)
            from = said + strlen(fronts[i]);
    for (size_t i = 0; from && i < sizeof(english) / sizeof(*english); i++)
        if (strncmp(from, english[i], strlen(english[i])) == 0)
            return false;
    if (!from)
        return false;
    (void)snprintf(text, size, "%s", from);
    if (*from == '`')
        (void)snprintf(text, size, "%.*s", (int)strcspn(from + 1, "`"), from + 1);
    for (size_t i = 0; *from != '`' && i < sizeof(ends) / sizeof(*ends); i++) {
        char *end = strstr(text, ends[i]);
        if (end && (ends[i][0] != '?' || end[1] == '\0'))
            *end = '\0';
    }
    return !strstr(text, "…") && !strstr(text, "NAME") && !strstr(text, "CLASS");
}

/* The byte of a line's column, which counts characters from 1. */
static size_t find_place(const char *text, uint32_t line, uint32_t column)
{
    const char *at = text;
    for (uint32_t i = 1; i < line; i++)
        at = strchr(at, '\n') + 1;
    for (uint32_t i = 1; i < column && *at; i++)
        for (at++; ((unsigned char)*at & 0xc0) == 0x80;)
            at++;
    return (size_t)(at - text);
}

/* Errors that concern one place alone. */
static size_t count_errors(const struct diagnostics *diagnostics)
{
    size_t count = 0;
    for (size_t i = 0; i < diagnostics_kept(diagnostics); i++) {
        const struct diagnostic_view view = diagnostics_view(diagnostics, i);
        count += strcmp(view.severity, "error") == 0 && !view.has_second;
    }
    return count;
}

/* With the bytes from `start` to `end` replaced, there are fewer errors than before, and none in
 * what is new of that: what a correction repeats may have errors of its own, and so may another
 * statement (the second place). */
static bool is_cured(const char *name, const char *text, size_t length, size_t start, size_t end,
                     const char *correction, size_t errors)
{
    const size_t put = strlen(correction);
    size_t fresh = put;
    CLEANUP(free) char *changed = calloc(1, length + put + 1);
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    assert_non_null(changed);
    assert_non_null(diagnostics);

    (void)snprintf(changed, length + put + 1, "%.*s%s%s", (int)start, text, correction, text + end);
    while (fresh > 0 && end - start > put - fresh &&
           correction[fresh - 1] == text[end - 1 - (put - fresh)])
        fresh--;
    (void)compile_case(name, changed, length - (end - start) + put, diagnostics);
    for (size_t i = 0; i < diagnostics_kept(diagnostics); i++) {
        const struct diagnostic_view view = diagnostics_view(diagnostics, i);
        if (strcmp(view.severity, "error") != 0 || view.has_second)
            continue;
        const size_t from = find_place(changed, view.place.line, view.place.column);
        const size_t to = find_place(changed, view.place.end_line, view.place.end_column);
        if (from < start + fresh && to > start)
            return false;
    }
    return count_errors(diagnostics) < errors;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\0';
}

/* The correction stands for the place itself or for more of its line: for some words before it, and
 * some behind. */
static bool can_be_followed(const char *name, const char *text, size_t length,
                            const struct diagnostic_location *place, const char *correction,
                            size_t errors)
{
    const size_t first = find_place(text, place->line, place->column);
    const size_t last = find_place(text, place->end_line, place->end_column);

    for (size_t start = first;; start--) {
        const bool word = start == first || start == 0 || is_blank(text[start - 1]) ||
                          text[start - 1] == '(' || text[start - 1] == '[';
        for (size_t end = last; word && end <= length && end < last + 80; end++) {
            if ((end == last || is_blank(text[end])) &&
                is_cured(name, text, length, start, end, correction, errors))
                return true;
            if (text[end] == '\n' || text[end] == '\0')
                break;
        }
        if (start == 0 || text[start - 1] == '\n')
            return false;
    }
}

/* How many there were. */
static size_t try_corrections(const char *name, const char *text, size_t length)
{
    size_t tried = 0;
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    assert_non_null(diagnostics);
    (void)compile_case(name, text, length, diagnostics);
    /* In a file of another language each line has more than one mistake: another may show. */
    const size_t errors = count_errors(diagnostics) + (strncmp(name, "from-", 5) == 0 ? 1 : 0);
    for (size_t i = 0; i < diagnostics_kept(diagnostics); i++) {
        const struct diagnostic_view view = diagnostics_view(diagnostics, i);
        char correction[256];
        bool is_help = false;
        const char *said = view.place.label;
        for (size_t number = 0; said; number++) {
            const bool offers = strcmp(view.severity, "error") == 0 && is_help == (number > 0) &&
                                read_correction(said, correction, sizeof(correction));
            if (offers && !can_be_followed(name, text, length, &view.place, correction,
                                           errors + view.has_second))
                fail_msg("%s:%u: %s: %s: who writes `%s` has an error again", view.place.file,
                         view.place.line, view.code, view.message, correction);
            tried += offers;
            said = diagnostics_remark(diagnostics, i, number, &is_help);
        }
    }
    return tried;
}

static void what_the_checker_says_to_write_is_no_error(void **state)
{
    (void)state;
    size_t tried = 0;
    for (size_t i = 0; names[i][0] != '\0'; i++) {
        size_t length = 0;
        CLEANUP(free) char *text = read_file(names[i], "warder", &length);
        assert_non_null(text);
        if (!is_test_file(names[i]) && strlen(text) == length)
            tried += try_corrections(names[i], text, length);
    }
    assert_true(tried > 100); /* there were 180: it still knows them by their words */
}

/* The row of the checklist whose first cell is `key`, as it stands in README.md. */
static bool find_row(const char *list, const char *key, char *row, size_t size)
{
    char front[80];
    (void)snprintf(front, sizeof(front), "\n| %s | ", key);
    const char *found = strstr(list, front);
    if (!found)
        return false;
    (void)snprintf(row, size, "%.*s", (int)strcspn(found + 1, "\n"), found + 1);
    return true;
}

/* The last cell of a code's row names the policy that shows it, or says in parentheses why none
 * does. */
static void check_row_of_code(const char *list, const char *code)
{
    char row[1024];
    char name[64] = "";
    char shown[16];
    size_t length;

    if (!find_row(list, code, row, sizeof(row)))
        fail_msg("README.md has no row for %s", code);
    const char *open = strrchr(row, '`');
    while (open && open > row && open[-1] != '`')
        open--;
    if (strstr(row, ") |") == row + strlen(row) - strlen(") |"))
        return;
    assert_non_null(open);
    (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(open, "`"), open);
    CLEANUP(free) char *expected = read_file(name, "expected", &length);
    (void)snprintf(shown, sizeof(shown), "[%s]", code);
    if (!expected || !strstr(expected, shown))
        fail_msg("%s does not show %s, as README.md has it", name, code);
}

static void every_code_is_shown_by_the_policy_that_the_list_names(void **state)
{
    (void)state;
    static const enum diagnostic_code codes[] = {
#define CODE(symbol, number, about) ERROR_##symbol,
        DIAGNOSTIC_ERRORS(CODE)
#undef CODE
#define CODE(symbol, number, about) WARNING_##symbol,
            DIAGNOSTIC_WARNINGS(CODE)
#undef CODE
#define CODE(symbol, number, about) NOTE_##symbol,
                DIAGNOSTIC_NOTES(CODE)
#undef CODE
    };
    size_t length;
    CLEANUP(free) char *list = read_file("README", "md", &length);
    assert_non_null(list);
    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
        char code[16];
        (void)snprintf(code, sizeof(code), "%c%03u", diagnostic_letter(codes[i]),
                       diagnostic_number(codes[i]));
        check_row_of_code(list, code);
    }
}

static void every_policy_was_read_against_the_checklist(void **state)
{
    (void)state;
    static const char ticks[] = "| x | x | x | x |";
    size_t length;
    CLEANUP(free) char *list = read_file("README", "md", &length);
    assert_non_null(list);
    for (size_t i = 0; names[i][0] != '\0'; i++) {
        char key[80];
        char row[1024];
        (void)snprintf(key, sizeof(key), "`%.63s`", names[i]);
        if (!find_row(list, key, row, sizeof(row)))
            fail_msg("README.md has no row for %s", names[i]);
        if (strlen(row) < strlen(ticks) || strcmp(row + strlen(row) - strlen(ticks), ticks) != 0)
            fail_msg("the row of %s in README.md is not ticked: %s", names[i], row);
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static size_t find_cases(void)
{
    size_t count = 0;
    DIR *directory = opendir(BAD_POLICIES_DIRECTORY);
    if (!directory)
        return 0;
    for (const struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        const size_t length = strlen(entry->d_name);
        const size_t ending = strlen(".warder");
        if (length <= ending || length - ending >= sizeof(names[0]) || count == CASES_MAX - 1 ||
            strcmp(entry->d_name + length - ending, ".warder") != 0)
            continue;
        memcpy(names[count++], entry->d_name, length - ending);
    }
    (void)closedir(directory);
    qsort(names, count, sizeof(names[0]), by_text);
    return count;
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[CASES_MAX + 3];
    const size_t count = find_cases();

    accept = argc > 1 && strcmp(argv[1], "--accept") == 0;
    if (count == 0) {
        (void)fprintf(stderr, "no bad policies in %s\n", BAD_POLICIES_DIRECTORY);
        return 1;
    }
    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){names[i], check_case, NULL, NULL, names[i]};
    tests[count] =
        (struct CMUnitTest)cmocka_unit_test(every_code_is_shown_by_the_policy_that_the_list_names);
    tests[count + 1] =
        (struct CMUnitTest)cmocka_unit_test(every_policy_was_read_against_the_checklist);
    tests[count + 2] =
        (struct CMUnitTest)cmocka_unit_test(what_the_checker_says_to_write_is_no_error);
    return _cmocka_run_group_tests("bad_policies", tests, count + 3, NULL, NULL);
}
