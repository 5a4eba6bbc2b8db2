#include "ledger/chain.h"

#include "ledger/rows.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// The order in which the tables go into the hash.
static const enum row_kind chained_kinds[] = {
    ROW_EVENT,          ROW_TRANSFER,      ROW_CAPACITY_CHANGE, ROW_RATE,       ROW_CONTRACT_TERMS,
    ROW_CONTRACT_PRICE, ROW_CONTRACT_POOL, ROW_INTERRUPTION,    ROW_CLIENT_REF,
};
#define CHAINED_KIND_COUNT (sizeof chained_kinds / sizeof chained_kinds[0])

static const char *table_of(enum row_kind kind)
{
    switch (kind) {
    case ROW_EVENT:
        return "event";
    case ROW_TRANSFER:
        return "transfer";
    case ROW_CAPACITY_CHANGE:
        return "capacity_change";
    case ROW_RATE:
        return "rate";
    case ROW_CONTRACT_TERMS:
        return "contract_terms";
    case ROW_CONTRACT_PRICE:
        return "contract_price";
    case ROW_CONTRACT_POOL:
        return "contract_pool";
    case ROW_INTERRUPTION:
        return "interruption";
    default:
        return "client_ref";
    }
}

// ---- What goes into the hash

#define INTEGER_SIZE_MAX 10 // 64 bits in groups of seven

// A hash in the making. Rows have many short fields and the hash takes whole blocks, so the fields are put
// one after the other and hashed together, some pages at a time.
struct gathering {
    struct digest_state state;
    size_t length;
    uint8_t bytes[4096];
};

// Hashes what was gathered.
static void put(struct gathering *gathering)
{
    digest_add(&gathering->state, gathering->bytes, gathering->length);
    gathering->length = 0;
}

static void add_bytes(struct gathering *gathering, const void *bytes, size_t length)
{
    // In a damaged row there may be none where there should be, and no address of them.
    if (length == 0)
        return;
    if (length > sizeof gathering->bytes - gathering->length)
        put(gathering);
    if (length > sizeof gathering->bytes) {
        digest_add(&gathering->state, bytes, length);
        return;
    }
    memcpy(gathering->bytes + gathering->length, bytes, length);
    gathering->length += length;
}

