#include "policies/language/diagnostics_internal.h"

#include <stdlib.h>
#include <string.h>

#include "policies/engine/utf8.h"
#include "policies/language/text_buffer.h"

struct diagnostics *diagnostics_new(void)
{
    struct diagnostics *diagnostics = calloc(1, sizeof(*diagnostics));
    if (diagnostics)
        diagnostics->most = DIAGNOSTICS_MAX;
    return diagnostics;
}

void diagnostics_limit(struct diagnostics *diagnostics, size_t most)
{
    diagnostics->most = most;
}

static void diagnostic_free(struct diagnostic *diagnostic)
{
    while (diagnostic->remarks) {
        struct diagnostic_remark *remark = diagnostic->remarks;
        diagnostic->remarks = remark->next;
        free(remark->text);
        free(remark);
    }
    free(diagnostic->message);
    free(diagnostic->label);
    free(diagnostic->place.shown);
    free(diagnostic->second.shown);
    free(diagnostic->second_label);
    free(diagnostic);
}

void diagnostics_free(struct diagnostics *diagnostics)
{
    if (!diagnostics)
        return;
    for (size_t i = 0; i < diagnostics->count; i++)
        diagnostic_free(diagnostics->entries[i]);
    free(diagnostics->entries);
    for (size_t i = 0; i < diagnostics->file_count; i++)
        free(diagnostics->files[i]);
    free(diagnostics->files);
    free(diagnostics);
}

size_t diagnostics_error_count(const struct diagnostics *diagnostics)
{
    return diagnostics->errors + (diagnostics->no_memory ? 1 : 0);
}

size_t diagnostics_warning_count(const struct diagnostics *diagnostics)
{
    return diagnostics->warnings;
}

bool diagnostics_are_full(const struct diagnostics *diagnostics)
{
    return diagnostics->errors >= diagnostics->most;
}

bool diagnostics_want_suggestions(const struct diagnostics *diagnostics)
{
    return diagnostics->errors < SUGGESTIONS_MAX;
}

void report_no_memory(struct diagnostics *diagnostics)
{
    diagnostics->no_memory = true;
}

uint32_t diagnostics_file(struct diagnostics *diagnostics, const char *name)
{
    for (size_t i = 0; i < diagnostics->file_count; i++)
        if (strcmp(diagnostics->files[i], name) == 0)
            return (uint32_t)i;

    char **files =
        realloc(diagnostics->files, (diagnostics->file_count + 1) * sizeof(*diagnostics->files));
    if (!files) {
        diagnostics->no_memory = true;
        return 0;
    }
    diagnostics->files = files;
    struct text_buffer shown = {0};
    text_buffer_add_shown(&shown, name, strlen(name), false);
    char *copy = text_buffer_take(&shown);
    if (!copy) {
        diagnostics->no_memory = true;
        return 0;
    }
    files[diagnostics->file_count] = copy;
    return (uint32_t)diagnostics->file_count++;
}

static char *formatted(struct diagnostics *diagnostics, const char *format, va_list list)
    TEXT_FORMAT(2, 0);

static char *formatted(struct diagnostics *diagnostics, const char *format, va_list list)
{
    struct text_buffer raw = {0};
    struct text_buffer shown = {0};

    text_buffer_format_list(&raw, format, list);
    if (!raw.failed && raw.length > 0)
        text_buffer_add_shown(&shown, raw.bytes, raw.length, false);
    shown.failed |= raw.failed;
    text_buffer_deinit(&raw);
    char *text = text_buffer_take(&shown);
    if (!text)
        diagnostics->no_memory = true;
    return text;
}

/* Where a place's line is. */
struct line {
    const char *text;
    uint32_t length;  /* bytes, without the line end */
    uint32_t number;  /* from 1 */
    uint32_t columns; /* characters */
    uint32_t from;    /* the place, in characters from 0; `to` is behind it */
    uint32_t to;
};

/* True of eight bytes that are a character each: of a long line most are. */
static bool eight_are_plain(const char *text, uint32_t left)
{
    uint64_t bytes;

    if (left < sizeof(bytes))
        return false;
    memcpy(&bytes, text, sizeof(bytes));
    return (bytes & UINT64_C(0x8080808080808080)) == 0;
}

