#include "policies/language/foreign_words.h"

#include <stdbool.h>
#include <string.h>

static const char conditions[] =
    "a condition stands in a rule, behind `where`: deny exec where shell as no-shell";
static const char includes[] = "files include nothing: name them together, warder check FILE FILE";
static const char holds[] = "a file holds policies: policy NAME { … }";

static const struct {
    enum foreign_place place;
    const char *word;
    const char *instead;
    const char *sentence;
} words[] = {
    {FOREIGN_FILE, "profile", "policy", NULL},
    {FOREIGN_FILE, "rule", "policy", holds},
    {FOREIGN_FILE, "rules", "policy", holds},
    {FOREIGN_FILE, "policies", "policy", holds},
    {FOREIGN_FILE, "package", NULL, holds},
    {FOREIGN_FILE, "namespace", NULL, holds},
    {FOREIGN_FILE, "table", NULL, holds},
    {FOREIGN_FILE, "chain", NULL, holds},
    {FOREIGN_FILE, "permit", NULL, "it is `allow`, in a policy: policy NAME { allow exec as … }"},
    {FOREIGN_FILE, "forbid", NULL, "it is `deny`, in a policy: policy NAME { deny exec as … }"},
    {FOREIGN_FILE, "import", NULL, includes},
    {FOREIGN_FILE, "include", NULL, includes},
    {FOREIGN_FILE, "test", NULL,
     "tests stand in a file of their own, NAME.test.warder, which `warder test` runs"},

    {FOREIGN_STATEMENT, "permit", "allow", NULL},
    {FOREIGN_STATEMENT, "accept", "allow", NULL},
    {FOREIGN_STATEMENT, "grant", "allow", NULL},
    {FOREIGN_STATEMENT, "pass", "allow", NULL},
    {FOREIGN_STATEMENT, "enable", "allow", NULL},
    {FOREIGN_STATEMENT, "forbid", "deny", NULL},
    {FOREIGN_STATEMENT, "drop", "deny", NULL},
    {FOREIGN_STATEMENT, "reject", "deny", NULL},
    {FOREIGN_STATEMENT, "block", "deny", NULL},
    {FOREIGN_STATEMENT, "prohibit", "deny", NULL},
    {FOREIGN_STATEMENT, "refuse", "deny", NULL},
    {FOREIGN_STATEMENT, "ban", "deny", NULL},
    {FOREIGN_STATEMENT, "disallow", "deny", NULL},
    {FOREIGN_STATEMENT, "terminate", "kill", NULL},
    {FOREIGN_STATEMENT, "abort", "kill", NULL},
    {FOREIGN_STATEMENT, "audit", "log", NULL},
    {FOREIGN_STATEMENT, "record", "log", NULL},
    {FOREIGN_STATEMENT, "let", "set", NULL},
    {FOREIGN_STATEMENT, "var", "set", NULL},
    {FOREIGN_STATEMENT, "const", "set", NULL},
    {FOREIGN_STATEMENT, "define", "set", NULL},
    {FOREIGN_STATEMENT, "except", "override", NULL},
    {FOREIGN_STATEMENT, "exception", "override", NULL},
    {FOREIGN_STATEMENT, "principal", "applies", NULL},
    {FOREIGN_STATEMENT, "subject", "applies", NULL},
    {FOREIGN_STATEMENT, "selector", "applies", NULL},
    {FOREIGN_STATEMENT, "match", "applies", NULL},
    {FOREIGN_STATEMENT, "if", NULL, conditions},
    {FOREIGN_STATEMENT, "elif", NULL, conditions},
    {FOREIGN_STATEMENT, "else", NULL, conditions},
    {FOREIGN_STATEMENT, "when", NULL, conditions},
    {FOREIGN_STATEMENT, "unless", NULL, conditions},
    {FOREIGN_STATEMENT, "where", NULL, conditions},
    {FOREIGN_STATEMENT, "include", NULL, includes},
    {FOREIGN_STATEMENT, "import", NULL, includes},
    {FOREIGN_STATEMENT, "rule", NULL, "a rule begins with its effect: allow, deny, kill or log"},

    {FOREIGN_CLAUSE, "if", "where", NULL},
    {FOREIGN_CLAUSE, "when", "where", NULL},
    {FOREIGN_CLAUSE, "with", "where", NULL},
    {FOREIGN_CLAUSE, "provided", "where", NULL},
    {FOREIGN_CLAUSE, "unless", "where not", NULL},
    {FOREIGN_CLAUSE, "except", "where not", NULL},
    {FOREIGN_CLAUSE, "named", "as", NULL},
    {FOREIGN_CLAUSE, "called", "as", NULL},
    {FOREIGN_CLAUSE, "name", "as", NULL},
    {FOREIGN_CLAUSE, "id", "as", NULL},
    {FOREIGN_CLAUSE, "msg", "message", NULL},
    {FOREIGN_CLAUSE, "comment", "message", NULL},
    {FOREIGN_CLAUSE, "because", "message", NULL},
    {FOREIGN_CLAUSE, "and", NULL, "classes are separated by commas: exec, write"},
    {FOREIGN_CLAUSE, "or", NULL, "classes are separated by commas: exec, write"},

    {FOREIGN_JOIN, "unless", "and not", NULL},
    {FOREIGN_JOIN, "except", "and not", NULL},
    {FOREIGN_JOIN, "if", "and", NULL},
    {FOREIGN_JOIN, "when", "and", NULL},
    {FOREIGN_JOIN, "where", "and", NULL},
    {FOREIGN_JOIN, "plus", "and", NULL},
    {FOREIGN_JOIN, "named", "as", NULL},
    {FOREIGN_JOIN, "called", "as", NULL},
    {FOREIGN_JOIN, "name", "as", NULL},

    {FOREIGN_VALUE, "none", "none",
     "behind `is` alone: `is none` for None, `is absent` where there is no such thing"},
    {FOREIGN_VALUE, "null", "none",
     "`is none` is Python's None, `is absent` that there is no such thing"},
    {FOREIGN_VALUE, "nil", "none",
     "`is none` is Python's None, `is absent` that there is no such thing"},
    {FOREIGN_VALUE, "undefined", "absent", "`is absent`: the operation has no such attribute"},
    {FOREIGN_VALUE, "missing", "absent", "`is absent`: the operation has no such attribute"},
    {FOREIGN_VALUE, "true", "true", NULL},
    {FOREIGN_VALUE, "yes", "true", NULL},
    {FOREIGN_VALUE, "on", "true", NULL},
    {FOREIGN_VALUE, "false", "false", NULL},
    {FOREIGN_VALUE, "no", "false", NULL},
    {FOREIGN_VALUE, "off", "false", NULL},

    {FOREIGN_MODE, "complain", "observe", NULL},
    {FOREIGN_MODE, "permissive", "observe", NULL},
    {FOREIGN_MODE, "audit", "observe", NULL},
    {FOREIGN_MODE, "log", "observe", NULL},
    {FOREIGN_MODE, "warn", "observe", NULL},
    {FOREIGN_MODE, "monitor", "observe", NULL},
    {FOREIGN_MODE, "strict", "enforce", NULL},
    {FOREIGN_MODE, "block", "enforce", NULL},

    {FOREIGN_DEFAULT, "drop", "deny", NULL},
    {FOREIGN_DEFAULT, "reject", "deny", NULL},
    {FOREIGN_DEFAULT, "forbid", "deny", NULL},
    {FOREIGN_DEFAULT, "block", "deny", NULL},
    {FOREIGN_DEFAULT, "accept", "allow", NULL},
    {FOREIGN_DEFAULT, "permit", "allow", NULL},

    {FOREIGN_CLASS, "network", "connect", NULL},
    {FOREIGN_CLASS, "net", "connect", NULL},
    {FOREIGN_CLASS, "tcp", "connect", NULL},
    {FOREIGN_CLASS, "udp", "connect", NULL},
    {FOREIGN_CLASS, "http", "connect", NULL},
    {FOREIGN_CLASS, "internet", "connect", NULL},
    {FOREIGN_CLASS, "outbound", "connect", NULL},
    {FOREIGN_CLASS, "listen", "bind", NULL},
    {FOREIGN_CLASS, "inbound", "bind", NULL},
    {FOREIGN_CLASS, "dns", "resolve", NULL},
    {FOREIGN_CLASS, "lookup", "resolve", NULL},
    {FOREIGN_CLASS, "execute", "exec", NULL},
    {FOREIGN_CLASS, "spawn", "exec", NULL},
    {FOREIGN_CLASS, "process", "exec", NULL},
    {FOREIGN_CLASS, "subprocess", "exec", NULL},
    {FOREIGN_CLASS, "command", "exec", NULL},
    {FOREIGN_CLASS, "open", "read", NULL},
    {FOREIGN_CLASS, "delete", "write", NULL},
    {FOREIGN_CLASS, "unlink", "write", NULL},
    {FOREIGN_CLASS, "create", "write", NULL},
    {FOREIGN_CLASS, "modify", "write", NULL},
    {FOREIGN_CLASS, "library", "native", NULL},
    {FOREIGN_CLASS, "dlopen", "native", NULL},
    {FOREIGN_CLASS, "ctypes", "ffi", NULL},
    {FOREIGN_CLASS, "env", "environ", NULL},
    {FOREIGN_CLASS, "eval", "code", NULL},
    {FOREIGN_CLASS, "compile", "code", NULL},
};

