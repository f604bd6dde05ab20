/* Values and events as the cases of the specification write them (tests/unit/specification):
 *
 *     "text"  'raw'  b"bytes"  5  1.5  true  false  none  unknown  10.20.1.2  ["a", 5]  {"K": "v"}
 *
 * A mark stands behind: `"x"~` of a subclass, `"x"^` cut, `"x"?` opaque. A path that resolves to
 * another one is `"/a">"/b"`. A case that cannot be read fails its test. */
#ifndef WARDER_TESTS_UNIT_SPECIFICATION_VALUES_H
#define WARDER_TESTS_UNIT_SPECIFICATION_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "policies/engine/event.h"

/* What is left of a line. */
struct reader {
    const char *at;
    const char *line; /* for messages */
};

enum { READER_WORD_MAX = 128 };

void reader_skip_blanks(struct reader *reader);
bool reader_at_end(struct reader *reader);
/* Steps over `text` if it stands there. */
bool reader_take(struct reader *reader, const char *text);
/* The next word, up to a blank, `=` or `;`. */
void reader_word(struct reader *reader, char word[READER_WORD_MAX]);
/* The rest of the line. */
const char *reader_rest(struct reader *reader);

/* Reads one value. It lives until values_forget. */
struct value reader_value(struct reader *reader);
/* Reads `["a", 5]` as the arguments of an event. */
struct value reader_list(struct reader *reader);
/* The same text, terminated, for a fact of a session. */
const char *reader_string(struct reader *reader);

/* Reads `CLASS ATTRIBUTE=VALUE... ; CLASS ...` up to `=>` as the operations of the event. */
void reader_operations(struct reader *reader, struct event *event);

void values_forget(void);

#endif
