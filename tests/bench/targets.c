#include "targets.h"

#include "broker.h"
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

void targets_add(struct targets *targets, struct target_reservation reservation)
{
    targets->all[(targets->first + targets->count) % TARGETS_MOST] = reservation;
    if (targets->count < TARGETS_MOST)
        targets->count++;
    else
        targets->first = (targets->first + 1) % TARGETS_MOST;
}

bool targets_take(struct targets *targets, struct target_reservation *reservation)
{
    if (targets->count == 0)
        return false;
    *reservation = targets->all[targets->first];
    targets->first = (targets->first + 1) % TARGETS_MOST;
    targets->count--;
    return true;
}

bool targets_look(struct targets *targets, struct target_reservation *reservation)
{
    if (targets->count == 0)
        return false;
    targets->looked_at = (targets->looked_at + 1) % targets->count;
    *reservation = targets->all[(targets->first + targets->looked_at) % TARGETS_MOST];
    return true;
}

void targets_read(struct targets *targets, const char *ledger, int most)
{
    static const char sql[] = "SELECT id, (SELECT tenant FROM tenant WHERE id = r.tenant) FROM reservation r "
                              "WHERE state = 'booked' ORDER BY id DESC LIMIT ?";
    static const char prefix[] = "tenant-";
    sqlite3 *database;
    sqlite3_stmt *statement;
    if (sqlite3_open_v2(ledger, &database, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_bind_int(statement, 1, most) != SQLITE_OK)
        bench_fail("%s: %s", ledger, sqlite3_errmsg(database));
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *tenant = (const char *)sqlite3_column_text(statement, 1);
        if (tenant == NULL || strncmp(tenant, prefix, sizeof prefix - 1) != 0)
            bench_fail("%s: a reservation of an unknown tenant", ledger);
        targets_add(targets, (struct target_reservation){.id = sqlite3_column_int64(statement, 0),
                                                         .tenant = atoi(tenant + sizeof prefix - 1)});
    }
    if (code != SQLITE_DONE)
        bench_fail("%s: %s", ledger, sqlite3_errmsg(database));
    sqlite3_finalize(statement);
    sqlite3_close(database);
}
