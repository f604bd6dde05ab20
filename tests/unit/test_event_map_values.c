#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "event_map_fixture.h"

static void signals_say_whom_they_reach(void **state)
{
    (void)state;
    const struct process process = usual_process();
    MAPS(&process, "os.kill", "signal target=self pid=100 signal=9 action=signal", INT(100),
         INT(9));
    MAPS(&process, "os.kill", "signal target=child pid=101 signal=9 action=signal", INT(101),
         INT(9));
    MAPS(&process, "os.kill", "signal target=group pid=0 signal=9 action=signal", INT(0), INT(9));
    MAPS(&process, "os.kill", "signal target=other pid=-1 signal=9 action=signal", INT(-1), INT(9));
    MAPS(&process, "os.kill", "signal target=other pid=1 signal=9 action=signal", INT(1), INT(9));
    MAPS(&process, "os.kill", "signal target=? pid=? signal=? action=signal", TEXT("1"), NONE);
    MAPS(&process, "os.kill", "signal target=? pid=? signal=? action=signal", OBJECT("X"));
}

/* CPython reads the stored number of any int: an IntEnum is one, and so is True. */
static void numbers_of_a_subclass_are_known(void **state)
{
    (void)state;
    const struct process process = usual_process();
    MAPS(&process, "os.kill", "signal target=self pid=100 signal=15 action=signal",
         SUBCLASS_INT(100), SUBCLASS_INT(15));
    MAPS(&process, "os.kill", "signal target=other pid=1 signal=0 action=signal", BOOL(true),
         BOOL(false));
    const struct value cut = {.kind = VALUE_INT, .marks = VALUE_CUT, .integer = 100};
    const struct value opaque = {
        .kind = VALUE_INT, .marks = VALUE_SUBCLASS | VALUE_OPAQUE, .integer = 100};
    MAPS(&process, "os.kill", "signal target=? pid=? signal=? action=signal", cut, opaque);
    const struct value big = {.kind = VALUE_BIG_INT, .count = 9, .bytes = "\1\1\1\1\1\1\1\1\1"};
    const struct value real = {.kind = VALUE_FLOAT, .real = 100};
    MAPS(&process, "os.kill", "signal target=? pid=? signal=? action=signal", big, real);
}

static void groups_are_negative_as_kill_takes_them(void **state)
{
    (void)state;
    const struct process process = usual_process();
    MAPS(&process, "os.killpg", "signal target=other pid=-55 signal=1 action=signal", INT(55),
         INT(1));
    MAPS(&process, "os.killpg", "signal target=group pid=0 signal=1 action=signal", INT(0), INT(1));
    /* -1 is every process there is. */
    MAPS(&process, "os.killpg", "signal target=other pid=-1 signal=1 action=signal", INT(1),
         INT(1));
    MAPS(&process, "os.killpg", "signal target=? pid=? signal=1 action=signal", INT(-5), INT(1));
    MAPS(&process, "os.killpg", "signal target=? pid=? signal=1 action=signal", INT(INT64_MIN),
         INT(1));
}

static void limits_are_ones_own_or_anothers(void **state)
{
    (void)state;
    struct process process = usual_process();
    MAPS(&process, "resource.prlimit", "environ name=RLIMIT_NOFILE", INT(0), INT(7),
         LIST(INT(1), INT(1)));
    MAPS(&process, "resource.prlimit", "environ name=RLIMIT_NOFILE", INT(100), INT(7),
         LIST(INT(1), INT(1)));
    MAPS(&process, "resource.prlimit", "signal target=other pid=1 action=limit", INT(1), INT(7),
         OBJECT("limits"));
    MAPS(&process, "resource.prlimit", "", INT(1), INT(7), NONE);
    MAPS(&process, "resource.prlimit",
         "environ name=RLIMIT_NOFILE; signal target=? pid=? action=limit", OBJECT("X"), INT(7),
         LIST(INT(1), INT(1)));
    MAPS(&process, "resource.setrlimit", "environ name=?", INT(16), LIST(INT(1), INT(1)));
    MAPS(&process, "resource.setrlimit", "environ name=?", INT(-1), LIST(INT(1), INT(1)));
    process.knows_nothing = true;
    MAPS(&process, "resource.prlimit",
         "environ name=RLIMIT_NOFILE; signal target=? pid=1 action=limit", INT(1), INT(7),
         LIST(INT(1), INT(1)));
}

static void attributes_that_steer_are_told_from_others(void **state)
{
    (void)state;
    const struct process process = usual_process();
    MAPS(&process, "object.__setattr__", "hook name=__class__", OBJECT("X"), TEXT("__class__"),
         OBJECT("type"));
    MAPS(&process, "object.__setattr__", "", OBJECT("X"), TEXT("__abstractmethods__"),
         OBJECT("frozenset"));
    MAPS(&process, "object.__setattr__", "hook name=__doc__?", OBJECT("X"),
         SUBCLASS_TEXT("__doc__"), NONE);
    MAPS(&process, "object.__delattr__", "hook name=?", OBJECT("X"), INT(1));
}

static void environment_names_are_texts(void **state)
{
    (void)state;
    struct process process = usual_process();
    MAPS(&process, "os.putenv", "environ name=LD_PRELOAD", BYTES("LD_PRELOAD"), BYTES("x"));
    MAPS(&process, "os.putenv", "environ name=LD_PRELOAD", TEXT("LD_PRELOAD"), TEXT("x"));
    MAPS(&process, "os.putenv", "environ name=?", OBJECT("X"), TEXT("x"));
}

