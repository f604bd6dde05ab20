/* What happens in a test: every kind of value, every question of the mapping, every mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "event_map_fixture.h"
#include "scene_fixture.h"

/* The operations are those, as operations_text writes them. */
static void assert_is(const char *lines, const char *stated, const char *expected, int line)
{
    struct staged staged;

    staged_init(&staged, lines, stated);
    if (!staged.made)
        fail_msg("line %d: %s\n%s", line, stated, staged.said);
    const char *text = operations_text(&staged.event);
    if (strcmp(text, expected) != 0)
        fail_msg("line %d: %s\nis       %s\nexpected %s", line, stated, text, expected);
    staged_deinit(&staged);
}
#define IS(lines, stated, expected) assert_is(lines, stated, expected, __LINE__)

/* The one message holds both texts. */
static void assert_wrong(const char *lines, const char *stated, const char *code, const char *part,
                         int line)
{
    struct staged staged;

    staged_init(&staged, lines, stated);
    if (staged.made || !strstr(staged.said, code) || !strstr(staged.said, part) ||
        !strstr(staged.said, "1 error in 1 file"))
        fail_msg("line %d: %s\n%s", line, stated, staged.said);
    staged_deinit(&staged);
}
#define WRONG(lines, stated, code, part) assert_wrong(lines, stated, code, part, __LINE__)

static const char in_job[] = "session session.start \"/srv/job\"";
static const char links[] = "given \"/bin\" resolves to \"/usr/bin\"\n"
                            "given \"/bin/sh\" resolves to \"/usr/bin/dash\"\n"
                            "given \"/srv/job/out\" resolves to \"/etc/deep/dir\"\n"
                            "session session.start \"/srv/job\"";

static void operations_have_what_is_written_and_nothing_else(void **state)
{
    /* Clauses T-10 and T-4. */
    (void)state;
    IS("", "exec", "exec");
    IS("", "fork", "fork");
    IS("", "exec \"/usr/bin/git\"", "exec file=/usr/bin/git");
    IS("", "exec file \"/usr/bin/git\" argv ([\"git\", \"push\"])",
       "exec file=/usr/bin/git argv=[git,push]");
    IS("", "exec argv [] shell true env [\"A=1\", \"B=\"]", "exec argv=[] env={A=1,B=} shell=true");
    IS("", "exec argv [\"a\", unknown] shell false", "exec argv=[a,?] shell=false");
    IS("", "exec env [unknown]", "exec env={?=?}");
    IS("", "signal \"other\" pid 7 signal \"TERM\" action \"signal\"",
       "signal target=other pid=7 signal=15 action=signal");
    IS("", "signal signal 9", "signal signal=9");
    IS("", "connect 10.20.0.1 port 443 host \"a.org\" family \"inet\"",
       "connect address=10.20.0.1 port=443 host=a.org family=inet");
    IS("", "connect ::ffff:10.20.0.1 host [\"a.org\", \"b.org\"]",
       "connect address=10.20.0.1 host=[a.org,b.org]");
    IS("", "bind 0.0.0.0 port 80", "bind address=0.0.0.0 port=80");
    IS("", "import \"numpy.linalg\"", "import module=numpy.linalg");
    IS("", "code \"compile\" file \"<string>\"", "code name=compile file=<string>");
    IS("", "registry 'HKLM\\Software' action \"read\"", "registry path=HKLM\\Software action=read");
    IS("", "control \"fcntl.ioctl\" request 0x5413", "control name=fcntl.ioctl request=21523");
    IS("", "run \"module\" module none", "run how=module module=none");
    IS("", "hook \"sys.settrace\"", "hook name=sys.settrace");
}

static void what_is_unknown_is_marked(void **state)
{
    /* Clause T-8. */
    (void)state;
    IS("", "exec file unknown argv unknown env unknown shell unknown",
       "exec file=? argv=? env=? shell=?");
    IS("", "connect address unknown port unknown", "connect address=? port=? host=nameless");
    IS("", "write path unknown action unknown", "write path=? action=?");
    IS("", "import module unknown", "import module=?");
    /* What a program inherits. */
    IS("", "exec env none", "exec env=?");
    IS(in_job, "exec \"tool\" cwd unknown", "exec file=?(tool) cwd=?");
}

