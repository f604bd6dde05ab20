/* Subjects and events out of lines of a test file. */
#ifndef WARDER_TESTS_UNIT_SCENE_FIXTURE_H
#define WARDER_TESTS_UNIT_SCENE_FIXTURE_H

#include "policies/language/storage.h"
#include "policies/scene/scene_event.h"

/* What stands in one test, and its first expectation. */
struct staged {
    struct storage storage;
    struct givens givens;
    struct scene_subject subject;
    struct event event;
    char *said; /* the checker's messages; "" if none */
    bool made;
};

/* `lines` are `given` and `session` lines, `stated` is what `expect` says of what happens. To be
 * struck with staged_deinit. */
void staged_init(struct staged *staged, const char *lines, const char *stated);
void staged_deinit(struct staged *staged);

#endif