static uint32_t columns_of(const char *text, uint32_t length)
{
    uint32_t columns = 0;
    for (uint32_t at = 0; at < length; columns++) {
        if (eight_are_plain(text + at, length - at)) {
            at += 8;
            columns += 7;
            continue;
        }
        size_t size;
        (void)utf8_decode(text + at, length - at, &size);
        at += (uint32_t)size;
    }
    return columns;
}

static struct line line_of(struct span span)
{
    const struct source *source = span.source;
    struct line line = {.number = 1};
    const uint32_t offset = span.offset < source->length ? span.offset : source->length;
    uint32_t start = 0;

    for (uint32_t i = 0; i < offset; i++) {
        if (source->text[i] == '\n') {
            line.number++;
            start = i + 1;
        }
    }
    uint32_t end = offset;
    while (end < source->length && source->text[end] != '\n')
        end++;
    if (end > start && source->text[end - 1] == '\r')
        end--;
    line.text = source->text + start;
    line.length = end - start;

    uint32_t first = offset - start;
    if (first > line.length)
        first = line.length;
    uint32_t last = span.length > line.length - first ? line.length : first + span.length;
    line.columns = columns_of(line.text, line.length);
    line.from = columns_of(line.text, first);
    line.to = line.from + columns_of(line.text + first, last - first);
    if (line.to == line.from)
        line.to++; /* something to point at, behind the line's end too */
    return line;
}

/* The first column shown, so that `from` to `to` are seen if they can be. */
static uint32_t window_start(const struct line *line, uint32_t from, uint32_t to)
{
    const uint32_t room = EXCERPT_COLUMNS - 1;

    if (line->columns <= EXCERPT_WHOLE || to < room)
        return 0;
    uint32_t start = from > 20 ? from - 20 : 0; /* some of what stands before */
    if (to > start + room && to > room)
        start = to - room;
    if (start >= from)
        start = from > 0 ? from - 1 : 0;
    return start;
}

static struct excerpt cut_excerpt(struct diagnostics *diagnostics, const struct line *line,
                                  uint32_t start)
{
    struct excerpt excerpt = {.line = line->number, .column = line->from + 1};
    const bool whole = line->columns <= EXCERPT_WHOLE;
    const uint32_t end =
        whole || line->columns - start <= EXCERPT_COLUMNS ? line->columns : start + EXCERPT_COLUMNS;
    struct text_buffer shown = {0};
    uint32_t column = 0;

    for (uint32_t at = 0; at < line->length && column < end; column++) {
        if (column + 8 <= start && eight_are_plain(line->text + at, line->length - at)) {
            at += 8;
            column += 7;
            continue;
        }
        size_t size;
        (void)utf8_decode(line->text + at, line->length - at, &size);
        if ((column == start && start > 0) || (column == end - 1 && end < line->columns))
            text_buffer_add_text(&shown, "\xe2\x80\xa6"); /* … */
        else if (column >= start)
            text_buffer_add_shown(&shown, line->text + at, size, true);
        at += (uint32_t)size;
    }
    if (line->from >= start && line->from <= end) {
        excerpt.start = line->from - start;
        excerpt.width = (line->to > end + 1 ? end : line->to) - line->from;
    }
    excerpt.shown = text_buffer_take(&shown);
    if (!excerpt.shown)
        diagnostics->no_memory = true;
    return excerpt;
}

static bool keep(struct diagnostics *diagnostics, struct diagnostic *diagnostic)
{
    if (diagnostics->count == diagnostics->capacity) {
        const size_t capacity = diagnostics->capacity > 0 ? 2 * diagnostics->capacity : 16;
        const size_t size = sizeof(*diagnostics->entries); // NOLINT(bugprone-sizeof-expression)
        struct diagnostic **entries = realloc(diagnostics->entries, capacity * size);
        if (!entries)
            return false;
        diagnostics->entries = entries;
        diagnostics->capacity = capacity;
    }
    diagnostics->entries[diagnostics->count++] = diagnostic;
    return true;
}

