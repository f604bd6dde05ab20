#include "client/cli/scene_words.h"

#include <ctype.h>
#include <string.h>

#include "client/cli/command.h"
#include "policies/engine/utf8.h"
#include "policies/engine/vocabulary.h"

/* ----------------------------------------------------------------------------------------- values
 */

/* A string of the language that stands for these bytes. */
static void add_string(struct text_buffer *text, const char *bytes, size_t length)
{
    text_buffer_add_text(text, "\"");
    for (size_t at = 0, size; at < length; at += size) {
        const uint32_t character = utf8_decode(bytes + at, length - at, &size);
        if (character == '"' || character == '\\')
            text_buffer_format(text, "\\%c", (char)character);
        else if (utf8_is_raw(character) || character < ' ')
            text_buffer_format(text, "\\x%02x", (unsigned char)bytes[at]);
        else if (character_is_control(character) || character_is_bidirectional(character))
            text_buffer_format(text, "\\u{%x}", (unsigned)character);
        else
            text_buffer_add(text, bytes + at, size);
    }
    text_buffer_add_text(text, "\"");
}

static void add_text(struct text_buffer *text, const char *word)
{
    add_string(text, word, strlen(word));
}

static bool is_integer(const char *word)
{
    const char *digits = word + (*word == '-');
    return *digits && strspn(digits, "0123456789") == strlen(digits);
}

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}

/* Written in the language already. */
static bool is_written(const char *word)
{
    static const char *const words[] = {"none", "unknown", NULL};
    return *word == '[' || *word == '"' || is_one_of(word, words);
}

static bool is_address(const char *word)
{
    return strpbrk(word, ".:") && strspn(word, "0123456789abcdefABCDEF.:") == strlen(word);
}

static void add_value(struct text_buffer *text, const char *word, enum attribute_type type)
{
    static const char *const truths[] = {"true", "false", NULL};
    const bool number = type == TYPE_INT || type == TYPE_SIGNAL || type == TYPE_ANY;
    const bool truth = type == TYPE_BOOL || type == TYPE_ANY;

    if (is_written(word) || (number && is_integer(word)) || (truth && is_one_of(word, truths)) ||
        (type == TYPE_ADDRESS && is_address(word)))
        text_buffer_add_text(text, word);
    else
        add_text(text, word);
}

static void add_list(struct text_buffer *text, const char *const *words, size_t count)
{
    text_buffer_add_text(text, "[");
    for (size_t i = 0; i < count; i++) {
        text_buffer_add_text(text, i > 0 ? ", " : "");
        add_text(text, words[i]);
    }
    text_buffer_add_text(text, "]");
}

/* ------------------------------------------------------------------------------------ what happens
 */

static void add_event(const struct scene_words *scene, struct text_buffer *text)
{
    text_buffer_add_text(text, "event ");
    add_text(text, scene->event);
    text_buffer_add_text(text, " [");
    for (size_t i = 0; i < scene->word_count; i++) {
        text_buffer_add_text(text, i > 0 ? ", " : "");
        add_value(text, scene->words[i], TYPE_ANY);
    }
    text_buffer_add_text(text, "]");
}

static enum attribute_name attribute_of(enum operation_class operation_class, const char *word)
{
    const enum attribute_name name = vocabulary_attribute(word, strlen(word));

    if (name == ATTRIBUTE_EVENT || vocabulary_class_has(operation_class, name))
        return name;
    return ATTRIBUTE_NONE;
}

static bool not_an_attribute(enum operation_class operation_class, const char *word)
{
    const enum attribute_name *attributes = vocabulary_class_attributes(operation_class);
    struct text_buffer names = {0};

    for (; *attributes != ATTRIBUTE_NONE; attributes++)
        text_buffer_format(&names, "%s%s", names.length > 0 ? ", " : "",
                           vocabulary_attribute_name(*attributes));
    complain("explain: `%s` is no attribute of `%s`: %s%s", word,
             vocabulary_class_name(operation_class), names.length > 0 ? "it has " : "it has none",
             names.length > 0 ? names.bytes : "");
    text_buffer_deinit(&names);
    return false;
}

/* Adds an attribute with the words that are its value, from `at` on. How many those are. */
static size_t add_attribute(const struct scene_words *scene, struct text_buffer *text,
                            enum operation_class operation_class, enum attribute_name attribute,
                            size_t at)
{
    const enum attribute_type type = vocabulary_attribute_type(attribute);
    const char *const *words = (const char *const *)scene->words + at;
    const size_t left = scene->word_count - at;
    size_t count = 0;

    text_buffer_format(text, " %s ", vocabulary_attribute_name(attribute));
    if ((type != TYPE_TEXT_LIST && type != TYPE_TEXT_MAP) || (left > 0 && is_written(words[0]))) {
        if (left > 0)
            add_value(text, words[0], type);
        return left > 0 ? 1 : 0;
    }
    while (count < left && attribute_of(operation_class, words[count]) == ATTRIBUTE_NONE)
        count++;
    add_list(text, words, count);
    return count;
}

