/* The shape is that of the specification's models:
 *
 *     FILE:LINE:COL: error[E0nn]: message
 *      LINE | source line
 *           |     ^^^^ label
 *           = help: …
 */
#include "policies/language/diagnostics_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/language/text_buffer.h"

struct paint {
    const char *error;
    const char *warning;
    const char *note;
    const char *place;
    const char *strong;
    const char *plain;
};

static const struct paint no_paint = {"", "", "", "", "", ""};
static const struct paint terminal_paint = {"\033[1;31m", "\033[1;33m", "\033[1;36m",
                                            "\033[1;34m", "\033[1m",    "\033[0m"};

static const char *const severity_names[SEVERITY_COUNT] = {"error", "warning", "note"};

struct renderer {
    struct text_buffer *out;
    const struct paint *paint;
    int gutter; /* digits of a line number */
};

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static const char *file_name(const struct diagnostics *diagnostics, uint32_t file)
{
    return file < diagnostics->file_count ? diagnostics->files[file] : "?";
}

static int by_place(const void *a, const void *b)
{
    const struct diagnostic *left = *(struct diagnostic *const *)a;
    const struct diagnostic *right = *(struct diagnostic *const *)b;

    if (left->file != right->file)
        return left->file < right->file ? -1 : 1;
    if (left->offset != right->offset)
        return left->offset < right->offset ? -1 : 1;
    return left->sequence < right->sequence ? -1 : 1;
}

static int digits(uint32_t number)
{
    int count = 1;
    while (number >= 10) {
        number /= 10;
        count++;
    }
    return count;
}

static void empty_gutter(const struct renderer *renderer)
{
    text_buffer_repeat(renderer->out, ' ', (size_t)renderer->gutter);
    text_buffer_format(renderer->out, " %s|%s ", renderer->paint->place, renderer->paint->plain);
}

static void source_line(const struct renderer *renderer, const struct excerpt *excerpt)
{
    text_buffer_format(renderer->out, "%s%*u |%s %s\n", renderer->paint->place, renderer->gutter,
                       (unsigned)excerpt->line, renderer->paint->plain, or_empty(excerpt->shown));
}

/* Moves from column `from` to `to` under the shown line, keeping its tabs so that both lines keep
 * step whatever a tab's width is. */
static void advance(const struct renderer *renderer, const char *shown, uint32_t from, uint32_t to)
{
    uint32_t column = 0;
    for (; *shown != '\0' && column < to; shown++) {
        if (((unsigned char)*shown & 0xc0) == 0x80)
            continue;
        if (column >= from)
            text_buffer_add_text(renderer->out, *shown == '\t' ? "\t" : " ");
        column++;
    }
    if (column < to)
        text_buffer_repeat(renderer->out, ' ', to - (column > from ? column : from));
}

static void underline(const struct renderer *renderer, const struct excerpt *excerpt, bool is_main,
                      const char *label)
{
    if (excerpt->width == 0)
        return;
    const char *colour = is_main ? renderer->paint->error : renderer->paint->place;
    empty_gutter(renderer);
    advance(renderer, or_empty(excerpt->shown), 0, excerpt->start);
    text_buffer_add_text(renderer->out, colour);
    text_buffer_repeat(renderer->out, is_main ? '^' : '-', excerpt->width);
    if (label && *label)
        text_buffer_format(renderer->out, " %s", label);
    text_buffer_format(renderer->out, "%s\n", renderer->paint->plain);
}

