#include "wire/parameter.h"

#include <assert.h>
#include <string.h>

// The longest name is a pool's.
#define NAME_MAX_LENGTH 129

// How many names a list holds at most.
#define NAMES_MAX 256

struct parameter_row {
    const char *name;
    bool (*read)(struct reader *reader, json_t *value, const struct parameter_row *row, enum method method,
                 struct parameters *parameters);
    size_t offset; // of its place in struct parameters
    int64_t least, most;
    enum text_rule rule;
};

static void *place_of(const struct parameter_row *row, struct parameters *parameters)
{
    return (char *)parameters + row->offset;
}

// ---- One reader for each type

static bool read_integer_row(struct reader *reader, json_t *value, const struct parameter_row *row,
                             enum method method, struct parameters *parameters)
{
    (void)method;
    int64_t *place = place_of(row, parameters);
    return read_integer(reader, value, row->least, row->most, place);
}

static bool read_text_row(struct reader *reader, json_t *value, const struct parameter_row *row,
                          enum method method, struct parameters *parameters)
{
    (void)method;
    const char **place = place_of(row, parameters);
    return read_text(reader, value, row->rule, (size_t)row->least, (size_t)row->most, place);
}

static bool read_bool_row(struct reader *reader, json_t *value, const struct parameter_row *row,
                          enum method method, struct parameters *parameters)
{
    (void)method;
    bool *place = place_of(row, parameters);
    return read_bool(reader, value, place);
}

static bool read_hour_row(struct reader *reader, json_t *value, const struct parameter_row *row,
                          enum method method, struct parameters *parameters)
{
    (void)method;
    struct hour *place = place_of(row, parameters);
    return read_hour(reader, value, place);
}

static bool read_instant_row(struct reader *reader, json_t *value, const struct parameter_row *row,
                             enum method method, struct parameters *parameters)
{
    (void)method;
    struct instant *place = place_of(row, parameters);
    return read_instant(reader, value, place);
}

// `from` and `to` bound what is sold by whole hours, and what happened by instants.
static bool bounds_are_hours(enum method method)
{
    return method == METHOD_RESERVATION_CHANGE || method == METHOD_RESERVATION_LIST;
}

static bool read_from(struct reader *reader, json_t *value, const struct parameter_row *row,
                      enum method method, struct parameters *parameters)
{
    (void)row;
    if (!bounds_are_hours(method))
        return read_instant(reader, value, &parameters->from_instant);
    if (!read_hour(reader, value, &parameters->from))
        return false;
    parameters->from_instant = hour_start(parameters->from);
    return true;
}

static bool read_to(struct reader *reader, json_t *value, const struct parameter_row *row, enum method method,
                    struct parameters *parameters)
{
    (void)row;
    if (!bounds_are_hours(method))
        return read_instant(reader, value, &parameters->to);
    struct hour hour;
    if (!read_hour(reader, value, &hour))
        return false;
    parameters->to = hour_start(hour);
    return true;
}

static bool read_tier(struct reader *reader, json_t *value, const struct parameter_row *row,
                      enum method method, struct parameters *parameters)
{
    (void)row, (void)method;
    if (!json_is_string(value) || !tier_parse(json_string_value(value), &parameters->tier))
        return reader_fail(reader, "must be \"firm\" or \"preemptible\"");
    return true;
}

static bool read_order(struct reader *reader, json_t *value, const struct parameter_row *row,
                       enum method method, struct parameters *parameters)
{
    (void)row, (void)method;
    const char *name = json_is_string(value) ? json_string_value(value) : "";
    bool is_earliest = strcmp(name, "earliest") == 0;
    if (!is_earliest && strcmp(name, "cheapest") != 0)
        return reader_fail(reader, "must be \"earliest\" or \"cheapest\"");
    parameters->order = is_earliest ? OFFER_EARLIEST : OFFER_CHEAPEST;
    return true;
}

// How much a reply holds at most.
static bool read_limit(struct reader *reader, json_t *value, const struct parameter_row *row,
                       enum method method, struct parameters *parameters)
{
    int64_t most = method == METHOD_OFFER_SEARCH ? OFFERS_MAX : row->most;
    return read_integer(reader, value, row->least, most, &parameters->limit);
}

