// What is whose: the tables tenant_event, tenant_reservation and tenant_transfer, by which a tenant's rows
// are found, filled in runs.
//
// With an index on the tenant each batch changes a page for every tenant that has a row in it, and so with 64
// tenants some two hundred pages for three tables: each is written to the WAL with every batch, and to the
// file with every checkpoint. Here they are left alone until thousands of rows have come, and then one
// statement puts in what each tenant has of them, one tenant after the other: a tenant's page is written once
// for all of it. The mark in `indexed` says how far each table is filled.
//
// In a commit at most one table is filled, the one that lags most, and only when it lags by POSTING_RUN rows:
// no commit is delayed by more than one run, and what is not filled stays short: of each table less than a
// run and what the batches since have brought, which is some thousands of rows. It is part of the batch's own
// transaction, so the tables and their marks are always of the same batch.
//
//     posting_load     when the ledger is opened
//     posting_note     for every row of a batch
//     posting_fill     when all are written, before the commit
//
// A reader looks in two places, in one transaction: in the table of the tenant for what is filled, then in
// the events, reservations or transfers themselves from the mark on, where it passes over those of others.
// Both are in the order of the numbers, and all in the second come after all in the first.
#ifndef COLOSSUS_LEDGER_POSTING_H
#define COLOSSUS_LEDGER_POSTING_H

#include "ledger/connection.h"

enum posting_kind { POSTING_EVENT, POSTING_RESERVATION, POSTING_TRANSFER };
#define POSTING_KIND_COUNT 3

// How far a table may lag before it is filled. A run of this length takes some two milliseconds of a
// processor. One of twice the length takes twice as long and saves a tenth of a commit's work over all, as a
// tenant's page is written half as often; but the commit that it falls to waits for it.
#define POSTING_RUN 2048

struct postings {
    int64_t last[POSTING_KIND_COUNT];    // the highest number that was written
    int64_t through[POSTING_KIND_COUNT]; // the highest number that is filled
};

// Reads how far the tables are filled and what there is. False after an error.
bool posting_load(struct connection *connection, struct postings *postings, struct ledger_error *error);

// Takes note of a row that is written.
void posting_note(struct postings *postings, const struct row *row);

// Fills the table that lags most, if it lags enough. False after an error, after which the transaction must
// be rolled back and the postings loaded anew.
bool posting_fill(struct connection *connection, struct postings *postings, struct ledger_error *error);

#endif
