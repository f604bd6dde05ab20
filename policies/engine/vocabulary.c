#include "policies/engine/vocabulary.h"

#include <string.h>

#define ATTRIBUTES(...) ((const enum attribute_name[]){__VA_ARGS__, ATTRIBUTE_NONE})

/* policy-language, "Operation classes". `interpreter` of exec is known to the C boundary alone,
 * which sees the file's first line; until then it is absent. */
static const struct {
    const char *name;
    const enum attribute_name *attributes;
} classes[CLASS_COUNT] = {
    [CLASS_NONE] = {NULL, NULL},
    [CLASS_EXEC] = {"exec", ATTRIBUTES(ATTRIBUTE_FILE, ATTRIBUTE_ARGV, ATTRIBUTE_CWD, ATTRIBUTE_ENV,
                                       ATTRIBUTE_SHELL, ATTRIBUTE_INTERPRETER)},
    [CLASS_FORK] = {"fork", ATTRIBUTES(ATTRIBUTE_NONE)},
    [CLASS_SIGNAL] = {"signal", ATTRIBUTES(ATTRIBUTE_TARGET, ATTRIBUTE_PID, ATTRIBUTE_SIGNAL,
                                           ATTRIBUTE_ACTION)},
    [CLASS_READ] = {"read", ATTRIBUTES(ATTRIBUTE_PATH)},
    [CLASS_WRITE] = {"write", ATTRIBUTES(ATTRIBUTE_PATH, ATTRIBUTE_ACTION)},
    [CLASS_CONNECT] = {"connect", ATTRIBUTES(ATTRIBUTE_ADDRESS, ATTRIBUTE_PORT, ATTRIBUTE_HOST,
                                             ATTRIBUTE_FAMILY, ATTRIBUTE_PATH)},
    [CLASS_BIND] = {"bind", ATTRIBUTES(ATTRIBUTE_ADDRESS, ATTRIBUTE_PORT, ATTRIBUTE_FAMILY,
                                       ATTRIBUTE_PATH)},
    [CLASS_SOCKET] = {"socket", ATTRIBUTES(ATTRIBUTE_FAMILY, ATTRIBUTE_KIND, ATTRIBUTE_PROTOCOL)},
    [CLASS_RESOLVE] = {"resolve", ATTRIBUTES(ATTRIBUTE_HOST)},
    [CLASS_IMPORT] = {"import", ATTRIBUTES(ATTRIBUTE_MODULE)},
    [CLASS_NATIVE] = {"native", ATTRIBUTES(ATTRIBUTE_PATH, ATTRIBUTE_MODULE, ATTRIBUTE_NAME)},
    [CLASS_FFI] = {"ffi", ATTRIBUTES(ATTRIBUTE_NAME, ATTRIBUTE_SYMBOL)},
    [CLASS_CODE] = {"code", ATTRIBUTES(ATTRIBUTE_NAME, ATTRIBUTE_FILE)},
    [CLASS_PICKLE] = {"pickle", ATTRIBUTES(ATTRIBUTE_MODULE, ATTRIBUTE_NAME)},
    [CLASS_INTROSPECT] = {"introspect", ATTRIBUTES(ATTRIBUTE_NAME)},
    [CLASS_HOOK] = {"hook", ATTRIBUTES(ATTRIBUTE_NAME)},
    [CLASS_RUN] = {"run", ATTRIBUTES(ATTRIBUTE_HOW, ATTRIBUTE_PATH, ATTRIBUTE_MODULE)},
    [CLASS_ENVIRON] = {"environ", ATTRIBUTES(ATTRIBUTE_NAME)},
    [CLASS_CONTROL] = {"control", ATTRIBUTES(ATTRIBUTE_NAME, ATTRIBUTE_REQUEST)},
    [CLASS_THREAD] = {"thread", ATTRIBUTES(ATTRIBUTE_NONE)},
    [CLASS_REGISTRY] = {"registry", ATTRIBUTES(ATTRIBUTE_PATH, ATTRIBUTE_ACTION)},
    [CLASS_OTHER] = {"other", ATTRIBUTES(ATTRIBUTE_NAME)},
};

