#define _GNU_SOURCE
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/cli/command.h"
#include "client/cli/diagnostic_json.h"
#include "client/cli/json_line.h"
#include "client/cli/test_directory.h"
#include "policies/scene/policy_suite.h"

static const char help[] =
    "usage: warder test [--coverage[=required]] [--day DATE] [--json] [DIRECTORY|FILE]...\n"
    "\n"
    "Runs the tests of policies, NAME.test.warder, and says which expectations do not hold, what\n"
    "was found instead, and which rule decided. Without an argument, those of this directory and\n"
    "all below it. Names of files that begin with a dot are left out.\n"
    "\n"
    "  FILE.test.warder  its tests\n"
    "  FILE.warder       the tests of the file beside it, FILE.test.warder\n"
    "  DIRECTORY         every test in it and below; policies without a test are told\n"
    "\n"
    "A test file is judged with all policies of its directory: NAME.warder in it, which counts as\n"
    "local, and in its subdirectories mandatory, local and vendor, which stand for the tiers.\n"
    "`test NAME { … }` is judged with NAME governing the session, and with each other of those\n"
    "policies whose `applies` selects it. NAME's own `applies` has to select it, if it has one.\n"
    "\n"
    "Nothing is asked of this host: paths, hosts and places are those that the test gives. A\n"
    "`given` counts for its whole test, a `session` for the lines up to the next one.\n"
    "What `session` does not say does not exist, and so do attributes that are not written.\n"
    "`by default` is the policy's default for the class, or, where nothing is said of it, the\n"
    "language's own: allowed. Overrides count as on a day before any of them ends.\n"
    "\n"
    "  --coverage           list the rules, defaults and overrides of the tested policies that no\n"
    "                       expectation reached\n"
    "  --coverage=required  and fail if there is one\n"
    "  --day DATE           judge as on that day, 2027-01-31: overrides that ended do not count\n"
    "  --json               a JSON object a line. By its `kind`: each expectation, with what was\n"
    "                       found; with --coverage what is unreached; the sum. Those without kind\n"
    "                       are mistakes in the files, as `warder check --json` has them\n"
    "\n"
    "examples:\n"
    "  warder test\n"
    "  warder test --coverage /etc/warder/policies\n"
    "  warder test media.warder\n"
    "\n"
    "exit status: 0 every expectation holds, 1 one does not, or a file has errors, 2 wrong usage,\n"
    "or a file cannot be read\n";

enum { DAY_SECONDS = 24 * 60 * 60 };

enum coverage {
    COVERAGE_NONE,
    COVERAGE_LISTED,
    COVERAGE_REQUIRED,
};

/* What is asked, and how it goes. */
struct testing {
    enum coverage coverage;
    bool json;
    int32_t today; /* 0: before every override ends */
    struct diagnostics *diagnostics;
    struct suite_counts counts; /* of every directory */
    size_t files;
    int status; /* the worst so far */
};

static void worsen(struct testing *testing, int status)
{
    if (status > testing->status)
        testing->status = status;
}

/* ---------------------------------------------------------------- JSON */

/* Names are of policies' authors: those that are not UTF-8 are shown as the rest of the command
 * shows them, by what can be read of them. */
static json_t *text(const char *bytes)
{
    json_t *string = json_string(bytes);
    return string ? string : json_string("");
}

static void set_place(json_t *object, const struct suite_place *place)
{
    if (!place->file)
        return;
    json_object_set_new(object, "file", text(place->file));
    json_object_set_new(object, "line", json_integer(place->line));
    json_object_set_new(object, "column", json_integer(place->column));
}

static json_t *answer(const struct suite_answer *answer, bool with_doubt)
{
    json_t *object = json_object();

    json_object_set_new(object, "verdict", text(answer->verdict));
    json_object_set_new(object, "by", text(answer->by));
    if (with_doubt)
        json_object_set_new(object, "unknown", json_boolean(answer->unknown));
    if (with_doubt && answer->spent)
        json_object_set_new(object, "spent", json_true());
    set_place(object, &answer->place);
    return object;
}

static void print_outcome(void *context, const struct suite_outcome *outcome)
{
    json_t *object = json_object();
    (void)context;

    json_object_set_new(object, "kind", text("expectation"));
    set_place(object, &outcome->place);
    json_object_set_new(object, "policy", text(outcome->policy));
    json_object_set_new(object, "holds", json_boolean(outcome->holds));
    json_object_set_new(object, "expected", answer(&outcome->expected, false));
    json_object_set_new(object, "found", answer(&outcome->found, true));
    json_line_print_object(stdout, object);
}

