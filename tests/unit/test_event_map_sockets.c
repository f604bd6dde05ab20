#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "event_map_fixture.h"

static struct process on_family(int family)
{
    struct process process = usual_process();
    process.socket_family = family;
    return process;
}

static void an_address_that_a_lookup_gave_has_its_names(void **state)
{
    (void)state;
    struct process process = on_family(INET);
    process.host_name = "db.example";
    MAPS(&process, "socket.connect",
         "connect address=10.0.0.1 port=80 host=[db.example] family=inet", OBJECT("socket"),
         LIST(TEXT("10.0.0.1"), INT(80)));
    MAPS(&process, "socket.connect", "connect address=10.0.0.2 port=80 host=nameless family=inet",
         OBJECT("socket"), LIST(TEXT("10.0.0.2"), INT(80)));
    process.socket_family = INET6; /* one address in both spellings */
    MAPS(&process, "socket.connect",
         "connect address=0.0.0.0.0.0.0.0.0.0.255.255.10.0.0.1 port=80 host=[db.example] "
         "family=inet6",
         OBJECT("socket"), LIST(TEXT("::ffff:10.0.0.1"), INT(80)));
}

static void addresses_are_read_by_the_sockets_family(void **state)
{
    (void)state;
    struct process process = on_family(INET);
    MAPS(&process, "socket.connect", "connect address=10.0.0.1 port=80 host=nameless family=inet",
         OBJECT("socket"), LIST(TEXT("10.0.0.1"), INT(80)));
    MAPS(&process, "socket.connect", "connect address=10.0.0.1 port=80 host=nameless family=inet",
         OBJECT("socket"), LIST(BYTES("10.0.0.1"), SUBCLASS_INT(80)));
    process.socket_family = INET6;
    MAPS(&process, "socket.connect",
         "connect address=0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1 port=80 host=nameless family=inet6",
         OBJECT("socket"), LIST(TEXT("::1"), INT(80), INT(0), INT(0)));
    MAPS(&process, "socket.connect",
         "connect address=254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.9 port=80 host=nameless family=inet6",
         OBJECT("socket"), LIST(TEXT("fe80::9%eth0"), INT(80)));
    MAPS(&process, "socket.connect",
         "connect address=0.0.0.0.0.0.0.0.0.0.255.255.10.0.0.1 port=80 host=nameless family=inet6",
         OBJECT("socket"), LIST(TEXT("::ffff:10.0.0.1"), INT(80)));
}

static void every_spelling_that_needs_no_lookup_is_an_address(void **state)
{
    (void)state;
    const struct process process = on_family(INET);
    const char *const loopback = "connect address=127.0.0.1 port=1 host=nameless family=inet";
    MAPS(&process, "socket.connect", loopback, OBJECT("s"), LIST(TEXT("127.1"), INT(1)));
    MAPS(&process, "socket.connect", loopback, OBJECT("s"), LIST(TEXT("2130706433"), INT(1)));
    MAPS(&process, "socket.connect", loopback, OBJECT("s"), LIST(TEXT("0x7f000001"), INT(1)));
    MAPS(&process, "socket.connect", loopback, OBJECT("s"), LIST(TEXT("0177.0.0.01"), INT(1)));
    MAPS(&process, "socket.connect", loopback, OBJECT("s"), LIST(TEXT("0X7F.0.1"), INT(1)));
    MAPS(&process, "socket.connect", loopback, OBJECT("s"), LIST(TEXT(""), INT(1)));
    MAPS(&process, "socket.connect",
         "connect address=255.255.255.255 port=1 host=nameless family=inet", OBJECT("s"),
         LIST(TEXT("<broadcast>"), INT(1)));

    MAPS(&process, "socket.getaddrinfo", "", TEXT("127.1"), NONE, INT(0), INT(0), INT(0));
    MAPS(&process, "socket.getaddrinfo", "", TEXT("::1"), NONE, INT(0), INT(0), INT(0));
    MAPS(&process, "socket.getaddrinfo", "", NONE, INT(80), INT(0), INT(0), INT(0));
    MAPS(&process, "socket.getaddrinfo", "", TEXT(""), INT(80), INT(0), INT(0), INT(0));
    MAPS(&process, "socket.gethostbyname", "resolve host=256.0.0.1", TEXT("256.0.0.1"));
    MAPS(&process, "socket.gethostbyname", "resolve host=1.2.3.4.5", TEXT("1.2.3.4.5"));
    MAPS(&process, "socket.gethostbyname", "resolve host=4294967296", TEXT("4294967296"));
    MAPS(&process, "socket.gethostbyname", "resolve host=1.16777216", TEXT("1.16777216"));
    MAPS(&process, "socket.gethostbyname", "resolve host=0x", TEXT("0x"));
    MAPS(&process, "socket.gethostbyname", "resolve host=08", TEXT("08"));
    MAPS(&process, "socket.gethostbyname", "resolve host=1.", TEXT("1."));
    MAPS(&process, "socket.gethostbyname", "resolve host=127.0.0.1%lo", TEXT("127.0.0.1%lo"));
}

