/* Stands for native code that an attacker has brought into an interpreter: an object that makes any
 * system call by itself, past libc and whatever stands before it. It links to no Python, so every
 * interpreter can load it. */
#include <string.h>
#include <sys/syscall.h>

#define ATTACKER __attribute__((visibility("default")))

ATTACKER long attacker_call(long number, long a, long b, long c, long d, long e, long f);
ATTACKER long attacker_call_of_32_bits(long number, long a, long b, long c);
ATTACKER long attacker_number(const char *name);
ATTACKER int attacker_fork(void);

#if defined(__x86_64__)
enum { X32_BIT = 0x40000000 };

/* Negative is a -errno. */
long attacker_call(long number, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* As i386 numbers them, by the gate for it. */
long attacker_call_of_32_bits(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(a), "c"(b), "d"(c)
                     : "r8", "r9", "r10", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
enum { X32_BIT = 0 };

long attacker_call(long number, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;

    __asm__ volatile("svc #0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}

long attacker_call_of_32_bits(long number, long a, long b, long c)
{
    (void)number, (void)a, (void)b, (void)c;
    return -38; /* ENOSYS: a process of 64 bits has no gate */
}
#endif

#define CALL(name)                                                                                 \
    {                                                                                              \
#name, SYS_##name                                                                          \
    }

/* -1 for a call that this machine does not have. */
long attacker_number(const char *name)
{
    static const struct {
        const char *name;
        long number;
    } calls[] = {
        CALL(execve),
        CALL(execveat),
        CALL(clone),
        CALL(openat),
        CALL(mkdirat),
        CALL(mknodat),
        CALL(symlinkat),
        CALL(linkat),
        CALL(unlinkat),
        CALL(renameat2),
        CALL(truncate),
        CALL(fchmodat),
        CALL(fchownat),
        CALL(socket),
        CALL(connect),
        CALL(bind),
        CALL(listen),
        CALL(sendto),
        CALL(ptrace),
        CALL(process_vm_readv),
        CALL(process_vm_writev),
        CALL(memfd_create),
        CALL(mount),
        CALL(unshare),
        CALL(setns),
        CALL(chroot),
        CALL(ioctl),
        CALL(kill),
        CALL(prlimit64),
        CALL(tgkill),
        CALL(bpf),
        CALL(userfaultfd),
        CALL(perf_event_open),
        CALL(open_by_handle_at),
        CALL(getppid),
        CALL(prctl),
        CALL(seccomp),
        CALL(close),
        CALL(write),
        CALL(exit_group),
        CALL(socketpair),
        CALL(init_module),
#if defined(__x86_64__)
        CALL(fork),
        CALL(vfork),
        CALL(open),
        CALL(creat),
        CALL(chmod),
        {"x32_getppid", SYS_getppid + X32_BIT},
        {"x32_execve", 520 + X32_BIT},
#endif
        /* The same everywhere, and newer than some headers. */
        {"pidfd_send_signal", 424},
        {"io_uring_setup", 425},
        {"open_tree", 428},
        {"move_mount", 429},
        {"fsopen", 430},
        {"pidfd_open", 434},
        {"clone3", 435},
        {"openat2", 437},
        {"pidfd_getfd", 438},
        {"process_madvise", 440},
        {"mseal", 462},
    };

    for (unsigned i = 0; i < sizeof(calls) / sizeof(*calls); i++)
        if (strcmp(calls[i].name, name) == 0)
            return calls[i].number;
    return -1;
}

/* A process by a bare clone, which ends at once: its number, or a -errno. */
int attacker_fork(void)
{
    const long signal_of_a_child = 17;
    const long pid = attacker_call(SYS_clone, signal_of_a_child, 0, 0, 0, 0, 0);

    if (pid == 0)
        attacker_call(SYS_exit_group, 0, 0, 0, 0, 0, 0);
    return (int)pid;
}
