// server.metrics: all that is counted and measured, as OpenMetrics text.
#include "server/connection.h"
#include "server/handlers.h"
#include "server/openmetrics.h"
#include "server/version.h"

#include <stdio.h>

static void write_server(struct buffer *out, const struct server *server)
{
    struct label version = {"version", COLOSSUS_VERSION};
    openmetrics_family(out, "colossus_build_info", "gauge", NULL, "The version of colossusd.");
    openmetrics_sample(out, "colossus_build_info", &version, 1, "1");
    openmetrics_gauge(out, "colossus_uptime_seconds", "seconds", "Time since colossusd was started.",
                      (int64_t)((uv_now(&server->loop) - server->started_milliseconds) / 1000));
}

// ---- Requests

static void write_requests_of(struct buffer *out, const struct metrics *metrics, size_t method)
{
    for (size_t outcome = 0; outcome < METRICS_OUTCOME_COUNT; outcome++) {
        int64_t count = metrics->requests[method][outcome];
        if (count == 0) {
            continue;
        }
        struct label labels[] = {
            {"method", method < METHOD_COUNT ? method_table[method].name : "none"},
            {"verdict", metrics_outcome_name(outcome)},
        };
        char text[24];
        snprintf(text, sizeof text, "%lld", (long long)count);
        openmetrics_sample(out, "colossus_requests_total", labels, 2, text);
    }
}

static int64_t requests_waiting(const struct server *server)
{
    size_t count = 0;
    for (const struct connection *c = server->waiting; c != NULL; c = c->next_waiting) {
        count += c->slots.count;
    }
    return (int64_t)count;
}

static void write_requests(struct buffer *out, const struct server *server)
{
    openmetrics_family(out, "colossus_requests", "counter", NULL,
                       "Requests by method and by what came of them: done, the kind of error, or abandoned "
                       "because the client had left. The method none is what named no method that there is.");
    for (size_t method = 0; method <= METHOD_COUNT; method++) {
        write_requests_of(out, &server->metrics, method);
    }
    openmetrics_gauge(out, "colossus_requests_waiting", NULL, "Requests that were read and not yet answered.",
                      requests_waiting(server));
    openmetrics_histogram(out, "colossus_decision_seconds", "seconds",
                          "Time in which the book decided a request that would change something.",
                          &server->metrics.decisions, &decision_scale);
    openmetrics_counter(out, "colossus_decisions", "Changes that were made, timed ones included.",
                        server->totals.decisions);
}

// ---- Connections

static void write_connections(struct buffer *out, const struct server *server)
{
    openmetrics_gauge(out, "colossus_connections", NULL, "Open connections.",
                      (int64_t)server->connection_count);
    openmetrics_counter(out, "colossus_connections_accepted", "Connections that were accepted.",
                        server->totals.connections);
    openmetrics_gauge(out, "colossus_watchers", NULL, "Connections that watch events.",
                      (int64_t)server->watches.count);
    openmetrics_counter(out, "colossus_watch_events", "Events that were sent to watchers.",
                        server->metrics.events_sent);
}

// ---- Ledger

static void write_ledger(struct buffer *out, const struct server *server)
{
    openmetrics_gauge(out, "colossus_ledger_available", NULL, "1, or 0 while the ledger can't be reached.",
                      server->store.book != NULL);
    openmetrics_gauge(out, "colossus_ledger_bytes", "bytes", "Size of the ledger's file.",
                      ledger_file_size(server, ""));
    openmetrics_gauge(out, "colossus_wal_bytes", "bytes", "Size of the ledger's write-ahead log.",
                      ledger_file_size(server, "-wal"));
    openmetrics_histogram(out, "colossus_commit_seconds", "seconds",
                          "Time that a batch took to become durable.", &server->metrics.commits,
                          &commit_scale);
    openmetrics_histogram(out, "colossus_batch_rows", "rows", "Rows of a batch.", &server->metrics.batches,
                          &rows_scale);
    openmetrics_counter(out, "colossus_events", "Events that became durable.", server->totals.events);
    openmetrics_counter(out, "colossus_ledger_reads",
                        "Lists and ended things that were read from the ledger.", server->totals.reads);
    openmetrics_gauge(out, "colossus_ledger_reads_waiting", NULL,
                      "Reads and backups that wait for the ledger, waits for events included.",
                      (int64_t)server->reader.depth);
}

