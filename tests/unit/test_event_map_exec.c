#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "event_map_fixture.h"

static void popen_searches_the_path_of_the_childs_environment(void **state)
{
    (void)state;
    const struct process process = usual_process();
    MAPS(&process, "subprocess.Popen",
         "exec file=/usr/local/bin/tool(tool) argv=[tool] cwd=/work env={A=1} shell=false",
         TEXT("tool"), LIST(TEXT("tool")), NONE, NONE);
    MAPS(&process, "subprocess.Popen",
         "exec file=/bin/id>/usr/bin/id(id) argv=[id] cwd=/work env={PATH=/x:/bin} shell=false",
         TEXT("id"), LIST(TEXT("id")), NONE, MAP(TEXT("PATH"), TEXT("/x:/bin")));
    MAPS(&process, "subprocess.Popen",
         "exec file=/bin/id>/usr/bin/id(id) argv=[id] cwd=/work env={PATH=/bin} shell=false",
         BYTES("id"), LIST(BYTES("id")), NONE, MAP(BYTES("PATH"), BYTES("/bin")));
    /* os.defpath */
    MAPS(&process, "subprocess.Popen",
         "exec file=/bin/id>/usr/bin/id(id) argv=[id] cwd=/work env={B=2} shell=false", TEXT("id"),
         LIST(TEXT("id")), NONE, MAP(TEXT("B"), TEXT("2")));
    MAPS(&process, "subprocess.Popen",
         "exec file=tool argv=[tool] cwd=/work env={PATH=/usr/bin} shell=false", TEXT("tool"),
         LIST(TEXT("tool")), NONE, MAP(TEXT("PATH"), TEXT("/usr/bin")));
}

static void popen_starts_from_the_childs_directory(void **state)
{
    (void)state;
    struct process process = usual_process();
    MAPS(&process, "subprocess.Popen",
         "exec file=/child/prog(./prog) argv=[] cwd=/child env={A=1} shell=false", TEXT("./prog"),
         EMPTY_LIST, TEXT("/child"), NONE);
    MAPS(&process, "subprocess.Popen",
         "exec file=/work/sub/prog(./prog) argv=[] cwd=/work/sub(sub) env={A=1} shell=false",
         TEXT("./prog"), EMPTY_LIST, TEXT("sub"), NONE);
    /* PATH has the relative part `bin`, and an empty part is the directory itself. */
    MAPS(&process, "subprocess.Popen",
         "exec file=/child/bin/own(own) argv=[] cwd=/child env={A=1} shell=false", TEXT("own"),
         EMPTY_LIST, TEXT("/child"), NONE);
    MAPS(&process, "subprocess.Popen",
         "exec file=/child/prog(prog) argv=[] cwd=/child env={PATH=/x::/y} shell=false",
         TEXT("prog"), EMPTY_LIST, TEXT("/child"), MAP(TEXT("PATH"), TEXT("/x::/y")));
    /* .. behind a link: the child's directory is /etc/deep, not /work. */
    MAPS(&process, "subprocess.Popen",
         "exec file=/work/prog>/etc/deep/prog(./prog) argv=[] cwd=/work>/etc/deep(out/..) "
         "env={A=1} shell=false",
         TEXT("./prog"), EMPTY_LIST, TEXT("out/.."), NONE);

    MAPS(&process, "subprocess.Popen", "exec file=?(./prog) argv=[] cwd=? env={A=1} shell=?",
         TEXT("./prog"), EMPTY_LIST, OBJECT("PosixPath"), NONE);
    MAPS(&process, "subprocess.Popen",
         "exec file=/usr/bin/id(id) argv=[] cwd=? env={A=1} shell=false", TEXT("id"), EMPTY_LIST,
         OBJECT("PosixPath"), NONE);
    MAPS(&process, "subprocess.Popen", "exec file=?(own) argv=[] cwd=? env={A=1} shell=?",
         TEXT("own"), EMPTY_LIST, OBJECT("PosixPath"), NONE);
    process.directory = NULL;
    MAPS(&process, "subprocess.Popen", "exec file=?(./prog) argv=[] cwd=? env={A=1} shell=?",
         TEXT("./prog"), EMPTY_LIST, NONE, NONE);
}

