// Changes: each has a client_ref, so that it can be sent again when its reply is lost; and what may cost a
// fee is decided dry first, so that nobody pays without having been told.
#include "cli/cli.h"

#include "cli/text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define RANDOM_BYTES 16

// ---- The client_ref

static bool make_client_ref(struct cli *cli, json_t *params)
{
    unsigned char random[RANDOM_BYTES];
    char text[sizeof "cli-" + 2 * RANDOM_BYTES] = "cli-";
    ssize_t got;
    do
        got = getrandom(random, sizeof random, 0);
    while (got < 0 && errno == EINTR);
    if (got != sizeof random) {
        cli->status = complain(cli, STATUS_REFUSED,
                               "no random number for a client_ref: %s; give one with --ref", strerror(errno));
        return false;
    }
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(text + 4 + 2 * i, 3, "%02x", random[i]);
    json_object_set_new(params, "client_ref", json_string(text));
    // Before it is sent, because afterwards there may be no one to say it.
    if (!cli->is_json)
        fprintf(cli->err, "client_ref %s\n", text);
    return true;
}

static bool is_dry(const json_t *params)
{
    return json_is_true(json_object_get(params, "dry_run"));
}

static void remember_client_ref(const json_t *params, json_t *result)
{
    json_t *client_ref = json_object_get(params, "client_ref");
    if (client_ref != NULL && json_object_get(result, "client_ref") == NULL)
        json_object_set(result, "client_ref", client_ref);
}

// ---- Fees

static bool is_free(const char *fee)
{
    return fee == NULL || strpbrk(fee, "123456789") == NULL;
}

static bool is_answered_yes(struct cli *cli, const char *question)
{
    char answer[16];
    fprintf(cli->err, "%s [y/N] ", question);
    fflush(cli->err);
    if (fgets(answer, sizeof answer, stdin) == NULL)
        return false;
    return (answer[0] == 'y' || answer[0] == 'Y') &&
           (answer[1] == '\n' || strncmp(answer + 1, "es\n", 3) == 0);
}

// Whether it may be done at that fee. False: it has complained, and cli->status is set.
static bool agree_to_fee(struct cli *cli, const char *fee)
{
    if (is_free(fee))
        return true;
    char *money = text_of_money(fee);
    char *question = text_format("This costs a fee of %s. Do it?", money);
    bool can_ask = isatty(STDIN_FILENO) && isatty(fileno(cli->err));
    bool agreed = can_ask && is_answered_yes(cli, question);
    if (!can_ask)
        cli->status = complain(cli, STATUS_USAGE,
                               "this costs a fee of %s; nothing was changed: say --yes to pay it", money);
    else if (!agreed)
        cli->status = complain(cli, STATUS_REFUSED, "nothing was changed");
    free(question);
    free(money);
    return agreed;
}

static bool ask_for_fee(struct cli *cli, const char *method, const json_t *params)
{
    json_t *dry = json_copy((json_t *)params);
    json_object_set_new(dry, "dry_run", json_true());
    json_t *quote = daemon_call(cli, method, dry);
    json_decref(dry);
    // What was done before costs nothing again.
    bool agreed = quote != NULL && (json_is_true(json_object_get(quote, "replayed")) ||
                                    agree_to_fee(cli, json_string_value(json_object_get(quote, "fee"))));
    json_decref(quote);
    return agreed;
}

// ---- Doing it

int change_run(struct cli *cli, const char *method, json_t *params)
{
    const struct arguments *arguments = &cli->arguments;
    bool is_to_be_asked =
        arguments->verb->may_cost && !is_dry(params) && !option_given(arguments, OPTION_YES);
    if (is_to_be_asked && !ask_for_fee(cli, method, params))
        return cli->status;
    bool lacks_ref = !is_dry(params) && json_object_get(params, "client_ref") == NULL;
    if (lacks_ref && !arguments->verb->is_repeatable && !make_client_ref(cli, params))
        return cli->status;
    json_t *result = daemon_call(cli, method, params);
    if (result == NULL)
        return cli->status;
    if (cli->is_json)
        remember_client_ref(params, result);
    show_result(cli, result);
    json_decref(result);
    return STATUS_DONE;
}
