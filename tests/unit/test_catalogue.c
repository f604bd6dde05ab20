#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policies/catalogue/catalogue.h"
#include "policies/engine/event.h"
#include "policies/engine/vocabulary.h"

static const struct event_entry *find(const char *name)
{
    return catalogue_find(name, strlen(name));
}

static void every_event_is_found_by_name_and_by_number(void **state)
{
    (void)state;
    assert_true(catalogue_event_count() >= 210);
    for (uint16_t number = 1; number <= catalogue_event_count(); number++) {
        const struct event_entry *entry = catalogue_event(number);
        assert_non_null(entry);
        assert_int_equal(entry->number, number);
        assert_ptr_equal(find(entry->name), entry);
        assert_true(strlen(entry->name) <= EVENT_NAME_MAX);
    }
}

static void what_is_not_in_the_catalogue_is_not_found(void **state)
{
    (void)state;
    assert_null(catalogue_event(EVENT_UNKNOWN));
    assert_null(catalogue_event((uint16_t)(catalogue_event_count() + 1)));
    assert_null(catalogue_event(UINT16_MAX));

    assert_null(find(""));
    assert_null(find("ope"));
    assert_null(find("opens"));
    assert_null(find("Open"));
    assert_null(find("os.execv"));
    assert_null(catalogue_find("open\0", 5));
    assert_null(catalogue_find("\0open", 5));
    assert_non_null(catalogue_find("opening", 4));

    char longest[1024];
    memset(longest, 'o', sizeof(longest));
    for (size_t length = 0; length <= sizeof(longest); length++)
        assert_null(catalogue_find(longest, length));
}

static void numbers_that_policies_were_compiled_with_stay(void **state)
{
    (void)state;
    assert_int_equal(find("_posixsubprocess.fork_exec")->number, 1);
    assert_int_equal(find("import")->number, 72);
    assert_int_equal(find("open")->number, 85);
    assert_int_equal(find("os.system")->number, 119);
    assert_int_equal(find("subprocess.Popen")->number, 165);
    assert_int_equal(find("winreg.SetValue")->number, 210);
}

static void arguments_have_names_and_secrets(void **state)
{
    (void)state;
    const struct event_entry *entry = find("subprocess.Popen");
    assert_int_equal(entry->argument_count, 4);
    assert_string_equal(catalogue_argument_name(entry, 0), "executable");
    assert_string_equal(catalogue_argument_name(entry, 3), "env");
    assert_int_equal(entry->secret, 1U << 3);
    assert_int_equal(entry->forwarded_count, 4);

    assert_int_equal(find("import")->argument_count, 5);
    assert_int_equal(find("import")->forwarded_count, 2);
    assert_int_equal(find("builtins.input/result")->secret, 1);
    assert_int_equal(find("os.putenv")->secret, 1U << 1);
    assert_int_equal(find("fcntl.ioctl")->secret, 1U << 2); /* TIOCSTI types into a terminal */
    assert_int_equal(find("os.fork")->argument_count, 0);

    for (uint16_t number = 1; number <= catalogue_event_count(); number++) {
        entry = catalogue_event(number);
        assert_true(entry->forwarded_count <= entry->argument_count);
        assert_int_equal(entry->secret >> entry->argument_count, 0);
    }
}

static void versions_platforms_and_vetoes_are_told(void **state)
{
    (void)state;
    assert_int_equal(find("open")->since, 8);
    assert_int_equal(find("open")->removed, 0);
    assert_int_equal(find("open")->veto, VETO_RAISES);
    assert_int_equal(find("nntplib.connect")->removed, 13);
    assert_int_equal(find("socket()")->removed, 9);
    assert_int_equal(find("winreg.OpenKey")->platforms, PLATFORM_WINDOWS);
    assert_int_equal(find("os.fork")->platforms, PLATFORM_LINUX | PLATFORM_OTHER);
    assert_int_equal(find("cpython._PySys_ClearAuditHooks")->veto, VETO_NEVER);
    assert_int_equal(find("cpython.PyInterpreterState_New")->veto, VETO_ENDS);
    assert_int_equal(find("sys.addaudithook")->veto, VETO_SWALLOWED);
    assert_int_equal(find("sys.unraisablehook")->veto, VETO_SWALLOWED);
    assert_int_equal(find("sys.excepthook")->veto, VETO_NEVER);

    const struct event_entry *entry = find("sys.set_asyncgen_hooks_firstiter");
    assert_int_equal(entry->platforms, 0);
    assert_string_equal(catalogue_event(entry->instead)->name, "sys.set_asyncgen_hook_firstiter");
}

static void classes_are_told(void **state)
{
    (void)state;
    assert_int_equal(find("subprocess.Popen")->classes, 1U << CLASS_EXEC);
    assert_int_equal(find("open")->classes, 1U << CLASS_READ | 1U << CLASS_WRITE);
    assert_int_equal(find("shutil.copytree")->classes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_is_found_by_name_and_by_number),
        cmocka_unit_test(what_is_not_in_the_catalogue_is_not_found),
        cmocka_unit_test(numbers_that_policies_were_compiled_with_stay),
        cmocka_unit_test(arguments_have_names_and_secrets),
        cmocka_unit_test(versions_platforms_and_vetoes_are_told),
        cmocka_unit_test(classes_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
