/* The numbers in the module are those of Linux's own headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h> /* linux/vm_sockets.h does not include it everywhere */

#include <cmocka.h>

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <linux/blkpg.h>
#include <linux/blktrace_api.h>
#include <linux/blkzoned.h>
#include <linux/btrfs.h>
#include <linux/cdrom.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <linux/fscrypt.h>
#include <linux/fsverity.h>
#include <linux/gpio.h>
#include <linux/hdreg.h>
#include <linux/hidraw.h>
#include <linux/i2c-dev.h>
#include <linux/if_tun.h>
#include <linux/input.h>
#include <linux/joystick.h>
#include <linux/kd.h>
#include <linux/kvm.h>
#include <linux/loop.h>
#include <linux/msdos_fs.h>
#include <linux/nsfs.h>
#include <linux/perf_event.h>
#include <linux/random.h>
#include <linux/rtc.h>
#include <linux/serial.h>
#include <linux/sockios.h>
#include <linux/uinput.h>
#include <linux/usbdevice_fs.h>
#include <linux/userfaultfd.h>
#include <linux/vhost.h>
#include <linux/vm_sockets.h>
#include <linux/vt.h>
#include <linux/watchdog.h>

#include <linux/fiemap.h>
#include <linux/fsmap.h>

#include "policies/engine/control_request.h"

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

/* A request like this one, of a structure of another size. */
#define RESIZED(request, bytes) (((request) & ~(0x3fffU << 16)) | (uint32_t)(bytes) << 16)

static void requests_of_terminals_pass(void **state)
{
    static const uint32_t requests[] = {
        TCGETS,       TCSETS,         TCSETSW,        TCSETSF,       TCGETA,     TCSETA,
        TCSETAW,      TCSETAF,        TCSBRK,         TCXONC,        TCFLSH,     TIOCEXCL,
        TIOCNXCL,     TIOCSCTTY,      TIOCGPGRP,      TIOCSPGRP,     TIOCOUTQ,   TIOCSTI,
        TIOCGWINSZ,   TIOCSWINSZ,     TIOCMGET,       TIOCMBIS,      TIOCMBIC,   TIOCMSET,
        TIOCGSOFTCAR, TIOCSSOFTCAR,   FIONREAD,       TIOCINQ,       TIOCLINUX,  TIOCCONS,
        TIOCGSERIAL,  TIOCSSERIAL,    TIOCPKT,        FIONBIO,       TIOCNOTTY,  TIOCSETD,
        TIOCGETD,     TCSBRKP,        TIOCSBRK,       TIOCCBRK,      TIOCGSID,   TCGETS2,
        TCSETS2,      TCSETSW2,       TCSETSF2,       TIOCGRS485,    TIOCSRS485, TIOCGPTN,
        TIOCSPTLCK,   TIOCGDEV,       TIOCSIG,        TIOCVHANGUP,   TIOCGPKT,   TIOCGPTLCK,
        TIOCGEXCL,    TIOCGPTPEER,    TIOCGISO7816,   TIOCSISO7816,  FIONCLEX,   FIOCLEX,
        FIOASYNC,     TIOCGLCKTRMIOS, TIOCSLCKTRMIOS, TIOCSERGETLSR, TIOCMIWAIT, TIOCGICOUNT,
        FIOQSIZE,
    };

    (void)state;
    for (size_t i = 0; i < COUNT(requests); i++)
        if (!ioctl_is_bounded(requests[i]))
            fail_msg("%#x is refused", requests[i]);
}

