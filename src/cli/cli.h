// What the verbs share: the run of the program, the daemon, parameters, and what is shown.
//
// Results go to `out`. Everything else, and above all what went wrong, goes to `err`.
#ifndef COLOSSUS_CLI_CLI_H
#define COLOSSUS_CLI_CLI_H

#include "cli/arguments.h"
#include "cli/times.h"
#include <colossus.h>

enum exit_status {
    STATUS_DONE = 0,
    STATUS_REFUSED = 1,
    STATUS_USAGE = 2,
    STATUS_NO_ANSWER = 3, // the daemon can't be reached, or its answer was lost
    STATUS_NOT_ALLOWED = 4,
    STATUS_NO_CAPACITY = 5,
    STATUS_OVER_COMMITMENT = 6,
};

struct cli {
    struct arguments arguments;
    FILE *out, *err;
    bool is_json;
    bool out_is_bold, err_is_bold; // a terminal that may be coloured
    struct colossus *connection;   // NULL until the first call
    int timeout_ms;
    bool knows_now;
    int64_t now;     // of the daemon's clock, seconds
    int status;      // of the last call that was not done
    bool may_pass;   // it may be done if it is tried again
    bool is_patient; // and that is what is done: nothing is said of it
};

// The whole program: reads the arguments, does the verb, and returns the exit status.
int cli_main(int count, char *const *texts, FILE *out, FILE *err);

// Prints "colossus: " and a sentence, made safe for a terminal, and returns the status.
int complain(struct cli *cli, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

// As complain with STATUS_USAGE, and says where help is.
int complain_of_usage(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Reads a whole file of at most 64 MiB ("-": standard input), with a NUL after it, to be freed. NULL: it has
// complained.
char *read_file(struct cli *cli, const char *path, size_t *length);

// ---- daemon.c

// Connects, if that was not done yet, and logs in when there is a token. False: it has complained, and
// cli->status is set.
bool daemon_open(struct cli *cli);
void daemon_close(struct cli *cli);

// As daemon_call complains of a reply that is none, and sets cli->status.
void daemon_explain(struct cli *cli, const json_t *params, const struct colossus_reply *reply);

// Calls a method. The parameters may be NULL and stay the caller's. NULL: it was not done, it has complained,
// and cli->status is set.
json_t *daemon_call(struct cli *cli, const char *method, json_t *params);

// The daemon's clock, asked once. False as in daemon_call.
bool daemon_now(struct cli *cli, int64_t *now);

// ---- params.c

// Each adds a parameter from its text. False: it has complained, and cli->status is set. `what` names the
// text in a complaint: "--start", "GPUS".
bool params_add(struct cli *cli, json_t *params, const char *what, const char *member, enum value_type type,
                const char *text);
bool params_read_time(struct cli *cli, const char *what, const char *text, enum rounding rounding,
                      int64_t *seconds);
void params_set_time(json_t *params, const char *member, int64_t seconds);

// The parameters of the verb, from its arguments and options; NULL: it has complained, and cli->status is
// set.
json_t *params_of_verb(struct cli *cli);

// ---- change.c

// Carries out a change: makes a client_ref if there is none, asks if there may be a fee, calls, and shows.
// Returns the exit status.
int change_run(struct cli *cli, const char *method, json_t *params);

// ---- show.c: results

void show_object(struct cli *cli, const json_t *object);
// A list of objects, with some of their members as columns.
void show_table(struct cli *cli, const json_t *list, const char *const *columns, size_t count);
void show_pools(struct cli *cli, const json_t *result);
void show_calendar(struct cli *cli, const json_t *result);
void show_reservations(struct cli *cli, const json_t *result); // one, or a group
void show_reservation_list(struct cli *cli, const json_t *result);
void show_commitment(struct cli *cli, const json_t *result);
void show_statement(struct cli *cli, const json_t *result);
void show_events(struct cli *cli, const json_t *result);
void show_event_line(struct cli *cli, const json_t *event);
void show_changes(struct cli *cli, const json_t *result);
void show_manifest(struct cli *cli, const json_t *result);
void show_ping(struct cli *cli, const json_t *result);
void show_metrics(struct cli *cli, const json_t *result); // metrics.c
void show_offers(struct cli *cli, const json_t *result);  // offers.c
void show_plan(struct cli *cli, const json_t *result);

// Prints JSON, indented, with a newline.
void show_json(struct cli *cli, const json_t *value);

// As JSON, or as the verb shows it.
void show_result(struct cli *cli, const json_t *result);

// ---- refusal.c

// What went wrong and the way out, in words and without a full stop; to be freed. params are those of the
// request, data is error.data; both may be NULL.
char *refusal_in_words(const json_t *params, int code, const char *message, const json_t *data);

// The exit status for an error's code.
int refusal_status(int code);

// ---- The verbs that do more than to call a method

int run_calendar(struct cli *cli);
int run_list(struct cli *cli);
int run_events(struct cli *cli);
int run_follow(struct cli *cli); // follow.c: events as they happen, until SIGINT
int run_reserve_group(struct cli *cli);
int run_apply(struct cli *cli);
int run_export(struct cli *cli);
int run_call(struct cli *cli);
int run_schema(struct cli *cli);
int run_verify(struct cli *cli);

#endif
