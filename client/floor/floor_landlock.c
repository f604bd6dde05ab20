/* Invariants.
 *
 * - Whatever goes wrong while a domain is being made, nothing is restricted and the caller is told:
 *   a domain is never taken with a rule too many. One too few only narrows, which is why a path
 *   that is not there is passed over.
 * - No rule lets anything below a procfs be written: /proc/PID/mem is memory, and a directory's
 *   descriptor opens it without an audit event. */
#define _GNU_SOURCE
#include "client/floor/floor_landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "client/floor/kernel_landlock.h"
#include "client/floor/program_needs.h"
#include "policies/engine/vocabulary.h"

#define RIGHTS_TO_READ (LANDLOCK_READ_FILE | LANDLOCK_READ_DIRECTORY)
#define RIGHTS_TO_WRITE                                                                            \
    (LANDLOCK_WRITE_FILE | LANDLOCK_REMOVE_DIRECTORY | LANDLOCK_REMOVE_FILE | LANDLOCK_MAKE_ANY |  \
     LANDLOCK_REFER | LANDLOCK_TRUNCATE | LANDLOCK_DEVICE_CONTROL)

enum {
    PROCFS = 0x9fa0, /* linux/magic.h: PROC_SUPER_MAGIC */
};

static uint32_t bit(enum operation_class operation_class)
{
    return UINT32_C(1) << operation_class;
}

/* ------------------------------------------------------------------------------------------ plan
 */

int landlock_kernel_abi(void)
{
    const long abi = syscall(CALL_LANDLOCK_CREATE_RULESET, NULL, 0, LANDLOCK_QUESTION_VERSION);
    return abi > 0 ? (int)abi : 0;
}

static bool names_programs(const Warder__V1__Floor *floor)
{
    for (size_t i = 0; i < floor->n_paths; i++)
        if (floor->paths[i]->classes & bit(CLASS_EXEC))
            return true;
    return false;
}

uint32_t landlock_classes(const Warder__V1__Floor *floor)
{
    uint32_t classes = floor->classes & (bit(CLASS_READ) | bit(CLASS_WRITE));

    if (names_programs(floor)) /* else seccomp refuses every one */
        classes |= floor->classes & bit(CLASS_EXEC);
    if (!floor->any_connect_port)
        classes |= floor->classes & bit(CLASS_CONNECT);
    if (!floor->any_bind_port)
        classes |= floor->classes & bit(CLASS_BIND);
    return classes;
}

static uint64_t rights_up_to(int abi)
{
    uint64_t rights = LANDLOCK_EXECUTE | RIGHTS_TO_READ | RIGHTS_TO_WRITE;

    if (abi < LANDLOCK_ABI_REFER)
        rights &= ~LANDLOCK_REFER;
    if (abi < LANDLOCK_ABI_TRUNCATE)
        rights &= ~LANDLOCK_TRUNCATE;
    if (abi < LANDLOCK_ABI_DEVICES)
        rights &= ~LANDLOCK_DEVICE_CONTROL;
    return rights;
}

static void plan_files(struct landlock_plan *plan, uint32_t classes, int abi,
                       struct missing_words *missing)
{
    uint64_t rights = 0;

    if (classes & bit(CLASS_EXEC))
        rights |= LANDLOCK_EXECUTE;
    if (classes & bit(CLASS_READ))
        rights |= RIGHTS_TO_READ;
    if (classes & bit(CLASS_WRITE))
        rights |= RIGHTS_TO_WRITE;
    plan->files = rights & rights_up_to(abi);
    plan->held |= classes & (bit(CLASS_EXEC) | bit(CLASS_READ) | bit(CLASS_WRITE));
    if (rights && abi < LANDLOCK_ABI_REFER)
        missing_words_add(missing, "files moved or linked from one directory to another, which is "
                                   "refused everywhere (Landlock ABI 2, Linux 5.19)");
    if (!(classes & bit(CLASS_WRITE)))
        return;
    if (abi < LANDLOCK_ABI_TRUNCATE) {
        missing_words_add(missing, "`write`: files cut by truncate and O_TRUNC "
                                   "(Landlock ABI 3, Linux 6.2)");
        plan->held &= ~bit(CLASS_WRITE);
    }
    if (abi < LANDLOCK_ABI_DEVICES)
        missing_words_add(missing, "requests to devices by ioctl (Landlock ABI 5, Linux 6.10)");
}

