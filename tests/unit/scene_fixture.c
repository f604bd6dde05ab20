#include "scene_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policies/language/report.h"

void staged_init(struct staged *staged, const char *lines, const char *stated)
{
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    char text[8192];

    *staged = (struct staged){.made = false};
    const int length = snprintf(text, sizeof(text), "test p {\n%s\nexpect allow %s by default\n}\n",
                                lines, stated);
    assert_in_range(length, 1, sizeof(text) - 1);
    const char *copy = storage_copy(&staged->storage, text, (size_t)length);
    assert_non_null(copy);
    struct source *source = storage_take(&staged->storage, 1, sizeof(*source));
    *source = (struct source){.file = "p.test.warder",
                              .text = copy,
                              .length = (uint32_t)length,
                              .order = diagnostics_file(diagnostics, "p.test.warder")};
    const struct test_tree *tree = parse_tests(source, &staged->storage, diagnostics);
    assert_non_null(tree);
    if (diagnostics_error_count(diagnostics) == 0) {
        const struct policy_test *test = tree->tests;
        staged->made = givens_make(test->givens, &staged->storage, diagnostics, &staged->givens) &&
                       scene_subject_make(test->expectations->session, &staged->givens,
                                          &staged->storage, diagnostics, &staged->subject) &&
                       scene_event_make(&test->expectations->happens, &staged->subject,
                                        &staged->storage, diagnostics, &staged->event);
    }
    assert_int_equal(staged->made, diagnostics_error_count(diagnostics) == 0);
    staged->said = diagnostics_render(diagnostics, NULL, false);
    assert_non_null(staged->said);
}

void staged_deinit(struct staged *staged)
{
    storage_deinit(&staged->storage);
    free(staged->said);
}
