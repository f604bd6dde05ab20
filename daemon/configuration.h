/* The daemon's settings: built-in values, then the configuration file, then the command line.
 *
 * Read once, before the first untrusted byte. The file is TOML; a key that is not known or of the
 * wrong type is an error with its place, never ignored. */
#ifndef WARDER_DAEMON_CONFIGURATION_H
#define WARDER_DAEMON_CONFIGURATION_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    CONFIGURATION_PATH_MAX = 4096,
    CONFIGURATION_LOOPS_MAX = 16,
};

struct configuration {
    char state_directory[CONFIGURATION_PATH_MAX];
    char session_socket[CONFIGURATION_PATH_MAX];
    char admin_socket[CONFIGURATION_PATH_MAX]; /* "": none */
    char user[64];                             /* to become once sockets listen; "": stay */
    bool settle_in_process;    /* interpreters judge for themselves what is allowed */
    unsigned loop_threads;     /* that sessions are spread over, 1 to CONFIGURATION_LOOPS_MAX */
    bool record_all;           /* every decision, not denials and `log` rules alone */
    unsigned record_megabytes; /* audit.db is kept below this; 0: without end */
    unsigned sessions_per_user;
    unsigned connections_per_user;
    unsigned unfinished_per_user;      /* connections that have not said Hello yet */
    unsigned megabytes_per_user;       /* of memory, for what sessions say of themselves */
    unsigned queue_megabytes_per_user; /* of records that wait for the disk */
    unsigned verdict_milliseconds;     /* how long hooks wait for a verdict */
};

void configuration_defaults(struct configuration *configuration);

/* What is wrong with a path of the file or of the command line, in words that follow its name: it
 * is absolute, and so long at most as the system takes it, a socket's shorter. NULL: nothing is. */
const char *configuration_path_problem(const char *path, bool is_socket);

/* What is wrong with an opened configuration file, in words that follow its name: others than the
 * daemon's user, and root, could change it. NULL: nothing is. */
const char *configuration_owner_problem(int file);

/* Applies a file. False if it cannot be read or is wrong: `error` says where and what. */
bool configuration_read(struct configuration *configuration, const char *path, char *error,
                        size_t size);

#ifdef __cplusplus
}
#endif

#endif
