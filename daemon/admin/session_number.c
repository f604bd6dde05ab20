#include "daemon/admin/session_number.h"

#include <ctype.h>

bool session_number_read(const ProtobufCBinaryData *text, uint64_t *session)
{
    *session = 0;
    for (size_t i = 0; i < text->len; i++) {
        const char digit = field_bytes(text)[i];
        if (!isxdigit((unsigned char)digit) || *session >> 60)
            return false;
        *session = *session << 4 | (uint64_t)(isdigit((unsigned char)digit)
                                                  ? digit - '0'
                                                  : tolower((unsigned char)digit) - 'a' + 10);
    }
    return text->len == 0 || *session > 0;
}
