#include "temporary_directory.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit_test.h"

int temporary_directory_make(void **state)
{
    static char path[64];

    snprintf(path, sizeof(path), "/tmp/warder-unit-XXXXXX");
    *state = mkdtemp(path);
    return *state ? 0 : -1;
}

int temporary_directory_remove(void **state)
{
    const struct dirent *entry;
    DIR *list = opendir(*state);

    while (list && (entry = readdir(list)))
        if (entry->d_name[0] != '.')
            unlink(temporary_path(state, entry->d_name));
    if (list)
        closedir(list);
    return rmdir(*state);
}

const char *temporary_path(void *const *state, const char *name)
{
    static char path[512];
    snprintf(path, sizeof(path), "%s/%s", (const char *)*state, name);
    return path;
}

const char *temporary_file(void *const *state, const char *name, const void *bytes, size_t size)
{
    const char *path = temporary_path(state, name);
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return path;
}
