/* Stand before the functions of libc by which Python code says where libc finds texts and locales.
 *
 * libc believes what such a file says: a catalogue's offsets lead it anywhere in memory, its own
 * messages are format strings with which it writes there, and a locale is tables that it follows
 * without a look. No audit event tells of any of these. bindtextdomain is judged by its directory
 * (boundary_native.h); where a policy could deny `native` or `ffi`, nothing here leads out of the
 * directory: no domain with a `..` has texts, and no variable that leads elsewhere is set. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "client/hook/boundary.h"
#include "client/hook/real_libc.h"
#include "client/hook/work_memory.h"

#define EXPORTED __attribute__((visibility("default")))

/* <libintl.h> makes macros of its functions. */
char *dgettext(const char *domain, const char *text);
char *dcgettext(const char *domain, const char *text, int category);
char *dngettext(const char *domain, const char *one, const char *many, unsigned long count);
char *dcngettext(const char *domain, const char *one, const char *many, unsigned long count,
                 int category);
char *textdomain(const char *domain);

/* True if a component of the path is `..`; a list of paths has colons. */
static bool leads_out(const char *path)
{
    static const char separators[] = "/:";

    for (const char *at = path; *at;) {
        const size_t length = strcspn(at, separators);
        if (length == 2 && at[0] == '.' && at[1] == '.')
            return true;
        at += length;
        at += *at ? 1 : 0;
    }
    return false;
}

static void refuse(const char *call, const char *why)
{
    struct answer *answer = work_memory_take(); /* a thread may have little stack */

    errno = EACCES;
    if (!answer)
        return;
    boundary_deny(call, why, answer);
    boundary_refuse(answer);
    work_memory_return(answer);
}

/* -------------------------------------------------------------------------------------- catalogues
 */

static bool has_no_texts(const char *domain)
{
    return domain && leads_out(domain) && boundary_holds_memory();
}

/* What libc returns where it finds nothing: the caller's. */
static char *as_it_is(const char *text)
{
    return (char *)text; /* NOLINT(cppcoreguidelines-pro-type-cast-qual): as <libintl.h> has it */
}

EXPORTED char *dgettext(const char *domain, const char *text)
{
    return has_no_texts(domain) ? as_it_is(text) : real_libc()->dgettext(domain, text);
}

EXPORTED char *dcgettext(const char *domain, const char *text, int category)
{
    return has_no_texts(domain) ? as_it_is(text) : real_libc()->dcgettext(domain, text, category);
}

EXPORTED char *dngettext(const char *domain, const char *one, const char *many, unsigned long count)
{
    return has_no_texts(domain) ? as_it_is(count == 1 ? one : many)
                                : real_libc()->dngettext(domain, one, many, count);
}

EXPORTED char *dcngettext(const char *domain, const char *one, const char *many,
                          unsigned long count, int category)
{
    return has_no_texts(domain) ? as_it_is(count == 1 ? one : many)
                                : real_libc()->dcngettext(domain, one, many, count, category);
}

/* What is meant where a call names no domain. */
EXPORTED char *textdomain(const char *domain)
{
    if (!has_no_texts(domain))
        return real_libc()->textdomain(domain);
    refuse("libc.textdomain", "the name of the domain leads out of the directory of translations");
    return NULL;
}

/* ------------------------------------------------------------------------------------- environment
 */

/* Why a variable may not have this value; NULL if it may. libc reads both whenever it looks for a
 * text or a locale. */
static const char *refusal(const char *name, size_t length, const char *value)
{
    static const char translations[] = "LANGUAGE";
    static const char locales[] = "LOCPATH";

    if (length == sizeof(locales) - 1 && memcmp(name, locales, length) == 0 &&
        boundary_holds_memory())
        return "LOCPATH says where libc finds locales, and it believes what stands there";
    if (length == sizeof(translations) - 1 && memcmp(name, translations, length) == 0 &&
        leads_out(value) && boundary_holds_memory())
        return "this LANGUAGE leads out of the directory of translations";
    return NULL;
}

EXPORTED int setenv(const char *name, const char *value, int replace)
{
    const char *why = name ? refusal(name, strlen(name), value) : NULL;

    if (!why)
        return real_libc()->setenv(name, value, replace);
    refuse("libc.setenv", why);
    return -1;
}

EXPORTED int putenv(char *entry)
{
    const char *value = strchr(entry, '=');
    const char *why = value ? refusal(entry, (size_t)(value - entry), value + 1) : NULL;

    if (!why)
        return real_libc()->putenv(entry);
    refuse("libc.putenv", why);
    return -1;
}
