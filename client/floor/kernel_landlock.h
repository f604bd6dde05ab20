/* Landlock as the kernel has it up to ABI 7 (Linux 6.15), and what paths are opened with for it:
 * its numbers and structures, for build machines whose headers are older. Each is fixed for good by
 * the kernel's contract with programs.
 */
#ifndef WARDER_CLIENT_FLOOR_KERNEL_LANDLOCK_H
#define WARDER_CLIENT_FLOOR_KERNEL_LANDLOCK_H

#include <stdint.h>

enum {
    /* The same on every architecture that came after Linux 5.0. */
    CALL_LANDLOCK_CREATE_RULESET = 444,
    CALL_LANDLOCK_ADD_RULE = 445,
    CALL_LANDLOCK_RESTRICT_SELF = 446,
};

enum {
    LANDLOCK_QUESTION_VERSION = 1, /* flag of landlock_create_ruleset: answers the ABI */
    LANDLOCK_RULE_BENEATH = 1,
    LANDLOCK_RULE_PORT = 2,
    LANDLOCK_LAYERS_MAX = 16,
};

/* Where an ABI brought something. */
enum {
    LANDLOCK_ABI_REFER = 2,
    LANDLOCK_ABI_TRUNCATE = 3,
    LANDLOCK_ABI_PORTS = 4,
    LANDLOCK_ABI_DEVICES = 5,
    LANDLOCK_ABI_SCOPES = 6,
};

/* Rights on files and directories. */
#define LANDLOCK_EXECUTE UINT64_C(0x1)
#define LANDLOCK_WRITE_FILE UINT64_C(0x2)
#define LANDLOCK_READ_FILE UINT64_C(0x4)
#define LANDLOCK_READ_DIRECTORY UINT64_C(0x8)
#define LANDLOCK_REMOVE_DIRECTORY UINT64_C(0x10)
#define LANDLOCK_REMOVE_FILE UINT64_C(0x20)
#define LANDLOCK_MAKE_ANY                                                                          \
    UINT64_C(0x1fc0)                    /* devices, directories, files, sockets, FIFOs, links      \
                                         */
#define LANDLOCK_REFER UINT64_C(0x2000) /* a file comes to another directory */
#define LANDLOCK_TRUNCATE UINT64_C(0x4000)
#define LANDLOCK_DEVICE_CONTROL UINT64_C(0x8000)

/* Of those, the ones that a rule on a file may have. */
#define LANDLOCK_RIGHTS_OF_A_FILE                                                                  \
    (LANDLOCK_EXECUTE | LANDLOCK_WRITE_FILE | LANDLOCK_READ_FILE | LANDLOCK_TRUNCATE |             \
     LANDLOCK_DEVICE_CONTROL)

/* Rights on ports of TCP. */
#define LANDLOCK_BIND UINT64_C(0x1)
#define LANDLOCK_CONNECT UINT64_C(0x2)

/* What a domain keeps inside. */
#define LANDLOCK_SCOPE_ABSTRACT UINT64_C(0x1)
#define LANDLOCK_SCOPE_SIGNALS UINT64_C(0x2)

/* openat2(2), Linux 5.6. */
enum { CALL_OPENAT2 = 437 };
#define OPEN_WITHOUT_LINKS UINT64_C(0x4) /* RESOLVE_NO_SYMLINKS */

struct kernel_open_how {
    uint64_t flags;
    uint64_t mode;
    uint64_t resolve;
};

struct kernel_ruleset {
    uint64_t files;
    uint64_t ports;
    uint64_t scopes;
};

struct kernel_rule_beneath {
    uint64_t rights;
    int32_t place;
} __attribute__((packed));

struct kernel_rule_port {
    uint64_t rights;
    uint64_t port;
};

#endif