static void who_connects_to_no_address_reaches_the_loopback(void **state)
{
    (void)state;
    struct process process = on_family(INET);
    const char *const four = "connect address=127.0.0.1 port=1 host=[db.example] family=inet";
    const char *const six =
        "connect address=0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1 port=1 host=nameless family=inet6";
    const char *const mapped = "connect address=0.0.0.0.0.0.0.0.0.0.255.255.127.0.0.1 port=1 "
                               "host=[db.example] family=inet6";
    process.host_name = "db.example";
    for (size_t i = 0; i < 3; i++) {
        const char *const event =
            (const char *const[]){"socket.connect", "socket.sendto", "socket.sendmsg"}[i];
        process.socket_family = INET;
        MAPS(&process, event, four, OBJECT("s"), LIST(TEXT("0.0.0.0"), INT(1)));
        MAPS(&process, event, four, OBJECT("s"), LIST(TEXT("0"), INT(1)));
        MAPS(&process, event, four, OBJECT("s"), LIST(TEXT("0x0.0"), INT(1)));
        MAPS(&process, event, four, OBJECT("s"), LIST(TEXT(""), INT(1)));
        process.socket_family = INET6;
        MAPS(&process, event, six, OBJECT("s"), LIST(TEXT("::"), INT(1)));
        MAPS(&process, event, six, OBJECT("s"), LIST(TEXT("0:0:0::0.0.0.0%lo"), INT(1)));
        MAPS(&process, event, six, OBJECT("s"), LIST(TEXT(""), INT(1), INT(0), INT(1)));
        MAPS(&process, event, mapped, OBJECT("s"), LIST(TEXT("::ffff:0.0.0.0"), INT(1)));
    }
    /* Whoever offers there offers everywhere. */
    MAPS(&process, "socket.bind",
         "bind address=0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 port=1 family=inet6", OBJECT("s"),
         LIST(TEXT("::"), INT(1)));
    process.socket_family = INET;
    MAPS(&process, "socket.bind", "bind address=0.0.0.0 port=1 family=inet", OBJECT("s"),
         LIST(TEXT(""), INT(1)));
    MAPS(&process, "socket.connect", "connect address=0.0.0.1 port=1 host=nameless family=inet",
         OBJECT("s"), LIST(TEXT("0.1"), INT(1)));
    /* From an address of its own a socket gets to that. */
    process.socket_is_tied = true;
    MAPS(&process, "socket.connect", "connect address=? port=1 host=? family=inet", OBJECT("s"),
         LIST(TEXT("0.0.0.0"), INT(1)));
    MAPS(&process, "socket.connect",
         "connect address=127.0.0.1 port=1 host=[db.example] family=inet", OBJECT("s"),
         LIST(TEXT("127.0.0.1"), INT(1)));
    process.windows = true;
    MAPS(&process, "socket.connect", "connect address=0.0.0.0 port=1 host=nameless family=inet",
         OBJECT("s"), LIST(TEXT("0.0.0.0"), INT(1)));
}

static void names_are_looked_up(void **state)
{
    (void)state;
    struct process process = on_family(INET);
    const char *const named =
        "connect address=? port=80 host=db.example family=inet; resolve host=db.example";
    MAPS(&process, "socket.connect", named, OBJECT("s"), LIST(TEXT("db.example"), INT(80)));
    MAPS(&process, "socket.connect", named, OBJECT("s"), LIST(BYTES("db.example"), INT(80)));
    MAPS(&process, "socket.connect",
         "connect address=? port=80 host=db.example? family=inet; resolve host=db.example?",
         OBJECT("s"), LIST(SUBCLASS_TEXT("db.example"), INT(80)));
    MAPS(&process, "socket.bind", "bind address=? port=80 family=inet; resolve host=db.example",
         OBJECT("s"), LIST(TEXT("db.example"), INT(80)));
    MAPS(&process, "socket.getaddrinfo", "resolve host=?", OBJECT("X"), INT(80), INT(0), INT(0),
         INT(0));
    MAPS(&process, "socket.getaddrinfo", "resolve host=db?", SUBCLASS_TEXT("db"), INT(80), INT(0),
         INT(0), INT(0));
}

