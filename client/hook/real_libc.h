/* The functions that this object stands before, as libc has them, and those that are linked to
 * under newer versions than GLIBC_2.31.
 *
 * dlsym(RTLD_NEXT) is not to be had (elf_symbols.h), so they are looked up by name, once, before
 * the first call of any: by the constructor where the program holds CPython, and by the first call
 * in any other program, most of which make none. Never in a child: its parent has called fork or
 * vfork. A function that this libc does not have is NULL. */
#ifndef WARDER_CLIENT_HOOK_REAL_LIBC_H
#define WARDER_CLIENT_HOOK_REAL_LIBC_H

#include <pthread.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/types.h>
#include <wordexp.h>

struct msghdr;
struct rlimit;
struct sockaddr;
struct termios;
struct winsize;

typedef int spawn_function(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                           const posix_spawnattr_t *attributes, char *const *argv,
                           char *const *environment);

/* FUNCTION(member, pointer type) */
#define REAL_LIBC(FUNCTION)                                                                        \
    FUNCTION(execve, int (*)(const char *, char *const *, char *const *))                          \
    FUNCTION(execv, int (*)(const char *, char *const *))                                          \
    FUNCTION(execvp, int (*)(const char *, char *const *))                                         \
    FUNCTION(execvpe, int (*)(const char *, char *const *, char *const *))                         \
    FUNCTION(execveat, int (*)(int, const char *, char *const *, char *const *, int))              \
    FUNCTION(fexecve, int (*)(int, char *const *, char *const *))                                  \
    FUNCTION(posix_spawn, spawn_function *)                                                        \
    FUNCTION(posix_spawnp, spawn_function *)                                                       \
    FUNCTION(pidfd_spawn, spawn_function *)                                                        \
    FUNCTION(pidfd_spawnp, spawn_function *)                                                       \
    FUNCTION(fork, pid_t (*)(void))                                                                \
    FUNCTION(_Fork, pid_t (*)(void))                                                               \
    FUNCTION(vfork, pid_t (*)(void))                                                               \
    FUNCTION(forkpty, int (*)(int *, char *, const struct termios *, const struct winsize *))      \
    FUNCTION(daemon, int (*)(int, int))                                                            \
    FUNCTION(clone, int (*)(int (*)(void *), void *, int, void *, ...))                            \
    FUNCTION(system, int (*)(const char *))                                                        \
    FUNCTION(popen, FILE *(*)(const char *, const char *))                                         \
    FUNCTION(pclose, int (*)(FILE *))                                                              \
    FUNCTION(wordexp, int (*)(const char *, wordexp_t *, int))                                     \
    FUNCTION(syscall, long (*)(long, ...))                                                         \
    FUNCTION(strerror, char *(*)(int))                                                             \
    FUNCTION(strerror_r, char *(*)(int, char *, size_t))                                           \
    FUNCTION(pthread_create,                                                                       \
             int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))              \
    FUNCTION(pthread_attr_getguardsize, int (*)(const pthread_attr_t *, size_t *))                 \
    FUNCTION(pthread_attr_setguardsize, int (*)(pthread_attr_t *, size_t))                         \
    FUNCTION(pthread_attr_getstack, int (*)(const pthread_attr_t *, void **, size_t *))            \
    FUNCTION(pthread_attr_getstacksize, int (*)(const pthread_attr_t *, size_t *))                 \
    FUNCTION(pthread_attr_setstacksize, int (*)(pthread_attr_t *, size_t))                         \
    FUNCTION(pthread_join, int (*)(pthread_t, void **))                                            \
    FUNCTION(pthread_detach, int (*)(pthread_t))                                                   \
    FUNCTION(pthread_kill, int (*)(pthread_t, int))                                                \
    FUNCTION(pthread_getcpuclockid, int (*)(pthread_t, clockid_t *))                               \
    FUNCTION(sem_open, sem_t *(*)(const char *, int, ...))                                         \
    FUNCTION(sem_close, int (*)(sem_t *))                                                          \
    FUNCTION(sem_unlink, int (*)(const char *))                                                    \
    FUNCTION(sem_wait, int (*)(sem_t *))                                                           \
    FUNCTION(sem_trywait, int (*)(sem_t *))                                                        \
    FUNCTION(sem_timedwait, int (*)(sem_t *, const struct timespec *))                             \
    FUNCTION(sem_post, int (*)(sem_t *))                                                           \
    FUNCTION(sem_getvalue, int (*)(sem_t *, int *))                                                \
    FUNCTION(prlimit, int (*)(pid_t, int, const struct rlimit *, struct rlimit *))                 \
    FUNCTION(ioctl, int (*)(int, unsigned long, ...))                                              \
    FUNCTION(fcntl, int (*)(int, int, ...))                                                        \
    FUNCTION(fcntl64, int (*)(int, int, ...))                                                      \
    FUNCTION(getsockopt, int (*)(int, int, int, void *, unsigned *))                               \
    FUNCTION(setsockopt, int (*)(int, int, int, const void *, unsigned))                           \
    FUNCTION(open, int (*)(const char *, int, ...))                                                \
    FUNCTION(open64, int (*)(const char *, int, ...))                                              \
    FUNCTION(openat, int (*)(int, const char *, int, ...))                                         \
    FUNCTION(openat64, int (*)(int, const char *, int, ...))                                       \
    FUNCTION(creat, int (*)(const char *, mode_t))                                                 \
    FUNCTION(creat64, int (*)(const char *, mode_t))                                               \
    FUNCTION(__open_2, int (*)(const char *, int))                                                 \
    FUNCTION(__open64_2, int (*)(const char *, int))                                               \
    FUNCTION(__openat_2, int (*)(int, const char *, int))                                          \
    FUNCTION(__openat64_2, int (*)(int, const char *, int))                                        \
    FUNCTION(recv, ssize_t (*)(int, void *, size_t, int))                                          \
    FUNCTION(recvfrom, ssize_t (*)(int, void *, size_t, int, struct sockaddr *, unsigned *))       \
    FUNCTION(recvmsg, ssize_t (*)(int, struct msghdr *, int))                                      \
    FUNCTION(accept, int (*)(int, struct sockaddr *, unsigned *))                                  \
    FUNCTION(accept4, int (*)(int, struct sockaddr *, unsigned *, int))                            \
    FUNCTION(getpeername, int (*)(int, struct sockaddr *, unsigned *))                             \
    FUNCTION(getsockname, int (*)(int, struct sockaddr *, unsigned *))                             \
    FUNCTION(listen, int (*)(int, int))                                                            \
    FUNCTION(bindtextdomain, char *(*)(const char *, const char *))                                \
    FUNCTION(dgettext, char *(*)(const char *, const char *))                                      \
    FUNCTION(dcgettext, char *(*)(const char *, const char *, int))                                \
    FUNCTION(dngettext, char *(*)(const char *, const char *, const char *, unsigned long))        \
    FUNCTION(dcngettext, char *(*)(const char *, const char *, const char *, unsigned long, int))  \
    FUNCTION(textdomain, char *(*)(const char *))                                                  \
    FUNCTION(setenv, int (*)(const char *, const char *, int))                                     \
    FUNCTION(putenv, int (*)(char *))

/* A member's name stands in no parentheses. NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define REAL_LIBC_MEMBER(name, type) __typeof__(type) name;
struct real_libc {
    REAL_LIBC(REAL_LIBC_MEMBER)
};
#undef REAL_LIBC_MEMBER

/* The table, filled in. */
const struct real_libc *real_libc(void);

/* syscall's, for boundary_jump_ARCHITECTURE.S; NULL until the table is filled in. */
extern void *boundary_real_syscall;

#endif