static bool read_names(struct reader *reader, json_t *value, const struct parameter_row *row,
                       const char ***names, size_t *count)
{
    if (!read_array(reader, value, (size_t)row->least, (size_t)row->most))
        return false;
    *count = json_array_size(value);
    *names = arena_allocate(reader->arena, *count * sizeof **names);
    for (size_t i = 0; i < *count; i++) {
        reader_enter_index(reader, i);
        if (!read_text(reader, json_array_get(value, i), TEXT_FREE, 1, NAME_MAX_LENGTH, &(*names)[i]))
            return false;
        reader_leave(reader);
    }
    return true;
}

static bool read_pools(struct reader *reader, json_t *value, const struct parameter_row *row,
                       enum method method, struct parameters *parameters)
{
    (void)method;
    return read_names(reader, value, row, &parameters->pools, &parameters->pool_count);
}

static bool read_sites(struct reader *reader, json_t *value, const struct parameter_row *row,
                       enum method method, struct parameters *parameters)
{
    (void)method;
    return read_names(reader, value, row, &parameters->sites, &parameters->site_count);
}

static bool read_kind(struct reader *reader, json_t *value, const struct parameter_row *row,
                      enum method method, struct parameters *parameters)
{
    (void)row, (void)method;
    if (!json_is_string(value) || !capacity_kind_parse(json_string_value(value), &parameters->kind))
        return reader_fail(reader, "must be \"initial\", \"growth\", \"delay\", \"maintenance\", \"outage\" "
                                   "or \"retirement\"");
    return true;
}

static bool read_states(struct reader *reader, json_t *value, const struct parameter_row *row,
                        enum method method, struct parameters *parameters)
{
    (void)method;
    if (!read_array(reader, value, (size_t)row->least, (size_t)row->most))
        return false;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *element = json_array_get(value, i);
        enum reservation_state state;
        reader_enter_index(reader, i);
        if (!json_is_string(element) || !reservation_state_parse(json_string_value(element), &state))
            return reader_fail(reader, "must be \"waiting\", \"held\", \"booked\", \"active\", "
                                       "\"completed\", \"cancelled\" or \"expired\"");
        reader_leave(reader);
        parameters->states |= UINT32_C(1) << state;
    }
    return true;
}

// The legs themselves are read after the other parameters.
static bool read_leg_list(struct reader *reader, json_t *value, const struct parameter_row *row,
                          enum method method, struct parameters *parameters)
{
    (void)method;
    if (!read_array(reader, value, (size_t)row->least, (size_t)row->most))
        return false;
    parameters->leg_count = json_array_size(value);
    parameters->legs = arena_allocate(reader->arena, parameters->leg_count * sizeof *parameters->legs);
    return true;
}

// So is the manifest.
static bool read_manifest_object(struct reader *reader, json_t *value, const struct parameter_row *row,
                                 enum method method, struct parameters *parameters)
{
    (void)row, (void)method, (void)parameters;
    return read_object(reader, value);
}

// ---- The table

#define INTEGER(member, least, most)                                                                         \
#member, read_integer_row, offsetof(struct parameters, member), least, most, TEXT_FREE
#define TEXT(member, rule, least, most)                                                                      \
#member, read_text_row, offsetof(struct parameters, member), least, most, rule
#define BOOL(name, member)               name, read_bool_row, offsetof(struct parameters, member), 0, 0, TEXT_FREE
#define HOUR(member)                     #member, read_hour_row, offsetof(struct parameters, member), 0, 0, TEXT_FREE
#define INSTANT(member)                  #member, read_instant_row, offsetof(struct parameters, member), 0, 0, TEXT_FREE
#define SPECIAL(name, read, least, most) name, read, 0, least, most, TEXT_FREE

// A name that can't exist is refused as unknown when it is looked up, as any other.
#define NAME(member) TEXT(member, TEXT_FREE, 1, NAME_MAX_LENGTH)

