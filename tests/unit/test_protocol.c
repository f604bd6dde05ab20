/* The table of states and messages, over a real socket. */
#include "daemon/session/protocol.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/session/connection.h"
#include "daemon/session/server.h"
#include "policies/language/diagnostics.h"
#include "proto/message_socket.h"
#include "temporary_directory.h"
#include "unit_test.h"

#define BODY(name) WARDER__V1__CLIENT_MESSAGE__BODY_##name

static const struct {
    enum connection_state state;
    unsigned allowed; /* bits by body */
} table[] = {
    {STATE_NEW, 1U << BODY(HELLO) | 1U << BODY(RESUME) | 1U << BODY(LAUNCH)},
    {STATE_DOOR, 1U << BODY(OPEN)},
    {STATE_OPENED, 1U << BODY(HELLO)},
    {STATE_CHILD, 1U << BODY(HELLO)},
    {STATE_WAITING, 0},
    {STATE_LAUNCHER, 0},
    {STATE_CONTROL, 1U << BODY(LAUNCH) | 1U << BODY(ADMIN)},
    {STATE_ADMIN, 1U << BODY(ADMIN)},
};

struct fixture {
    uv_loop_t loop;
    struct configuration configuration;
    struct server server;
    int administered;
};

static void administer(void *context, struct connection *connection,
                       const struct incoming *incoming)
{
    struct fixture *fixture = context;
    (void)connection;
    (void)incoming;
    fixture->administered++;
}

static void open_server(struct fixture *fixture, void **state)
{
    struct stored_policies none = {.count = 0};
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    char error[512] = "";
    const struct audit_log_options options = {.directory = *state, .queue_megabytes_per_user = 1};

    memset(fixture, 0, sizeof(*fixture));
    assert_int_equal(uv_loop_init(&fixture->loop), 0);
    configuration_defaults(&fixture->configuration);
    struct server *server = &fixture->server;
    server->loop = &fixture->loop;
    server->configuration = &fixture->configuration;
    server->generation = generation_new(&none, diagnostics);
    server->audit = audit_log_start(&options, error, sizeof(error));
    server->administer = administer;
    server->administration = fixture;
    assert_non_null(server->generation);
    assert_non_null(server->audit);
    assert_true(server_init(server));
}

static void close_server(struct fixture *fixture)
{
    char error[512];

    server_stop(&fixture->server);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_true(audit_log_stop(fixture->server.audit, error, sizeof(error)));
    server_deinit(&fixture->server);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
}

/* A connection in a state, and our end of it. */
static struct connection *connect_in(struct fixture *fixture, enum connection_state state, int *end)
{
    struct user_account *account = user_account_of(&fixture->server.accounts, getuid());
    const struct connection_options options = {.state = state, .account = account, .pid = getpid()};
    int sockets[2];

    assert_int_equal(packet_socket_pair(sockets), 0);
    assert_true(user_account_charge(&fixture->server.accounts, account, CHARGE_CONNECTION, 1));
    struct connection *connection = connection_new(&fixture->server, sockets[0], &options);
    assert_non_null(connection);
    *end = sockets[1];
    return connection_hold(connection);
}

static void say(int end, int body)
{
    static unsigned char packet[PACKET_SIZE_MAX];
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__Open any = WARDER__V1__OPEN__INIT; /* every body may be empty */
    struct packet_header sent;
    const struct message_sender sender = {.socket = end, .sequence = 1, .packet = packet};
    union {
        Warder__V1__Hello hello;
        Warder__V1__Resume resume;
        Warder__V1__Launch launch;
        Warder__V1__Ask ask;
        Warder__V1__Denied denied;
        Warder__V1__Records records;
        Warder__V1__AdminRequest admin;
    } empty;

    message.body_case = (Warder__V1__ClientMessage__BodyCase)body;
    switch (body) {
    case BODY(HELLO):
        warder__v1__hello__init(message.hello = &empty.hello);
        break;
    case BODY(RESUME):
        warder__v1__resume__init(message.resume = &empty.resume);
        break;
    case BODY(LAUNCH):
        warder__v1__launch__init(message.launch = &empty.launch);
        break;
    case BODY(ASK):
        warder__v1__ask__init(message.ask = &empty.ask);
        break;
    case BODY(DENIED):
        warder__v1__denied__init(message.denied = &empty.denied);
        break;
    case BODY(RECORDS):
        warder__v1__records__init(message.records = &empty.records);
        break;
    case BODY(ADMIN):
        warder__v1__admin_request__init(message.admin = &empty.admin);
        break;
    default:
        message.open = &any;
        break;
    }
    assert_int_equal(message_send(&sender, &message.base, &sent), 0);
}

static void what_is_not_in_the_table_closes_the_connection(void **state)
{
    struct fixture fixture;

    open_server(&fixture, state);
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        for (int body = BODY(HELLO); body <= BODY(ADMIN); body++) {
            int end;
            if (table[i].allowed >> body & 1)
                continue;
            const uint64_t before = fixture.server.statistics.refused_messages;
            struct connection *connection = connect_in(&fixture, table[i].state, &end);
            say(end, body);
            /* Whose time of one turn is used up waits for another. */
            for (int turn = 0; turn < 100 && connection->state != STATE_CLOSED; turn++)
                uv_run(&fixture.loop, UV_RUN_NOWAIT);
            assert_int_equal(connection->state, STATE_CLOSED);
            assert_int_equal(fixture.server.statistics.refused_messages, before + 1);
            connection_release(connection);
            close(end);
        }
    }
    assert_int_equal(fixture.administered, 0);
    close_server(&fixture);
}

static void requests_of_administration_come_from_its_socket_and_from_an_owner(void **state)
{
    const enum connection_state states[] = {STATE_ADMIN, STATE_CONTROL};
    struct fixture fixture;

    open_server(&fixture, state);
    for (int i = 0; i < 2; i++) {
        int end;
        struct connection *connection = connect_in(&fixture, states[i], &end);
        say(end, BODY(ADMIN));
        uv_run(&fixture.loop, UV_RUN_NOWAIT);
        assert_int_equal(fixture.administered, i + 1);
        assert_int_equal(connection->state, states[i]);
        connection_release(connection);
        close(end);
    }
    close_server(&fixture);
}

static void closing_gives_everything_back(void **state)
{
    struct fixture fixture;
    int end;

    open_server(&fixture, state);
    struct connection *connection = connect_in(&fixture, STATE_NEW, &end);
    const struct user_account *account = connection->account;
    assert_true(connection_expect_hello(connection));
    assert_int_equal(account->held[CHARGE_CONNECTION], 1);
    assert_int_equal(account->held[CHARGE_UNFINISHED], 1);
    close(end);
    uv_run(&fixture.loop, UV_RUN_NOWAIT);
    assert_int_equal(connection->state, STATE_CLOSED);
    assert_int_equal(account->held[CHARGE_CONNECTION], 0);
    assert_int_equal(account->held[CHARGE_UNFINISHED], 0);
    assert_int_equal(fixture.server.accounts.descriptors_held, 0);
    connection_release(connection);
    close_server(&fixture);
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, temporary_directory_make, temporary_directory_remove)
    const struct CMUnitTest tests[] = {
        TEST(what_is_not_in_the_table_closes_the_connection),
        TEST(requests_of_administration_come_from_its_socket_and_from_an_owner),
        TEST(closing_gives_everything_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
