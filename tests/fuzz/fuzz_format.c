/* The formatter's round trip, on any text.
 *
 * A text that parses has a canonical form; the form says what the text says, and is its own form;
 * and a policy that compiles is the same block in either. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policies/language/compile.h"
#include "policies/language/format.h"
#include "policies/language/parser.h"
#include "tree_comparison.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static struct policy_text text_of(const char *file, const char *text, size_t length)
{
    return (struct policy_text){.file = file, .text = text, .length = length, .tier = TIER_LOCAL};
}

/* NULL if it has errors. */
static char *form_of(const char *file, const char *text, size_t length)
{
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    const struct policy_text policy = text_of(file, text, length);
    char *form = policy_format(&policy, diagnostics);
    require((form == NULL) == (diagnostics_error_count(diagnostics) > 0));
    return form;
}

static struct policy_block *compiled(const char *text, size_t length)
{
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    const struct policy_text policy = text_of("fuzz.warder", text, length);
    return policy_compile(&policy, 1, NULL, diagnostics);
}

/* The trees of both; true if the text parses as policies. */
static bool check_trees(const char *text, size_t length, const char *form)
{
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    const struct source one = {.file = "fuzz.warder", .text = text, .length = (uint32_t)length};
    const struct source other = {
        .file = "fuzz.warder", .text = form, .length = form ? (uint32_t)strlen(form) : 0};
    struct storage storage = {0};
    const struct file_tree *tree = parse_policies(&one, &storage, diagnostics);
    const bool parses = tree && diagnostics_error_count(diagnostics) == 0;

    if (parses) {
        require(form != NULL);
        const struct file_tree *again = parse_policies(&other, &storage, diagnostics);
        require(again && diagnostics_error_count(diagnostics) == 0 && trees_equal(tree, again));
    } else if (form) { /* a test file */
        require(words_equal(&one, &other));
    }
    storage_deinit(&storage);
    return parses;
}

static void check_blocks(const char *text, size_t length, const char *form)
{
    CLEANUP(policy_block_free) struct policy_block *one = compiled(text, length);
    CLEANUP(policy_block_free) struct policy_block *other = compiled(form, strlen(form));

    require((one == NULL) == (other == NULL));
    require(!one || (policy_block_size(one) == policy_block_size(other) &&
                     memcmp(one, other, policy_block_size(one)) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(free) char *text = malloc(size > 0 ? size : 1);
    require(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    CLEANUP(free) char *form = form_of("fuzz.warder", text, size);
    const bool is_policy = check_trees(text, size, form);
    if (!form)
        return 0;
    CLEANUP(free) char *again = form_of("fuzz.warder", form, strlen(form));
    require(again && strcmp(form, again) == 0);
    if (is_policy)
        check_blocks(text, size, form);
    return 0;
}
