#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policies/engine/utf8.h"

static void assert_character(const char *text, uint32_t expected, size_t expected_size)
{
    size_t size;
    assert_int_equal(utf8_decode(text, strlen(text), &size), expected);
    assert_int_equal(size, expected_size);
}

static void code_points_have_one_to_four_bytes(void **state)
{
    (void)state;
    assert_character("a", 'a', 1);
    assert_character("\xc2\x80", 0x80, 2);
    assert_character("\xc3\xa9x", 0xe9, 2);
    assert_character("\xe2\x82\xac", 0x20ac, 3);
    assert_character("\xf0\x9f\x98\x80", 0x1f600, 4);
    assert_character("\xf4\x8f\xbf\xbf", 0x10ffff, 4);
}

static void what_is_no_utf8_is_a_byte(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",     "\xff",         "\xc0\x80",         "\xc1\xbf",         "\xe0\x80\x80",
        "\xe2\x82", "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xc3(",    "\xe2(\xa1",    "\xf0\x9f\x98",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_character(bad[i], UTF8_RAW + (unsigned char)bad[i][0], 1);
    assert_true(utf8_is_raw(UTF8_RAW));
    assert_false(utf8_is_raw(0x10ffff));
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    static const uint32_t codes[] = {0,      0x7f,   0x80,   0x7ff,   0x800,
                                     0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff};
    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
        char text[UTF8_SIZE_MAX];
        size_t size;
        const size_t written = utf8_encode(codes[i], text);
        assert_int_equal(utf8_decode(text, written, &size), codes[i]);
        assert_int_equal(size, written);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_points_have_one_to_four_bytes),
        cmocka_unit_test(what_is_no_utf8_is_a_byte),
        cmocka_unit_test(what_is_written_is_read_again),
    };
    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
