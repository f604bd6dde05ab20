#include "daemon/configuration.h"

#include <string.h>

#include "temporary_directory.h"
#include "unit_test.h"

static bool read_text(void **state, const char *text, struct configuration *configuration,
                      char *error, size_t size)
{
    const char *path = temporary_file(state, "warderd.toml", text, strlen(text));
    configuration_defaults(configuration);
    error[0] = '\0';
    return configuration_read(configuration, path, error, size);
}

static void assert_wrong(void **state, const char *text, const char *words)
{
    struct configuration configuration;
    char error[512];

    assert_false(read_text(state, text, &configuration, error, sizeof(error)));
    if (!strstr(error, words))
        fail_msg("%s\ngives: %s\nwithout: %s", text, error, words);
    assert_non_null(strstr(error, "warderd.toml"));
}

static void every_setting_is_taken(void **state)
{
    struct configuration configuration;
    char error[512];

    assert_true(read_text(state,
                          "state_dir = \"/s\"\nsocket = \"/r/s.sock\"\nadmin_socket = \"/r/a\"\n"
                          "user = \"warder\"\nrecord = \"all\"\nevaluate = \"daemon\"\n"
                          "loop_threads = 16\n"
                          "[limits]\nsessions_per_user = 1\nconnections_per_user = 2\n"
                          "unfinished_per_user = 3\nmegabytes_per_user = 4\n"
                          "queue_megabytes_per_user = 5\nverdict_milliseconds = 600\n"
                          "record_megabytes = 0\n",
                          &configuration, error, sizeof(error)));
    assert_string_equal(configuration.state_directory, "/s");
    assert_string_equal(configuration.session_socket, "/r/s.sock");
    assert_string_equal(configuration.admin_socket, "/r/a");
    assert_string_equal(configuration.user, "warder");
    assert_true(configuration.record_all);
    assert_false(configuration.settle_in_process);
    assert_int_equal(configuration.loop_threads, CONFIGURATION_LOOPS_MAX);
    assert_int_equal(configuration.sessions_per_user, 1);
    assert_int_equal(configuration.connections_per_user, 2);
    assert_int_equal(configuration.unfinished_per_user, 3);
    assert_int_equal(configuration.megabytes_per_user, 4);
    assert_int_equal(configuration.queue_megabytes_per_user, 5);
    assert_int_equal(configuration.verdict_milliseconds, 600);
    assert_int_equal(configuration.record_megabytes, 0);
}

static void file_in_packaging_says_what_is_so_anyway(void **state)
{
    struct configuration configuration;
    struct configuration defaults;
    char error[512] = "";

    (void)state;
    configuration_defaults(&configuration);
    configuration_defaults(&defaults);
    /* Any other value first, so that a setting that the file leaves out is seen. */
    configuration.sessions_per_user = configuration.connections_per_user = 1;
    configuration.unfinished_per_user = configuration.megabytes_per_user = 1;
    configuration.queue_megabytes_per_user = configuration.verdict_milliseconds = 1;
    configuration.record_megabytes = 1;
    configuration.loop_threads = 7;
    configuration.record_all = true;
    strcpy(configuration.state_directory, "/x");
    strcpy(configuration.session_socket, "/x");
    strcpy(configuration.admin_socket, "/x");
    strcpy(configuration.user, "x");
    if (!configuration_read(&configuration, CONFIGURATION_IN_PACKAGING, error, sizeof(error)))
        fail_msg("%s", error);
    assert_string_equal(configuration.state_directory, defaults.state_directory);
    assert_string_equal(configuration.session_socket, defaults.session_socket);
    assert_string_equal(configuration.admin_socket, defaults.admin_socket);
    assert_string_equal(configuration.user, defaults.user);
    assert_int_equal(configuration.record_all, defaults.record_all);
    assert_int_equal(configuration.loop_threads, defaults.loop_threads);
    assert_int_equal(configuration.sessions_per_user, defaults.sessions_per_user);
    assert_int_equal(configuration.connections_per_user, defaults.connections_per_user);
    assert_int_equal(configuration.unfinished_per_user, defaults.unfinished_per_user);
    assert_int_equal(configuration.megabytes_per_user, defaults.megabytes_per_user);
    assert_int_equal(configuration.queue_megabytes_per_user, defaults.queue_megabytes_per_user);
    assert_int_equal(configuration.verdict_milliseconds, defaults.verdict_milliseconds);
    assert_int_equal(configuration.record_megabytes, defaults.record_megabytes);
}

