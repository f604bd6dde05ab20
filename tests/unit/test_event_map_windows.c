#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "event_map_fixture.h"

#define GENERIC_READ INT(0x80000000)
#define GENERIC_WRITE INT(0x40000000)
#define OPEN_EXISTING INT(3)
#define CREATE_ALWAYS INT(2)

static struct process on_windows(void)
{
    struct process process = usual_process();
    process.windows = true;
    return process;
}

static void handles_read_and_write_as_their_access_says(void **state)
{
    (void)state;
    const struct process process = on_windows();
    MAPS(&process, "_winapi.CreateFile", "read path=f>?", TEXT("f"), GENERIC_READ, INT(0),
         OPEN_EXISTING, INT(0));
    MAPS(&process, "_winapi.CreateFile", "write path=f>? action=open", TEXT("f"), GENERIC_WRITE,
         INT(0), OPEN_EXISTING, INT(0));
    MAPS(&process, "_winapi.CreateFile", "write path=f>? action=open", TEXT("f"), INT(0), INT(0),
         CREATE_ALWAYS, INT(0));
    MAPS(&process, "_winapi.CreateFile", "", TEXT("f"), INT(0), INT(0), OPEN_EXISTING, INT(0));
    /* The same bits as a signed number. */
    MAPS(&process, "_winapi.CreateFile", "read path=f>?", TEXT("f"), INT(INT32_MIN), INT(0),
         OPEN_EXISTING, INT(0));
    MAPS(&process, "_winapi.CreateFile", "read path=f>?; write path=f>? action=open", TEXT("f"),
         OBJECT("X"), INT(0), NONE, INT(0));
}

static void pipes_are_connections(void **state)
{
    (void)state;
    const struct process process = on_windows();
    MAPS(&process, "_winapi.CreateFile", "connect family=pipe path=\\\\.\\pipe\\x>?",
         TEXT("\\\\.\\pipe\\x"), GENERIC_READ, INT(0), OPEN_EXISTING, INT(0));
    MAPS(&process, "_winapi.CreateFile", "connect family=pipe path=//HOST/PIPE/x>/HOST/PIPE/x",
         TEXT("//HOST/PIPE/x"), GENERIC_READ, INT(0), OPEN_EXISTING, INT(0));
    MAPS(&process, "_winapi.CreateFile", "read path=\\\\HOST\\share\\pipe>?",
         TEXT("\\\\HOST\\share\\pipe"), GENERIC_READ, INT(0), OPEN_EXISTING, INT(0));
    MAPS(&process, "_winapi.CreateFile", "read path=\\\\HOST>?", TEXT("\\\\HOST"), GENERIC_READ,
         INT(0), OPEN_EXISTING, INT(0));
    MAPS(&process, "_winapi.CreateFile", "read path=\\\\.\\pipes\\x>?", TEXT("\\\\.\\pipes\\x"),
         GENERIC_READ, INT(0), OPEN_EXISTING, INT(0));
}

/* gh-119690: until then CPython read the name with the wrong width. */
static void names_are_unknown_where_cpython_passes_garbage(void **state)
{
    (void)state;
    struct process process = on_windows();
    process.python_minor = 10;
    MAPS(&process, "_winapi.CreateFile", "read path=?(f); connect family=pipe path=?(f)", TEXT("f"),
         GENERIC_READ, INT(0), OPEN_EXISTING, INT(0));
    process.python_minor = 12;
    MAPS(&process, "_winapi.CreateFile", "read path=f>?", TEXT("f"), GENERIC_READ, INT(0),
         OPEN_EXISTING, INT(0));
    MAPS(&process, "_winapi.CreateNamedPipe", "bind family=pipe path=?", TEXT("\\\\.\\pipe\\x"),
         INT(3), INT(6));
    process.python_minor = 0; /* not told */
    MAPS(&process, "_winapi.CreateNamedPipe", "bind family=pipe path=?", TEXT("\\\\.\\pipe\\x"),
         INT(3), INT(6));
}

static void programs_are_known_where_the_event_names_them(void **state)
{
    (void)state;
    const struct process process = on_windows();
    MAPS(&process, "_winapi.CreateProcess",
         "exec file=?(garbage?) argv=? cwd=C:\\d>? env=? shell=?", SUBCLASS_TEXT("garbage"),
         TEXT("garbage"), TEXT("C:\\d"));
    MAPS(&process, "_winapi.CreateProcess", "exec file=? argv=? cwd=x? env=? shell=?", NONE,
         TEXT("garbage"), CUT_TEXT("x"));
    MAPS(&process, "subprocess.Popen", "exec file=? argv=? cwd=/work env={A=1} shell=?", NONE,
         TEXT("cmd /c dir"), NONE, NONE);
    MAPS(&process, "os.startfile", "exec file=x.COM>? argv=? cwd=/work env={A=1} shell=true",
         TEXT("x.COM"), NONE);
    MAPS(&process, "os.startfile", "exec file=?(x.bat) argv=? cwd=/work env={A=1} shell=true",
         TEXT("x.bat"), NONE);
    MAPS(&process, "os.startfile", "exec file=?(x) argv=? cwd=/work env={A=1} shell=true",
         TEXT("x"), NONE);
}

