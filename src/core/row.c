#include "core/row.h"

#include <string.h>

static const char *const tier_names[TIER_COUNT] = {"firm", "preemptible"};

static const char *const capacity_kind_names[CAPACITY_KIND_COUNT] = {"initial",     "growth", "delay",
                                                                     "maintenance", "outage", "retirement"};

static const char *const outage_part_names[OUTAGE_PART_COUNT] = {NULL, "opened", "cut", "returned", "closed"};

static const char *const account_kind_names[ACCOUNT_KIND_COUNT] = {
    "authority",  "encumbered", "consumed", "deferred", "credit",  "receivable", "billed",     "fees",
    "commitment", "overage",    "deferral", "prepaid",  "charges", "settled",    "written_off"};

static const char *const transfer_kind_names[TRANSFER_KIND_COUNT] = {
    "grant", "defer", "credit",    "book",      "release", "consume", "relief", "instalment",
    "usage", "fee",   "shortfall", "surcharge", "waive",   "refund",  "adjust"};

static const char *const reservation_state_names[STATE_COUNT] = {
    "none", "waiting", "held", "booked", "active", "completed", "cancelled", "expired"};

static const char *const shortfall_rest_names[] = {"charge", "credit", "waive"};
static const char *const billing_names[] = {"arrears", "instalments"};

#define COUNT(names) (sizeof(names) / sizeof((names)[0]))

// The index of a name from the first one on, or −1.
static int find(const char *const names[], size_t first, size_t count, const char *name)
{
    for (size_t i = first; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return -1;
}

const char *tier_name(enum tier tier)
{
    return tier_names[tier];
}

const char *capacity_kind_name(enum capacity_kind kind)
{
    return capacity_kind_names[kind];
}

const char *outage_part_name(enum outage_part part)
{
    return outage_part_names[part];
}

const char *account_kind_name(enum account_kind kind)
{
    return account_kind_names[kind];
}

const char *transfer_kind_name(enum transfer_kind kind)
{
    return transfer_kind_names[kind];
}

const char *reservation_state_name(enum reservation_state state)
{
    return reservation_state_names[state];
}

const char *shortfall_rest_name(enum shortfall_rest then)
{
    return shortfall_rest_names[then];
}

const char *billing_name(enum billing billing)
{
    return billing_names[billing];
}

bool tier_parse(const char *name, enum tier *tier)
{
    int found = find(tier_names, 0, TIER_COUNT, name);
    if (found >= 0)
        *tier = (enum tier)found;
    return found >= 0;
}

bool capacity_kind_parse(const char *name, enum capacity_kind *kind)
{
    int found = find(capacity_kind_names, 0, CAPACITY_KIND_COUNT, name);
    if (found >= 0)
        *kind = (enum capacity_kind)found;
    return found >= 0;
}

bool outage_part_parse(const char *name, enum outage_part *part)
{
    int found = find(outage_part_names, OUTAGE_OPENED, OUTAGE_PART_COUNT, name);
    if (found >= 0)
        *part = (enum outage_part)found;
    return found >= 0;
}

bool reservation_state_parse(const char *name, enum reservation_state *state)
{
    int found = find(reservation_state_names, 1, STATE_COUNT, name);
    if (found >= 0)
        *state = (enum reservation_state)found;
    return found >= 0;
}

bool account_kind_parse(const char *name, enum account_kind *kind)
{
    int found = find(account_kind_names, 0, ACCOUNT_KIND_COUNT, name);
    if (found >= 0)
        *kind = (enum account_kind)found;
    return found >= 0;
}

bool transfer_kind_parse(const char *name, enum transfer_kind *kind)
{
    int found = find(transfer_kind_names, 0, TRANSFER_KIND_COUNT, name);
    if (found >= 0)
        *kind = (enum transfer_kind)found;
    return found >= 0;
}

bool shortfall_rest_parse(const char *name, enum shortfall_rest *then)
{
    int found = find(shortfall_rest_names, 0, COUNT(shortfall_rest_names), name);
    if (found >= 0)
        *then = (enum shortfall_rest)found;
    return found >= 0;
}

bool billing_parse(const char *name, enum billing *billing)
{
    int found = find(billing_names, 0, COUNT(billing_names), name);
    if (found >= 0)
        *billing = (enum billing)found;
    return found >= 0;
}
