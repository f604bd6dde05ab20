#include "policies/engine/control_request.h"

#include <stddef.h>

struct request_range {
    uint32_t first;
    uint32_t last;
};

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
    {0x125f, 0x125f},         /* fs.h: BLKRRPART */
    {0x1261, 0x1262},         /* BLKFLSBUF, BLKRASET */
    {0x1264, 0x1264},         /* BLKFRASET */
    {0x2400, 0x2403},         /* perf_event.h: PERF_EVENT_IOC_ENABLE to RESET */
    {0x2405, 0x2405},         /* PERF_EVENT_IOC_SET_OUTPUT */
    {0x4b2f, 0x4b30},         /* kd.h: KIOCSOUND, KDMKTONE */
    {0x4b3a, 0x4b3a},         /* KDSETMODE */
    {0x4b45, 0x4b45},         /* KDSKBMODE */
    {0x4b32, 0x4b32},         /* KDSETLED */
    {0x4b63, 0x4b63},         /* KDSKBMETA */
    {0x4b65, 0x4b65},         /* KDSKBLED */
    {0x4c00, 0x4c01},         /* loop.h: LOOP_SET_FD, LOOP_CLR_FD */
    {0x4c06, 0x4c09},         /* LOOP_CHANGE_FD to LOOP_SET_BLOCK_SIZE */
    {0x4c80, 0x4c82},         /* LOOP_CTL_ADD to LOOP_CTL_GET_FREE */
    {0x5303, 0x5303},         /* cdrom.h: CDROMRESET's neighbours without an argument */
    {0x5307, 0x5309},         /* CDROMSTOP to CDROMEJECT */
    {0x5319, 0x5319},         /* CDROMCLOSETRAY */
    {0x5320, 0x5323},         /* CDROM_SET_OPTIONS to CDROM_SELECT_DISC */
    {0x5325, 0x5329},         /* CDROM_MEDIA_CHANGED to CDROM_LOCKDOOR */
    {0x5331, 0x5331},         /* CDROM_GET_CAPABILITY */
    {0x5204, 0x5207},         /* random.h: RNDZAPENTCNT to RNDRESEEDCRNG */
    {0x5501, 0x5502},         /* uinput.h: UI_DEV_CREATE, UI_DEV_DESTROY */
    {0x40045564, 0x4004556b}, /* UI_SET_EVBIT to UI_SET_FFBIT */
    {0x4004556d, 0x4004556e}, /* UI_SET_SWBIT, UI_SET_PROPBIT */
    {0x5514, 0x5514},         /* usbdevice_fs.h: USBDEVFS_RESET */
    {0x5605, 0x5608},         /* vt.h: VT_RELDISP to VT_DISALLOCATE */
    {0x7001, 0x7010},         /* rtc.h: RTC_AIE_ON to RTC_WIE_OFF */
    {0x4008700c, 0x4008700c}, /* RTC_IRQP_SET */
    {0x40044581, 0x40044581}, /* input.h: EVIOCRMFF */
    {0x40044590, 0x40044591}, /* EVIOCGRAB, EVIOCREVOKE */
    {0x400454c8, 0x400454c9}, /* if_tun.h: TUNSETNOCSUM, TUNSETDEBUG */
    {0x400454cb, 0x400454ce}, /* TUNSETPERSIST to TUNSETGROUP */
    {0x400454d0, 0x400454d0}, /* TUNSETOFFLOAD */
    {0x9408, 0x9408},         /* btrfs.h: BTRFS_IOC_SYNC */
    {0xb701, 0xb703},         /* nsfs.h: NS_GET_USERNS to NS_GET_NSTYPE */
    {0xff01, 0xff0a},         /* pidfd.h: PIDFD_GET_CGROUP_NAMESPACE to the last of them */
    {0xab00, 0xab0a},         /* nbd.h: NBD_SET_SOCK to NBD_SET_FLAGS */
};

/* fcntl.h and linux/fcntl.h. */
static const struct request_range commands[] = {
    {0, 4},       /* F_DUPFD to F_SETFL */
    {8, 11},      /* F_SETOWN to F_GETSIG */
    {1024, 1034}, /* F_SETLEASE to F_GET_SEALS */
};

