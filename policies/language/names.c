#include "policies/language/names.h"
#include "policies/language/foreign_words.h"

#include <string.h>

#include "policies/language/suggest.h"

enum operation_class find_class(struct diagnostics *diagnostics, const struct word *word)
{
    const enum operation_class found = vocabulary_class(word->text, word->length);
    if (found != CLASS_NONE)
        return found;

    const char *sentence;
    const char *instead = foreign_word(FOREIGN_CLASS, word->text, word->length, &sentence);
    struct suggestion suggestion;
    suggestion_init(&suggestion, word->text, word->length);
    for (int i = CLASS_NONE + 1; i < CLASS_COUNT; i++) {
        const char *name = vocabulary_class_name((enum operation_class)i);
        suggestion_offer(&suggestion, name, strlen(name));
    }
    struct diagnostic *error = report(diagnostics, ERROR_UNKNOWN_CLASS, word->span,
                                      "unknown class `%.*s`", (int)word->length, word->text);
    if (instead) {
        diagnostic_label(error, "here that is `%s`", instead);
    } else if (suggestion.best) {
        diagnostic_label(error, "did you mean `%s`?", suggestion.best);
    } else {
        struct text_buffer all = {0};
        for (int i = CLASS_NONE + 1; i < CLASS_COUNT; i++)
            text_buffer_format(&all, "%s%s", i > CLASS_NONE + 1 ? ", " : "",
                               vocabulary_class_name((enum operation_class)i));
        diagnostic_help(error, "the classes are %s", all.bytes ? all.bytes : "");
        text_buffer_deinit(&all);
    }
    return CLASS_NONE;
}

enum place find_place(struct diagnostics *diagnostics, const char *name, size_t length,
                      struct span span)
{
    const size_t front = strlen("session.");
    struct suggestion suggestion;

    suggestion_init(&suggestion, name + front, length - front);
    for (int i = 0; i < PLACE_COUNT; i++) {
        const char *known = place_name((enum place)i);
        if (strlen(known) == length - front && memcmp(known, name + front, length - front) == 0)
            return (enum place)i;
        suggestion_offer(&suggestion, known, strlen(known));
    }
    struct diagnostic *error = report(diagnostics, ERROR_UNKNOWN_PLACE, span,
                                      "there is no place `%.*s`", (int)length, name);
    if (suggestion.best)
        diagnostic_label(error, "did you mean `session.%s`?", suggestion.best);
    else
        diagnostic_help(error, "places are session.python, session.venv, session.home, "
                               "session.start, session.temp and session.null");
    return PLACE_COUNT;
}

bool is_selector(enum attribute_name attribute)
{
    switch (attribute) {
    case ATTRIBUTE_USER:
    case ATTRIBUTE_GROUP:
    case ATTRIBUTE_LABEL:
    case ATTRIBUTE_SCRIPT:
    case ATTRIBUTE_EXE:
    case ATTRIBUTE_UNIT:
    case ATTRIBUTE_PLATFORM:
    case ATTRIBUTE_PYTHON:
        return true;
    default:
        return false;
    }
}

bool is_common_attribute(enum attribute_name attribute)
{
    switch (attribute) {
    case ATTRIBUTE_EVENT:
    case ATTRIBUTE_ARG:
    case ATTRIBUTE_USER:
    case ATTRIBUTE_GROUP:
    case ATTRIBUTE_LABEL:
    case ATTRIBUTE_SCRIPT:
        return true;
    default:
        return false;
    }
}

void add_classes_with(struct text_buffer *out, enum attribute_name attribute)
{
    const char *before = "";
    for (int i = CLASS_NONE + 1; i < CLASS_COUNT; i++) {
        if (vocabulary_class_has((enum operation_class)i, attribute)) {
            text_buffer_format(out, "%s%s", before, vocabulary_class_name((enum operation_class)i));
            before = ", ";
        }
    }
}

void add_attributes_of(struct text_buffer *out, enum operation_class operation_class)
{
    const enum attribute_name *attribute = vocabulary_class_attributes(operation_class);
    const char *before = "";
    for (; *attribute != ATTRIBUTE_NONE; attribute++) {
        text_buffer_format(out, "%s%s", before, vocabulary_attribute_name(*attribute));
        before = ", ";
    }
}

const char *class_covers(enum operation_class operation_class)
{
    /* policy-language, "Operation classes". */
    static const char *const covers[CLASS_COUNT] = {
        [CLASS_NONE] = "nothing",
        [CLASS_EXEC] = "every way to start a program",
        [CLASS_FORK] = "every way to duplicate the process",
        [CLASS_SIGNAL] = "every way to signal, end or open another process",
        [CLASS_READ] = "every opening and listing for reading",
        [CLASS_WRITE] = "every way to create, change or remove a file",
        [CLASS_CONNECT] = "every way to reach out over a socket",
        [CLASS_BIND] = "every way to offer a socket",
        [CLASS_SOCKET] = "every way to create a socket",
        [CLASS_RESOLVE] = "every way to ask for a name",
        [CLASS_IMPORT] = "every import of a Python module",
        [CLASS_NATIVE] = "every way to load native code",
        [CLASS_FFI] = "every way to call or look into native code",
        [CLASS_CODE] = "every way to make code at run time",
        [CLASS_PICKLE] = "every global that a pickle names",
        [CLASS_INTROSPECT] = "every look at frames, references and protected attributes",
        [CLASS_HOOK] = "every way for code to steer other code",
        [CLASS_RUN] = "everything the interpreter can be told to run",
        [CLASS_ENVIRON] = "every change of the environment and of limits",
        [CLASS_CONTROL] = "ioctl, fcntl, locks and memory maps",
        [CLASS_THREAD] = "every way to start a thread or an interpreter",
        [CLASS_REGISTRY] = "the Windows registry",
        [CLASS_OTHER] = "everything that no other class covers",
    };
    return (unsigned)operation_class < CLASS_COUNT ? covers[operation_class] : covers[CLASS_NONE];
}
