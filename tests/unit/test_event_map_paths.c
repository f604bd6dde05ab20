#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "event_map_fixture.h"

#define READ_ONLY INT(02000000) /* O_CLOEXEC, as io.open adds it */

static void bytes_and_texts_are_the_same_path(void **state)
{
    (void)state;
    const struct process process = usual_process();
    MAPS(&process, "os.remove", "write path=/etc/x action=remove", TEXT("/etc/x"), INT(-1));
    MAPS(&process, "os.remove", "write path=/etc/x action=remove", BYTES("/etc/x"), INT(-1));
    MAPS(&process, "os.remove", "write path=/etc/\xff action=remove", BYTES("/etc/\xff"), INT(-1));
}

static void relative_paths_stand_against_the_callers_directory(void **state)
{
    (void)state;
    struct process process = usual_process();
    MAPS(&process, "os.remove", "write path=/work/a/b(./a//b) action=remove", TEXT("./a//b"),
         INT(-1));
    MAPS(&process, "os.remove", "write path=/etc/x(../etc/x) action=remove", TEXT("../etc/x"),
         INT(-1));
    process.directory = NULL;
    MAPS(&process, "os.remove", "write path=?(x) action=remove", TEXT("x"), INT(-1));
    MAPS(&process, "os.remove", "write path=/x action=remove", TEXT("/x"), INT(-1));
}

static void relative_paths_stand_against_the_descriptor(void **state)
{
    (void)state;
    const struct process process = usual_process();
    MAPS(&process, "os.mkdir", "write path=/srv/data/x(x) action=mkdir", TEXT("x"), INT(511),
         INT(5));
    MAPS(&process, "os.mkdir", "write path=/x action=mkdir", TEXT("/x"), INT(511), INT(5));
    MAPS(&process, "os.mkdir", "write path=?(x) action=mkdir", TEXT("x"), INT(511), INT(9));
    MAPS(&process, "os.mkdir", "write path=?(x) action=mkdir", TEXT("x"), INT(511), TEXT("5"));
    MAPS(&process, "os.mkdir", "write path=?(x) action=mkdir", TEXT("x"), INT(511));
    MAPS(&process, "os.mkdir", "write path=/srv/data/x(x) action=mkdir", TEXT("x"), INT(511),
         SUBCLASS_INT(5));
}

static void the_kernels_way_is_not_the_texts(void **state)
{
    (void)state;
    const struct process process = usual_process();
    /* /work/out is /etc/deep/dir, so /work/out/.. is /etc/deep and not /work. */
    MAPS(&process, "open", "write path=/work/x>/etc/deep/x(out/../x) action=open", TEXT("out/../x"),
         TEXT("w"), INT(1 | 0100));
    MAPS(&process, "open", "read path=/work/link/a>/srv/target/a", TEXT("/work/link/a"), TEXT("r"),
         READ_ONLY);
}

static void some_calls_do_not_follow_the_last_component(void **state)
{
    (void)state;
    const struct process process = usual_process();
    MAPS(&process, "os.remove", "write path=/work/link action=remove", TEXT("/work/link"), INT(-1));
    MAPS(&process, "os.rmdir", "write path=/work/link action=rmdir", TEXT("/work/link"), INT(-1));
    MAPS(&process, "os.symlink", "write path=/work/link action=symlink", TEXT("/etc/passwd"),
         TEXT("/work/link"), INT(-1));
    MAPS(&process, "os.remove", "write path=/work/out/x>/etc/deep/dir/x action=remove",
         TEXT("/work/out/x"), INT(-1));
}

