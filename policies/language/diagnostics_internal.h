/* What diagnostics.c collects and diagnostics_render.c shows. */
#ifndef WARDER_POLICIES_LANGUAGE_DIAGNOSTICS_INTERNAL_H
#define WARDER_POLICIES_LANGUAGE_DIAGNOSTICS_INTERNAL_H

#include "policies/language/report.h"

enum {
    DIAGNOSTICS_MAX = 250, /* errors kept, and warnings, more than anyone reads; what comes after
                              is counted */
    SUGGESTIONS_MAX = 50,  /* mistakes for which a near name is sought among many */
    EXCERPT_WHOLE = 100,   /* a source line of so many columns is shown whole, */
    EXCERPT_COLUMNS = 80,  /* and of a longer one a window around the place */
};

/* A place in a line, as it is shown. Columns count characters. */
struct excerpt {
    uint32_t line;   /* from 1 */
    uint32_t column; /* from 1, in the whole line */
    uint32_t start;  /* of the range, from 0, in what is shown */
    uint32_t width;  /* of the range; 0 if it is outside what is shown */
    char *shown;     /* the line, or a window of it */
};

struct diagnostic_remark {
    bool is_help;
    char *text;
    struct diagnostic_remark *next;
};

struct diagnostic {
    struct diagnostics *owner;
    enum diagnostic_code code;
    struct span span; /* good until the call that reported it returns */
    uint32_t offset;
    uint32_t file; /* index of the file's name */
    size_t sequence;
    char *message;
    char *label; /* NULL for none */
    struct excerpt place;
    bool has_second;
    uint32_t second_file;
    struct excerpt second;
    char *second_label;
    struct diagnostic_remark *remarks;
};

struct diagnostics {
    char **files;
    size_t file_count;
    struct diagnostic **entries;
    size_t count;
    size_t capacity;
    size_t errors;
    size_t warnings;
    size_t most; /* of either that are kept */
    bool no_memory;
};

#endif
