/* Floors built by hand, and what it takes to try one: processes that they end with, two
 * directories, a filter of one call. */
#ifndef WARDER_TESTS_UNIT_FLOOR_FIXTURE_H
#define WARDER_TESTS_UNIT_FLOOR_FIXTURE_H

#include <errno.h>
#include <linux/filter.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "client/floor/floor.h"
#include "client/floor/kernel_landlock.h"
#include "policies/engine/vocabulary.h"
#include "unit_test.h"

enum {
    PATHS_MAX = 8,
    ABI_NEWEST = 7,
};

#define CLASS(name) (UINT32_C(1) << CLASS_##name)

/* A floor built by hand, with memory for what it points to. */
struct example {
    Warder__V1__Floor floor;
    Warder__V1__FloorPath paths[PATHS_MAX];
    Warder__V1__FloorPath *pointers[PATHS_MAX];
};

/* A filter that answers one system call with an errno, and lets every other through. */
struct one_call_filter {
    struct sock_filter program[4];
};

/* Two directories: the first in the floor, the other not. */
struct places {
    char root[64];
    char in[96];
    char out[96];
};

/* In a child: true, or the child ends with the number of the line as its word. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s (errno %d)\n", __FILE__, __LINE__, #condition,      \
                    errno);                                                                        \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

#define CHECK_ERROR(call, number)                                                                  \
    do {                                                                                           \
        errno = 0;                                                                                 \
        CHECK((call) < 0 && errno == (number));                                                    \
    } while (0)

void example_init(struct example *example, uint32_t classes);

void example_path(struct example *example, const char *path, uint32_t classes);

ProtobufCBinaryData one_call_filter(struct one_call_filter *filter, unsigned call, int error);

/* Runs a part of a test in a process of its own, that what it takes ends with it. */
void in_child(void (*part)(void *), void *data);

struct floor_taken take_at(const struct example *example, enum floor_stage stage, int abi);

struct floor_taken take(const struct example *example);

long raw_open(const char *path, int flags);

void places_make(struct places *places);

void places_remove(const struct places *places);

bool kernel_has(int abi);

#endif
