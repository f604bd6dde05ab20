#include "daemon/session/wishes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit_test.h"

enum {
    MANY = 100,
};

static Warder__V1__PolicyText text_of(const char *text, size_t length)
{
    Warder__V1__PolicyText policy = WARDER__V1__POLICY_TEXT__INIT;
    policy.file = text_field("file.warder");
    policy.text = bytes_field(text, length);
    return policy;
}

/* Refused with these words. */
static void assert_refused(const Warder__V1__Wishes *message, const char *words)
{
    char *error = NULL;
    struct wishes *wishes = wishes_new(message, &error);

    assert_null(wishes);
    assert_non_null(error);
    if (!strstr(error, words))
        fail_msg("%s\nwithout: %s", error, words);
    free(error);
}

static void no_wishes_are_wishes_too(void **state)
{
    (void)state;
    char *error;
    struct wishes *wishes = wishes_new(NULL, &error);

    assert_non_null(wishes);
    assert_null(wishes->block);
    assert_int_equal(wishes->policy_name_count + wishes->label_count, 0);
    wishes_release(wishes_hold(wishes));
    wishes_release(wishes);
}

static void texts_are_compiled_and_names_and_labels_kept(void **state)
{
    (void)state;
    const char source[] = "policy p { deny exec as e }\npolicy q { deny fork as f }";
    Warder__V1__Wishes message = WARDER__V1__WISHES__INIT;
    Warder__V1__PolicyText text = text_of(source, strlen(source));
    Warder__V1__PolicyText *texts[] = {&text};
    Warder__V1__Label label = WARDER__V1__LABEL__INIT;
    Warder__V1__Label *labels[] = {&label};
    ProtobufCBinaryData name = text_field("local/p");
    char *error;

    label.name = text_field("role");
    label.value = text_field("plugin");
    message.policy_texts = texts;
    message.labels = labels;
    message.policy_names = &name;
    message.n_policy_texts = message.n_labels = message.n_policy_names = 1;
    message.observe = message.record = true;
    struct wishes *wishes = wishes_new(&message, &error);
    assert_non_null(wishes);
    assert_int_equal(policy_block_policy_count(wishes->block), 2);
    assert_true(policy_observes(wishes->block, 0));
    assert_string_equal(wishes->policy_names[0], "local/p");
    assert_string_equal(wishes->labels[0].name, "role");
    assert_string_equal(wishes->labels[0].value, "plugin");
    assert_true(wishes->observe && wishes->record);
    wishes_release(wishes);
}

static void of_many_mistakes_in_a_text_some_are_said(void **state)
{
    char source[4096];
    char *error = NULL;
    size_t said = 0;
    int length = snprintf(source, sizeof(source), "policy p {");
    Warder__V1__Wishes message = WARDER__V1__WISHES__INIT;

    (void)state;
    for (int i = 0; i < MANY; i++)
        length += snprintf(source + length, sizeof(source) - (size_t)length, " deny nothing%d", i);
    Warder__V1__PolicyText text = text_of(source, (size_t)length);
    Warder__V1__PolicyText *texts[] = {&text};
    message.policy_texts = texts;
    message.n_policy_texts = 1;
    assert_null(wishes_new(&message, &error));
    assert_non_null(error);
    for (const char *at = error; (at = strstr(at, ": error[")); at++)
        said++;
    assert_int_equal(said, WISHES_DIAGNOSTICS_MAX);
    free(error);
}

static void texts_that_do_not_check_are_refused_in_the_checker_s_words(void **state)
{
    (void)state;
    const char source[] = "policy p { deny exce as e }";
    Warder__V1__Wishes message = WARDER__V1__WISHES__INIT;
    Warder__V1__PolicyText text = text_of(source, strlen(source));
    Warder__V1__PolicyText *texts[] = {&text};

    message.policy_texts = texts;
    message.n_policy_texts = 1;
    assert_refused(&message, "file.warder:1:17: error[");
}

static void more_than_64_KiB_of_texts_are_refused(void **state)
{
    (void)state;
    static char source[WISHES_TEXT_MAX / 2 + 1];
    Warder__V1__Wishes message = WARDER__V1__WISHES__INIT;

    memset(source, '#', sizeof(source));
    Warder__V1__PolicyText text = text_of(source, sizeof(source));
    Warder__V1__PolicyText *texts[] = {&text, &text};
    message.policy_texts = texts;
    message.n_policy_texts = 2;
    assert_refused(&message, "longer than 64 KiB together");
}

static void texts_that_take_too_much_memory_are_refused(void **state)
{
    (void)state;
    static char source[WISHES_TEXT_MAX];
    Warder__V1__Wishes message = WARDER__V1__WISHES__INIT;
    size_t used = (size_t)snprintf(source, sizeof(source), "policy p {\n set s = [\"/\"");

    for (int i = 0; used < sizeof(source) / 2; i++)
        used += (size_t)snprintf(source + used, sizeof(source) - used, ", \"/%x\"", (unsigned)i);
    used += (size_t)snprintf(source + used, sizeof(source) - used, "]\n");
    for (int i = 0; used < sizeof(source) - 64; i++)
        used += (size_t)snprintf(source + used, sizeof(source) - used,
                                 " deny read where path in s as r%d\n", i);
    used += (size_t)snprintf(source + used, sizeof(source) - used, "}\n");

    Warder__V1__PolicyText text = text_of(source, used);
    Warder__V1__PolicyText *texts[] = {&text};
    message.policy_texts = texts;
    message.n_policy_texts = 1;
    assert_refused(&message, "memory");
}

