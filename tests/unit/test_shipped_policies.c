/* Each rule of the policies that ship with Warder, firing and not firing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_fixture.h"

enum { TEXT_MAX = 64 * 1024 };

/* The policy as it stands in the repository: without a complaint of the checker. */
static struct policy_block *shipped(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s.warder", SHIPPED_POLICIES_DIRECTORY, name);
    CLEANUP(free) char *text = calloc(1, TEXT_MAX);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_in_range(fread(text, 1, TEXT_MAX - 1, file), 1, TEXT_MAX - 2);
    assert_int_equal(fclose(file), 0);

    CLEANUP(free) char *said = messages_of(text, NULL, NULL);
    assert_string_equal(said, "");
    struct policy_block *block = compiled(text);
    assert_int_equal(policy_block_policy_count(block), 1);
    assert_string_equal(policy_name(block, 0), name);
    assert_false(policy_has_applies(block, 0));
    assert_false(policy_observes(block, 0));
    return block;
}

static void no_process_denies_programs_and_forks_by_name(void **state)
{
    (void)state;
    CLEANUP(policy_block_free) struct policy_block *block = shipped("no-process");
    struct scene scene;
    scene_init(&scene, "subprocess.Popen");
    scene_operation(&scene, CLASS_EXEC);
    scene_path(&scene, ATTRIBUTE_FILE, "/usr/bin/id", "/usr/bin/id");
    assert_judged(block, &scene, "deny no-process.no-exec");
    const struct judgement judgement = judge(block, &scene);
    assert_string_equal(rule_message(block, judgement.by.rule),
                        "Process creation is switched off on this host");

    scene_init(&scene, "os.fork");
    scene_operation(&scene, CLASS_FORK);
    assert_judged(block, &scene, "deny no-process.no-fork");
}

static void no_process_touches_nothing_else(void **state)
{
    (void)state;
    CLEANUP(policy_block_free) struct policy_block *block = shipped("no-process");
    for (int i = CLASS_NONE + 1; i < CLASS_COUNT; i++) {
        struct scene scene;
        if (i == CLASS_EXEC || i == CLASS_FORK)
            continue;
        scene_init(&scene, "open");
        scene_operation(&scene, (enum operation_class)i);
        assert_judged(block, &scene, "allow");
    }
}

static void untrusted_starts_nothing(void **state)
{
    (void)state;
    CLEANUP(policy_block_free) struct policy_block *block = shipped("untrusted");
    struct scene scene;
    scene_init(&scene, "os.system");
    scene_operation(&scene, CLASS_EXEC);
    assert_judged(block, &scene, "deny untrusted.no-exec");
    scene_init(&scene, "os.fork");
    scene_operation(&scene, CLASS_FORK);
    assert_judged(block, &scene, "deny untrusted.no-fork");
    scene_init(&scene, "_thread.start_new_thread");
    scene_operation(&scene, CLASS_THREAD);
    assert_judged(block, &scene, "allow");
}

static void untrusted_signals_itself_and_its_children_only(void **state)
{
    (void)state;
    CLEANUP(policy_block_free) struct policy_block *block = shipped("untrusted");
    static const struct {
        const char *target;
        const char *verdict;
    } cases[] = {{"self", "allow"},
                 {"child", "allow"},
                 {"group", "deny untrusted.no-signals"},
                 {"other", "deny untrusted.no-signals"}};
    struct scene scene;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        scene_init(&scene, "os.kill");
        scene_operation(&scene, CLASS_SIGNAL);
        scene_text(&scene, ATTRIBUTE_TARGET, cases[i].target);
        assert_judged(block, &scene, cases[i].verdict);
    }
    scene_init(&scene, "os.kill");
    scene_operation(&scene, CLASS_SIGNAL);
    scene_value(&scene, ATTRIBUTE_TARGET, value_unknown());
    assert_judged(block, &scene, "deny untrusted.no-signals?");
}

