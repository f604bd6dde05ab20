/* Values, subjects and events, read from the lines that the differential test sends (README.md).
 *
 * Everything is read into one arena and is gone with it; what does not fit, or is no line of this
 * protocol, ends the program with a message, for the other end is our own script. */
#ifndef WARDER_TESTS_DIFFERENTIAL_SCENE_READER_H
#define WARDER_TESTS_DIFFERENTIAL_SCENE_READER_H

#include <stddef.h>
#include <stdint.h>

#include "policies/engine/arena.h"
#include "policies/engine/event.h"
#include "policies/engine/subject.h"

enum { POOL_VALUES_MAX = 8192, ARGUMENTS_MAX = 16 };

/* Words with one blank between them; `rest` is what was not read yet. */
struct line {
    char *rest;
};

/* The values that events are made of, in the order in which they were sent. */
struct pool {
    struct arena *arena;
    struct value values[POOL_VALUES_MAX];
    uint32_t count;
};

/* An event, and what it points at. */
struct scene {
    struct event event;
    struct value arguments[ARGUMENTS_MAX];
    struct operation operations[EVENT_OPERATIONS_MAX];
    struct attribute attributes[EVENT_OPERATIONS_MAX][EVENT_ATTRIBUTES_MAX];
    char name[EVENT_NAME_MAX];
};

/* Says what is wrong with the input and ends the program. */
void refuse(const char *what, const char *where) __attribute__((noreturn));

/* The next word, terminated; refused where there is none. */
char *next_word(struct line *line);
long long next_number(struct line *line, long long least, long long most);
/* A text in hexadecimal, `x` before it, terminated; `-` is NULL. */
char *next_text(struct line *line, struct arena *arena, size_t *length);

void read_value(struct line *line, struct pool *pool);
void read_subject(struct line *line, struct arena *arena, struct subject *subject);
void read_event(struct line *line, const struct pool *pool, struct scene *scene);

#endif
