/* Every code that the checker can say, assigned once and never reused: scripts and people search
 * for them. A code that is no longer said keeps its line, with a comment. E012, E021, E031, E041,
 * E052 and E061 are those of the specification's models.
 *
 * X(symbol, number, what it is about). Errors are E0nn, warnings W0nn, notes N0nn. */
#ifndef WARDER_POLICIES_LANGUAGE_DIAGNOSTIC_CODES_H
#define WARDER_POLICIES_LANGUAGE_DIAGNOSTIC_CODES_H

#include <stdbool.h>

#define DIAGNOSTIC_ERRORS(X)                                                                       \
    X(TOO_LARGE, 1, "a text above the limit")                                                      \
    X(NO_MEMORY, 2, "lack of memory")                                                              \
    X(BYTE_ORDER_MARK, 3, "a byte order mark")                                                     \
    X(NOT_UTF8, 4, "bytes that are not UTF-8")                                                     \
    X(CONTROL_CHARACTER, 5, "a control character")                                                 \
    X(BIDIRECTIONAL, 6, "a character that changes the direction of text")                          \
    X(STRANGE_CHARACTER, 7, "a character that begins nothing")                                     \
    X(OPEN_STRING, 8, "a string without its end")                                                  \
    X(BAD_ESCAPE, 9, "an escape that is none")                                                     \
    X(SYNTAX, 10, "something else than what must stand there")                                     \
    X(UNKNOWN_CLASS, 11, "an operation class that does not exist")                                 \
    X(CLASS_HAS_NO_ATTRIBUTE, 12, "an attribute of another class")                                 \
    X(UNKNOWN_ATTRIBUTE, 13, "an attribute that does not exist")                                   \
    X(ATTRIBUTE_ELSEWHERE, 14, "an attribute of rules in `applies`, or the other way round")       \
    X(UNKNOWN_SET, 15, "a set that is not defined")                                                \
    X(UNKNOWN_PLACE, 16, "a place that does not exist")                                            \
    X(BAD_INDEX, 17, "an index on what has none, or of the wrong kind")                            \
    X(UNKNOWN_ARGUMENT, 18, "an argument that no event of the rule has")                           \
    X(UNKNOWN_WORD, 19, "a word that the attribute does not take")                                 \
    X(IS_WANTS_ONE, 20, "`is` with a list")                                                        \
    X(IN_WANTS_LIST, 21, "`in` with one value")                                                    \
    X(OPERATOR_DOES_NOT_FIT, 22, "an operator that the attribute's type does not have")            \
    X(VALUE_DOES_NOT_FIT, 23, "a value of another type than the attribute's")                      \
    X(BARE_WORD, 24, "a bare word where a string was meant")                                       \
    X(EMPTY_LIST, 25, "a list of nothing")                                                         \
    X(MIXED_LIST, 26, "a list of several types")                                                   \
    X(RANGE_DOES_NOT_FIT, 27, "a range or block of addresses with an operator that takes none")    \
    X(GLOB_CROSSES_NOTHING, 28, "`**` where there are no components")                              \
    X(BAD_GLOB, 29, "a glob that cannot be read or never match")                                   \
    X(UNREADABLE_WORD, 30, "a bare word that is no value")                                         \
    X(HOST_BITS, 31, "an address block with bits set after its prefix")                            \
    X(BAD_ADDRESS, 32, "an IP address that is none")                                               \
    X(BAD_INTEGER, 33, "an integer that is none, or too large")                                    \
    X(BACKWARD_RANGE, 34, "a range whose end is before its start")                                 \
    X(BAD_DATE, 35, "a date that is none")                                                         \
    X(STRAY_DATE, 36, "a date where none can stand")                                               \
    X(PATH_NOT_ABSOLUTE, 37, "a path that begins nowhere")                                         \
    X(BAD_HOST, 38, "a host name that is none")                                                    \
    X(BAD_VERSION, 39, "a version that is none")                                                   \
    X(TOO_DEEP, 40, "a condition nested too deep")                                                 \
    X(AND_BESIDE_OR, 41, "`and` beside `or`")                                                      \
    X(TEST_MISSING, 42, "an attribute alone that is not true or false")                            \
    X(MESSAGE_ON_NOTHING, 43, "a message that nobody would see")                                   \
    X(NOT_AN_OPERATOR, 44, "an operator of another language")                                      \
    X(RULE_WITHOUT_NAME, 45, "a rule without `as`")                                                \
    X(TEXT_NOT_PRINTABLE, 46, "a message or title that cannot be shown")                           \
    X(FOREIGN_WORD, 47, "a word or sign of another language")                                      \
    X(HOST_WITHOUT_RESOLVE, 50, "a deny on `host` with no rule on `resolve`")                      \
    X(EVENT_WITHOUT_VETO, 51, "a rule on an event that CPython does not let anyone veto")          \
    X(UNKNOWN_EVENT, 52, "an event that the catalogue does not know")                              \
    X(EVENT_NEVER_RAISED, 53, "an event that stands in documentation alone")                       \
    X(ALLOW_COVERED, 60, "an allow that a deny of the same policy covers")                         \
    X(FLOOR_CONTRADICTED, 61, "a floor that the policy's rules contradict")                        \
    X(DEFAULT_BOTH_WAYS, 62, "a class both denied and allowed by default")                         \
    X(DEFAULT_TWO_MESSAGES, 63, "a class with two different default messages")                     \
    X(NO_FLOOR_OF_CLASS, 64, "a floor of a class that the kernel cannot hold")                     \
    X(OVERRIDE_OF_MANDATORY, 65, "an override of the mandatory tier")                              \
    X(OVERRIDE_OF_HIGHER, 66, "an override of a higher tier")                                      \
    X(WRITABLE_UNDER_FLOOR, 67, "a floor with an allow of a file that the subject can write")      \
    X(FLOOR_TOO_LARGE, 68, "a floor beside allows of more than a process can be handed")           \
    X(DUPLICATE_POLICY, 70, "two policies of one name in one tier")                                \
    X(DUPLICATE_RULE, 71, "two rules of one name in one policy")                                   \
    X(DUPLICATE_SET, 72, "two sets of one name")                                                   \
    X(DUPLICATE_MODE, 73, "`mode` twice")                                                          \
    X(RESERVED_NAME, 74, "a name that the language keeps for itself")                              \
    X(FLOOR_LATER, 80, "no longer said: `floor` was not there yet")                                \
    X(OVERRIDE_LATER, 81, "no longer said: `override` was not there yet")                          \
    X(LIMIT_LATER, 82, "`limit`, which is not there yet")                                          \
    X(MANDATORY_LATER, 83, "no longer said: the tier mandatory was not there yet")                 \
    X(FLOOR_REQUIRED, 84, "no longer said: floors were not held yet")                              \
    X(TEST_EXPECTS_NOTHING, 90, "a test file without an expectation")                              \
    X(TEST_OF_NO_POLICY, 91, "a test of a policy that is not there")                               \
    X(TEST_NOT_GOVERNED, 92, "a session that the tested policy does not govern")                   \
    X(TEST_OF_NO_RULE, 93, "a deciding rule that is not there")                                    \
    X(SAID_TWICE, 94, "what was said before, otherwise")                                           \
    X(CLASS_WITHOUT_MAIN, 95, "a value for a class that has no attributes")                        \
    X(NO_DIRECTORY, 96, "a relative path in a session without a directory")                        \
    X(TOO_MANY_ARGUMENTS, 97, "more arguments than the event has")                                 \
    X(EVENT_OF_OTHER_CLASS, 98, "an event that is never an operation of the class")                \
    X(FORMAT_DEFECT, 99, "a text that formatting would change: a defect of the formatter")         \
    X(TEST_FAILED, 100, "an expectation that does not hold")

