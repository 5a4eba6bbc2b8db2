// Reservations and slices against the last event of each, which carries the whole state.
//
// Three passes side by side: reservations and slices in the order of their ids, and the last event of each
// reservation by its number.
#include "base/memory.h"
#include "ledger/rows.h"
#include "ledger/verify_internal.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct reservation_check {
    struct verification *verification;
    int64_t *last_event; // by reservation
    size_t count;        // the highest reservation
    char **tenants, **pools;
    size_t tenant_count, pool_count;
    struct occupancy *occupancy;
    struct reservation_image image; // the reservation at hand
    struct slice_row *slices;
    size_t slice_capacity;
    int64_t event;
    int64_t group;     // of the reservation before
    int32_t legs;      // of that group
    int32_t legs_left; // that are still to come
    bool has_gap;      // an id is missing, which is found when it is come to
};

// ---- What is read beforehand

static bool load_last_events(struct reservation_check *check)
{
    sqlite3_stmt *statement = verify_statement(check->verification, STATEMENT_VERIFY_RESERVATION_EVENTS);
    bool found = statement != NULL;
    while (found) {
        if (!verify_step(check->verification, statement, &found))
            return false;
        if (!found)
            break;
        int64_t reservation = sqlite3_column_int64(statement, 1);
        if (check->has_gap && reservation > 0 && (uint64_t)reservation > check->count)
            continue;
        if (reservation < 1 || (uint64_t)reservation > check->count) {
            verify_find(check->verification,
                        "event %lld: it names reservation %" PRId64 ", which does not exist",
                        (long long)sqlite3_column_int64(statement, 0), reservation);
            break;
        }
        check->last_event[reservation] = sqlite3_column_int64(statement, 0);
    }
    if (statement != NULL)
        sqlite3_reset(statement);
    return statement != NULL;
}

static void keep_name(char ***names, size_t *count, int64_t id, const char *name)
{
    if (id < 1 || id > UINT32_MAX)
        return;
    if ((size_t)id >= *count) {
        *names = memory_resize(*names, (size_t)id + 1, sizeof **names);
        memset(*names + *count, 0, ((size_t)id + 1 - *count) * sizeof **names);
        *count = (size_t)id + 1;
    }
    free((*names)[id]);
    (*names)[id] = memory_copy_text(name);
}

static bool load_names(struct reservation_check *check)
{
    sqlite3_stmt *statement = verify_statement(check->verification, STATEMENT_VERIFY_NAMES);
    bool found = statement != NULL;
    while (found) {
        if (!verify_step(check->verification, statement, &found))
            return false;
        if (!found)
            break;
        bool tenant = strcmp((const char *)sqlite3_column_text(statement, 0), "tenant") == 0;
        keep_name(tenant ? &check->tenants : &check->pools,
                  tenant ? &check->tenant_count : &check->pool_count, sqlite3_column_int64(statement, 1),
                  (const char *)sqlite3_column_text(statement, 2));
    }
    return statement != NULL;
}

// ---- Comparing one with its event

static void differs(struct reservation_check *check, const char *member)
{
    verify_find(check->verification,
                "reservation %" PRId64 ": %s differs from event %" PRId64 ", the last that changed it",
                check->image.row.id, member, check->event);
}

static void compare_text(struct reservation_check *check, sqlite3_stmt *event, int column, const char *member,
                         const char *text)
{
    const char *said = (const char *)sqlite3_column_text(event, column);
    bool same = said == NULL ? text == NULL : text != NULL && strcmp(said, text) == 0;
    if (!same)
        differs(check, member);
}

static void compare_integer(struct reservation_check *check, sqlite3_stmt *event, int column,
                            const char *member, int64_t value)
{
    // 0 stands for none, which events show as null.
    if (sqlite3_column_int64(event, column) != value)
        differs(check, member);
}

static bool same_amount(sqlite3_stmt *event, int column, struct amount amount)
{
    char text[AMOUNT_TEXT_SIZE];
    amount_format(amount, text);
    const char *said = (const char *)sqlite3_column_text(event, column);
    return said != NULL && strcmp(said, text) == 0;
}