/* Two places in one line, in one row if their labels allow it. */
static void underline_both(const struct renderer *renderer, const struct diagnostic *diagnostic)
{
    const struct excerpt *main_place = &diagnostic->place;
    const struct excerpt *second = &diagnostic->second;
    const bool second_first = second->start < main_place->start;
    const struct excerpt *left = second_first ? second : main_place;
    const struct excerpt *right = second_first ? main_place : second;
    const char *left_label = second_first ? diagnostic->second_label : diagnostic->label;
    const char *right_label = second_first ? diagnostic->label : diagnostic->second_label;

    if (second->width == 0 || left->start + left->width >= right->start ||
        (left_label && *left_label)) {
        underline(renderer, main_place, true, diagnostic->label);
        underline(renderer, second, false, diagnostic->second_label);
        return;
    }
    empty_gutter(renderer);
    advance(renderer, or_empty(left->shown), 0, left->start);
    text_buffer_repeat(renderer->out, second_first ? '-' : '^', left->width);
    advance(renderer, or_empty(left->shown), left->start + left->width, right->start);
    text_buffer_repeat(renderer->out, second_first ? '^' : '-', right->width);
    if (right_label && *right_label)
        text_buffer_format(renderer->out, " %s", right_label);
    text_buffer_add_text(renderer->out, "\n");
}

static void places(const struct renderer *renderer, const struct diagnostics *diagnostics,
                   const struct diagnostic *diagnostic)
{
    const bool here = diagnostic->has_second && diagnostic->second_file == diagnostic->file;

    if (here && diagnostic->second.line == diagnostic->place.line) {
        source_line(renderer, &diagnostic->place);
        underline_both(renderer, diagnostic);
        return;
    }
    if (here && diagnostic->second.line < diagnostic->place.line) {
        source_line(renderer, &diagnostic->second);
        underline(renderer, &diagnostic->second, false, diagnostic->second_label);
    }
    source_line(renderer, &diagnostic->place);
    underline(renderer, &diagnostic->place, true, diagnostic->label);
    if (!diagnostic->has_second || (here && diagnostic->second.line < diagnostic->place.line))
        return;
    if (!here) {
        text_buffer_repeat(renderer->out, ' ', (size_t)renderer->gutter);
        text_buffer_format(renderer->out, " ::: %s:%u:%u\n",
                           file_name(diagnostics, diagnostic->second_file),
                           (unsigned)diagnostic->second.line, (unsigned)diagnostic->second.column);
    }
    source_line(renderer, &diagnostic->second);
    underline(renderer, &diagnostic->second, false, diagnostic->second_label);
}

