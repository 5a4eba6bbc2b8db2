// The methods and the kinds of error: two const tables.
//
// A method is one row: who may call it, whether it changes anything, which parameters it takes and which of
// them it must have. What a parameter is, is a row of parameter.c; what several parameters must be together
// (exactly one of `id` and `group`) is in constraint.c.
#include "wire/wire.h"
#include <string.h>

#define BIT(parameter) (UINT64_C(1) << PARAMETER_##parameter)

// What every change takes, and what every tenant method takes.
#define CHANGE (BIT(CLIENT_REF) | BIT(DRY_RUN))
#define TENANT BIT(TENANT)

const struct method_row method_table[METHOD_COUNT] = {
    [METHOD_SESSION_INFO] = {METHOD_SESSION_INFO, "session.info", ACCESS_ANYONE, false, 0, 0},
    [METHOD_SESSION_LOGIN] = {METHOD_SESSION_LOGIN, "session.login", ACCESS_ANYONE, false, BIT(TOKEN),
                              BIT(TOKEN)},
    [METHOD_RPC_DISCOVER] = {METHOD_RPC_DISCOVER, "rpc.discover", ACCESS_ANYONE, false, 0, 0},
    [METHOD_SERVER_PING] = {METHOD_SERVER_PING, "server.ping", ACCESS_ANYONE, false, 0, 0},
    [METHOD_POOL_LIST] = {METHOD_POOL_LIST, "pool.list", ACCESS_TENANT, false, TENANT, 0},
    [METHOD_POOL_CALENDAR] = {METHOD_POOL_CALENDAR, "pool.calendar", ACCESS_TENANT, false,
                              TENANT | BIT(POOL) | BIT(START) | BIT(END), BIT(POOL) | BIT(START) | BIT(END)},
    [METHOD_OFFER_SEARCH] = {METHOD_OFFER_SEARCH, "offer.search", ACCESS_TENANT, false,
                             TENANT | BIT(GPUS) | BIT(HOURS) | BIT(POOLS) | BIT(GPU) | BIT(SITES) |
                                 BIT(EARLIEST) | BIT(LATEST_END) | BIT(TIER) | BIT(ORDER) | BIT(LIMIT),
                             BIT(GPUS) | BIT(HOURS)},
    [METHOD_RESERVATION_CREATE] = {METHOD_RESERVATION_CREATE, "reservation.create", ACCESS_TENANT, true,
                                   TENANT | CHANGE | BIT(POOL) | BIT(GPUS) | BIT(START) | BIT(END) |
                                       BIT(HOURS) | BIT(TIER) | BIT(HOLD_SECONDS) | BIT(WAIT_UNTIL) |
                                       BIT(PROJECT) | BIT(NOTE),
                                   BIT(POOL) | BIT(GPUS) | BIT(START)},
    [METHOD_RESERVATION_CREATE_GROUP] = {METHOD_RESERVATION_CREATE_GROUP, "reservation.create_group",
                                         ACCESS_TENANT, true, TENANT | CHANGE | BIT(LEGS) | BIT(HOLD_SECONDS),
                                         BIT(LEGS)},
    [METHOD_RESERVATION_CONFIRM] = {METHOD_RESERVATION_CONFIRM, "reservation.confirm", ACCESS_TENANT, true,
                                    TENANT | CHANGE | BIT(ID) | BIT(GROUP), 0},
    [METHOD_RESERVATION_CHANGE] = {METHOD_RESERVATION_CHANGE, "reservation.change", ACCESS_TENANT, true,
                                   TENANT | CHANGE | BIT(ID) | BIT(FROM) | BIT(GPUS) | BIT(START) | BIT(END),
                                   BIT(ID)},
    [METHOD_RESERVATION_CANCEL] = {METHOD_RESERVATION_CANCEL, "reservation.cancel", ACCESS_TENANT, true,
                                   TENANT | CHANGE | BIT(ID) | BIT(GROUP) | BIT(WAIVE_FEE) | BIT(REASON), 0},
    [METHOD_RESERVATION_GET] = {METHOD_RESERVATION_GET, "reservation.get", ACCESS_TENANT, false,
                                TENANT | BIT(ID) | BIT(CLIENT_REF) | BIT(GROUP), 0},
    [METHOD_RESERVATION_LIST] = {METHOD_RESERVATION_LIST, "reservation.list", ACCESS_TENANT, false,
                                 TENANT | BIT(STATE) | BIT(POOL) | BIT(PROJECT) | BIT(FROM) | BIT(TO) |
                                     BIT(AFTER) | BIT(LIMIT),
                                 0},
    [METHOD_COMMITMENT_STATUS] = {METHOD_COMMITMENT_STATUS, "commitment.status", ACCESS_TENANT, false,
                                  TENANT | BIT(CONTRACT) | BIT(AT), 0},
    [METHOD_COMMITMENT_PLAN] = {METHOD_COMMITMENT_PLAN, "commitment.plan", ACCESS_TENANT, false,
                                TENANT | BIT(CONTRACT) | BIT(POOLS), 0},
    [METHOD_STATEMENT_LIST] = {METHOD_STATEMENT_LIST, "statement.list", ACCESS_TENANT, false,
                               TENANT | BIT(FROM) | BIT(TO) | BIT(AFTER) | BIT(LIMIT), 0},
    [METHOD_EVENT_LIST] = {METHOD_EVENT_LIST, "event.list", ACCESS_TENANT, false,
                           TENANT | BIT(AFTER) | BIT(LIMIT) | BIT(WAIT_SECONDS), 0},
    [METHOD_EVENT_WATCH] = {METHOD_EVENT_WATCH, "event.watch", ACCESS_TENANT, false, TENANT | BIT(AFTER), 0},
    [METHOD_MANIFEST_APPLY] = {METHOD_MANIFEST_APPLY, "manifest.apply", ACCESS_OPERATOR, true,
                               CHANGE | BIT(MANIFEST), BIT(MANIFEST)},
    [METHOD_MANIFEST_EXPORT] = {METHOD_MANIFEST_EXPORT, "manifest.export", ACCESS_OPERATOR, false, 0, 0},
    [METHOD_CAPACITY_CHANGE] = {METHOD_CAPACITY_CHANGE, "capacity.change", ACCESS_OPERATOR, true,
                                CHANGE | BIT(POOL) | BIT(KIND) | BIT(GPUS) | BIT(START) | BIT(END) |
                                    BIT(NOTE),
                                BIT(POOL) | BIT(KIND) | BIT(GPUS) | BIT(START)},
    [METHOD_TENANT_SUSPEND] = {METHOD_TENANT_SUSPEND, "tenant.suspend", ACCESS_OPERATOR, true,
                               CHANGE | BIT(TENANT) | BIT(REASON), BIT(TENANT)},
    [METHOD_TENANT_RESUME] = {METHOD_TENANT_RESUME, "tenant.resume", ACCESS_OPERATOR, true,
                              CHANGE | BIT(TENANT) | BIT(REASON), BIT(TENANT)},
    [METHOD_TOKEN_CREATE] = {METHOD_TOKEN_CREATE, "token.create", ACCESS_OPERATOR, true,
                             CHANGE | BIT(TENANT) | BIT(OPERATOR) | BIT(LABEL), BIT(LABEL)},
    [METHOD_TOKEN_REVOKE] = {METHOD_TOKEN_REVOKE, "token.revoke", ACCESS_OPERATOR, true, CHANGE | BIT(LABEL),
                             BIT(LABEL)},
    [METHOD_SERVER_STATUS] = {METHOD_SERVER_STATUS, "server.status", ACCESS_OPERATOR, false, 0, 0},
    [METHOD_SERVER_METRICS] = {METHOD_SERVER_METRICS, "server.metrics", ACCESS_OPERATOR, false, 0, 0},
    [METHOD_SERVER_BACKUP] = {METHOD_SERVER_BACKUP, "server.backup", ACCESS_OPERATOR, true,
                              CHANGE | BIT(NAME), 0},
    [METHOD_CLOCK_ADVANCE] = {METHOD_CLOCK_ADVANCE, "clock.advance", ACCESS_OPERATOR, true, CHANGE | BIT(TO),
                              BIT(TO)},
};

