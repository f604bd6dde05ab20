#define _GNU_SOURCE
#include "client/hook/boundary_environment.h"

#include <stddef.h>
#include <string.h>

#include "client/hook/first_environment.h"
#include "client/hook/inherited_environment.h"

enum { KEPT = INHERITED_VARIABLES_MAX };

static const char preload_name[] = "LD_PRELOAD";
static const char separators[] = ": "; /* of its elements: ld.so(8) */
/* A token of another run adds what that run is under, and takes nothing away. */
static const char token_name[] = "WARDER_RUN";

/* What any program may be told by any other. A name that ends in `*` is the beginning of one, here
 * and below. */
static const char *const harmless[] = {
    "PATH", "HOME", "USER",      "LOGNAME",  "LANG",     "LANGUAGE", "LC_*",
    "TZ",   "TERM", "COLORTERM", "NO_COLOR", "COLUMNS",  "LINES",    "TMPDIR",
    "TEMP", "TMP",  "PWD",       "OLDPWD",   "HOSTNAME", "CI",       "SOURCE_DATE_EPOCH",
};

/* What makes a program load, read or run something beside what it was asked to: not even as whoever
 * started the interpreter had it, for the files that it names are not always his. */
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

static bool is_variable(const char *entry, const char *name, size_t length)
{
    return strncmp(entry, name, length) == 0 && entry[length] == '=';
}

static bool is_one_of(const char *entry, const char *const *names, size_t count)
{
    const size_t length = strcspn(entry, "=");

    for (size_t i = 0; i < count; i++) {
        const size_t size = strlen(names[i]);
        if (names[i][size - 1] == '*'
                ? length >= size - 1 && strncmp(entry, names[i], size - 1) == 0
                : length == size && strncmp(entry, names[i], size) == 0)
            return true;
    }
    return false;
}

/* libc makes paths of these: with a slash they lead to catalogues and locales of the program's own,
 * and a program that was built without a check of format strings writes to memory by them. */
static const char *const languages[] = {"LANG", "LANGUAGE", "LC_*"};

/* A zone has slashes in its name, and is a file by any path. */
static bool is_zone(const char *name)
{
    static const char local[] = "/etc/localtime";
    static const char zones[] = "/usr/share/zoneinfo/";

    name += *name == ':' ? 1 : 0;
    if (strstr(name, ".."))
        return false;
    return *name != '/' || strcmp(name, local) == 0 || strncmp(name, zones, sizeof(zones) - 1) == 0;
}

/* Of a variable that any program may be told. */
static bool is_harmless_value(const char *entry)
{
    static const char *const zone[] = {"TZ"};
    const char *value = entry + strcspn(entry, "=");

    value += *value ? 1 : 0;
    if (is_one_of(entry, languages, sizeof(languages) / sizeof(*languages)))
        return !strchr(value, '/');
    return !is_one_of(entry, zone, 1) || is_zone(value);
}

static bool is_passed(const char *entry, const char *passed)
{
    for (; passed && *passed; passed += strlen(passed) + 1)
        if (is_variable(entry, passed, strlen(passed)))
            return true;
    return false;
}

static bool may_pass(const char *entry, const char *passed)
{
    if (is_passed(entry, passed))
        return true;
    if (is_one_of(entry, harmless, sizeof(harmless) / sizeof(*harmless)) &&
        is_harmless_value(entry))
        return true;
    return first_environment_has(entry) &&
           !is_one_of(entry, steering, sizeof(steering) / sizeof(*steering));
}

/* What every child gets, as "NAME=VALUE". */
struct kept {
    const char *const *entries;
    size_t count;
};

static struct kept all_kept(void)
{
    struct kept kept;

    kept.entries = inherited_environment(&kept.count);
    return kept;
}

/* Which of them an entry is another value of; their count: none. */
static size_t which_kept(const struct kept *kept, const char *entry)
{
    size_t i = 0;

    while (i < kept->count && !is_variable(entry, kept->entries[i], strcspn(kept->entries[i], "=")))
        i++;
    return i;
}

static bool is_token(const char *entry)
{
    return is_variable(entry, token_name, sizeof(token_name) - 1);
}

static bool is_preload(const char *entry)
{
    return is_variable(entry, preload_name, sizeof(preload_name) - 1);
}

/* True if all of ours are there, each once and with the hook in it, and nothing is kept back. */
static bool is_as_wanted(const struct kept *kept, char *const *environment, bool held,
                         const char *passed)
{
    unsigned seen = 0;

    for (size_t i = 0; environment && environment[i]; i++) {
        const size_t own = which_kept(kept, environment[i]);
        if (own < kept->count) {
            if ((seen & 1U << own) ||
                (!is_token(environment[i]) && strcmp(environment[i], kept->entries[own]) != 0))
                return false;
            seen |= 1U << own;
        } else if (held && !may_pass(environment[i], passed)) {
            return false;
        }
    }
    return environment && seen == (1U << kept->count) - 1;
}

/* True if the element, of `length` bytes, stands in a list as LD_PRELOAD has them. */
static bool is_listed(const char *list, const char *element, size_t length)
{
    for (const char *at = list + strspn(list, separators); *at; at += strspn(at, separators)) {
        const size_t size = strcspn(at, separators);
        if (size == length && memcmp(at, element, length) == 0)
            return true;
        at += size;
    }
    return false;
}

/* The preload of the child: as it was, and behind it what the program has put there where it may.
 * That the program names the hook by a name of its own counts for nothing: where such a name leads
 * when the loader comes is the program's to say. */
static const char *preload_with(const char *kept, const char *entry, struct arena *arena)
{
    const char *own = kept + sizeof(preload_name);
    const char *value = entry + sizeof(preload_name);
    char *text = arena_alloc(arena, strlen(kept) + 1 + strlen(value) + 1);
    char *end = text;

    if (!text)
        return NULL;
    end = stpcpy(end, kept);
    for (const char *at = value + strspn(value, separators); *at; at += strspn(at, separators)) {
        const size_t length = strcspn(at, separators);
        if (!is_listed(own, at, length)) {
            *end++ = ':';
            end = mempcpy(end, at, length);
        }
        at += length;
    }
    *end = '\0';
    return text;
}

char *const *boundary_environment_for_child(char *const *environment, bool held, const char *passed,
                                            struct arena *arena)
{
    const struct kept kept = all_kept();
    const char *given[KEPT] = {NULL}; /* what becomes of each */
    size_t count = 0;
    size_t used = 0;

    if (is_as_wanted(&kept, environment, held, passed))
        return environment;
    while (environment && environment[count])
        count++;
    char **list = arena_zalloc(arena, count + KEPT + 1, sizeof(*list));
    if (!list)
        return NULL;
    for (size_t i = 0; i < kept.count; i++)
        given[i] = kept.entries[i];
    for (size_t i = 0; i < count; i++) {
        char *entry = environment[i];
        const size_t own = which_kept(&kept, entry);
        const bool passes = !held || may_pass(entry, passed);
        if (own < kept.count && is_preload(entry) && passes) {
            given[own] = preload_with(kept.entries[own], entry, arena);
            if (!given[own])
                return NULL;
        }
        if (own < kept.count && is_token(entry))
            given[own] = entry;
        if (own == kept.count && passes)
            list[used++] = entry;
    }
    for (size_t i = 0; i < kept.count; i++)
        list[used++] = (char *)given[i];
    return list;
}
