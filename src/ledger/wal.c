#include "ledger/wal.h"

#include "base/memory.h"
#include <stdlib.h>

// SQLite reads and writes less than 128 KiB at a time.
#define CHUNK_BYTES 65536

// The formats of the WAL and of its index are part of SQLite's file format and stay:
// sqlite.org/walformat.html.
#define WAL_HEADER_BYTES   32
#define FRAME_HEADER_BYTES 24
#define INDEX_REGION_BYTES 32768
#define INDEX_PAGE_SIZE    14 // where the index has the size of a page: 16 bits, 1 for 65,536
#define INDEX_LAST_FRAME   16 // where it has the number of the last frame that counts: 32 bits

// The WAL as SQLite has it open, so that it is written and synced the way SQLite does it.
static int find_wal(struct connection *connection, sqlite3_file **wal)
{
    *wal = NULL;
    int code = sqlite3_file_control(connection->database, "main", SQLITE_FCNTL_JOURNAL_POINTER, wal);
    return code == SQLITE_OK && (*wal == NULL || (*wal)->pMethods == NULL) ? SQLITE_IOERR : code;
}

static int write_over(struct connection *connection, sqlite3_file *wal)
{
    (void)connection;
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

// Runs a piece of work on the WAL while nothing can be written to it: who writes holds a lock.
static bool work_on(struct connection *connection, int (*work)(struct connection *, sqlite3_file *),
                    struct ledger_error *error)
{
    if (!connection_execute(connection, "BEGIN IMMEDIATE", error))
        return false;
    sqlite3_file *wal;
    int code = find_wal(connection, &wal);
    if (code == SQLITE_OK)
        code = work(connection, wal);
    if (code != SQLITE_OK) {
        ledger_fail(error, connection->path, "the WAL can't be made durable: %s (SQLite %d)",
                    sqlite3_errstr(code), code);
        error->sqlite_code = code;
    }
    struct ledger_error ignored;
    return connection_execute(connection, "ROLLBACK", code == SQLITE_OK ? error : &ignored) &&
           code == SQLITE_OK;
}

bool wal_make_durable(struct connection *connection, struct ledger_error *error)
{
    return work_on(connection, write_over, error);
}

// Where the first frame that does not count would begin.
static int find_end(struct connection *connection, sqlite3_int64 *end)
{
    sqlite3_file *file = NULL;
    void volatile *index = NULL;
    int code = sqlite3_file_control(connection->database, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code == SQLITE_OK)
        code = file->pMethods->xShmMap(file, 0, INDEX_REGION_BYTES, 0, &index);
    if (code != SQLITE_OK || index == NULL)
        return code == SQLITE_OK ? SQLITE_IOERR_SHMMAP : code;
    uint16_t page_size = *(const uint16_t volatile *)((const char volatile *)index + INDEX_PAGE_SIZE);
    uint32_t frames = *(const uint32_t volatile *)((const char volatile *)index + INDEX_LAST_FRAME);
    int64_t page_bytes = page_size == 1 ? 65536 : page_size;
    *end = WAL_HEADER_BYTES + frames * (FRAME_HEADER_BYTES + page_bytes);
    return SQLITE_OK;
}

// A frame whose header is of zeros belongs to no WAL, and none after it is looked at.
static int end_here(struct connection *connection, sqlite3_file *wal)
{
    static const char nothing[FRAME_HEADER_BYTES];
    const sqlite3_io_methods *methods = wal->pMethods;
    sqlite3_int64 size = 0, end = 0;
    int code = methods->xFileSize(wal, &size);
    if (code == SQLITE_OK)
        code = find_end(connection, &end);
    if (code != SQLITE_OK || end + FRAME_HEADER_BYTES > size)
        return code;
    code = methods->xWrite(wal, nothing, FRAME_HEADER_BYTES, end);
    return code == SQLITE_OK ? methods->xSync(wal, SQLITE_SYNC_NORMAL) : code;
}

bool wal_end_here(struct connection *connection, struct ledger_error *error)
{
    return work_on(connection, end_here, error);
}
