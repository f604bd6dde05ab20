/* What the daemon takes from files and fields, at the places where a fuzzer found something. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/configuration.h"
#include "daemon/session/wishes.h"

static bool read_text(const char *text, struct configuration *configuration, char *error,
                      size_t size)
{
    char path[64];
    const int file = memfd_create("test.toml", MFD_CLOEXEC);

    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    configuration_defaults(configuration);
    const bool read = configuration_read(configuration, path, error, size);
    close(file);
    return read;
}

/* toml++ 3.3 runs into undefined behaviour there: see configuration_toml.cc. */
static void characters_beyond_ascii_outside_of_strings_are_refused(void **state)
{
    static const char *const texts[] = {
        "\xef\xb9\xbf",                          /* U+FE7F */
        "\xc3\xa9 = 1\n",                        /* a bare key */
        "user = \"a\" \xe2\x80\x80\n",           /* U+2000, a space that TOML does not know */
        "user = \xc3\xa9\n",                     /* a bare value */
        "user = \"\"\"\\\n\xef\xbb\xbe\\\n  \n", /* behind a line's end that is escaped */
    };
    struct configuration configuration;
    char error[512];

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        assert_false(read_text(texts[i], &configuration, error, sizeof(error)));
        assert_non_null(strstr(error, "/proc/self/fd/"));
    }
}

static void characters_beyond_ascii_in_strings_and_comments_are_kept(void **state)
{
    struct configuration configuration;
    char error[512];

    (void)state;
    assert_true(read_text("# f\xc3\xbc\nuser = \"w\xc3\xa4\" # \xc3\xa9\n", &configuration, error,
                          sizeof(error)));
    assert_string_equal(configuration.user, "w\xc3\xa4");
}

static void an_empty_policy_text_is_refused_or_says_nothing(void **state)
{
    Warder__V1__Wishes message = WARDER__V1__WISHES__INIT;
    Warder__V1__PolicyText text = WARDER__V1__POLICY_TEXT__INIT;
    Warder__V1__PolicyText *texts[] = {&text};
    char *words = NULL;

    (void)state;
    message.n_policy_texts = 1;
    message.policy_texts = texts;
    struct wishes *wishes = wishes_new(&message, &words);
    if (wishes)
        assert_int_equal(policy_block_policy_count(wishes->block), 0);
    else
        assert_non_null(words);
    wishes_release(wishes);
    free(words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_beyond_ascii_outside_of_strings_are_refused),
        cmocka_unit_test(characters_beyond_ascii_in_strings_and_comments_are_kept),
        cmocka_unit_test(an_empty_policy_text_is_refused_or_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
