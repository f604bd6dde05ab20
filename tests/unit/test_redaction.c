#define _GNU_SOURCE
#include "daemon/audit/redaction.h"

#include <stdio.h>
#include <string.h>

#include "policies/catalogue/catalogue.h"
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

/* The same of a list of words. */
static void assert_words_shown(const char *const *words, const char *const *expected,
                               uint32_t count)
{
    struct value items[8];
    const struct value list = {.kind = VALUE_LIST, .count = count, .items = items};
    struct redaction redaction;
    struct value masked;

    for (uint32_t i = 0; i < count; i++)
        items[i] = value_text(words[i], strlen(words[i]));
    redaction_init(&redaction);
    redaction_mask_command(&redaction, &list, &masked);
    for (uint32_t i = 0; i < count; i++) {
        char shown[512];
        snprintf(shown, sizeof(shown), "%.*s", (int)masked.items[i].count, masked.items[i].bytes);
        assert_string_equal(shown, expected[i]);
    }
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

static void every_announcing_word_is_known(void **state)
{
    (void)state;
    static const char *const words[] = {
        "password",   "passwd",      "passphrase",  "pwd",        "secret",        "token",
        "apikey",     "api-key",     "api_key",     "accesskey",  "access-key",    "access_key",
        "privatekey", "private-key", "private_key", "credential", "authorization", "cookie"};
    char text[128];
    char expected[128];

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        snprintf(text, sizeof(text), "tool --%s=hunter2 on", words[i]);
        snprintf(expected, sizeof(expected), "tool --%s=<7 bytes> on", words[i]);
        assert_shown(text, expected);
        snprintf(text, sizeof(text), "tool --My-%s hunter2 on", words[i]);
        snprintf(expected, sizeof(expected), "tool --My-%s <7 bytes> on", words[i]);
        assert_shown(text, expected);
        snprintf(text, sizeof(text), "X_%s_X=hunter2 tool", words[i]);
        snprintf(expected, sizeof(expected), "X_%s_X=<7 bytes> tool", words[i]);
        assert_shown(text, expected);
        snprintf(text, sizeof(text), "--%s=two words", words[i]);
        snprintf(expected, sizeof(expected), "--%s=<9 bytes>", words[i]);
        assert_words_shown((const char *const[]){"tool", text, "on"},
                           (const char *const[]){"tool", expected, "on"}, 3);
        snprintf(text, sizeof(text), "--%s", words[i]);
        assert_words_shown((const char *const[]){"tool", text, "two words", "on"},
                           (const char *const[]){"tool", text, "<9 bytes>", "on"}, 4);
    }
}

static void options_of_many_programs_are_known(void **state)
{
    (void)state;
    assert_shown("curl -u me:hunter2 http://h", "curl -u me:<7 bytes> http://h");
    assert_shown("curl -ume:hunter2 http://h", "curl -ume:<7 bytes> http://h");
    assert_shown("curl -u 'me:two words' http://h", "curl -u 'me:<9 bytes>' http://h");
    assert_shown("curl --user me:hunter2 h; ls", "curl --user me:<7 bytes> h; ls");
    assert_shown("curl --user=me:hunter2 h", "curl --user=me:<7 bytes> h");
    assert_shown("curl --proxy-user me:hunter2 h", "curl --proxy-user me:<7 bytes> h");
    assert_shown("plink -pw hunter2 h", "plink -pw <7 bytes> h");
    assert_shown("openssl rsa -passin pass:abc", "openssl rsa -passin <8 bytes>");
    assert_shown("sudo -u me id", "sudo -u me id");
    assert_words_shown((const char *const[]){"curl", "-u", "me:two words", "h"},
                       (const char *const[]){"curl", "-u", "me:<9 bytes>", "h"}, 4);
    assert_words_shown((const char *const[]){"curl", "-ume:pw", "--user=me:pw", "--user", "me:pw"},
                       (const char *const[]){"curl", "-ume:<2 bytes>", "--user=me:<2 bytes>",
                                             "--user", "me:<2 bytes>"},
                       5);
    assert_words_shown((const char *const[]){"plink", "-pw", "a b", "h"},
                       (const char *const[]){"plink", "-pw", "<3 bytes>", "h"}, 4);
}

