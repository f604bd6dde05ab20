/* Who asks in a test: what a session line says, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scene_fixture.h"

static void a_session_that_says_nothing_is_nobody(void **state)
{
    /* Clause T-10. */
    struct staged staged;
    (void)state;

    staged_init(&staged, "", "fork");
    assert_true(staged.made);
    const struct subject *subject = &staged.subject.subject;
    assert_null(subject->user);
    assert_null(subject->exe);
    assert_null(subject->unit);
    assert_null(subject->python);
    assert_null(subject->script);
    assert_string_equal(subject->platform, "linux");
    assert_int_equal(subject->group_count, 0);
    assert_int_equal(subject->label_count, 0);
    for (int i = 0; i < PLACE_COUNT; i++)
        assert_int_equal(subject->places[i].count, 0);
    assert_false(staged.subject.windows);
    assert_int_equal(staged.subject.python_minor, 0);
    assert_null(scene_subject_start(&staged.subject));
    staged_deinit(&staged);
}

static void a_session_is_what_it_says(void **state)
{
    /* Clause T-2. */
    struct staged staged;
    (void)state;

    staged_init(&staged,
                "session user \"media\" group [\"media\", \"audio\"] exe \"/usr/bin/python3\"\n"
                "        unit \"media.service\" platform \"linux\" python \"3.11.7\"\n"
                "        script \"-m plug\" label role \"plugin\" label name \"x\"",
                "fork");
    assert_true(staged.made);
    const struct subject *subject = &staged.subject.subject;
    assert_string_equal(subject->user, "media");
    assert_int_equal(subject->group_count, 2);
    assert_string_equal(subject->groups[0], "media");
    assert_string_equal(subject->groups[1], "audio");
    assert_string_equal(subject->exe, "/usr/bin/python3");
    assert_string_equal(subject->unit, "media.service");
    assert_string_equal(subject->python, "3.11.7");
    assert_string_equal(subject->script, "-m plug");
    assert_int_equal(subject->label_count, 2);
    assert_string_equal(subject->labels[0].name, "role");
    assert_string_equal(subject->labels[0].value, "plugin");
    assert_string_equal(subject->labels[1].name, "name");
    assert_int_equal(staged.subject.python_minor, 11);
    staged_deinit(&staged);
}

static void each_session_replaces_the_one_before(void **state)
{
    /* Clause T-2. */
    struct staged staged;
    (void)state;

    staged_init(&staged, "session user \"a\" unit \"u\"\nsession group \"g\" python 3", "fork");
    assert_true(staged.made);
    const struct subject *subject = &staged.subject.subject;
    assert_null(subject->user);
    assert_null(subject->unit);
    assert_int_equal(subject->group_count, 1);
    assert_string_equal(subject->groups[0], "g");
    assert_string_equal(subject->python, "3");
    staged_deinit(&staged);
}

static void places_may_be_several_and_lead_where_links_do(void **state)
{
    /* Clause T-10. */
    struct staged staged;
    (void)state;

    staged_init(&staged,
                "given \"/home\" resolves to \"/data/home\"\n"
                "session session.home \"/home/alice/\" session.temp \"/tmp\"\n"
                "        session.temp \"/var/tmp\" session.start \"/srv/./job\" exe \"/home/py\"",
                "fork");
    assert_true(staged.made);
    const struct subject *subject = &staged.subject.subject;
    assert_int_equal(subject->places[PLACE_HOME].count, 1);
    assert_string_equal(subject->places[PLACE_HOME].paths[0], "/data/home/alice");
    assert_int_equal(subject->places[PLACE_TEMP].count, 2);
    assert_string_equal(subject->places[PLACE_TEMP].paths[0], "/tmp");
    assert_string_equal(subject->places[PLACE_TEMP].paths[1], "/var/tmp");
    assert_string_equal(scene_subject_start(&staged.subject), "/srv/job");
    assert_string_equal(subject->exe, "/data/home/py");
    staged_deinit(&staged);
}

static void the_platform_is_given_or_the_sessions_own(void **state)
{
    /* Clause T-3. */
    struct staged staged;
    (void)state;

    staged_init(&staged, "given platform windows\nsession session.home 'C:\\Users\\a'", "fork");
    assert_true(staged.made);
    assert_string_equal(staged.subject.subject.platform, "windows");
    assert_true(staged.subject.windows);
    assert_string_equal(staged.subject.subject.places[PLACE_HOME].paths[0], "C:\\Users\\a");
    staged_deinit(&staged);
    staged_init(&staged, "given platform windows\nsession platform \"linux\"", "fork");
    assert_true(staged.made);
    assert_string_equal(staged.subject.subject.platform, "linux");
    assert_false(staged.subject.windows);
    staged_deinit(&staged);
}

static void mistakes_are_told(void **state)
{
    static const struct {
        const char *lines;
        const char *code;
        const char *part;
    } cases[] = {
        {"session user 5", "E023", "a string stands here"},
        {"session user [\"a\"]", "E023", "a string stands here"},
        {"session group [\"a\", 5]", "E023", "a string stands here"},
        {"session user \"a\\x00b\"", "E023", "holds no NUL"},
        {"session user \"a\" user \"b\"", "E094", "said before"},
        {"session label r \"a\" label r \"b\"", "E094", "this label was said before"},
        {"session platform \"amiga\"", "E019", "linux"},
        {"session python \"new\"", "E039", "python \"3.11\""},
        {"session exe \"python3\"", "E037", "absolute"},
        {"session session.start \"job\"", "E037", "absolute"},
        {"session session.start 5", "E023", "a string stands here"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct staged staged;
        staged_init(&staged, cases[i].lines, "fork");
        if (staged.made || !strstr(staged.said, cases[i].code) ||
            !strstr(staged.said, cases[i].part) || !strstr(staged.said, "1 error in 1 file"))
            fail_msg("%s\n%s", cases[i].lines, staged.said);
        staged_deinit(&staged);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_that_says_nothing_is_nobody),
        cmocka_unit_test(a_session_is_what_it_says),
        cmocka_unit_test(each_session_replaces_the_one_before),
        cmocka_unit_test(places_may_be_several_and_lead_where_links_do),
        cmocka_unit_test(the_platform_is_given_or_the_sessions_own),
        cmocka_unit_test(mistakes_are_told),
    };
    return cmocka_run_group_tests_name("scene_subject", tests, NULL, NULL);
}
