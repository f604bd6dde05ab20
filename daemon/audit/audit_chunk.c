/* Invariants. What is noted is of one chunk, and that of the last record written; `texts` are of
 * one chunk as well, and on disk in this transaction or before it. A rollback forgets both;
 * texts that were there before are written once more. */
#include "daemon/audit/audit_chunk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/database.h"
#include "policies/engine/event.h"
#include "policies/engine/event_text.h"

enum {
    SLOTS = 2 * AUDIT_CHUNK_RECORDS,
    DECISION_TEXTS = 5, /* verdict, policy, rule, message, logged_by */
};

/* ------------------------------------------------------------------------------------------ slots
 */

/* Spreads what counts up by one. It does nothing against names that were chosen so that they meet:
 * a table is small, and to go through all of it no harm. */
static uint64_t mix(uint64_t value)
{
    value ^= value >> 32;
    value *= 0x9e3779b97f4a7c15U;
    return value ^ value >> 29;
}

static uint32_t slot_of(uint64_t hash)
{
    return (uint32_t)(hash & (SLOTS - 1));
}

static uint32_t slot_behind(uint32_t slot)
{
    return (slot + 1) & (SLOTS - 1);
}

static void clear_slots(struct chunk_slots *slots)
{
    memset(slots, 0, sizeof(*slots));
}

/* --------------------------------------------------------------------------------- begin and end
 */

static void forget_notes(struct audit_chunk *chunk)
{
    if (chunk->is_noted)
        return;
    chunk->is_noted = true;
    chunk->session_count = 0;
    chunk->owner_count = 0;
    clear_slots(&chunk->session_slots);
    clear_slots(&chunk->owner_slots);
}

static void forget_texts(struct audit_chunk *chunk)
{
    chunk->text_count = 0;
    chunk->used = 0;
    clear_slots(&chunk->text_slots);
}

void audit_chunk_forget(struct audit_chunk *chunk)
{
    forget_texts(chunk);
}

void audit_chunk_begin(struct audit_chunk *chunk)
{
    chunk->began_id = chunk->next_id;
}

void audit_chunk_rollback(struct audit_chunk *chunk)
{
    chunk->next_id = chunk->began_id;
    forget_notes(chunk);
    forget_texts(chunk);
}

static bool read_next_id(struct audit_chunk *chunk, char *error, size_t size)
{
    sqlite3_stmt *statement = database_prepare(chunk->connection,
                                               "SELECT coalesce(max(highest), 0) + 1 FROM chunks"
                                               " WHERE chunk = (SELECT max(chunk) FROM chunks)",
                                               error, size);
    if (!statement)
        return false;
    const bool found = sqlite3_step(statement) == SQLITE_ROW;
    if (found)
        chunk->next_id = (uint64_t)sqlite3_column_int64(statement, 0);
    else
        database_failed(chunk->connection, "cannot be read", error, size);
    sqlite3_finalize(statement);
    return found;
}

struct audit_chunk *audit_chunk_new(sqlite3 *connection, char *error, size_t size)
{
    struct audit_chunk *chunk = calloc(1, sizeof(*chunk));

    if (!chunk) {
        (void)snprintf(error, size, "out of memory");
        return NULL;
    }
    chunk->connection = connection;
    chunk->is_noted = true;
    chunk->note_chunk =
        database_prepare(connection,
                         "INSERT INTO chunks (chunk, first, last, highest) VALUES (?1, ?2, ?3, ?4)"
                         " ON CONFLICT (chunk) DO UPDATE SET first = min(first, excluded.first),"
                         " last = max(last, excluded.last), highest = excluded.highest",
                         error, size);
    chunk->note_session = database_prepare(
        connection,
        "INSERT INTO spans (chunk, session, first, last) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (chunk, session) DO UPDATE SET first = min(first, excluded.first),"
        " last = max(last, excluded.last)",
        error, size);
    chunk->note_owner = database_prepare(
        connection,
        "INSERT INTO holdings (chunk, owner, allowed, other) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (chunk, owner) DO UPDATE SET allowed = allowed + excluded.allowed,"
        " other = other + excluded.other",
        error, size);
    chunk->add_text =
        database_prepare(connection,
                         "INSERT INTO texts (id, verdict, event, policy, rule, message, logged_by)"
                         " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                         error, size);
    if (chunk->note_chunk && chunk->note_session && chunk->note_owner && chunk->add_text &&
        read_next_id(chunk, error, size))
        return chunk;
    audit_chunk_free(chunk);
    return NULL;
}

void audit_chunk_free(struct audit_chunk *chunk)
{
    if (!chunk)
        return;
    sqlite3_finalize(chunk->note_chunk);
    sqlite3_finalize(chunk->note_session);
    sqlite3_finalize(chunk->note_owner);
    sqlite3_finalize(chunk->add_text);
    free(chunk->bytes);
    free(chunk);
}

/* ------------------------------------------------------------------------------------------ notes
 */

static int run(sqlite3_stmt *statement)
{
    const int result = sqlite3_step(statement);
    sqlite3_reset(statement);
    return result;
}

static int note(sqlite3_stmt *statement, uint64_t chunk, uint64_t key, uint64_t first,
                uint64_t second)
{
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)chunk);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)key);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64)first);
    sqlite3_bind_int64(statement, 4, (sqlite3_int64)second);
    return run(statement);
}

