/* Every operator on every type that it fits: true, false, unknown, and on what is absent. */
#include <stdio.h>
#include <string.h>

#include "policy_fixture.h"

#include "policies/engine/condition.h"

/* The truth of a condition, seen through the rules that it decides: a deny fires on true and on
 * unknown, and says which. */
static enum truth truth_of(const char *class_name, const char *condition, const struct scene *scene)
{
    char text[1024];
    (void)snprintf(text, sizeof(text),
                   "policy p { deny %s where %s as r  allow resolve as looked-up }", class_name,
                   condition);
    const struct judgement judgement = judge_text(text, scene);
    if (judgement.verdict == VERDICT_ALLOW)
        return TRUTH_FALSE;
    return judgement.by.unknown ? TRUTH_UNKNOWN : TRUTH_TRUE;
}

static const char *truth_name(enum truth truth)
{
    static const char *const names[] = {"false", "unknown", "true"};
    return names[truth];
}

struct expectation {
    const char *condition;
    enum truth truth;
};

#define T TRUTH_TRUE
#define F TRUTH_FALSE
#define U TRUTH_UNKNOWN

static void check_all(const char *class_name, const struct scene *scene,
                      const struct expectation *expectations, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const enum truth truth = truth_of(class_name, expectations[i].condition, scene);
        if (truth != expectations[i].truth)
            fail_msg("%s where %s: %s, expected %s", class_name, expectations[i].condition,
                     truth_name(truth), truth_name(expectations[i].truth));
    }
}

#define check(class_name, scene, ...)                                                              \
    do {                                                                                           \
        static const struct expectation expectations_[] = {__VA_ARGS__};                           \
        check_all((class_name), (scene), expectations_,                                            \
                  sizeof(expectations_) / sizeof(*expectations_));                                 \
    } while (0)

static void paths_compare_whole_and_by_components(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "open");
    scene_operation(&scene, CLASS_READ);
    scene_path(&scene, ATTRIBUTE_PATH, "/srv/data/a.py", "/srv/data/a.py");
    check("read", &scene, {"path is \"/srv/data/a.py\"", T}, {"path is \"/srv/data\"", F},
          {"path is \"/srv//data/./x/../a.py\"", T}, {"path in [\"/x\", \"/srv/data/a.py\"]", T},
          {"path in [\"/x\"]", F}, {"path under \"/srv\"", T}, {"path under \"/srv/\"", T},
          {"path under \"/\"", T}, {"path under \"/sr\"", F},
          {"path under [\"/x\", \"/srv/data\"]", T}, {"path matches \"/srv/*/*.py\"", T},
          {"path matches \"/srv/*.py\"", F}, {"path matches \"/srv/**/*.py\"", T},
          {"path matches \"**/a.py\"", T}, {"path matches [\"/x/*\", \"/srv/**\"]", T},
          {"path is absent", F}, {"path is none", F}, {"not path is absent", T});
}

static void places_are_the_sessions_own_directories(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "open");
    scene_operation(&scene, CLASS_READ);
    scene_path(&scene, ATTRIBUTE_PATH, "/var/tmp/x/a.py", "/var/tmp/x/a.py");
    check("read", &scene, {"path under session.temp", T}, {"path under session.home", F},
          {"path under session.temp \"/x\"", T}, {"path under session.temp \"/\"", T},
          {"path under session.temp \"/y\"", F}, {"path is session.temp \"/x/a.py\"", T},
          {"path in [session.null, session.temp \"/x/a.py\"]", T},
          {"path matches session.temp \"/*/*.py\"", T}, {"path matches session.temp \"/*.py\"", F},
          {"path is session.temp", F}, {"path under [\"/nowhere\", session.temp]", T},
          /* This session has no virtual environment. */
          {"path under session.venv", F});

    scene_init(&scene, "open");
    scene_operation(&scene, CLASS_READ);
    scene_path(&scene, ATTRIBUTE_PATH, "/tmpfile", "/dev/null");
    check("read", &scene, {"path under session.temp", F}, {"path is session.null", T},
          {"path matches session.null", T}, {"path under session.null", T});
}