#define DIAGNOSTIC_WARNINGS(X)                                                                     \
    X(UNUSED_SET, 1, "a set that nothing uses")                                                    \
    X(SAID_BY_PROCESS, 2, "an allow or `applies` that rests on what the process says")             \
    X(NOT_OF_ABSENT, 3, "an allow that rests on `not` of what may be absent")                      \
    X(ARGV_DENY_LIST, 4, "an allow that lists what an argument list must not have")                \
    X(WRITE_AND_RUN, 5, "a place that is both written and run from")                               \
    X(STOPS_START, 6, "a denial that stops the interpreter's own start")                           \
    X(NEVER_MATCHES, 7, "a rule that can never match")                                             \
    X(WILDCARD_IS_LITERAL, 8, "a wildcard where none is read")                                     \
    X(GLOB_NAMES_NO_EVENT, 9, "a glob of events that the catalogue has none for")                  \
    X(OVERRIDE_EXPIRED, 10, "an override whose day has passed")                                    \
    X(OVERRIDE_WITHOUT_TARGET, 11, "an override of what is not there")                             \
    X(OVERRIDE_WITHOUT_EFFECT, 12, "an override that cancels nothing")                             \
    X(FLOOR_NOT_HELD, 13, "no longer said: floors were not held yet")                              \
    X(FLOOR_WITHOUT_DENIAL, 14, "a floor of a class that nothing denies")                          \
    X(WRITABLE_FILE, 15, "an allow of a file that the subject can write")                          \
    X(SET_ID_UNDER_FLOOR, 16, "a floor with an allow of a set-id program")                         \
    X(NOTHING_INSTALLED, 17, "a rule that no interpreter of this host can meet")                   \
    X(TOO_MANY_STEPS, 18, "rules that leave a decision no time")                                   \
    X(ALLOW_WITHOUT_DENIAL, 19, "an allow where nothing is denied by default")                     \
    X(NOT_REACHED, 30, "a rule, default or override that no test reaches")                         \
    X(NOT_TESTED, 31, "a policy that no test names")

