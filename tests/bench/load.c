/* Clients of a daemon, or of an echo server that stands in its place.
 *
 *     load daemon|echo SOCKET CLIENTS MILLISECONDS     each asks as soon as it is answered
 *     load idle SOCKET SESSIONS                        one process each, that says Hello and waits
 *     load beside SOCKET FLOODS QUESTIONS              one that asks now and then beside floods
 *
 * All clients of `daemon` and `echo` are in one process and one epoll loop, with a session each,
 * and do the same work for both: the request is the packet of an Ask with its MAC. Prints one line
 * of JSON. `idle` prints "ready" once all sessions are there, and ends them when its standard input
 * ends. In `beside`, the floods are in one process of their own and keep as many requests under way
 * as the socket takes. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "policies/engine/vocabulary.h"
#include "proto/message.h"
#include "proto/packet.h"

enum {
    SAMPLES_MAX = 4 * 1024 * 1024,
    CLIENTS_MAX = 8192,
    EVENTS_MAX = 512,
    QUIET_MICROSECONDS = 500, /* between two questions of the one that is not in a hurry */
    ONE_USERS_MAX = 4000,     /* of idle sessions: no user may have most of the descriptors */
    ANOTHER_USER = 65534,     /* nobody */
    UNDER_WAY_MAX = 64,       /* requests of a flood: who leaves its answers unread is closed */
};

static const char path[] = "/usr/lib/python3.11/site-packages/example/__init__.py";
static unsigned char buffer[PACKET_SIZE_MAX];
static unsigned char question[4096]; /* the body of an Ask */
static size_t question_size;
static uint32_t *samples;
static size_t sample_count;
static size_t reply_size; /* of the last reply */

struct client {
    int socket;
    bool keyed;
    unsigned char key[SIPHASH_KEY_SIZE];
    uint64_t number;
    uint64_t sequence;
    uint64_t asked; /* when */
};

static int told_of_failure = -1; /* a pipe, of a process that somebody waits for */

