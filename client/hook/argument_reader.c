#include "client/hook/argument_reader.h"

#include <limits.h>
#include <string.h>

/* Py_TPFLAGS_*_SUBCLASS (Include/object.h, the same from 3.0 on). */
#define FLAG_IMMUTABLE (1UL << 8) /* from 3.10 */
#define FLAG_LONG (1UL << 24)
#define FLAG_LIST (1UL << 25)
#define FLAG_TUPLE (1UL << 26)
#define FLAG_BYTES (1UL << 27)
#define FLAG_UNICODE (1UL << 28)
#define FLAG_DICT (1UL << 29)

enum {
    TYPE_NAME_MAX = 128,    /* bytes of a type's name that are kept */
    BIG_INT_BYTES_MAX = 64, /* of a number beyond 64 bits; a longer one is cut to nothing */
    UTF8_BYTES_MAX = 4,     /* of one character */
};

static struct value cut_value(enum value_kind kind)
{
    return (struct value){.kind = (uint8_t)kind, .marks = VALUE_CUT, .bytes = ""};
}

/* Takes `wanted` bytes from what the event may still copy. */
static size_t allowed_bytes(struct argument_reader *reader, size_t wanted)
{
    size_t left = VALUE_TOTAL_BYTES_MAX - reader->bytes;
    if (left > VALUE_BYTES_MAX)
        left = VALUE_BYTES_MAX;
    const size_t taken = wanted < left ? wanted : left;
    reader->bytes += taken;
    return taken;
}

static struct value copied(struct argument_reader *reader, enum value_kind kind, const char *bytes,
                           size_t length)
{
    const size_t taken = allowed_bytes(reader, length);
    const char *copy = arena_copy(reader->arena, bytes, taken);
    if (!copy)
        return cut_value(kind);
    return (struct value){.kind = (uint8_t)kind,
                          .marks = taken < length ? VALUE_CUT : 0,
                          .count = (uint32_t)taken,
                          .bytes = copy};
}

static struct value read_text(struct argument_reader *reader, python_object *object);

/* False if another thread may give the class another name or other bases at this moment, and free
 * what it had. */
static bool stands_still(const struct python_api *api, python_object *type)
{
    return !api->free_threaded || (api->PyType_GetFlags(type) & FLAG_IMMUTABLE);
}

static struct value opaque_object(struct argument_reader *reader, python_object *object)
{
    static const char any[] = "object";
    const struct python_api *api = reader->api;
    python_object *type = python_type(api, object);
    struct value value = value_unknown();

    if (!stands_still(api, type)) {
        value = copied(reader, VALUE_OBJECT, any, sizeof(any) - 1);
    } else if (api->_PyType_Name) {
        const char *name = api->_PyType_Name(type);
        value = copied(reader, VALUE_OBJECT, name, strnlen(name, TYPE_NAME_MAX));
    } else if (api->PyType_GetName) {
        python_object *name = api->PyType_GetName(type);
        if (name) {
            value = read_text(reader, name);
            value.kind = VALUE_OBJECT;
            api->Py_DecRef(name);
        } else {
            api->PyErr_Clear();
        }
    }
    value.marks |= VALUE_OPAQUE;
    return value;
}

/* -------------------------------------------------------------------------------------- texts */

/* One character as UTF-8. A surrogate that stands for an undecodable byte (PEP 383) becomes that
 * byte again; any other lone surrogate has no bytes: it is written as its code point would be. */
