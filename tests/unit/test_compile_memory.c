/* Compiling with no memory left, at each point where some is asked for: no block, an error that
 * says so, and nothing lost. The linker puts the functions below before the allocator's own. */
#include <string.h>

#include "policy_fixture.h"

#include "policies/language/format.h"
#include "policies/language/text_buffer.h"

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker chose the names */
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);

/* Allocations that succeed before one fails, and all after it; negative: none fails. */
static long left = -1;

static bool may_have(void)
{
    if (left < 0)
        return true;
    if (left == 0)
        return false;
    left--;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return may_have() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return may_have() ? __real_calloc(count, size) : NULL;
}

void *__wrap_realloc(void *memory, size_t size)
{
    return may_have() ? __real_realloc(memory, size) : NULL;
}

/* NOLINTEND(bugprone-reserved-identifier) */

static const char good[] =
    "set s = [\"x\", \"y\"]\n"
    "policy p \"t\" { applies { user is \"a\" } default deny exec message \"m\"\n"
    "  allow exec where argv has s and arg.args is none and env[\"A\"] is \"\\n\" as a\n"
    "  deny read where path matches \"/proc/**/mem\" or path under session.home \"/x\" as b\n"
    "  deny event \"os.*\", \"os.fork\" where arg[0] is 1 as c  deny resolve as d }\n"
    "policy q { log connect where host in [\"*.a.org\"] and address is 10.0.0.0/8 as e }\n";

static const char bad[] =
    "policy p { deny exce as a  deny exec where fiel is \"x\" as b\n"
    "  deny event \"os.frok\" as c  set s = [1, \"x\"]  deny exec where argv has t as d\n"
    "  allow exec as e  deny exec as f  deny exec where shell and shell or shell as g }\n";

/* Compiles, renders and splits with `allowed` allocations. True if that was enough. */
static bool run(const char *text, long allowed)
{
    struct diagnostics *diagnostics = diagnostics_new();
    const struct policy_text one = local_text(text);
    struct policy_parts parts;

    assert_non_null(diagnostics);
    left = allowed;
    struct policy_block *block = policy_compile(&one, 1, NULL, diagnostics);
    char *shown = diagnostics_render(diagnostics, NULL, false);
    const int split = policy_split(&one, &parts, diagnostics);
    const bool enough = left != 0;
    left = -1;

    assert_true((block == NULL) == (text == bad) || diagnostics_error_count(diagnostics) > 0);
    if (enough)
        assert_non_null(shown);
    if (split == 0)
        policy_parts_deinit(&parts);
    free(shown);
    policy_block_free(block);
    diagnostics_free(diagnostics);
    return enough;
}

static void a_good_text_is_refused_without_memory(void **state)
{
    (void)state;
    long allowed = 0;
    while (!run(good, allowed))
        allowed++;
    assert_in_range(allowed, 10, 100000);
}

static void a_bad_text_is_refused_without_memory(void **state)
{
    (void)state;
    long allowed = 0;
    while (!run(bad, allowed))
        allowed++;
    assert_in_range(allowed, 10, 100000);
}

/* Formats with `allowed` allocations. True if that was enough. */
static bool format(long allowed)
{
    struct diagnostics *diagnostics = diagnostics_new();
    const struct policy_text one = local_text(good);

    assert_non_null(diagnostics);
    left = allowed;
    char *formatted = policy_format(&one, diagnostics);
    const bool enough = left != 0;
    left = -1;

    assert_int_equal(formatted == NULL, diagnostics_error_count(diagnostics) > 0);
    if (enough)
        assert_non_null(formatted);
    free(formatted);
    diagnostics_free(diagnostics);
    return enough;
}

static void a_text_is_not_formatted_without_memory(void **state)
{
    (void)state;
    long allowed = 0;
    while (!format(allowed))
        allowed++;
    assert_in_range(allowed, 10, 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_text_is_refused_without_memory),
        cmocka_unit_test(a_bad_text_is_refused_without_memory),
        cmocka_unit_test(a_text_is_not_formatted_without_memory),
    };
    return cmocka_run_group_tests_name("compile_memory", tests, NULL, NULL);
}