static void untrusted_tells_no_descriptor_whom_to_signal_and_types_nothing(void **state)
{
    (void)state;
    CLEANUP(policy_block_free) struct policy_block *block = shipped("untrusted");
    static const struct {
        const char *event;
        int64_t request;
        const char *verdict;
    } cases[] = {
        {"fcntl.fcntl", 8, "deny untrusted.no-signals-by-descriptor"},  /* F_SETOWN */
        {"fcntl.fcntl", 10, "deny untrusted.no-signals-by-descriptor"}, /* F_SETSIG */
        {"fcntl.fcntl", 15, "deny untrusted.no-signals-by-descriptor"}, /* F_SETOWN_EX */
        {"fcntl.ioctl", 0x8901, "deny untrusted.no-signals-by-descriptor"},
        {"fcntl.ioctl", 0x8902, "deny untrusted.no-signals-by-descriptor"},
        {"fcntl.ioctl", 0x5412, "deny untrusted.no-typing"}, /* TIOCSTI */
        {"fcntl.ioctl", 0x541c, "deny untrusted.no-typing"}, /* TIOCLINUX */
        {"fcntl.ioctl", INT64_C(0x100005412), "deny untrusted.no-typing"},
        {"fcntl.ioctl", -0x5412, "deny untrusted.no-typing"},
        {"fcntl.ioctl", 0x8912, "deny untrusted.default"},      /* SIOCGIFCONF */
        {"fcntl.ioctl", 0x5413, "allow untrusted.terminals"},   /* TIOCGWINSZ */
        {"fcntl.fcntl", 2, "allow untrusted.descriptor-flags"}, /* F_SETFD */
        {"fcntl.flock", 8, "allow untrusted.locks-and-maps"},   /* LOCK_UN */
    };
    struct scene scene;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        scene_init(&scene, cases[i].event);
        scene_operation(&scene, CLASS_CONTROL);
        scene_value(&scene, ATTRIBUTE_REQUEST, value_int(cases[i].request));
        assert_judged(block, &scene, cases[i].verdict);
    }
}

static void untrusted_loads_the_interpreters_own_modules_only(void **state)
{
    (void)state;
    CLEANUP(policy_block_free) struct policy_block *block = shipped("untrusted");
    struct scene scene;
    scene_init(&scene, "import");
    scene_operation(&scene, CLASS_NATIVE);
    struct attribute *path =
        scene_path(&scene, ATTRIBUTE_PATH, "/usr/lib/python3.11/lib-dynload/_ssl.so",
                   "/usr/lib/python3.11/lib-dynload/_ssl.so");
    assert_judged(block, &scene, "allow untrusted.interpreter-modules");
    path->resolved = text_of("/srv/work/lib-dynload/_ssl.so"); /* where the session was started */
    assert_judged(block, &scene, "deny untrusted.no-writable-modules");
    static const char *const others[] = {
        "/usr/lib/python3.11/_ssl.so",
        "/usr/lib/python3.11/lib-dynload/x.so",
        "/usr/lib/python3.11/site-packages/x.so",
        "/usr/lib/python3.11/site-packages/lib-dynload/x.so",
        "/usr/lib/python3/dist-packages/_cffi_backend.so",
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        path->resolved = text_of(others[i]);
        assert_judged(block, &scene,
                      strncmp(others[i], "/srv/work/", 10) == 0
                          ? "deny untrusted.no-writable-modules"
                          : "deny untrusted.default");
    }
    path->resolved = value_unknown();
    assert_judged(block, &scene, "deny untrusted.no-powerful-modules?");
    /* CDLL(None): the program itself, a library without a path. */
    scene_init(&scene, "ctypes.dlopen");
    scene_operation(&scene, CLASS_NATIVE);
    assert_judged(block, &scene, "deny untrusted.default");
    assert_string_equal(default_message(block, 0, CLASS_NATIVE),
                        "Only the interpreter's own extension modules may be loaded");

    scene_init(&scene, "ctypes.dlsym");
    scene_operation(&scene, CLASS_FFI);
    assert_judged(block, &scene, "deny untrusted.no-ffi");
    scene_init(&scene, "sys.settrace");
    scene_operation(&scene, CLASS_HOOK);
    assert_judged(block, &scene, "deny untrusted.no-hooks");
    scene_init(&scene, "object.__setattr__"); /* collections.namedtuple, and many others */
    scene_operation(&scene, CLASS_HOOK);
    scene_text(&scene, ATTRIBUTE_NAME, "__defaults__");
    assert_judged(block, &scene, "allow");
    scene_init(&scene, "import");
    scene_operation(&scene, CLASS_IMPORT);
    scene_text(&scene, ATTRIBUTE_MODULE, "json");
    assert_judged(block, &scene, "allow");
}