static void paths_have_both_forms(void **state)
{
    (void)state;
    IS(links, "exec \"/bin/sh\"", "exec file=/bin/sh>/usr/bin/dash");
    IS(links, "exec \"/usr/bin/sh\"", "exec file=/usr/bin/sh>/usr/bin/dash");
    IS(links, "exec \"/bin/id\"", "exec file=/bin/id>/usr/bin/id");
    IS(links, "exec \"/usr/bin/dash\"", "exec file=/usr/bin/dash");
    /* `..` behind a link leads out of where that leads to. */
    IS(links, "read \"/srv/job/out/../x\"", "read path=/srv/job/x>/etc/deep/x(/srv/job/out/../x)");
    IS(links, "read \"out/y\"", "read path=/srv/job/out/y>/etc/deep/dir/y(out/y)");
    IS(links, "read \"./a//b/\"", "read path=/srv/job/a/b(./a//b/)");
    IS(links, "read \"/../..\"", "read path=/(/../..)");
    IS(links, "write \"out\" action \"open\"",
       "write path=/srv/job/out>/etc/deep/dir(out) action=open");
    IS(links, "write \"\"", "write path=");
}

static void some_actions_do_not_follow_the_last_component(void **state)
{
    static const char *const actions[] = {"remove", "rename", "rmdir", "link", "symlink", "socket"};
    char stated[128];
    char expected[128];
    (void)state;

    for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
        (void)snprintf(stated, sizeof(stated), "write \"out\" action \"%s\"", actions[i]);
        (void)snprintf(expected, sizeof(expected), "write path=/srv/job/out(out) action=%s",
                       actions[i]);
        IS(links, stated, expected);
    }
    IS(links, "write \"out/x\" action \"remove\"",
       "write path=/srv/job/out/x>/etc/deep/dir/x(out/x) action=remove");
}

static void relative_paths_are_below_the_directory_of_the_call(void **state)
{
    /* Clause T-13. */
    (void)state;
    IS(in_job, "exec \"tool\"", "exec file=/srv/job/tool(tool)");
    IS(in_job, "exec \"tool\" cwd \"/opt\"", "exec file=/opt/tool(tool) cwd=/opt");
    IS(in_job, "exec \"tool\" cwd \"sub\"",
       "exec file=/srv/job/sub/tool(tool) cwd=/srv/job/sub(sub)");
    IS(in_job, "exec \"tool\" cwd none", "exec file=/srv/job/tool(tool) cwd=/srv/job");
    IS("", "exec \"tool\" cwd \"/opt\"", "exec file=/opt/tool(tool) cwd=/opt");
    WRONG("", "exec \"tool\"", "E096", "session session.start");
    WRONG("", "exec \"tool\" cwd \"sub\"", "E096", "session session.start");
    WRONG("", "exec \"/bin/tool\" cwd none", "E096", "session session.start");
}

static void links_lead_on_and_never_round_for_ever(void **state)
{
    (void)state;
    IS("given \"/a\" resolves to \"/b\"\ngiven \"/b\" resolves to \"/c\"", "read \"/a/x\"",
       "read path=/a/x>/c/x");
    IS("given \"/a\" resolves to \"/b\"\ngiven \"/b\" resolves to \"/a\"", "read \"/a/x\"",
       "read path=/a/x>?");
    IS("given \"/a\" resolves to \"/a/b\"", "read \"/a\"", "read path=/a>?");
    IS("given \"/a\" resolves to \"/a\"", "read \"/a\"", "read path=/a");
    /* A link below links, which are themselves below one. */
    IS("given \"/l1/l2/f\" resolves to \"/z\"\ngiven \"/l1\" resolves to \"/r1\"\n"
       "given \"/r1/l2\" resolves to \"/r2\"",
       "read \"/l1/l2/f\"", "read path=/l1/l2/f>/z");
    IS("given \"/l1/l2/f\" resolves to \"/z\"\ngiven \"/l1\" resolves to \"/r1\"\n"
       "given \"/r1/l2\" resolves to \"/r2\"",
       "read \"/r2/f\"", "read path=/r2/f>/z");
}