static void fail(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    if (told_of_failure >= 0 && write(told_of_failure, "!", 1) != 1)
        perror("load");
    exit(1);
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

/* ------------------------------------------------------------------------------------ the protocol
 */

static void pack_question(void)
{
    Warder__V1__Value values[] = {WARDER__V1__VALUE__INIT, WARDER__V1__VALUE__INIT,
                                  WARDER__V1__VALUE__INIT};
    Warder__V1__Value *arguments[] = {&values[0], &values[1], &values[2]};
    Warder__V1__Value text = WARDER__V1__VALUE__INIT;
    Warder__V1__Value *attribute_values[] = {&text};
    Warder__V1__Attribute attribute = WARDER__V1__ATTRIBUTE__INIT;
    Warder__V1__Attribute *attributes[] = {&attribute};
    Warder__V1__Operation operation = WARDER__V1__OPERATION__INIT;
    Warder__V1__Operation *operations[] = {&operation};
    Warder__V1__Event event = WARDER__V1__EVENT__INIT;
    Warder__V1__Ask ask = WARDER__V1__ASK__INIT;
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;

    text.kind = WARDER__V1__VALUE_KIND__VALUE_KIND_TEXT;
    text.bytes = text_field(path);
    values[0] = text;
    values[1] = text;
    values[1].bytes = text_field("r");
    values[2].kind = WARDER__V1__VALUE_KIND__VALUE_KIND_INT;
    values[2].integer = O_RDONLY | O_CLOEXEC;
    attribute.name = ATTRIBUTE_PATH;
    attribute.n_value = 1;
    attribute.value = attribute_values;
    attribute.resolved = text_field(path);
    attribute.resolved_known = true;
    operation.operation_class = WARDER__V1__OPERATION_CLASS__OPERATION_CLASS_READ;
    operation.n_attributes = 1;
    operation.attributes = attributes;
    event.name = text_field("open");
    event.argument_count = 3;
    event.n_arguments = 3;
    event.arguments = arguments;
    event.n_operations = 1;
    event.operations = operations;
    ask.event = &event;
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_ASK;
    message.ask = &ask;
    question_size = warder__v1__client_message__get_packed_size(&message);
    if (question_size > sizeof(question))
        fail("the question is too long");
    warder__v1__client_message__pack(&message, question);
}

static bool send_body(struct client *client, const void *body, size_t length, int flags)
{
    unsigned char packet[PACKET_HEADER_SIZE + sizeof(question)];
    struct packet_header header = {.sequence = client->sequence + 1};
    const struct packet_context context = {
        .key = client->key, .direction = TO_DAEMON, .connection = client->number};

    packet_tag(&context, &header, body, length, header.tag);
    if (!client->keyed)
        memset(header.tag, 0, sizeof(header.tag));
    packet_header_write(packet, &header);
    memcpy(packet + PACKET_HEADER_SIZE, body, length);
    if (send(client->socket, packet, PACKET_HEADER_SIZE + length, flags | MSG_NOSIGNAL) < 0)
        return false;
    client->sequence++;
    return true;
}

static void connect_to(struct client *client, const char *socket_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
    *client = (struct client){.socket = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
    if (client->socket < 0 ||
        connect(client->socket, (struct sockaddr *)&address, sizeof(address)) < 0)
        fail(socket_path);
}

static const Warder__V1__DaemonMessage *receive(struct client *client, struct arena *arena)
{
    static unsigned char memory[MESSAGE_ARENA_SIZE];
    const ssize_t length = recv(client->socket, buffer, sizeof(buffer), 0);

    if (length < PACKET_HEADER_SIZE)
        fail("the daemon has closed a connection");
    arena_init(arena, memory, sizeof(memory));
    const Warder__V1__DaemonMessage *message = daemon_message_decode(
        arena, buffer + PACKET_HEADER_SIZE, (size_t)length - PACKET_HEADER_SIZE);
    if (!message)
        fail("an answer that does not decode");
    return message;
}

static Warder__V1__PlacePaths *places(void)
{
    static char *texts[] = {"/usr/lib/python3.11", "/usr/lib/python3.11/lib-dynload",
                            "/usr/lib/python3/dist-packages", "/usr/local/lib/python3.11"};
    static ProtobufCBinaryData paths[4];
    static Warder__V1__PlacePaths place = WARDER__V1__PLACE_PATHS__INIT;

    for (int i = 0; i < 4; i++)
        paths[i] = text_field(texts[i]);
    place.n_paths = 4;
    place.paths = paths;
    return &place;
}

/* As an interpreter would. */
static void say_hello(struct client *client)
{
    static char *arguments[] = {"python3", "-m", "example.server", "--port", "8080"};
    ProtobufCBinaryData argv[5];
    Warder__V1__PlacePaths *some[] = {places()};
    Warder__V1__Hello hello = WARDER__V1__HELLO__INIT;
    Warder__V1__ClientMessage message = WARDER__V1__CLIENT_MESSAGE__INIT;
    unsigned char body[4096];
    struct arena arena;

    for (int i = 0; i < 5; i++)
        argv[i] = text_field(arguments[i]);
    hello.protocol = 1;
    hello.hook_version = text_field("bench");
    hello.python_version = text_field("3.11.2");
    hello.route = WARDER__V1__HOOK_ROUTE__HOOK_ROUTE_PRELOAD;
    hello.n_argv = 5;
    hello.argv = argv;
    hello.script = text_field("/usr/lib/python3/dist-packages/example/server.py");
    hello.n_places = 1;
    hello.places = some;
    hello.nonce = bytes_field(buffer, NONCE_SIZE);
    message.body_case = WARDER__V1__CLIENT_MESSAGE__BODY_HELLO;
    message.hello = &hello;
    const size_t length = warder__v1__client_message__pack(&message, body);
    if (!send_body(client, body, length, 0))
        fail("Hello");
    const Warder__V1__DaemonMessage *reply = receive(client, &arena);
    if (reply->body_case == WARDER__V1__DAEMON_MESSAGE__BODY_REFUSED)
        fprintf(stderr, "load: %.*s\n", (int)reply->refused->reason.len,
                field_bytes(&reply->refused->reason));
    if (reply->body_case != WARDER__V1__DAEMON_MESSAGE__BODY_WELCOME ||
        reply->welcome->key.len != sizeof(client->key))
        fail("no Welcome came");
    memcpy(client->key, reply->welcome->key.data, sizeof(client->key));
    client->number = reply->welcome->connection;
    client->keyed = true;
}

static void ask(struct client *client)
{
    client->asked = now();
    if (!send_body(client, question, question_size, 0))
        fail("a question");
}

/* The first answer must allow; the others must be as long, but for the number of the decision. */
static void take_answer(struct client *client, bool of_daemon)
{
    const ssize_t length = recv(client->socket, buffer, sizeof(buffer), 0);
    struct arena arena;
    static unsigned char memory[64 * 1024];

    if (length <= 0)
        fail("a connection was closed");
    if (of_daemon && reply_size == 0) {
        arena_init(&arena, memory, sizeof(memory));
        const Warder__V1__DaemonMessage *message = daemon_message_decode(
            &arena, buffer + PACKET_HEADER_SIZE, (size_t)length - PACKET_HEADER_SIZE);
        if (!message || message->body_case != WARDER__V1__DAEMON_MESSAGE__BODY_VERDICT ||
            message->verdict->outcome != WARDER__V1__OUTCOME__OUTCOME_ALLOW)
            fail("the daemon did not allow");
        reply_size = (size_t)length;
    }
    if (of_daemon && ((size_t)length < reply_size || (size_t)length > reply_size + 9))
        fail("an answer of another length");
    if (!of_daemon)
        reply_size = (size_t)length;
}

/* ---------------------------------------------------------------------------------- measurements
 */

static int compare(const void *left, const void *right)
{
    const uint32_t a = *(const uint32_t *)left;
    const uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static void sample(uint64_t nanoseconds)
{
    if (sample_count < SAMPLES_MAX)
        samples[sample_count++] = nanoseconds < UINT32_MAX ? (uint32_t)nanoseconds : UINT32_MAX;
}

static void report(uint64_t elapsed, uint64_t answers)
{
    if (sample_count == 0)
        fail("nothing was answered");
    qsort(samples, sample_count, sizeof(*samples), compare);
    const uint32_t median = samples[sample_count / 2];
    const uint32_t last = samples[sample_count * 99 / 100];
    printf("{\"answers\": %llu, \"seconds\": %.6f, \"per_second\": %.1f, \"median_us\": %.2f, "
           "\"p99_us\": %.2f, \"request_bytes\": %zu, \"reply_bytes\": %zu}\n",
           (unsigned long long)answers, (double)elapsed / 1e9,
           (double)answers * 1e9 / (double)elapsed, median / 1e3, last / 1e3,
           PACKET_HEADER_SIZE + question_size, reply_size);
}

static void measure_rate(const char *socket_path, int count, long milliseconds, bool of_daemon)
{
    struct client *clients = calloc((size_t)count, sizeof(*clients));
    struct epoll_event events[EVENTS_MAX];
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    uint64_t answers = 0;

    for (int i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &clients[i]};
        connect_to(&clients[i], socket_path);
        if (of_daemon)
            say_hello(&clients[i]);
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].socket, &event) < 0)
            fail("epoll_ctl");
    }
    const uint64_t warm = now() + UINT64_C(50) * 1000000;
    uint64_t began = 0;
    uint64_t end = UINT64_MAX;
    for (int i = 0; i < count; i++)
        ask(&clients[i]);
    for (;;) {
        const int ready = epoll_wait(epoll, events, EVENTS_MAX, -1);
        for (int i = 0; i < ready; i++) {
            struct client *client = events[i].data.ptr;
            take_answer(client, of_daemon);
            if (began) {
                sample(now() - client->asked);
                answers++;
            }
            ask(client);
        }
        const uint64_t at = now();
        if (!began && at >= warm) {
            began = at;
            end = at + (uint64_t)milliseconds * 1000000;
        }
        if (at >= end)
            break;
    }
    report(now() - began, answers);
}