const struct method_row *method_by_name(const char *name)
{
    for (size_t i = 0; i < METHOD_COUNT; i++)
        if (strcmp(method_table[i].name, name) == 0)
            return &method_table[i];
    return NULL;
}

static const struct {
    int code;
    const char *kind;
} error_kinds[RPC_ERROR_COUNT] = {
    {RPC_PARSE_ERROR, "parse_error"},
    {RPC_INVALID_REQUEST, "invalid_request"},
    {RPC_METHOD_NOT_FOUND, "method_not_found"},
    {RPC_INVALID_PARAMS, "invalid_params"},
    {RPC_INTERNAL_ERROR, "internal_error"},
    {RPC_UNAUTHENTICATED, "unauthenticated"},
    {RPC_FORBIDDEN, "forbidden"},
    {RPC_NOT_FOUND, "not_found"},
    {RPC_CONFLICT, "conflict"},
    {RPC_INVALID_STATE, "invalid_state"},
    {RPC_CAPACITY_EXCEEDED, "capacity_exceeded"},
    {RPC_COMMITMENT_EXCEEDED, "commitment_exceeded"},
    {RPC_NO_CONTRACT, "no_contract"},
    {RPC_TENANT_SUSPENDED, "tenant_suspended"},
    {RPC_EXPIRED, "expired"},
    {RPC_RATE_LIMITED, "rate_limited"},
    {RPC_LEDGER_UNAVAILABLE, "ledger_unavailable"},
    {RPC_TOO_LARGE, "too_large"},
    {RPC_AMOUNT_OVERFLOW, "amount_overflow"},
    {RPC_INVALID_MANIFEST, "invalid_manifest"},
    {RPC_OVERLOADED, "overloaded"},
    {RPC_NO_RATE, "no_rate"},
};

size_t rpc_error_index(int code)
{
    size_t internal = 0;
    for (size_t i = 0; i < RPC_ERROR_COUNT; i++) {
        if (error_kinds[i].code == code)
            return i;
        if (error_kinds[i].code == RPC_INTERNAL_ERROR)
            internal = i;
    }
    return internal;
}

int rpc_error_at(size_t index)
{
    return error_kinds[index].code;
}

const char *rpc_error_kind(int code)
{
    return error_kinds[rpc_error_index(code)].kind;
}
