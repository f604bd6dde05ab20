/* How a denial reaches the caller: as warder.PolicyDenied, or, where CPython cannot take an
 * exception, as the end of the process.
 *
 * Everything here runs after the verdict: the answer is no whatever happens. Code of the
 * interpreter may have changed the class (denial_class.h); then a plain PermissionError is raised,
 * so that nothing of what was changed runs inside the hook.
 */
#ifndef WARDER_CLIENT_HOOK_DENIAL_H
#define WARDER_CLIENT_HOOK_DENIAL_H

#include "client/hook/hook_session.h"
#include "client/hook/python_api.h"
#include "policies/catalogue/catalogue.h"
#include "policies/engine/event.h"

enum denial_state {
    DENIAL_ENDS,   /* the interpreter has not started or is over: it takes no exception */
    DENIAL_ENDING, /* it is being cleared: no class can be made there any more (3.9 crashes), and
                      what is raised is a plain PermissionError */
    DENIAL_RAISES,
};

/* True for the import of a module that the standard library asks for and goes on without if an
 * ImportError says that it is not there: then a denial is one. Looks at the event's arguments. */
bool denial_is_done_without(const struct python_api *api, const struct event *event);

/* Sets the exception, tells the daemon the calling line, and returns what the audit hook must
 * return; or ends the process. The interpreter lock must be held. */
int denial_raise(const struct python_api *api, const struct event *event,
                 const struct event_entry *entry, const struct answer *answer,
                 enum denial_state state);

/* The same of an event that is allowed because the policy that would deny it only observes: tells
 * the daemon the calling line, and changes nothing. The interpreter lock must be held, and frames
 * be there to be looked at. */
void denial_observed(const struct python_api *api, const struct answer *answer);

/* Gives an instance of the class its attributes. Leaves no exception. */
void denial_describe(const struct python_api *api, python_object *exception, const char *event,
                     size_t event_length, const struct answer *answer);

/* True for an event that this thread raises itself while it looks for the calling line: 3.8 raises
 * one when a frame is asked for its code. No other event is meant by it, not even of a finaliser
 * that runs just then. */
bool denial_is_looking(const struct python_api *api, const char *name, python_object *args);

#endif
