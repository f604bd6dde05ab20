/* Policies and events for tests, made in a line or two. A test fails where a policy that should
 * compile does not. */
#ifndef WARDER_TESTS_UNIT_POLICY_FIXTURE_H
#define WARDER_TESTS_UNIT_POLICY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policies/engine/evaluate.h"
#include "policies/language/compile.h"

/* 2026-06-15, in days since 1970-01-01: the day on which events of tests happen. */
enum { SCENE_TODAY = 20619 };

enum { SCENE_ARGUMENTS_MAX = 8, SCENE_ITEMS_MAX = 64, SCENE_GOVERNING_MAX = 64 };

/* One event by one subject. */
struct scene {
    struct subject subject;
    struct event event;
    struct operation operations[EVENT_OPERATIONS_MAX];
    struct attribute attributes[EVENT_OPERATIONS_MAX][EVENT_ATTRIBUTES_MAX];
    struct value arguments[SCENE_ARGUMENTS_MAX];
    struct value items[SCENE_ITEMS_MAX]; /* of the lists in values */
    size_t item_count;
};

/* The block of one text, of tier local; to be freed. The test fails if it does not compile. */
struct policy_block *compiled(const char *text);
struct policy_block *compiled_texts(const struct policy_text *texts, size_t count,
                                    const struct compile_options *options);
struct policy_text local_text(const char *text);

/* What the checker says of a text, to be freed; "" if nothing. `counts` may be NULL. */
char *messages_of(const char *text, size_t *errors, size_t *warnings);

/* An event that the catalogue knows, without operations. The subject is alice with two groups, and
 * has every place. */
void scene_init(struct scene *scene, const char *event);
/* Adds an operation; attributes go to the last one. */
void scene_operation(struct scene *scene, enum operation_class operation_class);
struct attribute *scene_value(struct scene *scene, enum attribute_name name, struct value value);
struct attribute *scene_text(struct scene *scene, enum attribute_name name, const char *text);
struct attribute *scene_path(struct scene *scene, enum attribute_name name, const char *written,
                             const char *resolved);
void scene_argument(struct scene *scene, struct value value);

struct value text_of(const char *text);
struct value marked(struct value value, uint8_t marks);
/* A list of texts, ending with NULL. */
struct value list_of(struct scene *scene, ...);
/* A map of keys and texts in turn, ending with NULL. */
struct value map_of(struct scene *scene, ...);
struct value ipv4(const char *four_bytes);

/* Every policy of the block governs. */
struct judgement judge(const struct policy_block *block, const struct scene *scene);
/* The same for a policy of one text. */
struct judgement judge_text(const char *text, const struct scene *scene);

/* `deny p.rule`, `allow p.default`, `allow`, with `?` behind it where the rule fired because it
 * could not know; good until the next call. */
const char *described(const struct policy_block *block, const struct judgement *judgement);
#define assert_judged(block, scene, expected)                                                      \
    do {                                                                                           \
        const struct judgement judgement_ = judge((block), (scene));                               \
        assert_string_equal(described((block), &judgement_), (expected));                          \
    } while (0)

#endif