static void imports_with_a_file_load_native_code(void **state)
{
    (void)state;
    const struct process process = usual_process();
    MAPS(&process, "import", "import module=numpy.random", TEXT("numpy.random"), NONE, NONE, NONE,
         NONE);
    MAPS(&process, "import", "import module=m; native path=? module=m", TEXT("m"));
    /* The loader expands $; CPython cuts a bare name (Python/dynload_shlib.c). */
    MAPS(&process, "import", "import module=m; native path=?(/work/$LIB/m.so) module=m", TEXT("m"),
         TEXT("/work/$LIB/m.so"));
    MAPS(&process, "import", "import module=m; native path=?(m.so) module=m", TEXT("m"),
         TEXT("m.so"));
    MAPS(&process, "import", "import module=m; native path=? module=m", TEXT("m"),
         OBJECT("PosixPath"));
    MAPS(&process, "import", "import module=m?; native path=/work/m.so module=m?",
         SUBCLASS_TEXT("m"), TEXT("/work/m.so"));
}

static void switches_are_read_as_numbers(void **state)
{
    (void)state;
    const struct process process = usual_process();
    const char *const native = "native module=sqlite3";
    MAPS(&process, "sqlite3.enable_load_extension", native, OBJECT("c"), INT(1));
    MAPS(&process, "sqlite3.enable_load_extension", native, OBJECT("c"), OBJECT("X"));
    MAPS(&process, "sqlite3.enable_load_extension", "", OBJECT("c"), INT(0));
    MAPS(&process, "mmap.__new__", "", INT(-1), INT(1));
    MAPS(&process, "mmap.__new__", "control name=mmap.__new__", OBJECT("X"), INT(1));
}

static void requests_are_numbers(void **state)
{
    (void)state;
    const struct process process = usual_process();
    const struct value big = {.kind = VALUE_BIG_INT, .count = 9, .bytes = "\1\1\1\1\1\1\1\1\1"};
    MAPS(&process, "fcntl.ioctl", "control name=fcntl.ioctl request=21522", INT(0), INT(0x5412),
         BYTES("x"));
    MAPS(&process, "fcntl.ioctl", "control name=fcntl.ioctl request=4294967295", INT(0),
         INT(UINT32_MAX), NONE);
    MAPS(&process, "fcntl.ioctl", "control name=fcntl.ioctl request=?", INT(0), big, NONE);
}

/* A number is an address wherever the request takes one. */
static void requests_with_an_address_that_python_chose_are_unknown(void **state)
{
    (void)state;
    const struct process process = usual_process();
    const char *const unknown = "control name=fcntl.ioctl request=?";
    const struct value subclass = {.kind = VALUE_INT, .marks = VALUE_SUBCLASS};

    MAPS(&process, "fcntl.ioctl", unknown, INT(0), INT(0x541b), INT(0xa56220));
    MAPS(&process, "fcntl.ioctl", unknown, INT(0), INT(0x541b), INT(-1));
    MAPS(&process, "fcntl.ioctl", unknown, INT(0), INT(0x541b), subclass);
    MAPS(&process, "fcntl.ioctl", "control name=fcntl.ioctl request=21531", INT(0), INT(0x541b),
         INT(0));
    MAPS(&process, "fcntl.ioctl", "control name=fcntl.ioctl request=21531", INT(0), INT(0x541b),
         OBJECT("array"));
    MAPS(&process, "fcntl.ioctl", "control name=fcntl.ioctl request=21505", INT(0), INT(0x5401),
         BYTES("xxxx"));
    MAPS(&process, "fcntl.ioctl", "control name=fcntl.ioctl request=21585", INT(0), INT(0x5451),
         INT(1)); /* FIOCLEX */
    MAPS(&process, "fcntl.ioctl", "control name=fcntl.ioctl request=1074041865", INT(0),
         INT(0x40049409), INT(7)); /* FICLONE */
    MAPS(&process, "fcntl.fcntl", "control name=fcntl.fcntl request=4", INT(0), INT(4), INT(2048));
    MAPS(&process, "fcntl.fcntl", "control name=fcntl.fcntl request=1030", INT(0), INT(1030),
         INT(3));
    MAPS(&process, "fcntl.fcntl", "control name=fcntl.fcntl request=?", INT(0), INT(5),
         INT(0xa56220)); /* F_GETLK */
    MAPS(&process, "fcntl.fcntl", "control name=fcntl.fcntl request=?", INT(0), INT(1036), INT(1));
    MAPS(&process, "fcntl.fcntl", "control name=fcntl.fcntl request=6", INT(0), INT(6),
         BYTES("lock"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_say_whom_they_reach),
        cmocka_unit_test(numbers_of_a_subclass_are_known),
        cmocka_unit_test(groups_are_negative_as_kill_takes_them),
        cmocka_unit_test(limits_are_ones_own_or_anothers),
        cmocka_unit_test(attributes_that_steer_are_told_from_others),
        cmocka_unit_test(environment_names_are_texts),
        cmocka_unit_test(imports_with_a_file_load_native_code),
        cmocka_unit_test(switches_are_read_as_numbers),
        cmocka_unit_test(requests_are_numbers),
        cmocka_unit_test(requests_with_an_address_that_python_chose_are_unknown),
    };
    return cmocka_run_group_tests_name("event_map_values", tests, NULL, NULL);
}