static void a_place_may_be_the_root(void **state)
{
    (void)state;
    static const char *const root[] = {"/"};
    struct scene scene;
    scene_init(&scene, "open");
    scene.subject.places[PLACE_START] = (struct place_paths){1, root};
    scene_operation(&scene, CLASS_READ);
    scene_path(&scene, ATTRIBUTE_PATH, "/work/a", "/work/a");
    check("read", &scene, {"path under session.start", T},
          {"path under session.start \"/work\"", T}, {"path under session.start \"/wor\"", F},
          {"path matches session.start \"/w*/a\"", T}, {"path is session.start", F});
    scene_init(&scene, "open");
    scene.subject.places[PLACE_START] = (struct place_paths){1, root};
    scene_operation(&scene, CLASS_READ);
    scene_path(&scene, ATTRIBUTE_PATH, "", "");
    check("read", &scene, {"path under session.start", F}, {"path is session.start", F});
}

static void a_marked_path_is_unknown_and_a_number_is_no_path(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "open");
    scene_operation(&scene, CLASS_READ);
    struct attribute *path =
        scene_value(&scene, ATTRIBUTE_PATH, marked(text_of("/etc/passwd"), VALUE_SUBCLASS));
    path->resolved = value_unknown();
    check("read", &scene, {"path is \"/etc/passwd\"", U}, {"path under \"/srv\"", U},
          {"not path under \"/srv\"", U}, {"path matches \"/srv/*\"", U}, {"path is none", U},
          {"path is absent", F}, {"path under \"/srv\" and user is \"bob\"", F},
          {"path under \"/srv\" or user is \"alice\"", T});

    path->value = value_int(3);
    path->resolved = value_int(3);
    check("read", &scene, {"path under \"/\"", F}, {"not path under \"/\"", T},
          {"path is none", F});
    path->value = value_none();
    path->resolved = value_none();
    check("read", &scene, {"path is none", T}, {"path under \"/\"", F});
}

static void paths_may_be_bytes_that_are_not_utf8(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "open");
    scene_operation(&scene, CLASS_READ);
    struct attribute *path = scene_path(&scene, ATTRIBUTE_PATH, "/srv/\xff.py", "/srv/\xff.py");
    path->value.kind = VALUE_BYTES;
    check("read", &scene, {"path is \"/srv/\\xff.py\"", T}, {"path matches \"/srv/?.py\"", T},
          {"path under \"/srv\"", T}, {"path is \"/srv/\\xfe.py\"", F});
}

static void lists_compare_element_by_element(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "subprocess.Popen");
    scene_operation(&scene, CLASS_EXEC);
    scene_value(&scene, ATTRIBUTE_ARGV, list_of(&scene, "git", "push", "-f", "origin", NULL));
    check("exec", &scene, {"argv is [\"git\", \"push\", \"-f\", \"origin\"]", T},
          {"argv is [\"git\", \"push\"]", F},
          {"argv is [\"git\", \"pull\", \"-f\", \"origin\"]", F},
          {"argv starts [\"git\", \"push\"]", T}, {"argv starts [\"git\", \"pull\"]", F},
          {"argv starts [\"git\", \"push\", \"-f\", \"origin\", \"x\"]", F}, {"argv has \"-f\"", T},
          {"argv has [\"-x\", \"-f\"]", T}, {"argv has \"-x\"", F}, {"argv has matches \"or*\"", T},
          {"argv has matches [\"x*\", \"-?\"]", T}, {"argv has matches \"x*\"", F},
          {"argv[0] is \"git\"", T}, {"argv[1] in [\"push\"]", T}, {"argv[-1] is \"origin\"", T},
          {"argv[-4] is \"git\"", T}, {"argv[1] matches \"p*\"", T}, {"argv[4] is \"x\"", F},
          {"not argv[4] is \"x\"", T}, {"argv[4] is absent", T}, {"argv[-5] is absent", T},
          {"argv is none", F}, {"argv is absent", F});
}

