/* Floors as the kernel at hand holds them: each is taken in a child of its own, by what a daemon
 * could have sent, and tried by bare system calls. */
#define _GNU_SOURCE
#include "floor_fixture.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "client/floor/floor_seccomp.h"

/* ------------------------------------------------------------------------------------------- files
 */

static void try_writing(void *data)
{
    const struct places *places = data;
    struct example example;
    char in[160];
    char out[160];
    char other[160];

    example_init(&example, CLASS(WRITE));
    example_path(&example, places->in, CLASS(WRITE));
    const struct floor_taken taken = take(&example);
    CHECK(taken.absent == 0);
    snprintf(in, sizeof(in), "%s/file", places->in);
    snprintf(out, sizeof(out), "%s/file", places->out);
    snprintf(other, sizeof(other), "%s/new", places->out);
    CHECK(raw_open(in, O_WRONLY) >= 0);
    CHECK(raw_open(out, O_RDONLY) >= 0);
    CHECK_ERROR(raw_open(out, O_WRONLY), EACCES);
    CHECK_ERROR(raw_open(out, O_RDWR), EACCES);
    CHECK_ERROR(raw_open(other, O_WRONLY | O_CREAT), EACCES);
    CHECK_ERROR(syscall(SYS_mkdirat, AT_FDCWD, other, 0700), EACCES);
    CHECK_ERROR(syscall(SYS_mknodat, AT_FDCWD, other, S_IFIFO | 0600, 0), EACCES);
    CHECK_ERROR(syscall(SYS_symlinkat, "x", AT_FDCWD, other), EACCES);
    CHECK_ERROR(syscall(SYS_unlinkat, AT_FDCWD, out, 0), EACCES);
    CHECK_ERROR(syscall(SYS_unlinkat, AT_FDCWD, places->out, AT_REMOVEDIR), EACCES);
    /* To another directory, in and out. */
    CHECK(syscall(SYS_renameat2, AT_FDCWD, in, AT_FDCWD, other, 0) < 0);
    CHECK(errno == EXDEV || errno == EACCES);
    snprintf(other, sizeof(other), "%s/new", places->in);
    CHECK(syscall(SYS_linkat, AT_FDCWD, out, AT_FDCWD, other, 0) < 0);
    CHECK(errno == EXDEV || errno == EACCES);
    if (landlock_kernel_abi() >= LANDLOCK_ABI_TRUNCATE) {
        CHECK_ERROR(syscall(SYS_truncate, out, 0), EACCES);
        CHECK_ERROR(raw_open(out, O_RDONLY | O_TRUNC), EACCES);
        CHECK(syscall(SYS_truncate, in, 0) == 0);
    }
}

static void writes_are_held_to_the_directories_that_are_named(void **state)
{
    struct places places;

    (void)state;
    if (!kernel_has(1))
        return;
    places_make(&places);
    in_child(try_writing, &places);
    places_remove(&places);
}

static void try_moving(void *data)
{
    const struct places *places = data;
    struct one_call_filter filter;
    struct example example;
    char in[160];
    char out[160];
    char root[160];

    snprintf(in, sizeof(in), "%s/moved", places->in);
    snprintf(out, sizeof(out), "%s/moved", places->out);
    snprintf(root, sizeof(root), "%s/moved", places->root);
    close(open(in, O_WRONLY | O_CREAT, 0600));
    for (int i = 0; i < 3; i++) {
        example_init(&example, i == 0   ? CLASS(EXEC)
                               : i == 1 ? CLASS(EXEC) | CLASS(FORK)
                                        : CLASS(READ));
        if (i == 1)
            example_path(&example, "/usr/bin/env", CLASS(EXEC));
        if (i == 2)
            example_path(&example, places->in, CLASS(READ));
        example.floor.interpreter_filter = one_call_filter(&filter, SYS_getppid, EACCES);
        CHECK(take(&example).classes == example.floor.classes);
        CHECK(syscall(SYS_renameat2, AT_FDCWD, in, AT_FDCWD, root, 0) == 0);
        CHECK(syscall(SYS_linkat, AT_FDCWD, root, AT_FDCWD, out, 0) == 0);
        CHECK(syscall(SYS_unlinkat, AT_FDCWD, out, 0) == 0);
        if (i < 2)
            CHECK(syscall(SYS_renameat2, AT_FDCWD, root, AT_FDCWD, in, 0) == 0);
    }
    /* What could not be read would become readable. */
    CHECK_ERROR(syscall(SYS_renameat2, AT_FDCWD, root, AT_FDCWD, in, 0), EXDEV);
}

