#define _GNU_SOURCE
#include "client/cli/test_directory.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/cli/command.h"

enum { DEPTH_MAX = 32 }; /* directories below one that is searched */

static const char policy_suffix[] = ".warder";
static const char test_suffix[] = ".test.warder";

static bool ends_with(const char *name, const char *suffix)
{
    const size_t length = strlen(name);
    return length > strlen(suffix) && strcmp(name + length - strlen(suffix), suffix) == 0;
}

static bool is_test_name(const char *name)
{
    return ends_with(name, test_suffix);
}

static bool is_policy_name(const char *name)
{
    return ends_with(name, policy_suffix) && !is_test_name(name);
}

static bool cannot_read(const char *path)
{
    complain("test: %s: cannot be read: %s", path, strerror(errno));
    return false;
}

static bool no_memory(void)
{
    complain("test: out of memory");
    return false;
}

/* `directory/name`, without a `.` before it; owned. */
static char *join(const char *directory, const char *name)
{
    const bool here = strcmp(directory, ".") == 0;
    const bool root = strcmp(directory, "/") == 0;
    char *path = NULL;

    if (asprintf(&path, "%s%s%s", here ? "" : directory, here || root ? "" : "/", name) < 0)
        return NULL;
    return path;
}

/* The tier that a directory of this name stands for; false if it stands for none. */
static bool tier_of_name(const char *name, enum policy_tier *tier)
{
    for (int i = TIER_MANDATORY; i <= TIER_VENDOR; i++)
        if (strcmp(policy_tier_name((enum policy_tier)i), name) == 0) {
            *tier = (enum policy_tier)i;
            return true;
        }
    return false;
}

/* The directory above, in words; owned. */
static char *parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *last = slash ? slash + 1 : path;
    char *above = NULL;

    if (strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
        return join(path, "..");
    const char *front = slash ? path : ".";
    const size_t length = slash && slash > path ? (size_t)(slash - path) : 1;
    if (asprintf(&above, "%.*s", (int)length, front) < 0)
        return NULL;
    return above;
}

/* The directory whose policies are tested by tests in `path`: it, or, where it stands for a tier,
 * the one above. NULL after a complaint. */
static struct test_directory *enter(struct test_directories *directories, const char *path)
{
    enum policy_tier tier;
    CLEANUP(free) char *own = realpath(path, NULL);

    if (!own) {
        (void)cannot_read(path);
        return NULL;
    }
    const char *last = strrchr(own, '/');
    const bool below = last && tier_of_name(last + 1, &tier);
    char *base = below ? parent(path) : join(".", path);
    char *real = base ? realpath(base, NULL) : NULL;
    for (size_t i = 0; real && i < directories->count; i++)
        if (strcmp(directories->items[i].real, real) == 0) {
            free(base);
            free(real);
            return &directories->items[i];
        }
    struct test_directory *grown =
        real ? realloc(directories->items, (directories->count + 1) * sizeof(*grown)) : NULL;
    if (!grown) {
        free(base);
        free(real);
        (void)no_memory();
        return NULL;
    }
    directories->items = grown;
    grown[directories->count] = (struct test_directory){.path = base, .real = real};
    return &grown[directories->count++];
}

static bool add_test(struct test_directory *directory, const char *path)
{
    for (size_t i = 0; i < directory->test_count; i++)
        if (strcmp(directory->tests[i], path) == 0)
            return true;
    char **grown = realloc(directory->tests, (directory->test_count + 1) * sizeof(*grown));
    if (!grown)
        return no_memory();
    directory->tests = grown;
    grown[directory->test_count] = strdup(path);
    return grown[directory->test_count++] != NULL || no_memory();
}

