/* Everything is allowed that no rule refuses. Arguments are 64 bits here, and the kernel reads 32
 * of those that are `int` or `unsigned`: such a comparison masks the rest, so that garbage above
 * does not lead past it. */
#define _GNU_SOURCE
#include "daemon/session/floor_seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policies/floor/network_outline.h"
#include "policies/ownership.h"

enum {
    CACHE_SIZE = 64, /* programs: policies of one host ask for a few kinds of floor */
};

#define INT_MASK UINT64_C(0xffffffff)
#define REQUEST_MASK UINT64_C(0xc000ffff) /* a request of ioctl without its size */

/* The kernel's own headers, some of which are newer than those of Debian 12. */
enum {
    FLAG_NOEXEC_SEAL = 0x8,      /* linux/memfd.h: MFD_NOEXEC_SEAL, Linux 6.3 */
    REQUEST_TIOCSTI = 0x5412,    /* asm-generic/ioctls.h */
    REQUEST_TIOCLINUX = 0x541c,  /* likewise */
    REQUEST_FAULTS_NEW = 0xaa00, /* linux/userfaultfd.h: USERFAULTFD_IOC_NEW, of /dev/userfaultfd */
    OPTION_ULP = 31,             /* linux/tcp.h: TCP_ULP */
    FLAG_FASTOPEN = 0x20000000,  /* linux/socket.h: MSG_FASTOPEN connects */
    FLAG_NEWTIME = 0x80,         /* linux/sched.h: CLONE_NEWTIME */
    PRIORITY_OF_GROUP = 0x2,     /* linux/ioprio.h: IOPRIO_WHO_PGRP; IOPRIO_WHO_USER has it too */
    CALL_FCHMODAT2 = 452,        /* asm-generic/unistd.h: the same number on every machine */
    CALL_SETXATTRAT = 463,
    CALL_REMOVEXATTRAT = 466,
    CALL_OPEN_TREE_ATTR = 467,
    CALL_FILE_SETATTR = 469,
    OPTION_ZEROCOPY_RECEIVE = 35, /* linux/tcp.h: TCP_ZEROCOPY_RECEIVE */
    FAMILY_LAST = 63,             /* families are numbered to 45 in Linux 6.18 */
    KIND_MASK = 0xf,              /* linux/net.h: SOCK_TYPE_MASK */
    PROTOCOL_TCP = 6,
    LIBRARY_LEVEL = 3, /* seccomp_api_get(3): what ends a process is known from there on */
};

/* What a file's owner may change of it, or make in a directory, through a descriptor that was
 * opened for reading: Landlock looks at none of these. */
static const uint64_t attribute_requests[] = {
    0x40086602, 0x40046602, /* linux/fs.h: FS_IOC_SETFLAGS, FS_IOC32_SETFLAGS */
    0x401c5820,             /* FS_IOC_FSSETXATTR */
    0x40087602, 0x40047602, /* FS_IOC_SETVERSION, FS_IOC32_SETVERSION */
    0x40086604, 0x40046604, /* EXT4_IOC_SETVERSION_OLD, EXT4_IOC32_SETVERSION_OLD */
    0x40806685,             /* linux/fsverity.h: FS_IOC_ENABLE_VERITY: never to be written again */
    0x800c6613,             /* linux/fscrypt.h: FS_IOC_SET_ENCRYPTION_POLICY */
    0x40047211,             /* linux/msdos_fs.h: FAT_IOCTL_SET_ATTRIBUTES */
    0x5000940e, 0x50009418, /* linux/btrfs.h: BTRFS_IOC_SUBVOL_CREATE, and _V2 */
    0x50009401, 0x50009417, /* BTRFS_IOC_SNAP_CREATE, and _V2 */
    0x5000940f, 0x5000943f, /* BTRFS_IOC_SNAP_DESTROY, and _V2 */
    0x4008941a,             /* BTRFS_IOC_SUBVOL_SETFLAGS */
};

struct builder {
    scmp_filter_ctx context;
    int error; /* the first */
};

/* ----------------------------------------------------------------------------------------- rules
 */

static void refuse_if(struct builder *builder, int call, int error, unsigned count,
                      const struct scmp_arg_cmp *arguments)
{
    if (call == __NR_SCMP_ERROR || builder->error)
        return; /* libseccomp does not know it: see `unknown` in the callers */
    const int result = seccomp_rule_add_array(builder->context, SCMP_ACT_ERRNO((uint32_t)error),
                                              call, count, arguments);
    /* A call that this machine has not got is no rule; nor is one that another rule has said. */
    if (result < 0 && result != -EEXIST && result != -EDOM && result != -EFAULT)
        builder->error = result;
}

