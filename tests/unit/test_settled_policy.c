/* What is handed to a process settles events, and what is forged settles none. */
#define _GNU_SOURCE
#include "client/hook/settled_policy.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/hook/event_table.h"
#include "policy_fixture.h"
#include "proto/generation_page.h"
#include "proto/memory_file.h"
#include "proto/siphash.h"

static const char text[] =
    "policy p {\n"
    "deny write where path under \"/denied\" as no  log write where path under \"/logged\" as l\n"
    "deny exec where file is \"/bin/true\" and user is \"alice\" as alice\n"
    "}\n"
    "policy q { mode observe  deny write where path under \"/watched\" as w }\n";

static const unsigned char key[SIPHASH_KEY_SIZE] = "0123456789abcde";

struct fixture {
    struct generation_page *page;
    int page_file;
    struct policy_block *block;
    Warder__V1__PolicyHandout message;
    Warder__V1__HandoutPart part;
    Warder__V1__HandoutPart *parts[1];
    Warder__V1__Subject subject;
    uint32_t policies[2];
    unsigned char tag[SIPHASH_TAG_SIZE];
};

static void tag_block(struct fixture *fixture, const unsigned char *under)
{
    struct siphash hash;

    siphash_init(&hash, under);
    siphash_update(&hash, fixture->block, policy_block_size(fixture->block));
    siphash_final(&hash, fixture->tag);
    fixture->message.tag = bytes_field(fixture->tag, sizeof(fixture->tag));
}

static void make(struct fixture *fixture)
{
    memset(fixture, 0, sizeof(*fixture));
    fixture->page = generation_page_new(&fixture->page_file);
    assert_non_null(fixture->page);
    fixture->block = compiled(text);
    warder__v1__policy_handout__init(&fixture->message);
    warder__v1__handout_part__init(&fixture->part);
    warder__v1__subject__init(&fixture->subject);
    fixture->policies[1] = 1;
    fixture->part.size = fixture->message.size = policy_block_size(fixture->block);
    fixture->part.n_policies = policy_block_policy_count(fixture->block);
    fixture->part.policies = fixture->policies;
    fixture->parts[0] = &fixture->part;
    fixture->message.parts = fixture->parts;
    fixture->message.n_parts = 1;
    fixture->message.epoch = 1;
    fixture->message.page = true;
    fixture->subject.facts = 1;
    fixture->subject.user = text_field("alice");
    fixture->message.subject = &fixture->subject;
    fixture->page->epoch = 1;
}

static void end(struct fixture *fixture)
{
    generation_page_free(fixture->page, fixture->page_file);
    policy_block_free(fixture->block);
}

static int block_file(const struct fixture *fixture)
{
    const int file = memory_file_new(fixture->block, policy_block_size(fixture->block));
    assert_true(file >= 0);
    return file;
}

/* As in the first Welcome. */
static void take_first(struct fixture *fixture, int file)
{
    struct handout handout = {
        .message = &fixture->message,
        .descriptors = {file, fcntl(fixture->page_file, F_DUPFD_CLOEXEC, 0), -1}};
    settled_policy_take(&handout);
}

/* As in the Welcome of a forked child, or for another generation. */
static void take_later(struct fixture *fixture, int file, const unsigned char *under)
{
    struct handout handout = {
        .message = &fixture->message, .key = key, .descriptors = {file, -1, -1}};

    tag_block(fixture, under);
    settled_policy_take(&handout);
}

static enum settlement settle(const char *path)
{
    struct scene scene;

    scene_init(&scene, "os.remove");
    scene_operation(&scene, CLASS_WRITE);
    scene_path(&scene, ATTRIBUTE_PATH, path, path);
    return settled_policy_judge(&scene.event);
}

static void only_what_is_allowed_is_settled(void **state)
{
    struct fixture fixture;
    struct scene scene;

    (void)state;
    make(&fixture);
    assert_true(settled_policy_is_possible());
    assert_int_equal(settle("/fine"), SETTLED_NOT);
    take_first(&fixture, block_file(&fixture));
    assert_int_equal(settle("/fine"), SETTLED_SILENTLY);
    assert_int_equal(settle("/logged/x"), SETTLED_RECORDED);
    assert_int_equal(settle("/denied/x"), SETTLED_NOT);
    assert_int_equal(settle("/watched/x"), SETTLED_NOT);

    scene_init(&scene, "os.remove");
    scene_operation(&scene, CLASS_WRITE);
    scene_value(&scene, ATTRIBUTE_PATH, marked(text_of("/fine"), VALUE_OPAQUE));
    assert_int_equal(settled_policy_judge(&scene.event), SETTLED_NOT);

    scene_init(&scene, "os.exec"); /* the session's facts count */
    scene_operation(&scene, CLASS_EXEC);
    scene_path(&scene, ATTRIBUTE_FILE, "/bin/true", "/bin/true");
    assert_int_equal(settled_policy_judge(&scene.event), SETTLED_NOT);

    assert_true(event_table_skips("pickle.find_class"));
    assert_false(event_table_skips("os.remove"));
    assert_false(event_table_skips("cpython._PySys_ClearAuditHooks"));
    assert_false(event_table_skips("os.putenv"));
    assert_false(event_table_skips("os.fork"));
    assert_false(event_table_skips("warder.verify"));
    assert_true(event_table_skips("of.a.program"));
    end(&fixture);
}

