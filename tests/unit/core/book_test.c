// The book by example: every rule of a reservation's life and of a commitment's year, with amounts worked out
// by hand.
#include "world.h"

#define H100  "colossus-1/h100"
#define GB200 "colossus-1/gb200"

static void booking_takes_capacity_and_commitment(void **state)
{
    struct world *world = *state;
    // 64 GPUs for 10 days at $2: 64 × 240 × 2 = 30,720.
    assert_int_equal(
        world_create(world, leg_of(H100, 64, "2026-02-01T00:00:00Z", "2026-02-11T00:00:00Z"), NULL),
        VERDICT_DONE);
    const struct outcome *outcome = &world->decision.outcomes[0];
    assert_int_equal(outcome->image.row.state, STATE_BOOKED);
    assert_int_equal(outcome->image.row.cost.micro, amount_of("30720.00").micro);
    assert_int_equal(outcome->image.row.gpu_hours, 64 * 240);
    assert_int_equal(book_free(world->book, 1, hour_of("2026-02-10T23:00:00Z")), 960);
    assert_int_equal(book_free(world->book, 1, hour_of("2026-02-11T00:00:00Z")), 1024);
    assert_period(world, ACME_FIRST, "encumbered", "30720.00");
    assert_period(world, ACME_FIRST, "available", "1069280.00");
    assert_period(world, ACME_FIRST, "shortfall", "969280.00");
}

static void booking_is_cut_at_the_anniversary(void **state)
{
    struct world *world = *state;
    assert_int_equal(
        world_create(world, leg_of(H100, 8, "2026-12-31T00:00:00Z", "2027-01-02T00:00:00Z"), NULL),
        VERDICT_DONE);
    const struct reservation_image *image = &world->decision.outcomes[0].image;
    assert_int_equal(image->slice_count, 2);
    assert_int_equal(image->slices[0].period, ACME_FIRST);
    assert_int_equal(image->slices[1].period, ACME_SECOND);
    assert_int_equal(image->slices[1].start.number, hour_of("2027-01-01T00:00:00Z").number);
    assert_period(world, ACME_FIRST, "encumbered", "384.00");
    assert_period(world, ACME_SECOND, "encumbered", "384.00");
}

static void capacity_refusal_names_the_way_out(void **state)
{
    struct world *world = *state;
    assert_int_equal(
        world_create(world, leg_of(H100, 1000, "2026-02-03T00:00:00Z", "2026-02-05T00:00:00Z"), NULL),
        VERDICT_DONE);
    assert_int_equal(
        world_create(world, leg_of(H100, 64, "2026-02-02T00:00:00Z", "2026-02-04T00:00:00Z"), NULL),
        VERDICT_CAPACITY_EXCEEDED);
    const struct refusal *refusal = &world->decision.refusal;
    assert_int_equal(refusal->free, 24);
    assert_int_equal(refusal->first_short.number, hour_of("2026-02-03T00:00:00Z").number);
    assert_true(refusal->has_next_start);
    assert_int_equal(refusal->next_start.number, hour_of("2026-02-05T00:00:00Z").number);
    assert_int_equal(world->decision.row_count, 0);
    // More than there will ever be.
    assert_int_equal(
        world_create(world, leg_of(H100, 2048, "2026-02-02T00:00:00Z", "2026-02-04T00:00:00Z"), NULL),
        VERDICT_CAPACITY_EXCEEDED);
    assert_false(world->decision.refusal.has_next_start);
    assert_int_equal(world->decision.refusal.searched_until.number, hour_of("2036-01-01T00:00:00Z").number);
}

static void commitment_refusal_says_how_many_would_fit(void **state)
{
    struct world *world = *state;
    // 1,024 GPUs for 30 days would be 1,474,560; 1,100,000 / (720 × 2) = 763.8, so 760.
    assert_int_equal(
        world_create(world, leg_of(H100, 1024, "2026-03-01T00:00:00Z", "2026-03-31T00:00:00Z"), NULL),
        VERDICT_COMMITMENT_EXCEEDED);
    const struct refusal *refusal = &world->decision.refusal;
    assert_int_equal(refusal->available.micro, amount_of("1100000.00").micro);
    assert_int_equal(refusal->needed.micro, amount_of("1474560.00").micro);
    assert_int_equal(refusal->max_gpus, 760);
    assert_int_equal(refusal->period_start.number, hour_of("2026-01-01T00:00:00Z").number);
    assert_int_equal(
        world_create(world, leg_of(H100, 760, "2026-03-01T00:00:00Z", "2026-03-31T00:00:00Z"), NULL),
        VERDICT_DONE);
}

static void uncovered_and_unrated_hours_are_refused(void **state)
{
    struct world *world = *state;
    assert_int_equal(
        world_create(world, leg_of(H100, 8, "2027-12-31T00:00:00Z", "2028-01-02T00:00:00Z"), NULL),
        VERDICT_NO_CONTRACT);
    assert_int_equal(world->decision.refusal.first_uncovered.number, hour_of("2028-01-01T00:00:00Z").number);
    assert_int_equal(
        world_create(world, leg_of("colossus-9/x", 8, "2027-12-31T00:00:00Z", "2028-01-02T00:00:00Z"), NULL),
        VERDICT_NOT_FOUND);
}

