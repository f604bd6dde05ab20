#include "proto/siphash.h"

#include <string.h>

#include "unit_test.h"

enum {
    REFERENCE_SIZE = 64,
};

/* SipHash-2-4-128 of the bytes 0, 1, ... n-1 under the key 0, 1, ... 15: vectors_sip128 of the
 * authors' reference (github.com/veorq/SipHash, vectors.h), at the lengths around a word. */
static const struct {
    size_t length;
    unsigned char tag[SIPHASH_TAG_SIZE];
} reference[] = {
    {0,
     {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02,
      0x93}},
    {1,
     {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc,
      0x45}},
    {7,
     {0xa1, 0xf1, 0xeb, 0xbe, 0xd8, 0xdb, 0xc1, 0x53, 0xc0, 0xb8, 0x4a, 0xa6, 0x1f, 0xf0, 0x82,
      0x39}},
    {8,
     {0x3b, 0x62, 0xa9, 0xba, 0x62, 0x58, 0xf5, 0x61, 0x0f, 0x83, 0xe2, 0x64, 0xf3, 0x14, 0x97,
      0xb4}},
    {15,
     {0x54, 0x93, 0xe9, 0x99, 0x33, 0xb0, 0xa8, 0x11, 0x7e, 0x08, 0xec, 0x0f, 0x97, 0xcf, 0xc3,
      0xd9}},
    {63,
     {0x51, 0x50, 0xd1, 0x77, 0x2f, 0x50, 0x83, 0x4a, 0x50, 0x3e, 0x06, 0x9a, 0x97, 0x3f, 0xbd,
      0x7c}},
};

static void counting(unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (unsigned char)i;
}

static void reference_vectors_are_met(void **state)
{
    (void)state;
    unsigned char key[SIPHASH_KEY_SIZE];
    unsigned char input[REFERENCE_SIZE];

    counting(key, sizeof(key));
    counting(input, sizeof(input));
    for (size_t i = 0; i < sizeof(reference) / sizeof(*reference); i++) {
        unsigned char tag[SIPHASH_TAG_SIZE];
        struct siphash hash;
        siphash_init(&hash, key);
        siphash_update(&hash, input, reference[i].length);
        siphash_final(&hash, tag);
        assert_memory_equal(tag, reference[i].tag, sizeof(tag));
    }
}

static void pieces_give_the_same_as_the_whole(void **state)
{
    (void)state;
    unsigned char key[SIPHASH_KEY_SIZE];
    unsigned char input[REFERENCE_SIZE];

    counting(key, sizeof(key));
    counting(input, sizeof(input));
    for (size_t step = 1; step < 63; step++) {
        unsigned char tag[SIPHASH_TAG_SIZE];
        struct siphash hash;
        siphash_init(&hash, key);
        for (size_t at = 0; at < 63; at += step)
            siphash_update(&hash, input + at, step < 63 - at ? step : 63 - at);
        siphash_final(&hash, tag);
        assert_memory_equal(tag, reference[5].tag, sizeof(tag));
    }
}

static void tags_compare_equal_only_if_every_bit_is(void **state)
{
    (void)state;
    const unsigned char *tag = reference[0].tag;

    assert_int_equal(siphash_compare(tag, tag), 0);
    for (int bit = 0; bit < SIPHASH_TAG_SIZE * 8; bit++) {
        unsigned char other[SIPHASH_TAG_SIZE];
        memcpy(other, tag, sizeof(other));
        other[bit / 8] ^= (unsigned char)(1U << bit % 8);
        assert_int_not_equal(siphash_compare(tag, other), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_vectors_are_met),
        cmocka_unit_test(pieces_give_the_same_as_the_whole),
        cmocka_unit_test(tags_compare_equal_only_if_every_bit_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
