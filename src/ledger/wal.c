#include "ledger/wal.h"

#include "base/memory.h"
#include <stdlib.h>

// SQLite reads and writes less than 128 KiB at a time.
#define CHUNK_BYTES 65536

// The WAL as SQLite has it open, so that it is written and synced the way SQLite does it.
static int find_wal(struct connection *connection, sqlite3_file **wal)
{
    *wal = NULL;
    int code = sqlite3_file_control(connection->database, "main", SQLITE_FCNTL_JOURNAL_POINTER, wal);
    return code == SQLITE_OK && (*wal == NULL || (*wal)->pMethods == NULL) ? SQLITE_IOERR : code;
}

static int write_over(sqlite3_file *wal)
{
    const sqlite3_io_methods *methods = wal->pMethods;
    char *chunk = memory_allocate(CHUNK_BYTES, 1);
    sqlite3_int64 size = 0;
    int code = methods->xFileSize(wal, &size);
    for (sqlite3_int64 place = 0; place < size && code == SQLITE_OK; place += CHUNK_BYTES) {
        int count = size - place < CHUNK_BYTES ? (int)(size - place) : CHUNK_BYTES;
        code = methods->xRead(wal, chunk, count, place);
        if (code == SQLITE_OK)
            code = methods->xWrite(wal, chunk, count, place);
    }
    free(chunk);
    return code == SQLITE_OK && size > 0 ? methods->xSync(wal, SQLITE_SYNC_NORMAL) : code;
}

bool wal_make_durable(struct connection *connection, struct ledger_error *error)
{
    // Who writes holds a lock, so nothing is written between the reading and the writing of a piece.
    if (!connection_execute(connection, "BEGIN IMMEDIATE", error))
        return false;
    sqlite3_file *wal;
    int code = find_wal(connection, &wal);
    if (code == SQLITE_OK)
        code = write_over(wal);
    if (code != SQLITE_OK) {
        ledger_fail(error, connection->path, "the WAL can't be made durable: %s (SQLite %d)",
                    sqlite3_errstr(code), code);
        error->sqlite_code = code;
    }
    struct ledger_error ignored;
    return connection_execute(connection, "ROLLBACK", code == SQLITE_OK ? error : &ignored) &&
           code == SQLITE_OK;
}