static void a_list_that_is_cut_is_known_as_far_as_it_goes(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "subprocess.Popen");
    scene_operation(&scene, CLASS_EXEC);
    scene_value(&scene, ATTRIBUTE_ARGV, marked(list_of(&scene, "git", "push", NULL), VALUE_CUT));
    check("exec", &scene, {"argv is [\"git\", \"push\"]", U}, {"argv is [\"git\"]", F},
          {"argv is [\"git\", \"pull\"]", F}, {"argv is [\"git\", \"push\", \"x\"]", U},
          {"argv is [\"git\", \"pull\", \"x\"]", F}, {"argv starts [\"git\"]", T},
          {"argv starts [\"git\", \"push\", \"x\"]", U},
          {"argv starts [\"x\", \"push\", \"x\"]", F}, {"argv has \"push\"", T},
          {"argv has \"-f\"", U}, {"argv has matches \"pu*\"", T}, {"argv has matches \"x*\"", U},
          {"argv[0] is \"git\"", T}, {"argv[7] is \"x\"", U}, {"argv[7] is absent", U},
          {"argv[-1] is \"push\"", U}, {"argv is absent", F}, {"argv is none", F});
}

static void a_marked_element_is_unknown_where_it_could_change_the_answer(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "subprocess.Popen");
    scene_operation(&scene, CLASS_EXEC);
    scene_value(&scene, ATTRIBUTE_ARGV, list_of(&scene, "git", "push", "-f", NULL));
    scene.items[1].marks = VALUE_SUBCLASS;
    check("exec", &scene, {"argv has \"-f\"", T}, {"argv has \"-x\"", U},
          {"argv starts [\"git\"]", T}, {"argv starts [\"git\", \"push\"]", U},
          {"argv starts [\"hg\", \"push\"]", F}, {"argv is [\"git\", \"push\", \"-f\"]", U},
          {"argv is [\"git\", \"push\"]", F}, {"argv[0] is \"git\"", T}, {"argv[1] is \"x\"", U},
          {"argv has matches \"-*\"", T}, {"argv has matches \"q*\"", U});
}

static void a_list_of_a_subclass_is_unknown_altogether(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "subprocess.Popen");
    scene_operation(&scene, CLASS_EXEC);
    scene_value(&scene, ATTRIBUTE_ARGV,
                marked(list_of(&scene, "git", "push", NULL), VALUE_SUBCLASS));
    check("exec", &scene, {"argv is [\"git\"]", U}, {"argv starts [\"x\"]", U},
          {"argv has \"git\"", U}, {"argv[0] is \"git\"", U}, {"argv[9] is absent", U},
          {"argv is none", U}, {"argv is absent", F}, {"not argv has \"x\"", U});

    scene_init(&scene, "subprocess.Popen");
    scene_operation(&scene, CLASS_EXEC);
    scene_value(&scene, ATTRIBUTE_ARGV, value_unknown());
    check("exec", &scene, {"argv has \"x\"", U}, {"argv[0] is \"x\"", U}, {"argv is absent", F});
}

static void maps_are_asked_for_keys_and_values(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "subprocess.Popen");
    scene_operation(&scene, CLASS_EXEC);
    struct attribute *env = scene_value(
        &scene, ATTRIBUTE_ENV, map_of(&scene, "PATH", "/bin", "LD_PRELOAD", "/x.so", NULL));
    check("exec", &scene, {"env has \"PATH\"", T}, {"env has \"HOME\"", F},
          {"env has matches \"LD_*\"", T}, {"env has matches [\"A*\", \"B*\"]", F},
          {"env[\"PATH\"] is \"/bin\"", T}, {"env[\"PATH\"] is \"/x\"", F},
          {"env[\"PATH\"] matches \"/b*\"", T}, {"env[\"HOME\"] is \"/\"", F},
          {"env[\"HOME\"] is absent", T}, {"not env[\"HOME\"] is \"/\"", T});

    env->value.marks = VALUE_CUT;
    check("exec", &scene, {"env has \"PATH\"", T}, {"env has \"HOME\"", U},
          {"env[\"PATH\"] is \"/bin\"", U}, {"env[\"HOME\"] is absent", U});
    env->value.marks = 0;
    scene.items[2].marks = VALUE_OPAQUE;
    check("exec", &scene, {"env has \"PATH\"", T}, {"env has \"HOME\"", U},
          {"env[\"PATH\"] is \"/bin\"", U});
    env->value = value_none();
    check("exec", &scene, {"env is none", T}, {"env has \"PATH\"", F},
          {"env[\"PATH\"] is absent", T});
}

