// reservation.confirm and reservation.cancel, singly or for a group.
#include "core/alter.h"
#include "core/builder.h"
#include "core/members.h"
#include "core/transition.h"

static struct fingerprint fingerprint_target(struct builder *builder, const struct request *request,
                                             const struct target *target, bool waive_fee, const char *reason)
{
    struct json json = builder_text(builder);
    json_write_array(&json, NULL);
    json_write_integer(&json, NULL, request->kind);
    json_write_bool(&json, NULL, target->is_group);
    json_write_integer(&json, NULL, target->id);
    json_write_bool(&json, NULL, waive_fee);
    json_write_text(&json, NULL, reason);
    json_write_array_end(&json);
    return decide_fingerprint(builder);
}

void decide_confirm(struct builder *builder, const struct request *request)
{
    const struct target *target = &request->confirm;
    uint32_t tenant = decide_tenant(builder, request);
    struct members members;
    if (builder_refused(builder) || !members_find(builder, tenant, target, &members))
        return;
    struct fingerprint fingerprint = fingerprint_target(builder, request, target, false, NULL);
    if (alter_replayed(builder, tenant, request, fingerprint))
        return;
    if (builder->book->tenants[tenant].row.suspended)
        builder_refuse(builder, VERDICT_TENANT_SUSPENDED, "the tenant is suspended and can't confirm");
    members_in_state(builder, &members, 1U << STATE_HELD, "only what is held can be confirmed");
    if (builder_refused(builder))
        return;
    builder->decision->group = target->is_group ? target->id : 0;
    alter_expect(builder, members.count);
    int64_t first_event = builder->next_event;
    for (size_t i = 0; i < members.count; i++) {
        const struct reservation_image *before = &members.images[i];
        struct reservation_row row = before->row;
        row.state = STATE_BOOKED;
        row.hold_expires = (struct instant){0};
        struct plan plan;
        plan_begin(&plan, builder, tenant, row.pool, row.tier, before, true);
        plan_settle(&plan, row.id);
        alter_reservation(builder, before, &row, &plan, "reservation.confirmed", false, NULL);
    }
    builder_client_ref(builder, tenant, request, fingerprint, target->id, target->is_group, first_event);
}

static void cancel_member(struct builder *builder, const struct reservation_image *before, bool waive_fee,
                          const char *reason)
{
    struct reservation_row row = before->row;
    row.state = STATE_CANCELLED;
    struct plan plan;
    plan_begin(&plan, builder, row.tenant, row.pool, row.tier, before,
               before->row.state == STATE_HELD || before->row.state == STATE_WAITING);
    struct hour from = hour_at_or_after(builder->at);
    if (from.number < row.start.number)
        from = row.start;
    plan_set_gpus(&plan, from, row.end, 0);
    plan_settle(&plan, row.id);
    alter_reservation(builder, before, &row, &plan, "reservation.cancelled", waive_fee, reason);
}

void decide_cancel(struct builder *builder, const struct request *request)
{
    const struct cancel_request *cancel = &request->cancel;
    if (cancel->waive_fee && cancel->reason == NULL)
        builder_refuse(builder, VERDICT_INVALID_PARAMS, "a fee is waived with a reason")->path = "reason";
    if (cancel->waive_fee && request->actor.role != ROLE_OPERATOR)
        builder_refuse(builder, VERDICT_FORBIDDEN, "only an operator can waive a fee");
    uint32_t tenant = decide_tenant(builder, request);
    struct members members;
    if (builder_refused(builder) || !members_find(builder, tenant, &cancel->target, &members))
        return;
    struct fingerprint fingerprint =
        fingerprint_target(builder, request, &cancel->target, cancel->waive_fee, cancel->reason);
    if (alter_replayed(builder, tenant, request, fingerprint))
        return;
    members_in_state(builder, &members,
                     1U << STATE_WAITING | 1U << STATE_HELD | 1U << STATE_BOOKED | 1U << STATE_ACTIVE,
                     "it has ended already");
    if (builder_refused(builder))
        return;
    builder->decision->group = cancel->target.is_group ? cancel->target.id : 0;
    alter_expect(builder, members.count);
    int64_t first_event = builder->next_event;
    for (size_t i = 0; i < members.count; i++)
        cancel_member(builder, &members.images[i], cancel->waive_fee, cancel->reason);
    builder_client_ref(builder, tenant, request, fingerprint, cancel->target.id, cancel->target.is_group,
                       first_event);
}
