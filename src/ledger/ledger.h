// The ledger: one SQLite file, written by one connection, read by everybody.
//
//     ledger_open          creates, migrates, checks the chain's tail and the witness
//     ledger_load          applies every row to an empty book
//     ledger_commit        writes one batch in one transaction and returns when it is durable
//     ledger_checkpoint    between commits, moves the WAL into the file
//     ledger_probe         between commits, asks whether there could be another
//     ledger_close
//
// One thread at a time uses a struct ledger; which thread it is may change between calls. Readers are
// connections of their own, read-only, and may run at the same time on another thread.
//
// A commit is done, or after any error its outcome is unknown: then the handle must be closed and the ledger
// opened and loaded anew, as only the file can say what became of the batch.
#ifndef COLOSSUS_LEDGER_LEDGER_H
#define COLOSSUS_LEDGER_LEDGER_H

#include "base/arena.h"
#include "base/digest.h"
#include "core/book.h"
#include "core/decision.h"
#include "core/row.h"

struct ledger;

#define LEDGER_ERROR_SIZE 512

// What went wrong, in a sentence that names the file.
struct ledger_error {
    int sqlite_code; // extended result code, 0 when it was not SQLite that failed
    char message[LEDGER_ERROR_SIZE];
};

struct ledger_options {
    const char *path;
    bool manual_clock;          // a ledger is made for one kind of clock and is never opened with the other
    struct instant manual_time; // where a new ledger's manual clock starts
    const char *writer;         // who writes the batches: a host's name
    int64_t wal_warn_bytes;     // warn when the WAL is larger than this (a reader holds an old snapshot)
};

// Takes the exclusive lock beside the file, creates the folder (0750) and the file (0640) when missing,
// copies an older ledger beside itself and migrates it, and checks the tail of the chain and the witness.
// False leaves nothing open.
bool ledger_open(const struct ledger_options *options, struct ledger **ledger, struct ledger_error *error);
void ledger_close(struct ledger *ledger);

// The last batch: 0 and time 0 for a new ledger.
int64_t ledger_last_batch(const struct ledger *ledger);
struct instant ledger_last_time(const struct ledger *ledger);

// Applies the whole ledger to an empty book and ends the loading. Of reservations that have ended only the
// rows are applied, and those of their slices that end after the last batch's time: the running hour of a
// cancelled booking stays sold.
bool ledger_load(struct ledger *ledger, struct book *book, struct ledger_error *error);

struct batch {
    int64_t seq;   // dense: the last batch's + 1
    int64_t epoch; // 1 on a single machine
    struct instant at;
    const struct row *rows;
    size_t row_count;
};

enum commit_outcome { COMMIT_DONE, COMMIT_UNKNOWN };

// Writes the batch's rows and its line in the chain, then the witness. A batch whose seq is there already is
// done without being written.
enum commit_outcome ledger_commit(struct ledger *ledger, const struct batch *batch,
                                  struct ledger_error *error);

// Has the WAL grown enough to be worth a checkpoint?
bool ledger_checkpoint_due(const struct ledger *ledger);

// Makes one when it is due. An I/O error here is final for the handle, as in
// a commit. *busy says that a reader kept the WAL from being reset.
bool ledger_checkpoint(struct ledger *ledger, bool *busy, struct ledger_error *error);

// Could a batch be written now? The file is still there under its name, nobody else keeps it locked, and it
// ends with the batch that was written last. Writes nothing. After false, the handle is to be closed and the
// ledger opened anew, as after a commit that failed.
bool ledger_probe(struct ledger *ledger, struct ledger_error *error);

// ---- Reading what is durable

struct ledger_reader;

bool ledger_reader_open(const char *path, struct ledger_reader **reader, struct ledger_error *error);
void ledger_reader_close(struct ledger_reader *reader);

struct ledger_page {
    int64_t after; // ids above this one
    int32_t limit;
    size_t bytes;  // of events: their data, after which a page ends; 0: any number
    bool has_next; // there is more; its after is `next`
    int64_t next;
};

struct reservation_filter {
    uint32_t tenant; // 0: all
    uint32_t states; // bit (1 << state), by the clock; 0: all
    uint32_t pool;   // 0: all
    const char *project;
    bool has_from, has_to;
    struct hour from, to; // windows that overlap [from, to)
    struct instant now;
};

// Each puts what it found into the arena, ordered by id; false when the ledger can't be read. States and GPUs
// are as at `now`.
bool ledger_read_reservations(struct ledger_reader *reader, const struct reservation_filter *filter,
                              struct ledger_page *page, struct arena *arena,
                              struct reservation_image **images, size_t *count, struct ledger_error *error);

// One reservation, or a group's legs in order: those with id in [first, first + legs) (legs is 1 for a single
// one; 0 reads the number from the first row, for a group). *count is 0 when there is none.
bool ledger_read_reservation(struct ledger_reader *reader, int64_t first, int32_t legs, struct instant now,
                             struct arena *arena, struct reservation_image **images, size_t *count,
                             struct ledger_error *error);

struct transfer_filter {
    uint32_t tenant; // 0: all
    bool has_from, has_to;
    struct instant from, to; // [from, to)
};

bool ledger_read_transfers(struct ledger_reader *reader, const struct transfer_filter *filter,
                           struct ledger_page *page, struct arena *arena, struct transfer_row **transfers,
                           size_t *count, struct ledger_error *error);

// Events of a tenant, or of all when it is 0.
bool ledger_read_events(struct ledger_reader *reader, uint32_t tenant, struct ledger_page *page,
                        struct arena *arena, struct event_row **events, size_t *count,
                        struct ledger_error *error);

// A consistent copy to a new file (never over an existing one), complete in itself, synced, while the ledger
// is written to.
bool ledger_backup(const char *path, const char *destination, struct ledger_error *error);

// ---- Verifying, offline or beside a running daemon

// Called now and then with how far it is.
typedef void (*ledger_progress)(void *context, const char *step, int64_t done, int64_t total);

struct verify_report {
    bool sound;
    char message[LEDGER_ERROR_SIZE]; // the first wrong row and what is wrong with it, or what was checked
    int64_t batches, events, transfers, reservations;
};

// Recomputes the chain, checks balances, tables against the events, and the invariants, from the file alone.
// False when the file could not be read at all.
bool ledger_verify(const char *path, ledger_progress progress, void *context, struct verify_report *report,
                   struct ledger_error *error);

#endif
