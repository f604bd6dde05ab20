/* How the parser and the checker say what is wrong.
 *
 *     struct diagnostic *error = report(diagnostics, ERROR_UNKNOWN_SET, span, "unknown set `%s`",
 * name); diagnostic_label(error, "did you mean `%s`?", close); diagnostic_help(error, "define it
 * with `set %s = […]`", name);
 *
 * One error for one cause is the caller's care; the same code at the same place twice is said once.
 * A diagnostic may be NULL (the second of two, or no memory): every function accepts that. Texts
 * are copied. The place's line is copied too, so that the source need not outlive the call. */
#ifndef WARDER_POLICIES_LANGUAGE_REPORT_H
#define WARDER_POLICIES_LANGUAGE_REPORT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policies/language/diagnostic_codes.h"
#include "policies/language/diagnostics.h"
#include "policies/language/source.h"
#include "policies/language/text_buffer.h"

struct diagnostic;

/* `%s` and friends as printf; what the reader sees of control characters and broken UTF-8 is a
 * replacement character. */
struct diagnostic *report(struct diagnostics *diagnostics, enum diagnostic_code code,
                          struct span span, const char *format, ...) TEXT_FORMAT(4, 5);

/* The same with the arguments of a function that takes them. */
struct diagnostic *report_list(struct diagnostics *diagnostics, enum diagnostic_code code,
                               struct span span, const char *format, va_list list)
    TEXT_FORMAT(4, 0);

/* Behind the carets. */
void diagnostic_label(struct diagnostic *diagnostic, const char *format, ...) TEXT_FORMAT(2, 3);

/* A second place, underlined with dashes, with a label of its own (NULL for none). */
void diagnostic_second(struct diagnostic *diagnostic, struct span span, const char *label);

void diagnostic_help(struct diagnostic *diagnostic, const char *format, ...) TEXT_FORMAT(2, 3);
void diagnostic_note(struct diagnostic *diagnostic, const char *format, ...) TEXT_FORMAT(2, 3);

/* Nothing is reported, nor counted, as long as it is muted: of text that is passed over after an
 * error nothing is worth saying, and a hostile one has much of it. */
void diagnostics_mute(struct diagnostics *diagnostics, bool muted);

/* What was said last, if more than `kept` were kept; else NULL. */
struct diagnostic *diagnostics_last(const struct diagnostics *diagnostics, size_t kept);

/* Takes back what was just reported, in favour of something better that is known by now. NULL is
 * accepted. */
void diagnostic_retract(struct diagnostic *diagnostic);

/* The index of a file among those that diagnostics speak of: struct source has it as `order`. Files
 * are shown in the order of their first mention here. */
uint32_t diagnostics_file(struct diagnostics *diagnostics, const char *name);

/* So many errors were said already that no more are kept: a checker may stop looking. Warnings do
 * not count, for nobody may stop looking where nothing is wrong. */
bool diagnostics_are_full(const struct diagnostics *diagnostics);

/* As many of this severity are kept as are ever kept. */
bool diagnostics_are_full_of(const struct diagnostics *diagnostics,
                             enum diagnostic_severity severity);

/* Suggestions are sought among many names for the first mistakes alone: a hostile text makes
 * thousands. */
bool diagnostics_want_suggestions(const struct diagnostics *diagnostics);

/* Something could not be said, or done, for lack of memory: an error without a place. */
void report_no_memory(struct diagnostics *diagnostics);

#endif
