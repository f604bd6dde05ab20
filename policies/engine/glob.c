/* A glob is a row of words, each a state of the automaton: a kind in the four high bits, a payload
 * in the others. A set is one state followed by a word pair for each range, which are no states
 * of their own and never become active.
 *
 * glob_match trusts nothing about the words but their number: an unknown kind matches nothing, and
 * a set that claims more ranges than there are words is cut at the end. */
#include "policies/engine/glob.h"

#include <string.h>

#include "policies/engine/utf8.h"

enum word_kind {
    WORD_CHARACTER, /* payload: the character */
    WORD_ANY,       /* `?` */
    WORD_STAR,      /* `*` */
    WORD_CROSS,     /* `**` */
    WORD_FOLDERS,   /* the `**` and separator behind a separator: nothing, or any run that ends in a
                       separator */
    WORD_SET,       /* payload: number of ranges */
    WORD_NOT_SET,
};

enum {
    KIND_SHIFT = 28,
    PAYLOAD_MASK = (1 << KIND_SHIFT) - 1,
    STATE_WORDS = GLOB_WORDS_MAX / 64 + 1,
    ASCII_END = 0x80,
};

static uint32_t word(enum word_kind kind, uint32_t payload)
{
    return (uint32_t)kind << KIND_SHIFT | payload;
}

