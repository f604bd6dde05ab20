/* CPython's C API, found at run time in whatever interpreter this process holds.
 *
 * One shared object serves CPython 3.8 to 3.15, so there is no Python.h here: functions and types
 * are looked up by name in the object that defines PySys_AddAuditHook, and the little that must be
 * known of an object's layout (where its type stands) is measured on an object whose type is known.
 *
 * Only functions that run no Python code are used while an event is judged; those that could (they
 * create objects, and a collection may follow) are used after the verdict. The comment behind each
 * name says from which version it is there; no comment: all. */
#ifndef WARDER_CLIENT_HOOK_PYTHON_API_H
#define WARDER_CLIENT_HOOK_PYTHON_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/hook/elf_symbols.h"

typedef struct python_object python_object; /* PyObject */
typedef ptrdiff_t python_size;              /* Py_ssize_t */

typedef int python_audit_hook(const char *event, python_object *args, void *data);

/* PyMemAllocatorEx. */
struct python_allocator {
    void *context;
    void *(*malloc)(void *context, size_t size);
    void *(*calloc)(void *context, size_t count, size_t size);
    void *(*realloc)(void *context, void *memory, size_t size);
    void (*free)(void *context, void *memory);
};

/* REQUIRED(result, name, (arguments)): in every version; without it the interpreter is none that we
 * know, and is refused. OPTIONAL: NULL where a version lacks it. DATA: an object or type. */
