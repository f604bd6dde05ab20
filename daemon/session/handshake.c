/* Invariants. A connection with a worker under way is STATE_WAITING: whatever it says meanwhile is
 * refused. A worker touches its job alone; everything of the server is touched on the loop, before
 * and after. A key that is made here never travels to a process whose code has begun to run: it is
 * derived there (forked children), or known already (Resume). */
#define _GNU_SOURCE
#include "daemon/session/handshake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/session/handed_connection.h"
#include "daemon/session/handshake_job.h"
#include "daemon/session/kept_session.h"
#include "daemon/session/policy_handout.h"
#include "daemon/session/run.h"
#include "daemon/session/session.h"
#include "daemon/session/session_facts.h"

enum {
    PROTOCOL_VERSION = 1,
};

static const char no_memory[] = "a message: no memory, or its user has as much as one may have";

static void after_work(struct queued_work *queued, int status);

/* ---------------------------------------------------------------------------- back on the loop */

/* Says no, and closes. */
static void answer_no(struct job *job, const char *why)
{
    Warder__V1__DaemonMessage message = WARDER__V1__DAEMON_MESSAGE__INIT;
    Warder__V1__Refused refused = WARDER__V1__REFUSED__INIT;

    refused.reason = text_field(why);
    refused.missing_policy = text_field(job->missing_policy ? job->missing_policy : "");
    message.body_case = WARDER__V1__DAEMON_MESSAGE__BODY_REFUSED;
    message.refused = &refused;
    connection_send(job->connection, &job->to, &message, NULL, 0);
    connection_close(job->connection);
}

static void send_refusal(struct job *job, const char *why)
{
    server_record_refusal(job->connection->server, job->connection->account,
                          job->facts.identity.pid, 0, why);
    answer_no(job, why);
}

/* Keeps the session for a daemon that comes after this one. Taken up with fewer wishes it would be
 * under less: one of which something cannot be kept ends with the daemon. */
static void keep(struct session *session, const Warder__V1__Hello *hello)
{
    static const char no_room[] = "out of memory, or it is under too much";
    Warder__V1__KeptSession kept = WARDER__V1__KEPT_SESSION__INIT;
    Warder__V1__Wishes *wishes[WISHES_TOGETHER_MAX];
    const struct session_facts *facts = &session->facts;
    struct server *server = session->server;

    if (server->is_private)
        return;
    kept.session = session->number;
    kept.key = bytes_field(session->key, sizeof(session->key));
    kept.uid = facts->identity.uid;
    kept.pid = facts->identity.pid;
    kept.start_time = facts->known.start_time;
    kept.executable = text_field(facts->executable);
    kept.directory = text_field(facts->directory);
    kept.parent = session->parent;
    kept.attached = session->attached;
    Warder__V1__Hello said = *hello;
    said.wishes = NULL; /* they are among the session's */
    kept.hello = &said;
    arena_reset(&server->arena);
    if (!session_facts_tell_places(facts, &server->arena, &said.n_places, &said.places) ||
        !origin_tell(session->origin, &server->arena, &kept.n_origin, &kept.origin) ||
        !session_floor_keep(&session->floor, &server->arena, &kept)) {
        kept_session_lost(server, session->number, no_room);
        return;
    }
    kept.wishes = wishes;
    for (size_t i = 0; i < session->wishes.count; i++) {
        const struct wishes *one = session->wishes.items[i];
        wishes[i] = (Warder__V1__Wishes *)message_decode(
            &warder__v1__wishes__descriptor, &server->arena, one->packed, one->packed_size);
        if (!wishes[i]) {
            kept_session_lost(server, session->number, no_room);
            return;
        }
        kept.n_wishes++;
    }
    session->resumable = true;
    kept_session_write(server, &kept);
}

/* Everything that a new session is under: the run that it came in by, or has the token of; what its
 * parent and all that it descends from are under; its own wishes. One never stands in place of
 * another: a token is only a word in the environment. What its process was under before is added by
 * session_new. False if that is too much. */
static bool gather_wishes(struct job *job, struct wish_list *list)
{
    struct connection *connection = job->connection;
    struct server *server = connection->server;
    const ProtobufCBinaryData *token = &job->message->hello->run_token;
    const struct run *runs[] = {connection->run, server->private_run,
                                run_find(server, token->data, token->len)};
    bool complete = true;

    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
        complete = wish_list_add(list, runs[i] ? runs[i]->wishes : NULL) && complete;
    if (connection->parent)
        complete = wish_list_join(list, &connection->parent->wishes) && complete;
    for (size_t i = 0; i < job->facts.known.ancestor_count; i++) {
        const struct subject_process *ancestor =
            subject_process_find(server, job->facts.known.ancestors[i]);
        if (ancestor)
            complete = wish_list_join(list, &ancestor->wishes) && complete;
    }
    return wish_list_add(list, job->wishes) && complete;
}

