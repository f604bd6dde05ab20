/* Preloaded into a daemon: a disk that takes long for everything that is to be durable.
 *
 * WARDER_TEST_SLOW_MILLISECONDS says how long, while the file that WARDER_TEST_SLOW_WHILE names is
 * there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static int slowly(const char *name, int descriptor)
{
    const char *milliseconds = getenv("WARDER_TEST_SLOW_MILLISECONDS");
    const char *file = getenv("WARDER_TEST_SLOW_WHILE");
    int (*real)(int);

    *(void **)&real = dlsym(RTLD_NEXT, name);
    if (milliseconds && file && access(file, F_OK) == 0)
        usleep((useconds_t)strtoul(milliseconds, NULL, 10) * 1000);
    return real(descriptor);
}

__attribute__((visibility("default"))) int fsync(int descriptor)
{
    return slowly("fsync", descriptor);
}

__attribute__((visibility("default"))) int fdatasync(int descriptor)
{
    return slowly("fdatasync", descriptor);
}
