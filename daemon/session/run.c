#define _GNU_SOURCE
#include "daemon/session/run.h"

#include <stdlib.h>
#include <sys/random.h>

#include "daemon/session/subject_process.h"

struct run *run_new(struct server *server, struct wishes *wishes, struct connection *launcher)
{
    struct run *run = calloc(1, sizeof(*run));

    if (!run || getrandom(run->token, sizeof(run->token), 0) != sizeof(run->token)) {
        free(run);
        wishes_release(wishes);
        return NULL;
    }
    run->wishes = wishes;
    run->launcher = launcher;
    run->references = 1;
    HASH_ADD(hh, server->runs, token, sizeof(run->token), run);
    return run;
}

struct run *run_hold(struct run *run)
{
    run->references++;
    return run;
}

void run_release(struct server *server, struct run *run)
{
    if (!run || --run->references > 0)
        return;
    HASH_DEL(server->runs, run);
    subject_process_release(run->process);
    if (server->private_run == run)
        server->private_run = NULL;
    wishes_release(run->wishes);
    origin_release(run->origin);
    free(run);
}

struct run *run_find(struct server *server, const void *token, size_t size)
{
    struct run *run = NULL;
    if (size == RUN_TOKEN_SIZE)
        HASH_FIND(hh, server->runs, token, RUN_TOKEN_SIZE, run);
    return run;
}
