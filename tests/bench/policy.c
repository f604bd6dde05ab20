/* Nanoseconds a verdict by the number of rules, through the index and by a naive scan of all rules.
 *
 *     policy [ROUNDS]
 *
 * The rules are those of a host that lists what may be written and reached: of every ten, two name
 * a file, two a directory eight components deep, two a network, one a glob with a directory in
 * front, one a name below any directory, one a user below a directory that all such rules name, one
 * a host; all are in one policy. Every round measures every number of rules and every
 * event once, index and scan in turn; a ratio is taken within its round. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policies/catalogue/catalogue.h"
#include "policies/engine/block_layout.h"
#include "policies/engine/condition.h"
#include "policies/engine/evaluate.h"
#include "policies/language/compile.h"

enum {
    SIZES = 5,
    EVENTS = 7,
    ROUNDS_MAX = 101,
    CALLS = 500,            /* of one measurement through the index */
    SCANNED_RULES = 200000, /* about so many rules are scanned for one measurement */
};

static const unsigned sizes[SIZES] = {10, 100, 1000, 10000, 100000};
static const char *const event_names[EVENTS] = {"no rule matches", "exact path", "prefix, depth 8",
                                                "network",         "glob",       "name behind **",
                                                "shared, by user"};

static uint64_t nanoseconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static char *written_rule(char *at, size_t room, unsigned i)
{
    int length = 0;

    switch (i % 10) {
    case 0:
    case 3:
        length = snprintf(at, room,
                          "deny write where path is \"/srv/app/data/%03u/file-%06u\" as r%06u\n",
                          i / 100 % 1000, i, i);
        break;
    case 1:
    case 6:
        length = snprintf(at, room,
                          "deny write where path under \"/srv/a/b/c/%02u/%02u/%02u/%u\" as r%06u\n",
                          i / 10000 % 100, i / 100 % 100, i % 100, i, i);
        break;
    case 2:
    case 7:
        length = snprintf(at, room, "deny connect where address is %u.%u.%u.0/24 as r%06u\n",
                          10 + i / 65536, i / 256 % 256, i % 256, i);
        break;
    case 4:
        length = snprintf(
            at, room, "deny write where path matches \"/opt/plug-%u/**/*.py\" as r%06u\n", i, i);
        break;
    case 5:
        length = snprintf(at, room, "deny write where path matches \"**/note-%06u.md\" as r%06u\n",
                          i, i);
        break;
    case 8:
        length = snprintf(
            at, room, "deny write where path under \"/srv/shared\" and user is \"u%u\" as r%06u\n",
            i, i);
        break;
    default:
        length =
            snprintf(at, room, "deny connect where host is \"h%06u.example.org\" as r%06u\n", i, i);
    }
    return at + length;
}

/* `deny … host` wants a rule on `resolve` beside it. */
static char *written_policy(unsigned rules)
{
    const size_t size = 256 + (size_t)rules * 128;
    char *text = malloc(size);
    char *at = text;

    if (!text)
        exit(1);
    at += snprintf(at, 256,
                   "policy p {\napplies { platform is \"linux\" }\n"
                   "deny resolve where host is \"h.example.org\" as names\n");
    for (unsigned i = 0; i < rules; i++)
        at = written_rule(at, size - (size_t)(at - text), i);
    (void)snprintf(at, size - (size_t)(at - text), "}\n");
    return text;
}

struct setting {
    struct policy_block *block;
    double compile_milliseconds;
};

static void compile(struct setting *setting, unsigned rules)
{
    char *written = written_policy(rules);
    const struct policy_text text = {
        .file = "bench.warder", .text = written, .length = strlen(written), .tier = TIER_LOCAL};

    for (int i = 0; i < 3; i++) {
        struct diagnostics *diagnostics = diagnostics_new();
        const uint64_t start = nanoseconds();
        policy_block_free(setting->block);
        setting->block = policy_compile(&text, 1, NULL, diagnostics);
        const double took = (double)(nanoseconds() - start) / 1e6;
        if (!setting->block) {
            char *shown = diagnostics_render(diagnostics, NULL, false);
            fprintf(stderr, "the policy does not compile:\n%.4000s\n", shown ? shown : "");
            exit(1);
        }
        if (i == 0 || took < setting->compile_milliseconds)
            setting->compile_milliseconds = took;
        diagnostics_free(diagnostics);
    }
    free(written);
}

