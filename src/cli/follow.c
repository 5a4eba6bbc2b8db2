// events --follow: each event as it happens, until SIGINT.
//
// A connection that is lost is made again, and the events go on after the last that was shown: none is left
// out and none comes twice, whatever happened to the daemon meanwhile. Only a refusal that trying again can't
// change ends it. Before the first connection has been made nothing is tried again, so that a wrong path is
// told at once.
#include "cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define PAUSE_FIRST_MS 100
#define PAUSE_MOST_MS  10000

static volatile sig_atomic_t is_interrupted;

static void interrupt(int number)
{
    (void)number;
    is_interrupted = 1;
}

// Waits for input, or (descriptor -1) for the time, at most; negative: for ever. Returns at once when there
// was an interrupt, and early when there is one.
static void pause_for(int descriptor, int milliseconds)
{
    struct pollfd wanted = {.fd = descriptor, .events = POLLIN};
    struct timespec time = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000L};
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    if (!is_interrupted)
        ppoll(&wanted, 1, milliseconds < 0 ? NULL : &time, &before);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

// Connects, and watches after the event in params. False: cli->status is set.
static bool begin(struct cli *cli, json_t *params)
{
    if (!daemon_open(cli))
        return false;
    char *text = json_dumps(params, JSON_COMPACT);
    if (text == NULL) {
        cli->may_pass = false;
        cli->status = complain(cli, STATUS_USAGE, "the parameters are no UTF-8");
        return false;
    }
    struct colossus_reply reply;
    bool is_good = colossus_watch(cli->connection, text, &reply) == COLOSSUS_OK;
    free(text);
    if (is_good) {
        json_t *result = json_loads(reply.result, 0, NULL);
        json_object_set(params, "after", json_object_get(result, "after"));
        json_decref(result);
    } else {
        daemon_explain(cli, params, &reply);
        daemon_close(cli);
    }
    colossus_reply_free(&reply);
    return is_good;
}

// Connects again, less and less often, until it works. False: it never will, or there was an interrupt.
static bool begin_again(struct cli *cli, json_t *params)
{
    int pause_ms = PAUSE_FIRST_MS;
    while (!is_interrupted) {
        if (begin(cli, params))
            return true;
        if (!cli->may_pass)
            return false;
        pause_for(-1, pause_ms);
        pause_ms = pause_ms * 2 < PAUSE_MOST_MS ? pause_ms * 2 : PAUSE_MOST_MS;
    }
    return false;
}

static void show(struct cli *cli, const char *text, json_t *params)
{
    json_t *event = json_loads(text, JSON_ALLOW_NUL, NULL);
    if (event == NULL)
        return;
    if (cli->is_json) {
        json_dumpf(event, cli->out, JSON_COMPACT);
        fputc('\n', cli->out);
    } else {
        show_event_line(cli, event);
    }
    json_object_set(params, "after", json_object_get(event, "seq"));
    json_decref(event);
}

enum course { COURSE_LOST, COURSE_INTERRUPTED, COURSE_UNREAD };

// Shows what comes on this connection. What there is, is shown at once, and the program waits only when all
// of it has left.
static enum course go_on(struct cli *cli, json_t *params)
{
    while (!is_interrupted) {
        struct colossus_reply reply;
        enum colossus_status status = colossus_event(cli->connection, 0, &reply);
        bool is_event = status == COLOSSUS_OK && reply.result != NULL;
        if (is_event)
            show(cli, reply.result, params);
        else if (status != COLOSSUS_OK)
            complain(cli, STATUS_NO_ANSWER, "%s; connecting again",
                     reply.message == NULL ? "out of memory" : reply.message);
        colossus_reply_free(&reply);
        if (status != COLOSSUS_OK)
            return COURSE_LOST;
        if (is_event)
            continue;
        if (fflush(cli->out) != 0 || ferror(cli->out))
            return COURSE_UNREAD;
        pause_for(colossus_descriptor(cli->connection), -1);
    }
    return COURSE_INTERRUPTED;
}

static int follow(struct cli *cli, json_t *params)
{
    bool is_on = begin(cli, params);
    enum course course = COURSE_LOST;
    cli->is_patient = is_on;
    while (is_on) {
        course = go_on(cli, params);
        daemon_close(cli);
        is_on = course == COURSE_LOST && begin_again(cli, params);
    }
    // What is wrong with the output, the caller sees.
    if (is_interrupted || course == COURSE_UNREAD)
        return STATUS_DONE;
    if (cli->is_patient)
        fprintf(cli->err, "Go on with --after %lld.\n",
                (long long)json_integer_value(json_object_get(params, "after")));
    return cli->status;
}

int run_follow(struct cli *cli)
{
    // A second interrupt ends the program the hard way, whatever it waits for.
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND}, before;
    json_t *params = params_of_verb(cli);
    if (params == NULL)
        return cli->status;
    is_interrupted = 0;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &before);
    int status = follow(cli, params);
    sigaction(SIGINT, &before, NULL);
    json_decref(params);
    return status;
}