/* Makes characters that a kind of glob holds for one the same. */
static uint32_t folded(enum glob_kind kind, uint32_t c)
{
    if (kind != GLOB_REGISTRY)
        return c;
    if (c == '/')
        return '\\';
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static bool is_separator(enum glob_kind kind, uint32_t folded_character)
{
    return (kind == GLOB_PATH && folded_character == '/') ||
           (kind == GLOB_REGISTRY && folded_character == '\\');
}

size_t glob_literal_length(const char *pattern, size_t length)
{
    size_t i = 0;
    while (i < length && pattern[i] != '*' && pattern[i] != '?' && pattern[i] != '[')
        i++;
    return i;
}

struct compiler {
    enum glob_kind kind;
    const char *pattern;
    size_t length;
    size_t at;
    uint32_t *words;
    size_t count;
    bool full;
};

static void put(struct compiler *compiler, uint32_t value)
{
    if (compiler->count == GLOB_WORDS_MAX)
        compiler->full = true;
    else
        compiler->words[compiler->count++] = value;
}

static uint32_t next(struct compiler *compiler)
{
    size_t size;
    const uint32_t c =
        utf8_decode(compiler->pattern + compiler->at, compiler->length - compiler->at, &size);
    compiler->at += size;
    return folded(compiler->kind, c);
}

/* At a `[`. */
static enum glob_error compile_set(struct compiler *compiler)
{
    const size_t open = compiler->at++;
    const size_t head = compiler->count;
    uint32_t ranges = 0;
    bool negated = false;

    if (compiler->at < compiler->length && compiler->pattern[compiler->at] == '!') {
        negated = true;
        compiler->at++;
    }
    put(compiler, 0);
    for (bool first = true;; first = false) {
        if (compiler->at >= compiler->length) {
            compiler->at = open;
            return GLOB_OPEN_BRACKET;
        }
        if (!first && compiler->pattern[compiler->at] == ']')
            break;
        const size_t start = compiler->at;
        const uint32_t low = next(compiler);
        uint32_t high = low;
        if (compiler->at + 1 < compiler->length && compiler->pattern[compiler->at] == '-' &&
            compiler->pattern[compiler->at + 1] != ']') {
            compiler->at++;
            high = next(compiler);
        }
        if (high < low) {
            compiler->at = start;
            return GLOB_EMPTY_RANGE;
        }
        put(compiler, low);
        put(compiler, high);
        ranges++;
    }
    compiler->at++;
    if (!compiler->full)
        compiler->words[head] = word(negated ? WORD_NOT_SET : WORD_SET, ranges);
    return GLOB_GOOD;
}

/* At a `*`. */
static enum glob_error compile_stars(struct compiler *compiler)
{
    const size_t start = compiler->at;
    while (compiler->at < compiler->length && compiler->pattern[compiler->at] == '*')
        compiler->at++;
    if (compiler->at - start == 1) {
        put(compiler, word(WORD_STAR, 0));
        return GLOB_GOOD;
    }
    if (compiler->kind == GLOB_TEXT) {
        compiler->at = start;
        return GLOB_DOUBLE_STAR;
    }

    const char *pattern = compiler->pattern;
    const bool opens =
        start == 0 ||
        is_separator(compiler->kind, folded(compiler->kind, (uint8_t)pattern[start - 1]));
    const bool closes =
        compiler->at < compiler->length &&
        is_separator(compiler->kind, folded(compiler->kind, (uint8_t)pattern[compiler->at]));
    if (opens && closes) {
        compiler->at++;
        put(compiler, word(WORD_FOLDERS, 0));
    } else {
        put(compiler, word(WORD_CROSS, 0));
    }
    return GLOB_GOOD;
}

enum glob_error glob_compile(enum glob_kind kind, const char *pattern, size_t length,
                             uint32_t *words, size_t *count, size_t *at)
{
    struct compiler compiler = {.kind = kind, .pattern = pattern, .length = length, .words = words};
    enum glob_error error = GLOB_GOOD;

    while (compiler.at < length && error == GLOB_GOOD && !compiler.full) {
        switch (pattern[compiler.at]) {
        case '*':
            error = compile_stars(&compiler);
            break;
        case '[':
            error = compile_set(&compiler);
            break;
        case '?':
            compiler.at++;
            put(&compiler, word(WORD_ANY, 0));
            break;
        default:
            put(&compiler, word(WORD_CHARACTER, next(&compiler)));
        }
    }
    if (compiler.full && error == GLOB_GOOD)
        error = GLOB_TOO_LONG;
    *at = compiler.at;
    *count = compiler.count;
    return error;
}

size_t glob_word_size(const uint32_t *words, size_t count, size_t at)
{
    const uint32_t kind = words[at] >> KIND_SHIFT;
    if (kind != WORD_SET && kind != WORD_NOT_SET)
        return 1;
    const size_t ranges = words[at] & PAYLOAD_MASK;
    return ranges > (count - at - 1) / 2 ? count - at : 1 + 2 * ranges;
}

bool glob_begins_component(const uint32_t *words, size_t count)
{
    return count > 0 && words[0] == word(WORD_CHARACTER, '/');
}

bool glob_word_is_ascii(const uint32_t *words, size_t count, size_t at)
{
    return at < count && words[at] < ASCII_END; /* no kind but WORD_CHARACTER, which is 0 */
}

bool glob_word_ends_component(const uint32_t *words, size_t count, size_t at)
{
    return at < count &&
           (words[at] == word(WORD_FOLDERS, 0) || words[at] == word(WORD_CHARACTER, '/'));
}

/* Bit N: words 0..N-1 have matched what has been read. */
struct states {
    uint64_t bits[STATE_WORDS];
};

/* A pattern while a text is matched against it. */
struct matcher {
    enum glob_kind kind;
    const uint32_t *words;
    size_t count;
    uint64_t steps; /* that were taken and not paid for yet */
};

/* Makes a state active, and those that are reached from it by reading nothing. */
static void activate(struct matcher *matcher, struct states *states, size_t at)
{
    const uint32_t *words = matcher->words;
    const size_t count = matcher->count;

    for (;; matcher->steps++) {
        states->bits[at / 64] |= (uint64_t)1 << (at % 64);
        if (at >= count)
            return;
        const uint32_t kind = words[at] >> KIND_SHIFT;
        if (kind != WORD_STAR && kind != WORD_CROSS && kind != WORD_FOLDERS)
            return;
        at++;
    }
}

static void stay(struct states *states, size_t at)
{
    states->bits[at / 64] |= (uint64_t)1 << (at % 64);
}

static bool in_set(struct matcher *matcher, size_t at, uint32_t c)
{
    const uint32_t *words = matcher->words;
    const size_t size = glob_word_size(words, matcher->count, at);

    matcher->steps += size / 2;
    for (size_t i = at + 1; i + 1 < at + size; i += 2)
        if (c >= words[i] && c <= words[i + 1])
            return true;
    return false;
}

/* What state `at` becomes when it reads `c`. */
static void step(struct matcher *matcher, size_t at, uint32_t c, struct states *after)
{
    const bool separator = is_separator(matcher->kind, c);
    const uint32_t word = matcher->words[at];
    const enum word_kind what = (enum word_kind)(word >> KIND_SHIFT);

    matcher->steps++;
    switch (what) {
    case WORD_CHARACTER:
        if ((word & PAYLOAD_MASK) == c)
            activate(matcher, after, at + 1);
        break;
    case WORD_ANY:
        if (!separator)
            activate(matcher, after, at + 1);
        break;
    case WORD_STAR:
        if (!separator)
            activate(matcher, after, at);
        break;
    case WORD_CROSS:
        activate(matcher, after, at);
        break;
    case WORD_FOLDERS:
        stay(after, at);
        if (separator)
            activate(matcher, after, at + 1);
        break;
    case WORD_SET:
    case WORD_NOT_SET:
        if (!separator && in_set(matcher, at, c) == (what == WORD_SET))
            activate(matcher, after, at + glob_word_size(matcher->words, matcher->count, at));
        break;
    default:
        break;
    }
}

/* Characters that the shortest text has which matches. */
static size_t least_length(const uint32_t *words, size_t count)
{
    size_t least = 0;
    for (size_t at = 0; at < count; at += glob_word_size(words, count, at)) {
        const uint32_t kind = words[at] >> KIND_SHIFT;
        if (kind != WORD_STAR && kind != WORD_CROSS && kind != WORD_FOLDERS)
            least++;
    }
    return least;
}

/* What the active states become when they read `c`; false if the budget does not reach. It is paid
 * for each state: one alone may activate as many others as there are words. */
static bool advance(struct matcher *matcher, const struct states *now, uint32_t c,
                    struct states *after, struct budget *budget)
{
    const size_t used = matcher->count / 64 + 1;

    matcher->steps += 1 + used;
    memset(after->bits, 0, used * sizeof(*after->bits));
    for (size_t i = 0; i < used; i++) {
        for (uint64_t bits = now->bits[i]; bits != 0; bits &= bits - 1) {
            const size_t state = 64 * i + (size_t)__builtin_ctzll(bits);
            if (state < matcher->count)
                step(matcher, state, c, after);
            if (!budget_pay(budget, matcher->steps))
                return false;
            matcher->steps = 0;
        }
    }
    return true;
}

enum {
    SHORT_WORDS_MAX = 63, /* states that are one word of the machine, the last one included */
    SHORT_STATES_OF_A_STEP = 16,
};

/* The states that are reached from these by reading nothing. */
static uint64_t closure(uint64_t states, uint64_t runs)
{
    for (uint64_t before = 0; states != before;) {
        before = states;
        states |= (states & runs) << 1;
    }
    return states;
}

/* What each state of a short pattern does, bit N for word N. */
struct short_pattern {
    uint64_t runs;       /* star, cross, folders: they may read nothing */
    uint64_t stays;      /* cross, folders: they read any character and stay */
    uint64_t stars;      /* star: it stays unless it reads a separator */
    uint64_t any;        /* any character but a separator leads on */
    uint64_t folders;    /* a separator leads on, for good */
    uint64_t characters; /* one character leads on */
};

/* False if a word is of a kind that takes more than a bit. */
static bool read_short(const uint32_t *words, size_t count, struct short_pattern *pattern)
{
    *pattern = (struct short_pattern){0};
    if (count > SHORT_WORDS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        const uint64_t bit = (uint64_t)1 << i;
        switch (words[i] >> KIND_SHIFT) {
        case WORD_CHARACTER:
            pattern->characters |= bit;
            break;
        case WORD_ANY:
            pattern->any |= bit;
            break;
        case WORD_STAR:
            pattern->stars |= bit;
            break;
        case WORD_CROSS:
            pattern->stays |= bit;
            break;
        case WORD_FOLDERS:
            pattern->folders |= bit;
            break;
        default:
            return false;
        }
    }
    pattern->stays |= pattern->folders;
    pattern->runs = pattern->stays | pattern->stars;
    return true;
}

/* Of the states that wait for one character, those that read theirs. */
static uint64_t readers(const uint32_t *words, uint64_t waiting, uint32_t c)
{
    uint64_t reading = 0;
    for (; waiting != 0; waiting &= waiting - 1) {
        const unsigned state = (unsigned)__builtin_ctzll(waiting);
        if ((words[state] & PAYLOAD_MASK) == c)
            reading |= (uint64_t)1 << state;
    }
    return reading;
}

/* The same automaton as below, a step being a few operations on all states at once. */
static bool match_short(enum glob_kind kind, const uint32_t *words, size_t count,
                        const struct short_pattern *pattern, const char *text, size_t length)
{
    uint64_t now = closure(1, pattern->runs);

    for (size_t at = 0; at < length && now != 0;) {
        size_t size = 1;
        uint32_t c = (unsigned char)text[at];
        if (c >= ASCII_END)
            c = utf8_decode(text + at, length - at, &size);
        c = folded(kind, c);
        at += size;
        const bool separator = is_separator(kind, c);
        uint64_t leads = readers(words, now & pattern->characters, c);
        uint64_t after = now & pattern->stays;
        if (separator) {
            leads |= now & pattern->folders;
        } else {
            leads |= now & pattern->any;
            after |= now & pattern->stars;
        }
        /* A run that stays has activated what follows it already, but for folders, behind which
         * only a separator leads. */
        const uint64_t crosses = after & ~pattern->folders;
        now = closure(leads << 1 | crosses, pattern->runs) | (after & pattern->folders);
    }
    return (now >> count & 1) != 0;
}

bool glob_match(enum glob_kind kind, const uint32_t *words, size_t count, const char *text,
                size_t length, struct budget *budget)
{
    struct matcher matcher = {.kind = kind, .words = words, .count = count};

    if (count > GLOB_WORDS_MAX)
        return false;
    struct short_pattern pattern;
    if (read_short(words, count, &pattern)) /* of whose states a step advances many */
        return budget_pay(budget, 1 + count / 2 + length * (1 + count / SHORT_STATES_OF_A_STEP)) &&
               match_short(kind, words, count, &pattern, text, length);
    if (!budget_pay(budget, budget_of_bytes(sizeof(struct states))))
        return false;
    if (count > length) {
        if (!budget_pay(budget, 1 + count / 2) || least_length(words, count) > length)
            return false;
    }
    const size_t used = count / 64 + 1;
    struct states now = {{0}};
    struct states after;
    activate(&matcher, &now, 0);

    for (size_t at = 0; at < length;) {
        size_t size;
        const uint32_t c = folded(kind, utf8_decode(text + at, length - at, &size));
        uint64_t any = 0;

        at += size;
        if (!advance(&matcher, &now, c, &after, budget))
            return false;
        for (size_t i = 0; i < used; i++)
            any |= after.bits[i];
        if (any == 0)
            return false;
        memcpy(now.bits, after.bits, used * sizeof(*after.bits));
    }
    return (now.bits[count / 64] >> (count % 64) & 1) != 0;
}
