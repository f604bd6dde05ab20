/* The floor of this process's session: taken once, right after the daemon's Welcome, before any
 * code of the program's runs; forked children inherit it.
 *
 * attach() comes when that code is running already: it takes none. */
#ifndef WARDER_CLIENT_HOOK_SESSION_FLOOR_H
#define WARDER_CLIENT_HOOK_SESSION_FLOOR_H

#include <stdbool.h>

#include "client/floor/floor.h"
#include "client/hook/hook_session.h"

/* Takes the floor of a Welcome, as far as this kernel can hold it; NULL: there is none. In a forked
 * child nothing is taken anew. False if the process may not go on: it could not be taken, or what
 * its policy requires is not held. */
bool session_floor_take(const Warder__V1__Floor *floor, Warder__V1__HookRoute route,
                        struct session_failure *failure);

/* What this process was under when it last was asked, for the daemon: false if it was under no
 * floor. `words` are for the message's texts. */
bool session_floor_tell(Warder__V1__FloorTaken *message,
                        ProtobufCBinaryData words[MISSING_WORDS_MAX]);

#endif