static void a_key_that_is_there_twice_has_no_certain_value(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "subprocess.Popen");
    scene_operation(&scene, CLASS_EXEC);
    scene_value(&scene, ATTRIBUTE_ENV, map_of(&scene, "A", "1", "A", "2", NULL));
    scene.items[2].kind = VALUE_BYTES; /* {"A": "1", b"A": "2"} */
    check("exec", &scene, {"env[\"A\"] is \"1\"", U}, {"env[\"A\"] is \"2\"", U},
          {"env has \"A\"", T});
}

static void numbers_compare_with_numbers_and_ranges(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "socket.connect");
    scene_operation(&scene, CLASS_CONNECT);
    struct attribute *port = scene_value(&scene, ATTRIBUTE_PORT, value_int(8080));
    check("connect", &scene, {"port is 8080", T}, {"port is 443", F}, {"port is 8000-8100", T},
          {"port in [443, 8000-8100]", T}, {"port in [1-10]", F}, {"port < 8081", T},
          {"port < 8080", F}, {"port <= 8080", T}, {"port > 8079", T}, {"port > 8080", F},
          {"port >= 8080", T}, {"port >= 0x1f91", F}, {"port is 0o17620", T}, {"port > -1", T});
    port->value = text_of("8080");
    check("connect", &scene, {"port is 8080", F}, {"port > 0", F}, {"not port > 0", T});
    port->value = marked(value_int(8080), VALUE_SUBCLASS);
    check("connect", &scene, {"port is 8080", U}, {"port > 9000", U}, {"port is absent", F});
}

static void arguments_compare_as_python_compares_them(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "os.chmod"); /* path, mode, dir_fd */
    scene_argument(&scene, text_of("/srv/x"));
    scene_argument(&scene, (struct value){.kind = VALUE_FLOAT, .real = 5.5});
    scene_argument(&scene, value_bool(true));
    static const char large[] = {0, 0, 0, 0, 0, 0, 0, 0, 1};
    scene_argument(&scene, (struct value){.kind = VALUE_BIG_INT, .count = 9, .bytes = large});
    scene_argument(&scene, list_of(&scene, "a", "b", NULL));
    scene_argument(&scene, (struct value){.kind = VALUE_FLOAT, .real = __builtin_nan("")});
    scene_argument(&scene, value_unknown());
    check("event \"os.ch*\"", &scene, {"arg[0] is \"/srv/x\"", T}, {"arg.path is \"/srv/x\"", T},
          {"arg.path matches \"*/x\"", T}, {"arg.path is 5", F}, {"arg[1] > 5", T},
          {"arg[1] is 5", F}, {"arg[1] < 6", T}, {"arg.dir_fd", T}, {"arg[2] is true", T},
          {"arg[2] is 1", T}, {"arg[2] is false", F}, {"arg[0]", F},
          {"arg[3] > 9223372036854775807", T}, {"arg[3] is 0-9223372036854775807", F},
          {"arg[4] is [\"a\", \"b\"]", T}, {"arg[4] has \"b\"", T}, {"arg[4] starts [\"a\"]", T},
          {"arg[4] is \"a\"", F}, {"arg[5] < 1", F}, {"arg[5] >= 1", F}, {"arg[6] is 1", U},
          {"arg[6] has \"x\"", U}, {"arg[7] is absent", T}, {"arg[7] is 1", F},
          {"not arg[7] is 1", T});
}

