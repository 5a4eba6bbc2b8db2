// Tenants, operators, and whose uid is whose.
//
// A uid is at most one owner's. A list of uids takes the place of the one before: what is missing in it is
// revoked, and a uid may move to another owner when the same manifest takes it from the one before.
#include "core/manifest_apply.h"
#include "core/manifest_text.h"
#include <assert.h>
#include <string.h>

#define UID_NOBODY  65534U
#define UID_INVALID UINT32_MAX

// Whose uids a list is: a tenant's, or the operators' (id 0).
struct owner {
    uint32_t id;
    bool has_uids;
    const uint32_t *uids;
    size_t uid_count;
};

static struct owner tenant_owner(const struct manifest_apply *apply, size_t index)
{
    const struct manifest_tenant *listed = &apply->manifest->tenants[index];
    return (struct owner){(uint32_t)name_map_get(&apply->tenants, listed->tenant), listed->has_uids,
                          listed->uids, listed->uid_count};
}

static struct owner operators_owner(const struct manifest_apply *apply)
{
    return (struct owner){0, apply->manifest->has_operator_uids, apply->manifest->operator_uids,
                          apply->manifest->operator_uid_count};
}

// The owner + 1 that the manifest lists a uid for; 0 when it lists it nowhere.
static uint64_t listed_owner(const struct manifest_apply *apply, uint32_t uid)
{
    const struct fingerprint_entry *entry =
        fingerprint_map_get(&apply->uids, (struct fingerprint){.high = 1, .low = uid});
    return entry == NULL ? 0 : entry->value;
}

// ---- Checking

static void refuse_uid(struct manifest_apply *apply, const char *list, size_t index, size_t k,
                       const char *message)
{
    if (list != NULL) {
        manifest_refuse(apply, manifest_path(apply, list, index, "uids", k, NULL), message);
        return;
    }
    struct buffer path = {0};
    buffer_append_format(&path, "operators.uids[%zu]", k);
    manifest_refuse(apply, arena_copy(apply->builder->arena, path.data, path.length), message);
    buffer_free(&path);
}

// Notes an owner's uids, each named once in the whole manifest.
static bool note_uids(struct manifest_apply *apply, struct owner owner, const char *list, size_t index)
{
    for (size_t k = 0; owner.has_uids && k < owner.uid_count; k++) {
        uint32_t uid = owner.uids[k];
        if (uid == UID_NOBODY || uid == UID_INVALID) {
            refuse_uid(apply, list, index, k, "this uid stands for nobody and can't be given to anyone");
            return false;
        }
        if (listed_owner(apply, uid) != 0) {
            refuse_uid(apply, list, index, k, "this uid is listed twice in the manifest");
            return false;
        }
        fingerprint_map_put(&apply->uids, (struct fingerprint){.high = 1, .low = uid}, owner.id + UINT64_C(1),
                            0);
    }
    return true;
}

// Does the manifest list the uids of this owner?
static bool lists_owner(const struct manifest_apply *apply, uint32_t owner)
{
    if (owner == 0)
        return apply->manifest->has_operator_uids;
    for (size_t i = 0; i < apply->manifest->tenant_count; i++)
        if (apply->manifest->tenants[i].has_uids && tenant_owner(apply, i).id == owner)
            return true;
    return false;
}

static bool uids_are_free(struct manifest_apply *apply, struct owner owner, const char *list, size_t index)
{
    for (size_t k = 0; owner.has_uids && k < owner.uid_count; k++) {
        uint32_t present;
        if (!book_uid(apply->book, owner.uids[k], &present) || present == owner.id ||
            lists_owner(apply, present))
            continue;
        refuse_uid(apply, list, index, k,
                   "this uid belongs to someone else: list that one's uids too, without it");
        return false;
    }
    return true;
}

// Gives the tenants their ids and checks all uids.
static bool identify(struct manifest_apply *apply)
{
    const struct manifest *manifest = apply->manifest;
    for (size_t i = 0; i < manifest->tenant_count; i++) {
        const char *name = manifest->tenants[i].tenant;
        bool is_new;
        if (manifest_identify(apply, &apply->tenants, name, book_tenant(apply->book, name),
                              &apply->next_tenant, manifest_path(apply, "tenants", i, NULL, 0, "tenant"),
                              &is_new) == 0)
            return false;
    }
    if (!note_uids(apply, operators_owner(apply), NULL, 0))
        return false;
    for (size_t i = 0; i < manifest->tenant_count; i++)
        if (!note_uids(apply, tenant_owner(apply, i), "tenants", i))
            return false;
    if (!uids_are_free(apply, operators_owner(apply), NULL, 0))
        return false;
    for (size_t i = 0; i < manifest->tenant_count; i++)
        if (!uids_are_free(apply, tenant_owner(apply, i), "tenants", i))
            return false;
    return true;
}

// ---- Adding