static void connections_are_named_by_given_hosts(void **state)
{
    /* Clauses T-3, T-14 and H-1. */
    static const char hosts[] = "given host \"a.org\" is [10.0.0.1, 2001:db8::1]\n"
                                "given host \"b.org\" is 10.0.0.1\n";
    (void)state;
    IS(hosts, "connect 10.0.0.1", "connect address=10.0.0.1 host=[b.org,a.org]");
    IS(hosts, "connect ::ffff:10.0.0.1 port 1",
       "connect address=10.0.0.1 port=1 host=[b.org,a.org]");
    IS(hosts, "connect 10.0.0.2", "connect address=10.0.0.2 host=nameless");
    IS(hosts, "connect port 80", "connect port=80");
    IS(hosts, "event \"socket.connect\" [\"inet\", [\"10.0.0.1\", 443]]",
       "connect address=10.0.0.1 port=443 host=[b.org,a.org] family=inet");
    IS(hosts, "event \"socket.connect\" [\"inet\", [10.0.0.2, 443]]",
       "connect address=10.0.0.2 port=443 host=nameless family=inet");
}

static void who_connects_to_no_address_reaches_the_loopback(void **state)
{
    /* Clauses H-5 and T-14. */
    static const char hosts[] = "given host \"a.org\" is [127.0.0.1, ::1]\n";
    (void)state;
    IS(hosts, "connect 0.0.0.0 port 1", "connect address=127.0.0.1 port=1 host=[a.org]");
    IS(hosts, "connect ::", "connect address=0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1 host=[a.org]");
    IS(hosts, "connect ::ffff:0.0.0.0", "connect address=127.0.0.1 host=[a.org]");
    IS(hosts, "event \"socket.connect\" [\"inet\", [\"\", 443]]",
       "connect address=127.0.0.1 port=443 host=[a.org] family=inet");
    IS(hosts, "bind 0.0.0.0 port 80", "bind address=0.0.0.0 port=80");
    IS("given platform windows", "connect 0.0.0.0 port 80",
       "connect address=0.0.0.0 port=80 host=nameless");
}

static void events_go_through_the_catalogues_table(void **state)
{
    /* Clauses T-16 and T-5. */
    (void)state;
    IS(links, "event \"open\" [\"out/x\", \"r\", 0]",
       "read path=/srv/job/out/x>/etc/deep/dir/x(out/x)");
    IS(links, "event \"os.rename\" [\"a\", \"out\", -1, -1]",
       "write path=/srv/job/a(a) action=rename; write path=/srv/job/out(out) action=rename; "
       "read path=/srv/job/a(a)");
    IS(links, "event \"os.system\" [\"id\"]",
       "exec file=/bin/sh>/usr/bin/dash argv=[sh,-c,id] cwd=/srv/job env=? shell=true");
    IS("", "event \"os.fork\" []", "fork");
    IS("", "event \"import\" [\"json\", none]", "import module=json");
    IS("", "event \"exec\" [\"<string>\"]", "code name=exec file=<string>");
    IS("", "event \"exec\" [unknown]", "code name=exec file=?");
    IS("", "event \"sys._current_frames\" []", "introspect name=sys._current_frames");
    IS("", "event \"array.__new__\" [\"i\", none]", "");
    /* The second argument is left out: not known. */
    IS("", "event \"os.kill\" [0]", "signal target=group pid=0 signal=? action=signal");
    IS("", "event \"os.kill\" [17, 9]", "signal target=other pid=17 signal=9 action=signal");
    IS("", "event \"open\" [5, \"r\", 0]", "");
}