/* Their events do not say whether the call follows a link. */
static void calls_that_may_follow_a_link_are_judged_by_it_and_by_what_it_leads_to(void **state)
{
    (void)state;
    const struct process process = usual_process();
    MAPS(&process, "os.chmod",
         "write path=/work/link>/srv/target action=chmod; write path=/work/link action=chmod",
         TEXT("/work/link"), INT(0), INT(-1));
    MAPS(&process, "os.utime",
         "write path=/work/link>/srv/target(link) action=utime; write path=/work/link(link) "
         "action=utime",
         TEXT("link"), NONE, NONE, INT(-1));
    MAPS(&process, "os.setxattr",
         "write path=/work/link>/srv/target action=xattr; write path=/work/link action=xattr",
         TEXT("/work/link"), TEXT("user.x"), TEXT("x"), INT(0));
    MAPS(&process, "os.removexattr",
         "write path=/work/link>/srv/target action=xattr; write path=/work/link action=xattr",
         TEXT("/work/link"), TEXT("user.x"));
    MAPS(&process, "os.link",
         "write path=/work/link action=link; write path=/work/link>/srv/target action=link; "
         "write path=/work/link action=link; read path=/work/link; "
         "read path=/work/link>/srv/target",
         TEXT("/work/link"), TEXT("/work/link"), INT(5), INT(-1));
    MAPS(&process, "os.link",
         "write path=/srv/data/link(link) action=link; write path=/etc/x(x) action=link; "
         "read path=/srv/data/link(link)",
         TEXT("link"), TEXT("x"), INT(5), INT(15));
    MAPS(&process, "os.link",
         "write path=?(link) action=link; write path=?(link) action=link; write path=/work/x(x) "
         "action=link; read path=?(link); read path=?(link)",
         TEXT("link"), TEXT("x"), INT(8), INT(-1));
}

static void descriptors_have_the_path_behind_them(void **state)
{
    (void)state;
    const struct process process = usual_process();
    MAPS(&process, "os.chmod", "write path=/srv/data/file action=chmod", INT(6), INT(0), INT(-1));
    MAPS(&process, "os.chmod", "write action=chmod", INT(7), INT(0), INT(-1));
    MAPS(&process, "os.chmod", "write path=? action=chmod", INT(8), INT(0), INT(-1));
    MAPS(&process, "os.truncate", "write path=/srv/data/file action=truncate", INT(6), INT(0));
    MAPS(&process, "os.truncate", "", INT(7), INT(0));
    MAPS(&process, "os.truncate", "write path=? action=truncate", INT(8), INT(0));
}

/* CPython asks what it cannot take for a descriptor for its __fspath__. */
static void numbers_that_may_be_no_descriptors_are_unknown_paths(void **state)
{
    (void)state;
    const struct process process = usual_process();
    MAPS(&process, "os.chmod", "write path=? action=chmod; write path=? action=chmod",
         SUBCLASS_INT(6), INT(0), INT(-1));
    MAPS(&process, "os.chmod", "write path=? action=chmod; write path=? action=chmod",
         SUBCLASS_INT(7), INT(0), INT(-1));
    MAPS(&process, "os.chmod", "write path=? action=chmod; write path=? action=chmod", INT(-1),
         INT(0), INT(-1));
    MAPS(&process, "os.chmod", "write path=? action=chmod; write path=? action=chmod",
         INT(INT64_C(1) << 40), INT(0), INT(-1));
    MAPS(&process, "os.truncate", "write path=? action=truncate", SUBCLASS_INT(7), INT(0));
    MAPS(&process, "os.truncate", "write path=? action=truncate", INT(-1), INT(0));
    MAPS(&process, "open", "write path=? action=open", SUBCLASS_INT(3), TEXT("w"), INT(1));
    MAPS(&process, "open", "write path=? action=open", SUBCLASS_INT(INT64_C(1) << 40), TEXT("w"),
         INT(1));
    MAPS(&process, "open", "write path=? action=open", SUBCLASS_INT(-(INT64_C(1) << 40)), TEXT("w"),
         INT(1));
    MAPS(&process, "open", "write path=? action=open", INT(INT64_C(1) << 31), TEXT("w"), INT(1));
    MAPS(&process, "open", "write path=? action=open", INT(-1), TEXT("w"), INT(1));
}

static void open_reads_and_writes_as_its_flags_say(void **state)
{
    (void)state;
    const struct process process = usual_process();
    const char *const read = "read path=/x";
    const char *const write = "write path=/x action=open";
    const char *const both = "read path=/x; write path=/x action=open";

    MAPS(&process, "open", read, TEXT("/x"), NONE, INT(0));
    MAPS(&process, "open", write, TEXT("/x"), NONE, INT(1));
    MAPS(&process, "open", both, TEXT("/x"), NONE, INT(2));
    MAPS(&process, "open", both, TEXT("/x"), NONE, INT(3));
    MAPS(&process, "open", both, TEXT("/x"), NONE, INT(0100));
    MAPS(&process, "open", both, TEXT("/x"), NONE, INT(01000));
    MAPS(&process, "open", both, TEXT("/x"), NONE, INT(02000));
    MAPS(&process, "open", both, TEXT("/x"), NONE, INT(020200000));
    MAPS(&process, "open", read, TEXT("/x"), TEXT("rb"), READ_ONLY);
    MAPS(&process, "open", write, TEXT("/x"), TEXT("xb"), INT(1 | 0200 | 0100));
}