static void doubt_about_the_search_is_doubt_about_the_file(void **state)
{
    (void)state;
    struct process process = usual_process();
    MAPS(&process, "subprocess.Popen", "exec file=?(id) argv=[] cwd=/work env=? shell=?",
         TEXT("id"), EMPTY_LIST, NONE, OBJECT("_Environ"));
    MAPS(&process, "subprocess.Popen", "exec file=?(id) argv=[] cwd=/work env={PATH=/bin?} shell=?",
         TEXT("id"), EMPTY_LIST, NONE, MAP(TEXT("PATH"), SUBCLASS_TEXT("/bin")));
    MAPS(&process, "subprocess.Popen",
         "exec file=?(id) argv=[] cwd=/work env={X=1,Y?=/bin} shell=?", TEXT("id"), EMPTY_LIST,
         NONE, MAP(TEXT("X"), TEXT("1"), SUBCLASS_TEXT("Y"), TEXT("/bin")));
    MAPS(&process, "subprocess.Popen",
         "exec file=?(id) argv=[] cwd=/work env={PATH=/bin,PATH=/x} shell=?", TEXT("id"),
         EMPTY_LIST, NONE, MAP(TEXT("PATH"), TEXT("/bin"), BYTES("PATH"), BYTES("/x")));
    MAPS(&process, "subprocess.Popen", "exec file=? argv=[] cwd=/work env={A=1} shell=?",
         OBJECT("PosixPath"), EMPTY_LIST, NONE, NONE);
    MAPS(&process, "subprocess.Popen", "exec file=?(/bin/sh?) argv=[] cwd=/work env={A=1} shell=?",
         SUBCLASS_TEXT("/bin/sh"), EMPTY_LIST, NONE, NONE);
    MAPS(&process, "subprocess.Popen", "exec file=? argv=[] cwd=/work env={A=1} shell=?", NONE,
         EMPTY_LIST, NONE, NONE);
    process.knows_nothing = true;
    MAPS(&process, "subprocess.Popen", "exec file=?(id) argv=[] cwd=? env=? shell=?", TEXT("id"),
         EMPTY_LIST, NONE, NONE);
}

static void a_search_has_an_end(void **state)
{
    (void)state;
    struct process process = usual_process();
    static char path[3 * 300 + 16];
    for (size_t i = 0; i < 300; i++)
        (void)snprintf(path + 3 * i, sizeof(path) - 3 * i, "/x:/usr/bin");
    process.path = path;
    MAPS(&process, "subprocess.Popen", "exec file=?(id) argv=[] cwd=/work env={A=1} shell=?",
         TEXT("id"), EMPTY_LIST, NONE, NONE);
    process.path = "";
    MAPS(&process, "subprocess.Popen",
         "exec file=/work/here(here) argv=[] cwd=/work env={A=1} shell=false", TEXT("here"),
         EMPTY_LIST, NONE, NONE);
    process.path = NULL;
    MAPS(&process, "subprocess.Popen",
         "exec file=/bin/id>/usr/bin/id(id) argv=[] cwd=/work env={A=1} shell=false", TEXT("id"),
         EMPTY_LIST, NONE, NONE);
}

static void exec_takes_paths_and_descriptors(void **state)
{
    (void)state;
    const struct process process = usual_process();
    MAPS(&process, "os.exec", "exec file=/work/id(id) argv=[id] cwd=/work env={A=1} shell=false",
         TEXT("id"), LIST(TEXT("id")), NONE);
    MAPS(&process, "os.exec", "exec file=/srv/data/file argv=[x] cwd=/work env={} shell=false",
         INT(6), LIST(TEXT("x")), ((struct value){.kind = VALUE_MAP}));
    MAPS(&process, "os.exec", "exec file=? argv=? cwd=/work env=? shell=?", OBJECT("X"),
         OBJECT("Y"), OBJECT("Z"));
}

/* posix_spawn takes a bare name from the directory, posix_spawnp searches for it: one event. */
static void spawn_is_known_where_one_of_two_is_meant(void **state)
{
    (void)state;
    const struct process process = usual_process();
    MAPS(&process, "os.posix_spawn",
         "exec file=/usr/bin/id(id) argv=[] cwd=/work env={A=1} shell=false", TEXT("id"),
         EMPTY_LIST, NONE);
    MAPS(&process, "os.posix_spawn",
         "exec file=/work/here(here) argv=[] cwd=/work env={A=1} shell=false", TEXT("here"),
         EMPTY_LIST, NONE);
    MAPS(&process, "os.posix_spawn", "exec file=?(both) argv=[] cwd=/work env={A=1} shell=?",
         TEXT("both"), EMPTY_LIST, NONE);
    MAPS(&process, "os.posix_spawn", "exec file=nowhere argv=[] cwd=/work env={A=1} shell=false",
         TEXT("nowhere"), EMPTY_LIST, NONE);
    MAPS(&process, "os.posix_spawn", "exec file=/work/x(./x) argv=[] cwd=/work env=? shell=false",
         TEXT("./x"), EMPTY_LIST, OBJECT("_Environ"));
}

