/* An audit hook that does nothing, preloaded as the hook of Warder is: what a hook costs anyway. */
#include <stddef.h>

typedef int hook_function(const char *name, void *args, void *data);
extern int PySys_AddAuditHook(hook_function *hook, void *data) __attribute__((weak));

static int hook(const char *name, void *args, void *data)
{
    (void)name;
    (void)args;
    (void)data;
    return 0;
}

__attribute__((constructor)) static void enter(void)
{
    if (PySys_AddAuditHook)
        PySys_AddAuditHook(hook, NULL);
}
