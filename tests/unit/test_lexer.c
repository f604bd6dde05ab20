#include <string.h>

#include "policy_fixture.h"

#include "policies/language/lexer.h"

/* The tokens of a text and the number of errors in it. */
struct reading {
    struct storage storage;
    struct diagnostics *diagnostics;
    struct source source;
    struct token tokens[32];
    size_t count; /* TOKEN_END not counted */
    size_t errors;
};

static void read_bytes(struct reading *reading, const char *text, size_t length)
{
    struct lexer lexer;
    *reading = (struct reading){.source = {.file = "t", .text = text, .length = (uint32_t)length}};
    reading->diagnostics = diagnostics_new();
    (void)diagnostics_file(reading->diagnostics, "t");
    lexer_init(&lexer, &reading->source, &reading->storage, reading->diagnostics);
    for (;;) {
        struct token token;
        lexer_next(&lexer, &token);
        if (token.kind == TOKEN_END)
            break;
        assert_true(reading->count < 32);
        reading->tokens[reading->count++] = token;
    }
    struct token again;
    lexer_next(&lexer, &again);
    assert_int_equal(again.kind, TOKEN_END);
    reading->errors = diagnostics_error_count(reading->diagnostics);
}

static void read_text(struct reading *reading, const char *text)
{
    read_bytes(reading, text, strlen(text));
}

static void done(struct reading *reading)
{
    diagnostics_free(reading->diagnostics);
    storage_deinit(&reading->storage);
}

static void assert_kind(const char *text, enum token_kind kind)
{
    struct reading reading;
    read_text(&reading, text);
    if (reading.count != 1 || reading.tokens[0].kind != kind ||
        (kind == TOKEN_BAD) != (reading.errors > 0))
        fail_msg("%s: %zu tokens, the first of kind %d, %zu errors", text, reading.count,
                 (int)reading.tokens[0].kind, reading.errors);
    assert_int_equal(reading.tokens[0].span.length, strlen(text));
    done(&reading);
}

static void words_are_classified_by_the_first_that_fits(void **state)
{
    (void)state;
    assert_kind("2027-01-31", TOKEN_DATE);
    assert_kind("2028-02-29", TOKEN_DATE);
    assert_kind("10.20.0.0/16", TOKEN_CIDR);
    assert_kind("2001:db8::/32", TOKEN_CIDR);
    assert_kind("::/0", TOKEN_CIDR);
    assert_kind("10.20.0.1", TOKEN_ADDRESS);
    assert_kind("::1", TOKEN_ADDRESS);
    assert_kind("8000-8100", TOKEN_RANGE);
    assert_kind("443", TOKEN_INTEGER);
    assert_kind("-1", TOKEN_INTEGER);
    assert_kind("0x1F", TOKEN_INTEGER);
    assert_kind("-0o17", TOKEN_INTEGER);
    assert_kind("0", TOKEN_INTEGER);
    assert_kind("10ms", TOKEN_DURATION);
    assert_kind("5d", TOKEN_DURATION);
    assert_kind("local/p.r", TOKEN_RULE_REFERENCE);
    assert_kind("vendor/untrusted.default-exec", TOKEN_RULE_REFERENCE);
    assert_kind("session.home", TOKEN_QUALIFIED);
    assert_kind("a.b-c.d", TOKEN_QUALIFIED);
    assert_kind("media-plugins", TOKEN_NAME);
    assert_kind("a_1-2", TOKEN_NAME);
}

static void words_that_are_nothing_are_errors(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "2027-02-29",  "2027-13-01", "10.20.0.0/33",  "10.20.1.0/16",
        "10.20.0.256", "10.20.0.01", "1:2:3:4:5:6:7", "8100-8000",
        "010",         "0x",         "0o8",           "3.9",
        "a/b",         "/usr/bin",   "1st",           "a--b",
        "-a",          "a-",         "a..b",          "10.0.0.1:80",
        "path::",      "locl/p.r",   "::1/129",       "9223372036854775808",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_kind(bad[i], TOKEN_BAD);
}