static void senseless_windows_are_refused(void **state)
{
    struct world *world = *state;
    world_advance(world, "2026-02-01T10:30:00Z");
    assert_int_equal(
        world_create(world, leg_of(H100, 8, "2026-02-01T09:00:00Z", "2026-02-01T12:00:00Z"), NULL),
        VERDICT_INVALID_PARAMS);
    assert_string_equal(world->decision.refusal.path, "start");
    assert_int_equal(
        world_create(world, leg_of(H100, 12, "2026-03-01T09:00:00Z", "2026-03-01T12:00:00Z"), NULL),
        VERDICT_INVALID_PARAMS);
    assert_string_equal(world->decision.refusal.path, "gpus");
    assert_int_equal(
        world_create(world, leg_of(H100, 8, "2026-03-01T09:00:00Z", "2036-02-01T11:00:00Z"), NULL),
        VERDICT_INVALID_PARAMS);
    assert_string_equal(world->decision.refusal.path, "end");
    // The running hour can be booked, and runs at once.
    assert_int_equal(
        world_create(world, leg_of(H100, 8, "2026-02-01T10:00:00Z", "2026-02-01T12:00:00Z"), NULL),
        VERDICT_DONE);
    assert_int_equal(world->decision.outcomes[0].image.row.state, STATE_ACTIVE);
    world_advance(world, "2026-02-01T11:59:59Z");
    assert_period(world, ACME_FIRST, "consumed", "16.00");
    assert_period(world, ACME_FIRST, "encumbered", "16.00");
}

static void same_reference_books_once(void **state)
{
    struct world *world = *state;
    struct leg leg = leg_of(H100, 64, "2026-02-01T00:00:00Z", "2026-02-11T00:00:00Z");
    assert_int_equal(world_create(world, leg, "ref-1"), VERDICT_DONE);
    int64_t id = created_id(world);
    size_t rows = world->row_count;
    assert_int_equal(world_create(world, leg, "ref-1"), VERDICT_DONE);
    assert_true(world->decision.replayed);
    assert_int_equal(created_id(world), id);
    assert_int_equal(world->row_count, rows);
    leg.gpus = 72;
    assert_int_equal(world_create(world, leg, "ref-1"), VERDICT_CONFLICT);
    // A refused request leaves no trace of its reference.
    leg.gpus = 8000;
    assert_int_equal(world_create(world, leg, "ref-2"), VERDICT_CAPACITY_EXCEEDED);
    leg.gpus = 8;
    assert_int_equal(world_create(world, leg, "ref-2"), VERDICT_DONE);
    assert_false(world->decision.replayed);
    // A retry finds its booking even when its start has passed, and when it has ended.
    world_advance(world, "2026-02-05T00:00:00Z");
    leg.gpus = 64;
    assert_int_equal(world_create(world, leg, "ref-1"), VERDICT_DONE);
    assert_int_equal(world->decision.outcomes[0].image.row.state, STATE_ACTIVE);
    world_advance(world, "2026-03-01T00:00:00Z");
    assert_int_equal(world_create(world, leg, "ref-1"), VERDICT_DONE);
    assert_int_equal(world->decision.replay_thing, id);
    assert_int_equal(world->decision.outcome_count, 0);
}

static void cancel_gives_back_and_late_hours_cost_a_fee(void **state)
{
    struct world *world = *state;
    assert_int_equal(
        world_create(world, leg_of(H100, 64, "2026-02-02T00:00:00Z", "2026-02-12T00:00:00Z"), NULL),
        VERDICT_DONE);
    int64_t id = created_id(world);
    // At 2026-02-01T00:00 the hours before 2026-02-04T00:00 have less than 72 hours' notice: 48 of them, 64 ×
    // 48 × 2 / 2 = 3,072.
    world_advance(world, "2026-02-01T00:00:00Z");
    assert_int_equal(world_cancel(world, id, true), VERDICT_DONE);
    assert_int_equal(world->decision.outcomes[0].fee.micro, amount_of("3072.00").micro);
    assert_int_equal(world->decision.outcomes[0].released.micro, amount_of("30720.00").micro);
    assert_period(world, ACME_FIRST, "encumbered", "30720.00");
    assert_int_equal(world_cancel(world, id, false), VERDICT_DONE);
    assert_period(world, ACME_FIRST, "encumbered", "0.00");
    assert_period(world, ACME_FIRST, "fees", "3072.00");
    assert_int_equal(book_free(world->book, 1, hour_of("2026-02-05T00:00:00Z")), 1024);
    assert_int_equal(world_cancel(world, id, false), VERDICT_INVALID_STATE);
    assert_int_equal(world->decision.refusal.state, STATE_CANCELLED);
    // The fee is billed at the month's end, beside February's instalment: 2 × 83,333.33 and a third follows
    // in March.
    assert_period(world, ACME_FIRST, "billed", "166666.666666");
    world_advance(world, "2026-03-01T00:00:00Z");
    assert_int_equal(transferred(world, TRANSFER_FEE).micro, 2 * amount_of("3072.00").micro);
    assert_period(world, ACME_FIRST, "billed", "253071.999999");
}