// ---- The book

static void write_pool(struct buffer *out, const struct book *book, uint32_t pool, const char *name,
                       int32_t gpus)
{
    const struct pool_row *row = book_pool_row(book, pool);
    struct label labels[] = {
        {"pool", row->pool}, {"site", book_site_row(book, row->site)->site}, {"gpu", row->gpu}};
    char text[16];
    snprintf(text, sizeof text, "%d", (int)gpus);
    openmetrics_sample(out, name, labels, 3, text);
}

static void write_pools(struct buffer *out, const struct book *book, struct hour hour)
{
    openmetrics_family(out, "colossus_pool_capacity_gpus", "gauge", "gpus", "GPUs of a pool in this hour.");
    for (uint32_t pool = 1; pool <= book_pool_count(book); pool++) {
        write_pool(out, book, pool, "colossus_pool_capacity_gpus", book_capacity(book, pool, hour));
    }
    openmetrics_family(out, "colossus_pool_booked_gpus", "gauge", "gpus",
                       "GPUs of a pool that are booked or held in this hour.");
    for (uint32_t pool = 1; pool <= book_pool_count(book); pool++) {
        write_pool(out, book, pool, "colossus_pool_booked_gpus",
                   book_capacity(book, pool, hour) - book_free(book, pool, hour));
    }
}

static void write_period(struct buffer *out, const struct book *book, uint32_t period, const char *name,
                         struct amount amount)
{
    const struct contract_period_row *row = book_period_row(book, period);
    const struct contract_row *contract = book_contract_row(book, row->contract);
    char start[INSTANT_TEXT_SIZE], text[AMOUNT_TEXT_SIZE];
    instant_format(hour_start(row->start), start);
    amount_format(amount, text);
    struct label labels[] = {{"contract", contract->contract},
                             {"tenant", book_tenant_row(book, contract->tenant)->tenant},
                             {"period_start", start}};
    openmetrics_sample(out, name, labels, 3, text);
}

static void write_period_amounts(struct buffer *out, const struct book *book, struct instant now,
                                 const char *name, bool is_floor)
{
    for (uint32_t period = 1; period <= book_period_count(book); period++) {
        struct amount used, floor;
        if (!book_period_row(book, period)->closed) {
            book_period_use(book, period, now, &used, &floor);
            write_period(out, book, period, name, is_floor ? floor : used);
        }
    }
}

static void write_periods(struct buffer *out, const struct book *book, struct instant now)
{
    openmetrics_family(out, "colossus_period_used_dollars", "gauge", "dollars",
                       "Booked and delivered under a contract in a period that is not closed.");
    write_period_amounts(out, book, now, "colossus_period_used_dollars", false);
    openmetrics_family(out, "colossus_period_floor_dollars", "gauge", "dollars",
                       "What a contract commits to in a period that is not closed.");
    write_period_amounts(out, book, now, "colossus_period_floor_dollars", true);
}

static void write_book(struct buffer *out, const struct book *book, struct instant now)
{
    openmetrics_gauge(out, "colossus_reservations", NULL, "Reservations that have not ended.",
                      (int64_t)book_live_count(book));
    write_pools(out, book, hour_of_instant(now));
    write_periods(out, book, now);
}

enum answer handle_server_metrics(struct exchange *exchange)
{
    const struct server *server = exchange->server;
    struct buffer text = {0};
    write_server(&text, server);
    write_requests(&text, server);
    write_connections(&text, server);
    write_ledger(&text, server);
    if (server->store.book != NULL) {
        write_book(&text, server->store.book, exchange->now);
    }
    openmetrics_end(&text);
    struct json json = wire_reply_begin(&exchange->slot->text, exchange->id);
    json_write_text_length(&json, "metrics", text.data, text.length);
    wire_reply_end(&json);
    buffer_free(&text);
    return ANSWER_READY;
}