static void unix_sockets_have_paths_or_none(void **state)
{
    (void)state;
    const struct process process = on_family(UNIX);
    MAPS(&process, "socket.connect", "connect family=unix path=/work/link>/srv/target", OBJECT("s"),
         TEXT("/work/link"));
    MAPS(&process, "socket.connect", "connect family=unix path=/work/s(s)", OBJECT("s"),
         BYTES("s"));
    MAPS(&process, "socket.connect", "connect family=unix", OBJECT("s"), BYTES("\0abstract"));
    MAPS(&process, "socket.connect", "connect family=unix", OBJECT("s"), TEXT(""));
    /* The kernel stops reading at a NUL. */
    MAPS(&process, "socket.connect", "connect family=unix path=/run/a", OBJECT("s"),
         BYTES("/run/a\0/b"));
    MAPS(&process, "socket.connect", "connect family=unix path=?(/run/a?)", OBJECT("s"),
         SUBCLASS_TEXT("/run/a"));
    MAPS(&process, "socket.connect", "connect family=unix path=?", OBJECT("s"),
         OBJECT("memoryview"));

    MAPS(&process, "socket.bind",
         "bind family=unix path=/work/link; write path=/work/link action=socket", OBJECT("s"),
         TEXT("/work/link"));
    MAPS(&process, "socket.bind", "bind family=unix", OBJECT("s"), BYTES("\0x"));
    MAPS(&process, "socket.bind", "bind family=unix path=?; write path=? action=socket",
         OBJECT("s"), OBJECT("memoryview"));
}

static void other_families_have_nothing_but_their_name(void **state)
{
    (void)state;
    struct process process = on_family(NETLINK);
    MAPS(&process, "socket.connect", "connect family=netlink", OBJECT("s"), LIST(INT(0), INT(0)));
    MAPS(&process, "socket.bind", "bind family=netlink", OBJECT("s"), LIST(INT(0), INT(0)));
    process.socket_family = PACKET;
    MAPS(&process, "socket.bind", "bind family=packet", OBJECT("s"), LIST(TEXT("eth0"), INT(3)));
    process.socket_family = VSOCK;
    MAPS(&process, "socket.connect", "connect family=other", OBJECT("s"), LIST(INT(2), INT(80)));
}

static void an_unknown_family_leaves_everything_open(void **state)
{
    (void)state;
    const struct process process = on_family(-1);
    MAPS(&process, "socket.connect", "connect address=? port=? host=? family=?", OBJECT("s"),
         LIST(TEXT("10.0.0.1"), INT(80)));
    MAPS(&process, "socket.connect",
         "connect address=? port=? host=? family=?; resolve host=db.example", OBJECT("s"),
         LIST(TEXT("db.example"), INT(80)));
    MAPS(&process, "socket.connect",
         "connect address=? port=? host=? family=? path=?(/run/s); resolve host=?", OBJECT("s"),
         TEXT("/run/s"));
    MAPS(&process, "socket.bind",
         "bind address=? port=? family=? path=?; write path=? action=socket; resolve host=?",
         OBJECT("s"), OBJECT("X"));
}

static void malformed_addresses_are_unknown(void **state)
{
    (void)state;
    const struct process process = on_family(INET);
    const char *const unknown = "connect address=? port=? host=? family=inet; resolve host=?";
    const char *const not_even_family =
        "connect address=? port=? host=? family=? path=?; resolve host=?";
    const struct value host = TEXT("10.0.0.1");
    const struct value subclass = {
        .kind = VALUE_LIST, .marks = VALUE_SUBCLASS, .count = 1, .items = &host};
    MAPS(&process, "socket.connect", unknown, OBJECT("s"), EMPTY_LIST);
    MAPS(&process, "socket.connect", unknown, OBJECT("s"), subclass);
    MAPS(&process, "socket.connect", not_even_family, OBJECT("s"));
    MAPS(&process, "socket.connect", "connect address=10.0.0.1 port=? host=nameless family=inet",
         OBJECT("s"), LIST(TEXT("10.0.0.1")));
    MAPS(&process, "socket.connect", "connect address=10.0.0.1 port=? host=nameless family=inet",
         OBJECT("s"), LIST(TEXT("10.0.0.1"), TEXT("80")));
    MAPS(&process, "socket.connect", "connect address=? port=80 host=? family=inet; resolve host=?",
         OBJECT("s"), LIST(INT(5), INT(80)));
    /* An address of the other family is no name, and no address of this socket. */
    MAPS(&process, "socket.connect", "connect address=? port=80 host=::1 family=inet", OBJECT("s"),
         LIST(TEXT("::1"), INT(80)));
}

