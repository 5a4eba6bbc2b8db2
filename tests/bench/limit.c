#include "limit.h"

#include "base/memory.h"
#include "broker.h"
#include "ledger/chain.h"
#include "ledger/ledger_internal.h"
#include "ledger/rows.h"
#include "scenario.h"
#include <stdlib.h>

// How many bookings are decided ahead: enough that the pause for deciding more comes seldom, and so few that
// their rows take no more than two hundred megabytes.
enum { AHEAD = 32768, RUN_LIMIT = 1000000000 };

// A batch that is to be written: a run of the broker's rows.
struct decided {
    struct digest hash;
    size_t first_row, row_count;
};

// The connection, its pragmas and the checkpoints are those of the ledger, so that they can't come to differ.
struct limit {
    struct broker broker; // its book has what is decided; it has no ledger
    struct ledger *ledger;
    enum limit_way way;
    int64_t bookings; // of a batch
    sqlite3_stmt *by_row[ROW_MANIFEST + 1];
    struct decided *ahead;
    int64_t ahead_count;
    struct random random;
    struct hour from;
    uint32_t run;
    int64_t number; // of the last booking
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
        bench_fail("the limit's ledger: %s", sqlite3_errmsg(limit->ledger->connection.database));
}

// ---- The rows, made before

static void decide(struct limit *limit)
{
    struct booking booking;
    struct leg leg;
    struct request request;
    struct decision decision;
    scenario_booking(&limit->random, limit->from, limit->run, ++limit->number, &booking);
    scenario_request(&booking, &leg, &request);
    broker_decide(&limit->broker, &request, &decision);
    if (decision.verdict != VERDICT_DONE)
        bench_fail("a booking for the limit is refused: %s", decision.refusal.message);
    if (decision.replayed)
        bench_fail("a booking for the limit was made before");
}

static struct batch batch_of(const struct limit *limit, int64_t seq, const struct decided *decided)
{
    return (struct batch){.seq = seq,
                          .epoch = 1,
                          .at = limit->broker.now,
                          .rows = limit->broker.rows + decided->first_row,
                          .row_count = decided->row_count};
}

// The hashes go on with the chain. What is decided last and not written any more is in the book alone, which
// nothing is decided on after it.
static void decide_ahead(struct limit *limit)
{
    struct digest hash = limit->ledger->last_hash;
    broker_commit(&limit->broker); // without a ledger: forgets the rows that are written
    for (int64_t i = 0; i < limit->ahead_count; i++) {
        struct decided *decided = &limit->ahead[i];
        decided->first_row = limit->broker.row_count;
        for (int64_t j = 0; j < limit->bookings; j++)
            decide(limit);
        broker_end_batch(&limit->broker);
        decided->row_count = limit->broker.row_count - decided->first_row;
        struct batch batch = batch_of(limit, limit->ledger->last_batch + 1 + i, decided);
        hash = decided->hash = chain_hash(&batch, limit->ledger->writer, &hash);
    }
}

// ---- The loop

static void bind(const struct limit *limit, sqlite3_stmt *statement, const struct row_values *values)
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

static void write_batch_line(struct limit *limit, const struct batch *batch, const struct digest *hash)
{
    struct ledger_error error = {0};
    sqlite3_stmt *statement = connection_statement(&limit->ledger->connection, STATEMENT_WRITE_BATCH, &error);
    check(limit, statement != NULL && sqlite3_bind_int64(statement, 1, batch->seq) == SQLITE_OK &&
                     sqlite3_bind_int64(statement, 2, batch->epoch) == SQLITE_OK &&
                     sqlite3_bind_text(statement, 3, limit->ledger->writer, -1, SQLITE_STATIC) == SQLITE_OK &&
                     sqlite3_bind_int64(statement, 4, batch->at.seconds) == SQLITE_OK &&
                     sqlite3_bind_blob(statement, 5, hash->bytes, DIGEST_SIZE, SQLITE_STATIC) == SQLITE_OK &&
                     sqlite3_step(statement) == SQLITE_DONE);
}

static void write_batch(struct limit *limit, const struct decided *decided)
{
    struct ledger *ledger = limit->ledger;
    struct connection *connection = &ledger->connection;
    struct ledger_error error = {0};
    struct batch batch = batch_of(limit, ledger->last_batch + 1, decided);
    check(limit, connection_run(connection, STATEMENT_BEGIN, &error));
    write_batch_line(limit, &batch, &decided->hash);
    if (limit->way == LIMIT_BY_ROW) {
        write_by_row(limit, &batch);
    } else {
        pending_gather(&ledger->pending, &batch, ledger->last_account);
        check(limit, pending_write(&ledger->pending, connection, &error));
    }
    for (size_t i = 0; i < batch.row_count; i++)
        posting_note(&ledger->postings, &batch.rows[i]);
    check(limit, posting_fill(connection, &ledger->postings, &error));
    check(limit, connection_run(connection, STATEMENT_COMMIT, &error));
    ledger->last_batch = batch.seq;
    ledger->last_hash = decided->hash;
}

// Writes what is decided, for as long as there is time. Gives the nanoseconds it took.
static int64_t write_ahead(struct limit *limit, int64_t most, struct histogram *transactions)
{
    int64_t begun = nanoseconds(), now = begun;
    for (int64_t i = 0; i < limit->ahead_count && now - begun < most; i++) {
        struct ledger_error error = {0};
        bool busy;
        int64_t started = now;
        write_batch(limit, &limit->ahead[i]);
        histogram_add(transactions, nanoseconds() - started);
        if (!ledger_checkpoint(limit->ledger, &busy, &error))
            bench_fail("%s", error.message);
        now = nanoseconds();
    }
    return now - begun;
}

static void open_limit(struct limit *limit, const char *ledger)
{
    broker_open(&limit->broker, ledger, limit->from);
    limit->ledger = limit->broker.ledger;
    limit->broker.ledger = NULL;
    // No measurement after another one on the same ledger has the same references.
    limit->run = RUN_LIMIT + (uint32_t)limit->broker.last_batch;
    limit->ahead = memory_allocate((size_t)limit->ahead_count, sizeof *limit->ahead);
    for (int kind = 0; kind <= ROW_MANIFEST; kind++)
        if (statements[kind] != NULL)
            check(limit,
                  sqlite3_prepare_v3(limit->ledger->connection.database, statements[kind], -1,
                                     SQLITE_PREPARE_PERSISTENT, &limit->by_row[kind], NULL) == SQLITE_OK);
}

static void close_limit(struct limit *limit)
{
    for (int kind = 0; kind <= ROW_MANIFEST; kind++)
        sqlite3_finalize(limit->by_row[kind]);
    ledger_close(limit->ledger);
    broker_close(&limit->broker);
    free(limit->ahead);
}

void limit_measure(const char *ledger, struct hour from, enum limit_way way, int64_t batch, double seconds,
                   struct limit_result *result)
{
    struct limit limit = {.way = way,
                          .bookings = batch,
                          .ahead_count = batch < AHEAD ? AHEAD / batch : 1,
                          .random = random_seeded(RUN_LIMIT),
                          .from = from};
    int64_t most = (int64_t)(seconds * 1e9), took = 0;
    *result = (struct limit_result){0};
    open_limit(&limit, ledger);
    while (took < most) {
        decide_ahead(&limit);
        took += write_ahead(&limit, most - took, &result->transactions);
    }
    result->bookings_per_second = (double)(result->transactions.total * batch) * 1e9 / (double)took;
    close_limit(&limit);
}