/* One event of one operation with one attribute. */
struct scene {
    struct event event;
    struct operation operation;
    struct attribute attribute;
};

static void set_scene(struct scene *scene, const char *name, enum operation_class operation_class,
                      enum attribute_name attribute, struct value value)
{
    *scene = (struct scene){.event = {.name = name,
                                      .name_length = (uint32_t)strlen(name),
                                      .number = catalogue_find(name, strlen(name))->number,
                                      .operation_count = 1},
                            .operation = {.operation_class = operation_class, .attribute_count = 1},
                            .attribute = {.name = attribute, .value = value, .resolved = value}};
    scene->operation.attributes = &scene->attribute;
    scene->event.operations = &scene->operation;
}

/* Each of the events concerns a rule that every number of rules has. */
static void set_scenes(struct scene scenes[EVENTS])
{
    static const char none[] = "/home/alice/project/build/output/main.o";
    static const char exact[] = "/srv/app/data/000/file-000003";
    static const char below[] = "/srv/a/b/c/00/00/06/6/output/main.o";
    static const char address[] = {10, 0, 7, 20};
    static const char glob[] = "/opt/plug-4/package/module/deep/file.py";
    static const char name[] = "/home/alice/project/docs/note-000005.md";
    static const char shared[] = "/srv/shared/team/report.txt";

    set_scene(&scenes[0], "open", CLASS_WRITE, ATTRIBUTE_PATH, value_text(none, sizeof(none) - 1));
    set_scene(&scenes[1], "open", CLASS_WRITE, ATTRIBUTE_PATH,
              value_text(exact, sizeof(exact) - 1));
    set_scene(&scenes[2], "open", CLASS_WRITE, ATTRIBUTE_PATH,
              value_text(below, sizeof(below) - 1));
    struct value bytes = value_text(address, sizeof(address));
    bytes.kind = VALUE_BYTES;
    set_scene(&scenes[3], "socket.connect", CLASS_CONNECT, ATTRIBUTE_ADDRESS, bytes);
    set_scene(&scenes[4], "open", CLASS_WRITE, ATTRIBUTE_PATH, value_text(glob, sizeof(glob) - 1));
    set_scene(&scenes[5], "open", CLASS_WRITE, ATTRIBUTE_PATH, value_text(name, sizeof(name) - 1));
    set_scene(&scenes[6], "open", CLASS_WRITE, ATTRIBUTE_PATH,
              value_text(shared, sizeof(shared) - 1));
}

static const struct subject subject = {.user = "u8", .platform = "linux", .python = "3.11.7"};

/* What a language without indexes does: every rule of the class, in turn, in both forms of paths.
 */
static bool scan(const struct setting *setting, const struct scene *scene)
{
    struct budget budget = {UINT64_MAX};
    struct question question = {.block = setting->block,
                                .subject = &subject,
                                .event = &scene->event,
                                .operation = &scene->operation,
                                .budget = &budget};
    const uint32_t class_bit = UINT32_C(1) << scene->operation.operation_class;
    const uint32_t rules = policy_block_rule_count(setting->block);
    bool denied = false;

    for (uint32_t i = 0; i < rules; i++) {
        const struct rule_record *rule = block_rule(setting->block, i);
        if (!(rule->classes & class_bit))
            continue;
        question.resolved = false;
        if (condition_truth(&question, rule->condition) == TRUTH_TRUE) {
            denied = true;
            continue;
        }
        question.resolved = (rule->flags & RULE_HAS_PATHS) != 0;
        denied |= question.resolved && condition_truth(&question, rule->condition) == TRUTH_TRUE;
    }
    return denied;
}

