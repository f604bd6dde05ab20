/* What events that only Windows raises say: handles opened, programs started, registry keys.
 *
 * Internal to the mapping (event_mapper.h says what a source returns). Text and numbers alone: what
 * a path leads to is asked of the resolver, as everywhere. */
#ifndef WARDER_POLICIES_ENGINE_WINDOWS_OPERATION_H
#define WARDER_POLICIES_ENGINE_WINDOWS_OPERATION_H

#include "policies/engine/event_mapper.h"

/* Sources (mapping.h). */
bool source_process_program(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_started_program(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_joined_arguments(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_created_file(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_pipe_name(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_computer(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_key(struct mapper *mapper, const uint8_t *operands, struct attribute *out);

/* Conditions (mapping.h). */
enum truth file_is_read(const struct mapper *mapper, const uint8_t *operands);
enum truth file_is_written(const struct mapper *mapper, const uint8_t *operands);
enum truth file_is_pipe(const struct mapper *mapper, const uint8_t *operands);
enum truth key_is_read(const struct value *access);
enum truth key_is_written(const struct value *access);

#endif
