/* A session that asks, over a real socket: its answers, its records, and that nothing is allocated
 * for either once it is warm. This program counts what the thread of the loop allocates: its own
 * malloc and its kin stand before libc's, for the libraries too. */
#include "daemon/session/decision.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/session/connection.h"
#include "daemon/session/server.h"
#include "daemon/session/session.h"
#include "policies/engine/vocabulary.h"
#include "policies/language/diagnostics.h"
#include "proto/message_socket.h"
#include "temporary_directory.h"
#include "unit_test.h"

/* ---------------------------------------------------------------------------------------- counting
 */

/* glibc's own names. NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static _Thread_local bool counting;
static _Thread_local unsigned allocations;

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
__attribute__((visibility("default"))) void *malloc(size_t size)
{
    allocations += counting;
    return __libc_malloc(size);
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t size)
{
    allocations += counting;
    return __libc_calloc(count, size);
}

__attribute__((visibility("default"))) void *realloc(void *memory, size_t size)
{
    allocations += counting;
    return __libc_realloc(memory, size);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

/* ------------------------------------------------------------------------------------ slow sending
 */

static unsigned sending_takes; /* microseconds */

/* The linker's names. NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
int __real_packet_send(int socket, const void *header, const void *body, size_t length,
                       const int *descriptors, int descriptor_count);
int __wrap_packet_send(int socket, const void *header, const void *body, size_t length,
                       const int *descriptors, int descriptor_count);

int __wrap_packet_send(int socket, const void *header, const void *body, size_t length,
                       const int *descriptors, int descriptor_count)
{
    if (sending_takes > 0)
        usleep(sending_takes);
    return __real_packet_send(socket, header, body, length, descriptors, descriptor_count);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

/* ----------------------------------------------------------------------------------------- fixture
 */

static const char policy[] = "policy p { applies { platform is \"linux\" } default allow all\n"
                             "deny read where path under \"/denied\" as no message \"Not that\" }";

struct fixture {
    uv_loop_t loop;
    struct configuration configuration;
    struct server server;
    struct connection *connection;
    struct session *session;
    int end;
    uint64_t sequence;
    unsigned char body[4096]; /* of what was asked last */
    size_t length;
};

static void open_server(struct fixture *fixture, void **state, unsigned loops)
{
    struct stored_policies stored = {.policies = calloc(1, sizeof(*stored.policies)), .count = 1};
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    char error[512] = "";
    const struct audit_log_options options = {.directory = *state, .queue_megabytes_per_user = 32};
    struct server *server = &fixture->server;

    memset(fixture, 0, sizeof(*fixture));
    stored.policies[0] = (struct stored_policy){
        .name = strdup("p"), .tier = TIER_LOCAL, .text = strdup(policy), .who = strdup("root")};
    assert_int_equal(uv_loop_init(&fixture->loop), 0);
    configuration_defaults(&fixture->configuration);
    fixture->configuration.record_all = true;
    fixture->configuration.loop_threads = loops;
    server->loop = &fixture->loop;
    server->configuration = &fixture->configuration;
    server->generation = generation_new(&stored, diagnostics);
    server->audit = audit_log_start(&options, error, sizeof(error));
    assert_non_null(server->generation);
    assert_non_null(server->audit);
    assert_true(server_init(server));
}

static void begin_session(struct fixture *fixture)
{
    struct server *server = &fixture->server;
    struct user_account *account = user_account_of(&server->accounts, getuid());
    const struct connection_options options = {.state = STATE_CHILD, .account = account};
    const unsigned char key[SIPHASH_KEY_SIZE] = "sixteen bytes!!";
    const struct wish_list wishes = {.count = 0};
    struct session_facts facts = {.identity = {.pidfd = -1}};
    struct session_refusal refusal;
    int sockets[2];

    assert_true(identity_of_sender(getpid(), getuid(), getgid(), &facts.identity));
    assert_true(identity_learn(&facts.identity, NULL, &facts.known));
    struct session_plan plan = {
        .number = 1, .key = key, .facts = &facts, .wishes = &wishes, .bytes = 100};
    fixture->session = session_new(server, &plan, &refusal);
    if (!fixture->session)
        fail_msg("%s", refusal.text);
    assert_int_equal(packet_socket_pair(sockets), 0);
    assert_true(user_account_charge(&server->accounts, account, CHARGE_CONNECTION, 1));
    fixture->connection = connection_new(server, sockets[0], &options);
    fixture->end = sockets[1];
    fixture->connection->number = 7;
    session_add_connection(fixture->session, fixture->connection);
}

static int make_with(void **state, unsigned loops)
{
    struct fixture *fixture = malloc(sizeof(*fixture));
    if (temporary_directory_make(state) != 0)
        return -1;
    open_server(fixture, state, loops);
    begin_session(fixture);
    void **both = malloc(2 * sizeof(*both));
    both[0] = *state;
    both[1] = fixture;
    *state = both;
    return 0;
}

