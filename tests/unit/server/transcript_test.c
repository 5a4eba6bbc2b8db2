// A transcript: a file of requests and of what becomes of each, word for word: the reply, the events, and at
// last every row of every table. It is made again from the requests in it, and must come out the same.
//
//     transcript_test            compares
//     transcript_test write      writes the file anew; then read what git says has changed in it
//
// In the file, "> LINE" is a request as an operator sends it and "NAME> LINE" one of a tenant; "@ TIME" moves
// the clock on and ends the batch; "! reload" opens the ledger again; "! tables" shows all rows; "# ..." is a
// remark. What follows each is what came of it. Events are hashed into the ledger for good and clients rest
// on replies, so no word of either may change by accident.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/memory.h"
#include "ledger/ledger.h"
#include "wire/wire.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "tests/unit/server/transcript.txt"
#define START     "2026-01-01T00:00:00Z"

static bool writes;

struct play {
    char folder[128], path[256];
    struct ledger *ledger;
    struct book *book;
    struct arena arena;
    struct instant now;
    struct row *rows;
    size_t row_count, row_capacity;
    struct buffer out;
};

// ---- The ledger and its batches

static struct instant instant_of(const char *text)
{
    struct instant instant;
    assert_true(instant_parse(text, strlen(text), &instant));
    return instant;
}

static void play_open(struct play *play)
{
    struct ledger_options options = {.path = play->path,
                                     .manual_clock = true,
                                     .manual_time = instant_of(START),
                                     .writer = "transcript",
                                     .wal_warn_bytes = INT64_C(1) << 30};
    struct ledger_error error = {0};
    if (!ledger_open(&options, &play->ledger, &error))
        fail_msg("%s", error.message);
    play->now = ledger_last_batch(play->ledger) == 0 ? options.manual_time : ledger_last_time(play->ledger);
    struct book_options book = {
        .horizon_years = 5, .hold_seconds_max = 7 * 86400, .origin = hour_of_instant(play->now)};
    play->book = book_create(&book);
    if (!ledger_load(play->ledger, play->book, &error))
        fail_msg("%s", error.message);
}

static void play_close(struct play *play)
{
    ledger_close(play->ledger);
    book_destroy(play->book);
    play->ledger = NULL;
    play->book = NULL;
}

static void keep(struct play *play, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        play->rows = memory_grow(play->rows, play->row_count, &play->row_capacity, sizeof *play->rows);
        play->rows[play->row_count++] = rows[i];
        if (rows[i].kind == ROW_EVENT)
            buffer_append_format(&play->out, "  %s by %s: %s\n", rows[i].event.type, rows[i].event.actor,
                                 rows[i].event.data);
    }
}

static void apply(struct play *play, const struct decision *decision)
{
    book_apply_rows(play->book, decision->rows, decision->row_count);
    keep(play, decision->rows, decision->row_count);
}

static void commit(struct play *play)
{
    struct row *rows;
    size_t count;
    struct ledger_error error = {0};
    book_end_batch(play->book, play->now, &play->arena, &rows, &count);
    keep(play, rows, count);
    struct batch batch = {.seq = ledger_last_batch(play->ledger) + 1,
                          .epoch = 1,
                          .at = play->now,
                          .rows = play->rows,
                          .row_count = play->row_count};
    if (ledger_commit(play->ledger, &batch, &error) != COMMIT_DONE)
        fail_msg("%s", error.message);
    play->row_count = 0;
}

static void move_on(struct play *play, const char *time)
{
    struct decision decision;
    bool urgent;
    struct instant to = instant_of(time);
    while (book_decide_due(play->book, to, &play->arena, &decision, &urgent))
        apply(play, &decision);
    play->now = to;
    commit(play);
}

// ---- Requests

static void reply_to_list(struct play *play, const struct wire_call *call, uint32_t tenant)
{
    struct ledger_reader *reader;
    struct ledger_error error = {0};
    const struct parameters *parameters = &call->parameters;
    struct ledger_page page = {.after = parameters->after, .limit = (int32_t)parameters->limit};
    struct reservation_filter filter = {.tenant = tenant, .states = parameters->states, .now = play->now};
    struct transfer_filter transfer_filter = {.tenant = tenant};
    struct reservation_image *images;
    struct transfer_row *transfers;
    struct event_row *events;
    size_t count;
    assert_true(ledger_reader_open(play->path, &reader, &error));
    if (call->row->method == METHOD_RESERVATION_LIST) {
        assert_true(ledger_read_reservations(reader, &filter, &page, &play->arena, &images, &count, &error));
        wire_reply_reservation_list(&play->out, call->id, play->book, images, count, page.has_next, page.next,
                                    play->now);
    } else if (call->row->method == METHOD_STATEMENT_LIST) {
        assert_true(
            ledger_read_transfers(reader, &transfer_filter, &page, &play->arena, &transfers, &count, &error));
        wire_reply_statement_list(&play->out, call->id, play->book, transfers, count, page.has_next,
                                  page.next);
    } else {
        assert_true(ledger_read_events(reader, tenant, &page, &play->arena, &events, &count, &error));
        wire_reply_event_list(&play->out, call->id, play->book, events, count, page.has_next, page.next);
    }
    ledger_reader_close(reader);
}

