#include "workshop.h"

#include "base/digest.h"
#include "base/memory.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define START "2026-01-01T00:00:00Z"
#define END   "2028-01-01T00:00:00Z"

struct hour hour_of_text(const char *text)
{
    struct hour hour;
    assert_true(hour_parse(text, strlen(text), &hour));
    return hour;
}

struct instant instant_of_text(const char *text)
{
    struct instant instant;
    assert_true(instant_parse(text, strlen(text), &instant));
    return instant;
}

struct amount amount_of_text(const char *text)
{
    struct amount amount;
    assert_true(amount_parse(text, strlen(text), &amount));
    return amount;
}

void workshop_path(const struct workshop *workshop, const char *name, char path[PATH_SIZE])
{
    int length = snprintf(path, PATH_SIZE, "%s/%s", workshop->folder, name);
    assert_true(length > 0 && length < PATH_SIZE);
}

struct ledger_options workshop_options(const struct workshop *workshop)
{
    return (struct ledger_options){.path = workshop->path,
                                   .manual_clock = true,
                                   .manual_time = instant_of_text(START),
                                   .writer = "workshop",
                                   .wal_warn_bytes = INT64_C(1) << 30};
}

void workshop_open(struct workshop *workshop)
{
    struct ledger_options options = workshop_options(workshop);
    struct ledger_error error = {0};
    if (!ledger_open(&options, &workshop->ledger, &error))
        fail_msg("%s", error.message);
    struct instant time = ledger_last_time(workshop->ledger);
    if (ledger_last_batch(workshop->ledger) == 0)
        time = options.manual_time;
    struct book_options book = {
        .horizon_years = 10, .hold_seconds_max = 7 * 86400, .origin = hour_of_instant(time)};
    workshop->book = book_create(&book);
    if (!ledger_load(workshop->ledger, workshop->book, &error))
        fail_msg("%s", error.message);
    workshop->now = time;
}

void workshop_close(struct workshop *workshop)
{
    ledger_close(workshop->ledger);
    book_destroy(workshop->book);
    workshop->ledger = NULL;
    workshop->book = NULL;
    workshop->row_count = 0;
}

void workshop_begin(struct workshop *workshop)
{
    const char *temporary = getenv("TMPDIR");
    *workshop = (struct workshop){0};
    assert_true(digest_initialise());
    snprintf(workshop->folder, sizeof workshop->folder, "%s/colossus-ledger-XXXXXX",
             temporary == NULL ? "/tmp" : temporary);
    assert_non_null(mkdtemp(workshop->folder));
    workshop_path(workshop, "made/ledger.db", workshop->path);
    workshop_open(workshop);
}

static void remove_files(const char *folder)
{
    DIR *entries = opendir(folder);
    if (entries == NULL)
        return;
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        char path[2 * PATH_SIZE];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    closedir(entries);
    rmdir(folder);
}

void workshop_end(struct workshop *workshop)
{
    char made[PATH_SIZE];
    if (workshop->ledger != NULL)
        workshop_close(workshop);
    arena_free(&workshop->arena);
    free(workshop->rows);
    workshop_path(workshop, "made", made);
    remove_files(made);
    remove_files(workshop->folder);
}

void workshop_keep(struct workshop *workshop, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        workshop->rows =
            memory_grow(workshop->rows, workshop->row_count, &workshop->row_capacity, sizeof *workshop->rows);
        workshop->rows[workshop->row_count++] = rows[i];
    }
}

enum verdict workshop_decide(struct workshop *workshop, struct request request)
{
    request.actor = (struct actor){.role = ROLE_OPERATOR, .name = "uid:0"};
    if (request.tenant == NULL && request.kind <= REQUEST_CANCEL)
        request.tenant = "acme";
    book_decide(workshop->book, &request, workshop->now, &workshop->arena, &workshop->decision);
    if (workshop->decision.verdict == VERDICT_DONE && !request.dry_run) {
        book_apply_rows(workshop->book, workshop->decision.rows, workshop->decision.row_count);
        workshop_keep(workshop, workshop->decision.rows, workshop->decision.row_count);
    }
    return workshop->decision.verdict;
}

