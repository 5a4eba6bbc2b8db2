#include "core/manifest_apply.h"
#include "core/manifest_text.h"
#include <stdlib.h>
#include <string.h>

// ---- What all parts use

const char *manifest_path(struct manifest_apply *apply, const char *list, size_t index, const char *inner,
                          size_t inner_index, const char *member)
{
    struct buffer path = {0};
    buffer_append_format(&path, "%s[%zu]", list, index);
    if (inner != NULL)
        buffer_append_format(&path, ".%s[%zu]", inner, inner_index);
    if (member != NULL)
        buffer_append_format(&path, ".%s", member);
    const char *copy = arena_copy(apply->builder->arena, path.data, path.length);
    buffer_free(&path);
    return copy;
}

void manifest_refuse(struct manifest_apply *apply, const char *path, const char *message)
{
    builder_refuse(apply->builder, VERDICT_INVALID_MANIFEST, message)->path = path;
}

uint32_t manifest_identify(struct manifest_apply *apply, struct name_map *names, const char *name,
                           uint32_t known, uint32_t *next, const char *path, bool *is_new)
{
    if (name_map_get(names, name) != 0) {
        manifest_refuse(apply, path, "this name is listed twice in the manifest");
        return 0;
    }
    *is_new = known == 0;
    uint32_t id = known != 0 ? known : (*next)++;
    name_map_put(names, name, id);
    return id;
}

uint32_t manifest_pool_id(const struct manifest_apply *apply, const char *name)
{
    uint32_t listed = (uint32_t)name_map_get(&apply->pools, name);
    return listed != 0 ? listed : book_pool(apply->book, name);
}

uint32_t manifest_tenant_id(const struct manifest_apply *apply, const char *name)
{
    uint32_t listed = (uint32_t)name_map_get(&apply->tenants, name);
    return listed != 0 ? listed : book_tenant(apply->book, name);
}

int64_t manifest_event(struct manifest_apply *apply, const char *type, uint32_t tenant)
{
    int64_t event = builder_event(apply->builder, type, tenant, 0);
    if (apply->first_event == 0)
        apply->first_event = event;
    return event;
}

void manifest_changed(struct manifest_apply *apply, bool added, const char *what, const char *name)
{
    struct json *json = &apply->changes_json;
    json_write_object(json, NULL);
    json_write_text(json, "kind", added ? "added" : "changed");
    json_write_text(json, "what", what);
    json_write_text(json, "name", name);
    json_write_object_end(json);
    apply->changed = true;
}

const char *manifest_note(struct manifest_apply *apply, const char *listed, const char *present)
{
    return arena_copy_text(apply->builder->arena, listed != NULL ? listed : present);
}

bool manifest_text_differs(const char *listed, const char *present)
{
    return listed != NULL && (present == NULL || strcmp(listed, present) != 0);
}

// ---- Sites

// The power steps that the book lacks, among those listed.
static bool power_differs(const struct site *present, struct manifest_step step)
{
    for (size_t i = 0; present != NULL && i < present->power_count; i++)
        if (present->power[i].start.number == step.from.number)
            return present->power[i].watts != step.value;
    return true;
}

// The site's whole state as the manifest leaves it: listed steps take the place of present ones.
static void write_site(struct manifest_apply *apply, const struct manifest_site *listed,
                       const struct site *present)
{
    size_t present_count = present == NULL ? 0 : present->power_count;
    struct manifest_site whole = {.site = listed->site};
    whole.note = manifest_note(apply, listed->note, present == NULL ? NULL : present->row.note);
    whole.power = arena_allocate(apply->builder->arena,
                                 (present_count + listed->power_count + 1) * sizeof *whole.power);
    for (size_t i = 0; i < present_count; i++) {
        struct manifest_step step = {.from = present->power[i].start, .value = present->power[i].watts};
        for (size_t k = 0; k < listed->power_count; k++)
            if (listed->power[k].from.number == step.from.number)
                step.value = listed->power[k].value;
        whole.power[whole.power_count++] = step;
    }
    for (size_t k = 0; k < listed->power_count; k++) {
        bool known = false;
        for (size_t i = 0; i < present_count; i++)
            known = known || present->power[i].start.number == listed->power[k].from.number;
        if (!known)
            whole.power[whole.power_count++] = listed->power[k];
    }
    struct json json = builder_text(apply->builder);
    json_write_object(&json, NULL);
    json_write_object(&json, "site");
    manifest_write_site(&json, &whole);
    json_write_object_end(&json);
    json_write_object_end(&json);
}