static void files_are_moved_as_before_where_writing_is_free(void **state)
{
    struct places places;

    (void)state;
    if (!kernel_has(LANDLOCK_ABI_REFER))
        return;
    places_make(&places);
    in_child(try_moving, &places);
    places_remove(&places);
}

static void try_each_abi(void *data)
{
    const struct places *places = data;
    struct example example;
    char out[160];
    int status;

    example_init(&example, CLASS(WRITE) | CLASS(READ) | CLASS(CONNECT));
    example.floor.any_connect_port = false;
    example_path(&example, places->in, CLASS(WRITE) | CLASS(READ));
    snprintf(out, sizeof(out), "%s/file", places->out);
    for (int abi = 1; abi <= landlock_kernel_abi(); abi++) {
        const pid_t pid = fork();
        if (pid == 0) {
            CHECK(take_at(&example, FLOOR_INTERPRETER, abi).landlock_abi == (uint32_t)abi);
            CHECK_ERROR(raw_open(out, O_WRONLY), EACCES);
            CHECK_ERROR(raw_open(out, O_RDONLY), EACCES);
            const long cut = syscall(SYS_truncate, out, 9);
            CHECK(abi >= LANDLOCK_ABI_TRUNCATE ? cut < 0 && errno == EACCES : cut == 0);
            _exit(0);
        }
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    }
}

static void floor_can_be_taken_by_every_abi_that_the_kernel_has(void **state)
{
    struct places places;

    (void)state;
    if (!kernel_has(1))
        return;
    places_make(&places);
    in_child(try_each_abi, &places);
    places_remove(&places);
}

static void try_memory(void *data)
{
    struct example example;

    example_init(&example, CLASS(WRITE));
    example_path(&example, data, CLASS(WRITE));
    example_path(&example, "/tmp", CLASS(WRITE));
    take(&example);
    const int self = open("/proc/self", O_PATH | O_DIRECTORY);
    CHECK(self >= 0);
    CHECK_ERROR(syscall(SYS_openat, self, "mem", O_RDWR), EACCES);
    CHECK_ERROR(raw_open("/proc/self/mem", O_WRONLY), EACCES);
    CHECK_ERROR(raw_open("/proc/thread-self/attr/current", O_WRONLY), EACCES);
    CHECK(raw_open("/proc/self/status", O_RDONLY) >= 0);
    CHECK(raw_open("/tmp", O_TMPFILE | O_WRONLY) >= 0 || errno == EOPNOTSUPP);
}

static void proc_is_never_writable_whatever_the_floor_names(void **state)
{
    static const char *const names[] = {"/proc", "/", "/proc/self", "/.", "/tmp/.."};

    (void)state;
    if (!kernel_has(1))
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        in_child(try_memory, (void *)names[i]);
}

static void try_reading(void *data)
{
    const struct places *places = data;
    struct example example;
    char path[160];

    example_init(&example, CLASS(READ));
    snprintf(path, sizeof(path), "%s/file", places->in);
    example_path(&example, path, CLASS(READ)); /* a file, and not its directory */
    take(&example);
    CHECK(raw_open(path, O_RDONLY) >= 0);
    CHECK(raw_open(path, O_WRONLY) >= 0);
    CHECK_ERROR(raw_open(places->in, O_RDONLY | O_DIRECTORY), EACCES);
    CHECK_ERROR(raw_open("/etc/passwd", O_RDONLY), EACCES);
    CHECK_ERROR(raw_open("/proc/self/maps", O_RDONLY), EACCES);
    /* What the hook looks up. */
    CHECK(raw_open("/proc/thread-self/fd", O_RDONLY | O_DIRECTORY) >= 0);
    CHECK(raw_open(".", O_PATH | O_DIRECTORY) >= 0);
    CHECK(readlink("/proc/self/exe", path, sizeof(path)) > 0);
}

