/* A statement is laid out as each of several layouts says, one after the other, until one fits. The
 * columns of a group depend on the widths of what is written alone, not on the layouts chosen: what
 * is formatted is formatted the same again. */
#include "policies/language/format_internal.h"

#include <string.h>

enum {
    TARGET_COLUMN_MAX = 16, /* characters: what is longer would push the others out of sight */
};

/* Where the parts of a statement begin; `to` where it has none of them. In a test, `as` is its
 * `by`. */
struct parts {
    uint32_t from;
    uint32_t target; /* behind the effect or verdict */
    uint32_t head_end;
    uint32_t where;
    uint32_t condition_end;
    uint32_t as;
    uint32_t tail; /* `message`, `reason` */
    uint32_t to;
};

/* Widths, the gap behind not counted; 0: nothing is aligned. */
struct columns {
    uint32_t effect;
    uint32_t target;
    uint32_t as;      /* where `as` stands */
    uint32_t as_room; /* the longest `as` and name */
};

struct layout {
    bool broken;    /* `and` and `or` begin lines */
    bool as_own;    /* `as` begins a line */
    bool where_own; /* `where` begins a line */
    bool open;      /* lists may take several lines */
};

static const struct layout layouts[] = {
    {.broken = false},
    {.broken = true},
    {.as_own = true},
    {.broken = true, .as_own = true},
    {.where_own = true, .as_own = true},
    {.where_own = true, .broken = true, .as_own = true},
    {.broken = true, .open = true},
    {.where_own = true, .broken = true, .as_own = true, .open = true},
};

enum { LAYOUT_COUNT = sizeof(layouts) / sizeof(*layouts) };

static bool begins_with(const struct pieces *pieces, const struct statement *statement,
                        const char *const *words)
{
    for (; *words; words++)
        if (piece_is(&pieces->all[statement->from], *words))
            return true;
    return false;
}

static bool is_rule(const struct pieces *pieces, const struct statement *statement)
{
    static const char *const words[] = {"allow", "deny", "kill", "log", NULL};
    return begins_with(pieces, statement, words);
}

static bool is_expectation(const struct pieces *pieces, const struct statement *statement)
{
    static const char *const words[] = {"expect", NULL};
    return begins_with(pieces, statement, words);
}

bool are_aligned(const struct pieces *pieces, const struct statement *one,
                 const struct statement *other)
{
    return (is_rule(pieces, one) && is_rule(pieces, other)) ||
           (is_expectation(pieces, one) && is_expectation(pieces, other));
}

static struct parts find_parts(const struct pieces *pieces, const struct statement *statement)
{
    struct parts parts = {.from = statement->from,
                          .target = statement->from + 1,
                          .where = statement->to,
                          .as = statement->to,
                          .tail = statement->to,
                          .to = statement->to};

    for (uint32_t i = statement->to - 1; i > statement->from; i--) {
        const struct piece *piece = &pieces->all[i];
        if (piece->mark != MARK_WORD)
            continue;
        if (piece_is(piece, "message") || piece_is(piece, "reason"))
            parts.tail = i;
        else if (piece_is(piece, "as") || piece_is(piece, "by"))
            parts.as = i;
        else if (piece_is(piece, "where"))
            parts.where = i;
    }
    if (is_expectation(pieces, statement))
        parts.target++; /* `expect` and the verdict */
    parts.condition_end = parts.as < parts.tail ? parts.as : parts.tail;
    parts.head_end = parts.where < parts.condition_end ? parts.where : parts.condition_end;
    return parts;
}

static uint32_t target_width(const struct pieces *pieces, const struct parts *parts)
{
    return flat_width(pieces, parts->target, parts->head_end);
}

static uint32_t effect_width(const struct pieces *pieces, const struct parts *parts)
{
    return flat_width(pieces, parts->from, parts->target);
}

