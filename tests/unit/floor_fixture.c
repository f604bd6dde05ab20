#define _GNU_SOURCE
#include "floor_fixture.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

void example_init(struct example *example, uint32_t classes)
{
    *example = (struct example){.floor = WARDER__V1__FLOOR__INIT};
    example->floor.classes = classes;
    example->floor.paths = example->pointers;
    example->floor.any_connect_port = example->floor.any_bind_port = true;
}

void example_path(struct example *example, const char *path, uint32_t classes)
{
    Warder__V1__FloorPath *message = &example->paths[example->floor.n_paths];

    assert_true(example->floor.n_paths < PATHS_MAX);
    warder__v1__floor_path__init(message);
    message->path = text_field(path);
    message->classes = classes;
    example->pointers[example->floor.n_paths++] = message;
}

ProtobufCBinaryData one_call_filter(struct one_call_filter *filter, unsigned call, int error)
{
    const struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    memcpy(filter->program, program, sizeof(program));
    return bytes_field(filter->program, sizeof(filter->program));
}

void in_child(void (*part)(void *), void *data)
{
    int status;
    fflush(NULL);
    const pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(30);
        part(data);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

struct floor_taken take_at(const struct example *example, enum floor_stage stage, int abi)
{
    const struct floor_terms terms = {.stage = stage, .landlock_abi = abi};
    struct floor_taken taken;
    struct floor_failure failure = {.text = ""};

    if (!floor_take(&example->floor, &terms, &taken, &failure)) {
        fprintf(stderr, "%s\n", failure.text);
        _exit(1);
    }
    return taken;
}

struct floor_taken take(const struct example *example)
{
    return take_at(example, FLOOR_INTERPRETER, landlock_kernel_abi());
}

long raw_open(const char *path, int flags)
{
    const long file = syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
    const int error = errno;
    if (file >= 0)
        close((int)file);
    errno = error;
    return file;
}

void places_make(struct places *places)
{
    char path[128];

    snprintf(places->root, sizeof(places->root), "/tmp/warder-floor-XXXXXX");
    assert_non_null(mkdtemp(places->root));
    snprintf(places->in, sizeof(places->in), "%s/in", places->root);
    snprintf(places->out, sizeof(places->out), "%s/out", places->root);
    for (int i = 0; i < 2; i++) {
        const char *place = i ? places->out : places->in;
        assert_int_equal(mkdir(place, 0700), 0);
        snprintf(path, sizeof(path), "%s/file", place);
        const int file = open(path, O_WRONLY | O_CREAT, 0600);
        assert_int_equal(write(file, "as it was", 9), 9);
        close(file);
    }
}

void places_remove(const struct places *places)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -r '%s'", places->root);
    /* The names in it are this fixture's own. NOLINTNEXTLINE(cert-env33-c) */
    assert_int_equal(system(command), 0);
}

bool kernel_has(int abi)
{
    if (landlock_kernel_abi() >= abi)
        return true;
    print_message("skipped: the kernel's Landlock has ABI %d, and this is of ABI %d\n",
                  landlock_kernel_abi(), abi);
    return false;
}
