/* Values as the hook reads them out of an interpreter: this program's own. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Before Python.h, whose macros rename members of the table of functions. */
#include "client/hook/argument_reader.h"

#include <Python.h>

static struct python_api api;
static PyObject *names;
static unsigned char memory[3 * 1024 * 1024];
static struct arena arena;

/* What a Python expression gives, read. The object is kept: values may not point into it. */
static struct value value_of(const char *expression)
{
    struct argument_reader reader = {.api = &api, .arena = &arena, .encoding = text_encoding(&api)};
    PyObject *object = PyRun_String(expression, Py_eval_input, names, names);

    assert_non_null(object);
    arena_init(&arena, memory, sizeof(memory));
    const struct value value = argument_read(&reader, (python_object *)object);
    Py_DECREF(object);
    assert_null(PyErr_Occurred());
    return value;
}

static void assert_bytes(const struct value *value, enum value_kind kind, int marks,
                         const char *bytes, size_t length)
{
    assert_int_equal(value->kind, kind);
    assert_int_equal(value->marks, marks);
    assert_int_equal(value->count, length);
    assert_memory_equal(value->bytes, bytes, length);
}

static int set_up(void **state)
{
    struct elf_object object;

    (void)state;
    Py_Initialize();
    if (!elf_find_definer("PySys_AddAuditHook", &object) || !python_api_load(&api, &object))
        return -1;
    names = PyDict_New();
    PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins());
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    Py_CLEAR(names);
    return Py_FinalizeEx();
}

static void plain_values_are_read_as_they_are(void **state)
{
    (void)state;
    assert_int_equal(value_of("None").kind, VALUE_NONE);
    struct value value = value_of("True");
    assert_true(value.kind == VALUE_BOOL && value.truth);
    value = value_of("-2 ** 63");
    assert_true(value.kind == VALUE_INT && value.integer == INT64_MIN && value.marks == 0);
    value = value_of("1.5");
    assert_true(value.kind == VALUE_FLOAT && fabs(value.real - 1.5) < 1e-9);
    value = value_of("'a\\u20ac\\0b'");
    assert_bytes(&value, VALUE_TEXT, 0, "a\xe2\x82\xac\0b", 6);
    value = value_of("b'x\\xff'");
    assert_bytes(&value, VALUE_BYTES, 0, "x\xff", 2);
}

static void bytes_that_may_be_others_when_they_are_used_are_not_certain(void **state)
{
    (void)state;
    struct value value = value_of("bytearray(b'x\\xff')");
    assert_bytes(&value, VALUE_BYTES, VALUE_OPAQUE, "x\xff", 2);
    value = value_of("type('B', (bytearray,), {})(b'x')");
    assert_bytes(&value, VALUE_BYTES, VALUE_OPAQUE | VALUE_SUBCLASS, "x", 1);
    value = value_of("['sh', bytearray(b'x')]");
    assert_bytes(&value.items[1], VALUE_BYTES, VALUE_OPAQUE, "x", 1);
    value = value_of("memoryview(bytearray(b'x'))");
    assert_true(value.kind == VALUE_OBJECT && value.marks == VALUE_OPAQUE);
}

static void numbers_beyond_64_bits_are_little_endian_and_bounded(void **state)
{
    (void)state;
    struct value value = value_of("2 ** 64 + 1");
    assert_bytes(&value, VALUE_BIG_INT, 0, "\1\0\0\0\0\0\0\0\1", 9);
    value = value_of("2 ** 511");
    assert_int_equal(value.marks, VALUE_CUT);
    value = value_of("-10 ** 5000");
    assert_true(value.kind == VALUE_BIG_INT && value.marks == VALUE_CUT && value.count == 0);
}

static void surrogates_become_the_bytes_they_stand_for(void **state)
{
    (void)state;
    struct value value = value_of("'/\\udcff\\udc80'");
    assert_bytes(&value, VALUE_TEXT, 0, "/\xff\x80", 3);
    value = value_of("'\\ud800'");
    assert_int_equal(value.marks, VALUE_OPAQUE);
}

static PyObject *configured_name;

