// Whether a row that was read can be given to the book.
//
// The book takes rows as they were decided and asserts what holds for those. A file may have been changed by
// hand, and SQLite checks neither foreign keys nor CHECKs for who does that without asking it to, so what the
// book indexes and reckons with is looked at first.
#ifndef COLOSSUS_LEDGER_FIT_H
#define COLOSSUS_LEDGER_FIT_H

#include "core/book.h"
#include "core/row.h"

// For rows of all tables but reservations and slices, of which `before` were given to the book already: does
// it name only what the book has, and is its id the next?
bool row_fits(const struct book *book, const struct row *row, int64_t before);

// Is its id the one after `last`, and are its tenant and its pool there?
bool reservation_fits(const struct book *book, const struct reservation_row *row, int64_t last);

// Does it lie in its period, and does what it costs stay below the largest amount?
bool slice_fits(const struct book *book, const struct slice_row *row);

#endif
