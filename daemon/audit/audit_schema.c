#include "daemon/audit/audit_schema.h"

/* Version 2: for making room by owner; the highest session number that may have been handed out. */
#define RESERVED                                                                                   \
    "CREATE TABLE reserved (session INTEGER NOT NULL) STRICT;"                                     \
    "INSERT INTO reserved VALUES (0);"

#define TABLES                                                                                     \
    "CREATE TABLE entries ("                                                                       \
    "  id INTEGER PRIMARY KEY,"                                                                    \
    "  time INTEGER NOT NULL," /* nanoseconds since 1970, UTC */                                   \
    "  kind INTEGER NOT NULL," /* enum entry_kind */                                               \
    "  session INTEGER,"                                                                           \
    "  number INTEGER," /* of the decision in its session; the id is SESSION-NUMBER, the session   \
                           in hexadecimal */                                                       \
    "  count INTEGER NOT NULL," /* of denials like it that were told this number */                \
    "  text INTEGER,"           /* of texts */                                                     \
    "  flags INTEGER NOT NULL," /* enum entry_flag */                                              \
    "  generation INTEGER,"                                                                        \
    "  operation INTEGER,"      /* of the event, that was judged so */                             \
    "  owner INTEGER NOT NULL," /* the uid that caused it; -1: nobody, or an older version's */    \
    "  bytes INTEGER NOT NULL," /* what it weighs */                                               \
    "  packed BLOB,"                                                                               \
    "  summary TEXT," /* exec \"id\" */                                                            \
    "  arguments TEXT,"                                                                            \
    "  operations TEXT,"                                                                           \
    "  file TEXT,"                                                                                 \
    "  line INTEGER,"                                                                              \
    "  uid INTEGER,"                                                                               \
    "  pid INTEGER"                                                                                \
    ") STRICT;"                                                                                    \
    "CREATE INDEX denials ON entries (time) WHERE kind = 1;"                                       \
    "CREATE TABLE chunks ("                                                                        \
    "  chunk INTEGER PRIMARY KEY,"                                                                 \
    "  first INTEGER NOT NULL," /* time */                                                         \
    "  last INTEGER NOT NULL,"                                                                     \
    "  highest INTEGER NOT NULL" /* id */                                                          \
    ") STRICT;"                                                                                    \
    "CREATE TABLE texts ("                                                                         \
    "  id INTEGER PRIMARY KEY," /* of the first record that says so */                             \
    "  verdict TEXT,"                                                                              \
    "  event TEXT,"                                                                                \
    "  policy TEXT,"                                                                               \
    "  rule TEXT,"                                                                                 \
    "  message TEXT,"                                                                              \
    "  logged_by TEXT" /* JSON: policies and rules that named it */                                \
    ") STRICT;"                                                                                    \
    "CREATE TABLE spans ("                                                                         \
    "  chunk INTEGER NOT NULL,"                                                                    \
    "  session INTEGER NOT NULL,"                                                                  \
    "  first INTEGER NOT NULL," /* number of a decision */                                         \
    "  last INTEGER NOT NULL,"                                                                     \
    "  PRIMARY KEY (chunk, session)"                                                               \
    ") STRICT, WITHOUT ROWID;"                                                                     \
    "CREATE TABLE holdings ("                                                                      \
    "  chunk INTEGER NOT NULL,"                                                                    \
    "  owner INTEGER NOT NULL,"                                                                    \
    "  allowed INTEGER NOT NULL,"                                                                  \
    "  other INTEGER NOT NULL,"                                                                    \
    "  PRIMARY KEY (chunk, owner)"                                                                 \
    ") STRICT, WITHOUT ROWID;"

#define VIEW                                                                                       \
    "CREATE VIEW records AS SELECT entries.id, time,"                                              \
    " CASE kind WHEN 2 THEN 'refusal' WHEN 3 THEN 'drop' WHEN 4 THEN 'daemon' ELSE 'decision'"     \
    " END AS kind, session, entries.number, count, verdict, event, summary, arguments,"            \
    " operations, policy, rule, message, flags & 1 AS unknown, (flags >> 2) & 1 AS settled,"       \
    " generation, file, line, uid, pid, logged_by, owner, bytes, operation,"                       \
    " (flags >> 1) & 1 AS spent, packed FROM entries LEFT JOIN texts ON texts.id = entries.text;"