static void open_reads_and_writes_as_its_mode_says_where_there_are_no_flags(void **state)
{
    (void)state;
    const struct process process = usual_process();
    const char *const both = "read path=/x; write path=/x action=open";

    MAPS(&process, "open", "read path=/x", TEXT("/x"), TEXT("rb"), INT(0));
    MAPS(&process, "open", "write path=/x action=open", TEXT("/x"), TEXT("a"), INT(0));
    MAPS(&process, "open", both, TEXT("/x"), TEXT("r+"), INT(0));
    MAPS(&process, "open", both, TEXT("/x"), TEXT("w+"), INT(0));
    MAPS(&process, "open", both, TEXT("/x"), TEXT("b"), INT(0));
    MAPS(&process, "open", both, TEXT("/x"), TEXT(""), INT(0));
    MAPS(&process, "open", both, TEXT("/x"), SUBCLASS_TEXT("r"), INT(0));
    MAPS(&process, "open", both, TEXT("/x"), TEXT("r"), TEXT("0"));
    MAPS(&process, "open", both, TEXT("/x"), TEXT("r"));
    MAPS(&process, "open", "read path=?; write path=? action=open", OBJECT("PosixPath"));
}

static void open_of_a_descriptor_is_no_operation(void **state)
{
    (void)state;
    const struct process process = usual_process();
    MAPS(&process, "open", "", INT(3), TEXT("w"), INT(1));
    MAPS(&process, "open", "", INT(INT32_MAX), TEXT("w"), INT(1));
    MAPS(&process, "open", "", BOOL(true), TEXT("w"), INT(1));
    const struct value big = {.kind = VALUE_BIG_INT, .count = 9, .bytes = "\1\1\1\1\1\1\1\1\1"};
    MAPS(&process, "open", "read path=?", big, TEXT("r"), READ_ONLY);
}

/* os.open does not say which directory a relative path is in: any that is open, or the caller's. */
static void a_relative_os_open_is_below_any_directory_that_is_open(void **state)
{
    (void)state;
    struct process process = usual_process();
    MAPS(&process, "open", "read path=/work/x(x)", TEXT("x"), NONE, INT(0));
    process.open_directories = 1;
    MAPS(&process, "open", "read path=/work/x(x); read path=/srv/data/x(x)", TEXT("x"), NONE,
         INT(0));
    MAPS(&process, "open", "read path=/work/link>/srv/target(link); read path=/srv/data/link(link)",
         BYTES("link"), NONE, INT(0));
    MAPS(&process, "open", "read path=/work/x(x)", TEXT("x"), TEXT("r"), READ_ONLY);
    MAPS(&process, "open", "read path=/x", TEXT("/x"), NONE, INT(0));
    MAPS(&process, "open", "read path=/work/x(x); read path=/srv/data/x(x)", TEXT("x"),
         OBJECT("mode"), READ_ONLY);
    MAPS(&process, "open", "read path=/work/x?(x); read path=/srv/data/x?(x)", SUBCLASS_TEXT("x"),
         NONE, INT(0));
    process.open_directories = 7; /* each of two, several times over */
    MAPS(&process, "open",
         "read path=/work/x(x); write path=/work/x(x) action=open; "
         "read path=/srv/data/x(x); write path=/srv/data/x(x) action=open; "
         "read path=/etc/x(x); write path=/etc/x(x) action=open",
         TEXT("x"), NONE, INT(2));
}

static void a_relative_os_open_is_unknown_where_the_directories_are(void **state)
{
    (void)state;
    struct process process = usual_process();
    process.open_directories = 8;
    MAPS(&process, "open", "read path=?(x)", TEXT("x"), NONE, INT(0));
    process.open_directories = -1;
    MAPS(&process, "open", "read path=?(x)", TEXT("x"), NONE, INT(0));
    process.open_directories = 0;
    process.directory = NULL;
    MAPS(&process, "open", "read path=?(x)", TEXT("x"), NONE, INT(0));
    MAPS(&process, "open", "read path=?", OBJECT("path"), NONE, INT(0));
}

