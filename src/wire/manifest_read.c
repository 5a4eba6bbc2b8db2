// A manifest's JSON to typed values: the whole, sites, pools and tenants. Contracts are in
// manifest_contract.c.
//
// What the text alone can say is checked here and refused at its path; what needs the book (is there such a
// tenant?) is left to the core. The cost is one pass, and a hash table for each list of names.
#include "wire/manifest_read.h"

#include "wire/member.h"
#include "wire/parameter.h"
#include "wire/wire.h"
#include <string.h>

#define NAME_MAX_CHARACTERS      64
#define POOL_NAME_MAX_CHARACTERS 129
#define TEXT_MAX_CHARACTERS      256
#define KILOWATTS_MAX            1000000000
#define UID_MAX                  4294967294
#define UID_NOBODY               65534

bool manifest_ascending(struct reader *reader, const void *elements, size_t element_size, size_t count,
                        const char *name)
{
    for (size_t i = 1; i < count; i++) {
        struct hour before, present;
        memcpy(&before, (const char *)elements + (i - 1) * element_size, sizeof before);
        memcpy(&present, (const char *)elements + i * element_size, sizeof present);
        if (present.number > before.number)
            continue;
        reader_enter_index(reader, i);
        return reader_fail_member(reader, name, "must be later than the one before it");
    }
    return true;
}

bool manifest_unique(struct reader *reader, struct name_map *names, const char *name, const char *member)
{
    if (name_map_get(names, name) != 0)
        return reader_fail_member(reader, member, "is listed twice");
    name_map_put(names, name, 1);
    return true;
}

// ---- Sites

static bool read_power(struct reader *reader, json_t *object, struct manifest_site *site)
{
    static const char *const names[] = {"from", "kw", NULL};
    json_t *list;
    struct manifest_step *steps =
        member_list(reader, object, "power", sizeof *steps, &site->power_count, &list);
    site->power = steps;
    if (steps == NULL)
        return false;
    for (size_t i = 0; i < site->power_count; i++) {
        json_t *element = json_array_get(list, i);
        int64_t kilowatts = 0;
        reader_enter_index(reader, i);
        if (!read_object(reader, element) || !read_known_members(reader, element, names) ||
            !member_hour(reader, element, "from", REQUIRED, &steps[i].from) ||
            !member_integer(reader, element, "kw", REQUIRED, 0, KILOWATTS_MAX, &kilowatts))
            return false;
        steps[i].value = kilowatts * 1000;
        reader_leave(reader);
    }
    if (!manifest_ascending(reader, steps, sizeof *steps, site->power_count, "from"))
        return false;
    reader_leave(reader);
    return true;
}

static bool read_site(struct reader *reader, json_t *element, struct name_map *listed,
                      struct manifest_site *site)
{
    static const char *const names[] = {"site", "note", "power", NULL};
    return read_object(reader, element) && read_known_members(reader, element, names) &&
           member_text(reader, element, "site", REQUIRED, TEXT_NAME, 1, NAME_MAX_CHARACTERS, &site->site) &&
           manifest_unique(reader, listed, site->site, "site") && member_note(reader, element, &site->note) &&
           read_power(reader, element, site);
}

static bool read_sites(struct reader *reader, json_t *object, struct manifest *manifest)
{
    json_t *list;
    manifest->sites =
        member_list(reader, object, "sites", sizeof *manifest->sites, &manifest->site_count, &list);
    if (manifest->sites == NULL)
        return false;
    struct name_map listed = {0};
    for (size_t i = 0; i < manifest->site_count && reader->message == NULL; i++) {
        reader_enter_index(reader, i);
        if (read_site(reader, json_array_get(list, i), &listed, &manifest->sites[i]))
            reader_leave(reader);
    }
    name_map_free(&listed);
    if (reader->message != NULL)
        return false;
    reader_leave(reader);
    return true;
}

// ---- Pools