static void requests_of_sockets_and_interfaces_pass(void **state)
{
    static const uint32_t requests[] = {
        FIOSETOWN,        SIOCSPGRP,
        FIOGETOWN,        SIOCGPGRP,
        SIOCATMARK,       SIOCGSTAMP_OLD,
        SIOCGSTAMPNS_OLD, SIOCGSTAMP_NEW,
        SIOCGSTAMPNS_NEW, SIOCOUTQNSD,
        SIOCGIFNAME,      SIOCGIFFLAGS,
        SIOCSIFFLAGS,     SIOCGIFADDR,
        SIOCSIFADDR,      SIOCGIFDSTADDR,
        SIOCGIFBRDADDR,   SIOCGIFNETMASK,
        SIOCSIFNETMASK,   SIOCGIFMETRIC,
        SIOCGIFMTU,       SIOCSIFMTU,
        SIOCSIFNAME,      SIOCGIFHWADDR,
        SIOCSIFHWADDR,    SIOCGIFINDEX,
        SIOCGIFCOUNT,     SIOCGIFTXQLEN,
        SIOCGARP,         SIOCGIFMAP,
        TUNSETIFF,        TUNGETFEATURES,
        TUNSETOFFLOAD,    TUNGETIFF,
        TUNSETQUEUE,      TUNSETPERSIST,
        TUNSETOWNER,      IOCTL_VM_SOCKETS_GET_LOCAL_CID,
    };

    (void)state;
    for (size_t i = 0; i < COUNT(requests); i++)
        if (!ioctl_is_bounded(requests[i]))
            fail_msg("%#x is refused", requests[i]);
}

static void requests_of_files_and_devices_with_a_small_answer_pass(void **state)
{
    static const uint32_t requests[] = {
        FIBMAP,
        FIGETBSZ,
        FICLONE,
        FICLONERANGE,
        FIFREEZE,
        FITHAW,
        FITRIM,
        FS_IOC_GETFLAGS,
        FS_IOC_SETFLAGS,
        FS_IOC32_GETFLAGS,
        FS_IOC_GETVERSION,
        FS_IOC_FSGETXATTR,
        FS_IOC_FSSETXATTR,
        FS_IOC_GETFSLABEL,
        FS_IOC_SETFSLABEL,
        FAT_IOCTL_GET_ATTRIBUTES,
        FAT_IOCTL_GET_VOLUME_ID,
        BLKROGET,
        BLKROSET,
        BLKRRPART,
        BLKGETSIZE,
        BLKFLSBUF,
        BLKRASET,
        BLKRAGET,
        BLKSECTGET,
        BLKSSZGET,
        BLKBSZGET,
        BLKBSZSET,
        BLKGETSIZE64,
        BLKDISCARD,
        BLKIOMIN,
        BLKIOOPT,
        BLKALIGNOFF,
        BLKPBSZGET,
        BLKROTATIONAL,
        BLKZEROOUT,
        BLKGETDISKSEQ,
        BLKGETZONESZ,
        BLKGETNRZONES,
        HDIO_GETGEO,
        HDIO_GET_IDENTITY,
        LOOP_SET_FD,
        LOOP_CLR_FD,
        LOOP_SET_STATUS64,
        LOOP_GET_STATUS64,
        LOOP_CONFIGURE,
        LOOP_CTL_GET_FREE,
        CDROMEJECT,
        CDROMCLOSETRAY,
        CDROM_DRIVE_STATUS,
        CDROM_DISC_STATUS,
        CDROM_LOCKDOOR,
        CDROM_GET_CAPABILITY,
        RNDGETENTCNT,
        RNDADDTOENTCNT,
        RNDADDENTROPY,
        RNDCLEARPOOL,
        RNDRESEEDCRNG,
        RTC_AIE_ON,
        RTC_UIE_OFF,
        RTC_ALM_SET,
        RTC_ALM_READ,
        RTC_RD_TIME,
        RTC_SET_TIME,
        RTC_IRQP_READ,
        RTC_IRQP_SET,
        RTC_WKALM_SET,
        RTC_WKALM_RD,
        WDIOC_GETSUPPORT,
        WDIOC_GETSTATUS,
        WDIOC_SETOPTIONS,
        WDIOC_KEEPALIVE,
        WDIOC_SETTIMEOUT,
        WDIOC_GETTIMEOUT,
        WDIOC_GETTIMELEFT,
        I2C_SLAVE,
        I2C_FUNCS,
        PERF_EVENT_IOC_ENABLE,
        PERF_EVENT_IOC_PERIOD,
        NS_GET_USERNS,
        NS_GET_NSTYPE,
        NS_GET_OWNER_UID,
        KDGETLED,
        KDSETLED,
        KDGKBTYPE,
        KDGETMODE,
        KDSETMODE,
        KDGKBMODE,
        KDMKTONE,
        KIOCSOUND,
        VT_OPENQRY,
        VT_GETMODE,
        VT_SETMODE,
        VT_GETSTATE,
        VT_ACTIVATE,
        VT_WAITACTIVE,
        UI_DEV_CREATE,
        UI_DEV_SETUP,
        UI_ABS_SETUP,
        UI_SET_EVBIT,
        UI_SET_PHYS,
        UI_GET_VERSION,
        UI_GET_SYSNAME(64),
        EVIOCGVERSION,
        EVIOCGID,
        EVIOCGREP,
        EVIOCSREP,
        EVIOCGKEYCODE,
        EVIOCGKEYCODE_V2,
        EVIOCGNAME(256),
        EVIOCGPHYS(1024),
        EVIOCGKEY(96),
        EVIOCGBIT(0, 4),
        EVIOCGBIT(EV_MAX, 96),
        EVIOCGABS(0),
        EVIOCGABS(ABS_MAX),
        EVIOCSABS(0),
        EVIOCGRAB,
        EVIOCSCLOCKID,
        EVIOCRMFF,
        EVIOCGEFFECTS,
        JSIOCGVERSION,
        JSIOCGAXES,
        JSIOCGBUTTONS,
        JSIOCGNAME(128),
        JSIOCGAXMAP,
        JSIOCGBTNMAP,
        HIDIOCGRDESCSIZE,
        HIDIOCGRAWINFO,
        HIDIOCGRAWNAME(128),
        HIDIOCSFEATURE(8),
        HIDIOCGFEATURE(8),
        GPIO_GET_CHIPINFO_IOCTL,
        GPIO_GET_LINEINFO_IOCTL,
        GPIO_GET_LINEHANDLE_IOCTL,
        GPIO_GET_LINEEVENT_IOCTL,
        GPIOHANDLE_GET_LINE_VALUES_IOCTL,
        GPIO_V2_GET_LINE_IOCTL,
        GPIO_V2_LINE_SET_VALUES_IOCTL,
    };

    (void)state;
    for (size_t i = 0; i < COUNT(requests); i++)
        if (!ioctl_is_bounded(requests[i]))
            fail_msg("%#x is refused", requests[i]);
}

