// From a call's parameters to the core's request.
#include "wire/wire.h"
#include <assert.h>

static struct target target_of(const struct parameters *parameters)
{
    bool is_group = parameter_given(parameters, PARAMETER_GROUP);
    return (struct target){.is_group = is_group, .id = is_group ? parameters->group : parameters->id};
}

// The one leg of reservation.create, from the parameters themselves.
static struct leg *single_leg(const struct parameters *parameters, struct arena *arena)
{
    struct leg *leg = arena_allocate(arena, sizeof *leg);
    *leg = (struct leg){
        .pool = parameters->pool,
        .gpus = parameters->gpus,
        .start = parameters->start,
        .end = parameters->end,
        .tier = parameters->tier,
        .project = parameters->project,
        .note = parameters->note,
    };
    if (parameter_given(parameters, PARAMETER_HOURS))
        leg->end.number = parameters->start.number + (int32_t)parameters->hours;
    return leg;
}

static void fill_create(const struct parameters *parameters, struct arena *arena, struct request *request)
{
    request->kind = REQUEST_CREATE;
    request->create = (struct create_request){
        .legs = single_leg(parameters, arena),
        .leg_count = 1,
        .hold_seconds = parameters->hold_seconds,
        .has_wait_until = parameter_given(parameters, PARAMETER_WAIT_UNTIL),
        .wait_until = parameters->wait_until,
    };
}

static void fill_create_group(const struct parameters *parameters, struct request *request)
{
    request->kind = REQUEST_CREATE_GROUP;
    request->create = (struct create_request){
        .legs = parameters->legs,
        .leg_count = parameters->leg_count,
        .hold_seconds = parameters->hold_seconds,
    };
}

static void fill_change(const struct parameters *parameters, struct request *request)
{
    request->kind = REQUEST_CHANGE;
    request->change = (struct change_request){
        .id = parameters->id,
        .has_from = parameter_given(parameters, PARAMETER_FROM),
        .has_gpus = parameter_given(parameters, PARAMETER_GPUS),
        .has_start = parameter_given(parameters, PARAMETER_START),
        .has_end = parameter_given(parameters, PARAMETER_END),
        .from = parameters->from,
        .start = parameters->start,
        .end = parameters->end,
        .gpus = parameters->gpus,
    };
}

static void fill_cancel(const struct parameters *parameters, struct request *request)
{
    request->kind = REQUEST_CANCEL;
    request->cancel = (struct cancel_request){
        .target = target_of(parameters),
        .waive_fee = parameters->waive_fee,
        .reason = parameters->reason,
    };
}

static void fill_capacity(const struct parameters *parameters, struct request *request)
{
    request->kind = REQUEST_CAPACITY_CHANGE;
    request->capacity = (struct capacity_change_request){
        .pool = parameters->pool,
        .kind = parameters->kind,
        .gpus = parameters->gpus,
        .start = parameters->start,
        .end = parameter_given(parameters, PARAMETER_END) ? parameters->end : HOUR_NEVER,
        .note = parameters->note,
    };
}

static void fill_token(enum request_kind kind, const struct parameters *parameters, struct request *request)
{
    request->kind = kind;
    request->token =
        (struct token_request){.label = parameters->label, .is_operator = parameters->operator_side};
}

static void fill_suspension(enum request_kind kind, const struct parameters *parameters,
                            struct request *request)
{
    request->kind = kind;
    request->reason = parameters->reason;
}

static void fill(enum method method, const struct parameters *parameters, struct arena *arena,
                 struct request *request)
{
    switch (method) {
    case METHOD_RESERVATION_CREATE:
        fill_create(parameters, arena, request);
        break;
    case METHOD_RESERVATION_CREATE_GROUP:
        fill_create_group(parameters, request);
        break;
    case METHOD_RESERVATION_CONFIRM:
        request->kind = REQUEST_CONFIRM;
        request->confirm = target_of(parameters);
        break;
    case METHOD_RESERVATION_CHANGE:
        fill_change(parameters, request);
        break;
    case METHOD_RESERVATION_CANCEL:
        fill_cancel(parameters, request);
        break;
    case METHOD_MANIFEST_APPLY:
        request->kind = REQUEST_MANIFEST_APPLY;
        request->manifest = parameters->manifest;
        break;
    case METHOD_CAPACITY_CHANGE:
        fill_capacity(parameters, request);
        break;
    case METHOD_TENANT_SUSPEND:
        fill_suspension(REQUEST_TENANT_SUSPEND, parameters, request);
        break;
    case METHOD_TENANT_RESUME:
        fill_suspension(REQUEST_TENANT_RESUME, parameters, request);
        break;
    case METHOD_TOKEN_CREATE:
        fill_token(REQUEST_TOKEN_CREATE, parameters, request);
        break;
    case METHOD_TOKEN_REVOKE:
        fill_token(REQUEST_TOKEN_REVOKE, parameters, request);
        break;
    case METHOD_SERVER_BACKUP:
        request->kind = REQUEST_BACKUP;
        request->backup_name = parameters->name;
        break;
    case METHOD_CLOCK_ADVANCE:
        request->kind = REQUEST_CLOCK_ADVANCE;
        request->advance_to = parameters->to;
        break;
    default:
        assert(false); // a method that changes nothing
        break;
    }
}

void wire_request(const struct wire_call *call, struct arena *arena, struct request *request)
{
    assert(call->error.code == 0 && call->row != NULL && call->row->changes);
    const struct parameters *parameters = &call->parameters;
    *request = (struct request){
        .tenant = parameters->tenant,
        .client_ref = parameters->client_ref,
        .dry_run = parameters->dry_run,
    };
    fill(call->row->method, parameters, arena, request);
}
