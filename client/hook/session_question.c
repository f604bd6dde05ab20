#define _GNU_SOURCE
#include "client/hook/session_question.h"

#include <string.h>

#include "client/hook/session_hello.h"
#include "policies/engine/event_text.h"
#include "proto/event_bytes.h"
#include "proto/event_wire.h"

static void copy_field(char *out, size_t size, const ProtobufCBinaryData *field)
{
    printable_text((const char *)field->data, field->len, out, size);
}

/* Names of variables, each terminated; one that does not fit does not pass. */
static void take_environment(const Warder__V1__Verdict *verdict, struct answer *answer)
{
    size_t used = 0;

    for (size_t i = 0; i < verdict->n_environment; i++) {
        const ProtobufCBinaryData *name = &verdict->environment[i];
        if (name->len == 0 || name->len + 2 > sizeof(answer->environment) - used ||
            memchr(name->data, '\0', name->len))
            continue;
        memcpy(answer->environment + used, name->data, name->len);
        answer->environment[used + name->len] = '\0';
        used += name->len + 1;
        answer->environment[used] = '\0';
    }
}

static void take_verdict(const Warder__V1__Verdict *verdict, struct answer *answer)
{
    answer->decision = verdict->decision;
    if (verdict->outcome == WARDER__V1__OUTCOME__OUTCOME_ALLOW) {
        answer->only_exec = verdict->only_exec;
        answer->place_wanted = verdict->place_wanted;
        take_environment(verdict, answer);
        answer->outcome = verdict->outcome;
        return;
    }
    if (verdict->outcome == WARDER__V1__OUTCOME__OUTCOME_KILL)
        answer->outcome = verdict->outcome;
    copy_field(answer->operation, sizeof(answer->operation), &verdict->operation);
    copy_field(answer->policy, sizeof(answer->policy), &verdict->policy);
    copy_field(answer->rule, sizeof(answer->rule), &verdict->rule);
    copy_field(answer->message, sizeof(answer->message), &verdict->message);
    copy_field(answer->decision_id, sizeof(answer->decision_id), &verdict->decision_id);
    copy_field(answer->text, sizeof(answer->text), &verdict->text);
}

/* Asks, with the event as a message for protobuf-c to pack: where it is too large for a packet. */
static enum exchange_result exchange_message(struct daemon_connection *connection,
                                             const struct exchange *exchange,
                                             const struct event *event, uint64_t continues,
                                             const Warder__V1__DaemonMessage **reply)
{
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__Ask ask = WARDER__V1__ASK__INIT;
    Warder__V1__Event wire;

    arena_reset(&exchange->memory->arena);
    if (!event_to_wire(event, &exchange->memory->arena, &wire))
        return EXCHANGE_TOO_LARGE;
    ask.event = &wire;
    ask.continues = continues;
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_ASK;
    message.ask = &ask;
    return daemon_connection_exchange(connection, exchange, &message, reply, NULL);
}

enum exchange_result session_question_exchange(struct daemon_connection *connection,
                                               const struct exchange *exchange,
                                               const struct event *event, uint64_t continues,
                                               struct question_reply *reply)
{
    unsigned char *end = exchange->memory->packet + PACKET_SIZE_MAX;
    struct packed_body answer;

    reply->plain = false;
    unsigned char *body =
        ask_bytes_write(event, continues, exchange->memory->packet + PACKET_HEADER_SIZE, end);
    if (!body)
        return exchange_message(connection, exchange, event, continues, &reply->message);
    const struct packed_body ask = {.bytes = body, .length = (size_t)(end - body)};
    const enum exchange_result result =
        daemon_connection_exchange_packed(connection, exchange, &ask, &answer);
    if (result != EXCHANGE_DONE)
        return result;
    reply->plain = verdict_bytes_read(answer.bytes, answer.length, &reply->verdict);
    if (reply->plain)
        return EXCHANGE_DONE;
    arena_reset(&exchange->memory->arena);
    reply->message = daemon_message_decode(&exchange->memory->arena, answer.bytes, answer.length);
    return reply->message ? EXCHANGE_DONE : EXCHANGE_FORGED;
}

bool session_question_take(const struct question_reply *reply, uint64_t epoch,
                           struct answer *answer)
{
    const Warder__V1__DaemonMessage *message = reply->plain ? NULL : reply->message;

    if (message && message->body_case != WARDER__V1__DAEMON_MESSAGE__BODY_VERDICT)
        return false;
    const struct session_guard guard =
        message ? (struct session_guard){message->verdict->guarded, message->verdict->held,
                                         message->verdict->flat}
                : (struct session_guard){reply->verdict.guarded, reply->verdict.held,
                                         reply->verdict.flat};
    session_take_guard(&guard, epoch);
    if (message) {
        take_verdict(message->verdict, answer);
        return true;
    }
    answer->decision = reply->verdict.decision;
    answer->only_exec = reply->verdict.only_exec;
    answer->outcome = WARDER__V1__OUTCOME__OUTCOME_ALLOW;
    return true;
}