/* Of these the kernel writes at the argument's address alone, and no more than ANSWER_MAX bytes:
 * the structure has a fixed size and holds no address of memory, or none that is written to. A
 * number whose size is not the one here is another request. */
static const struct request_range bounded[] = {
    {0x0001, 0x0002},         /* fs.h: FIBMAP, FIGETBSZ */
    {0x0301, 0x0301},         /* hdreg.h: HDIO_GETGEO */
    {0x030d, 0x030d},         /* HDIO_GET_IDENTITY: 512 bytes */
    {0x0705, 0x0705},         /* i2c-dev.h: I2C_FUNCS */
    {0x07b9, 0x07b9},         /* vm_sockets.h: IOCTL_VM_SOCKETS_GET_LOCAL_CID */
    {0x125d, 0x125e},         /* fs.h: BLKROSET, BLKROGET */
    {0x1260, 0x1260},         /* BLKGETSIZE */
    {0x1263, 0x1263},         /* BLKRAGET */
    {0x1265, 0x1265},         /* BLKFRAGET */
    {0x1267, 0x1268},         /* BLKSECTGET, BLKSSZGET */
    {0x1277, 0x127f},         /* BLKDISCARD to BLKZEROOUT */
    {0x80081270, 0x80081270}, /* BLKBSZGET */
    {0x40081271, 0x40081271}, /* BLKBSZSET */
    {0x80081272, 0x80081272}, /* BLKGETSIZE64 */
    {0x80081280, 0x80081280}, /* BLKGETDISKSEQ */
    {0x80041284, 0x80041285}, /* blkzoned.h: BLKGETZONESZ, BLKGETNRZONES */
    {0x80111500, 0x80111500}, /* fs.h: FS_IOC_GETFSUUID */
    {0x80811501, 0x80811501}, /* FS_IOC_GETFSSYSFSPATH */
    {0x2282, 0x2282},         /* scsi/sg.h: SG_GET_VERSION_NUM */
    {0x40082404, 0x40082404}, /* perf_event.h: PERF_EVENT_IOC_PERIOD */
    {0x80082407, 0x80082407}, /* PERF_EVENT_IOC_ID */
    {0x40084503, 0x40084504}, /* input.h: EVIOCSREP, EVIOCSKEYCODE */
    {0x40284504, 0x40284504}, /* EVIOCSKEYCODE_V2 */
    {0x80044584, 0x80044584}, /* EVIOCGEFFECTS */
    {0x400445a0, 0x400445a0}, /* EVIOCSCLOCKID */
    {0x401845c0, 0x401845ff}, /* EVIOCSABS */
    {0x4b31, 0x4b31},         /* kd.h: KDGETLED */
    {0x4b33, 0x4b33},         /* KDGKBTYPE */
    {0x4b3b, 0x4b3b},         /* KDGETMODE */
    {0x4b44, 0x4b44},         /* KDGKBMODE */
    {0x4b46, 0x4b47},         /* KDGKBENT, KDSKBENT */
    {0x4b62, 0x4b62},         /* KDGKBMETA */
    {0x4b64, 0x4b64},         /* KDGKBLED */
    {0x4c02, 0x4c05},         /* loop.h: LOOP_SET_STATUS to LOOP_GET_STATUS64 */
    {0x4c0a, 0x4c0a},         /* LOOP_CONFIGURE */
    {0x80045200, 0x80045200}, /* random.h: RNDGETENTCNT */
    {0x40045201, 0x40045201}, /* RNDADDTOENTCNT */
    {0x40085203, 0x40085203}, /* RNDADDENTROPY: its count is of what is read */
    {0x5401, 0x5408},         /* TCGETS to TCSETAF */
    {0x540f, 0x541c},         /* TIOCGPGRP to TIOCLINUX */
    {0x541e, 0x5421},         /* TIOCGSERIAL to FIONBIO */
    {0x5423, 0x5424},         /* TIOCSETD, TIOCGETD */
    {0x5429, 0x5429},         /* TIOCGSID */
    {0x542e, 0x542f},         /* TIOCGRS485, TIOCSRS485 */
    {0x802c542a, 0x802c542a}, /* TCGETS2 */
    {0x402c542b, 0x402c542d}, /* TCSETS2 to TCSETSF2 */
    {0x80045430, 0x80045430}, /* TIOCGPTN */
    {0x40045431, 0x40045431}, /* TIOCSPTLCK */
    {0x80045432, 0x80045432}, /* TIOCGDEV */
    {0x40045436, 0x40045436}, /* TIOCSIG */
    {0x80045438, 0x80045439}, /* TIOCGPKT, TIOCGPTLCK */
    {0x80045440, 0x80045440}, /* TIOCGEXCL */
    {0x80285442, 0x80285442}, /* TIOCGISO7816 */
    {0xc0285443, 0xc0285443}, /* TIOCSISO7816 */
    {0x5452, 0x5452},         /* FIOASYNC */
    {0x5456, 0x5457},         /* TIOCGLCKTRMIOS, TIOCSLCKTRMIOS */
    {0x5459, 0x5459},         /* TIOCSERGETLSR */
    {0x545d, 0x545d},         /* TIOCGICOUNT */
    {0x5460, 0x5460},         /* FIOQSIZE */
    {0x400454ca, 0x400454ca}, /* if_tun.h: TUNSETIFF */
    {0x800454cf, 0x800454cf}, /* TUNGETFEATURES */
    {0x800454d2, 0x800454d3}, /* TUNGETIFF, TUNGETSNDBUF */
    {0x400454d4, 0x400454d4}, /* TUNSETSNDBUF */
    {0x800454d7, 0x800454d7}, /* TUNGETVNETHDRSZ */
    {0x400454d8, 0x400454da}, /* TUNSETVNETHDRSZ to TUNSETIFINDEX */
    {0x400454dc, 0x400454dc}, /* TUNSETVNETLE */
    {0x800454dd, 0x800454dd}, /* TUNGETVNETLE */
    {0x400454e2, 0x400454e2}, /* TUNSETCARRIER */
    {0x405c5503, 0x405c5503}, /* uinput.h: UI_DEV_SETUP */
    {0x401c5504, 0x401c5504}, /* UI_ABS_SETUP */
    {0x8004552d, 0x8004552d}, /* UI_GET_VERSION */
    {0x4008556c, 0x4008556c}, /* UI_SET_PHYS: a text */
    {0x5600, 0x5603},         /* vt.h: VT_OPENQRY to VT_GETSTATE */
    {0x80285700, 0x80285700}, /* watchdog.h: WDIOC_GETSUPPORT */
    {0x80045701, 0x80045705}, /* WDIOC_GETSTATUS to WDIOC_KEEPALIVE */
    {0xc0045706, 0xc0045706}, /* WDIOC_SETTIMEOUT */
    {0x80045707, 0x80045707}, /* WDIOC_GETTIMEOUT */
    {0xc0045708, 0xc0045708}, /* WDIOC_SETPRETIMEOUT */
    {0x80045709, 0x8004570a}, /* WDIOC_GETPRETIMEOUT, WDIOC_GETTIMELEFT */
    {0x801c581f, 0x801c581f}, /* fs.h: FS_IOC_FSGETXATTR */
    {0x401c5820, 0x401c5820}, /* FS_IOC_FSSETXATTR */
    {0xc0045877, 0xc0045878}, /* FIFREEZE, FITHAW */
    {0xc0185879, 0xc0185879}, /* FITRIM */
    {0x80046601, 0x80046601}, /* FS_IOC32_GETFLAGS */
    {0x40046602, 0x40046602}, /* FS_IOC32_SETFLAGS */
    {0x80086601, 0x80086601}, /* FS_IOC_GETFLAGS */
    {0x40086602, 0x40086602}, /* FS_IOC_SETFLAGS */
    {0x80046a01, 0x80046a01}, /* joystick.h: JSIOCGVERSION */
    {0x80016a11, 0x80016a12}, /* JSIOCGAXES, JSIOCGBUTTONS */
    {0x40247007, 0x40247007}, /* rtc.h: RTC_ALM_SET */
    {0x80247008, 0x80247009}, /* RTC_ALM_READ, RTC_RD_TIME */
    {0x4024700a, 0x4024700a}, /* RTC_SET_TIME */
    {0x8008700b, 0x8008700b}, /* RTC_IRQP_READ */
    {0x8008700d, 0x8008700d}, /* RTC_EPOCH_READ */
    {0x4028700f, 0x4028700f}, /* RTC_WKALM_SET */
    {0x80287010, 0x80287010}, /* RTC_WKALM_RD */
    {0x80047013, 0x80047013}, /* RTC_VL_READ */
    {0x80047210, 0x80047210}, /* msdos_fs.h: FAT_IOCTL_GET_ATTRIBUTES */
    {0x40047211, 0x40047211}, /* FAT_IOCTL_SET_ATTRIBUTES */
    {0x80047213, 0x80047213}, /* FAT_IOCTL_GET_VOLUME_ID */
    {0x80047601, 0x80047601}, /* fs.h: FS_IOC32_GETVERSION */
    {0x40047602, 0x40047602}, /* FS_IOC32_SETVERSION */
    {0x80087601, 0x80087601}, /* FS_IOC_GETVERSION */
    {0x40087602, 0x40087602}, /* FS_IOC_SETVERSION */
    {0x8901, 0x8907},         /* sockios.h: FIOSETOWN to SIOCGSTAMPNS */
    {0x80108906, 0x80108907}, /* the same, for times after 2038 */
    {0x8910, 0x8911},         /* SIOCGIFNAME, SIOCSIFLINK */
    {0x8913, 0x8927},         /* SIOCGIFFLAGS to SIOCGIFHWADDR */
    {0x8929, 0x8929},         /* SIOCGIFSLAVE */
    {0x8930, 0x8938},         /* SIOCSIFSLAVE to SIOCGIFCOUNT */
    {0x8942, 0x8943},         /* SIOCGIFTXQLEN, SIOCSIFTXQLEN */
    {0x894b, 0x894b},         /* SIOCOUTQNSD */
    {0x8953, 0x8955},         /* SIOCDARP to SIOCSARP */
    {0x8970, 0x8970},         /* SIOCGIFMAP */
    {0x40088a01, 0x40088a01}, /* eventpoll.h: EPIOCSPARAMS */
    {0x80088a02, 0x80088a02}, /* EPIOCGPARAMS */
    {0x4020940d, 0x4020940d}, /* fs.h: FICLONERANGE */
    {0x81009431, 0x81009431}, /* FS_IOC_GETFSLABEL */
    {0x41009432, 0x41009432}, /* FS_IOC_SETFSLABEL */
    {0xb704, 0xb704},         /* nsfs.h: NS_GET_OWNER_UID */
    {0x8008b705, 0x8008b705}, /* NS_GET_MNTNS_ID */
};