static python_object *configured(const char *name)
{
    if (strcmp(name, "filesystem_errors") == 0)
        return (python_object *)PyUnicode_FromString("surrogateescape");
    if (!configured_name)
        PyErr_SetString(PyExc_ValueError, name);
    else
        Py_INCREF(configured_name);
    return (python_object *)configured_name;
}

static int marks_of(const char *encoding, const char *errors, const char *expression)
{
    const char **real_encoding = api.filesystem_encoding;
    const char **real_errors = api.filesystem_errors;

    api.filesystem_encoding = &encoding;
    api.filesystem_errors = &errors;
    const int marks = value_of(expression).marks;
    api.filesystem_encoding = real_encoding;
    api.filesystem_errors = real_errors;
    return marks;
}

static void text_that_the_system_may_see_as_another_is_not_certain(void **state)
{
    static const struct {
        const char *encoding;
        const char *errors;
        int ascii;
        int letter;
        int escaped;
        int surrogate;
    } all[] = {
        {"utf-8", "surrogateescape", 0, 0, 0, VALUE_OPAQUE},
        {"utf-8", "strict", 0, 0, 0, VALUE_OPAQUE},
        {"utf-8", "surrogatepass", 0, 0, VALUE_OPAQUE, VALUE_OPAQUE},
        {"ascii", "surrogateescape", 0, VALUE_OPAQUE, 0, VALUE_OPAQUE},
        {"ascii", "replace", 0, VALUE_OPAQUE, VALUE_OPAQUE, VALUE_OPAQUE},
        {"iso8859-1", "surrogateescape", 0, VALUE_OPAQUE, VALUE_OPAQUE, VALUE_OPAQUE},
        {"koi8-r", "surrogateescape", VALUE_OPAQUE, VALUE_OPAQUE, VALUE_OPAQUE, VALUE_OPAQUE},
        {"utf-7", "surrogateescape", VALUE_OPAQUE, VALUE_OPAQUE, VALUE_OPAQUE, VALUE_OPAQUE},
        {NULL, NULL, 0, 0, 0, VALUE_OPAQUE}, /* the interpreter has no codecs yet */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        assert_int_equal(marks_of(all[i].encoding, all[i].errors, "'/a+b'"), all[i].ascii);
        assert_int_equal(marks_of(all[i].encoding, all[i].errors, "'\\xe9'"), all[i].letter);
        assert_int_equal(marks_of(all[i].encoding, all[i].errors, "'\\udcc3'"), all[i].escaped);
        assert_int_equal(marks_of(all[i].encoding, all[i].errors, "'\\ud800'"), all[i].surrogate);
        assert_int_equal(marks_of(all[i].encoding, all[i].errors, "b'\\xe9'"), 0);
    }
}

/* As in a version that has the variables no more. */
static void encoding_that_is_no_variable_is_that_of_the_configuration(void **state)
{
    struct python_api later = api;

    (void)state;
    later.filesystem_encoding = NULL;
    later.PyConfig_Get = NULL;
    assert_int_equal(text_encoding(&later), TEXT_NOT_KNOWN);
    later.PyConfig_Get = configured;
    assert_int_equal(text_encoding(&later), TEXT_NOT_KNOWN);
    assert_null(PyErr_Occurred());
    configured_name = PyUnicode_FromString("utf-8");
    assert_int_equal(text_encoding(&later), TEXT_UTF8);
    Py_SETREF(configured_name,
              PyUnicode_FromString("a name that is longer than any that is compared"));
    assert_int_equal(text_encoding(&later), TEXT_NOT_KNOWN);
    Py_SETREF(configured_name, PyUnicode_FromString("iso8859-1"));
    assert_int_equal(text_encoding(&later), TEXT_ASCII_KNOWN);
    Py_CLEAR(configured_name);
}

static void subclasses_give_what_they_store_and_are_marked(void **state)
{
    (void)state;
    struct value value = value_of(
        "type('T', (str,), {'__str__': lambda s: 'other', '__len__': lambda s: 0})('stored')");
    assert_bytes(&value, VALUE_TEXT, VALUE_SUBCLASS, "stored", 6);
    value =
        value_of("type('L', (list,), {'__iter__': lambda s: 1 / 0, '__len__': lambda s: 0})([7])");
    assert_true(value.kind == VALUE_LIST && value.marks == VALUE_SUBCLASS && value.count == 1);
    assert_int_equal(value.items[0].integer, 7);
}

