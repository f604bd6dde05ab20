#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "policies/engine/glob.h"

static const uint64_t PLENTY = 1000000; /* steps */

static bool matches(enum glob_kind kind, const char *pattern, const char *text)
{
    uint32_t words[GLOB_WORDS_MAX];
    size_t count;
    size_t at;
    assert_int_equal(glob_compile(kind, pattern, strlen(pattern), words, &count, &at), GLOB_GOOD);
    struct budget budget = {PLENTY};
    return glob_match(kind, words, count, text, strlen(text), &budget);
}

static enum glob_error error_of(enum glob_kind kind, const char *pattern, size_t *at)
{
    uint32_t words[GLOB_WORDS_MAX];
    size_t count;
    return glob_compile(kind, pattern, strlen(pattern), words, &count, at);
}

static void a_star_in_a_path_stops_at_a_separator(void **state)
{
    (void)state;
    assert_true(matches(GLOB_PATH, "/srv/*.py", "/srv/a.py"));
    assert_true(matches(GLOB_PATH, "/srv/*.py", "/srv/.py"));
    assert_false(matches(GLOB_PATH, "/srv/*.py", "/srv/a/b.py"));
    assert_true(matches(GLOB_PATH, "/*/b", "/a/b"));
    assert_false(matches(GLOB_PATH, "/*/b", "/a/c/b"));
    assert_true(matches(GLOB_PATH, "/a?c", "/abc"));
    assert_false(matches(GLOB_PATH, "/a?c", "/a/c"));
    assert_false(matches(GLOB_PATH, "/a[/]c", "/a/c"));
    assert_false(matches(GLOB_PATH, "/a[!x]c", "/a/c"));
}

static void two_stars_cross_separators(void **state)
{
    (void)state;
    assert_true(matches(GLOB_PATH, "/srv/**", "/srv/a/b"));
    assert_true(matches(GLOB_PATH, "/srv/**", "/srv/"));
    assert_false(matches(GLOB_PATH, "/srv/**", "/srv"));
    assert_true(matches(GLOB_PATH, "/srv/**.py", "/srv/a/b.py"));
    assert_true(matches(GLOB_PATH, "**.py", "/srv/a/b.py"));
}

static void folders_between_separators_may_be_none(void **state)
{
    (void)state;
    assert_true(matches(GLOB_PATH, "/srv/**/*.py", "/srv/a.py"));
    assert_true(matches(GLOB_PATH, "/srv/**/*.py", "/srv/a/b/c.py"));
    assert_false(matches(GLOB_PATH, "/srv/**/*.py", "/srva.py"));
    assert_false(matches(GLOB_PATH, "/srv/**/x", "/srv/ax"));
    assert_true(matches(GLOB_PATH, "/proc/**/mem", "/proc/1/mem"));
    assert_true(matches(GLOB_PATH, "/proc/**/mem", "/proc/self/task/12/mem"));
    assert_false(matches(GLOB_PATH, "/proc/**/mem", "/proc/self/maps"));
    assert_true(matches(GLOB_PATH, "**/x", "/a/b/x"));
    assert_true(matches(GLOB_PATH, "/**/a/**/b", "/a/b"));
    assert_true(matches(GLOB_PATH, "/**/a/**/b", "/x/a/y/a/z/b"));
}

static void stars_in_a_text_cross_everything(void **state)
{
    (void)state;
    assert_true(matches(GLOB_TEXT, "os.*", "os.spawn"));
    assert_true(matches(GLOB_TEXT, "*a*b*", "xx/a/yy/b"));
    assert_false(matches(GLOB_TEXT, "*a*b", "xx/a/yy/bc"));
    assert_true(matches(GLOB_TEXT, "*", ""));
    assert_true(matches(GLOB_TEXT, "", ""));
    assert_false(matches(GLOB_TEXT, "", "x"));
    assert_true(matches(GLOB_TEXT, "a[/]b", "a/b"));
}

static void brackets_hold_characters_ranges_and_their_opposite(void **state)
{
    (void)state;
    assert_true(matches(GLOB_TEXT, "[*]", "*"));
    assert_false(matches(GLOB_TEXT, "[*]", "x"));
    assert_true(matches(GLOB_TEXT, "[a-cx]", "b"));
    assert_true(matches(GLOB_TEXT, "[a-cx]", "x"));
    assert_false(matches(GLOB_TEXT, "[a-cx]", "d"));
    assert_true(matches(GLOB_TEXT, "[!a-c]", "d"));
    assert_false(matches(GLOB_TEXT, "[!a-c]", "b"));
    assert_true(matches(GLOB_TEXT, "[]a]", "]"));
    assert_true(matches(GLOB_TEXT, "[a-]", "-"));
    assert_true(matches(GLOB_TEXT, "x[!]]y", "x-y"));
    assert_true(matches(GLOB_TEXT, "*[0-9][0-9]", "a12"));
}