static void print_head(struct printer *printer, const struct parts *parts,
                       const struct columns *columns, uint32_t indent)
{
    const struct pieces *pieces = printer->pieces;
    const uint32_t effect = effect_width(pieces, parts);
    const uint32_t target = target_width(pieces, parts);

    print_piece(printer, parts->from, 0, indent);
    print_operand(printer, parts->from + 1, parts->target, indent + FORMAT_INDENT, false);
    if (columns->effect > effect)
        printer->padding = columns->effect - effect;
    print_filled(printer, parts->target, parts->head_end, indent + FORMAT_INDENT);
    printer->padding = 0;
    if (parts->where < parts->to && columns->target > target)
        printer->padding = columns->target - target;
}

static void print_where(struct printer *printer, const struct parts *parts,
                        const struct layout *layout, uint32_t indent)
{
    const struct pieces *pieces = printer->pieces;

    if (layout->where_own)
        print_newline(printer);
    print_piece(printer, parts->where, 1, indent);
    const struct condition_style style = {
        .broken = layout->broken || has_comments(pieces, parts->where, parts->condition_end),
        .open = layout->open,
        .indent = printer->column + 1,
        .where = printer->column,
    };
    print_condition(printer, parts->where + 1, parts->condition_end, &style);
}

/* The column in front of `as`; 0 where that begins a line. */
static uint32_t print_parts(struct printer *printer, const struct parts *parts,
                            const struct columns *columns, const struct layout *layout,
                            uint32_t indent)
{
    const uint32_t inner = indent + FORMAT_INDENT;
    const struct pieces *pieces = printer->pieces;
    uint32_t before_as = 0;

    printer->led = parts->from + 1; /* what is above it was printed */
    print_head(printer, parts, columns, indent);
    if (parts->where < parts->to)
        print_where(printer, parts, layout, inner);
    printer->padding = 0;
    if (parts->as < parts->to) {
        if (layout->as_own)
            print_newline(printer);
        if (!printer->pending && !pieces->all[parts->as].leading)
            before_as = printer->column;
        if (before_as > 0 && columns->as > before_as + 1)
            printer->padding = columns->as - before_as - 1;
        print_operand(printer, parts->as, parts->tail, inner, false);
    }
    if (parts->tail < parts->to) {
        print_newline(printer);
        print_operand(printer, parts->tail, parts->to, inner, false);
    }
    return before_as;
}

/* How a statement comes out, without a trace left of it. */
struct trial {
    uint32_t widest;
    uint32_t before_as;
};

static struct trial try_layout(const struct printer *printer, struct text_buffer *scratch,
                               const struct parts *parts, const struct columns *columns,
                               const struct layout *layout, uint32_t indent)
{
    struct printer trial = {.pieces = printer->pieces, .out = scratch};

    scratch->length = 0;
    const uint32_t before_as = print_parts(&trial, parts, columns, layout, indent);
    return (struct trial){trial.widest, before_as};
}

static const struct layout *choose_layout(const struct printer *printer,
                                          struct text_buffer *scratch, const struct parts *parts,
                                          const struct columns *columns, uint32_t indent,
                                          uint32_t *before_as)
{
    for (size_t i = 0; i < LAYOUT_COUNT; i++) {
        const struct trial trial =
            try_layout(printer, scratch, parts, columns, &layouts[i], indent);
        *before_as = trial.before_as;
        if (trial.widest <= FORMAT_WIDTH && trial.before_as + 1 + columns->as_room <= FORMAT_WIDTH)
            return &layouts[i];
    }
    return &layouts[LAYOUT_COUNT - 1];
}

static struct columns find_columns(const struct pieces *pieces, const struct parts *parts,
                                   size_t count)
{
    struct columns columns = {0};

    for (size_t i = 0; i < count; i++) {
        const uint32_t as = flat_width(pieces, parts[i].as, parts[i].tail);
        if (as > columns.as_room)
            columns.as_room = as;
    }
    for (size_t i = 0; i < count && count > 1; i++) {
        const uint32_t effect = effect_width(pieces, &parts[i]);
        const uint32_t target = target_width(pieces, &parts[i]);
        if (effect > columns.effect)
            columns.effect = effect;
        if (parts[i].where < parts[i].to && target <= TARGET_COLUMN_MAX && target > columns.target)
            columns.target = target;
    }
    return columns;
}

