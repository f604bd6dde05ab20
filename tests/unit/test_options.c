#define _GNU_SOURCE
#include "daemon/options.h"

#include <stdio.h>
#include <string.h>

#include "temporary_directory.h"
#include "unit_test.h"

enum {
    ARGUMENTS_MAX = 8,
};

/* Parses `warderd ARGUMENTS`, separated by spaces. */
static enum options_result parse(struct options *options, const char *arguments)
{
    static char copy[2048];
    char *list[ARGUMENTS_MAX + 2] = {(char *)"warderd"};
    int count = 1;
    char *rest = copy;
    char *word;

    snprintf(copy, sizeof(copy), "%s", arguments);
    while (count <= ARGUMENTS_MAX && (word = strsep(&rest, " ")))
        if (*word)
            list[count++] = word;
    return options_parse(options, count, list);
}

static void paths_and_record_are_taken(void **state)
{
    (void)state;
    struct options options;

    assert_int_equal(parse(&options, "--foreground --state-dir /s --socket /r/x.sock --record all"),
                     OPTIONS_RUN);
    assert_true(options.foreground);
    assert_string_equal(options.configuration.state_directory, "/s");
    assert_string_equal(options.configuration.session_socket, "/r/x.sock");
    assert_string_equal(options.configuration.admin_socket, "/r/admin.sock");
    assert_true(options.configuration.record_all);
    assert_int_equal(options.control, -1);
    assert_false(options.temporary);
}

static void administration_socket_may_be_elsewhere(void **state)
{
    (void)state;
    struct options options;

    assert_int_equal(parse(&options, "--socket /r/x.sock --admin-socket /a/a"), OPTIONS_RUN);
    assert_string_equal(options.configuration.admin_socket, "/a/a");
    assert_int_equal(parse(&options, "--admin-socket /a/a --socket /r/x.sock"), OPTIONS_RUN);
    assert_string_equal(options.configuration.admin_socket, "/a/a");
}

static void administration_socket_is_beside_the_one_that_the_file_names(void **state)
{
    const char text[] = "socket = \"/file/s\"\n";
    const char both[] = "socket = \"/file/s\"\nadmin_socket = \"/admin/s\"\n";
    struct options options;
    char line[1024];

    snprintf(line, sizeof(line), "--config %s",
             temporary_file(state, "one.toml", text, strlen(text)));
    assert_int_equal(parse(&options, line), OPTIONS_RUN);
    assert_string_equal(options.configuration.admin_socket, "/file/admin.sock");
    snprintf(line, sizeof(line), "--config %s",
             temporary_file(state, "both.toml", both, strlen(both)));
    assert_int_equal(parse(&options, line), OPTIONS_RUN);
    assert_string_equal(options.configuration.admin_socket, "/admin/s");
    snprintf(line + strlen(line), sizeof(line) - strlen(line), " --socket /line/s");
    assert_int_equal(parse(&options, line), OPTIONS_RUN);
    assert_string_equal(options.configuration.session_socket, "/line/s");
    assert_string_equal(options.configuration.admin_socket, "/admin/s");
    snprintf(line, sizeof(line), "--config %s --socket /line/s",
             temporary_file(state, "one.toml", text, strlen(text)));
    assert_int_equal(parse(&options, line), OPTIONS_RUN);
    assert_string_equal(options.configuration.admin_socket, "/line/admin.sock");
}

static void command_line_comes_after_the_file_wherever_it_stands(void **state)
{
    const char text[] = "record = \"all\"\nstate_dir = \"/file\"\nsocket = \"/file/s\"\n";
    struct options options;
    char line[1024];

    snprintf(line, sizeof(line), "--state-dir /line --config %s --record denied",
             temporary_file(state, "warderd.toml", text, strlen(text)));
    assert_int_equal(parse(&options, line), OPTIONS_RUN);
    assert_string_equal(options.configuration.state_directory, "/line");
    assert_string_equal(options.configuration.session_socket, "/file/s");
    assert_false(options.configuration.record_all);
}

static void file_that_is_wrong_or_missing_stops_the_start(void **state)
{
    struct options options;
    char line[1024];

    snprintf(line, sizeof(line), "--config %s", temporary_file(state, "warderd.toml", "x = 1", 5));
    assert_int_equal(parse(&options, line), OPTIONS_WRONG);
    assert_int_equal(parse(&options, "--config /nowhere/warderd.toml"), OPTIONS_WRONG);
}

static void private_daemon_asks_nobody_and_has_no_administration_socket(void **state)
{
    struct options options;
    char line[1024];

    snprintf(line, sizeof(line), "--private 9 --temporary --config %s",
             temporary_file(state, "warderd.toml", "x = 1", 5));
    assert_int_equal(parse(&options, line), OPTIONS_RUN);
    assert_int_equal(options.control, 9);
    assert_true(options.temporary);
    assert_string_equal(options.configuration.admin_socket, "");
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    struct options options;
    const char *const wrong[] = {"--mending",
                                 "--reading",
                                 "--temporary",
                                 "--record some",
                                 "--state-dir relative",
                                 "--socket relative",
                                 "--state-dir",
                                 "--unknown",
                                 "extra",
                                 "--private 2",
                                 "--private x",
                                 "--admin-socket x"};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        if (parse(&options, wrong[i]) != OPTIONS_WRONG)
            fail_msg("warderd %s is taken", wrong[i]);
}

static void help_and_version_are_all_there_is_to_do(void **state)
{
    (void)state;
    struct options options;

    assert_int_equal(parse(&options, "--help"), OPTIONS_DONE);
    assert_int_equal(parse(&options, "--version"), OPTIONS_DONE);
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, temporary_directory_make, temporary_directory_remove)
    const struct CMUnitTest tests[] = {
        TEST(paths_and_record_are_taken),
        TEST(administration_socket_may_be_elsewhere),
        TEST(administration_socket_is_beside_the_one_that_the_file_names),
        TEST(command_line_comes_after_the_file_wherever_it_stands),
        TEST(file_that_is_wrong_or_missing_stops_the_start),
        TEST(private_daemon_asks_nobody_and_has_no_administration_socket),
        TEST(what_makes_no_sense_is_refused),
        TEST(help_and_version_are_all_there_is_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