static bool read_capacity(struct reader *reader, json_t *object, struct manifest_pool *pool)
{
    static const char *const names[] = {"from", "gpus", NULL};
    json_t *list;
    struct manifest_step *steps =
        member_list(reader, object, "capacity", sizeof *steps, &pool->capacity_count, &list);
    pool->capacity = steps;
    if (steps == NULL)
        return false;
    for (size_t i = 0; i < pool->capacity_count; i++) {
        json_t *element = json_array_get(list, i);
        reader_enter_index(reader, i);
        if (!read_object(reader, element) || !read_known_members(reader, element, names) ||
            !member_hour(reader, element, "from", REQUIRED, &steps[i].from) ||
            !member_integer(reader, element, "gpus", REQUIRED, 0, INT32_MAX, &steps[i].value))
            return false;
        reader_leave(reader);
    }
    if (!manifest_ascending(reader, steps, sizeof *steps, pool->capacity_count, "from"))
        return false;
    reader_leave(reader);
    return true;
}

static bool read_rate(struct reader *reader, json_t *element, struct manifest_rate *rate)
{
    static const char *const names[] = {"from", "firm", "preemptible", NULL};
    if (!read_object(reader, element) || !read_known_members(reader, element, names) ||
        !member_hour(reader, element, "from", REQUIRED, &rate->from))
        return false;
    bool any = false;
    for (enum tier tier = TIER_FIRM; tier < TIER_COUNT; tier++) {
        rate->has[tier] = member_given(element, tier_name(tier));
        any = any || rate->has[tier];
        if (!member_amount(reader, element, tier_name(tier), OPTIONAL, &rate->price[tier]))
            return false;
    }
    return any || reader_fail_member(reader, "firm", "or preemptible must be given");
}

static bool read_rates(struct reader *reader, json_t *object, struct manifest_pool *pool)
{
    json_t *list;
    struct manifest_rate *rates =
        member_list(reader, object, "rates", sizeof *rates, &pool->rate_count, &list);
    pool->rates = rates;
    if (rates == NULL)
        return false;
    for (size_t i = 0; i < pool->rate_count; i++) {
        reader_enter_index(reader, i);
        if (!read_rate(reader, json_array_get(list, i), &rates[i]))
            return false;
        reader_leave(reader);
    }
    if (!manifest_ascending(reader, rates, sizeof *rates, pool->rate_count, "from"))
        return false;
    reader_leave(reader);
    return true;
}

// The same rules as for capacity.change.
static bool change_end_holds(struct reader *reader, json_t *element, const struct manifest_change *change)
{
    bool given = member_given(element, "end");
    if (given && change->end.number <= change->start.number)
        return reader_fail_member(reader, "end", "must be after start");
    if (change->kind == CAPACITY_MAINTENANCE && !given)
        return reader_fail_member(reader, "end", "is missing: maintenance has an end");
    if ((change->kind == CAPACITY_RETIREMENT || change->kind == CAPACITY_INITIAL) && given)
        return reader_fail_member(reader, "end", "must be left out: this kind of change has none");
    return true;
}

static bool read_change(struct reader *reader, json_t *element, struct manifest_change *change)
{
    static const char *const names[] = {"kind", "gpus", "start", "end", "note", NULL};
    static const char *const kinds[] = {"initial", "growth",     "delay", "maintenance",
                                        "outage",  "retirement", NULL};
    size_t kind = 0;
    change->end = HOUR_NEVER;
    if (!read_object(reader, element) || !read_known_members(reader, element, names) ||
        !member_choice(reader, element, "kind", REQUIRED, kinds, &kind) ||
        !member_integer32(reader, element, "gpus", REQUIRED, 1, INT32_MAX, &change->gpus) ||
        !member_hour(reader, element, "start", REQUIRED, &change->start) ||
        !member_hour(reader, element, "end", OPTIONAL, &change->end) ||
        !member_note(reader, element, &change->note))
        return false;
    change->kind = (enum capacity_kind)kind;
    return change_end_holds(reader, element, change);
}

static bool read_changes(struct reader *reader, json_t *object, struct manifest_pool *pool)
{
    json_t *list;
    pool->changes = member_list(reader, object, "changes", sizeof *pool->changes, &pool->change_count, &list);
    if (pool->changes == NULL)
        return false;
    for (size_t i = 0; i < pool->change_count; i++) {
        reader_enter_index(reader, i);
        if (!read_change(reader, json_array_get(list, i), &pool->changes[i]))
            return false;
        reader_leave(reader);
    }
    reader_leave(reader);
    return true;
}