static uint32_t find_as_column(const uint32_t *before_as, size_t count)
{
    uint32_t column = 0;

    for (size_t i = 0; i < count && count > 1; i++)
        if (before_as[i] > 0 && before_as[i] + 1 > column)
            column = before_as[i] + 1;
    return column;
}

static void print_aligned(struct printer *printer, const struct statement *statements, size_t count,
                          uint32_t indent, struct storage *storage)
{
    const struct pieces *pieces = printer->pieces;
    struct parts *parts = storage_take(storage, count, sizeof(*parts));
    struct layout *chosen = storage_take(storage, count, sizeof(*chosen));
    uint32_t *before_as = storage_take(storage, count, sizeof(*before_as));
    struct text_buffer scratch = {0};

    if (!parts || !chosen || !before_as)
        return;
    for (size_t i = 0; i < count; i++)
        parts[i] = find_parts(pieces, &statements[i]);
    struct columns columns = find_columns(pieces, parts, count);
    for (size_t i = 0; i < count; i++)
        chosen[i] = *choose_layout(printer, &scratch, &parts[i], &columns, indent, &before_as[i]);
    columns.as = find_as_column(before_as, count);
    for (size_t i = 0; i < count; i++) {
        print_newline(printer);
        (void)print_parts(printer, &parts[i], &columns, &chosen[i], indent);
    }
    if (scratch.failed)
        printer->out->failed = true;
    text_buffer_deinit(&scratch);
}

/* Behind the condition that begins at `from`. */
static uint32_t condition_end(const struct pieces *pieces, uint32_t from, uint32_t to)
{
    uint32_t end = from + 1;
    while (end < to && pieces->all[end].mark != MARK_CONDITION)
        end++;
    return end;
}

/* One condition on the line of its braces, if it fits there; else each on lines of its own. */
static void print_applies(struct printer *printer, const struct statement *statement,
                          uint32_t indent)
{
    const struct pieces *pieces = printer->pieces;
    const uint32_t first = statement->from + 2;
    const uint32_t close = statement->to - 1;

    if (condition_end(pieces, first, close) >= close &&
        !has_comments(pieces, statement->from, statement->to) &&
        indent + flat_width(pieces, statement->from, statement->to) <= FORMAT_WIDTH) {
        print_piece(printer, statement->from, 0, indent);
        print_operand(printer, statement->from + 1, statement->to, indent, false);
        return;
    }
    print_piece(printer, statement->from, 0, indent);
    print_piece(printer, statement->from + 1, 1, indent);
    for (uint32_t from = first; from < close;) {
        const uint32_t end = condition_end(pieces, from, close);
        const uint32_t inner = indent + FORMAT_INDENT;
        print_lead(printer, from, inner, from == first);
        const bool flat = !has_comments(pieces, from, end) &&
                          inner + flat_width(pieces, from, end) <= FORMAT_WIDTH;
        const struct condition_style style = {.broken = !flat, .open = !flat, .indent = inner};
        print_condition(printer, from, end, &style);
        from = end;
    }
    print_last_comments(printer, close, indent + FORMAT_INDENT, close == first);
    print_piece(printer, close, 1, indent);
}

void print_group(struct printer *printer, const struct statement *statements, size_t count,
                 uint32_t indent, struct storage *storage)
{
    static const char *const applies[] = {"applies", NULL};
    static const char *const set[] = {"set", NULL};

    printer->led = statements->from + 1;
    if (begins_with(printer->pieces, statements, applies)) {
        print_applies(printer, statements, indent);
    } else if (begins_with(printer->pieces, statements, set)) {
        print_piece(printer, statements->from, 0, indent);
        print_operand(printer, statements->from + 1, statements->to, indent, true);
    } else {
        print_aligned(printer, statements, count, indent, storage);
    }
}