static void try_alone(void *data)
{
    const struct places *places = data;
    struct example example;
    char path[160];

    example_init(&example, CLASS(READ) | CLASS(WRITE));
    example_path(&example, places->out, CLASS(READ) | CLASS(WRITE));
    example.paths[0].alone = true;
    snprintf(path, sizeof(path), "%s/file", places->in);
    example_path(&example, path, CLASS(WRITE));
    example.paths[1].alone = true;
    take(&example);
    CHECK(raw_open(path, O_WRONLY) >= 0);
    CHECK(raw_open(places->out, O_RDONLY | O_DIRECTORY) >= 0);
    CHECK_ERROR(raw_open(places->in, O_RDONLY | O_DIRECTORY), EACCES);
    snprintf(path, sizeof(path), "%s/file", places->out);
    CHECK_ERROR(raw_open(path, O_RDONLY), EACCES);
    CHECK_ERROR(raw_open(path, O_WRONLY), EACCES);
    CHECK_ERROR(syscall(SYS_unlinkat, AT_FDCWD, path, 0), EACCES);
}

static void directory_alone_opens_nothing_beneath_it(void **state)
{
    struct places places;

    (void)state;
    if (!kernel_has(1))
        return;
    places_make(&places);
    in_child(try_alone, &places);
    places_remove(&places);
}

static void reads_are_held_to_the_files_that_are_named(void **state)
{
    struct places places;

    (void)state;
    if (!kernel_has(1))
        return;
    places_make(&places);
    in_child(try_reading, &places);
    places_remove(&places);
}

static void try_absent(void *data)
{
    struct example example;

    (void)data;
    example_init(&example, CLASS(WRITE));
    example_path(&example, "/nonexistent/place", CLASS(WRITE));
    example_path(&example, "/etc/passwd/below", CLASS(WRITE));
    example_path(&example, "/tmp", CLASS(WRITE));
    CHECK(take(&example).absent == 2);
    CHECK_ERROR(raw_open("/etc/passwd", O_WRONLY), EACCES);
}

static void paths_that_are_not_there_are_passed_over_and_counted(void **state)
{
    (void)state;
    if (kernel_has(1))
        in_child(try_absent, NULL);
}

static void try_bad_path(void *data)
{
    struct example example;
    struct floor_taken taken;
    struct floor_failure failure;
    const struct floor_terms terms = {.stage = FLOOR_INTERPRETER,
                                      .landlock_abi = landlock_kernel_abi()};

    example_init(&example, CLASS(WRITE));
    example_path(&example, "", CLASS(WRITE));
    example.paths[0].path = *(const ProtobufCBinaryData *)data;
    CHECK(!floor_take(&example.floor, &terms, &taken, &failure));
    CHECK(strstr(failure.text, "Landlock"));
}

static void path_that_is_no_absolute_path_is_a_failure(void **state)
{
    static char long_path[PATH_MAX + 1];
    ProtobufCBinaryData bad[] = {
        bytes_field("", 0),
        bytes_field("tmp", 3),
        bytes_field("/tmp\0/x", 7),
        bytes_field(memset(long_path, '/', sizeof(long_path)), sizeof(long_path)),
    };

    (void)state;
    if (!kernel_has(1))
        return;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        in_child(try_bad_path, &bad[i]);
}

/* ---------------------------------------------------------------------------------------- programs
 */