static void integers_have_sixty_four_bits(void **state)
{
    (void)state;
    struct reading reading;
    read_text(&reading, "9223372036854775807 -9223372036854775808 0x7fffffffffffffff -0x10 0o755");
    assert_int_equal(reading.count, 5);
    assert_int_equal(reading.tokens[0].low, INT64_MAX);
    assert_int_equal(reading.tokens[1].low, INT64_MIN);
    assert_int_equal(reading.tokens[2].low, INT64_MAX);
    assert_int_equal(reading.tokens[3].low, -16);
    assert_int_equal(reading.tokens[4].low, 0755);
    assert_int_equal(reading.errors, 0);
    done(&reading);
}

static void a_word_ends_before_a_last_dot(void **state)
{
    (void)state;
    struct reading reading;
    read_text(&reading, "arg.\"sys.path\" arg.path");
    assert_int_equal(reading.count, 4);
    assert_int_equal(reading.tokens[0].kind, TOKEN_NAME);
    assert_int_equal(reading.tokens[1].kind, TOKEN_DOT);
    assert_int_equal(reading.tokens[2].kind, TOKEN_STRING);
    assert_int_equal(reading.tokens[3].kind, TOKEN_QUALIFIED);
    done(&reading);
}

static void assert_string(const char *text, const char *expected, size_t length)
{
    struct reading reading;
    read_text(&reading, text);
    assert_int_equal(reading.errors, 0);
    assert_int_equal(reading.count, 1);
    assert_int_equal(reading.tokens[0].kind, TOKEN_STRING);
    assert_int_equal(reading.tokens[0].length, length);
    assert_memory_equal(reading.tokens[0].text, expected, length);
    done(&reading);
}

static void strings_have_escapes_in_double_quotes_only(void **state)
{
    (void)state;
    assert_string("\"plain\"", "plain", 5);
    assert_string("\"\"", "", 0);
    assert_string("\"a\\\\b\\\"c\\n\\t\\r\"", "a\\b\"c\n\t\r", 8);
    assert_string("\"\\xff\\x00z\"", "\xff\0z", 3);
    assert_string("\"\\u{e9}\\u{1F600}\"", "\xc3\xa9\xf0\x9f\x98\x80", 6);
    assert_string("'C:\\new\\x'", "C:\\new\\x", 8);
    assert_string("\"# no comment\"", "# no comment", 12);
}

static void strings_that_are_wrong_are_flawed_and_said_once(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\"open",          "'open",         "\"a\\q\"",  "\"\\x1\"",  "\"\\u{}\"",
        "\"\\u{110000}\"", "\"\\u{d800}\"", "\"\\u{1\"", "\"\\xg0\"", "\"ends with \\\"",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct reading reading;
        read_text(&reading, bad[i]);
        if (reading.count != 1 || !reading.tokens[0].flawed || reading.errors != 1)
            fail_msg("%s: %zu tokens, %zu errors", bad[i], reading.count, reading.errors);
        done(&reading);
    }
}

static void an_open_string_ends_with_its_line(void **state)
{
    (void)state;
    struct reading reading;
    read_text(&reading, "\"abc\r\nnext");
    assert_int_equal(reading.count, 2);
    assert_int_equal(reading.tokens[1].kind, TOKEN_NAME);
    assert_int_equal(reading.errors, 1);
    done(&reading);
}

static void assert_errors(const char *text, size_t length, size_t errors, size_t tokens)
{
    struct reading reading;
    read_bytes(&reading, text, length);
    if (reading.errors != errors || reading.count != tokens) {
        CLEANUP(free) char *shown = diagnostics_render(reading.diagnostics, NULL, false);
        fail_msg("%zu errors, %zu tokens, expected %zu, %zu:\n%s", reading.errors, reading.count,
                 errors, tokens, shown);
    }
    done(&reading);
}

static void characters_that_no_text_should_hold_are_errors_everywhere(void **state)
{
    (void)state;
    assert_errors("a # \0 comment", 13, 1, 1);
    assert_errors("a # \x1b[31m", 10, 1, 1);
    assert_errors("\"\x07\"", 3, 1, 1);
    assert_errors("a \xe2\x80\xae b", 7, 1, 3); /* U+202E */
    assert_errors("# \xe2\x81\xa6 \xe2\x80\x8f", 9, 1, 0);
    assert_errors("# \xe2\x81\xa6\n# \xe2\x80\x8f", 11, 2, 0);
    assert_errors("# \xff\xfe\n\xfd", 6, 1, 1); /* another encoding is one mistake */
    assert_errors("a\rb", 3, 1, 3);
    assert_errors("a\r\nb\tc", 6, 0, 3);
    assert_errors("\xef\xbb\xbf"
                  "a",
                  4, 1, 1);
    assert_errors("# \xc3\xa9\xe2\x82\xac", 7, 0, 0);
    assert_errors("\x7f", 1, 1, 1);
    assert_errors("\xc2\x85", 2, 1, 1);
}

