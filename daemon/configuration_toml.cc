// The only C++ in the project: Debian has no C library for TOML, and toml++ is the one of its C++
// libraries that says where in the file an error is. It sees a file of root's, once, at the start.
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

#include "daemon/configuration.h"

namespace
{

struct reader {
    const char *path;
    char *error;
    size_t size;

    bool fail(const toml::source_region &place, const std::string &what) const
    {
        std::snprintf(error, size, "%s:%u:%u: %s", path, static_cast<unsigned>(place.begin.line),
                      static_cast<unsigned>(place.begin.column), what.c_str());
        return false;
    }

    template <size_t N>
    bool text(const toml::key &key, const toml::node &node, char (&out)[N]) const
    {
        const auto value = node.value_exact<std::string>();
        if (!value)
            return fail(node.source(), std::string(key.str()) + " is a string");
        if (value->size() >= N || value->find('\0') != std::string::npos)
            return fail(node.source(), std::string(key.str()) + " is too long");
        std::memcpy(out, value->c_str(), value->size() + 1);
        return true;
    }

    bool number(const toml::key &key, const toml::node &node, int64_t least, unsigned &out) const
    {
        const auto value = node.value_exact<int64_t>();
        if (!value || *value < least || *value > 1000000000)
            return fail(node.source(), std::string(key.str()) + " is a whole number from " +
                                           std::to_string(least) + " to 1000000000");
        out = static_cast<unsigned>(*value);
        return true;
    }

    bool record(const toml::key &key, const toml::node &node, bool &all) const
    {
        const auto value = node.value_exact<std::string>();
        if (value && *value == "all")
            all = true;
        else if (value && *value == "denied")
            all = false;
        else
            return fail(node.source(), std::string(key.str()) + R"( is "denied" or "all")");
        return true;
    }

    bool evaluate(const toml::key &key, const toml::node &node) const
    {
        const auto value = node.value_exact<std::string>();
        if (value && *value == "daemon")
            return true;
        return fail(node.source(),
                    std::string(key.str()) +
                        R"( is "daemon": this version settles nothing in the interpreter)");
    }

    bool limit(const toml::key &key, const toml::node &node, configuration &out) const
    {
        const std::string_view name = key.str();
        if (name == "sessions_per_user")
            return number(key, node, 1, out.sessions_per_user);
        if (name == "connections_per_user")
            return number(key, node, 1, out.connections_per_user);
        if (name == "unfinished_per_user")
            return number(key, node, 1, out.unfinished_per_user);
        if (name == "verdict_milliseconds")
            return number(key, node, 100, out.verdict_milliseconds);
        if (name == "record_megabytes")
            return number(key, node, 0, out.record_megabytes);
        return fail(key.source(),
                    "there is no limit `" + std::string(name) +
                        "`; limits are sessions_per_user, connections_per_user, "
                        "unfinished_per_user, verdict_milliseconds, record_megabytes");
    }

    bool setting(const toml::key &key, const toml::node &node, configuration &out) const
    {
        const std::string_view name = key.str();
        if (name == "state_dir")
            return text(key, node, out.state_directory);
        if (name == "socket")
            return text(key, node, out.session_socket);
        if (name == "admin_socket")
            return text(key, node, out.admin_socket);
        if (name == "user")
            return text(key, node, out.user);
        if (name == "record")
            return record(key, node, out.record_all);
        if (name == "evaluate")
            return evaluate(key, node);
        if (name == "limits") {
            const toml::table *limits = node.as_table();
            if (!limits)
                return fail(node.source(), "limits is a table: [limits]");
            for (const auto &[limit_key, limit_node] : *limits)
                if (!limit(limit_key, limit_node, out))
                    return false;
            return true;
        }
        return fail(key.source(), "there is no setting `" + std::string(name) +
                                      "`; settings are state_dir, socket, admin_socket, user, "
                                      "record, evaluate and the table [limits]");
    }
};

} // namespace

// The whole file; false with errno set if it is none, or larger than a configuration can be.
static bool read_file(const char *path, std::string &text)
{
    constexpr size_t most = size_t{1024} * 1024;
    char block[4096];
    FILE *file = std::fopen(path, "re");

    if (!file)
        return false;
    size_t got;
    while (text.size() < most && (got = std::fread(block, 1, sizeof(block), file)) > 0)
        text.append(block, got);
    const bool read = !std::ferror(file) && text.size() < most;
    if (text.size() >= most)
        errno = EFBIG;
    std::fclose(file);
    return read;
}

extern "C" bool configuration_read(struct configuration *configuration, const char *path,
                                   char *error, size_t size)
{
    const reader reader{path, error, size};
    std::string text;
    if (!read_file(path, text)) {
        std::snprintf(error, size, "%s: cannot be read: %s", path, std::strerror(errno));
        return false;
    }
    const toml::parse_result result = toml::parse(text, std::string_view(path));
    if (!result)
        return reader.fail(result.error().source(), std::string(result.error().description()));
    for (const auto &[key, node] : result.table())
        if (!reader.setting(key, node, *configuration))
            return false;
    return true;
}