static void fork_exec_starts_the_first_candidate_that_is_there(void **state)
{
    (void)state;
    const struct process process = usual_process();
    MAPS(&process, "_posixsubprocess.fork_exec",
         "exec file=/usr/bin/id argv=[id] cwd=? env={A=1} shell=false",
         LIST(BYTES("/x/id"), BYTES("/usr/bin/id"), BYTES("/bin/id")), LIST(BYTES("id")), NONE);
    MAPS(&process, "_posixsubprocess.fork_exec",
         "exec file=/x/id argv=[id] cwd=? env={A=1,B=,C=} shell=false",
         LIST(BYTES("/x/id"), BYTES("/y/id")), LIST(BYTES("id")),
         LIST(BYTES("A=1"), BYTES("B"), BYTES("C=")));
    MAPS(&process, "_posixsubprocess.fork_exec", "exec file=? argv=[id] cwd=? env={A=1} shell=?",
         LIST(BYTES("/x/id"), BYTES("bin/id"), BYTES("/bin/id")), LIST(BYTES("id")), NONE);
    MAPS(&process, "_posixsubprocess.fork_exec",
         "exec file=/nowhere argv=[] cwd=? env={A=1} shell=false", LIST(BYTES("/nowhere")),
         EMPTY_LIST, NONE);
    MAPS(&process, "_posixsubprocess.fork_exec", "exec file=? argv=[] cwd=? env={A=1} shell=?",
         LIST(SUBCLASS_TEXT("/usr/bin/id")), EMPTY_LIST, NONE);
    MAPS(&process, "_posixsubprocess.fork_exec", "exec file=? argv=[] cwd=? env={A=1} shell=?",
         EMPTY_LIST, EMPTY_LIST, NONE);
}

static void pty_spawn_searches_for_its_first_argument(void **state)
{
    (void)state;
    const struct process process = usual_process();
    MAPS(&process, "pty.spawn",
         "exec file=/usr/bin/dash(dash) argv=[dash,-c,x] cwd=/work env={A=1} shell=true",
         LIST(TEXT("dash"), TEXT("-c"), TEXT("x")));
    MAPS(&process, "pty.spawn", "exec file=/work/a(./a) argv=[./a] cwd=/work env={A=1} shell=false",
         LIST(TEXT("./a")));
    MAPS(&process, "pty.spawn", "exec file=?(id) argv=? cwd=/work env={A=1} shell=?", TEXT("id"));
    MAPS(&process, "pty.spawn", "exec file=? argv=[] cwd=/work env={A=1} shell=?", EMPTY_LIST);
    MAPS(&process, "pty.spawn", "exec file=? argv=[id?] cwd=/work env={A=1} shell=?",
         LIST(SUBCLASS_TEXT("id")));
}

static void system_is_a_shell_with_a_command(void **state)
{
    (void)state;
    struct process process = usual_process();
    MAPS(&process, "os.system",
         "exec file=/bin/sh>/usr/bin/dash argv=[sh,-c,id; ls] cwd=/work env={A=1} shell=true",
         BYTES("id; ls"));
    MAPS(&process, "os.system",
         "exec file=/bin/sh>/usr/bin/dash argv=[sh,-c,?] cwd=/work env={A=1} shell=true",
         OBJECT("X"));
    process.windows = true;
    MAPS(&process, "os.system",
         "exec file=C:\\Windows\\cmd.exe>? argv=[cmd.exe,/c,dir] cwd=/work env={A=1} shell=true",
         TEXT("dir"));
}

static const char *shell_of(const char *file, const struct value *argv)
{
    static char text[16];
    const struct process process = usual_process();
    const struct value arguments[] = {value_text(file, strlen(file)), *argv, {.kind = VALUE_NONE}};
    const struct event event = map_event(&process, "os.exec", arguments, 3);
    const struct value *shell = &operation_attribute(&event.operations[0], ATTRIBUTE_SHELL)->value;
    (void)snprintf(text, sizeof(text), "%s",
                   shell->marks ? "?" : (shell->truth ? "true" : "false"));
    return text;
}

#define SHELL(expected, file, ...)                                                                 \
    do {                                                                                           \
        const struct value argv = LIST(__VA_ARGS__);                                               \
        assert_string_equal(shell_of(file, &argv), expected);                                      \
    } while (0)