static void waived_fee_leaves_nothing_owed(void **state)
{
    struct world *world = *state;
    world_create(world, leg_of(H100, 64, "2026-02-02T00:00:00Z", "2026-02-12T00:00:00Z"), NULL);
    int64_t id = created_id(world);
    world_advance(world, "2026-02-01T00:00:00Z");
    struct request request = {.kind = REQUEST_CANCEL, .cancel = {.target = {.id = id}, .waive_fee = true}};
    assert_int_equal(world_decide(world, request), VERDICT_INVALID_PARAMS);
    request.cancel.reason = "our outage";
    request.actor = (struct actor){.role = ROLE_TENANT, .tenant = 1, .name = "uid:1001"};
    assert_int_equal(world_decide(world, request), VERDICT_FORBIDDEN);
    request.actor = (struct actor){0};
    assert_int_equal(world_decide(world, request), VERDICT_DONE);
    assert_int_equal(world->decision.outcomes[0].fee.micro, 0);
    assert_period(world, ACME_FIRST, "fees", "0.00");
    assert_non_null(strstr(last_event(world, "reservation.cancelled")->data, "\"waived_fee\":\"3072.00\""));
}

static void running_hour_stays_sold(void **state)
{
    struct world *world = *state;
    world_create(world, leg_of(H100, 64, "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z"), NULL);
    int64_t id = created_id(world);
    world_advance(world, "2026-02-01T05:30:00Z");
    assert_int_equal(world_cancel(world, id, false), VERDICT_DONE);
    // Six hours remain: 64 × 6 × 2.
    assert_int_equal(world->decision.outcomes[0].image.row.cost.micro, amount_of("768.00").micro);
    assert_int_equal(world->decision.outcomes[0].image.row.gpus, 64);
    assert_int_equal(book_free(world->book, 1, hour_of("2026-02-01T05:00:00Z")), 960);
    assert_int_equal(book_free(world->book, 1, hour_of("2026-02-01T06:00:00Z")), 1024);
    world_advance(world, "2026-02-01T09:00:00Z");
    assert_period(world, ACME_FIRST, "consumed", "768.00");
    assert_period(world, ACME_FIRST, "encumbered", "0.00");
}

static void cancel_on_the_hour_releases_that_hour(void **state)
{
    struct world *world = *state;
    world_create(world, leg_of(H100, 64, "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z"), NULL);
    int64_t id = created_id(world);
    world_advance(world, "2026-02-01T05:00:00Z");
    assert_int_equal(world_cancel(world, id, false), VERDICT_DONE);
    assert_int_equal(world->decision.outcomes[0].image.row.cost.micro, amount_of("640.00").micro);
    world_advance(world, "2026-02-01T09:00:00Z");
    assert_period(world, ACME_FIRST, "consumed", "640.00");
}

static void hold_expires_by_itself(void **state)
{
    struct world *world = *state;
    struct leg leg = leg_of(H100, 1024, "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z");
    struct request request = {.kind = REQUEST_CREATE,
                              .create = {.legs = &leg, .leg_count = 1, .hold_seconds = 90 * 60}};
    assert_int_equal(world_decide(world, request), VERDICT_DONE);
    int64_t id = created_id(world);
    assert_int_equal(world->decision.outcomes[0].image.row.state, STATE_HELD);
    world_advance(world, "2026-01-01T01:29:59Z");
    assert_int_equal(book_free(world->book, 1, leg.start), 0);
    world_advance(world, "2026-01-01T01:30:00Z");
    assert_int_equal(book_free(world->book, 1, leg.start), 1024);
    assert_period(world, ACME_FIRST, "encumbered", "0.00");
    assert_int_equal(last_event(world, "reservation.expired")->at.seconds,
                     instant_of("2026-01-01T01:30:00Z").seconds);
    assert_int_equal(world_decide(world, (struct request){.kind = REQUEST_CONFIRM, .confirm = {.id = id}}),
                     VERDICT_EXPIRED);
    assert_int_equal(world_cancel(world, id, false), VERDICT_EXPIRED);
}

static void hold_is_confirmed_or_cancelled_free(void **state)
{
    struct world *world = *state;
    struct leg leg = leg_of(H100, 8, "2026-01-01T02:00:00Z", "2026-01-02T00:00:00Z");
    struct request request = {.kind = REQUEST_CREATE,
                              .create = {.legs = &leg, .leg_count = 1, .hold_seconds = 5 * 86400}};
    assert_int_equal(world_decide(world, request), VERDICT_DONE);
    // It expires at the latest at its start.
    assert_int_equal(world->decision.outcomes[0].image.row.hold_expires.seconds,
                     hour_start(leg.start).seconds);
    int64_t id = created_id(world);
    assert_int_equal(world_decide(world, (struct request){.kind = REQUEST_CONFIRM, .confirm = {.id = id}}),
                     VERDICT_DONE);
    assert_int_equal(world->decision.outcomes[0].image.row.state, STATE_BOOKED);
    assert_int_equal(world_decide(world, (struct request){.kind = REQUEST_CONFIRM, .confirm = {.id = id}}),
                     VERDICT_INVALID_STATE);
    assert_int_equal(world_decide(world, request), VERDICT_DONE);
    assert_int_equal(world_cancel(world, created_id(world), false), VERDICT_DONE);
    assert_int_equal(world->decision.outcomes[0].fee.micro, 0);
    request.create.hold_seconds = 8 * 86400;
    assert_int_equal(world_decide(world, request), VERDICT_INVALID_PARAMS);
    request.create.hold_seconds = 60;
    leg.start = hour_of("2026-01-01T00:00:00Z");
    assert_int_equal(world_decide(world, request), VERDICT_INVALID_PARAMS);
}