static bool evaluated(const struct setting *setting, const struct scene *scene)
{
    static const uint32_t policy = 0;
    const struct governing governing = {.policies = &policy, .count = 1};
    struct judgement judgement;

    evaluate(setting->block, &governing, &subject, &scene->event, &judgement);
    return judgement.verdict == VERDICT_DENY;
}

static double measure(const struct setting *setting, const struct scene *scene,
                      bool (*verdict)(const struct setting *, const struct scene *), unsigned calls,
                      bool expected)
{
    const uint64_t start = nanoseconds();
    for (unsigned i = 0; i < calls; i++) {
        if (verdict(setting, scene) != expected) {
            fprintf(stderr, "a verdict is wrong: there is nothing to measure\n");
            exit(1);
        }
    }
    return (double)(nanoseconds() - start) / calls;
}

static int by_size(const void *a, const void *b)
{
    const double left = *(const double *)a;
    const double right = *(const double *)b;
    return (left > right) - (left < right);
}

static double at_quantile(const double *values, unsigned count, double quantile)
{
    double sorted[ROUNDS_MAX];
    memcpy(sorted, values, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), by_size);
    return sorted[(unsigned)(quantile * (count - 1) + 0.5)];
}

static double indexed_times[SIZES][EVENTS][ROUNDS_MAX];
static double scan_times[SIZES][EVENTS][ROUNDS_MAX];
static double ratios[ROUNDS_MAX];

static void print(const struct setting *settings, unsigned rounds)
{
    printf("%-16s %8s %12s %26s %14s\n", "event", "rules", "index, ns",
           "x that of 10 [middle half]", "naive scan, ns");
    for (int event = 0; event < EVENTS; event++) {
        for (int size = 0; size < SIZES; size++) {
            for (unsigned round = 0; round < rounds; round++)
                ratios[round] = indexed_times[size][event][round] / indexed_times[0][event][round];
            printf("%-16s %8u %12.0f %11.2f [%.2f-%.2f] %18.0f\n", event_names[event], sizes[size],
                   at_quantile(indexed_times[size][event], rounds, 0.5),
                   at_quantile(ratios, rounds, 0.5), at_quantile(ratios, rounds, 0.25),
                   at_quantile(ratios, rounds, 0.75),
                   at_quantile(scan_times[size][event], rounds, 0.5));
        }
    }
    printf("\n%8s %12s %14s %16s\n", "rules", "compile, ms", "block, bytes", "bytes a rule");
    for (int size = 0; size < SIZES; size++) {
        const size_t bytes = policy_block_size(settings[size].block);
        printf("%8u %12.1f %14zu %16.0f\n", sizes[size], settings[size].compile_milliseconds, bytes,
               (double)bytes / sizes[size]);
    }
}

int main(int argument_count, char **arguments)
{
    static struct setting settings[SIZES];
    struct scene scenes[EVENTS];
    unsigned rounds = argument_count > 1 ? (unsigned)atoi(arguments[1]) : 15;

    rounds = rounds < 1 ? 1 : rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds;
    set_scenes(scenes);
    for (int size = 0; size < SIZES; size++)
        compile(&settings[size], sizes[size]);
    for (unsigned round = 0; round < rounds; round++) {
        for (int event = 0; event < EVENTS; event++) {
            for (int i = 0; i < SIZES; i++) {
                const int size = (i + (int)round) % SIZES;
                const unsigned scans = 1 + SCANNED_RULES / sizes[size];
                indexed_times[size][event][round] =
                    measure(&settings[size], &scenes[event], evaluated, CALLS, event > 0);
                scan_times[size][event][round] =
                    measure(&settings[size], &scenes[event], scan, scans, event > 0);
            }
        }
    }
    print(settings, rounds);
    for (int size = 0; size < SIZES; size++)
        policy_block_free(settings[size].block);
    return 0;
}
