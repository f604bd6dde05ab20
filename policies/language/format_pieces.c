#include "policies/language/format_internal.h"

#include <string.h>

bool piece_is(const struct piece *piece, const char *word)
{
    return piece->kind == TOKEN_NAME && piece->length == strlen(word) &&
           memcmp(piece->text, word, piece->length) == 0;
}

static uint32_t width_of(const char *text, uint32_t length)
{
    uint32_t width = 0;
    for (uint32_t i = 0; i < length; i++)
        if (((unsigned char)text[i] & 0xC0) != 0x80) /* a byte that continues a character */
            width++;
    return width;
}

static struct comment **end_of(struct comment **list)
{
    while (*list)
        list = &(*list)->next;
    return list;
}

/* At a `#`; moves behind the comment. */
static struct comment *read_comment(const struct source *source, uint32_t *at,
                                    struct storage *storage)
{
    struct comment *comment = storage_take(storage, 1, sizeof(*comment));
    const uint32_t start = *at;
    uint32_t end = start;

    while (end < source->length && source->text[end] != '\n')
        end++;
    *at = end;
    while (end > start && strchr(" \t\r", source->text[end - 1]))
        end--;
    if (comment) {
        comment->text = source->text + start;
        comment->length = end - start;
    }
    return comment;
}

/* What stands between two pieces: blanks and comments. `before` is NULL at the start. */
static bool read_gap(const struct source *source, uint32_t from, uint32_t to, struct piece *before,
                     struct piece *piece, struct storage *storage)
{
    struct comment **last = &piece->leading;
    unsigned lines = 0; /* line ends since the last thing that was not blank */
    bool on_line = before != NULL;

    for (uint32_t at = from; at < to;) {
        if (source->text[at] == '#') {
            struct comment *comment = read_comment(source, &at, storage);
            if (!comment)
                return false;
            if (on_line) {
                before->trailing = comment;
            } else {
                comment->blank_before = lines > 1;
                *last = comment;
                last = &comment->next;
            }
            on_line = false;
            lines = 0;
            continue;
        }
        if (source->text[at] == '\n') {
            on_line = false;
            lines++;
        }
        at++;
    }
    piece->blank_before = lines > 1;
    return true;
}

/* The comments between a piece and the one that is written right behind it go behind that one. */
static void glue(struct piece *before, struct piece *piece, struct piece *next)
{
    if (before->trailing) {
        struct comment *moved = piece->leading;
        *end_of(&moved) = piece->trailing;
        piece->trailing = before->trailing;
        before->trailing = NULL;
        *end_of(&moved) = next->leading;
        next->leading = moved;
    } else if (piece->leading) {
        *end_of(&piece->leading) = piece->trailing;
        *end_of(&piece->leading) = next->leading;
        next->leading = piece->leading;
        piece->trailing = NULL;
    }
    piece->leading = NULL;
    piece->blank_before = false;
}

/* A comma behind the last value is written where the form has one, not where the text had it. */
static void drop_comma(struct piece *last, struct piece *comma, struct piece *close)
{
    glue(last, comma, close);
    last->trailing = comma->trailing;
    comma->trailing = NULL;
}

/* `arg . path` becomes the one word that it is without the blanks; comments in it go above it. */
static bool join_argument(struct piece *argument, struct piece *dot, struct piece *name,
                          struct storage *storage)
{
    const size_t length = argument->length + dot->length + name->length;
    char *text = storage_take(storage, length + 1, 1);

    if (!text)
        return false;
    memcpy(text, argument->text, argument->length);
    text[argument->length] = '.';
    memcpy(text + argument->length + 1, name->text, name->length);
    *end_of(&argument->leading) = argument->trailing;
    *end_of(&argument->leading) = dot->leading;
    *end_of(&argument->leading) = dot->trailing;
    *end_of(&argument->leading) = name->leading;
    argument->trailing = name->trailing;
    argument->kind = TOKEN_QUALIFIED;
    argument->text = text;
    argument->length = (uint32_t)length;
    argument->width = (uint32_t)length;
    return true;
}

static bool join_arguments(struct pieces *pieces, struct storage *storage)
{
    struct piece *all = pieces->all;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < pieces->count; i++) {
        all[kept] = all[i];
        if (i + 2 < pieces->count && all[i].kind == TOKEN_NAME && all[i + 1].kind == TOKEN_DOT &&
            all[i + 2].kind == TOKEN_NAME) {
            if (!join_argument(&all[kept], &all[i + 1], &all[i + 2], storage))
                return false;
            i += 2;
        }
        kept++;
    }
    pieces->count = kept;
    return true;
}

