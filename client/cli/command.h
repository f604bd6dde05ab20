/* The commands of `warder`. Each parses its own options and returns its exit status. */
#ifndef WARDER_CLIENT_CLI_COMMAND_H
#define WARDER_CLIENT_CLI_COMMAND_H

#include <stdbool.h>

enum exit_status {
    EXIT_DONE = 0,
    EXIT_NO = 1,    /* the answer is no: a policy that does not check, a name that is not there */
    EXIT_USAGE = 2, /* wrong usage, or failure */
    EXIT_RUN_FAILED = 125, /* `run`: Warder itself failed, so that it is not the program's status */
    EXIT_NOT_RUNNABLE = 126, /* `run`: the program was found but could not be started */
    EXIT_NOT_FOUND = 127,    /* `run`: there is no such program (as env(1) has it) */
};

/* argv[0] is the command's own name. */
int command_run(int argc, char **argv);
int command_check(int argc, char **argv);
int command_fmt(int argc, char **argv);
int command_test(int argc, char **argv);
int command_apply(int argc, char **argv);
int command_list(int argc, char **argv);
int command_show(int argc, char **argv);
int command_remove(int argc, char **argv);
int command_log(int argc, char **argv);
int command_why(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_status(int argc, char **argv);

/* "warder: ..." on standard error, with a newline. */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/* From here on complaints are for programs: {"error": TEXT, "kind": "failure"} on standard output,
 * a line each. Off again for what is remarked beside an answer. */
void complaints_in_json(bool on);
bool complains_in_json(void);

/* A complaint whose kind a program can tell: "policy", "not-found" or "forbidden". */
__attribute__((format(printf, 2, 3))) void complain_of(const char *kind, const char *format, ...);

/* What getopt_long did not understand, said to the person; to be called when it returned '?' or
 * ':', with opterr 0 and an option string that begins with ':' (behind '+', if that is there). */
void complain_option(const char *command, char **argv, int answer);

/* Standard output is a terminal, and the person has not asked for no colours (NO_COLOR). */
bool wants_colour(int descriptor);

#endif
