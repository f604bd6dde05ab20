/* From a policy text to its tree (grammar.ebnf); test_tree.h has the same for tests. One token is
 * looked ahead; a condition nests at most CONDITION_NESTING_MAX parentheses, and nothing else
 * recurses. After an error the parser goes on with the next statement, so that every mistake of a
 * file is reported at once. */
#ifndef WARDER_POLICIES_LANGUAGE_PARSER_H
#define WARDER_POLICIES_LANGUAGE_PARSER_H

#include "policies/language/diagnostics.h"
#include "policies/language/source.h"
#include "policies/language/storage.h"
#include "policies/language/syntax_tree.h"

enum { CONDITION_NESTING_MAX = 64 };

/* The tree of everything that could be read; `flawed` if an error was reported. NULL on lack of
 * memory. */
struct file_tree *parse_policies(const struct source *source, struct storage *storage,
                                 struct diagnostics *diagnostics);

#endif
