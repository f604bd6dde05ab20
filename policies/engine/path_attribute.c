/* A path has two forms. `value` is the text, absolute and normalised; `resolved` is where the
 * kernel gets to, and is asked for with the text as it was written: `..` behind a link leads to the
 * parent of what the link names, so a normalised text would name another file. */
#include "policies/engine/path_attribute.h"

#include <string.h>

#include "policies/engine/path_text.h"

enum {
    /* A relative path of the kernel's longest behind the longest directory. */
    JOINED_MAX = 2 * PATH_TEXT_MAX,
};

void path_attribute_unknown(const struct value *written, struct attribute *out)
{
    out->value = value_unknown_of(written);
    out->resolved = value_unknown();
    if (written->kind == VALUE_TEXT || written->kind == VALUE_BYTES)
        out->given = value_as_text(written);
}

void path_attribute_verbatim(const struct value *text, struct attribute *out)
{
    out->value = value_as_text(text);
    out->resolved = out->value;
    out->given = value_none();
}

static void set_given(const char *text, size_t length, struct attribute *out)
{
    if (out->value.count != length || memcmp(out->value.bytes, text, length) != 0)
        out->given = value_text(text, length);
}

/* Writes `directory/name` terminated to `buffer`, without looking at components. */
static bool join(const char *directory, const char *name, size_t length, char *buffer, size_t size)
{
    size_t front = 0;
    if (name[0] != '/') {
        if (!directory)
            return false;
        front = strlen(directory);
        if (front + 1 >= size)
            return false;
        memcpy(buffer, directory, front);
        buffer[front++] = '/';
    }
    if (length >= size - front)
        return false;
    memcpy(buffer + front, name, length);
    buffer[front + length] = '\0';
    return true;
}

/* Room for both forms and for the question; what is not needed in the end goes back to the arena.
 */
struct forms {
    char written[PATH_TEXT_MAX];
    char resolved[PATH_TEXT_MAX];
    char joined[JOINED_MAX];
};

static void resolve(const struct mapper *mapper, struct forms *forms, enum last_component last,
                    struct attribute *out)
{
    const struct event_resolver *resolver = mapper->resolver;

    out->resolved = value_unknown();
    if (!resolver->resolve ||
        !resolver->resolve(resolver->context, forms->joined, last == LAST_FOLLOWED, forms->resolved,
                           sizeof(forms->resolved)))
        return;
    const size_t length = strnlen(forms->resolved, sizeof(forms->resolved));
    if (length == 0 || length == sizeof(forms->resolved))
        return;
    if (length == out->value.count && memcmp(forms->resolved, forms->written, length) == 0) {
        out->resolved = out->value;
        return;
    }
    /* Beside the form before it, so that the rest can be given back. */
    char *beside = forms->written + out->value.count + 1;
    memmove(beside, forms->resolved, length + 1);
    out->resolved = value_text(beside, length);
}

static void keep_forms(struct mapper *mapper, const struct forms *forms,
                       const struct attribute *out)
{
    size_t kept = 0;
    if (!value_is_marked(&out->value))
        kept = out->value.count + 1;
    if (kept > 0 && !value_is_marked(&out->resolved) && out->resolved.bytes != out->value.bytes)
        kept += out->resolved.count + 1;
    arena_trim(mapper->arena, forms, kept);
}

/* On Windows nobody here knows what a path means: it stands as written, and what it resolves to is
 * for the resolver alone. */
static size_t normalise(const struct mapper *mapper, const char *directory, const char *text,
                        size_t length, char *buffer)
{
    if (!mapper->windows)
        return path_normalise(directory, text, length, buffer, PATH_TEXT_MAX);
    if (length >= PATH_TEXT_MAX || memchr(text, '\0', length))
        return 0;
    memcpy(buffer, text, length);
    buffer[length] = '\0';
    return length;
}

