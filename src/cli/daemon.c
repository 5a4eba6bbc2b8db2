// The daemon: one connection, made at the first call.
#include "cli/cli.h"

#include "cli/text.h"
#include <stdlib.h>
#include <string.h>

static int status_of(const struct colossus_reply *reply)
{
    switch (reply->status) {
    case COLOSSUS_OK:
        return STATUS_DONE;
    case COLOSSUS_REFUSED:
        return refusal_status(reply->code);
    case COLOSSUS_UNREACHABLE:
    case COLOSSUS_OUTCOME_UNKNOWN:
        return STATUS_NO_ANSWER;
    case COLOSSUS_MISUSED:
        return STATUS_USAGE;
    case COLOSSUS_NO_MEMORY:
        break;
    }
    return STATUS_REFUSED;
}

// For scripts: the error as the daemon sent it.
static void show_error(struct cli *cli, const struct colossus_reply *reply, const json_t *data)
{
    json_t *error = json_pack("{s:{s:i, s:s, s:O*}}", "error", "code", reply->code, "message",
                              reply->message == NULL ? "" : reply->message, "data", data);
    if (error != NULL)
        show_json(cli, error);
    json_decref(error);
}

static void explain_refusal(struct cli *cli, const json_t *params, const struct colossus_reply *reply)
{
    json_t *data = reply->data == NULL ? NULL : json_loads(reply->data, 0, NULL);
    char *words = refusal_in_words(params, reply->code, reply->message == NULL ? "" : reply->message, data);
    if (cli->is_json)
        show_error(cli, reply, data);
    complain(cli, STATUS_REFUSED, "%s", words);
    free(words);
    json_decref(data);
}

static void explain_lost_reply(struct cli *cli, const json_t *params, const char *message)
{
    const char *client_ref = json_string_value(json_object_get(params, "client_ref"));
    bool is_change = cli->arguments.verb != NULL &&
                     (cli->arguments.verb->changes || strcmp(cli->arguments.verb->name, "call") == 0);
    if (client_ref != NULL)
        complain(
            cli, STATUS_NO_ANSWER,
            "%s; it may or may not have been carried out: ask again with --ref %s, which never does it twice",
            message, client_ref);
    else if (is_change && !json_is_true(json_object_get(params, "dry_run")))
        complain(cli, STATUS_NO_ANSWER, "%s; it may or may not have been carried out", message);
    else
        complain(cli, STATUS_NO_ANSWER, "%s", message);
}

static bool may_pass(const struct colossus_reply *reply)
{
    bool is_refused = reply->status == COLOSSUS_REFUSED;
    return reply->status == COLOSSUS_UNREACHABLE || reply->status == COLOSSUS_OUTCOME_UNKNOWN ||
           (is_refused && (reply->code == COLOSSUS_OVERLOADED || reply->code == COLOSSUS_RATE_LIMITED ||
                           reply->code == COLOSSUS_LEDGER_UNAVAILABLE));
}

void daemon_explain(struct cli *cli, const json_t *params, const struct colossus_reply *reply)
{
    const char *message = reply->message == NULL ? "out of memory" : reply->message;
    cli->status = status_of(reply);
    cli->may_pass = may_pass(reply);
    if (cli->may_pass && cli->is_patient)
        return;
    if (reply->status == COLOSSUS_OUTCOME_UNKNOWN)
        explain_lost_reply(cli, params, message);
    else if (reply->status == COLOSSUS_REFUSED)
        explain_refusal(cli, params, reply);
    else if (reply->status == COLOSSUS_UNREACHABLE)
        complain(cli, STATUS_NO_ANSWER, "%s; nothing was sent", message);
    else
        complain(cli, STATUS_USAGE, "%s", message);
}

// ---- Logging in

// The token without the newline that files end with. NULL when there is none to log in with; *failed when
// there should be one and it can't be read.
static char *find_token(struct cli *cli, bool *failed)
{
    const char *path = cli->arguments.values[OPTION_TOKEN_FILE], *variable = getenv("COLOSSUS_TOKEN");
    *failed = false;
    if (path == NULL)
        return variable == NULL || variable[0] == '\0' ? NULL : text_copy(variable);
    size_t length = 0;
    char *token = read_file(cli, path, &length);
    *failed = token == NULL;
    if (token != NULL)
        token[strcspn(token, "\r\n")] = '\0';
    return token;
}

static bool log_in(struct cli *cli)
{
    bool failed = false;
    char *token = find_token(cli, &failed);
    if (token == NULL) {
        cli->may_pass = false;
        cli->status = STATUS_USAGE;
        return !failed;
    }
    struct colossus_reply reply;
    bool is_in = colossus_login(cli->connection, token, &reply) == COLOSSUS_OK;
    if (!is_in)
        daemon_explain(cli, NULL, &reply);
    colossus_reply_free(&reply);
    explicit_bzero(token, strlen(token));
    free(token);
    return is_in;
}

// ---- Calling

bool daemon_open(struct cli *cli)
{
    if (cli->connection != NULL)
        return true;
    char message[COLOSSUS_MESSAGE_SIZE];
    enum colossus_status status =
        colossus_connect(cli->arguments.values[OPTION_SOCKET], cli->timeout_ms, &cli->connection, message);
    if (status != COLOSSUS_OK) {
        cli->status = STATUS_NO_ANSWER;
        cli->may_pass = status == COLOSSUS_UNREACHABLE;
        if (!cli->may_pass || !cli->is_patient)
            complain(cli, STATUS_NO_ANSWER, "%s", message);
        return false;
    }
    if (log_in(cli))
        return true;
    daemon_close(cli);
    return false;
}

void daemon_close(struct cli *cli)
{
    colossus_close(cli->connection);
    cli->connection = NULL;
}

json_t *daemon_call(struct cli *cli, const char *method, json_t *params)
{
    if (!daemon_open(cli))
        return NULL;
    char *text = params == NULL ? NULL : json_dumps(params, JSON_COMPACT);
    if (params != NULL && text == NULL) {
        cli->status = complain(cli, STATUS_USAGE, "the parameters are no UTF-8");
        return NULL;
    }
    struct colossus_reply reply;
    json_t *result = NULL;
    if (colossus_call(cli->connection, method, text, &reply) != COLOSSUS_OK) {
        daemon_explain(cli, params, &reply);
    } else {
        result = json_loads(reply.result, JSON_ALLOW_NUL, NULL);
        if (result == NULL)
            cli->status = complain(cli, STATUS_NO_ANSWER, "the daemon's answer can't be read");
    }
    colossus_reply_free(&reply);
    free(text);
    return result;
}

bool daemon_now(struct cli *cli, int64_t *now)
{
    if (!cli->knows_now) {
        json_t *result = daemon_call(cli, "server.ping", NULL);
        if (result == NULL)
            return false;
        const char *text = json_string_value(json_object_get(result, "now"));
        cli->knows_now = text != NULL && !time_is_relative(text) && time_parse(text, 0, ROUND_NOT, &cli->now);
        json_decref(result);
        if (!cli->knows_now) {
            cli->status = complain(cli, STATUS_NO_ANSWER, "the daemon's answer has no time");
            return false;
        }
    }
    *now = cli->now;
    return true;
}