static void reply_to_get(struct play *play, const struct wire_call *call, uint32_t tenant)
{
    struct reservation_image image;
    int64_t id = call->parameters.id;
    bool is_group = false;
    if (id == 0)
        id = book_client_ref(play->book, tenant, call->parameters.client_ref, &is_group);
    if (book_reservation_owner(play->book, id) == 0)
        wire_reply_error(&play->out, call->id, RPC_NOT_FOUND, "there is no such reservation", NULL);
    else if (book_reservation(play->book, id, play->now, &image))
        wire_reply_reservations(&play->out, call->id, play->book, &image, 1, 0, false, false, play->now);
    else
        buffer_append_text(&play->out, "has left the book");
}

static void reply_to_export(struct play *play, const struct wire_call *call)
{
    struct json json = wire_reply_begin(&play->out, call->id);
    json_write_object(&json, "manifest");
    book_write_manifest(play->book, &json);
    json_write_object_end(&json);
    wire_reply_end(&json);
}

static void reply_to_change(struct play *play, const struct wire_call *call, struct actor actor)
{
    struct request request = {0};
    struct decision decision = {0};
    wire_request(call, &play->arena, &request);
    request.actor = actor;
    if (request.kind == REQUEST_TOKEN_CREATE)
        memset(&request.token.salt, 7, sizeof request.token.salt);
    book_decide(play->book, &request, play->now, &play->arena, &decision);
    wire_reply_decision(&play->out, call->id, play->book, call, &decision, play->now);
    buffer_append_text(&play->out, "\n");
    if (decision.verdict == VERDICT_DONE && !decision.dry_run && !decision.replayed)
        apply(play, &decision);
    commit(play);
}

static void ask_one(struct play *play, const struct wire_call *call, uint32_t tenant)
{
    struct actor actor = {.role = tenant == 0 ? ROLE_OPERATOR : ROLE_TENANT,
                          .tenant = tenant,
                          .name = tenant == 0 ? "uid:0" : "uid:1001"};
    if (call->error.code != 0) {
        wire_reply_error(&play->out, call->id, call->error.code, call->error.message, call->error.member);
    } else if (call->row->changes) {
        reply_to_change(play, call, actor);
        return;
    } else {
        if (tenant == 0 && call->parameters.tenant != NULL)
            tenant = book_tenant(play->book, call->parameters.tenant);
        switch (call->row->method) {
        case METHOD_POOL_LIST:
            wire_reply_pool_list(&play->out, call->id, play->book, tenant, play->now);
            break;
        case METHOD_POOL_CALENDAR:
            wire_reply_pool_calendar(&play->out, call->id, play->book, tenant, &call->parameters, play->now);
            break;
        case METHOD_OFFER_SEARCH:
            wire_reply_offers(&play->out, call->id, play->book, tenant, &call->parameters, &play->arena,
                              play->now);
            break;
        case METHOD_COMMITMENT_PLAN:
            wire_reply_commitment_plan(&play->out, call->id, play->book, tenant, &call->parameters,
                                       &play->arena, play->now);
            break;
        case METHOD_COMMITMENT_STATUS:
            wire_reply_commitment_status(&play->out, call->id, play->book, tenant, &call->parameters,
                                         play->now);
            break;
        case METHOD_MANIFEST_EXPORT:
            reply_to_export(play, call);
            break;
        case METHOD_RESERVATION_GET:
            reply_to_get(play, call, tenant);
            break;
        default:
            reply_to_list(play, call, tenant);
        }
    }
    buffer_append_text(&play->out, "\n");
}

static void ask(struct play *play, const char *name, const char *line)
{
    struct arena arena = {0};
    struct wire_message message;
    wire_parse(line, strlen(line), &arena, &message);
    for (size_t i = 0; i < message.call_count; i++)
        ask_one(play, &message.calls[i], name[0] == '\0' ? 0 : book_tenant(play->book, name));
    arena_free(&arena);
    arena_reset(&play->arena);
}

// ---- All rows

