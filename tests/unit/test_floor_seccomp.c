/* The filters of floors, in two ways: by what they answer to each call with each argument, for
 * x86-64 and arm64, which a small machine for them finds out (the kernel's own runs what is native
 * alone); and with the kernel, in a child. */
#define _GNU_SOURCE
#include "daemon/session/floor_seccomp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/fscrypt.h>
#include <linux/fsverity.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit_test.h"

#include "policies/floor/network_outline.h"

#define ALLOWED SECCOMP_RET_ALLOW
#define REFUSED(error) (SECCOMP_RET_ERRNO | (error))

static const uint32_t machines[] = {SCMP_ARCH_X86_64, SCMP_ARCH_AARCH64};

/* ------------------------------------------------------------------------------------- the machine
 */

static uint32_t load(const struct seccomp_data *data, uint32_t offset)
{
    uint32_t word;
    assert_true(offset + sizeof(word) <= sizeof(*data));
    memcpy(&word, (const char *)data + offset, sizeof(word));
    return word;
}

/* What a program answers: a small part of what the kernel takes, and all that libseccomp uses. */
static uint32_t answer(const struct seccomp_program *program, const struct seccomp_data *data)
{
    const struct sock_filter *code = (const void *)program->bytes;
    const size_t count = program->size / sizeof(*code);
    uint32_t accumulator = 0;

    for (size_t at = 0; at < count; at++) {
        const struct sock_filter *one = &code[at];
        bool holds = false;
        switch (one->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            accumulator = load(data, one->k);
            continue;
        case BPF_ALU | BPF_AND | BPF_K:
            accumulator &= one->k;
            continue;
        case BPF_JMP | BPF_JA:
            at += one->k;
            continue;
        case BPF_RET | BPF_K:
            return one->k;
        case BPF_JMP | BPF_JEQ | BPF_K:
            holds = accumulator == one->k;
            break;
        case BPF_JMP | BPF_JGT | BPF_K:
            holds = accumulator > one->k;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            holds = accumulator >= one->k;
            break;
        case BPF_JMP | BPF_JSET | BPF_K:
            holds = (accumulator & one->k) != 0;
            break;
        default:
            fail_msg("an instruction that is not known: %#x", one->code);
        }
        at += holds ? one->jt : one->jf;
    }
    fail_msg("the program ends nowhere");
    return 0;
}

/* The audit machine of a filter's machine: libseccomp's token is that number. */
static uint32_t asked(const struct seccomp_program *program, uint32_t machine, int number,
                      const uint64_t *arguments)
{
    struct seccomp_data data = {.nr = number, .arch = machine};
    memcpy(data.args, arguments, sizeof(data.args));
    return answer(program, &data);
}

struct call {
    const char *name;
    uint64_t arguments[6];
    uint32_t expected;
};

static void assert_calls(const struct seccomp_plan *plan, enum seccomp_program_kind kind,
                         const struct call *calls, size_t count)
{
    for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++) {
        struct seccomp_program program;
        assert_int_equal(seccomp_program_build(plan, kind, machines[i], &program), 0);
        assert_true(program.size / sizeof(struct sock_filter) <= BPF_MAXINSNS);
        for (size_t j = 0; j < count; j++) {
            const int number = seccomp_syscall_resolve_name_arch(machines[i], calls[j].name);
            assert_int_not_equal(number, __NR_SCMP_ERROR);
            if (number < 0)
                continue; /* arm64 has no fork, chmod, chown and their like */
            const uint32_t got = asked(&program, machines[i], number, calls[j].arguments);
            if (got != calls[j].expected)
                fail_msg("%#x: %s(%#llx, %#llx, %#llx) gives %#x, not %#x", machines[i],
                         calls[j].name, (unsigned long long)calls[j].arguments[0],
                         (unsigned long long)calls[j].arguments[1],
                         (unsigned long long)calls[j].arguments[2], got, calls[j].expected);
        }
        seccomp_program_deinit(&program);
    }
}

#define ASSERT_CALLS(plan, kind, ...)                                                              \
    do {                                                                                           \
        const struct call calls_[] = {__VA_ARGS__};                                                \
        assert_calls((plan), (kind), calls_, sizeof(calls_) / sizeof(*calls_));                    \
    } while (0)

/* ----------------------------------------------------------------------------------- every floor
 */

static const struct seccomp_plan nothing = {.exec = false};

