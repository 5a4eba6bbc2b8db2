#include "limit.h"

#include "base/memory.h"
#include "broker.h"
#include "ledger/pending.h"
#include "ledger/posting.h"
#include "ledger/rows.h"
#include "scenario.h"
#include <stdlib.h>

enum {
    RUN_LIMIT = 20,
    BOOKINGS_PER_SECOND_MOST = 100000, // rows are made for as many
    CHECKPOINT_FRAMES = 4096,          // as in ledger/write.c
};

struct kept_batch {
    struct row *rows;
    size_t count;
};

struct limit {
    struct connection connection;
    sqlite3_stmt *by_row[ROW_MANIFEST + 1];
    struct pending pending;
    struct postings postings;
    struct kept_batch *batches;
    size_t batch_count, batch_capacity;
    int64_t first_batch;
    int64_t last_account;
    int frames;
};

// The kinds of rows that bookings make, a statement each, with the columns in the order of ledger/rows.c.
static const char *const statements[ROW_MANIFEST + 1] = {
    [ROW_EVENT] = "INSERT INTO event (seq, at, type, actor, tenant, reservation, data, batch) "
                  "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [ROW_CONTRACT_PERIOD] = "UPDATE contract_period SET threshold = ?15, delivered_through = ?18, "
                            "delivered_micro = ?19, delivering_micro = ?20 WHERE id = ?1",
    [ROW_ACCOUNT] = "UPDATE account SET balance_micro = ?5 WHERE id = ?1",
    [ROW_RESERVATION] = "INSERT INTO reservation (id, tenant, pool, tier, state, start, end, gpus, created, "
                        "hold_expires, wait_until, cost_micro, gpu_hours, fees_micro, \"group\", legs, "
                        "last_slice, last_layer, client_ref, project, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6, "
                        "?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
    [ROW_SLICE] = "INSERT INTO slice (reservation, number, layer, start, end, gpus, price_micro, period) "
                  "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [ROW_TRANSFER] = "INSERT INTO transfer (id, at, kind, debit_account, credit_account, amount_micro, "
                     "period, reservation, event) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [ROW_CLIENT_REF] = "INSERT INTO client_ref (tenant, client_ref, method, request, thing, is_group, event, "
                       "batch) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
};

static void check(const struct limit *limit, bool good)
{
    if (!good)
        bench_fail("the limit's ledger: %s", sqlite3_errmsg(limit->connection.database));
}

static int note_frames(void *context, sqlite3 *database, const char *name, int frames)
{
    (void)database;
    (void)name;
    ((struct limit *)context)->frames = frames;
    return SQLITE_OK;
}

// ---- The rows, made before

static void keep_batch(struct limit *limit, struct broker *broker)
{
    broker_end_batch(broker);
    limit->batches =
        memory_grow(limit->batches, limit->batch_count, &limit->batch_capacity, sizeof *limit->batches);
    limit->batches[limit->batch_count++] = (struct kept_batch){broker->rows, broker->row_count};
    broker->rows = NULL;
    broker->row_count = broker->row_capacity = 0;
}

static void make_rows(struct limit *limit, struct broker *broker, struct hour from, int64_t batch,
                      int64_t bookings)
{
    struct random random = random_seeded(RUN_LIMIT);
    for (int64_t i = 1; i <= bookings; i++) {
        struct booking booking;
        struct leg leg;
        struct request request;
        struct decision decision;
        scenario_booking(&random, from, RUN_LIMIT, i, &booking);
        scenario_request(&booking, &leg, &request);
        broker_decide(broker, &request, &decision);
        if (decision.verdict != VERDICT_DONE)
            bench_fail("a booking for the limit is refused: %s", decision.refusal.message);
        if (i % batch == 0)
            keep_batch(limit, broker);
    }
}

// ---- The ledger, opened as colossusd opens it

static void open_connection(struct limit *limit, const char *path)
{
    struct ledger_error error = {0};
    if (!connection_open(&limit->connection, path, true, &error))
        bench_fail("%s", error.message);
    check(limit, sqlite3_exec(limit->connection.database,
                              "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                              "PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -65536;"
                              "PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864",
                              NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_wal_hook(limit->connection.database, note_frames, limit);
    if (!pending_register(&limit->pending, &limit->connection, &error) ||
        !posting_load(&limit->connection, &limit->postings, &error) ||
        !connection_integer(&limit->connection, "SELECT max(id) FROM account", &limit->last_account, &error))
        bench_fail("%s", error.message);
    for (int kind = 0; kind <= ROW_MANIFEST; kind++)
        if (statements[kind] != NULL)
            check(limit,
                  sqlite3_prepare_v3(limit->connection.database, statements[kind], -1,
                                     SQLITE_PREPARE_PERSISTENT, &limit->by_row[kind], NULL) == SQLITE_OK);
}

static void close_connection(struct limit *limit)
{
    for (int kind = 0; kind <= ROW_MANIFEST; kind++)
        sqlite3_finalize(limit->by_row[kind]);
    connection_close(&limit->connection);
    pending_free(&limit->pending);
}

// ---- The loop

static void bind(struct limit *limit, sqlite3_stmt *statement, const struct row_values *values)
{
    int parameters = sqlite3_bind_parameter_count(statement);
    for (int i = 0; i < values->count && i < parameters; i++) {
        const struct value *value = &values->values[i];
        int code = SQLITE_OK;
        if (value->type == VALUE_NULL)
            code = sqlite3_bind_null(statement, i + 1);
        else if (value->type == VALUE_INTEGER)
            code = sqlite3_bind_int64(statement, i + 1, value->integer);
        else if (value->type == VALUE_TEXT)
            code = sqlite3_bind_text64(statement, i + 1, value->bytes, value->length, SQLITE_STATIC,
                                       SQLITE_UTF8);
        else
            code = sqlite3_bind_blob64(statement, i + 1, value->bytes, value->length, SQLITE_STATIC);
        check(limit, code == SQLITE_OK);
    }
}

static void write_by_row(struct limit *limit, const struct batch *batch)
{
    struct row_values values;
    for (size_t i = 0; i < batch->row_count; i++) {
        sqlite3_stmt *statement = limit->by_row[batch->rows[i].kind];
        if (statement == NULL)
            bench_fail("the limit has no statement for a kind of row");
        row_values(&batch->rows[i], batch->seq, &values);
        bind(limit, statement, &values);
        check(limit, sqlite3_step(statement) == SQLITE_DONE);
        check(limit, sqlite3_reset(statement) == SQLITE_OK);
    }
}

static void write_batch_line(struct limit *limit, const struct batch *batch)
{
    static const uint8_t hash[DIGEST_SIZE];
    struct ledger_error error = {0};
    sqlite3_stmt *statement = connection_statement(&limit->connection, STATEMENT_WRITE_BATCH, &error);
    check(limit, statement != NULL);
    sqlite3_bind_int64(statement, 1, batch->seq);
    sqlite3_bind_int64(statement, 2, batch->epoch);
    sqlite3_bind_text(statement, 3, "bench", -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 4, batch->at.seconds);
    sqlite3_bind_blob(statement, 5, hash, sizeof hash, SQLITE_STATIC);
    check(limit, sqlite3_step(statement) == SQLITE_DONE);
}

static void write_batch(struct limit *limit, enum limit_way way, const struct batch *batch)
{
    struct ledger_error error = {0};
    check(limit, connection_run(&limit->connection, STATEMENT_BEGIN, &error));
    write_batch_line(limit, batch);
    if (way == LIMIT_BY_ROW) {
        write_by_row(limit, batch);
    } else {
        pending_gather(&limit->pending, batch, limit->last_account);
        check(limit, pending_write(&limit->pending, &limit->connection, &error));
    }
    for (size_t i = 0; i < batch->row_count; i++)
        posting_note(&limit->postings, &batch->rows[i]);
    check(limit, posting_fill(&limit->connection, &limit->postings, &error));
    check(limit, connection_run(&limit->connection, STATEMENT_COMMIT, &error));
}

static void run(struct limit *limit, enum limit_way way, struct instant at, int64_t bookings_per_batch,
                double seconds, struct limit_result *result)
{
    int64_t begun = nanoseconds(), end = begun + (int64_t)(seconds * 1e9);
    size_t done = 0;
    for (; done < limit->batch_count && nanoseconds() < end; done++) {
        struct batch batch = {.seq = limit->first_batch + (int64_t)done,
                              .epoch = 1,
                              .at = at,
                              .rows = limit->batches[done].rows,
                              .row_count = limit->batches[done].count};
        int64_t started = nanoseconds();
        write_batch(limit, way, &batch);
        histogram_add(&result->transactions, nanoseconds() - started);
        if (limit->frames >= CHECKPOINT_FRAMES)
            check(limit, sqlite3_wal_checkpoint_v2(limit->connection.database, "main",
                                                   SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) == SQLITE_OK);
    }
    double took = (double)(nanoseconds() - begun) / 1e9;
    result->bookings_per_second = (double)done * (double)bookings_per_batch / took;
}

void limit_measure(const char *ledger, struct hour from, enum limit_way way, int64_t batch, double seconds,
                   struct limit_result *result)
{
    struct broker broker;
    struct limit limit = {0};
    *result = (struct limit_result){0};
    broker_open(&broker, ledger, from);
    limit.first_batch = broker.last_batch + 1;
    ledger_close(broker.ledger);
    broker.ledger = NULL;
    int64_t most = (int64_t)(seconds * BOOKINGS_PER_SECOND_MOST);
    if (batch < 8) // far fewer when each has a sync to wait for
        most = (int64_t)(seconds * BOOKINGS_PER_SECOND_MOST / 8);
    make_rows(&limit, &broker, from, batch, most);
    open_connection(&limit, ledger);
    run(&limit, way, broker.now, batch, seconds, result);
    close_connection(&limit);
    for (size_t i = 0; i < limit.batch_count; i++)
        free(limit.batches[i].rows);
    free(limit.batches);
    broker_close(&broker);
}
