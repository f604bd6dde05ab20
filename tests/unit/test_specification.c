/* The specification, clause by clause: specification/NAME.cases against the real parser, checker,
 * compiler, mapping of events and evaluator. Each case names the clauses of docs/policy-language.md
 * that it tries, and is a test of its own. README.md there says how cases are written. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event_map_fixture.h"
#include "policy_fixture.h"
#include "specification_values.h"

#include "policies/catalogue/catalogue.h"
#include "policies/floor/floor_outline.h"
#include "policies/language/text_buffer.h"

enum {
    FILES_MAX = 64,
    FILE_NAME_MAX = 64,
    CASES_MAX = 1024,
    TEXTS_MAX = 8,
    LABELS_MAX = 4,
    FILE_SIZE_MAX = 512 * 1024,
};

/* One case, as it stands in its file. */
struct spec_case {
    const char *lines; /* behind the line of the title */
    const char *end;
    char title[192];
};

struct written {
    struct text_buffer text;
    enum policy_tier tier;
    bool observe;
    bool test; /* a test file */
};

/* A case while it runs. */
struct trial {
    struct written texts[TEXTS_MAX];
    size_t text_count;
    struct compile_options options;
    bool compiled;
    struct diagnostics *diagnostics;
    struct policy_block *block;
    struct process process;
    struct scene scene; /* its subject is the session */
    struct label labels[LABELS_MAX];
    const char *groups[LABELS_MAX];
    int32_t today;
    unsigned assertions;
};

static char file_names[FILES_MAX][FILE_NAME_MAX];
static struct spec_case cases[CASES_MAX];
static size_t case_count;

/* ---------------------------------------------------------------- the policies of a case */

static void begin_text(struct trial *trial, enum policy_tier tier)
{
    assert_true(trial->text_count < TEXTS_MAX);
    trial->texts[trial->text_count++] = (struct written){.tier = tier};
}

static struct written *current_text(struct trial *trial)
{
    assert_false(trial->compiled);
    if (trial->text_count == 0)
        begin_text(trial, TIER_LOCAL);
    return &trial->texts[trial->text_count - 1];
}

static void add_line(struct trial *trial, const char *line)
{
    struct written *written = current_text(trial);
    text_buffer_add_text(&written->text, line);
    text_buffer_add_text(&written->text, "\n");
}

/* `text vendor`, `text local observe`, `text test` */
static void do_text(struct trial *trial, struct reader *reader)
{
    if (reader_take(reader, "test")) {
        begin_text(trial, TIER_LOCAL);
        current_text(trial)->test = true;
    } else if (reader_take(reader, "mandatory")) {
        begin_text(trial, TIER_MANDATORY);
    } else if (reader_take(reader, "vendor")) {
        begin_text(trial, TIER_VENDOR);
    } else {
        assert_true(reader_take(reader, "local"));
        begin_text(trial, TIER_LOCAL);
    }
    current_text(trial)->observe = reader_take(reader, "observe");
}

static void do_bytes(struct trial *trial, struct reader *reader)
{
    const struct value value = reader_value(reader);
    text_buffer_add(&current_text(trial)->text, value.bytes, value.count);
}

/* Literals resolve in the file system of the fixture. */
static bool resolve_literal(void *context, const char *path, char *resolved, size_t size)
{
    (void)context;
    return fixture_resolves(path, resolved, size) && strcmp(path, resolved) != 0;
}

static void compile(struct trial *trial)
{
    static const char *const files[TEXTS_MAX] = {"case",   "case-2", "case-3", "case-4",
                                                 "case-5", "case-6", "case-7", "case-8"};
    struct policy_text texts[TEXTS_MAX];
    size_t count = 0;

    if (trial->compiled)
        return;
    trial->compiled = true;
    trial->options.resolve = resolve_literal;
    trial->options.today = trial->today;
    for (size_t i = 0; i < trial->text_count; i++) {
        const struct written *written = &trial->texts[i];
        const struct policy_text text = {.file = files[i],
                                         .text = written->text.bytes ? written->text.bytes : "",
                                         .length = written->text.length,
                                         .tier = written->tier,
                                         .observe = written->observe};
        assert_false(written->text.failed);
        if (written->test)
            (void)policy_test_parse(&text, trial->diagnostics);
        else
            texts[count++] = text;
    }
    trial->block = policy_compile(texts, count, &trial->options, trial->diagnostics);
}