static const struct {
    const char *name;
    enum attribute_type type;
} attributes[ATTRIBUTE_COUNT] = {
    [ATTRIBUTE_NONE] = {NULL, TYPE_ANY},
    [ATTRIBUTE_FILE] = {"file", TYPE_PATH},
    [ATTRIBUTE_ARGV] = {"argv", TYPE_TEXT_LIST},
    [ATTRIBUTE_CWD] = {"cwd", TYPE_PATH},
    [ATTRIBUTE_ENV] = {"env", TYPE_TEXT_MAP},
    [ATTRIBUTE_SHELL] = {"shell", TYPE_BOOL},
    [ATTRIBUTE_INTERPRETER] = {"interpreter", TYPE_PATH},
    [ATTRIBUTE_TARGET] = {"target", TYPE_WORD},
    [ATTRIBUTE_PID] = {"pid", TYPE_INT},
    [ATTRIBUTE_SIGNAL] = {"signal", TYPE_SIGNAL},
    [ATTRIBUTE_ACTION] = {"action", TYPE_WORD},
    [ATTRIBUTE_PATH] = {"path", TYPE_PATH},
    [ATTRIBUTE_ADDRESS] = {"address", TYPE_ADDRESS},
    [ATTRIBUTE_PORT] = {"port", TYPE_INT},
    [ATTRIBUTE_HOST] = {"host", TYPE_HOST},
    [ATTRIBUTE_FAMILY] = {"family", TYPE_WORD},
    [ATTRIBUTE_KIND] = {"kind", TYPE_WORD},
    [ATTRIBUTE_PROTOCOL] = {"protocol", TYPE_INT},
    [ATTRIBUTE_MODULE] = {"module", TYPE_MODULE},
    [ATTRIBUTE_NAME] = {"name", TYPE_TEXT},
    [ATTRIBUTE_SYMBOL] = {"symbol", TYPE_TEXT},
    [ATTRIBUTE_REQUEST] = {"request", TYPE_INT},
    [ATTRIBUTE_HOW] = {"how", TYPE_WORD},
    [ATTRIBUTE_EVENT] = {"event", TYPE_TEXT},
    [ATTRIBUTE_ARG] = {"arg", TYPE_ANY},
    [ATTRIBUTE_USER] = {"user", TYPE_TEXT},
    [ATTRIBUTE_GROUP] = {"group", TYPE_TEXT_LIST},
    [ATTRIBUTE_LABEL] = {"label", TYPE_TEXT},
    [ATTRIBUTE_SCRIPT] = {"script", TYPE_PATH},
    [ATTRIBUTE_EXE] = {"exe", TYPE_PATH},
    [ATTRIBUTE_UNIT] = {"unit", TYPE_TEXT},
    [ATTRIBUTE_PLATFORM] = {"platform", TYPE_WORD},
    [ATTRIBUTE_PYTHON] = {"python", TYPE_VERSION},
};

static bool same(const char *name, const char *text, size_t length)
{
    return name && strlen(name) == length && memcmp(name, text, length) == 0;
}

const char *vocabulary_class_name(enum operation_class operation_class)
{
    return (unsigned)operation_class < CLASS_COUNT ? classes[operation_class].name : NULL;
}

enum operation_class vocabulary_class(const char *name, size_t length)
{
    for (int i = CLASS_NONE + 1; i < CLASS_COUNT; i++)
        if (same(classes[i].name, name, length))
            return (enum operation_class)i;
    return CLASS_NONE;
}

const char *vocabulary_attribute_name(enum attribute_name attribute)
{
    return (unsigned)attribute < ATTRIBUTE_COUNT ? attributes[attribute].name : NULL;
}

enum attribute_name vocabulary_attribute(const char *name, size_t length)
{
    for (int i = ATTRIBUTE_NONE + 1; i < ATTRIBUTE_COUNT; i++)
        if (same(attributes[i].name, name, length))
            return (enum attribute_name)i;
    return ATTRIBUTE_NONE;
}