static void a_character_is_a_code_point_or_a_stray_byte(void **state)
{
    (void)state;
    assert_true(matches(GLOB_TEXT, "?", "\xc3\xa9"));
    assert_true(matches(GLOB_TEXT, "??", "\xc3("));
    assert_true(matches(GLOB_TEXT, "[\xc3\xa0-\xc3\xbf]", "\xc3\xa9"));
    assert_false(matches(GLOB_TEXT, "?", "\xc3\xa9x"));
    assert_true(matches(GLOB_TEXT, "a\xff*", "a\xff\xfe"));
    assert_false(matches(GLOB_TEXT, "?", "\xed\xa0\x80")); /* a surrogate is three stray bytes */
}

static void registry_globs_ignore_case_and_separator(void **state)
{
    (void)state;
    assert_true(matches(GLOB_REGISTRY, "HKLM\\Software\\*", "hklm/SOFTWARE/Python"));
    assert_false(matches(GLOB_REGISTRY, "HKLM\\Software\\*", "HKLM\\Software\\a\\b"));
    assert_true(matches(GLOB_REGISTRY, "HKLM\\**\\Run", "HKLM\\a\\b\\run"));
    assert_true(matches(GLOB_REGISTRY, "HKLM\\**\\Run", "HKLM\\Run"));
}

static void what_cannot_be_meant_is_an_error_with_its_place(void **state)
{
    (void)state;
    size_t at;
    assert_int_equal(error_of(GLOB_TEXT, "a**b", &at), GLOB_DOUBLE_STAR);
    assert_int_equal(at, 1);
    assert_int_equal(error_of(GLOB_TEXT, "ab[cd", &at), GLOB_OPEN_BRACKET);
    assert_int_equal(at, 2);
    assert_int_equal(error_of(GLOB_TEXT, "x[]", &at), GLOB_OPEN_BRACKET);
    assert_int_equal(error_of(GLOB_TEXT, "[z-a]", &at), GLOB_EMPTY_RANGE);
    assert_int_equal(at, 1);
    char longest[GLOB_WORDS_MAX + 2];
    memset(longest, '?', sizeof(longest));
    longest[GLOB_WORDS_MAX] = '\0';
    assert_int_equal(error_of(GLOB_TEXT, longest, &at), GLOB_GOOD);
    longest[GLOB_WORDS_MAX] = '?';
    longest[GLOB_WORDS_MAX + 1] = '\0';
    assert_int_equal(error_of(GLOB_TEXT, longest, &at), GLOB_TOO_LONG);
}

/* What the header says of globs, read straight from the pattern, by trying everything. */
static bool tried(enum glob_kind kind, const char *whole, const char *pattern, const char *text)
{
    const bool path = kind == GLOB_PATH;

    if (*pattern == '\0')
        return *text == '\0';
    if (*pattern == '?')
        return *text != '\0' && !(path && *text == '/') &&
               tried(kind, whole, pattern + 1, text + 1);
    if (*pattern != '*')
        return *text == *pattern && tried(kind, whole, pattern + 1, text + 1);
    if (pattern[1] != '*') {
        for (;; text++) {
            if (tried(kind, whole, pattern + 1, text))
                return true;
            if (*text == '\0' || (path && *text == '/'))
                return false;
        }
    }
    const char *behind = pattern + strspn(pattern, "*");
    const bool opens = pattern == whole || pattern[-1] == '/';
    if (opens && *behind == '/') { /* nothing, or any run that ends in a separator */
        if (tried(kind, whole, behind + 1, text))
            return true;
        for (; *text != '\0'; text++)
            if (*text == '/' && tried(kind, whole, behind + 1, text + 1))
                return true;
        return false;
    }
    for (;; text++) {
        if (tried(kind, whole, behind, text))
            return true;
        if (*text == '\0')
            return false;
    }
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223; /* Numerical Recipes */
    return *seed >> 8;
}

static void random_word(uint32_t *seed, const char *letters, size_t most, char *word)
{
    const size_t length = next_random(seed) % (most + 1);
    for (size_t i = 0; i < length; i++)
        word[i] = letters[next_random(seed) % strlen(letters)];
    word[length] = '\0';
}

static void short_globs_match_what_their_words_say(void **state)
{
    (void)state;
    uint32_t seed = 20261126;
    unsigned matching = 0;

    for (int i = 0; i < 200000; i++) {
        const enum glob_kind kind = i % 2 ? GLOB_PATH : GLOB_TEXT;
        char pattern[16];
        char text[16];
        size_t at;
        random_word(&seed, "ab/?**", 8, pattern);
        random_word(&seed, "aab//", 10, text);
        if (error_of(kind, pattern, &at) != GLOB_GOOD)
            continue;
        const bool expected = tried(kind, pattern, pattern, text);
        matching += expected ? 1 : 0;
        if (matches(kind, pattern, text) != expected)
            fail_msg("%s against %s: %s", pattern, text, expected ? "matches" : "does not");
    }
    assert_true(matching > 1000);
}

