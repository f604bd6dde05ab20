/* System calls without libc: no errno, no cancellation point, no symbol that somebody stands
 * before.
 *
 * For the child of a vfork, which shares its parent's errno and everything else, and for what libc
 * has only newer versions of. A result from -4095 to -1 is a negative errno. */
#ifndef WARDER_CLIENT_HOOK_RAW_SYSCALL_H
#define WARDER_CLIENT_HOOK_RAW_SYSCALL_H

#include <sys/syscall.h>

#if defined(__clang_analyzer__)

/* It does not see what the kernel writes by the instruction: a function of elsewhere may write
 * wherever it is given an address. */
long raw_syscall6(long number, long a, long b, long c, long d, long e, long f);

#elif defined(__x86_64__)

static inline long raw_syscall6(long number, long a, long b, long c, long d, long e, long f)
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

#elif defined(__aarch64__)

static inline long raw_syscall6(long number, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;

    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}

#else
#error                                                                                             \
    "the C boundary is written for x86-64 and arm64: this architecture's system calls are not here"
#endif

#define RAW_SYSCALL_PICK(a, b, c, d, e, f, ...) a, b, c, d, e, f
/* raw_syscall(SYS_close, descriptor): what is not given is 0. */
#define raw_syscall(number, ...)                                                                   \
    raw_syscall_of((number), RAW_SYSCALL_PICK(__VA_ARGS__, 0, 0, 0, 0, 0, 0))
#define raw_syscall_of(number, ...) raw_syscall_cast(number, __VA_ARGS__)
#define raw_syscall_cast(number, a, b, c, d, e, f)                                                 \
    raw_syscall6((number), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

static inline int raw_failed(long result)
{
    return result < 0 && result >= -4095;
}

#endif
