#include "policies/language/host_name.h"

#include <stdint.h>
#include <string.h>

#include "policies/engine/utf8.h"

enum {
    LABEL_MAX = 63,     /* RFC 1035 */
    NO_LETTER = 0,      /* what cannot be folded */
    FIRST_UNICODE = 128 /* behind ASCII */
};

/* Letters by their distance to the lower case; PAIRS: capitals and small ones in turn, a capital
 * first at the range's start. */
enum { SAME = 0, PAIRS = -1 };

static const struct {
    uint32_t first;
    uint32_t last;
    int lower;
} letters[] = {
    {0xc0, 0xd6, 0x20},     {0xd8, 0xde, 0x20},     {0xe0, 0xf6, SAME},
    {0xf8, 0xff, SAME},     {0x100, 0x12f, PAIRS},  {0x134, 0x137, PAIRS},
    {0x139, 0x13e, PAIRS},  {0x141, 0x148, PAIRS},  {0x14a, 0x177, PAIRS},
    {0x179, 0x17e, PAIRS}, /* Latin */
    {0x386, 0x386, 0x26},   {0x388, 0x38a, 0x25},   {0x38c, 0x38c, 0x40},
    {0x38e, 0x38f, 0x3f},   {0x391, 0x3a1, 0x20},   {0x3a3, 0x3ab, 0x20},
    {0x3ac, 0x3c1, SAME},   {0x3c3, 0x3ce, SAME}, /* Greek, but for the final sigma */
    {0x400, 0x40f, 0x50},   {0x410, 0x42f, 0x20},   {0x430, 0x45f, SAME},
    {0x490, 0x4bf, PAIRS},                                                  /* Cyrillic */
    {0x5d0, 0x5ea, SAME},                                                   /* Hebrew */
    {0x621, 0x63a, SAME},   {0x641, 0x64a, SAME},                           /* Arabic */
    {0x3041, 0x3096, SAME}, {0x30a1, 0x30fa, SAME}, {0x30fc, 0x30fc, SAME}, /* Kana */
    {0x4e00, 0x9fa5, SAME},                                                 /* Han */
    {0xac00, 0xd7a3, SAME},                                                 /* Hangul */
};

static uint32_t fold_letter(uint32_t c)
{
    if (c < FIRST_UNICODE)
        return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
    for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++) {
        if (c < letters[i].first || c > letters[i].last)
            continue;
        if (letters[i].lower == PAIRS)
            return c + ((c - letters[i].first) % 2 == 0 ? 1 : 0);
        return c + (uint32_t)letters[i].lower;
    }
    return NO_LETTER;
}

/* ---------------------------------------------------------------- Punycode, RFC 3492 */

enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, BIAS = 72 };

static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
    uint32_t k = 0;

    delta = first ? delta / DAMP : delta / 2;
    delta += delta / points;
    for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
        delta /= BASE - T_MIN;
    return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

struct label {
    uint32_t points[LABEL_MAX];
    uint32_t count;
    char *out; /* room for LABEL_MAX */
    size_t length;
};

static bool put(struct label *label, uint32_t c)
{
    if (label->length == LABEL_MAX)
        return false;
    label->out[label->length++] = (char)c;
    return true;
}

static bool put_number(struct label *label, uint32_t number, uint32_t bias)
{
    for (uint32_t k = BASE;; k += BASE) {
        const uint32_t t = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
        const uint32_t digit = number < t ? number : t + (number - t) % (BASE - t);
        if (!put(label, digit < 26 ? 'a' + digit : '0' + digit - 26))
            return false;
        if (number < t)
            return true;
        number = (number - t) / (BASE - t);
    }
}

static uint32_t next_point(const struct label *label, uint32_t from)
{
    uint32_t next = UINT32_MAX;
    for (uint32_t i = 0; i < label->count; i++)
        if (label->points[i] >= from && label->points[i] < next)
            next = label->points[i];
    return next;
}

/* At most 63 points below 0x110000: no sum leaves 32 bits. */
static bool encode(struct label *label)
{
    uint32_t n = FIRST_UNICODE;
    uint32_t delta = 0;
    uint32_t bias = BIAS;
    uint32_t done = 0;

    label->length = 0;
    for (const char *prefix = "xn--"; *prefix; prefix++)
        (void)put(label, (uint32_t)*prefix);
    for (uint32_t i = 0; i < label->count; i++) {
        if (label->points[i] >= FIRST_UNICODE)
            continue;
        if (!put(label, label->points[i]))
            return false;
        done++;
    }
    const uint32_t basic = done;
    if (basic > 0 && !put(label, '-'))
        return false;
    while (done < label->count) {
        const uint32_t next = next_point(label, n);
        delta += (next - n) * (done + 1);
        n = next;
        for (uint32_t i = 0; i < label->count; i++) {
            if (label->points[i] < n)
                delta++;
            if (label->points[i] != n)
                continue;
            if (!put_number(label, delta, bias))
                return false;
            bias = adapt(delta, done + 1, done == basic);
            delta = 0;
            done++;
        }
        delta++;
        n++;
    }
    return true;
}

/* ---------------------------------------------------------------- names */

/* One label's characters; false if one cannot be folded or there are too many. */
static bool read_label(const char *text, size_t length, struct label *label, bool *ascii)
{
    label->count = 0;
    *ascii = true;
    for (size_t at = 0; at < length;) {
        size_t size;
        const uint32_t c = fold_letter(utf8_decode(text + at, length - at, &size));
        if (c == NO_LETTER || label->count == LABEL_MAX)
            return false;
        label->points[label->count++] = c;
        *ascii &= c < FIRST_UNICODE;
        at += size;
    }
    return true;
}

size_t host_name_fold(const char *text, size_t length, char folded[HOST_NAME_MAX_LENGTH + 1])
{
    size_t total = 0;

    while (length > 0) {
        const char *dot = memchr(text, '.', length);
        const size_t front = dot ? (size_t)(dot - text) : length;
        char out[LABEL_MAX];
        struct label label = {.out = out};
        bool ascii;

        if (!read_label(text, front, &label, &ascii))
            return 0;
        for (uint32_t i = 0; ascii && i < label.count; i++)
            (void)put(&label, label.points[i]);
        if ((!ascii && !encode(&label)) ||
            total + label.length + (dot ? 1 : 0) > HOST_NAME_MAX_LENGTH)
            return 0;
        memcpy(folded + total, out, label.length);
        total += label.length;
        if (dot)
            folded[total++] = '.';
        text += front + (dot ? 1 : 0);
        length -= front + (dot ? 1 : 0);
    }
    folded[total] = '\0';
    return total;
}

bool host_name_is_valid(const char *text, size_t length)
{
    size_t label = 0;

    if (length == 0 || length > HOST_NAME_MAX_LENGTH)
        return false;
    for (size_t i = 0; i < length; i++) {
        const char c = text[i];
        const bool letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        if (c == '.' && label > 0 && text[i - 1] != '-')
            label = 0;
        else if ((letter || (c == '-' && label > 0)) && label < LABEL_MAX)
            label++;
        else
            return false;
    }
    return label > 0 && text[length - 1] != '-';
}
