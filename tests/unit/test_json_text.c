#include "daemon/audit/json_text.h"

#include <stdlib.h>
#include <string.h>

#include "unit_test.h"

/* What jansson makes of it is what we make of it. Takes the reference. */
static void same(struct json_text *text, json_t *json)
{
    char *expected = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);

    assert_non_null(expected);
    assert_string_equal(json_text_of(text, json), expected);
    assert_int_equal(text->length, strlen(expected));
    free(expected);
    json_decref(json);
}

static void every_kind_is_written_as_jansson_writes_it(void **state)
{
    struct json_text text = {.bytes = NULL};
    (void)state;

    same(&text, json_object());
    same(&text, json_array());
    same(&text, json_null());
    same(&text, json_pack("[b,b,n]", 1, 0));
    same(&text, json_pack("[I,I,I]", (json_int_t)INT64_MIN, (json_int_t)INT64_MAX, (json_int_t)0));
    same(&text, json_pack("[f,f,f,f,f]", 0.1, -1e300, 1.0, 5e-324, 123456789012345678.0));
    same(&text, json_pack("{s:{s:[s,{s:s}]},s:s}", "a", "b", "c", "d", "e", "f \"g\"", "h\\"));
    json_text_deinit(&text);
}

static void every_character_is_escaped_as_jansson_does(void **state)
{
    struct json_text text = {.bytes = NULL};
    char all[128];
    (void)state;

    for (int i = 0; i < 128; i++)
        all[i] = (char)i;
    same(&text, json_stringn(all, sizeof(all))); /* with the NUL */
    same(&text, json_string("caf\xc3\xa9 \xf0\x9f\x90\x8d \xe2\x80\xa8"));
    same(&text, json_pack("{s:s}", "key \"\n\x7f", ""));
    json_text_deinit(&text);
}

static void long_texts_and_many_values_fit(void **state)
{
    struct json_text text = {.bytes = NULL};
    char *bytes = malloc(100000);
    json_t *list = json_array();
    (void)state;

    memset(bytes, '"', 100000);
    same(&text, json_stringn(bytes, 100000));
    for (int i = 0; i < 10000; i++)
        json_array_append_new(list, json_stringn(bytes, (size_t)(i % 17)));
    same(&text, list);
    same(&text, json_string("short again"));
    free(bytes);
    json_text_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_written_as_jansson_writes_it),
        cmocka_unit_test(every_character_is_escaped_as_jansson_does),
        cmocka_unit_test(long_texts_and_many_values_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