int audit_chunk_flush(struct audit_chunk *chunk)
{
    int result = SQLITE_DONE;

    if (chunk->is_noted)
        return result;
    result = note(chunk->note_chunk, chunk->chunk, chunk->first_time, chunk->last_time,
                  chunk->next_id - 1);
    for (uint32_t i = 0; result == SQLITE_DONE && i < chunk->session_count; i++) {
        const struct chunk_session *session = &chunk->sessions[i];
        result = note(chunk->note_session, chunk->chunk, session->session, session->first,
                      session->last);
    }
    for (uint32_t i = 0; result == SQLITE_DONE && i < chunk->owner_count; i++) {
        const struct chunk_owner *owner = &chunk->owners[i];
        result = note(chunk->note_owner, chunk->chunk, (uint64_t)owner->owner, owner->allowed,
                      owner->other);
    }
    if (result == SQLITE_DONE)
        forget_notes(chunk);
    return result;
}

int audit_chunk_next(struct audit_chunk *chunk, uint64_t *id)
{
    *id = chunk->next_id;
    if (chunk->is_noted || chunk->chunk == *id >> AUDIT_CHUNK_BITS)
        return SQLITE_DONE;
    return audit_chunk_flush(chunk);
}

static void note_session(struct audit_chunk *chunk, uint64_t number, uint64_t first, uint64_t last)
{
    struct chunk_session *session;
    uint32_t slot = slot_of(mix(number));

    for (; chunk->session_slots.of[slot] != 0; slot = slot_behind(slot)) {
        session = &chunk->sessions[chunk->session_slots.of[slot] - 1];
        if (session->session != number)
            continue;
        if (session->first > first)
            session->first = first;
        if (session->last < last)
            session->last = last;
        return;
    }
    chunk->sessions[chunk->session_count] = (struct chunk_session){number, first, last};
    chunk->session_slots.of[slot] = (uint16_t)++chunk->session_count;
}

static struct chunk_owner *owner_of(struct audit_chunk *chunk, int64_t uid)
{
    uint32_t slot = slot_of(mix((uint64_t)uid));

    for (; chunk->owner_slots.of[slot] != 0; slot = slot_behind(slot)) {
        struct chunk_owner *owner = &chunk->owners[chunk->owner_slots.of[slot] - 1];
        if (owner->owner == uid)
            return owner;
    }
    chunk->owners[chunk->owner_count] = (struct chunk_owner){.owner = uid};
    chunk->owner_slots.of[slot] = (uint16_t)++chunk->owner_count;
    return &chunk->owners[chunk->owner_count - 1];
}

void audit_chunk_add(struct audit_chunk *chunk, const struct audit_item *item, bool is_allowed,
                     uint64_t bytes)
{
    const bool is_decision = item->kind == AUDIT_DECISION;
    const uint64_t first = is_decision ? item->decision.number : 0;
    const uint64_t last = is_decision && item->decision.count > 0
                              ? item->decision.number + item->decision.count - 1
                              : first;

    if (chunk->is_noted) {
        chunk->is_noted = false;
        chunk->chunk = chunk->next_id >> AUDIT_CHUNK_BITS;
        chunk->first_time = chunk->last_time = item->time;
    }
    if (chunk->first_time > item->time)
        chunk->first_time = item->time;
    if (chunk->last_time < item->time)
        chunk->last_time = item->time;
    if (item->session > 0)
        note_session(chunk, item->session, first, last);
    struct chunk_owner *owner = owner_of(chunk, item->owner);
    *(is_allowed ? &owner->allowed : &owner->other) += bytes;
    chunk->next_id++;
}

