/* An audit event and the operations that it is, as the evaluator sees them.
 *
 * Built by the hook (arguments read from the interpreter, then event_map) or by the daemon (decoded
 * from an Ask). Everything is borrowed from an arena. */
#ifndef WARDER_POLICIES_ENGINE_EVENT_H
#define WARDER_POLICIES_ENGINE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/engine/value.h"
#include "policies/engine/vocabulary.h"

/* One attribute of one operation. An attribute that the operation does not have is not in the list:
 * it is absent, which is not the same as unknown (a marked value) or none (VALUE_NONE). */
struct attribute {
    enum attribute_name name;
    bool nameless;         /* host of a connect that no lookup of this process gave: absent for
                              `allow`, unknown for `deny` (policy-language, Semantics 7) */
    struct value value;    /* paths: as written, made absolute, `.` and `..` removed */
    struct value resolved; /* TYPE_PATH only: symbolic links resolved; marked opaque if that could
                              not be known */
    struct value given;    /* as the caller wrote it, for messages: `id` where value is
                              `/usr/bin/id`. VALUE_NONE where it is the same as value */
};

struct operation {
    enum operation_class operation_class;
    uint32_t attribute_count;
    const struct attribute
        *attributes; /* each name at most once, in order of enum attribute_name */
};

enum {
    EVENT_UNKNOWN = 0,    /* the number of an event that the catalogue does not know */
    EVENT_NAME_MAX = 256, /* bytes; a longer name is cut and the event marked */
    /* The most that the table makes of one event is three (socket.bind); a relative os.open is a
     * read and a write below each directory that it could mean (OPENED_BASES_MAX). */
    EVENT_OPERATIONS_MAX = 16,
    EVENT_ATTRIBUTES_MAX = 8, /* of one operation; exec has six */
};

struct event {
    uint16_t number;  /* in the catalogue (policies/catalogue), or EVENT_UNKNOWN */
    bool name_cut;    /* name longer than EVENT_NAME_MAX */
    const char *name; /* not terminated */
    uint32_t name_length;
    uint32_t argument_count;
    const struct value *arguments;
    uint32_t operation_count; /* 0: no operation, only raw `event` rules reach it */
    const struct operation *operations;
};

/* The attribute, or NULL where the operation does not have it. */
const struct attribute *operation_attribute(const struct operation *operation,
                                            enum attribute_name name);

#endif
