/* What sessions are handed so that they can settle events themselves: the compiled policy that
 * governs them, and the page that tells whether it still does.
 *
 * The blocks are in a sealed memory file, made once for all sessions that the same policies govern;
 * the message beside it says which ones govern and who the session is. The server owns the page and
 * the newest files; a file that is not kept any more lives on where it is mapped. Nothing here
 * makes a verdict: what the hook does not settle comes as an Ask, and is judged by the session's
 * own generation as if there were no handout. Inside (loops.h). */
#ifndef WARDER_DAEMON_SESSION_POLICY_HANDOUT_H
#define WARDER_DAEMON_SESSION_POLICY_HANDOUT_H

#include <stdbool.h>

#include "daemon/session/connection.h"
#include "daemon/session/session.h"

enum {
    HANDOUT_DESCRIPTORS_MAX = 3, /* file, page and ring */
    HANDOUT_FILES_MAX = 16,      /* that are kept for the next session */
    HANDOUT_SIZE_MAX =
        8 * 1024 * 1024, /* of a file: beyond, the session is handed none, and asks */
};

struct policy_handouts;

/* On the thread that runs the loop, for the page is marked when it ends. NULL on failure. */
struct policy_handouts *policy_handouts_new(void);
void policy_handouts_free(struct policy_handouts *handouts);

/* Another generation is in force: whatever was handed out is not any more. */
void policy_handouts_renew(struct policy_handouts *handouts);

/* Nothing is in force any more: whoever settles events asks instead. */
void policy_handouts_withdraw(struct policy_handouts *handouts);

/* Fills in what the session is handed, in the server's arena; how many descriptors go beside it
 * (borrowed). `first`: in a Welcome that carries the session's key, before its program runs; else
 * there is neither page nor ring, and the file has a
 * tag. False, and nothing to hand out, if the host settles
 * nothing in process. */
bool policy_handout_fill(struct session *session, bool first, Warder__V1__PolicyHandout *handout,
                         int descriptors[HANDOUT_DESCRIPTORS_MAX], int *count);

/* Closes what was made to be handed out once: the last of the descriptors, if it is a ring. */
void policy_handout_sent(const Warder__V1__PolicyHandout *handout, const int *descriptors,
                         int count);

/* Answers a FetchPolicy. */
void policy_handout_answer(struct connection *connection, const struct incoming *incoming);

#endif