enum attribute_type vocabulary_attribute_type(enum attribute_name attribute)
{
    return (unsigned)attribute < ATTRIBUTE_COUNT ? attributes[attribute].type : TYPE_ANY;
}

const enum attribute_name *vocabulary_class_attributes(enum operation_class operation_class)
{
    static const enum attribute_name none[] = {ATTRIBUTE_NONE};
    if ((unsigned)operation_class >= CLASS_COUNT || !classes[operation_class].attributes)
        return none;
    return classes[operation_class].attributes;
}

bool vocabulary_class_has_floor(enum operation_class operation_class)
{
    switch (operation_class) {
    case CLASS_EXEC:
    case CLASS_FORK:
    case CLASS_READ:
    case CLASS_WRITE:
    case CLASS_CONNECT:
    case CLASS_BIND:
        return true;
    default:
        return false;
    }
}

bool vocabulary_class_has(enum operation_class operation_class, enum attribute_name attribute)
{
    const enum attribute_name *list = vocabulary_class_attributes(operation_class);
    for (; *list != ATTRIBUTE_NONE; list++)
        if (*list == attribute)
            return true;
    return false;
}

const char *const *vocabulary_words(enum operation_class operation_class,
                                    enum attribute_name attribute)
{
    static const char *const targets[] = {"self", "child", "group", "other", NULL};
    static const char *const signal_actions[] = {"signal", "terminate", "open",
                                                 "limit",  "trace",     NULL};
    static const char *const registry_actions[] = {"read", "write", "create", "delete", NULL};
    static const char *const write_actions[] = {
        "open",  "create", "remove",   "rename", "mkdir", "rmdir", "link",   "symlink",
        "chmod", "chown",  "truncate", "utime",  "xattr", "flags", "socket", NULL};
    static const char *const families[] = {"unix",    "inet",   "inet6", "pipe",
                                           "netlink", "packet", "other", NULL};
    static const char *const kinds[] = {"stream", "dgram", "raw", "seqpacket", "other", NULL};
    static const char *const ways[] = {"command",     "file",    "module", "stdin",
                                       "interactive", "startup", NULL};
    static const char *const platforms[] = {"linux", "windows", NULL};

    switch (attribute) {
    case ATTRIBUTE_TARGET:
        return targets;
    case ATTRIBUTE_ACTION:
        if (operation_class == CLASS_SIGNAL)
            return signal_actions;
        return operation_class == CLASS_REGISTRY ? registry_actions : write_actions;
    case ATTRIBUTE_FAMILY:
        return families;
    case ATTRIBUTE_KIND:
        return kinds;
    case ATTRIBUTE_HOW:
        return ways;
    case ATTRIBUTE_PLATFORM:
        return platforms;
    default:
        return NULL;
    }
}

int vocabulary_signal(const char *name, size_t length)
{
    /* signal(7), the column of x86 and ARM. */
    static const char *const names[] = {
        [1] = "HUP",     [2] = "INT",   [3] = "QUIT",   [4] = "ILL",   [5] = "TRAP",
        [6] = "ABRT",    [7] = "BUS",   [8] = "FPE",    [9] = "KILL",  [10] = "USR1",
        [11] = "SEGV",   [12] = "USR2", [13] = "PIPE",  [14] = "ALRM", [15] = "TERM",
        [16] = "STKFLT", [17] = "CHLD", [18] = "CONT",  [19] = "STOP", [20] = "TSTP",
        [21] = "TTIN",   [22] = "TTOU", [23] = "URG",   [24] = "XCPU", [25] = "XFSZ",
        [26] = "VTALRM", [27] = "PROF", [28] = "WINCH", [29] = "IO",   [30] = "PWR",
        [31] = "SYS",
    };
    if (length > 3 && memcmp(name, "SIG", 3) == 0) {
        name += 3;
        length -= 3;
    }
    for (size_t i = 1; i < sizeof(names) / sizeof(*names); i++)
        if (same(names[i], name, length))
            return (int)i;
    return 0;
}
