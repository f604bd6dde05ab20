/* The table that maps events to operations, as generate.py makes it from event-operations.tsv.
 *
 * A rule says: this event is an operation of that class when all its conditions hold, and its
 * attributes come from there. Conditions and sources are words with operands, which are arguments
 * of the event; README.md says what each word means, and engine/event_map.c applies them. The words
 * here and in the table are the same (file_reading is CONDITION_FILE_READING), so a word that one
 * of them lacks stops the build. Read-only, for any thread. */
#ifndef WARDER_POLICIES_CATALOGUE_MAPPING_H
#define WARDER_POLICIES_CATALOGUE_MAPPING_H

#include <stddef.h>
#include <stdint.h>

enum {
    MAPPING_OPERANDS_MAX = 3,
    MAPPING_CONDITIONS_MAX = 2,
    MAPPING_ATTRIBUTES_MAX = 6,
    MAPPING_LITERAL_SIZE = 16, /* bytes that hold the longest literal, with its NUL */
    MAPPING_NO_OPERAND = 0xff, /* one that the table does not give: the word has a default */
};

enum mapping_condition_word {
    CONDITION_ALWAYS,
    CONDITION_GIVEN,
    CONDITION_TRUE,
    CONDITION_DESCRIPTOR,
    CONDITION_READING,
    CONDITION_WRITING,
    CONDITION_ON_FILE,
    CONDITION_ON_DISK,
    CONDITION_BY_URI,
    CONDITION_LINKED,
    CONDITION_STEERING,
    CONDITION_UNSUFFIXED,
    CONDITION_OWN_PROCESS,
    CONDITION_OTHER_PROCESS,
    CONDITION_LOOKED_UP,
    CONDITION_ADDRESS_LOOKED_UP,
    CONDITION_UNIX_PATH,
    CONDITION_LOG_OPENED,
    CONDITION_FILE_READING,
    CONDITION_FILE_WRITING,
    CONDITION_PIPE,
    CONDITION_KEY_READING,
    CONDITION_KEY_WRITING,
    CONDITION_COUNT
};

enum mapping_source_word {
    SOURCE_LITERAL, /* "text" in the table */
    SOURCE_TRUE,
    SOURCE_UNKNOWN,
    SOURCE_EVENT,
    /* values */
    SOURCE_TEXT,
    SOURCE_FIRST_TEXT,
    SOURCE_INTEGER,
    SOURCE_NEGATIVE,
    SOURCE_RELATION,
    SOURCE_GROUP_RELATION,
    SOURCE_LIMIT_NAME,
    SOURCE_IOCTL_REQUEST,
    SOURCE_FCNTL_REQUEST,
    /* paths */
    SOURCE_PATH,
    SOURCE_ENTRY,
    SOURCE_PATH_OR_DIRECTORY,
    SOURCE_OPENED,
    SOURCE_DATABASE,
    SOURCE_URI_PATH,
    SOURCE_LIBRARY,
    SOURCE_LIBRARY_WITH_SUFFIX,
    SOURCE_LIBRARY_NAME,
    SOURCE_OPENED_LIBRARY,
    SOURCE_SAID_FILE,
    SOURCE_CODE_FILE,
    /* starting a program */
    SOURCE_POPEN_PROGRAM,
    SOURCE_SPAWNED_PROGRAM,
    SOURCE_SEARCHED_PROGRAM,
    SOURCE_LISTED_PROGRAM,
    SOURCE_SYSTEM_SHELL,
    SOURCE_PROCESS_PROGRAM,
    SOURCE_STARTED_PROGRAM,
    SOURCE_ARGUMENTS,
    SOURCE_SYSTEM_ARGUMENTS,
    SOURCE_JOINED_ARGUMENTS,
    SOURCE_CALLER_DIRECTORY,
    SOURCE_DIRECTORY,
    SOURCE_ENVIRONMENT,
    SOURCE_PROCESS_ENVIRONMENT,
    SOURCE_IS_SHELL,
    SOURCE_OPENED_PROGRAM,
    /* sockets */
    SOURCE_FAMILY_NAME,
    SOURCE_KIND_NAME,
    SOURCE_PROTOCOL,
    SOURCE_FAMILY,
    SOURCE_ADDRESS,
    SOURCE_PEER,
    SOURCE_PORT,
    SOURCE_HOST,
    SOURCE_SOCKET_PATH,
    SOURCE_SOCKET_ENTRY,
    SOURCE_LOG_SOCKET,
    /* Windows */
    SOURCE_CREATED_FILE,
    SOURCE_PIPE_NAME,
    SOURCE_COMPUTER,
    SOURCE_KEY,
    SOURCE_COUNT
};

struct mapping_condition {
    uint8_t word;                           /* enum mapping_condition_word */
    uint8_t operands[MAPPING_OPERANDS_MAX]; /* numbers of arguments, or MAPPING_NO_OPERAND */
};

struct mapping_attribute {
    uint8_t name;                           /* enum attribute_name */
    uint8_t source;                         /* enum mapping_source_word */
    uint8_t operands[MAPPING_OPERANDS_MAX]; /* numbers of arguments, or MAPPING_NO_OPERAND; the
                                               first is SOURCE_LITERAL's, of catalogue_literal() */
};

struct mapping_rule {
    uint8_t operation_class; /* enum operation_class */
    uint8_t condition_count;
    uint8_t attribute_count;
    struct mapping_condition conditions[MAPPING_CONDITIONS_MAX]; /* all must hold */
    struct mapping_attribute
        attributes[MAPPING_ATTRIBUTES_MAX]; /* in order of enum attribute_name */
};

/* The rules of an event, none for one that is no operation. NULL, and a count of 0, for a number
 * that is not in the catalogue. */
const struct mapping_rule *catalogue_rules(uint16_t number, size_t *count);

/* The text of an attribute whose source is SOURCE_LITERAL. */
const char *catalogue_literal(const struct mapping_attribute *attribute);

#endif
