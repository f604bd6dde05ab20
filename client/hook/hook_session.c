/* Invariants.
 *
 * - `session.lock` guards everything in `session` but the inside of a busy question, which belongs
 * to the thread that borrowed it. What is atomic in it may be read without the lock; `state`
 * (session_terms.h) is set last, so who sees a live session sees its key and number.
 * - A key never travels after user code has begun to run: a forked child's is derived from its
 *   parent's, a resumed session keeps its own.
 * - The owner's page (session_terms.h) is one that the kernel wipes in every forked child. Where
 * the mark is gone and no fork handler has run, connections and numbers are the parent's and are
 * not used. */
#define _GNU_SOURCE
#include "client/hook/hook_session.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client/hook/event_table.h"
#include "client/hook/fatal.h"
#include "client/hook/process_facts.h"
#include "client/hook/record_batch.h"
#include "client/hook/session_floor.h"
#include "client/hook/session_terms.h"
#include "client/hook/settled_policy.h"
#include "policies/engine/event_text.h"
#include "proto/event_wire.h"

enum {
    OWNER_MARK = 0x57,
    TURN_NS = 250 * 1000 * 1000, /* to get CPython's lock in, when it is a thread's turn */
};

/* A thread in line, on its stack. It does not hold CPython's lock, nor wait for it: no thread is
 * ended here. */
struct waiter {
    struct waiter *next;
    bool has_turn;
    pthread_cond_t called;
};

/* Who a session is to the daemon. */
struct session_identity {
    uint64_t number;
    unsigned char key[SIPHASH_KEY_SIZE];
};

static struct {
    pthread_mutex_t lock;
    struct waiter *first; /* in line for a question, in the order in which they came */
    struct waiter *last;
    int turns;          /* idle questions that are kept for those who have left the line */
    int64_t turn_given; /* the last one */
    struct session_identity identity;
    _Atomic uint64_t guard_epoch; /* of the generation page, that the three are of */
    struct daemon_address daemon;
    char python_version[24];
    _Atomic int64_t bound; /* nanoseconds for a verdict */
    unsigned forged;
    uint64_t unanswered;  /* denied here, and the daemon does not know of it */
    _Atomic bool crowded; /* somebody had to wait: open another connection when one comes back */
    struct question questions[QUESTION_COUNT];
    struct daemon_connection handed; /* for the child of the fork that is under way */
} session = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .questions = {{.connection = {.socket = -1}},
                  {.connection = {.socket = -1}},
                  {.connection = {.socket = -1}},
                  {.connection = {.socket = -1}}},
    .handed = {.socket = -1},
    .bound = (int64_t)VERDICT_MILLISECONDS * 1000000,
};

int64_t hook_session_bound(void)
{
    return session.bound;
}

bool hook_session_is_live(void)
{
    return session_terms()->state != SESSION_NONE;
}