/* What is ctypes without its events, Tcl, and what CPython tests itself with. */
static void untrusted_loads_none_of_the_modules_that_are_ways_out(void **state)
{
    static const char *const files[] = {"_ctypes.cpython-311-x86_64-linux-gnu.so",
                                        "_sqlite3.cpython-311-x86_64-linux-gnu.so",
                                        "_ctypes_test.so",
                                        "_tkinter.cpython-38.so",
                                        "_testcapi.so",
                                        "_testinternalcapi.so",
                                        "_xxtestfuzz.so",
                                        "_interpreters.cpython-313-x86_64-linux-gnu.so",
                                        "_interpchannels.cpython-313-x86_64-linux-gnu.so",
                                        "_interpqueues.cpython-313-x86_64-linux-gnu.so",
                                        "_xxsubinterpreters.cpython-312-x86_64-linux-gnu.so",
                                        "_xxinterpchannels.cpython-312-x86_64-linux-gnu.so"};
    static const char *const modules[] = {
        "_ctypes",       "_tkinter",           "_sqlite3",
        "_testcapi",     "_interpreters",      "_interpchannels",
        "_interpqueues", "_xxsubinterpreters", "_xxinterpchannels"};
    char path[256];

    (void)state;
    CLEANUP(policy_block_free) struct policy_block *block = shipped("untrusted");
    struct scene scene;
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        snprintf(path, sizeof(path), "/usr/lib/python3.11/lib-dynload/%s", files[i]);
        scene_init(&scene, "import");
        scene_operation(&scene, CLASS_NATIVE);
        struct attribute *file = scene_path(&scene, ATTRIBUTE_PATH, path, path);
        assert_judged(block, &scene, "deny untrusted.no-powerful-modules");
        file->value = text_of("/srv/work/link.so"); /* a link to it */
        assert_judged(block, &scene, "deny untrusted.no-powerful-modules");
    }
    for (size_t i = 0; i < sizeof(modules) / sizeof(*modules); i++) {
        scene_init(&scene, "import");
        scene_operation(&scene, CLASS_IMPORT);
        scene_text(&scene, ATTRIBUTE_MODULE, modules[i]);
        assert_judged(block, &scene, "deny untrusted.no-powerful-imports");
    }
    scene_init(&scene, "os.putenv");
    scene_operation(&scene, CLASS_ENVIRON);
    struct attribute *variable = scene_text(&scene, ATTRIBUTE_NAME, "GCONV_PATH");
    assert_judged(block, &scene, "deny untrusted.no-library-paths");
    variable->value = text_of("OPENSSL_CONF");
    assert_judged(block, &scene, "deny untrusted.no-library-paths");
    variable->value = text_of("LANG");
    assert_judged(block, &scene, "allow");
}

static void untrusted_writes_in_its_working_places_only(void **state)
{
    (void)state;
    CLEANUP(policy_block_free) struct policy_block *block = shipped("untrusted");
    static const struct {
        const char *written;
        const char *resolved;
        const char *verdict;
    } cases[] = {
        {"/srv/work/a", "/srv/work/a", "allow untrusted.working-places"},
        {"/tmp/a", "/tmp/a", "allow untrusted.working-places"},
        {"/var/tmp/a/b", "/var/tmp/a/b", "allow untrusted.working-places"},
        {"/dev/null", "/dev/null", "allow untrusted.working-places"},
        {"/srv/work/link", "/etc/passwd", "deny untrusted.default"},
        {"/home/alice/.bashrc", "/home/alice/.bashrc", "deny untrusted.default"},
        {"/srv/workshop/a", "/srv/workshop/a", "deny untrusted.default"},
        {"/dev/nullx", "/dev/nullx", "deny untrusted.default"},
        {"/tmp/mem", "/proc/self/mem", "deny untrusted.no-memory"},
    };
    struct scene scene;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        scene_init(&scene, "open");
        scene_operation(&scene, CLASS_WRITE);
        scene_path(&scene, ATTRIBUTE_PATH, cases[i].written, cases[i].resolved);
        scene_text(&scene, ATTRIBUTE_ACTION, "open");
        assert_judged(block, &scene, cases[i].verdict);
    }
}

