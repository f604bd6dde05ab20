/* A session's number, as those who ask about it write it. */
#ifndef WARDER_DAEMON_ADMIN_SESSION_NUMBER_H
#define WARDER_DAEMON_ADMIN_SESSION_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/message.h"

/* Digits in hexadecimal and nothing else; 0, which is no session's, where there are none. False if
 * it is no such number. */
bool session_number_read(const ProtobufCBinaryData *text, uint64_t *session);

#endif