/* Memory for a question, once; kept for the life of the process. */
static bool give_memory(struct question *question)
{
    if (question->memory.packet)
        return true;
    unsigned char *memory = mmap(NULL, QUESTION_ARENA_SIZE + PACKET_SIZE_MAX,
                                 PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    arena_init(&question->memory.arena, memory, QUESTION_ARENA_SIZE);
    question->memory.packet = memory + QUESTION_ARENA_SIZE;
    return true;
}

static bool fresh_nonce(unsigned char nonce[NONCE_SIZE])
{
    return getrandom(nonce, NONCE_SIZE, 0) == NONCE_SIZE;
}

/* ---------------------------------------------------------------------------------------- hello */

static void refuse(struct session_failure *failure, const char *text)
{
    snprintf(failure->text, sizeof(failure->text), "%s", text);
}

static const char *failure_of(enum exchange_result result)
{
    switch (result) {
    case EXCHANGE_LATE:
        return "the policy daemon did not answer in time";
    case EXCHANGE_FORGED:
        return "what answered is not the policy daemon of this session";
    case EXCHANGE_TOO_LARGE:
        return "the message to the policy daemon is too large";
    default:
        return "the connection to the policy daemon was lost";
    }
}

/* Takes the daemon's word for who a session is. */
static bool take_welcome(const Warder__V1__Welcome *welcome, struct daemon_connection *connection,
                         const unsigned char *parent_key, const unsigned char nonce[NONCE_SIZE],
                         struct session_identity *identity)
{
    if (parent_key) {
        if (welcome->nonce.len != NONCE_SIZE)
            return false;
        unsigned char key[SIPHASH_KEY_SIZE];
        packet_derive_key(parent_key, nonce, welcome->nonce.data, welcome->session, key);
        memcpy(identity->key, key, sizeof(key));
    } else {
        if (welcome->key.len != SIPHASH_KEY_SIZE)
            return false;
        memcpy(identity->key, welcome->key.data, SIPHASH_KEY_SIZE);
    }
    identity->number = welcome->session;
    connection->number = welcome->connection;
    return true;
}

static void close_descriptors(const struct handout *handout)
{
    for (int i = 0; i < HANDOUT_DESCRIPTORS_MAX; i++)
        if (handout->descriptors[i] >= 0)
            close(handout->descriptors[i]);
}

/* True if this process can take what a handout brings along: descriptors that do not fit are lost
 * with the packet that brings them, and with it the answer. */
static bool takes_policy(const struct daemon_connection *connection)
{
    int held[HANDOUT_DESCRIPTORS_MAX];
    int count = 0;

    while (count < HANDOUT_DESCRIPTORS_MAX &&
           (held[count] = fcntl(connection->socket, F_DUPFD_CLOEXEC, 0)) >= 0)
        count++;
    const bool fits = count == HANDOUT_DESCRIPTORS_MAX && daemon_connection_has_room(connection);
    while (count > 0)
        close(held[--count]);
    return fits && settled_policy_is_possible();
}

/* Tells the daemon what this process holds of its floor. Whether that arrives does not change what
 * is held. */
static void tell_floor(struct question *question)
{
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__FloorTaken taken;
    ProtobufCBinaryData words[MISSING_WORDS_MAX];

    if (!session_floor_tell(&taken, words))
        return;
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_FLOOR_TAKEN;
    message.floor_taken = &taken;
    const struct exchange exchange = {.key = session.identity.key,
                                      .deadline = monotonic_now() + session.bound,
                                      .memory = &question->memory};
    daemon_connection_exchange(&question->connection, &exchange, &message, NULL, NULL);
}

/* Which classes the policies in force have something to say about, as the daemon said at an epoch.
 */
struct guard {
    uint32_t guarded;
    uint32_t held;
    uint32_t flat;
};

static void take_guard(const struct guard *guard, uint64_t epoch)
{
    if (!session_terms_have_classes(guard->guarded, guard->held, guard->flat)) {
        if (hook_session_process() == PROCESS_BESIDE)
            return;
        session.guard_epoch = 0;
        session_terms_set_classes(guard->guarded, guard->held, guard->flat);
    }
    session.guard_epoch = epoch;
}

/* What it says of the session beside that. */
static void take_terms(const Warder__V1__Welcome *welcome)
{
    if (welcome->verdict_milliseconds > 0)
        session.bound = (int64_t)welcome->verdict_milliseconds * 1000000;
    const struct guard guard = {welcome->guarded, welcome->held, welcome->flat};
    take_guard(&guard, welcome->handout ? welcome->handout->epoch : 0);
}

/* A Hello: what is said, and by whom; `parent_key`: the session of this process's parent vouches
 * for it. */
struct hello_plan {
    const struct session_request *request;
    const unsigned char *parent_key;
    uint64_t parent;
    struct handout *handout; /* to be taken up with the answer; NULL: none is wanted */
};

/* Says Hello on a fresh connection. The answer, a Welcome, lives in the memory's arena; NULL, and
 * `failure` filled in, if there is none. */
static const Warder__V1__Welcome *say_hello(struct daemon_connection *connection,
                                            struct exchange_memory *memory,
                                            const struct hello_plan *plan,
                                            struct session_identity *identity,
                                            struct session_failure *failure)
{
    unsigned char nonce[NONCE_SIZE];
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__Hello hello;
    const Warder__V1__DaemonMessage *reply;
    struct process_facts facts;

    if (!fresh_nonce(nonce)) {
        refuse(failure, "the kernel gives no random numbers");
        return NULL;
    }
    arena_reset(&memory->arena);
    process_facts_collect(&facts, plan->request->python_version, &memory->arena, &hello);
    hello.route = plan->request->route;
    hello.wishes = (Warder__V1__Wishes *)plan->request->wishes;
    hello.nonce = bytes_field(nonce, sizeof(nonce));
    hello.parent = plan->parent;
    hello.takes_policy = plan->handout && takes_policy(connection);
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_HELLO;
    message.hello = &hello;
    const struct exchange exchange = {
        .key = plan->parent_key,
        .descriptors = facts.descriptors,
        .descriptor_count = facts.descriptor_count,
        .received_max = HANDOUT_DESCRIPTORS_MAX,
        .deadline = monotonic_now() + (int64_t)WELCOME_MILLISECONDS * 1000000,
        .memory = memory,
    };
    const enum exchange_result result = daemon_connection_exchange(
        connection, &exchange, &message, &reply, plan->handout ? plan->handout->descriptors : NULL);
    process_facts_release(&facts);
    if (result != EXCHANGE_DONE) {
        refuse(failure, failure_of(result));
        return NULL;
    }
    if (reply->body_case == WARDER__V1__DAEMON_MESSAGE__BODY_REFUSED) {
        printable_text(field_bytes(&reply->refused->reason), reply->refused->reason.len,
                       failure->text, sizeof(failure->text));
        return NULL;
    }
    if (reply->body_case != WARDER__V1__DAEMON_MESSAGE__BODY_WELCOME ||
        !take_welcome(reply->welcome, connection, plan->parent_key, nonce, identity)) {
        refuse(failure, failure_of(EXCHANGE_FORGED));
        return NULL;
    }
    if (plan->handout)
        plan->handout->message = reply->welcome->handout;
    return reply->welcome;
}

/* The same for the process's own session. */
static bool say_own_hello(struct question *question, const struct session_request *request,
                          const unsigned char *parent_key, uint64_t parent,
                          struct session_failure *failure)
{
    struct handout handout = {.key = parent_key ? session.identity.key : NULL,
                              .descriptors = {-1, -1, -1}};
    const struct hello_plan plan = {
        .request = request, .parent_key = parent_key, .parent = parent, .handout = &handout};
    const Warder__V1__Welcome *welcome =
        say_hello(&question->connection, &question->memory, &plan, &session.identity, failure);

    if (!welcome) {
        close_descriptors(&handout);
        return false;
    }
    session_terms_set_process(getpid());
    take_terms(welcome);
    settled_policy_take(&handout);
    const bool held = session_floor_take(welcome->floor, request->route, failure);
    tell_floor(question);
    return held;
}

/* Asks at the door that `warder run` left open for a connection of this process's own. */
static bool connect_by_door(struct question *question, int door, int64_t deadline)
{
    struct daemon_connection knocking = DAEMON_CONNECTION_NONE;
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__Open open_request = WARDER__V1__OPEN__INIT;
    const Warder__V1__DaemonMessage *reply;
    int received;

    if (!daemon_connection_adopt(&knocking, door, 0))
        return false;
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_OPEN;
    message.open = &open_request;
    const struct exchange exchange = {.deadline = deadline, .memory = &question->memory};
    const enum exchange_result result =
        daemon_connection_exchange(&knocking, &exchange, &message, &reply, &received);
    daemon_connection_close(&knocking);
    if (result != EXCHANGE_DONE || received < 0)
        return false;
    return daemon_connection_adopt(&question->connection, received, 0);
}

static bool connect_first(struct question *question, const struct session_request *request,
                          struct session_failure *failure)
{
    const int64_t deadline = monotonic_now() + session.bound;
    const int door = request->socket_path ? -1 : process_door();

    process_session_socket(request->socket_path, session.daemon.path, sizeof(session.daemon.path));
    session.daemon.process = process_session_daemon(request->socket_path);
    if (door >= 0 && connect_by_door(question, door, deadline))
        return true;
    if (!session.daemon.path[0]) {
        refuse(failure, "the path of the policy daemon's socket is too long, or empty");
        return false;
    }
    if (daemon_connection_open(&question->connection, &session.daemon, deadline))
        return true;
    const int end = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (end < 0 && errno == EACCES)
        refuse(failure,
               "a floor on `connect` lets no Unix socket be made here, and the process that "
               "started this one has left it no connection to the policy daemon");
    else
        snprintf(failure->text, sizeof(failure->text), "no policy daemon answers at %s",
                 session.daemon.path);
    if (end >= 0)
        close(end);
    return false;
}

static void before_fork(void);
static void after_fork_in_parent(void);
static void after_fork_in_child(void);

static void mark_owner(void)
{
    volatile unsigned char *owner = session_terms()->owner;

    if (owner)
        *owner = OWNER_MARK;
}

static void watch_forks(void)
{
    static bool watching;
    if (watching)
        return;
    watching = true;
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    void *page = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page != MAP_FAILED && madvise(page, (size_t)sysconf(_SC_PAGESIZE), MADV_WIPEONFORK) == 0)
        session_terms_set_owner(page);
    mark_owner();
}