static bool power_listed_once(struct manifest_apply *apply, size_t index)
{
    const struct manifest_site *listed = &apply->manifest->sites[index];
    for (size_t k = 0; k < listed->power_count; k++) {
        for (size_t j = 0; j < k; j++) {
            if (listed->power[j].from.number == listed->power[k].from.number) {
                manifest_refuse(apply, manifest_path(apply, "sites", index, "power", k, "from"),
                                "the site's power from this hour on is listed twice");
                return false;
            }
        }
    }
    return true;
}

static void apply_site(struct manifest_apply *apply, size_t index)
{
    const struct manifest_site *listed = &apply->manifest->sites[index];
    bool is_new;
    uint32_t id =
        manifest_identify(apply, &apply->sites, listed->site, book_site(apply->book, listed->site),
                          &apply->next_site, manifest_path(apply, "sites", index, NULL, 0, "site"), &is_new);
    if (id == 0 || !power_listed_once(apply, index))
        return;
    const struct site *present = is_new ? NULL : &apply->book->sites[id];
    bool row_differs = is_new || manifest_text_differs(listed->note, present->row.note);
    bool differs = row_differs;
    for (size_t k = 0; k < listed->power_count; k++)
        differs = differs || power_differs(present, listed->power[k]);
    if (!differs)
        return;
    write_site(apply, listed, present);
    manifest_event(apply, is_new ? "site.added" : "site.changed", 0);
    manifest_changed(apply, is_new, "site", listed->site);
    if (row_differs)
        builder_add(apply->builder, ROW_SITE)->site = (struct site_row){
            .id = id,
            .site = arena_copy_text(apply->builder->arena, listed->site),
            .note = manifest_note(apply, listed->note, is_new ? NULL : present->row.note),
        };
    for (size_t k = 0; k < listed->power_count; k++)
        if (power_differs(present, listed->power[k]))
            builder_add(apply->builder, ROW_SITE_POWER)->site_power = (struct site_power_row){
                .site = id, .start = listed->power[k].from, .watts = listed->power[k].value};
}

// ---- Pools

// The site that a pool's name begins with; 0 after refusing.
static uint32_t pool_site(struct manifest_apply *apply, size_t index, const char **name)
{
    const char *pool = apply->manifest->pools[index].pool;
    const char *path = manifest_path(apply, "pools", index, NULL, 0, "pool");
    const char *slash = strchr(pool, '/');
    if (slash == NULL) {
        manifest_refuse(apply, path, "a pool is named by its site, a slash and its own name");
        return 0;
    }
    *name = arena_copy(apply->builder->arena, pool, (size_t)(slash - pool));
    uint32_t site = (uint32_t)name_map_get(&apply->sites, *name);
    if (site == 0)
        site = book_site(apply->book, *name);
    if (site == 0)
        builder_refuse_parts(apply->builder, VERDICT_INVALID_MANIFEST, "there is no site ", *name,
                             " in the manifest or in the book", (const char *)NULL)
            ->path = path;
    return site;
}

// What bookings rest on can't be changed.
static bool pool_fixed_parts_agree(struct manifest_apply *apply, size_t index, const struct pool_row *present)
{
    const struct manifest_pool *listed = &apply->manifest->pools[index];
    if (strcmp(listed->gpu, present->gpu) != 0) {
        manifest_refuse(apply, manifest_path(apply, "pools", index, NULL, 0, "gpu"),
                        "a pool's GPU model can't be changed: add another pool");
        return false;
    }
    if (listed->unit != present->unit) {
        manifest_refuse(apply, manifest_path(apply, "pools", index, NULL, 0, "unit"),
                        "a pool's allocation unit can't be changed: add another pool");
        return false;
    }
    return true;
}

static void write_pool(struct manifest_apply *apply, const struct pool_row *row, const char *site)
{
    struct json json = builder_text(apply->builder);
    json_write_object(&json, NULL);
    json_write_object(&json, "pool");
    json_write_text(&json, "pool", row->pool);
    json_write_text(&json, "site", site);
    json_write_text(&json, "gpu", row->gpu);
    json_write_integer(&json, "unit", row->unit);
    if (row->watts_per_gpu != 0)
        book_write_kilowatts(&json, "kw_per_gpu", row->watts_per_gpu);
    json_write_text(&json, "note", row->note);
    json_write_object_end(&json);
    json_write_object_end(&json);
}