static void refuse(struct builder *builder, const char *name, int error)
{
    refuse_if(builder, seccomp_syscall_resolve_name(name), error, 0, NULL);
}

static void refuse_all(struct builder *builder, const char *const *names, int error)
{
    for (; *names; names++)
        refuse(builder, *names, error);
}

static struct scmp_arg_cmp equals(unsigned argument, uint64_t mask, uint64_t value)
{
    return (struct scmp_arg_cmp){argument, SCMP_CMP_MASKED_EQ, mask, value};
}

static struct scmp_arg_cmp above(unsigned argument, uint64_t value)
{
    return (struct scmp_arg_cmp){argument, SCMP_CMP_GT, value, 0};
}

static void refuse_value(struct builder *builder, const char *name, int error, unsigned argument,
                         uint64_t mask, uint64_t value)
{
    const struct scmp_arg_cmp compared = equals(argument, mask, value);
    refuse_if(builder, seccomp_syscall_resolve_name(name), error, 1, &compared);
}

/* If one of the bits is set. */
static void refuse_bits(struct builder *builder, int call, int error, unsigned argument,
                        uint64_t bits)
{
    for (uint64_t bit = 1; bit != 0 && bit <= bits; bit <<= 1) {
        const struct scmp_arg_cmp compared = equals(argument, bit, bit);
        if (bits & bit)
            refuse_if(builder, call, error, 1, &compared);
    }
}

/* If both have one of their bits set. */
static void refuse_bits_of_both(struct builder *builder, int call, int error, unsigned argument,
                                uint64_t bits, unsigned other, uint64_t others)
{
    for (uint64_t bit = 1; bit <= bits; bit <<= 1)
        for (uint64_t second = 1; second <= others; second <<= 1) {
            const struct scmp_arg_cmp compared[] = {equals(argument, bit, bit),
                                                    equals(other, second, second)};
            if (bits & bit && others & second)
                refuse_if(builder, call, error, 2, compared);
        }
}

/* ------------------------------------------------------------------------------------ every floor
 */

/* Other processes' memory and descriptors, the host's mounts and clocks, the kernel itself; root
 * can do these, and none is what a policy lets an interpreter do. */
static const char *const powers[] = {"ptrace",
                                     "process_vm_readv",
                                     "process_vm_writev",
                                     "process_madvise",
                                     "pidfd_getfd",
                                     "kcmp",
                                     "mount",
                                     "umount",
                                     "umount2",
                                     "move_mount",
                                     "fsopen",
                                     "fsconfig",
                                     "fsmount",
                                     "fspick",
                                     "open_tree",
                                     "mount_setattr",
                                     "pivot_root",
                                     "chroot",
                                     "setns",
                                     "bpf",
                                     "userfaultfd",
                                     "perf_event_open",
                                     "fanotify_init",
                                     "kexec_load",
                                     "kexec_file_load",
                                     "init_module",
                                     "finit_module",
                                     "delete_module",
                                     "create_module",
                                     "keyctl",
                                     "add_key",
                                     "request_key",
                                     "swapon",
                                     "swapoff",
                                     "reboot",
                                     "quotactl",
                                     "quotactl_fd",
                                     "acct",
                                     "settimeofday",
                                     "clock_settime",
                                     "clock_settime64",
                                     "adjtimex",
                                     "clock_adjtime",
                                     "clock_adjtime64",
                                     "syslog",
                                     "stime",
                                     "open_by_handle_at",
                                     "lookup_dcookie",
                                     "nfsservctl",
                                     "uselib",
                                     "iopl",
                                     "ioperm",
                                     "modify_ldt",
                                     "vhangup",
                                     "sethostname",
                                     "setdomainname",
                                     NULL};

/* Memory, semaphores and queues of System V belong to the host, not to a process or directory:
 * Landlock does not see them, and no audit event says who uses which. */
static const char *const shared[] = {"shmget", "shmat",      "shmctl", "semget", "semop",
                                     "semctl", "semtimedop", "msgget", "msgsnd", "msgrcv",
                                     "msgctl", "ipc",        NULL};

/* What a program is prepared not to have: it does without. */
static const char *const unheard[] = {"io_uring_setup", "io_uring_enter", "io_uring_register",
                                      "clone3", NULL};

