// A book and a ledger in a temporary folder, and short ways to decide, commit and open again: what the tests
// of the ledger have in common.
//
// The inventory: colossus-1/h100 with 1,024 GPUs in units of 8 at $2.00. acme: $1,000,000 a year from
// 2026-01-01 for two years, 10 % overage at 20 % surcharge, monthly instalments, 72 hours' notice or half the
// price. zeta: $100,000 a year in arrears, 15 % may be deferred, the rest is charged and credited.
#ifndef COLOSSUS_TESTS_LEDGER_WORKSHOP_H
#define COLOSSUS_TESTS_LEDGER_WORKSHOP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "core/book.h"
#include "ledger/ledger.h"
#include <sqlite3.h>

#define PATH_SIZE 256

struct workshop {
    char folder[PATH_SIZE];
    char path[PATH_SIZE]; // of the ledger
    struct ledger *ledger;
    struct book *book;
    struct arena arena;
    struct instant now;
    struct row *rows; // decided and not yet committed
    size_t row_count, row_capacity;
    struct decision decision; // the last one
    int64_t last_batch;       // for a test to remember
};

struct hour hour_of_text(const char *text);
struct instant instant_of_text(const char *text);
struct amount amount_of_text(const char *text);

// Makes the folder and opens a new ledger with a manual clock at 2026-01-01.
void workshop_begin(struct workshop *workshop);
void workshop_end(struct workshop *workshop);

struct ledger_options workshop_options(const struct workshop *workshop);
void workshop_open(struct workshop *workshop); // opens and loads
void workshop_close(struct workshop *workshop);

// Decides as an operator for acme unless the request says otherwise, and applies what is done.
enum verdict workshop_decide(struct workshop *workshop, struct request request);
void workshop_manifest(struct workshop *workshop);
int64_t workshop_create(struct workshop *workshop, const char *tenant, int64_t gpus, const char *start,
                        const char *end, const char *client_ref);
void workshop_cancel(struct workshop *workshop, const char *tenant, int64_t id);

// Decides what is due by a time, in a batch of its own for each 64 decisions.
void workshop_advance(struct workshop *workshop, const char *to);
// Keeps rows for the next batch.
void workshop_keep(struct workshop *workshop, const struct row *rows, size_t count);
// Commits what was decided as the next batch.
void workshop_commit(struct workshop *workshop);

// Bookings, a hold, a group, changes, cancels and two closed periods: something of everything.
void workshop_live(struct workshop *workshop);

// The first column of the first row, by a connection of its own; in the arena. NULL for SQL NULL or no row.
const char *workshop_query(struct workshop *workshop, const char *path, const char *sql);
int64_t workshop_count(struct workshop *workshop, const char *path, const char *sql);
// Runs SQL that a stray operator could; false when the ledger refuses it.
bool workshop_execute(const char *path, const char *sql);

void workshop_path(const struct workshop *workshop, const char *name, char path[PATH_SIZE]);
void copy_file(const char *from, const char *to);

#endif