/* What is meant by an operator of another language. How it is written here depends on the type. */
enum meaning {
    MEANS_EQUAL,
    MEANS_UNEQUAL,
    MEANS_CONTAINS,
    MEANS_FRONT,
    MEANS_END,
    MEANS_WITHIN,
    MEANS_GLOB,
    MEANS_REGEX,
    MEANS_GREATER,
    MEANS_GREATER_OR_EQUAL,
    MEANS_LESS,
    MEANS_LESS_OR_EQUAL,
};

static const struct {
    const char *word;
    enum meaning meaning;
} operators[] = {
    {"=", MEANS_EQUAL},           {"==", MEANS_EQUAL},
    {"===", MEANS_EQUAL},         {":", MEANS_EQUAL},
    {":=", MEANS_EQUAL},          {"equals", MEANS_EQUAL},
    {"equal", MEANS_EQUAL},       {"eq", MEANS_EQUAL},
    {"are", MEANS_EQUAL},         {"!", MEANS_UNEQUAL},
    {"!=", MEANS_UNEQUAL},        {"is not", MEANS_UNEQUAL},
    {"ne", MEANS_UNEQUAL},        {"neq", MEANS_UNEQUAL},
    {"isnt", MEANS_UNEQUAL},      {"contains", MEANS_CONTAINS},
    {"includes", MEANS_CONTAINS}, {"like", MEANS_GLOB},
    {"=~", MEANS_GLOB},           {"glob", MEANS_GLOB},
    {"match", MEANS_GLOB},        {"regex", MEANS_REGEX},
    {"startswith", MEANS_FRONT},  {"starts_with", MEANS_FRONT},
    {"begins", MEANS_FRONT},      {"prefix", MEANS_FRONT},
    {"endswith", MEANS_END},      {"ends_with", MEANS_END},
    {"within", MEANS_WITHIN},     {"inside", MEANS_WITHIN},
    {"below", MEANS_WITHIN},      {"beneath", MEANS_WITHIN},
    {"gt", MEANS_GREATER},        {"ge", MEANS_GREATER_OR_EQUAL},
    {"lt", MEANS_LESS},           {"le", MEANS_LESS_OR_EQUAL},
};