static void tell_launcher(struct connection *launcher, const struct session *session)
{
    Warder__V1__DaemonMessage message = WARDER__V1__DAEMON_MESSAGE__INIT;
    Warder__V1__Started started = WARDER__V1__STARTED__INIT;

    if (!launcher)
        return;
    started.session = session->number;
    started.pid = session->facts.identity.pid;
    started.ungoverned = !session_is_governed(session);
    message.body_case = WARDER__V1__DAEMON_MESSAGE__BODY_STARTED;
    message.started = &started;
    connection_send(launcher, NULL, &message, NULL, 0);
}

static void send_welcome(struct job *job, struct session *session, Warder__V1__Floor *floor,
                         const unsigned char nonce[NONCE_SIZE], bool derived)
{
    struct connection *connection = job->connection;
    struct server *server = connection->server;
    Warder__V1__DaemonMessage message = WARDER__V1__DAEMON_MESSAGE__INIT;
    Warder__V1__Welcome welcome = WARDER__V1__WELCOME__INIT;
    Warder__V1__PolicyHandout handout;
    int descriptors[HANDOUT_DESCRIPTORS_MAX];
    int count = 0;

    welcome.session = session->number;
    if (!derived)
        welcome.key = bytes_field(session->key, sizeof(session->key));
    welcome.nonce = bytes_field(nonce, NONCE_SIZE);
    welcome.connection = connection->number;
    welcome.generation = session->generation->number;
    welcome.n_policies = session_policy_names(session, &server->arena, &welcome.policies);
    welcome.verdict_milliseconds = server->configuration->verdict_milliseconds;
    welcome.floor = floor;
    welcome.guarded = session->guard.guarded;
    welcome.held = session->guard.held;
    welcome.flat = session->guard.flat;
    message.body_case = WARDER__V1__DAEMON_MESSAGE__BODY_WELCOME;
    message.welcome = &welcome;
    if (job->message->hello->takes_policy &&
        policy_handout_fill(session, !derived, &handout, descriptors, &count))
        welcome.handout = &handout;
    connection_send(connection, &job->to, &message, descriptors, count);
    if (welcome.handout)
        policy_handout_sent(welcome.handout, descriptors, count);
}

/* The floor that the process is to take, in the server's arena. A forked child has its parent's. */
static bool offer_floor(struct job *job, struct session *session, Warder__V1__Floor **floor,
                        const char **refusal)
{
    const struct session *parent = job->connection->parent;
    struct arena *arena = &job->connection->server->arena;

    *floor = NULL;
    *refusal = "the policy daemon is out of memory";
    arena_reset(arena);
    if (parent)
        return session_floor_inherit(&session->floor, &parent->floor);
    return session_floor_offer(session, arena, floor, refusal);
}

static void after_hello(struct job *job)
{
    struct connection *connection = job->connection;
    struct server *server = connection->server;
    const Warder__V1__Hello *hello = job->message->hello;
    struct run *told = run_find(server, hello->run_token.data, hello->run_token.len);
    struct run *run = connection->run ? connection->run : told ? told : server->private_run;
    struct run *own = connection->run ? connection->run : server->private_run;
    const bool derived = job->to.keyed;
    unsigned char key[SIPHASH_KEY_SIZE];
    unsigned char nonce[NONCE_SIZE];
    struct session_refusal refusal;

    struct wish_list wishes = {.count = 0};

    struct session_plan plan = {
        .number = audit_log_new_session(server->audit),
        .parent = connection->parent ? connection->parent->number : 0,
        .key = key,
        .facts = &job->facts,
        .wishes = &wishes,
        .origin = connection->parent ? connection->parent->origin : NULL,
        .run = own ? own : told,
        .bytes = job->length,
        .attached = connection->parent ? connection->parent->attached
                                       : hello->route == WARDER__V1__HOOK_ROUTE__HOOK_ROUTE_ATTACH,
    };
    if (getrandom(nonce, sizeof(nonce), 0) != sizeof(nonce) ||
        getrandom(key, sizeof(key), 0) != sizeof(key)) {
        send_refusal(job, "the kernel gives no random numbers");
        return;
    }
    if (derived)
        packet_derive_key(job->to.key, hello->nonce.data, nonce, plan.number, key);
    snprintf(refusal.text, sizeof(refusal.text), "%s", SESSION_TOO_MANY_WISHES);
    struct session *session =
        gather_wishes(job, &wishes) ? session_new(server, &plan, &refusal) : NULL;
    wish_list_release(&wishes);
    explicit_bzero(key, sizeof(key));
    if (!session) {
        send_refusal(job, refusal.text);
        return;
    }
    if (own && !own->origin)
        own->origin = origin_hold(session->origin);
    Warder__V1__Floor *floor;
    const char *no_floor;
    if (!offer_floor(job, session, &floor, &no_floor)) {
        session_end(session);
        send_refusal(job, no_floor);
        return;
    }
    connection_finished(connection);
    if (connection->number == 0)
        connection->number = connection_fresh_number();
    session_add_connection(session, connection);
    session_hold(session);
    send_welcome(job, session, floor, nonce, derived);
    keep(session, hello);
    tell_launcher(run ? run->launcher : NULL, session);
    session_release(session);
}