static void every_floor_refuses_powers_over_others_and_the_kernel(void **state)
{
    (void)state;
    /* Clause K-22. */
    const enum seccomp_program_kind kinds[] = {SECCOMP_BASE, SECCOMP_INTERPRETER};
    for (size_t i = 0; i < 2; i++)
        ASSERT_CALLS(
            &nothing, kinds[i], {"ptrace", {0}, REFUSED(EPERM)},
            {"process_vm_readv", {0}, REFUSED(EPERM)}, {"process_vm_writev", {0}, REFUSED(EPERM)},
            {"pidfd_getfd", {0}, REFUSED(EPERM)}, {"mount", {0}, REFUSED(EPERM)},
            {"move_mount", {0}, REFUSED(EPERM)}, {"open_tree", {0}, REFUSED(EPERM)},
            {"setns", {0}, REFUSED(EPERM)}, {"chroot", {0}, REFUSED(EPERM)},
            {"pivot_root", {0}, REFUSED(EPERM)}, {"bpf", {0}, REFUSED(EPERM)},
            {"userfaultfd", {0}, REFUSED(EPERM)}, {"perf_event_open", {0}, REFUSED(EPERM)},
            {"init_module", {0}, REFUSED(EPERM)}, {"keyctl", {0}, REFUSED(EPERM)},
            {"open_by_handle_at", {0}, REFUSED(EPERM)}, {"kexec_load", {0}, REFUSED(EPERM)},
            {"reboot", {0}, REFUSED(EPERM)}, {"io_uring_setup", {0}, REFUSED(ENOSYS)},
            {"io_uring_enter", {0}, REFUSED(ENOSYS)}, {"clone3", {0}, REFUSED(ENOSYS)});
}

static void every_floor_leaves_other_processes_their_share_of_the_machine(void **state)
{
    (void)state;
    ASSERT_CALLS(
        &nothing, SECCOMP_BASE, {"sched_setaffinity", {0, 8}, ALLOWED},
        {"sched_setaffinity", {1, 8}, REFUSED(EPERM)},
        {"sched_setscheduler", {0, SCHED_IDLE}, ALLOWED},
        {"sched_setscheduler", {4711, SCHED_IDLE}, REFUSED(EPERM)},
        {"sched_setparam", {4711}, REFUSED(EPERM)}, {"sched_setattr", {4711}, REFUSED(EPERM)},
        {"migrate_pages", {4711}, REFUSED(EPERM)}, {"move_pages", {4711}, REFUSED(EPERM)},
        /* asked for, or its own: not another's changed */
        {"prlimit64", {4711, 7, 0, 0x1000}, ALLOWED}, {"prlimit64", {0, 7, 0x1000, 0}, ALLOWED},
        {"prlimit64", {4711, 7, 0x1000, 0}, REFUSED(EPERM)},
        {"setpriority", {PRIO_PROCESS, 0, 19}, ALLOWED},
        {"setpriority", {PRIO_PROCESS, 4711, 19}, REFUSED(EPERM)},
        {"setpriority", {PRIO_PGRP, 0, 19}, REFUSED(EPERM)},
        {"setpriority", {PRIO_USER, 0, 19}, REFUSED(EPERM)}, {"ioprio_set", {1, 0, 0}, ALLOWED},
        {"ioprio_set", {1, 4711, 0}, REFUSED(EPERM)}, {"ioprio_set", {2, 0, 0}, REFUSED(EPERM)},
        {"ioprio_set", {3, 0, 0}, REFUSED(EPERM)});
}

static void every_floor_keeps_the_kernel_from_writing_where_a_program_says(void **state)
{
    (void)state;
    ASSERT_CALLS(&nothing, SECCOMP_BASE, {"getsockopt", {3, 6, 35}, REFUSED(ENOPROTOOPT)},
                 {"getsockopt", {3, UINT64_C(1) << 32 | 6, 35}, REFUSED(ENOPROTOOPT)},
                 {"getsockopt", {3, 6, 11}, ALLOWED}, {"getsockopt", {3, 1, 35}, ALLOWED},
                 {"mmap", {0, 4096, 3, MAP_PRIVATE | MAP_FIXED}, REFUSED(EPERM)},
                 {"mmap", {0x10000, 4096, 3, MAP_PRIVATE | MAP_FIXED}, ALLOWED},
                 {"mmap", {0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS}, ALLOWED});
}

static void every_floor_lets_ordinary_calls_through(void **state)
{
    (void)state;
    ASSERT_CALLS(&nothing, SECCOMP_INTERPRETER, {"read", {0}, ALLOWED}, {"openat", {0}, ALLOWED},
                 {"close", {0}, ALLOWED}, {"mmap", {0}, ALLOWED}, {"futex", {0}, ALLOWED},
                 {"execve", {0}, ALLOWED}, {"clone", {SIGCHLD}, ALLOWED},
                 {"clone", {CLONE_VM | CLONE_VFORK | SIGCHLD}, ALLOWED},
                 {"unshare", {CLONE_FILES}, ALLOWED}, {"socket", {AF_UNIX, SOCK_STREAM}, ALLOWED},
                 {"socketpair", {AF_UNIX, SOCK_DGRAM}, ALLOWED}, {"connect", {0}, ALLOWED},
                 {"chmod", {0, 04755}, ALLOWED}, {"memfd_create", {0, MFD_CLOEXEC}, ALLOWED},
                 {"ioctl", {0, 0x5413}, ALLOWED}, {"kill", {1, 9}, ALLOWED},
                 {"seccomp", {0}, ALLOWED});
}