#define PYTHON_API(REQUIRED, OPTIONAL, DATA)                                                       \
    REQUIRED(int, PySys_AddAuditHook, (python_audit_hook * hook, void *data))                      \
    REQUIRED(int, PySys_Audit, (const char *event, const char *format, ...))                       \
    REQUIRED(const char *, Py_GetVersion, (void))                                                  \
    REQUIRED(int, Py_IsInitialized, (void))                                                        \
    OPTIONAL(void *, _PyThreadState_UncheckedGet, (void)) /* to 3.12 */                            \
    OPTIONAL(void *, PyThreadState_GetUnchecked, (void))  /* from 3.13 */                          \
    OPTIONAL(void *, _PyInterpreterState_Get, (void))     /* 3.8 */                                \
    OPTIONAL(void *, PyInterpreterState_Get, (void))      /* from 3.9 */                           \
    REQUIRED(int64_t, PyInterpreterState_GetID, (void *interpreter))                               \
    REQUIRED(void *, PyEval_SaveThread, (void))                                                    \
    REQUIRED(void, PyEval_RestoreThread, (void *thread))                                           \
    /* reading values: no Python code, no allocation unless it says so */                          \
    REQUIRED(python_size, PyUnicode_GetLength, (python_object * text))                             \
    REQUIRED(uint32_t, PyUnicode_ReadChar, (python_object * text, python_size index))              \
    REQUIRED(uint32_t *, PyUnicode_AsUCS4,                                                         \
             (python_object * text, uint32_t * buffer, python_size size, int copy_null))           \
    REQUIRED(char *, PyBytes_AsString, (python_object * bytes))                                    \
    REQUIRED(python_size, PyBytes_Size, (python_object * bytes))                                   \
    REQUIRED(char *, PyByteArray_AsString, (python_object * bytes))                                \
    REQUIRED(python_size, PyByteArray_Size, (python_object * bytes))                               \
    REQUIRED(long long, PyLong_AsLongLongAndOverflow, (python_object * number, int *overflow))     \
    OPTIONAL(size_t, _PyLong_NumBits, (python_object * number)) /* used to 3.12 */                 \
    OPTIONAL(int, _PyLong_AsByteArray,                          /* this signature to 3.12 */       \
             (python_object * number, unsigned char *bytes, size_t size, int little_endian,        \
              int is_signed))                                                                      \
    OPTIONAL(python_size, PyLong_AsNativeBytes, /* from 3.13 */                                    \
             (python_object * number, void *bytes, python_size size, int flags))                   \
    OPTIONAL(python_object *, PyConfig_Get, (const char *name)) /* from 3.14; a new reference */   \
    REQUIRED(double, PyFloat_AsDouble, (python_object * number))                                   \
    REQUIRED(python_size, PyTuple_Size, (python_object * tuple))                                   \
    REQUIRED(python_object *, PyTuple_GetItem, (python_object * tuple, python_size index))         \
    REQUIRED(python_size, PyList_Size, (python_object * list))                                     \
    REQUIRED(python_object *, PyList_GetItem, (python_object * list, python_size index))           \
    OPTIONAL(python_object *, PyList_GetItemRef, /* from 3.13; a new reference */                  \
             (python_object * list, python_size index))                                            \
    REQUIRED(int, PyDict_Next,                                                                     \
             (python_object * dict, python_size * position, python_object * *key,                  \
              python_object * *value))                                                             \
    REQUIRED(python_size, PyDict_Size, (python_object * dict))                                     \
    REQUIRED(python_object *, PyDict_Items, (python_object * dict)) /* makes a list */             \
    REQUIRED(unsigned long, PyType_GetFlags, (python_object * type))                               \
    REQUIRED(int, PyType_IsSubtype, (python_object * type, python_object * of))                    \
    OPTIONAL(const char *, _PyType_Name, (python_object * type))      /* to 3.13 at least */       \
    OPTIONAL(python_object *, PyType_GetName, (python_object * type)) /* from 3.11; allocates */   \
    /* after the verdict, and outside events */                                                    \
    REQUIRED(void *, PyType_GetSlot, (python_object * type, int slot))                             \
    REQUIRED(python_object *, PyType_GenericAlloc, (python_object * type, python_size items))      \
    REQUIRED(python_object *, PyTuple_Pack, (python_size count, ...))                              \
    REQUIRED(python_object *, PyObject_GetAttrString, (python_object * object, const char *name))  \
    REQUIRED(python_object *, PyObject_GenericGetDict, (python_object * object, void *context))    \
    REQUIRED(python_object *, PyObject_CallFunctionObjArgs, (python_object * callable, ...))       \
    REQUIRED(python_object *, PyDescr_NewMethod, (python_object * type, void *definition))         \
    REQUIRED(python_object *, PyUnicode_DecodeUTF8,                                                \
             (const char *bytes, python_size size, const char *errors))                            \
    REQUIRED(python_object *, PyUnicode_FromString, (const char *text))                            \
    REQUIRED(python_object *, PyLong_FromLong, (long number))                                      \
    REQUIRED(python_object *, PyDict_New, (void))                                                  \
    REQUIRED(int, PyDict_SetItemString,                                                            \
             (python_object * dict, const char *key, python_object *value))                        \
    REQUIRED(python_object *, PyErr_NewExceptionWithDoc,                                           \
             (const char *name, const char *doc, python_object *base, python_object *dict))        \
    REQUIRED(void, PyErr_SetObject, (python_object * type, python_object * value))                 \
    REQUIRED(void, PyErr_SetString, (python_object * type, const char *text))                      \
    REQUIRED(python_object *, PyErr_Occurred, (void))                                              \
    REQUIRED(void, PyErr_Clear, (void))                                                            \
    REQUIRED(void, Py_IncRef, (python_object * object))                                            \
    REQUIRED(void, Py_DecRef, (python_object * object))                                            \
    REQUIRED(void, PyException_SetCause, (python_object * exception, python_object * cause))       \
    OPTIONAL(int, PyGC_Disable, (void)) /* from 3.10 */                                            \
    OPTIONAL(int, PyGC_Enable, (void))  /* from 3.10 */                                            \
    REQUIRED(python_object *, PyEval_GetFrame, (void))                                             \
    REQUIRED(int, PyFrame_GetLineNumber, (python_object * frame))                                  \
    OPTIONAL(python_object *, PyFrame_GetCode, (python_object * frame)) /* from 3.9 */             \
    OPTIONAL(python_object *, PyFrame_GetBack, (python_object * frame)) /* from 3.9 */             \
    REQUIRED(void, PyMem_GetAllocator, (int domain, struct python_allocator *allocator))           \
    REQUIRED(void, PyMem_SetAllocator, (int domain, struct python_allocator *allocator))           \
    REQUIRED(int, PyImport_AppendInittab, (const char *name, python_object *(*init)(void)))        \
    REQUIRED(python_object *, PyModuleDef_Init, (void *definition))                                \
    REQUIRED(int, PyModule_AddObject,                                                              \
             (python_object * module, const char *name, python_object *value))                     \
    REQUIRED(                                                                                      \
        int, PyArg_ParseTupleAndKeywords,                                                          \
        (python_object * args, python_object * keywords, const char *format, char **names, ...))   \
    DATA(_Py_TrueStruct)                                                                           \
    DATA(_Py_FalseStruct)                                                                          \
    DATA(_Py_NoneStruct)                                                                           \
    DATA(PyBool_Type)                                                                              \
    DATA(PyUnicode_Type)                                                                           \
    DATA(PyBytes_Type)                                                                             \
    DATA(PyByteArray_Type)                                                                         \
    DATA(PyLong_Type)                                                                              \
    DATA(PyFloat_Type)                                                                             \
    DATA(PyTuple_Type)                                                                             \
    DATA(PyList_Type)                                                                              \
    DATA(PyDict_Type)                                                                              \
    DATA(PyType_Type)                                                                              \
    DATA(PyCode_Type)                                                                              \
    DATA(PyImport_Inittab) /* a pointer to the table of built-in modules */                        \
    DATA(PyExc_ImportError)                                                                        \
    DATA(PyExc_PermissionError)                                                                    \
    DATA(PyExc_RuntimeError)                                                                       \
    DATA(PyExc_ConnectionError)                                                                    \
    DATA(PyExc_TypeError)