bool hook_session_start(const struct session_request *request, struct session_failure *failure)
{
    struct question *question = &session.questions[0];
    bool started = false;

    watch_forks(); /* from here on a fork waits for the lock: its child finds it free */
    pthread_mutex_lock(&session.lock);
    if (session_terms()->state != SESSION_NONE) {
        pthread_mutex_unlock(&session.lock);
        return true;
    }
    snprintf(session.python_version, sizeof(session.python_version), "%s", request->python_version);
    const struct descriptor_room room = descriptor_room_make();
    if (!give_memory(question))
        refuse(failure, "out of memory");
    else if (connect_first(question, request, failure))
        started = say_own_hello(question, request, NULL, 0, failure);
    descriptor_room_end(&room);
    if (started) {
        session_terms_set_state(SESSION_LIVE);
    } else {
        daemon_connection_close(&question->connection);
    }
    pthread_mutex_unlock(&session.lock);
    return started;
}

void hook_session_abandon(void)
{
    pthread_mutex_lock(&session.lock);
    for (int i = 0; i < QUESTION_COUNT; i++)
        daemon_connection_close(&session.questions[i].connection);
    session_terms_set_state(SESSION_NONE);
    pthread_mutex_unlock(&session.lock);
}

/* ------------------------------------------------------------------------------------- borrowing
 */

