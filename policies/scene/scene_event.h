/* What happens in a test: an event, or one operation, as the evaluator takes it.
 *
 * `event "subprocess.Popen" ["id", ["id"], none, none]` goes through the catalogue's table as an
 * event of an interpreter does, with the questions answered by given_process.h. Arguments that are
 * left out are not known. The socket of an event is written as its family: "inet".
 *
 * `exec "/usr/bin/git" argv ["git", "push"]` is one operation of that class. Attributes that are
 * not written are absent. A path is absolute, or relative to the operation's `cwd`, else to
 * session.start, and leads where the givens say; the name of an action like `remove` does not
 * follow its last component. `host` of a connect, unless it is written, is every given name of its
 * address. `event "sys.settrace"` among the attributes says which event it came of.
 *
 * Lives in the storage that it was made with, and points into what it was made from. */
#ifndef WARDER_POLICIES_SCENE_SCENE_EVENT_H
#define WARDER_POLICIES_SCENE_SCENE_EVENT_H

#include "policies/engine/event.h"
#include "policies/language/diagnostics.h"
#include "policies/scene/scene_subject.h"

/* False if an error was reported, or the storage has failed. */
bool scene_event_make(const struct stated_event *stated, const struct scene_subject *subject,
                      struct storage *storage, struct diagnostics *diagnostics, struct event *out);

#endif