static enum verdict create_group(struct world *world, struct leg *legs, size_t count, const char *client_ref)
{
    return world_decide(world, (struct request){.kind = REQUEST_CREATE_GROUP,
                                                .client_ref = client_ref,
                                                .create = {.legs = legs, .leg_count = count}});
}

static void group_is_all_or_nothing(void **state)
{
    struct world *world = *state;
    struct leg legs[] = {leg_of(H100, 512, "2026-02-01T00:00:00Z", "2026-02-03T00:00:00Z"),
                         leg_of(GB200, 144, "2026-02-01T00:00:00Z", "2026-02-03T00:00:00Z"),
                         leg_of(H100, 520, "2026-02-02T00:00:00Z", "2026-02-04T00:00:00Z")};
    assert_int_equal(create_group(world, legs, 3, "g"), VERDICT_CAPACITY_EXCEEDED);
    assert_int_equal(world->decision.refusal.leg, 2);
    assert_int_equal(world->decision.refusal.free, 512);
    assert_int_equal(world->decision.refusal.first_short.number, hour_of("2026-02-02T00:00:00Z").number);
    assert_int_equal(world->decision.refusal.next_start.number, hour_of("2026-02-03T00:00:00Z").number);
    assert_int_equal(book_free(world->book, 1, legs[0].start), 1024);
    legs[2].gpus = 512;
    assert_int_equal(create_group(world, legs, 3, "g"), VERDICT_DONE);
    int64_t group = world->decision.group;
    assert_int_equal(world->decision.outcome_count, 3);
    assert_int_equal(world->decision.outcomes[2].image.row.id, group + 2);
    assert_int_equal(create_group(world, legs, 3, "g"), VERDICT_DONE);
    assert_true(world->decision.replayed);
    assert_int_equal(world->decision.outcome_count, 3);
    // One leg is cancelled singly, the rest together.
    assert_int_equal(world_cancel(world, group + 1, false), VERDICT_DONE);
    struct request cancel = {.kind = REQUEST_CANCEL, .cancel = {.target = {.is_group = true, .id = group}}};
    assert_int_equal(world_decide(world, cancel), VERDICT_DONE);
    assert_int_equal(world->decision.outcome_count, 2);
    assert_int_equal(world_decide(world, cancel), VERDICT_INVALID_STATE);
    cancel.cancel.target.id = group + 1;
    assert_int_equal(world_decide(world, cancel), VERDICT_NOT_FOUND);
}

static void group_legs_share_the_commitment(void **state)
{
    struct world *world = *state;
    // Two legs of 737,280 each; 1,100,000 is there. The second leg sees what the first took.
    struct leg legs[] = {leg_of(H100, 512, "2026-02-01T00:00:00Z", "2026-03-03T00:00:00Z"),
                         leg_of(H100, 512, "2026-02-01T00:00:00Z", "2026-03-03T00:00:00Z")};
    assert_int_equal(create_group(world, legs, 2, NULL), VERDICT_COMMITMENT_EXCEEDED);
    assert_int_equal(world->decision.refusal.leg, 1);
    assert_int_equal(world->decision.refusal.available.micro, amount_of("362720.00").micro);
    assert_int_equal(world->decision.refusal.max_gpus, 248);
}

static enum verdict change(struct world *world, struct change_request request)
{
    return world_decide(world, (struct request){.kind = REQUEST_CHANGE, .change = request});
}

