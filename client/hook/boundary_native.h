/* The C boundary for native code: dlopen and dlmopen, judged before the loader sees them.
 *
 * The exported functions are a few lines of assembly (boundary_native_jump.S): they call one of the
 * judges below and then jump to libc's function, so that the loader sees the real caller, whose
 * RUNPATH, $ORIGIN and namespace count. What they pass on is what the judge left in a native_call.
 *
 * What is judged is what is loaded:
 *
 * - The path is copied first, and the copy is judged and passed on.
 * - A path with a symbolic link on its way, or one below the current directory, is passed on as the
 *   path that was judged, with its links resolved; the path as it was given only where this process
 *   can change none of the directories on its way. What is left is that a file is put in the place
 *   of the judged one between the judgement and the loader's open: that takes a write where native
 *   code is allowed, after which it is not needed any more. (Loading an opened file by the name
 * that /proc gives it would end that and the meaning of $ORIGIN with it, and another thread can
 * change descriptors as well as names.)
 * - A file that is not there is not asked about; the loader's answer is given without the loader.
 * - What is loaded already brings no code in: it is not asked about, and the loader is told to load
 *   nothing (RTLD_NOLOAD).
 * - A load that the audit event before it has been allowed, for the same path with the same
 *   meaning in the same thread, is that decision: it is not asked about again.
 *
 * - RTLD_DEEPBIND is left out where a policy could deny anything: what is loaded with it would find
 *   libc's functions before this object's (sys.setdlopenflags, then an extension module that starts
 *   programs).
 *
 * Asked are sessions that have a policy on `native`; where none could be denied (held), nothing is
 * changed about the call. Denied: the call gives NULL, and the next dlerror() of the thread gives
 * the sentence that says by which rule.
 *
 * Not seen here: what a loaded object needs itself (DT_NEEDED), which the loader finds along its
 * RUNPATH, along LD_LIBRARY_PATH as it was when the process started, and in the system's
 * directories; and what libc loads for itself without this symbol: character sets, name services,
 * libgcc. Where libc finds those is fixed before user code runs (boundary_native_begin), but for
 * another root directory: so chroot() is judged too. */
#ifndef WARDER_CLIENT_HOOK_BOUNDARY_NATIVE_H
#define WARDER_CLIENT_HOOK_BOUNDARY_NATIVE_H

#include <stdbool.h>

#include "policies/engine/arena.h"
#include "policies/engine/event.h"

/* What the assembly passes on; it knows the offsets. */
struct native_call {
    const char *path;
    long flags;
};

/* The function to jump to, with `call` filled in; NULL: return NULL. */
void *boundary_native_dlopen(const char *path, int flags, struct native_call *call);
void *boundary_native_dlmopen(const char *path, int flags, struct native_call *call, long space);

/* The sentence of the thread's last denied load, once; NULL if there is none. Lives until the
 * thread's next denial. */
const char *boundary_native_denial(void);

/* Judges another root directory: libc loads its character sets and name services from below it.
 * Leaves errno and the sentence for strerror() where it is denied. */
bool boundary_native_allows_root(const char *path);

/* Judges a directory of translations: those of a C library are format strings, with which it writes
 * to memory. Leaves errno and the sentence for strerror() where it is denied. */
bool boundary_native_allows_translations(const char *domain, const char *directory);

/* When the session has begun and before user code runs, in a process where these functions stand
 * before libc's (not under attach()): has libc settle where it finds what it loads for itself. */
void boundary_native_begin(void);

/* Takes those loads out of an audit event whose names only the call itself will make certain (an
 * object with a __fspath__, a subclass of str): they are judged here then. False if the arena is
 * too small. */
bool boundary_native_leave(struct event *event, struct arena *arena);

/* The calling thread has raised an audit event that has been allowed, with its operations: the
 * loads in it are remembered until the thread's next such event. */
void boundary_native_allowed(const struct event *event);

#endif