static bool question(const struct mapper *mapper, const char *directory, const char *text,
                     size_t length, char *buffer)
{
    if (!mapper->windows)
        return join(directory, text, length, buffer, JOINED_MAX);
    memcpy(buffer, text, length); /* shorter than PATH_TEXT_MAX: normalise has seen to it */
    buffer[length] = '\0';
    return true;
}

void path_attribute_from_text(struct mapper *mapper, const char *directory, const char *text,
                              size_t length, enum last_component last, struct attribute *out)
{
    const struct value written = value_text(text, length);

    if (length == 0) { /* every call of the kernel refuses it */
        path_attribute_verbatim(&written, out);
        return;
    }
    path_attribute_unknown(&written, out);
    if (length >= PATH_TEXT_MAX)
        return; /* ENAMETOOLONG awaits it, and no buffer here */

    struct forms *forms = arena_alloc(mapper->arena, sizeof(*forms));
    if (!forms)
        return;
    const size_t normalised = normalise(mapper, directory, text, length, forms->written);
    if (normalised > 0) {
        out->value = value_text(forms->written, normalised);
        out->given = value_none();
        set_given(text, length, out);
        if (question(mapper, directory, text, length, forms->joined))
            resolve(mapper, forms, last, out);
    }
    keep_forms(mapper, forms, out);
}

void event_map_path(const struct event_resolver *resolver, struct arena *arena,
                    const char *directory, const struct value *text, bool follow,
                    struct attribute *out)
{
    struct mapper mapper = {.resolver = resolver, .arena = arena, .windows = resolver->windows};

    path_attribute_from_text(&mapper, directory, text->bytes, text->count,
                             follow ? LAST_FOLLOWED : LAST_KEPT, out);
}

const char *path_join(struct mapper *mapper, const char *directory, const char *name, size_t length)
{
    if (length >= PATH_TEXT_MAX || memchr(name, '\0', length))
        return NULL;
    char *joined = arena_alloc(mapper->arena, JOINED_MAX);
    if (!joined)
        return NULL;
    const bool fits = length > 0 && join(directory, name, length, joined, JOINED_MAX);
    arena_trim(mapper->arena, joined, fits ? strlen(joined) + 1 : 0);
    return fits ? joined : NULL;
}

const char *path_below_caller(struct mapper *mapper, const struct value *directory)
{
    if (value_is_none(directory))
        return mapper_directory(mapper);
    if (!value_is_plain_text(directory) || directory->count == 0)
        return NULL;
    const char *base = directory->bytes[0] == '/' ? NULL : mapper_directory(mapper);
    return path_join(mapper, base, directory->bytes, directory->count);
}

/* The path behind a descriptor, in the arena; NULL unless it is known. */
static const char *descriptor_path(struct mapper *mapper, int64_t descriptor,
                                   enum resolver_answer *answer)
{
    const struct event_resolver *resolver = mapper->resolver;

    *answer = ANSWER_UNKNOWN;
    if (!resolver->descriptor_path)
        return NULL;
    char *buffer = arena_alloc(mapper->arena, PATH_TEXT_MAX);
    if (!buffer)
        return NULL;
    *answer = resolver->descriptor_path(resolver->context, descriptor, buffer, PATH_TEXT_MAX);
    if (*answer == ANSWER_KNOWN && buffer[0] != '/' && !mapper->windows)
        *answer = ANSWER_UNKNOWN;
    const bool known = *answer == ANSWER_KNOWN;
    arena_trim(mapper->arena, buffer, known ? strlen(buffer) + 1 : 0);
    return known ? buffer : NULL;
}

/* An open file: the kernel has resolved its path already. */
static bool from_descriptor(struct mapper *mapper, int64_t descriptor, struct attribute *out)
{
    enum resolver_answer answer;
    const char *path = descriptor_path(mapper, descriptor, &answer);

    if (answer == ANSWER_NONE)
        return false;
    out->value = path ? value_of_string(path) : value_unknown();
    out->resolved = out->value;
    return true;
}