static void change_extends_grows_and_cuts_the_newest_first(void **state)
{
    struct world *world = *state;
    world_create(world, leg_of(H100, 16, "2026-02-01T00:00:00Z", "2026-02-11T00:00:00Z"), NULL);
    int64_t id = created_id(world);
    assert_int_equal(change(world, (struct change_request){.id = id,
                                                           .has_gpus = true,
                                                           .gpus = 24,
                                                           .has_from = true,
                                                           .from = hour_of("2026-02-06T00:00:00Z")}),
                     VERDICT_DONE);
    const struct outcome *outcome = &world->decision.outcomes[0];
    assert_int_equal(outcome->added.micro, amount_of("1920.00").micro); // 8 × 120 × 2
    assert_int_equal(outcome->image.slice_count, 2);
    assert_int_equal(outcome->image.slices[1].layer, 2);
    assert_int_equal(outcome->image.row.gpus, 16); // of the next slice
    assert_int_equal(book_free(world->book, 1, hour_of("2026-02-06T00:00:00Z")), 1000);
    // An extension has the last hour's GPUs.
    assert_int_equal(
        change(world,
               (struct change_request){.id = id, .has_end = true, .end = hour_of("2026-02-12T00:00:00Z")}),
        VERDICT_DONE);
    assert_int_equal(world->decision.outcomes[0].added.micro, amount_of("1152.00").micro); // 24 × 24 × 2
    // Back to 16 from the 6th: what was added goes first, for 120 × 8 × 2 + 24 × 8 × 2.
    assert_int_equal(change(world, (struct change_request){.id = id,
                                                           .has_gpus = true,
                                                           .gpus = 16,
                                                           .has_from = true,
                                                           .from = hour_of("2026-02-06T00:00:00Z")}),
                     VERDICT_DONE);
    assert_int_equal(world->decision.outcomes[0].released.micro, amount_of("2304.00").micro);
    assert_int_equal(world->decision.outcomes[0].fee.micro, 0);
    assert_int_equal(world->decision.outcomes[0].image.row.cost.micro,
                     amount_of("8448.00").micro); // 16 × 264 × 2
    assert_period(world, ACME_FIRST, "encumbered", "8448.00");
}

static void change_moves_before_it_starts(void **state)
{
    struct world *world = *state;
    world_create(world, leg_of(H100, 1024, "2026-02-01T00:00:00Z", "2026-02-03T00:00:00Z"), NULL);
    int64_t id = created_id(world);
    // One day on: the hours that overlap are kept, though the pool is full of itself there.
    assert_int_equal(change(world, (struct change_request){.id = id,
                                                           .has_start = true,
                                                           .start = hour_of("2026-02-02T00:00:00Z")}),
                     VERDICT_DONE);
    const struct reservation_row *row = &world->decision.outcomes[0].image.row;
    assert_int_equal(row->end.number, hour_of("2026-02-04T00:00:00Z").number);
    assert_int_equal(row->cost.micro, amount_of("98304.00").micro);
    assert_int_equal(book_free(world->book, 1, hour_of("2026-02-01T00:00:00Z")), 1024);
    assert_int_equal(book_free(world->book, 1, hour_of("2026-02-03T23:00:00Z")), 0);
    world_advance(world, "2026-02-02T01:30:00Z");
    assert_int_equal(change(world, (struct change_request){.id = id,
                                                           .has_start = true,
                                                           .start = hour_of("2026-02-03T00:00:00Z")}),
                     VERDICT_INVALID_STATE);
    // Hours that have begun can't be given back; the next one can.
    assert_int_equal(
        change(world,
               (struct change_request){.id = id, .has_end = true, .end = hour_of("2026-02-02T01:00:00Z")}),
        VERDICT_INVALID_PARAMS);
    assert_int_equal(
        change(world,
               (struct change_request){.id = id, .has_end = true, .end = hour_of("2026-02-02T02:00:00Z")}),
        VERDICT_DONE);
    assert_int_equal(world->decision.outcomes[0].fee.micro,
                     amount_of("47104.00").micro); // 46 hours at half the price
}

static void refused_change_leaves_everything(void **state)
{
    struct world *world = *state;
    world_create(world, leg_of(H100, 512, "2026-02-01T00:00:00Z", "2026-02-03T00:00:00Z"), NULL);
    int64_t id = created_id(world);
    world_create(world, leg_of(H100, 512, "2026-02-02T00:00:00Z", "2026-02-04T00:00:00Z"), NULL);
    size_t rows = world->row_count;
    assert_int_equal(change(world, (struct change_request){.id = id, .has_gpus = true, .gpus = 520}),
                     VERDICT_CAPACITY_EXCEEDED);
    assert_int_equal(world->decision.refusal.free, 0);
    assert_int_equal(world->row_count, rows);
    // 1,100,000 − 98,304 are left. A day more at 512 costs 24,576; then 84 days at 4,032 a GPU: 977,120 buy
    // 242.3, so 240.
    assert_int_equal(change(world, (struct change_request){.id = id,
                                                           .has_end = true,
                                                           .end = hour_of("2026-04-29T00:00:00Z"),
                                                           .has_gpus = true,
                                                           .gpus = 512,
                                                           .has_from = true,
                                                           .from = hour_of("2026-02-04T00:00:00Z")}),
                     VERDICT_COMMITMENT_EXCEEDED);
    assert_int_equal(world->decision.refusal.available.micro, amount_of("1001696.00").micro);
    assert_int_equal(world->decision.refusal.max_gpus, 240);
}