/* An address, or a count, in the structure says where and how much is written; or it is more than
 * there is room for. */
static void requests_that_write_elsewhere_or_as_much_as_they_are_told_do_not_pass(void **state)
{
    static const uint32_t requests[] = {
        0xc0686611,
        0xc0606610, /* PROCMAP_QUERY, PAGEMAP_SCAN: newer than Debian 12's headers */
        FS_IOC_FIEMAP,
        FS_IOC_GETFSMAP,
        FIDEDUPERANGE,
        FS_IOC_READ_VERITY_METADATA,
        FS_IOC_MEASURE_VERITY,
        FS_IOC_GET_ENCRYPTION_POLICY_EX,
        FS_IOC_ADD_ENCRYPTION_KEY,
        0x800448d2,
        0x800448d4, /* HCIGETDEVLIST, HCIGETCONNLIST */
        GIO_FONT,
        GIO_FONTX,
        KDFONTOP,
        GIO_UNIMAP,
        PIO_UNIMAP,
        KDGKBDIACR,
        KDGKBDIACRUC,
        SIOCGIFCONF,
        SIOCETHTOOL,
        SIOCADDRT,
        SIOCDEVPRIVATE,
        SIOCBONDENSLAVE,
        SIOCGHWTSTAMP,
        SIOCBRADDIF,
        SIOCWANDEV,
        0x8b01 /* SIOCGIWNAME */,
        EVIOCGMASK,
        EVIOCSMASK,
        EVIOCSFF,
        EVIOCGNAME(1025),
        JSIOCGCORR,
        HIDIOCGRDESC,
        HDIO_DRIVE_CMD,
        HDIO_DRIVE_TASKFILE,
        BLKPG,
        BLKTRACESETUP,
        BLKREPORTZONE,
        0x2285 /* SG_IO */,
        CDROM_SEND_PACKET,
        CDROMREADAUDIO,
        DVD_READ_STRUCT,
        I2C_RDWR,
        I2C_SMBUS,
        0x40206b00 /* SPI_IOC_MESSAGE(1) */,
        RNDGETPOOL,
        RTC_PARAM_GET,
        TUNATTACHFILTER,
        TUNGETFILTER,
        PERF_EVENT_IOC_QUERY_BPF,
        PERF_EVENT_IOC_MODIFY_ATTRIBUTES,
        USBDEVFS_CONTROL,
        USBDEVFS_BULK,
        USBDEVFS_SUBMITURB,
        USBDEVFS_IOCTL,
        UI_BEGIN_FF_UPLOAD,
        BTRFS_IOC_INO_PATHS,
        BTRFS_IOC_TREE_SEARCH,
        BTRFS_IOC_TREE_SEARCH_V2,
        DM_LIST_DEVICES,
        DM_TABLE_STATUS,
        VHOST_SET_MEM_TABLE,
        UFFDIO_COPY,
        KVM_GET_DIRTY_LOG,
        KVM_RUN,
        0xc0105865,
        0xc0385868, /* XFS_IOC_FSBULKSTAT and those by handle */
        0xc038586a,
        0xc0206440,
        0x80685600,
        0xc0585611,
        0xc0046209,
        0,
    };

    (void)state;
    for (size_t i = 0; i < COUNT(requests); i++)
        if (ioctl_is_bounded(requests[i]))
            fail_msg("%#x passes", requests[i]);
}

