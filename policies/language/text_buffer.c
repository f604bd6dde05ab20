#include "policies/language/text_buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/engine/utf8.h"

void text_buffer_deinit(struct text_buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct text_buffer){0};
}

/* Room for `more` bytes and the terminator. */
static bool reserve(struct text_buffer *buffer, size_t more)
{
    if (buffer->failed)
        return false;
    if (more < buffer->capacity - buffer->length)
        return true;

    size_t capacity = buffer->capacity > 0 ? buffer->capacity : 64;
    while (capacity - buffer->length <= more) {
        if (capacity > SIZE_MAX / 2) {
            buffer->failed = true;
            return false;
        }
        capacity *= 2;
    }
    char *bytes = realloc(buffer->bytes, capacity);
    if (!bytes) {
        buffer->failed = true;
        return false;
    }
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return true;
}

void text_buffer_add(struct text_buffer *buffer, const char *bytes, size_t length)
{
    if (!reserve(buffer, length))
        return;
    if (length > 0)
        memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
    buffer->bytes[buffer->length] = '\0';
}

void text_buffer_add_text(struct text_buffer *buffer, const char *text)
{
    text_buffer_add(buffer, text, strlen(text));
}

void text_buffer_repeat(struct text_buffer *buffer, char c, size_t count)
{
    if (!reserve(buffer, count))
        return;
    memset(buffer->bytes + buffer->length, c, count);
    buffer->length += count;
    buffer->bytes[buffer->length] = '\0';
}

void text_buffer_format_list(struct text_buffer *buffer, const char *format, va_list list)
{
    va_list again;
    va_copy(again, list);
    const int length = vsnprintf(NULL, 0, format, list);
    if (length < 0)
        buffer->failed = true;
    else if (reserve(buffer, (size_t)length))
        buffer->length +=
            (size_t)vsnprintf(buffer->bytes + buffer->length, (size_t)length + 1, format, again);
    va_end(again);
}

void text_buffer_format(struct text_buffer *buffer, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    text_buffer_format_list(buffer, format, list);
    va_end(list);
}

bool character_is_bidirectional(uint32_t c)
{
    return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e ||
           c == 0x200f || c == 0x061c;
}

bool character_is_control(uint32_t c)
{
    return (c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7f && c <= 0x9f);
}

void text_buffer_add_shown(struct text_buffer *buffer, const char *bytes, size_t length, bool tabs)
{
    for (size_t at = 0; at < length;) {
        size_t size;
        const uint32_t c = utf8_decode(bytes + at, length - at, &size);
        const bool strange = utf8_is_raw(c) || character_is_control(c) || c == '\n' ||
                             (c == '\t' && !tabs) || character_is_bidirectional(c) ||
                             c == 0xfeff; /* a byte order mark, which has no width */
        if (strange)
            text_buffer_add_text(buffer, "\xef\xbf\xbd");
        else
            text_buffer_add(buffer, bytes + at, size);
        at += size;
    }
}

char *text_buffer_take(struct text_buffer *buffer)
{
    text_buffer_add(buffer, "", 0);
    char *bytes = buffer->failed ? NULL : buffer->bytes;
    if (!bytes)
        free(buffer->bytes);
    *buffer = (struct text_buffer){0};
    return bytes;
}