enum {
    LISTS = 1 << TYPE_TEXT_LIST | 1 << TYPE_TEXT_MAP,
    HOSTS = 1 << TYPE_HOST,
    NAMES_OF_PATHS = 1 << TYPE_PATH,
    TREES = 1 << TYPE_PATH | 1 << TYPE_REGISTRY | 1 << TYPE_MODULE,
    NUMBERS =
        1 << TYPE_INT | 1 << TYPE_SIGNAL | 1 << TYPE_VERSION | 1 << TYPE_ADDRESS | 1 << TYPE_BOOL,
    ARGUMENTS = 1 << TYPE_ANY,
    EVERY_TYPE = 0xffff,
};

/* The first row that has the type counts. */
static const struct {
    enum meaning meaning;
    int types;
    const char *shape;
} shapes[] = {
    {MEANS_EQUAL, LISTS, "@ is [$]"},
    {MEANS_EQUAL, EVERY_TYPE, "@ is $"},
    {MEANS_UNEQUAL, LISTS, "not @ is [$]"},
    {MEANS_UNEQUAL, EVERY_TYPE, "not @ is $"},
    {MEANS_CONTAINS, LISTS | ARGUMENTS, "@ has $"},
    {MEANS_CONTAINS, NAMES_OF_PATHS, "@ matches \"**%**\""},
    {MEANS_CONTAINS, HOSTS, "@ is \"*.%\""},
    {MEANS_CONTAINS, NUMBERS, "@ is $"},
    {MEANS_CONTAINS, EVERY_TYPE, "@ matches \"*%*\""},
    {MEANS_FRONT, NAMES_OF_PATHS, "@ under $"},
    {MEANS_FRONT, LISTS, "@ starts [$]"},
    {MEANS_FRONT, HOSTS | NUMBERS, "@ is $"},
    {MEANS_FRONT, EVERY_TYPE, "@ matches \"%*\""},
    {MEANS_END, NAMES_OF_PATHS, "@ matches \"**%\""},
    {MEANS_END, LISTS, "@ has matches \"*%\""},
    {MEANS_END, HOSTS, "@ is \"*.%\""},
    {MEANS_END, NUMBERS, "@ is $"},
    {MEANS_END, EVERY_TYPE, "@ matches \"*%\""},
    {MEANS_WITHIN, TREES, "@ under $"},
    {MEANS_WITHIN, LISTS, "@ has $"},
    {MEANS_WITHIN, HOSTS, "@ is \"*.%\""},
    {MEANS_WITHIN, NUMBERS, "@ is $"},
    {MEANS_WITHIN, EVERY_TYPE, "@ matches \"%*\""},
    {MEANS_GLOB, LISTS, "@ has matches $"},
    {MEANS_GLOB, HOSTS | NUMBERS, "@ is $"},
    {MEANS_GLOB, EVERY_TYPE, "@ matches $"},
    {MEANS_REGEX, LISTS, "@ has matches $, a glob"},
    {MEANS_REGEX, HOSTS | NUMBERS, "@ is $"},
    {MEANS_REGEX, EVERY_TYPE, "@ matches $, a glob"},
    {MEANS_GREATER, EVERY_TYPE, "@ > $"},
    {MEANS_GREATER_OR_EQUAL, EVERY_TYPE, "@ >= $"},
    {MEANS_LESS, EVERY_TYPE, "@ < $"},
    {MEANS_LESS_OR_EQUAL, EVERY_TYPE, "@ <= $"},
};