static int run(const char *program)
{
    char *const argv[] = {(char *)program, "-c", "exit 0", NULL};
    int status;
    const pid_t pid = fork();

    if (pid == 0) {
        syscall(SYS_execve, program, argv, NULL);
        _exit(errno == EACCES ? 100 : 101);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void try_programs(void *data)
{
    struct example example;
    const char *const script = data;
    char shell[PATH_MAX];

    example_init(&example, CLASS(EXEC) | CLASS(READ));
    example_path(&example, script, CLASS(EXEC));
    CHECK(realpath("/bin/sh", shell));
    example_path(&example, shell, CLASS(EXEC)); /* its loader is not named */
    example_path(&example, "/usr/lib", CLASS(READ));
    example_path(&example, "/bin/true", CLASS(EXEC)); /* by a link: no program of the policy's */
    struct one_call_filter filter;
    example.floor.interpreter_filter = one_call_filter(&filter, SYS_getppid, EACCES);
    const struct floor_taken taken = take(&example);
    CHECK(taken.classes == (CLASS(EXEC) | CLASS(READ)));
    CHECK(taken.absent == 1);
    CHECK(run("/bin/sh") == 0);
    CHECK(run(script) == 42); /* its interpreter is not named */
    CHECK(run("/bin/bash") == 100);
    CHECK(run("/bin/true") == 100);
}

static void programs_are_held_to_those_that_are_named(void **state)
{
    (void)state;
    if (!kernel_has(1))
        return;
    struct places places;
    places_make(&places);
    char path[160];
    snprintf(path, sizeof(path), "%s/script", places.in);
    const int script = open(path, O_WRONLY | O_CREAT, 0700);
    assert_int_equal(write(script, "#! /usr/bin/perl -w\nexit 42;\n", 30), 30);
    close(script);
    in_child(try_programs, path);
    places_remove(&places);
}

/* ----------------------------------------------------------------------------------------- sockets
 */

static int tcp_socket(void)
{
    const int end = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(end >= 0);
    return end;
}

static struct sockaddr_in local_port(unsigned port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void try_ports(void *data)
{
    uint32_t connect_ports[] = {1, 7};
    uint32_t bind_ports[] = {0};
    struct one_call_filter filter;
    struct example example;

    (void)data;
    example_init(&example, CLASS(CONNECT) | CLASS(BIND));
    example.floor.any_connect_port = example.floor.any_bind_port = false;
    example.floor.connect_ports = connect_ports;
    example.floor.n_connect_ports = 2;
    example.floor.bind_ports = bind_ports;
    example.floor.n_bind_ports = 1;
    example.floor.interpreter_filter = one_call_filter(&filter, SYS_getppid, EACCES);
    CHECK(take(&example).classes == (CLASS(CONNECT) | CLASS(BIND)));
    struct sockaddr_in address = local_port(7);
    const long allowed = syscall(SYS_connect, tcp_socket(), &address, sizeof(address));
    CHECK(allowed == 0 || errno == ECONNREFUSED);
    address = local_port(9);
    CHECK_ERROR(syscall(SYS_connect, tcp_socket(), &address, sizeof(address)), EACCES);
    CHECK_ERROR(syscall(SYS_bind, tcp_socket(), &address, sizeof(address)), EACCES);
    address = local_port(0);
    CHECK(syscall(SYS_bind, tcp_socket(), &address, sizeof(address)) == 0);
}

static void ports_of_tcp_are_held_to_those_that_are_named(void **state)
{
    (void)state;
    if (kernel_has(LANDLOCK_ABI_PORTS))
        in_child(try_ports, NULL);
}

static void try_abstract(void *data)
{
    const struct sockaddr_un *address = data;
    struct example example;
    const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 16);

    example_init(&example, CLASS(CONNECT));
    take(&example);
    const int end = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_ERROR(syscall(SYS_connect, end, address, size), EPERM);
}

static void abstract_sockets_of_others_are_out_of_reach_of_a_floor_on_connect(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 16);

    (void)state;
    if (!kernel_has(LANDLOCK_ABI_SCOPES))
        return;
    snprintf(address.sun_path + 1, 15, "warder-%07d", (int)getpid());
    const int end = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(end, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(end, 1), 0);
    in_child(try_abstract, &address);
    close(end);
}

/* --------------------------------------------------------------------------------- other processes
 */

static void leave_the_user(void)
{
    if (geteuid() == 0)
        CHECK(setgid(65534) == 0 && setuid(65534) == 0);
}

/* The process that holds no floor, and that this user may signal but for the floor. */
static void check_out_of_reach(pid_t other)
{
    static char byte;
    const struct iovec here = {&byte, 1};
    const struct iovec there = {&byte, 1};
    char path[64];

    CHECK_ERROR(syscall(SYS_kill, other, 0), EPERM);
    CHECK_ERROR(syscall(SYS_kill, other, SIGKILL), EPERM);
    CHECK_ERROR(syscall(SYS_tkill, other, SIGKILL), EPERM);
    const int handle = (int)syscall(SYS_pidfd_open, other, 0);
    if (handle >= 0)
        CHECK_ERROR(syscall(SYS_pidfd_send_signal, handle, SIGKILL, NULL, 0), EPERM);
    CHECK_ERROR(syscall(SYS_pidfd_getfd, handle, 0, 0), EPERM);
    CHECK_ERROR(ptrace(PTRACE_SEIZE, other, 0, 0), EPERM);
    CHECK_ERROR(syscall(SYS_process_vm_writev, other, &here, 1UL, &there, 1UL, 0UL), EPERM);
    CHECK_ERROR(syscall(SYS_process_vm_readv, other, &here, 1UL, &there, 1UL, 0UL), EPERM);
    snprintf(path, sizeof(path), "/proc/%d/mem", (int)other);
    CHECK_ERROR(raw_open(path, O_RDWR), EACCES);
}

static void check_own_children_are_within_reach(void)
{
    int status;
    const pid_t child = fork();

    if (child == 0) {
        pause();
        _exit(0);
    }
    CHECK(kill(child, SIGKILL) == 0);
    CHECK(waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGKILL);
    CHECK(kill(getpid(), 0) == 0);
}

struct bystander {
    pid_t pid;
    bool as_root; /* the attacker */
    bool scope_alone;
};

static void try_signals(void *data)
{
    const struct bystander *bystander = data;
    struct example example;

    if (!bystander->as_root)
        leave_the_user();
    CHECK(kill(bystander->pid, 0) == 0);
    if (bystander->scope_alone) {
        CHECK(floor_keep_signals_inside() == 0);
        const int sets = prctl(PR_GET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L);
        CHECK(sets == (geteuid() == 0 ? 0 : 1));
    } else {
        example_init(&example, CLASS(FORK));
        take(&example);
    }
    check_out_of_reach(bystander->pid);
    check_own_children_are_within_reach();
}

/* As the caller's user, or nobody. */
static pid_t start_bystander(bool as_root)
{
    const pid_t pid = fork();

    if (pid == 0) {
        if (!as_root)
            leave_the_user();
        alarm(60);
        for (;;)
            pause();
    }
    nanosleep(&(struct timespec){.tv_nsec = 20L * 1000 * 1000}, NULL);
    return pid;
}

static void processes_outside_are_out_of_reach_of_root_and_of_a_user(void **state)
{
    int status;

    (void)state;
    if (!kernel_has(LANDLOCK_ABI_SCOPES))
        return;
    for (int i = 0; i < 4; i++) {
        struct bystander bystander = {.as_root = i & 1, .scope_alone = i & 2};
        if (bystander.as_root && geteuid() != 0) {
            print_message("skipped in part: this is not root\n");
            continue;
        }
        bystander.pid = start_bystander(bystander.as_root);
        in_child(try_signals, &bystander);
        assert_int_equal(waitpid(bystander.pid, &status, WNOHANG), 0);
        kill(bystander.pid, SIGKILL);
        waitpid(bystander.pid, &status, 0);
    }
}

/* ----------------------------------------------------------------------------------------- filters
 */

static void try_filters(void *data)
{
    struct one_call_filter first;
    struct one_call_filter second;
    struct example example;
    int status;
    const enum floor_stage stage = *(const enum floor_stage *)data;

    example_init(&example, CLASS(FORK));
    example.floor.base_filter = one_call_filter(&first, SYS_getppid, EACCES);
    example.floor.interpreter_filter = one_call_filter(&second, SYS_getpgid, EXDEV);
    const struct floor_taken taken = take_at(&example, stage, landlock_kernel_abi());
    CHECK(taken.classes == (stage == FLOOR_INTERPRETER ? CLASS(FORK) : 0));
    CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L) == 1);
    const pid_t pid = fork(); /* a child inherits it */
    /* The interpreter's has all that the first has: one is enough. */
    if (stage == FLOOR_INTERPRETER) {
        CHECK(syscall(SYS_getppid) > 0);
        CHECK_ERROR(syscall(SYS_getpgid, 0), EXDEV);
    } else {
        CHECK_ERROR(syscall(SYS_getppid), EACCES);
        CHECK(syscall(SYS_getpgid, 0) >= 0);
    }
    if (pid == 0)
        _exit(0);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void filters_are_taken_by_stage_and_inherited(void **state)
{
    (void)state;
    for (enum floor_stage stage = FLOOR_BEFORE_PROGRAM; stage <= FLOOR_INTERPRETER; stage++)
        in_child(try_filters, &stage);
}