static void send_resumed(struct connection *connection, const struct reply_to *to,
                         const ProtobufCBinaryData *nonce)
{
    Warder__V1__DaemonMessage message = WARDER__V1__DAEMON_MESSAGE__INIT;
    Warder__V1__Resumed resumed = WARDER__V1__RESUMED__INIT;

    resumed.nonce = *nonce;
    resumed.connection = connection->number;
    message.body_case = WARDER__V1__DAEMON_MESSAGE__BODY_RESUMED;
    message.resumed = &resumed;
    connection_send(connection, to, &message, NULL, 0);
}

/* The MAC of a Resume, or of a Hello that a parent vouches for, on a connection that has no number
 * yet. */
static bool is_vouched_for(const unsigned char *key, const struct packet_header *header,
                           const void *body, size_t length)
{
    const struct packet_context context = {.key = key, .direction = TO_DAEMON};
    return packet_is_authentic(&context, header, body, length);
}

/* Gives a session back a connection. The oldest goes where there are as many as there may be:
 * whoever comes back has lost some that were not seen to close. */
static void take_up(struct session *session, struct connection *connection)
{
    while (session_connection_count(session) >= CONNECTIONS_PER_SESSION) {
        struct connection *oldest = session->connections;
        while (oldest->next_of_session)
            oldest = oldest->next_of_session;
        connection_close(oldest);
    }
    connection_finished(connection);
    connection->number = connection_fresh_number();
    session_add_connection(session, connection);
}

static void after_resume(struct job *job)
{
    struct connection *connection = job->connection;
    struct server *server = connection->server;
    const Warder__V1__KeptSession *kept = job->kept;
    struct packet_header header = {.sequence = job->to.sequence};
    struct session_refusal refusal;

    memcpy(header.tag, job->to.tag, sizeof(header.tag));
    if (!is_vouched_for(kept->key.data, &header, job->bytes, job->length)) {
        connection_refuse(connection, "a forged message");
        return;
    }
    job->to.keyed = true;
    memcpy(job->to.key, kept->key.data, sizeof(job->to.key));
    struct session *session = session_find(server, kept->session);
    if (!session) { /* another of its connections may have been quicker */
        struct session_plan plan = {.number = kept->session,
                                    .parent = kept->parent,
                                    .key = kept->key.data,
                                    .facts = &job->facts,
                                    .wishes = &job->kept_wishes,
                                    .origin = job->kept_origin,
                                    .bytes = warder__v1__kept_session__get_packed_size(kept),
                                    .decisions = job->decisions,
                                    .resumed = true,
                                    .attached = kept->attached};
        session = session_new(server, &plan, &refusal);
        if (!session) {
            send_refusal(job, refusal.text);
            return;
        }
        session->resumable = true;
        if (!session_floor_restore(&session->floor, kept)) {
            session_end(session);
            send_refusal(job, "the policy daemon is out of memory");
            return;
        }
    }
    take_up(session, connection);
    send_resumed(connection, &job->to, &job->message->resume->nonce);
}

/* The launcher is under what it launches, and with it all that descends from it. The owner of a
 * private daemon need not be: every session there is of its run. */
static bool bind_launcher(struct connection *connection, struct run *run, bool owner)
{
    struct server *server = connection->server;
    struct identity identity;
    uint64_t start_time;

    if (owner)
        return true;
    if (!identity_of_peer(connection->socket, &identity))
        return false;
    if (identity_start_time(identity.pid, &start_time))
        run->process = subject_process_hold(server, &identity, start_time, connection->account);
    identity_deinit(&identity);
    if (run->process)
        run->process->governed = true;
    return run->process && wish_list_add(&run->process->wishes, run->wishes);
}

