/* The evaluator's side of the differential test: policies, subjects and events on stdin, one line
 * for each answer on stdout. README.md describes the protocol.
 *
 * Policies go through the real parser, checker and compiler; nothing is asked of this machine. The
 * other side computes the same lines by itself and compares them. What explains a judgement must
 * come to the same, in every case: where it does not, that is the answer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/engine/evaluate.h"
#include "policies/engine/explain.h"
#include "policies/language/compile.h"
#include "scene_reader.h"

enum {
    LINE_MAX_BYTES = 1024 * 1024,
    ARENA_BYTES = 64 * 1024 * 1024,
    ANSWERS_BYTES = 4 * 1024 * 1024,
    TEXTS_MAX = 64,
    SUBJECTS_MAX = 16,
    POLICIES_MAX = 256,
    RESOLVED_MAX = 512,
    NAME_BYTES = 512,
};

struct list {
    uint32_t items[POLICIES_MAX];
    uint32_t count;
};

/* Who asks, which policies govern them, and whose overrides count. */
struct asker {
    struct subject subject;
    struct list governing;
    struct list overriding;
    bool overriding_differs;
};

struct resolution {
    const char *path;
    const char *target;
};

struct driver {
    struct arena arena;
    struct pool pool;
    struct policy_text texts[TEXTS_MAX];
    size_t text_count;
    struct resolution resolutions[RESOLVED_MAX];
    size_t resolution_count;
    struct asker askers[SUBJECTS_MAX];
    size_t asker_count;
    struct policy_block *block;
    int32_t today;
    struct scene scene;
    struct explanation explanation;
};

static unsigned char arena_memory[ARENA_BYTES];

static bool resolve(void *context, const char *path, char *resolved, size_t size)
{
    const struct driver *driver = context;
    for (size_t i = 0; i < driver->resolution_count; i++)
        if (strcmp(driver->resolutions[i].path, path) == 0)
            return snprintf(resolved, size, "%s", driver->resolutions[i].target) < (int)size;
    return false;
}

static void begin(struct driver *driver, struct line *line)
{
    policy_block_free(driver->block);
    driver->block = NULL;
    arena_reset(&driver->arena);
    driver->pool.count = 0;
    driver->text_count = 0;
    driver->resolution_count = 0;
    driver->asker_count = 0;
    driver->today = (int32_t)next_number(line, INT32_MIN, INT32_MAX);
}

static void read_resolution(struct driver *driver, struct line *line)
{
    if (driver->resolution_count == RESOLVED_MAX)
        refuse("too many resolutions", NULL);
    struct resolution *resolution = &driver->resolutions[driver->resolution_count++];
    resolution->path = next_text(line, &driver->arena, NULL);
    resolution->target = next_text(line, &driver->arena, NULL);
}

static enum policy_tier tier_named(const char *word)
{
    for (int tier = TIER_MANDATORY; tier <= TIER_VENDOR; tier++)
        if (strcmp(policy_tier_name((enum policy_tier)tier), word) == 0)
            return (enum policy_tier)tier;
    refuse("no tier", word);
}

/* TIER OBSERVE TEXT. Warnings are not wanted: they would only be thrown away. */
static void read_text(struct driver *driver, struct line *line)
{
    if (driver->text_count == TEXTS_MAX)
        refuse("too many texts", NULL);
    struct policy_text *text = &driver->texts[driver->text_count++];
    *text = (struct policy_text){
        .file = "policies", .quiet = true, .tier = tier_named(next_word(line))};
    text->observe = next_number(line, 0, 1) != 0;
    text->text = next_text(line, &driver->arena, &text->length);
}

