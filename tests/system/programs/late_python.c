/* A program that is no Python until it opens one:
 *
 *     late_python LIBPYTHON local|global CODE [ROUNDS]
 *
 * opens the library, initialises the interpreter, runs CODE and finalises it, ROUNDS times. Exits
 * with 1 if CODE raised. Declares what it uses of the C API itself: it must not be linked to any
 * Python. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *find(void *library, const char *name)
{
    void *address = dlsym(library, name);
    if (!address) {
        fprintf(stderr, "late_python: %s\n", dlerror());
        exit(2);
    }
    return address;
}

int main(int argc, char **argv)
{
    void (*initialize)(void);
    int (*run)(const char *, void *);
    int (*finalize)(void);
    int status = 0;

    if (argc < 4)
        return 2;
    const int scope = strcmp(argv[2], "global") == 0 ? RTLD_GLOBAL : RTLD_LOCAL;
    void *library = dlopen(argv[1], RTLD_NOW | scope);
    if (!library) {
        fprintf(stderr, "late_python: %s\n", dlerror());
        return 2;
    }
    void *address = find(library, "Py_Initialize");
    memcpy(&initialize, &address, sizeof(address));
    address = find(library, "PyRun_SimpleStringFlags");
    memcpy(&run, &address, sizeof(address));
    address = find(library, "Py_FinalizeEx");
    memcpy(&finalize, &address, sizeof(address));
    for (long rounds = argc > 4 ? strtol(argv[4], NULL, 10) : 1; rounds > 0; rounds--) {
        initialize();
        if (run(argv[3], NULL) != 0)
            status = 1;
        fflush(stdout);
        if (finalize() < 0)
            status = 3;
    }
    return status;
}