static void a_named_argument_is_found_in_each_event_in_its_place(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "os.symlink"); /* src, dst, dir_fd */
    scene_argument(&scene, text_of("/a"));
    scene_argument(&scene, text_of("/b"));
    check("event \"os.symlink\", \"os.rename\", \"shutil.move\"", &scene, {"arg.dst is \"/b\"", T},
          {"arg.src is \"/a\"", T}, {"arg.dst_dir_fd is absent", T});
    scene_init(&scene, "os.listdir"); /* path: no `dst` */
    scene_argument(&scene, text_of("/a"));
    check("event \"os.*\"", &scene, {"arg.dst is \"/a\"", F}, {"arg.dst is absent", T},
          {"arg.path is \"/a\"", T});
    scene_init(&scene, "someones.event"); /* not in the catalogue */
    scene_argument(&scene, text_of("/a"));
    check("event \"some*\"", &scene, {"arg[0] is \"/a\"", T}, {"event matches \"*.event\"", T});
}

static void addresses_are_in_blocks_of_their_family(void **state)
{
    (void)state;
    static const char mapped[16] = {0, 0, 0,          0,          0,  0,  0, 0,
                                    0, 0, (char)0xff, (char)0xff, 10, 20, 1, 2};
    struct scene scene;
    scene_init(&scene, "socket.connect");
    scene_operation(&scene, CLASS_CONNECT);
    struct attribute *address = scene_value(&scene, ATTRIBUTE_ADDRESS, ipv4("\x0a\x14\x01\x02"));
    check("connect", &scene, {"address is 10.20.1.2", T}, {"address is 10.20.0.0/16", T},
          {"address in [10.21.0.0/16]", F}, {"address in [10.21.0.0/16, 10.0.0.0/8]", T},
          {"address is ::ffff:10.20.1.2", T}, {"address is ::/0", F}, {"address is 0.0.0.0/0", T});
    address->value = (struct value){.kind = VALUE_BYTES, .count = 16, .bytes = mapped};
    check("connect", &scene, {"address is 10.20.1.2", T}, {"address is 10.20.0.0/16", T},
          {"address is ::/0", F});
    address->value = marked(address->value, VALUE_OPAQUE);
    check("connect", &scene, {"address is 10.20.1.2", U}, {"not address is 1.1.1.1", U});
    scene_init(&scene, "socket.connect");
    scene_operation(&scene, CLASS_CONNECT);
    check("connect", &scene, {"address is 0.0.0.0/0", F}, {"not address is 0.0.0.0/0", T},
          {"address is absent", T}, {"port < 0", F}, {"path under \"/\"", F});
}

static void hosts_fold_case_and_the_final_dot(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "socket.getaddrinfo");
    scene_operation(&scene, CLASS_RESOLVE);
    struct attribute *host = scene_text(&scene, ATTRIBUTE_HOST, "A.CDN.Example.org.");
    check("resolve", &scene, {"host is \"a.cdn.example.ORG\"", T},
          {"host is \"*.cdn.example.org\"", T}, {"host is \"*.example.org.\"", T},
          {"host is \"*.a.cdn.example.org\"", F}, {"host in [\"x.org\", \"*.org\"]", T},
          {"host is \"cdn.example.org\"", F});
    host->value = text_of("example.org");
    check("resolve", &scene, {"host is \"*.example.org\"", F}, {"host is \"*.org\"", T});
    host->value = text_of("evilexample.org");
    check("resolve", &scene, {"host is \"*.example.org\"", F});
    host->value = text_of("b\xc3\xbc"
                          "cher.example");
    check("resolve", &scene, {"host is \"xn--bcher-kva.example\"", U}, {"host is \"x.org\"", U});
    host->value = list_of(&scene, "a.org", "b.org", NULL);
    check("resolve", &scene, {"host is \"b.org\"", T}, {"host in [\"c.org\", \"a.org\"]", T},
          {"host is \"c.org\"", F});
    host->value.marks = VALUE_CUT;
    check("resolve", &scene, {"host is \"b.org\"", T}, {"host is \"c.org\"", U});
}