static void options_of_some_programs_are_known_by_their_names(void **state)
{
    (void)state;
    assert_shown("mysql -pPW -h db", "mysql -p<2 bytes> -h db");
    assert_shown("cd x && /usr/bin/mysqldump -u me -pPW d",
                 "cd x && /usr/bin/mysqldump -u me -p<2 bytes> d");
    assert_shown("sh -c \"mysql -pPW d\"", "sh -c \"mysql -p<2 bytes> d\"");
    assert_shown("mysql -p'P W' d", "mysql -p<5 bytes> d");
    assert_shown("mysql -p db", "mysql -p db");
    assert_shown("mariadb -pPW", "mariadb -p<2 bytes>");
    assert_shown("sshpass -p PW ssh -p22 h", "sshpass -p <2 bytes> ssh -p<2 bytes> h");
    assert_shown("sshpass -pPW; ssh -p22 h", "sshpass -p<2 bytes>; ssh -p22 h");
    assert_shown("7z x -pPW a", "7z x -p<2 bytes> a");
    assert_shown("unrar x -pPW a", "unrar x -p<2 bytes> a");
    assert_shown("rar x -pPW a", "rar x -p<2 bytes> a");
    assert_shown("unzip -P PW a; zip -PPW a", "unzip -P <2 bytes> a; zip -P<2 bytes> a");
    assert_shown("redis-cli -a PW", "redis-cli -a <2 bytes>");
    assert_shown("ldapsearch -w PW", "ldapsearch -w <2 bytes>");
    assert_shown("smbclient -U me%PW", "smbclient -U me%<2 bytes>");
    assert_shown("rpcclient -U me%PW", "rpcclient -U me%<2 bytes>");
    assert_shown("ssh -p2222 h; mkdir -pv d", "ssh -p2222 h; mkdir -pv d");
    assert_words_shown(
        (const char *const[]){"/bin/sshpass", "-p", "P W", "mysql", "-pPW"},
        (const char *const[]){"/bin/sshpass", "-p", "<3 bytes>", "mysql", "-p<2 bytes>"}, 5);
    assert_words_shown((const char *const[]){"sh", "-c", "mysql -pPW"},
                       (const char *const[]){"sh", "-c", "mysql -p<2 bytes>"}, 3);
}

static void quotes_do_not_end_a_secret_early(void **state)
{
    (void)state;
    assert_shown("x --password='a'\"b c\"d e", "x --password=<9 bytes> e");
    assert_shown("x --password a\\ b c", "x --password <4 bytes> c");
    assert_shown("x --password \t'a b' c", "x --password \t<5 bytes> c");
    assert_shown("curl -d '{\"password\": \"a b\", \"n\": 1}' h",
                 "curl -d '{\"password\": <5 bytes>, \"n\": 1}' h");
    assert_shown("sh -c \"x --password=abc\"", "sh -c \"x --password=<3 bytes>\"");
    assert_shown("-u a:token=b -u c:dd", "-u a:<7 bytes> -u c:<2 bytes>");
}

static void event_is_masked_wherever_it_shows_a_value(void **state)
{
    (void)state;
    const char text[] = "x --secret=PW";
    const struct value whole = value_text(text, strlen(text));
    const struct value arguments[] = {whole, whole, value_none(), value_none()};
    const struct attribute file = {
        .name = ATTRIBUTE_FILE, .value = whole, .resolved = whole, .given = whole};
    const struct operation operation = {
        .operation_class = CLASS_EXEC, .attribute_count = 1, .attributes = &file};
    const struct event event = {.name = "e",
                                .name_length = 1,
                                .argument_count = 4,
                                .arguments = arguments,
                                .operation_count = 1,
                                .operations = &operation};
    const char expected[] = "x --secret=<2 bytes>";
    struct redaction redaction;
    struct event masked;

    redaction_init(&redaction);
    assert_true(redaction_mask_event(&redaction, &event, &masked));
    const struct attribute *shown = operation_attribute(masked.operations, ATTRIBUTE_FILE);
    const struct value *const places[] = {&masked.arguments[0], &masked.arguments[1], &shown->value,
                                          &shown->resolved, &shown->given};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        assert_int_equal(places[i]->count, strlen(expected));
        assert_memory_equal(places[i]->bytes, expected, strlen(expected));
    }
    redaction_deinit(&redaction);
}

