/* An interpreter with the hook linked into it: the hook's own code under sanitizers, which a
 * preloaded object cannot bring along (cmake/Sanitizers.cmake).
 *
 *     hook_harness [OPTION]... [SCRIPT|-c CODE] [ARGUMENT]...      as python3 takes them
 *
 * Built in two ways. hook_harness holds client/hook/entry_linux.c: its constructor runs before
 * main, as it does in a preload, and finds the interpreter that this program is linked to. In
 * hook_harness_attach (HARNESS_ATTACHES) nothing happens until the script calls attach() of the
 * module `_hook`. tests/system/test_hook_harness.py starts the daemon and brings the scripts.
 *
 * The module `harness` raises events in ways that Python code cannot: */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <pthread.h>
#include <stdio.h>

PyObject *PyInit__hook(void);

/* audit_bare(NAME): without an argument tuple. */
static PyObject *audit_bare(PyObject *self, PyObject *name)
{
    (void)self;
    const char *text = PyUnicode_AsUTF8(name);
    if (!text || PySys_Audit(text, NULL) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* audit_failing(NAME, ARGUMENT): while an exception is set. Returns whether the event was allowed;
 * the exception must be the same afterwards. */
static PyObject *audit_failing(PyObject *self, PyObject *args)
{
    const char *name;
    PyObject *argument;

    (void)self;
    if (!PyArg_ParseTuple(args, "sO", &name, &argument))
        return NULL;
    PyErr_SetString(PyExc_KeyError, "in flight");
    const int result = PySys_Audit(name, "O", argument);
    if (result == 0 && !PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_SetString(PyExc_AssertionError, "the exception in flight is gone");
        return NULL;
    }
    if (result < 0 && !PyErr_ExceptionMatches(PyExc_PermissionError)) {
        PyErr_SetString(PyExc_AssertionError, "the denial was not raised");
        return NULL;
    }
    PyErr_Clear();
    return PyBool_FromLong(result == 0);
}

/* audit_half_built(NAME): with a list and a tuple whose elements are still NULL, as C code has them
 * while it fills them. */
static PyObject *audit_half_built(PyObject *self, PyObject *name)
{
    (void)self;
    const char *text = PyUnicode_AsUTF8(name);
    PyObject *list = PyList_New(3);
    PyObject *tuple = PyTuple_New(3);
    const int result = text && list && tuple ? PySys_Audit(text, "OO", list, tuple) : -1;
    Py_XDECREF(list);
    Py_XDECREF(tuple);
    if (result < 0)
        return NULL;
    Py_RETURN_NONE;
}

struct foreign_work {
    char name[64];
    long rounds;
    long denied;
};

/* A thread that CPython did not start, with a thread state for the length of each event alone. */
static void *raise_events(void *data)
{
    struct foreign_work *work = data;
    for (long i = 0; i < work->rounds; i++) {
        const PyGILState_STATE state = PyGILState_Ensure();
        if (PySys_Audit(work->name, "l", i) < 0) {
            work->denied++;
            PyErr_Clear();
        }
        PyGILState_Release(state);
    }
    return NULL;
}

/* audit_from_foreign_threads(NAME, THREADS, ROUNDS): how many were denied. */
static PyObject *audit_from_foreign_threads(PyObject *self, PyObject *args)
{
    enum { THREADS_MAX = 32 };
    pthread_t threads[THREADS_MAX];
    struct foreign_work work[THREADS_MAX];
    const char *name;
    int count;
    long rounds;
    long denied = 0;

    (void)self;
    if (!PyArg_ParseTuple(args, "sil", &name, &count, &rounds) || count > THREADS_MAX)
        return NULL;
    Py_BEGIN_ALLOW_THREADS;
    int started = 0;
    for (; started < count; started++) {
        work[started] = (struct foreign_work){.rounds = rounds};
        snprintf(work[started].name, sizeof(work[started].name), "%s", name);
        if (pthread_create(&threads[started], NULL, raise_events, &work[started]) != 0)
            break;
    }
    for (int i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
        denied += work[i].denied;
    }
    Py_END_ALLOW_THREADS;
    return PyLong_FromLong(denied);
}

static PyMethodDef functions[] = {
    {"audit_bare", audit_bare, METH_O, NULL},
    {"audit_failing", audit_failing, METH_VARARGS, NULL},
    {"audit_half_built", audit_half_built, METH_O, NULL},
    {"audit_from_foreign_threads", audit_from_foreign_threads, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "harness", .m_size = -1,
                                    .m_methods = functions};

static PyObject *make_module(void)
{
    return PyModule_Create(&module);
}

int main(int argc, char **argv)
{
    PyImport_AppendInittab("harness", make_module);
#ifdef HARNESS_ATTACHES
    PyImport_AppendInittab("_hook", PyInit__hook);
#endif
    return Py_BytesMain(argc, argv);
}
