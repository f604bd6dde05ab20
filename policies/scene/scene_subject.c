#include "policies/scene/scene_subject.h"

#include <inttypes.h>
#include <string.h>

#include "policies/engine/path_text.h"
#include "policies/language/names.h"
#include "policies/scene/scene_text.h"

/* What is made, and for whom. */
struct making {
    struct storage *storage;
    struct diagnostics *diagnostics;
    struct scene_subject *out;
    uint32_t said; /* a bit for each selector */
    bool right;    /* no error so far */
};

_Static_assert(ATTRIBUTE_COUNT - ATTRIBUTE_USER <= 32, "selectors are bits");

static struct diagnostic *wrong(struct making *making, enum diagnostic_code code, struct span span,
                                const char *message)
{
    making->right = false;
    return report(making->diagnostics, code, span, "%s", message);
}

/* The string that a value is, terminated; NULL, and an error, if it is none. */
static const char *text_of(struct making *making, const struct raw *raw)
{
    if (raw->kind == RAW_STRING && !memchr(raw->text, '\0', raw->length))
        return storage_copy(making->storage, raw->text, raw->length);
    (void)wrong(making, ERROR_VALUE_DOES_NOT_FIT, raw->span,
                raw->kind == RAW_STRING ? "a fact of a session holds no NUL"
                                        : "a string stands here");
    return NULL;
}

/* As the daemon knows it: absolute, links resolved. */
static const char *path_of(struct making *making, const struct raw *raw)
{
    const struct scene_subject *subject = making->out;
    char resolved[PATH_TEXT_MAX];
    const char *text = text_of(making, raw);

    if (!text)
        return NULL;
    const char *path = scene_path(making->storage, text, strlen(text));
    if (!path && !making->storage->failed)
        diagnostic_help(
            wrong(making, ERROR_PATH_NOT_ABSOLUTE, raw->span, "a session's paths are absolute"),
            "write it from the root on: \"/srv/job\"");
    if (!path || !givens_resolve(subject->givens, path, true, resolved, sizeof(resolved)))
        return path;
    return storage_copy(making->storage, resolved, strlen(resolved));
}

static void add_place(struct making *making, const struct session_fact *fact)
{
    struct place_paths *place = &making->out->subject.places[fact->place];
    const char *path = path_of(making, fact->value);
    const char **paths =
        path ? storage_take(making->storage, place->count + 1, sizeof(*paths)) : NULL;

    if (!paths)
        return;
    if (place->count > 0)
        memcpy(paths, place->paths, place->count * sizeof(*paths));
    paths[place->count] = path;
    *place = (struct place_paths){place->count + 1, paths};
}

static void add_label(struct making *making, const struct session_fact *fact)
{
    struct subject *subject = &making->out->subject;
    const char *name = storage_copy(making->storage, fact->label.text, fact->label.length);
    const char *value = text_of(making, fact->value);
    struct label *labels = storage_take(making->storage, subject->label_count + 1, sizeof(*labels));

    if (!name || !value || !labels)
        return;
    for (size_t i = 0; i < subject->label_count; i++) {
        labels[i] = subject->labels[i];
        if (strcmp(labels[i].name, name) == 0)
            (void)wrong(making, ERROR_SAID_TWICE, fact->span, "this label was said before");
    }
    labels[subject->label_count] = (struct label){name, value};
    subject->labels = labels;
    subject->label_count++;
}

static void set_groups(struct making *making, const struct raw *value)
{
    struct subject *subject = &making->out->subject;
    const struct raw *first = value->kind == RAW_LIST ? value->items : value;
    const size_t count = value->kind == RAW_LIST ? value->count : 1;
    const char **groups = storage_take(making->storage, count + 1, sizeof(*groups));

    for (const struct raw *raw = first; raw && groups; raw = raw->next) {
        groups[subject->group_count] = text_of(making, raw);
        if (!groups[subject->group_count])
            return;
        subject->group_count++;
    }
    subject->groups = groups;
}