static void what_readline_opens_is_told_from_files_of_that_name(void **state)
{
    (void)state;
    const struct process process = usual_process();
    const char *const file = "read path=/work/<readline_init_file>(<readline_init_file>)";

    MAPS(&process, "open", "", TEXT("<readline_init_file>"), TEXT("r"), INT(0));
    MAPS(&process, "open", file, TEXT("<readline_init_file>"), TEXT("r"), READ_ONLY);
    MAPS(&process, "open", file, TEXT("<readline_init_file>"), TEXT("rb"), INT(0));
    MAPS(&process, "open", "read path=?(~/.history)", TEXT("~/.history"), TEXT("r"), INT(0));
    MAPS(&process, "open", "read path=/work/~/.history(~/.history)", TEXT("~/.history"), TEXT("r"),
         READ_ONLY);
}

static void marked_paths_keep_their_text_and_their_mark(void **state)
{
    (void)state;
    const struct process process = usual_process();
    MAPS(&process, "os.remove", "write path=/work/x?(x) action=remove", SUBCLASS_TEXT("x"),
         INT(-1));
    MAPS(&process, "os.remove", "write path=/etc/lon? action=remove", CUT_TEXT("/etc/lon"),
         INT(-1));
    MAPS(&process, "os.remove", "write path=? action=remove", OBJECT("PosixPath"), INT(-1));
    MAPS(&process, "os.remove", "write path=? action=remove", LIST(TEXT("/x")), INT(-1));
    MAPS(&process, "os.remove", "write path=? action=remove", NONE, INT(-1));
}

static void marks_reach_both_forms(void **state)
{
    (void)state;
    const struct process process = usual_process();
    const struct value arguments[] = {SUBCLASS_TEXT("/work/link"), INT(0), INT(-1)};
    const struct event event = map_event(&process, "os.chmod", arguments, 3);
    const struct attribute *path = operation_attribute(&event.operations[0], ATTRIBUTE_PATH);
    assert_int_equal(path->value.marks, VALUE_SUBCLASS);
    assert_int_equal(path->resolved.marks, VALUE_SUBCLASS);
}

static void what_cannot_be_a_path_is_unknown(void **state)
{
    (void)state;
    const struct process process = usual_process();
    static char longest[8192];
    memset(longest, 'a', sizeof(longest));
    longest[0] = '/';

    MAPS(&process, "os.remove", "write path= action=remove", TEXT(""), INT(-1));
    const struct value nul = TEXT("/etc/\0x");
    const struct event with_nul = map_event(&process, "os.remove", &nul, 1);
    const struct attribute *path = operation_attribute(&with_nul.operations[0], ATTRIBUTE_PATH);
    assert_true(path->value.marks && path->resolved.marks);

    for (uint32_t length = 4000; length <= sizeof(longest); length += 48) {
        const struct value value = value_text(longest, length);
        const struct event event = map_event(&process, "os.remove", &value, 1);
        path = operation_attribute(&event.operations[0], ATTRIBUTE_PATH);
        assert_int_equal(path->value.marks != 0, length >= 4096);
    }
}

static void listing_nothing_lists_the_callers_directory(void **state)
{
    (void)state;
    struct process process = usual_process();
    MAPS(&process, "os.scandir", "read path=/work", NONE);
    MAPS(&process, "os.getxattr", "read path=?", NONE, TEXT("user.x"));
    process.directory = NULL;
    MAPS(&process, "os.scandir", "read path=?", NONE);
}

static void databases_are_files_but_for_memory(void **state)
{
    (void)state;
    const struct process process = usual_process();
    MAPS(&process, "sqlite3.connect", "", TEXT(":memory:"));
    MAPS(&process, "sqlite3.connect", "", BYTES(":memory:"));
    MAPS(&process, "sqlite3.connect", "", TEXT(""));
    MAPS(&process, "sqlite3.connect", "read path=/x; write path=/x action=open", BYTES("/x"));
    MAPS(&process, "sqlite3.connect", "read path=?; write path=? action=open", INT(5));
    MAPS(&process, "sqlite3.connect",
         "read path=/work/:memory:?(:memory:); "
         "write path=/work/:memory:?(:memory:) action=open",
         SUBCLASS_TEXT(":memory:"));
}

