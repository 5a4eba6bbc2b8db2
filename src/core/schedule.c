#include "core/schedule.h"

#include <assert.h>

#define MONTHS_PER_YEAR 12

struct hour schedule_anniversary(struct hour start, int32_t n)
{
    return hour_add_months(start, n * MONTHS_PER_YEAR);
}

int32_t schedule_annual_count(struct hour start, struct hour end)
{
    int32_t count = 0;
    while (schedule_anniversary(start, count).number < end.number)
        count++;
    return count;
}

bool schedule_annual_period(struct hour start, struct hour end, struct amount annual, int32_t k,
                            struct hour *period_start, struct hour *period_end, struct amount *commit)
{
    struct hour from = schedule_anniversary(start, k), to = schedule_anniversary(start, k + 1);
    *period_start = from;
    if (to.number <= end.number) {
        *period_end = to;
        *commit = annual;
        return true;
    }
    *period_end = end;
    return amount_share(annual, end.number - from.number, to.number - from.number, commit);
}

int32_t schedule_instalment_count(struct hour start, struct hour end)
{
    int32_t count = 0;
    while (schedule_instalment_due(start, count).number < end.number)
        count++;
    return count;
}

struct hour schedule_instalment_due(struct hour start, int32_t k)
{
    return hour_add_months(start, k);
}

struct amount schedule_instalment_amount(struct hour start, struct hour end, struct amount commit, int32_t k)
{
    int32_t count = schedule_instalment_count(start, end);
    assert(k >= 0 && k < count);
    // In hours of the last month as it would be whole, each month weighs the same and a partial last one what
    // it has.
    struct hour last = schedule_instalment_due(start, count - 1);
    int64_t month = schedule_instalment_due(start, count).number - last.number;
    int64_t weight = month * (count - 1) + (end.number - last.number);
    struct amount part = AMOUNT_ZERO, rest = commit;
    bool fits = amount_share(commit, month, weight, &part); // a share is at most the whole
    assert(fits);
    (void)fits;
    // Parts of a few micro-dollars that were rounded up may use all of it before the last.
    for (int32_t i = 0; i < k; i++)
        rest.micro -= amount_min(part, rest).micro;
    return k == count - 1 ? rest : amount_min(part, rest);
}