static void programs_are_found_by_their_given_names_alone(void **state)
{
    /* Clauses T-12 and T-3. */
    static const char names[] = "given \"git\" resolves to \"/usr/bin/git\"\n"
                                "given \"vi\" resolves to \"/opt/vim/bin/vim\"\n"
                                "session session.start \"/srv/job\"";
    (void)state;
    IS(names, "event \"subprocess.Popen\" [\"git\", [\"git\"], none, none]",
       "exec file=/usr/bin/git(git) argv=[git] cwd=/srv/job env=? shell=false");
    IS(names, "event \"subprocess.Popen\" [\"vi\", [\"vi\"], none, none]",
       "exec file=/opt/vim/bin/vi>/opt/vim/bin/vim(vi) argv=[vi] cwd=/srv/job env=? shell=false");
    IS(names, "event \"subprocess.Popen\" [\"id\", [\"id\"], none, none]",
       "exec file=?(id) argv=[id] cwd=/srv/job env=? shell=?");
    IS(in_job, "event \"subprocess.Popen\" [\"id\", [\"id\"], none, none]",
       "exec file=?(id) argv=[id] cwd=/srv/job env=? shell=?");
    IS(names, "event \"pty.spawn\" [[\"git\", \"log\"]]",
       "exec file=/usr/bin/git(git) argv=[git,log] cwd=/srv/job env=? shell=false");
    IS(names, "event \"os.posix_spawn\" [\"git\", [\"git\"], [\"A=1\"]]",
       "exec file=/usr/bin/git(git) argv=[git] cwd=/srv/job env={A=1} shell=false");
    IS(names,
       "event \"_posixsubprocess.fork_exec\" [[\"/bin/git\", \"/usr/bin/git\"], [\"git\"], none]",
       "exec file=/usr/bin/git argv=[git] cwd=? env=? shell=false");
    IS(names, "exec \"git\"", "exec file=/srv/job/git(git)");
}

static void sockets_are_written_as_their_family(void **state)
{
    /* Clause T-16. */
    (void)state;
    IS(in_job, "event \"socket.bind\" [\"unix\", \"s\"]",
       "bind family=unix path=/srv/job/s(s); write path=/srv/job/s(s) action=socket");
    IS("", "event \"socket.connect\" [\"inet6\", [\"::1\", 80, 0, 0]]",
       "connect address=0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1 port=80 host=nameless family=inet6");
    IS("", "event \"socket.connect\" [unknown, [\"10.0.0.1\", 80]]",
       "connect address=? port=? host=? family=?");
    IS("", "event \"socket.__new__\" [unknown, 2, 1, 0]",
       "socket family=inet kind=stream protocol=0");
}

static void windows_paths_stand_as_they_are(void **state)
{
    static const char windows[] = "given platform windows\n"
                                  "given 'C:\\git.exe' resolves to 'D:\\git.exe'\n"
                                  "session session.start 'C:\\job'";
    (void)state;
    IS(windows, "exec 'C:\\git.exe'", "exec file=C:\\git.exe>D:\\git.exe");
    IS(windows, "exec 'a\\..\\b.exe'", "exec file=a\\..\\b.exe");
    IS(windows, "event \"socket.connect\" [\"inet6\", [\"::1\", 80, 0, 0]]",
       "connect address=0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1 port=80 host=nameless family=inet6");
    IS("session platform \"windows\"", "read 'C:\\x'", "read path=C:\\x");
    WRONG("given platform windows\ngiven \"x/y\" resolves to 'C:\\x'", "fork", "E037", "absolute");
}