struct waiting_thread {
    pthread_barrier_t taken;
    long answer;
    int error;
};

static void *wait_and_call(void *data)
{
    struct waiting_thread *thread = data;

    pthread_barrier_wait(&thread->taken);
    errno = 0;
    thread->answer = syscall(SYS_getppid);
    thread->error = errno;
    return NULL;
}

static void try_threads(void *data)
{
    static struct waiting_thread thread;
    struct one_call_filter filter;
    struct example example;
    struct floor_taken taken;
    struct floor_failure failure;
    const struct floor_terms terms = {
        .stage = FLOOR_INTERPRETER, .landlock_abi = landlock_kernel_abi(), .threads = true};
    pthread_t other;

    (void)data;
    CHECK(pthread_barrier_init(&thread.taken, NULL, 2) == 0);
    CHECK(pthread_create(&other, NULL, wait_and_call, &thread) == 0);
    example_init(&example, CLASS(FORK) | CLASS(WRITE));
    example.floor.interpreter_filter = one_call_filter(&filter, SYS_getppid, EACCES);
    CHECK(floor_take(&example.floor, &terms, &taken, &failure));
    CHECK(taken.classes == CLASS(FORK));
    CHECK(taken.missing.count == 1 && strstr(taken.missing.texts[0], "threads"));
    pthread_barrier_wait(&thread.taken);
    CHECK(pthread_join(other, NULL) == 0);
    CHECK(thread.answer < 0 && thread.error == EACCES);
    /* A part of the threads under Landlock would be none: so this one is not, either. */
    CHECK(raw_open("/dev/null", O_WRONLY) >= 0);
}

