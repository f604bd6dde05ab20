#define _GNU_SOURCE
#include "client/hook/boundary_environment.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/hook/elf_symbols.h"

/* Ours, in the order of `kept`. */
static const char *const kept_names[] = {"LD_PRELOAD", "WARDER_DOOR", "WARDER_RUN",
                                         "WARDER_SOCKET"};
enum { KEPT = sizeof(kept_names) / sizeof(*kept_names), PRELOAD = 0 };

/* NAME=VALUE as it was at the start; NULL where it was not there. Never freed. */
static char *kept[KEPT];
static char *hook_path; /* as the loader has it */

/* What makes a program load, read or run something beside what it was asked to. A name that ends in
 * `*` is the beginning of one. */
static const char *const steering[] = {
    "LD_*",
    "GCONV_PATH",
    "LOCPATH",
    "NLSPATH",
    "GLIBC_TUNABLES",
    "MALLOC_*",
    "RESOLV_*",
    "RES_OPTIONS",
    "HOSTALIASES",
    "LOCALDOMAIN",
    "GETCONF_DIR",
    "OPENSSL_*",
    "SSL_CERT_*",
    /* shells */
    "BASH_ENV",
    "BASH_FUNC_*",
    "BASHOPTS",
    "SHELLOPTS",
    "ENV",
    "PS4",
    "IFS",
    "CDPATH",
    "GLOBIGNORE",
    "PROMPT_COMMAND",
    "ZDOTDIR",
    "FPATH",
    /* languages */
    "PYTHON*",
    "PERL5*",
    "PERLLIB",
    "PERL_*",
    "RUBYOPT",
    "RUBYLIB",
    "NODE_*",
    "LUA_*",
    "TCLLIBPATH",
    "TCL_LIBRARY",
    "TK_LIBRARY",
    "JAVA_TOOL_OPTIONS",
    "_JAVA_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "CLASSPATH",
    "PHPRC",
    "PHP_INI_SCAN_DIR",
    "R_PROFILE*",
    "R_ENVIRON*",
    "AWKPATH",
    "AWKLIBPATH",
    "GUILE_*",
    "ERL_*",
    /* programs that run others */
    "GIT_*",
    "SSH_ASKPASS*",
    "SUDO_ASKPASS",
    "PAGER",
    "MANPAGER",
    "EDITOR",
    "VISUAL",
    "BROWSER",
    "LESSOPEN",
    "LESSCLOSE",
    "VIMINIT",
    "EXINIT",
    "MAKEFLAGS",
    "GNUMAKEFLAGS",
    "MAKEFILES",
    "TAR_OPTIONS",
    "RSYNC_*",
    "GCC_EXEC_PREFIX",
    "COMPILER_PATH",
    "TERMINFO*",
    "TERMCAP",
    "KRB5_*",
    "SASL_PATH",
    /* libraries that load modules */
    "GTK_MODULES",
    "GTK_PATH",
    "GTK_EXE_PREFIX",
    "GIO_*",
    "GDK_*",
    "QT_PLUGIN_PATH",
    "QT_QPA_PLATFORM_PLUGIN_PATH",
    "GST_*",
    "VK_*",
    "LIBGL_*",
    "GCOV_*",
    "ASAN_*",
    "LSAN_*",
    "TSAN_*",
    "UBSAN_*",
    "MSAN_*",
    "XDG_DATA_DIRS",
    "XDG_CONFIG_*",
};

static void find_hook(void)
{
    struct elf_object object;

    if (elf_find_holder((uintptr_t)&find_hook, &object) && object.name[0])
        hook_path = strdup(object.name);
}

void boundary_environment_note(void)
{
    find_hook();
    for (size_t i = 0; i < KEPT; i++) {
        const char *value = getenv(kept_names[i]);
        if (!value || (i == PRELOAD && (!hook_path || !strstr(value, hook_path))))
            continue;
        const size_t size = strlen(kept_names[i]) + 1 + strlen(value) + 1;
        kept[i] = malloc(size);
        if (kept[i])
            snprintf(kept[i], size, "%s=%s", kept_names[i], value);
    }
}

static bool is_variable(const char *entry, const char *name, size_t length)
{
    return strncmp(entry, name, length) == 0 && entry[length] == '=';
}

static bool is_steering(const char *entry)
{
    const size_t length = strcspn(entry, "=");

    for (size_t i = 0; i < sizeof(steering) / sizeof(*steering); i++) {
        const size_t size = strlen(steering[i]);
        if (steering[i][size - 1] == '*'
                ? length >= size - 1 && strncmp(entry, steering[i], size - 1) == 0
                : length == size && strncmp(entry, steering[i], size) == 0)
            return true;
    }
    return false;
}

static bool is_passed(const char *entry, const char *passed)
{
    for (; passed && *passed; passed += strlen(passed) + 1)
        if (is_variable(entry, passed, strlen(passed)))
            return true;
    return false;
}

/* Which of ours an entry is; KEPT: none. */
static size_t which_kept(const char *entry)
{
    size_t i = 0;

    while (i < KEPT && !(kept[i] && is_variable(entry, kept_names[i], strlen(kept_names[i]))))
        i++;
    return i;
}

/* True if all of ours are there, each once and with the hook in it, and nothing is kept back. */
static bool is_as_wanted(char *const *environment, bool held, const char *passed)
{
    unsigned seen = 0;

    for (size_t i = 0; environment && environment[i]; i++) {
        const size_t own = which_kept(environment[i]);
        if (own < KEPT) {
            if ((seen & 1U << own) || strcmp(environment[i], kept[own]) != 0)
                return false;
            seen |= 1U << own;
        } else if (held && is_steering(environment[i]) && !is_passed(environment[i], passed)) {
            return false;
        }
    }
    for (size_t i = 0; i < KEPT; i++)
        if (kept[i] && !(seen & 1U << i))
            return false;
    return environment != NULL;
}

/* The preload of the child: as it was, and what the program has put there where it may. */
static char *preload_with(const char *entry, struct arena *arena)
{
    const char *value = entry + strlen(kept_names[PRELOAD]) + 1;
    const size_t size = strlen(kept[PRELOAD]) + 1 + strlen(value) + 1;

    if (!*value || strstr(kept[PRELOAD], value))
        return kept[PRELOAD];
    char *text = arena_alloc(arena, size);
    if (!text)
        return NULL;
    if (strstr(value, hook_path))
        memcpy(text, entry, strlen(entry) + 1);
    else
        snprintf(text, size, "%s:%s", kept[PRELOAD], value);
    return text;
}

char *const *boundary_environment_for_child(char *const *environment, bool held, const char *passed,
                                            struct arena *arena)
{
    size_t count = 0;
    size_t used = 0;
    char *preload = kept[PRELOAD];

    if (is_as_wanted(environment, held, passed))
        return environment;
    while (environment && environment[count])
        count++;
    char **list = arena_zalloc(arena, count + KEPT + 1, sizeof(*list));
    if (!list)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        char *entry = environment[i];
        const size_t own = which_kept(entry);
        if (own == PRELOAD && (!held || is_passed(entry, passed))) {
            preload = preload_with(entry, arena);
            if (!preload)
                return NULL;
        }
        if (own == KEPT && (!held || !is_steering(entry) || is_passed(entry, passed)))
            list[used++] = entry;
    }
    for (size_t i = 0; i < KEPT; i++)
        if (kept[i])
            list[used++] = i == PRELOAD ? preload : kept[i];
    return list;
}
