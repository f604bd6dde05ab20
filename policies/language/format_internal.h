/* format_pieces.c makes pieces of a text, format_print.c puts pieces on lines, format_condition.c
 * lays out conditions and lists, format_statement.c statements and groups of them, and format.c
 * what they stand in. */
#ifndef WARDER_POLICIES_LANGUAGE_FORMAT_INTERNAL_H
#define WARDER_POLICIES_LANGUAGE_FORMAT_INTERNAL_H

#include "policies/language/format.h"
#include "policies/language/storage.h"
#include "policies/language/text_buffer.h"
#include "policies/language/token_trace.h"

enum { FORMAT_INDENT = 4 }; /* characters */

struct comment {
    const char *text; /* from its # on, without blanks at the end */
    uint32_t length;
    bool blank_before; /* a blank line stands before it */
    struct comment *next;
};

/* A token, with the comments that go with it. */
struct piece {
    enum token_kind kind;
    enum token_mark mark;
    const char *text; /* as written */
    uint32_t length;
    uint32_t width;           /* characters */
    uint32_t match;           /* of what opens: the piece that closes it */
    bool blank_before;        /* a blank line stands between it and what is before */
    struct comment *leading;  /* on lines of their own, above it */
    struct comment *trailing; /* behind it on its line; at most one */
};

/* The last piece is the end of the text. No list ends with a comma, and what is written right
 * behind another piece (a comma, a dot, the brace of a policy) has no comment before it. */
struct pieces {
    struct piece *all;
    uint32_t count;
    bool tests;
};

/* False on lack of memory. */
bool pieces_make(struct pieces *pieces, const struct token_trace *trace,
                 const struct source *source, bool tests, struct storage *storage);

/* The same tokens, taken for the same, and the same comments. */
bool pieces_equal(const struct pieces *left, const struct pieces *right);

bool piece_is(const struct piece *piece, const char *word);

/* Comments inside the stretch: not above its first piece, nor behind its last. */
bool has_comments(const struct pieces *pieces, uint32_t from, uint32_t to);
/* Spaces before a piece that stands on the line of the one before it. */
uint32_t gap_before(const struct pieces *pieces, uint32_t at);
/* Characters of the stretch on one line. */
uint32_t flat_width(const struct pieces *pieces, uint32_t from, uint32_t to);

struct printer {
    const struct pieces *pieces;
    struct text_buffer *out;
    uint32_t column;               /* characters on the line at hand */
    uint32_t widest;               /* of all lines, comments left out */
    uint32_t padding;              /* spaces more before the next piece, if the line goes on */
    uint32_t led;                  /* a piece and 1: what is above it was printed */
    const struct comment *pending; /* to end the line with */
};

/* Ends the line, unless nothing is on it. */
void print_newline(struct printer *printer);
/* A line left blank, at the start of a line. */
void print_blank(struct printer *printer);
/* On new lines, the comments above a piece, and the blank lines about them; where it is `first` of
 * a block none is left blank at the start. */
void print_lead(struct printer *printer, uint32_t at, uint32_t indent, bool first);
/* The comments above what closes a block or a list. */
void print_last_comments(struct printer *printer, uint32_t close, uint32_t indent, bool first);
/* Characters of the form's own, right behind what is there. */
void print_text(struct printer *printer, const char *text);
/* A piece behind `gap` spaces; at `indent` on a new line, if a comment stands before it or nothing
 * is on the line. */
void print_piece(struct printer *printer, uint32_t at, uint32_t gap, uint32_t indent);

/* How a condition is laid out. */
struct condition_style {
    bool broken;     /* a line for each part */
    bool open;       /* lists and parentheses may take several lines */
    uint32_t indent; /* of its parts and their lists */
    uint32_t where;  /* 0, or the end of `where`, below which those of `and` and `or` stand; else
                        they begin at `indent` */
};

void print_condition(struct printer *printer, uint32_t from, uint32_t to,
                     const struct condition_style *style);

/* Pieces with their lists; where `open`, those that do not fit on the line take several. */
void print_operand(struct printer *printer, uint32_t from, uint32_t to, uint32_t indent, bool open);
/* As that, but new lines begin behind commas and before parts where one is full. */
void print_filled(struct printer *printer, uint32_t from, uint32_t to, uint32_t indent);

/* A statement of a policy, or a line of a test: from its first piece to behind its last. */
struct statement {
    uint32_t from;
    uint32_t to;
};

/* True if the two stand in columns, as far as what they are goes. */
bool are_aligned(const struct pieces *pieces, const struct statement *one,
                 const struct statement *other);
/* Statements that stand in columns, or one; what is above the first was printed. */
void print_group(struct printer *printer, const struct statement *statements, size_t count,
                 uint32_t indent, struct storage *storage);

#endif