static void compile_policies(struct driver *driver)
{
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    const struct compile_options options = {
        .resolve = resolve, .context = driver, .today = driver->today};

    if (!diagnostics)
        refuse("no memory", NULL);
    driver->block = policy_compile(driver->texts, driver->text_count, &options, diagnostics);
    if (!driver->block) {
        CLEANUP(free) char *shown = diagnostics_render(diagnostics, NULL, false);
        for (char *end = shown ? strchr(shown, '\n') : NULL; end; end = strchr(end, '\n'))
            *end = '\t';
        (void)printf("rejected %s\n", shown ? shown : "");
        return;
    }
    if (policy_block_open(driver->block, policy_block_size(driver->block)) != driver->block)
        refuse("the compiled block does not open", NULL);
    if (policy_block_policy_count(driver->block) > POLICIES_MAX)
        refuse("too many policies", NULL);
    (void)printf("compiled %u\n", policy_block_policy_count(driver->block));
}

/* The policies whose names (TIER/NAME) the line has next. */
static void read_named(struct driver *driver, struct line *line, struct list *list)
{
    const long long count = next_number(line, 0, POLICIES_MAX);
    char name[NAME_BYTES];
    bool named[POLICIES_MAX] = {false};

    for (long long i = 0; i < count; i++) {
        const char *word = next_word(line);
        uint32_t policy = 0;
        for (;; policy++) {
            if (policy == policy_block_policy_count(driver->block))
                refuse("no policy of this name", word);
            (void)snprintf(name, sizeof(name), "%s/%s",
                           policy_tier_name(policy_tier(driver->block, policy)),
                           policy_name(driver->block, policy));
            if (strcmp(name, word) == 0)
                break;
        }
        named[policy] = true;
    }
    for (uint32_t i = 0; i < POLICIES_MAX; i++)
        if (named[i])
            list->items[list->count++] = i;
}

static void print_list(const struct policy_block *block, const struct list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        (void)printf(" %s/%s", policy_tier_name(policy_tier(block, list->items[i])),
                     policy_name(block, list->items[i]));
    (void)putchar('\n');
}

/* SUBJECT NAMED... OVERRIDING...: says which policies govern: those that the subject names and
 * those whose `applies` select it. An overriding of 0 policies is that of those that govern. */
static void read_asker(struct driver *driver, struct line *line)
{
    if (driver->asker_count == SUBJECTS_MAX || !driver->block)
        refuse("too many subjects, or no policies", NULL);
    struct asker *asker = &driver->askers[driver->asker_count++];
    struct list named = {.count = 0};
    uint32_t at = 0;

    *asker = (struct asker){.overriding_differs = false};
    read_subject(line, &driver->arena, &asker->subject);
    read_named(driver, line, &named);
    read_named(driver, line, &asker->overriding);
    asker->overriding_differs = asker->overriding.count > 0;
    for (uint32_t i = 0; i < policy_block_policy_count(driver->block); i++) {
        const bool is_named = at < named.count && named.items[at] == i;
        at += is_named ? 1 : 0;
        if (is_named || policy_applies(driver->block, i, &asker->subject))
            asker->governing.items[asker->governing.count++] = i;
    }
    (void)printf("governed by");
    print_list(driver->block, &asker->governing);
}

static void print_deciding(const struct policy_block *block, const struct deciding *by)
{
    if (by->policy == POLICY_NO_INDEX) {
        (void)fputs(" -", stdout);
        return;
    }
    (void)printf(" %s/%s.%s@%u%s", policy_tier_name(policy_tier(block, by->policy)),
                 policy_name(block, by->policy),
                 by->rule == RULE_DEFAULT ? "default" : rule_name(block, by->rule), by->operation,
                 by->unknown ? "?" : "");
}

