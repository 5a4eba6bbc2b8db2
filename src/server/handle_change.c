// What the book decides. A decision that is done goes into the open batch and into the book at once, and its
// reply leaves when the batch is durable.
#include "server/connection.h"
#include "server/handlers.h"

#include "base/digest.h"
#include "base/memory.h"
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void decide(struct exchange *exchange, struct request *request, struct decision *decision)
{
    struct server *server = exchange->server;
    request->actor = session_actor(&exchange->connection->session);
    *decision = (struct decision){0};
    uint64_t begun = uv_hrtime();
    book_decide(server->store.book, request, exchange->now, writer_arena(&server->writer), decision);
    histogram_add(&server->metrics.decisions, &decision_scale, (int64_t)(uv_hrtime() - begun));
    exchange->slot->replayed = decision->replayed;
    if (decision->verdict != VERDICT_DONE) {
        server->totals.refusals++;
    }
}

static bool is_to_be_applied(const struct decision *decision)
{
    return decision->verdict == VERDICT_DONE && !decision->dry_run && !decision->replayed &&
           decision->row_count > 0;
}

static void apply(struct exchange *exchange, const struct decision *decision)
{
    if (is_to_be_applied(decision)) {
        writer_apply(&exchange->server->writer, decision);
    }
}

// A replay of something that has left the book is read from the ledger.
static enum answer read_replayed(struct exchange *exchange, const struct decision *decision)
{
    struct server *server = exchange->server;
    struct job *job = reader_job(&server->reader, exchange->slot, JOB_RESERVATION);
    job->first = decision->replay_thing;
    job->group = decision->group != 0;
    job->replayed = true;
    job->now = exchange->now;
    reader_submit(&server->reader, job, writer_dependency(&server->writer));
    return ANSWER_PENDING;
}

// The reply is written before the rows are applied, as for a dry run: so both show the same.
static enum answer answer_decision(struct exchange *exchange, const struct decision *decision)
{
    if (decision->verdict == VERDICT_DONE && decision->replay_thing != 0 && decision->outcome_count == 0 &&
        decision->result == NULL) {
        return read_replayed(exchange, decision);
    }
    wire_reply_decision(&exchange->slot->text, exchange->id, exchange->server->store.book, exchange->call,
                        decision, exchange->now);
    apply(exchange, decision);
    return ANSWER_READY;
}

static struct request request_of(struct exchange *exchange)
{
    struct request request = {0};
    wire_request(exchange->call, &exchange->server->parsing, &request);
    return request;
}

enum answer handle_change(struct exchange *exchange)
{
    struct request request = request_of(exchange);
    struct decision decision;
    decide(exchange, &request, &decision);
    return answer_decision(exchange, &decision);
}

// ---- token.create

// The token is shown here and nowhere else: the ledger has only its hash.
enum answer handle_token_create(struct exchange *exchange)
{
    struct arena *arena = writer_arena(&exchange->server->writer);
    struct request request = request_of(exchange);
    struct decision decision;
    char token[TOKEN_TEXT_SIZE];
    token_make(token, &request.token.salt, &request.token.hash);
    decide(exchange, &request, &decision);
    struct buffer result = {0};
    if (is_to_be_applied(&decision)) {
        buffer_append(&result, decision.result, decision.result_length);
        buffer_append_format(&result, "%s\"token\":\"%s\"", result.length > 0 ? "," : "", token);
        decision.result = arena_copy(arena, result.data, result.length);
        decision.result_length = result.length;
    }
    buffer_free(&result);
    return answer_decision(exchange, &decision);
}

// ---- server.backup

// How many unnamed backups of one second there may be.
#define BACKUP_NAMES_MOST 1000

static bool is_file_name(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && length <= 128 && name[0] != '.' &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == length;
}

// The name of a backup that was not named: the time ("ledger-20261201T000000Z.db"; "…-2.db" when there is one
// of that second already); or, with a client_ref, what the same client_ref gives again, so that a retry means
// the same file.
static const char *name_backup(struct exchange *exchange, int attempt)
{
    struct buffer name = {0};
    const char *client_ref = exchange->call->parameters.client_ref;
    buffer_append_text(&name, "ledger-");
    if (client_ref != NULL) {
        struct fingerprint fingerprint = fingerprint_of(client_ref, strlen(client_ref));
        buffer_append_format(&name, "%016llx%016llx", (unsigned long long)fingerprint.high,
                             (unsigned long long)fingerprint.low);
    } else {
        char time[INSTANT_TEXT_SIZE];
        instant_format(exchange->now, time);
        for (const char *c = time; *c != '\0'; c++) {
            buffer_append(&name, c, *c != '-' && *c != ':');
        }
        if (attempt > 1) {
            buffer_append_format(&name, "-%d", attempt);
        }
    }
    buffer_append_text(&name, ".db");
    const char *text = arena_copy(&exchange->server->parsing, name.data, name.length);
    buffer_free(&name);
    return text;
}

