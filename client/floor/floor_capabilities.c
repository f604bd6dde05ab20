#define _GNU_SOURCE
#include "client/floor/floor_capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const unsigned char dropped[] = {
    CAP_LINUX_IMMUTABLE,
    CAP_NET_BROADCAST,
    CAP_NET_ADMIN,
    CAP_IPC_OWNER,
    CAP_SYS_MODULE,
    CAP_SYS_RAWIO,
    CAP_SYS_CHROOT,
    CAP_SYS_PTRACE,
    CAP_SYS_PACCT,
    CAP_SYS_ADMIN,
    CAP_SYS_BOOT,
    CAP_SYS_NICE,
    CAP_SYS_RESOURCE,
    CAP_SYS_TIME,
    CAP_SYS_TTY_CONFIG,
    CAP_MKNOD,
    CAP_LEASE,
    CAP_AUDIT_WRITE,
    CAP_AUDIT_CONTROL,
    CAP_SETFCAP,
    CAP_MAC_OVERRIDE,
    CAP_MAC_ADMIN,
    CAP_SYSLOG,
    CAP_WAKE_ALARM,
    CAP_BLOCK_SUSPEND,
    CAP_AUDIT_READ,
    CAP_PERFMON,
    CAP_BPF,
    CAP_CHECKPOINT_RESTORE,
    /* the last: it is what the others are dropped from the bounding set by */
    CAP_SETPCAP,
};

enum { WORDS = 2, WORD_BITS = 32 };

uint64_t floor_dropped_capabilities(bool writes_held)
{
    uint64_t bits = writes_held ? UINT64_C(1) << CAP_FSETID : 0;

    for (size_t i = 0; i < sizeof(dropped); i++)
        bits |= UINT64_C(1) << dropped[i];
    return bits;
}

/* Without CAP_SETPCAP it cannot be done; nor has such a process a way to gain any, for no_new_privs
 * is set, unless it is root's: root's programs start with all that the bounding set has. */
static int drop_from_bounding_set(bool writes_held)
{
    /* A floor that was taken before may have left it here and taken CAP_SETPCAP: no_new_privs keeps
     * it from programs then. */
    if (writes_held && prctl(PR_CAPBSET_DROP, (unsigned long)CAP_FSETID, 0L, 0L, 0L) < 0 &&
        errno != EPERM)
        return -errno;
    for (size_t i = 0; i < sizeof(dropped); i++)
        if (prctl(PR_CAPBSET_READ, (unsigned long)dropped[i], 0L, 0L, 0L) == 1 &&
            prctl(PR_CAPBSET_DROP, (unsigned long)dropped[i], 0L, 0L, 0L) < 0)
            return -errno;
    return 0;
}

int floor_drop_capabilities(bool writes_held)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[WORDS];
    const uint64_t bits = floor_dropped_capabilities(writes_held);
    bool has_some = false;

    if (syscall(SYS_capget, &header, data) < 0)
        return -errno;
    const int error = drop_from_bounding_set(writes_held);
    if (error < 0 && (error != -EPERM || geteuid() == 0))
        return error;
    for (unsigned i = 0; i < WORDS; i++) {
        const uint32_t word = (uint32_t)(bits >> (i * WORD_BITS));
        has_some |= ((data[i].permitted | data[i].inheritable) & word) != 0;
        data[i].effective &= ~word;
        data[i].permitted &= ~word;
        data[i].inheritable &= ~word;
    }
    return !has_some || syscall(SYS_capset, &header, data) == 0 ? 0 : -errno;
}
