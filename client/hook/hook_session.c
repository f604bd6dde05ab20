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
#include "client/hook/own_file.h"
#include "client/hook/own_pages.h"
#include "client/hook/process_facts.h"
#include "client/hook/record_batch.h"
#include "client/hook/session_hello.h"
#include "client/hook/session_parts.h"
#include "client/hook/session_question.h"
#include "client/hook/settled_policy.h"
#include "policies/engine/event_text.h"

enum {
    OWNER_MARK = 0x57,
};

struct session_parts session = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .questions = {{.connection = {.socket = -1}, .fetched = {.socket = -1}},
                  {.connection = {.socket = -1}, .fetched = {.socket = -1}},
                  {.connection = {.socket = -1}, .fetched = {.socket = -1}},
                  {.connection = {.socket = -1}, .fetched = {.socket = -1}}},
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

void session_refuse(struct session_failure *failure, const char *text)
{
    snprintf(failure->text, sizeof(failure->text), "%s", text);
}

const char *session_failure_of(enum exchange_result result)
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

bool session_give_memory(struct question *question)
{
    if (question->memory.packet)
        return true;
    unsigned char *memory = own_pages_map(QUESTION_ARENA_SIZE + PACKET_SIZE_MAX);
    if (!memory)
        return false;
    arena_init(&question->memory.arena, memory, QUESTION_ARENA_SIZE);
    question->memory.packet = memory + QUESTION_ARENA_SIZE;
    return true;
}

bool session_fresh_nonce(unsigned char nonce[NONCE_SIZE])
{
    return getrandom(nonce, NONCE_SIZE, 0) == NONCE_SIZE;
}

/* ------------------------------------------------------------------------------- beginning and end
 */

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

    own_pages_leave_out();
    own_file_note();
    watch_forks(); /* from here on a fork waits for the lock: its child finds it free */
    pthread_mutex_lock(&session.lock);
    if (session_terms()->state != SESSION_NONE) {
        pthread_mutex_unlock(&session.lock);
        return true;
    }
    snprintf(session.python_version, sizeof(session.python_version), "%s", request->python_version);
    const struct descriptor_room room = descriptor_room_make();
    if (!session_give_memory(question))
        session_refuse(failure, "out of memory");
    else if (session_connect_first(question, request, failure))
        started = session_say_own_hello(question, request, NULL, 0, failure);
    descriptor_room_end(&room);
    if (started) {
        session_terms_set_state(SESSION_LIVE);
    } else {
        daemon_connection_close(&question->connection);
    }
    pthread_mutex_unlock(&session.lock);
    return started;
}

void hook_session_tell_unfit(void)
{
    struct question *question = &session.questions[0];
    const struct session_request request = {.route = WARDER__V1__HOOK_ROUTE__HOOK_ROUTE_UNKNOWN};
    struct session_failure failure;

    pthread_mutex_lock(&session.lock);
    const struct descriptor_room room = descriptor_room_make();
    if (session_terms()->state == SESSION_NONE && session_give_memory(question) &&
        session_connect_first(question, &request, &failure)) {
        session_say_unfit(question);
        daemon_connection_close(&question->connection);
    }
    descriptor_room_end(&room);
    pthread_mutex_unlock(&session.lock);
}

void hook_session_abandon(void)
{
    pthread_mutex_lock(&session.lock);
    for (int i = 0; i < QUESTION_COUNT; i++)
        daemon_connection_close(&session.questions[i].connection);
    session_terms_set_state(SESSION_NONE);
    pthread_mutex_unlock(&session.lock);
}

/* -------------------------------------------------------------------------- more connections */

/* A floor may let no other connection be made: one that is only slow is kept. */
static void close_if_useless(struct daemon_connection *connection, enum exchange_result result)
{
    const bool slow = result == EXCHANGE_LATE && connection->owed <= ANSWERS_OWED_MAX;

    if (result != EXCHANGE_DONE && result != EXCHANGE_TOO_LARGE && !slow)
        daemon_connection_close(connection);
}

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
    close_if_useless(&question->connection, result);
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
    if (!session_fresh_nonce(nonce) ||
        !daemon_connection_open(&question->connection, &session.daemon, deadline))
        return false;
    request.session = session.identity.number;
    request.nonce = bytes_field(nonce, sizeof(nonce));
    request.decision = __atomic_load_n(&session.told, __ATOMIC_RELAXED);
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
            daemon_connection_adopt(&question->fetched, socket, number);
    }
    /* Held across the fork, so that the child finds the session at rest. Another thread may have
     * been forking until now: what is handed over was its child's. */
    pthread_mutex_lock(&session.lock);
    if (question) {
        session.handed = question->fetched;
        question->fetched = DAEMON_CONNECTION_NONE;
        session_give_back(question);
    }
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
        daemon_connection_close(&session.questions[i].fetched);
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
    session.told = 0;
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
    if (daemon_connection_is_intact(&session.handed)) {
        question->connection = session.handed;
    } else if (daemon_connection_open(&question->connection, &session.daemon,
                                      monotonic_now() + session.bound)) {
        parent =
            session.identity.number; /* the program has closed what was handed to it, or none was */
    } else {
        session_refuse(failure, "the policy daemon cannot be reached");
        pthread_mutex_unlock(&session.lock);
        return false;
    }
    session.handed = DAEMON_CONNECTION_NONE;
    memcpy(parent_key, session.identity.key, sizeof(parent_key));
    const bool started = session_say_own_hello(question, &request, parent_key, parent, failure);
    explicit_bzero(parent_key, sizeof(parent_key));
    if (started)
        session_terms_set_state(SESSION_LIVE);
    else
        daemon_connection_close(&question->connection);
    pthread_mutex_unlock(&session.lock);
    return started;
}