static void too_many_and_too_long_ones_are_refused(void **state)
{
    (void)state;
    static char endless[WISHES_LABEL_LENGTH_MAX + 1];
    Warder__V1__Wishes message = WARDER__V1__WISHES__INIT;
    ProtobufCBinaryData names[MANY];
    Warder__V1__Label label = WARDER__V1__LABEL__INIT;
    Warder__V1__Label *labels[MANY];
    Warder__V1__PolicyText text = text_of("", 0);
    Warder__V1__PolicyText *texts[MANY];

    memset(endless, 'x', sizeof(endless));
    for (int i = 0; i < MANY; i++) {
        names[i] = text_field("p");
        labels[i] = &label;
        texts[i] = &text;
    }
    message.policy_names = names;
    message.n_policy_names = WISHES_NAMES_MAX + 1;
    assert_refused(&message, "too many policies");
    names[0] = bytes_field(endless, WISHES_NAME_LENGTH_MAX + 1);
    message.n_policy_names = 1;
    assert_refused(&message, "too long, or no text");
    names[0] = bytes_field("a\0b", 3);
    assert_refused(&message, "too long, or no text");
    message.n_policy_names = 0;
    message.labels = labels;
    message.n_labels = WISHES_LABELS_MAX + 1;
    assert_refused(&message, "too many labels");
    label.value = bytes_field(endless, sizeof(endless));
    message.n_labels = 1;
    assert_refused(&message, "a label is too long");
    message.n_labels = 0;
    message.policy_texts = texts;
    message.n_policy_texts = WISHES_NAMES_MAX + 1;
    assert_refused(&message, "too many policy texts");
}

static void wishes_are_charged_for_as_long_as_they_live(void **state)
{
    (void)state;
    const char source[] = "policy p { deny exec as e }";
    Warder__V1__Wishes message = WARDER__V1__WISHES__INIT;
    Warder__V1__PolicyText text = text_of(source, strlen(source));
    Warder__V1__PolicyText *texts[] = {&text};
    struct user_accounts accounts = {.bounds = {[CHARGE_BYTES] = 100}};
    struct user_account *account = user_account_of(&accounts, 1);
    char *error;

    message.policy_texts = texts;
    message.n_policy_texts = 1;
    struct wishes *wishes = wishes_new(&message, &error);
    assert_false(wishes_charge(wishes, &accounts, account));
    accounts.bounds[CHARGE_BYTES] = 1U << 20;
    assert_true(wishes_charge(wishes, &accounts, account));
    assert_true(account->held[CHARGE_BYTES] > policy_block_size(wishes->block));
    wishes_release(wishes_hold(wishes));
    assert_true(account->held[CHARGE_BYTES] > 0);
    wishes_release(wishes);
    assert_int_equal(account->held[CHARGE_BYTES], 0);
    user_accounts_deinit(&accounts);
}

/* Wishes with this label alone, charged to nobody. */
static struct wishes *labelled(const char *value)
{
    Warder__V1__Wishes message = WARDER__V1__WISHES__INIT;
    Warder__V1__Label label = WARDER__V1__LABEL__INIT;
    Warder__V1__Label *labels[] = {&label};
    char *error;

    label.name = text_field("role");
    label.value = text_field(value);
    message.labels = labels;
    message.n_labels = 1;
    return wishes_new(&message, &error);
}

static void lists_hold_each_wish_once_and_say_when_they_are_full(void **state)
{
    (void)state;
    struct wish_list list = {.count = 0};
    struct wish_list copy = {.count = 0};
    char value[16];
    char *error;

    struct wishes *none = wishes_new(NULL, &error);
    assert_true(wish_list_add(&list, NULL) && wish_list_add(&list, none));
    assert_int_equal(list.count, 0);
    wishes_release(none);
    for (int i = 0; i <= WISHES_TOGETHER_MAX; i++) {
        snprintf(value, sizeof(value), "%d", i);
        struct wishes *one = labelled(value);
        struct wishes *same = labelled(value);
        assert_int_equal(wish_list_add(&list, one), i < WISHES_TOGETHER_MAX);
        assert_int_equal(wish_list_add(&list, same), i < WISHES_TOGETHER_MAX);
        assert_int_equal(same->references, 1);
        wishes_release(one);
        wishes_release(same);
    }
    assert_int_equal(list.count, WISHES_TOGETHER_MAX);
    assert_true(wish_list_join(&copy, &list) && wish_list_join(&copy, &list));
    assert_int_equal(copy.count, WISHES_TOGETHER_MAX);
    assert_int_equal(copy.items[0]->references, 2);
    wish_list_release(&list);
    assert_int_equal(list.count, 0);
    wish_list_release(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_wishes_are_wishes_too),
        cmocka_unit_test(texts_are_compiled_and_names_and_labels_kept),
        cmocka_unit_test(texts_that_do_not_check_are_refused_in_the_checker_s_words),
        cmocka_unit_test(of_many_mistakes_in_a_text_some_are_said),
        cmocka_unit_test(more_than_64_KiB_of_texts_are_refused),
        cmocka_unit_test(texts_that_take_too_much_memory_are_refused),
        cmocka_unit_test(too_many_and_too_long_ones_are_refused),
        cmocka_unit_test(wishes_are_charged_for_as_long_as_they_live),
        cmocka_unit_test(lists_hold_each_wish_once_and_say_when_they_are_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