static void operations_may_say_what_event_they_come_of(void **state)
{
    /* Clause T-15. */
    struct staged staged;
    (void)state;

    staged_init(&staged, "", "hook event \"sys.settrace\"");
    assert_true(staged.made);
    assert_int_equal(staged.event.name_length, strlen("sys.settrace"));
    assert_memory_equal(staged.event.name, "sys.settrace", staged.event.name_length);
    assert_int_not_equal(staged.event.number, EVENT_UNKNOWN);
    staged_deinit(&staged);
    staged_init(&staged, "", "hook");
    assert_true(staged.made);
    assert_int_equal(staged.event.name_length, 0);
    assert_int_equal(staged.event.number, EVENT_UNKNOWN);
    staged_deinit(&staged);
    WRONG("", "hook event \"sys.setrace\"", "E052", "did you mean \"sys.settrace\"?");
    WRONG("", "exec event \"sys.settrace\"", "E098", "never an operation of class `exec`");
    WRONG("", "hook event 5", "E023", "string");
}

static void mistakes_are_told(void **state)
{
    /* Clause T-16. */
    (void)state;
    WRONG("", "exec 5", "E023", "`file` is a path, this is an integer");
    WRONG("", "exec argv \"git\"", "E023", "`argv` is a list, this is a string");
    WRONG("", "exec argv [\"git\", 5]", "E023", "what `argv` lists are strings");
    WRONG("", "exec env [\"PATH\"]", "E023", "assignments");
    WRONG("", "exec env \"PATH=x\"", "E023", "`env` is a map");
    WRONG("", "exec shell 1", "E023", "true or false");
    WRONG("", "connect \"a.org\"", "E023", "connect host \"a.org\"");
    WRONG("", "connect port \"443\"", "E023", "integers stand without quotes");
    WRONG("", "write \"/x\" action \"opn\"", "E019", "did you mean \"open\"?");
    WRONG("", "write \"/x\" action \"what\"", "E019", "it is one of open, create");
    WRONG("", "signal signal \"FOO\"", "E019", "there is no signal");
    WRONG("", "fork \"x\"", "E095", "class `fork` has no attributes");
    WRONG("", "exec \"/a\" file \"/b\"", "E094", "`file` is given twice");
    WRONG("", "event \"os.spwan\" []", "E052", "did you mean \"os.spawn\"?");
    WRONG("", "event \"os.fork\" [1]", "E097", "\"os.fork\" has 0 arguments, these are 1");
    WRONG("", "event \"os.kill\" [1, 2, 3]", "E097", "they are pid, sig");
}

static void wrong_givens_are_told(void **state)
{
    (void)state;
    WRONG("given \"/a\" resolves to \"/b\"\ngiven \"/a\" resolves to \"/c\"", "fork", "E094",
          "leads somewhere else already");
    WRONG("given \"git\" resolves to \"/a/git\"\ngiven \"git\" resolves to \"/b/git\"", "fork",
          "E094", "leads somewhere else already");
    WRONG("given \"/a\" resolves to \"b\"", "fork", "E037", "absolute");
    WRONG("given \"./a\" resolves to \"/b\"", "fork", "E037", "absolute");
    WRONG("given host \"a.org\" is [10.0.0.1, 5]", "fork", "E023", "a host has addresses");
    IS("given \"/a\" resolves to \"/b\"\ngiven \"/a\" resolves to \"/b\"", "fork", "fork");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_have_what_is_written_and_nothing_else),
        cmocka_unit_test(what_is_unknown_is_marked),
        cmocka_unit_test(paths_have_both_forms),
        cmocka_unit_test(some_actions_do_not_follow_the_last_component),
        cmocka_unit_test(relative_paths_are_below_the_directory_of_the_call),
        cmocka_unit_test(links_lead_on_and_never_round_for_ever),
        cmocka_unit_test(connections_are_named_by_given_hosts),
        cmocka_unit_test(who_connects_to_no_address_reaches_the_loopback),
        cmocka_unit_test(events_go_through_the_catalogues_table),
        cmocka_unit_test(programs_are_found_by_their_given_names_alone),
        cmocka_unit_test(sockets_are_written_as_their_family),
        cmocka_unit_test(windows_paths_stand_as_they_are),
        cmocka_unit_test(operations_may_say_what_event_they_come_of),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(wrong_givens_are_told),
    };
    return cmocka_run_group_tests_name("scene_event", tests, NULL, NULL);
}
