#include "cli/value.h"

#include "cli/text.h"
#include <stdlib.h>
#include <string.h>

static const char *const money_members[] = {
    "added",
    "amount",
    "authority",
    "available",
    "available_after",
    "shortfall_after",
    "billed",
    "commit",
    "consumed",
    "cost",
    "credit",
    "credit_used",
    "deferred_in",
    "deferred_out",
    "due",
    "encumbered",
    "fee",
    "fees",
    "floor",
    "needed",
    "overage",
    "overage_limit",
    "price",
    "price_per_gpu_hour",
    "released",
    "relief",
    "shortfall",
    "surcharge",
    "used",
    "waived",
};

static const char *const counted_members[] = {
    "bytes", "capacity", "free", "gpu_hours", "gpus", "max_gpus", "reserved", "wal_bytes",
};

// null in these means that there is no end to it.
static const char *const unlimited_members[] = {"authority", "available", "available_after", "overage_limit"};

static bool is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

#define AMONG(name, names) is_among(name, names, sizeof(names) / sizeof((names)[0]))

bool value_is_number(const char *member, const json_t *value)
{
    return json_is_number(value) || AMONG(member, money_members);
}

static char *text_of_string(const char *member, const char *text)
{
    if (text[0] == '\0')
        return NULL;
    return AMONG(member, money_members) ? text_of_money(text) : text_copy(text);
}

static char *text_of_integer(const char *member, json_int_t number)
{
    if (AMONG(member, counted_members))
        return text_of_count(number);
    return text_format(strcmp(member, "percent") == 0 ? "%lld %%" : "%lld", (long long)number);
}

char *value_text(const char *member, const json_t *value)
{
    if (value == NULL || json_is_null(value))
        return value != NULL && AMONG(member, unlimited_members) ? text_copy("unlimited") : NULL;
    if (json_is_string(value))
        return text_of_string(member, json_string_value(value));
    if (json_is_integer(value))
        return text_of_integer(member, json_integer_value(value));
    if (json_is_real(value))
        return text_format(strcmp(member, "percent") == 0 ? "%.2f %%" : "%.15g", json_real_value(value));
    if (json_is_boolean(value))
        return text_copy(json_is_true(value) ? "yes" : "no");
    if (json_is_array(value) && json_array_size(value) == 0)
        return NULL;
    return json_dumps(value, JSON_COMPACT);
}

// ---- Events

static const char *text_in(const json_t *object, const char *name, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? otherwise : text;
}

static char *about_reservation(const json_t *reservation)
{
    char *gpus = text_of_count(json_integer_value(json_object_get(reservation, "gpus")));
    char *text = text_format("%s %s %s to %s", text_in(reservation, "pool", "?"), gpus,
                             text_in(reservation, "start", "?"), text_in(reservation, "end", "?"));
    free(gpus);
    return text;
}

static char *about_capacity_change(const json_t *change)
{
    char *gpus = text_of_count(json_integer_value(json_object_get(change, "gpus")));
    char *text = text_format("%s %s %s from %s", text_in(change, "pool", "?"), text_in(change, "kind", "?"),
                             gpus, text_in(change, "start", "?"));
    free(gpus);
    return text;
}

char *value_of_event(const json_t *event)
{
    const json_t *data = json_object_get(event, "data"), *thing = NULL;
    if ((thing = json_object_get(data, "reservation")) != NULL && json_is_object(thing))
        return about_reservation(thing);
    if ((thing = json_object_get(data, "capacity_change")) != NULL && json_is_object(thing))
        return about_capacity_change(thing);
    if ((thing = json_object_get(data, "period")) != NULL && json_is_object(thing))
        return text_format("%s %s", text_in(thing, "contract", "?"), text_in(thing, "period_start", "?"));
    if ((thing = json_object_get(json_object_get(data, "manifest"), "changes")) != NULL)
        return text_format("%zu changes", json_array_size(thing));
    // Everything else has a name under its own kind: {"tenant":{"tenant":"x",...}}.
    const char *kind;
    json_object_foreach((json_t *)data, kind, thing)
    {
        const char *name = text_in(thing, kind, text_in(thing, "label", text_in(thing, "name", NULL)));
        if (name != NULL)
            return text_format("%s %s", kind, name);
    }
    return NULL;
}