static void empty_file_changes_nothing(void **state)
{
    struct configuration configuration;
    struct configuration defaults;
    char error[512];

    configuration_defaults(&defaults);
    assert_true(read_text(state, "# nothing\n", &configuration, error, sizeof(error)));
    assert_string_equal(configuration.session_socket, defaults.session_socket);
    assert_int_equal(configuration.sessions_per_user, defaults.sessions_per_user);
    assert_false(configuration.record_all);
}

static void what_is_not_known_is_an_error_with_its_place(void **state)
{
    assert_wrong(state, "\nsockett = \"/x\"\n", ":2:1: there is no setting `sockett`");
    assert_wrong(state, "[limits]\nsessions = 1\n", ":2:1: there is no limit `sessions`");
    assert_wrong(state, "[limit]\n", "there is no setting `limit`");
}

static void values_of_the_wrong_kind_are_errors(void **state)
{
    assert_wrong(state, "socket = 7\n", "socket is a string");
    assert_wrong(state, "record = true\n", "record is \"denied\" or \"all\"");
    assert_wrong(state, "record = \"some\"\n", "record is \"denied\" or \"all\"");
    assert_wrong(state, "evaluate = \"both\"\n", "evaluate is \"hook\" or \"daemon\"");
    assert_wrong(state, "loop_threads = 0\n", "loop_threads is a whole number from 1 to 16");
    assert_wrong(state, "loop_threads = 17\n", "loop_threads is a whole number from 1 to 16");
    assert_wrong(state, "limits = 7\n", "limits is a table");
    assert_wrong(state, "[limits]\nsessions_per_user = \"many\"\n", "is a whole number from 1");
    assert_wrong(state, "[limits]\nsessions_per_user = 1.5\n", "is a whole number");
    assert_wrong(state, "[limits]\nsessions_per_user = 0\n", "is a whole number from 1");
    assert_wrong(state, "[limits]\nsessions_per_user = -1\n", "is a whole number from 1");
    assert_wrong(state, "[limits]\nmegabytes_per_user = 4294967297\n", "to 1048576");
    assert_wrong(state, "[limits]\nverdict_milliseconds = 99\n", "from 100");
}

static void what_is_no_toml_is_an_error_with_its_place(void **state)
{
    assert_wrong(state, "socket = \"/x\n", "warderd.toml:1:");
    assert_wrong(state, "socket = \"/x\"\nsocket = \"/y\"\n", "warderd.toml:2:");
    assert_wrong(state, "\xff\xfe\n", "warderd.toml:1:");
}

static void texts_too_long_or_with_nul_are_errors(void **state)
{
    char text[CONFIGURATION_PATH_MAX + 64] = "socket = \"/";
    memset(text + strlen(text), 'x', CONFIGURATION_PATH_MAX);
    memcpy(text + strlen(text), "\"\n", sizeof("\"\n"));
    assert_wrong(state, text, "socket wants a path of at most 107 bytes");
    assert_wrong(state, "user = \"a\\u0000b\"\n", "user has a zero byte in it");
    assert_wrong(state, "socket = \"/a\\u0000b\"\n", "socket has a zero byte in it");
    assert_wrong(state, "state_dir = \"\"\n",
                 "state_dir wants an absolute path, and this one is empty");
    assert_wrong(state, "\nadmin_socket = \"a/b\"\n", ":2:16: admin_socket wants an absolute path");
}

static void file_that_cannot_be_read_is_an_error(void **state)
{
    struct configuration configuration;
    char error[512];

    configuration_defaults(&configuration);
    assert_false(
        configuration_read(&configuration, temporary_path(state, "missing"), error, sizeof(error)));
    assert_non_null(strstr(error, "missing: cannot be read: No such file"));
    assert_false(configuration_read(&configuration, *state, error, sizeof(error)));
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, temporary_directory_make, temporary_directory_remove)
    const struct CMUnitTest tests[] = {
        TEST(every_setting_is_taken),
        TEST(empty_file_changes_nothing),
        TEST(file_in_packaging_says_what_is_so_anyway),
        TEST(what_is_not_known_is_an_error_with_its_place),
        TEST(values_of_the_wrong_kind_are_errors),
        TEST(what_is_no_toml_is_an_error_with_its_place),
        TEST(texts_too_long_or_with_nul_are_errors),
        TEST(file_that_cannot_be_read_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