// In the order of the names, so that one is found by halving.
static const struct parameter_row parameter_table[PARAMETER_COUNT] = {
    [PARAMETER_AFTER] = {INTEGER(after, 0, INT64_MAX)},
    [PARAMETER_AT] = {INSTANT(at)},
    [PARAMETER_CLIENT_REF] = {TEXT(client_ref, TEXT_PRINTABLE, 1, 128)},
    [PARAMETER_CONTRACT] = {NAME(contract)},
    [PARAMETER_DRY_RUN] = {BOOL("dry_run", dry_run)},
    [PARAMETER_EARLIEST] = {HOUR(earliest)},
    [PARAMETER_END] = {HOUR(end)},
    [PARAMETER_FROM] = {SPECIAL("from", read_from, 0, 0)},
    [PARAMETER_GPU] = {NAME(gpu)},
    [PARAMETER_GPUS] = {INTEGER(gpus, 1, INT32_MAX)},
    [PARAMETER_GROUP] = {INTEGER(group, 1, INT64_MAX)},
    [PARAMETER_HOLD_SECONDS] = {INTEGER(hold_seconds, 1, INT32_MAX)},
    [PARAMETER_HOURS] = {INTEGER(hours, 1, INT32_MAX)},
    [PARAMETER_ID] = {INTEGER(id, 1, INT64_MAX)},
    [PARAMETER_KIND] = {SPECIAL("kind", read_kind, 0, 0)},
    [PARAMETER_LABEL] = {TEXT(label, TEXT_PRINTABLE, 1, 64)},
    [PARAMETER_LATEST_END] = {HOUR(latest_end)},
    [PARAMETER_LEGS] = {SPECIAL("legs", read_leg_list, LEGS_MIN, LEGS_MAX)},
    [PARAMETER_LIMIT] = {SPECIAL("limit", read_limit, 1, LIMIT_MAX)},
    [PARAMETER_MANIFEST] = {SPECIAL("manifest", read_manifest_object, 0, 0)},
    [PARAMETER_NAME] = {TEXT(name, TEXT_FILE_NAME, 1, 128)},
    [PARAMETER_NOTE] = {TEXT(note, TEXT_FREE, 0, 1024)},
    [PARAMETER_OPERATOR] = {BOOL("operator", operator_side)},
    [PARAMETER_ORDER] = {SPECIAL("order", read_order, 0, 0)},
    [PARAMETER_POOL] = {NAME(pool)},
    [PARAMETER_POOLS] = {SPECIAL("pools", read_pools, 1, NAMES_MAX)},
    [PARAMETER_PROJECT] = {TEXT(project, TEXT_FREE, 0, 64)},
    [PARAMETER_REASON] = {TEXT(reason, TEXT_FREE, 0, 1024)},
    [PARAMETER_SITES] = {SPECIAL("sites", read_sites, 1, NAMES_MAX)},
    [PARAMETER_START] = {HOUR(start)},
    [PARAMETER_STATE] = {SPECIAL("state", read_states, 1, STATE_COUNT - 1)},
    [PARAMETER_TENANT] = {NAME(tenant)},
    [PARAMETER_TIER] = {SPECIAL("tier", read_tier, 0, 0)},
    [PARAMETER_TO] = {SPECIAL("to", read_to, 0, 0)},
    [PARAMETER_TOKEN] = {TEXT(token, TEXT_FREE, 0, 1024)},
    [PARAMETER_WAIT_SECONDS] = {INTEGER(wait_seconds, 0, 60)},
    [PARAMETER_WAIT_UNTIL] = {INSTANT(wait_until)},
    [PARAMETER_WAIVE_FEE] = {BOOL("waive_fee", waive_fee)},
};

const uint64_t leg_takes = PARAMETER_BIT(PARAMETER_POOL) | PARAMETER_BIT(PARAMETER_GPUS) |
                           PARAMETER_BIT(PARAMETER_START) | PARAMETER_BIT(PARAMETER_END) |
                           PARAMETER_BIT(PARAMETER_HOURS) | PARAMETER_BIT(PARAMETER_TIER) |
                           PARAMETER_BIT(PARAMETER_PROJECT) | PARAMETER_BIT(PARAMETER_NOTE);
const uint64_t leg_requires =
    PARAMETER_BIT(PARAMETER_POOL) | PARAMETER_BIT(PARAMETER_GPUS) | PARAMETER_BIT(PARAMETER_START);

const char *parameter_name(enum parameter parameter)
{
    return parameter_table[parameter].name;
}