static void other_objects_go_by_their_types_name(void **state)
{
    (void)state;
    const struct value value =
        value_of("type('Path', (), {'__fspath__': lambda s: '/', '__repr__': lambda s: 1 / 0})()");
    assert_bytes(&value, VALUE_OBJECT, VALUE_OPAQUE, "Path", 4);
}

static void what_is_longer_than_the_bounds_is_cut_and_marked(void **state)
{
    (void)state;
    struct value value = value_of("'x' * 65536");
    assert_true(value.count == VALUE_BYTES_MAX && value.marks == 0);
    value = value_of("'x' * 65535 + '\\u20ac'");
    assert_true(value.count == VALUE_BYTES_MAX && value.marks == VALUE_CUT);
    value = value_of("[0] * 4097");
    assert_true(value.count == VALUE_ITEMS_MAX && value.marks == VALUE_CUT);
    value = value_of("[[0] * 4000] * 10");
    assert_int_equal(value.marks, 0);
    assert_int_equal(value.items[9].marks, VALUE_CUT);
    value = value_of("['x' * 60000] * 20");
    assert_int_equal(value.items[19].marks, VALUE_CUT);
    value = value_of("[[[[[[[[[1]]]]]]]]]");
    for (int depth = 0; depth < VALUE_DEPTH_MAX; depth++)
        value = value.items[0];
    assert_true(value.kind == VALUE_LIST && value.marks == VALUE_CUT && value.count == 0);
}

static void maps_are_pairs_in_order(void **state)
{
    (void)state;
    const struct value value = value_of("{'a': 1, b'b': [2]}");
    assert_true(value.kind == VALUE_MAP && value.count == 2);
    assert_bytes(&value.items[0], VALUE_TEXT, 0, "a", 1);
    assert_int_equal(value.items[1].integer, 1);
    assert_bytes(&value.items[2], VALUE_BYTES, 0, "b", 1);
    assert_int_equal(value.items[3].items[0].integer, 2);
}

static void arguments_that_do_not_fit_are_not_known(void **state)
{
    uint32_t count = 9;
    unsigned char little[64];

    (void)state;
    arena_init(&arena, little, sizeof(little));
    PyObject *args = Py_BuildValue("(s)", "a text that does not fit into so little memory by far");
    assert_null(arguments_read(&api, (python_object *)args, 4, &arena, &count));
    Py_DECREF(args);
    arena_init(&arena, memory, sizeof(memory));
    assert_null(arguments_read(&api, (python_object *)names, 4, &arena, &count));
    assert_non_null(arguments_read(&api, NULL, 4, &arena, &count));
    assert_int_equal(count, 0);
}

/* ------------------------------------------------------------------- free-threaded builds, played
 */

static bool
    emptied; /* another thread empties a list as soon as an element has been taken out of it */

static python_object *take_element(python_object *list, python_size index)
{
    PyObject *element = PyList_GetItem((PyObject *)list, index);

    Py_XINCREF(element);
    if (element && emptied)
        PyList_SetSlice((PyObject *)list, 0, PyList_Size((PyObject *)list), NULL);
    return (python_object *)element;
}

/* As value_of(), in an interpreter that says of itself that it is free-threaded. */
static struct value value_without_lock(const char *expression)
{
    api.free_threaded = true;
    api.PyList_GetItemRef = take_element;
    const struct value value = value_of(expression);
    api.free_threaded = false;
    return value;
}

