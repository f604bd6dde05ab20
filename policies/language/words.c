#include "policies/language/words.h"

#include <stddef.h>

const char *const *grammar_words(enum word_group group)
{
    static const char *const words[WORD_GROUP_COUNT][13] = {
        [WORDS_FILE] = {"policy", "set"},
        [WORDS_STATEMENT] = {"applies", "mode", "default", "floor", "set", "allow", "deny", "kill",
                             "log", "override", "limit"},
        [WORDS_TEST_FILE] = {"test"},
        [WORDS_TEST] = {"session", "given", "expect"},
        [WORDS_EFFECT] = {"allow", "deny", "kill", "log", "would-deny"},
        [WORDS_CLAUSE] = {"event", "where", "as", "message", "required", "reason", "until", "to",
                          "per", "by", "resolves"},
        [WORDS_JOIN] = {"and", "or", "not"},
        [WORDS_OPERATOR] = {"is", "in", "under", "matches", "starts", "has"},
        [WORDS_CONSTANT] = {"true", "false", "none", "absent", "unknown", "all", "enforce",
                            "observe", "linux", "windows"},
    };
    return words[group];
}