/* VERDICT BY WOULD BY LOGS... OVERRIDE OVERRIDDEN */
static void print_judgement(const struct policy_block *block, const struct judgement *judgement)
{
    static const char verdicts[] = {'A', 'D', 'K'};

    (void)putchar(verdicts[judgement->verdict]);
    print_deciding(block, &judgement->by);
    (void)printf(" %c", verdicts[judgement->would]);
    print_deciding(block, &judgement->would_by);
    (void)printf(" %u", judgement->log ? judgement->log_count : 0);
    for (uint32_t i = 0; i < judgement->log_count; i++)
        print_deciding(block, &judgement->log_by[i]);
    if (judgement->override != OVERRIDE_NONE) {
        const struct override_facts facts = override_facts(block, judgement->override);
        (void)printf(" %s/%s:%s", policy_tier_name(policy_tier(block, facts.by)),
                     policy_name(block, facts.by), facts.reason);
        print_deciding(block, &judgement->overridden);
    }
    if (judgement->steps >= EVALUATION_STEPS_MAX)
        (void)fputs(" spent", stdout);
    (void)putchar('\n');
}

static bool same_deciding(const struct deciding *a, const struct deciding *b)
{
    return a->policy == b->policy && a->rule == b->rule && a->operation == b->operation &&
           a->unknown == b->unknown;
}

/* All of them but the steps. */
static bool same_judgement(const struct judgement *a, const struct judgement *b)
{
    if (a->verdict != b->verdict || a->would != b->would || a->log != b->log ||
        a->log_count != b->log_count || a->override != b->override ||
        !same_deciding(&a->by, &b->by) || !same_deciding(&a->would_by, &b->would_by) ||
        (a->override != OVERRIDE_NONE && !same_deciding(&a->overridden, &b->overridden)))
        return false;
    for (uint32_t i = 0; i < a->log_count; i++)
        if (!same_deciding(&a->log_by[i], &b->log_by[i]))
            return false;
    return true;
}

static void judge_event(struct driver *driver, struct line *line)
{
    if (driver->asker_count == 0)
        refuse("an event without a subject", NULL);
    const struct asker *asker =
        &driver->askers[next_number(line, 0, (long long)driver->asker_count - 1)];
    const struct governing overriding = {.policies = asker->overriding.items,
                                         .count = asker->overriding.count,
                                         .today = driver->today};
    const struct governing governing = {.policies = asker->governing.items,
                                        .count = asker->governing.count,
                                        .today = driver->today,
                                        .overriding =
                                            asker->overriding_differs ? &overriding : NULL};
    struct judgement judgement;

    read_event(line, &driver->pool, &driver->scene);
    evaluate(driver->block, &governing, &asker->subject, &driver->scene.event, &judgement);
    explain(driver->block, &governing, &asker->subject, &driver->scene.event, &driver->explanation);
    if (!same_judgement(&judgement, &driver->explanation.judgement)) {
        (void)fputs("explained otherwise: ", stdout);
        print_judgement(driver->block, &driver->explanation.judgement);
        return;
    }
    print_judgement(driver->block, &judgement);
}

static void obey(struct driver *driver, struct line *line)
{
    const char *command = next_word(line);

    switch (*command) {
    case 'N':
        begin(driver, line);
        return;
    case 'R':
        read_resolution(driver, line);
        return;
    case 'T':
        read_text(driver, line);
        return;
    case 'C':
        compile_policies(driver);
        return;
    case 'V':
        read_value(line, &driver->pool);
        return;
    case 'S':
        read_asker(driver, line);
        return;
    case 'E':
        judge_event(driver, line);
        return;
    case 'F':
        (void)fflush(stdout);
        return;
    default:
        refuse("no command", command);
    }
}

int main(void)
{
    static struct driver driver;
    static char input[LINE_MAX_BYTES];
    static char answers[ANSWERS_BYTES];

    /* Answers are kept back until they are asked for: nobody reads while events are written. */
    if (setvbuf(stdout, answers, _IOFBF, sizeof(answers)) != 0)
        return EXIT_FAILURE;
    arena_init(&driver.arena, arena_memory, sizeof(arena_memory));
    driver.pool.arena = &driver.arena;
    while (fgets(input, sizeof(input), stdin)) {
        char *end = strchr(input, '\n');
        if (!end)
            refuse("a line without end, or too long a one", input);
        *end = '\0';
        obey(&driver, &(struct line){input});
    }
    policy_block_free(driver.block);
    return EXIT_SUCCESS;
}
