// What parameters must be together. Each rule is a row or a short function; the first that is broken is the
// error, and names the member that is at fault or that is missing.
#include "wire/parameter.h"

#define BIT(parameter) PARAMETER_BIT(PARAMETER_##parameter)

enum count_rule { EXACTLY_ONE, AT_LEAST_ONE };

struct choice {
    enum method method;
    bool is_leg;
    enum count_rule rule;
    uint64_t among;
    enum parameter named; // when none of them is given
    const char *sentence;
};

static const struct choice choices[] = {
    {METHOD_RESERVATION_CREATE, false, EXACTLY_ONE, BIT(END) | BIT(HOURS), PARAMETER_END,
     "or hours must be given, and not both"},
    {METHOD_RESERVATION_CREATE_GROUP, true, EXACTLY_ONE, BIT(END) | BIT(HOURS), PARAMETER_END,
     "or hours must be given, and not both"},
    {METHOD_RESERVATION_CONFIRM, false, EXACTLY_ONE, BIT(ID) | BIT(GROUP), PARAMETER_ID,
     "or group must be given, and not both"},
    {METHOD_RESERVATION_CANCEL, false, EXACTLY_ONE, BIT(ID) | BIT(GROUP), PARAMETER_ID,
     "or group must be given, and not both"},
    {METHOD_RESERVATION_GET, false, EXACTLY_ONE, BIT(ID) | BIT(CLIENT_REF) | BIT(GROUP), PARAMETER_ID,
     "or client_ref or group must be given, and only one of them"},
    {METHOD_RESERVATION_CHANGE, false, AT_LEAST_ONE, BIT(FROM) | BIT(GPUS) | BIT(START) | BIT(END),
     PARAMETER_GPUS, "or start or end must be given: there is nothing to change"},
    {METHOD_TOKEN_CREATE, false, EXACTLY_ONE, BIT(TENANT) | BIT(OPERATOR), PARAMETER_TENANT,
     "or operator must be given, and not both"},
};

static size_t bit_count(uint64_t bits)
{
    size_t count = 0;
    for (; bits != 0; bits &= bits - 1)
        count++;
    return count;
}

static bool choices_hold(struct reader *reader, enum method method, bool is_leg,
                         const struct parameters *parameters)
{
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
        const struct choice *choice = &choices[i];
        if (choice->method != method || choice->is_leg != is_leg)
            continue;
        size_t count = bit_count(parameters->present & choice->among);
        if (count == 0 || (choice->rule == EXACTLY_ONE && count > 1))
            return reader_fail_member(reader, parameter_name(choice->named), choice->sentence);
    }
    return true;
}

// The window that starts at `start` and ends at `end`, or after `hours`.
static bool window_holds(struct reader *reader, const struct parameters *parameters)
{
    if (!parameter_given(parameters, PARAMETER_START))
        return true;
    if (parameter_given(parameters, PARAMETER_END) && parameters->end.number <= parameters->start.number)
        return reader_fail_member(reader, "end", "must be after start");
    if (parameter_given(parameters, PARAMETER_HOURS) &&
        parameters->hours > (int64_t)HOUR_READ_MAX - parameters->start.number)
        return reader_fail_member(reader, "hours", "must end before the year 9999");
    return true;
}

static bool bounds_hold(struct reader *reader, const struct parameters *parameters)
{
    if (parameter_given(parameters, PARAMETER_FROM) && parameter_given(parameters, PARAMETER_TO) &&
        parameters->to.seconds <= parameters->from_instant.seconds)
        return reader_fail_member(reader, "to", "must be after from");
    if (parameter_given(parameters, PARAMETER_EARLIEST) &&
        parameter_given(parameters, PARAMETER_LATEST_END) &&
        parameters->latest_end.number <= parameters->earliest.number)
        return reader_fail_member(reader, "latest_end", "must be after earliest");
    return true;
}

static bool capacity_end_holds(struct reader *reader, const struct parameters *parameters)
{
    bool given = parameter_given(parameters, PARAMETER_END);
    if (parameters->kind == CAPACITY_MAINTENANCE && !given)
        return reader_fail_member(reader, "end", "is missing: maintenance has an end");
    if ((parameters->kind == CAPACITY_RETIREMENT || parameters->kind == CAPACITY_INITIAL) && given)
        return reader_fail_member(reader, "end", "must be left out: this kind of change has none");
    return true;
}

bool constraints_hold(struct reader *reader, enum method method, bool is_leg,
                      const struct parameters *parameters)
{
    if (!choices_hold(reader, method, is_leg, parameters) || !window_holds(reader, parameters) ||
        !bounds_hold(reader, parameters))
        return false;
    if (method == METHOD_CAPACITY_CHANGE)
        return capacity_end_holds(reader, parameters);
    if (method == METHOD_TOKEN_CREATE && parameter_given(parameters, PARAMETER_OPERATOR) &&
        !parameters->operator_side)
        return reader_fail_member(reader, "operator", "must be true when it is given");
    return true;
}
