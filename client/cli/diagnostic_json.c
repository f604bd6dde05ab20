#include "client/cli/diagnostic_json.h"

#include "client/cli/json_line.h"

/* Texts are taken over. */
static json_t *location_json(json_t *file, uint32_t line, uint32_t column, uint32_t end_line,
                             uint32_t end_column, json_t *label)
{
    return json_pack("{s:o, s:I, s:I, s:I, s:I, s:o}", "file", file, "line", (json_int_t)line,
                     "column", (json_int_t)column, "end_line", (json_int_t)end_line, "end_column",
                     (json_int_t)end_column, "label", label);
}

static json_t *remark_json(bool is_help, json_t *text)
{
    return json_pack("{s:s, s:o}", "kind", is_help ? "help" : "note", "text", text);
}

/* Prints it, and takes over what it is of. */
static void print_object(FILE *out, json_t *head, json_t *place, json_t *message, json_t *second,
                         json_t *remarks)
{
    if (head && place)
        json_object_update(head, place);
    json_decref(place);
    if (head) {
        json_object_set_new(head, "message", message);
        json_object_set_new(head, "second", second);
        json_object_set_new(head, "remarks", remarks);
    }
    json_line_print_object(out, head);
}

static json_t *own_location(const struct diagnostic_location *place)
{
    return location_json(json_string(place->file), place->line, place->column, place->end_line,
                         place->end_column, json_string(place->label));
}

static json_t *own_remarks(const struct diagnostics *diagnostics, size_t index)
{
    json_t *remarks = json_array();
    bool is_help;
    const char *text;

    for (size_t i = 0; (text = diagnostics_remark(diagnostics, index, i, &is_help)); i++)
        json_array_append_new(remarks, remark_json(is_help, json_string(text)));
    return remarks;
}

void diagnostics_print_json(FILE *out, const struct diagnostics *diagnostics)
{
    for (size_t i = 0; i < diagnostics_kept(diagnostics); i++) {
        const struct diagnostic_view view = diagnostics_view(diagnostics, i);
        print_object(out, json_pack("{s:s, s:s}", "code", view.code, "severity", view.severity),
                     own_location(&view.place), json_string(view.message),
                     view.has_second ? own_location(&view.second) : json_null(),
                     own_remarks(diagnostics, i));
    }
    if (diagnostics_lack_memory(diagnostics))
        json_line_print_object(out,
                               json_pack("{s:s, s:s, s:s}", "code", "E002", "severity", "error",
                                         "message", "out of memory: not everything was checked"));
}

static json_t *received_location(const Warder__V1__DiagnosticPlace *place)
{
    return place ? location_json(json_line_field(&place->file), place->line, place->column,
                                 place->end_line, place->end_column, json_line_field(&place->label))
                 : json_null();
}

void diagnostics_print_json_received(FILE *out, Warder__V1__Diagnostic *const *diagnostics,
                                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const Warder__V1__Diagnostic *said = diagnostics[i];
        json_t *remarks = json_array();
        for (size_t j = 0; j < said->n_remarks; j++)
            json_array_append_new(remarks, remark_json(said->remarks[j]->help,
                                                       json_line_field(&said->remarks[j]->text)));
        print_object(out,
                     json_pack("{s:o, s:o}", "code", json_line_field(&said->code), "severity",
                               json_line_field(&said->severity)),
                     received_location(said->place), json_line_field(&said->message),
                     received_location(said->second), remarks);
    }
}
