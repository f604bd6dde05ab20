#include "policies/engine/subject.h"

const char *place_name(enum place place)
{
    static const char *const names[PLACE_COUNT] = {
        [PLACE_PYTHON] = "python", [PLACE_VENV] = "venv", [PLACE_HOME] = "home",
        [PLACE_START] = "start",   [PLACE_TEMP] = "temp", [PLACE_NULL] = "null",
    };
    return (unsigned)place < PLACE_COUNT ? names[place] : NULL;
}