static void show_rows(struct play *play, sqlite3 *database, const char *table)
{
    char sql[256];
    sqlite3_stmt *statement;
    snprintf(sql, sizeof sql, "SELECT * FROM \"%s\" ORDER BY 1, 2", table);
    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    buffer_append_format(&play->out, "%s:", table);
    for (int i = 0; i < sqlite3_column_count(statement); i++)
        buffer_append_format(&play->out, " %s", sqlite3_column_name(statement, i));
    buffer_append_text(&play->out, "\n");
    while (sqlite3_step(statement) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            buffer_append_text(&play->out, i == 0 ? "  " : "|");
            if (sqlite3_column_type(statement, i) == SQLITE_BLOB) {
                const unsigned char *bytes = sqlite3_column_blob(statement, i);
                for (int k = 0; k < sqlite3_column_bytes(statement, i); k++)
                    buffer_append_format(&play->out, "%02x", bytes[k]);
            } else if (sqlite3_column_type(statement, i) != SQLITE_NULL) {
                buffer_append_text(&play->out, (const char *)sqlite3_column_text(statement, i));
            }
        }
        buffer_append_text(&play->out, "\n");
    }
    sqlite3_finalize(statement);
}

// Not those whose rows are in the events word for word, nor those that index others.
static void show_tables(struct play *play)
{
    sqlite3 *database;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open_v2(play->path, &database, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database,
                                        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN "
                                        "('event', 'ledger', 'indexed', 'client_ref') AND name NOT LIKE "
                                        "'tenant\\__%' ESCAPE '\\' AND name NOT LIKE 'sqlite%' ORDER BY name",
                                        -1, &statement, NULL),
                     SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW)
        show_rows(play, database, (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    sqlite3_close(database);
}

// ---- The file

static void do_line(struct play *play, char *line)
{
    char *mark = strstr(line, "> ");
    if (line[0] == '@') {
        move_on(play, line + 2);
    } else if (strcmp(line, "! tables") == 0) {
        show_tables(play);
    } else if (strcmp(line, "! reload") == 0) {
        play_close(play);
        play_open(play);
    } else if (mark != NULL) {
        *mark = '\0';
        ask(play, line, mark + 2);
    }
}

// Of a line of the file: is it something to be done, or a remark? All else is what came of it.
static bool is_to_do(const char *line)
{
    size_t name = strspn(line, "abcdefghijklmnopqrstuvwxyz");
    return line[0] == '\0' || strchr("#@!", line[0]) != NULL || strncmp(line + name, "> ", 2) == 0;
}

static char *read_file(void)
{
    struct buffer text = {0};
    FILE *file = fopen(FILE_NAME, "r");
    if (file == NULL)
        fail_msg("run it where %s is", FILE_NAME);
    for (int c = getc(file); c != EOF; c = getc(file)) {
        char byte = (char)c;
        buffer_append(&text, &byte, 1);
    }
    fclose(file);
    return text.data;
}

static void compare(const char *expected, const char *found)
{
    int line = 1;
    size_t start = 0, i = 0;
    for (; expected[i] != '\0' && expected[i] == found[i]; i++) {
        if (expected[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    if (expected[i] != found[i])
        fail_msg("%s:%d differs at %zu:\n expected %.*s\n    found %.*s", FILE_NAME, line, i - start,
                 (int)strcspn(expected + start, "\n"), expected + start, (int)strcspn(found + start, "\n"),
                 found + start);
}

static void begin(struct play *play)
{
    const char *temporary = getenv("TMPDIR");
    snprintf(play->folder, sizeof play->folder, "%s/colossus-transcript-XXXXXX",
             temporary == NULL ? "/tmp" : temporary);
    assert_non_null(mkdtemp(play->folder));
    snprintf(play->path, sizeof play->path, "%s/ledger.db", play->folder);
    play_open(play);
}

static void end(struct play *play)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-witness", ".lock", "-lock"};
    play_close(play);
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char path[300];
        snprintf(path, sizeof path, "%s%s", play->path, suffixes[i]);
        unlink(path);
    }
    rmdir(play->folder);
    arena_free(&play->arena);
    buffer_free(&play->out);
    free(play->rows);
}

static void test_the_transcript_comes_out_the_same(void **state)
{
    (void)state;
    struct play play = {0};
    struct verify_report report = {0};
    struct ledger_error error = {0};
    begin(&play);
    char *expected = read_file();
    char *text = strdup(expected);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (!is_to_do(line))
            continue;
        buffer_append_format(&play.out, "%s\n", line);
        do_line(&play, line);
    }
    if (writes) {
        FILE *file = fopen(FILE_NAME, "w");
        assert_non_null(file);
        assert_int_equal(fwrite(play.out.data, 1, play.out.length, file), play.out.length);
        assert_int_equal(fclose(file), 0);
    } else {
        compare(expected, play.out.data);
    }
    if (!ledger_verify(play.path, NULL, NULL, &report, &error) || !report.sound)
        fail_msg("%s%s", error.message, report.message);
    free(expected);
    free(text);
    end(&play);
}

int main(int count, char **arguments)
{
    writes = count > 1 && strcmp(arguments[1], "write") == 0;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_transcript_comes_out_the_same)};
    return digest_initialise() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