/* The event does not say whether SQLite is to take the text for a URI: it is that file, too. */
static void assert_uri(const struct process *process, const char *uri, const char *path)
{
    char file[256], expected[1024];
    size_t length = 0;

    for (const char *at = uri; *at; at++)
        if (at[0] != '/' || at[1] != '/')
            file[length++] = *at;
    file[length] = '\0';
    int written = snprintf(expected, sizeof(expected),
                           "read path=/work/%s(%s); write path=/work/%s(%s) action=open", file, uri,
                           file, uri);
    if (path)
        written += snprintf(expected + written, sizeof(expected) - (size_t)written,
                            "; read path=%s; write path=%s action=open", path, path);
    assert_true((size_t)written < sizeof(expected));
    MAPS(process, "sqlite3.connect", expected, value_text(uri, strlen(uri)));
}

static void database_that_may_be_a_uri_is_two_files(void **state)
{
    (void)state;
    const struct process process = usual_process();
    assert_uri(&process, "file:/etc/x", "/etc/x");
    assert_uri(&process, "file:///srv/a%20b.db?mode=rwc&cache=shared#x", "/srv/a b.db");
    assert_uri(&process, "file://localhost/srv/a%3Fb?mode=ro", "/srv/a?b");
    assert_uri(&process, "file:a.db?immutable=1", "/work/a.db(a.db)");
    assert_uri(&process, "file:/proc/%73elf/mem", "/proc/self/mem");
}

static void uri_that_leaves_something_open_is_unknown(void **state)
{
    (void)state;
    const struct process process = usual_process();
    static const char *const uris[] = {
        "file:/x?vfs=unix-dotfile",
        "file:/x?mode=ro&mode=memory",
        "file:/x?m%6fde=memory",
        "file:/x?mode=mem%6fry",
        "file:/x?mode",
        "file:/x?&mode=memory",
        "file:/x?filename=/etc/x",
        "file:/x%00.db",
        "file:/x%zz",
        "file:/x%4",
        "file://elsewhere/x",
        "file://x",
        "file:",
        "file:?mode=rwc",
    };
    for (size_t i = 0; i < sizeof(uris) / sizeof(*uris); i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "?(%s)", uris[i]);
        assert_uri(&process, uris[i], path);
    }
    /* What a subclass stores is what is opened, but not known for certain. */
    MAPS(&process, "sqlite3.connect",
         "read path=/work/file:/etc/x?(file:/etc/x); "
         "write path=/work/file:/etc/x?(file:/etc/x) action=open; "
         "read path=/etc/x?; write path=/etc/x? action=open",
         SUBCLASS_TEXT("file:/etc/x"));
}

static void uri_of_a_database_in_memory_is_one_file(void **state)
{
    (void)state;
    const struct process process = usual_process();
    assert_uri(&process, "file::memory:", NULL);
    assert_uri(&process, "file::memory:?cache=shared", NULL);
    assert_uri(&process, "file:x?mode=memory&cache=shared", NULL);
    assert_uri(&process, "file:%3amemory:", NULL);
    assert_uri(&process, "file::memory:x", "/work/:memory:x(:memory:x)");
}

static void libraries_are_paths_or_names(void **state)
{
    (void)state;
    const struct process process = usual_process();
    const char *const nothing = "native; ffi name=ctypes.dlopen";
    MAPS(&process, "ctypes.dlopen", nothing, NONE);
    MAPS(&process, "ctypes.dlopen", nothing, TEXT(""));
    MAPS(&process, "ctypes.dlopen", "native path=?(libx.so) name=libx.so; ffi name=ctypes.dlopen",
         BYTES("libx.so"));
    MAPS(&process, "ctypes.dlopen", "native path=/usr/lib/x.so; ffi name=ctypes.dlopen",
         TEXT("/usr/lib/x.so"));
    MAPS(&process, "ctypes.dlopen", "native path=?($ORIGIN/x.so); ffi name=ctypes.dlopen",
         TEXT("$ORIGIN/x.so"));
    MAPS(&process, "ctypes.dlopen", "native path=? name=?; ffi name=ctypes.dlopen",
         OBJECT("PosixPath"));

    MAPS(&process, "sqlite3.load_extension", "native path=/x/e.so module=sqlite3", OBJECT("c"),
         TEXT("/x/e.so"));
    MAPS(&process, "sqlite3.load_extension",
         "native path=?(e) module=sqlite3 name=e; native path=?(e) module=sqlite3 name=e",
         OBJECT("c"), TEXT("e"));
}

