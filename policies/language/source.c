#include "policies/language/source.h"

#include "policies/engine/utf8.h"
#include "policies/language/compile.h"
#include "policies/language/report.h"

bool source_init(struct source *source, const struct policy_text *text,
                 struct diagnostics *diagnostics)
{
    const bool fits = text->length <= POLICY_TEXT_MAX;

    *source = (struct source){.file = text->file,
                              .text = text->text,
                              .length = (uint32_t)(fits ? text->length : POLICY_TEXT_MAX),
                              .quiet = text->quiet,
                              .order = diagnostics_file(diagnostics, text->file)};
    if (!fits)
        diagnostic_help(report(diagnostics, ERROR_TOO_LARGE, (struct span){source, 0, 0},
                               "a policy file has at most %d bytes, this one has more",
                               POLICY_TEXT_MAX),
                        "split it into several files");
    return fits;
}

void span_position(struct span span, uint32_t *line, uint32_t *column)
{
    const char *text = span.source->text;
    uint32_t start = 0;

    *line = 1;
    *column = 1;
    for (uint32_t at = 0; at < span.offset; at++)
        if (text[at] == '\n') {
            ++*line;
            start = at + 1;
        }
    while (start < span.offset) {
        size_t size;
        (void)utf8_decode(text + start, span.offset - start, &size);
        start += (uint32_t)size;
        ++*column;
    }
}