static void print_unreached(void *context, const struct suite_unreached *unreached)
{
    json_t *object = json_object();
    (void)context;

    json_object_set_new(object, "kind", text("unreached"));
    set_place(object, &unreached->place);
    json_object_set_new(object, "policy", text(unreached->policy));
    json_object_set_new(object, "part", text(unreached->kind));
    json_object_set_new(object, "name", text(unreached->name));
    json_line_print_object(stdout, object);
}

static const struct suite_observer json_observer = {.judged = print_outcome,
                                                    .unreached = print_unreached};

static void print_sum(const struct testing *testing)
{
    const struct suite_counts *counts = &testing->counts;
    json_t *object = json_object();

    json_object_set_new(object, "kind", text("sum"));
    json_object_set_new(object, "files", json_integer((json_int_t)testing->files));
    json_object_set_new(object, "tests", json_integer((json_int_t)counts->tests));
    json_object_set_new(object, "expectations", json_integer((json_int_t)counts->expectations));
    json_object_set_new(object, "failed", json_integer((json_int_t)counts->failed));
    if (testing->coverage != COVERAGE_NONE) {
        json_object_set_new(object, "parts", json_integer((json_int_t)counts->parts));
        json_object_set_new(object, "unreached", json_integer((json_int_t)counts->unreached));
    }
    json_object_set_new(object, "errors",
                        json_integer((json_int_t)diagnostics_error_count(testing->diagnostics)));
    json_line_print_object(stdout, object);
}

/* ---------------------------------------------------------------- text */

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static char *describe_coverage(const struct testing *testing)
{
    const struct suite_counts *counts = &testing->counts;
    char *words = NULL;

    if (testing->coverage == COVERAGE_NONE)
        return calloc(1, 1);
    if (asprintf(&words, "; %zu of %zu rules, defaults and overrides are reached",
                 counts->parts - counts->unreached, counts->parts) < 0)
        return NULL;
    return words;
}

static char *describe(const struct testing *testing)
{
    const struct suite_counts *counts = &testing->counts;
    CLEANUP(free) char *coverage = describe_coverage(testing);
    char *words = NULL;
    int length;

    if (!coverage)
        return NULL;
    if (counts->expectations == 0)
        length = asprintf(&words, "no expectation was judged.");
    else if (counts->failed == 0)
        length = asprintf(&words, "%zu expectation%s hold%s, in %zu test%s of %zu file%s%s.",
                          counts->expectations, plural(counts->expectations),
                          counts->expectations == 1 ? "s" : "", counts->tests,
                          plural(counts->tests), testing->files, plural(testing->files), coverage);
    else
        length = asprintf(&words, "%zu of %zu expectation%s do%s not hold%s.", counts->failed,
                          counts->expectations, plural(counts->expectations),
                          counts->failed == 1 ? "es" : "", coverage);
    return length < 0 ? NULL : words;
}

/* What was found wrong, and the sum. */
static void print_report(const struct testing *testing)
{
    if (testing->json) {
        diagnostics_print_json(stdout, testing->diagnostics);
        print_sum(testing);
        return;
    }
    CLEANUP(free) char *words = describe(testing);
    CLEANUP(free)
    char *report = diagnostics_render(testing->diagnostics, words, wants_colour(STDOUT_FILENO));

    if (report && *report != '\0')
        fputs(report, stdout);
    else if (words)
        printf("%s\n", words);
}

/* ---------------------------------------------------------------- running */

static void add_counts(struct suite_counts *sum, const struct suite_counts *counts)
{
    sum->expectations += counts->expectations;
    sum->failed += counts->failed;
    sum->tests += counts->tests;
    sum->parts += counts->parts;
    sum->unreached += counts->unreached;
}

static void run_files(struct testing *testing, const struct test_directory *directory,
                      struct policy_suite *suite)
{
    const struct suite_observer *observer = testing->json ? &json_observer : NULL;