static int is_not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* A directory itself, no link to one: a search ends. */
static bool is_directory(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool search(struct test_directories *directories, const char *path, unsigned depth);

static bool search_entry(struct test_directories *directories, const char *directory,
                         const char *name, unsigned depth)
{
    CLEANUP(free) char *path = join(directory, name);

    if (!path)
        return no_memory();
    if (is_test_name(name) || is_policy_name(name)) {
        struct test_directory *entered = enter(directories, directory);
        if (!entered)
            return false;
        entered->searched = true;
        if (is_test_name(name))
            return add_test(entered, path);
        entered->policy_files++;
        return true;
    }
    return depth == DEPTH_MAX || !is_directory(path) || search(directories, path, depth + 1);
}

static bool search(struct test_directories *directories, const char *path, unsigned depth)
{
    struct dirent **entries = NULL;
    const int count = scandir(path, &entries, is_not_hidden, alphasort);
    bool read = count >= 0 || cannot_read(path);

    for (int i = 0; i < count; i++) {
        read = read && search_entry(directories, path, entries[i]->d_name, depth);
        free(entries[i]);
    }
    free(entries);
    return read;
}

static bool add_file(struct test_directories *directories, const char *path)
{
    CLEANUP(free) char *directory = parent(path);
    struct test_directory *entered = directory ? enter(directories, directory) : NULL;

    if (!directory)
        return no_memory();
    return entered && add_test(entered, path);
}

/* The test file beside a policy file. */
static bool add_beside(struct test_directories *directories, const char *path)
{
    CLEANUP(free) char *test = NULL;
    struct stat status;

    if (stat(path, &status) < 0)
        return cannot_read(path);
    if (asprintf(&test, "%.*s%s", (int)(strlen(path) - strlen(policy_suffix)), path, test_suffix) <
        0)
        return no_memory();
    if (stat(test, &status) == 0)
        return add_file(directories, test);
    complain("test: %s has no test file: %s is not there", path, test);
    directories->untested = true;
    return true;
}

bool test_directories_add(struct test_directories *directories, const char *argument)
{
    struct stat status;
    size_t length = strlen(argument);
    CLEANUP(free) char *path = NULL;

    while (length > 1 && argument[length - 1] == '/')
        length--;
    if (asprintf(&path, "%.*s", (int)length, argument) < 0)
        return no_memory();
    if (stat(path, &status) < 0)
        return cannot_read(path);
    if (S_ISDIR(status.st_mode))
        return search(directories, path, 0);
    if (is_test_name(path))
        return add_file(directories, path);
    if (is_policy_name(path))
        return add_beside(directories, path);
    complain("test: %s is no directory, no NAME.test.warder and no NAME.warder", path);
    return false;
}

void test_directories_deinit(struct test_directories *directories)
{
    for (size_t i = 0; i < directories->count; i++) {
        struct test_directory *directory = &directories->items[i];
        for (size_t j = 0; j < directory->test_count; j++)
            free(directory->tests[j]);
        free(directory->tests);
        free(directory->path);
        free(directory->real);
    }
    free(directories->items);
    *directories = (struct test_directories){0};
}

static int is_policy(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && is_policy_name(entry->d_name);
}

static bool read_policy(struct test_policies *policies, const char *path, enum policy_tier tier)
{
    const size_t count = policies->count + 1;
    struct policy_file *files = realloc(policies->files, count * sizeof(*files));

    if (!files)
        return no_memory();
    policies->files = files;
    struct policy_text *texts = realloc(policies->texts, count * sizeof(*texts));
    if (!texts)
        return no_memory();
    policies->texts = texts;
    if (!policy_file_read(&files[policies->count], path))
        return false;
    texts[policies->count] = policy_file_text(&files[policies->count]);
    texts[policies->count].tier = tier;
    policies->count = count;
    return true;
}

/* Those directly in a directory; one that is not there has none. */
static bool read_policies(struct test_policies *policies, const char *directory,
                          enum policy_tier tier)
{
    struct dirent **entries = NULL;
    const int count = scandir(directory, &entries, is_policy, alphasort);
    bool read = count >= 0 || errno == ENOENT || errno == ENOTDIR || cannot_read(directory);

    for (int i = 0; i < count; i++) {
        CLEANUP(free) char *path = join(directory, entries[i]->d_name);
        read = read && path && read_policy(policies, path, tier);
        free(entries[i]);
    }
    free(entries);
    return read;
}

bool test_policies_read(const struct test_directory *directory, struct test_policies *policies)
{
    *policies = (struct test_policies){.count = 0};
    bool read = read_policies(policies, directory->path, TIER_LOCAL);

    for (int tier = TIER_MANDATORY; read && tier <= TIER_VENDOR; tier++) {
        CLEANUP(free) char *below = join(directory->path, policy_tier_name((enum policy_tier)tier));
        read = below && read_policies(policies, below, (enum policy_tier)tier);
    }
    if (!read)
        test_policies_deinit(policies);
    return read;
}

void test_policies_deinit(struct test_policies *policies)
{
    for (size_t i = 0; i < policies->count; i++)
        policy_file_deinit(&policies->files[i]);
    free(policies->files);
    free(policies->texts);
    *policies = (struct test_policies){.count = 0};
}