static bool uids_differ(const struct manifest_apply *apply, struct owner owner)
{
    if (!owner.has_uids)
        return false;
    for (size_t k = 0; k < owner.uid_count; k++) {
        uint32_t present;
        if (!book_uid(apply->book, owner.uids[k], &present) || present != owner.id)
            return true;
    }
    for (size_t i = 0; i < apply->book->uid_count; i++) {
        const struct uid_row *row = &apply->book->uids[i];
        if (!row->revoked && row->tenant == owner.id &&
            listed_owner(apply, row->uid) != owner.id + UINT64_C(1))
            return true;
    }
    return false;
}

// The uids as the manifest leaves them.
static void write_uids(const struct manifest_apply *apply, struct json *json, struct owner owner)
{
    json_write_array(json, "uids");
    for (size_t k = 0; owner.has_uids && k < owner.uid_count; k++)
        json_write_integer(json, NULL, owner.uids[k]);
    for (size_t i = 0; !owner.has_uids && i < apply->book->uid_count; i++)
        if (!apply->book->uids[i].revoked && apply->book->uids[i].tenant == owner.id)
            json_write_integer(json, NULL, apply->book->uids[i].uid);
    json_write_array_end(json);
}

// A uid has one line: a move rewrites it, and only one that is listed nowhere any more is revoked.
static void add_uids(struct manifest_apply *apply, struct owner owner)
{
    if (!owner.has_uids)
        return;
    for (size_t k = 0; k < owner.uid_count; k++) {
        uint32_t present;
        if (!book_uid(apply->book, owner.uids[k], &present) || present != owner.id)
            builder_add(apply->builder, ROW_UID)->uid =
                (struct uid_row){.uid = owner.uids[k], .tenant = owner.id};
    }
    for (size_t i = 0; i < apply->book->uid_count; i++) {
        const struct uid_row *row = &apply->book->uids[i];
        if (!row->revoked && row->tenant == owner.id && listed_owner(apply, row->uid) == 0)
            builder_add(apply->builder, ROW_UID)->uid =
                (struct uid_row){.uid = row->uid, .tenant = owner.id, .revoked = true};
    }
}

static void write_tenant(struct manifest_apply *apply, const struct tenant_row *row, struct owner owner)
{
    struct json json = builder_text(apply->builder);
    json_write_object(&json, NULL);
    json_write_object(&json, "tenant");
    json_write_text(&json, "tenant", row->tenant);
    json_write_text(&json, "name", row->name);
    json_write_bool(&json, "suspended", row->suspended);
    json_write_text(&json, "note", row->note);
    manifest_write_rate_limit(&json, &row->rate_limit);
    write_uids(apply, &json, owner);
    json_write_object_end(&json);
    json_write_object_end(&json);
}

static void apply_tenant(struct manifest_apply *apply, size_t index)
{
    const struct manifest_tenant *listed = &apply->manifest->tenants[index];
    struct owner owner = tenant_owner(apply, index);
    bool is_new = owner.id > book_tenant_count(apply->book);
    const struct tenant_row *present = is_new ? NULL : book_tenant_row(apply->book, owner.id);
    const char *name = listed->name != NULL ? listed->name : is_new ? listed->tenant : present->name;
    struct tenant_row row = {
        .id = owner.id,
        .tenant = arena_copy_text(apply->builder->arena, listed->tenant),
        .name = arena_copy_text(apply->builder->arena, name),
        .suspended = listed->has_suspended ? listed->suspended : !is_new && present->suspended,
        .note = manifest_note(apply, listed->note, is_new ? NULL : present->note),
        .rate_limit = listed->has_rate_limit || is_new ? listed->rate_limit : present->rate_limit,
    };
    bool row_differs = is_new || manifest_text_differs(row.name, present->name) ||
                       manifest_text_differs(listed->note, present->note) ||
                       row.suspended != present->suspended ||
                       row.rate_limit.per_second != present->rate_limit.per_second ||
                       row.rate_limit.burst != present->rate_limit.burst;
    if (!row_differs && !uids_differ(apply, owner))
        return;
    // The event names the tenant, so the tenant's line goes before it.
    if (row_differs)
        builder_add(apply->builder, ROW_TENANT)->tenant = row;
    write_tenant(apply, &row, owner);
    manifest_event(apply, is_new ? "tenant.added" : "tenant.changed", owner.id);
    manifest_changed(apply, is_new, "tenant", listed->tenant);
    add_uids(apply, owner);
}

static void apply_operators(struct manifest_apply *apply)
{
    struct owner owner = operators_owner(apply);
    if (!uids_differ(apply, owner))
        return;
    struct json json = builder_text(apply->builder);
    json_write_object(&json, NULL);
    json_write_object(&json, "operators");
    write_uids(apply, &json, owner);
    json_write_object_end(&json);
    json_write_object_end(&json);
    manifest_event(apply, "operators.changed", 0);
    manifest_changed(apply, false, "operators", "operators");
    add_uids(apply, owner);
}

void manifest_apply_tenants(struct manifest_apply *apply)
{
    if (!identify(apply))
        return;
    apply_operators(apply);
    for (size_t i = 0; i < apply->manifest->tenant_count; i++)
        apply_tenant(apply, i);
}