/* What the call will take a relative path from: the descriptor, or the caller's directory where
 * there is none (-1, as CPython passes it; no operand). NULL if it is not known. */
static const char *base_directory(struct mapper *mapper, uint8_t operand)
{
    int64_t descriptor = -1;

    if (operand != MAPPING_NO_OPERAND &&
        !value_read_integer(mapper_argument(mapper, operand), &descriptor))
        return NULL;
    if (descriptor == -1)
        return mapper_directory(mapper);
    enum resolver_answer answer;
    return descriptor_path(mapper, descriptor, &answer);
}

static bool from_value(struct mapper *mapper, const struct value *path, uint8_t directory,
                       enum last_component last, struct attribute *out)
{
    int64_t descriptor;

    if (value_read_descriptor(path, &descriptor))
        return from_descriptor(mapper, descriptor, out);
    if (path->kind != VALUE_TEXT && path->kind != VALUE_BYTES) {
        path_attribute_unknown(path, out);
        return true;
    }
    const bool absolute = path->count > 0 && path->bytes[0] == '/';
    const char *base = absolute || mapper->windows ? NULL : base_directory(mapper, directory);
    path_attribute_from_text(mapper, base, path->bytes, path->count, last, out);
    /* The stored text of an object that may answer differently a second time. */
    out->value.marks |= path->marks;
    out->resolved.marks |= path->marks;
    return true;
}

bool source_path(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    return from_value(mapper, mapper_argument(mapper, operands[0]), operands[1], LAST_FOLLOWED,
                      out);
}

bool source_entry(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    return from_value(mapper, mapper_argument(mapper, operands[0]), operands[1], LAST_KEPT, out);
}

bool source_caller_directory(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    (void)operands;
    const char *directory = mapper_directory(mapper);

    if (directory)
        path_attribute_from_text(mapper, NULL, directory, strlen(directory), LAST_FOLLOWED, out);
    else
        path_attribute_unknown(&(struct value){.kind = VALUE_NONE}, out);
    out->given = value_none();
    return true;
}

bool source_path_or_directory(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    if (value_is_none(mapper_argument(mapper, operands[0])))
        return source_caller_directory(mapper, operands, out);
    return source_path(mapper, operands, out);
}

bool source_directory(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct value *directory = mapper_argument(mapper, operands[0]);

    if (value_is_none(directory))
        return source_caller_directory(mapper, operands, out);
    if (directory->kind != VALUE_TEXT && directory->kind != VALUE_BYTES) {
        path_attribute_unknown(directory, out); /* nobody starts a program in a descriptor */
        return true;
    }
    return from_value(mapper, directory, MAPPING_NO_OPERAND, LAST_FOLLOWED, out);
}

/* A relative path that os.open was given, with or without a dir_fd. */
static bool is_relative_os_open(const struct mapper *mapper, const uint8_t *operands)
{
    const struct value *path = mapper_argument(mapper, operands[0]);
    const bool absolute = (path->kind == VALUE_TEXT || path->kind == VALUE_BYTES) &&
                          path->count > 0 && path->bytes[0] == '/';

    return !absolute && !mapper->windows &&
           !value_is_plain_text(mapper_argument(mapper, operands[1]));
}

static bool is_among(const char *text, const char *const *others, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(text, others[i]) == 0)
            return true;
    return false;
}

uint32_t path_opened_bases(struct mapper *mapper, const uint8_t *operands,
                           const char *bases[OPENED_BASES_MAX])
{
    const struct event_resolver *resolver = mapper->resolver;
    int descriptors[OPENED_BASES_MAX - 1];
    uint32_t count = 1;

    bases[0] = NULL;
    if (!is_relative_os_open(mapper, operands) || !resolver->open_directories)
        return 1;
    const int open =
        resolver->open_directories(resolver->context, descriptors, OPENED_BASES_MAX - 1);
    if (open < 0 || open > OPENED_BASES_MAX - 1)
        return 1;
    const char *directory = mapper_directory(mapper);
    for (int i = 0; directory && i < open; i++) {
        enum resolver_answer answer;
        const char *path = descriptor_path(mapper, descriptors[i], &answer);
        if (!path) /* closed meanwhile, or out of the process's reach */
            return 1;
        if (strcmp(path, directory) != 0 && !is_among(path, bases + 1, count - 1))
            bases[count++] = path;
    }
    bases[0] = directory;
    return count;
}