/* The size in these numbers, which is taken out here, bounds what is written. */
static const struct request_range sized[] = {
    {0x80004501, 0x8000457f}, /* input.h: EVIOCGVERSION to EVIOCGABS */
    {0x80004801, 0x80004801}, /* hidraw.h: HIDIOCGRDESCSIZE */
    {0x80004803, 0x80004805}, /* HIDIOCGRAWINFO to HIDIOCGRAWPHYS */
    {0x80004808, 0x80004808}, /* HIDIOCGRAWUNIQ */
    {0xc0004806, 0xc0004807}, /* HIDIOCSFEATURE, HIDIOCGFEATURE */
    {0xc0004809, 0xc000480c}, /* HIDIOCSINPUT to HIDIOCGOUTPUT */
    {0x8000552c, 0x8000552c}, /* uinput.h: UI_GET_SYSNAME */
    {0x80006a13, 0x80006a13}, /* joystick.h: JSIOCGNAME */
    {0x80006a32, 0x80006a32}, /* JSIOCGAXMAP */
    {0x80006a34, 0x80006a34}, /* JSIOCGBTNMAP */
    {0x8000b401, 0x8000b401}, /* gpio.h: GPIO_GET_CHIPINFO_IOCTL */
    {0xc000b402, 0xc000b40f}, /* GPIO_GET_LINEINFO_IOCTL to GPIO_V2_LINE_SET_VALUES_IOCTL */
    {0xc000ff0b, 0xc000ff0b}, /* pidfd.h: PIDFD_GET_INFO */
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

bool ioctl_is_bounded(uint32_t request)
{
    enum {
        ANSWER_MAX = 1024, /* what fcntl.ioctl has room for, however small its argument is */
    };
    const uint32_t size = request >> 16 & 0x3fff;

    return IS_IN(numbers, request) || IS_IN(bounded, request) ||
           (size <= ANSWER_MAX && IS_IN(sized, request & 0xc000ffff));
}
