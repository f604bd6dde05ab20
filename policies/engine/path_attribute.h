/* Attributes that are paths: the two forms of one, from text, from a descriptor, from neither.
 *
 * Internal to the mapping (event_mapper.h says what a source returns). */
#ifndef WARDER_POLICIES_ENGINE_PATH_ATTRIBUTE_H
#define WARDER_POLICIES_ENGINE_PATH_ATTRIBUTE_H

#include "policies/engine/event_mapper.h"

enum last_component {
    LAST_FOLLOWED,
    LAST_KEPT, /* remove, rename, rmdir, link, symlink, a socket's file */
};

/* Fills in both forms of `text` against `directory`: an absolute path that need not be normalised,
 * NULL if it is not known. `given` is set where the path reads otherwise than the text. What cannot
 * be a path is unknown; an empty text is known, and names nothing. */
void path_attribute_from_text(struct mapper *mapper, const char *directory, const char *text,
                              size_t length, enum last_component last, struct attribute *out);

/* Fills in an attribute that exists and is not known; `written` is what a person is shown. */
void path_attribute_unknown(const struct value *written, struct attribute *out);

/* Fills in a text that is both forms as it stands: a label, a name that led nowhere. */
void path_attribute_verbatim(const struct value *text, struct attribute *out);

/* The directory that a path would be relative to: the absolute path `directory` names when it is
 * itself taken from the caller's directory; not normalised. NULL if that is not known. */
const char *path_below_caller(struct mapper *mapper, const struct value *directory);

/* `directory`, a separator, `name`: terminated, in the arena, not normalised. An absolute name
 * stands alone. NULL if there is no directory where one is needed, or the name holds a NUL. */
const char *path_join(struct mapper *mapper, const char *directory, const char *name,
                      size_t length);

enum {
    OPENED_BASES_MAX = EVENT_OPERATIONS_MAX / 2, /* each can be a read and a write */
};

/* An event with no mode is os.open's, and what its dir_fd was it does not say: a relative path is
 * below the caller's directory or below some directory that the process has open. Fills in each of
 * them once; how many. 1 and NULL if it is not known, or the path needs none. */
uint32_t path_opened_bases(struct mapper *mapper, const uint8_t *operands,
                           const char *bases[OPENED_BASES_MAX]);

/* Sources (mapping.h). */
bool source_path(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_entry(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_path_or_directory(struct mapper *mapper, const uint8_t *operands,
                              struct attribute *out);
bool source_opened(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_database(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_library(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_library_with_suffix(struct mapper *mapper, const uint8_t *operands,
                                struct attribute *out);
bool source_opened_library(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_library_name(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_said_file(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_code_file(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_caller_directory(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_directory(struct mapper *mapper, const uint8_t *operands, struct attribute *out);

/* Conditions (mapping.h). */
enum truth path_is_on_file(struct mapper *mapper, const struct value *path);
enum truth database_is_on_disk(const struct value *database);
enum truth path_is_linked(struct mapper *mapper, const uint8_t *operands);
enum truth library_is_unsuffixed(const struct value *library);

#endif