static void set_platform(struct making *making, const struct raw *value)
{
    const char *text = text_of(making, value);

    if (!text)
        return;
    making->out->subject.platform = text;
    making->out->windows = strcmp(text, "windows") == 0;
    if (!making->out->windows && strcmp(text, "linux") != 0)
        (void)wrong(making, ERROR_UNKNOWN_WORD, value->span,
                    "a platform is \"linux\" or \"windows\"");
}

/* The minor version in 3.11.7; 0 if there is none. */
static int minor_version(const char *version)
{
    int minor = 0;

    if (version[0] != '3' || version[1] != '.')
        return 0;
    for (const char *at = version + 2; *at >= '0' && *at <= '9' && minor < 1000; at++)
        minor = minor * 10 + (*at - '0');
    return minor;
}

static bool is_version(const char *text)
{
    const char *at = text;

    while (*at >= '0' && *at <= '9')
        at++;
    return at > text && (*at == '\0' || *at == '.');
}

static void set_python(struct making *making, const struct raw *value)
{
    struct text_buffer number = {0};
    const char *text = NULL;

    if (value->kind == RAW_INTEGER) {
        text_buffer_format(&number, "%" PRId64, value->integer);
        if (!number.failed)
            text = storage_copy(making->storage, number.bytes, number.length);
        making->storage->failed |= number.failed;
        text_buffer_deinit(&number);
    } else {
        text = text_of(making, value);
    }
    if (!text)
        return;
    if (!is_version(text))
        diagnostic_help(
            wrong(making, ERROR_BAD_VERSION, value->span, "this is no version of Python"),
            "write it in parts: python \"3.11\"");
    making->out->subject.python = text;
    making->out->python_minor = minor_version(text);
}

static void set_selector(struct making *making, const struct session_fact *fact)
{
    struct subject *subject = &making->out->subject;
    const uint32_t bit = UINT32_C(1) << (fact->selector - ATTRIBUTE_USER);

    if (fact->selector == ATTRIBUTE_LABEL) {
        add_label(making, fact);
        return;
    }
    if (making->said & bit) {
        (void)wrong(making, ERROR_SAID_TWICE, fact->span,
                    "this was said before in the same session");
        return;
    }
    making->said |= bit;
    switch (fact->selector) {
    case ATTRIBUTE_USER:
        subject->user = text_of(making, fact->value);
        break;
    case ATTRIBUTE_GROUP:
        set_groups(making, fact->value);
        break;
    case ATTRIBUTE_EXE:
        subject->exe = path_of(making, fact->value);
        break;
    case ATTRIBUTE_UNIT:
        subject->unit = text_of(making, fact->value);
        break;
    case ATTRIBUTE_PYTHON:
        set_python(making, fact->value);
        break;
    case ATTRIBUTE_SCRIPT: /* as the process says it: a path, `-m NAME` */
        subject->script = text_of(making, fact->value);
        break;
    default: /* the platform, which was set first: paths are read by it */
        break;
    }
}

bool scene_subject_make(const struct session_statement *session, const struct givens *givens,
                        struct storage *storage, struct diagnostics *diagnostics,
                        struct scene_subject *out)
{
    struct making making = {storage, diagnostics, out, 0, true};
    const struct session_fact *facts = session ? session->facts : NULL;

    *out = (struct scene_subject){.givens = givens, .windows = givens->windows};
    out->subject.platform = givens->windows ? "windows" : "linux";
    for (const struct session_fact *fact = facts; fact; fact = fact->next)
        if (fact->selector == ATTRIBUTE_PLATFORM)
            set_platform(&making, fact->value);
    for (const struct session_fact *fact = facts; fact; fact = fact->next) {
        if (fact->selector != ATTRIBUTE_NONE)
            set_selector(&making, fact);
        else
            add_place(&making, fact);
    }
    return making.right && !storage->failed;
}

const char *scene_subject_start(const struct scene_subject *subject)
{
    const struct place_paths *start = &subject->subject.places[PLACE_START];
    return start->count > 0 ? start->paths[0] : NULL;
}
