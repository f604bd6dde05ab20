/* Every token of a text in its order, with what the parser took it for: the formatter lays a text
 * out by this, so that there is no second reading of the grammar.
 *
 * The array lives in the storage of the parse. What the trace of a text with errors holds is of no
 * use. */
#ifndef WARDER_POLICIES_LANGUAGE_TOKEN_TRACE_H
#define WARDER_POLICIES_LANGUAGE_TOKEN_TRACE_H

#include <stddef.h>

#include "policies/language/diagnostics.h"
#include "policies/language/storage.h"
#include "policies/language/token.h"

enum token_mark {
    MARK_NONE,
    MARK_STATEMENT, /* begins a statement, a policy or a test, or a line of a test */
    MARK_WORD,      /* a word of the grammar inside a statement: `where`, `as`, `by`, … */
    MARK_CONDITION, /* begins a condition */
    MARK_JOIN,      /* the `and` or `or` between two conditions */
    MARK_INDEX,     /* the `[` of argv[1] */
    MARK_PART,      /* begins a fact of a session, or an attribute of what a test expects */
};

struct traced_token {
    enum token_kind kind;
    enum token_mark mark;
    struct span span;
};

/* Zeroed is empty. */
struct token_trace {
    struct traced_token *tokens;
    size_t count;
    size_t capacity;
};

/* As parse_policies and parse_tests, tracing. False on lack of memory. */
bool trace_policies(const struct source *source, struct storage *storage,
                    struct diagnostics *diagnostics, struct token_trace *trace);
bool trace_tests(const struct source *source, struct storage *storage,
                 struct diagnostics *diagnostics, struct token_trace *trace);

#endif