/* What the checker said: `E012 W003`, in order of place; "" if nothing. */
static void assert_said(struct trial *trial, const char *expected)
{
    struct text_buffer codes = {0};

    compile(trial);
    CLEANUP(free) char *shown = diagnostics_render(trial->diagnostics, NULL, false);
    assert_non_null(shown);
    text_buffer_add_text(&codes, "");
    for (const char *at = shown; (at = strchr(at, '[')) != NULL; at++) {
        const bool error = at - shown > 5 && memcmp(at - 5, "error", 5) == 0 && at[1] == 'E';
        const bool warning = at - shown > 7 && memcmp(at - 7, "warning", 7) == 0 && at[1] == 'W';
        if (error || warning)
            text_buffer_format(&codes, "%s%.4s", codes.length > 0 ? " " : "", at + 1);
    }
    const bool same = codes.bytes && strcmp(codes.bytes, expected) == 0;
    if (!same)
        print_error("said %s, expected %s:\n%s", codes.bytes ? codes.bytes : "", expected, shown);
    text_buffer_deinit(&codes);
    assert_true(same);
    trial->assertions++;
}

static void assert_good(struct trial *trial)
{
    compile(trial);
    if (trial->block)
        return;
    CLEANUP(free) char *shown = diagnostics_render(trial->diagnostics, NULL, false);
    fail_msg("the policy does not compile:\n%s", shown);
}

/* What is said contains these words, or does not. */
static void assert_mentions(struct trial *trial, struct reader *reader, bool wanted)
{
    compile(trial);
    CLEANUP(free) char *shown = diagnostics_render(trial->diagnostics, NULL, false);
    assert_non_null(shown);
    const char *words = reader_string(reader);
    if (!strstr(shown, words) == wanted)
        fail_msg("%s \"%s\" in:\n%s", wanted ? "no" : "there is", words, shown);
    trial->assertions++;
}

/* ---------------------------------------------------------------- the session of a case */

static void do_label(struct trial *trial, struct reader *reader)
{
    struct subject *subject = &trial->scene.subject;
    const char *name = reader_string(reader);

    assert_true(subject->label_count < LABELS_MAX);
    trial->labels[subject->label_count++] = (struct label){name, reader_string(reader)};
    subject->labels = trial->labels;
}

static void do_groups(struct trial *trial, struct reader *reader)
{
    struct subject *subject = &trial->scene.subject;
    const struct value list = reader_list(reader);

    assert_true(list.count <= LABELS_MAX);
    for (uint32_t i = 0; i < list.count; i++)
        trial->groups[i] = list.items[i].bytes; /* the reader's own copy, with room behind it */
    subject->groups = trial->groups;
    subject->group_count = list.count;
}

/* `session user "media" label "role" "plugin" no start` */
static void do_session(struct trial *trial, struct reader *reader)
{
    struct subject *subject = &trial->scene.subject;

    while (!reader_at_end(reader)) {
        if (reader_take(reader, "user"))
            subject->user = reader_string(reader);
        else if (reader_take(reader, "group"))
            do_groups(trial, reader);
        else if (reader_take(reader, "exe"))
            subject->exe = reader_string(reader);
        else if (reader_take(reader, "unit"))
            subject->unit = reader_string(reader);
        else if (reader_take(reader, "label"))
            do_label(trial, reader);
        else if (reader_take(reader, "platform"))
            subject->platform = reader_string(reader);
        else if (reader_take(reader, "python"))
            subject->python = reader_string(reader);
        else if (reader_take(reader, "script"))
            subject->script = reader_string(reader);
        else if (reader_take(reader, "no start"))
            subject->places[PLACE_START] = (struct place_paths){0, NULL};
        else
            fail_msg("%s\n  no fact of a session: %s", reader->line, reader->at);
    }
}

static void do_process(struct trial *trial, struct reader *reader)
{
    static const struct {
        const char *name;
        int family;
    } families[] = {{"unix", UNIX}, {"inet6", INET6}, {"inet", INET}, {"netlink", NETLINK}};

    if (reader_take(reader, "windows")) {
        trial->process.windows = true;
        trial->scene.subject.platform = "windows";
    } else if (reader_take(reader, "knows nothing")) {
        trial->process.knows_nothing = true;
    } else if (reader_take(reader, "without directory")) {
        trial->process.directory = NULL;
    } else if (reader_take(reader, "directories")) {
        trial->process.open_directories = (int)reader_value(reader).integer;
    } else {
        for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
            if (reader_take(reader, families[i].name)) {
                trial->process.socket_family = families[i].family;
                return;
            }
        }
        fail_msg("%s\n  no fact of a process", reader->line);
    }
}