static void a_row_of_strange_characters_is_one_mistake(void **state)
{
    (void)state;
    assert_errors("a %%$ b", 7, 1, 3);
    assert_errors("\xe2\x80\x9cx y\xe2\x80\x9d z", 11, 1, 2); /* typographic quotes */
}

static void semicolons_and_comments_of_c_are_said_once_and_are_blanks(void **state)
{
    (void)state;
    assert_errors("a; b;; c", 8, 1, 3);
    assert_errors("a // x y\nb // z\nc", 17, 1, 3);
    assert_errors("a /* x\n y */ b /*", 17, 1, 2);
    assert_errors("/*/ a", 5, 1, 0);
    assert_errors("a; // b\n; c /", 13, 3, 3); /* a `/` alone is a word */
}

static void a_colon_behind_a_word_is_a_token_of_its_own(void **state)
{
    (void)state;
    struct reading reading;
    read_text(&reading, "path: 1: set := x : ::1 2001:db8::");
    assert_int_equal(reading.count, 10);
    assert_int_equal(reading.errors, 0);
    assert_int_equal(reading.tokens[0].kind, TOKEN_NAME);
    assert_int_equal(reading.tokens[1].kind, TOKEN_FOREIGN_OPERATOR);
    assert_int_equal(reading.tokens[2].kind, TOKEN_INTEGER);
    assert_int_equal(reading.tokens[3].kind, TOKEN_FOREIGN_OPERATOR);
    assert_int_equal(reading.tokens[5].length, 2);
    assert_int_equal(reading.tokens[7].kind, TOKEN_FOREIGN_OPERATOR);
    assert_int_equal(reading.tokens[8].kind, TOKEN_ADDRESS);
    assert_int_equal(reading.tokens[9].kind, TOKEN_ADDRESS);
    done(&reading);
}

static void a_file_that_is_no_text_is_one_error(void **state)
{
    (void)state;
    assert_errors("\xff\xfep\0o\0", 6, 1, 0);
    assert_errors("\x7f\xd0\0 a \0 \x1b b", 12, 1, 0);
}

static void operators_of_other_languages_are_tokens(void **state)
{
    (void)state;
    struct reading reading;
    read_text(&reading, "== != && || ! = < <= > >=");
    assert_int_equal(reading.count, 10);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(reading.tokens[i].kind, TOKEN_FOREIGN_OPERATOR);
    assert_int_equal(reading.tokens[5].kind, TOKEN_ASSIGN);
    assert_int_equal(reading.tokens[9].kind, TOKEN_GREATER_OR_EQUAL);
    assert_int_equal(reading.errors, 0);
    done(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_classified_by_the_first_that_fits),
        cmocka_unit_test(words_that_are_nothing_are_errors),
        cmocka_unit_test(integers_have_sixty_four_bits),
        cmocka_unit_test(a_word_ends_before_a_last_dot),
        cmocka_unit_test(strings_have_escapes_in_double_quotes_only),
        cmocka_unit_test(strings_that_are_wrong_are_flawed_and_said_once),
        cmocka_unit_test(an_open_string_ends_with_its_line),
        cmocka_unit_test(characters_that_no_text_should_hold_are_errors_everywhere),
        cmocka_unit_test(a_row_of_strange_characters_is_one_mistake),
        cmocka_unit_test(semicolons_and_comments_of_c_are_said_once_and_are_blanks),
        cmocka_unit_test(a_colon_behind_a_word_is_a_token_of_its_own),
        cmocka_unit_test(a_file_that_is_no_text_is_one_error),
        cmocka_unit_test(operators_of_other_languages_are_tokens),
    };
    return cmocka_run_group_tests_name("lexer", tests, NULL, NULL);
}
