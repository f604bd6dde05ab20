#define _GNU_SOURCE
#include "client/cli/json_line.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policies/engine/utf8.h"

/* Outside of its texts JSON is ASCII, so what is not is inside of one and can be escaped there. */
void json_line_print(FILE *out, const char *json, size_t length)
{
    for (size_t at = 0, size; at < length; at += size) {
        const uint32_t character = utf8_decode(json + at, length - at, &size);

        if (character >= 0x20 && character < 0x7f)
            putc((int)character, out);
        else if (utf8_is_raw(character))
            fputs("\\ufffd", out);
        else if (character > 0xffff)
            fprintf(out, "\\u%04x\\u%04x", (unsigned)(0xd800 + ((character - 0x10000) >> 10)),
                    (unsigned)(0xdc00 + ((character - 0x10000) & 0x3ff)));
        else
            fprintf(out, "\\u%04x", (unsigned)character);
    }
    putc('\n', out);
}

void json_line_print_object(FILE *out, json_t *object)
{
    char *text = object ? json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;

    if (text)
        json_line_print(out, text, strlen(text));
    free(text);
    json_decref(object);
}

/* Programs put NUL in texts, too: an abstract socket's name begins with it. */
json_t *json_line_read(const Warder__V1__LogEntry *entry)
{
    return json_loadb(field_bytes(&entry->json), entry->json.len, JSON_ALLOW_NUL, NULL);
}

const char *json_line_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

json_t *json_line_field(const ProtobufCBinaryData *field)
{
    return json_stringn_nocheck(field_bytes(field), field->len);
}

json_t *json_line_time(uint64_t time)
{
    const time_t seconds = (time_t)(time / 1000000000U);
    struct tm parts;
    char day[32];
    char text[64];

    gmtime_r(&seconds, &parts);
    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text, sizeof(text), "%s.%09uZ", day, (unsigned)(time % 1000000000U));
    return json_string(text);
}