static void buffer_that_is_used_again_is_read_again(void **state)
{
    struct fixture fixture;
    char name[32];

    (void)state;
    make(&fixture);
    take_first(&fixture, block_file(&fixture));
    for (int i = 0; i < 3; i++) {
        strcpy(name, "pickle.find_class");
        assert_true(event_table_skips(name));
        strcpy(name, "os.remove");
        assert_false(event_table_skips(name));
    }
    end(&fixture);
}

static void another_generation_ends_it_at_once(void **state)
{
    struct fixture fixture;

    (void)state;
    make(&fixture);
    take_first(&fixture, block_file(&fixture));
    assert_false(settled_policy_is_stale());
    fixture.page->epoch = 2;
    assert_int_equal(settle("/fine"), SETTLED_NOT);
    assert_false(event_table_skips("pickle.find_class"));
    assert_true(settled_policy_is_stale());
    fixture.message.epoch = 2;
    fixture.message.page = false;
    take_later(&fixture, block_file(&fixture), key);
    assert_int_equal(settle("/fine"), SETTLED_SILENTLY);
    assert_true(event_table_skips("pickle.find_class"));
    assert_false(settled_policy_is_stale());
    /* One that is over already when it comes. */
    fixture.page->epoch = 4;
    fixture.message.epoch = 3;
    take_later(&fixture, block_file(&fixture), key);
    assert_int_equal(settle("/fine"), SETTLED_NOT);
    end(&fixture);
    assert_int_equal(settle("/fine"), SETTLED_NOT); /* nor any more once its daemon is gone */
    assert_false(settled_policy_is_stale());
}

static void forged_policies_settle_nothing(void **state)
{
    static const unsigned char other[SIPHASH_KEY_SIZE] = "another key ....";
    struct fixture fixture;

    (void)state;
    for (int forgery = 0; forgery < 9; forgery++) {
        make(&fixture);
        take_first(&fixture, block_file(&fixture));
        fixture.page->epoch = fixture.message.epoch = 2;
        int file = block_file(&fixture);
        switch (forgery) {
        case 0: /* a tag under another key */
            take_later(&fixture, file, other);
            break;
        case 1: { /* another policy than was tagged */
            CLEANUP(policy_block_free) struct policy_block *mine = compiled("policy p { }");
            close(file);
            file = memory_file_new(mine, policy_block_size(mine));
            take_later(&fixture, file, key);
            break;
        }
        case 2: /* a file that can still be written to */
            close(file);
            file = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
            assert_int_equal(write(file, fixture.block, policy_block_size(fixture.block)),
                             policy_block_size(fixture.block));
            take_later(&fixture, file, key);
            break;
        case 3: /* a part beyond the file */
            fixture.part.offset = 8;
            take_later(&fixture, file, key);
            break;
        case 4: /* a policy that there is not */
            fixture.policies[0] = 2;
            take_later(&fixture, file, key);
            break;
        case 5: /* no file */
            close(file);
            take_later(&fixture, -1, key);
            break;
        case 6: /* no subject */
            fixture.message.subject = NULL;
            take_later(&fixture, file, key);
            break;
        case 7: /* a size that is not the file's */
            fixture.message.size -= 8;
            take_later(&fixture, file, key);
            break;
        default: /* no block, rightly tagged */
            memset(fixture.block, 'x', 8);
            close(file);
            file = block_file(&fixture);
            take_later(&fixture, file, key);
            break;
        }
        assert_int_equal(settle("/fine"), SETTLED_NOT);
        assert_false(event_table_skips("pickle.find_class"));
        assert_false(settled_policy_is_stale()); /* it is not fetched again and again */
        end(&fixture);
    }
}