static void plan_ports(struct landlock_plan *plan, const Warder__V1__Floor *floor, uint32_t classes,
                       int abi, struct missing_words *missing)
{
    const bool connects = classes & bit(CLASS_CONNECT) && !floor->any_connect_port;
    const bool binds = classes & bit(CLASS_BIND) && !floor->any_bind_port;

    if (abi >= LANDLOCK_ABI_PORTS) {
        plan->ports = (connects ? LANDLOCK_CONNECT : 0) | (binds ? LANDLOCK_BIND : 0);
        plan->held |= (connects ? bit(CLASS_CONNECT) : 0) | (binds ? bit(CLASS_BIND) : 0);
        return;
    }
    if (connects)
        missing_words_add(missing, "`connect`: ports of TCP (Landlock ABI 4, Linux 6.7)");
    if (binds)
        missing_words_add(missing, "`bind`: ports of TCP (Landlock ABI 4, Linux 6.7)");
}

void landlock_plan_make(struct landlock_plan *plan, const Warder__V1__Floor *floor,
                        enum floor_stage stage, int abi, struct missing_words *missing)
{
    uint32_t classes = stage == FLOOR_INTERPRETER ? floor->classes : 0;

    *plan = (struct landlock_plan){.held = 0};
    if (abi <= 0) {
        missing_words_add(missing, "files, ports of TCP and signals: the kernel has no Landlock, "
                                   "or it is not switched on (lsm= on its command line)");
        return;
    }
    if (!names_programs(floor)) /* none is started at all: the filter's part */
        classes &= ~bit(CLASS_EXEC);
    plan_files(plan, classes, abi, missing);
    plan_ports(plan, floor, classes, abi, missing);
    if (floor->classes && abi >= LANDLOCK_ABI_SCOPES) {
        plan->scopes = LANDLOCK_SCOPE_SIGNALS;
        if (floor->classes & bit(CLASS_CONNECT))
            plan->scopes |= LANDLOCK_SCOPE_ABSTRACT;
    } else if (floor->classes) {
        missing_words_add(missing, "signals to other processes (Landlock ABI 6, Linux 6.12)");
    }
    /* Once a process is in one domain that restricts files, each of its domains refuses to move
     * them between directories unless it says otherwise: this one, and what comes after it. */
    if (landlock_plan_is_needed(plan) && abi >= LANDLOCK_ABI_REFER)
        plan->files |= LANDLOCK_REFER;
}

bool landlock_plan_is_needed(const struct landlock_plan *plan)
{
    return plan->files || plan->ports || plan->scopes;
}

/* ----------------------------------------------------------------------------------------- rules
 */

struct ruleset {
    int descriptor;
    uint64_t files;    /* what it restricts */
    uint32_t programs; /* the class, if it names some */
    bool moves;        /* writing is free: so is moving files, as far as that opens nothing */
    unsigned absent;
};

static bool is_directory(int place)
{
    struct statx status; /* fstat() is GLIBC_2.33's */
    return statx(place, "", AT_EMPTY_PATH, STATX_TYPE, &status) == 0 && S_ISDIR(status.stx_mode);
}

/* A procfs, or the root, which has one below it. */
static bool holds_procfs(int place)
{
    struct statfs filesystem;
    struct statx status;
    struct statx root;

    return fstatfs(place, &filesystem) < 0 || filesystem.f_type == PROCFS ||
           statx(place, "", AT_EMPTY_PATH, STATX_INO, &status) < 0 ||
           statx(AT_FDCWD, "/", 0, STATX_INO, &root) < 0 ||
           (status.stx_ino == root.stx_ino && status.stx_dev_major == root.stx_dev_major &&
            status.stx_dev_minor == root.stx_dev_minor);
}

