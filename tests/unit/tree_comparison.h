/* Syntax trees compared: everything that the parser read, but not where it stood. */
#ifndef WARDER_TESTS_UNIT_TREE_COMPARISON_H
#define WARDER_TESTS_UNIT_TREE_COMPARISON_H

#include <stdbool.h>

#include "policies/language/syntax_tree.h"

bool trees_equal(const struct file_tree *left, const struct file_tree *right);

/* The two texts have the same words, one after the other, whatever stands between. A comma behind
 * the last value of a list is none. For test files, which are more than their trees say. */
bool words_equal(const struct source *left, const struct source *right);

#endif
