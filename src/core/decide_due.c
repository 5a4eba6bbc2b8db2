// Timed decisions: what falls due is decided like a request, at the instant it was due.
//
// Expiries, cuts of open outages, changes of what is delivered an hour, month ends, closes and instalments
// change what a request may be told, so they are all decided before it. Starts and ends change no verdict, so
// they come last and many in one decision.
#include "base/memory.h"
#include "core/alter.h"
#include "core/builder.h"
#include "core/outage.h"
#include "core/schedule.h"
#include "core/transition.h"
#include "core/waiting.h"
#include <assert.h>

// How many starts and ends one decision holds.
#define LIFECYCLE_LIMIT 256

#define CLOCK_ACTOR "clock"

// ---- Reservations

static void decide_expiry(struct builder *builder, int64_t id)
{
    struct reservation_image before;
    bool found = book_reservation(builder->book, id, builder->at, &before);
    assert(found);
    (void)found;
    // By the clock it has expired, which is what is being written down.
    before.row.state = book_live(builder->book, id)->row.state;
    struct reservation_row row = before.row;
    row.state = STATE_EXPIRED;
    struct plan plan;
    plan_begin(&plan, builder, row.tenant, row.pool, row.tier, &before, true);
    plan_set_gpus(&plan, row.start, row.end, 0);
    plan_settle(&plan, id);
    alter_expect(builder, 1);
    alter_reservation(builder, &before, &row, &plan, "reservation.expired", false, NULL);
}

static bool still_due(const struct book *book, struct due due)
{
    const struct reservation *live;
    const struct period *period;
    switch (due_kind(due)) {
    case DUE_EXPIRY:
        live = book_live(book, due_id(due));
        return live != NULL &&
               ((live->row.state == STATE_HELD && live->row.hold_expires.seconds == due.at.seconds) ||
                (live->row.state == STATE_WAITING && live->row.wait_until.seconds == due.at.seconds));
    case DUE_START:
        live = book_live(book, due_id(due));
        return live != NULL && live->row.state == STATE_BOOKED &&
               hour_start(live->row.start).seconds == due.at.seconds;
    case DUE_END:
        live = book_live(book, due_id(due));
        return live != NULL && live->row.state == STATE_ACTIVE &&
               hour_start(live->row.end).seconds == due.at.seconds;
    case DUE_OUTAGE:
        return outage_is_due(book, due_id(due), due.at);
    case DUE_DELIVERY:
        period = &book->periods[due_id(due)];
        return hour_start(period->next_delivery_change).seconds == due.at.seconds;
    case DUE_MONTH_END:
        return hour_start(book->contracts[due_id(due)].next_month_end).seconds == due.at.seconds;
    case DUE_CLOSE:
        return !book->periods[due_id(due)].row.closed;
    case DUE_INSTALMENT:
        period = &book->periods[due_id(due)];
        return !period->row.closed &&
               hour_start(schedule_instalment_due(period->row.start, (int32_t)period->row.instalments_billed))
                       .seconds == due.at.seconds;
    }
    return false;
}

// ---- Periods

// Posts what was delivered since the last posting.
static void post_consumption(struct builder *builder, uint32_t id, struct hour through, int64_t event)
{
    const struct period *period = &builder->book->periods[id];
    struct contract_period_row *row = builder_period(builder, id);
    struct amount unposted = period_unposted(row, through);
    row->delivered = AMOUNT_ZERO;
    row->delivered_through = through;
    builder_transfer(builder, TRANSFER_CONSUME, period->accounts[ACCOUNT_ENCUMBERED],
                     period->accounts[ACCOUNT_CONSUMED], unposted, id, 0, event);
}

static void bill(struct builder *builder, uint32_t id, enum transfer_kind kind, struct amount amount,
                 int64_t event)
{
    const struct period *period = &builder->book->periods[id];
    builder_transfer(builder, kind, period->accounts[ACCOUNT_RECEIVABLE], period->accounts[ACCOUNT_BILLED],
                     amount, id, 0, event);
}