static void namespaces_are_refused_by_every_call_that_makes_them(void **state)
{
    (void)state;
    ASSERT_CALLS(&nothing, SECCOMP_BASE, {"unshare", {CLONE_NEWUSER}, REFUSED(EPERM)},
                 {"unshare", {CLONE_FILES | CLONE_NEWNS}, REFUSED(EPERM)},
                 {"unshare", {0x80}, REFUSED(EPERM)},
                 {"clone", {CLONE_NEWUSER | SIGCHLD}, REFUSED(EPERM)},
                 {"clone", {CLONE_NEWPID | CLONE_NEWNET | SIGCHLD}, REFUSED(EPERM)});
}

static void words_cannot_be_put_into_a_terminal_whatever_stands_above_the_request(void **state)
{
    (void)state;
    ASSERT_CALLS(&nothing, SECCOMP_BASE, {"ioctl", {0, 0x5412}, REFUSED(EPERM)},
                 {"ioctl", {0, UINT64_C(0xdead00005412)}, REFUSED(EPERM)},
                 {"ioctl", {0, 0x541c}, REFUSED(EPERM)},
                 {"ioctl", {0, UINT64_C(0xdead0000aa00)}, REFUSED(EPERM)});
}

static void requests_that_hold_an_address_are_unknown_whatever_their_size(void **state)
{
    (void)state;
    ASSERT_CALLS(&nothing, SECCOMP_BASE, {"ioctl", {0, 0xc0686611}, REFUSED(ENOTTY)},
                 {"ioctl", {0, 0xc0786611}, REFUSED(ENOTTY)},
                 {"ioctl", {0, UINT64_C(0xdead00000000) | 0xc0606610}, REFUSED(ENOTTY)},
                 {"ioctl", {0, 0xc020660b}, ALLOWED}, {"ioctl", {0, 0x40086610}, ALLOWED});
}

static void calls_of_another_machine_end_the_process(void **state)
{
    (void)state;
    /* Clause K-22. */
    static const uint64_t none[6];
    const enum seccomp_program_kind kinds[] = {SECCOMP_BASE, SECCOMP_INTERPRETER};

    for (size_t i = 0; i < 2; i++) {
        struct seccomp_program program;
        assert_int_equal(seccomp_program_build(&nothing, kinds[i], SCMP_ARCH_X86_64, &program), 0);
        assert_int_equal(asked(&program, SCMP_ARCH_X86, 3, none), SECCOMP_RET_KILL_PROCESS);
        assert_int_equal(asked(&program, SCMP_ARCH_X86_64, 0x40000000, none),
                         SECCOMP_RET_KILL_PROCESS); /* x32 */
        seccomp_program_deinit(&program);
        assert_int_equal(seccomp_program_build(&nothing, kinds[i], SCMP_ARCH_AARCH64, &program), 0);
        assert_int_equal(asked(&program, SCMP_ARCH_ARM, 3, none), SECCOMP_RET_KILL_PROCESS);
        seccomp_program_deinit(&program);
    }
}

/* --------------------------------------------------------------------------------------- classes
 */

static void floor_of_exec_refuses_programs_in_memory_and_without_allows_every_start(void **state)
{
    (void)state;
    /* Clause K-18. */
    const struct seccomp_plan some = {.exec = true};
    const struct seccomp_plan none = {.exec = true, .no_exec = true};

    ASSERT_CALLS(&some, SECCOMP_INTERPRETER, {"execve", {0}, ALLOWED},
                 {"memfd_create", {0, MFD_CLOEXEC}, REFUSED(EACCES)},
                 {"memfd_create", {0, MFD_CLOEXEC | 8}, ALLOWED});
    ASSERT_CALLS(&none, SECCOMP_INTERPRETER, {"execve", {0}, REFUSED(EACCES)},
                 {"execveat", {0}, REFUSED(EACCES)});
    ASSERT_CALLS(&none, SECCOMP_BASE, {"execve", {0}, ALLOWED}, {"execveat", {0}, ALLOWED},
                 {"memfd_create", {0, 0}, REFUSED(EACCES)});
}

static void floor_of_fork_leaves_threads(void **state)
{
    (void)state;
    /* Clause K-19. */
    const struct seccomp_plan plan = {.no_fork = true};
    const uint64_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                            CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |
                            CLONE_CHILD_CLEARTID;

    ASSERT_CALLS(&plan, SECCOMP_INTERPRETER, {"fork", {0}, REFUSED(EACCES)},
                 {"vfork", {0}, REFUSED(EACCES)}, {"clone", {SIGCHLD}, REFUSED(EACCES)},
                 {"clone", {CLONE_VM | CLONE_VFORK | SIGCHLD}, REFUSED(EACCES)},
                 {"clone", {thread}, ALLOWED}, {"clone3", {0}, REFUSED(ENOSYS)});
    ASSERT_CALLS(&plan, SECCOMP_BASE, {"fork", {0}, ALLOWED}, {"clone", {SIGCHLD}, ALLOWED});
}