bool source_opened(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct value *path = mapper_argument(mapper, operands[0]);
    int64_t flags;

    if (is_relative_os_open(mapper, operands)) {
        const bool is_text = path->kind == VALUE_TEXT || path->kind == VALUE_BYTES;
        if (!is_text || !mapper->opened_base) {
            path_attribute_unknown(path, out);
            return true;
        }
        path_attribute_from_text(mapper, mapper->opened_base, path->bytes, path->count,
                                 LAST_FOLLOWED, out);
        out->value.marks |= path->marks;
        out->resolved.marks |= path->marks;
        return true;
    }
    /* readline's default history file (3.14): libreadline, not Python, knows whose home. */
    if (value_is_text(path, "~/.history") &&
        value_read_integer(mapper_argument(mapper, operands[2]), &flags) && flags == 0) {
        path_attribute_unknown(path, out);
        return true;
    }
    return from_value(mapper, path, MAPPING_NO_OPERAND, LAST_FOLLOWED, out);
}

enum truth path_is_on_file(struct mapper *mapper, const struct value *path)
{
    int64_t descriptor;
    enum resolver_answer answer;

    if (!value_read_descriptor(path, &descriptor))
        return value_is_plain_text(path) ? TRUTH_TRUE : TRUTH_UNKNOWN;
    (void)descriptor_path(mapper, descriptor, &answer);
    if (answer == ANSWER_UNKNOWN)
        return TRUTH_UNKNOWN;
    return answer == ANSWER_KNOWN ? TRUTH_TRUE : TRUTH_FALSE;
}

/* True if it matters whether the last component is followed. */
enum truth path_is_linked(struct mapper *mapper, const uint8_t *operands)
{
    struct attribute kept = {.name = ATTRIBUTE_PATH};
    struct attribute followed = {.name = ATTRIBUTE_PATH};

    int64_t descriptor;

    if (value_read_descriptor(mapper_argument(mapper, operands[0]), &descriptor) ||
        !source_entry(mapper, operands, &kept) || !source_path(mapper, operands, &followed))
        return TRUTH_FALSE;
    if (value_is_marked(&kept.resolved) || value_is_marked(&followed.resolved))
        return TRUTH_UNKNOWN;
    const bool same =
        kept.resolved.count == followed.resolved.count &&
        (kept.resolved.count == 0 ||
         memcmp(kept.resolved.bytes, followed.resolved.bytes, kept.resolved.count) == 0);
    return same ? TRUTH_FALSE : TRUTH_TRUE;
}

/* SQLite keeps these two to itself: memory, and a file without a name. */
enum truth database_is_on_disk(const struct value *database)
{
    if (!value_is_plain_text(database))
        return TRUTH_UNKNOWN;
    return database->count == 0 || value_is_text(database, ":memory:") ? TRUTH_FALSE : TRUTH_TRUE;
}

bool source_database(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct value *database = mapper_argument(mapper, operands[0]);

    if (database->kind != VALUE_TEXT && database->kind != VALUE_BYTES) {
        path_attribute_unknown(database, out); /* a number is no descriptor to SQLite */
        return true;
    }
    return from_value(mapper, database, MAPPING_NO_OPERAND, LAST_FOLLOWED, out);
}

static bool has_separator(const struct mapper *mapper, const struct value *text)
{
    if (text->count == 0)
        return false;
    return memchr(text->bytes, '/', text->count) ||
           (mapper->windows && memchr(text->bytes, '\\', text->count));
}

