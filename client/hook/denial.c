#define _GNU_SOURCE
#include "client/hook/denial.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/hook/argument_reader.h"
#include "client/hook/denial_class.h"
#include "client/hook/event_name.h"
#include "client/hook/fatal.h"
#include "client/hook/work_memory.h"
#include "policies/engine/event_text.h"

enum {
    PLACE_FILE_MAX = 4096,
    PLACE_FRAMES_MAX = 32, /* that are looked through for the caller's own line */
};

static void set_text(const struct python_api *api, python_object *dict, const char *name,
                     const char *bytes, size_t length)
{
    python_object *text = api->PyUnicode_DecodeUTF8(bytes, (python_size)length, "strict");
    if (!text || api->PyDict_SetItemString(dict, name, text) < 0)
        api->PyErr_Clear();
    if (text)
        api->Py_DecRef(text);
}

/* Attributes go straight into the instance's dict: setting them as attributes would ask the class.
 */
void denial_describe(const struct python_api *api, python_object *exception, const char *event,
                     size_t event_length, const struct answer *answer)
{
    char name[EVENT_NAME_MAX + 16];
    python_object *dict = api->PyObject_GenericGetDict(exception, NULL);

    if (!dict) {
        api->PyErr_Clear();
        return;
    }
    printable_text(event, event_length, name, sizeof(name));
    set_text(api, dict, "operation", answer->operation, strlen(answer->operation));
    set_text(api, dict, "event", name, strlen(name));
    set_text(api, dict, "policy", answer->policy, strlen(answer->policy));
    set_text(api, dict, "rule", answer->rule, strlen(answer->rule));
    set_text(api, dict, "decision_id", answer->decision_id, strlen(answer->decision_id));
    set_text(api, dict, "message", answer->message, strlen(answer->message));
    api->Py_DecRef(dict);
}

/* concurrent.futures, and with it asyncio, from 3.14 on. Nothing else would be left of those where
 * a policy keeps a program from second interpreters. */
bool denial_is_done_without(const struct python_api *api, const struct event *event)
{
    static const char module[] = "_interpreters";
    const struct value *name = event->arguments;

    return api->minor >= 14 && event->name_length == strlen("import") &&
           memcmp(event->name, "import", event->name_length) == 0 && event->argument_count > 0 &&
           name->kind == VALUE_TEXT && name->count == sizeof(module) - 1 &&
           memcmp(name->bytes, module, sizeof(module) - 1) == 0;
}

/* An ImportError with the same words, which has the denial for its cause. A new reference; NULL,
 * and the denial is left as it was, if there is no memory for it. */
static python_object *import_error(const struct python_api *api, python_object *denial,
                                   python_object *text)
{
    python_object *class = *(python_object **)api->PyExc_ImportError;
    python_object *error = api->PyObject_CallFunctionObjArgs(class, text, NULL);

    if (!error) {
        api->PyErr_Clear();
        return NULL;
    }
    api->Py_IncRef(denial);
    api->PyException_SetCause(error, denial); /* which takes the reference */
    return error;
}

/* The class with its two arguments. One of ours is made by the functions that it was made with:
 * without the lock another thread may give it others by now. */
static python_object *make_exception(const struct python_api *api, python_object *class, bool ours,
                                     python_object *number, python_object *text)
{
    return ours ? denial_class_instance(api, class, number, text)
                : api->PyObject_CallFunctionObjArgs(class, number, text, NULL);
}

static void set_exception(const struct python_api *api, const struct event *event,
                          const struct answer *answer, bool ending)
{
    python_object *class = ending ? NULL : denial_class(api);
    const bool intact = class && denial_class_is_intact(api, class);

    if (!intact) {
        api->PyErr_Clear();
        class = *(python_object **)api->PyExc_PermissionError;
    }
    python_object *number = api->PyLong_FromLong(EACCES);
    python_object *text =
        api->PyUnicode_DecodeUTF8(answer->text, (python_size)strlen(answer->text), "strict");
    python_object *exception =
        number && text ? make_exception(api, class, intact, number, text) : NULL;
    if (exception) {
        if (intact)
            denial_describe(api, exception, event->name, event->name_length, answer);
        python_object *missing = answer->done_without ? import_error(api, exception, text) : NULL;
        if (missing)
            api->PyErr_SetObject(*(python_object **)api->PyExc_ImportError, missing);
        else
            api->PyErr_SetObject(class, exception);
        if (missing)
            api->Py_DecRef(missing);
        api->Py_DecRef(exception);
    }
    if (number)
        api->Py_DecRef(number);
    if (text)
        api->Py_DecRef(text);
    if (!api->PyErr_Occurred()) /* no memory for it: still no */
        api->PyErr_SetString(*(python_object **)api->PyExc_PermissionError, "denied by warder");
}

/* The frame that this thread is asking for its code, by name. In the part of a thread's storage
 * that every object may have a little of: reached without the loader's help, which would be one
 * library more that this object needs, and an allocation. */
static _Thread_local python_object *looked_at __attribute__((tls_model("initial-exec")));

bool denial_is_looking(const struct python_api *api, const char *name, python_object *args)
{
    return looked_at && event_name_is(name, "object.__getattr__") && api->PyTuple_Size(args) == 2 &&
           api->PyTuple_GetItem(args, 0) == looked_at;
}

