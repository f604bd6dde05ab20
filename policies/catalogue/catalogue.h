/* The audit events of CPython 3.8 to 3.15, and those of the C boundary (libc.*): names, arguments,
 * which are secret, which cannot be vetoed.
 *
 * Generated at build time from audit-events.tsv, event-operations.tsv and presence.tsv
 * (generate.py); see README.md there for the columns and their sources. Read-only, for any thread.
 */
#ifndef WARDER_POLICIES_CATALOGUE_CATALOGUE_H
#define WARDER_POLICIES_CATALOGUE_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a denial does to the event's caller (limits.md, "What a denial does"). */
enum event_veto {
    VETO_RAISES,    /* an exception reaches the caller */
    VETO_SWALLOWED, /* what was asked does not happen, and CPython drops or prints the exception */
    VETO_ENDS,      /* CPython cannot take an exception there: the process is ended */
    VETO_NEVER,     /* CPython goes on regardless: a rule on it is an error */
};

/* Where events of this name are raised. */
enum event_platform {
    PLATFORM_LINUX = 1,
    PLATFORM_WINDOWS = 2,
    PLATFORM_OTHER = 4, /* macOS and BSD alone */
};

enum {
    EVENT_NAME_SIZE = 40, /* bytes that hold the longest name, with its NUL */
    ARGUMENT_NAME_SIZE = 24,
};

/* Without a pointer, like all tables here: they are loaded into every program of a session, and a
 * page with an address in it would have to be written to in each (tests/bench/README.md). */
struct event_entry {
    char name[EVENT_NAME_SIZE];
    uint16_t number; /* 1..catalogue_event_count(); 0 is EVENT_UNKNOWN */
    uint8_t argument_count;
    uint8_t forwarded_count; /* the first so many arguments are read and sent: `import` carries
                                three live lists that nobody judges */
    uint16_t first_argument; /* of catalogue_argument_name() */
    uint32_t secret;         /* bit N: the value of argument N is recorded by length alone */
    uint8_t veto;            /* enum event_veto */
    uint8_t platforms;       /* enum event_platform, or-ed; 0: CPython never raises it, it is
                                a spelling of the documentation alone */
    uint8_t since;           /* minor version of CPython 3: 8; 0: raised by no CPython, but by
                                the hook where a call reaches libc, under every version */
    uint8_t removed;         /* first minor version without it; 0 if it is still there */
    uint16_t instead;        /* the event that is raised, where platforms is 0; else 0 */
    uint32_t classes;        /* bit N: it can be an operation of class N (enum operation_class) */
};

uint16_t catalogue_event_count(void);

/* NULL if the number is 0 or none of the catalogue's. */
const struct event_entry *catalogue_event(uint16_t number);

/* Of the argument in that place, which the event must have. */
const char *catalogue_argument_name(const struct event_entry *entry, uint8_t argument);

/* NULL if the catalogue does not know the name. Constant time; the text is compared. */
const struct event_entry *catalogue_find(const char *name, size_t length);

#endif