/* One that nobody has; NULL if there is none. */
static struct question *idle_question(void)
{
    /* The first ones are connected; a later one only after it was opened. */
    for (int i = 0; i < QUESTION_COUNT; i++) {
        struct question *question = &session.questions[i];
        if (!question->busy && (i == 0 || question->connection.socket >= 0))
            return question;
    }
    return NULL;
}

static int idle_count(void)
{
    int count = 0;
    for (int i = 0; i < QUESTION_COUNT; i++)
        count +=
            !session.questions[i].busy && (i == 0 || session.questions[i].connection.socket >= 0);
    return count;
}

/* Keeps idle questions for those whose turn it is. A turn that nobody takes up, because CPython has
 * ended the thread, is over after a while. */
static void give_turns(void)
{
    if (session.turns > 0 && monotonic_now() - session.turn_given > TURN_NS)
        session.turns = 0;
    while (session.first && session.turns < idle_count()) {
        struct waiter *waiter = session.first;
        session.first = waiter->next;
        if (!session.first)
            session.last = NULL;
        waiter->has_turn = true;
        session.turns++;
        session.turn_given = monotonic_now();
        pthread_cond_signal(&waiter->called);
    }
}

struct question *hook_session_borrow(bool has_turn)
{
    struct question *found = NULL;

    pthread_mutex_lock(&session.lock);
    if (session.first || session.turns > 0)
        give_turns();
    const bool own = has_turn && session.turns > 0;
    if (own || idle_count() > session.turns)
        found = idle_question();
    if (own)
        session.turns--;
    if (found && give_memory(found))
        found->busy = true;
    else
        found = NULL;
    if (!found)
        session.crowded = true;
    pthread_mutex_unlock(&session.lock);
    if (found)
        arena_reset(&found->memory.arena);
    return found;
}

/* Into the line: at its front where the thread has had its turn, and lost it. */
static void line_up(struct waiter *waiter, bool first)
{
    if (first) {
        waiter->next = session.first;
        session.first = waiter;
        if (!session.last)
            session.last = waiter;
    } else {
        if (session.last)
            session.last->next = waiter;
        else
            session.first = waiter;
        session.last = waiter;
    }
}

static void leave_line(const struct waiter *waiter)
{
    struct waiter *before = NULL;

    for (struct waiter *at = session.first; at; before = at, at = at->next) {
        if (at != waiter)
            continue;
        if (before)
            before->next = at->next;
        else
            session.first = at->next;
        if (session.last == at)
            session.last = before;
        return;
    }
}

bool hook_session_wait(int64_t *left, bool first)
{
    const int64_t step = 50000000; /* the wait's clock can be set: look again often */
    struct waiter waiter = {.called = PTHREAD_COND_INITIALIZER};
    struct timespec until;

    pthread_mutex_lock(&session.lock);
    line_up(&waiter, first);
    give_turns();
    while (!waiter.has_turn && *left > 0) {
        const int64_t began = monotonic_now();
        const bool all_busy = idle_count() == 0;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += *left < step ? *left : step;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
        pthread_cond_timedwait(&waiter.called, &session.lock, &until);
        give_turns();
        if (all_busy) /* else those before have not got CPython's lock yet: the program's doing */
            *left -= monotonic_now() - began;
    }
    if (!waiter.has_turn)
        leave_line(&waiter);
    pthread_mutex_unlock(&session.lock);
    pthread_cond_destroy(&waiter.called);
    return waiter.has_turn;
}

void hook_session_return(struct question *question)
{
    pthread_mutex_lock(&session.lock);
    question->busy = false;
    if (session.first)
        give_turns();
    pthread_mutex_unlock(&session.lock);
}

/* -------------------------------------------------------------------------- more connections */

/* Fetches a connection over an existing one. -1 if it cannot be had. */
static int fetch_connection(struct question *question, Warder__V1__OpenPurpose purpose,
                            int64_t deadline, uint64_t *number)
{
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__Open request = WARDER__V1__OPEN__INIT;
    const Warder__V1__DaemonMessage *reply;
    int received = -1;

    request.purpose = purpose;
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_OPEN;
    message.open = &request;
    const struct exchange exchange = {
        .key = session.identity.key, .deadline = deadline, .memory = &question->memory};
    const struct descriptor_room room = descriptor_room_make();
    const bool fits = daemon_connection_has_room(&question->connection);
    const enum exchange_result result =
        fits ? daemon_connection_exchange(&question->connection, &exchange, &message, &reply,
                                          &received)
             : EXCHANGE_TOO_LARGE;
    descriptor_room_end(&room);
    if (result == EXCHANGE_DONE && reply->body_case == WARDER__V1__DAEMON_MESSAGE__BODY_OPENED &&
        received >= 0) {
        *number = reply->opened->connection;
        return received;
    }
    if (received >= 0)
        close(received);
    if (result != EXCHANGE_DONE && result != EXCHANGE_TOO_LARGE)
        daemon_connection_close(&question->connection);
    return -1;
}

