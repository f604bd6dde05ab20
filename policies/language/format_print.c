/* What is printed stands in a line that is begun when something comes to stand in it: so no line
 * ends with a blank. */
#include "policies/language/format_internal.h"

#include <string.h>

bool has_comments(const struct pieces *pieces, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        if ((i > from && pieces->all[i].leading) || (i + 1 < to && pieces->all[i].trailing))
            return true;
    return false;
}

uint32_t gap_before(const struct pieces *pieces, uint32_t at)
{
    const struct piece *piece = &pieces->all[at];

    switch (piece->kind) {
    case TOKEN_COMMA:
    case TOKEN_DOT:
    case TOKEN_CLOSE_BRACKET:
    case TOKEN_CLOSE_PARENTHESIS:
        return 0;
    default:
        break;
    }
    if (piece->mark == MARK_INDEX || at == 0)
        return 0;
    switch (pieces->all[at - 1].kind) {
    case TOKEN_DOT:
    case TOKEN_OPEN_BRACKET:
    case TOKEN_OPEN_PARENTHESIS:
        return 0;
    default:
        return 1;
    }
}

uint32_t flat_width(const struct pieces *pieces, uint32_t from, uint32_t to)
{
    uint32_t width = 0;
    for (uint32_t i = from; i < to; i++)
        width += pieces->all[i].width + (i > from ? gap_before(pieces, i) : 0);
    return width;
}

void print_newline(struct printer *printer)
{
    const struct comment *pending = printer->pending;

    if (pending) {
        text_buffer_add_text(printer->out, "  ");
        text_buffer_add(printer->out, pending->text, pending->length);
        printer->pending = NULL;
    }
    if (printer->column > 0)
        text_buffer_add_text(printer->out, "\n");
    printer->column = 0;
}

void print_blank(struct printer *printer)
{
    text_buffer_add_text(printer->out, "\n");
}

static void print_comments(struct printer *printer, const struct comment *comments, uint32_t indent,
                           bool first)
{
    print_newline(printer);
    for (const struct comment *comment = comments; comment; comment = comment->next) {
        if (comment->blank_before && !first)
            print_blank(printer);
        first = false;
        text_buffer_repeat(printer->out, ' ', indent);
        text_buffer_add(printer->out, comment->text, comment->length);
        text_buffer_add_text(printer->out, "\n");
    }
}

void print_lead(struct printer *printer, uint32_t at, uint32_t indent, bool first)
{
    const struct piece *piece = &printer->pieces->all[at];

    print_comments(printer, piece->leading, indent, first);
    if (piece->blank_before && (piece->leading || !first))
        print_blank(printer);
    printer->led = at + 1;
}

void print_last_comments(struct printer *printer, uint32_t close, uint32_t indent, bool first)
{
    print_comments(printer, printer->pieces->all[close].leading, indent, first);
    printer->led = close + 1;
}

static void add(struct printer *printer, const char *text, uint32_t length, uint32_t width)
{
    text_buffer_add(printer->out, text, length);
    printer->column += width;
    if (printer->column > printer->widest)
        printer->widest = printer->column;
}

void print_text(struct printer *printer, const char *text)
{
    const uint32_t length = (uint32_t)strlen(text);
    add(printer, text, length, length);
}

void print_piece(struct printer *printer, uint32_t at, uint32_t gap, uint32_t indent)
{
    const struct piece *piece = &printer->pieces->all[at];

    if (printer->pending)
        print_newline(printer);
    if (piece->leading && printer->led != at + 1)
        print_comments(printer, piece->leading, indent, false);
    const uint32_t spaces = printer->column > 0 ? gap + printer->padding : indent;
    text_buffer_repeat(printer->out, ' ', spaces);
    printer->column += spaces;
    printer->padding = 0;
    add(printer, piece->text, piece->length, piece->width);
    printer->pending = piece->trailing;
}