/* A session in each of so many processes. They end when `until` does. */
static void keep_idle(const char *socket_path, int count)
{
    int until[2];
    int ready[2];
    char byte;

    if (pipe(until) < 0 || pipe(ready) < 0)
        fail("pipe");
    for (int i = 0; i < count; i++) {
        const pid_t child = fork();
        if (child < 0)
            fail("fork");
        if (child == 0) {
            struct client client;
            close(until[1]);
            told_of_failure = ready[1];
            if (i >= ONE_USERS_MAX && geteuid() == 0 &&
                setresuid(ANOTHER_USER, ANOTHER_USER, ANOTHER_USER) < 0)
                fail("setresuid");
            connect_to(&client, socket_path);
            say_hello(&client);
            if (write(ready[1], "", 1) != 1)
                _exit(1);
            while (read(until[0], &byte, 1) > 0)
                ;
            _exit(0);
        }
        if (read(ready[0], &byte, 1) != 1 || byte != '\0')
            fail("a session");
    }
    puts("ready");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    close(until[1]);
    while (wait(NULL) > 0)
        ;
}

/* Keeps sending, and throws away what comes. */
static void flood(const char *socket_path, int count, int ready)
{
    struct client *clients = calloc((size_t)count, sizeof(*clients));
    struct pollfd *polls = calloc((size_t)count, sizeof(*polls));
    int *under_way = calloc((size_t)count, sizeof(*under_way));

    for (int i = 0; i < count; i++) {
        connect_to(&clients[i], socket_path);
        say_hello(&clients[i]);
        polls[i] = (struct pollfd){.fd = clients[i].socket, .events = POLLIN};
    }
    if (write(ready, "", 1) != 1)
        _exit(1);
    for (;;) {
        for (int i = 0; i < count; i++) {
            ssize_t length;
            while ((length = recv(polls[i].fd, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0)
                under_way[i]--;
            while (under_way[i] < UNDER_WAY_MAX &&
                   send_body(&clients[i], question, question_size, MSG_DONTWAIT))
                under_way[i]++;
            if (length == 0 || (under_way[i] < UNDER_WAY_MAX && errno != EAGAIN))
                _exit(1); /* the daemon does not want it any more */
        }
        poll(polls, (nfds_t)count, -1);
    }
}

static void measure_beside(const char *socket_path, int floods, int questions)
{
    struct client client;
    int ready[2];
    char byte;

    connect_to(&client, socket_path);
    say_hello(&client);
    if (pipe(ready) < 0)
        fail("pipe");
    const pid_t child = floods > 0 ? fork() : 0;
    if (floods > 0 && child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        flood(socket_path, floods, ready[1]);
    }
    if (floods > 0 && read(ready[0], &byte, 1) != 1)
        fail("the floods");
    const uint64_t began = now();
    for (int i = 0; i < questions; i++) {
        ask(&client);
        take_answer(&client, true);
        sample(now() - client.asked);
        usleep(QUIET_MICROSECONDS);
    }
    const uint64_t elapsed = now() - began;
    if (floods > 0) {
        if (waitpid(child, NULL, WNOHANG) != 0)
            fail("the floods ended early");
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    report(elapsed, (uint64_t)questions);
}

int main(int argc, char **argv)
{
    struct rlimit limit;

    if (argc < 4)
        return 2;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    samples = malloc(SAMPLES_MAX * sizeof(*samples));
    const int count = (int)strtol(argv[3], NULL, 10);
    const long more = argc > 4 ? strtol(argv[4], NULL, 10) : 0;
    if (!samples || count < 0 || count > CLIENTS_MAX)
        return 2;
    pack_question();
    if (strcmp(argv[1], "idle") == 0)
        keep_idle(argv[2], count);
    else if (strcmp(argv[1], "beside") == 0 && more > 0)
        measure_beside(argv[2], count, (int)more);
    else if (count > 0 && more > 0)
        measure_rate(argv[2], count, more, strcmp(argv[1], "daemon") == 0);
    else
        return 2;
    return 0;
}
