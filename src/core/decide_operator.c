// What an operator asks of the book beside the manifest and changes of capacity: suspending tenants, tokens,
// and the records of a backup and of an advanced clock.
//
// In each the order of checks is: what the parameters say by themselves, unknown names, whether the
// client_ref was used, and only then what depends on the time and the state, so that a replay is known for
// one however the book has moved on.
#include "core/builder.h"
#include "core/manifest_text.h"
#include <string.h>

static void refuse_member(struct builder *builder, const char *member, const char *message)
{
    builder_refuse(builder, VERDICT_INVALID_PARAMS, message)->path = member;
}

static void record_reference(struct builder *builder, const struct request *request,
                             struct fingerprint fingerprint, int64_t thing, int64_t event)
{
    if (request->client_ref != NULL)
        builder_client_ref(builder, 0, request, fingerprint, thing, false, event);
}

// Begins the text that a request is known by; the resolved members follow.
static struct json request_text(struct builder *builder, const struct request *request)
{
    struct json text = builder_text(builder);
    json_write_integer(&text, "kind", request->kind);
    return text;
}

// ---- tenant.suspend and tenant.resume

static void suspended_result(struct builder *builder, const char *tenant, bool suspended)
{
    struct json json = builder_text(builder);
    json_write_text(&json, "tenant", tenant);
    json_write_bool(&json, "suspended", suspended);
    decide_result(builder);
}

static int64_t suspend(struct builder *builder, const struct request *request,
                       const struct tenant_row *present, bool suspended)
{
    struct tenant_row row = *present;
    row.tenant = arena_copy_text(builder->arena, row.tenant);
    row.name = arena_copy_text(builder->arena, row.name);
    row.note = arena_copy_text(builder->arena, row.note);
    row.suspended = suspended;
    struct json json = builder_text(builder);
    json_write_object(&json, NULL);
    json_write_object(&json, "tenant");
    json_write_text(&json, "tenant", row.tenant);
    json_write_text(&json, "name", row.name);
    json_write_bool(&json, "suspended", suspended);
    manifest_write_rate_limit(&json, &row.rate_limit);
    json_write_text(&json, "reason", request->reason);
    json_write_object_end(&json);
    json_write_object_end(&json);
    int64_t event = builder_event(builder, suspended ? "tenant.suspended" : "tenant.resumed", row.id, 0);
    builder_add(builder, ROW_TENANT)->tenant = row;
    return event;
}

void decide_tenant_suspend(struct builder *builder, const struct request *request)
{
    bool suspended = request->kind == REQUEST_TENANT_SUSPEND;
    if (request->tenant == NULL) {
        refuse_member(builder, "tenant", "say which tenant");
        return;
    }
    uint32_t id = book_tenant(builder->book, request->tenant);
    if (id == 0) {
        builder_refuse_parts(builder, VERDICT_NOT_FOUND, "there is no tenant ", request->tenant,
                             (const char *)NULL);
        return;
    }
    const struct tenant_row *present = book_tenant_row(builder->book, id);
    struct json text = request_text(builder, request);
    json_write_integer(&text, "tenant", id);
    json_write_text(&text, "reason", request->reason);
    struct fingerprint fingerprint = decide_fingerprint(builder);
    int64_t thing;
    bool is_group;
    if (decide_replay(builder, 0, request, fingerprint, &thing, &is_group)) {
        if (!builder_refused(builder))
            suspended_result(builder, present->tenant, present->suspended);
        return;
    }
    int64_t event = 0;
    if (present->suspended != suspended)
        event = suspend(builder, request, present, suspended);
    record_reference(builder, request, fingerprint, 0, event);
    suspended_result(builder, present->tenant, suspended);
}

// ---- token.create and token.revoke

static const struct token_row *find_token(const struct book *book, const char *label)
{
    for (size_t i = 0; i < book_token_count(book); i++)
        if (strcmp(book_token(book, i)->label, label) == 0)
            return book_token(book, i);
    return NULL;
}

static const char *tenant_name(const struct book *book, uint32_t tenant)
{
    return tenant == 0 ? NULL : book_tenant_row(book, tenant)->tenant;
}

static void token_result(struct builder *builder, const char *label, uint32_t tenant)
{
    struct json json = builder_text(builder);
    json_write_text(&json, "label", label);
    json_write_text(&json, "tenant", tenant_name(builder->book, tenant));
    decide_result(builder);
}

static int64_t token_event(struct builder *builder, const char *type, const char *label, uint32_t tenant)
{
    struct json json = builder_text(builder);
    json_write_object(&json, NULL);
    json_write_object(&json, "token");
    json_write_text(&json, "label", label);
    json_write_text(&json, "tenant", tenant_name(builder->book, tenant));
    json_write_bool(&json, "operator", tenant == 0);
    json_write_object_end(&json);
    json_write_object_end(&json);
    return builder_event(builder, type, tenant, 0);
}