static size_t encode(uint32_t character, char out[UTF8_BYTES_MAX])
{
    if (character < 0x80) {
        out[0] = (char)character;
        return 1;
    }
    if (character < 0x800) {
        out[0] = (char)(0xc0 | (character >> 6));
        out[1] = (char)(0x80 | (character & 0x3f));
        return 2;
    }
    if (text_is_escaped_byte(character)) {
        out[0] = (char)(character & 0xff);
        return 1;
    }
    if (character < 0x10000) {
        out[0] = (char)(0xe0 | (character >> 12));
        out[1] = (char)(0x80 | ((character >> 6) & 0x3f));
        out[2] = (char)(0x80 | (character & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | (character >> 18));
    out[1] = (char)(0x80 | ((character >> 12) & 0x3f));
    out[2] = (char)(0x80 | ((character >> 6) & 0x3f));
    out[3] = (char)(0x80 | (character & 0x3f));
    return 4;
}

static struct value read_text(struct argument_reader *reader, python_object *object)
{
    const struct python_api *api = reader->api;
    const python_size length = api->PyUnicode_GetLength(object);
    size_t used = 0;

    if (length < 0) {
        api->PyErr_Clear();
        return cut_value(VALUE_TEXT);
    }
    size_t wanted = (size_t)length > VALUE_BYTES_MAX ? VALUE_BYTES_MAX : (size_t)length;
    wanted *= UTF8_BYTES_MAX;
    const size_t left = VALUE_TOTAL_BYTES_MAX - reader->bytes;
    size_t size = wanted < left ? wanted : left;
    if (size > VALUE_BYTES_MAX)
        size = VALUE_BYTES_MAX;
    char *text = arena_alloc(reader->arena, size + UTF8_BYTES_MAX);
    if (!text)
        return cut_value(VALUE_TEXT);

    struct value value = {.kind = VALUE_TEXT, .bytes = text};
    /* Where all of it fits, it is read as CPython has it and encoded in its place: no character
     * takes more than it does there. */
    const bool whole = size >= wanted;
    if (whole && length > 0 && !api->PyUnicode_AsUCS4(object, (void *)text, length, 0)) {
        api->PyErr_Clear();
        return cut_value(VALUE_TEXT);
    }
    for (python_size i = 0; i < length; i++) {
        if (used >= size) {
            value.marks |= VALUE_CUT;
            break;
        }
        uint32_t character;
        if (whole)
            memcpy(&character, text + (size_t)i * sizeof(character), sizeof(character));
        else
            character = api->PyUnicode_ReadChar(object, i);
        if (!text_encoding_is_certain(reader->encoding, character))
            value.marks |= VALUE_OPAQUE;
        used += encode(character, text + used);
    }
    if (used > size) { /* the last character crossed the bound */
        used = size;
        value.marks |= VALUE_CUT;
    }
    /* What was not needed goes back to the arena: nothing else was taken from it since. */
    reader->arena->used -= size + UTF8_BYTES_MAX - used;
    reader->bytes += used;
    value.count = (uint32_t)used;
    return value;
}

static struct value read_bytes(struct argument_reader *reader, python_object *object, bool array)
{
    const struct python_api *api = reader->api;

    if (array && api->free_threaded) /* its memory may be gone between two steps of ours */
        return cut_value(VALUE_BYTES);
    const python_size length = array ? api->PyByteArray_Size(object) : api->PyBytes_Size(object);
    const char *bytes = array ? api->PyByteArray_AsString(object) : api->PyBytes_AsString(object);

    if (length < 0 || !bytes) {
        api->PyErr_Clear();
        return cut_value(VALUE_BYTES);
    }
    return copied(reader, VALUE_BYTES, bytes, (size_t)length);
}

/* ------------------------------------------------------------------------------------ numbers */

static struct value read_big_int(struct argument_reader *reader, python_object *object)
{
    const struct python_api *api = reader->api;
    unsigned char bytes[BIG_INT_BYTES_MAX];
    size_t length;

    if (api->PyLong_AsNativeBytes) {
        const python_size needed =
            api->PyLong_AsNativeBytes(object, bytes, sizeof(bytes), 1 /* little-endian */);
        if (needed < 0)
            api->PyErr_Clear();
        if (needed < 0 || (size_t)needed > sizeof(bytes))
            return cut_value(VALUE_BIG_INT);
        length = (size_t)needed;
    } else {
        if (!api->_PyLong_NumBits || !api->_PyLong_AsByteArray)
            return cut_value(VALUE_BIG_INT);
        const size_t bits = api->_PyLong_NumBits(object); /* without the sign */
        length = bits / CHAR_BIT + 1;
        if (bits == SIZE_MAX || length > sizeof(bytes))
            return cut_value(VALUE_BIG_INT);
        if (api->_PyLong_AsByteArray(object, bytes, length, 1, 1) < 0) {
            api->PyErr_Clear();
            return cut_value(VALUE_BIG_INT);
        }
    }
    return copied(reader, VALUE_BIG_INT, (const char *)bytes, length);
}

static struct value read_int(struct argument_reader *reader, python_object *object)
{
    int overflow = 0;
    const long long number = reader->api->PyLong_AsLongLongAndOverflow(object, &overflow);

    return overflow != 0 ? read_big_int(reader, object) : value_int(number);
}

/* --------------------------------------------------------------------------------- containers */

static struct value read_object(struct argument_reader *reader, python_object *object, int depth);

/* An element of a list that may lose it at any moment. */
static struct value read_shared_element(struct argument_reader *reader, python_object *list,
                                        python_size index, int depth)
{
    const struct python_api *api = reader->api;
    python_object *owned = api->PyList_GetItemRef ? api->PyList_GetItemRef(list, index) : NULL;

    if (!owned) {
        api->PyErr_Clear();
        return value_unknown();
    }
    const struct value value = read_object(reader, owned, depth);
    api->Py_DecRef(owned);
    return value;
}

static struct value read_element(struct argument_reader *reader, python_object *sequence,
                                 bool tuple, python_size index, int depth)
{
    const struct python_api *api = reader->api;

    if (!tuple && api->free_threaded)
        return read_shared_element(reader, sequence, index, depth);
    python_object *element =
        tuple ? api->PyTuple_GetItem(sequence, index) : api->PyList_GetItem(sequence, index);
    if (!element) {
        api->PyErr_Clear();
        return value_unknown();
    }
    return read_object(reader, element, depth);
}

static struct value read_sequence(struct argument_reader *reader, python_object *object, bool tuple,
                                  int depth)
{
    const struct python_api *api = reader->api;
    const python_size length = tuple ? api->PyTuple_Size(object) : api->PyList_Size(object);
    struct value value = {.kind = VALUE_LIST};

    if (length < 0) {
        api->PyErr_Clear();
        return cut_value(VALUE_LIST);
    }
    size_t count = (size_t)length;
    if (count > 0 && depth >= VALUE_DEPTH_MAX)
        return cut_value(VALUE_LIST);
    if (count > VALUE_ITEMS_MAX || count > VALUE_NODES_MAX - reader->nodes) {
        const size_t left = VALUE_NODES_MAX - reader->nodes;
        count = left < VALUE_ITEMS_MAX ? left : VALUE_ITEMS_MAX;
        value.marks |= VALUE_CUT;
    }
    struct value *items = arena_zalloc(reader->arena, count, sizeof(*items));
    if (!items)
        return cut_value(VALUE_LIST);
    reader->nodes += count;
    for (size_t i = 0; i < count; i++)
        items[i] = read_element(reader, object, tuple, (python_size)i, depth + 1);
    value.count = (uint32_t)count;
    value.items = items;
    return value;
}

/* The next pair of a dict, borrowed. */
static bool next_pair(const struct python_api *api, python_object *dict, python_size *position,
                      python_object *pair[2])
{
    return api->PyDict_Next(dict, position, &pair[0], &pair[1]) != 0;
}

/* The same of the list of its pairs. It is this thread's, but every thread can find it
 * (gc.get_objects()). `*owned` is what the two are borrowed from. */
static bool next_copied_pair(const struct python_api *api, python_object *pairs,
                             python_size *position, python_object *pair[2], python_object **owned)
{
    *owned = api->PyList_GetItemRef ? api->PyList_GetItemRef(pairs, (*position)++) : NULL;
    if (!*owned) {
        api->PyErr_Clear();
        return false;
    }
    if (python_type(api, *owned) != api->PyTuple_Type || api->PyTuple_Size(*owned) != 2)
        return false;
    pair[0] = api->PyTuple_GetItem(*owned, 0);
    pair[1] = api->PyTuple_GetItem(*owned, 1);
    return pair[0] && pair[1];
}

/* Up to `count` pairs of a dict, or of the list of its pairs; how many there were. */
static size_t read_pairs(struct argument_reader *reader, python_object *source, struct value *items,
                         size_t count, int depth)
{
    const struct python_api *api = reader->api;
    python_size position = 0;
    python_object *pair[2];
    size_t read = 0;
    bool more = true;

    while (more && read < count) {
        python_object *owned = NULL;
        more = api->free_threaded ? next_copied_pair(api, source, &position, pair, &owned)
                                  : next_pair(api, source, &position, pair);
        if (more) {
            items[2 * read] = read_object(reader, pair[0], depth + 1);
            items[2 * read + 1] = read_object(reader, pair[1], depth + 1);
            read++;
        }
        if (owned)
            api->Py_DecRef(owned);
    }
    return read;
}

/* What to read the pairs from: without the lock a copy, made under the dict's own. A new reference;
 * NULL if it cannot be had. */
static python_object *pairs_of(const struct python_api *api, python_object *dict)
{
    if (!api->free_threaded) {
        api->Py_IncRef(dict);
        return dict;
    }
    python_object *pairs = api->PyDict_Items(dict);
    if (!pairs)
        api->PyErr_Clear();
    return pairs;
}

static struct value read_dict(struct argument_reader *reader, python_object *object, int depth)
{
    const struct python_api *api = reader->api;
    struct value value = {.kind = VALUE_MAP};
    size_t count = (size_t)api->PyDict_Size(object);

    if (count > 0 && depth >= VALUE_DEPTH_MAX)
        return cut_value(VALUE_MAP);
    const size_t left = (VALUE_NODES_MAX - reader->nodes) / 2;
    const size_t most = left < VALUE_ITEMS_MAX ? left : VALUE_ITEMS_MAX;
    if (count > most) {
        if (api->free_threaded) /* the whole would be copied */
            return cut_value(VALUE_MAP);
        count = most;
        value.marks |= VALUE_CUT;
    }
    struct value *items = arena_zalloc(reader->arena, 2 * count, sizeof(*items));
    python_object *pairs = items ? pairs_of(api, object) : NULL;
    if (!pairs)
        return cut_value(VALUE_MAP);
    reader->nodes += 2 * count;
    value.count = (uint32_t)read_pairs(reader, pairs, items, count, depth);
    value.items = items;
    /* Another thread has added to it since. */
    if (api->free_threaded && api->PyList_Size(pairs) != (python_size)count)
        value.marks |= VALUE_CUT;
    api->Py_DecRef(pairs);
    return value;
}

/* ---------------------------------------------------------------------------------------- all */

static bool is_kind_of(const struct python_api *api, python_object *type, python_object *builtin)
{
    return type == builtin || (stands_still(api, type) && api->PyType_IsSubtype(type, builtin));
}

static struct value read_by_flags(struct argument_reader *reader, python_object *object,
                                  unsigned long flags, int depth)
{
    if (flags & FLAG_UNICODE)
        return read_text(reader, object);
    if (flags & FLAG_BYTES)
        return read_bytes(reader, object, false);
    if (flags & FLAG_LONG)
        return read_int(reader, object);
    if (flags & (FLAG_TUPLE | FLAG_LIST))
        return read_sequence(reader, object, (flags & FLAG_TUPLE) != 0, depth);
    return read_dict(reader, object, depth);
}

static struct value read_object(struct argument_reader *reader, python_object *object, int depth)
{
    const struct python_api *api = reader->api;
    const unsigned long known =
        FLAG_UNICODE | FLAG_BYTES | FLAG_LONG | FLAG_TUPLE | FLAG_LIST | FLAG_DICT;

    if (object == api->_Py_NoneStruct)
        return value_none();
    if (object == api->_Py_TrueStruct || object == api->_Py_FalseStruct)
        return value_bool(object == api->_Py_TrueStruct);

    python_object *type = python_type(api, object);
    const unsigned long flags = api->PyType_GetFlags(type) & known;
    struct value value;
    if (flags) {
        value = read_by_flags(reader, object, flags, depth);
        const bool exact = type == api->PyUnicode_Type || type == api->PyLong_Type ||
                           type == api->PyBytes_Type || type == api->PyTuple_Type ||
                           type == api->PyList_Type || type == api->PyDict_Type;
        if (!exact)
            value.marks |= VALUE_SUBCLASS;
        return value;
    }
    if (is_kind_of(api, type, api->PyFloat_Type)) {
        value = (struct value){.kind = VALUE_FLOAT, .real = api->PyFloat_AsDouble(object)};
        if (type != api->PyFloat_Type)
            value.marks |= VALUE_SUBCLASS;
        return value;
    }
    if (is_kind_of(api, type, api->PyByteArray_Type)) {
        value = read_bytes(reader, object, true);
        /* A method of a later argument's, which is called between the event and the use, or another
         * thread puts other bytes into it. */
        value.marks |= VALUE_OPAQUE;
        if (type != api->PyByteArray_Type)
            value.marks |= VALUE_SUBCLASS;
        return value;
    }
    return opaque_object(reader, object);
}

struct value argument_read(struct argument_reader *reader, python_object *object)
{
    return read_object(reader, object, 0);
}

const struct value *arguments_read(const struct python_api *api, python_object *args, unsigned most,
                                   struct arena *arena, uint32_t *count)
{
    struct argument_reader reader = {.api = api, .arena = arena, .encoding = text_encoding(api)};
    static const struct value nothing[1];

    *count = 0;
    if (!args) /* an event without arguments may come without a tuple */
        return nothing;
    /* sys.audit and "O" formats hand over a tuple, or an object that is a subclass of one (a
     * callable tuple given to breakpoint() becomes the argument tuple itself). */
    if (!(api->PyType_GetFlags(python_type(api, args)) & FLAG_TUPLE))
        return NULL;
    const python_size length = api->PyTuple_Size(args);
    if (length < 0)
        return NULL;
    const uint32_t wanted = (size_t)length > most ? most : (uint32_t)length;
    struct value *values = arena_zalloc(arena, wanted, sizeof(*values));
    if (!values)
        return NULL;
    reader.nodes = wanted;
    for (uint32_t i = 0; i < wanted; i++)
        values[i] = argument_read(&reader, api->PyTuple_GetItem(args, i));
    *count = wanted;
    return arena->exhausted ? NULL : values;
}

struct socket_fields argument_socket_fields(const struct python_api *api, python_object *object)
{
    /* PyTypeObject: PyObject_VAR_HEAD, tp_name, tp_basicsize (Include/cpython/object.h).
     * PySocketSockObject: PyObject_HEAD, SOCKET_T sock_fd, int sock_family, ...
     * (Modules/socketmodule.h). */
    python_object *type = python_type(api, object);
    const size_t basicsize_offset = api->head_size + sizeof(python_size) + sizeof(char *);
    struct socket_fields fields = {.descriptor = -1};
    python_size basicsize;

    memcpy(&basicsize, (const char *)type + basicsize_offset, sizeof(basicsize));
    if (basicsize < (python_size)(api->head_size + 4 * sizeof(int)))
        return fields;
    memcpy(&fields.descriptor, (const char *)object + api->head_size, sizeof(fields.descriptor));
    memcpy(&fields.family, (const char *)object + api->head_size + sizeof(fields.descriptor),
           sizeof(fields.family));
    return fields;
}

bool argument_code_filename(const struct python_api *api, python_object *object,
                            struct arena *arena, struct value *filename)
{
    struct argument_reader reader = {.api = api, .arena = arena};

    if (python_type(api, object) != api->PyCode_Type)
        return false;
    python_object *text = api->PyObject_GetAttrString(object, "co_filename");
    if (!text) {
        api->PyErr_Clear();
        return false;
    }
    *filename = argument_read(&reader, text);
    api->Py_DecRef(text);
    return filename->kind == VALUE_TEXT;
}
