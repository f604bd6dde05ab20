/* The face of the hook inside Python: a module with attach() and PolicyDenied.
 *
 * The same code is two modules. Where the hook was preloaded it is the builtin module `warder`,
 * which every program under a policy can import, installed or not. Where it was not, it is the
 * extension `warder._hook` behind the package `warder`. */
#ifndef WARDER_CLIENT_HOOK_PYTHON_MODULE_H
#define WARDER_CLIENT_HOOK_PYTHON_MODULE_H

#include "client/hook/audit_hook.h"

/* Makes `import warder` find the builtin module. Before initialisation only. */
void python_module_register(struct runtime *runtime);

#endif