void decide_token_create(struct builder *builder, const struct request *request)
{
    const struct token_request *asked = &request->token;
    if (asked->is_operator == (request->tenant != NULL)) {
        refuse_member(builder, "tenant", "a token is for one tenant, or for operators with operator: true");
        return;
    }
    uint32_t tenant = asked->is_operator ? 0 : book_tenant(builder->book, request->tenant);
    if (!asked->is_operator && tenant == 0) {
        builder_refuse_parts(builder, VERDICT_NOT_FOUND, "there is no tenant ", request->tenant,
                             (const char *)NULL);
        return;
    }
    // The salt and the hash are new with every try, so they are no part of what is asked.
    struct json text = request_text(builder, request);
    json_write_integer(&text, "tenant", tenant);
    json_write_text(&text, "label", asked->label);
    struct fingerprint fingerprint = decide_fingerprint(builder);
    int64_t thing;
    bool is_group;
    if (decide_replay(builder, 0, request, fingerprint, &thing, &is_group)) {
        if (!builder_refused(builder))
            token_result(builder, asked->label, tenant);
        return;
    }
    if (find_token(builder->book, asked->label) != NULL) {
        builder_refuse_parts(builder, VERDICT_CONFLICT, "there is, or was, a token with the label ",
                             asked->label, (const char *)NULL)
            ->path = "label";
        return;
    }
    int64_t event = token_event(builder, "token.created", asked->label, tenant);
    builder_add(builder, ROW_TOKEN)->token = (struct token_row){
        .label = arena_copy_text(builder->arena, asked->label),
        .tenant = tenant,
        .salt = asked->salt,
        .hash = asked->hash,
        .created = builder->at,
    };
    record_reference(builder, request, fingerprint, 0, event);
    token_result(builder, asked->label, tenant);
}

void decide_token_revoke(struct builder *builder, const struct request *request)
{
    const char *label = request->token.label;
    const struct token_row *present = find_token(builder->book, label);
    if (present == NULL) {
        builder_refuse_parts(builder, VERDICT_NOT_FOUND, "there is no token with the label ", label,
                             (const char *)NULL);
        return;
    }
    struct json text = request_text(builder, request);
    json_write_text(&text, "label", label);
    struct fingerprint fingerprint = decide_fingerprint(builder);
    int64_t thing, event = 0;
    bool is_group;
    if (decide_replay(builder, 0, request, fingerprint, &thing, &is_group)) {
        if (!builder_refused(builder))
            token_result(builder, label, present->tenant);
        return;
    }
    if (!present->revoked) {
        event = token_event(builder, "token.revoked", label, present->tenant);
        struct token_row row = *present;
        row.label = arena_copy_text(builder->arena, label);
        row.revoked = true;
        builder_add(builder, ROW_TOKEN)->token = row;
    }
    record_reference(builder, request, fingerprint, 0, event);
    token_result(builder, label, present->tenant);
}

// ---- server.backup

static void backup_result(struct builder *builder, const char *name)
{
    struct json json = builder_text(builder);
    json_write_text(&json, "name", name);
    decide_result(builder);
}

void decide_backup(struct builder *builder, const struct request *request)
{
    const char *name = request->backup_name;
    struct json text = request_text(builder, request);
    json_write_text(&text, "name", name);
    struct fingerprint fingerprint = decide_fingerprint(builder);
    int64_t thing;
    bool is_group;
    if (decide_replay(builder, 0, request, fingerprint, &thing, &is_group)) {
        if (!builder_refused(builder))
            backup_result(builder, name);
        return;
    }
    struct json json = builder_text(builder);
    json_write_object(&json, NULL);
    json_write_object(&json, "backup");
    json_write_text(&json, "name", name);
    json_write_object_end(&json);
    json_write_object_end(&json);
    int64_t event = builder_event(builder, "backup.requested", 0, 0);
    record_reference(builder, request, fingerprint, 0, event);
    backup_result(builder, name);
}

// ---- clock.advance

static void clock_result(struct builder *builder, struct instant now)
{
    struct json json = builder_text(builder);
    json_write_instant(&json, "now", now);
    decide_result(builder);
}

void decide_clock_advance(struct builder *builder, const struct request *request)
{
    struct instant to = request->advance_to;
    struct json text = request_text(builder, request);
    json_write_instant(&text, "to", to);
    struct fingerprint fingerprint = decide_fingerprint(builder);
    int64_t thing;
    bool is_group;
    if (decide_replay(builder, 0, request, fingerprint, &thing, &is_group)) {
        if (!builder_refused(builder))
            clock_result(builder, builder->at);
        return;
    }
    if (to.seconds < builder->at.seconds) {
        refuse_member(builder, "to", "time goes forward only: this is before the book's time");
        return;
    }
    struct json json = builder_text(builder);
    json_write_object(&json, NULL);
    json_write_object(&json, "clock");
    json_write_instant(&json, "from", builder->at);
    json_write_instant(&json, "to", to);
    json_write_object_end(&json);
    json_write_object_end(&json);
    int64_t event = builder_event(builder, "clock.advanced", 0, 0);
    record_reference(builder, request, fingerprint, 0, event);
    clock_result(builder, to);
}
