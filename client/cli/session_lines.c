#include "client/cli/session_lines.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "client/cli/admin_client.h"
#include "client/cli/command.h"
#include "client/cli/json_line.h"
#include "policies/engine/vocabulary.h"

static int as_int(size_t length)
{
    return (int)length;
}

static void print_field(const char *before, const ProtobufCBinaryData *text)
{
    printf("%s%.*s", before, as_int(text->len), field_bytes(text));
}

/* ------------------------------------------------------------------------------------------ text
 */

static void print_classes(uint32_t classes)
{
    const char *before = "";

    for (int class = CLASS_NONE + 1; class < CLASS_COUNT; class ++) {
        if (!(classes >> class & 1))
            continue;
        printf("%s%s", before, vocabulary_class_name((enum operation_class) class));
        before = ", ";
    }
}

static void print_floor(const Warder__V1__SessionEntry *entry)
{
    const uint32_t lacking = entry->floor_asked & ~entry->floor_taken;

    fputs("  floor      ", stdout);
    if (entry->floor_asked == 0)
        fputs("none: no policy that governs it asks for one", stdout);
    else if (entry->floor_taken == 0)
        fputs(entry->floor_said ? "none" : "not taken yet, or nobody has said so", stdout);
    print_classes(entry->floor_taken);
    if (entry->forked && entry->floor_asked != 0)
        fputs(" (its parent's)", stdout);
    fputc('\n', stdout);
    if (lacking != 0 && entry->floor_said) {
        fputs("  NOT HELD   ", stdout);
        print_classes(lacking);
        fputs(entry->attached ? ": by the audit hook alone, for attach() brings no C boundary\n"
                              : ": by the audit hook and the C boundary alone\n",
              stdout);
    }
    for (size_t i = 0; i < entry->n_missing; i++) {
        print_field(i == 0 ? "  missing    " : "             ", &entry->missing[i]);
        fputc('\n', stdout);
    }
    if (entry->floor_changed_by.len > 0) {
        print_field("  outdated   the floor was taken before ", &entry->floor_changed_by);
        fputs(" changed: restart the process to take the new one\n", stdout);
    }
}

static void print_entry(const Warder__V1__SessionEntry *entry)
{
    print_field("session ", &entry->session);
    printf(", pid %" PRId32, entry->pid);
    print_field(", user ", &entry->user);
    print_field(": ", &entry->executable);
    print_field(entry->script.len > 0 ? " " : "", &entry->script);
    fputs("\n  under      ", stdout);
    for (size_t i = 0; i < entry->n_policies; i++)
        print_field(i > 0 ? ", " : "", &entry->policies[i]);
    puts(entry->n_policies == 0 ? "no policy" : "");
    if (entry->attached)
        puts("  attached   with attach(), which came when its code was running: no C boundary");
    print_floor(entry);
}

/* ------------------------------------------------------------------------------------------ JSON
 */

static json_t *texts_json(const ProtobufCBinaryData *texts, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_line_field(&texts[i]));
    return list;
}

static json_t *classes_json(uint32_t classes)
{
    json_t *list = json_array();
    for (int class = CLASS_NONE + 1; class < CLASS_COUNT; class ++)
        if (classes >> class & 1)
            json_array_append_new(list,
                                  json_string(vocabulary_class_name((enum operation_class) class)));
    return list;
}

/* As in the record. */
static const char *route_name(Warder__V1__HookRoute route)
{
    switch (route) {
    case WARDER__V1__HOOK_ROUTE__HOOK_ROUTE_PRELOAD:
        return "preload";
    case WARDER__V1__HOOK_ROUTE__HOOK_ROUTE_LATE:
        return "late";
    case WARDER__V1__HOOK_ROUTE__HOOK_ROUTE_ATTACH:
        return "attach";
    case WARDER__V1__HOOK_ROUTE__HOOK_ROUTE_FORK:
        return "fork";
    default:
        return "unknown";
    }
}

static void print_entry_json(const Warder__V1__SessionEntry *entry)
{
    const ProtobufCBinaryData *changed = &entry->floor_changed_by;
    json_t *floor =
        json_pack("{s:o, s:o, s:b, s:b, s:i, s:o, s:o}", "asked", classes_json(entry->floor_asked),
                  "taken", classes_json(entry->floor_taken), "said", (int)entry->floor_said,
                  "inherited", (int)entry->forked, "landlock", (int)entry->landlock_abi, "missing",
                  texts_json(entry->missing, entry->n_missing), "changed_by",
                  changed->len > 0 ? json_line_field(changed) : json_null());

    json_line_print_object(
        stdout, json_pack("{s:o, s:i, s:o, s:o, s:o, s:s, s:b, s:o, s:o}", "session",
                          json_line_field(&entry->session), "pid", (int)entry->pid, "user",
                          json_line_field(&entry->user), "exe", json_line_field(&entry->executable),
                          "script", json_line_field(&entry->script), "route",
                          route_name(entry->route), "boundary", !entry->attached, "policies",
                          texts_json(entry->policies, entry->n_policies), "floor", floor));
}

int session_lines_print(struct daemon_client *client, bool json)
{
    Warder__V1__AdminRequest request = WARDER__V1__ADMIN_REQUEST__INIT;
    Warder__V1__ListSessions list = WARDER__V1__LIST_SESSIONS__INIT;
    uint64_t count = 0;

    request.body_case = WARDER__V1__ADMIN_REQUEST__BODY_SESSIONS;
    request.sessions = &list;
    if (!admin_request(client, &request))
        return EXIT_USAGE;
    for (;;) {
        const Warder__V1__AdminReply *reply = admin_reply_at_once(client);
        if (!reply)
            return EXIT_USAGE;
        switch (reply->body_case) {
        case WARDER__V1__ADMIN_REPLY__BODY_SESSION:
            count++;
            if (json)
                print_entry_json(reply->session);
            else
                print_entry(reply->session);
            break;
        case WARDER__V1__ADMIN_REPLY__BODY_DONE:
            if (reply->done->partial)
                complain("these are the youngest; there are more");
            if (count == 0 && !json)
                puts("there are no sessions: no interpreter is under this daemon now");
            return EXIT_DONE;
        case WARDER__V1__ADMIN_REPLY__BODY_FAILED:
            return admin_failed(reply->failed);
        default:
            complain("the daemon's answer is not understood");
            return EXIT_USAGE;
        }
    }
}