// In groups of seven bits, the lowest first, each in a byte whose top bit says that another follows; the sign
// goes into the lowest bit, so that small numbers are short on either side of zero.
static void add_integer(struct gathering *gathering, int64_t value)
{
    uint64_t bits = (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
    if (sizeof gathering->bytes - gathering->length < INTEGER_SIZE_MAX)
        put(gathering);
    for (; bits >= 128; bits >>= 7)
        gathering->bytes[gathering->length++] = (uint8_t)(bits | 128);
    gathering->bytes[gathering->length++] = (uint8_t)bits;
}

static void add_text_of(struct gathering *gathering, const char *text, size_t length)
{
    add_integer(gathering, (int64_t)length);
    add_bytes(gathering, text, length);
}

static void add_text(struct gathering *gathering, const char *text)
{
    if (text == NULL)
        add_integer(gathering, -1); // where a text has its length
    else
        add_text_of(gathering, text, strlen(text));
}

static void add_hour(struct gathering *gathering, struct hour hour)
{
    add_integer(gathering, hour.number);
}

static void add_event(struct gathering *gathering, const struct event_row *row)
{
    add_integer(gathering, row->seq);
    add_integer(gathering, row->at.seconds);
    add_text(gathering, row->type);
    add_text(gathering, row->actor);
    add_integer(gathering, row->tenant);
    add_integer(gathering, row->reservation);
    add_text_of(gathering, row->data, row->data_length);
}

static void add_transfer(struct gathering *gathering, const struct transfer_row *row)
{
    add_integer(gathering, row->id);
    add_integer(gathering, row->at.seconds);
    add_text(gathering, transfer_kind_name(row->kind));
    add_integer(gathering, row->debit_account);
    add_integer(gathering, row->credit_account);
    add_integer(gathering, row->amount.micro);
    add_integer(gathering, row->period);
    add_integer(gathering, row->reservation);
    add_integer(gathering, row->event);
}

static void add_capacity_change(struct gathering *gathering, const struct capacity_change_row *row)
{
    add_integer(gathering, row->id);
    add_integer(gathering, row->pool);
    add_text(gathering, capacity_kind_name(row->kind));
    add_integer(gathering, row->gpus);
    add_hour(gathering, row->start);
    add_hour(gathering, row->end);
    add_integer(gathering, row->base);
    add_text(gathering, row->note);
    add_text(gathering, outage_part_name(row->part));
    add_integer(gathering, row->outage);
    add_integer(gathering, row->event);
}

static void add_rate(struct gathering *gathering, const struct rate_row *row)
{
    add_integer(gathering, row->id);
    add_integer(gathering, row->pool);
    add_text(gathering, tier_name(row->tier));
    add_hour(gathering, row->start);
    add_integer(gathering, row->price.micro);
    add_integer(gathering, row->event);
}

static void add_contract_terms(struct gathering *gathering, const struct contract_terms_row *row)
{
    add_integer(gathering, row->contract);
    add_integer(gathering, row->version);
    add_integer(gathering, row->annual);
    add_integer(gathering, row->annual_commit.micro);
    add_text(gathering, overage_name(row->overage_kind));
    add_integer(gathering, row->overage_amount.micro);
    add_integer(gathering, row->overage_limit_bp);
    add_integer(gathering, row->surcharge_bp);
    add_integer(gathering, row->defer_bp);
    add_integer(gathering, row->defer_until_last);
    add_text(gathering, shortfall_rest_name(row->then));
    add_text(gathering, billing_name(row->billing));
    add_integer(gathering, row->cancel_notice_hours);
    add_integer(gathering, row->late_fee_bp);
    add_integer(gathering, row->sla_credit_bp);
    add_integer(gathering, row->has_termination);
    if (row->has_termination) {
        add_hour(gathering, row->termination_notice_from);
        add_integer(gathering, row->termination_notice_days);
    }
    add_integer(gathering, row->discount_bp);
    add_integer(gathering, row->event);
}

static void add_contract_price(struct gathering *gathering, const struct contract_price_row *row)
{
    add_integer(gathering, row->contract);
    add_integer(gathering, row->version);
    add_integer(gathering, row->pool);
    add_text(gathering, tier_name(row->tier));
    add_integer(gathering, row->price.micro);
}

static void add_contract_pool(struct gathering *gathering, const struct contract_pool_row *row)
{
    add_integer(gathering, row->contract);
    add_integer(gathering, row->version);
    add_integer(gathering, row->pool);
}

static void add_interruption(struct gathering *gathering, const struct interruption_row *row)
{
    add_integer(gathering, row->id);
    add_integer(gathering, row->reservation);
    add_integer(gathering, row->capacity_change);
    add_hour(gathering, row->start);
    add_hour(gathering, row->end);
    add_integer(gathering, row->gpus);
    add_integer(gathering, row->price.micro);
    add_integer(gathering, row->period);
    add_integer(gathering, row->relief.micro);
    add_integer(gathering, row->sla_credit.micro);
    add_integer(gathering, row->event);
}

static void add_client_ref(struct gathering *gathering, const struct client_ref_row *row)
{
    add_integer(gathering, row->scope);
    add_text(gathering, row->client_ref);
    add_text(gathering, row->method);
    uint8_t fingerprint[ROW_FINGERPRINT_SIZE];
    row_lay_out_fingerprint(&row->request, fingerprint);
    add_bytes(gathering, fingerprint, sizeof fingerprint);
    add_integer(gathering, row->thing);
    add_integer(gathering, row->is_group);
    add_integer(gathering, row->event);
}

static void chain_add(struct gathering *gathering, const struct row *row)
{
    add_text(gathering, table_of(row->kind)); // by name, which stays
    switch (row->kind) {
    case ROW_EVENT:
        add_event(gathering, &row->event);
        return;
    case ROW_TRANSFER:
        add_transfer(gathering, &row->transfer);
        return;
    case ROW_CAPACITY_CHANGE:
        add_capacity_change(gathering, &row->capacity_change);
        return;
    case ROW_RATE:
        add_rate(gathering, &row->rate);
        return;
    case ROW_CONTRACT_TERMS:
        add_contract_terms(gathering, &row->contract_terms);
        return;
    case ROW_CONTRACT_PRICE:
        add_contract_price(gathering, &row->contract_price);
        return;
    case ROW_CONTRACT_POOL:
        add_contract_pool(gathering, &row->contract_pool);
        return;
    case ROW_INTERRUPTION:
        add_interruption(gathering, &row->interruption);
        return;
    case ROW_CLIENT_REF:
        add_client_ref(gathering, &row->client_ref);
        return;
    default: // rows that are replaced in place are compared with the events instead
        return;
    }
}

static void chain_begin(struct gathering *gathering, const struct digest *before, int64_t seq, int64_t epoch,
                        const char *writer, struct instant at)
{
    digest_begin(&gathering->state);
    gathering->length = 0;
    add_bytes(gathering, before->bytes, DIGEST_SIZE);
    add_integer(gathering, seq);
    add_integer(gathering, epoch);
    add_text(gathering, writer);
    add_integer(gathering, at.seconds);
}

static struct digest chain_end(struct gathering *gathering)
{
    put(gathering);
    return digest_end(&gathering->state);
}

struct digest chain_hash(const struct batch *batch, const char *writer, const struct digest *before)
{
    struct gathering gathering;
    chain_begin(&gathering, before, batch->seq, batch->epoch, writer, batch->at);
    for (size_t kind = 0; kind < CHAINED_KIND_COUNT; kind++)
        for (size_t i = 0; i < batch->row_count; i++)
            if (batch->rows[i].kind == chained_kinds[kind])
                chain_add(&gathering, &batch->rows[i]);
    return chain_end(&gathering);
}

bool chain_read_link(sqlite3_stmt *statement, struct chain_link *link)
{
    *link = (struct chain_link){
        .seq = sqlite3_column_int64(statement, 0),
        .epoch = sqlite3_column_int64(statement, 1),
        .writer = (const char *)sqlite3_column_text(statement, 2),
        .at = {sqlite3_column_int64(statement, 3)},
    };
    const void *hash = sqlite3_column_blob(statement, 4);
    if (link->writer == NULL || hash == NULL || sqlite3_column_bytes(statement, 4) != DIGEST_SIZE)
        return false;
    memcpy(link->hash.bytes, hash, DIGEST_SIZE);
    return true;
}

// ---- Checking

// The rows of one table from a place on, in the order in which they were written.
struct stream {
    enum row_kind kind;
    sqlite3_stmt *statement;
    struct row row;
    bool has;
    int64_t place; // the row's batch (events, client references) or its event (the others)
    int64_t next;  // for dense numbers: the one that must come; 0 when they are not dense
};

struct check {
    struct connection *connection;
    struct chain_report *report;
    struct ledger_error *error;
    struct stream streams[CHAINED_KIND_COUNT];
    struct digest before;
    int64_t first_event; // of the batches that are checked
    int64_t last_event;  // of the batches checked so far
    int64_t last_seq;
    struct instant last_at;
};

static void find(struct check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void find(struct check *check, const char *format, ...)
{
    if (!check->report->sound)
        return; // the first one is reported
    check->report->sound = false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(check->report->message, sizeof check->report->message, format, arguments);
    va_end(arguments);
}

// The number of a row in a table with dense numbers.
static int64_t number_of(const struct row *row)
{
    switch (row->kind) {
    case ROW_EVENT:
        return row->event.seq;
    case ROW_TRANSFER:
        return row->transfer.id;
    case ROW_CAPACITY_CHANGE:
        return row->capacity_change.id;
    case ROW_RATE:
        return row->rate.id;
    case ROW_INTERRUPTION:
        return row->interruption.id;
    default:
        return 0;
    }
}

static int64_t place_of(const struct stream *stream)
{
    switch (stream->kind) {
    case ROW_EVENT:
    case ROW_CLIENT_REF:
        return sqlite3_column_int64(stream->statement, 7);
    case ROW_TRANSFER:
        return stream->row.transfer.event;
    case ROW_CAPACITY_CHANGE:
        return stream->row.capacity_change.event;
    case ROW_RATE:
        return stream->row.rate.event;
    case ROW_INTERRUPTION:
        return stream->row.interruption.event;
    case ROW_CONTRACT_TERMS:
        return stream->row.contract_terms.event;
    case ROW_CONTRACT_PRICE:
        return sqlite3_column_int64(stream->statement, 5);
    default:
        return sqlite3_column_int64(stream->statement, 3);
    }
}

static bool stream_next(struct check *check, struct stream *stream)
{
    if (!connection_step(check->connection, stream->statement, &stream->has, check->error))
        return false;
    if (!stream->has)
        return true;
    if (!row_read(stream->statement, stream->kind, &stream->row))
        find(check, "%s %lld: a column holds what no row can", table_of(stream->kind),
             (long long)number_of(&stream->row));
    stream->place = place_of(stream);
    int64_t number = number_of(&stream->row);
    if (stream->next != 0 && number != stream->next)
        find(check, "%s %lld is missing: %lld comes after %lld", table_of(stream->kind),
             (long long)stream->next, (long long)number, (long long)(stream->next - 1));
    if (stream->next != 0)
        stream->next = number + 1;
    return true;
}

// In a table whose rows were written in the order of their numbers: the first number whose place is at least
// `wanted`, one past the last when there is none.
static bool first_at(struct check *check, enum statement statement, int64_t last, int64_t wanted,
                     int64_t *found)
{
    int64_t low = 1, high = last + 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        sqlite3_stmt *prepared = connection_statement(check->connection, statement, check->error);
        bool row;
        if (prepared == NULL || sqlite3_bind_int64(prepared, 1, middle) != SQLITE_OK ||
            !connection_step(check->connection, prepared, &row, check->error))
            return false;
        if (row && sqlite3_column_int64(prepared, 1) < wanted)
            low = sqlite3_column_int64(prepared, 0) + 1;
        else
            high = middle;
        sqlite3_reset(prepared);
    }
    *found = low;
    return true;
}

static bool find_starts(struct check *check, int64_t first, int64_t starts[CHAINED_KIND_COUNT])
{
    int64_t last_client_ref, last_event, last_transfer;
    if (!connection_integer(check->connection, statement_sql[STATEMENT_CHAIN_LAST_CLIENT_REF],
                            &last_client_ref, check->error) ||
        !connection_integer(check->connection, "SELECT max(seq) FROM event", &last_event, check->error) ||
        !connection_integer(check->connection, "SELECT max(id) FROM transfer", &last_transfer, check->error))
        return false;
    if (!first_at(check, STATEMENT_CHAIN_EVENT_BATCH, last_event, first, &check->first_event))
        return false;
    for (size_t i = 0; i < CHAINED_KIND_COUNT; i++) {
        enum row_kind kind = chained_kinds[i];
        if (kind == ROW_EVENT)
            starts[i] = check->first_event;
        if ((kind == ROW_TRANSFER && !first_at(check, STATEMENT_CHAIN_TRANSFER_EVENT, last_transfer,
                                               check->first_event, &starts[i])) ||
            (kind == ROW_CLIENT_REF &&
             !first_at(check, STATEMENT_CHAIN_CLIENT_REF_BATCH, last_client_ref, first, &starts[i])))
            return false;
    }
    return true;
}

static enum statement stream_statement(enum row_kind kind)
{
    switch (kind) {
    case ROW_EVENT:
        return STATEMENT_CHAIN_EVENTS;
    case ROW_TRANSFER:
        return STATEMENT_CHAIN_TRANSFERS;
    case ROW_CAPACITY_CHANGE:
        return STATEMENT_LOAD_CAPACITY_CHANGES;
    case ROW_RATE:
        return STATEMENT_LOAD_RATES;
    case ROW_CONTRACT_TERMS:
        return STATEMENT_LOAD_CONTRACT_TERMS;
    case ROW_CONTRACT_PRICE:
        return STATEMENT_LOAD_CONTRACT_PRICES;
    case ROW_CONTRACT_POOL:
        return STATEMENT_LOAD_CONTRACT_POOLS;
    case ROW_INTERRUPTION:
        return STATEMENT_LOAD_INTERRUPTIONS;
    default:
        return STATEMENT_CHAIN_CLIENT_REFS;
    }
}

// Puts a stream on its first row of the batches that are checked. The large tables are entered there; of the
// small ones what lies before is stepped over.
static bool stream_begin(struct check *check, struct stream *stream, enum row_kind kind, int64_t start)
{
    *stream = (struct stream){.kind = kind};
    stream->statement = connection_statement(check->connection, stream_statement(kind), check->error);
    if (stream->statement == NULL)
        return false;
    if (start > 0 && sqlite3_bind_int64(stream->statement, 1, start) != SQLITE_OK) {
        connection_failed(check->connection, "can't bind a number", check->error);
        return false;
    }
    bool small = start == 0;
    if (kind == ROW_EVENT || kind == ROW_TRANSFER)
        stream->next = start;
    else if (kind == ROW_CAPACITY_CHANGE || kind == ROW_RATE || kind == ROW_INTERRUPTION)
        stream->next = 1;
    do {
        if (!stream_next(check, stream))
            return false;
    } while (small && stream->has && stream->place < check->first_event);
    return true;
}

static bool check_begin(struct check *check, int64_t first)
{
    int64_t starts[CHAINED_KIND_COUNT] = {0};
    check->last_seq = first - 1;
    if (!find_starts(check, first, starts))
        return false;
    check->last_event = check->first_event - 1;
    for (size_t i = 0; i < CHAINED_KIND_COUNT; i++)
        if (!stream_begin(check, &check->streams[i], chained_kinds[i], starts[i]))
            return false;
    if (first == 1)
        return true;
    sqlite3_stmt *statement = connection_statement(check->connection, STATEMENT_CHAIN_BATCHES, check->error);
    bool row;
    if (statement == NULL || sqlite3_bind_int64(statement, 1, first - 1) != SQLITE_OK ||
        !connection_step(check->connection, statement, &row, check->error))
        return false;
    struct chain_link link;
    if (!row || !chain_read_link(statement, &link) || link.seq != first - 1) {
        find(check, "batch %lld is missing", (long long)(first - 1));
        return true;
    }
    check->before = link.hash;
    check->last_at = link.at;
    return true;
}

// Adds the rows of a stream that belong to the batch.
static bool add_stream(struct check *check, struct stream *stream, int64_t seq, struct gathering *gathering)
{
    bool by_batch = stream->kind == ROW_EVENT || stream->kind == ROW_CLIENT_REF;
    while (stream->has && stream->place <= (by_batch ? seq : check->last_event)) {
        if (by_batch && stream->place < seq)
            find(check, "%s %lld names batch %lld, but comes after batch %lld", table_of(stream->kind),
                 (long long)number_of(&stream->row), (long long)stream->place, (long long)(seq - 1));
        if (stream->kind == ROW_EVENT) {
            check->last_event = stream->row.event.seq;
            check->report->events++;
        }
        if (stream->kind == ROW_TRANSFER)
            check->report->transfers++;
        chain_add(gathering, &stream->row);
        if (!stream_next(check, stream))
            return false;
    }
    return true;
}

static bool check_link(struct check *check, const struct chain_link *link)
{
    struct gathering gathering;
    int64_t first_event = check->last_event + 1;
    if (link->seq != check->last_seq + 1)
        find(check, "batch %lld is missing", (long long)check->last_seq + 1);
    if (link->at.seconds < check->last_at.seconds)
        find(check, "batch %lld is earlier than the batch before it", (long long)link->seq);
    chain_begin(&gathering, &check->before, link->seq, link->epoch, link->writer, link->at);
    for (size_t i = 0; i < CHAINED_KIND_COUNT; i++)
        if (!add_stream(check, &check->streams[i], link->seq, &gathering))
            return false;
    struct digest hash = chain_end(&gathering);
    if (!digest_equal(&hash, &link->hash))
        find(check,
             "batch %lld: its hash does not agree with its rows: one of its events %lld to %lld, or a "
             "transfer or other row that they caused, is not what was written",
             (long long)link->seq, (long long)first_event, (long long)check->last_event);
    check->before = link->hash;
    check->last_seq = link->seq;
    check->last_at = link->at;
    check->report->batches++;
    return true;
}

static void check_rest(struct check *check)
{
    for (size_t i = 0; i < CHAINED_KIND_COUNT; i++)
        if (check->streams[i].has)
            find(check, "%s %lld belongs to no batch of the chain, which ends with batch %lld",
                 table_of(chained_kinds[i]), (long long)number_of(&check->streams[i].row),
                 (long long)check->last_seq);
}

bool chain_check(struct connection *connection, int64_t first, ledger_progress progress, void *context,
                 struct chain_report *report, struct ledger_error *error)
{
    *report = (struct chain_report){.sound = true};
    struct check check = {.connection = connection, .report = report, .error = error, .before = CHAIN_ORIGIN};
    check.last_at.seconds = INT64_MIN;
    int64_t total;
    if (!connection_integer(connection, "SELECT max(seq) FROM batch", &total, error) ||
        !check_begin(&check, first))
        return false;
    sqlite3_stmt *statement = connection_statement(connection, STATEMENT_CHAIN_BATCHES, error);
    if (statement == NULL || sqlite3_bind_int64(statement, 1, first) != SQLITE_OK)
        return false;
    bool row = true;
    while (report->sound) {
        if (!connection_step(connection, statement, &row, error))
            return false;
        if (!row)
            break;
        struct chain_link link;
        if (!chain_read_link(statement, &link))
            find(&check, "batch %lld: a column holds what no batch can", (long long)link.seq);
        else if (!check_link(&check, &link))
            return false;
        if (progress != NULL && report->batches % 1024 == 0)
            progress(context, "chain", report->batches, total);
    }
    if (report->sound)
        check_rest(&check);
    report->last = check.before;
    for (size_t i = 0; i < CHAINED_KIND_COUNT; i++)
        sqlite3_reset(check.streams[i].statement);
    sqlite3_reset(statement);
    return true;
}