static void floor_of_write_refuses_owners_and_attributes_and_set_id(void **state)
{
    (void)state;
    /* Clause K-20. */
    const struct seccomp_plan plan = {.write = true};

    ASSERT_CALLS(&plan, SECCOMP_INTERPRETER, {"chown", {0}, REFUSED(EACCES)},
                 {"fchownat", {0}, REFUSED(EACCES)}, {"setxattr", {0}, REFUSED(EACCES)},
                 {"fremovexattr", {0}, REFUSED(EACCES)},
                 {"ioctl", {0, 0x40086602}, REFUSED(EACCES)}, {"chmod", {0, 0755}, ALLOWED},
                 {"chmod", {0, 04755}, REFUSED(EACCES)}, {"fchmod", {0, 02755}, REFUSED(EACCES)},
                 {"fchmodat", {0, 0, 0644}, ALLOWED}, {"fchmodat", {0, 0, 06755}, REFUSED(EACCES)},
                 {"utimensat", {0}, ALLOWED}, {"truncate", {0}, ALLOWED});
}

/* Through a descriptor that was opened for reading, where Landlock does not look. */
static void floor_of_write_refuses_requests_that_change_files(void **state)
{
    (void)state;
    /* Clause K-20. */
    const struct seccomp_plan plan = {.write = true};

    ASSERT_CALLS(&plan, SECCOMP_INTERPRETER, {"ioctl", {0, FS_IOC_SETVERSION}, REFUSED(EACCES)},
                 {"ioctl", {0, FS_IOC_FSSETXATTR}, REFUSED(EACCES)},
                 {"ioctl", {0, FS_IOC_ENABLE_VERITY}, REFUSED(EACCES)},
                 {"ioctl", {0, FS_IOC_SET_ENCRYPTION_POLICY}, REFUSED(EACCES)},
                 {"ioctl", {0, BTRFS_IOC_SUBVOL_CREATE}, REFUSED(EACCES)},
                 {"ioctl", {0, BTRFS_IOC_SUBVOL_CREATE_V2}, REFUSED(EACCES)},
                 {"ioctl", {0, BTRFS_IOC_SNAP_CREATE}, REFUSED(EACCES)},
                 {"ioctl", {0, BTRFS_IOC_SNAP_CREATE_V2}, REFUSED(EACCES)},
                 {"ioctl", {0, BTRFS_IOC_SNAP_DESTROY}, REFUSED(EACCES)},
                 {"ioctl", {0, BTRFS_IOC_SNAP_DESTROY_V2}, REFUSED(EACCES)},
                 {"ioctl", {0, BTRFS_IOC_SUBVOL_SETFLAGS}, REFUSED(EACCES)},
                 {"ioctl", {0, UINT64_C(0xdead00000000) | FS_IOC_SETVERSION}, REFUSED(EACCES)},
                 {"ioctl", {0, FS_IOC_GETVERSION}, ALLOWED}, {"ioctl", {0, FICLONE}, ALLOWED});
    ASSERT_CALLS(&nothing, SECCOMP_INTERPRETER, {"ioctl", {0, FS_IOC_SETVERSION}, ALLOWED});
}