/* One connection more, if threads had to wait for one. */
static void relieve_crowd(struct question *question)
{
    struct question *idle = NULL;
    uint64_t number;

    pthread_mutex_lock(&session.lock);
    for (int i = 1; i < QUESTION_COUNT && session.crowded && !idle; i++)
        if (!session.questions[i].busy && session.questions[i].connection.socket < 0)
            idle = &session.questions[i];
    if (idle)
        idle->busy = true;
    session.crowded = false;
    pthread_mutex_unlock(&session.lock);
    if (!idle)
        return;
    const int socket = fetch_connection(question, WARDER__V1__OPEN_PURPOSE__OPEN_PURPOSE_SESSION,
                                        monotonic_now() + session.bound, &number);
    if (socket >= 0)
        daemon_connection_adopt(&idle->connection, socket, number);
    hook_session_return(idle);
}

/* ---------------------------------------------------------------------------------------- resume
 */

/* Takes another connection that this session still has and nobody is using: a floor may leave no
 * way to a new one. */
static bool take_over(struct question *question)
{
    struct daemon_connection *found = NULL;

    pthread_mutex_lock(&session.lock);
    for (int i = 0; i < QUESTION_COUNT && !found; i++)
        if (!session.questions[i].busy &&
            daemon_connection_is_intact(&session.questions[i].connection))
            found = &session.questions[i].connection;
    if (found) {
        question->connection = *found;
        *found = DAEMON_CONNECTION_NONE;
    }
    pthread_mutex_unlock(&session.lock);
    return found != NULL;
}

/* A fresh connection for a session that had one before: both sides prove that they know the key. */
static bool resume(struct question *question, int64_t deadline)
{
    unsigned char nonce[NONCE_SIZE];
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__Resume request = WARDER__V1__RESUME__INIT;
    const Warder__V1__DaemonMessage *reply;

    daemon_connection_close(&question->connection);
    if (!fresh_nonce(nonce) ||
        !daemon_connection_open(&question->connection, &session.daemon, deadline))
        return false;
    request.session = session.identity.number;
    request.nonce = bytes_field(nonce, sizeof(nonce));
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_RESUME;
    message.resume = &request;
    const struct exchange exchange = {
        .key = session.identity.key, .deadline = deadline, .memory = &question->memory};
    if (daemon_connection_exchange(&question->connection, &exchange, &message, &reply, NULL) !=
            EXCHANGE_DONE ||
        reply->body_case != WARDER__V1__DAEMON_MESSAGE__BODY_RESUMED ||
        reply->resumed->nonce.len != NONCE_SIZE ||
        memcmp(reply->resumed->nonce.data, nonce, NONCE_SIZE) != 0) {
        daemon_connection_close(&question->connection);
        return false;
    }
    question->connection.number = reply->resumed->connection;
    return true;
}

/* ----------------------------------------------------------------------------------------- forks
 */

static bool make_ready(struct question *question, int64_t deadline,
                       struct session_failure *failure);

static void before_fork(void)
{
    struct question *question = NULL;
    struct session_failure failure;
    uint64_t number = 0;
    const int64_t deadline = monotonic_now() + session.bound;

    int64_t left = session.bound;
    bool turn = false;
    while (session_terms()->state != SESSION_NONE && !(question = hook_session_borrow(turn)) &&
           left > 0)
        turn = hook_session_wait(&left, turn);
    /* A child that forks before its first event becomes a session now: its child needs a parent. */
    if (question && make_ready(question, deadline, &failure)) {
        const int socket = fetch_connection(question, WARDER__V1__OPEN_PURPOSE__OPEN_PURPOSE_CHILD,
                                            deadline, &number);
        if (socket >= 0)
            daemon_connection_adopt(&session.handed, socket, number);
    }
    if (question)
        hook_session_return(question);
    /* Held across the fork, so that the child finds the session at rest. */
    pthread_mutex_lock(&session.lock);
}

static void after_fork_in_parent(void)
{
    daemon_connection_close(&session.handed);
    pthread_mutex_unlock(&session.lock);
}

/* Drops what is the parent's. Its descriptors are closed in this process alone. */
static void become_child(void)
{
    session_terms_become_child();
    for (int i = 0; i < QUESTION_COUNT; i++) {
        daemon_connection_close(&session.questions[i].connection);
        session.questions[i].busy = false;
    }
    if (session_terms()->state != SESSION_NONE)
        session_terms_set_state(SESSION_CHILD);
    session_terms_set_process(getpid());
    session.crowded = false;
    session.first = session.last = NULL; /* the threads are the parent's */
    session.turns = 0;
    session.forged = 0;
    session.unanswered = 0; /* the parent says it */
    settled_policy_become_child();
    record_batch_become_child();
    mark_owner();
}

