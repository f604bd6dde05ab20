#include "policies/engine/control_request.h"

#include <stddef.h>

struct request_range {
    uint32_t first;
    uint32_t last;
};

/* The lower half of a request without the direction and the size is its family (two letters of
 * ioctl(2)'s numbers). */
#define FAMILY(request) (((request) >> 8) & 0xff)

/* include/uapi: asm-generic/ioctls.h, linux/fs.h and those named. */
static const struct request_range numbers[] = {
    {0x5409, 0x540e},         /* TCSBRK to TIOCSCTTY */
    {0x541d, 0x541d},         /* TIOCCONS */
    {0x5422, 0x5422},         /* TIOCNOTTY */
    {0x5425, 0x5425},         /* TCSBRKP */
    {0x5427, 0x5428},         /* TIOCSBRK, TIOCCBRK */
    {0x5437, 0x5437},         /* TIOCVHANGUP */
    {0x5441, 0x5441},         /* TIOCGPTPEER */
    {0x5450, 0x5451},         /* FIONCLEX, FIOCLEX */
    {0x545c, 0x545c},         /* TIOCMIWAIT */
    {0x40049409, 0x40049409}, /* FICLONE */
    {0x0701, 0x0704},         /* i2c-dev.h: I2C_RETRIES to I2C_TENBIT */
    {0x0706, 0x0706},         /* I2C_SLAVE_FORCE */
    {0x0708, 0x0708},         /* I2C_PEC */
    {0x2400, 0x2403},         /* perf_event.h: PERF_EVENT_IOC_ENABLE to RESET */
    {0x4b2f, 0x4b30},         /* kd.h: KIOCSOUND, KDMKTONE */
    {0x4b3a, 0x4b3a},         /* KDSETMODE */
    {0x4b45, 0x4b45},         /* KDSKBMODE */
    {0x4c00, 0x4c01},         /* loop.h: LOOP_SET_FD, LOOP_CLR_FD */
    {0x4c06, 0x4c09},         /* LOOP_CHANGE_FD to LOOP_SET_BLOCK_SIZE */
    {0x4c80, 0x4c82},         /* LOOP_CTL_ADD to LOOP_CTL_GET_FREE */
    {0x5303, 0x5303},         /* cdrom.h: CDROMRESET's neighbours without an argument */
    {0x5307, 0x5309},         /* CDROMSTOP to CDROMEJECT */
    {0x5319, 0x531a},         /* CDROMCLOSETRAY, CDROM_SET_OPTIONS */
    {0x5501, 0x5502},         /* uinput.h: UI_DEV_CREATE, UI_DEV_DESTROY */
    {0x40045564, 0x4004556b}, /* UI_SET_EVBIT to UI_SET_FFBIT */
    {0x4004556d, 0x4004556e}, /* UI_SET_SWBIT, UI_SET_PROPBIT */
    {0x5514, 0x5514},         /* usbdevice_fs.h: USBDEVFS_RESET */
    {0x5605, 0x5608},         /* vt.h: VT_RELDISP to VT_DISALLOCATE */
    {0x7001, 0x7010},         /* rtc.h: RTC_AIE_ON to RTC_WIE_OFF */
    {0x4008700c, 0x4008700c}, /* RTC_IRQP_SET */
    {0x40044590, 0x40044591}, /* input.h: EVIOCGRAB, EVIOCREVOKE */
    {0x400454c8, 0x400454c9}, /* if_tun.h: TUNSETNOCSUM, TUNSETDEBUG */
    {0x400454cb, 0x400454ce}, /* TUNSETPERSIST to TUNSETGROUP */
    {0xab00, 0xab0a},         /* nbd.h: NBD_SET_SOCK to NBD_SET_FLAGS */
};

/* fcntl.h and linux/fcntl.h. */
static const struct request_range commands[] = {
    {0, 4},       /* F_DUPFD to F_SETFL */
    {8, 11},      /* F_SETOWN to F_GETSIG */
    {1024, 1034}, /* F_SETLEASE to F_GET_SEALS */
};

static const struct request_range holders[] = {
    {0x0707, 0x0707},         /* i2c-dev.h: I2C_RDWR */
    {0x0720, 0x0720},         /* I2C_SMBUS */
    {0x2285, 0x2285},         /* scsi/sg.h: SG_IO */
    {0x4b66, 0x4b67},         /* kd.h: GIO_UNIMAP, PIO_UNIMAP */
    {0x4b72, 0x4b72},         /* KDFONTOP */
    {0x530e, 0x530e},         /* cdrom.h: CDROMREADAUDIO */
    {0x5393, 0x5393},         /* CDROM_SEND_PACKET */
    {0x80104592, 0x80104592}, /* input.h: EVIOCGMASK */
    {0x890b, 0x890c},         /* sockios.h: SIOCADDRT, SIOCDELRT */
    {0x8912, 0x8912},         /* SIOCGIFCONF */
    {0x8940, 0x8941},         /* SIOCGIFBR, SIOCSIFBR */
    {0x8946, 0x8946},         /* SIOCETHTOOL */
    {0x894a, 0x894a},         /* SIOCWANDEV */
    {0x8990, 0x8995},         /* bonding */
    {0x89a0, 0x89bf},         /* bridges, time stamps of the hardware */
    {0x89f0, 0x89ff},         /* SIOCDEVPRIVATE */
    {0xc0286687, 0xc0286687}, /* fsverity.h: FS_IOC_READ_VERITY_METADATA */
    {0xc0606610, 0xc0606610}, /* fs.h: PAGEMAP_SCAN */
};

/* Whole families. Of those with other requests beside, only the ones with a size: the others have
 * no structure. */
static const unsigned char holding_families[] = {
    0x41, /* sound */
    0x4e, /* NVMe */
    0x55, /* USB, controls of sound */
    0x56, /* video */
    0x64, /* graphics */
    0x6b, /* SPI */
    0x8b, /* wireless */
    0x94, /* btrfs */
    0xaa, /* userfaultfd */
    0xae, /* KVM */
};

static bool is_in(const struct request_range *ranges, size_t count, uint32_t request)
{
    for (size_t i = 0; i < count; i++)
        if (request >= ranges[i].first && request <= ranges[i].last)
            return true;
    return false;
}

#define IS_IN(ranges, request) is_in(ranges, sizeof(ranges) / sizeof(*(ranges)), request)

bool ioctl_takes_number(uint32_t request)
{
    return IS_IN(numbers, request);
}

bool fcntl_takes_number(int64_t command)
{
    return command >= 0 && command <= UINT32_MAX && IS_IN(commands, (uint32_t)command);
}

bool ioctl_holds_addresses(uint32_t request)
{
    enum {
        CLONE_RANGE = 0x4020940d, /* fs.h: FICLONERANGE, which takes none */
        WIRELESS = 0x8b,
    };

    if (IS_IN(holders, request))
        return true;
    if (IS_IN(numbers, request) || request == CLONE_RANGE)
        return false;
    for (size_t i = 0; i < sizeof(holding_families); i++)
        if (FAMILY(request) == holding_families[i])
            return request >> 16 != 0 || holding_families[i] == WIRELESS;
    return false;
}
