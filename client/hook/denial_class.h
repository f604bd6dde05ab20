/* warder.PolicyDenied: one class in each interpreter, made of C functions alone.
 *
 * Which object it is, C knows and nobody else: a table of this module's holds a reference to it for
 * as long as the interpreter lives. No dict or module of the interpreter is asked, for what lies in
 * one, Python code can find (gc.get_objects()) and put another class in its place, whose metaclass
 * would then be called between the verdict and its exception.
 *
 * The interpreter lock must be held. Interpreters with a lock of their own may be in here at once,
 * and in a free-threaded build all threads.
 */
#ifndef WARDER_CLIENT_HOOK_DENIAL_CLASS_H
#define WARDER_CLIENT_HOOK_DENIAL_CLASS_H

#include <stdbool.h>

#include "client/hook/python_api.h"

/* The class of the current interpreter, made on first call: a borrowed reference, NULL with an
 * exception set if it cannot be made. */
python_object *denial_class(const struct python_api *api);

/* True if calling the class runs nothing but CPython's own functions. Code of the interpreter may
 * change the class that it is given. */
bool denial_class_is_intact(const struct python_api *api, python_object *class);

/* True if it is intact, and its instances come by denial_of_call_finish() when CPython has made
 * them. */
bool denial_class_tells_calls(const struct python_api *api, python_object *class);

/* An instance of the class, by the functions that it was made with, whatever it has now: nothing
 * else runs. A new reference, NULL with an exception set. */
python_object *denial_class_instance(const struct python_api *api, python_object *class,
                                     python_object *number, python_object *text);

/* The current interpreter is about to be cleared: its class goes with it. */
void denial_class_forget(const struct python_api *api);

#endif
