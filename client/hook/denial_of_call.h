/* How a denial at the C boundary reaches Python code: as warder.PolicyDenied, like that of an
 * event.
 *
 * All that a call of libc leaves is EACCES. CPython asks strerror() for the words, and makes an
 * OSError of number and words: for EACCES an instance of PermissionError, by the allocator of that
 * type. Where the words were those of a denial (boundary_refusal.h), ours makes an instance of
 * PolicyDenied instead, and CPython fills it in as it would have the other. That allocator is put
 * into the type when a first denial is told, in processes where that happens, and does nothing but
 * what was there before unless the same thread has just been told one. Where the type does not look
 * as it does in the versions that we know, a PermissionError with the same words is what there is.
 *
 * No verdict depends on any of this: it is over by then.
 */
#ifndef WARDER_CLIENT_HOOK_DENIAL_OF_CALL_H
#define WARDER_CLIENT_HOOK_DENIAL_OF_CALL_H

#include "client/hook/audit_hook.h"

/* The interpreter of this runtime has the C boundary before its libc. Once for each. */
void denial_of_call_serve(struct runtime *runtime);

/* This thread is being told the words of a denial. Takes no lock; needs no interpreter lock. */
void denial_of_call_expect(void);

/* An instance of the class of denials that another allocator has just made, for Python code: it may
 * lie where one of ours lay that was given up. */
void denial_of_call_made_by_name(const python_object *instance);

/* Gives what the allocator has made, and CPython has filled in since, the attributes of a denial.
 * Nothing is asked of the instance or its class, which Python code may have changed.
 * False for any other instance, which is left alone. The interpreter lock must be held. */
bool denial_of_call_finish(python_object *instance);

#endif