// ---- Rates

static bool rate_differs(const struct pool *present, enum tier tier, const struct manifest_rate *rate)
{
    if (!rate->has[tier])
        return false;
    for (size_t i = 0; present != NULL && i < present->rate_count[tier]; i++)
        if (present->rates[tier][i].start.number == rate->from.number)
            return amount_compare(present->rates[tier][i].price, rate->price[tier]) != 0;
    return true;
}

static void add_rate(struct manifest_apply *apply, uint32_t pool, const char *name, enum tier tier,
                     const struct manifest_rate *rate)
{
    int64_t id = apply->builder->next_rate++;
    struct json json = builder_text(apply->builder);
    json_write_object(&json, NULL);
    json_write_object(&json, "rate");
    json_write_integer(&json, "id", id);
    json_write_text(&json, "pool", name);
    json_write_text(&json, "tier", tier_name(tier));
    json_write_hour(&json, "from", rate->from);
    json_write_amount(&json, "price", rate->price[tier]);
    json_write_object_end(&json);
    json_write_object_end(&json);
    int64_t event = manifest_event(apply, "rate.added", 0);
    builder_add(apply->builder, ROW_RATE)->rate = (struct rate_row){.id = id,
                                                                    .pool = pool,
                                                                    .tier = tier,
                                                                    .start = rate->from,
                                                                    .price = rate->price[tier],
                                                                    .event = event};
}

static bool rate_listed_before(const struct manifest_pool *listed, size_t k)
{
    for (size_t j = 0; j < k; j++)
        if (listed->rates[j].from.number == listed->rates[k].from.number)
            return true;
    return false;
}

static void apply_rates(struct manifest_apply *apply, size_t index, uint32_t pool, const struct pool *present)
{
    const struct manifest_pool *listed = &apply->manifest->pools[index];
    bool changed = false;
    for (size_t k = 0; k < listed->rate_count; k++) {
        if (rate_listed_before(listed, k)) {
            manifest_refuse(apply, manifest_path(apply, "pools", index, "rates", k, "from"),
                            "the pool's rates from this hour on are listed twice");
            return;
        }
        for (enum tier tier = TIER_FIRM; tier < TIER_COUNT; tier++) {
            if (!rate_differs(present, tier, &listed->rates[k]))
                continue;
            add_rate(apply, pool, listed->pool, tier, &listed->rates[k]);
            changed = true;
        }
    }
    if (changed)
        manifest_changed(apply, present == NULL, "rate", listed->pool);
}

static void apply_pool(struct manifest_apply *apply, size_t index)
{
    const struct manifest_pool *listed = &apply->manifest->pools[index];
    const char *site_name;
    uint32_t site = pool_site(apply, index, &site_name);
    if (site == 0)
        return;
    bool is_new;
    uint32_t id =
        manifest_identify(apply, &apply->pools, listed->pool, book_pool(apply->book, listed->pool),
                          &apply->next_pool, manifest_path(apply, "pools", index, NULL, 0, "pool"), &is_new);
    if (id == 0)
        return;
    const struct pool *present = is_new ? NULL : &apply->book->pools[id];
    if (!is_new && !pool_fixed_parts_agree(apply, index, &present->row))
        return;
    struct pool_row row = {
        .id = id,
        .site = site,
        .pool = arena_copy_text(apply->builder->arena, listed->pool),
        .gpu = arena_copy_text(apply->builder->arena, listed->gpu),
        .unit = listed->unit,
        .watts_per_gpu = listed->watts_per_gpu,
        .note = manifest_note(apply, listed->note, is_new ? NULL : present->row.note),
    };
    if (!is_new && row.watts_per_gpu == 0)
        row.watts_per_gpu = present->row.watts_per_gpu;
    if (is_new || row.watts_per_gpu != present->row.watts_per_gpu ||
        manifest_text_differs(listed->note, present->row.note)) {
        write_pool(apply, &row, site_name);
        manifest_event(apply, is_new ? "pool.added" : "pool.changed", 0);
        manifest_changed(apply, is_new, "pool", listed->pool);
        builder_add(apply->builder, ROW_POOL)->pool = row;
    }
    apply_rates(apply, index, id, present);
    manifest_apply_capacity(apply, index, id);
}