static void after_launch(struct job *job)
{
    struct connection *connection = job->connection;
    struct server *server = connection->server;
    Warder__V1__DaemonMessage message = WARDER__V1__DAEMON_MESSAGE__INIT;
    Warder__V1__Launched launched = WARDER__V1__LAUNCHED__INIT;
    const bool control = job->state == STATE_CONTROL;
    char refusal[WISHES_NAME_LENGTH_MAX + 128];
    int door = -1;

    job->missing_policy = wishes_missing_policy(job->wishes, server->generation);
    if (job->missing_policy) {
        /* The launcher has the text elsewhere and asks again, or nothing is run: in neither case is
         * there anything that was refused. */
        snprintf(refusal, sizeof(refusal), WISHES_MISSING_POLICY, job->missing_policy);
        answer_no(job, refusal);
        return;
    }
    const char *no_floor;
    arena_reset(&server->arena);
    if (!run_floor_offer(server, job->wishes, &server->arena, &launched.floor, &no_floor)) {
        send_refusal(job, no_floor);
        return;
    }
    struct run *run = run_new(server, job->wishes, connection);
    job->wishes = NULL;
    struct connection *opened = run && bind_launcher(connection, run, control)
                                    ? connection_hand_out(connection, STATE_DOOR, &door)
                                    : NULL;
    if (!opened) {
        run_release(server, run);
        send_refusal(job, "too many connections, processes or wishes, or out of memory");
        return;
    }
    opened->run = run_hold(run);
    connection->run = run;
    connection_finished(connection);
    connection->state = control ? STATE_CONTROL : STATE_LAUNCHER;
    if (control)
        server->private_run = run;
    launched.run_token = bytes_field(run->token, sizeof(run->token));
    launched.generation = server->generation->number;
    launched.session_socket = text_field(server->configuration->session_socket);
    message.body_case = WARDER__V1__DAEMON_MESSAGE__BODY_LAUNCHED;
    message.launched = &launched;
    connection_send(connection, &job->to, &message, &door, 1);
    close(door);
}

static bool charge_wishes(struct job *job)
{
    struct connection *connection = job->connection;
    struct user_accounts *accounts = &connection->server->accounts;

    for (size_t i = 0; i < job->kept_wishes.count; i++)
        if (!wishes_charge(job->kept_wishes.items[i], accounts, connection->account))
            return false;
    return !job->wishes || wishes_charge(job->wishes, accounts, connection->account);
}

static void after_work(struct queued_work *queued, int status)
{
    struct job *job = (struct job *)queued;
    struct connection *connection = job->connection;
    struct server *server = connection->server;
    struct user_account *account = connection->account;

    loops_enter(server);
    const uint64_t began = uv_hrtime(); /* others' time is not the user's */
    connection->work = NULL;
    if (status < 0 || connection->state != STATE_WAITING || connection->server->stopping) {
        connection_close(connection);
    } else if (job->refusal) {
        send_refusal(job, job->refusal);
    } else if (!charge_wishes(job)) {
        send_refusal(job, "its user has as much memory as one user may have "
                          "(limits.megabytes_per_user)");
    } else if (job->kind == JOB_HELLO) {
        after_hello(job);
    } else if (job->kind == JOB_RESUME) {
        after_resume(job);
    } else {
        after_launch(job);
    }
    job_free(job);
    turns_charge(loops_here(server), account, uv_hrtime() - began);
    loops_leave(server);
}

/* -------------------------------------------------------------------------------------- messages
 */

/* Who is speaking: the peer of a socket that came by path, the sender of a message over one that
 * was handed out. */
static bool find_identity(struct connection *connection, const struct incoming *incoming,
                          struct identity *identity)
{
    if (connection->pid > 0)
        return identity_of_peer(connection->socket, identity);
    return incoming->received->has_credentials &&
           identity_of_sender(incoming->received->pid, incoming->received->uid,
                              incoming->received->gid, identity);
}

/* One that stands for a name alone: nobody serves it, and closing it waits for nobody who does. -1
 * if it is another, which stays where it is. */
static int take_name(struct packet_received *received, int index)
{
    const int descriptor = received->descriptors[index];
    const int flags = fcntl(descriptor, F_GETFL);

    if (flags < 0 || !(flags & O_PATH))
        return -1;
    received->descriptors[index] = -1;
    return descriptor;
}

