/* The subject of a test: who a `session` line says is asking.
 *
 * What it does not say does not exist: a session without a unit is in none, one without
 * session.temp has no such place. Only the platform is always there: that of the line, else the
 * given one, else Linux. Lives in the storage that it was made with. */
#ifndef WARDER_POLICIES_SCENE_SCENE_SUBJECT_H
#define WARDER_POLICIES_SCENE_SCENE_SUBJECT_H

#include "policies/engine/subject.h"
#include "policies/scene/givens.h"

struct scene_subject {
    struct subject subject;
    const struct givens *givens; /* borrowed */
    bool windows;
    int python_minor; /* of Python 3; 0 if it is not said */
};

/* `session` may be NULL: nothing is said. False if an error was reported, or the storage has
 * failed. */
bool scene_subject_make(const struct session_statement *session, const struct givens *givens,
                        struct storage *storage, struct diagnostics *diagnostics,
                        struct scene_subject *out);

/* The directory that the session was started in; NULL if it is not said. */
const char *scene_subject_start(const struct scene_subject *subject);

#endif