/* Allows beneath an open place. What Landlock has no rule for (a pipe, a socket) is as good as not
 * there. */
static int allow_at(struct ruleset *ruleset, int place, uint64_t rights, bool alone)
{
    rights &= ruleset->files;
    if (holds_procfs(place)) /* which has no two directories that a file could be in */
        rights &= ~RIGHTS_TO_WRITE | (ruleset->moves ? LANDLOCK_REFER : 0);
    if (!is_directory(place))
        rights &= LANDLOCK_RIGHTS_OF_A_FILE;
    else if (alone) /* what a rule gives, it gives to all beneath: its list of names, at most */
        rights &= LANDLOCK_READ_DIRECTORY;
    if (!rights)
        return 0;
    const struct kernel_rule_beneath rule = {.rights = rights, .place = place};
    if (syscall(CALL_LANDLOCK_ADD_RULE, ruleset->descriptor, LANDLOCK_RULE_BENEATH, &rule, 0) == 0)
        return 0;
    if (errno != EBADFD)
        return -errno;
    ruleset->absent++;
    return 0;
}

/* True if it is this path that cannot be opened: it is not there, or not to be reached, and needs
 * no rule then. What is wrong with the process or the kernel would be wrong with every path. */
static bool is_of_the_path(int error)
{
    static const int of_all[] = {EMFILE, ENFILE, ENOMEM, ENOSYS, EPERM, EINVAL, EINTR};

    for (size_t i = 0; i < sizeof(of_all) / sizeof(*of_all); i++)
        if (error == of_all[i])
            return false;
    return true;
}

/* `resolve`: OPEN_WITHOUT_LINKS, or 0; `alone`: the path and nothing beneath it. */
static int allow_beneath(struct ruleset *ruleset, const char *path, uint64_t resolve,
                         uint64_t rights, bool alone)
{
    const struct kernel_open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = resolve};
    const int place = (int)syscall(CALL_OPENAT2, AT_FDCWD, path, &how, sizeof(how));

    if (place < 0) {
        ruleset->absent++;
        return is_of_the_path(errno) ? 0 : -errno;
    }
    const int error = allow_at(ruleset, place, rights, alone);
    close(place);
    return error;
}

/* Of a program, the kernel reads the file that it executes. */
#define RIGHTS_TO_EXECUTE (LANDLOCK_EXECUTE | LANDLOCK_READ_FILE)

/* The interpreter of a script, and the loader of that. The kernel follows links to them. */
static int allow_needs(struct ruleset *ruleset, const char *program)
{
    char needs[2][PATH_MAX];
    int error = 0;

    for (int i = 0; i < PROGRAM_NEEDS_MAX && error == 0; i++) {
        if (!program_need(program, needs[i % 2], PATH_MAX) || needs[i % 2][0] != '/')
            break;
        program = needs[i % 2];
        error = allow_beneath(ruleset, program, 0, RIGHTS_TO_EXECUTE, true);
    }
    return error;
}

static uint64_t rights_of(const Warder__V1__FloorPath *path)
{
    return (path->classes & bit(CLASS_READ) ? RIGHTS_TO_READ : 0) |
           (path->classes & bit(CLASS_WRITE) ? RIGHTS_TO_WRITE : 0) |
           (path->classes & bit(CLASS_EXEC) ? RIGHTS_TO_EXECUTE : 0);
}

static int allow_path(struct ruleset *ruleset, const Warder__V1__FloorPath *path)
{
    char text[PATH_MAX];

    if (path->path.len == 0 || path->path.len >= sizeof(text) || path->path.data[0] != '/' ||
        memchr(path->path.data, '\0', path->path.len))
        return -EINVAL;
    memcpy(text, path->path.data, path->path.len);
    text[path->path.len] = '\0';
    const int error =
        allow_beneath(ruleset, text, OPEN_WITHOUT_LINKS, rights_of(path), path->alone);
    return error == 0 && path->classes & ruleset->programs ? allow_needs(ruleset, text) : error;
}