static void inputs_now(struct builder *builder, uint32_t id, struct commitment_inputs *inputs)
{
    const struct period *period = &builder->book->periods[id];
    struct amount balances[ACCOUNT_PERIOD_COUNT];
    for (int kind = 0; kind < ACCOUNT_PERIOD_COUNT; kind++)
        balances[kind] = builder_balance(builder, period->accounts[kind]);
    const struct contract_period_row *row = builder_period(builder, id);
    commitment_inputs_of(builder->book, row, balances, period_unposted(row, row->delivered_through), inputs);
}

// An event about a period is added before the transfers that it causes, which name it, and its text is
// written when they are known.
static size_t begin_period_event(struct builder *builder, uint32_t id, const char *type)
{
    const struct contract *contract = &builder->book->contracts[builder->book->periods[id].row.contract];
    struct json json = builder_text(builder);
    json_write_object(&json, NULL); // until end_period_event
    json_write_object_end(&json);
    builder_event(builder, type, contract->row.tenant, 0);
    return builder->row_count - 1;
}

static void end_period_event(struct builder *builder, uint32_t id, size_t place)
{
    struct json json = builder_text(builder);
    json_write_object(&json, NULL);
    json_write_object(&json, "period");
    builder_write_period(builder, &json, id);
    json_write_object_end(&json);
    json_write_object_end(&json);
    struct event_row *event = &builder->rows[place].event;
    event->data = arena_copy(builder->arena, builder->text.data, builder->text.length);
    event->data_length = builder->text.length;
}

static void post_month(struct builder *builder, uint32_t id, struct hour through)
{
    const struct period *period = &builder->book->periods[id];
    const struct contract *contract = &builder->book->contracts[period->row.contract];
    struct amount fees = period_balance(builder->book, id, ACCOUNT_FEES);
    // A period that has not begun, or was first applied in the month that ends, delivers nothing in it.
    bool delivers = period->row.delivered_through.number < through.number;
    bool nothing = amount_compare(fees, period->row.fees_billed) == 0 &&
                   amount_is_zero(period_unposted(&period->row, through));
    if (period->row.closed || nothing)
        return;
    size_t place = begin_period_event(builder, id, "period.posted");
    int64_t event = builder->rows[place].event.seq;
    if (delivers)
        post_consumption(builder, id, through, event);
    struct contract_period_row *row = builder_period(builder, id);
    if (contract->terms.billing == BILLING_ARREARS) {
        struct commitment_inputs inputs;
        struct amount usage;
        inputs_now(builder, id, &inputs);
        if (!commitment_usage_to_bill(&inputs, &usage))
            builder_refuse(builder, VERDICT_AMOUNT_OVERFLOW, "the usage would pass the largest amount");
        else
            bill(builder, id, TRANSFER_USAGE, usage, event);
    }
    // A fee can only grow, and what is billed of it follows.
    bill(builder, id, TRANSFER_FEE, (struct amount){fees.micro - row->fees_billed.micro}, event);
    row->fees_billed = fees;
    end_period_event(builder, id, place);
}

static void decide_month_end(struct builder *builder, uint32_t id, struct hour hour)
{
    const struct contract *contract = &builder->book->contracts[id];
    for (uint32_t i = 0; i < contract->period_count; i++)
        post_month(builder, contract->first_period + i, hour);
}