static bool same_instant(sqlite3_stmt *event, int column, struct instant instant)
{
    char text[INSTANT_TEXT_SIZE];
    instant_format(instant, text);
    const char *said = (const char *)sqlite3_column_text(event, column);
    return said != NULL && strcmp(said, text) == 0;
}

static void compare_amount(struct reservation_check *check, sqlite3_stmt *event, int column,
                           const char *member, struct amount amount)
{
    if (!same_amount(event, column, amount))
        differs(check, member);
}

static void compare_instant(struct reservation_check *check, sqlite3_stmt *event, int column,
                            const char *member, struct instant instant)
{
    bool none = instant.seconds == 0 && sqlite3_column_type(event, column) == SQLITE_NULL;
    if (!none && !same_instant(event, column, instant))
        differs(check, member);
}

static const char *name_of(char **names, size_t count, uint32_t id)
{
    return id < count ? names[id] : NULL;
}

static void compare_row(struct reservation_check *check, sqlite3_stmt *event)
{
    const struct reservation_row *row = &check->image.row;
    // Events show the state by the clock of their time.
    struct instant at = {sqlite3_column_int64(event, 0)};
    compare_integer(check, event, 1, "id", row->id);
    compare_text(check, event, 2, "tenant", name_of(check->tenants, check->tenant_count, row->tenant));
    compare_text(check, event, 3, "client_ref", row->client_ref);
    compare_text(check, event, 4, "state", reservation_state_name(reservation_state_at(row, at)));
    compare_text(check, event, 5, "pool", name_of(check->pools, check->pool_count, row->pool));
    compare_integer(check, event, 6, "gpus", row->gpus);
    compare_instant(check, event, 7, "start", hour_start(row->start));
    compare_instant(check, event, 8, "end", hour_start(row->end));
    compare_text(check, event, 9, "tier", tier_name(row->tier));
    compare_integer(check, event, 10, "gpu_hours", row->gpu_hours);
    compare_amount(check, event, 11, "cost_micro", row->cost);
    compare_amount(check, event, 12, "fees_micro", row->fees);
    compare_instant(check, event, 13, "hold_expires", row->hold_expires);
    compare_instant(check, event, 14, "wait_until", row->wait_until);
    compare_text(check, event, 15, "project", row->project);
    compare_text(check, event, 16, "note", row->note);
    compare_integer(check, event, 17, "group", row->group);
    compare_instant(check, event, 18, "created", row->created);
    compare_integer(check, event, 20, "hold_seconds", row->hold_seconds);
    if (sqlite3_column_int64(event, 19) != check->image.slice_count)
        verify_find(check->verification,
                    "slice: reservation %" PRId64 " has %d slices, but %lld in event %" PRId64
                    ", the last that changed it",
                    row->id, check->image.slice_count, (long long)sqlite3_column_int64(event, 19),
                    check->event);
}

// What no event tells of: the numbers that the next slices follow, and how many legs a group has.
static void check_numbers(struct reservation_check *check)
{
    const struct reservation_row *row = &check->image.row;
    for (int32_t i = 0; i < check->image.slice_count; i++)
        if (check->slices[i].number < 1 || check->slices[i].number > row->last_slice ||
            check->slices[i].layer < 1 || check->slices[i].layer > row->last_layer)
            verify_find(check->verification,
                        "slice %" PRId64 "/%d: its number or layer is above the last of its reservation",
                        row->id, check->slices[i].number);
    bool is_alone = row->group == 0 && row->legs == 0;
    bool is_first = row->group == row->id && row->legs >= 2;
    bool is_later = row->group != 0 && row->group == check->group && row->legs == check->legs;
    bool is_within = row->group == 0 || row->id < row->group + row->legs;
    if (check->legs_left > 0 ? !is_later : !(is_alone || is_first) || !is_within)
        differs(check, "legs");
    check->legs_left = is_first ? row->legs - 1 : check->legs_left - (check->legs_left > 0);
    check->group = row->group;
    check->legs = row->legs;
}

static bool slice_cost(const struct slice_row *slice, int64_t hours, struct amount *cost)
{
    return amount_multiply(slice->price, slice->gpus, cost) && amount_multiply(*cost, hours, cost);
}

