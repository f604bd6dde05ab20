#define _GNU_SOURCE
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/cli/command.h"
#include "client/cli/explanation_json.h"
#include "client/cli/explanation_text.h"
#include "client/cli/hearing.h"
#include "client/cli/json_line.h"
#include "client/cli/policy_file.h"
#include "client/cli/scene_words.h"
#include "policies/engine/event_text.h"
#include "policies/language/test_tree.h"
#include "policies/scene/givens.h"
#include "policies/scene/scene_event.h"
#include "policies/scene/scene_subject.h"

static const char help[] =
    "usage: warder explain --policy FILE... [SUBJECT]... CLASS [VALUE] [ATTRIBUTE VALUE]...\n"
    "       warder explain --policy FILE... [SUBJECT]... --event NAME [ARGUMENT]...\n"
    "\n"
    "Says what policies answer to an operation or an event, and why: the rule that decides with\n"
    "its place, what fires besides, and what nearly does, with the first condition that fails and\n"
    "the value that it sees. All policies of the files govern.\n"
    "\n"
    "VALUE is that of the class's main attribute. A list (argv) takes the words up to the next\n"
    "attribute. A word that begins with `[` or `\"`, `none` and `unknown` are read as in test "
    "files.\n"
    "Nothing is asked of this machine: a path leads to itself unless --given says otherwise.\n"
    "\n"
    "  --policy FILE        a policy file, or the name of a policy that comes with Warder\n"
    "  --given PATH=WHERE   a symbolic link, or a program that is found by name\n"
    "  --json               as one JSON object\n"
    "\n"
    "the subject:\n"
    "  --user NAME  --group NAME...  --unit NAME  --exe PATH  --script PATH\n"
    "  --python VERSION  --platform linux|windows  --label NAME=VALUE...\n"
    "  --place NAME=PATH...   python, venv, home, start, temp, null; start is this directory\n"
    "\n"
    "examples:\n"
    "  warder explain --policy ci.warder exec /usr/bin/git argv git push\n"
    "  warder explain --policy ci.warder --user media write /srv/media/x.py action create\n"
    "  warder explain --policy untrusted connect 10.0.0.7 port 443 family inet\n"
    "  warder explain --policy ci.warder --event subprocess.Popen id '[\"id\"]' none none\n"
    "\n"
    "exit status: 0 explained, whatever the verdict; 1 a policy, or what is asked, does not "
    "check;\n"
    "2 wrong usage or failure\n";

enum { POLICY_FILES_MAX = 64 };

struct explain_options {
    struct scene_words scene;
    const char *paths[POLICY_FILES_MAX];
    size_t path_count;
    bool json;
};

/* What was asked, read and made. */
struct question_asked {
    struct storage storage;
    struct givens givens;
    struct scene_subject subject;
    struct event event;
};

/* ---------------------------------------------------------------------------------------- options
 */

enum option_code {
    OPTION_HELP = 'h',
    OPTION_POLICY = 256,
    OPTION_EVENT,
    OPTION_JSON,
    OPTION_USER,
    OPTION_EXE,
    OPTION_UNIT,
    OPTION_PLATFORM,
    OPTION_PYTHON,
    OPTION_SCRIPT,
    OPTION_GROUP,
    OPTION_LABEL,
    OPTION_PLACE,
    OPTION_GIVEN,
};

static const struct option long_options[] = {
    {"help", no_argument, NULL, OPTION_HELP},
    {"policy", required_argument, NULL, OPTION_POLICY},
    {"event", required_argument, NULL, OPTION_EVENT},
    {"json", no_argument, NULL, OPTION_JSON},
    {"user", required_argument, NULL, OPTION_USER},
    {"exe", required_argument, NULL, OPTION_EXE},
    {"unit", required_argument, NULL, OPTION_UNIT},
    {"platform", required_argument, NULL, OPTION_PLATFORM},
    {"python", required_argument, NULL, OPTION_PYTHON},
    {"script", required_argument, NULL, OPTION_SCRIPT},
    {"group", required_argument, NULL, OPTION_GROUP},
    {"label", required_argument, NULL, OPTION_LABEL},
    {"place", required_argument, NULL, OPTION_PLACE},
    {"given", required_argument, NULL, OPTION_GIVEN},
    {NULL, 0, NULL, 0},
};

static bool add_word(struct repeated_words *words, const char *word)
{
    if (words->count == SCENE_WORDS_MAX) {
        complain("explain: an option is given at most %d times", SCENE_WORDS_MAX);
        return false;
    }
    words->words[words->count++] = word;
    return true;
}

static bool add_path(struct explain_options *explain, const char *path)
{
    if (explain->path_count == POLICY_FILES_MAX) {
        complain("explain: at most %d policies can be given", POLICY_FILES_MAX);
        return false;
    }
    explain->paths[explain->path_count++] = path;
    return true;
}