static void a_byte_of_a_glob_is_no_part_of_a_character(void **state)
{
    (void)state;
    struct scene scene;

    scene_init(&scene, "import");
    scene_operation(&scene, CLASS_IMPORT);
    (void)scene_text(&scene, ATTRIBUTE_MODULE, "a\xc3\xa9");
    check("import", &scene, {"module matches \"a?\"", T}, {"module matches \"a\\xc3*\"", F},
          {"module matches \"a\\xc3?\"", F}, {"module matches \"a\\xc3\\xa9*\"", T});
    scene_init(&scene, "import");
    scene_operation(&scene, CLASS_IMPORT);
    (void)scene_text(&scene, ATTRIBUTE_MODULE, "a\xc3.b");
    check("import", &scene, {"module matches \"a\\xc3*\"", T}, {"module matches \"a?.b\"", T});
}

static void modules_are_under_packages_by_parts(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "import");
    scene_operation(&scene, CLASS_IMPORT);
    scene_text(&scene, ATTRIBUTE_MODULE, "numpy.linalg");
    check("import", &scene, {"module under \"numpy\"", T}, {"module under \"num\"", F},
          {"module under \"numpy.linalg\"", T}, {"module is \"numpy\"", F},
          {"module in [\"a\", \"numpy.linalg\"]", T}, {"module matches \"numpy*\"", T},
          {"module under [\"os\", \"numpy\"]", T});
}

static void words_and_signals_and_truths(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "os.kill");
    scene_operation(&scene, CLASS_SIGNAL);
    scene_text(&scene, ATTRIBUTE_TARGET, "other");
    struct attribute *signal = scene_value(&scene, ATTRIBUTE_SIGNAL, value_int(15));
    check("signal", &scene, {"target is \"other\"", T}, {"target in [\"self\", \"child\"]", F},
          {"target matches \"o*\"", T}, {"signal is \"TERM\"", T}, {"signal is \"SIGTERM\"", T},
          {"signal is 15", T}, {"signal in [\"KILL\", \"STOP\"]", F}, {"signal < 16", T},
          {"signal is 1-31", T});
    signal->value = text_of("TERM");
    check("signal", &scene, {"signal is 15", F});

    scene_init(&scene, "subprocess.Popen");
    scene_operation(&scene, CLASS_EXEC);
    struct attribute *shell = scene_value(&scene, ATTRIBUTE_SHELL, value_bool(true));
    check("exec", &scene, {"shell", T}, {"not shell", F}, {"shell is true", T},
          {"shell is false", F}, {"shell in [true]", T});
    shell->value = value_unknown();
    check("exec", &scene, {"shell", U}, {"not shell", U});
}

static void registry_paths_ignore_case_and_the_root_has_two_names(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "winreg.OpenKey");
    scene_operation(&scene, CLASS_REGISTRY);
    scene_text(&scene, ATTRIBUTE_PATH, "HKLM\\Software\\Python");
    check("registry", &scene, {"path under 'HKLM\\SOFTWARE'", T},
          {"path under 'HKEY_LOCAL_MACHINE\\software'", T}, {"path under 'HKLM\\Soft'", F},
          {"path is 'hklm\\software\\python'", T}, {"path is 'HKLM\\SOFTWARE\\PYTHON'", T},
          {"path matches 'HKLM\\*\\P*'", T}, {"path under 'HKCU\\'", F});
}

static void the_subject_is_asked_in_rules_too(void **state)
{
    (void)state;
    static const struct label labels[] = {{"role", "plugin"}};
    struct scene scene;
    scene_init(&scene, "os.fork");
    scene.subject.labels = labels;
    scene.subject.label_count = 1;
    scene_operation(&scene, CLASS_FORK);
    check("fork", &scene, {"user is \"alice\"", T}, {"user in [\"bob\"]", F},
          {"user matches \"a*\"", T}, {"group has \"audio\"", T}, {"group has \"root\"", F},
          {"group is [\"staff\", \"audio\"]", T}, {"group[0] is \"staff\"", T},
          {"group starts [\"staff\"]", T}, {"group has matches \"a*\"", T},
          {"label role is \"plugin\"", T}, {"label \"role\" is \"x\"", F},
          {"label other is absent", T}, {"script is \"/srv/work/main.py\"", T},
          {"script under session.start", T}, {"event is \"os.fork\"", T},
          {"event matches \"os.*\"", T}, {"event in [\"os.forkpty\"]", F});
    scene.subject.user = NULL;
    scene.subject.script = NULL;
    check("fork", &scene, {"user is \"alice\"", F}, {"user is absent", T},
          {"not script under \"/\"", T});
}

