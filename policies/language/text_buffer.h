/* A text that grows. Lack of memory is remembered, not reported: whoever takes the text asks. */
#ifndef WARDER_POLICIES_LANGUAGE_TEXT_BUFFER_H
#define WARDER_POLICIES_LANGUAGE_TEXT_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The compiler checks the arguments against the format. */
#if defined(__MINGW32__)
#define TEXT_FORMAT(text, first) __attribute__((format(gnu_printf, text, first)))
#else
#define TEXT_FORMAT(text, first) __attribute__((format(printf, text, first)))
#endif

/* Zeroed is empty. */
struct text_buffer {
    char *bytes; /* terminated once anything was added */
    size_t length;
    size_t capacity;
    bool failed; /* something could not be added */
};

void text_buffer_deinit(struct text_buffer *buffer);

void text_buffer_add(struct text_buffer *buffer, const char *bytes, size_t length);
void text_buffer_add_text(struct text_buffer *buffer, const char *text);
void text_buffer_repeat(struct text_buffer *buffer, char c, size_t count);
void text_buffer_format(struct text_buffer *buffer, const char *format, ...) TEXT_FORMAT(2, 3);
void text_buffer_format_list(struct text_buffer *buffer, const char *format, va_list list)
    TEXT_FORMAT(2, 0);

/* Adds text as a person may safely see it: control characters, characters that turn the direction
 * of text and bytes that are not UTF-8 become U+FFFD, one for one. Line ends and tabs too, unless
 * `tabs`, which keeps tabs. */
void text_buffer_add_shown(struct text_buffer *buffer, const char *bytes, size_t length, bool tabs);

/* The text, to be freed by the caller, and the buffer empty again; NULL if anything failed. */
char *text_buffer_take(struct text_buffer *buffer);

/* U+202A..U+202E, U+2066..U+2069, U+200E, U+200F and U+061C: they make a text read otherwise than
 * it stands. */
bool character_is_bidirectional(uint32_t character);

/* C0 but for tab and line feed, DEL and C1. */
bool character_is_control(uint32_t character);

#endif
