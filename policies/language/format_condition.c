#include "policies/language/format_internal.h"

#include <string.h>

static bool opens(const struct piece *piece)
{
    return piece->kind == TOKEN_OPEN_BRACKET || piece->kind == TOKEN_OPEN_PARENTHESIS;
}

/* The next `and` or `or` at the level of `from`, or `to`. */
static uint32_t next_join(const struct pieces *pieces, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        if (opens(&pieces->all[i]))
            i = pieces->all[i].match;
        else if (pieces->all[i].mark == MARK_JOIN)
            return i;
    }
    return to;
}

/* Behind the value of a list that begins at `from`: at its comma, or `to`. */
static uint32_t value_end(const struct pieces *pieces, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        if (opens(&pieces->all[i]))
            i = pieces->all[i].match;
        else if (pieces->all[i].kind == TOKEN_COMMA)
            return i;
    }
    return to;
}

static bool fits(const struct printer *printer, uint32_t from, uint32_t to)
{
    const struct pieces *pieces = printer->pieces;
    return printer->column + printer->padding + gap_before(pieces, from) +
               flat_width(pieces, from, to) <
           FORMAT_WIDTH; /* one is left for a comma */
}

/* A list with a line for each value. Test files have no comma behind the last: the grammar has none
 * for lists in lists there. */
static void print_open_list(struct printer *printer, uint32_t open, uint32_t indent)
{
    const struct pieces *pieces = printer->pieces;
    const uint32_t close = pieces->all[open].match;

    print_piece(printer, open, gap_before(pieces, open), indent);
    for (uint32_t from = open + 1; from < close;) {
        const uint32_t end = value_end(pieces, from, close);
        print_lead(printer, from, indent + FORMAT_INDENT, from == open + 1);
        print_operand(printer, from, end, indent + FORMAT_INDENT, true);
        if (end < close || !pieces->tests)
            print_text(printer, ",");
        if (end < close)
            printer->pending = pieces->all[end].trailing;
        from = end < close ? end + 1 : close;
    }
    print_last_comments(printer, close, indent + FORMAT_INDENT, close == open + 1);
    print_piece(printer, close, 0, indent);
}

static void print_open_parenthesis(struct printer *printer, uint32_t from, uint32_t indent,
                                   bool open)
{
    const struct pieces *pieces = printer->pieces;

    print_piece(printer, from, gap_before(pieces, from), indent);
    const struct condition_style style = {
        .broken = true, .open = open, .indent = pieces->tests ? indent : printer->column};
    print_condition(printer, from + 1, pieces->all[from].match, &style);
    print_piece(printer, pieces->all[from].match, 0, indent);
}

void print_operand(struct printer *printer, uint32_t from, uint32_t to, uint32_t indent, bool open)
{
    const struct pieces *pieces = printer->pieces;

    for (uint32_t i = from; i < to; i++) {
        const struct piece *piece = &pieces->all[i];
        const bool several = opens(piece) && piece->mark != MARK_INDEX &&
                             (has_comments(pieces, i, piece->match + 1) ||
                              (open && !fits(printer, i, piece->match + 1)));
        if (!several) {
            print_piece(printer, i, gap_before(pieces, i), indent);
            continue;
        }
        if (piece->kind == TOKEN_OPEN_BRACKET)
            print_open_list(printer, i, indent);
        else
            print_open_parenthesis(printer, i, indent, open);
        i = piece->match;
    }
}

void print_condition(struct printer *printer, uint32_t from, uint32_t to,
                     const struct condition_style *style)
{
    const struct pieces *pieces = printer->pieces;

    for (;;) {
        const uint32_t join = next_join(pieces, from, to);
        print_operand(printer, from, join, style->indent, style->open);
        if (join == to)
            return;
        if (style->broken)
            print_newline(printer);
        print_piece(printer, join, 1,
                    style->where > 0 ? style->where - pieces->all[join].width : style->indent);
        from = join + 1;
    }
}

/* Behind what stays together on a line: a value and its comma, a part. */
static uint32_t unit_end(const struct pieces *pieces, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        if (i > from && pieces->all[i].mark == MARK_PART)
            return i;
        if (opens(&pieces->all[i]))
            i = pieces->all[i].match;
        else if (pieces->all[i].kind == TOKEN_COMMA)
            return i + 1;
    }
    return to;
}

void print_filled(struct printer *printer, uint32_t from, uint32_t to, uint32_t indent)
{
    for (uint32_t at = from; at < to;) {
        const uint32_t end = unit_end(printer->pieces, at, to);
        if (at > from && !fits(printer, at, end))
            print_newline(printer);
        print_operand(printer, at, end, indent, true);
        at = end;
    }
}
