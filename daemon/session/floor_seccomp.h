/* Programs for seccomp(2): which system calls a floor refuses (docs/policy-language.md, "Floors").
 *
 * A program is an array of struct sock_filter in the byte order of this machine, made by libseccomp
 * for one kind of machine. System calls of another (i386 and x32 beside x86-64, 32-bit Arm beside
 * arm64) end the process: what a filter has not looked at goes nowhere. */
#ifndef WARDER_DAEMON_SESSION_FLOOR_SECCOMP_H
#define WARDER_DAEMON_SESSION_FLOOR_SECCOMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is to be refused beside that which every floor refuses. */
struct seccomp_plan {
    bool exec;                 /* programs in memory are no way round `exec` */
    bool no_exec;              /* nothing is started at all */
    bool no_fork;              /* threads alone */
    bool write;                /* metadata that Landlock does not hold */
    bool no_tree;              /* and no directory is writable: no metadata at all */
    bool connect;              /* to the families below alone, */
    bool all_ports;            /* of these to every port */
    bool bind;                 /* likewise */
    uint32_t connect_families; /* enum floor_family (policies/floor/network_outline.h) */
    uint32_t bind_families;
};

enum seccomp_program_kind {
    /* May stand before a program is started: what nobody under a floor may do. */
    SECCOMP_BASE,
    /* For an interpreter before its program's code: that, and everything in the plan. */
    SECCOMP_INTERPRETER,
    SECCOMP_PROGRAM_KINDS
};

struct seccomp_program {
    unsigned char *bytes; /* owned */
    size_t size;          /* bytes */
};

/* Makes a program for a machine (SCMP_ARCH_NATIVE, or another that tests ask for). 0 or a negative
 * errno; blocks for less than a millisecond. */
int seccomp_program_build(const struct seccomp_plan *plan, enum seccomp_program_kind kind,
                          uint32_t architecture, struct seccomp_program *out);
void seccomp_program_deinit(struct seccomp_program *program);

/* Programs that were made before. One thread. */
struct seccomp_cache;

struct seccomp_cache *seccomp_cache_new(void);
void seccomp_cache_free(struct seccomp_cache *cache);

/* The program of a plan, which stays until the next call; NULL if it could not be made. */
const struct seccomp_program *seccomp_cache_program(struct seccomp_cache *cache,
                                                    const struct seccomp_plan *plan,
                                                    enum seccomp_program_kind kind);

#endif
