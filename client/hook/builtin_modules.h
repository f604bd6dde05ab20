/* Modules that are built into an interpreter, judged when they are made.
 *
 * CPython raises `import` for the statement, and for extension modules that have a file, whichever
 * way they are asked for. A module that is built in can be had without either (importlib,
 * _imp.create_builtin). So the functions of CPython's own table that make these modules are called
 * by functions of this one, which raise the event where it has not just been judged for that module
 * in that thread.
 *
 * Only an interpreter whose hook goes in before it starts has a table that can be changed. */
#ifndef WARDER_CLIENT_HOOK_BUILTIN_MODULES_H
#define WARDER_CLIENT_HOOK_BUILTIN_MODULES_H

#include <stdbool.h>

#include "client/hook/audit_hook.h"
#include "policies/engine/event.h"

/* Before the interpreter initialises; once in each of its lives. False if it has more built-in
 * modules than can be guarded. */
bool builtin_modules_guard(struct runtime *runtime);

/* The calling thread is about to ask for a verdict on an `import`, whose arguments have been read;
 * and what it was: a denied one is forgotten. */
void builtin_modules_note(const struct event *event);
void builtin_modules_forget(void);

#endif