// What a closed period hands on to the next: unmet commit and credit, each with the authority to spend it.
static void hand_on(struct builder *builder, uint32_t id, const struct settlement *settlement, int64_t event)
{
    const struct book *book = builder->book;
    const struct period *period = &book->periods[id], *next = &book->periods[id + 1];
    uint32_t contract = period->row.contract, next_id = id + 1;
    uint32_t prepaid = contract_account(book, contract, ACCOUNT_PREPAID);
    struct amount credit;
    if (!amount_add(settlement->credit_granted, settlement->credit_left, &credit)) {
        builder_refuse(builder, VERDICT_AMOUNT_OVERFLOW, "the credit would pass the largest amount");
        return;
    }
    builder_transfer(builder, TRANSFER_DEFER, period->accounts[ACCOUNT_AUTHORITY],
                     next->accounts[ACCOUNT_DEFERRED], settlement->deferred_out, next_id, 0, event);
    builder_transfer(builder, TRANSFER_GRANT, contract_account(book, contract, ACCOUNT_DEFERRAL),
                     next->accounts[ACCOUNT_AUTHORITY], settlement->deferred_out, next_id, 0, event);
    builder_transfer(builder, TRANSFER_CREDIT, prepaid, next->accounts[ACCOUNT_CREDIT], credit, next_id, 0,
                     event);
    builder_transfer(builder, TRANSFER_GRANT, prepaid, next->accounts[ACCOUNT_AUTHORITY], credit, next_id, 0,
                     event);
    builder_touch_period(builder, next_id);
}

static void decide_close(struct builder *builder, uint32_t id)
{
    const struct book *book = builder->book;
    const struct period *period = &book->periods[id];
    const struct contract *contract = &book->contracts[period->row.contract];
    bool last = id == contract->first_period + contract->period_count - 1;
    size_t place = begin_period_event(builder, id, "period.closed");
    int64_t event = builder->rows[place].event.seq;
    post_consumption(builder, id, period->row.end, event);
    struct commitment_inputs inputs;
    struct settlement settlement;
    inputs_now(builder, id, &inputs);
    if (!commitment_settle(&inputs, &contract->terms, last, &settlement)) {
        builder_refuse(builder, VERDICT_AMOUNT_OVERFLOW, "the settlement would pass the largest amount");
        return;
    }
    bill(builder, id, TRANSFER_SHORTFALL, settlement.charge_shortfall, event);
    bill(builder, id, TRANSFER_USAGE, settlement.charge_usage, event);
    bill(builder, id, TRANSFER_FEE, settlement.charge_fees, event);
    bill(builder, id, TRANSFER_SURCHARGE, settlement.charge_surcharge, event);
    builder_transfer(builder, TRANSFER_REFUND, period->accounts[ACCOUNT_BILLED],
                     period->accounts[ACCOUNT_RECEIVABLE], settlement.refund, id, 0, event);
    builder_transfer(builder, TRANSFER_WAIVE, period->accounts[ACCOUNT_AUTHORITY],
                     contract_account(book, period->row.contract, ACCOUNT_WRITTEN_OFF), settlement.waived, id,
                     0, event);
    if (!last)
        hand_on(builder, id, &settlement, event);
    struct contract_period_row *row = builder_period(builder, id);
    row->deferred_out = settlement.deferred_out;
    row->waived = settlement.waived;
    row->credit_used = settlement.credit_used;
    row->surcharge = settlement.surcharge;
    // Where more was billed than is due, it covers fees too, and no more is billed of them.
    row->fees_billed.micro += settlement.charge_fees.micro;
    row->closed = true;
    end_period_event(builder, id, place);
}

static void decide_instalment(struct builder *builder, uint32_t id)
{
    struct contract_period_row *row = builder_period(builder, id);
    size_t place = begin_period_event(builder, id, "instalment.billed");
    struct amount amount =
        schedule_instalment_amount(row->start, row->end, row->commit, (int32_t)row->instalments_billed);
    row->instalments_billed++;
    bill(builder, id, TRANSFER_INSTALMENT, amount, builder->rows[place].event.seq);
    end_period_event(builder, id, place);
}

// ---- The queue