/* ---------------------------------------------------------------------------------------- asking
 */

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
    session_refuse(failure,
                   session_is_cut_off()
                       ? "the policy daemon was lost, and the floor on `connect` lets this "
                         "process make no new connection to it: start it anew"
                       : "the policy daemon cannot be reached; nothing is allowed without "
                         "it");
    return false;
}

/* Several threads are answered at once. */
static void note_told(uint64_t decision)
{
    uint64_t before = __atomic_load_n(&session.told, __ATOMIC_RELAXED);

    while (before < decision && !__atomic_compare_exchange_n(&session.told, &before, decision, true,
                                                             __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
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
        session_takes_policy(&question->connection)
            ? daemon_connection_exchange(&question->connection, &exchange, &message, &reply,
                                         handout.descriptors)
            : EXCHANGE_TOO_LARGE;
    descriptor_room_end(&room);
    if (result == EXCHANGE_DONE && reply->body_case == WARDER__V1__DAEMON_MESSAGE__BODY_HANDOUT) {
        handout.message = reply->handout;
        settled_policy_take(&handout);
        return;
    }
    session_close_descriptors(&handout);
    close_if_useless(&question->connection, result);
    if (result == EXCHANGE_FORGED)
        count_forgery();
}

/* One question over a connection that is ready; true if there is nothing more to be tried. */
static bool ask_once(struct daemon_connection *connection, const struct exchange *exchange,
                     const struct event *event, uint64_t continues, struct answer *answer,
                     struct session_failure *failure)
{
    struct question_reply reply;
    const uint64_t epoch = event_table_page_epoch(); /* the answer is of this one, or a later */
    const enum exchange_result result =
        session_question_exchange(connection, exchange, event, continues, &reply);

    if (result == EXCHANGE_DONE) {
        if (!session_question_take(&reply, epoch, answer))
            session_refuse(failure, session_failure_of(EXCHANGE_FORGED));
        return true;
    }
    session_refuse(failure, session_failure_of(result));
    close_if_useless(connection, result);
    if (result == EXCHANGE_FORGED)
        count_forgery();
    /* Lost or forged: once more on a new connection, within the same bound. */
    return result == EXCHANGE_TOO_LARGE || result == EXCHANGE_LATE;
}

/* Its texts are empty by their first byte: they are long, and most answers have none. */
static void answer_begin(const struct event *event, struct answer *answer)
{
    answer->event = event->name;
    answer->outcome = WARDER__V1__OUTCOME__OUTCOME_DENY;
    answer->decision = 0;
    answer->unanswered = false;
    answer->only_exec = false;
    answer->place_wanted = false;
    answer->operation[0] = answer->policy[0] = answer->rule[0] = answer->message[0] = '\0';
    answer->decision_id[0] = answer->text[0] = answer->environment[0] = '\0';
}

void hook_session_ask(struct question *question, const struct event *event, struct answer *answer)
{
    hook_session_ask_continuing(question, event, 0, answer);
}

void hook_session_ask_continuing(struct question *question, const struct event *event,
                                 uint64_t continues, struct answer *answer)
{
    struct session_failure failure;
    const int64_t deadline = monotonic_now() + session.bound;
    bool done = false;

    failure.text[0] = '\0';
    answer_begin(event, answer);
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
        const struct exchange exchange = {.key = session.identity.key,
                                          .bare = true,
                                          .deadline = deadline,
                                          .memory = &question->memory};
        done = ask_once(&question->connection, &exchange, event, continues, answer, &failure);
    }
    if (session.crowded && question->connection.socket >= 0)
        relieve_crowd(question);
    if (settled_policy_is_stale() && question->connection.socket >= 0)
        fetch_policy(question);
    note_told(answer->decision);
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

    answer_begin(event, answer);
    arena_init(&memory->arena, whole.memory + whole.used, whole.size - whole.used);
    if (!daemon_connection_open(&connection, &session.daemon, deadline)) {
        session_refuse(&failure, "the policy daemon cannot be reached");
    } else if (session_say_hello(&connection, memory, &plan, &identity, &failure)) {
        const struct exchange exchange = {
            .key = identity.key, .deadline = deadline, .memory = memory};
        ask_once(&connection, &exchange, event, continues, answer, &failure);
    }
    explicit_bzero(&identity, sizeof(identity));
    daemon_connection_close(&connection);
    memory->arena = whole;
    if (failure.text[0] && !answer->text[0])
        deny_locally(event, answer, failure.text);
}

/* --------------------------------------------------------------------------- the C boundary */

bool hook_session_make_ready(void)
{
    struct session_failure failure;
    struct question *question = NULL;
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
    if (!question)
        return false;
    /* Another thread may have begun or abandoned the session meanwhile. */
    const bool ready =
        session_terms()->state != SESSION_NONE && make_ready(question, deadline, &failure);
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
