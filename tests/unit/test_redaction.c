#define _GNU_SOURCE
#include "daemon/audit/redaction.h"

#include <stdio.h>
#include <string.h>

#include "policies/engine/value.h"
#include "unit_test.h"

/* What the record would show of a command line in one text. */
static void assert_shown(const char *text, const char *expected)
{
    struct redaction redaction;
    struct value masked;
    const struct value value = value_text(text, strlen(text));
    char shown[512];

    redaction_init(&redaction);
    const bool any = redaction_mask_command(&redaction, &value, &masked);
    const struct value *what = any ? &masked : &value;
    snprintf(shown, sizeof(shown), "%.*s", (int)what->count, what->bytes);
    assert_string_equal(shown, expected);
    assert_int_equal(any, strcmp(text, expected) != 0);
    redaction_deinit(&redaction);
}

static void named_secrets_are_masked(void **state)
{
    (void)state;
    assert_shown("psql --password=hunter2 -h db", "psql --password=<7 bytes> -h db");
    assert_shown("tool --api-key abc --verbose", "tool --api-key <3 bytes> --verbose");
    assert_shown("PGPASSWORD=a MYSQL_PWD=bc psql", "PGPASSWORD=<1 bytes> MYSQL_PWD=<2 bytes> psql");
    assert_shown("AWS_SECRET_ACCESS_KEY=x/y aws", "AWS_SECRET_ACCESS_KEY=<3 bytes> aws");
    assert_shown("curl 'https://h/?token=abc&n=1'", "curl 'https://h/?token=<3 bytes>&n=1'");
    assert_shown("x TOKEN=\"two words\" y", "x TOKEN=<11 bytes> y");
    assert_shown("x secret: abc", "x secret: <3 bytes>");
}

static void header_of_authorization_is_masked_whole(void **state)
{
    (void)state;
    assert_shown("curl -H \"Authorization: Bearer abc\" h",
                 "curl -H \"Authorization: <10 bytes>\" h");
    assert_shown("proxy-authorization: Basic eA==", "proxy-authorization: <10 bytes>");
}

static void passwords_in_addresses_are_masked(void **state)
{
    (void)state;
    assert_shown("git clone https://me:pw@host/x", "git clone https://me:<2 bytes>@host/x");
    assert_shown("https://host:443/a@b", "https://host:443/a@b");
    assert_shown("https://me@host/", "https://me@host/");
}

static void other_texts_stay_as_they_are(void **state)
{
    (void)state;
    assert_shown("", "");
    assert_shown("ls -l /etc/passwd", "ls -l /etc/passwd");
    assert_shown("token", "token");
    assert_shown("make test", "make test");
}

static void element_after_an_option_is_masked(void **state)
{
    (void)state;
    const struct value items[] = {
        value_text("tool", 4),  value_text("--token", 7), value_text("abc", 3),
        value_text("--x", 3),   value_text("abc", 3),     value_text("--password=pw", 13),
        value_text("--pwd", 5), value_text("-v", 2),
    };
    const char *const expected[] = {
        "tool", "--token", "<3 bytes>", "--x", "abc", "--password=<2 bytes>", "--pwd", "-v"};
    const struct value list = {.kind = VALUE_LIST, .count = 8, .items = items};
    struct redaction redaction;
    struct value masked;

    redaction_init(&redaction);
    assert_true(redaction_mask_command(&redaction, &list, &masked));
    assert_int_equal(masked.count, 8);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(masked.items[i].count, strlen(expected[i]));
        assert_memory_equal(masked.items[i].bytes, expected[i], strlen(expected[i]));
    }
    redaction_deinit(&redaction);
}

static void text_of_very_many_secrets_is_hidden_from_there_on(void **state)
{
    (void)state;
    char text[200 * 10 + 1] = "";
    struct redaction redaction;
    struct value masked;

    for (int i = 0; i < 200; i++)
        strcat(text, "token=abc ");
    const struct value value = value_text(text, strlen(text));
    redaction_init(&redaction);
    assert_true(redaction_mask_command(&redaction, &value, &masked));
    assert_null(memmem(masked.bytes, masked.count, "abc", 3));
    redaction_deinit(&redaction);
}

static void other_values_are_not_looked_at(void **state)
{
    (void)state;
    struct redaction redaction;
    struct value masked;
    const struct value number = value_int(7);

    redaction_init(&redaction);
    assert_false(redaction_mask_command(&redaction, &number, &masked));
    redaction_deinit(&redaction);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(named_secrets_are_masked),
        cmocka_unit_test(header_of_authorization_is_masked_whole),
        cmocka_unit_test(passwords_in_addresses_are_masked),
        cmocka_unit_test(other_texts_stay_as_they_are),
        cmocka_unit_test(element_after_an_option_is_masked),
        cmocka_unit_test(text_of_very_many_secrets_is_hidden_from_there_on),
        cmocka_unit_test(other_values_are_not_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