static void filter_reaches_threads_that_are_there_and_landlock_is_left(void **state)
{
    (void)state;
    in_child(try_threads, NULL);
}

static void try_damaged_filter(void *data)
{
    struct example example;
    struct floor_taken taken;
    struct floor_failure failure;
    const struct floor_terms terms = {.stage = FLOOR_INTERPRETER,
                                      .landlock_abi = landlock_kernel_abi()};

    example_init(&example, CLASS(FORK));
    example.floor.interpreter_filter = *(const ProtobufCBinaryData *)data;
    CHECK(!floor_take(&example.floor, &terms, &taken, &failure));
    CHECK(strstr(failure.text, "filter"));
}

static void damaged_filter_is_a_failure(void **state)
{
    static uint8_t zeros[(BPF_MAXINSNS + 1) * sizeof(struct sock_filter)];
    ProtobufCBinaryData damaged[] = {
        bytes_field(zeros, 7), /* no whole instruction */
        bytes_field(zeros, sizeof(struct sock_filter) + 1),
        bytes_field(zeros, sizeof(struct sock_filter)), /* one that does not end */
        bytes_field(zeros, sizeof(zeros)),              /* too many */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(damaged) / sizeof(*damaged); i++)
        in_child(try_damaged_filter, &damaged[i]);
}

static void try_layers(void *data)
{
    struct example example;
    struct floor_taken taken;
    struct floor_failure failure;

    (void)data;
    example_init(&example, CLASS(WRITE));
    example_path(&example, "/tmp", CLASS(WRITE));
    for (int i = 0; i < LANDLOCK_LAYERS_MAX; i++) {
        taken = take(&example);
        CHECK(taken.classes == CLASS(WRITE) && taken.landlock_abi > 0);
    }
    taken = take(&example);
    CHECK(taken.classes == 0 && taken.landlock_abi == 0);
    CHECK(strstr(taken.missing.texts[taken.missing.count - 1], "16 Landlock domains"));
    CHECK(floor_is_enough(&example.floor, &taken, &failure));
    example.floor.required = CLASS(WRITE);
    CHECK(!floor_is_enough(&example.floor, &taken, &failure));
    CHECK_ERROR(raw_open("/etc/passwd", O_WRONLY), EACCES); /* what it inherits still holds */
}

static void domains_beyond_what_the_kernel_stacks_are_not_counted_as_held(void **state)
{
    (void)state;
    if (kernel_has(LANDLOCK_ABI_TRUNCATE))
        in_child(try_layers, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_are_held_to_the_directories_that_are_named),
        cmocka_unit_test(files_are_moved_as_before_where_writing_is_free),
        cmocka_unit_test(floor_can_be_taken_by_every_abi_that_the_kernel_has),
        cmocka_unit_test(proc_is_never_writable_whatever_the_floor_names),
        cmocka_unit_test(reads_are_held_to_the_files_that_are_named),
        cmocka_unit_test(directory_alone_opens_nothing_beneath_it),
        cmocka_unit_test(paths_that_are_not_there_are_passed_over_and_counted),
        cmocka_unit_test(path_that_is_no_absolute_path_is_a_failure),
        cmocka_unit_test(programs_are_held_to_those_that_are_named),
        cmocka_unit_test(ports_of_tcp_are_held_to_those_that_are_named),
        cmocka_unit_test(abstract_sockets_of_others_are_out_of_reach_of_a_floor_on_connect),
        cmocka_unit_test(processes_outside_are_out_of_reach_of_root_and_of_a_user),
        cmocka_unit_test(filters_are_taken_by_stage_and_inherited),
        cmocka_unit_test(filter_reaches_threads_that_are_there_and_landlock_is_left),
        cmocka_unit_test(damaged_filter_is_a_failure),
        cmocka_unit_test(domains_beyond_what_the_kernel_stacks_are_not_counted_as_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