/* 2027-01-31 as days since 1970-01-01. */
static int32_t day_of(const char *date)
{
    char *end;
    long year = strtol(date, &end, 10);
    const long month = strtol(end + 1, &end, 10);
    const long day = strtol(end + 1, &end, 10);

    assert_true(end == date + 10);
    /* The year begins in March, so that the leap day is its last. */
    year -= month <= 2 ? 1 : 0;
    const long day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return (int32_t)(year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719468);
}

/* ---------------------------------------------------------------- verdicts */

static size_t governing_policies(struct trial *trial, uint32_t policies[SCENE_GOVERNING_MAX])
{
    size_t count = 0;
    for (uint32_t i = 0; i < policy_block_policy_count(trial->block); i++) {
        assert_true(i < SCENE_GOVERNING_MAX);
        if (!policy_has_applies(trial->block, i) ||
            policy_applies(trial->block, i, &trial->scene.subject))
            policies[count++] = i;
    }
    return count;
}

static void add_would(struct text_buffer *out, const struct policy_block *block,
                      const struct judgement *judgement)
{
    const struct judgement would = {.verdict = judgement->would, .by = judgement->would_by};
    if (judgement->would_by.policy != POLICY_NO_INDEX)
        text_buffer_format(out, ", would %s", described(block, &would));
}

/* `deny p.d`, `allow, log p.l`, `allow, override q of p.d`, `allow, would deny p.d` */
static void describe(struct text_buffer *out, const struct policy_block *block,
                     const struct judgement *judgement)
{
    text_buffer_add_text(out, described(block, judgement));
    for (uint32_t i = 0; i < judgement->log_count; i++)
        text_buffer_format(out, "%s %s.%s", i == 0 ? ", log" : "",
                           policy_name(block, judgement->log_by[i].policy),
                           rule_name(block, judgement->log_by[i].rule));
    if (judgement->override != OVERRIDE_NONE)
        text_buffer_format(out, ", override %s of %s.%s",
                           policy_name(block, override_facts(block, judgement->override).by),
                           policy_name(block, judgement->overridden.policy),
                           judgement->overridden.rule == RULE_DEFAULT
                               ? "default"
                               : rule_name(block, judgement->overridden.rule));
    add_would(out, block, judgement);
}

static void judge_event(struct trial *trial, struct reader *reader, const struct event *event)
{
    uint32_t policies[SCENE_GOVERNING_MAX];
    struct text_buffer found = {0};
    struct judgement judgement;

    if (!reader_take(reader, "=>"))
        fail_msg("%s\n  `=>` expected at: %s", reader->line, reader->at);
    assert_good(trial);
    const struct governing governing = {
        .policies = policies, .count = governing_policies(trial, policies), .today = trial->today};
    evaluate(trial->block, &governing, &trial->scene.subject, event, &judgement);
    describe(&found, trial->block, &judgement);
    const char *expected = reader_rest(reader);
    if (!found.bytes || strcmp(found.bytes, expected) != 0) {
        print_error("%s\n  expected: %s\n  found:    %s\n  of:       %s\n", reader->line, expected,
                    found.bytes ? found.bytes : "", operations_text(event));
        text_buffer_deinit(&found);
        fail();
    }
    text_buffer_deinit(&found);
    trial->assertions++;
}

/* `event open ["/etc/x", "r", 0] => deny p.d` */
static void do_event(struct trial *trial, struct reader *reader)
{
    char name[READER_WORD_MAX];

    reader_word(reader, name);
    const struct value arguments = reader_list(reader);
    const struct event event = map_event(&trial->process, name, arguments.items, arguments.count);
    judge_event(trial, reader, &event);
}

/* `write path="/etc/x" action="open" => deny p.d`, and what the event is called: `in os.mkdir` */
static void do_operations(struct trial *trial, struct reader *reader)
{
    char name[READER_WORD_MAX] = "open";
    struct event event = {0};

    if (reader_take(reader, "in "))
        reader_word(reader, name);
    const struct event_entry *entry = catalogue_find(name, strlen(name));
    event.number = entry ? entry->number : EVENT_UNKNOWN;
    event.name = name;
    event.name_length = (uint32_t)strlen(name);
    reader_operations(reader, &event);
    judge_event(trial, reader, &event);
}

