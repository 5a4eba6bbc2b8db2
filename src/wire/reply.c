// Replies: the envelopes, errors, and what a decision says.
#include "wire/reply.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static struct json envelope_begin(struct buffer *out, const char *id)
{
    struct json json = json_begin(out);
    json_write_object(&json, NULL);
    json_write_text(&json, "jsonrpc", "2.0");
    json_write_raw(&json, "id", id, strlen(id));
    return json;
}

struct json wire_reply_begin(struct buffer *out, const char *id)
{
    struct json json = envelope_begin(out, id);
    json_write_object(&json, "result");
    return json;
}

int wire_reply_code(const struct buffer *reply, size_t id_length)
{
    static const char error[] = ",\"error\":{\"code\":";
    size_t at = sizeof "{\"jsonrpc\":\"2.0\",\"id\":" - 1 + id_length;
    if (reply->length == 0)
        return WIRE_NO_REPLY;
    if (reply->length < at + sizeof error || memcmp(reply->data + at, error, sizeof error - 1) != 0)
        return 0;
    return (int)strtol(reply->data + at + sizeof error - 1, NULL, 10);
}

void wire_reply_end(struct json *json)
{
    json_write_object_end(json);
    json_write_object_end(json);
}

// ---- Errors

struct json reply_error_begin(struct buffer *out, const char *id, int code, const char *message)
{
    struct json json = envelope_begin(out, id);
    json_write_object(&json, "error");
    json_write_integer(&json, "code", code);
    json_write_text(&json, "message", message);
    json_write_object(&json, "data");
    json_write_text(&json, "kind", rpc_error_kind(code));
    return json;
}

void reply_error_end(struct json *json)
{
    json_write_object_end(json);
    json_write_object_end(json);
    json_write_object_end(json);
}

void wire_reply_error(struct buffer *out, const char *id, int code, const char *message, const char *member)
{
    struct json json = reply_error_begin(out, id, code, message);
    if (code == RPC_INVALID_MANIFEST)
        json_write_text(&json, "path", member == NULL ? "" : member);
    else if (member != NULL)
        json_write_text(&json, "member", member);
    reply_error_end(&json);
}

void wire_reply_ledger_unavailable(struct buffer *out, const char *id, bool outcome_unknown,
                                   const char *message)
{
    struct json json = reply_error_begin(out, id, RPC_LEDGER_UNAVAILABLE, message);
    json_write_text(&json, "outcome", outcome_unknown ? "unknown" : "none");
    reply_error_end(&json);
}

void wire_reply_rate_limited(struct buffer *out, const char *id, int64_t retry_after_ms)
{
    struct json json =
        reply_error_begin(out, id, RPC_RATE_LIMITED, "too many requests: try again a little later");
    json_write_integer(&json, "retry_after_ms", retry_after_ms);
    reply_error_end(&json);
}

void wire_reply_watch_ended(struct buffer *out, int64_t after)
{
    struct json json = reply_error_begin(out, "null", RPC_OVERLOADED,
                                         "events are not taken as fast as they come: go on after this one");
    json_write_integer(&json, "after", after);
    reply_error_end(&json);
}

// ---- Refusals

// "legs[1].gpus" for a member of a leg; the core knows the leg by its number.
static void write_member(struct json *json, const struct refusal *refusal)
{
    if (refusal->path == NULL)
        return;
    if (refusal->leg < 0 || !parameter_is_of_leg(refusal->path)) {
        json_write_text(json, "member", refusal->path);
        return;
    }
    struct buffer member = {0};
    buffer_append_format(&member, "legs[%d].%s", (int)refusal->leg, refusal->path);
    json_write_text_length(json, "member", member.data, member.length);
    buffer_free(&member);
}

static void write_capacity(struct json *json, const struct refusal *refusal)
{
    json_write_text(json, "pool", refusal->pool);
    json_write_text(json, "limit", refusal->missing_watts > 0 ? "power" : "gpus");
    json_write_integer(json, "free", refusal->free);
    json_write_hour(json, "first_short", refusal->first_short);
    if (refusal->missing_watts > 0)
        book_write_kilowatts(json, "missing_kw", refusal->missing_watts);
    if (refusal->has_next_start)
        json_write_hour(json, "next_start", refusal->next_start);
    else
        json_write_null(json, "next_start");
    json_write_hour(json, "searched_until", refusal->searched_until);
}

static void write_commitment(struct json *json, const struct refusal *refusal)
{
    json_write_text(json, "contract", refusal->contract);
    json_write_hour(json, "period_start", refusal->period_start);
    json_write_amount(json, "available", refusal->available);
    json_write_amount(json, "needed", refusal->needed);
    json_write_integer(json, "max_gpus", refusal->max_gpus);
}

