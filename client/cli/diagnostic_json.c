#include "client/cli/diagnostic_json.h"

#include "client/cli/json_line.h"

static json_t *location_json(const struct diagnostic_location *place)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:s}", "file", place->file, "line",
                     (json_int_t)place->line, "column", (json_int_t)place->column, "end_line",
                     (json_int_t)place->end_line, "end_column", (json_int_t)place->end_column,
                     "label", place->label);
}

static json_t *remarks_json(const struct diagnostics *diagnostics, size_t index)
{
    json_t *remarks = json_array();
    bool is_help;
    const char *text;

    for (size_t i = 0; (text = diagnostics_remark(diagnostics, index, i, &is_help)); i++)
        json_array_append_new(
            remarks, json_pack("{s:s, s:s}", "kind", is_help ? "help" : "note", "text", text));
    return remarks;
}

void diagnostics_print_json(FILE *out, const struct diagnostics *diagnostics)
{
    for (size_t i = 0; i < diagnostics_kept(diagnostics); i++) {
        const struct diagnostic_view view = diagnostics_view(diagnostics, i);
        json_t *object = json_pack("{s:s, s:s}", "code", view.code, "severity", view.severity);
        json_t *place = location_json(&view.place);
        if (object && place)
            json_object_update(object, place);
        json_decref(place);
        if (object) {
            json_object_set_new(object, "message", json_string(view.message));
            json_object_set_new(object, "second",
                                view.has_second ? location_json(&view.second) : json_null());
            json_object_set_new(object, "remarks", remarks_json(diagnostics, i));
        }
        json_line_print_object(out, object);
    }
    if (diagnostics_lack_memory(diagnostics))
        json_line_print_object(out,
                               json_pack("{s:s, s:s, s:s}", "code", "E002", "severity", "error",
                                         "message", "out of memory: not everything was checked"));
}
