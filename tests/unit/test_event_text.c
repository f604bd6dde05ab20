#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policies/engine/event_text.h"

static char shown[EVENT_TEXT_MAX];

static const char *printable(const char *text)
{
    const size_t length = printable_text(text, strlen(text), shown, sizeof(shown));
    assert_int_equal(length, strlen(shown));
    return shown;
}

static const char *quoted(const char *text)
{
    const size_t length = quoted_text(text, strlen(text), shown, sizeof(shown));
    assert_int_equal(length, strlen(shown));
    return shown;
}

static const char *column(const char *text)
{
    const size_t length = column_text(text, strlen(text), shown, sizeof(shown));
    assert_int_equal(length, strlen(shown));
    return shown;
}

static void ordinary_text_stays_as_it_is(void **state)
{
    (void)state;
    assert_string_equal(printable("/srv/caf\xc3\xa9 \"x\" \\n"), "/srv/caf\xc3\xa9 \"x\" \\n");
    assert_string_equal(printable("\xe6\x97\xa5\xe3\x80\x80\xf0\x9f\x98\x80\xf0\xa0\x80\x8b"),
                        "\xe6\x97\xa5\xe3\x80\x80\xf0\x9f\x98\x80\xf0\xa0\x80\x8b");
    assert_string_equal(quoted("/srv/caf\xc3\xa9 x"), "\"/srv/caf\xc3\xa9 x\"");
    assert_string_equal(quoted(""), "\"\"");
    assert_string_equal(column("/srv/it's.py"), "/srv/it's.py");
}

static void what_nobody_sees_is_written_as_its_bytes(void **state)
{
    (void)state;
    assert_string_equal(printable("\t\x7f\xc2\x9b"), "\\x09\\x7f\\xc2\\x9b");
    assert_string_equal(printable("\xff\xed\xa0\x80"), "\\xff\\xed\\xa0\\x80");
    assert_string_equal(printable("\xc2\xad"), "\\xc2\\xad");                   /* U+00AD */
    assert_string_equal(printable("\xd8\x9c"), "\\xd8\\x9c");                   /* U+061C */
    assert_string_equal(printable("\xe2\x80\x8b"), "\\xe2\\x80\\x8b");          /* U+200B */
    assert_string_equal(printable("\xe2\x80\xae"), "\\xe2\\x80\\xae");          /* U+202E */
    assert_string_equal(printable("\xe3\x85\xa4"), "\\xe3\\x85\\xa4");          /* U+3164 */
    assert_string_equal(printable("\xee\x80\x80"), "\\xee\\x80\\x80");          /* U+E000 */
    assert_string_equal(printable("\xef\xb8\x8f"), "\\xef\\xb8\\x8f");          /* U+FE0F */
    assert_string_equal(printable("\xf0\x9d\x85\xb3"), "\\xf0\\x9d\\x85\\xb3"); /* U+1D173 */
    assert_string_equal(printable("\xf3\xa0\x81\x81"), "\\xf3\\xa0\\x81\\x81"); /* U+E0041 */
    assert_string_equal(printable("\xf3\xa0\x84\x80"), "\\xf3\\xa0\\x84\\x80"); /* U+E0100 */
    assert_string_equal(printable("\xf4\x80\x80\x80"), "\\xf4\\x80\\x80\\x80"); /* U+100000 */
}

static void a_quoted_text_cannot_end_itself(void **state)
{
    (void)state;
    assert_string_equal(quoted("/etc/x\"  local/p.r  root 1  9-9 \""),
                        "\"/etc/x\\\"  local/p.r  root 1  9-9 \\\"\"");
    assert_string_equal(quoted("x\\"), "\"x\\\\\"");
    assert_string_equal(quoted("x\\x0a\n"), "\"x\\\\x0a\\x0a\"");
}

static void a_column_is_quoted_where_it_could_be_several(void **state)
{
    (void)state;
    assert_string_equal(column("a.py  9-9"), "\"a.py  9-9\"");
    assert_string_equal(column("a\"b"), "\"a\\\"b\"");
    assert_string_equal(column("a\xc2\xa0\xc2\xa0"
                               "b"),
                        "\"a\xc2\xa0\xc2\xa0"
                        "b\"");
    assert_string_equal(column("a\nb"), "\"a\\x0ab\"");
}

static void what_does_not_fit_is_cut_before_a_whole_character(void **state)
{
    (void)state;
    char small[10];
    assert_int_equal(printable_text("abcdefghij", 10, small, sizeof(small)), 9);
    assert_string_equal(small, "abcdef...");
    assert_int_equal(quoted_text("abc\"efghij", 10, small, sizeof(small)), 8);
    assert_string_equal(small, "\"abc...\"");
    assert_int_equal(quoted_text("abcd", 4, small, sizeof(small)), 6);
    assert_string_equal(small, "\"abcd\"");
}

static void names_of_events_are_quoted_too(void **state)
{
    (void)state;
    static const char name[] = "a\" b";
    const struct event event = {.name = name, .name_length = sizeof(name) - 1};
    event_text(&event, 0, shown, sizeof(shown));
    assert_string_equal(shown, "event \"a\\\" b\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_text_stays_as_it_is),
        cmocka_unit_test(what_nobody_sees_is_written_as_its_bytes),
        cmocka_unit_test(a_quoted_text_cannot_end_itself),
        cmocka_unit_test(a_column_is_quoted_where_it_could_be_several),
        cmocka_unit_test(what_does_not_fit_is_cut_before_a_whole_character),
        cmocka_unit_test(names_of_events_are_quoted_too),
    };
    return cmocka_run_group_tests_name("event_text", tests, NULL, NULL);
}
