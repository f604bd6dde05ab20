/* What the hook came with is taken once in a process: here it is one variable. */
#include "tests/unit/unit_test.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/hook/boundary_environment.h"
#include "client/hook/first_environment.h"
#include "client/hook/inherited_environment.h"

static unsigned char memory[16 * 1024];

/* The environment as one text: A=1 B=2. */
static const char *child_of(const char *const *environment, bool held, const char *passed)
{
    static char text[1024];
    struct arena arena;

    arena_init(&arena, memory, sizeof(memory));
    char *const *made =
        boundary_environment_for_child((char *const *)environment, held, passed, &arena);
    assert_non_null(made);
    text[0] = '\0';
    for (size_t i = 0; made[i]; i++) {
        const size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%s%s", i > 0 ? " " : "", made[i]);
    }
    return text;
}

#define CHILD_OF(held, passed, ...)                                                                \
    child_of((const char *const[]){__VA_ARGS__, NULL}, (held), (passed))

static int take(void **state)
{
    (void)state;
    unsetenv("LD_PRELOAD");
    unsetenv("WARDER_DOOR");
    setenv("WARDER_SOCKET", "/run/s", 1);
    setenv("WARDER_RUN", "ab", 1);
    inherited_environment_take();
    char *const found[] = {"A=1", "ENVIRON=y", "PYTHONPATH=x", "FOUND=", NULL};
    char *const later[] = {"LATER=1", NULL};
    first_environment_note(found);
    first_environment_note(later); /* counts for nothing */
    return 0;
}

static void what_brought_the_hook_goes_with_an_emptied_environment(void **state)
{
    (void)state;
    assert_non_null(strstr(CHILD_OF(false, NULL, NULL), "WARDER_SOCKET=/run/s"));
    assert_non_null(strstr(child_of(NULL, true, NULL), "WARDER_RUN=ab"));
}

static void an_environment_that_is_as_it_should_be_is_used_as_it_is(void **state)
{
    (void)state;
    const char *const environment[] = {"A=1", "WARDER_RUN=ab", "WARDER_SOCKET=/run/s", NULL};
    struct arena arena;

    arena_init(&arena, memory, sizeof(memory));
    assert_ptr_equal(boundary_environment_for_child((char *const *)environment, true, NULL, &arena),
                     environment);
}

static void a_daemon_of_the_programs_choice_is_none(void **state)
{
    (void)state;
    const char *made = CHILD_OF(false, NULL, "WARDER_SOCKET=/tmp/x", "WARDER_SOCKET=/tmp/y");
    assert_null(strstr(made, "/tmp/"));
    assert_non_null(strstr(made, "WARDER_SOCKET=/run/s"));
}

static void a_token_of_another_run_stays(void **state)
{
    (void)state;
    assert_non_null(strstr(CHILD_OF(true, NULL, "WARDER_RUN=cd"), "WARDER_RUN=cd"));
}

static void variables_that_steer_are_kept_back_where_an_exec_can_be_denied(void **state)
{
    (void)state;
    const char *made = CHILD_OF(true, "LD_LIBRARY_PATH\0", "A=1", "LD_AUDIT=x", "BASH_ENV=x",
                                "PYTHONPATH=x", "ENV=x", "ENVIRON=y", "LD_LIBRARY_PATH=z");
    assert_null(strstr(made, "=x"));
    assert_non_null(strstr(made, "A=1"));
    assert_non_null(strstr(made, "ENVIRON=y"));
    assert_non_null(strstr(made, "LD_LIBRARY_PATH=z"));
    assert_non_null(strstr(CHILD_OF(false, NULL, "LD_AUDIT=x"), "LD_AUDIT=x"));
}

static void of_all_others_what_is_harmless_and_what_was_found_passes(void **state)
{
    (void)state;
    const char *made =
        CHILD_OF(true, "NAMED\0", "A=2", "AB=1", "NAMED=n", "LATER=1", "FOUND=", "PATH=/new",
                 "LC_TIME=C", "LANGUAGES=de", "HOME=/h", "malformed", "=x");
    for (const char *const *gone =
             (const char *const[]){"A=2", "AB=1", "LATER", "LANGUAGES", "malformed", "=x", NULL};
         *gone; gone++)
        if (strstr(made, *gone))
            fail_msg("%s passed: %s", *gone, made);
    for (const char *const *there =
             (const char *const[]){"NAMED=n", "FOUND=", "PATH=/new", "LC_TIME=C", "HOME=/h", NULL};
         *there; there++)
        if (!strstr(made, *there))
            fail_msg("%s is kept back: %s", *there, made);
    assert_non_null(strstr(CHILD_OF(false, NULL, "A=2", "AB=1"), "A=2 AB=1"));
}

static void a_language_with_a_path_and_a_zone_elsewhere_are_kept_back(void **state)
{
    (void)state;
    const char *made =
        CHILD_OF(true, NULL, "LANGUAGE=../../tmp/x", "LC_ALL=/tmp/x", "LANG=a/x", "TZ=/tmp/x",
                 "TZ=:/tmp/x", "TZ=/usr/share/zoneinfo/../x", "TZ=../x", "SHELL=/tmp/x");
    assert_null(strstr(made, "/x"));
    made = CHILD_OF(true, "LANGUAGE\0", "LANGUAGE=a/x", "LC_ALL=de_DE.UTF-8@euro", "LANG=C",
                    "TZ=:/etc/localtime", "TZ=Europe/Berlin", "TZ=/usr/share/zoneinfo/UTC");
    for (const char *const *there =
             (const char *const[]){"LANGUAGE=a/x", "LC_ALL=de_DE.UTF-8@euro", "LANG=C",
                                   "TZ=:/etc/localtime", "TZ=Europe/Berlin",
                                   "TZ=/usr/share/zoneinfo/UTC", NULL};
         *there; there++)
        if (!strstr(made, *there))
            fail_msg("%s is kept back: %s", *there, made);
}

static void what_does_not_fit_gives_nothing(void **state)
{
    (void)state;
    const char *const environment[] = {"A=1", NULL};
    struct arena arena;

    arena_init(&arena, memory, 8);
    assert_null(boundary_environment_for_child((char *const *)environment, true, NULL, &arena));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_brought_the_hook_goes_with_an_emptied_environment),
        cmocka_unit_test(an_environment_that_is_as_it_should_be_is_used_as_it_is),
        cmocka_unit_test(a_daemon_of_the_programs_choice_is_none),
        cmocka_unit_test(a_token_of_another_run_stays),
        cmocka_unit_test(variables_that_steer_are_kept_back_where_an_exec_can_be_denied),
        cmocka_unit_test(of_all_others_what_is_harmless_and_what_was_found_passes),
        cmocka_unit_test(a_language_with_a_path_and_a_zone_elsewhere_are_kept_back),
        cmocka_unit_test(what_does_not_fit_gives_nothing),
    };
    return cmocka_run_group_tests(tests, take, NULL);
}