static void decide_urgent(struct book *book, struct due due, struct builder *builder)
{
    switch (due_kind(due)) {
    case DUE_EXPIRY:
        decide_expiry(builder, due_id(due));
        break;
    case DUE_OUTAGE:
        decide_outage(builder, due_id(due));
        break;
    case DUE_DELIVERY:
        book_deliver(book, (uint32_t)due_id(due), hour_of_instant(due.at));
        builder_add(builder, ROW_CONTRACT_PERIOD)->contract_period = book->periods[due_id(due)].row;
        break;
    case DUE_MONTH_END:
        decide_month_end(builder, (uint32_t)due_id(due), hour_of_instant(due.at));
        book_month_ended(book, (uint32_t)due_id(due), hour_of_instant(due.at));
        break;
    case DUE_CLOSE:
        decide_close(builder, (uint32_t)due_id(due));
        break;
    case DUE_INSTALMENT:
        decide_instalment(builder, (uint32_t)due_id(due));
        break;
    case DUE_START:
    case DUE_END:
        assert(false && "starts and ends are not urgent");
    }
}

static void drop_stale(const struct book *book, struct due_queue *queue)
{
    while (queue->count > 0 && !still_due(book, due_first(queue)))
        due_remove_first(queue);
}

// Starts and ends that are due, each in its own time, as many as one decision holds. Whatever both starts and
// ends in it comes again.
static void decide_lifecycle(struct book *book, struct instant now, struct builder *builder)
{
    struct due last = {0};
    for (int count = 0; count < LIFECYCLE_LIMIT; count++) {
        drop_stale(book, &book->lifecycle);
        if (book->lifecycle.count == 0 || due_first(&book->lifecycle).at.seconds > now.seconds)
            return;
        struct due due = due_first(&book->lifecycle);
        due_remove_first(&book->lifecycle);
        // A start that was moved away and back is there twice.
        bool again = due.at.seconds == last.at.seconds && due.order == last.order;
        last = due;
        if (!again)
            alter_lifecycle(builder, due_id(due), due.at,
                            due_kind(due) == DUE_START ? STATE_ACTIVE : STATE_COMPLETED);
    }
}

// The time at which the next decision counts as made. Calendars reach to the horizon from there and no
// further on, because what was freed then is sold from then on.
static struct instant next_time(const struct book *book, struct instant now)
{
    if (book_serves_waiting(book))
        return book->latest;
    bool urgent = book->urgent.count > 0 && due_first(&book->urgent).at.seconds <= now.seconds;
    return urgent ? due_first(&book->urgent).at : now;
}

bool book_decide_due(struct book *book, struct instant now, struct arena *arena, struct decision *decision,
                     bool *urgent)
{
    struct builder builder;
    drop_stale(book, &book->urgent);
    book_reach(book, next_time(book, now));
    if (decide_waiting(book, now, arena, decision)) {
        *urgent = true;
        return true;
    }
    *urgent = book->urgent.count > 0 && due_first(&book->urgent).at.seconds <= now.seconds;
    if (*urgent) {
        struct due due = due_first(&book->urgent);
        due_remove_first(&book->urgent);
        builder_begin(&builder, book, arena, due.at, CLOCK_ACTOR, decision);
        decide_urgent(book, due, &builder);
    } else {
        drop_stale(book, &book->lifecycle);
        if (book->lifecycle.count == 0 || due_first(&book->lifecycle).at.seconds > now.seconds)
            return false;
        builder_begin(&builder, book, arena, now, CLOCK_ACTOR, decision);
        decide_lifecycle(book, now, &builder);
    }
    builder_finish(&builder);
    // A timed decision can't be refused: amounts were checked when what falls due was booked.
    assert(decision->verdict == VERDICT_DONE);
    return true;
}

bool book_urgent_is_due(const struct book *book, struct instant now)
{
    return book_serves_waiting(book) ||
           (book->urgent.count > 0 && due_first(&book->urgent).at.seconds <= now.seconds);
}

bool book_next_due(const struct book *book, struct instant *due)
{
    bool any = book_serves_waiting(book);
    if (any)
        *due = book->latest;
    const struct due_queue *queues[] = {&book->urgent, &book->lifecycle};
    for (int i = 0; i < 2; i++) {
        if (queues[i]->count > 0 && (!any || due_first(queues[i]).at.seconds < due->seconds)) {
            *due = due_first(queues[i]).at;
            any = true;
        }
    }
    return any;
}