static void what_other_threads_can_take_away_is_not_looked_at_without_the_lock(void **state)
{
    (void)state;
    struct value value = value_without_lock("bytearray(b'x')");
    assert_bytes(&value, VALUE_BYTES, VALUE_OPAQUE | VALUE_CUT, "", 0);
    value = value_without_lock("type('C', (), {})()");
    assert_bytes(&value, VALUE_OBJECT, VALUE_OPAQUE, "object", 6);
    value = value_without_lock("type('F', (float,), {})(1)");
    assert_bytes(&value, VALUE_OBJECT, VALUE_OPAQUE, "object", 6);
    value = value_without_lock("range(3)");
    assert_bytes(&value, VALUE_OBJECT, VALUE_OPAQUE, "range", 5);
    value = value_without_lock("type('S', (str,), {})('x')");
    assert_bytes(&value, VALUE_TEXT, VALUE_SUBCLASS, "x", 1);
    value = value_without_lock("('a', 1, 2.5, None)");
    assert_int_equal(value.count, 4);
    assert_bytes(&value.items[0], VALUE_TEXT, 0, "a", 1);
}

static void dicts_are_read_from_a_copy_without_the_lock(void **state)
{
    (void)state;
    emptied = false;
    struct value value = value_without_lock("{'a': 'b', 1: {'c': None}}");
    assert_true(value.kind == VALUE_MAP && value.marks == 0 && value.count == 2);
    assert_bytes(&value.items[0], VALUE_TEXT, 0, "a", 1);
    assert_bytes(&value.items[1], VALUE_TEXT, 0, "b", 1);
    assert_int_equal(value.items[2].integer, 1);
    assert_true(value.items[3].kind == VALUE_MAP && value.items[3].count == 1);
    value = value_without_lock("type('D', (dict,), {})(a=1)");
    assert_true(value.kind == VALUE_MAP && value.marks == VALUE_SUBCLASS && value.count == 1);
    value = value_without_lock("dict.fromkeys(range(100000))");
    assert_true(value.kind == VALUE_MAP && value.marks == VALUE_CUT && value.count == 0);
    emptied = true; /* somebody found the copy */
    value = value_without_lock("{'a': 'b', 'c': 'd'}");
    assert_true(value.kind == VALUE_MAP && value.marks == VALUE_CUT && value.count == 1);
    assert_bytes(&value.items[1], VALUE_TEXT, 0, "b", 1);
}

static void element_that_a_list_has_lost_is_read_to_its_end_without_the_lock(void **state)
{
    (void)state;
    PyObject *done = PyRun_String("ended = []\n"
                                  "class C(str):\n"
                                  "    def __del__(self): ended.append(1)\n",
                                  Py_file_input, names, names);
    assert_non_null(done);
    Py_DECREF(done);
    emptied = true;
    struct value value = value_without_lock("[C('x'), 'y']");
    assert_bytes(&value.items[0], VALUE_TEXT, VALUE_SUBCLASS, "x", 1);
    assert_int_equal(value.items[1].marks, VALUE_OPAQUE); /* it was gone */
    assert_int_equal(value_of("len(ended)").integer, 1);
    emptied = false;
    value = value_without_lock("['y', ('z',)]");
    assert_bytes(&value.items[0], VALUE_TEXT, 0, "y", 1);
    assert_bytes(&value.items[1].items[0], VALUE_TEXT, 0, "z", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_values_are_read_as_they_are),
        cmocka_unit_test(bytes_that_may_be_others_when_they_are_used_are_not_certain),
        cmocka_unit_test(numbers_beyond_64_bits_are_little_endian_and_bounded),
        cmocka_unit_test(surrogates_become_the_bytes_they_stand_for),
        cmocka_unit_test(text_that_the_system_may_see_as_another_is_not_certain),
        cmocka_unit_test(encoding_that_is_no_variable_is_that_of_the_configuration),
        cmocka_unit_test(subclasses_give_what_they_store_and_are_marked),
        cmocka_unit_test(other_objects_go_by_their_types_name),
        cmocka_unit_test(what_is_longer_than_the_bounds_is_cut_and_marked),
        cmocka_unit_test(maps_are_pairs_in_order),
        cmocka_unit_test(arguments_that_do_not_fit_are_not_known),
        cmocka_unit_test(what_other_threads_can_take_away_is_not_looked_at_without_the_lock),
        cmocka_unit_test(dicts_are_read_from_a_copy_without_the_lock),
        cmocka_unit_test(element_that_a_list_has_lost_is_read_to_its_end_without_the_lock),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