static void page_of_somebody_else_is_not_taken(void **state)
{
    struct fixture fixture;

    (void)state;
    make(&fixture);
    take_first(&fixture, block_file(&fixture));
    /* A second page, with a handout that is the session's otherwise: a forked child's Welcome. */
    int forged_file;
    struct generation_page *forged = generation_page_new(&forged_file);
    assert_non_null(forged);
    forged->epoch = 1;
    fixture.page->epoch = 2;
    struct handout handout = {.message = &fixture.message,
                              .key = key,
                              .descriptors = {block_file(&fixture), forged_file, -1}};
    tag_block(&fixture, key);
    settled_policy_take(&handout);
    assert_int_equal(settle("/fine"), SETTLED_NOT);
    generation_page_free(forged, -1);
    end(&fixture);
}

static void file_that_anybody_could_write_is_no_page(void **state)
{
    struct fixture fixture;

    (void)state;
    make(&fixture);
    const int file = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(pwrite(file, fixture.page, GENERATION_PAGE_SIZE, 0), GENERATION_PAGE_SIZE);
    struct handout handout = {.message = &fixture.message,
                              .descriptors = {block_file(&fixture), file, -1}};
    settled_policy_take(&handout);
    assert_int_equal(settle("/fine"), SETTLED_NOT);
    end(&fixture);
}

static void forked_child_settles_nothing_until_it_is_handed_its_own(void **state)
{
    struct fixture fixture;
    int status = 0;

    (void)state;
    make(&fixture);
    take_first(&fixture, block_file(&fixture));
    const pid_t child = fork();
    if (child == 0) {
        int wrong = settle("/fine") != SETTLED_NOT || event_table_skips("pickle.find_class");
        settled_policy_become_child();
        wrong |= settle("/fine") != SETTLED_NOT;
        fixture.message.page = false;
        take_later(&fixture, block_file(&fixture), key);
        wrong |= settle("/fine") != SETTLED_SILENTLY || settle("/denied/x") != SETTLED_NOT;
        _exit(wrong);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(settle("/fine"), SETTLED_SILENTLY);
    end(&fixture);
}

static void *judge_for_a_while(void *data)
{
    const _Atomic bool *over = data;
    uintptr_t wrong = 0;

    while (!*over) {
        wrong |= settle("/denied/x") != SETTLED_NOT;
        (void)settle("/fine");
        wrong |= event_table_skips("os.remove");
    }
    return (void *)wrong;
}

static void generations_that_come_while_threads_judge_do_no_harm(void **state)
{
    enum { THREADS = 3, GENERATIONS = 300 };
    static _Atomic bool over;
    pthread_t threads[THREADS];
    struct fixture fixture;
    unsigned settled = 0;

    (void)state;
    make(&fixture);
    take_first(&fixture, block_file(&fixture));
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, judge_for_a_while, &over), 0);
    fixture.message.page = false;
    for (int i = 0; i < GENERATIONS; i++) {
        fixture.message.epoch++;
        fixture.page->epoch++;
        take_later(&fixture, block_file(&fixture), key);
        settled += settle("/fine") == SETTLED_SILENTLY;
    }
    over = true;
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    assert_true(settled > 0);
    end(&fixture);
}

static void writes_are_looked_at_where_the_hook_file_is_kept(void **state)
{
    struct fixture fixture;

    (void)state;
    make(&fixture);
    policy_block_free(fixture.block);
    fixture.block = compiled("policy p { deny exec as no-exec }");
    fixture.part.size = fixture.message.size = policy_block_size(fixture.block);
    fixture.part.n_policies = 1;
    take_first(&fixture, block_file(&fixture));
    assert_int_equal(event_table_skips("os.rename"), EVENT_SKIPPED);
    assert_int_equal(event_table_skips("open"), EVENT_SKIPPED);
    fixture.message.keeps_hook_file = true;
    take_first(&fixture, block_file(&fixture));
    assert_int_equal(event_table_skips("os.rename"), EVENT_LOOKED_AT);
    assert_int_equal(event_table_skips("open"), EVENT_READ_SKIPPED);
    assert_int_equal(event_table_skips("pickle.find_class"), EVENT_SKIPPED);
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_allowed_is_settled),
        cmocka_unit_test(buffer_that_is_used_again_is_read_again),
        cmocka_unit_test(writes_are_looked_at_where_the_hook_file_is_kept),
        cmocka_unit_test(another_generation_ends_it_at_once),
        cmocka_unit_test(forged_policies_settle_nothing),
        cmocka_unit_test(page_of_somebody_else_is_not_taken),
        cmocka_unit_test(file_that_anybody_could_write_is_no_page),
        cmocka_unit_test(forked_child_settles_nothing_until_it_is_handed_its_own),
        cmocka_unit_test(generations_that_come_while_threads_judge_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
