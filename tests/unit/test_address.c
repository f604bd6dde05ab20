#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policies/engine/address.h"

static bool parses(const char *text)
{
    struct address address;
    return address_parse(text, strlen(text), &address);
}

static struct address parsed(const char *text)
{
    struct address address;
    assert_true(address_parse(text, strlen(text), &address));
    return address;
}

static void assert_written(const char *text, const char *expected)
{
    const struct address address = parsed(text);
    char written[ADDRESS_TEXT_MAX];
    address_format(&address, written);
    assert_string_equal(written, expected);
}

static bool is_in(const char *address_text, const char *network_text, unsigned prefix)
{
    struct address address = parsed(address_text);
    struct address network = parsed(network_text);
    unsigned all = address_bits(&address);
    address_fold(&address, &all);
    address_fold(&network, &prefix);
    return address_is_in(&address, &network, prefix);
}

static void ipv4_is_four_plain_decimal_parts(void **state)
{
    (void)state;
    assert_written("10.20.0.255", "10.20.0.255");
    assert_written("0.0.0.0", "0.0.0.0");
    assert_false(parses("10.20.0"));
    assert_false(parses("10.20.0.256"));
    assert_false(parses("10.20.0.01"));
    assert_false(parses("10.20.0.1."));
    assert_false(parses("10.20.0.1.2"));
    assert_false(parses("10.20..1"));
    assert_false(parses("10.20.0.0001"));
    assert_false(parses("1e1.0.0.1"));
    assert_false(parses(""));
}

static void ipv6_is_read_in_every_spelling_and_written_in_one(void **state)
{
    (void)state;
    assert_written("::", "::");
    assert_written("::1", "::1");
    assert_written("1::", "1::");
    assert_written("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1");
    assert_written("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1");
    assert_written("::ffff:10.0.0.1", "::ffff:a00:1");
    assert_written("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0");
    assert_written("fe80:0:0:0:0:0:0:1", "fe80::1");
}

static void what_is_no_ipv6_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        ":",
        ":::",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1::2::3",
        "12345::",
        "g::",
        "fe80::1%eth0",
        "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8",
        "1.2.3.4::",
        "::1.2.3",
        "1:2:3:4:5:6:7:1.2.3.4",
        ":1:2:3:4:5:6:7:8",
        "1:",
        "::1:",
        "1:2:3:4:5:6:7:",
        "::1.2.3.4:5",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (parses(bad[i]))
            fail_msg("%s was read as an address", bad[i]);
}

static void a_block_holds_what_shares_its_prefix(void **state)
{
    (void)state;
    assert_true(is_in("10.20.1.2", "10.20.0.0", 16));
    assert_false(is_in("10.21.1.2", "10.20.0.0", 16));
    assert_true(is_in("10.20.127.2", "10.20.0.0", 17));
    assert_false(is_in("10.20.128.2", "10.20.0.0", 17));
    assert_true(is_in("1.2.3.4", "0.0.0.0", 0));
    assert_true(is_in("1.2.3.4", "1.2.3.4", 32));
    assert_true(is_in("2001:db8:7:1::9", "2001:db8:7::", 48));
    assert_false(is_in("2001:db8:8::", "2001:db8:7::", 48));
}

static void a_mapped_address_is_its_ipv4_address(void **state)
{
    (void)state;
    assert_true(is_in("::ffff:10.20.1.2", "10.20.0.0", 16));
    assert_true(is_in("10.20.1.2", "::ffff:10.20.0.0", 112));
    assert_true(is_in("10.20.1.2", "::ffff:0:0", 96));
    assert_false(is_in("10.20.1.2", "::", 0));
    assert_false(is_in("::ffff:10.20.1.2", "::", 0));
    assert_true(is_in("2001:db8::1", "::", 0));
    assert_false(is_in("2001:db8::1", "0.0.0.0", 0));
}

static void kernel_bytes_are_four_or_sixteen(void **state)
{
    (void)state;
    struct address address;
    const uint8_t mapped[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1};
    assert_true(address_from_bytes(mapped, 16, &address));
    assert_int_equal(address.width, ADDRESS_IPV4_BYTES);
    assert_int_equal(address.bytes[0], 10);
    assert_true(address_from_bytes(mapped + 12, 4, &address));
    assert_false(address_from_bytes(mapped, 5, &address));
    assert_false(address_from_bytes(mapped, 0, &address));
}

static void masking_says_whether_host_bits_were_set(void **state)
{
    (void)state;
    struct address address = parsed("10.20.1.0");
    assert_true(address_mask(&address, 16));
    assert_int_equal(address.bytes[2], 0);
    assert_false(address_mask(&address, 16));
    assert_false(address_mask(&address, 32));
}

static void assert_reaches(const char *text, const char *reached)
{
    char written[ADDRESS_TEXT_MAX];
    struct address address = parsed(text);
    assert_int_equal(address_reach(&address), reached != NULL);
    address_format(&address, written);
    assert_string_equal(written, reached ? reached : text);
}

static void an_unspecified_address_reaches_the_loopback_of_its_family(void **state)
{
    (void)state;
    assert_reaches("0.0.0.0", "127.0.0.1");
    assert_reaches("::", "::1");
    assert_reaches("::ffff:0.0.0.0", "::ffff:7f00:1");
    assert_reaches("0.0.0.1", NULL);
    assert_reaches("10.0.0.0", NULL);
    assert_reaches("::1", NULL);
    assert_reaches("::fffe:0:0", NULL);
    assert_reaches("1::", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4_is_four_plain_decimal_parts),
        cmocka_unit_test(ipv6_is_read_in_every_spelling_and_written_in_one),
        cmocka_unit_test(what_is_no_ipv6_is_refused),
        cmocka_unit_test(a_block_holds_what_shares_its_prefix),
        cmocka_unit_test(a_mapped_address_is_its_ipv4_address),
        cmocka_unit_test(kernel_bytes_are_four_or_sixteen),
        cmocka_unit_test(an_unspecified_address_reaches_the_loopback_of_its_family),
        cmocka_unit_test(masking_says_whether_host_bits_were_set),
    };
    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