static void take_descriptors(struct job *job, struct incoming *incoming,
                             const Warder__V1__Hello *hello)
{
    struct packet_received *received = incoming->received;
    int next = 0;

    if (hello->has_executable && next < received->descriptor_count)
        job->executable = take_name(received, next++);
    if (hello->has_directory && next < received->descriptor_count)
        job->directory = take_name(received, next);
}

/* A Hello by path that names a parent must carry the parent's word. Gives the parent's key to the
 * answer. */
static bool adopt_parent(struct connection *connection, const struct incoming *incoming,
                         const Warder__V1__Hello *hello)
{
    if (hello->parent == 0 || connection->state != STATE_NEW)
        return true;
    struct session *parent = session_find(connection->server, hello->parent);
    if (!parent ||
        !is_vouched_for(parent->key, &incoming->header, incoming->body, incoming->length))
        return false;
    session_hold(parent);
    connection->parent = parent;
    connection->keyed = true;
    memcpy(connection->key, parent->key, sizeof(connection->key));
    return true;
}

/* A private daemon is for its owner's processes, and for those of other users that descend from its
 * run: they have its token, or a parent that speaks for them. */
static bool is_stranger(const struct connection *connection, const struct identity *identity,
                        const Warder__V1__Hello *hello)
{
    struct server *server = connection->server;

    return server->is_private && connection->state == STATE_NEW && !connection->parent &&
           identity->uid != geteuid() &&
           !run_find(server, hello->run_token.data, hello->run_token.len);
}

void handshake_hello(struct connection *connection, struct incoming *incoming)
{
    const Warder__V1__Hello *hello = incoming->message->hello;

    if (hello->protocol != PROTOCOL_VERSION || hello->nonce.len != NONCE_SIZE) {
        connection_refuse(connection, "a Hello of another protocol version");
        return;
    }
    if (!adopt_parent(connection, incoming, hello)) {
        connection_refuse(connection, "a child of a session that did not send it");
        return;
    }
    struct job *job = job_new(connection, incoming, JOB_HELLO);
    if (!job) {
        connection_refuse(connection, no_memory);
        return;
    }
    take_descriptors(job, incoming, hello);
    if (!find_identity(connection, incoming, &job->facts.identity) ||
        (connection->parent &&
         !session_facts_copy_places(&job->facts, &connection->parent->facts))) {
        connection_refuse(connection, "a Hello from a process that cannot be identified");
        job_free(job);
        return;
    }
    if (is_stranger(connection, &job->facts.identity, hello)) {
        connection_refuse(connection,
                          "a Hello from another user's process, which is of no run here");
        job_free(job);
        return;
    }
    if (connection->pid > 0)
        job_ask_groups(job);
    job_start(job, after_work);
}

void handshake_resume(struct connection *connection, struct incoming *incoming)
{
    const Warder__V1__Resume *resume = incoming->message->resume;
    struct server *server = connection->server;
    struct session *session = session_find(server, resume->session);

    if (resume->nonce.len != NONCE_SIZE) {
        connection_refuse(connection, "a Resume without a nonce");
        return;
    }
    if (session) {
        if (!is_vouched_for(session->key, &incoming->header, incoming->body, incoming->length) ||
            connection->pid != session->facts.identity.pid) {
            connection_refuse(connection, "a forged message");
            return;
        }
        struct reply_to to = connection_reply_to(connection, incoming);
        to.keyed = true;
        memcpy(to.key, session->key, sizeof(to.key));
        take_up(session, connection);
        send_resumed(connection, &to, &resume->nonce);
        return;
    }
    struct job *job = server->is_private ? NULL : job_new(connection, incoming, JOB_RESUME);
    if (!job || !find_identity(connection, incoming, &job->facts.identity)) {
        connection_refuse(connection, "a Resume of a session that has ended");
        if (job)
            job_free(job);
        return;
    }
    job_ask_groups(job);
    job_start(job, after_work);
}

void handshake_launch(struct connection *connection, struct incoming *incoming)
{
    if (incoming->message->launch->protocol != PROTOCOL_VERSION) {
        connection_refuse(connection, "a Launch of another protocol version");
        return;
    }
    if (connection->run) {
        connection_refuse(connection, "a second Launch");
        return;
    }
    if (connection->server->is_private && connection->state == STATE_NEW &&
        connection->account->uid != geteuid()) {
        connection_refuse(connection, "a Launch of another user's");
        return;
    }
    struct job *job = job_new(connection, incoming, JOB_LAUNCH);
    if (!job)
        connection_refuse(connection, no_memory);
    else
        job_start(job, after_work);
}
