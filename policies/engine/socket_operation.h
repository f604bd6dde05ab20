/* Attributes of `socket`, `connect`, `bind` and `resolve`: what an address means to the socket that
 * it is given to.
 *
 * Internal to the mapping (event_mapper.h says what a source returns). An address is read by the
 * socket's family, which is not among the arguments: the resolver reads it from the socket. Where
 * that fails, everything but the family of no address is unknown. */
#ifndef WARDER_POLICIES_ENGINE_SOCKET_OPERATION_H
#define WARDER_POLICIES_ENGINE_SOCKET_OPERATION_H

#include "policies/engine/event_mapper.h"

/* Sources (mapping.h). */
bool source_family_name(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_kind_name(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_protocol(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_family(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_address(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_peer(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_port(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_host(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_socket_path(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_socket_entry(struct mapper *mapper, const uint8_t *operands, struct attribute *out);
bool source_log_socket(struct mapper *mapper, const uint8_t *operands, struct attribute *out);

/* Conditions (mapping.h). */
enum truth host_is_looked_up(const struct value *host);
enum truth address_is_looked_up(const struct mapper *mapper, uint8_t socket,
                                const struct value *address);
enum truth log_is_opened(const struct value *option);
enum truth address_is_unix_path(const struct mapper *mapper, uint8_t socket,
                                const struct value *address);

#endif
