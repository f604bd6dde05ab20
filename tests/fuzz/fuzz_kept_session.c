/* Any file where the daemon keeps a session: it is none, or one that can be taken up as a Resume
 * does; and the start of a daemon survives it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/session/kept_session.h"
#include "daemon/session/session.h"
#include "daemon/session/session_facts.h"

enum {
    NUMBER = 1, /* of the session that is asked for */
    ARENA_SIZE = KEPT_SESSION_SIZE_MAX + MESSAGE_ARENA_SIZE,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char directory[64];

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* The directory is in memory where there is such a file system; it goes with the process. */
static void remove_directory(void)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/sessions/%x", directory, NUMBER);
    unlink(path);
    snprintf(path, sizeof(path), "%s/sessions", directory);
    rmdir(path);
    rmdir(directory);
}

static void make_directory(void)
{
    char path[128];

    if (directory[0])
        return;
    snprintf(directory, sizeof(directory), "%s/warder-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    require(mkdtemp(directory) != NULL);
    snprintf(path, sizeof(path), "%s/sessions", directory);
    require(mkdir(path, S_IRWXU) == 0);
    atexit(remove_directory);
}

static void seen(void *context, const Warder__V1__KeptSession *kept)
{
    require(context == NULL && kept != NULL);
}

static void take_up(const Warder__V1__KeptSession *kept, struct arena *arena)
{
    struct session_facts facts = {
        .identity = {.pid = getpid(), .uid = getuid(), .gid = getgid(), .pidfd = -1}};
    const struct facts_source source = {.executable = -1,
                                        .directory = -1,
                                        .executable_path = field_text(arena, &kept->executable),
                                        .directory_path = field_text(arena, &kept->directory)};
    const char *refusal = NULL;
    char *words = NULL;

    if (kept->hello && !session_facts_learn(&facts, kept->hello, &source, &refusal))
        require(refusal != NULL);
    session_facts_deinit(&facts);
    for (size_t i = 0; i < kept->n_wishes; i++) {
        wishes_release(wishes_new(kept->wishes[i], &words));
        free(words);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static _Alignas(max_align_t) unsigned char memory[ARENA_SIZE];
    char socket[128];
    char path[160];
    uint64_t highest = UINT64_MAX;
    struct arena arena;

    make_directory();
    snprintf(socket, sizeof(socket), "%s/session.sock", directory);
    snprintf(path, sizeof(path), "%s/sessions/%x", directory, NUMBER);
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    require(file >= 0 && (size == 0 || write(file, data, size) == (ssize_t)size));
    close(file);

    arena_init(&arena, memory, sizeof(memory));
    const Warder__V1__KeptSession *kept = kept_session_read(socket, NUMBER, &arena);
    if (kept) {
        require(kept->session == NUMBER && kept->key.len == SIPHASH_KEY_SIZE);
        take_up(kept, &arena);
    }
    require(kept_sessions_clean(socket, seen, NULL, &highest) == 0);
    require(highest == 0 || access(path, F_OK) == 0);
    return 0;
}
