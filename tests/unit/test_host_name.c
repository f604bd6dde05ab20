/* Host names as DNS has them. What is expected of letters is what Python's codec `idna` gives. */
#include "unit_test.h"

#include <string.h>

#include "policies/language/host_name.h"

static void names_are_folded_to_the_form_of_dns(void **state)
{
    /* Clause O-20. */
    (void)state;
    static const struct {
        const char *name;
        const char *folded;
    } cases[] = {
        {"example.org", "example.org"},
        {"API.Example.ORG", "api.example.org"},
        {"a_b.c-d", "a_b.c-d"},
        {"B\xc3\xbc"
         "cher.example",
         "xn--bcher-kva.example"}, /* Bücher.example */
        {"B\xc3\x9c"
         "CHER.Example",
         "xn--bcher-kva.example"},                         /* BÜCHER.Example */
        {"\xe4\xbe\x8b\xe3\x81\x88.jp", "xn--r8jz45g.jp"}, /* 例え.jp */
        {"\xce\x95\xce\xbb\xce\xbb\xce\xac\xce\xb4\xce\xb1.gr", "xn--hxakic4aa.gr"}, /* Ελλάδα.gr */
        {"\xd1\x80\xd0\xbe\xd1\x81\xd1\x81\xd0\xb8\xd1\x8f.\xd1\x80\xd1\x84",
         "xn--h1alffa9f.xn--p1ai"}, /* россия.рф */
        {"\xc3\x91"
         "and\xc3\xba.cl",
         "xn--and-6ma2c.cl"},                                              /* Ñandú.cl */
        {"\xed\x95\x9c\xea\xb5\xad.kr", "xn--3e0b707e.kr"},                /* 한국.kr */
        {"\xd7\xa2\xd7\x91\xd7\xa8\xd7\x99\xd7\xaa.il", "xn--5dbqzzl.il"}, /* עברית.il */
        {"xn--bcher-kva.example", "xn--bcher-kva.example"}, /* xn--bcher-kva.example */
        {"a.\xc3\xbc.b", "a.xn--tda.b"},                    /* a.ü.b */
        {"\xc5\x81\xc3\xb3"
         "d\xc5\xba.pl",
         "xn--d-uga0v4h.pl"},                             /* Łódź.pl */
        {"\xc3\x85\xc3\x84\xc3\x96.se", "xn--4cab6c.se"}, /* ÅÄÖ.se */
        {"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
         "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc.de",
         "xn--tdaaaaaaaaaaaaaaaaaaaa.de"}, /* üüüüüüüüüüüüüüüüüüüü.de */
        {"\xe6\xbc\xa2\xe5\xad\x97\xe3\x81\xa8\xe4\xbb\xae\xe5\x90\x8d.example",
         "xn--o9jw23gnqdg3i3xz.example"},                     /* 漢字と仮名.example */
        {"\xc3\xbcmlaut-test.org", "xn--mlaut-test-8db.org"}, /* ümlaut-test.org */
        {"\xd2\x90.ua", "xn--03a.ua"},                        /* Ґ.ua */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char folded[HOST_NAME_MAX_LENGTH + 1] = "";
        const size_t length = host_name_fold(cases[i].name, strlen(cases[i].name), folded);
        assert_string_equal(folded, cases[i].folded);
        assert_int_equal(length, strlen(cases[i].folded));
        assert_true(host_name_is_valid(folded, length));
    }
}

static void letters_that_need_judgement_are_not_folded(void **state)
{
    /* Clause O-20. */
    (void)state;
    static const char *const names[] = {
        "stra\xc3\x9f.de",     /* sharp s: `strasse` or itself, by version */
        "\xcf\x83\xcf\x82.gr", /* final sigma */
        "u\xcc\x88.de",        /* u and a combining diaeresis */
        "\xef\xbd\x81.org",    /* a full-width a */
        "\xef\xac\x81.org",    /* a ligature */
        "a\xe3\x80\x82org",    /* an ideographic full stop */
        "\xc4\xb0.tr",         /* a capital i with a dot */
        "\xe2\x80\x8d.in",     /* a joiner */
        "\xf0\x9f\x90\x8d.ws", /* a snake */
        "\xff.org",
        "\xc3.org",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        char folded[HOST_NAME_MAX_LENGTH + 1];
        assert_int_equal(host_name_fold(names[i], strlen(names[i]), folded), 0);
    }
    char folded[HOST_NAME_MAX_LENGTH + 1];
    assert_int_equal(host_name_fold("a\0b", 3, folded), 0);
    assert_int_equal(host_name_fold("", 0, folded), 0);
}

/* A name of 63 letters, and of 253 characters, is the longest. */
static void long_names_end_where_dns_ends(void **state)
{
    (void)state;
    char name[300];
    char folded[HOST_NAME_MAX_LENGTH + 1];

    memset(name, 'A', sizeof(name));
    assert_int_equal(host_name_fold(name, 63, folded), 63);
    assert_int_equal(host_name_fold(name, 64, folded), 0);
    for (size_t i = 63; i < sizeof(name); i += 64)
        name[i] = '.';
    assert_int_equal(host_name_fold(name, 253, folded), 253);
    assert_true(host_name_is_valid(folded, 253));
    assert_int_equal(host_name_fold(name, 254, folded), 0);
    for (size_t i = 0; i < 120; i++)
        name[i] = i % 2 == 0 ? '\xc3' : '\xbc'; /* ü, over and over */
    assert_in_range(host_name_fold(name, 100, folded), 50, 63);
    assert_int_equal(host_name_fold(name, 120, folded), 0); /* its xn-- form is longer */
}

static void labels_are_those_of_names(void **state)
{
    (void)state;
    static const char *const bad[] = {"", ".", "a.", ".a", "a..b", "-a", "a-", "a-.b", "a b", "a*"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(host_name_is_valid(bad[i], strlen(bad[i])));
    assert_true(host_name_is_valid("a", 1));
    assert_true(host_name_is_valid("_dmarc.x-y.org", 14));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_folded_to_the_form_of_dns),
        cmocka_unit_test(letters_that_need_judgement_are_not_folded),
        cmocka_unit_test(long_names_end_where_dns_ends),
        cmocka_unit_test(labels_are_those_of_names),
    };
    return cmocka_run_group_tests_name("host_name", tests, NULL, NULL);
}