/* Beside what the policy says. The hook looks up which directories are open, in /proc: no file is
 * read there. Programs below a directory have, but for scripts, this one's loader. */
static int allow_necessities(struct ruleset *ruleset)
{
    int error = allow_beneath(ruleset, "/proc", 0, LANDLOCK_READ_DIRECTORY, false);
    if (error == 0 && ruleset->moves)
        error = allow_beneath(ruleset, "/", 0, LANDLOCK_REFER, false);
    return error == 0 && ruleset->programs ? allow_needs(ruleset, "/proc/self/exe") : error;
}

static int allow_ports(const struct ruleset *ruleset, uint64_t right, const uint32_t *ports,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct kernel_rule_port rule = {.rights = right, .port = ports[i]};
        if (syscall(CALL_LANDLOCK_ADD_RULE, ruleset->descriptor, LANDLOCK_RULE_PORT, &rule, 0) < 0)
            return -errno;
    }
    return 0;
}

/* A domain that does not restrict moving and linking between directories refuses them all
 * (landlock(7), LANDLOCK_ACCESS_FS_REFER): one that has nothing to say to them restricts them, too,
 * and allows them everywhere. */
static bool leaves_moves_alone(const struct landlock_plan *plan)
{
    return !(plan->files & LANDLOCK_REFER) && landlock_kernel_abi() >= LANDLOCK_ABI_REFER;
}

static int allow_moves(const struct ruleset *ruleset)
{
    const int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    const struct kernel_rule_beneath rule = {.rights = LANDLOCK_REFER, .place = root};

    if (root < 0)
        return -errno;
    const int error =
        syscall(CALL_LANDLOCK_ADD_RULE, ruleset->descriptor, LANDLOCK_RULE_BENEATH, &rule, 0) < 0
            ? -errno
            : 0;
    close(root);
    return error;
}

static int add_rules(struct ruleset *ruleset, const struct landlock_plan *plan,
                     const Warder__V1__Floor *floor)
{
    int error = plan->files ? allow_necessities(ruleset) : 0;

    for (size_t i = 0; plan->files && i < floor->n_paths && error == 0; i++)
        error = allow_path(ruleset, floor->paths[i]);
    if (error == 0 && plan->ports & LANDLOCK_CONNECT)
        error =
            allow_ports(ruleset, LANDLOCK_CONNECT, floor->connect_ports, floor->n_connect_ports);
    if (error == 0 && plan->ports & LANDLOCK_BIND)
        error = allow_ports(ruleset, LANDLOCK_BIND, floor->bind_ports, floor->n_bind_ports);
    return error;
}

int landlock_plan_take(const struct landlock_plan *plan, const Warder__V1__Floor *floor,
                       unsigned *absent)
{
    const bool moves = leaves_moves_alone(plan);
    const struct kernel_ruleset restricted = {plan->files | (moves ? LANDLOCK_REFER : 0),
                                              plan->ports, plan->scopes};
    struct ruleset ruleset = {.files = plan->files};

    ruleset.programs = plan->files & LANDLOCK_EXECUTE ? bit(CLASS_EXEC) : 0;
    ruleset.moves = !(plan->files & LANDLOCK_WRITE_FILE);

    /* A kernel of an older ABI knows a shorter structure, and takes this one if the rest is zero.
     */
    ruleset.descriptor =
        (int)syscall(CALL_LANDLOCK_CREATE_RULESET, &restricted, sizeof(restricted), 0);
    if (ruleset.descriptor < 0)
        return -errno;
    int error = moves ? allow_moves(&ruleset) : 0;
    if (error == 0)
        error = add_rules(&ruleset, plan, floor);
    if (error == 0 && syscall(CALL_LANDLOCK_RESTRICT_SELF, ruleset.descriptor, 0) < 0)
        error = -errno;
    close(ruleset.descriptor);
    *absent = ruleset.absent;
    return error;
}