static void after_fork_in_child(void)
{
    /* The lock's owner was the parent's thread; there is nobody else here. */
    session.lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    become_child();
}

void hook_session_check_process(void)
{
    const volatile unsigned char *owner = session_terms()->owner;

    if (!owner || *owner == OWNER_MARK)
        return;
    session.lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    session.handed = DAEMON_CONNECTION_NONE;
    become_child();
}

/* The first event of a forked child: it becomes a session of its own, under its parent's key. */
static bool start_as_child(struct question *question, struct session_failure *failure)
{
    const struct session_request request = {.python_version = session.python_version,
                                            .route = WARDER__V1__HOOK_ROUTE__HOOK_ROUTE_FORK};
    unsigned char parent_key[SIPHASH_KEY_SIZE];
    uint64_t parent = 0;

    pthread_mutex_lock(&session.lock);
    if (session_terms()->state != SESSION_CHILD) { /* another thread was first */
        pthread_mutex_unlock(&session.lock);
        return false;
    }
    memcpy(parent_key, session.identity.key, sizeof(parent_key));
    if (daemon_connection_is_intact(&session.handed)) {
        question->connection = session.handed;
    } else if (daemon_connection_open(&question->connection, &session.daemon,
                                      monotonic_now() + session.bound)) {
        parent =
            session.identity.number; /* the program has closed what was handed to it, or none was */
    } else {
        refuse(failure, "the policy daemon cannot be reached");
        pthread_mutex_unlock(&session.lock);
        return false;
    }
    session.handed = DAEMON_CONNECTION_NONE;
    const bool started = say_own_hello(question, &request, parent_key, parent, failure);
    if (started)
        session_terms_set_state(SESSION_LIVE);
    else
        daemon_connection_close(&question->connection);
    pthread_mutex_unlock(&session.lock);
    return started;
}

/* ---------------------------------------------------------------------------------------- asking
 */

static void copy_field(char *out, size_t size, const ProtobufCBinaryData *field)
{
    printable_text((const char *)field->data, field->len, out, size);
}

static void deny_locally(const struct event *event, struct answer *answer, const char *why)
{
    char what[EVENT_TEXT_MAX];
    const char *name = event->operation_count > 0
                           ? vocabulary_class_name(event->operations[0].operation_class)
                           : NULL;

    event_text(event, 0, what, sizeof(what));
    snprintf(answer->operation, sizeof(answer->operation), "%s", name ? name : "");
    answer->unanswered = true;
    snprintf(answer->message, sizeof(answer->message), "%s", why);
    snprintf(answer->text, sizeof(answer->text), "warder: %s denied: %s", what, why);
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
        used += name->len + 1;
    }
}