static void suspended_tenants_cannot_add(void **state)
{
    struct world *world = *state;
    world_create(world, leg_of(H100, 16, "2026-02-01T00:00:00Z", "2026-02-03T00:00:00Z"), NULL);
    int64_t id = created_id(world);
    assert_int_equal(world_decide(world, (struct request){.kind = REQUEST_TENANT_SUSPEND, .tenant = "acme"}),
                     VERDICT_DONE);
    assert_int_equal(
        world_create(world, leg_of(H100, 16, "2026-02-01T00:00:00Z", "2026-02-03T00:00:00Z"), NULL),
        VERDICT_TENANT_SUSPENDED);
    assert_int_equal(change(world, (struct change_request){.id = id, .has_gpus = true, .gpus = 24}),
                     VERDICT_TENANT_SUSPENDED);
    assert_int_equal(change(world, (struct change_request){.id = id, .has_gpus = true, .gpus = 8}),
                     VERDICT_DONE);
    assert_int_equal(world_cancel(world, id, false), VERDICT_DONE);
    assert_int_equal(world_decide(world, (struct request){.kind = REQUEST_TENANT_RESUME, .tenant = "acme"}),
                     VERDICT_DONE);
    assert_int_equal(
        world_create(world, leg_of(H100, 16, "2026-02-01T00:00:00Z", "2026-02-03T00:00:00Z"), NULL),
        VERDICT_DONE);
}

static void others_reservations_do_not_exist(void **state)
{
    struct world *world = *state;
    world_create(world, leg_of(H100, 16, "2026-02-01T00:00:00Z", "2026-02-03T00:00:00Z"), NULL);
    struct request request = {.kind = REQUEST_CANCEL,
                              .actor = {.role = ROLE_TENANT, .tenant = 2, .name = "uid:1002"},
                              .tenant = "zeta",
                              .cancel = {.target = {.id = created_id(world)}}};
    assert_int_equal(world_decide(world, request), VERDICT_NOT_FOUND);
    request.tenant = "acme"; // another tenant's name
    assert_int_equal(world_decide(world, request), VERDICT_NOT_FOUND);
    request.tenant = "nobody";
    assert_int_equal(world_decide(world, request), VERDICT_NOT_FOUND);
}

static void thresholds_alert_once_each_way(void **state)
{
    struct world *world = *state;
    // 90 % of the floor at one stroke: 50, 75 and 90 are crossed.
    world_create(world, leg_of(H100, 1000, "2026-02-01T00:00:00Z", "2026-02-19T18:00:00Z"), NULL); // 900,000
    assert_int_equal(world->decision.verdict, VERDICT_DONE);
    int64_t id = created_id(world);
    int count = 0;
    for (size_t i = 0; i < world->row_count; i++)
        count += world->rows[i].kind == ROW_EVENT &&
                 strcmp(world->rows[i].event.type, "commitment.threshold") == 0;
    assert_int_equal(count, 3);
    assert_non_null(strstr(last_event(world, "commitment.threshold")->data, "\"percent\":90"));
    assert_int_equal(world_cancel(world, id, false), VERDICT_DONE);
    count = 0;
    for (size_t i = 0; i < world->row_count; i++)
        count += world->rows[i].kind == ROW_EVENT &&
                 strcmp(world->rows[i].event.type, "commitment.threshold_cleared") == 0;
    assert_int_equal(count, 3);
}

static void year_closes_with_a_shortfall_already_paid(void **state)
{
    struct world *world = *state;
    world_create(world, leg_of(H100, 1000, "2026-02-01T00:00:00Z", "2026-02-11T00:00:00Z"), NULL); // 480,000
    world_advance(world, "2027-01-01T00:00:00Z");
    assert_period(world, ACME_FIRST, "closed", "true");
    assert_period(world, ACME_FIRST, "consumed", "480000.00");
    assert_period(world, ACME_FIRST, "shortfall", "520000.00");
    assert_period(world, ACME_FIRST, "due", "1000000.00");
    assert_period(world, ACME_FIRST, "billed", "1000000.00");
    // Twelve instalments have paid it; zeta, in arrears, is charged what it could not defer.
    assert_int_equal(transferred(world, TRANSFER_SHORTFALL).micro, amount_of("85000.00").micro);
    assert_int_equal(last_event(world, "period.closed")->at.seconds,
                     instant_of("2027-01-01T00:00:00Z").seconds);
}

static void overage_is_billed_at_the_close_with_its_surcharge(void **state)
{
    struct world *world = *state;
    // 1,056,000 used of 1,000,000: 56,000 and a surcharge of 11,200.
    assert_int_equal(
        world_create(world, leg_of(H100, 1000, "2026-02-01T00:00:00Z", "2026-02-23T00:00:00Z"), NULL),
        VERDICT_DONE);
    world_advance(world, "2026-12-31T23:59:59Z");
    assert_period(world, ACME_FIRST, "overage", "56000.00");
    world_advance(world, "2027-01-01T00:00:00Z");
    assert_period(world, ACME_FIRST, "due", "1067200.00");
    assert_period(world, ACME_FIRST, "billed", "1067200.00");
    assert_int_equal(transferred(world, TRANSFER_USAGE).micro, amount_of("56000.00").micro);
    assert_int_equal(transferred(world, TRANSFER_SURCHARGE).micro, amount_of("11200.00").micro);
}

