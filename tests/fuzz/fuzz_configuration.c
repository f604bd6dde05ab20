/* Any file as a configuration: it is taken, or refused with words that name the file; what is taken
 * keeps its bounds. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/configuration.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool is_terminated(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct configuration configuration;
    char path[64];
    char error[512] = "";
    const int file = memfd_create("fuzz.toml", MFD_CLOEXEC);

    require(file >= 0 && (size == 0 || write(file, data, size) == (ssize_t)size));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    configuration_defaults(&configuration);
    if (!configuration_read(&configuration, path, error, sizeof(error))) {
        require(is_terminated(error, sizeof(error)));
        require(strncmp(error, path, strlen(path)) == 0);
    } else {
        require(is_terminated(configuration.state_directory, CONFIGURATION_PATH_MAX));
        require(is_terminated(configuration.session_socket, CONFIGURATION_PATH_MAX));
        require(is_terminated(configuration.admin_socket, CONFIGURATION_PATH_MAX));
        require(is_terminated(configuration.user, sizeof(configuration.user)));
        require(configuration.sessions_per_user > 0 && configuration.connections_per_user > 0 &&
                configuration.unfinished_per_user > 0);
        require(configuration.verdict_milliseconds >= 100);
        require(configuration.loop_threads >= 1 &&
                configuration.loop_threads <= CONFIGURATION_LOOPS_MAX);
    }
    close(file);
    return 0;
}
