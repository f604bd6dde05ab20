/*
 * What a ctest entry of a system test calls: asks the server of its build (../server.py) to run it.
 *
 *     run_test PYTHON SERVER DIRECTORY OPTION...
 *
 * SERVER is started with PYTHON where none answers in DIRECTORY. Exit status: that of the test
 * (run.py); 1 if the server is gone before it has one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

extern char **environ;

/* As in server.py. */
enum { LISTENER = 3, REQUEST_MAX = 192 * 1024 };

static void fail(const char *what)
{
    fprintf(stderr, "run_test: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ------------------------------------------------------------------------------------------------
 */

/* Becomes the server. It lives longer than what started it: of its descriptors only the listener
 * goes along. */
static void become_server(int listener, char *python, char *server, char *directory)
{
    if (setsid() < 0 || dup2(listener, LISTENER) < 0)
        _exit(1);
    if (listener != LISTENER)
        close(listener);
    int said = open("test-server.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (said < 0 || nothing < 0 || dup2(nothing, 0) < 0 || dup2(said, 1) < 0 || dup2(said, 2) < 0)
        _exit(1);
    close_range((unsigned)LISTENER + 1, ~0u, 0);
    execl(python, python, "-S", server, directory, (char *)NULL);
    _exit(1);
}

static void start_server(const struct sockaddr_un *address, char **words)
{
    unlink(address->sun_path);
    int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    if (listener < 0 || bind(listener, (const struct sockaddr *)address, sizeof *address) ||
        listen(listener, 64))
        fail("a socket for the server");
    pid_t child = fork();
    if (child < 0)
        fail("a process for the server");
    if (child == 0)
        become_server(listener, words[0], words[1], words[2]);
    close(listener);
}

/* A connection to the server. Under a lock, so that one of those that come at once starts it, and
 * it ends for none. */
static int connect_server(char **words)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "test-server.sock"};
    int lock = open("test-server.lock", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (lock < 0 || flock(lock, LOCK_EX))
        fail("the lock of the server");
    int connection = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (connection < 0)
        fail("a socket");
    if (connect(connection, (struct sockaddr *)&address, sizeof address)) {
        start_server(&address, words);
        if (connect(connection, (struct sockaddr *)&address, sizeof address))
            fail("the server");
    }
    close(lock);
    return connection;
}

/* ------------------------------------------------------------------------------------------------
 */

static char request[REQUEST_MAX];
static size_t used;

static void add(const char *text)
{
    size_t size = strlen(text) + 1;
    if (size > sizeof request - used) {
        errno = E2BIG;
        fail("arguments and environment");
    }
    memcpy(request + used, text, size);
    used += size;
}

/* Our directory, how many options there are, the options, the environment; and descriptors 0, 1
 * and 2. */
static void send_request(int connection, const char *directory, int count, char **options)
{
    char number[16];
    snprintf(number, sizeof number, "%d", count);
    add(directory);
    add(number);
    for (int i = 0; i < count; i++)
        add(options[i]);
    for (char **variable = environ; *variable; variable++)
        add(*variable);

    const int descriptors[] = {0, 1, 2};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof descriptors)];
    } control = {0};
    struct iovec text = {request, used};
    struct msghdr message = {.msg_iov = &text,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof descriptors);
    memcpy(CMSG_DATA(header), descriptors, sizeof descriptors);
    if (sendmsg(connection, &message, MSG_NOSIGNAL) < 0)
        fail("the request");
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: run_test PYTHON SERVER DIRECTORY OPTION...\n");
        return 1;
    }
    char *directory = getcwd(NULL, 0);
    if (!directory || chdir(argv[3]))
        fail(argv[3]);
    int connection = connect_server(argv + 1);
    send_request(connection, directory, argc - 4, argv + 4);
    free(directory);
    unsigned char status;
    if (recv(connection, &status, 1, 0) != 1) {
        fprintf(stderr,
                "run_test: the server ended before the test did; test-server.log says why\n");
        return 1;
    }
    return status;
}