/* How much of the machine another process gets: no right of Landlock, and no audit event, has
 * these. A process is named by its number or by 0, its own. Who names itself by number is refused
 * too. */
static void add_others(struct builder *builder)
{
    static const char *const first[] = {"sched_setscheduler", "sched_setparam", "sched_setattr",
                                        "sched_setaffinity",  "migrate_pages",  "move_pages"};
    const struct scmp_arg_cmp named = above(0, 0);
    const struct scmp_arg_cmp who = above(1, 0);
    const struct scmp_arg_cmp limited[] = {above(0, 0), above(2, 0)};

    for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++)
        refuse_if(builder, seccomp_syscall_resolve_name(first[i]), EPERM, 1, &named);
    refuse_if(builder, SCMP_SYS(prlimit64), EPERM, 2, limited);
    refuse_if(builder, SCMP_SYS(setpriority), EPERM, 1, &who);
    refuse_if(builder, SCMP_SYS(ioprio_set), EPERM, 1, &who);
    /* A group of processes, or all of a user: their own too. */
    refuse_bits(builder, SCMP_SYS(setpriority), EPERM, 0, PRIO_PGRP | PRIO_USER);
    refuse_bits(builder, SCMP_SYS(ioprio_set), EPERM, 0, PRIORITY_OF_GROUP);
}

/* An option that holds an address of the caller's memory for the kernel to write to: CPython passes
 * a buffer that it has not filled, so what lay there before is the address, and no audit event
 * tells. (The tables of packet filters are like that, and take powers that no floor leaves.) */
static void add_pointer_options(struct builder *builder)
{
    static const char *const calls[] = {"getsockopt", "setsockopt"};
    const struct scmp_arg_cmp zerocopy[] = {equals(1, INT_MASK, IPPROTO_TCP),
                                            equals(2, INT_MASK, OPTION_ZEROCOPY_RECEIVE)};

    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
        refuse_if(builder, seccomp_syscall_resolve_name(calls[i]), ENOPROTOOPT, 2, zerocopy);
}

/* Requests to files of /proc that hold such addresses: PROCMAP_QUERY and PAGEMAP_SCAN, whose size,
 * which is left out here, grows with Linux. Older ones answer the same. */
static void add_pointer_requests(struct builder *builder)
{
    static const uint64_t requests[] = {0xc0006610, 0xc0006611};

    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
        refuse_value(builder, "ioctl", ENOTTY, 1, REQUEST_MASK, requests[i]);
}

/* Root may map address 0, and with it, by a length that reaches far enough, what lies above. */
static void add_fixed_mappings(struct builder *builder)
{
    static const char *const calls[] = {"mmap", "mmap2"};
    const struct scmp_arg_cmp fixed[] = {equals(0, UINT64_MAX, 0), equals(3, MAP_FIXED, MAP_FIXED)};

    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
        refuse_if(builder, seccomp_syscall_resolve_name(calls[i]), EPERM, 2, fixed);
}

static void add_base(struct builder *builder, const struct seccomp_plan *plan)
{
    const uint64_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

    refuse_all(builder, powers, EPERM);
    refuse_all(builder, shared, EACCES);
    refuse_all(builder, unheard, ENOSYS);
    refuse_if(builder, CALL_OPEN_TREE_ATTR, EPERM, 0, NULL);
    /* In `clone`, the bit of CLONE_NEWTIME is of the signal's number. */
    refuse_bits(builder, SCMP_SYS(unshare), EPERM, 0, namespaces | FLAG_NEWTIME);
    refuse_bits(builder, SCMP_SYS(clone), EPERM, 0, namespaces);
    add_others(builder);
    add_pointer_options(builder);
    add_pointer_requests(builder);
    add_fixed_mappings(builder);
    /* Words put into a terminal are read by whoever owns it. */
    refuse_value(builder, "ioctl", EPERM, 1, INT_MASK, REQUEST_TIOCSTI);
    refuse_value(builder, "ioctl", EPERM, 1, INT_MASK, REQUEST_TIOCLINUX);
    /* What `unheard` has as a call. */
    refuse_value(builder, "ioctl", EPERM, 1, INT_MASK, REQUEST_FAULTS_NEW);
    /* Landlock does not see a program that is started from memory. */
    if (plan->exec)
        refuse_value(builder, "memfd_create", EACCES, 1, FLAG_NOEXEC_SEAL, 0);
}

/* ---------------------------------------------------------------------------------------- classes
 */