static const struct {
    const char *word;
    const char *instead;
} values[] = {
    {"delete", "remove"}, {"unlink", "remove"},  {"mv", "rename"},        {"move", "rename"},
    {"write", "open"},    {"append", "open"},    {"ipv4", "inet"},        {"ip4", "inet"},
    {"af_inet", "inet"},  {"ipv6", "inet6"},     {"ip6", "inet6"},        {"af_inet6", "inet6"},
    {"af_unix", "unix"},  {"local", "unix"},     {"tcp", "stream"},       {"sock_stream", "stream"},
    {"udp", "dgram"},     {"datagram", "dgram"}, {"sock_dgram", "dgram"}, {"sock_raw", "raw"},
    {"script", "file"},   {"children", "child"}, {"myself", "self"},      {"pgrp", "group"},
    {"ptrace", "trace"},  {"kill", "signal"},    {"win32", "windows"},    {"-c", "command"},
    {"-m", "module"},     {"set", "write"},
};

static char lower(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c + ('a' - 'A'));
    return c;
}

static bool same(const char *word, const char *text, size_t length)
{
    if (strlen(word) != length)
        return false;
    for (size_t i = 0; i < length; i++)
        if (lower(text[i]) != word[i])
            return false;
    return true;
}

const char *foreign_word(enum foreign_place place, const char *text, size_t length,
                         const char **sentence)
{
    *sentence = NULL;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (words[i].place != place || !same(words[i].word, text, length))
            continue;
        *sentence = words[i].sentence;
        return words[i].instead;
    }
    return NULL;
}

const char *foreign_operator(const char *text, size_t length, enum attribute_type type)
{
    for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++)
        for (size_t j = 0;
             same(operators[i].word, text, length) && j < sizeof(shapes) / sizeof(*shapes); j++)
            if (shapes[j].meaning == operators[i].meaning && (shapes[j].types >> type & 1))
                return shapes[j].shape;
    return NULL;
}

const char *foreign_value(const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
        if (same(values[i].word, text, length))
            return values[i].instead;
    return NULL;
}
