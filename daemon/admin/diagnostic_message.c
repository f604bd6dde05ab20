#include "daemon/admin/diagnostic_message.h"

#include <string.h>

static Warder__V1__DiagnosticPlace *place_message(const struct diagnostic_location *place,
                                                  struct arena *arena)
{
    Warder__V1__DiagnosticPlace *message = arena_alloc(arena, sizeof(*message));

    if (!message)
        return NULL;
    warder__v1__diagnostic_place__init(message);
    message->file = text_field(place->file);
    message->line = place->line;
    message->column = place->column;
    message->end_line = place->end_line;
    message->end_column = place->end_column;
    message->label = text_field(place->label);
    return message;
}

static bool add_remarks(const struct diagnostics *diagnostics, size_t index, struct arena *arena,
                        Warder__V1__Diagnostic *message)
{
    bool is_help;
    const char *text;
    size_t count = 0;

    while (diagnostics_remark(diagnostics, index, count, &is_help))
        count++;
    /* Of pointers, as it should be. NOLINTNEXTLINE(bugprone-sizeof-expression) */
    message->remarks = arena_zalloc(arena, count, sizeof(*message->remarks));
    for (size_t i = 0; message->remarks && i < count; i++) {
        Warder__V1__DiagnosticRemark *remark = arena_alloc(arena, sizeof(*remark));
        text = diagnostics_remark(diagnostics, index, i, &is_help);
        if (!remark)
            return false;
        warder__v1__diagnostic_remark__init(remark);
        remark->text = text_field(text);
        remark->help = is_help;
        message->remarks[message->n_remarks++] = remark;
    }
    return message->n_remarks == count;
}

static Warder__V1__Diagnostic *diagnostic_message(const struct diagnostics *diagnostics,
                                                  size_t index, struct arena *arena)
{
    const struct diagnostic_view view = diagnostics_view(diagnostics, index);
    Warder__V1__Diagnostic *message = arena_alloc(arena, sizeof(*message));
    const char *code = arena_copy(arena, view.code, strlen(view.code));

    if (!message || !code)
        return NULL;
    warder__v1__diagnostic__init(message);
    message->code = text_field(code);
    message->severity = text_field(view.severity);
    message->message = text_field(view.message);
    message->place = place_message(&view.place, arena);
    message->second = view.has_second ? place_message(&view.second, arena) : NULL;
    return message->place && (message->second || !view.has_second) &&
                   add_remarks(diagnostics, index, arena, message)
               ? message
               : NULL;
}

bool diagnostic_messages(const struct diagnostics *diagnostics, struct arena *arena, size_t *count,
                         Warder__V1__Diagnostic ***messages)
{
    const size_t kept = diagnostics ? diagnostics_kept(diagnostics) : 0;
    /* Of pointers, as it should be. NOLINTNEXTLINE(bugprone-sizeof-expression) */
    Warder__V1__Diagnostic **list = kept > 0 ? arena_zalloc(arena, kept, sizeof(*list)) : NULL;

    *count = 0;
    *messages = NULL;
    for (size_t i = 0; list && i < kept; i++) {
        list[i] = diagnostic_message(diagnostics, i, arena);
        if (!list[i])
            return false;
    }
    if (kept > 0 && !list)
        return false;
    *count = kept;
    *messages = list;
    return true;
}