static bool read_pool_power(struct reader *reader, json_t *element, struct manifest_pool *pool)
{
    if (!member_given(element, "kw_per_gpu"))
        return true;
    reader_enter(reader, "kw_per_gpu");
    if (!read_kilowatts(reader, json_object_get(element, "kw_per_gpu"), &pool->watts_per_gpu))
        return false;
    reader_leave(reader);
    return true;
}

static bool read_pool(struct reader *reader, json_t *element, struct name_map *listed,
                      struct manifest_pool *pool)
{
    static const char *const names[] = {"pool",     "gpu",   "unit",    "kw_per_gpu", "note",
                                        "capacity", "rates", "changes", NULL};
    return read_object(reader, element) && read_known_members(reader, element, names) &&
           member_text(reader, element, "pool", REQUIRED, TEXT_POOL_NAME, 1, POOL_NAME_MAX_CHARACTERS,
                       &pool->pool) &&
           manifest_unique(reader, listed, pool->pool, "pool") &&
           member_text(reader, element, "gpu", REQUIRED, TEXT_FREE, 1, NAME_MAX_CHARACTERS, &pool->gpu) &&
           member_integer32(reader, element, "unit", REQUIRED, 1, INT32_MAX, &pool->unit) &&
           read_pool_power(reader, element, pool) && member_note(reader, element, &pool->note) &&
           read_capacity(reader, element, pool) && read_rates(reader, element, pool) &&
           read_changes(reader, element, pool);
}

static bool read_pools(struct reader *reader, json_t *object, struct manifest *manifest)
{
    json_t *list;
    manifest->pools =
        member_list(reader, object, "pools", sizeof *manifest->pools, &manifest->pool_count, &list);
    if (manifest->pools == NULL)
        return false;
    struct name_map listed = {0};
    for (size_t i = 0; i < manifest->pool_count && reader->message == NULL; i++) {
        reader_enter_index(reader, i);
        if (read_pool(reader, json_array_get(list, i), &listed, &manifest->pools[i]))
            reader_leave(reader);
    }
    name_map_free(&listed);
    if (reader->message != NULL)
        return false;
    reader_leave(reader);
    return true;
}

// ---- Uids, operators, tenants

static bool read_uid(struct reader *reader, json_t *element, struct fingerprint_map *listed, uint32_t *uid)
{
    int64_t number;
    if (!read_integer(reader, element, 0, UID_MAX, &number))
        return false;
    if (number == UID_NOBODY)
        return reader_fail(reader, "must not be 65534, which stands for nobody");
    struct fingerprint key = {.low = (uint64_t)number};
    if (fingerprint_map_get(listed, key) != NULL)
        return reader_fail(reader, "is listed twice in the manifest");
    fingerprint_map_put(listed, key, 1, 0);
    *uid = (uint32_t)number;
    return true;
}

static bool read_uids(struct reader *reader, json_t *object, struct fingerprint_map *listed, bool *given,
                      uint32_t **uids, size_t *count)
{
    json_t *list;
    *given = member_given(object, "uids");
    *uids = member_list(reader, object, "uids", sizeof **uids, count, &list);
    if (*uids == NULL)
        return false;
    for (size_t i = 0; i < *count; i++) {
        reader_enter_index(reader, i);
        if (!read_uid(reader, json_array_get(list, i), listed, &(*uids)[i]))
            return false;
        reader_leave(reader);
    }
    reader_leave(reader);
    return true;
}

static bool read_operators(struct reader *reader, json_t *object, struct fingerprint_map *listed,
                           struct manifest *manifest)
{
    static const char *const names[] = {"uids", NULL};
    json_t *operators = member_object(reader, object, "operators", names);
    if (operators == NULL)
        return reader->message == NULL;
    if (!read_uids(reader, operators, listed, &manifest->has_operator_uids, &manifest->operator_uids,
                   &manifest->operator_uid_count))
        return false;
    reader_leave(reader);
    return true;
}

