/* What an attacker's native code would be: it makes $EVIL_MARKER, by a program, as soon as it is
 * loaded. It stands for an extension module, a preload, an audit library, a provider of OpenSSL, an
 * extension of SQLite, a converter of iconv. */
#include <stdio.h>
#include <stdlib.h>

void *PyInit_evil(void);
int OSSL_provider_init(void);
int sqlite3_extension_init(void);
unsigned int la_version(unsigned int version);
int gconv_init(void);
int gconv(void);

__attribute__((constructor)) static void make_marker(void)
{
    const char *marker = getenv("EVIL_MARKER");
    char command[4096];

    if (!marker ||
        snprintf(command, sizeof(command), "/bin/touch %s", marker) >= (int)sizeof(command))
        return;
    unsetenv("LD_PRELOAD");
    unsetenv("LD_AUDIT");
    if (system(command) != 0) // NOLINT(cert-env33-c): it is what the hook must prevent
        fputs("evil: the marker was not made\n", stderr);
}

void *PyInit_evil(void)
{
    return NULL;
}

int OSSL_provider_init(void)
{
    return 0;
}

int sqlite3_extension_init(void)
{
    return 0;
}

unsigned int la_version(unsigned int version)
{
    return version;
}

int gconv_init(void)
{
    return 1; /* __GCONV_NOCONV */
}

int gconv(void)
{
    return 1;
}