static void normalize(struct pieces *pieces)
{
    struct piece *all = pieces->all;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < pieces->count; i++) {
        const bool last_comma = all[i].kind == TOKEN_COMMA && i + 1 < pieces->count &&
                                all[i + 1].kind == TOKEN_CLOSE_BRACKET;
        if (last_comma) {
            drop_comma(&all[kept - 1], &all[i], &all[i + 1]);
            continue;
        }
        if (kept > 0 && (all[i].kind == TOKEN_COMMA || all[i].kind == TOKEN_DOT ||
                         all[i].kind == TOKEN_OPEN_BRACE))
            glue(&all[kept - 1], &all[i], &all[i + 1]);
        all[kept++] = all[i];
    }
    pieces->count = kept;
}

static bool match_pairs(struct pieces *pieces, struct storage *storage)
{
    uint32_t *open = storage_take(storage, pieces->count, sizeof(*open));
    uint32_t depth = 0;

    if (!open)
        return false;
    for (uint32_t i = 0; i < pieces->count; i++) {
        switch (pieces->all[i].kind) {
        case TOKEN_OPEN_BRACE:
        case TOKEN_OPEN_BRACKET:
        case TOKEN_OPEN_PARENTHESIS:
            open[depth++] = i;
            break;
        case TOKEN_CLOSE_BRACE:
        case TOKEN_CLOSE_BRACKET:
        case TOKEN_CLOSE_PARENTHESIS:
            pieces->all[open[--depth]].match = i;
            break;
        default:
            break;
        }
    }
    return true;
}

bool pieces_make(struct pieces *pieces, const struct token_trace *trace,
                 const struct source *source, bool tests, struct storage *storage)
{
    uint32_t at = 0;

    *pieces = (struct pieces){.count = (uint32_t)trace->count + 1, .tests = tests};
    pieces->all = storage_take(storage, pieces->count, sizeof(*pieces->all));
    if (!pieces->all)
        return false;
    for (uint32_t i = 0; i < pieces->count; i++) {
        struct piece *piece = &pieces->all[i];
        struct span span = {source, source->length, 0};
        if (i < trace->count) {
            span = trace->tokens[i].span;
            piece->kind = trace->tokens[i].kind;
            piece->mark = trace->tokens[i].mark;
        }
        piece->text = source->text + span.offset;
        piece->length = span.length;
        piece->width = width_of(piece->text, piece->length);
        if (!read_gap(source, at, span.offset, i > 0 ? piece - 1 : NULL, piece, storage))
            return false;
        at = span.offset + span.length;
    }
    if (!join_arguments(pieces, storage))
        return false;
    normalize(pieces);
    return match_pairs(pieces, storage);
}

/* Comments in the order of the text, one after the other. */
struct comment_reader {
    const struct pieces *pieces;
    const struct comment *next;
    uint32_t at;
    bool behind; /* what ends the line of the piece comes next */
};

static const struct comment *next_comment(struct comment_reader *reader)
{
    while (!reader->next) {
        if (reader->at == reader->pieces->count)
            return NULL;
        const struct piece *piece = &reader->pieces->all[reader->at];
        reader->next = reader->behind ? piece->trailing : piece->leading;
        if (reader->behind)
            reader->at++;
        reader->behind = !reader->behind;
    }
    const struct comment *comment = reader->next;
    reader->next = comment->next;
    return comment;
}

static bool comments_equal(const struct pieces *left, const struct pieces *right)
{
    struct comment_reader left_reader = {.pieces = left};
    struct comment_reader right_reader = {.pieces = right};
    const struct comment *one;
    const struct comment *other;

    do {
        one = next_comment(&left_reader);
        other = next_comment(&right_reader);
        if (!one || !other)
            return one == other;
    } while (one->length == other->length && memcmp(one->text, other->text, one->length) == 0);
    return false;
}

bool pieces_equal(const struct pieces *left, const struct pieces *right)
{
    if (left->count != right->count)
        return false;
    for (uint32_t i = 0; i < left->count; i++) {
        const struct piece *one = &left->all[i];
        const struct piece *other = &right->all[i];
        if (one->kind != other->kind || one->mark != other->mark || one->length != other->length ||
            memcmp(one->text, other->text, one->length) != 0)
            return false;
    }
    return comments_equal(left, right);
}