void workshop_manifest(struct workshop *workshop)
{
    struct manifest_step capacity[] = {{hour_of_text(START), 1024}};
    struct manifest_rate rates[] = {
        {.from = hour_of_text(START), .has = {true}, .price = {amount_of_text("2.00")}}};
    struct manifest_site sites[] = {{.site = "colossus-1", .note = "Memphis"}};
    struct manifest_pool pools[] = {{.pool = "colossus-1/h100",
                                     .gpu = "H100",
                                     .unit = 8,
                                     .capacity = capacity,
                                     .capacity_count = 1,
                                     .rates = rates,
                                     .rate_count = 1}};
    uint32_t uids[] = {1001}, operators[] = {0};
    struct manifest_tenant tenants[] = {
        {.tenant = "acme", .name = "Acme", .has_uids = true, .uids = uids, .uid_count = 1},
        {.tenant = "zeta"}};
    struct manifest_price prices[] = {{.pool = "colossus-1/h100", .price = amount_of_text("1.90")}};
    const char *scope[] = {"colossus-1/h100"};
    struct manifest_contract contracts[] = {
        {.contract = "acme-2026",
         .tenant = "acme",
         .start = hour_of_text(START),
         .end = hour_of_text(END),
         .terms = {.annual = true,
                   .annual_commit = amount_of_text("1000000.00"),
                   .overage_kind = OVERAGE_PERCENT,
                   .overage_limit_bp = 1000,
                   .surcharge_bp = 2000,
                   .billing = BILLING_INSTALMENTS,
                   .cancel_notice_hours = 72,
                   .late_fee_bp = 5000,
                   .has_termination = true,
                   .termination_notice_from = hour_of_text("2026-08-01T00:00:00Z"),
                   .termination_notice_days = 90}},
        {.contract = "zeta-2026",
         .tenant = "zeta",
         .start = hour_of_text(START),
         .end = hour_of_text(END),
         .prices = prices,
         .price_count = 1,
         .pools = scope,
         .pool_count = 1,
         .terms = {.annual = true,
                   .annual_commit = amount_of_text("100000.00"),
                   .overage_kind = OVERAGE_UNLIMITED,
                   .defer_bp = 1500,
                   .then = SHORTFALL_CREDIT}}};
    struct manifest manifest = {.note = "a workshop",
                                .has_operator_uids = true,
                                .operator_uids = operators,
                                .operator_uid_count = 1,
                                .sites = sites,
                                .site_count = 1,
                                .pools = pools,
                                .pool_count = 1,
                                .tenants = tenants,
                                .tenant_count = 2,
                                .contracts = contracts,
                                .contract_count = 2};
    assert_int_equal(workshop_decide(workshop, (struct request){.kind = REQUEST_MANIFEST_APPLY,
                                                                .client_ref = "manifest-1",
                                                                .manifest = &manifest}),
                     VERDICT_DONE);
}

int64_t workshop_create(struct workshop *workshop, const char *tenant, int64_t gpus, const char *start,
                        const char *end, const char *client_ref)
{
    struct leg leg = {.pool = "colossus-1/h100",
                      .gpus = gpus,
                      .start = hour_of_text(start),
                      .end = hour_of_text(end),
                      .project = "llm",
                      .note = "with a \"quote\" and ünïcode"};
    assert_int_equal(workshop_decide(workshop, (struct request){.kind = REQUEST_CREATE,
                                                                .tenant = tenant,
                                                                .client_ref = client_ref,
                                                                .create = {.legs = &leg, .leg_count = 1}}),
                     VERDICT_DONE);
    return workshop->decision.outcomes[0].image.row.id;
}

void workshop_cancel(struct workshop *workshop, const char *tenant, int64_t id)
{
    assert_int_equal(workshop_decide(workshop, (struct request){.kind = REQUEST_CANCEL,
                                                                .tenant = tenant,
                                                                .cancel = {.target = {.id = id}}}),
                     VERDICT_DONE);
}

void workshop_commit(struct workshop *workshop)
{
    struct row *rows;
    size_t count;
    book_end_batch(workshop->book, workshop->now, &workshop->arena, &rows, &count);
    workshop_keep(workshop, rows, count);
    struct batch batch = {.seq = ledger_last_batch(workshop->ledger) + 1,
                          .epoch = 1,
                          .at = workshop->now,
                          .rows = workshop->rows,
                          .row_count = workshop->row_count};
    struct ledger_error error = {0};
    if (ledger_commit(workshop->ledger, &batch, &error) != COMMIT_DONE)
        fail_msg("%s", error.message);
    workshop->row_count = 0;
    bool busy;
    assert_true(ledger_checkpoint(workshop->ledger, &busy, &error));
}

void workshop_advance(struct workshop *workshop, const char *to)
{
    struct instant now = instant_of_text(to);
    struct decision decision;
    bool urgent;
    int decisions = 0;
    while (book_decide_due(workshop->book, now, &workshop->arena, &decision, &urgent)) {
        book_apply_rows(workshop->book, decision.rows, decision.row_count);
        workshop_keep(workshop, decision.rows, decision.row_count);
        if (++decisions % 64 == 0)
            workshop_commit(workshop);
    }
    workshop->now = now;
    workshop_commit(workshop);
}