static void kleene_joins_what_is_unknown(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, "subprocess.Popen");
    scene_operation(&scene, CLASS_EXEC);
    scene_value(&scene, ATTRIBUTE_SHELL, value_unknown()); /* shell: unknown */
    check("exec", &scene, {"shell and user is \"alice\"", U}, {"shell and user is \"bob\"", F},
          {"user is \"bob\" and shell", F}, {"shell or user is \"alice\"", T},
          {"shell or user is \"bob\"", U}, {"user is \"bob\" or shell", U}, {"not shell", U},
          {"not (shell and user is \"bob\")", T}, {"not (shell or user is \"alice\")", F},
          {"(shell or user is \"bob\") and user is \"alice\"", U}, {"not not shell", U},
          {"not not user is \"alice\"", T}, {"not not not user is \"alice\"", F});
}

static void versions_compare_by_the_parts_that_are_written(void **state)
{
    (void)state;
    static const struct {
        const char *condition;
        bool applies;
    } cases[] = {
        {"python >= \"3.9\"", true},
        {"python >= \"3.11\"", true},
        {"python > \"3.11\"", false},
        {"python > \"3.9\"", true},
        {"python < \"3.12\"", true},
        {"python < \"3.11.8\"", true},
        {"python is \"3.11\"", true},
        {"python is \"3.11.7\"", true},
        {"python is \"3.1\"", false},
        {"python <= \"3.11\"", true},
        {"python in [\"3.8\", \"3.11\"]", true},
        {"python >= \"3.11.7.1\"", false},
        {"python >= \"4\"", false},
    };
    struct scene scene;
    scene_init(&scene, "os.fork");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[256];
        (void)snprintf(text, sizeof(text), "policy p { applies { %s } }", cases[i].condition);
        CLEANUP(policy_block_free) struct policy_block *block = compiled(text);
        if (policy_applies(block, 0, &scene.subject) != cases[i].applies)
            fail_msg("%s for %s", cases[i].condition, scene.subject.python);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_compare_whole_and_by_components),
        cmocka_unit_test(places_are_the_sessions_own_directories),
        cmocka_unit_test(a_place_may_be_the_root),
        cmocka_unit_test(a_marked_path_is_unknown_and_a_number_is_no_path),
        cmocka_unit_test(paths_may_be_bytes_that_are_not_utf8),
        cmocka_unit_test(lists_compare_element_by_element),
        cmocka_unit_test(a_list_that_is_cut_is_known_as_far_as_it_goes),
        cmocka_unit_test(a_marked_element_is_unknown_where_it_could_change_the_answer),
        cmocka_unit_test(a_list_of_a_subclass_is_unknown_altogether),
        cmocka_unit_test(maps_are_asked_for_keys_and_values),
        cmocka_unit_test(a_key_that_is_there_twice_has_no_certain_value),
        cmocka_unit_test(numbers_compare_with_numbers_and_ranges),
        cmocka_unit_test(arguments_compare_as_python_compares_them),
        cmocka_unit_test(a_named_argument_is_found_in_each_event_in_its_place),
        cmocka_unit_test(addresses_are_in_blocks_of_their_family),
        cmocka_unit_test(hosts_fold_case_and_the_final_dot),
        cmocka_unit_test(a_byte_of_a_glob_is_no_part_of_a_character),
        cmocka_unit_test(modules_are_under_packages_by_parts),
        cmocka_unit_test(words_and_signals_and_truths),
        cmocka_unit_test(registry_paths_ignore_case_and_the_root_has_two_names),
        cmocka_unit_test(the_subject_is_asked_in_rules_too),
        cmocka_unit_test(kleene_joins_what_is_unknown),
        cmocka_unit_test(versions_compare_by_the_parts_that_are_written),
    };
    return cmocka_run_group_tests_name("condition", tests, NULL, NULL);
}