/* Structures grow with Linux, and what was added may be an address. */
static void a_known_request_of_another_size_does_not_pass(void **state)
{
    static const uint32_t requests[] = {FS_IOC_FSGETXATTR, BLKGETSIZE64,     RNDGETENTCNT,
                                        RTC_RD_TIME,       WDIOC_GETSUPPORT, TCGETS2,
                                        TIOCGPTN,          UI_DEV_SETUP,     FITRIM};

    (void)state;
    for (size_t i = 0; i < COUNT(requests); i++) {
        assert_true(ioctl_is_bounded(requests[i]));
        assert_false(ioctl_is_bounded(RESIZED(requests[i], 200)));
        assert_false(ioctl_is_bounded(RESIZED(requests[i], 0x3fff)));
    }
    for (uint32_t size = 0; size <= 0x3fff; size++) {
        assert_false(ioctl_is_bounded(RESIZED(0xc0686611, size)));
        assert_false(ioctl_is_bounded(RESIZED(0xc0606610, size)));
        assert_false(ioctl_is_bounded(RESIZED(FS_IOC_FIEMAP, size)));
    }
}

/* What takes a number has nothing written. */
static void requests_with_a_number_pass(void **state)
{
    (void)state;
    for (uint32_t request = 0; request <= 0xffff; request++)
        if (ioctl_takes_number(request))
            assert_true(ioctl_is_bounded(request));
    assert_true(ioctl_takes_number(FICLONE));
    assert_true(ioctl_takes_number(BLKRASET));
    assert_true(ioctl_takes_number(CDROM_DRIVE_STATUS));
    assert_false(ioctl_takes_number(FIONREAD));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_of_terminals_pass),
        cmocka_unit_test(requests_of_sockets_and_interfaces_pass),
        cmocka_unit_test(requests_of_files_and_devices_with_a_small_answer_pass),
        cmocka_unit_test(requests_that_write_elsewhere_or_as_much_as_they_are_told_do_not_pass),
        cmocka_unit_test(a_known_request_of_another_size_does_not_pass),
        cmocka_unit_test(requests_with_a_number_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
