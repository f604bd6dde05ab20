#include "proto/packet.h"

#include <string.h>

#include "unit_test.h"

static const unsigned char key[SIPHASH_KEY_SIZE] = "0123456789abcde";
static const unsigned char other_key[SIPHASH_KEY_SIZE] = "0123456789abcdf";
static const unsigned char request_tag[SIPHASH_TAG_SIZE] = "the request's...";

static void headers_survive_the_wire(void **state)
{
    (void)state;
    unsigned char bytes[PACKET_HEADER_SIZE];
    struct packet_header header = {.flags = PACKET_IN_FILE, .sequence = 0x0102030405060708};
    struct packet_header read;

    memcpy(header.tag, request_tag, sizeof(header.tag));
    packet_header_write(bytes, &header);
    assert_memory_equal(bytes, "WDR1\1\0\0\0\x08\x07\x06\x05\x04\x03\x02\x01the request's...",
                        PACKET_HEADER_SIZE);
    assert_true(packet_header_read(&read, bytes));
    assert_int_equal(read.flags, header.flags);
    assert_int_equal(read.sequence, header.sequence);
    assert_memory_equal(read.tag, header.tag, sizeof(read.tag));
}

static void other_magic_and_unknown_flags_are_no_header(void **state)
{
    (void)state;
    unsigned char bytes[PACKET_HEADER_SIZE];
    struct packet_header header = {.sequence = 1};
    struct packet_header read;

    packet_header_write(bytes, &header);
    assert_true(packet_header_read(&read, bytes));
    for (int i = 0; i < 4; i++) {
        bytes[i] ^= 1;
        assert_false(packet_header_read(&read, bytes));
        bytes[i] ^= 1;
    }
    for (int bit = 1; bit < 32; bit++) {
        header.flags = 1U << bit;
        packet_header_write(bytes, &header);
        assert_false(packet_header_read(&read, bytes));
    }
}

/* A packet of the client's fifth message on connection 7. */
struct sealed {
    struct packet_context context;
    struct packet_header header;
    char body[8];
};

static struct sealed seal(void)
{
    struct sealed sealed = {
        .context = {.key = key, .direction = TO_DAEMON, .connection = 7},
        .header = {.sequence = 5},
        .body = "message",
    };
    packet_tag(&sealed.context, &sealed.header, sealed.body, sizeof(sealed.body),
               sealed.header.tag);
    return sealed;
}

static bool is_authentic(const struct sealed *sealed)
{
    return packet_is_authentic(&sealed->context, &sealed->header, sealed->body,
                               sizeof(sealed->body));
}

static void authentic_packets_are_recognised(void **state)
{
    (void)state;
    const struct sealed sealed = seal();
    assert_true(is_authentic(&sealed));
}

static void tag_is_over_everything_that_tells_packets_apart(void **state)
{
    (void)state;
    struct sealed sealed = seal();

    sealed.context.key = other_key;
    assert_false(is_authentic(&sealed));
    sealed = seal();
    sealed.context.direction = TO_CLIENT;
    assert_false(is_authentic(&sealed));
    sealed = seal();
    sealed.context.connection++;
    assert_false(is_authentic(&sealed));
    sealed = seal();
    sealed.header.sequence++;
    assert_false(is_authentic(&sealed));
    sealed = seal();
    sealed.header.flags = PACKET_IN_FILE;
    assert_false(is_authentic(&sealed));
    sealed = seal();
    sealed.body[6] ^= 1;
    assert_false(is_authentic(&sealed));
    sealed = seal();
    assert_false(
        packet_is_authentic(&sealed.context, &sealed.header, sealed.body, sizeof(sealed.body) - 1));
    sealed = seal();
    sealed.header.tag[15] ^= 0x80;
    assert_false(is_authentic(&sealed));
}

static void reply_is_worth_nothing_for_another_request(void **state)
{
    (void)state;
    const unsigned char nothing[SIPHASH_TAG_SIZE] = {0};
    struct sealed sealed = seal();

    sealed.context.direction = TO_CLIENT;
    sealed.context.request_tag = request_tag;
    packet_tag(&sealed.context, &sealed.header, sealed.body, sizeof(sealed.body),
               sealed.header.tag);
    assert_true(is_authentic(&sealed));
    sealed.context.request_tag = nothing;
    assert_false(is_authentic(&sealed));
    /* Nor is a reply to a request whose tag is all zeros a message that is no reply. */
    packet_tag(&sealed.context, &sealed.header, sealed.body, sizeof(sealed.body),
               sealed.header.tag);
    sealed.context.request_tag = NULL;
    assert_false(is_authentic(&sealed));
}

static void keys_of_children_depend_on_all_they_are_made_of(void **state)
{
    (void)state;
    const unsigned char nonces[3][NONCE_SIZE] = {"client's nonce.", "daemon's nonce.",
                                                 "another...."};
    unsigned char keys[6][SIPHASH_KEY_SIZE];

    packet_derive_key(key, nonces[0], nonces[1], 9, keys[0]);
    packet_derive_key(other_key, nonces[0], nonces[1], 9, keys[1]);
    packet_derive_key(key, nonces[2], nonces[1], 9, keys[2]);
    packet_derive_key(key, nonces[0], nonces[2], 9, keys[3]);
    packet_derive_key(key, nonces[0], nonces[1], 10, keys[4]);
    packet_derive_key(key, nonces[1], nonces[0], 9, keys[5]);
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < i; j++)
            assert_memory_not_equal(keys[i], keys[j], SIPHASH_KEY_SIZE);
    packet_derive_key(key, nonces[0], nonces[1], 9, keys[5]);
    assert_memory_equal(keys[0], keys[5], SIPHASH_KEY_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_survive_the_wire),
        cmocka_unit_test(other_magic_and_unknown_flags_are_no_header),
        cmocka_unit_test(authentic_packets_are_recognised),
        cmocka_unit_test(tag_is_over_everything_that_tells_packets_apart),
        cmocka_unit_test(reply_is_worth_nothing_for_another_request),
        cmocka_unit_test(keys_of_children_depend_on_all_they_are_made_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