/* What is right, and worth knowing: said only to whoever asks for it (struct compile_options). */
#define DIAGNOSTIC_NOTES(X)                                                                        \
    X(RESOLVES_TO, 1, "what a path stands for besides itself")                                     \
    X(FLOOR_LEAVES_OPEN, 2, "what native code can still do under a floor")                         \
    X(HOST_NOT_NAMED, 3, "how a rule on the host of a connection is judged")

enum diagnostic_code {
#define DIAGNOSTIC_ERROR(symbol, number, about) ERROR_##symbol = (number),
    DIAGNOSTIC_ERRORS(DIAGNOSTIC_ERROR)
#undef DIAGNOSTIC_ERROR
        DIAGNOSTIC_WARNING_BASE = 1000, /* warnings have numbers of their own */
#define DIAGNOSTIC_WARNING(symbol, number, about)                                                  \
    WARNING_##symbol = DIAGNOSTIC_WARNING_BASE + (number),
    DIAGNOSTIC_WARNINGS(DIAGNOSTIC_WARNING)
#undef DIAGNOSTIC_WARNING
        DIAGNOSTIC_NOTE_BASE = 2000,
#define DIAGNOSTIC_NOTE(symbol, number, about) NOTE_##symbol = DIAGNOSTIC_NOTE_BASE + (number),
    DIAGNOSTIC_NOTES(DIAGNOSTIC_NOTE)
#undef DIAGNOSTIC_NOTE
};

enum diagnostic_severity { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_NOTE, SEVERITY_COUNT };

static inline enum diagnostic_severity diagnostic_severity(enum diagnostic_code code)
{
    if (code > DIAGNOSTIC_NOTE_BASE)
        return SEVERITY_NOTE;
    return code > DIAGNOSTIC_WARNING_BASE ? SEVERITY_WARNING : SEVERITY_ERROR;
}

static inline unsigned diagnostic_number(enum diagnostic_code code)
{
    return (unsigned)code % DIAGNOSTIC_WARNING_BASE;
}

/* The letter of E012, W001, N001. */
static inline char diagnostic_letter(enum diagnostic_code code)
{
    return "EWN"[diagnostic_severity(code)];
}

#endif
