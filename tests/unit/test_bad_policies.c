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
#include "policies/language/text_buffer.h"

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

static void check_case(void **state)
{
    const char *name = *state;
    char file[80];
    size_t length;
    CLEANUP(free) char *text = read_file(name, "warder", &length);
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    assert_non_null(text);

    (void)snprintf(file, sizeof(file), "%s.warder", name);
    /* `run-NAME` is checked as `warder run --policy` does, `vendor-NAME` as a shipped policy,
     * `host-NAME` as `warder check` does, on a host of the test's own. */
    const bool run = strncmp(name, "run-", 4) == 0;
    const bool vendor = strncmp(name, "vendor-", 7) == 0;
    const bool host = strncmp(name, "host-", 5) == 0;
    const struct policy_text policy = {
        .file = file, .text = text, .length = length, .tier = vendor ? TIER_VENDOR : TIER_LOCAL};
    const struct compile_options options = {.today = SCENE_TODAY,
                                            .session = run,
                                            .floors_not_held = run,
                                            .resolve = host ? resolve_on_host : NULL,
                                            .look = host ? look_at_host : NULL,
                                            .pythons = host ? 1U << 11 : 0,
                                            .platforms = host ? PLATFORM_LINUX : 0,
                                            .notes = host};
    CLEANUP(policy_block_free)
    struct policy_block *block = policy_compile(&policy, 1, &options, diagnostics);
    CLEANUP(free)
    char *said = diagnostics_render(diagnostics, "the active policy stays.", false);
    assert_non_null(said);
    assert_int_equal(block == NULL, diagnostics_error_count(diagnostics) > 0);
    if (accept)
        write_expected(name, said);
    CLEANUP(free) char *expected = read_file(name, "expected", &length);
    if (!expected)
        fail_msg("%s.expected is missing; this is said:\n%s", name, said);
    if (strcmp(said, expected) != 0)
        fail_msg("%s: said\n%s\nexpected\n%s", file, said, expected);
}

/* Said of tests alone: test_scene_event.c, test_scene_subject.c and test_policy_suite.c have those.
 */
static bool is_of_tests(enum diagnostic_code code)
{
    return (code >= ERROR_TEST_EXPECTS_NOTHING && code < ERROR_FORMAT_DEFECT) ||
           code == ERROR_TEST_FAILED || code == WARNING_NOT_REACHED || code == WARNING_NOT_TESTED;
}

/* Codes that no text of a user's can bring about here. */
static bool is_out_of_reach(enum diagnostic_code code)
{
    return is_of_tests(code) || code == ERROR_TOO_LARGE || code == ERROR_NO_MEMORY ||
           code == ERROR_TOO_DEEP || code == ERROR_FORMAT_DEFECT || code == ERROR_FLOOR_LATER ||
           code == ERROR_OVERRIDE_LATER ||
           code == ERROR_MANDATORY_LATER; /* the last three are no longer said */
}

static void every_code_is_met(void **state)
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
    struct text_buffer all = {0};
    text_buffer_add_text(&all, "");
    for (size_t i = 0; names[i][0] != '\0'; i++) {
        size_t length;
        CLEANUP(free) char *expected = read_file(names[i], "expected", &length);
        if (expected)
            text_buffer_add(&all, expected, length);
    }
    assert_non_null(all.bytes);
    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
        char code[16];
        (void)snprintf(code, sizeof(code), "[%c%03u]", diagnostic_letter(codes[i]),
                       diagnostic_number(codes[i]));
        if (!is_out_of_reach(codes[i]) && !strstr(all.bytes, code))
            fail_msg("no bad policy brings about %s", code);
    }
    text_buffer_deinit(&all);
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
    static struct CMUnitTest tests[CASES_MAX];
    const size_t count = find_cases();

    accept = argc > 1 && strcmp(argv[1], "--accept") == 0;
    if (count == 0) {
        (void)fprintf(stderr, "no bad policies in %s\n", BAD_POLICIES_DIRECTORY);
        return 1;
    }
    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){names[i], check_case, NULL, NULL, names[i]};
    tests[count] = (struct CMUnitTest){"every_code_is_met", every_code_is_met, NULL, NULL, NULL};
    return _cmocka_run_group_tests("bad_policies", tests, count + 1, NULL, NULL);
}
