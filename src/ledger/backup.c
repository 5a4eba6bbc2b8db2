// An online copy of a ledger, complete in one file.
//
// The copy is made under one snapshot of the source, page by page in one step, into a file under a temporary
// name. There it is turned from WAL mode to a plain file, synced, and only then linked to the name it was
// asked under, which fails if something is there already.
#include "base/memory.h"
#include "ledger/connection.h"
#include "ledger/disk.h"
#include "ledger/file.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool copy_pages(struct connection *source, struct connection *copy, struct ledger_error *error)
{
    sqlite3_backup *backup = sqlite3_backup_init(copy->database, "main", source->database, "main");
    if (backup == NULL) {
        connection_failed(copy, "can't begin the copy", error);
        return false;
    }
    int code = sqlite3_backup_step(backup, -1);
    int finished = sqlite3_backup_finish(backup);
    if (code == SQLITE_DONE && finished == SQLITE_OK)
        return true;
    ledger_fail(error, copy->path, "can't copy the ledger: %s", sqlite3_errstr(code));
    error->sqlite_code = code;
    return false;
}

// From WAL mode to one file.
static bool leave_wal(struct connection *copy, struct ledger_error *error)
{
    int64_t left;
    return connection_execute(copy, "PRAGMA journal_mode = DELETE", error) &&
           connection_integer(copy, "SELECT journal_mode = 'delete' FROM pragma_journal_mode", &left,
                              error) &&
           (left == 1 || (ledger_fail(error, copy->path, "the copy can't be taken out of WAL mode"), false));
}

// Fills a new file, which SQLite leaves in rollback mode and synced.
static bool fill(const char *path, const char *temporary, struct ledger_error *error)
{
    struct connection source, copy;
    if (!connection_open(&source, path, false, error))
        return false;
    if (!connection_open(&copy, temporary, true, error)) {
        connection_close(&source);
        return false;
    }
    bool filled = copy_pages(&source, &copy, error) && leave_wal(&copy, error);
    connection_close(&copy);
    connection_close(&source);
    return filled && file_sync(temporary, error);
}

static bool put_in_place(const char *temporary, const char *destination, struct ledger_error *error)
{
    // A link never takes the place of something, as a rename would.
    if (disk_link(temporary, destination) != 0) {
        if (errno == EEXIST)
            ledger_fail(error, destination, "there is a file of this name already, and it is left as it is");
        else
            ledger_fail(error, destination, "can't put the copy in its place: %s", strerror(errno));
        return false;
    }
    return file_sync_folder(destination, error);
}

bool ledger_backup(const char *path, const char *destination, struct ledger_error *error)
{
    uint64_t distinct;
    char suffix[48];
    random_bytes(&distinct, sizeof distinct);
    snprintf(suffix, sizeof suffix, "-part-%016" PRIx64, distinct);
    char *temporary = file_beside(destination, suffix);
    bool made = false;
    bool done = file_make_folders(destination, error) && file_make(temporary, &made, error);
    if (done && !made) {
        ledger_fail(error, temporary, "there is a file of this name already");
        done = false;
    }
    done = done && fill(path, temporary, error) && put_in_place(temporary, destination, error);
    if (made)
        (void)disk_remove(temporary);
    free(temporary);
    return done;
}