static void render_one(struct text_buffer *out, const struct paint *paint,
                       const struct diagnostics *diagnostics, const struct diagnostic *diagnostic)
{
    struct renderer renderer = {.out = out, .paint = paint, .gutter = 3};
    const enum diagnostic_severity severity = diagnostic_severity(diagnostic->code);
    const char *const colours[SEVERITY_COUNT] = {paint->error, paint->warning, paint->note};

    if (digits(diagnostic->place.line) > renderer.gutter)
        renderer.gutter = digits(diagnostic->place.line);
    if (diagnostic->has_second && digits(diagnostic->second.line) > renderer.gutter)
        renderer.gutter = digits(diagnostic->second.line);

    text_buffer_format(out, "%s%s:%u:%u:%s %s%s[%c%03u]:%s %s%s%s\n", paint->strong,
                       file_name(diagnostics, diagnostic->file), (unsigned)diagnostic->place.line,
                       (unsigned)diagnostic->place.column, paint->plain, colours[severity],
                       severity_names[severity], diagnostic_letter(diagnostic->code),
                       diagnostic_number(diagnostic->code), paint->plain, paint->strong,
                       or_empty(diagnostic->message), paint->plain);
    places(&renderer, diagnostics, diagnostic);
    for (const struct diagnostic_remark *remark = diagnostic->remarks; remark;
         remark = remark->next) {
        text_buffer_repeat(out, ' ', (size_t)renderer.gutter);
        text_buffer_format(out, " %s=%s %s: %s\n", paint->place, paint->plain,
                           remark->is_help ? "help" : "note", or_empty(remark->text));
    }
    text_buffer_add_text(out, "\n");
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* `2 errors, 1 warning in 1 file; …` */
static void closing_line(struct text_buffer *out, const struct diagnostics *diagnostics,
                         const char *closing)
{
    const size_t said[SEVERITY_COUNT] = {diagnostics_error_count(diagnostics),
                                         diagnostics->said[SEVERITY_WARNING],
                                         diagnostics->said[SEVERITY_NOTE]};
    const char *before = "";
    size_t files = 0;

    for (size_t i = 0; i < diagnostics->count; i++)
        if (i == 0 || diagnostics->entries[i]->file != diagnostics->entries[i - 1]->file)
            files++;
    for (int severity = SEVERITY_ERROR; severity < SEVERITY_COUNT; severity++) {
        if (said[severity] == 0)
            continue;
        text_buffer_format(out, "%s%u %s%s", before, (unsigned)said[severity],
                           severity_names[severity], plural(said[severity]));
        before = ", ";
    }
    if (files > 0)
        text_buffer_format(out, " in %u file%s", (unsigned)files, plural(files));
    text_buffer_format(out, "%s%s\n", closing ? "; " : ".", or_empty(closing));
}

void diagnostics_sort(const struct diagnostics *diagnostics)
{
    if (diagnostics->count > 0)
        qsort(diagnostics->entries, diagnostics->count,
              sizeof(*diagnostics->entries), // NOLINT(bugprone-sizeof-expression): pointers
              by_place);
}

char *diagnostics_render(const struct diagnostics *diagnostics, const char *closing, bool colour)
{
    const struct paint *paint = colour ? &terminal_paint : &no_paint;
    struct text_buffer out = {0};
    size_t said = 0;

    for (int severity = SEVERITY_ERROR; severity < SEVERITY_COUNT; severity++)
        said += diagnostics->said[severity];
    diagnostics_sort(diagnostics);
    for (size_t i = 0; i < diagnostics->count; i++)
        render_one(&out, paint, diagnostics, diagnostics->entries[i]);
    if (said > diagnostics->count)
        text_buffer_format(&out, "%u more are not shown.\n\n",
                           (unsigned)(said - diagnostics->count));
    if (diagnostics->no_memory)
        text_buffer_format(&out, "%serror[E%03u]:%s out of memory: not everything was checked\n\n",
                           paint->error, (unsigned)ERROR_NO_MEMORY, paint->plain);
    if (said > 0 || diagnostics->no_memory)
        closing_line(&out, diagnostics, closing);
    return text_buffer_take(&out);
}

size_t diagnostics_kept(const struct diagnostics *diagnostics)
{
    return diagnostics->count;
}

static struct diagnostic_location location(const struct diagnostics *diagnostics, uint32_t file,
                                           const struct excerpt *excerpt, const char *label)
{
    return (struct diagnostic_location){.file = file_name(diagnostics, file),
                                        .line = excerpt->line,
                                        .column = excerpt->column,
                                        .end_line = excerpt->end_line,
                                        .end_column = excerpt->end_column,
                                        .label = or_empty(label)};
}

struct diagnostic_view diagnostics_view(const struct diagnostics *diagnostics, size_t index)
{
    if (index == 0)
        diagnostics_sort(diagnostics);
    const struct diagnostic *diagnostic = diagnostics->entries[index];
    struct diagnostic_view view = {
        .severity = severity_names[diagnostic_severity(diagnostic->code)],
        .message = or_empty(diagnostic->message),
        .place = location(diagnostics, diagnostic->file, &diagnostic->place, diagnostic->label),
        .has_second = diagnostic->has_second};

    (void)snprintf(view.code, sizeof(view.code), "%c%03u", diagnostic_letter(diagnostic->code),
                   diagnostic_number(diagnostic->code) % 1000);
    if (diagnostic->has_second)
        view.second = location(diagnostics, diagnostic->second_file, &diagnostic->second,
                               diagnostic->second_label);
    return view;
}

const char *diagnostics_remark(const struct diagnostics *diagnostics, size_t index, size_t number,
                               bool *is_help)
{
    const struct diagnostic_remark *remark = diagnostics->entries[index]->remarks;

    for (; remark && number > 0; number--)
        remark = remark->next;
    if (!remark)
        return NULL;
    *is_help = remark->is_help;
    return or_empty(remark->text);
}