static void write_way_out(struct json *json, enum verdict verdict, const struct refusal *refusal)
{
    switch (verdict) {
    case VERDICT_INVALID_PARAMS:
    case VERDICT_CONFLICT:
        write_member(json, refusal);
        break;
    case VERDICT_INVALID_STATE:
        json_write_text(json, "state", reservation_state_name(refusal->state));
        break;
    case VERDICT_CAPACITY_EXCEEDED:
        write_capacity(json, refusal);
        break;
    case VERDICT_COMMITMENT_EXCEEDED:
        write_commitment(json, refusal);
        break;
    case VERDICT_NO_CONTRACT:
        json_write_hour(json, "first_uncovered", refusal->first_uncovered);
        break;
    case VERDICT_NO_RATE:
        json_write_hour(json, "first_unrated", refusal->first_uncovered);
        break;
    case VERDICT_INVALID_MANIFEST:
        json_write_text(json, "path", refusal->path == NULL ? "" : refusal->path);
        break;
    case VERDICT_DONE:
    case VERDICT_FORBIDDEN:
    case VERDICT_NOT_FOUND:
    case VERDICT_TENANT_SUSPENDED:
    case VERDICT_EXPIRED:
    case VERDICT_AMOUNT_OVERFLOW:
        break;
    }
    if (refusal->leg >= 0)
        json_write_integer(json, "leg", refusal->leg);
}

static void write_refusal(struct buffer *out, const char *id, const struct decision *decision)
{
    struct json json = reply_error_begin(out, id, (int)decision->verdict, decision->refusal.message);
    write_way_out(&json, decision->verdict, &decision->refusal);
    reply_error_end(&json);
}

// ---- What was decided

static void write_marks(struct json *json, bool replayed, bool dry_run)
{
    if (replayed)
        json_write_bool(json, "replayed", true);
    if (dry_run)
        json_write_bool(json, "dry_run", true);
}

// What a decision moved, gross.
struct moved {
    struct amount added, released, fee;
};

static void add_up(struct amount *sum, struct amount part)
{
    // Far beyond any money there is; and a sum that does not fit must not look small.
    if (!amount_add(*sum, part, sum))
        *sum = AMOUNT_MAX;
}

static struct moved moved_by(const struct decision *decision)
{
    struct moved moved = {AMOUNT_ZERO, AMOUNT_ZERO, AMOUNT_ZERO};
    for (size_t i = 0; i < decision->outcome_count; i++) {
        add_up(&moved.added, decision->outcomes[i].added);
        add_up(&moved.released, decision->outcomes[i].released);
        add_up(&moved.fee, decision->outcomes[i].fee);
    }
    return moved;
}

static void write_moved(struct json *json, enum method method, const struct decision *decision)
{
    bool is_change = method == METHOD_RESERVATION_CHANGE;
    // A replay moves nothing, and says nothing of it.
    if (decision->replayed || (!is_change && method != METHOD_RESERVATION_CANCEL))
        return;
    struct moved moved = moved_by(decision);
    if (is_change)
        json_write_amount(json, "added", moved.added);
    json_write_amount(json, "released", moved.released);
    json_write_amount(json, "fee", moved.fee);
}

static void write_group(struct json *json, const struct book *book, const struct decision *decision,
                        struct instant now)
{
    json_write_integer(json, "group", decision->group);
    json_write_array(json, "reservations");
    for (size_t i = 0; i < decision->outcome_count; i++) {
        json_write_object(json, NULL);
        book_write_reservation(book, json, &decision->outcomes[i].image, now);
        json_write_object_end(json);
    }
    json_write_array_end(json);
}

void wire_reply_decision(struct buffer *out, const char *id, const struct book *book,
                         const struct wire_call *call, const struct decision *decision, struct instant now)
{
    enum method method = call->row->method;
    if (decision->verdict != VERDICT_DONE) {
        write_refusal(out, id, decision);
        return;
    }
    struct json json = wire_reply_begin(out, id);
    if (decision->outcome_count > 0 && decision->group != 0)
        write_group(&json, book, decision, now);
    else if (decision->outcome_count > 0)
        book_write_reservation(book, &json, &decision->outcomes[0].image, now);
    else if (decision->result_length > 0)
        json_write_raw(&json, NULL, decision->result, decision->result_length);
    write_moved(&json, method, decision);
    write_marks(&json, decision->replayed, decision->dry_run);
    wire_reply_end(&json);
}

void wire_reply_reservations(struct buffer *out, const char *id, const struct book *book,
                             const struct reservation_image *images, size_t count, int64_t group,
                             bool replayed, bool dry_run, struct instant now)
{
    struct json json = wire_reply_begin(out, id);
    if (group == 0) {
        assert(count == 1);
        book_write_reservation(book, &json, &images[0], now);
    } else {
        json_write_integer(&json, "group", group);
        json_write_array(&json, "reservations");
        for (size_t i = 0; i < count; i++) {
            json_write_object(&json, NULL);
            book_write_reservation(book, &json, &images[i], now);
            json_write_object_end(&json);
        }
        json_write_array_end(&json);
    }
    write_marks(&json, replayed, dry_run);
    wire_reply_end(&json);
}