/* False after a complaint. */
static bool take_option(struct explain_options *explain, int option, const char *argument)
{
    struct scene_words *scene = &explain->scene;

    switch ((enum option_code)option) {
    case OPTION_POLICY:
        return add_path(explain, argument);
    case OPTION_GROUP:
        return add_word(&scene->groups, argument);
    case OPTION_LABEL:
        return add_word(&scene->labels, argument);
    case OPTION_PLACE:
        return add_word(&scene->places, argument);
    case OPTION_GIVEN:
        return add_word(&scene->givens, argument);
    case OPTION_EVENT:
        scene->event = argument;
        break;
    case OPTION_USER:
        scene->user = argument;
        break;
    case OPTION_EXE:
        scene->exe = argument;
        break;
    case OPTION_UNIT:
        scene->unit = argument;
        break;
    case OPTION_PLATFORM:
        scene->platform = argument;
        break;
    case OPTION_PYTHON:
        scene->python = argument;
        break;
    case OPTION_SCRIPT:
        scene->script = argument;
        break;
    case OPTION_JSON:
    case OPTION_HELP:
        explain->json = true;
        break;
    }
    return true;
}

/* -1: go on. */
static int parse(struct explain_options *explain, int argc, char **argv)
{
    int option;

    *explain = (struct explain_options){.json = false};
    /* The words behind the first that is no option are the event's: argv may hold options. */
    while ((option = getopt_long(argc, argv, "+:h", long_options, NULL)) != -1) {
        if (option == OPTION_HELP) {
            fputs(help, stdout);
            return EXIT_DONE;
        }
        if (option == '?' || option == ':') {
            complain_option("explain", argv, option);
            return EXIT_USAGE;
        }
        if (!take_option(explain, option, optarg))
            return EXIT_USAGE;
    }
    explain->scene.words = argv + optind;
    explain->scene.word_count = (size_t)(argc - optind);
    if (explain->path_count == 0) {
        complain("explain: name a policy with --policy FILE; `warder explain --help` shows how");
        return EXIT_USAGE;
    }
    if (!explain->scene.event && explain->scene.word_count == 0) {
        complain("explain: say what happens: an operation, such as exec /usr/bin/git argv git "
                 "push, or --event NAME");
        return EXIT_USAGE;
    }
    return -1;
}

/* ------------------------------------------------------------------------------------- the
 * question
 */

static bool read_question(const char *text, size_t length, struct question_asked *asked,
                          struct diagnostics *diagnostics)
{
    const struct policy_text words = {.file = "what is asked", .text = text, .length = length};
    struct source *source = storage_take(&asked->storage, 1, sizeof(*source));

    if (!source || !source_init(source, &words, diagnostics))
        return false;
    const struct test_tree *tree = parse_tests(source, &asked->storage, diagnostics);
    if (!tree || diagnostics_error_count(diagnostics) > 0 || !tree->tests ||
        !tree->tests->expectations)
        return false;
    const struct policy_test *test = tree->tests;
    if (!givens_make(test->givens, &asked->storage, diagnostics, &asked->givens))
        return false;
    asked->givens.names_programs = true;
    return scene_subject_make(test->expectations->session, &asked->givens, &asked->storage,
                              diagnostics, &asked->subject) &&
           scene_event_make(&test->expectations->happens, &asked->subject, &asked->storage,
                            diagnostics, &asked->event);
}

/* The words of the command line have no place in a file: what is wrong with them is said alone. */
static bool print_mistakes(const struct diagnostics *diagnostics)
{
    for (size_t i = 0; i < diagnostics_kept(diagnostics); i++) {
        const struct diagnostic_view view = diagnostics_view(diagnostics, i);
        const char *label = view.place.label;
        const char *remark;
        bool is_help;
        complain("explain: %s%s%s", view.message, *label ? ": " : "", label);
        for (size_t j = 0; (remark = diagnostics_remark(diagnostics, i, j, &is_help)); j++)
            complain("explain: %s", remark);
    }
    return diagnostics_error_count(diagnostics) > 0;
}

static bool print_errors(const struct diagnostics *diagnostics)
{
    if (diagnostics_error_count(diagnostics) == 0)
        return false;
    char *report = diagnostics_render(diagnostics, NULL, wants_colour(STDERR_FILENO));
    if (report)
        fputs(report, stderr);
    free(report);
    return true;
}

/* ----------------------------------------------------------------------------------------
 * answering
 */

/* A policy that would not have selected the subject is here because its file was named. */
static void print_unselected(const struct policy_block *block, const struct subject *subject)
{
    for (uint32_t policy = 0; policy < policy_block_policy_count(block); policy++)
        if (policy_has_applies(block, policy) && !policy_applies(block, policy, subject))
            printf("\nnote: the `applies` of %s/%s does not select this subject; it governs here "
                   "because its\nfile is named\n",
                   policy_tier_name(policy_tier(block, policy)), policy_name(block, policy));
}

