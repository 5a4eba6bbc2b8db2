#include "core/interrupt.h"

#include "core/alter.h"
#include <assert.h>

// Takes `gpus` away in each hour of a window in which the reservation may have several numbers.
static void take_away(struct plan *plan, const struct interruption *cut)
{
    struct hour hour = cut->start;
    while (hour.number < cut->end.number) {
        struct hour until = cut->end;
        int32_t present = plan_gpus_at(plan, hour, &until);
        assert(present >= cut->gpus);
        plan_set_gpus(plan, hour, until, present - cut->gpus);
        hour = until;
    }
}

static void add_interruptions(struct builder *builder, const struct plan *plan, int64_t reservation,
                              int64_t capacity_change, int64_t event)
{
    for (size_t i = 0; i < plan->release_count; i++) {
        const struct plan_release *release = &plan->releases[i];
        struct amount relief = AMOUNT_ZERO;
        // The sum of all was reckoned before, so none of them overflows.
        if (plan->relieves &&
            (!amount_multiply(release->price, release->gpus, &relief) ||
             !amount_multiply(relief, release->end.number - release->start.number, &relief)))
            assert(builder_refused(builder));
        builder_add(builder, ROW_INTERRUPTION)->interruption = (struct interruption_row){
            .id = builder->next_interruption++,
            .reservation = reservation,
            .capacity_change = capacity_change,
            .start = release->start,
            .end = release->end,
            .gpus = release->gpus,
            .price = release->price,
            .period = release->period,
            .relief = relief,
            .event = event,
        };
    }
}

// Interrupts one reservation by its cuts.
static void interrupt(struct builder *builder, const struct interruption *cuts, size_t count,
                      int64_t capacity_change)
{
    int64_t id = cuts[0].reservation;
    struct reservation_image before;
    bool found = book_reservation(builder->book, id, builder->at, &before);
    assert(found);
    (void)found;
    struct plan plan;
    plan_begin(&plan, builder, before.row.tenant, before.row.pool, before.row.tier, &before, true);
    plan.interrupts = true;
    plan.relieves = capacity_change != 0 && before.row.tier == TIER_FIRM;
    for (size_t i = 0; i < count; i++)
        take_away(&plan, &cuts[i]);
    plan_settle(&plan, id);
    struct reservation_row row = before.row;
    int64_t event = alter_reservation(builder, &before, &row, &plan, "reservation.interrupted", false, NULL);
    add_interruptions(builder, &plan, id, capacity_change, event);
}

void interrupt_reservations(struct builder *builder, const struct displacement *displacement,
                            int64_t capacity_change)
{
    size_t first = 0;
    while (first < displacement->count && !builder_refused(builder)) {
        size_t next = first + 1;
        while (next < displacement->count &&
               displacement->cuts[next].reservation == displacement->cuts[first].reservation)
            next++;
        interrupt(builder, &displacement->cuts[first], next - first, capacity_change);
        first = next;
    }
}

void interrupt_preempted(struct builder *builder)
{
    const struct pool *pools = builder->book->pools;
    for (size_t i = 0; i < builder->taken_count && !builder_refused(builder); i++) {
        uint32_t site = pools[builder->taken[i].pool].row.site;
        bool again = false;
        for (size_t k = 0; k < i; k++)
            again = again || pools[builder->taken[k].pool].row.site == site;
        struct displacement displacement;
        if (!again && displacement_preempt(builder, site, &displacement))
            interrupt_reservations(builder, &displacement, 0);
    }
}