/* dlopen(NULL) and dlopen("") are the program itself. */
static bool is_program_itself(const struct value *library)
{
    return value_is_none(library) || (value_is_plain_text(library) && library->count == 0);
}

bool source_library(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct value *library = mapper_argument(mapper, operands[0]);

    if (is_program_itself(library))
        return false;
    /* The loader searches for a bare name, and expands $ORIGIN, $LIB and $PLATFORM (ld.so(8)). */
    if ((library->kind != VALUE_TEXT && library->kind != VALUE_BYTES) ||
        !has_separator(mapper, library) || memchr(library->bytes, '$', library->count)) {
        path_attribute_unknown(library, out);
        return true;
    }
    return from_value(mapper, library, MAPPING_NO_OPERAND, LAST_FOLLOWED, out);
}

/* A library that the C boundary is about to load: the path that it was asked for by, and the one
 * that it will be loaded by. */
bool source_opened_library(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct value *file = mapper_argument(mapper, operands[1]);

    if (!source_library(mapper, operands, out))
        return false;
    const bool known = value_is_plain_text(file) && file->count > 0 && file->bytes[0] == '/';
    out->resolved = known && out->value.marks == 0 ? value_as_text(file) : value_unknown();
    return true;
}

bool source_library_name(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct value *library = mapper_argument(mapper, operands[0]);

    if (is_program_itself(library))
        return false;
    if (value_is_plain_text(library) && has_separator(mapper, library))
        return false; /* a path has no other name */
    out->value = value_as_text(library);
    return true;
}

/* Of the three that SQLite knows (sqlite3LoadExtension). */
static const char *library_suffix(const struct mapper *mapper)
{
    return mapper->windows ? ".dll" : ".so";
}

enum truth library_is_unsuffixed(const struct value *library)
{
    if (!value_is_plain_text(library))
        return TRUTH_UNKNOWN;
    const bool so =
        library->count >= 3 && memcmp(library->bytes + library->count - 3, ".so", 3) == 0;
    const bool dll =
        library->count >= 4 && memcmp(library->bytes + library->count - 4, ".dll", 4) == 0;
    return so || dll ? TRUTH_FALSE : TRUTH_TRUE;
}

bool source_library_with_suffix(struct mapper *mapper, const uint8_t *operands,
                                struct attribute *out)
{
    const struct value *library = mapper_argument(mapper, operands[0]);
    const char *suffix = library_suffix(mapper);

    if (!value_is_plain_text(library) || !has_separator(mapper, library) ||
        memchr(library->bytes, '$', library->count)) {
        path_attribute_unknown(library, out);
        return true;
    }
    const size_t length = library->count + strlen(suffix);
    char *text = arena_alloc(mapper->arena, length + 1);
    if (!text) {
        path_attribute_unknown(library, out);
        return true;
    }
    memcpy(text, library->bytes, library->count);
    memcpy(text + library->count, suffix, strlen(suffix) + 1);
    const struct value suffixed = value_text(text, length);
    return from_value(mapper, &suffixed, MAPPING_NO_OPERAND, LAST_FOLLOWED, out);
}

bool source_said_file(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    path_attribute_verbatim(mapper_argument(mapper, operands[0]), out);
    return true;
}

bool source_code_file(struct mapper *mapper, const uint8_t *operands, struct attribute *out)
{
    const struct event_resolver *resolver = mapper->resolver;

    out->value = value_unknown();
    if (resolver->code_filename && operands[0] < mapper->event->argument_count) {
        char *buffer = arena_alloc(mapper->arena, PATH_TEXT_MAX);
        if (buffer) {
            const bool known =
                resolver->code_filename(resolver->context, operands[0], buffer, PATH_TEXT_MAX);
            if (known)
                out->value = value_of_string(buffer);
            arena_trim(mapper->arena, buffer, known ? strlen(buffer) + 1 : 0);
        }
    }
    out->resolved = out->value;
    return true;
}
