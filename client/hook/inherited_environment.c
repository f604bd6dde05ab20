/* Texts are copied: the strings on the stack that the kernel put there are the program's to write
 * over (setproctitle does). */
#define _GNU_SOURCE
#include "client/hook/inherited_environment.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/hook/elf_symbols.h"
#include "client/hook/work_memory.h"

extern char **environ;

enum {
    VALUE_SIZE_MAX = 256, /* a socket's path has 108 bytes, a token 32, a door 32 */
    VARIABLES = 4,
};

static const char preload_name[] = "LD_PRELOAD=";
static const char *const names[VARIABLES] = {
    "WARDER_DAEMON=", "WARDER_DOOR=", "WARDER_RUN=", "WARDER_SOCKET="};

/* What every program writes to stands beside what the loader writes to anyway: a page more costs
 * each of them more than all that is done here. */
static struct {
    bool taken;
    size_t count;
    size_t others; /* bytes of the other elements of LD_PRELOAD */
    const char *list[INHERITED_VARIABLES_MAX];
    const char *name; /* of this object, as the loader has it */
    char values[VARIABLES][32 + VALUE_SIZE_MAX];
} inherited __attribute__((section(".data")));

static struct {
    char all[sizeof(preload_name) + 2UL * PATH_MAX];
    char others[sizeof(preload_name) + 2UL * PATH_MAX]; /* without this object */
} preload;

static const char *entry_of(const char *prefix)
{
    const size_t length = strlen(prefix);

    for (char **entry = environ; entry && *entry; entry++)
        if (strncmp(*entry, prefix, length) == 0)
            return *entry;
    return NULL;
}

/* ---------------------------------------------------------------------------------- LD_PRELOAD */

static bool is_same_file(const char *one, const char *other)
{
    enum { WANTED = STATX_INO };
    struct statx a;
    struct statx b;

    return statx(AT_FDCWD, one, AT_NO_AUTOMOUNT, WANTED, &a) == 0 &&
           statx(AT_FDCWD, other, AT_NO_AUTOMOUNT, WANTED, &b) == 0 && a.stx_ino == b.stx_ino &&
           a.stx_dev_major == b.stx_dev_major && a.stx_dev_minor == b.stx_dev_minor;
}

static bool is_name_of_hook(const char *path, const char *name)
{
    if (strcmp(path, name) == 0)
        return true;
    const char *last = strrchr(name, '/');
    if (!strchr(path, '/')) /* found along LD_LIBRARY_PATH or in the loader's own directories */
        return last && strcmp(path, last + 1) == 0;
    return is_same_file(path, name);
}

static bool is_hook(const char *element, size_t length)
{
    if (!inherited.name || length == 0 || length >= PATH_MAX)
        return false;
    if (strlen(inherited.name) == length && memcmp(element, inherited.name, length) == 0)
        return true;
    char *path = work_memory_take();
    if (!path)
        return false;
    memcpy(path, element, length);
    path[length] = '\0';
    const bool is = is_name_of_hook(path, inherited.name);
    work_memory_return(path);
    return is;
}

/* Elements are separated by colons or spaces: ld.so(8). */
static bool separates(char byte)
{
    return byte == ':' || byte == ' ';
}

/* Copies the elements of a list that are not this object, as they stand: how many bytes that takes
 * goes to `*used`. `*found` if one is this object. False if they do not fit. */
static bool copy_others(const char *list, char *buffer, size_t size, size_t *used, bool *found)
{
    for (const char *at = list; *at;) {
        size_t length = 0;
        if (separates(*at)) {
            at++;
            continue;
        }
        while (at[length] && !separates(at[length]))
            length++;
        if (is_hook(at, length)) {
            *found = true;
        } else {
            if (*used + length + 2 > size)
                return false;
            if (*used > 0)
                buffer[(*used)++] = ':';
            memcpy(buffer + *used, at, length);
            *used += length;
        }
        at += length;
    }
    return true;
}

/* The list, if it names this object; and what else it names. */
static void take_preload(void)
{
    const size_t prefix = sizeof(preload_name) - 1;
    const char *entry = entry_of(preload_name);
    struct elf_object own;
    bool found = false;
    size_t used = 0;

    if (!entry || strlen(entry) >= sizeof(preload.all) ||
        !elf_find_holder((uintptr_t)&take_preload, &own))
        return;
    inherited.name = own.name;
    if (!copy_others(entry + prefix, preload.others + prefix, sizeof(preload.others) - prefix,
                     &used, &found) ||
        !found)
        return;
    if (used > 0) {
        memcpy(preload.others, preload_name, prefix);
        preload.others[prefix + used] = '\0';
    }
    inherited.others = used;
    memcpy(preload.all, entry, strlen(entry) + 1);
    inherited.list[inherited.count++] = preload.all;
}

/* ------------------------------------------------------------------------------------ taking */

void inherited_environment_take(void)
{
    if (inherited.taken)
        return;
    inherited.taken = true;
    take_preload();
    for (size_t i = 0; i < VARIABLES; i++) {
        const char *entry = entry_of(names[i]);
        if (!entry || strlen(entry) >= sizeof(inherited.values[i]))
            continue;
        memcpy(inherited.values[i], entry, strlen(entry) + 1);
        inherited.list[inherited.count++] = inherited.values[i];
    }
}

static bool is_hidden(const char *entry)
{
    for (size_t i = 0; i < VARIABLES; i++)
        if (inherited.values[i][0] && strncmp(entry, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

void inherited_environment_hide(void)
{
    char **kept = environ;

    if (!inherited.taken || !environ)
        return;
    for (char **entry = environ; *entry; entry++) {
        if (is_hidden(*entry))
            continue;
        if (preload.all[0] && strncmp(*entry, preload_name, sizeof(preload_name) - 1) == 0) {
            if (inherited.others > 0)
                *kept++ = preload.others;
            continue;
        }
        *kept++ = *entry;
    }
    *kept = NULL;
}

const char *const *inherited_environment(size_t *count)
{
    *count = inherited.count;
    return inherited.list;
}

const char *inherited_environment_value(const char *name)
{
    const size_t length = strlen(name);

    if (!inherited.taken)
        return getenv(name);
    for (size_t i = 0; i < inherited.count; i++)
        if (strncmp(inherited.list[i], name, length) == 0 && inherited.list[i][length] == '=')
            return inherited.list[i] + length + 1;
    return NULL;
}