static void compare_slice(struct reservation_check *check, sqlite3_stmt *event, const struct slice_row *slice)
{
    const struct verified_period *period = &check->verification->periods[slice->period];
    const char *contract = (const char *)sqlite3_column_text(event, 5);
    const char *member = NULL;
    struct amount cost;
    if (!same_instant(event, 0, hour_start(slice->start)))
        member = "start";
    else if (!same_instant(event, 1, hour_start(slice->end)))
        member = "end";
    else if (sqlite3_column_int64(event, 2) != slice->gpus)
        member = "gpus";
    else if (!same_amount(event, 3, slice->price))
        member = "price_micro";
    else if (!slice_cost(slice, slice->end.number - slice->start.number, &cost) ||
             !same_amount(event, 4, cost))
        member = "the cost";
    else if (contract == NULL || strcmp(contract, period->contract) != 0 ||
             !same_instant(event, 6, hour_start(period->start)))
        member = "period";
    if (member != NULL)
        verify_find(check->verification,
                    "slice %" PRId64 "/%d: %s differs from event %" PRId64
                    ", the last that changed the reservation",
                    slice->reservation, slice->number, member, check->event);
}

static bool compare_with_event(struct reservation_check *check)
{
    struct verification *verification = check->verification;
    check->event = check->last_event[check->image.row.id];
    sqlite3_stmt *event = verify_statement(verification, STATEMENT_VERIFY_RESERVATION_EVENT);
    bool found;
    if (event == NULL || sqlite3_bind_int64(event, 1, check->event) != SQLITE_OK ||
        !verify_step(verification, event, &found))
        return false;
    if (!found) {
        verify_find(verification, "reservation %" PRId64 ": no event tells of it", check->image.row.id);
        return true;
    }
    compare_row(check, event);
    sqlite3_reset(event);
    if (!verification->report->sound || check->image.slice_count == 0)
        return true;
    sqlite3_stmt *slices = verify_statement(verification, STATEMENT_VERIFY_EVENT_SLICES);
    if (slices == NULL || sqlite3_bind_int64(slices, 1, check->event) != SQLITE_OK)
        return false;
    for (int32_t i = 0; i < check->image.slice_count; i++) {
        if (!verify_step(verification, slices, &found))
            return false;
        if (found)
            compare_slice(check, slices, &check->slices[i]);
    }
    sqlite3_reset(slices);
    return true;
}

// ---- What slices come to

// The part of a slice in [start, end).
static bool add_part(const struct slice_row *slice, struct hour start, struct hour end, struct amount *sum)
{
    int32_t from = slice->start.number > start.number ? slice->start.number : start.number;
    int32_t to = slice->end.number < end.number ? slice->end.number : end.number;
    struct amount cost;
    return from >= to || (slice_cost(slice, to - from, &cost) && amount_add(*sum, cost, sum));
}

static void add_slice(struct reservation_check *check, const struct slice_row *slice)
{
    struct verification *verification = check->verification;
    if (slice->period < 1 || slice->period > verification->period_count ||
        check->image.row.pool >= check->pool_count) {
        verify_find(verification, "slice %" PRId64 "/%d: its period does not exist", slice->reservation,
                    slice->number);
        return;
    }
    struct verified_period *period = &verification->periods[slice->period];
    struct hour through = period->delivered_through;
    struct hour next = {through.number < HOUR_NEVER.number ? through.number + 1 : through.number};
    if (slice->start.number < period->start.number || slice->end.number > period->end.number)
        verify_find(verification, "slice %" PRId64 "/%d: it reaches beyond its period", slice->reservation,
                    slice->number);
    if (!add_part(slice, period->start, through, &period->slices_before) ||
        !add_part(slice, through, period->end, &period->slices_after) ||
        !add_part(slice, through, next, &period->slices_running))
        verify_find(verification, "slice %" PRId64 "/%d: what it comes to passes the largest amount",
                    slice->reservation, slice->number);
    if (!occupancy_add(check->occupancy, slice, check->image.row.pool))
        verify_find(verification, "slice %" PRId64 "/%d: it lies further away than any booking can",
                    slice->reservation, slice->number);
}