static void what_code_says_of_itself_is_no_path(void **state)
{
    (void)state;
    const struct process process = usual_process();
    MAPS(&process, "compile", "code name=compile file=f", BYTES("0"), TEXT("f"));
    MAPS(&process, "compile", "code name=compile file=<stdin>?", BYTES("0"),
         SUBCLASS_TEXT("<stdin>"));
    MAPS(&process, "compile", "code name=compile file=?", OBJECT("Module"), NONE);
    MAPS(&process, "compile", "code name=compile file=?", BYTES("0"));
}

static void nothing_is_known_without_answers(void **state)
{
    (void)state;
    struct process process = usual_process();
    process.knows_nothing = true;
    MAPS(&process, "os.remove", "write path=/x>? action=remove", TEXT("/x"), INT(-1));
    MAPS(&process, "os.remove", "write path=?(x) action=remove", TEXT("x"), INT(-1));
    MAPS(&process, "os.listdir", "read path=?", INT(5));
    MAPS(&process, "exec", "code name=exec file=?", OBJECT("code"));
}

static void windows_paths_stand_as_written(void **state)
{
    (void)state;
    struct process process = usual_process();
    process.windows = true;
    MAPS(&process, "os.remove", "write path=C:\\a\\..\\b>? action=remove", TEXT("C:\\a\\..\\b"),
         INT(-1));
    MAPS(&process, "open", "read path=a.txt>?; write path=a.txt>? action=open", TEXT("a.txt"), NONE,
         INT(0x102));
    MAPS(&process, "open", "read path=a.txt>?", TEXT("a.txt"), NONE, INT(0x80));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_and_texts_are_the_same_path),
        cmocka_unit_test(relative_paths_stand_against_the_callers_directory),
        cmocka_unit_test(relative_paths_stand_against_the_descriptor),
        cmocka_unit_test(the_kernels_way_is_not_the_texts),
        cmocka_unit_test(some_calls_do_not_follow_the_last_component),
        cmocka_unit_test(calls_that_may_follow_a_link_are_judged_by_it_and_by_what_it_leads_to),
        cmocka_unit_test(descriptors_have_the_path_behind_them),
        cmocka_unit_test(numbers_that_may_be_no_descriptors_are_unknown_paths),
        cmocka_unit_test(open_reads_and_writes_as_its_flags_say),
        cmocka_unit_test(open_reads_and_writes_as_its_mode_says_where_there_are_no_flags),
        cmocka_unit_test(open_of_a_descriptor_is_no_operation),
        cmocka_unit_test(a_relative_os_open_is_below_any_directory_that_is_open),
        cmocka_unit_test(a_relative_os_open_is_unknown_where_the_directories_are),
        cmocka_unit_test(what_readline_opens_is_told_from_files_of_that_name),
        cmocka_unit_test(marked_paths_keep_their_text_and_their_mark),
        cmocka_unit_test(marks_reach_both_forms),
        cmocka_unit_test(what_cannot_be_a_path_is_unknown),
        cmocka_unit_test(listing_nothing_lists_the_callers_directory),
        cmocka_unit_test(databases_are_files_but_for_memory),
        cmocka_unit_test(database_that_may_be_a_uri_is_two_files),
        cmocka_unit_test(uri_that_leaves_something_open_is_unknown),
        cmocka_unit_test(uri_of_a_database_in_memory_is_one_file),
        cmocka_unit_test(libraries_are_paths_or_names),
        cmocka_unit_test(what_code_says_of_itself_is_no_path),
        cmocka_unit_test(nothing_is_known_without_answers),
        cmocka_unit_test(windows_paths_stand_as_written),
    };
    return cmocka_run_group_tests_name("event_map_paths", tests, NULL, NULL);
}