static bool already_said(const struct diagnostics *diagnostics, enum diagnostic_code code,
                         struct span span)
{
    for (size_t i = 0; i < diagnostics->count; i++) {
        const struct diagnostic *entry = diagnostics->entries[i];
        if (entry->code == code && entry->file == span.source->order &&
            entry->offset == span.offset)
            return true;
    }
    return false;
}

struct diagnostic *report_list(struct diagnostics *diagnostics, enum diagnostic_code code,
                               struct span span, const char *format, va_list list)
{
    if ((span.source->quiet && diagnostic_is_warning(code)) ||
        already_said(diagnostics, code, span))
        return NULL;
    size_t *said = diagnostic_is_warning(code) ? &diagnostics->warnings : &diagnostics->errors;
    if (++*said > diagnostics->most)
        return NULL;

    struct diagnostic *diagnostic = calloc(1, sizeof(*diagnostic));
    if (!diagnostic || !keep(diagnostics, diagnostic)) {
        free(diagnostic);
        diagnostics->no_memory = true;
        return NULL;
    }
    diagnostic->owner = diagnostics;
    diagnostic->code = code;
    diagnostic->span = span;
    diagnostic->offset = span.offset;
    diagnostic->file = span.source->order;
    diagnostic->sequence = diagnostics->count;

    diagnostic->message = formatted(diagnostics, format, list);
    const struct line line = line_of(span);
    diagnostic->place = cut_excerpt(diagnostics, &line, window_start(&line, line.from, line.to));
    return diagnostic;
}

struct diagnostic *report(struct diagnostics *diagnostics, enum diagnostic_code code,
                          struct span span, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    struct diagnostic *diagnostic = report_list(diagnostics, code, span, format, list);
    va_end(list);
    return diagnostic;
}

void diagnostic_label(struct diagnostic *diagnostic, const char *format, ...)
{
    if (!diagnostic)
        return;
    va_list list;
    va_start(list, format);
    free(diagnostic->label);
    diagnostic->label = formatted(diagnostic->owner, format, list);
    va_end(list);
}

void diagnostic_second(struct diagnostic *diagnostic, struct span span, const char *label)
{
    if (!diagnostic || diagnostic->has_second)
        return;
    const struct line first = line_of(diagnostic->span);
    const struct line second = line_of(span);
    uint32_t start = window_start(&second, second.from, second.to);

    diagnostic->has_second = true;
    diagnostic->second_file = span.source->order;
    if (diagnostic->second_file == diagnostic->file && first.number == second.number) {
        start = window_start(&first, first.from < second.from ? first.from : second.from,
                             first.to > second.to ? first.to : second.to);
        free(diagnostic->place.shown);
        diagnostic->place = cut_excerpt(diagnostic->owner, &first, start);
    }
    diagnostic->second = cut_excerpt(diagnostic->owner, &second, start);
    if (label) {
        diagnostic->second_label = strdup(label);
        if (!diagnostic->second_label)
            diagnostic->owner->no_memory = true;
    }
}

static void add_remark(struct diagnostic *diagnostic, bool is_help, const char *format,
                       va_list list) TEXT_FORMAT(3, 0);

static void add_remark(struct diagnostic *diagnostic, bool is_help, const char *format,
                       va_list list)
{
    struct diagnostic_remark *remark = calloc(1, sizeof(*remark));
    if (!remark) {
        diagnostic->owner->no_memory = true;
        return;
    }
    remark->is_help = is_help;
    remark->text = formatted(diagnostic->owner, format, list);
    struct diagnostic_remark **last = &diagnostic->remarks;
    while (*last)
        last = &(*last)->next;
    *last = remark;
}

void diagnostic_help(struct diagnostic *diagnostic, const char *format, ...)
{
    if (!diagnostic)
        return;
    va_list list;
    va_start(list, format);
    add_remark(diagnostic, true, format, list);
    va_end(list);
}

void diagnostic_note(struct diagnostic *diagnostic, const char *format, ...)
{
    if (!diagnostic)
        return;
    va_list list;
    va_start(list, format);
    add_remark(diagnostic, false, format, list);
    va_end(list);
}