static void floor_of_write_refuses_to_make_files_with_set_id_bits(void **state)
{
    (void)state;
    /* Clause K-20. */
    const struct seccomp_plan plan = {.write = true};
    const uint64_t above = UINT64_C(0xdead) << 32;

    ASSERT_CALLS(
        &plan, SECCOMP_INTERPRETER, {"openat", {0, 0, O_CREAT | O_RDWR, 04755}, REFUSED(EACCES)},
        {"openat", {0, 0, O_CREAT | O_RDWR | O_CLOEXEC, 02755}, REFUSED(EACCES)},
        {"openat", {0, 0, above | O_CREAT, above | 06755}, REFUSED(EACCES)},
        {"openat", {0, 0, O_TMPFILE | O_RDWR, 04700}, REFUSED(EACCES)},
        {"openat", {0, 0, O_TMPFILE | O_RDWR, 02700}, REFUSED(EACCES)},
        {"openat", {0, 0, O_TMPFILE | O_RDWR, 0600}, ALLOWED},
        {"openat", {0, 0, O_CREAT | O_WRONLY | O_EXCL, 01777}, ALLOWED},
        /* without O_CREAT it is no mode; O_DIRECTORY alone makes nothing */
        {"openat", {0, 0, O_RDWR | O_TRUNC, 06755}, ALLOWED},
        {"openat", {0, 0, O_DIRECTORY, UINT64_MAX}, ALLOWED},
        {"open", {0, O_CREAT | O_RDWR, 04755}, REFUSED(EACCES)},
        {"open", {0, O_CREAT | O_RDWR, 02755}, REFUSED(EACCES)},
        {"open", {0, O_TMPFILE | O_RDWR, 06755}, REFUSED(EACCES)},
        {"open", {0, O_CREAT | O_RDWR, 0755}, ALLOWED},
        {"open", {0, O_RDONLY, UINT64_MAX}, ALLOWED}, {"creat", {0, 04755}, REFUSED(EACCES)},
        {"creat", {0, 0755}, ALLOWED}, {"mknod", {0, S_IFREG | 04755}, REFUSED(EACCES)},
        {"mknod", {0, S_IFIFO | 0644}, ALLOWED},
        {"mknodat", {0, 0, S_IFREG | 04755}, REFUSED(EACCES)},
        {"mknodat", {0, 0, S_IFREG | 02755}, REFUSED(EACCES)},
        {"mknodat", {0, 0, S_IFSOCK | 0777}, ALLOWED});
    ASSERT_CALLS(&nothing, SECCOMP_INTERPRETER, {"openat", {0, 0, O_CREAT, 04755}, ALLOWED},
                 {"mknodat", {0, 0, S_IFREG | 04755}, ALLOWED});
    ASSERT_CALLS(&plan, SECCOMP_BASE, {"openat", {0, 0, O_CREAT, 04755}, ALLOWED});
}

static void floor_of_write_without_a_directory_refuses_modes_and_times_too(void **state)
{
    (void)state;
    /* Clause K-20. */
    const struct seccomp_plan plan = {.write = true, .no_tree = true};

    ASSERT_CALLS(&plan, SECCOMP_INTERPRETER, {"chmod", {0, 0755}, REFUSED(EACCES)},
                 {"fchmod", {0, 0644}, REFUSED(EACCES)}, {"fchmodat", {0}, REFUSED(EACCES)},
                 {"utimensat", {0}, REFUSED(EACCES)}, {"truncate", {0}, REFUSED(EACCES)},
                 {"ftruncate", {0}, ALLOWED});
}

static void calls_that_libseccomp_does_not_know_are_refused_by_number(void **state)
{
    (void)state;
    static const uint64_t none[6];
    const struct seccomp_plan plan = {.write = true, .no_tree = true};
    struct seccomp_program program;

    assert_int_equal(seccomp_program_build(&plan, SECCOMP_INTERPRETER, SCMP_ARCH_NATIVE, &program),
                     0);
    const uint32_t machine = seccomp_arch_native();
    assert_int_equal(asked(&program, machine, 452, none), REFUSED(EACCES)); /* fchmodat2 */
    assert_int_equal(asked(&program, machine, 463, none), REFUSED(EACCES)); /* setxattrat */
    assert_int_equal(asked(&program, machine, 466, none), REFUSED(EACCES)); /* removexattrat */
    assert_int_equal(asked(&program, machine, 467, none), REFUSED(EPERM));  /* open_tree_attr */
    assert_int_equal(asked(&program, machine, 469, none), REFUSED(EACCES)); /* file_setattr */
    seccomp_program_deinit(&program);
}

/* --------------------------------------------------------------------------------------- network
 */

static void floor_of_connect_without_allows_leaves_pairs_alone(void **state)
{
    (void)state;
    /* Clause K-21. */
    const struct seccomp_plan plan = {.connect = true, .bind = true};

    ASSERT_CALLS(&plan, SECCOMP_INTERPRETER, {"socket", {AF_UNIX, SOCK_STREAM}, REFUSED(EACCES)},
                 {"socket", {AF_INET, SOCK_STREAM}, REFUSED(EACCES)},
                 {"socket", {AF_INET6, SOCK_DGRAM}, REFUSED(EACCES)},
                 {"socket", {AF_NETLINK, SOCK_RAW}, REFUSED(EACCES)},
                 {"socket", {AF_PACKET, SOCK_RAW}, REFUSED(EACCES)},
                 {"socket", {AF_VSOCK, SOCK_STREAM}, REFUSED(EACCES)},
                 {"socket", {AF_ALG, SOCK_SEQPACKET}, REFUSED(EACCES)},
                 {"socket", {43, SOCK_STREAM}, REFUSED(EACCES)},
                 {"socket", {64, SOCK_STREAM}, REFUSED(EACCES)},
                 {"socket", {UINT64_C(0x100000001), SOCK_STREAM}, REFUSED(EACCES)},
                 {"connect", {0}, REFUSED(EACCES)}, {"bind", {0}, REFUSED(EACCES)},
                 {"listen", {0}, REFUSED(EACCES)},
                 {"socketpair", {AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC}, ALLOWED},
                 {"socketpair", {AF_UNIX, SOCK_SEQPACKET}, ALLOWED},
                 {"socketpair", {AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK}, REFUSED(EACCES)},
                 {"socketpair", {AF_UNIX, SOCK_RAW}, REFUSED(EACCES)},
                 {"socketpair", {AF_TIPC, SOCK_SEQPACKET}, REFUSED(EACCES)},
                 {"sendmsg", {0, 0, MSG_NOSIGNAL}, ALLOWED}, {"recvmsg", {0}, ALLOWED});
}

