#include "policies/engine/utf8.h"

uint32_t utf8_decode(const char *text, size_t length, size_t *size)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000}; /* by bytes, RFC 3629 */
    const unsigned char *b = (const unsigned char *)text;
    size_t need;
    uint32_t code;

    *size = 1;
    if (b[0] < 0x80)
        return b[0];
    if (b[0] >= 0xc2 && b[0] <= 0xdf) {
        need = 2;
        code = b[0] & 0x1fU;
    } else if (b[0] >= 0xe0 && b[0] <= 0xef) {
        need = 3;
        code = b[0] & 0x0fU;
    } else if (b[0] >= 0xf0 && b[0] <= 0xf4) {
        need = 4;
        code = b[0] & 0x07U;
    } else {
        return UTF8_RAW + b[0];
    }
    if (length < need)
        return UTF8_RAW + b[0];
    for (size_t i = 1; i < need; i++) {
        if ((b[i] & 0xc0) != 0x80)
            return UTF8_RAW + b[0];
        code = code << 6 | (b[i] & 0x3fU);
    }
    if (code < smallest[need] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return UTF8_RAW + b[0];
    *size = need;
    return code;
}

size_t utf8_encode(uint32_t code, char text[UTF8_SIZE_MAX])
{
    if (code < 0x80) {
        text[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        text[0] = (char)(0xc0 | code >> 6);
        text[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        text[0] = (char)(0xe0 | code >> 12);
        text[1] = (char)(0x80 | (code >> 6 & 0x3f));
        text[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    text[0] = (char)(0xf0 | code >> 18);
    text[1] = (char)(0x80 | (code >> 12 & 0x3f));
    text[2] = (char)(0x80 | (code >> 6 & 0x3f));
    text[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}
