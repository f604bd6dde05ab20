/* The simplest server that Deno's permission broker can have: allows whatever it is asked.
 *
 *     broker SOCKET
 *
 * A question is a line of JSON with a number in it, {"v":1,...,"id":7,...}, and the answer another:
 * {"id":7,"result":"allow"}. Prints "ready" and serves one client after another until it is ended.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 64 * 1024 };

static void serve(int client)
{
    static char question[LINE_MAX_BYTES + 1];
    char answer[64];
    size_t used = 0;

    for (;;) {
        const ssize_t size = read(client, question + used, LINE_MAX_BYTES - used);
        if (size <= 0)
            return;
        used += (size_t)size;
        question[used] = '\0';
        if (used == LINE_MAX_BYTES || !strchr(question, '\n'))
            continue; /* the rest of the line is to come, or none that anybody reads */
        const char *number = strstr(question, "\"id\":");
        const int length = snprintf(answer, sizeof(answer), "{\"id\":%lu,\"result\":\"allow\"}\n",
                                    number ? strtoul(number + 5, NULL, 10) : 0);
        if (write(client, answer, (size_t)length) != length)
            return;
        used = 0;
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path) || listener < 0)
        return 2;
    strcpy(address.sun_path, argv[1]);
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(listener, 16) < 0) {
        perror(argv[1]);
        return 2;
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        const int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (client < 0)
            return 2;
        serve(client);
        close(client);
    }
}