static void floor_of_connect_to_ports_leaves_tcp_and_datagrams_of_the_internet(void **state)
{
    (void)state;
    /* Clause K-21. */
    const struct seccomp_plan plan = {.connect = true, .connect_families = FLOOR_FAMILIES_INTERNET};

    ASSERT_CALLS(
        &plan, SECCOMP_INTERPRETER, {"socket", {AF_INET, SOCK_STREAM | SOCK_CLOEXEC}, ALLOWED},
        {"socket", {AF_INET6, SOCK_STREAM, IPPROTO_TCP}, ALLOWED},
        {"socket", {AF_INET, SOCK_DGRAM, IPPROTO_UDP}, ALLOWED},
        {"socket", {AF_INET, SOCK_STREAM, IPPROTO_MPTCP}, REFUSED(EACCES)},
        {"socket", {AF_INET, SOCK_STREAM, IPPROTO_SCTP}, REFUSED(EACCES)},
        {"socket", {AF_INET6, SOCK_STREAM, 1}, REFUSED(EACCES)},
        {"socket", {AF_INET, SOCK_RAW, IPPROTO_ICMP}, REFUSED(EACCES)},
        {"socket", {AF_INET, SOCK_SEQPACKET}, REFUSED(EACCES)},
        {"socket", {AF_UNIX, SOCK_STREAM}, REFUSED(EACCES)}, {"connect", {0}, ALLOWED},
        {"bind", {0}, ALLOWED}, {"sendto", {0, 0, 0, MSG_FASTOPEN}, REFUSED(EACCES)},
        {"sendmsg", {0, 0, MSG_FASTOPEN | MSG_NOSIGNAL}, REFUSED(EACCES)},
        {"sendmmsg", {0, 0, 0, MSG_FASTOPEN}, REFUSED(EACCES)},
        {"setsockopt", {0, IPPROTO_TCP, 31}, REFUSED(EACCES)},
        {"setsockopt", {0, IPPROTO_TCP, 1}, ALLOWED}, {"sendto", {0, 0, 0, MSG_NOSIGNAL}, ALLOWED});
}

static void server_that_reaches_nothing_has_tcp_and_no_datagrams(void **state)
{
    (void)state;
    const struct seccomp_plan plan = {
        .connect = true, .bind = true, .bind_families = FLOOR_FAMILIES_INTERNET};

    ASSERT_CALLS(&plan, SECCOMP_INTERPRETER, {"socket", {AF_INET, SOCK_STREAM}, ALLOWED},
                 {"socket", {AF_INET, SOCK_DGRAM}, REFUSED(EACCES)},
                 {"socket", {AF_INET6, SOCK_STREAM}, ALLOWED}, {"bind", {0}, ALLOWED},
                 {"listen", {0}, ALLOWED}, {"accept4", {0}, ALLOWED},
                 {"connect", {0}, REFUSED(EACCES)});
}

static void families_that_rules_allow_are_let_through(void **state)
{
    (void)state;
    const struct seccomp_plan local = {.connect = true, .connect_families = FLOOR_FAMILY_UNIX};
    const struct seccomp_plan other = {
        .connect = true, .connect_families = FLOOR_FAMILY_OTHER | FLOOR_FAMILY_NETLINK};

    ASSERT_CALLS(&local, SECCOMP_INTERPRETER, {"socket", {AF_UNIX, SOCK_DGRAM}, ALLOWED},
                 {"socketpair", {AF_UNIX, SOCK_DGRAM}, ALLOWED}, {"connect", {0}, ALLOWED},
                 {"socket", {AF_NETLINK, SOCK_RAW}, REFUSED(EACCES)},
                 {"socket", {AF_INET, SOCK_DGRAM}, REFUSED(EACCES)});
    ASSERT_CALLS(&other, SECCOMP_INTERPRETER, {"socket", {AF_VSOCK, SOCK_STREAM}, ALLOWED},
                 {"socket", {AF_NETLINK, SOCK_RAW}, ALLOWED}, {"socket", {200, 1}, ALLOWED},
                 {"socket", {AF_PACKET, SOCK_RAW}, REFUSED(EACCES)},
                 {"socket", {AF_UNIX, SOCK_STREAM}, REFUSED(EACCES)});
}