static void arrears_bill_months_and_the_close_bills_the_floor(void **state)
{
    struct world *world = *state;
    struct leg leg =
        leg_of(GB200, 72, "2026-01-30T00:00:00Z", "2026-02-03T00:00:00Z"); // 72 × 96 × 4 = 27,648
    struct request request = {
        .kind = REQUEST_CREATE, .tenant = "zeta", .create = {.legs = &leg, .leg_count = 1}};
    assert_int_equal(world_decide(world, request), VERDICT_DONE);
    world_advance(world, "2026-02-01T00:00:00Z");
    assert_period(world, ZETA_FIRST, "billed", "13824.00");
    world_advance(world, "2026-03-01T00:00:00Z");
    assert_period(world, ZETA_FIRST, "billed", "27648.00");
    world_advance(world, "2027-01-01T00:00:00Z");
    // Unmet 72,352; 15 % of 100,000 moves on, the rest of 57,352 is owed.
    assert_period(world, ZETA_FIRST, "deferred_out", "15000.00");
    assert_period(world, ZETA_FIRST, "billed", "85000.00");
    assert_period(world, ZETA_SECOND, "deferred_in", "15000.00");
    assert_period(world, ZETA_SECOND, "floor", "115000.00");
    assert_period(world, ZETA_SECOND, "available", "115000.00");
    world_advance(world, "2028-01-01T00:00:00Z");
    assert_period(world, ZETA_SECOND, "deferred_out", "0.00");
    assert_period(world, ZETA_SECOND, "billed", "115000.00");
}

static void long_stop_decides_everything_in_its_time(void **state)
{
    struct world *world = *state;
    world_create(world, leg_of(H100, 8, "2026-02-01T00:00:00Z", "2027-02-01T00:00:00Z"), NULL);
    world_advance(world, "2029-06-01T00:00:00Z");
    assert_period(world, ACME_FIRST, "closed", "true");
    assert_period(world, ACME_SECOND, "closed", "true");
    // 8 × 2 × 744 hours of January 2027.
    assert_period(world, ACME_SECOND, "consumed", "11904.00");
    assert_int_equal(book_live_count(world->book), 0);
    // Every event carries the instant it was due, and they are in order but for starts and ends.
    struct instant last = {0};
    for (size_t i = 0; i < world->row_count; i++) {
        const struct event_row *event = &world->rows[i].event;
        if (world->rows[i].kind != ROW_EVENT || strncmp(event->type, "reservation.", 12) == 0)
            continue;
        assert_true(event->at.seconds >= last.seconds);
        last = event->at;
    }
}

static void all_accounts_sum_to_zero(void **state)
{
    struct world *world = *state;
    year_closes_with_a_shortfall_already_paid(state);
    int64_t sums[256] = {0}, total = 0;
    for (size_t i = 0; i < world->row_count; i++) {
        if (world->rows[i].kind != ROW_TRANSFER)
            continue;
        const struct transfer_row *transfer = &world->rows[i].transfer;
        assert_true(transfer->amount.micro > 0 && transfer->debit_account < 256 &&
                    transfer->credit_account < 256);
        sums[transfer->debit_account] -= transfer->amount.micro;
        sums[transfer->credit_account] += transfer->amount.micro;
    }
    for (int i = 0; i < 256; i++)
        total += sums[i];
    assert_int_equal(total, 0);
    // acme's first period has spent what it consumed, and nothing is encumbered any more.
    char name[256];
    for (uint32_t account = 1; account < 256; account++) {
        if (sums[account] == 0)
            continue;
        book_account_name(world->book, account, name, sizeof name);
        if (strcmp(name, "acme-2026/2026-01-01T00:00:00Z/consumed") == 0)
            assert_int_equal(sums[account], amount_of("480000.00").micro);
        assert_string_not_equal(name, "acme-2026/2026-01-01T00:00:00Z/encumbered");
    }
}

static void overflow_is_refused(void **state)
{
    struct world *world = *state;
    struct manifest manifest = world_manifest(&world->arena);
    manifest.pools[0].rates[0].from = hour_of("2026-01-01T00:00:00Z");
    manifest.pools[0].rates[0].price[TIER_FIRM] = AMOUNT_MAX;
    assert_int_equal(
        world_decide(world, (struct request){.kind = REQUEST_MANIFEST_APPLY, .manifest = &manifest}),
        VERDICT_DONE);
    assert_int_equal(
        world_create(world, leg_of(H100, 16, "2026-02-01T00:00:00Z", "2026-02-03T00:00:00Z"), NULL),
        VERDICT_AMOUNT_OVERFLOW);
}

// The rows of a batch are what changed in it, and no more.
static void a_batch_ends_with_what_changed_in_it(void **state)
{
    struct world *world = *state;
    struct row *rows;
    size_t count;
    assert_int_equal(
        world_create(world, leg_of("colossus-1/h100", 8, "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z"),
                     NULL),
        VERDICT_DONE);
    book_end_batch(world->book, world->now, &world->arena, &rows, &count);
    assert_int_equal(count, 2); // what can be booked, and what is
    for (size_t i = 0; i < count; i++)
        assert_int_equal(rows[i].account.period, ACME_FIRST);
    book_end_batch(world->book, world->now, &world->arena, &rows, &count);
    assert_int_equal(count, 0);
}