static void add_processes(struct builder *builder, const struct seccomp_plan *plan)
{
    if (plan->no_exec) {
        refuse(builder, "execve", EACCES);
        refuse(builder, "execveat", EACCES);
    }
    if (plan->no_fork) {
        refuse(builder, "fork", EACCES);
        refuse(builder, "vfork", EACCES);
        refuse_value(builder, "clone", EACCES, 0, CLONE_THREAD, 0);
    }
}

/* Set-id bits in the mode that a file is made with. Without a flag that makes one, whatever lies in
 * that register is no mode. The mode of openat2 lies in memory, where a filter does not see it, and
 * the hook and the floors of programs that are started need that call: so a floor of write takes
 * from root, too, what keeps these bits when a file is written (client/floor/floor_capabilities.h).
 */
static void add_modes_of_new_files(struct builder *builder)
{
    const uint64_t bits = S_ISUID | S_ISGID;
    const uint64_t making = O_CREAT | (O_TMPFILE & ~O_DIRECTORY);

    refuse_bits(builder, SCMP_SYS(creat), EACCES, 1, bits);
    refuse_bits(builder, SCMP_SYS(mknod), EACCES, 1, bits);
    refuse_bits(builder, SCMP_SYS(mknodat), EACCES, 2, bits);
    refuse_bits_of_both(builder, SCMP_SYS(open), EACCES, 1, making, 2, bits);
    refuse_bits_of_both(builder, SCMP_SYS(openat), EACCES, 2, making, 3, bits);
}

/* Landlock opens directories for writing, and does not look at owners, modes and times. Owners and
 * attributes nobody changes; modes and times of what it created a program has to set, and where it
 * creates nothing it has nothing to set them of. */
static void add_metadata(struct builder *builder, const struct seccomp_plan *plan)
{
    static const char *const owners[] = {"chown",        "fchown",       "lchown",    "fchownat",
                                         "setxattr",     "lsetxattr",    "fsetxattr", "removexattr",
                                         "lremovexattr", "fremovexattr", NULL};
    static const char *const modes[] = {"chmod",     "fchmod",    "fchmodat", "utime", "utimes",
                                        "futimesat", "utimensat", "truncate", NULL};

    if (!plan->write)
        return;
    refuse_all(builder, owners, EACCES);
    refuse_if(builder, CALL_SETXATTRAT, EACCES, 0, NULL);
    refuse_if(builder, CALL_REMOVEXATTRAT, EACCES, 0, NULL);
    refuse_if(builder, CALL_FILE_SETATTR, EACCES, 0, NULL);
    /* A queue is a file that no Landlock rule names. */
    refuse(builder, "mq_unlink", EACCES);
    refuse_bits(builder, SCMP_SYS(mq_open), EACCES, 1, O_CREAT);
    for (size_t i = 0; i < sizeof(attribute_requests) / sizeof(*attribute_requests); i++)
        refuse_value(builder, "ioctl", EACCES, 1, INT_MASK, attribute_requests[i]);
    add_modes_of_new_files(builder);
    if (plan->no_tree) {
        refuse_all(builder, modes, EACCES);
        refuse_if(builder, CALL_FCHMODAT2, EACCES, 0, NULL);
        return;
    }
    refuse_bits(builder, SCMP_SYS(chmod), EACCES, 1, S_ISUID | S_ISGID);
    refuse_bits(builder, SCMP_SYS(fchmod), EACCES, 1, S_ISUID | S_ISGID);
    refuse_bits(builder, SCMP_SYS(fchmodat), EACCES, 2, S_ISUID | S_ISGID);
    refuse_bits(builder, CALL_FCHMODAT2, EACCES, 2, S_ISUID | S_ISGID);
}

static uint32_t family_bit(int family)
{
    switch (family) {
    case AF_UNIX:
        return FLOOR_FAMILY_UNIX;
    case AF_INET:
        return FLOOR_FAMILY_INET;
    case AF_INET6:
        return FLOOR_FAMILY_INET6;
    case AF_NETLINK:
        return FLOOR_FAMILY_NETLINK;
    case AF_PACKET:
        return FLOOR_FAMILY_PACKET;
    default:
        return FLOOR_FAMILY_OTHER;
    }
}

/* Of which families sockets may be made. One of the internet may be for offering alone. */
static uint32_t families_made(const struct seccomp_plan *plan)
{
    uint32_t families = FLOOR_FAMILIES_ALL;

    if (plan->connect)
        families =
            plan->connect_families |
            ((plan->bind ? plan->bind_families : FLOOR_FAMILIES_ALL) & FLOOR_FAMILIES_INTERNET);
    return families;
}