// backups/ beside the ledger, made when it is missing. NULL when it can't be.
static const char *backup_folder(struct exchange *exchange)
{
    char *ledger = arena_copy_text(&exchange->server->parsing, exchange->server->config->ledger);
    struct buffer path = {0};
    buffer_append_format(&path, "%s/backups", dirname(ledger));
    bool made = mkdir(path.data, 0750) == 0 || errno == EEXIST;
    const char *text = made ? arena_copy(&exchange->server->parsing, path.data, path.length) : NULL;
    buffer_free(&path);
    return text;
}

// Sets the request's name, and gives the file's path; *taken when there is such a file already, or will be.
static const char *backup_path(struct exchange *exchange, const char *folder, struct request *request,
                               bool *taken)
{
    const char *named = request->backup_name;
    bool is_by_time = named == NULL && request->client_ref == NULL;
    const char *text = NULL;
    *taken = true;
    for (int attempt = 1; *taken && (attempt == 1 || (is_by_time && attempt <= BACKUP_NAMES_MOST));
         attempt++) {
        struct buffer path = {0};
        struct stat status;
        request->backup_name = named != NULL ? named : name_backup(exchange, attempt);
        buffer_append_format(&path, "%s/%s", folder, request->backup_name);
        *taken = lstat(path.data, &status) == 0 || reader_is_backing_up(&exchange->server->reader, path.data);
        text = arena_copy(&exchange->server->parsing, path.data, path.length);
        buffer_free(&path);
    }
    return text;
}

static enum answer copy_ledger(struct exchange *exchange, const struct decision *decision, const char *path)
{
    struct server *server = exchange->server;
    apply(exchange, decision);
    struct job *job = reader_job(&server->reader, exchange->slot, JOB_BACKUP);
    job->destination = arena_copy_text(&job->arena, path);
    job->replayed = decision->replayed;
    job->now = exchange->now;
    reader_submit(&server->reader, job, writer_dependency(&server->writer));
    return ANSWER_PENDING;
}

enum answer handle_server_backup(struct exchange *exchange)
{
    struct request request = request_of(exchange);
    struct decision decision;
    bool taken = false;
    if (request.backup_name != NULL && !is_file_name(request.backup_name)) {
        return answer_error(
            exchange, RPC_INVALID_PARAMS,
            "a backup's name is 1 to 128 letters, digits, \".\", \"_\" and \"-\", and does not "
            "begin with a dot",
            "name");
    }
    const char *folder = backup_folder(exchange);
    if (folder == NULL) {
        return answer_error(exchange, RPC_INTERNAL_ERROR, "the folder for backups can't be made", NULL);
    }
    const char *path = backup_path(exchange, folder, &request, &taken);
    decide(exchange, &request, &decision);
    if (decision.verdict == VERDICT_DONE && !decision.replayed && taken) {
        return answer_error(exchange, RPC_CONFLICT, "there is a backup of that name already", "name");
    }
    if (decision.verdict != VERDICT_DONE || decision.dry_run) {
        return answer_decision(exchange, &decision);
    }
    return copy_ledger(exchange, &decision, path);
}

// ---- clock.advance

static enum answer advance(struct exchange *exchange, const struct decision *decision, struct instant to)
{
    struct server *server = exchange->server;
    wire_reply_decision(&exchange->slot->text, exchange->id, server->store.book, exchange->call, decision,
                        to);
    apply(exchange, decision);
    if (writer_advance(&server->writer, to)) {
        return ANSWER_READY;
    }
    server->advancing = memory_grow(server->advancing, server->advancing_count, &server->advancing_capacity,
                                    sizeof(struct slot *));
    server->advancing[server->advancing_count++] = exchange->slot;
    exchange->slot->batch = writer_dependency(&server->writer);
    return ANSWER_PENDING;
}

enum answer handle_clock_advance(struct exchange *exchange)
{
    struct request request = request_of(exchange);
    struct decision decision;
    if (!exchange->server->clock.manual) {
        return answer_error(exchange, RPC_INVALID_STATE, "this daemon runs on the system's clock", NULL);
    }
    decide(exchange, &request, &decision);
    return is_to_be_applied(&decision) ? advance(exchange, &decision, request.advance_to)
                                       : answer_decision(exchange, &decision);
}
