#include "ledger/posting.h"

static bool read_numbers(struct connection *connection, enum statement statement,
                         int64_t numbers[POSTING_KIND_COUNT], struct ledger_error *error)
{
    bool found;
    sqlite3_stmt *prepared = connection_statement(connection, statement, error);
    if (prepared == NULL || !connection_step(connection, prepared, &found, error))
        return false;
    for (int kind = 0; kind < POSTING_KIND_COUNT && found; kind++)
        numbers[kind] = sqlite3_column_int64(prepared, kind);
    sqlite3_reset(prepared);
    if (!found)
        ledger_fail(error, connection->path, "table indexed: its row is missing; run `colossus verify`");
    return found;
}

bool posting_load(struct connection *connection, struct postings *postings, struct ledger_error *error)
{
    return read_numbers(connection, STATEMENT_INDEX_ENDS, postings->last, error) &&
           read_numbers(connection, STATEMENT_INDEX_MARKS, postings->through, error);
}

static void reach(struct postings *postings, enum posting_kind kind, int64_t number)
{
    if (number > postings->last[kind])
        postings->last[kind] = number;
}

void posting_note(struct postings *postings, const struct row *row)
{
    if (row->kind == ROW_EVENT)
        reach(postings, POSTING_EVENT, row->event.seq);
    else if (row->kind == ROW_RESERVATION)
        reach(postings, POSTING_RESERVATION, row->reservation.id);
    else if (row->kind == ROW_TRANSFER)
        reach(postings, POSTING_TRANSFER, row->transfer.id);
}

static int64_t lag(const struct postings *postings, enum posting_kind kind)
{
    return postings->last[kind] - postings->through[kind];
}

// Runs a statement with whole numbers as its parameters.
static bool run(struct connection *connection, enum statement statement, const int64_t *numbers, int count,
                struct ledger_error *error)
{
    sqlite3_stmt *prepared = connection_statement(connection, statement, error);
    if (prepared == NULL)
        return false;
    for (int i = 0; i < count; i++) {
        if (sqlite3_bind_int64(prepared, i + 1, numbers[i]) != SQLITE_OK) {
            connection_failed(connection, "can't bind a number", error);
            return false;
        }
    }
    bool row;
    bool done = connection_step(connection, prepared, &row, error);
    sqlite3_reset(prepared);
    return done;
}

bool posting_fill(struct connection *connection, struct postings *postings, struct ledger_error *error)
{
    static const enum statement statements[POSTING_KIND_COUNT] = {
        STATEMENT_INDEX_EVENTS, STATEMENT_INDEX_RESERVATIONS, STATEMENT_INDEX_TRANSFERS};
    enum posting_kind most = POSTING_EVENT;
    for (int kind = 1; kind < POSTING_KIND_COUNT; kind++)
        if (lag(postings, (enum posting_kind)kind) > lag(postings, most))
            most = (enum posting_kind)kind;
    if (lag(postings, most) < POSTING_RUN)
        return true;
    int64_t run_of[2] = {postings->through[most], postings->last[most]};
    if (!run(connection, statements[most], run_of, 2, error))
        return false;
    postings->through[most] = postings->last[most];
    return run(connection, STATEMENT_WRITE_INDEX_MARKS, postings->through, POSTING_KIND_COUNT, error);
}
