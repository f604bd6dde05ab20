/* A database of SQLite's by a URI: `file:/srv/a%20b.db?mode=rwc`, as dbm.sqlite3 (shelve, from 3.13
 * on) names its file.
 *
 * The event does not say whether the text is to be taken for a URI (sqlite3.connect's `uri`), so
 * the catalogue has both: the file that is called `file:...`, and the one that the URI names. Of a
 * URI that is known for certain: a path, percent-encoded or not, on this machine, and options that
 * do not change which file is opened. Any other is an unknown path.
 *
 * Internal to the mapping (event_mapper.h says what a source returns). */
#ifndef WARDER_POLICIES_ENGINE_DATABASE_URI_H
#define WARDER_POLICIES_ENGINE_DATABASE_URI_H

#include "policies/engine/event_mapper.h"

/* True if SQLite could take the text for a URI, and would open a file for it: not where it asks for
 * a database in memory. Unknown of what could be a text for all that is known. */
enum truth database_is_uri(const struct value *database);

/* The path in it. */
bool source_uri_path(struct mapper *mapper, const uint8_t *operands, struct attribute *out);

#endif