static bool add_operation(const struct scene_words *scene, struct text_buffer *text)
{
    const char *word = scene->words[0];
    const enum operation_class class = vocabulary_class(word, strlen(word));
    size_t at = 1;

    if (class == CLASS_NONE) {
        /* The parser knows which one was meant; of what is no name it would say something else. */
        if (strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-") ==
            strlen(word)) {
            text_buffer_add_text(text, word);
            return true;
        }
        complain("explain: an operation class or --event is wanted, not `%s`; `warder explain "
                 "--help` shows how",
                 word);
        return false;
    }
    text_buffer_add_text(text, word);
    if (at < scene->word_count && attribute_of(class, scene->words[at]) == ATTRIBUTE_NONE) {
        const enum attribute_name main = vocabulary_class_attributes(class)[0];
        if (main == ATTRIBUTE_NONE)
            return not_an_attribute(class, scene->words[at]);
        at += add_attribute(scene, text, class, main, at);
    }
    while (at < scene->word_count) {
        const enum attribute_name attribute = attribute_of(class, scene->words[at]);
        if (attribute == ATTRIBUTE_NONE)
            return not_an_attribute(class, scene->words[at]);
        const bool is_list = vocabulary_attribute_type(attribute) == TYPE_TEXT_LIST ||
                             vocabulary_attribute_type(attribute) == TYPE_TEXT_MAP;
        if (at + 1 == scene->word_count && !is_list) {
            complain("explain: a value must follow `%s`", scene->words[at]);
            return false;
        }
        at += 1 + add_attribute(scene, text, class, attribute, at + 1);
    }
    return true;
}

/* ------------------------------------------------------------------------------------- the session
 */

static void add_fact(struct text_buffer *text, const char *name, const char *value)
{
    if (!value)
        return;
    text_buffer_format(text, "\n        %s ", name);
    add_text(text, value);
}

/* NAME=VALUE; the name stands without quotes. */
static bool add_named(struct text_buffer *text, const char *front, const char *option,
                      const char *word)
{
    const char *equals = strchr(word, '=');
    size_t length = 0;

    while (isalnum((unsigned char)word[length]) ||
           (length > 0 && strchr("_-", word[length]) && word[length]))
        length++;
    if (!equals || equals == word || length != (size_t)(equals - word)) {
        complain("explain: %s wants NAME=VALUE, not `%s`", option, word);
        return false;
    }
    text_buffer_format(text, "\n        %s%.*s ", front, (int)length, word);
    add_text(text, equals + 1);
    return true;
}

static bool has_start(const struct scene_words *scene)
{
    for (size_t i = 0; i < scene->places.count; i++)
        if (strncmp(scene->places.words[i], "start=", strlen("start=")) == 0)
            return true;
    return false;
}

static bool add_session(const struct scene_words *scene, struct text_buffer *text)
{
    text_buffer_add_text(text, "    session");
    add_fact(text, "user", scene->user);
    add_fact(text, "exe", scene->exe);
    add_fact(text, "unit", scene->unit);
    add_fact(text, "platform", scene->platform);
    add_fact(text, "python", scene->python);
    add_fact(text, "script", scene->script);
    if (scene->groups.count > 0) {
        text_buffer_add_text(text, "\n        group ");
        add_list(text, scene->groups.words, scene->groups.count);
    }
    for (size_t i = 0; i < scene->labels.count; i++)
        if (!add_named(text, "label ", "--label", scene->labels.words[i]))
            return false;
    for (size_t i = 0; i < scene->places.count; i++)
        if (!add_named(text, "session.", "--place", scene->places.words[i]))
            return false;
    if (!has_start(scene))
        add_fact(text, "session.start", scene->start);
    text_buffer_add_text(text, "\n");
    return true;
}

static bool add_givens(const struct scene_words *scene, struct text_buffer *text)
{
    for (size_t i = 0; i < scene->givens.count; i++) {
        const char *word = scene->givens.words[i];
        const char *equals = strchr(word, '=');
        if (!equals) {
            complain("explain: --given wants PATH=WHERE-IT-LEADS, not `%s`", word);
            return false;
        }
        text_buffer_add_text(text, "    given ");
        add_string(text, word, (size_t)(equals - word));
        text_buffer_add_text(text, " resolves to ");
        add_text(text, equals + 1);
        text_buffer_add_text(text, "\n");
    }
    return true;
}

bool scene_words_write(const struct scene_words *scene, struct text_buffer *text)
{
    text_buffer_add_text(text, "test explained {\n");
    if (!add_givens(scene, text) || !add_session(scene, text))
        return false;
    text_buffer_add_text(text, "    expect allow ");
    if (scene->event)
        add_event(scene, text);
    else if (!add_operation(scene, text))
        return false;
    text_buffer_add_text(text, "\n        by default\n}\n");
    return true;
}