static void floor_of_bind_alone_reaches_out_and_offers_nothing(void **state)
{
    (void)state;
    const struct seccomp_plan plan = {.bind = true};

    ASSERT_CALLS(&plan, SECCOMP_INTERPRETER, {"bind", {0}, REFUSED(EACCES)},
                 {"listen", {0}, REFUSED(EACCES)}, {"connect", {0}, ALLOWED},
                 {"socket", {AF_UNIX, SOCK_STREAM}, ALLOWED},
                 {"socket", {AF_INET, SOCK_DGRAM}, ALLOWED},
                 {"socket", {AF_INET, SOCK_STREAM, IPPROTO_MPTCP}, REFUSED(EACCES)});
}

/* ------------------------------------------------------------------------------------ the kernel
 */

static void take(const struct seccomp_program *program)
{
    const struct sock_fprog filter = {
        .len = (unsigned short)(program->size / sizeof(struct sock_filter)),
        .filter = (void *)program->bytes,
    };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) < 0)
        _exit(100);
}

/* How a child ends that takes both filters and then does something. */
static int ended(const struct seccomp_plan *plan, int (*act)(void))
{
    struct seccomp_program base;
    struct seccomp_program program;
    int status = 0;

    assert_int_equal(seccomp_program_build(plan, SECCOMP_BASE, SCMP_ARCH_NATIVE, &base), 0);
    assert_int_equal(seccomp_program_build(plan, SECCOMP_INTERPRETER, SCMP_ARCH_NATIVE, &program),
                     0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        take(&base);
        take(&program);
        _exit(act());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    seccomp_program_deinit(&base);
    seccomp_program_deinit(&program);
    return status;
}

static void *run_thread(void *argument)
{
    *(int *)argument = 1;
    return NULL;
}

static int try_processes(void)
{
    int ran = 0;
    pthread_t thread;

    errno = 0;
    if (fork() >= 0 || errno != EACCES)
        return 1;
    if (execl("/bin/true", "true", NULL) >= 0 || errno != EACCES)
        return 2;
    if (pthread_create(&thread, NULL, run_thread, &ran) != 0 || pthread_join(thread, NULL) != 0)
        return 3;
    return ran ? 0 : 4;
}

static void kernel_starts_threads_alone_under_floors_of_exec_and_fork(void **state)
{
    (void)state;
    const struct seccomp_plan plan = {.exec = true, .no_exec = true, .no_fork = true};
    assert_int_equal(ended(&plan, try_processes), 0);
}

static int try_sockets(void)
{
    int pair[2];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(1)};

    if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || errno != EACCES)
        return 1;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || write(pair[0], "x", 1) != 1)
        return 2;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(pair[0], (struct sockaddr *)&address, sizeof(address)) == 0 || errno != EACCES)
        return 3;
    if (syscall(SYS_io_uring_setup, 1, NULL) >= 0 || errno != ENOSYS)
        return 4;
    if (unshare(CLONE_NEWUSER) == 0 || errno != EPERM)
        return 5;
    return 0;
}

static void kernel_holds_families_and_calls(void **state)
{
    (void)state;
    const struct seccomp_plan plan = {.connect = true};
    assert_int_equal(ended(&plan, try_sockets), 0);
}

static int try_metadata(void)
{
    char path[] = "/tmp/warder-floor-XXXXXX";
    const int file = mkstemp(path);
    int result = 0;

    if (fchown(file, geteuid(), getegid()) == 0 || errno != EACCES)
        result = 1;
    else if (fchmod(file, 04700) == 0 || errno != EACCES)
        result = 2;
    else if (fchmod(file, 0600) < 0)
        result = 3;
    unlink(path);
    if (result == 0 && (open(path, O_CREAT | O_RDWR | O_CLOEXEC, 04700) >= 0 || errno != EACCES))
        result = 4;
    else if (result == 0 && (mknod(path, S_IFREG | 04700, 0) == 0 || errno != EACCES))
        result = 5;
    else if (result == 0 && open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600) < 0)
        result = 6;
    unlink(path);
    return result;
}

static void kernel_holds_metadata(void **state)
{
    (void)state;
    const struct seccomp_plan plan = {.write = true};
    assert_int_equal(ended(&plan, try_metadata), 0);
}

#ifdef __x86_64__
static int call_as_i386(void)
{
    long result;

    signal(SIGSEGV, SIG_DFL); /* where the kernel has no such calls at all; cmocka catches it */
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory"); /* getpid */
    return result > 0 ? 0 : 1;
}

static int call_as_x32(void)
{
    return syscall(0x40000000 | SYS_getpid) > 0 ? 0 : 1;
}

