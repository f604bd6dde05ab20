#define _GNU_SOURCE
#include "client/cli/policy_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/command.h"
#include "client/cli/installation.h"

static const char suffix[] = ".warder";
enum {
    READ_FIRST = 16 * 1024, /* bytes; then twice as many */
};

static bool read_all(FILE *stream, struct policy_file *file)
{
    size_t size = 0;

    for (;;) {
        if (file->length == size) {
            size = size ? 2 * size : READ_FIRST;
            char *grown = realloc(file->text, size + 1);
            if (!grown)
                return false;
            file->text = grown;
        }
        const size_t got = fread(file->text + file->length, 1, size - file->length, stream);
        file->length += got;
        file->text[file->length] = '\0';
        if (got == 0)
            return !ferror(stream);
        if (file->length > POLICY_TEXT_MAX) {
            errno = EFBIG;
            return false;
        }
    }
}

bool policy_file_read(struct policy_file *file, const char *path)
{
    const bool standard = strcmp(path, "-") == 0;
    FILE *stream = standard ? stdin : fopen(path, "re");

    *file = (struct policy_file){.path = strdup(standard ? "standard-input" : path)};
    if (stream && file->path && read_all(stream, file)) {
        if (!standard)
            fclose(stream);
        return true;
    }
    complain("%s: cannot be read: %s", path,
             errno == EFBIG ? "longer than a policy may be (8 MiB)" : strerror(errno));
    if (stream && !standard)
        fclose(stream);
    policy_file_deinit(file);
    return false;
}

void policy_file_deinit(struct policy_file *file)
{
    free(file->path);
    free(file->text);
    *file = (struct policy_file){.path = NULL};
}

struct policy_text policy_file_text(const struct policy_file *file)
{
    return (struct policy_text){
        .file = file->path, .text = file->text, .length = file->length, .tier = TIER_LOCAL};
}

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text);
    return length > strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

bool policy_file_is_test(const char *path)
{
    return ends_with(path, ".test.warder");
}

char *shipped_policy_path(const char *name)
{
    char *directory = installed_policy_directory();
    char *path = NULL;

    if (directory && !strchr(name, '/') &&
        (asprintf(&path, "%s/%s%s", directory, name, suffix) < 0 || access(path, R_OK) < 0)) {
        free(path);
        path = NULL;
    }
    free(directory);
    return path;
}

static int is_shipped(const struct dirent *entry)
{
    return ends_with(entry->d_name, suffix) && !policy_file_is_test(entry->d_name);
}

char **shipped_policy_paths(void)
{
    char *directory = installed_policy_directory();
    struct dirent **entries = NULL;
    const int count = directory ? scandir(directory, &entries, is_shipped, alphasort) : 0;
    char **paths = count > 0 ? calloc((size_t)count + 1, sizeof(*paths)) : NULL;
    size_t filled = 0;

    for (int i = 0; i < count; i++) {
        if (paths && asprintf(&paths[filled], "%s/%s", directory, entries[i]->d_name) >= 0)
            filled++;
        free(entries[i]);
    }
    if (paths)
        paths[filled] = NULL; /* asprintf leaves what it could not fill undefined */
    free(entries);
    free(directory);
    return paths;
}

void print_shipped_policies(void)
{
    char *directory = installed_policy_directory();
    struct dirent **entries = NULL;
    const int count = directory ? scandir(directory, &entries, is_shipped, alphasort) : 0;

    if (count <= 0)
        fputs("none; this installation has no ../share/warder/policies beside its programs",
              stderr);
    for (int i = 0; i < count; i++) {
        fprintf(stderr, "%s%.*s", i > 0 ? ", " : "",
                (int)(strlen(entries[i]->d_name) - strlen(suffix)), entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    free(directory);
}