static void shells_are_told_by_their_options(void **state)
{
    (void)state;
    SHELL("true", "/bin/sh", TEXT("sh"), TEXT("-c"), TEXT("id"));
    SHELL("true", "/bin/bash", TEXT("anything"), TEXT("-c"), TEXT("id"));
    SHELL("true", "/usr/bin/zsh", TEXT("zsh"), TEXT("-ec"), TEXT("id"));
    SHELL("true", "/bin/ksh", TEXT("ksh"), TEXT("-e"), TEXT("-u"), TEXT("-c"), TEXT("id"));
    SHELL("true", "/bin/bash", TEXT("bash"), TEXT("--norc"), TEXT("-c"), TEXT("id"));
    SHELL("true", "/bin/bash", TEXT("bash"), TEXT("--rcfile"), TEXT("f"), TEXT("-c"), TEXT("id"));
    SHELL("true", "/bin/bash", TEXT("bash"), TEXT("-o"), TEXT("errexit"), TEXT("-c"), TEXT("id"));
    SHELL("true", "/bin/bash", TEXT("bash"), TEXT("+e"), TEXT("-c"), TEXT("id"));
    SHELL("true", "/work/../bin/sh", BYTES("sh"), BYTES("-c"), BYTES("id"));
    SHELL("false", "/bin/sh", TEXT("sh"));
    SHELL("false", "/bin/sh", TEXT("sh"), TEXT("script"), TEXT("-c"));
    SHELL("false", "/bin/sh", TEXT("sh"), TEXT("--"), TEXT("-c"));
    SHELL("false", "/bin/sh", TEXT("sh"), TEXT("-e"), TEXT("script"), TEXT("-c"));
    SHELL("false", "/usr/bin/env", TEXT("sh"), TEXT("-c"), TEXT("id"));
    SHELL("?", "/bin/sh", TEXT("sh"), SUBCLASS_TEXT("-x"), TEXT("script"));
    SHELL("?", "/bin/sh", TEXT("sh"), OBJECT("X"));
    SHELL("true", "C:\\Windows\\System32\\cmd.exe", TEXT("cmd"), TEXT("/d/c"), TEXT("dir"));
    SHELL("false", "C:\\Windows\\System32\\cmd.exe", TEXT("cmd"), TEXT("/d"));
}

/* A link of another name that leads to a shell is a shell. */
static void a_shell_is_told_by_either_form_of_its_path(void **state)
{
    (void)state;
    SHELL("true", "/usr/bin/sh", TEXT("x"), TEXT("-c"), TEXT("id"));
    const struct value list = {.kind = VALUE_LIST, .marks = VALUE_SUBCLASS};
    assert_string_equal(shell_of("/bin/sh", &list), "?");
    assert_string_equal(shell_of("/bin/id", &list), "false");
    const struct value cut = {.kind = VALUE_LIST, .marks = VALUE_CUT};
    assert_string_equal(shell_of("/bin/sh", &cut), "?");
}

static void arguments_and_environments_keep_their_marks(void **state)
{
    (void)state;
    const struct process process = usual_process();
    const struct value text = TEXT("id");
    const struct value list = {
        .kind = VALUE_LIST, .marks = VALUE_SUBCLASS, .count = 1, .items = &text};
    const struct value pair[] = {TEXT("A"), INT(1)};
    const struct value map = {.kind = VALUE_MAP, .marks = VALUE_CUT, .count = 1, .items = pair};
    MAPS(&process, "os.exec", "exec file=/x argv=[id]? cwd=/work env={A=?}? shell=false",
         TEXT("/x"), list, map);
    MAPS(&process, "os.exec", "exec file=/x argv=[id,?,id?] cwd=/work env=? shell=false",
         TEXT("/x"), LIST(BYTES("id"), INT(3), CUT_TEXT("id")), INT(3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(popen_searches_the_path_of_the_childs_environment),
        cmocka_unit_test(popen_starts_from_the_childs_directory),
        cmocka_unit_test(doubt_about_the_search_is_doubt_about_the_file),
        cmocka_unit_test(a_search_has_an_end),
        cmocka_unit_test(exec_takes_paths_and_descriptors),
        cmocka_unit_test(spawn_is_known_where_one_of_two_is_meant),
        cmocka_unit_test(fork_exec_starts_the_first_candidate_that_is_there),
        cmocka_unit_test(pty_spawn_searches_for_its_first_argument),
        cmocka_unit_test(system_is_a_shell_with_a_command),
        cmocka_unit_test(shells_are_told_by_their_options),
        cmocka_unit_test(a_shell_is_told_by_either_form_of_its_path),
        cmocka_unit_test(arguments_and_environments_keep_their_marks),
    };
    return cmocka_run_group_tests_name("event_map_exec", tests, NULL, NULL);
}