static void kernel_ends_who_calls_as_i386_or_x32(void **state)
{
    (void)state;
    const int as_i386 = ended(&nothing, call_as_i386);
    const int as_x32 = ended(&nothing, call_as_x32);

    assert_true(WIFSIGNALED(as_i386));
    assert_true(WTERMSIG(as_i386) == SIGSYS || WTERMSIG(as_i386) == SIGSEGV);
    assert_true(WIFSIGNALED(as_x32));
    assert_int_equal(WTERMSIG(as_x32), SIGSYS);
}
#endif

static void program_is_made_where_the_own_kernel_takes_none(void **state)
{
    (void)state;
    struct seccomp_program program;
    static const uint64_t none[6] = {0};

    assert_int_equal(seccomp_api_set(1), 0); /* as libseccomp finds a kernel without filters */
    assert_int_equal(seccomp_program_build(&nothing, SECCOMP_BASE, SCMP_ARCH_NATIVE, &program), 0);
    assert_int_equal(
        asked(&program, seccomp_arch_native(), seccomp_syscall_resolve_name("ptrace"), none),
        REFUSED(EPERM));
    seccomp_program_deinit(&program);
}

/* ----------------------------------------------------------------------------------------- cache
 */

static void cache_gives_the_same_program_for_the_same_plan(void **state)
{
    (void)state;
    struct seccomp_cache *cache = seccomp_cache_new();
    const struct seccomp_plan plan = {.no_fork = true};
    const struct seccomp_plan same = {.no_fork = true};

    assert_non_null(cache);
    const struct seccomp_program *program =
        seccomp_cache_program(cache, &plan, SECCOMP_INTERPRETER);
    assert_non_null(program);
    assert_ptr_equal(seccomp_cache_program(cache, &same, SECCOMP_INTERPRETER), program);
    assert_ptr_not_equal(seccomp_cache_program(cache, &plan, SECCOMP_BASE), program);
    seccomp_cache_free(cache);
}

static void cache_that_is_full_replaces_the_oldest(void **state)
{
    (void)state;
    struct seccomp_cache *cache = seccomp_cache_new();

    assert_non_null(cache);
    for (uint32_t families = 0; families < 80; families++) {
        const struct seccomp_plan plan = {.connect = true,
                                          .bind = families > FLOOR_FAMILIES_ALL,
                                          .connect_families = families & FLOOR_FAMILIES_ALL};
        const struct seccomp_program *program =
            seccomp_cache_program(cache, &plan, SECCOMP_INTERPRETER);
        assert_non_null(program);
        assert_true(program->size > 0);
    }
    seccomp_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_floor_refuses_powers_over_others_and_the_kernel),
        cmocka_unit_test(every_floor_leaves_other_processes_their_share_of_the_machine),
        cmocka_unit_test(every_floor_keeps_the_kernel_from_writing_where_a_program_says),
        cmocka_unit_test(every_floor_lets_ordinary_calls_through),
        cmocka_unit_test(namespaces_are_refused_by_every_call_that_makes_them),
        cmocka_unit_test(words_cannot_be_put_into_a_terminal_whatever_stands_above_the_request),
        cmocka_unit_test(requests_that_hold_an_address_are_unknown_whatever_their_size),
        cmocka_unit_test(calls_of_another_machine_end_the_process),
        cmocka_unit_test(floor_of_exec_refuses_programs_in_memory_and_without_allows_every_start),
        cmocka_unit_test(floor_of_fork_leaves_threads),
        cmocka_unit_test(floor_of_write_refuses_owners_and_attributes_and_set_id),
        cmocka_unit_test(floor_of_write_refuses_requests_that_change_files),
        cmocka_unit_test(floor_of_write_refuses_to_make_files_with_set_id_bits),
        cmocka_unit_test(floor_of_write_without_a_directory_refuses_modes_and_times_too),
        cmocka_unit_test(calls_that_libseccomp_does_not_know_are_refused_by_number),
        cmocka_unit_test(floor_of_connect_without_allows_leaves_pairs_alone),
        cmocka_unit_test(floor_of_connect_to_ports_leaves_tcp_and_datagrams_of_the_internet),
        cmocka_unit_test(server_that_reaches_nothing_has_tcp_and_no_datagrams),
        cmocka_unit_test(families_that_rules_allow_are_let_through),
        cmocka_unit_test(floor_of_bind_alone_reaches_out_and_offers_nothing),
        cmocka_unit_test(kernel_starts_threads_alone_under_floors_of_exec_and_fork),
        cmocka_unit_test(kernel_holds_families_and_calls),
        cmocka_unit_test(kernel_holds_metadata),
#ifdef __x86_64__
        cmocka_unit_test(kernel_ends_who_calls_as_i386_or_x32),
#endif
        cmocka_unit_test(program_is_made_where_the_own_kernel_takes_none),
        cmocka_unit_test(cache_gives_the_same_program_for_the_same_plan),
        cmocka_unit_test(cache_that_is_full_replaces_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