static void compare_sums(struct reservation_check *check)
{
    const struct reservation_row *row = &check->image.row;
    struct amount cost = AMOUNT_ZERO;
    int64_t gpu_hours = 0;
    for (int32_t i = 0; i < check->image.slice_count; i++) {
        const struct slice_row *slice = &check->slices[i];
        gpu_hours += (int64_t)slice->gpus * (slice->end.number - slice->start.number);
        if (!add_part(slice, slice->start, slice->end, &cost))
            return; // reported with the slice
    }
    if (cost.micro != row->cost.micro || gpu_hours != row->gpu_hours)
        verify_find(check->verification,
                    "reservation %" PRId64 ": its slices do not come to its cost or hours", row->id);
}

// ---- All of them

static bool read_slices(struct reservation_check *check, sqlite3_stmt *slices, bool *found)
{
    check->image.slice_count = 0;
    while (*found && sqlite3_column_int64(slices, 0) == check->image.row.id) {
        struct row row;
        if (!row_read(slices, ROW_SLICE, &row)) {
            verify_find(check->verification, "slice %lld/%lld: a column holds what no row can",
                        (long long)sqlite3_column_int64(slices, 0),
                        (long long)sqlite3_column_int64(slices, 1));
            return true;
        }
        check->slices = memory_grow(check->slices, (size_t)check->image.slice_count, &check->slice_capacity,
                                    sizeof *check->slices);
        check->slices[check->image.slice_count++] = row.slice;
        if (!verify_step(check->verification, slices, found))
            return false;
    }
    check->image.slices = check->slices;
    return true;
}

static bool check_all(struct reservation_check *check)
{
    struct verification *verification = check->verification;
    sqlite3_stmt *reservations = verify_statement(verification, STATEMENT_LOAD_RESERVATIONS);
    sqlite3_stmt *slices = verify_statement(verification, STATEMENT_LOAD_SLICES);
    bool found, slice_found;
    if (reservations == NULL || slices == NULL || !verify_step(verification, slices, &slice_found))
        return false;
    for (int64_t expected = 1; verification->report->sound; expected++) {
        if (!verify_step(verification, reservations, &found))
            return false;
        if (!found)
            break;
        struct row row;
        int64_t id = sqlite3_column_int64(reservations, 0);
        if (id != expected) {
            verify_find(verification, "reservation %" PRId64 " is missing", expected);
            break;
        }
        if (!row_read(reservations, ROW_RESERVATION, &row)) {
            verify_find(verification, "reservation %" PRId64 ": a column holds what no row can", id);
            break;
        }
        check->image.row = row.reservation;
        if (!read_slices(check, slices, &slice_found))
            return false;
        for (int32_t i = 0; i < check->image.slice_count && verification->report->sound; i++)
            add_slice(check, &check->slices[i]);
        if (verification->report->sound && !compare_with_event(check))
            return false;
        compare_sums(check);
        check_numbers(check);
        verification->report->reservations++;
        if (expected % 8192 == 0)
            verify_progress(verification, "reservations", expected, (int64_t)check->count);
    }
    if (check->legs_left > 0)
        verify_find(verification, "reservation: legs of group %" PRId64 " are missing", check->group);
    sqlite3_reset(reservations);
    sqlite3_reset(slices);
    return true;
}

static void free_names(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

bool verify_reservations(struct verification *verification)
{
    int64_t count;
    if (!connection_integer(verification->connection, "SELECT max(id) FROM reservation", &count,
                            verification->error))
        return false;
    int64_t rows;
    if (!connection_integer(verification->connection, "SELECT count(*) FROM reservation", &rows,
                            verification->error))
        return false;
    // Ids are dense; were they not, the first gap is found below, within what there are rows for.
    struct reservation_check check = {.verification = verification,
                                      .count = (size_t)(count > rows ? rows + 1 : count),
                                      .has_gap = count > rows,
                                      .occupancy = occupancy_create()};
    check.last_event = memory_allocate(check.count + 1, sizeof *check.last_event);
    bool read = load_names(&check) && load_last_events(&check) &&
                (!verification->report->sound || check_all(&check)) &&
                (!verification->report->sound || occupancy_check(check.occupancy, verification));
    occupancy_destroy(check.occupancy);
    free(check.last_event);
    free(check.slices);
    free_names(check.tenants, check.tenant_count);
    free_names(check.pools, check.pool_count);
    return read;
}
