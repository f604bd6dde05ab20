#include "policies/language/format_internal.h"

#include <stdlib.h>
#include <string.h>

#include "policies/language/lexer.h"
#include "policies/language/report.h"

/* Behind the statement that begins at `from`. */
static uint32_t statement_end(const struct pieces *pieces, uint32_t from, uint32_t to)
{
    uint32_t end = from + 1;
    while (end < to && pieces->all[end].mark != MARK_STATEMENT)
        end++;
    return end;
}

static bool follows_closely(const struct pieces *pieces, const struct statement *statement)
{
    const struct piece *first = &pieces->all[statement->from];
    return !first->blank_before && !first->leading;
}

/* Statements from `from` to `to`, which is what closes them. */
static void print_statements(struct printer *printer, uint32_t from, uint32_t to, uint32_t indent,
                             struct storage *storage)
{
    const struct pieces *pieces = printer->pieces;
    struct statement *statements = storage_take(storage, to - from + 1, sizeof(*statements));
    size_t count = 0;

    if (!statements)
        return;
    for (uint32_t at = from; at < to; at = statements[count++].to)
        statements[count] = (struct statement){at, statement_end(pieces, at, to)};
    for (size_t i = 0; i < count;) {
        size_t group = 1;
        while (i + group < count && follows_closely(pieces, &statements[i + group]) &&
               are_aligned(pieces, &statements[i], &statements[i + group]))
            group++;
        print_lead(printer, statements[i].from, indent, i == 0);
        print_group(printer, &statements[i], group, indent, storage);
        print_newline(printer);
        i += group;
    }
    print_last_comments(printer, to, indent, count == 0);
}

/* A policy or a test; `open` is its brace. */
static void print_block(struct printer *printer, uint32_t from, uint32_t open,
                        struct storage *storage)
{
    const uint32_t close = printer->pieces->all[open].match;

    print_piece(printer, from, 0, 0);
    for (uint32_t i = from + 1; i <= open; i++)
        print_piece(printer, i, 1, FORMAT_INDENT);
    print_newline(printer);
    print_statements(printer, open + 1, close, FORMAT_INDENT, storage);
    print_piece(printer, close, 0, 0);
}

static bool has_blank(const struct piece *piece)
{
    for (const struct comment *comment = piece->leading; comment; comment = comment->next)
        if (comment->blank_before)
            return true;
    return piece->blank_before;
}

static void print_file(struct printer *printer, struct storage *storage)
{
    const struct pieces *pieces = printer->pieces;
    const uint32_t end = pieces->count - 1;
    bool block_before = false;

    for (uint32_t at = 0; at < end;) {
        const struct piece *first = &pieces->all[at];
        const bool block = !piece_is(first, "set");
        uint32_t open = at;
        while (block && pieces->all[open].kind != TOKEN_OPEN_BRACE)
            open++;
        const struct statement statement = {at, block ? pieces->all[open].match + 1
                                                      : statement_end(pieces, at, end)};
        print_newline(printer);
        if (at > 0 && (block || block_before) && !has_blank(first))
            print_blank(printer);
        print_lead(printer, at, 0, at == 0);
        if (block)
            print_block(printer, at, open, storage);
        else
            print_group(printer, &statement, 1, 0, storage);
        block_before = block;
        at = statement.to;
    }
    print_newline(printer);
    print_last_comments(printer, end, 0, end == 0);
}

static bool is_test(const struct policy_text *text, const struct source *source)
{
    static const char suffix[] = ".test.warder";
    const size_t length = strlen(text->file);
    struct storage storage = {0};
    struct token first;

    if (length > strlen(suffix) && strcmp(text->file + length - strlen(suffix), suffix) == 0)
        return true;
    CLEANUP(diagnostics_free) struct diagnostics *unheard = diagnostics_new();
    if (!unheard)
        return false;
    struct lexer lexer;
    lexer_init(&lexer, source, &storage, unheard);
    lexer_next(&lexer, &first);
    storage_deinit(&storage);
    return first.kind == TOKEN_NAME && first.length == strlen("test") &&
           memcmp(first.text, "test", first.length) == 0;
}

/* What the text is made of; false if it has errors, or memory lacks. */
static bool read_pieces(const struct source *source, bool tests, struct storage *storage,
                        struct diagnostics *diagnostics, struct pieces *pieces)
{
    const size_t errors = diagnostics_error_count(diagnostics);
    struct token_trace trace = {0};

    return (tests ? trace_tests : trace_policies)(source, storage, diagnostics, &trace) &&
           diagnostics_error_count(diagnostics) == errors &&
           pieces_make(pieces, &trace, source, tests, storage);
}

/* The formatted text read again is the same. */
static bool says_the_same(const struct pieces *pieces, const struct text_buffer *out,
                          struct storage *storage)
{
    CLEANUP(diagnostics_free) struct diagnostics *unheard = diagnostics_new();
    const struct source source = {
        .file = "", .text = out->bytes ? out->bytes : "", .length = (uint32_t)out->length};
    struct pieces again;

    return unheard && read_pieces(&source, pieces->tests, storage, unheard, &again) &&
           pieces_equal(pieces, &again);
}

static char *format(const struct source *source, bool tests, struct storage *storage,
                    struct diagnostics *diagnostics)
{
    const size_t errors = diagnostics_error_count(diagnostics);
    struct text_buffer out = {0};
    struct pieces pieces;

    if (read_pieces(source, tests, storage, diagnostics, &pieces)) {
        struct printer printer = {.pieces = &pieces, .out = &out};
        text_buffer_add_text(&out, "");
        print_file(&printer, storage);
        if (out.length > POLICY_TEXT_MAX)
            (void)report(diagnostics, ERROR_TOO_LARGE, (struct span){source, 0, 0},
                         "formatted, this file would have more than %d bytes", POLICY_TEXT_MAX);
        else if (!storage->failed && !out.failed && !says_the_same(&pieces, &out, storage) &&
                 !storage->failed)
            (void)report(diagnostics, ERROR_FORMAT_DEFECT, (struct span){source, 0, 0},
                         "formatted, this file would not say the same: a defect of the formatter");
    }
    if (storage->failed || out.failed)
        report_no_memory(diagnostics);
    if (diagnostics_error_count(diagnostics) == errors)
        return text_buffer_take(&out);
    text_buffer_deinit(&out);
    return NULL;
}

char *policy_format(const struct policy_text *text, struct diagnostics *diagnostics)
{
    struct storage storage = {0};
    struct source source = {
        .file = text->file, .text = "", .order = diagnostics_file(diagnostics, text->file)};

    if (text->length > POLICY_TEXT_MAX) {
        (void)report(diagnostics, ERROR_TOO_LARGE, (struct span){&source, 0, 0},
                     "a policy file has at most %d bytes, this one has more", POLICY_TEXT_MAX);
        return NULL;
    }
    source.text = text->text;
    source.length = (uint32_t)text->length;
    char *formatted = format(&source, is_test(text, &source), &storage, diagnostics);
    storage_deinit(&storage);
    return formatted;
}