/* CPython reads the address before the event, by the family that the socket had then. */
static void an_address_that_its_family_does_not_take_leaves_the_family_open(void **state)
{
    (void)state;
    struct process process = on_family(INET);
    MAPS(&process, "socket.connect",
         "connect address=? port=? host=? family=? path=?(/run/s); resolve host=?", OBJECT("s"),
         TEXT("/run/s"));
    MAPS(&process, "socket.connect",
         "connect address=? port=? host=? family=? path=?; resolve host=?", OBJECT("s"),
         OBJECT("buffer"));
    process.socket_family = VSOCK;
    MAPS(&process, "socket.connect",
         "connect address=? port=? host=? family=? path=?(/run/s); resolve host=?", OBJECT("s"),
         BYTES("/run/s"));
    process.socket_family = UNIX;
    MAPS(&process, "socket.connect", "connect address=? port=? host=? family=?", OBJECT("s"),
         LIST(TEXT("10.0.0.1"), INT(80)));
}

static void sending_on_a_connected_socket_is_no_operation(void **state)
{
    (void)state;
    const struct process process = on_family(INET);
    MAPS(&process, "socket.sendmsg", "", OBJECT("s"), NONE);
    MAPS(&process, "socket.sendmsg", "connect address=10.0.0.1 port=9 host=nameless family=inet",
         OBJECT("s"), LIST(TEXT("10.0.0.1"), INT(9)));
}

static void sockets_are_told_by_family_kind_and_protocol(void **state)
{
    (void)state;
    struct process process = usual_process();
    MAPS(&process, "socket.__new__", "socket family=inet kind=stream protocol=6", OBJECT("s"),
         INT(2), INT(1 | 02000000 | 04000), INT(6));
    MAPS(&process, "socket.__new__", "socket family=packet kind=raw protocol=768", OBJECT("s"),
         INT(17), INT(3), INT(768));
    MAPS(&process, "socket.__new__", "socket family=netlink kind=raw protocol=0", OBJECT("s"),
         INT(16), INT(3), INT(0));
    MAPS(&process, "socket.__new__", "socket family=unix kind=seqpacket protocol=0", OBJECT("s"),
         INT(1), INT(5), INT(0));
    MAPS(&process, "socket.__new__", "socket family=other kind=other protocol=0", OBJECT("s"),
         INT(40), INT(4), INT(0));
    MAPS(&process, "socket.__new__", "socket", OBJECT("s"), INT(-1), INT(-1), INT(-1));
    MAPS(&process, "socket.__new__", "socket family=? kind=? protocol=?", OBJECT("s"), TEXT("2"),
         NONE);
    process.windows = true;
    MAPS(&process, "socket.__new__", "socket family=inet6 kind=dgram protocol=0", OBJECT("s"),
         INT(23), INT(2), INT(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_that_a_lookup_gave_has_its_names),
        cmocka_unit_test(addresses_are_read_by_the_sockets_family),
        cmocka_unit_test(every_spelling_that_needs_no_lookup_is_an_address),
        cmocka_unit_test(who_connects_to_no_address_reaches_the_loopback),
        cmocka_unit_test(names_are_looked_up),
        cmocka_unit_test(unix_sockets_have_paths_or_none),
        cmocka_unit_test(other_families_have_nothing_but_their_name),
        cmocka_unit_test(an_unknown_family_leaves_everything_open),
        cmocka_unit_test(malformed_addresses_are_unknown),
        cmocka_unit_test(an_address_that_its_family_does_not_take_leaves_the_family_open),
        cmocka_unit_test(sending_on_a_connected_socket_is_no_operation),
        cmocka_unit_test(sockets_are_told_by_family_kind_and_protocol),
    };
    return cmocka_run_group_tests_name("event_map_sockets", tests, NULL, NULL);
}
