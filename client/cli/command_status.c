#define _GNU_SOURCE
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <time.h>

#include "client/cli/admin_client.h"
#include "client/cli/command.h"
#include "client/cli/json_line.h"
#include "client/cli/session_lines.h"

static const char help[] =
    "usage: warder status [--sessions] [--json]\n"
    "\n"
    "Says how this host's daemon is: what is in force, who is under it, what it refused, and\n"
    "whether it can record.\n"
    "\n"
    "  --sessions           the sessions of now instead, the youngest first: what governs each,\n"
    "                       which floor the kernel holds of it, and what that lacks\n"
    "  --json               as one JSON object; with --sessions one a line; a failure as one with\n"
    "                       error and kind\n"
    "  --admin-socket PATH  of another daemon than the host's\n"
    "\n"
    "examples:\n"
    "  sudo warder status\n"
    "  sudo warder status --sessions --json | jq -r 'select(.floor.changed_by) | .pid'\n"
    "\n"
    "exit status: 0 told, 2 wrong usage or failure\n";

static int as_int(size_t length)
{
    return (int)length;
}

static void print_text(const Warder__V1__Status *status)
{
    const time_t seconds = (time_t)(status->started / 1000000000U);
    struct tm parts;
    char started[64];

    localtime_r(&seconds, &parts);
    strftime(started, sizeof(started), "%Y-%m-%d %H:%M:%S %z", &parts);
    printf("warderd %.*s, pid %d, since %s\n", as_int(status->version.len),
           field_bytes(&status->version), (int)status->pid, started);
    printf("  in force    generation %" PRIu64 ", %" PRIu64 " %s\n", status->generation,
           (uint64_t)status->policies, status->policies == 1 ? "policy" : "policies");
    printf("  sessions    %" PRIu32 " now, %" PRIu64 " since the start, on %" PRIu32 " %s\n",
           status->sessions, status->sessions_total, status->loop_threads,
           status->loop_threads == 1 ? "thread" : "threads");
    if (status->floors_asked > 0)
        printf("  floors      %" PRIu32 " held by the kernel, %" PRIu32 " lack a part\n",
               status->floors_asked - status->floors_lacking, status->floors_lacking);
    printf("  decisions   %" PRIu64 ", of these %" PRIu64 " denials\n", status->decisions,
           status->denials);
    printf("  refused     %" PRIu64 " messages, %" PRIu64 " connections, %" PRIu64
           " requests of administration\n",
           status->refused_messages, status->refused_connections, status->refused_requests);
    if (status->unguarded > 0)
        printf("  UNGUARDED   %" PRIu64 " %s not come under policy: see the record\n",
               status->unguarded, status->unguarded == 1 ? "interpreter has" : "interpreters have");
    printf("  record      %s; %" PRIu64 " written, %" PRIu64 " waiting, %" PRIu64 " dropped\n",
           status->record_all ? "every decision" : "denials and `log` rules",
           status->records_written, status->records_waiting, status->records_dropped);
    if (status->record_error.len > 0)
        printf("  NOT RECORDING: %.*s\n", as_int(status->record_error.len),
               field_bytes(&status->record_error));
    printf("  state       %.*s\n", as_int(status->state_directory.len),
           field_bytes(&status->state_directory));
    printf("  socket      %.*s\n", as_int(status->session_socket.len),
           field_bytes(&status->session_socket));
}

static void print_json(const Warder__V1__Status *status)
{
    json_t *object = json_pack(
        "{s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
        "s:I, s:b}",
        "pid", (json_int_t)status->pid, "started", json_line_time(status->started), "generation",
        (json_int_t)status->generation, "policies", (json_int_t)status->policies, "sessions",
        (json_int_t)status->sessions, "sessions_total", (json_int_t)status->sessions_total,
        "floors", (json_int_t)status->floors_asked, "floors_lacking",
        (json_int_t)status->floors_lacking, "decisions", (json_int_t)status->decisions, "denials",
        (json_int_t)status->denials, "refused_messages", (json_int_t)status->refused_messages,
        "refused_connections", (json_int_t)status->refused_connections, "refused_requests",
        (json_int_t)status->refused_requests, "records_written",
        (json_int_t)status->records_written, "records_waiting", (json_int_t)status->records_waiting,
        "records_dropped", (json_int_t)status->records_dropped, "loop_threads",
        (json_int_t)status->loop_threads, "unguarded", (json_int_t)status->unguarded, "record_all",
        (int)status->record_all);
    if (!object)
        return;
    json_object_set_new(object, "version", json_line_field(&status->version));
    json_object_set_new(object, "record_error", json_line_field(&status->record_error));
    json_object_set_new(object, "state_directory", json_line_field(&status->state_directory));
    json_object_set_new(object, "session_socket", json_line_field(&status->session_socket));
    json_line_print_object(stdout, object);
}

int command_status(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"sessions", no_argument, NULL, 'l'},
                                            {"admin-socket", required_argument, NULL, 's'},
                                            {NULL, 0, NULL, 0}};
    Warder__V1__AdminRequest request = WARDER__V1__ADMIN_REQUEST__INIT;
    Warder__V1__ReadStatus read_status = WARDER__V1__READ_STATUS__INIT;
    const char *socket = NULL;
    bool json = false;
    bool sessions = false;
    int option;

    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return EXIT_DONE;
        }
        if (option == 'j') {
            json = true;
            complaints_in_json(true);
        } else if (option == 'l')
            sessions = true;
        else if (option == 's')
            socket = optarg;
        else {
            complain_option("status", argv, option);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        complain("status: what is `%s`?", argv[optind]);
        return EXIT_USAGE;
    }
    CLEANUP(daemon_client_free) struct daemon_client *client = admin_connect(socket, NULL);
    if (client && sessions)
        return session_lines_print(client, json);
    request.body_case = WARDER__V1__ADMIN_REQUEST__BODY_STATUS;
    request.status = &read_status;
    if (!client || !admin_request(client, &request))
        return EXIT_USAGE;
    const Warder__V1__AdminReply *reply = admin_reply_at_once(client);
    if (!reply)
        return EXIT_USAGE;
    if (reply->body_case == WARDER__V1__ADMIN_REPLY__BODY_FAILED)
        return admin_failed(reply->failed);
    if (reply->body_case != WARDER__V1__ADMIN_REPLY__BODY_STATUS) {
        complain("the daemon's answer is not understood");
        return EXIT_USAGE;
    }
    if (json)
        print_json(reply->status);
    else
        print_text(reply->status);
    return EXIT_DONE;
}
