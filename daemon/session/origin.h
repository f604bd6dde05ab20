/* Where the topmost session stands that a session descends from: the places that all below it have.
 *
 * A policy that gives a program the directory it was started in, and lets it start interpreters,
 * gives it every directory if each of these has a place of its own: who starts a program says
 * where, and under what name. So `session.start`, and what counts as `session.venv` without proof,
 * are those of the first session of a run, or of a tree of processes, and go down as wishes do
 * (subject_process.h). Never changed once made; shared, and counted by reference inside
 * (loops.h). */
#ifndef WARDER_DAEMON_SESSION_ORIGIN_H
#define WARDER_DAEMON_SESSION_ORIGIN_H

#include <stdbool.h>

#include <stddef.h>

#include "policies/engine/arena.h"
#include "proto/message.h"

struct origin;
struct run;
struct server;
struct session;
struct session_facts;

/* Of the places of a session that nobody's stands above. NULL on lack of memory. One reference. */
struct origin *origin_new(const struct session_facts *facts);

/* NULL may be held and released: it is nobody's. */
struct origin *origin_hold(struct origin *origin);
void origin_release(struct origin *origin);

/* The one that a process has from those above it that policies govern, or launched a run: the
 * topmost counts; else from what it was itself before; else from the run that it came by (may be
 * NULL). NULL: nobody stands above it. Borrowed. */
struct origin *origin_find(const struct server *server, const struct session_facts *facts,
                           const struct run *run);

/* Makes a session's origin that of the launchers above it which have none yet: it is the first of
 * their run. */
void origin_spread(struct session *session);

/* Gives a session the places of its origin in the place of those that it said. A virtual
 * environment of its own it keeps beside if it could not have made it. False on lack of memory. */
bool origin_impose(const struct origin *origin, struct session_facts *facts);

/* To be kept with a session, in the arena; false on lack of memory. And back, from any thread. */
bool origin_tell(const struct origin *origin, struct arena *arena, size_t *count,
                 Warder__V1__PlacePaths ***places);
struct origin *origin_of_kept(size_t count, Warder__V1__PlacePaths *const *places);

#endif