// Starts and ends may be many at one hour: each decision of theirs is bounded, and all of them are written.
static void starts_are_written_in_bounded_decisions(void **state)
{
    struct world *world = *state;
    struct decision decision;
    bool urgent;
    size_t started = 0, decisions = 0;
    for (int i = 0; i < 384; i++) {
        struct leg leg = leg_of("colossus-1/h100", 8, "2026-01-02T00:00:00Z", "2026-01-02T01:00:00Z");
        leg.start.number += i % 3;
        leg.end.number += i % 3;
        assert_int_equal(world_create(world, leg, NULL), VERDICT_DONE);
    }
    struct instant now = instant_of("2026-01-02T04:00:00Z");
    while (book_decide_due(world->book, now, &world->arena, &decision, &urgent)) {
        size_t events = 0;
        for (size_t i = 0; i < decision.row_count; i++)
            events += decision.rows[i].kind == ROW_EVENT;
        assert_true(urgent || events <= 256);
        started += urgent ? 0 : events;
        decisions += !urgent;
        world_apply(world, decision.rows, decision.row_count);
    }
    assert_int_equal(started, 2 * 384); // each starts and ends
    assert_true(decisions >= 3);
}

// A calendar takes in hours as time goes by, and with them what was said of those hours long before.
static void far_capacity_comes_into_sight(void **state)
{
    struct world *world = *state;
    struct manifest_step steps[] = {{hour_of("2026-01-01T00:00:00Z"), 1024},
                                    {hour_of("2041-06-01T00:00:00Z"), 2048},
                                    {hour_of("2042-01-01T00:00:00Z"), 512}};
    struct manifest_change changes[] = {
        {CAPACITY_MAINTENANCE, 8, hour_of("2040-12-01T00:00:00Z"), hour_of("2041-03-01T00:00:00Z"), NULL},
        {CAPACITY_OUTAGE, 16, hour_of("2041-04-01T00:00:00Z"), hour_of("2041-05-01T00:00:00Z"), NULL}};
    struct manifest_pool pool = {.pool = "colossus-1/h100",
                                 .gpu = "H100",
                                 .unit = 8,
                                 .capacity = steps,
                                 .capacity_count = 3,
                                 .changes = changes,
                                 .change_count = 2};
    struct manifest manifest = {.pools = &pool, .pool_count = 1};
    static const struct {
        const char *hour;
        int32_t gpus;
    } expected[] = {
        {"2040-11-30T23:00:00Z", 1024}, {"2040-12-01T00:00:00Z", 1016}, {"2041-02-28T23:00:00Z", 1016},
        {"2041-03-01T00:00:00Z", 1024}, {"2041-04-01T00:00:00Z", 1008}, {"2041-05-01T00:00:00Z", 1024},
        {"2041-06-01T00:00:00Z", 2048}, {"2041-12-31T23:00:00Z", 2048}, {"2042-01-01T00:00:00Z", 512}};
    assert_int_equal(
        world_decide(world, (struct request){.kind = REQUEST_MANIFEST_APPLY, .manifest = &manifest}),
        VERDICT_DONE);
    // At once and in small steps, a month at a time.
    static const char *const times[] = {"2030-12-20T00:00:00Z", "2031-03-10T00:00:00Z",
                                        "2031-04-20T00:00:00Z", "2031-06-20T00:00:00Z",
                                        "2032-06-01T00:00:00Z"};
    for (size_t k = 0; k < sizeof times / sizeof times[0]; k++) {
        world_advance(world, times[k]);
        for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
            struct hour hour = hour_of(expected[i].hour);
            if (hour.number < book_horizon_end(world->book, world->now).number) {
                assert_int_equal(book_free(world->book, 1, hour), expected[i].gpus);
                assert_int_equal(book_capacity(world->book, 1, hour), expected[i].gpus);
            }
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(booking_takes_capacity_and_commitment),
        TEST(a_batch_ends_with_what_changed_in_it),
        TEST(starts_are_written_in_bounded_decisions),
        TEST(far_capacity_comes_into_sight),
        TEST(booking_is_cut_at_the_anniversary),
        TEST(capacity_refusal_names_the_way_out),
        TEST(commitment_refusal_says_how_many_would_fit),
        TEST(uncovered_and_unrated_hours_are_refused),
        TEST(senseless_windows_are_refused),
        TEST(same_reference_books_once),
        TEST(cancel_gives_back_and_late_hours_cost_a_fee),
        TEST(waived_fee_leaves_nothing_owed),
        TEST(running_hour_stays_sold),
        TEST(cancel_on_the_hour_releases_that_hour),
        TEST(hold_expires_by_itself),
        TEST(hold_is_confirmed_or_cancelled_free),
        TEST(group_is_all_or_nothing),
        TEST(group_legs_share_the_commitment),
        TEST(change_extends_grows_and_cuts_the_newest_first),
        TEST(change_moves_before_it_starts),
        TEST(refused_change_leaves_everything),
        TEST(suspended_tenants_cannot_add),
        TEST(others_reservations_do_not_exist),
        TEST(thresholds_alert_once_each_way),
        TEST(year_closes_with_a_shortfall_already_paid),
        TEST(overage_is_billed_at_the_close_with_its_surcharge),
        TEST(arrears_bill_months_and_the_close_bills_the_floor),
        TEST(long_stop_decides_everything_in_its_time),
        TEST(all_accounts_sum_to_zero),
        TEST(overflow_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