static void add_families(struct builder *builder, const struct seccomp_plan *plan)
{
    const uint32_t families = families_made(plan);
    const struct scmp_arg_cmp beyond = above(0, FAMILY_LAST);

    if (!plan->connect)
        return;
    for (int family = 0; family <= FAMILY_LAST; family++)
        if (!(families & family_bit(family)))
            refuse_value(builder, "socket", EACCES, 0, INT_MASK, (uint64_t)family);
    if (!(families & FLOOR_FAMILY_OTHER))
        refuse_if(builder, SCMP_SYS(socket), EACCES, 1, &beyond);
    if (plan->connect_families & FLOOR_FAMILY_UNIX)
        return;
    /* A pair that is connected for good is nothing to reach out with; one of datagrams can be
     * connected anew, and SOCK_RAW is another name of it. Of other families the kernel makes pairs
     * too (TIPC), with which more can be done. */
    const struct scmp_arg_cmp others = above(0, AF_UNIX);
    if (!(families & FLOOR_FAMILY_OTHER))
        refuse_if(builder, SCMP_SYS(socketpair), EACCES, 1, &others);
    refuse_value(builder, "socketpair", EACCES, 1, KIND_MASK, SOCK_DGRAM);
    refuse_value(builder, "socketpair", EACCES, 1, KIND_MASK, SOCK_RAW);
}

/* Landlock holds the ports of TCP alone: what else carries streams (MPTCP, SCTP) is refused, and
 * raw sockets; datagrams where nothing may be reached, for they need no connect. */
static void add_kinds(struct builder *builder, const struct seccomp_plan *plan, int family)
{
    const bool datagrams = !plan->connect || (plan->connect_families & family_bit(family));

    for (uint64_t kind = 0; kind <= KIND_MASK; kind++) {
        const struct scmp_arg_cmp compared[] = {equals(0, INT_MASK, (uint64_t)family),
                                                equals(1, KIND_MASK, kind)};
        if (kind != SOCK_STREAM && !(kind == SOCK_DGRAM && datagrams))
            refuse_if(builder, SCMP_SYS(socket), EACCES, 2, compared);
    }
    for (uint64_t protocol = 1; protocol <= PROTOCOL_TCP + 1; protocol++) {
        const struct scmp_arg_cmp compared[] = {
            equals(0, INT_MASK, (uint64_t)family), equals(1, KIND_MASK, SOCK_STREAM),
            protocol > PROTOCOL_TCP ? above(2, PROTOCOL_TCP) : equals(2, INT_MASK, protocol)};
        if (protocol != PROTOCOL_TCP)
            refuse_if(builder, SCMP_SYS(socket), EACCES, 3, compared);
    }
}

static void add_network(struct builder *builder, const struct seccomp_plan *plan)
{
    add_families(builder, plan);
    if (plan->connect || plan->bind) {
        if (families_made(plan) & FLOOR_FAMILY_INET)
            add_kinds(builder, plan, AF_INET);
        if (families_made(plan) & FLOOR_FAMILY_INET6)
            add_kinds(builder, plan, AF_INET6);
    }
    if (plan->connect && plan->connect_families == 0)
        refuse(builder, "connect", EACCES);
    if (plan->connect && !plan->all_ports) {
        /* Landlock does not see the connect in a first message that opens the connection. */
        refuse_bits(builder, SCMP_SYS(sendto), EACCES, 3, FLAG_FASTOPEN);
        refuse_bits(builder, SCMP_SYS(sendmsg), EACCES, 2, FLAG_FASTOPEN);
        refuse_bits(builder, SCMP_SYS(sendmmsg), EACCES, 3, FLAG_FASTOPEN);
        /* Nor that of a socket that has become one of another protocol (SMC) by such an option. */
        const struct scmp_arg_cmp protocol[] = {equals(1, INT_MASK, PROTOCOL_TCP),
                                                equals(2, INT_MASK, OPTION_ULP)};
        refuse_if(builder, SCMP_SYS(setsockopt), EACCES, 2, protocol);
    }
    if (plan->bind && plan->bind_families == 0) {
        refuse(builder, "bind", EACCES);
        refuse(builder, "listen", EACCES);
    }
}

/* ---------------------------------------------------------------------------------------- export
 */