// Left out, a tenant may use at once what it has for a second.
static bool read_rate_limit(struct reader *reader, json_t *element, struct manifest_tenant *tenant)
{
    static const char *const names[] = {"per_second", "burst", NULL};
    json_t *object = member_object(reader, element, "rate_limit", names);
    if (object == NULL)
        return reader->message == NULL;
    struct rate_limit *limit = &tenant->rate_limit;
    tenant->has_rate_limit = true;
    if (!member_integer32(reader, object, "per_second", REQUIRED, 0, RATE_LIMIT_MOST, &limit->per_second))
        return false;
    if (!member_given(object, "burst"))
        limit->burst = limit->per_second;
    else if (limit->per_second == 0)
        return reader_fail_member(reader, "burst", "means nothing without a limit");
    else if (!member_integer32(reader, object, "burst", REQUIRED, 1, RATE_LIMIT_MOST, &limit->burst))
        return false;
    reader_leave(reader);
    return true;
}

static bool read_tenant(struct reader *reader, json_t *element, struct name_map *listed,
                        struct fingerprint_map *uids, struct manifest_tenant *tenant)
{
    static const char *const names[] = {"tenant", "name", "note", "uids", "suspended", "rate_limit", NULL};
    if (!read_object(reader, element))
        return false;
    tenant->has_suspended = member_given(element, "suspended");
    return read_known_members(reader, element, names) &&
           member_text(reader, element, "tenant", REQUIRED, TEXT_NAME, 1, NAME_MAX_CHARACTERS,
                       &tenant->tenant) &&
           manifest_unique(reader, listed, tenant->tenant, "tenant") &&
           member_text(reader, element, "name", OPTIONAL, TEXT_FREE, 0, TEXT_MAX_CHARACTERS, &tenant->name) &&
           member_note(reader, element, &tenant->note) &&
           read_uids(reader, element, uids, &tenant->has_uids, &tenant->uids, &tenant->uid_count) &&
           member_bool(reader, element, "suspended", &tenant->suspended) &&
           read_rate_limit(reader, element, tenant);
}

static bool read_tenants(struct reader *reader, json_t *object, struct fingerprint_map *uids,
                         struct manifest *manifest)
{
    json_t *list;
    manifest->tenants =
        member_list(reader, object, "tenants", sizeof *manifest->tenants, &manifest->tenant_count, &list);
    if (manifest->tenants == NULL)
        return false;
    struct name_map listed = {0};
    for (size_t i = 0; i < manifest->tenant_count && reader->message == NULL; i++) {
        reader_enter_index(reader, i);
        if (read_tenant(reader, json_array_get(list, i), &listed, uids, &manifest->tenants[i]))
            reader_leave(reader);
    }
    name_map_free(&listed);
    if (reader->message != NULL)
        return false;
    reader_leave(reader);
    return true;
}

// ---- The whole

static bool read_head(struct reader *reader, json_t *value, struct manifest *manifest)
{
    static const char *const names[] = {"$schema", "version", "note",      "operators", "sites",
                                        "pools",   "tenants", "contracts", NULL};
    int64_t version = 0;
    if (!read_object(reader, value) || !read_known_members(reader, value, names) ||
        !member_integer(reader, value, "version", REQUIRED, 0, INT64_MAX, &version))
        return false;
    if (version != 1)
        return reader_fail_member(reader, "version", "must be 1");
    return member_note(reader, value, &manifest->note);
}

bool manifest_read(struct reader *reader, json_t *value, struct manifest *manifest)
{
    *manifest = (struct manifest){0};
    struct fingerprint_map uids = {0};
    bool well = read_head(reader, value, manifest) && read_operators(reader, value, &uids, manifest) &&
                read_sites(reader, value, manifest) && read_pools(reader, value, manifest) &&
                read_tenants(reader, value, &uids, manifest) && manifest_contracts(reader, value, manifest);
    fingerprint_map_free(&uids);
    return well;
}

bool wire_parse_manifest(const char *text, size_t length, struct arena *arena, struct manifest *manifest,
                         const char **path, const char **message)
{
    struct reader reader = {.arena = arena, .subject = "the manifest"};
    *path = "";
    json_t *root = read_json(text, length, arena, message);
    if (root == NULL)
        return false;
    bool well = manifest_read(&reader, root, manifest);
    if (!well) {
        *path = reader.path;
        *message = reader.message;
    }
    json_decref(root);
    return well;
}