/* ------------------------------------------------------------------------------------------ texts
 */

/* The texts of a decision lie in one piece (audit_item.h); which of them are there tells apart what
 * would be the same bytes. */
struct key {
    const char *bytes;
    size_t size;
    unsigned present;
    uint64_t hash;
};

static struct key key_of(const struct audit_decision *decision)
{
    const char *texts[DECISION_TEXTS] = {decision->verdict, decision->policy, decision->rule,
                                         decision->message, decision->logged_by};
    struct key key = {.bytes = decision->texts, .size = decision->texts_size};
    uint64_t word;
    size_t at = 0;

    for (unsigned i = 0; i < DECISION_TEXTS; i++)
        key.present |= (texts[i] ? 1U : 0U) << i;
    key.hash = mix(key.size + key.present);
    for (; at + sizeof(word) <= key.size; at += sizeof(word)) {
        memcpy(&word, key.bytes + at, sizeof(word));
        key.hash = mix(key.hash ^ word);
    }
    word = 0;
    if (at < key.size)
        memcpy(&word, key.bytes + at, key.size - at);
    key.hash = mix(key.hash ^ word);
    return key;
}

static bool is_key_of(const struct audit_chunk *chunk, const struct chunk_text *text,
                      const struct key *key)
{
    return text->hash == key->hash && text->size == key->size && text->present == key->present &&
           memcmp(chunk->bytes + text->at, key->bytes, key->size) == 0;
}

/* On lack of memory it is not remembered, and written once more when it comes again. */
static void remember(struct audit_chunk *chunk, uint32_t slot, const struct key *key, uint64_t id)
{
    if (chunk->text_count == AUDIT_CHUNK_RECORDS)
        return;
    if (!chunk->bytes || chunk->capacity - chunk->used < key->size) {
        const size_t capacity = 2 * (chunk->used + key->size) + 1024;
        char *bytes = realloc(chunk->bytes, capacity);
        if (!bytes)
            return;
        chunk->bytes = bytes;
        chunk->capacity = capacity;
    }
    if (key->size > 0)
        memcpy(chunk->bytes + chunk->used, key->bytes, key->size);
    chunk->texts[chunk->text_count] = (struct chunk_text){
        .hash = key->hash,
        .at = chunk->used,
        .size = key->size,
        .present = key->present,
        .id = id,
    };
    chunk->used += key->size;
    chunk->text_slots.of[slot] = (uint16_t)++chunk->text_count;
}

static void bind(sqlite3_stmt *statement, int column, const char *text)
{
    if (text)
        sqlite3_bind_text(statement, column, text, -1, SQLITE_STATIC);
}

static int add_text(struct audit_chunk *chunk, const struct audit_decision *decision,
                    const char *logged_by)
{
    char name[EVENT_NAME_MAX * 4 + 8];
    sqlite3_stmt *statement = chunk->add_text;

    sqlite3_bind_int64(statement, 1, (sqlite3_int64)chunk->next_id);
    bind(statement, 2, decision->verdict);
    if (decision->name) {
        printable_text(decision->name, decision->name_length, name, sizeof(name));
        bind(statement, 3, name);
    }
    bind(statement, 4, decision->policy);
    bind(statement, 5, decision->rule);
    bind(statement, 6, decision->message);
    bind(statement, 7, logged_by);
    const int result = run(statement);
    sqlite3_clear_bindings(statement);
    return result;
}

int audit_chunk_text(struct audit_chunk *chunk, const struct audit_decision *decision,
                     const char *(*logged_by)(void *context, const char *lines), void *context,
                     uint64_t *id)
{
    const struct key key = key_of(decision);
    const uint64_t of = chunk->next_id >> AUDIT_CHUNK_BITS;
    uint32_t slot = slot_of(key.hash);

    if (chunk->text_chunk != of)
        forget_texts(chunk);
    chunk->text_chunk = of;
    for (; chunk->text_slots.of[slot] != 0; slot = slot_behind(slot)) {
        const struct chunk_text *text = &chunk->texts[chunk->text_slots.of[slot] - 1];
        if (is_key_of(chunk, text, &key)) {
            *id = text->id;
            return SQLITE_DONE;
        }
    }
    const int result = add_text(
        chunk, decision, decision->logged_by ? logged_by(context, decision->logged_by) : NULL);
    if (result != SQLITE_DONE)
        return result;
    *id = chunk->next_id;
    remember(chunk, slot, &key, *id);
    return SQLITE_DONE;
}