// ---- The whole

static void apply_note(struct manifest_apply *apply)
{
    if (!manifest_text_differs(apply->manifest->note, apply->book->manifest_note))
        return;
    manifest_changed(apply, apply->book->manifest_note == NULL, "note", "manifest");
    builder_add(apply->builder, ROW_MANIFEST)->manifest.note =
        arena_copy_text(apply->builder->arena, apply->manifest->note);
}

static void apply_parts(struct manifest_apply *apply)
{
    const struct manifest *manifest = apply->manifest;
    for (size_t i = 0; i < manifest->site_count && !builder_refused(apply->builder); i++)
        apply_site(apply, i);
    for (size_t i = 0; i < manifest->pool_count && !builder_refused(apply->builder); i++)
        apply_pool(apply, i);
    if (!builder_refused(apply->builder))
        manifest_check_power(apply);
    if (!builder_refused(apply->builder))
        manifest_apply_tenants(apply);
    for (size_t i = 0; i < manifest->contract_count && !builder_refused(apply->builder); i++)
        manifest_apply_contract(apply, i);
    if (!builder_refused(apply->builder))
        apply_note(apply);
}

static void write_result(struct builder *builder, const char *changes, size_t length)
{
    struct json json = builder_text(builder);
    json_write_raw(&json, "changes", changes, length);
    decide_result(builder);
}

// The event that names them all, the key, and the reply.
static void finish_manifest(struct manifest_apply *apply, const struct request *request,
                            struct fingerprint fingerprint)
{
    json_write_array_end(&apply->changes_json);
    if (apply->changed || request->client_ref != NULL) {
        struct json json = builder_text(apply->builder);
        json_write_object(&json, NULL);
        json_write_object(&json, "manifest");
        json_write_text(&json, "note", apply->manifest->note);
        json_write_raw(&json, "changes", apply->changes.data, apply->changes.length);
        json_write_object_end(&json);
        json_write_object_end(&json);
        manifest_event(apply, "manifest.applied", 0);
    }
    if (request->client_ref != NULL)
        builder_client_ref(apply->builder, 0, request, fingerprint, 0, false, apply->first_event);
    write_result(apply->builder, apply->changes.data, apply->changes.length);
}

static struct manifest_apply apply_begin(struct builder *builder, const struct manifest *manifest)
{
    const struct book *book = builder->book;
    return (struct manifest_apply){
        .builder = builder,
        .book = book,
        .manifest = manifest,
        .next_site = book_site_count(book) + 1,
        .next_pool = book_pool_count(book) + 1,
        .next_tenant = book_tenant_count(book) + 1,
        .next_contract = book_contract_count(book) + 1,
        .next_period = book_period_count(book) + 1,
        .next_account = (uint32_t)book->account_count + 1,
        .added_contracts =
            arena_allocate(builder->arena, (manifest->contract_count + 1) * sizeof(struct added_contract)),
    };
}

static void apply_end(struct manifest_apply *apply)
{
    name_map_free(&apply->sites);
    name_map_free(&apply->pools);
    name_map_free(&apply->tenants);
    name_map_free(&apply->contracts);
    fingerprint_map_free(&apply->uids);
    buffer_free(&apply->changes);
}

void decide_manifest(struct builder *builder, const struct request *request)
{
    // A replay is known by the manifest's text alone: the book has moved on since it was applied.
    struct fingerprint fingerprint = {0};
    if (request->client_ref != NULL) {
        struct json text = builder_text(builder);
        json_write_integer(&text, "kind", request->kind);
        manifest_write(&text, request->manifest);
        fingerprint = decide_fingerprint(builder);
        int64_t thing;
        bool is_group;
        if (decide_replay(builder, 0, request, fingerprint, &thing, &is_group)) {
            if (!builder_refused(builder))
                write_result(builder, "[]", 2);
            return;
        }
    }
    struct manifest_apply apply = apply_begin(builder, request->manifest);
    apply.changes_json = json_begin(&apply.changes);
    json_write_array(&apply.changes_json, NULL);
    apply_parts(&apply);
    if (!builder_refused(builder))
        finish_manifest(&apply, request, fingerprint);
    apply_end(&apply);
}
