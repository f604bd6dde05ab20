/* Several loops, in threads of their own; the test's thread is the first one's. */
#include "daemon/session/loops.h"

#include <dirent.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/session/connection.h"
#include "daemon/session/server.h"
#include "policies/language/diagnostics.h"
#include "proto/message_socket.h"
#include "temporary_directory.h"
#include "unit_test.h"

enum {
    LOOPS = 3,
    PATIENCE_SECONDS = 60,
    MANY = 40,
};

struct fixture {
    uv_loop_t loop;
    uv_async_t alive; /* as a daemon's listeners keep it */
    struct configuration configuration;
    struct server server;
    atomic_int administered;
    atomic_uint administered_by; /* index of the loop */
};

static void administer(void *context, struct connection *connection,
                       const struct incoming *incoming)
{
    struct fixture *fixture = context;

    (void)incoming;
    assert_ptr_equal(connection->loop, loops_here(&fixture->server));
    atomic_store(&fixture->administered_by, connection->loop->index);
    atomic_fetch_add(&fixture->administered, 1);
}

static void open_server(struct fixture *fixture, void **state, unsigned loops)
{
    struct stored_policies none = {.count = 0};
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    char error[512] = "";
    const struct audit_log_options options = {.directory = *state, .queue_megabytes_per_user = 1};

    memset(fixture, 0, sizeof(*fixture));
    assert_int_equal(uv_loop_init(&fixture->loop), 0);
    assert_int_equal(uv_async_init(&fixture->loop, &fixture->alive, NULL), 0);
    configuration_defaults(&fixture->configuration);
    fixture->configuration.loop_threads = loops;
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

static void start_server(struct fixture *fixture, void **state)
{
    open_server(fixture, state, LOOPS);
    assert_int_equal(loops_start(&fixture->server), 0);
}

static void stop_server(struct fixture *fixture)
{
    struct server *server = &fixture->server;

    loops_enter(server);
    server_stop(server);
    loops_leave(server);
    uv_close((uv_handle_t *)&fixture->alive, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    loops_join(server);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
}

static void deinit_server(struct fixture *fixture)
{
    char error[512];

    assert_true(audit_log_stop(fixture->server.audit, error, sizeof(error)));
    server_deinit(&fixture->server);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
}

static void close_server(struct fixture *fixture)
{
    stop_server(fixture);
    deinit_server(fixture);
}

/* A connection that the first loop has, and our end of it, which waits for no longer than that. */
static struct connection *connect_one(struct fixture *fixture, int *end)
{
    struct server *server = &fixture->server;
    const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    int sockets[2];

    loops_enter(server);
    struct user_account *account = user_account_of(&server->accounts, getuid());
    const struct connection_options options = {
        .state = STATE_ADMIN, .account = account, .pid = getpid()};
    assert_int_equal(packet_socket_pair(sockets), 0);
    assert_true(user_account_charge(&server->accounts, account, CHARGE_CONNECTION, 1));
    struct connection *connection = connection_new(server, sockets[0], &options);
    assert_non_null(connection);
    connection_hold(connection);
    loops_leave(server);
    *end = sockets[1];
    assert_int_equal(setsockopt(*end, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    return connection;
}

static void let_go_of(struct fixture *fixture, struct connection *connection, int end)
{
    loops_enter(&fixture->server);
    connection_release(connection);
    loops_leave(&fixture->server);
    close(end);
}

/* Has it go to another loop than the first, by `index`. */
static void settle_on(struct fixture *fixture, struct connection *connection, unsigned index)
{
    struct loops *loops = &fixture->server.loops;

    loops_enter(&fixture->server);
    for (unsigned i = 0; i < LOOPS; i++)
        loops->items[i].connections += i == index ? 0 : 1000;
    connection_settle(connection);
    for (unsigned i = 0; i < LOOPS; i++)
        loops->items[i].connections -= i == index ? 0 : 1000;
    loops_leave(&fixture->server);
}

static void say(int end, uint64_t sequence)
{
    static unsigned char packet[PACKET_SIZE_MAX];
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__AdminRequest any = WARDER__V1__ADMIN_REQUEST__INIT;
    struct packet_header sent;
    const struct message_sender sender = {.socket = end, .sequence = sequence, .packet = packet};

    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_ADMIN;
    message.admin = &any;
    assert_int_equal(message_send(&sender, &message.base, &sent), 0);
}

/* The first loop runs meanwhile. */
static void wait_for(struct fixture *fixture, const atomic_int *value, int wanted)
{
    const uint64_t until = uv_hrtime() + PATIENCE_SECONDS * UINT64_C(1000000000);

    while (atomic_load(value) < wanted && uv_hrtime() < until) {
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    assert_int_equal(atomic_load(value), wanted);
}

static void assert_ended(int end)
{
    char byte;
    const ssize_t got = recv(end, &byte, 1, 0);

    assert_true(got == 0 || (got < 0 && errno == ECONNRESET)); /* with what it said unread */
}

/* ------------------------------------------------------------------------------------------ tasks
 */

struct noted_task {
    struct loop_task task; /* first */
    struct fixture *fixture;
    unsigned ran_on;
    int order;
};

static atomic_int ran;

static void note(struct loop_task *task)
{
    struct noted_task *noted = (struct noted_task *)task;

    noted->ran_on = loops_here(&noted->fixture->server)->index;
    noted->order = atomic_fetch_add(&ran, 1);
}

static void task_is_run_once_on_the_thread_of_its_loop(void **state)
{
    struct fixture fixture;
    struct noted_task tasks[LOOPS];

    start_server(&fixture, state);
    atomic_store(&ran, 0);
    loops_enter(&fixture.server);
    for (unsigned i = 0; i < LOOPS; i++) {
        tasks[i] = (struct noted_task){.task = {.run = note}, .fixture = &fixture, .ran_on = 99};
        assert_true(loops_post(&fixture.server.loops.items[i], &tasks[i].task));
        assert_false(loops_post(&fixture.server.loops.items[i], &tasks[i].task));
    }
    assert_int_equal(atomic_load(&ran), 0); /* later, for the calling loop too */
    loops_leave(&fixture.server);
    wait_for(&fixture, &ran, LOOPS);
    loops_enter(&fixture.server);
    for (unsigned i = 0; i < LOOPS; i++) {
        assert_int_equal(tasks[i].ran_on, i);
        assert_true(loops_post(&fixture.server.loops.items[i], &tasks[i].task)); /* it is free */
    }
    loops_leave(&fixture.server);
    wait_for(&fixture, &ran, 2 * LOOPS);
    close_server(&fixture);
}

static void tasks_are_run_in_the_order_in_which_they_were_posted(void **state)
{
    struct fixture fixture;
    struct noted_task tasks[MANY];

    start_server(&fixture, state);
    atomic_store(&ran, 0);
    loops_enter(&fixture.server);
    for (int i = 0; i < MANY; i++) {
        tasks[i] = (struct noted_task){.task = {.run = note}, .fixture = &fixture};
        assert_true(loops_post(&fixture.server.loops.items[1], &tasks[i].task));
    }
    loops_leave(&fixture.server);
    wait_for(&fixture, &ran, MANY);
    loops_enter(&fixture.server);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(tasks[i].order, i);
    loops_leave(&fixture.server);
    close_server(&fixture);
}

static void what_was_posted_before_the_stop_is_done_and_nothing_after_it(void **state)
{
    struct fixture fixture;
    struct noted_task tasks[LOOPS];

    start_server(&fixture, state);
    struct loops *loops = &fixture.server.loops;
    atomic_store(&ran, 0);
    loops_enter(&fixture.server);
    for (unsigned i = 0; i < LOOPS; i++) {
        tasks[i] = (struct noted_task){.task = {.run = note}, .fixture = &fixture};
        assert_true(loops_post(&loops->items[i], &tasks[i].task));
    }
    loops_leave(&fixture.server);
    stop_server(&fixture);
    assert_int_equal(atomic_load(&ran), LOOPS);
    for (unsigned i = 0; i < LOOPS; i++)
        assert_false(loops_post(&loops->items[i], &tasks[i].task));
    deinit_server(&fixture);
    assert_int_equal(atomic_load(&ran), LOOPS);
}

static void want_tick(struct loop_task *task)
{
    struct noted_task *noted = (struct noted_task *)task;

    server_start_tick(&noted->fixture->server);
    atomic_fetch_add(&ran, 1);
}

static void clock_is_started_by_any_loop_which_wakes_nobody_while_it_goes(void **state)
{
    struct fixture fixture;

    start_server(&fixture, state);
    struct noted_task task = {.task = {.run = want_tick}, .fixture = &fixture};
    atomic_store(&ran, 0);
    for (int round = 1; round <= 3; round++) {
        loops_enter(&fixture.server);
        assert_true(loops_post(&fixture.server.loops.items[1], &task.task));
        loops_leave(&fixture.server);
        while (atomic_load(&ran) < 2 * round - 1)
            usleep(1000);
        loops_enter(&fixture.server);
        assert_true(fixture.server.tick_start.posted);
        loops_leave(&fixture.server);
        uv_run(&fixture.loop, UV_RUN_NOWAIT);
        assert_true(uv_is_active((uv_handle_t *)&fixture.server.tick));
        loops_enter(&fixture.server);
        assert_true(loops_post(&fixture.server.loops.items[1], &task.task));
        loops_leave(&fixture.server);
        while (atomic_load(&ran) < 2 * round)
            usleep(1000);
        loops_enter(&fixture.server);
        assert_false(fixture.server.tick_start.posted);
        loops_leave(&fixture.server);
        while (uv_is_active((uv_handle_t *)&fixture.server.tick)) /* until nobody waits for it */
            uv_run(&fixture.loop, UV_RUN_ONCE);
    }
    close_server(&fixture);
}

/* ------------------------------------------------------------------------------------ connections
 */

static void connection_is_settled_where_the_fewest_are(void **state)
{
    struct fixture fixture;
    struct connection *some[2 * LOOPS];
    int ends[2 * LOOPS];

    start_server(&fixture, state);
    for (unsigned i = 0; i < 2 * LOOPS; i++) {
        some[i] = connect_one(&fixture, &ends[i]);
        loops_enter(&fixture.server);
        connection_settle(some[i]);
        assert_int_equal(some[i]->settled->index, i % LOOPS);
        loops_leave(&fixture.server);
    }
    loops_enter(&fixture.server);
    connection_close(some[1]);
    assert_ptr_equal(loops_choose(&fixture.server), &fixture.server.loops.items[1]);
    loops_leave(&fixture.server);
    for (unsigned i = 0; i < 2 * LOOPS; i++)
        let_go_of(&fixture, some[i], ends[i]);
    close_server(&fixture);
}

static void what_is_said_before_while_and_after_it_moves_is_heard_in_order(void **state)
{
    struct fixture fixture;
    int end;

    start_server(&fixture, state);
    struct connection *connection = connect_one(&fixture, &end);
    say(end, 1);
    wait_for(&fixture, &fixture.administered, 1);
    assert_int_equal(atomic_load(&fixture.administered_by), 0);
    say(end, 2);
    settle_on(&fixture, connection, 2);
    say(end, 3);
    wait_for(&fixture, &fixture.administered, 3);
    say(end, 4);
    wait_for(&fixture, &fixture.administered, 4); /* a number out of order would have ended it */
    assert_int_equal(atomic_load(&fixture.administered_by), 2);
    let_go_of(&fixture, connection, end);
    close_server(&fixture);
}

static void connection_that_is_closed_by_another_loop_ends_for_its_peer(void **state)
{
    struct fixture fixture;
    int end;

    start_server(&fixture, state);
    struct connection *connection = connect_one(&fixture, &end);
    settle_on(&fixture, connection, 1);
    say(end, 1);
    wait_for(&fixture, &fixture.administered, 1);
    assert_int_equal(atomic_load(&fixture.administered_by), 1);
    loops_enter(&fixture.server);
    connection_close(connection);
    connection_close(connection);
    loops_leave(&fixture.server);
    assert_ended(end); /* though the first loop does not run */
    let_go_of(&fixture, connection, end);
    close_server(&fixture);
}

static void connection_that_is_closed_at_any_point_of_its_move_ends_for_its_peer(void **state)
{
    struct fixture fixture;

    start_server(&fixture, state);
    for (int i = 0; i < MANY; i++) {
        int end;
        struct connection *connection = connect_one(&fixture, &end);
        settle_on(&fixture, connection, 1 + (unsigned)i % (LOOPS - 1));
        say(end, 1);
        for (int turns = 0; turns < i % 4; turns++)
            uv_run(&fixture.loop, UV_RUN_NOWAIT);
        loops_enter(&fixture.server);
        connection_close(connection);
        loops_leave(&fixture.server);
        uv_run(&fixture.loop, UV_RUN_NOWAIT);
        assert_ended(end);
        let_go_of(&fixture, connection, end);
    }
    loops_enter(&fixture.server);
    assert_int_equal(fixture.server.connection_count, 0);
    for (unsigned i = 0; i < LOOPS; i++)
        assert_int_equal(fixture.server.loops.items[i].connections, 0);
    loops_leave(&fixture.server);
    close_server(&fixture);
}

static void stop_ends_connections_of_every_loop_and_those_that_move(void **state)
{
    for (int round = 0; round < 10; round++) {
        struct fixture fixture;
        struct connection *some[MANY];
        int ends[MANY];

        start_server(&fixture, state);
        for (int i = 0; i < MANY; i++) {
            some[i] = connect_one(&fixture, &ends[i]);
            settle_on(&fixture, some[i], (unsigned)i % LOOPS);
            if (i % 8 == round % 8)
                uv_run(&fixture.loop, UV_RUN_NOWAIT);
        }
        for (int i = 0; i < MANY; i++)
            let_go_of(&fixture, some[i], dup(ends[i]));
        close_server(&fixture);
        for (int i = 0; i < MANY; i++) {
            assert_ended(ends[i]);
            close(ends[i]);
        }
    }
}

/* --------------------------------------------------------------------------------------- the lock
 */

static bool is_locked(struct fixture *fixture)
{
    if (uv_mutex_trylock(&fixture->server.loops.lock) != 0)
        return true;
    uv_mutex_unlock(&fixture->server.loops.lock);
    return false;
}

static void only_the_outermost_leaves(void **state)
{
    struct fixture fixture;

    start_server(&fixture, state);
    loops_enter(&fixture.server);
    loops_enter(&fixture.server);
    loops_leave(&fixture.server);
    assert_true(is_locked(&fixture));
    loops_leave(&fixture.server);
    assert_false(is_locked(&fixture));
    close_server(&fixture);
}

static void one_loop_has_no_lock(void **state)
{
    struct fixture fixture;

    open_server(&fixture, state, 1);
    loops_enter(&fixture.server);
    assert_false(is_locked(&fixture));
    loops_leave(&fixture.server);
    close_server(&fixture);
}

struct waiting {
    struct loops *loops;
    uv_sem_t stands;
    atomic_bool went_first;
};

/* As somebody does who waits for the lock. */
static void stand_in_turnstile(void *context)
{
    struct waiting *waiting = context;

    uv_mutex_lock(&waiting->loops->turnstile);
    uv_sem_post(&waiting->stands);
    usleep(20000);
    atomic_store(&waiting->went_first, true);
    uv_mutex_unlock(&waiting->loops->turnstile);
}

static void who_was_inside_for_long_lets_those_in_who_wait(void **state)
{
    struct fixture fixture;
    struct waiting waiting;
    uv_thread_t thread;

    start_server(&fixture, state);
    waiting.loops = &fixture.server.loops;
    atomic_init(&waiting.went_first, false);
    assert_int_equal(uv_sem_init(&waiting.stands, 0), 0);
    loops_enter(&fixture.server);
    assert_int_equal(uv_thread_create(&thread, stand_in_turnstile, &waiting), 0);
    uv_sem_wait(&waiting.stands);
    usleep(2 * INSIDE_NANOSECONDS / 1000); /* charged to nobody */
    loops_leave(&fixture.server);
    loops_enter(&fixture.server);
    assert_true(atomic_load(&waiting.went_first));
    loops_leave(&fixture.server);
    uv_thread_join(&thread);
    uv_sem_destroy(&waiting.stands);
    close_server(&fixture);
}

struct hog {
    struct loop_task task; /* first */
    struct server *server;
    uint64_t until;
    atomic_int *busy;
};

/* Always inside, but for a moment after every half a millisecond; charges nobody. */
static void stay_inside(struct loop_task *task)
{
    struct hog *hog = (struct hog *)task;

    atomic_fetch_add(hog->busy, 1);
    while (uv_hrtime() < hog->until) {
        const uint64_t leaving = uv_hrtime() + 500000;
        while (uv_hrtime() < leaving)
            ;
        loops_leave(hog->server);
        loops_enter(hog->server);
    }
}

static void who_is_always_inside_keeps_nobody_out(void **state)
{
    const uint64_t second = UINT64_C(1000000000);
    struct hog hogs[LOOPS];
    struct fixture fixture;
    atomic_int busy = 0;
    uint64_t longest = 0;

    start_server(&fixture, state);
    const uint64_t until = uv_hrtime() + 3 * second;
    loops_enter(&fixture.server);
    for (unsigned i = 1; i < LOOPS; i++) {
        hogs[i] = (struct hog){
            .task = {.run = stay_inside}, .server = &fixture.server, .until = until, .busy = &busy};
        assert_true(loops_post(&fixture.server.loops.items[i], &hogs[i].task));
    }
    loops_leave(&fixture.server);
    wait_for(&fixture, &busy, LOOPS - 1);
    for (int i = 0; i < MANY; i++) {
        const uint64_t began = uv_hrtime();
        loops_enter(&fixture.server);
        const uint64_t took = uv_hrtime() - began;
        loops_leave(&fixture.server);
        longest = took > longest ? took : longest;
        usleep(1000);
    }
    /* Some milliseconds, on a machine that has nothing else to do. */
    assert_in_range(longest, 0, second);
    assert_in_range(uv_hrtime(), 0, until);
    close_server(&fixture);
}

/* ------------------------------------------------------------------------------------ descriptors
 */

static size_t descriptors_open(void)
{
    DIR *list = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(list);
    while (readdir(list))
        count++;
    closedir(list);
    return count;
}

static void what_the_loops_have_open_is_kept_from_the_users(void **state)
{
    size_t users[2];
    size_t open[2];

    for (unsigned i = 0; i < 2; i++) {
        struct fixture fixture;
        open_server(&fixture, state, i == 0 ? 1 : CONFIGURATION_LOOPS_MAX);
        users[i] = fixture.server.accounts.descriptors;
        open[i] = descriptors_open();
        close_server(&fixture);
    }
    assert_true(open[1] > open[0]);
    assert_true(users[0] - users[1] >= open[1] - open[0]);
}

/* ------------------------------------------------------------------------------------- the record
 */

/* Nothing can be written meanwhile. */
static sqlite3 *hold_record(void **state)
{
    sqlite3 *database;

    assert_int_equal(sqlite3_open(temporary_path(state, "audit.db"), &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return database;
}

/* Each loop may have looked before the others have added what they were about. */
static void record_has_room_for_a_message_of_each_loop_when_all_have_to_wait(void **state)
{
    static char text[MESSAGE_SIZE_MAX];
    struct audit_statistics statistics;
    struct fixture fixture;
    int64_t owner = 1000;

    open_server(&fixture, state, 1);
    struct audit_log *log = fixture.server.audit;
    sqlite3 *held = hold_record(state);
    memset(text, 'x', sizeof(text) - 1);
    while (!audit_log_is_full(log, owner)) { /* each has too little to be among the first */
        audit_log_add(log, audit_item_notice(AUDIT_REFUSAL, 0, owner, 1, text), owner, false);
        owner++;
    }
    for (int i = 0; i < CONFIGURATION_LOOPS_MAX + PENDING_BYTES_MAX / MESSAGE_SIZE_MAX; i++)
        audit_log_add(log, audit_item_notice(AUDIT_REFUSAL, 0, owner, 1, text), owner, false);
    audit_log_statistics(log, &statistics);
    assert_int_equal(statistics.dropped, 0);
    sqlite3_close(held);
    close_server(&fixture); /* with everything written */
}

/* ---------------------------------------------------------------------------------------- failing
 */

static void threads_that_cannot_be_made_are_said_and_leave_nothing(void **state)
{
    struct fixture fixture;
    struct rlimit before;

    open_server(&fixture, state, LOOPS);
    /* libuv gives a thread as much: more than there are addresses. */
    assert_int_equal(getrlimit(RLIMIT_STACK, &before), 0);
    const struct rlimit huge = {.rlim_cur = (rlim_t)1 << 62, .rlim_max = before.rlim_max};
    if (before.rlim_max != RLIM_INFINITY) {
        print_message("skipped: the hard limit of the stack is finite here\n");
        close_server(&fixture);
        skip();
    }
    assert_int_equal(setrlimit(RLIMIT_STACK, &huge), 0);
    const int error = loops_start(&fixture.server);
    assert_int_equal(setrlimit(RLIMIT_STACK, &before), 0);
    assert_in_range(-error, 1, 4095);
    close_server(&fixture);
}

static void failed_start_is_closed_in_good_order_if_some_threads_run(void **state)
{
    struct fixture fixture;

    open_server(&fixture, state, LOOPS);
    fixture.server.loops.count = LOOPS - 1; /* the last one's thread is not made */
    assert_int_equal(loops_start(&fixture.server), 0);
    fixture.server.loops.count = LOOPS;
    close_server(&fixture);
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, temporary_directory_make, temporary_directory_remove)
    const struct CMUnitTest tests[] = {
        TEST(task_is_run_once_on_the_thread_of_its_loop),
        TEST(tasks_are_run_in_the_order_in_which_they_were_posted),
        TEST(what_was_posted_before_the_stop_is_done_and_nothing_after_it),
        TEST(clock_is_started_by_any_loop_which_wakes_nobody_while_it_goes),
        TEST(connection_is_settled_where_the_fewest_are),
        TEST(what_is_said_before_while_and_after_it_moves_is_heard_in_order),
        TEST(connection_that_is_closed_by_another_loop_ends_for_its_peer),
        TEST(connection_that_is_closed_at_any_point_of_its_move_ends_for_its_peer),
        TEST(stop_ends_connections_of_every_loop_and_those_that_move),
        TEST(only_the_outermost_leaves),
        TEST(one_loop_has_no_lock),
        TEST(who_was_inside_for_long_lets_those_in_who_wait),
        TEST(who_is_always_inside_keeps_nobody_out),
        TEST(what_the_loops_have_open_is_kept_from_the_users),
        TEST(record_has_room_for_a_message_of_each_loop_when_all_have_to_wait),
        TEST(threads_that_cannot_be_made_are_said_and_leave_nothing),
        TEST(failed_start_is_closed_in_good_order_if_some_threads_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
