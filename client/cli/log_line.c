#define _GNU_SOURCE
#include "client/cli/log_line.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "client/cli/json_line.h"
#include "policies/engine/event_text.h"

enum {
    FIELD_MAX = 400,   /* bytes of one column */
    COMMAND_MAX = 160, /* of a shell's command in its column; --json has it whole */
};

/* What a program chose (a file name) cannot play with the terminal, nor stand for other columns. */
static void print_chosen(FILE *out, const char *text)
{
    char shown[FIELD_MAX];
    column_text(text, strlen(text), shown, sizeof(shown));
    fprintf(out, "  %s", *text ? shown : "-");
}

/* What the daemon has put together, quotes and all. */
static void print_column(FILE *out, const char *text)
{
    char printable[FIELD_MAX];
    printable_text(text, strlen(text), printable, sizeof(printable));
    fprintf(out, "  %s", *text ? printable : "-");
}

static void print_time(FILE *out, uint64_t time)
{
    const time_t seconds = (time_t)(time / 1000000000U);
    struct tm parts;
    char text[64];

    localtime_r(&seconds, &parts);
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
    fprintf(out, "%s.%03" PRIu64, text, time / 1000000U % 1000U);
}

static void print_word(FILE *out, const char *verdict, bool colour)
{
    static const struct {
        const char *verdict;
        const char *word;
        const char *escape;
    } words[] = {
        {"deny", "denied", "\033[31m"},
        {"kill", "killed", "\033[1;31m"},
        {"would-deny", "would deny", "\033[33m"},
        {"allow", "allowed", "\033[32m"},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (strcmp(words[i].verdict, verdict) == 0)
            fprintf(out, "  %s%-10s%s", colour ? words[i].escape : "", words[i].word,
                    colour ? "\033[0m" : "");
}

/* A text of the record, however it is wrapped (event_json.h); NULL if it is none. */
static const json_t *recorded_text(const json_t *json)
{
    static const char *const wraps[] = {"value", "text", "bytes"};

    for (size_t i = 0; i < sizeof(wraps) / sizeof(*wraps); i++)
        if (json_object_get(json, wraps[i]))
            json = json_object_get(json, wraps[i]);
    return json_is_string(json) ? json : NULL;
}

/* What the shell of an `exec` is to run (`sh -c COMMAND`), with its secrets masked as the record
 * has it: the shell's own path says nothing. NULL if it is no shell's. */
static const json_t *shell_command(const json_t *object)
{
    const json_t *operation = json_array_get(json_object_get(object, "operations"), 0);
    const json_t *argv = json_object_get(operation, "argv");
    const json_t *option = recorded_text(json_array_get(argv, 1));

    if (strcmp(json_line_text(operation, "class"), "exec") != 0 ||
        !json_is_true(json_object_get(operation, "shell")) || !option ||
        strcmp(json_string_value(option), "-c") != 0)
        return NULL;
    return recorded_text(json_array_get(argv, 2));
}

static void print_shell_command(FILE *out, const json_t *object)
{
    const json_t *command = shell_command(object);
    char printable[COMMAND_MAX];

    if (!command)
        return;
    quoted_text(json_string_value(command), json_string_length(command), printable,
                sizeof(printable));
    fprintf(out, " -c %s", printable);
}

static void print_count(FILE *out, const json_t *object)
{
    const json_int_t count = json_integer_value(json_object_get(object, "count"));

    if (count > 1)
        fprintf(out, " x%" JSON_INTEGER_FORMAT, count);
}

static void print_decision(FILE *out, const json_t *object, bool colour)
{
    const json_t *proved = json_object_get(json_object_get(object, "subject"), "proved");
    const char *policy = json_line_text(object, "policy");
    const char *file = json_line_text(object, "file");
    char text[FIELD_MAX];

    print_word(out, json_line_text(object, "verdict"), colour);
    print_column(out, json_line_text(object, "summary"));
    print_shell_command(out, object);
    print_count(out, object);
    print_chosen(out, json_line_text(object, "event"));
    snprintf(text, sizeof(text), "%s%s%s", policy, *policy ? "." : "",
             json_line_text(object, "rule"));
    print_column(out, text);
    snprintf(text, sizeof(text), "%s %" JSON_INTEGER_FORMAT, json_line_text(proved, "user"),
             json_integer_value(json_object_get(proved, "pid")));
    print_column(out, text);
    print_chosen(out, file);
    if (*file)
        fprintf(out, ":%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(object, "line")));
    print_column(out, json_line_text(object, "decision"));
}

/* `uid 65534 pid 123`, what is known of it. */
static void print_sender(FILE *out, const json_t *object)
{
    static const char *const facts[] = {"uid", "pid"};
    char text[64] = "";

    for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
        const json_t *fact = json_object_get(object, facts[i]);
        const size_t length = strlen(text);
        if (fact)
            (void)snprintf(text + length, sizeof(text) - length, "%s%s %" JSON_INTEGER_FORMAT,
                           length > 0 ? " " : "", facts[i], json_integer_value(fact));
    }
    print_column(out, text);
}

/* Of no event, by no rule, from no line. */
static void print_notice(FILE *out, const json_t *object)
{
    fprintf(out, "  %-10s", json_line_text(object, "kind"));
    print_column(out, json_line_text(object, "summary"));
    print_count(out, object);
    fputs("  -  -", out);
    print_sender(out, object);
    fputs("  -", out);
    print_column(out, json_line_text(object, "session"));
}

void log_heading_print(FILE *out)
{
    const time_t now = time(NULL);
    struct tm parts;
    char when[32];

    localtime_r(&now, &parts);
    strftime(when, sizeof(when), "TIME (%z)", &parts);
    fprintf(out, "%-23s  %-10s  WHAT  EVENT  BY  WHO  WHERE  DECISION\n", when, "VERDICT");
}

void log_line_print(FILE *out, const Warder__V1__LogEntry *entry, bool colour)
{
    json_t *object = json_line_read(entry);

    print_time(out, entry->time);
    if (!object)
        fputs("  unreadable  a record that is no JSON  -  -  -  -  -", out);
    else if (strcmp(json_line_text(object, "kind"), "decision") == 0)
        print_decision(out, object, colour);
    else
        print_notice(out, object);
    fputc('\n', out);
    json_decref(object);
}
