// The codes of errors and their kinds.
#include <colossus.h>
#include <string.h>

static const struct {
    int code;
    const char *kind;
} kinds[] = {
    {COLOSSUS_PARSE_ERROR, "parse_error"},
    {COLOSSUS_INVALID_REQUEST, "invalid_request"},
    {COLOSSUS_METHOD_NOT_FOUND, "method_not_found"},
    {COLOSSUS_INVALID_PARAMS, "invalid_params"},
    {COLOSSUS_INTERNAL_ERROR, "internal_error"},
    {COLOSSUS_UNAUTHENTICATED, "unauthenticated"},
    {COLOSSUS_FORBIDDEN, "forbidden"},
    {COLOSSUS_NOT_FOUND, "not_found"},
    {COLOSSUS_CONFLICT, "conflict"},
    {COLOSSUS_INVALID_STATE, "invalid_state"},
    {COLOSSUS_CAPACITY_EXCEEDED, "capacity_exceeded"},
    {COLOSSUS_COMMITMENT_EXCEEDED, "commitment_exceeded"},
    {COLOSSUS_NO_CONTRACT, "no_contract"},
    {COLOSSUS_TENANT_SUSPENDED, "tenant_suspended"},
    {COLOSSUS_EXPIRED, "expired"},
    {COLOSSUS_RATE_LIMITED, "rate_limited"},
    {COLOSSUS_LEDGER_UNAVAILABLE, "ledger_unavailable"},
    {COLOSSUS_TOO_LARGE, "too_large"},
    {COLOSSUS_AMOUNT_OVERFLOW, "amount_overflow"},
    {COLOSSUS_INVALID_MANIFEST, "invalid_manifest"},
    {COLOSSUS_OVERLOADED, "overloaded"},
    {COLOSSUS_NO_RATE, "no_rate"},
};

const char *colossus_kind(int code)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].code == code)
            return kinds[i].kind;
    return NULL;
}

int colossus_code(const char *kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].kind, kind) == 0)
            return kinds[i].code;
    return 0;
}

const char *colossus_version(void)
{
    return COLOSSUS_VERSION;
}