static void untrusted_does_not_read_process_memory(void **state)
{
    (void)state;
    CLEANUP(policy_block_free) struct policy_block *block = shipped("untrusted");
    static const struct {
        const char *path;
        const char *verdict;
    } cases[] = {
        {"/proc/self/mem", "deny untrusted.no-memory"},
        {"/proc/1/mem", "deny untrusted.no-memory"},
        {"/proc/self/task/12/mem", "deny untrusted.no-memory"},
        {"/proc/thread-self/mem", "deny untrusted.no-memory"},
        {"/proc/self/maps", "deny untrusted.no-memory"},
        {"/proc/1/task/12/smaps", "deny untrusted.no-memory"},
        {"/proc/1/smaps_rollup", "deny untrusted.no-memory"},
        {"/proc/self/numa_maps", "deny untrusted.no-memory"},
        {"/proc/self/map_files", "deny untrusted.no-memory"},
        {"/proc/self/map_files/400000-401000", "deny untrusted.no-memory"},
        {"/proc/self/pagemap", "deny untrusted.no-memory"},
        {"/proc/self/auxv", "deny untrusted.no-memory"},
        {"/proc/self/syscall", "deny untrusted.no-memory"},
        {"/proc/self/stack", "deny untrusted.no-memory"},
        {"/proc/kcore", "deny untrusted.no-memory"},
        {"/dev/mem", "deny untrusted.no-memory"},
        {"/proc/self/stat", "allow"},
        {"/proc/self/status", "allow"},
        {"/proc/self/cmdline", "allow"},
        {"/proc/meminfo", "allow"},
        {"/etc/hostname", "allow"},
    };
    struct scene scene;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        scene_init(&scene, "open");
        scene_operation(&scene, CLASS_READ);
        scene_path(&scene, ATTRIBUTE_PATH, cases[i].path, cases[i].path);
        assert_judged(block, &scene, cases[i].verdict);
    }
}

static void untrusted_is_a_client_of_the_network_and_no_more(void **state)
{
    (void)state;
    CLEANUP(policy_block_free) struct policy_block *block = shipped("untrusted");
    struct scene scene;
    scene_init(&scene, "socket.bind");
    scene_operation(&scene, CLASS_BIND);
    scene_text(&scene, ATTRIBUTE_FAMILY, "inet");
    assert_judged(block, &scene, "deny untrusted.no-bind");
    scene_init(&scene, "socket.connect");
    scene_operation(&scene, CLASS_CONNECT);
    struct attribute *family = scene_text(&scene, ATTRIBUTE_FAMILY, "unix");
    assert_judged(block, &scene, "deny untrusted.no-unix-sockets");
    family->value = text_of("inet6");
    assert_judged(block, &scene, "allow untrusted.network");
    family->value = value_unknown();
    assert_judged(block, &scene, "deny untrusted.no-unix-sockets?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_process_denies_programs_and_forks_by_name),
        cmocka_unit_test(no_process_touches_nothing_else),
        cmocka_unit_test(untrusted_starts_nothing),
        cmocka_unit_test(untrusted_signals_itself_and_its_children_only),
        cmocka_unit_test(untrusted_tells_no_descriptor_whom_to_signal_and_types_nothing),
        cmocka_unit_test(untrusted_loads_the_interpreters_own_modules_only),
        cmocka_unit_test(untrusted_loads_none_of_the_modules_that_are_ways_out),
        cmocka_unit_test(untrusted_writes_in_its_working_places_only),
        cmocka_unit_test(untrusted_does_not_read_process_memory),
        cmocka_unit_test(untrusted_is_a_client_of_the_network_and_no_more),
    };
    return cmocka_run_group_tests_name("shipped_policies", tests, NULL, NULL);
}
