/* Where policies and their tests lie: a directory with policy files, its subdirectories
 * `mandatory`, `local` and `vendor` with more of them, and test files in any of the four. */
#ifndef WARDER_CLIENT_CLI_TEST_DIRECTORY_H
#define WARDER_CLIENT_CLI_TEST_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "client/cli/policy_file.h"

struct test_directory {
    char *path;
    char *real;   /* without links: which one it is */
    char **tests; /* paths of test files to run, each once */
    size_t test_count;
    size_t policy_files; /* met where the directory was searched */
    bool searched;       /* it was named as a whole: each policy in it should have a test */
};

/* Zeroed is empty. */
struct test_directories {
    struct test_directory *items;
    size_t count;
    bool untested; /* a policy file was named that has no test file */
};

/* Adds what an argument names: a directory, searched with everything below it; a test file; a
 * policy file, for the test file beside it. False after a complaint if it cannot be read. */
bool test_directories_add(struct test_directories *directories, const char *argument);
void test_directories_deinit(struct test_directories *directories);

/* The policies of a directory. */
struct test_policies {
    struct policy_file *files;
    struct policy_text *texts; /* borrowing from the files */
    size_t count;
};

/* False after a complaint. */
bool test_policies_read(const struct test_directory *directory, struct test_policies *policies);
void test_policies_deinit(struct test_policies *policies);

#endif