static int make(void **state)
{
    return make_with(state, 1);
}

/* The session stays with the first of them, of which there are the fewest connections. */
static int make_with_loops(void **state)
{
    return make_with(state, 2);
}

static struct fixture *fixture_of(void *const *state)
{
    return ((void **)*state)[1];
}

static void close_server(struct fixture *fixture)
{
    char error[512];

    close(fixture->end);
    loops_enter(&fixture->server);
    server_stop(&fixture->server);
    loops_leave(&fixture->server);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    loops_join(&fixture->server);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_true(audit_log_stop(fixture->server.audit, error, sizeof(error)));
    server_deinit(&fixture->server);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
}

static int unmake(void **state)
{
    void **both = *state;
    void *directory = both[0];

    free(both[1]);
    free(both);
    *state = directory;
    return temporary_directory_remove(state);
}

/* ------------------------------------------------------------------------------------ the client's
 */

static void send_message(struct fixture *fixture, const Warder__V1__ClientMessage *message)
{
    unsigned char packet[PACKET_HEADER_SIZE + sizeof(fixture->body)];
    struct packet_header header = {.sequence = ++fixture->sequence};
    const struct packet_context context = {
        .key = fixture->session->key, .direction = TO_DAEMON, .connection = 7};

    fixture->length = warder__v1__client_message__pack(message, fixture->body);
    packet_tag(&context, &header, fixture->body, fixture->length, header.tag);
    packet_header_write(packet, &header);
    memcpy(packet + PACKET_HEADER_SIZE, fixture->body, fixture->length);
    assert_int_equal(send(fixture->end, packet, PACKET_HEADER_SIZE + fixture->length, 0),
                     PACKET_HEADER_SIZE + fixture->length);
}

static void ask(struct fixture *fixture, const char *path, uint64_t continues)
{
    Warder__V1__Value text = WARDER__V1__VALUE__INIT;
    Warder__V1__Value *texts[] = {&text};
    Warder__V1__Attribute attribute = WARDER__V1__ATTRIBUTE__INIT;
    Warder__V1__Attribute *attributes[] = {&attribute};
    Warder__V1__Operation operation = WARDER__V1__OPERATION__INIT;
    Warder__V1__Operation *operations[] = {&operation};
    Warder__V1__Event event = WARDER__V1__EVENT__INIT;
    Warder__V1__Ask asked = WARDER__V1__ASK__INIT;
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;

    text.kind = WARDER__V1__VALUE_KIND__VALUE_KIND_TEXT;
    text.bytes = text_field(path);
    attribute.name = ATTRIBUTE_PATH;
    attribute.n_value = 1;
    attribute.value = texts;
    attribute.resolved = text_field(path);
    attribute.resolved_known = true;
    operation.operation_class = WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_READ;
    operation.n_attributes = 1;
    operation.attributes = attributes;
    event.name = text_field("open");
    event.argument_count = 1;
    event.n_arguments = 1;
    event.arguments = texts;
    event.n_operations = 1;
    event.operations = operations;
    asked.event = &event;
    asked.continues = continues;
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_ASK;
    message.ask = &asked;
    send_message(fixture, &message);
}

static void say_where(struct fixture *fixture, uint64_t decision, uint32_t line)
{
    Warder__V1__Denied denied = WARDER__V1__DENIED__INIT;
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;

    denied.decision = decision;
    denied.file = text_field("/home/somebody/program.py");
    denied.line = line;
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_DENIED;
    message.denied = &denied;
    send_message(fixture, &message);
}

/* Lets the daemon do what there is to do, with the allocations of its thread counted. */
static void turn(struct fixture *fixture)
{
    counting = true;
    uv_run(&fixture->loop, UV_RUN_NOWAIT);
    counting = false;
}

/* Each may take more than one turn. */
static ssize_t answer(struct fixture *fixture, unsigned char *packet, size_t size)
{
    for (int i = 0; i < 1000; i++) {
        turn(fixture);
        const ssize_t length = recv(fixture->end, packet, size, MSG_DONTWAIT);
        if (length > 0)
            return length;
    }
    fail_msg("no answer came");
    return -1;
}

static Warder__V1__Outcome verdict(struct fixture *fixture, uint64_t *decision)
{
    unsigned char packet[8192];
    unsigned char memory[16384];
    struct arena arena;
    const ssize_t length = answer(fixture, packet, sizeof(packet));

    arena_init(&arena, memory, sizeof(memory));
    const Warder__V1__DaemonMessage *message = daemon_message_decode(
        &arena, packet + PACKET_HEADER_SIZE, (size_t)length - PACKET_HEADER_SIZE);
    assert_non_null(message);
    assert_int_equal(message->body_case, WARDER__V1__DAEMON_MESSAGE__BODY_VERDICT);
    *decision = message->verdict->decision;
    return message->verdict->outcome;
}

