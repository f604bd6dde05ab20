/* Attributes of `exec`: which file a call will start, with what arguments and environment, and
 * whether that is a shell reading a command line.
 *
 * Internal to the mapping (event_mapper.h says what a source returns). Which file is found the way
 * the call will find it: subprocess along PATH of the child's environment and from the child's
 * directory, os.exec from the caller's, posix_spawn either way. A name that is found nowhere stays
 * as the caller gave it, for there is nothing that would be started. */
#ifndef WARDER_POLICIES_ENGINE_EXEC_OPERATION_H
#define WARDER_POLICIES_ENGINE_EXEC_OPERATION_H

#include "policies/engine/event_mapper.h"

/* Sources (mapping.h). */
bool source_popen_program(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_spawned_program(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_searched_program(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_listed_program(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_system_shell(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_arguments(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_system_arguments(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_environment(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_process_environment(struct mapper *mapper, const uint8_t *operands,
                                struct attribute *out);
bool source_is_shell(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_opened_program(struct mapper *mapper, const uint8_t *operands, struct attribute *out);

#endif