/* Nothing of this machine is asked: where a program is that is called by its name has to be said.
 */
static void print_program_not_given(const struct event *event)
{
    for (uint32_t i = 0; i < event->operation_count; i++) {
        const struct attribute *file = operation_attribute(&event->operations[i], ATTRIBUTE_FILE);
        const struct value *name = file ? &file->given : NULL;
        char shown[256];
        if (event->operations[i].operation_class != CLASS_EXEC || !file ||
            !(file->value.marks & VALUE_OPAQUE) || name->kind != VALUE_TEXT || name->count == 0 ||
            memchr(name->bytes, '/', name->count))
            continue;
        printable_text(name->bytes, name->count, shown, sizeof(shown));
        printf("\nnote: where the program `%s` is found nobody has said: --given %s=/usr/bin/%s\n",
               shown, shown, shown);
        return;
    }
}

static int answer(const struct explain_options *explain, const struct policy_block *block,
                  const struct source_map *map, const struct question_asked *asked)
{
    enum { SECONDS_A_DAY = 24 * 60 * 60 };
    const uint32_t count = policy_block_policy_count(block);
    uint32_t *policies = calloc((size_t)count + 1, sizeof(*policies));
    struct hearing hearing;

    for (uint32_t i = 0; policies && i < count; i++)
        policies[i] = i;
    const struct governing governing = {
        .policies = policies, .count = count, .today = (int32_t)(time(NULL) / SECONDS_A_DAY)};
    hearing_init(&hearing, &asked->subject.subject, &asked->event);
    const bool heard = policies && hearing_ask(&hearing, block, map, &governing, false);
    if (!heard) {
        complain("explain: out of memory");
    } else if (explain->json) {
        json_line_print_object(stdout, explanation_json(&hearing));
    } else {
        explanation_print(stdout, &hearing, wants_colour(STDOUT_FILENO));
        print_program_not_given(&asked->event);
        print_unselected(block, &asked->subject.subject);
    }
    hearing_deinit(&hearing);
    free(policies);
    return heard ? EXIT_DONE : EXIT_USAGE;
}

static int explain_files(const struct explain_options *explain, const struct policy_file *files,
                         const struct text_buffer *question)
{
    CLEANUP(diagnostics_free) struct diagnostics *diagnostics = diagnostics_new();
    CLEANUP(source_map_free) struct source_map *map = source_map_new();
    struct policy_text *texts = calloc(explain->path_count, sizeof(*texts));
    struct question_asked asked = {.storage = {0}};
    int status = EXIT_USAGE;

    if (diagnostics && map && texts) {
        for (size_t i = 0; i < explain->path_count; i++)
            texts[i] = policy_file_text(&files[i]);
        const bool made = read_question(question->bytes, question->length, &asked, diagnostics);
        const struct compile_options options = {
            .resolve = givens_resolve_literal, .context = &asked.givens, .map = map};
        CLEANUP(policy_block_free)
        struct policy_block *block =
            made ? policy_compile(texts, explain->path_count, &options, diagnostics) : NULL;
        if (block)
            status = answer(explain, block, map, &asked);
        else if (made ? print_errors(diagnostics) : print_mistakes(diagnostics))
            status = EXIT_NO;
        else
            complain("explain: out of memory");
    }
    storage_deinit(&asked.storage);
    free(texts);
    return status;
}

/* A path, or else the name of a policy that comes with Warder. */
static bool read_policy(struct policy_file *file, const char *name)
{
    char *shipped = access(name, F_OK) < 0 && !strchr(name, '/') && strcmp(name, "-") != 0
                        ? shipped_policy_path(name)
                        : NULL;
    const bool read = policy_file_read(file, shipped ? shipped : name);
    free(shipped);
    return read;
}

int command_explain(int argc, char **argv)
{
    struct explain_options explain;
    struct policy_file files[POLICY_FILES_MAX];
    struct text_buffer question = {0};
    char directory[PATH_MAX];
    size_t read = 0;
    int status = parse(&explain, argc, argv);

    if (status >= 0)
        return status;
    status = EXIT_USAGE;
    explain.scene.start = getcwd(directory, sizeof(directory));
    if (explain.scene.start && explain.scene.start[0] != '/')
        explain.scene.start = NULL; /* out of reach */
    if (scene_words_write(&explain.scene, &question) && !question.failed) {
        while (read < explain.path_count && read_policy(&files[read], explain.paths[read]))
            read++;
        if (read == explain.path_count)
            status = explain_files(&explain, files, &question);
    }
    for (size_t i = 0; i < read; i++)
        policy_file_deinit(&files[i]);
    text_buffer_deinit(&question);
    return status;
}
