#include "specification_values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policies/engine/address.h"

enum {
    MEMORY_SIZE = 512 * 1024, /* of one case */
    ITEMS_MAX = 64,           /* of one list, or pairs of one map */
};

static _Alignas(max_align_t) unsigned char memory[MEMORY_SIZE];
static size_t memory_used;

void values_forget(void)
{
    memory_used = 0;
}

static void *take(size_t size)
{
    const size_t start = (memory_used + 15) / 16 * 16;
    assert_true(start + size <= sizeof(memory));
    memory_used = start + size;
    memset(memory + start, 0, size);
    return memory + start;
}

static void unreadable(const struct reader *reader, const char *expected)
{
    fail_msg("%s\n  %s expected at: %s", reader->line, expected, reader->at);
}

void reader_skip_blanks(struct reader *reader)
{
    while (*reader->at == ' ')
        reader->at++;
}

bool reader_at_end(struct reader *reader)
{
    reader_skip_blanks(reader);
    return *reader->at == '\0';
}

bool reader_take(struct reader *reader, const char *text)
{
    reader_skip_blanks(reader);
    if (strncmp(reader->at, text, strlen(text)) != 0)
        return false;
    reader->at += strlen(text);
    return true;
}

void reader_word(struct reader *reader, char word[READER_WORD_MAX])
{
    reader_skip_blanks(reader);
    const size_t length = strcspn(reader->at, " =;");
    if (length == 0 || length >= READER_WORD_MAX)
        unreadable(reader, "a word");
    memcpy(word, reader->at, length);
    word[length] = '\0';
    reader->at += length;
}

const char *reader_rest(struct reader *reader)
{
    reader_skip_blanks(reader);
    return reader->at;
}

static char escaped(struct reader *reader)
{
    char digits[3] = {0};

    switch (*++reader->at) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'x':
        memcpy(digits, reader->at + 1, strnlen(reader->at + 1, 2));
        reader->at += strlen(digits);
        return (char)strtol(digits, NULL, 16);
    default:
        return *reader->at;
    }
}

static struct value read_text(struct reader *reader, char quote)
{
    char *text = take(strlen(reader->at) + 1);
    size_t length = 0;

    for (reader->at++; *reader->at != quote; reader->at++) {
        if (*reader->at == '\0')
            unreadable(reader, "the end of a text");
        if (quote == '"' && *reader->at == '\\')
            text[length++] = escaped(reader);
        else
            text[length++] = *reader->at;
    }
    reader->at++;
    return value_text(text, length);
}

static bool read_pairs(struct reader *reader, char closing, struct value *items, size_t *count)
{
    const bool map = closing == '}';
    const char end[] = {closing, '\0'};

    reader->at++;
    while (!reader_take(reader, end)) {
        assert_true(*count + 2 <= 2 * (size_t)ITEMS_MAX);
        items[(*count)++] = reader_value(reader);
        if (map) {
            if (!reader_take(reader, ":"))
                unreadable(reader, "`:`");
            items[(*count)++] = reader_value(reader);
        }
        if (!reader_take(reader, ",") && *reader->at != closing)
            return false;
    }
    return true;
}

static struct value read_items(struct reader *reader, char closing)
{
    struct value *items = take(2 * (size_t)ITEMS_MAX * sizeof(*items));
    size_t count = 0;

    if (!read_pairs(reader, closing, items, &count))
        unreadable(reader, closing == '}' ? "`,` or `}`" : "`,` or `]`");
    if (closing == '}')
        return (struct value){.kind = VALUE_MAP, .count = (uint32_t)(count / 2), .items = items};
    return (struct value){.kind = VALUE_LIST, .count = (uint32_t)count, .items = items};
}

