/* An audit hook that vetoes by name and looks at nothing else: the least that a hook which decides
 * anything can do. It asks nobody, records nothing, and cannot tell one file from another.
 * Preloaded, as the hook of Warder is. */
#include <stddef.h>
#include <string.h>

typedef int hook_function(const char *name, void *args, void *data);
extern int PySys_AddAuditHook(hook_function *hook, void *data) __attribute__((weak));
extern void PyErr_SetString(void *type, const char *text) __attribute__((weak));
extern void *PyExc_PermissionError __attribute__((weak));

static const char *const vetoed[] = {
    "os.exec",          "os.fork",       "os.forkpty",   "os.posix_spawn",
    "os.spawn",         "os.startfile",  "os.system",    "pty.spawn",
    "subprocess.Popen", "ctypes.dlopen", "ctypes.dlsym", "ctypes.call_function",
};

static int hook(const char *name, void *args, void *data)
{
    (void)args;
    (void)data;
    for (size_t i = 0; i < sizeof(vetoed) / sizeof(*vetoed); i++) {
        if (strcmp(name, vetoed[i]) != 0)
            continue;
        PyErr_SetString(PyExc_PermissionError, name);
        return -1;
    }
    return 0;
}

__attribute__((constructor)) static void enter(void)
{
    if (PySys_AddAuditHook)
        PySys_AddAuditHook(hook, NULL);
}