/* `governs p q`: the policies whose `applies` select the session. */
static void do_governs(struct trial *trial, struct reader *reader)
{
    struct text_buffer found = {0};

    assert_good(trial);
    for (uint32_t i = 0; i < policy_block_policy_count(trial->block); i++)
        if (policy_applies(trial->block, i, &trial->scene.subject))
            text_buffer_format(&found, "%s%s", found.length > 0 ? " " : "",
                               policy_name(trial->block, i));
    assert_string_equal(found.bytes ? found.bytes : "none", reader_rest(reader));
    text_buffer_deinit(&found);
    trial->assertions++;
}

/* `holds exec! write`: what the floor of the first policy has; `!` is required. */
static void do_holds(struct trial *trial, struct reader *reader)
{
    struct text_buffer found = {0};

    assert_good(trial);
    const struct policy_floor floor = policy_floor(trial->block, 0);
    for (int i = CLASS_NONE + 1; i < CLASS_COUNT; i++)
        if (floor.classes & UINT32_C(1) << i)
            text_buffer_format(&found, "%s%s%s", found.length > 0 ? " " : "",
                               vocabulary_class_name((enum operation_class)i),
                               floor.required & UINT32_C(1) << i ? "!" : "");
    assert_string_equal(found.bytes ? found.bytes : "nothing", reader_rest(reader));
    text_buffer_deinit(&found);
    trial->assertions++;
}

/* `opens write /srv/work /srv/file!`: what the kernel would open of the first policy; `!` is alone.
 */
static void do_opens(struct trial *trial, struct reader *reader)
{
    static char memory[64 * 1024];
    uint32_t policies[SCENE_GOVERNING_MAX];
    struct text_buffer found = {0};
    struct arena arena;
    char class[READER_WORD_MAX];

    assert_good(trial);
    const struct governing governing = {
        .policies = policies, .count = governing_policies(trial, policies), .today = trial->today};
    reader_word(reader, class);
    arena_init(&arena, memory, sizeof(memory));
    const struct outline_question question = {.block = trial->block,
                                              .policy = 0,
                                              .subject = &trial->scene.subject,
                                              .overriding = &governing};
    const struct path_set set =
        outline_paths(&question, vocabulary_class(class, strlen(class)), &arena);
    assert_false(set.failed);
    for (size_t i = 0; i < set.count; i++)
        text_buffer_format(&found, "%s%.*s%s", i > 0 ? " " : "", (int)set.items[i].length,
                           set.items[i].text, set.items[i].alone ? "!" : "");
    assert_string_equal(set.everywhere ? "everything"
                        : found.bytes  ? found.bytes
                                       : "nothing",
                        reader_rest(reader));
    text_buffer_deinit(&found);
    trial->assertions++;
}

static void do_option(struct trial *trial, struct reader *reader)
{
    assert_false(trial->compiled);
    if (reader_take(reader, "session"))
        trial->options.session = true;
    else
        fail_msg("%s\n  no such option", reader->line);
}

/* ---------------------------------------------------------------- cases */

static void do_line(struct trial *trial, const char *line)
{
    struct reader reader = {line, line};

    if (line[0] == '\0' || line[0] == '#')
        return;
    if (strncmp(line, "    ", 4) == 0)
        add_line(trial, line + 4);
    else if (reader_take(&reader, "text "))
        do_text(trial, &reader);
    else if (reader_take(&reader, "bytes "))
        do_bytes(trial, &reader);
    else if (reader_take(&reader, "option "))
        do_option(trial, &reader);
    else if (reader_take(&reader, "today "))
        trial->today = day_of(reader_rest(&reader));
    else if (reader_take(&reader, "session "))
        do_session(trial, &reader);
    else if (reader_take(&reader, "process "))
        do_process(trial, &reader);
    else if (reader_take(&reader, "accepts"))
        assert_said(trial, "");
    else if (reader_take(&reader, "says "))
        assert_said(trial, reader_rest(&reader));
    else if (reader_take(&reader, "mentions "))
        assert_mentions(trial, &reader, true);
    else if (reader_take(&reader, "lacks "))
        assert_mentions(trial, &reader, false);
    else if (reader_take(&reader, "governs "))
        do_governs(trial, &reader);
    else if (reader_take(&reader, "holds "))
        do_holds(trial, &reader);
    else if (reader_take(&reader, "opens "))
        do_opens(trial, &reader);
    else if (reader_take(&reader, "event "))
        do_event(trial, &reader);
    else
        do_operations(trial, &reader);
}

