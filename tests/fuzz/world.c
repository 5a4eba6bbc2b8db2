// The world of the targets. Its names are those of the protocol's examples; its edges lie close together, so
// that short inputs reach them: steps of capacity and price within weeks, periods of days, little money.
#include "fuzz.h"

#include "wire/wire.h"
#include <string.h>

static const char text[] =
    "{\"version\":1,\"operators\":{\"uids\":[0]},"
    "\"sites\":[{\"site\":\"colossus-1\",\"power\":[{\"from\":\"2026-05-01T00:00:00Z\",\"kw\":90},"
    "{\"from\":\"2026-12-12T00:00:00Z\",\"kw\":61}]},"
    "{\"site\":\"colossus-2\"}],"
    "\"pools\":["
    "{\"pool\":\"colossus-1/h100\",\"gpu\":\"H100\",\"unit\":8,\"kw_per_gpu\":\"1.275\","
    "\"capacity\":[{\"from\":\"2026-05-01T00:00:00Z\",\"gpus\":64},{\"from\":\"2026-12-20T00:00:00Z\","
    "\"gpus\":96}],"
    "\"rates\":[{\"from\":\"2026-05-01T00:00:00Z\",\"firm\":\"2.35\",\"preemptible\":\"1.10\"},"
    "{\"from\":\"2026-12-10T00:00:00Z\",\"firm\":\"2.333333\"}]},"
    "{\"pool\":\"colossus-2/gb300\",\"gpu\":\"GB300\",\"unit\":72,"
    "\"capacity\":[{\"from\":\"2026-12-02T00:00:00Z\",\"gpus\":144}],"
    "\"rates\":[{\"from\":\"2026-12-05T00:00:00Z\",\"firm\":\"4.00\"}]},"
    "{\"pool\":\"colossus-1/h200\",\"gpu\":\"H200\",\"unit\":1,\"kw_per_gpu\":\"0.7\","
    "\"capacity\":[{\"from\":\"2026-05-01T00:00:00Z\",\"gpus\":20}],"
    "\"rates\":[{\"from\":\"2026-05-01T00:00:00Z\",\"firm\":\"0.000007\",\"preemptible\":\"0.000002\"}]}],"
    "\"tenants\":[{\"tenant\":\"anthropic\",\"name\":\"Anthropic PBC\",\"uids\":[61001]},"
    "{\"tenant\":\"google\",\"uids\":[61002]},{\"tenant\":\"xai\",\"uids\":[61003]},"
    "{\"tenant\":\"gamma\"}],"
    "\"contracts\":["
    "{\"contract\":\"anthropic-1\",\"tenant\":\"anthropic\",\"pools\":[\"colossus-1/h100\","
    "\"colossus-2/gb300\"],\"start\":\"2026-11-15T00:00:00Z\",\"end\":\"2027-02-15T00:00:00Z\","
    "\"periods\":[{\"start\":\"2026-11-15T00:00:00Z\",\"commit\":\"9000.00\"},"
    "{\"start\":\"2026-12-08T00:00:00Z\",\"commit\":\"12345.678901\"},"
    "{\"start\":\"2026-12-08T05:00:00Z\",\"commit\":\"40000.00\"}],"
    "\"overage\":{\"limit_pct\":10,\"surcharge_pct\":20},"
    "\"shortfall\":{\"defer_pct\":50,\"then\":\"charge\",\"defer_until\":\"last\"},"
    "\"billing\":\"instalments\",\"cancel\":{\"notice_hours\":72,\"late_fee_pct\":50},"
    "\"termination\":{\"notice_from\":\"2026-12-01T00:00:00Z\",\"notice_days\":30}},"
    "{\"contract\":\"anthropic-2\",\"tenant\":\"anthropic\",\"pools\":[\"colossus-1/h200\"],"
    "\"start\":\"2026-12-01T00:00:00Z\",\"end\":\"2027-12-01T00:00:00Z\","
    "\"periods\":{\"annual\":\"0.01\"},\"shortfall\":{\"defer_pct\":33.33,\"then\":\"credit\"},"
    "\"prices\":[{\"pool\":\"colossus-1/h200\",\"tier\":\"firm\",\"price\":\"0.000003\"}]},"
    "{\"contract\":\"google-1\",\"tenant\":\"google\",\"start\":\"2026-10-01T00:00:00Z\","
    "\"end\":\"2027-04-01T00:00:00Z\",\"periods\":[{\"start\":\"2026-10-01T00:00:00Z\",\"commit\":\"100.00\"}"
    ","
    "{\"start\":\"2027-01-01T00:00:00Z\",\"commit\":\"5000.00\"}],"
    "\"overage\":{\"limit\":\"2500.00\",\"surcharge_pct\":12.5},"
    "\"shortfall\":{\"defer_pct\":100,\"then\":\"waive\"},\"billing\":\"arrears\",\"discount_pct\":33.33},"
    "{\"contract\":\"xai-internal\",\"tenant\":\"xai\",\"start\":\"2026-05-01T00:00:00Z\","
    "\"end\":\"2031-05-01T00:00:00Z\",\"periods\":{\"annual\":\"0.00\"},\"overage\":{\"limit\":\"unlimited\"}"
    ","
    "\"discount_pct\":40,\"cancel\":{\"notice_hours\":24,\"late_fee_pct\":100}}]}";