/* Each decision of the older format gets texts of its own: it goes once through the table, and
 * nothing is compared. */
#define FROM_ROWS                                                                                  \
    "INSERT INTO texts SELECT id, verdict, event, policy, rule, message, logged_by FROM rows"      \
    " WHERE kind = 'decision' ORDER BY id;"                                                        \
    "INSERT INTO entries SELECT id, time,"                                                         \
    " CASE kind WHEN 'refusal' THEN 2 WHEN 'drop' THEN 3 WHEN 'daemon' THEN 4"                     \
    " ELSE verdict IS NOT 'allow' END, session, number, count,"                                    \
    " iif(kind = 'decision', id, NULL),"                                                           \
    " coalesce(unknown, 0) + 2 * coalesce(spent, 0) + 4 * coalesce(settled, 0),"                   \
    " generation, operation, coalesce(owner, -1), coalesce(bytes, 1024), NULL, summary,"           \
    " arguments, operations, file, line, uid, pid FROM rows ORDER BY id;"                          \
    "INSERT INTO chunks SELECT " AUDIT_CHUNK_OF(                                                   \
        "id") ", min(time), max(time), max(id)"                                                    \
              " FROM entries GROUP BY 1;"                                                          \
              "INSERT OR IGNORE INTO chunks SELECT " AUDIT_CHUNK_OF(                               \
                  "seq") ", 0, 0, seq"                                                             \
                         " FROM sqlite_sequence WHERE name = 'rows' AND seq > 0;"                  \
                         "UPDATE chunks SET highest = max(highest, (SELECT seq FROM "              \
                         "sqlite_sequence"                                                         \
                         " WHERE name = 'rows')) WHERE chunk = (SELECT max(chunk) FROM "           \
                         "chunks);"                                                                \
                         "INSERT INTO spans SELECT " AUDIT_CHUNK_OF(                               \
                             "id") ", session, min(coalesce(number, 0)),"                          \
                                   " max(coalesce(number + count - 1, 0)) FROM entries "           \
                                   "WHERE session IS NOT NULL"                                     \
                                   " GROUP BY 1, 2;"                                               \
                                   "INSERT INTO holdings SELECT " AUDIT_CHUNK_OF(                  \
                                       "id") ", owner,"                                            \
                                             " sum(iif(kind = 0, bytes, 0)), "                     \
                                             "sum(iif(kind = 0, 0, bytes)) FROM "                  \
                                             "entries GROUP BY 1, 2;"

/* Files of before. A new one has all of it at once: a change of a table takes as long as making
 * one, and a private daemon makes a file for each run. */
static const char *const upgrades[] = {
    "ALTER TABLE records ADD COLUMN logged_by TEXT;"
    "ALTER TABLE records ADD COLUMN owner INTEGER;"
    "ALTER TABLE records ADD COLUMN bytes INTEGER;"
    "CREATE INDEX records_by_owner ON records (owner, id, bytes, verdict);" RESERVED,
    "ALTER TABLE records ADD COLUMN operation INTEGER;"
    "ALTER TABLE records ADD COLUMN spent INTEGER;",
    "DROP INDEX records_by_time; DROP INDEX records_by_session; DROP INDEX denials;"
    "DROP INDEX records_by_owner;"
    "ALTER TABLE records RENAME TO rows;" TABLES FROM_ROWS "DROP TABLE rows;" VIEW,
};

const struct database_kind audit_database_kind = {
    .file = "audit.db",
    .application_id = 0x57445241, /* WDRA */
    .version = 4,
    /* One flush for each batch, ten a second at most: a denial is on disk within the stated second.
     */
    .synchronous = "FULL",
    .upgrades = upgrades,
    .schema = "CREATE TABLE sessions ("
              "  session INTEGER PRIMARY KEY,"
              "  started INTEGER NOT NULL," /* nanoseconds since 1970, UTC */
              "  ended INTEGER,"
              "  decisions INTEGER,"
              "  denials INTEGER,"
              "  facts TEXT NOT NULL" /* JSON: what is proved, what is said */
              ") STRICT;" RESERVED TABLES VIEW,
};
