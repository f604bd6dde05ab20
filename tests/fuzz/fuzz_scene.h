/* An event and a subject, made from whatever bytes a fuzzer has left. */
#ifndef WARDER_TESTS_FUZZ_FUZZ_SCENE_H
#define WARDER_TESTS_FUZZ_FUZZ_SCENE_H

#include <stddef.h>
#include <stdint.h>

#include "policies/engine/event.h"
#include "policies/engine/subject.h"

enum { SCENE_ARGUMENTS_MAX = 8, SCENE_ITEMS_MAX = 256 };

/* What is left of the input; beyond its end everything is 0. */
struct input {
    const uint8_t *data;
    size_t size;
};

struct scene {
    struct subject subject;
    struct event event;
    struct operation operations[EVENT_OPERATIONS_MAX];
    struct attribute attributes[EVENT_OPERATIONS_MAX][EVENT_ATTRIBUTES_MAX];
    struct value arguments[SCENE_ARGUMENTS_MAX];
    struct value items[SCENE_ITEMS_MAX];
    size_t item_count;
};

uint8_t next_byte(struct input *input);

/* A subject and an event of the catalogue, or of none, without operations. */
void next_scene(struct input *input, struct scene *scene);
/* Adds an operation of a class, with some of its attributes. */
void next_operation(struct input *input, struct scene *scene, enum operation_class operation_class);

#endif