static struct trial trial;

static int begin_trial(void **state)
{
    (void)state;
    trial = (struct trial){
        .process = usual_process(), .today = SCENE_TODAY, .diagnostics = diagnostics_new()};
    scene_init(&trial.scene, "open");
    values_forget();
    return trial.diagnostics ? 0 : -1;
}

static int end_trial(void **state)
{
    (void)state;
    for (size_t i = 0; i < trial.text_count; i++)
        text_buffer_deinit(&trial.texts[i].text);
    policy_block_free(trial.block);
    diagnostics_free(trial.diagnostics);
    return 0;
}

static void run_case(void **state)
{
    static char line[8 * 1024];
    const struct spec_case *spec = *state;

    for (const char *at = spec->lines; at < spec->end;) {
        const char *end = memchr(at, '\n', (size_t)(spec->end - at));
        const size_t length = (size_t)((end ? end : spec->end) - at);
        assert_true(length < sizeof(line));
        memcpy(line, at, length);
        line[length] = '\0';
        do_line(&trial, line);
        at += length + 1;
    }
    if (trial.assertions == 0)
        fail_msg("%s asserts nothing", spec->title);
}

static char *read_file(const char *name, size_t *length)
{
    char path[sizeof(SPECIFICATION_DIRECTORY) + FILE_NAME_MAX];
    (void)snprintf(path, sizeof(path), "%s/%.*s", SPECIFICATION_DIRECTORY, FILE_NAME_MAX - 1, name);
    FILE *file = fopen(path, "rb");
    char *text = file ? calloc(1, FILE_SIZE_MAX + 1) : NULL;
    if (text)
        *length = fread(text, 1, FILE_SIZE_MAX, file);
    if (file)
        (void)fclose(file);
    return text;
}

/* Each line that begins with `[` begins a case. */
static void find_cases(const char *name, const char *text, size_t length)
{
    struct spec_case *last = NULL;

    for (const char *at = text; at < text + length;) {
        const char *end = memchr(at, '\n', (size_t)(text + length - at));
        if (!end)
            end = text + length;
        if (*at == '[' && case_count < CASES_MAX) {
            if (last)
                last->end = at;
            last = &cases[case_count++];
            last->lines = end < text + length ? end + 1 : end;
            last->end = text + length;
            (void)snprintf(last->title, sizeof(last->title), "%.*s: %.*s",
                           (int)(strlen(name) - strlen(".cases")), name, (int)(end - at), at);
        }
        at = end + 1;
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static size_t find_files(void)
{
    static const char ending[] = ".cases";
    size_t count = 0;
    DIR *directory = opendir(SPECIFICATION_DIRECTORY);

    if (!directory)
        return 0;
    for (const struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        const size_t length = strlen(entry->d_name);
        if (length < sizeof(ending) || length >= sizeof(file_names[0]) || count == FILES_MAX ||
            strcmp(entry->d_name + length - strlen(ending), ending) != 0)
            continue;
        memcpy(file_names[count++], entry->d_name, length + 1);
    }
    (void)closedir(directory);
    qsort(file_names, count, sizeof(file_names[0]), by_text);
    return count;
}

int main(void)
{
    static struct CMUnitTest tests[CASES_MAX];
    char *texts[FILES_MAX];
    const size_t count = find_files();

    for (size_t i = 0; i < count; i++) {
        size_t length = 0;
        texts[i] = read_file(file_names[i], &length);
        if (texts[i])
            find_cases(file_names[i], texts[i], length);
    }
    if (case_count == 0 || case_count == CASES_MAX) {
        (void)fprintf(stderr, "%zu cases in %s\n", case_count, SPECIFICATION_DIRECTORY);
        return 1;
    }
    for (size_t i = 0; i < case_count; i++)
        tests[i] = (struct CMUnitTest){cases[i].title, run_case, begin_trial, end_trial, &cases[i]};
    const int failed = _cmocka_run_group_tests("specification", tests, case_count, NULL, NULL);
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    return failed;
}