static void hostile_texts_cost_no_more_than_their_length_times_the_glob(void **state)
{
    (void)state;
    static char text[64 * 1024];
    char pattern[401];
    for (size_t i = 0; i < 400; i += 2) {
        pattern[i] = '*';
        pattern[i + 1] = 'a';
    }
    pattern[400] = '\0';
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 2] = 'b';

    uint32_t words[GLOB_WORDS_MAX];
    size_t count;
    size_t at;
    assert_int_equal(glob_compile(GLOB_TEXT, pattern, 400, words, &count, &at), GLOB_GOOD);
    const clock_t start = clock();
    struct budget budget = {UINT64_MAX};
    assert_false(glob_match(GLOB_TEXT, words, count, text, sizeof(text) - 1, &budget));
    /* 65,000 x 400 steps; backtracking would take longer than the universe has. */
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 30);
}

static void words_that_no_compiler_wrote_match_nothing_and_stay_inside(void **state)
{
    (void)state;
    const uint32_t set_without_ranges = 5U << 28 | 1000;
    struct budget budget = {1000};
    assert_false(glob_match(GLOB_TEXT, &set_without_ranges, 1, "a", 1, &budget));
    const uint32_t unknown = 15U << 28;
    assert_false(glob_match(GLOB_TEXT, &unknown, 1, "a", 1, &budget));
    assert_false(glob_match(GLOB_TEXT, &unknown, GLOB_WORDS_MAX + 1, "a", 1, &budget));
    assert_false(budget_is_spent(&budget));
}

/* What matches costs its states; what costs more than the budget has is not known. */
static void every_state_that_reads_is_paid_for(void **state)
{
    static const char *const patterns[] = {"*a*a*a*a*a*b", "*[a-z][0-9a]*?b", "?????????*?b"};
    static char text[2001];
    uint32_t words[GLOB_WORDS_MAX];
    size_t count;
    size_t at;

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
        assert_int_equal(
            glob_compile(GLOB_TEXT, patterns[i], strlen(patterns[i]), words, &count, &at),
            GLOB_GOOD);
        text[sizeof(text) - 2] = 'b';
        struct budget budget = {PLENTY};
        assert_true(glob_match(GLOB_TEXT, words, count, text, sizeof(text) - 1, &budget));
        const uint64_t cost = PLENTY - budget.left;
        assert_in_range(cost, sizeof(text), 40 * sizeof(text));
        budget.left = cost + 1;
        assert_true(glob_match(GLOB_TEXT, words, count, text, sizeof(text) - 1, &budget));
        budget.left = cost / 2;
        assert_false(glob_match(GLOB_TEXT, words, count, text, sizeof(text) - 1, &budget));
        assert_true(budget_is_spent(&budget));
    }
}

/* A row of `**` and separators: each state activates all that follow. */
static void states_that_activate_others_pay_for_them(void **state)
{
    static char pattern[3 * 900 + 1];
    static char text[4001];
    uint32_t words[GLOB_WORDS_MAX];
    size_t count;
    size_t at;

    (void)state;
    for (size_t i = 0; i + 3 < sizeof(pattern); i += 3)
        memcpy(pattern + i, "**/", 3); // NOLINT(bugprone-not-null-terminated-result)
    memset(text, '/', sizeof(text) - 1);
    text[sizeof(text) - 2] = 'x';
    assert_int_equal(glob_compile(GLOB_PATH, pattern, strlen(pattern), words, &count, &at),
                     GLOB_GOOD);
    struct budget budget = {1000 * PLENTY};
    assert_false(glob_match(GLOB_PATH, words, count, text, sizeof(text) - 1, &budget));
    assert_true(budget_is_spent(&budget));
}

static void the_literal_front_ends_at_the_first_wildcard(void **state)
{
    (void)state;
    assert_int_equal(glob_literal_length("/srv/*.py", 9), 5);
    assert_int_equal(glob_literal_length("/srv/x", 6), 6);
    assert_int_equal(glob_literal_length("a[*]", 4), 1);
    assert_int_equal(glob_literal_length("?", 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_star_in_a_path_stops_at_a_separator),
        cmocka_unit_test(two_stars_cross_separators),
        cmocka_unit_test(folders_between_separators_may_be_none),
        cmocka_unit_test(stars_in_a_text_cross_everything),
        cmocka_unit_test(brackets_hold_characters_ranges_and_their_opposite),
        cmocka_unit_test(a_character_is_a_code_point_or_a_stray_byte),
        cmocka_unit_test(registry_globs_ignore_case_and_separator),
        cmocka_unit_test(what_cannot_be_meant_is_an_error_with_its_place),
        cmocka_unit_test(short_globs_match_what_their_words_say),
        cmocka_unit_test(hostile_texts_cost_no_more_than_their_length_times_the_glob),
        cmocka_unit_test(every_state_that_reads_is_paid_for),
        cmocka_unit_test(states_that_activate_others_pay_for_them),
        cmocka_unit_test(words_that_no_compiler_wrote_match_nothing_and_stay_inside),
        cmocka_unit_test(the_literal_front_ends_at_the_first_wildcard),
    };
    return cmocka_run_group_tests_name("glob", tests, NULL, NULL);
}