static int64_t number(void **state, const char *sql)
{
    sqlite3 *database;
    sqlite3_stmt *statement;
    void *directory = ((void **)*state)[0];

    assert_int_equal(sqlite3_open(temporary_path(&directory, "audit.db"), &database), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    const int64_t result = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return result;
}

/* ------------------------------------------------------------------------------------------- tests
 */

enum { WARM_UP = 600, TIMES = 2000 };

static void allowed_decisions_allocate_nothing(void **state)
{
    struct fixture *fixture = fixture_of(state);
    char path[64];
    uint64_t decision;

    for (int i = 0; i < WARM_UP + TIMES; i++) {
        if (i == WARM_UP)
            allocations = 0;
        snprintf(path, sizeof(path), "/allowed/%d", i);
        ask(fixture, path, 0);
        assert_int_equal(verdict(fixture, &decision), WARDER__V1__OUTCOME__OUTCOME_ALLOW);
    }
    assert_int_equal(allocations, 0);
    close_server(fixture);
    assert_int_equal(number(state, "SELECT count(DISTINCT packed) FROM records"
                                   " WHERE verdict = 'allow' AND event = 'open'"),
                     WARM_UP + TIMES);
}

static void denials_with_their_lines_allocate_nothing(void **state)
{
    struct fixture *fixture = fixture_of(state);
    char path[64];
    uint64_t decision;

    allocations = 0;
    for (int i = 0; i < WARM_UP + TIMES; i++) {
        if (i == WARM_UP) {
            assert_true(allocations > 0); /* it is counted */
            allocations = 0;
        }
        snprintf(path, sizeof(path), "/denied/%d", i);
        ask(fixture, path, 0);
        assert_int_equal(verdict(fixture, &decision), WARDER__V1__OUTCOME__OUTCOME_DENY);
        say_where(fixture, decision, (uint32_t)i + 1);
        turn(fixture);
    }
    assert_int_equal(allocations, 0);
    close_server(fixture);
    assert_int_equal(number(state, "SELECT count(DISTINCT line) FROM records WHERE"
                                   " verdict = 'deny' AND message = 'Not that'"),
                     WARM_UP + TIMES);
    assert_int_equal(number(state, "SELECT sum(count) FROM records WHERE verdict = 'deny'"),
                     WARM_UP + TIMES);
}

static void line_longer_than_what_is_kept_is_recorded_all_the_same(void **state)
{
    struct fixture *fixture = fixture_of(state);
    char *path = malloc(3000);
    uint64_t decision;

    memset(path, 'x', 2999);
    memcpy(path, "/denied/", 8);
    path[2999] = '\0';
    path[1000] = '\0'; /* three times in its event: an item that nearly fills what is kept */
    ask(fixture, path, 0);
    assert_int_equal(verdict(fixture, &decision), WARDER__V1__OUTCOME__OUTCOME_DENY);
    Warder__V1__Denied denied = WARDER__V1__DENIED__INIT;
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    denied.decision = decision;
    denied.file = text_field(path);
    denied.line = 12;
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_DENIED;
    message.denied = &denied;
    send_message(fixture, &message);
    for (int i = 0; i < 100; i++) /* on a busy machine it is not this connection's turn at once */
        turn(fixture);
    close_server(fixture);
    free(path);
    assert_int_equal(number(state, "SELECT length(file) FROM records WHERE line = 12"), 1000);
}

/* With several loops it goes out once they may do something else. */
static void time_that_an_answer_takes_is_its_user_s(void **state)
{
    struct fixture *fixture = fixture_of(state);
    const struct turn_share *share = &fixture->connection->account->turns[0];
    uint64_t decision;

    ask(fixture, "/allowed", 0);
    assert_int_equal(verdict(fixture, &decision), WARDER__V1__OUTCOME__OUTCOME_ALLOW);
    sending_takes = 10 * TURN_NANOSECONDS / 1000;
    ask(fixture, "/allowed", 0);
    assert_int_equal(verdict(fixture, &decision), WARDER__V1__OUTCOME__OUTCOME_ALLOW);
    sending_takes = 0;
    assert_true(share->left < -9 * TURN_NANOSECONDS + 1);
    close_server(fixture);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)
#define TEST_WITH_LOOPS(name) cmocka_unit_test_setup_teardown(name, make_with_loops, unmake)
    const struct CMUnitTest tests[] = {
        TEST(allowed_decisions_allocate_nothing),
        TEST(denials_with_their_lines_allocate_nothing),
        TEST(line_longer_than_what_is_kept_is_recorded_all_the_same),
        TEST(time_that_an_answer_takes_is_its_user_s),
        TEST_WITH_LOOPS(allowed_decisions_allocate_nothing),
        TEST_WITH_LOOPS(denials_with_their_lines_allocate_nothing),
        TEST_WITH_LOOPS(time_that_an_answer_takes_is_its_user_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
