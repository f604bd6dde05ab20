/* Policy files as the commands read them. */
#ifndef WARDER_CLIENT_CLI_POLICY_FILE_H
#define WARDER_CLIENT_CLI_POLICY_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "policies/language/compile.h"

struct policy_file {
    char *path;
    char *text;
    size_t length;
};

/* Reads a file, or standard input for "-". False after a complaint. */
bool policy_file_read(struct policy_file *file, const char *path);
void policy_file_deinit(struct policy_file *file);

/* As the compiler takes it: a file counts as local. Borrowed. */
struct policy_text policy_file_text(const struct policy_file *file);

/* By its name, a file of tests: NAME.test.warder. */
bool policy_file_is_test(const char *path);

/* The path of a policy that comes with Warder, by its name; owned. NULL if there is none. */
char *shipped_policy_path(const char *name);

/* The paths of all of them, ending with NULL; the array and each path are the caller's to free.
 * NULL if there is none. */
char **shipped_policy_paths(void);

/* Prints the names of those, separated by ", ". */
void print_shipped_policies(void);

#endif