struct python_api {
/* Types and names, which no parentheses may surround. NOLINTBEGIN(bugprone-macro-parentheses) */
#define PYTHON_FUNCTION(result, name, arguments) result(*name) arguments;
#define PYTHON_DATA(name) python_object *name;
    /* NOLINTEND(bugprone-macro-parentheses) */
    PYTHON_API(PYTHON_FUNCTION, PYTHON_FUNCTION, PYTHON_DATA)
#undef PYTHON_FUNCTION
#undef PYTHON_DATA

    int minor;          /* of version 3: 8 for 3.8 */
    char version[24];   /* "3.11.7", as Py_GetVersion begins */
    bool free_threaded; /* built without the global interpreter lock */
    size_t type_offset; /* of ob_type in an object, bytes */
    size_t head_size;   /* of PyObject_HEAD: 16, in free-threaded builds 32 */
    /* Py_FileSystemDefaultEncoding and ...EncodeErrors, deprecated from 3.12 on; NULL where a
     * version has them no more. What they point to is NULL until the interpreter has its codecs. */
    const char **filesystem_encoding;
    const char **filesystem_errors;
    void *runtime;       /* _PyRuntime; NULL where it is not shown */
    size_t runtime_size; /* bytes that may be read of it, and of what comes behind */
};

/* Fills in the table from the object that defines the API. False if a required name is missing, the
 * version is none of 3.8 and later, or the layout cannot be measured. */
bool python_api_load(struct python_api *api, const struct elf_object *object);

/* The type of an object. */
static inline python_object *python_type(const struct python_api *api, const python_object *object)
{
    python_object *type;
    /* A pointer is copied. NOLINTNEXTLINE(bugprone-sizeof-expression) */
    __builtin_memcpy(&type, (const char *)object + api->type_offset, sizeof(type));
    return type;
}

/* Where a word of a type stands, bytes from its beginning: in PyTypeObject
 * (Include/cpython/object.h, the same from 3.8 to 3.14), counted in words from tp_name, which comes
 * behind the head and the size. What is found there is to be compared with what the API says of it.
 */
enum python_type_word { TYPE_NAME = 0, TYPE_INIT = 34, TYPE_ALLOC = 35 };

static inline size_t python_type_slot_offset(const struct python_api *api,
                                             enum python_type_word word)
{
    return api->head_size + sizeof(python_size) + (size_t)word * sizeof(void *);
}

/* The current thread's state, NULL if it has none: then no object may be touched. */
void *python_thread(const struct python_api *api);

/* The current interpreter. Needs a thread state. */
void *python_interpreter(const struct python_api *api);

#endif
