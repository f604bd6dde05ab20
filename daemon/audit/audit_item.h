/* What goes into the record: made by the loop, written by the audit thread.
 *
 * An item owns a copy of everything it names, so that it outlives session and message. It lies in
 * one piece of memory: its own on the heap, or a part of somebody else's. */
#ifndef WARDER_DAEMON_AUDIT_AUDIT_ITEM_H
#define WARDER_DAEMON_AUDIT_AUDIT_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "policies/ownership.h"

enum audit_kind {
    AUDIT_DECISION,
    AUDIT_SESSION_START,
    AUDIT_SESSION_END,
    AUDIT_SESSION_FACT, /* something of a session that is known after its start */
    AUDIT_REFUSAL,      /* a message, a connection or a session that was turned away */
    AUDIT_DROP,         /* records that were lost, counted */
    AUDIT_DAEMON,       /* start, stop, a new generation */
};

/* How an event was judged. Texts are borrowed from the item. */
struct audit_decision {
    uint64_t number; /* of the first in its session, from 1 */
    uint64_t count;  /* of denials like it that were answered with its number, with itself */
    uint64_t generation;
    const char *verdict; /* allow, deny, kill, would-deny */
    const char *policy;  /* TIER/NAME; "" if no policy had a say */
    const char *rule;
    const char *message;
    const char *logged_by; /* TIER/NAME.RULE of each `log` rule that named it, a line each; NULL */
    const char *name;      /* of the event, not terminated; NULL: it has none */
    size_t name_length;
    uint32_t operation; /* of the event, that the rule judged; 0 where it is none */
    bool unknown;       /* the rule fired because something could not be known, */
    bool spent;         /* and that because the steps of a decision were spent */
    bool settled;       /* by the hook, in process */
    uint64_t time;      /* when, nanoseconds since 1970, UTC; 0: now */
    const char *file;   /* the calling line, of denials; NULL if it is not known */
    uint32_t line;
    const void *event; /* the packed Event, as it came over the socket */
    size_t event_size;
    bool plain;        /* nothing of the event is secret (redaction_is_needed) */
    const char *texts; /* set in an item: those from verdict to name, in one piece */
    size_t texts_size;
};

struct audit_share;

struct audit_item {
    enum audit_kind kind;
    uint64_t time;    /* nanoseconds since 1970, UTC */
    uint64_t session; /* 0: none */
    size_t size;      /* bytes that the item occupies, for the queue's bound */
    int64_t owner;    /* the uid that it is charged to, and where: set by audit_log_add */
    struct audit_share *share;
    union {
        struct audit_decision decision;
        struct {
            const char *json; /* the session's facts */
        } start;
        struct {
            const char *name; /* of the facts */
            const char *json;
        } fact;
        struct {
            uint64_t decisions;
            uint64_t denials;
        } end;
        struct {
            int64_t uid; /* -1: not known */
            int64_t pid;
            uint64_t count;
            const char *text;
        } notice; /* REFUSAL, DROP, DAEMON */
    };
    char memory[]; /* of the texts */
};

/* NULL on lack of memory. `decision` is copied with all it points at. */
struct audit_item *audit_item_decision(uint64_t session, const struct audit_decision *decision);
struct audit_item *audit_item_session_start(uint64_t session, const char *json);
struct audit_item *audit_item_session_end(uint64_t session, uint64_t decisions, uint64_t denials);
struct audit_item *audit_item_session_fact(uint64_t session, const char *name, const char *json);
struct audit_item *audit_item_notice(enum audit_kind kind, uint64_t session, int64_t uid,
                                     int64_t pid, const char *text);

/* The bytes of an item of this decision, and the item made in so many bytes of memory that are
 * aligned for any type. */
size_t audit_item_decision_size(const struct audit_decision *decision);
struct audit_item *audit_item_decision_in(void *memory, uint64_t session,
                                          const struct audit_decision *decision);

/* A copy in `item->size` bytes of memory. */
struct audit_item *audit_item_copy_in(void *memory, const struct audit_item *item);

/* Gives a decision its calling line, where it lies, if `capacity` bytes of memory are enough for
 * both. False, and nothing changed, if not. */
bool audit_item_set_place(struct audit_item *item, size_t capacity, const char *file,
                          size_t file_length, uint32_t line);

/* The same decision with its calling line. Replaces `item`, which is freed; on lack of memory it
 * stays as it was. */
struct audit_item *audit_item_with_place(struct audit_item *item, const char *file,
                                         size_t file_length, uint32_t line);

void audit_item_free(struct audit_item *item);
DEFINE_CLEANUP(struct audit_item *, audit_item_free);

#endif