static python_object *code_of(const struct python_api *api, python_object *frame)
{
    if (api->PyFrame_GetCode)
        return api->PyFrame_GetCode(frame);
    looked_at = frame;
    python_object *code = api->PyObject_GetAttrString(frame, "f_code");
    looked_at = NULL;
    return code;
}

/* A line of Python: the file of a frame's code, copied into the arena. */
struct place {
    struct value file;
    unsigned line;
};

static bool read_place(const struct python_api *api, python_object *frame, struct arena *arena,
                       struct place *place)
{
    const int line = api->PyFrame_GetLineNumber(frame);
    python_object *code = code_of(api, frame);
    if (!code) {
        api->PyErr_Clear();
        return false;
    }
    const bool read = argument_code_filename(api, code, arena, &place->file);
    api->Py_DecRef(code);
    place->line = line > 0 ? (unsigned)line : 0;
    return read;
}

/* The frame that called this one, as a new reference; NULL if there is none. */
static python_object *caller_of(const struct python_api *api, python_object *frame)
{
    python_object *caller = api->PyFrame_GetBack ? api->PyFrame_GetBack(frame)
                                                 : api->PyObject_GetAttrString(frame, "f_back");
    if (!caller)
        api->PyErr_Clear();
    else if (caller == api->_Py_NoneStruct) {
        api->Py_DecRef(caller);
        caller = NULL;
    }
    return caller;
}

/* True for files of the standard library, by their names: .../python3.11/subprocess.py, in a
 * free-threaded build .../python3.13t/, but nothing that was installed below; and for what is
 * frozen into the interpreter. */
static bool is_of_standard_library(const struct python_api *api, const struct value *file)
{
    static const char frozen[] = "<frozen ";
    char directory[32];

    if (file->count >= sizeof(frozen) - 1 && memcmp(file->bytes, frozen, sizeof(frozen) - 1) == 0)
        return true;
    const int length = snprintf(directory, sizeof(directory), "/python3.%d%s/", api->minor,
                                api->free_threaded ? "t" : "");
    return memmem(file->bytes, file->count, directory, (size_t)length) &&
           !memmem(file->bytes, file->count, "-packages/", strlen("-packages/"));
}

/* The line of Python that asked: the nearest that is not the standard library's, for
 * "subprocess.py:1821" helps nobody; the nearest of all where there is no other. Only a denial, or
 * what would be one, is worth what it costs: frame objects may have to be made. */
static void tell_place(const struct python_api *api, uint64_t decision, void *memory)
{
    struct arena arena;
    struct place nearest;
    struct place place;

    python_object *frame = api->PyEval_GetFrame();
    if (!frame)
        return;
    arena_init(&arena, memory, (size_t)2 * (PLACE_FILE_MAX + 64));
    if (!read_place(api, frame, &arena, &nearest))
        return;
    const size_t used = arena.used;
    bool found = !is_of_standard_library(api, &nearest.file);
    place = nearest;
    api->Py_IncRef(frame);
    for (int depth = 0; frame && !found && depth < PLACE_FRAMES_MAX; depth++) {
        python_object *caller = caller_of(api, frame);
        api->Py_DecRef(frame);
        frame = caller;
        arena.used = used;
        found = frame && read_place(api, frame, &arena, &place) &&
                !is_of_standard_library(api, &place.file);
    }
    if (frame)
        api->Py_DecRef(frame);
    if (!found)
        place = nearest;
    hook_session_tell_place(decision, place.file.bytes, place.file.count, place.line);
}

/* Making objects can start a collection, and a collection runs finalisers: not in here. 3.8 and 3.9
 * have no way to hold it off; the verdict stands already. From 3.12 on none starts there, and in a
 * free-threaded build the switch may be another thread's at this moment. */
static int hold_collections(const struct python_api *api)
{
    return api->PyGC_Disable && !api->free_threaded ? api->PyGC_Disable() : 0;
}

static void tell_place_of(const struct python_api *api, const struct answer *answer)
{
    void *memory = answer->decision ? work_memory_take() : NULL;

    if (memory)
        tell_place(api, answer->decision, memory);
    work_memory_return(memory);
}

void denial_observed(const struct python_api *api, const struct answer *answer)
{
    const int collecting = hold_collections(api);

    tell_place_of(api, answer);
    if (collecting)
        api->PyGC_Enable();
}

int denial_raise(const struct python_api *api, const struct event *event,
                 const struct event_entry *entry, const struct answer *answer,
                 enum denial_state state)
{
    if (state == DENIAL_ENDS || !python_thread(api))
        fatal_end_because(answer->text, "; an interpreter that starts or ends takes no exception, "
                                        "so it was ended");
    const int collecting = hold_collections(api);
    tell_place_of(api, answer);
    if (answer->outcome == WARDER__V1__OUTCOME__OUTCOME_KILL)
        fatal_end(answer->text); /* which says so */
    if (entry && entry->veto == VETO_ENDS)
        fatal_end_because(answer->text,
                          "; CPython takes no exception here, so the process was ended");
    set_exception(api, event, answer, state == DENIAL_ENDING);
    if (collecting)
        api->PyGC_Enable();
    return -1;
}