static void take_verdict(const Warder__V1__Verdict *verdict, struct answer *answer)
{
    answer->decision = verdict->decision;
    if (verdict->outcome == WARDER__V1__OUTCOME__OUTCOME_ALLOW) {
        answer->only_exec = verdict->only_exec;
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

/* Somebody answers who does not know the key. A few times may be a mistake of this process; then it
 * is an attack. */
static void count_forgery(void)
{
    if (__atomic_add_fetch(&session.forged, 1, __ATOMIC_RELAXED) >= FORGED_ANSWERS_MAX)
        fatal_end("warder: too many forged answers on the connection to the policy daemon; "
                  "this interpreter is ended");
}

/* A connection that may be asked on: the one at hand, or a new one. */
static bool connect_again(struct question *question, int64_t deadline,
                          struct session_failure *failure)
{
    if (session_terms()->state == SESSION_CHILD && start_as_child(question, failure))
        return true;
    if (session_terms()->state == SESSION_CHILD)
        return false;
    if (question->connection.socket >= 0 || resume(question, deadline) || take_over(question))
        return true;
    refuse(failure, "the policy daemon cannot be reached; nothing is allowed without it");
    return false;
}

static bool make_ready(struct question *question, int64_t deadline, struct session_failure *failure)
{
    if (session_terms()->state == SESSION_LIVE && question->connection.socket >= 0)
        return true;
    const struct descriptor_room room = descriptor_room_make();
    const bool ready = connect_again(question, deadline, failure);
    descriptor_room_end(&room);
    return ready;
}

void hook_session_count_unanswered(void)
{
    __atomic_add_fetch(&session.unanswered, 1, __ATOMIC_RELAXED);
}

/* Before the first question on a connection that works again: what was denied without it. */
static void tell_unanswered(struct question *question, int64_t deadline)
{
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__Records records = WARDER__V1__RECORDS__INIT;

    if (__atomic_load_n(&session.unanswered, __ATOMIC_RELAXED) == 0)
        return;
    records.unanswered = __atomic_exchange_n(&session.unanswered, 0, __ATOMIC_RELAXED);
    if (records.unanswered == 0) /* another thread was first */
        return;
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_RECORDS;
    message.records = &records;
    arena_reset(&question->memory.arena);
    const struct exchange exchange = {
        .key = session.identity.key, .deadline = deadline, .memory = &question->memory};
    if (daemon_connection_exchange(&question->connection, &exchange, &message, NULL, NULL) !=
        EXCHANGE_DONE)
        __atomic_add_fetch(&session.unanswered, records.unanswered, __ATOMIC_RELAXED);
}

void hook_session_tell_records(struct question *question)
{
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__RecordsWait records = WARDER__V1__RECORDS_WAIT__INIT;

    if (question->connection.socket < 0 || !record_batch_is_news())
        return; /* the next question tells it */
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_RECORDS_WAIT;
    message.records_wait = &records;
    const struct exchange exchange = {
        .key = session.identity.key, .deadline = monotonic_now(), .memory = &question->memory};
    if (daemon_connection_exchange(&question->connection, &exchange, &message, NULL, NULL) !=
        EXCHANGE_DONE)
        record_batch_not_told();
}

/* Another generation has come into force: what governs this session in it. */
static void fetch_policy(struct question *question)
{
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__FetchPolicy request = WARDER__V1__FETCH_POLICY__INIT;
    const Warder__V1__DaemonMessage *reply = NULL;
    struct handout handout = {.key = session.identity.key, .descriptors = {-1, -1, -1}};

    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_FETCH_POLICY;
    message.fetch_policy = &request;
    const struct exchange exchange = {.key = session.identity.key,
                                      .received_max = HANDOUT_DESCRIPTORS_MAX,
                                      .deadline = monotonic_now() + session.bound,
                                      .memory = &question->memory};
    const struct descriptor_room room = descriptor_room_make();
    const enum exchange_result result =
        takes_policy(&question->connection)
            ? daemon_connection_exchange(&question->connection, &exchange, &message, &reply,
                                         handout.descriptors)
            : EXCHANGE_TOO_LARGE;
    descriptor_room_end(&room);
    if (result == EXCHANGE_DONE && reply->body_case == WARDER__V1__DAEMON_MESSAGE__BODY_HANDOUT) {
        handout.message = reply->handout;
        settled_policy_take(&handout);
        return;
    }
    close_descriptors(&handout);
    if (result != EXCHANGE_DONE && result != EXCHANGE_TOO_LARGE)
        daemon_connection_close(&question->connection);
    if (result == EXCHANGE_FORGED)
        count_forgery();
}

/* One question over a connection that is ready; true if there is nothing more to be tried. */
static bool ask_once(struct daemon_connection *connection, const struct exchange *exchange,
                     const struct event *event, uint64_t continues, struct answer *answer,
                     struct session_failure *failure)
{
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__Ask ask = WARDER__V1__ASK__INIT;
    Warder__V1__Event wire;
    const Warder__V1__DaemonMessage *reply = NULL;

    arena_reset(&exchange->memory->arena);
    if (!event_to_wire(event, &exchange->memory->arena, &wire)) {
        refuse(failure, failure_of(EXCHANGE_TOO_LARGE));
        return true;
    }
    ask.event = &wire;
    ask.continues = continues;
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_ASK;
    message.ask = &ask;
    const uint64_t epoch = event_table_page_epoch(); /* the answer is of this one, or a later */
    const enum exchange_result result =
        daemon_connection_exchange(connection, exchange, &message, &reply, NULL);
    if (result == EXCHANGE_DONE) {
        if (reply->body_case == WARDER__V1__DAEMON_MESSAGE__BODY_VERDICT) {
            const struct guard guard = {reply->verdict->guarded, reply->verdict->held,
                                        reply->verdict->flat};
            take_guard(&guard, epoch);
            take_verdict(reply->verdict, answer);
        } else {
            refuse(failure, failure_of(EXCHANGE_FORGED));
        }
        return true;
    }
    refuse(failure, failure_of(result));
    if (result == EXCHANGE_TOO_LARGE)
        return true;
    daemon_connection_close(connection);
    if (result == EXCHANGE_FORGED)
        count_forgery();
    /* Lost or forged: once more on a new connection, within the same bound. */
    return result == EXCHANGE_LATE;
}

static void answer_begin(struct answer *answer)
{
    memset(answer, 0, sizeof(*answer));
    answer->outcome = WARDER__V1__OUTCOME__OUTCOME_DENY;
}

void hook_session_ask(struct question *question, const struct event *event, struct answer *answer)
{
    hook_session_ask_continuing(question, event, 0, answer);
}

void hook_session_ask_continuing(struct question *question, const struct event *event,
                                 uint64_t continues, struct answer *answer)
{
    struct session_failure failure = {.text = ""};
    const int64_t deadline = monotonic_now() + session.bound;
    bool done = false;

    answer_begin(answer);
    /* The event stands in the question's arena; what follows puts its messages behind it. A new
     * connection needs the arena for itself, so it is made before anything is packed, in the part
     * that the event does not use. */
    struct arena whole = question->memory.arena;
    struct arena rest;
    arena_init(&rest, whole.memory + whole.used, whole.size - whole.used);
    question->memory.arena = rest;

    for (int attempt = 0; attempt < 2 && !done; attempt++) {
        if (!make_ready(question, deadline, &failure))
            break;
        tell_unanswered(question, deadline);
        const struct exchange exchange = {
            .key = session.identity.key, .deadline = deadline, .memory = &question->memory};
        done = ask_once(&question->connection, &exchange, event, continues, answer, &failure);
    }
    if (session.crowded && question->connection.socket >= 0)
        relieve_crowd(question);
    if (settled_policy_is_stale() && question->connection.socket >= 0)
        fetch_policy(question);
    question->memory.arena = whole;
    if (failure.text[0] && !answer->text[0])
        deny_locally(event, answer, failure.text);
}

void hook_session_ask_beside(struct exchange_memory *memory, const struct event *event,
                             uint64_t continues, struct answer *answer)
{
    const struct session_request request = {.python_version = session.python_version,
                                            .route = WARDER__V1__HOOK_ROUTE__HOOK_ROUTE_FORK};
    const struct hello_plan plan = {
        .request = &request, .parent_key = session.identity.key, .parent = session.identity.number};
    struct session_failure failure = {.text = ""};
    struct daemon_connection connection;
    struct session_identity identity;
    const struct arena whole = memory->arena;
    const int64_t deadline = monotonic_now() + session.bound;

    answer_begin(answer);
    arena_init(&memory->arena, whole.memory + whole.used, whole.size - whole.used);
    if (!daemon_connection_open(&connection, &session.daemon, deadline)) {
        refuse(&failure, "the policy daemon cannot be reached");
    } else if (say_hello(&connection, memory, &plan, &identity, &failure)) {
        const struct exchange exchange = {
            .key = identity.key, .deadline = deadline, .memory = memory};
        ask_once(&connection, &exchange, event, continues, answer, &failure);
    }
    daemon_connection_close(&connection);
    memory->arena = whole;
    if (failure.text[0] && !answer->text[0])
        deny_locally(event, answer, failure.text);
}

/* --------------------------------------------------------------------------- the C boundary */

bool hook_session_make_ready(void)
{
    struct session_failure failure;
    struct question *question;
    const int64_t deadline = monotonic_now() + session.bound;

    if (session_terms()->state == SESSION_LIVE)
        return true;
    int64_t left = session.bound;
    bool turn = false;
    while (session_terms()->state != SESSION_NONE && !(question = hook_session_borrow(turn))) {
        if (left <= 0)
            return false;
        turn = hook_session_wait(&left, turn);
    }
    if (session_terms()->state == SESSION_NONE)
        return false;
    const bool ready = make_ready(question, deadline, &failure);
    hook_session_return(question);
    return ready;
}

enum session_process hook_session_process(void)
{
    return getpid() == session_terms()->process ? PROCESS_OF_SESSION : PROCESS_BESIDE;
}

pid_t hook_session_process_number(void)
{
    return session_terms()->process;
}

/* Of what has come into force since the daemon said it, nothing is known yet. A forked child knows
 * what its parent knew. */
static bool guard_is_stale(void)
{
    const uint64_t page = event_table_page_epoch();
    return page != 0 && page != session.guard_epoch;
}

uint32_t hook_session_guarded(void)
{
    if (guard_is_stale())
        return UINT32_MAX;
    return session_terms()->state == SESSION_NONE ? 0 : session_terms()->guarded;
}

uint32_t hook_session_held(void)
{
    if (guard_is_stale())
        return UINT32_MAX;
    return session_terms()->state == SESSION_NONE ? 0 : session_terms()->held;
}

uint32_t hook_session_flat(void)
{
    return session_terms()->state == SESSION_NONE || guard_is_stale() ? 0 : session_terms()->flat;
}

noreturn void hook_session_end_process(const char *line)
{
    if (hook_session_process() == PROCESS_BESIDE)
        kill(session_terms()->process, SIGKILL);
    fatal_end(line);
}

void hook_session_digest(struct siphash *hash)
{
    siphash_init(hash, session.identity.key);
}

void hook_session_tell_place(uint64_t decision, const char *file, size_t file_length, unsigned line)
{
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    Warder__V1__Denied denied = WARDER__V1__DENIED__INIT;
    struct question *question = hook_session_borrow(false);

    if (!question)
        return;
    denied.decision = decision;
    denied.file = bytes_field(file, file_length);
    denied.line = line;
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_DENIED;
    message.denied = &denied;
    const struct exchange exchange = {
        .key = session.identity.key, .deadline = monotonic_now(), .memory = &question->memory};
    daemon_connection_exchange(&question->connection, &exchange, &message, NULL, NULL);
    hook_session_return(question);
}