/* The C runtime joins arguments without quoting them. */
static void arguments_that_are_read_anew_are_unknown(void **state)
{
    (void)state;
    const struct process process = on_windows();
    MAPS(&process, "os.spawn", "exec file=a.exe>? argv=[a,b] cwd=/work env={A=1} shell=?", INT(0),
         TEXT("a.exe"), LIST(TEXT("a"), TEXT("b")), NONE);
    MAPS(&process, "os.spawn", "exec file=a.exe>? argv=[a,b c]? cwd=/work env={A=1} shell=?",
         INT(0), TEXT("a.exe"), LIST(TEXT("a"), TEXT("b c")), NONE);
    MAPS(&process, "os.spawn", "exec file=a.exe>? argv=[]? cwd=/work env={A=1} shell=?", INT(0),
         TEXT("a.exe"), LIST(TEXT("")), NONE);
    MAPS(&process, "os.spawn", "exec file=a.exe>? argv=? cwd=/work env={A=1} shell=?", INT(0),
         TEXT("a.exe"), TEXT("a"), NONE);
}

static void registry_keys_have_the_name_of_their_root(void **state)
{
    (void)state;
    const struct process process = on_windows();
    MAPS(&process, "winreg.QueryInfoKey", "registry path=HKCR action=read", INT(0x80000000));
    MAPS(&process, "winreg.QueryInfoKey", "registry path=HKCC action=read", INT(0x80000005));
    MAPS(&process, "winreg.QueryInfoKey", "registry path=? action=read", INT(0x80000006));
    MAPS(&process, "winreg.QueryInfoKey", "registry path=HKLM action=read",
         INT((int64_t)0xFFFFFFFF80000002));
    MAPS(&process, "winreg.QueryInfoKey", "registry path=? action=read",
         INT((int64_t)0x0000000180000002));
    MAPS(&process, "winreg.CreateKey", "registry path=HKLM action=create", INT(0x80000002), NONE,
         INT(0));
    MAPS(&process, "winreg.CreateKey", "registry path=?(S) action=create", INT(404), TEXT("S"),
         INT(0));
    MAPS(&process, "winreg.CreateKey", "registry path=? action=create", INT(0x80000002),
         OBJECT("X"), INT(0));
}

static void keys_are_opened_to_read_unless_they_say_otherwise(void **state)
{
    (void)state;
    const struct process process = on_windows();
    MAPS(&process, "winreg.OpenKey", "registry path=HKLM action=read", INT(0x80000002), NONE,
         INT(0));
    MAPS(&process, "winreg.OpenKey", "registry path=HKLM action=write", INT(0x80000002), NONE,
         INT(0x10000));
    MAPS(&process, "winreg.OpenKey",
         "registry path=HKLM action=read; registry path=HKLM action=write", INT(0x80000002), NONE,
         INT(0x02000000));
    MAPS(&process, "winreg.OpenKey",
         "registry path=HKLM action=read; registry path=HKLM action=write", INT(0x80000002), NONE,
         OBJECT("X"));
}

static void another_computers_registry_is_a_connection(void **state)
{
    (void)state;
    const struct process process = on_windows();
    MAPS(&process, "winreg.ConnectRegistry", "registry path=HKLM action=read", NONE,
         INT(0x80000002));
    MAPS(&process, "winreg.ConnectRegistry",
         "registry path=HKLM action=read; connect host=? family=other", OBJECT("X"),
         INT(0x80000002));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handles_read_and_write_as_their_access_says),
        cmocka_unit_test(pipes_are_connections),
        cmocka_unit_test(names_are_unknown_where_cpython_passes_garbage),
        cmocka_unit_test(programs_are_known_where_the_event_names_them),
        cmocka_unit_test(arguments_that_are_read_anew_are_unknown),
        cmocka_unit_test(registry_keys_have_the_name_of_their_root),
        cmocka_unit_test(keys_are_opened_to_read_unless_they_say_otherwise),
        cmocka_unit_test(another_computers_registry_is_a_connection),
    };
    return cmocka_run_group_tests_name("event_map_windows", tests, NULL, NULL);
}
