// Deciding a request: who it is for, whether it was decided before, and the way to the part that decides it.
#include "base/digest.h"
#include "core/builder.h"
#include <assert.h>
#include <string.h>

uint32_t decide_tenant(struct builder *builder, const struct request *request)
{
    const struct book *book = builder->book;
    uint32_t named = request->tenant == NULL ? 0 : book_tenant(book, request->tenant);
    if (request->actor.role == ROLE_TENANT) {
        // Another tenant's name gets what an unknown one gets.
        if (request->tenant != NULL && named != request->actor.tenant) {
            builder_refuse(builder, VERDICT_NOT_FOUND, "there is no such tenant");
            return 0;
        }
        return request->actor.tenant;
    }
    if (request->tenant == NULL) {
        builder_refuse(builder, VERDICT_INVALID_PARAMS, "an operator says which tenant a change is for")
            ->path = "tenant";
        return 0;
    }
    if (named == 0)
        builder_refuse(builder, VERDICT_NOT_FOUND, "there is no such tenant");
    return named;
}

struct fingerprint decide_fingerprint(struct builder *builder)
{
    static const uint8_t key[FINGERPRINT_KEY_SIZE]; // the same on every machine, as it goes into the ledger
    return fingerprint_keyed(key, builder->text.data, builder->text.length);
}

bool decide_replay(struct builder *builder, uint32_t scope, const struct request *request,
                   struct fingerprint fingerprint, int64_t *thing, bool *is_group)
{
    if (request->client_ref == NULL || builder_refused(builder))
        return false;
    const struct fingerprint_entry *entry = fingerprint_map_get(
        &builder->book->client_refs, client_ref_fingerprint(builder->book, scope, request->client_ref));
    if (entry == NULL)
        return false;
    if (entry->detail != fingerprint.low) {
        builder_refuse(builder, VERDICT_CONFLICT, "this client_ref was used for a different request");
        return true;
    }
    builder->decision->replayed = true;
    *thing = (int64_t)(entry->value >> 2);
    *is_group = (entry->value & 2) != 0;
    return true;
}

void decide_result(struct builder *builder)
{
    builder->decision->result = arena_copy(builder->arena, builder->text.data, builder->text.length);
    builder->decision->result_length = builder->text.length;
}

void book_decide(const struct book *book, const struct request *request, struct instant now,
                 struct arena *arena, struct decision *decision)
{
    static void (*const parts[])(struct builder *, const struct request *) = {
        [REQUEST_CREATE] = decide_create,
        [REQUEST_CREATE_GROUP] = decide_create,
        [REQUEST_CONFIRM] = decide_confirm,
        [REQUEST_CHANGE] = decide_change,
        [REQUEST_CANCEL] = decide_cancel,
        [REQUEST_MANIFEST_APPLY] = decide_manifest,
        [REQUEST_CAPACITY_CHANGE] = decide_capacity_change,
        [REQUEST_TENANT_SUSPEND] = decide_tenant_suspend,
        [REQUEST_TENANT_RESUME] = decide_tenant_suspend,
        [REQUEST_TOKEN_CREATE] = decide_token_create,
        [REQUEST_TOKEN_REVOKE] = decide_token_revoke,
        [REQUEST_BACKUP] = decide_backup,
        [REQUEST_CLOCK_ADVANCE] = decide_clock_advance,
    };
    assert(!book->loading && now.seconds >= book->time.seconds);
    struct builder builder;
    builder_begin(&builder, book, arena, now, request->actor.name, decision);
    decision->dry_run = request->dry_run;
    parts[request->kind](&builder, request);
    builder_finish(&builder);
}