struct book *world_empty(void)
{
    struct book_options options = {
        .horizon_years = 1, .hold_seconds_max = 7 * 86400, .origin = hour_of_instant(WORLD_NOW)};
    struct book *book = book_create(&options);
    book_loaded(book, WORLD_NOW, 0, 0);
    return book;
}

void world_apply(struct book *book, const struct decision *decision, struct instant now, struct arena *arena)
{
    struct row *rows;
    size_t count;
    FUZZ_CHECK(decision->verdict == VERDICT_DONE);
    book_apply_rows(book, decision->rows, decision->row_count);
    book_end_batch(book, now, arena, &rows, &count);
}

static void ask(struct book *book, const char *line, struct arena *arena)
{
    struct wire_message message;
    struct request request;
    struct decision decision;
    wire_parse(line, strlen(line), arena, &message);
    FUZZ_CHECK(message.call_count == 1 && message.calls->error.code == 0);
    wire_request(message.calls, arena, &request);
    request.actor = (struct actor){.role = ROLE_OPERATOR, .name = "uid:0"};
    book_decide(book, &request, WORLD_NOW, arena, &decision);
    world_apply(book, &decision, WORLD_NOW, arena);
}

static void make_bookings(struct book *book, struct arena *arena)
{
#define REQUEST(method, params)                                                                              \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"reservation." method "\",\"params\":{" params "}}"
    static const char *const lines[] = {
        REQUEST("create", "\"tenant\":\"anthropic\",\"pool\":\"colossus-1/h100\",\"gpus\":16,\"hours\":200,"
                          "\"start\":\"2026-12-06T00:00:00Z\",\"client_ref\":\"first\""),
        REQUEST("create", "\"tenant\":\"anthropic\",\"pool\":\"colossus-1/h100\",\"gpus\":8,\"hours\":48,"
                          "\"start\":\"2026-12-07T00:00:00Z\",\"hold_seconds\":3600"),
        REQUEST("create_group",
                "\"tenant\":\"anthropic\",\"client_ref\":\"both\",\"legs\":[{\"pool\":\"colossus-1/h100\","
                "\"gpus\":8,\"start\":\"2026-12-20T00:00:00Z\",\"end\":\"2026-12-21T00:00:00Z\"},{\"pool\":"
                "\"colossus-2/gb300\",\"gpus\":72,\"start\":\"2026-12-20T00:00:00Z\","
                "\"end\":\"2026-12-21T00:00:00Z\"}]"),
        REQUEST("create", "\"tenant\":\"xai\",\"pool\":\"colossus-1/h200\",\"gpus\":3,\"hours\":2000,"
                          "\"start\":\"2026-12-01T00:00:00Z\",\"note\":\"n\",\"project\":\"p\""),
    };
#undef REQUEST
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        ask(book, lines[i], arena);
    FUZZ_CHECK(book_reservation_live(book, 5));
}

const struct manifest *world_manifest(void)
{
    static struct manifest manifest;
    static struct arena kept;
    const char *path, *message;
    if (manifest.pool_count == 0 &&
        !wire_parse_manifest(text, sizeof text - 1, &kept, &manifest, &path, &message))
        FUZZ_FAIL("the world's manifest is wrong: %s", message);
    return &manifest;
}

struct book *world_book(bool bookings)
{
    struct arena arena = {0};
    struct book *book = world_empty();
    struct decision decision;
    struct request request = manifest_request(world_manifest());
    book_decide(book, &request, WORLD_NOW, &arena, &decision);
    if (decision.verdict != VERDICT_DONE)
        FUZZ_FAIL("the world's manifest is refused at %s: %s", decision.refusal.path,
                  decision.refusal.message);
    world_apply(book, &decision, WORLD_NOW, &arena);
    if (bookings)
        make_bookings(book, &arena);
    arena_free(&arena);
    return book;
}