static void header_of_authorization_is_masked_whole(void **state)
{
    (void)state;
    assert_shown("curl -H 'Authorization: Digest username=\"me\", response=\"abc\"' h",
                 "curl -H 'Authorization: <36 bytes>' h");
    assert_words_shown(
        (const char *const[]){"curl", "-H", "Authorization: Digest a=\"b\", c=\"d\""},
        (const char *const[]){"curl", "-H", "Authorization: <19 bytes>"}, 3);
    assert_words_shown((const char *const[]){"curl", "-H", "Authorization: Bearer TOKEN", "h"},
                       (const char *const[]){"curl", "-H", "Authorization: <12 bytes>", "h"}, 4);
    assert_words_shown((const char *const[]){"curl", "-HCookie: a=b; c=d", "h"},
                       (const char *const[]){"curl", "-HCookie: <8 bytes>", "h"}, 3);
    assert_shown("curl -H \"Authorization: Bearer abc\" h",
                 "curl -H \"Authorization: <10 bytes>\" h");
    assert_shown("proxy-authorization: Basic eA==", "proxy-authorization: <10 bytes>");
}

static void passwords_in_addresses_are_masked(void **state)
{
    (void)state;
    assert_shown("git clone https://me:pw@host/x", "git clone https://me:<2 bytes>@host/x");
    assert_shown("https://host:443/a@b", "https://host:443/a@b");
    assert_shown("https://me:p@w@host/", "https://me:<3 bytes>@host/");
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
        memcpy(text + strlen(text), "token=abc ", sizeof("token=abc "));
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

/* Whatever the catalogue says of an event, the record keeps no more of it as it came. */
static void event_with_anything_secret_is_known(void **state)
{
    (void)state;
    const struct attribute path = {.name = ATTRIBUTE_PATH};
    const struct attribute environment[] = {path, {.name = ATTRIBUTE_ENV}};
    struct operation operation = {
        .operation_class = CLASS_READ, .attribute_count = 1, .attributes = &path};
    struct event event = {.number = EVENT_UNKNOWN, .operation_count = 1, .operations = &operation};
    int plain = 0;

    assert_false(redaction_is_needed(&event));
    operation.operation_class = CLASS_EXEC;
    assert_true(redaction_is_needed(&event));
    operation = (struct operation){
        .operation_class = CLASS_RUN, .attribute_count = 2, .attributes = environment};
    assert_true(redaction_is_needed(&event));
    event.operation_count = 0;
    for (event.number = 1; event.number <= catalogue_event_count(); event.number++) {
        const struct event_entry *entry = catalogue_event(event.number);
        const bool starts_program = (entry->classes & (1U << CLASS_EXEC)) != 0;
        assert_int_equal(redaction_is_needed(&event), entry->secret != 0 || starts_program);
        plain += !redaction_is_needed(&event);
    }
    assert_in_range(plain, 1, catalogue_event_count() - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(named_secrets_are_masked),
        cmocka_unit_test(every_announcing_word_is_known),
        cmocka_unit_test(options_of_many_programs_are_known),
        cmocka_unit_test(options_of_some_programs_are_known_by_their_names),
        cmocka_unit_test(quotes_do_not_end_a_secret_early),
        cmocka_unit_test(event_is_masked_wherever_it_shows_a_value),
        cmocka_unit_test(header_of_authorization_is_masked_whole),
        cmocka_unit_test(passwords_in_addresses_are_masked),
        cmocka_unit_test(other_texts_stay_as_they_are),
        cmocka_unit_test(element_after_an_option_is_masked),
        cmocka_unit_test(text_of_very_many_secrets_is_hidden_from_there_on),
        cmocka_unit_test(other_values_are_not_looked_at),
        cmocka_unit_test(event_with_anything_secret_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