    for (size_t i = 0; i < directory->test_count; i++) {
        struct policy_file file;
        if (!policy_file_read(&file, directory->tests[i])) {
            worsen(testing, EXIT_USAGE);
            continue;
        }
        const struct policy_text words = policy_file_text(&file);
        policy_suite_run(suite, &words, observer);
        policy_file_deinit(&file);
        testing->files++;
    }
    if (testing->coverage != COVERAGE_NONE)
        policy_suite_coverage(suite, observer);
    if (directory->searched)
        policy_suite_untested(suite);
    const struct suite_counts counts = policy_suite_counts(suite);
    add_counts(&testing->counts, &counts);
}

static void run_directory(struct testing *testing, const struct test_directory *directory)
{
    struct test_policies policies;

    if (directory->test_count == 0) {
        complain("test: %s: %zu policy file%s and no test file", directory->path,
                 directory->policy_files, plural(directory->policy_files));
        return;
    }
    if (!test_policies_read(directory, &policies)) {
        worsen(testing, EXIT_USAGE);
        return;
    }
    CLEANUP(policy_suite_free)
    struct policy_suite *suite =
        policy_suite_new(policies.texts, policies.count, testing->today, testing->diagnostics);
    if (suite)
        run_files(testing, directory, suite);
    policy_suite_free(TAKE(suite)); /* it borrows from what goes now */
    test_policies_deinit(&policies);
}

static void run_directories(struct testing *testing, const struct test_directories *directories)
{
    size_t tests = 0;

    for (size_t i = 0; i < directories->count; i++) {
        run_directory(testing, &directories->items[i]);
        tests += directories->items[i].test_count;
    }
    if (tests == 0) {
        if (!directories->untested)
            complain("test: there is no test file; the tests of NAME.warder stand beside it, in "
                     "NAME.test.warder");
        worsen(testing, EXIT_NO);
        return;
    }
    print_report(testing);
    if (directories->untested || testing->counts.failed > 0 ||
        diagnostics_error_count(testing->diagnostics) > 0 ||
        (testing->coverage == COVERAGE_REQUIRED && testing->counts.unreached > 0))
        worsen(testing, EXIT_NO);
}

static int run_tests(struct testing *testing, char **arguments, size_t count)
{
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    struct test_directories directories = {0};
    bool found = true;

    if (!diagnostics) {
        complain("test: out of memory");
        return EXIT_USAGE;
    }
    testing->diagnostics = diagnostics;
    if (count == 0)
        found = test_directories_add(&directories, ".");
    for (size_t i = 0; i < count; i++)
        found = test_directories_add(&directories, arguments[i]) && found;
    if (found)
        run_directories(testing, &directories);
    else
        worsen(testing, EXIT_USAGE);
    test_directories_deinit(&directories);
    return testing->status;
}

/* Days since 1970-01-01; false if the text is no day. */
static bool read_day(const char *text, int32_t *day)
{
    struct tm parts = {0};
    char again[16];
    const char *end = strptime(text, "%Y-%m-%d", &parts);
    const time_t seconds = timegm(&parts);

    *day = (int32_t)(seconds / DAY_SECONDS);
    return end && *end == '\0' && *day > 0 &&
           strftime(again, sizeof(again), "%Y-%m-%d", &parts) > 0 && strcmp(text, again) == 0;
}

static bool read_coverage(const char *word, struct testing *testing)
{
    if (!word)
        testing->coverage = COVERAGE_LISTED;
    else if (strcmp(word, "required") == 0)
        testing->coverage = COVERAGE_REQUIRED;
    else
        complain("test: --coverage stands alone, or is --coverage=required, not `%s`", word);
    return testing->coverage != COVERAGE_NONE;
}

int command_test(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                            {"coverage", optional_argument, NULL, 'c'},
                                            {"day", required_argument, NULL, 'd'},
                                            {"json", no_argument, NULL, 'j'},
                                            {NULL, 0, NULL, 0}};
    struct testing testing = {.status = EXIT_DONE};
    int option;

    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        switch (option) {
        case 'h':
            fputs(help, stdout);
            return EXIT_DONE;
        case 'c':
            if (!read_coverage(optarg, &testing))
                return EXIT_USAGE;
            break;
        case 'd':
            if (!read_day(optarg, &testing.today)) {
                complain("test: `%s` is no day; write it as 2027-01-31", optarg);
                return EXIT_USAGE;
            }
            break;
        case 'j':
            testing.json = true;
            break;
        default:
            complain_option("test", argv, option);
            return EXIT_USAGE;
        }
    }
    return run_tests(&testing, argv + optind, (size_t)(argc - optind));
}