void workshop_live(struct workshop *workshop)
{
    workshop_manifest(workshop);
    workshop_commit(workshop);
    workshop_create(workshop, "acme", 64, "2026-01-01T00:00:00Z", "2026-02-15T00:00:00Z", "job-1");
    int64_t moved =
        workshop_create(workshop, "acme", 128, "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", NULL);
    int64_t late =
        workshop_create(workshop, "zeta", 8, "2026-01-10T00:00:00Z", "2026-06-01T00:00:00Z", "job-1");
    workshop_create(workshop, "zeta", 16, "2026-12-20T00:00:00Z", "2027-01-20T00:00:00Z", NULL);
    workshop_commit(workshop);
    struct leg legs[2] = {{.pool = "colossus-1/h100",
                           .gpus = 8,
                           .start = hour_of_text("2026-05-01T00:00:00Z"),
                           .end = hour_of_text("2026-05-02T00:00:00Z")},
                          {.pool = "colossus-1/h100",
                           .gpus = 16,
                           .start = hour_of_text("2026-05-03T00:00:00Z"),
                           .end = hour_of_text("2026-05-04T00:00:00Z")}};
    assert_int_equal(
        workshop_decide(workshop,
                        (struct request){.kind = REQUEST_CREATE_GROUP,
                                         .client_ref = "pair",
                                         .create = {.legs = legs, .leg_count = 2, .hold_seconds = 7200}}),
        VERDICT_DONE);
    int64_t first_leg = workshop->decision.outcomes[0].image.row.id;
    workshop_advance(workshop, "2026-01-01T01:00:00Z");
    assert_int_equal(
        workshop_decide(workshop, (struct request){.kind = REQUEST_CONFIRM, .confirm = {.id = first_leg}}),
        VERDICT_DONE);
    workshop_advance(workshop, "2026-01-01T02:30:00Z"); // the other leg's hold has expired
    assert_int_equal(
        workshop_decide(workshop, (struct request){.kind = REQUEST_CHANGE,
                                                   .change = {.id = moved,
                                                              .has_gpus = true,
                                                              .gpus = 192,
                                                              .has_from = true,
                                                              .from = hour_of_text("2026-03-10T00:00:00Z")}}),
        VERDICT_DONE);
    workshop_advance(workshop, "2026-03-20T12:30:00Z");
    workshop_cancel(workshop, "zeta", late);
    assert_int_equal(
        workshop_decide(workshop, (struct request){.kind = REQUEST_CHANGE,
                                                   .change = {.id = moved,
                                                              .has_gpus = true,
                                                              .gpus = 64,
                                                              .has_from = true,
                                                              .from = hour_of_text("2026-03-21T00:00:00Z")}}),
        VERDICT_DONE);
    assert_int_equal(
        workshop_decide(workshop, (struct request){.kind = REQUEST_TENANT_SUSPEND, .tenant = "zeta"}),
        VERDICT_DONE);
    workshop_commit(workshop);
    workshop_advance(workshop, "2027-01-05T00:00:00Z"); // both first periods are closed
    workshop_create(workshop, "acme", 8, "2027-01-05T00:00:00Z", "2027-02-05T00:00:00Z", "job-2");
    workshop_commit(workshop);
}

// ---- SQL, as an operator would

static sqlite3 *open_file(const char *path, int flags)
{
    sqlite3 *database;
    assert_int_equal(sqlite3_open_v2(path, &database, flags, NULL), SQLITE_OK);
    sqlite3_busy_timeout(database, 5000);
    return database;
}

const char *workshop_query(struct workshop *workshop, const char *path, const char *sql)
{
    sqlite3 *database = open_file(path, SQLITE_OPEN_READONLY);
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(database));
    const char *text = NULL;
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        text = arena_copy_text(&workshop->arena, (const char *)sqlite3_column_text(statement, 0));
    else if (code != SQLITE_DONE)
        fail_msg("%s: %s", sql, sqlite3_errmsg(database));
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return text;
}

int64_t workshop_count(struct workshop *workshop, const char *path, const char *sql)
{
    const char *text = workshop_query(workshop, path, sql);
    assert_non_null(text);
    return strtoll(text, NULL, 10);
}

bool workshop_execute(const char *path, const char *sql)
{
    sqlite3 *database = open_file(path, SQLITE_OPEN_READWRITE);
    int code = sqlite3_exec(database, sql, NULL, NULL, NULL);
    sqlite3_close(database);
    return code == SQLITE_OK;
}

void copy_file(const char *from, const char *to)
{
    FILE *source = fopen(from, "rb"), *copy = fopen(to, "wb");
    assert_non_null(source);
    assert_non_null(copy);
    char bytes[65536];
    size_t length;
    while ((length = fread(bytes, 1, sizeof bytes, source)) > 0)
        assert_int_equal(fwrite(bytes, 1, length, copy), length);
    fclose(source);
    assert_int_equal(fclose(copy), 0);
}