static struct value read_word(struct reader *reader)
{
    const size_t length = strspn(reader->at, "abcdefghijklmnopqrstuvwxyz0123456789.:-ABCDEF");
    const struct {
        const char *word;
        struct value value;
    } words[] = {
        {"true", value_bool(true)},
        {"false", value_bool(false)},
        {"none", value_none()},
        {"unknown", value_unknown()},
    };
    struct address address;
    char *end;

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (length == strlen(words[i].word) && memcmp(reader->at, words[i].word, length) == 0) {
            reader->at += length;
            return words[i].value;
        }
    }
    if (address_parse(reader->at, length, &address)) {
        char *bytes = take(address.width);
        memcpy(bytes, address.bytes, address.width);
        reader->at += length;
        return (struct value){.kind = VALUE_BYTES, .count = address.width, .bytes = bytes};
    }
    const long long integer = strtoll(reader->at, &end, 0);
    if (end == reader->at)
        unreadable(reader, "a value");
    if (*end == '.') {
        const double real = strtod(reader->at, &end);
        reader->at = end;
        return (struct value){.kind = VALUE_FLOAT, .real = real};
    }
    reader->at = end;
    return value_int(integer);
}

static struct value read_plain(struct reader *reader)
{
    reader_skip_blanks(reader);
    switch (*reader->at) {
    case '"':
    case '\'':
        return read_text(reader, *reader->at);
    case '[':
        return read_items(reader, ']');
    case '{':
        return read_items(reader, '}');
    case 'b':
        if (reader->at[1] == '"') {
            reader->at++;
            struct value value = read_text(reader, '"');
            value.kind = VALUE_BYTES;
            return value;
        }
        return read_word(reader);
    default:
        return read_word(reader);
    }
}

struct value reader_value(struct reader *reader)
{
    static const char marks[] = "^~?"; /* in the order of enum value_mark's bits */
    struct value value = read_plain(reader);

    while (*reader->at != '\0' && strchr(marks, *reader->at)) {
        const size_t bit = (size_t)(strchr(marks, *reader->at) - marks);
        value.marks = (uint8_t)(value.marks | 1U << bit);
        reader->at++;
    }
    return value;
}

struct value reader_list(struct reader *reader)
{
    reader_skip_blanks(reader);
    if (*reader->at != '[')
        unreadable(reader, "`[`");
    return reader_value(reader);
}

const char *reader_string(struct reader *reader)
{
    const struct value value = reader_value(reader);

    if (value.kind == VALUE_NONE)
        return NULL;
    if (value.kind != VALUE_TEXT)
        unreadable(reader, "a text or none");
    char *text = take(value.count + 1);
    memcpy(text, value.bytes, value.count);
    return text;
}

/* ---------------------------------------------------------------- operations */

static void read_attribute(struct reader *reader, struct attribute *attribute)
{
    char name[READER_WORD_MAX];

    reader_word(reader, name);
    attribute->name = vocabulary_attribute(name, strlen(name));
    if (attribute->name == ATTRIBUTE_NONE || !reader_take(reader, "="))
        unreadable(reader, "ATTRIBUTE=VALUE");
    if (reader_take(reader, "nameless")) {
        attribute->value = value_none();
        attribute->nameless = true;
        return;
    }
    attribute->value = reader_value(reader);
    if (vocabulary_attribute_type(attribute->name) == TYPE_PATH)
        attribute->resolved =
            *reader->at == '>' ? (reader->at++, reader_value(reader)) : attribute->value;
}

static int by_name(const void *a, const void *b)
{
    const struct attribute *left = a;
    const struct attribute *right = b;
    return (int)left->name - (int)right->name;
}

static bool at_end_of_operation(struct reader *reader)
{
    reader_skip_blanks(reader);
    return *reader->at == ';' || strncmp(reader->at, "=>", 2) == 0;
}

void reader_operations(struct reader *reader, struct event *event)
{
    struct operation *operations = take(EVENT_OPERATIONS_MAX * sizeof(*operations));

    event->operations = operations;
    do {
        char name[READER_WORD_MAX];
        struct attribute *attributes = take(EVENT_ATTRIBUTES_MAX * sizeof(*attributes));
        assert_true(event->operation_count < EVENT_OPERATIONS_MAX);
        struct operation *operation = &operations[event->operation_count++];

        reader_word(reader, name);
        operation->operation_class = vocabulary_class(name, strlen(name));
        if (operation->operation_class == CLASS_NONE)
            unreadable(reader, "an operation class in front of this");
        while (!at_end_of_operation(reader)) {
            assert_true(operation->attribute_count < EVENT_ATTRIBUTES_MAX);
            read_attribute(reader, &attributes[operation->attribute_count++]);
        }
        qsort(attributes, operation->attribute_count, sizeof(*attributes), by_name);
        operation->attributes = attributes;
    } while (reader_take(reader, ";"));
}
