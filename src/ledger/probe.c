// Can a batch still be written? Asked when none has been for a while.
#include "ledger/ledger_internal.h"
#include <inttypes.h>

// SQLite goes on with a file that was removed or replaced under its name, as any program does with a file
// that it has open; what is written to it then is gone when the daemon ends.
static bool is_in_its_place(struct ledger *ledger, struct ledger_error *error)
{
    int moved = 0;
    int code = sqlite3_file_control(ledger->connection.database, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (code == SQLITE_OK && moved != 0) {
        ledger_fail(error, ledger->path, "the ledger's file is no longer there under its name");
        return false;
    }
    return true;
}

static bool holds_last_batch(struct ledger *ledger, struct ledger_error *error)
{
    int64_t last = 0;
    if (!connection_integer(&ledger->connection, "SELECT max(seq) FROM batch", &last, error))
        return false;
    if (last != ledger->last_batch) {
        ledger_fail(error, ledger->path,
                    "batch %" PRId64 " was written last, but the file ends with %" PRId64, ledger->last_batch,
                    last);
        return false;
    }
    return true;
}

bool ledger_probe(struct ledger *ledger, struct ledger_error *error)
{
    struct connection *connection = &ledger->connection;
    if (ledger->failed) {
        ledger_fail(error, ledger->path, "the ledger failed before and must be opened anew");
        return false;
    }
    if (!is_in_its_place(ledger, error) || !connection_run(connection, STATEMENT_BEGIN, error))
        return false;
    bool good = holds_last_batch(ledger, error);
    if (sqlite3_exec(connection->database, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK && good) {
        connection_failed(connection, "can't end a probe", error);
        good = false;
    }
    return good;
}