bool parameter_by_name(const char *name, enum parameter *parameter)
{
    size_t first = 0, end = PARAMETER_COUNT;
    while (first < end) {
        size_t middle = (first + end) / 2;
        int order = strcmp(name, parameter_table[middle].name);
        if (order == 0) {
            *parameter = (enum parameter)middle;
            return true;
        }
        if (order < 0)
            end = middle;
        else
            first = middle + 1;
    }
    return false;
}

bool parameter_is_of_leg(const char *name)
{
    enum parameter parameter;
    return parameter_by_name(name, &parameter) && (leg_takes & PARAMETER_BIT(parameter)) != 0;
}

// ---- Objects of parameters

static bool read_member(struct reader *reader, const char *key, json_t *value, enum method method,
                        uint64_t takes, struct parameters *parameters)
{
    enum parameter parameter;
    if (!parameter_by_name(key, &parameter) || (takes & PARAMETER_BIT(parameter)) == 0)
        return reader_fail_member(reader, key, "is not a parameter that is known here");
    if (json_is_null(value))
        return true;
    const struct parameter_row *row = &parameter_table[parameter];
    reader_enter(reader, row->name);
    if (!row->read(reader, value, row, method, parameters))
        return false;
    reader_leave(reader);
    parameters->present |= PARAMETER_BIT(parameter);
    return true;
}

static bool read_members(struct reader *reader, json_t *object, enum method method, uint64_t takes,
                         uint64_t requires_all, struct parameters *parameters)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        if (!read_member(reader, key, value, method, takes, parameters))
            return false;
    }
    uint64_t missing = requires_all & ~parameters->present;
    for (enum parameter parameter = 0; parameter < PARAMETER_COUNT; parameter++)
        if (missing & PARAMETER_BIT(parameter))
            return reader_fail_member(reader, parameter_name(parameter), "is missing");
    return true;
}

static bool read_leg(struct reader *reader, json_t *element, struct leg *leg)
{
    struct parameters members = {0};
    if (!read_object(reader, element) ||
        !read_members(reader, element, METHOD_RESERVATION_CREATE_GROUP, leg_takes, leg_requires, &members) ||
        !constraints_hold(reader, METHOD_RESERVATION_CREATE_GROUP, true, &members))
        return false;
    *leg = (struct leg){
        .pool = members.pool,
        .gpus = members.gpus,
        .start = members.start,
        .end = members.end,
        .tier = members.tier,
        .project = members.project,
        .note = members.note,
    };
    if (parameter_given(&members, PARAMETER_HOURS))
        leg->end.number = members.start.number + (int32_t)members.hours;
    return true;
}

static bool read_legs(struct reader *reader, const json_t *list, struct parameters *parameters)
{
    reader_enter(reader, parameter_name(PARAMETER_LEGS));
    for (size_t i = 0; i < parameters->leg_count; i++) {
        reader_enter_index(reader, i);
        if (!read_leg(reader, json_array_get(list, i), &parameters->legs[i]))
            return false;
        reader_leave(reader);
    }
    reader_leave(reader);
    return true;
}

static bool read_whole_manifest(struct reader *reader, json_t *value, struct parameters *parameters)
{
    struct manifest *manifest = arena_allocate(reader->arena, sizeof *manifest);
    // Paths inside a manifest begin at the manifest.
    reader->subject = "the manifest";
    if (!manifest_read(reader, value, manifest))
        return false;
    parameters->manifest = manifest;
    return true;
}

bool parameters_read(struct reader *reader, json_t *object, const struct method_row *row,
                     struct parameters *parameters, bool *in_manifest)
{
    *in_manifest = false;
    *parameters = (struct parameters){.limit = LIMIT_DEFAULT};
    if (!read_members(reader, object, row->method, row->takes, row->requires_all, parameters) ||
        !constraints_hold(reader, row->method, false, parameters))
        return false;
    if (parameter_given(parameters, PARAMETER_LEGS) &&
        !read_legs(reader, json_object_get(object, parameter_name(PARAMETER_LEGS)), parameters))
        return false;
    if (!parameter_given(parameters, PARAMETER_MANIFEST))
        return true;
    *in_manifest = true;
    return read_whole_manifest(reader, json_object_get(object, parameter_name(PARAMETER_MANIFEST)),
                               parameters);
}
