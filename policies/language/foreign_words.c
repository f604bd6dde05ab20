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
    {FOREIGN_FILE, "test", NULL, "tests stand in a file of their own: NAME.test.warder"},

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

    {FOREIGN_OPERATOR, "equals", "@ is $", NULL},
    {FOREIGN_OPERATOR, "equal", "@ is $", NULL},
    {FOREIGN_OPERATOR, "eq", "@ is $", NULL},
    {FOREIGN_OPERATOR, "are", "@ is $", NULL},
    {FOREIGN_OPERATOR, "ne", "not @ is $", NULL},
    {FOREIGN_OPERATOR, "neq", "not @ is $", NULL},
    {FOREIGN_OPERATOR, "isnt", "not @ is $", NULL},
    {FOREIGN_OPERATOR, "contains", "@ has $", NULL},
    {FOREIGN_OPERATOR, "includes", "@ has $", NULL},
    {FOREIGN_OPERATOR, "like", "@ matches $", NULL},
    {FOREIGN_OPERATOR, "glob", "@ matches $", NULL},
    {FOREIGN_OPERATOR, "match", "@ matches $", NULL},
    {FOREIGN_OPERATOR, "regex", "@ matches $, a glob", NULL},
    {FOREIGN_OPERATOR, "startswith", "@ under $ for a path, @ matches \"front*\" for a text", NULL},
    {FOREIGN_OPERATOR, "starts_with", "@ under $ for a path, @ matches \"front*\" for a text",
     NULL},
    {FOREIGN_OPERATOR, "begins", "@ under $ for a path, @ matches \"front*\" for a text", NULL},
    {FOREIGN_OPERATOR, "prefix", "@ under $ for a path, @ matches \"front*\" for a text", NULL},
    {FOREIGN_OPERATOR, "endswith", "@ matches \"*end\"", NULL},
    {FOREIGN_OPERATOR, "ends_with", "@ matches \"*end\"", NULL},
    {FOREIGN_OPERATOR, "within", "@ under $", NULL},
    {FOREIGN_OPERATOR, "inside", "@ under $", NULL},
    {FOREIGN_OPERATOR, "below", "@ under $", NULL},
    {FOREIGN_OPERATOR, "beneath", "@ under $", NULL},
    {FOREIGN_OPERATOR, "gt", "@ > $", NULL},
    {FOREIGN_OPERATOR, "ge", "@ >= $", NULL},
    {FOREIGN_OPERATOR, "lt", "@ < $", NULL},
    {FOREIGN_OPERATOR, "le", "@ <= $", NULL},

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

const char *foreign_value(const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
        if (same(values[i].word, text, length))
            return values[i].instead;
    return NULL;
}