static int read_back(int file, struct seccomp_program *out)
{
    struct stat facts;

    if (fstat(file, &facts) < 0)
        return -errno;
    out->bytes = malloc((size_t)facts.st_size + 1);
    if (!out->bytes)
        return -ENOMEM;
    out->size = (size_t)facts.st_size;
    if (pread(file, out->bytes, out->size, 0) == facts.st_size)
        return 0;
    seccomp_program_deinit(out);
    return -EIO;
}

static int export(scmp_filter_ctx context, struct seccomp_program *out)
{
    /* A daemon can itself be below a floor, which lets no other memory file be made. */
    int file = memfd_create("warder-floor", MFD_CLOEXEC | FLAG_NOEXEC_SEAL);
    if (file < 0 && errno == EINVAL) /* before Linux 6.3 */
        file = memfd_create("warder-floor", MFD_CLOEXEC);

    if (file < 0)
        return -errno;
    int result = seccomp_export_bpf(context, file);
    if (result == 0)
        result = read_back(file, out);
    close(file);
    return result;
}

static int choose_machine(scmp_filter_ctx context, uint32_t architecture)
{
    const uint32_t native = seccomp_arch_native();

    if (architecture == SCMP_ARCH_NATIVE || architecture == native)
        return 0;
    const int result = seccomp_arch_add(context, architecture);
    return result < 0 ? result : seccomp_arch_remove(context, native);
}

int seccomp_program_build(const struct seccomp_plan *plan, enum seccomp_program_kind kind,
                          uint32_t architecture, struct seccomp_program *out)
{
    struct builder builder = {.context = seccomp_init(SCMP_ACT_ALLOW)};

    *out = (struct seccomp_program){NULL, 0};
    if (!builder.context)
        return -ENOMEM;
    /* libseccomp would ask this process's kernel what it can, and make nothing where that has no
     * filters. Whoever is to take the program tells that itself (client/floor/floor.h). */
    builder.error = seccomp_api_set(LIBRARY_LEVEL);
    if (builder.error == 0)
        builder.error = choose_machine(builder.context, architecture);
    if (builder.error == 0)
        builder.error =
            seccomp_attr_set(builder.context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    /* A search through the numbers instead of one comparison after the other. */
    if (builder.error == 0)
        (void)seccomp_attr_set(builder.context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    add_base(&builder, plan);
    if (kind == SECCOMP_INTERPRETER) {
        add_processes(&builder, plan);
        add_metadata(&builder, plan);
        add_network(&builder, plan);
    }
    if (builder.error == 0)
        builder.error = export(builder.context, out);
    seccomp_release(builder.context);
    return builder.error;
}

void seccomp_program_deinit(struct seccomp_program *program)
{
    free(program->bytes);
    *program = (struct seccomp_program){NULL, 0};
}

/* ----------------------------------------------------------------------------------------- cache
 */

struct cached {
    struct seccomp_plan plan;
    enum seccomp_program_kind kind;
    struct seccomp_program program;
};

struct seccomp_cache {
    struct cached items[CACHE_SIZE];
    size_t count;
    size_t oldest; /* to be replaced, once all are taken */
};

struct seccomp_cache *seccomp_cache_new(void)
{
    return calloc(1, sizeof(struct seccomp_cache));
}

void seccomp_cache_free(struct seccomp_cache *cache)
{
    for (size_t i = 0; cache && i < cache->count; i++)
        seccomp_program_deinit(&cache->items[i].program);
    free(cache);
}

static bool is_same(const struct seccomp_plan *a, const struct seccomp_plan *b)
{
    return a->exec == b->exec && a->no_exec == b->no_exec && a->no_fork == b->no_fork &&
           a->write == b->write && a->no_tree == b->no_tree && a->connect == b->connect &&
           a->all_ports == b->all_ports && a->bind == b->bind &&
           a->connect_families == b->connect_families && a->bind_families == b->bind_families;
}

const struct seccomp_program *seccomp_cache_program(struct seccomp_cache *cache,
                                                    const struct seccomp_plan *plan,
                                                    enum seccomp_program_kind kind)
{
    struct seccomp_program program;

    for (size_t i = 0; i < cache->count; i++)
        if (cache->items[i].kind == kind && is_same(&cache->items[i].plan, plan))
            return &cache->items[i].program;
    if (seccomp_program_build(plan, kind, SCMP_ARCH_NATIVE, &program) < 0)
        return NULL;
    const size_t at = cache->count < CACHE_SIZE ? cache->count++ : cache->oldest++ % CACHE_SIZE;
    seccomp_program_deinit(&cache->items[at].program);
    cache->items[at] = (struct cached){*plan, kind, program};
    return &cache->items[at].program;
}
