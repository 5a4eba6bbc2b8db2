// Fuzzing the wire: any bytes of a client, through the splitting into lines, the parser, the core's deciding
// and the replies.
//
// Checked: lines come out the same however the bytes were cut by the network; what the parser takes is JSON
// by another reader, and what it refuses as no JSON is none; every call is either a known method or an error
// with a sentence; an id comes back as it was written; every reply is one line of JSON that begins with its
// request's id. What is decided is never applied, so the world stays as it is.

// Before base/json.h, which has names in common with it.
#include <jansson.h>

#include "fuzz.h"

#include "grammar.h"
#include "wire/wire.h"
#include <stdlib.h>
#include <string.h>

#define LINE_MAX 4096

static struct book *book;
static struct arena arena;
static struct buffer reply;

// ---- Replies

// The reply is whole: one JSON text without a newline, with the call's id at its place.
static void check_reply(const char *id)
{
    static const char head[] = "{\"jsonrpc\":\"2.0\",\"id\":";
    size_t head_length = sizeof head - 1, id_length = strlen(id);
    struct grammar grammar = grammar_judge(reply.data, reply.length);
    if (!grammar.is_json)
        FUZZ_FAIL("a reply is no JSON: %s", reply.data);
    FUZZ_CHECK(memchr(reply.data, '\n', reply.length) == NULL);
    FUZZ_CHECK(reply.length > head_length + id_length && memcmp(reply.data, head, head_length) == 0);
    FUZZ_CHECK(memcmp(reply.data + head_length, id, id_length) == 0 &&
               reply.data[head_length + id_length] == ',');
    reply.length = 0;
}

static void answer_error(const struct wire_call *call, const char *id)
{
    FUZZ_CHECK(call->row == NULL && call->error.message != NULL && call->error.message[0] != '\0');
    FUZZ_CHECK(rpc_error_kind(call->error.code) != NULL);
    FUZZ_CHECK(call->error.member == NULL || call->error.code == RPC_INVALID_PARAMS ||
               call->error.code == RPC_INVALID_MANIFEST);
    wire_reply_error(&reply, id, call->error.code, call->error.message, call->error.member);
    check_reply(id);
}

// Decides, as who the caller may be, and writes the answer. A dry run says what the decision itself does.
static void answer_change(const struct wire_call *call, const char *id, uint32_t tenant)
{
    struct request request;
    struct decision decision, foretold;
    wire_request(call, &arena, &request);
    request.actor = tenant == 0 ? (struct actor){.role = ROLE_OPERATOR, .name = "uid:0"}
                                : (struct actor){.role = ROLE_TENANT, .tenant = tenant, .name = "uid:61001"};
    book_decide(book, &request, WORLD_NOW, &arena, &decision);
    FUZZ_CHECK(decision.verdict == VERDICT_DONE || decision.row_count == 0);
    FUZZ_CHECK(decision.verdict == VERDICT_DONE || decision.refusal.message != NULL);
    FUZZ_CHECK(!decision.replayed || decision.row_count == 0);
    bool is_read_from_ledger = decision.verdict == VERDICT_DONE && decision.replay_thing != 0 &&
                               decision.outcome_count == 0 && decision.result == NULL;
    if (!is_read_from_ledger) {
        wire_reply_decision(&reply, id, book, call, &decision, WORLD_NOW);
        check_reply(id);
    }
    request.dry_run = !request.dry_run;
    book_decide(book, &request, WORLD_NOW, &arena, &foretold);
    FUZZ_CHECK(foretold.verdict == decision.verdict && foretold.row_count == decision.row_count &&
               foretold.outcome_count == decision.outcome_count);
}

static void answer_get(const struct wire_call *call, const char *id)
{
    struct reservation_image images[2];
    const struct parameters *parameters = &call->parameters;
    bool is_group = parameter_given(parameters, PARAMETER_GROUP);
    int64_t first = is_group ? parameters->group : parameters->id;
    if (parameter_given(parameters, PARAMETER_CLIENT_REF))
        first = book_client_ref(book, 1, parameters->client_ref, &is_group);
    if (!book_reservation(book, first, WORLD_NOW, &images[0]) || (is_group && images[0].row.group != first) ||
        (is_group && !book_reservation(book, first + 1, WORLD_NOW, &images[1])))
        return;
    wire_reply_reservations(&reply, id, book, images, is_group ? 2 : 1, is_group ? first : 0, false, false,
                            WORLD_NOW);
    check_reply(id);
}

static void answer_read(const struct wire_call *call, const char *id, uint32_t tenant)
{
    struct json json;
    switch (call->row->method) {
    case METHOD_POOL_LIST:
        wire_reply_pool_list(&reply, id, book, tenant, WORLD_NOW);
        break;
    case METHOD_POOL_CALENDAR:
        wire_reply_pool_calendar(&reply, id, book, tenant, &call->parameters, WORLD_NOW);
        break;
    case METHOD_OFFER_SEARCH:
        // An operator says for whom; the dispatch sees to it.
        wire_reply_offers(&reply, id, book, 1, &call->parameters, &arena, WORLD_NOW);
        break;
    case METHOD_COMMITMENT_PLAN:
        wire_reply_commitment_plan(&reply, id, book, tenant, &call->parameters, &arena, WORLD_NOW);
        break;
    case METHOD_COMMITMENT_STATUS:
        wire_reply_commitment_status(&reply, id, book, tenant, &call->parameters, WORLD_NOW);
        break;
    case METHOD_RESERVATION_GET:
        answer_get(call, id);
        return;
    case METHOD_MANIFEST_EXPORT:
        json = wire_reply_begin(&reply, id);
        json_write_object(&json, "manifest");
        book_write_manifest(book, &json);
        json_write_object_end(&json);
        wire_reply_end(&json);
        break;
    default:
        json = wire_reply_begin(&reply, id);
        wire_reply_end(&json);
        break;
    }
    check_reply(id);
}

// Who asks: an operator where only one may, else it depends on the bytes.
static uint32_t asking_tenant(const struct wire_call *call, size_t line_length)
{
    return call->row->access == ACCESS_OPERATOR || line_length % 2 == 0 ? 0 : 1;
}

static void answer(const struct wire_call *call, size_t line_length)
{
    // A notification is carried out too; its answer goes nowhere, but must be one.
    const char *id = call->id == NULL ? "null" : call->id;
    if (call->error.code != 0) {
        answer_error(call, id);
        return;
    }
    FUZZ_CHECK(call->row != NULL && method_by_name(call->row->name) == call->row);
    uint32_t tenant = asking_tenant(call, line_length);
    if (call->row->changes)
        answer_change(call, id, tenant);
    else
        answer_read(call, id, tenant);
}

// ---- Lines

// What the parser says about the text as such, beside what another reader says.
static void check_against_grammar(const struct wire_message *message, const char *line, size_t length)
{
    struct grammar grammar = grammar_judge(line, length);
    bool accepted = message->calls[0].error.code != RPC_PARSE_ERROR;
    if (accepted) {
        FUZZ_CHECK(!message->is_batch || length >= 2);
        FUZZ_CHECK(grammar.is_json && !grammar.has_nul);
        return;
    }
    FUZZ_CHECK(message->call_count == 1 && !message->is_batch && strcmp(message->calls[0].id, "null") == 0);
    if (!grammar.is_json || grammar.has_nul)
        return;
    // JSON all the same: then it is what the protocol does not allow beside.
    const char *said = message->calls[0].error.message;
    bool is_range = grammar.long_number && strstr(said, "a number is out of range") == said;
    if (!is_range && strstr(said, "a member is there twice") != said)
        FUZZ_FAIL("JSON was refused: %s", said);
}

// The id of a call is that of its own request in the text, read here in another way.
static void check_id(const struct wire_call *call, const json_t *entry)
{
    const json_t *written = json_is_object(entry) ? json_object_get(entry, "id") : NULL;
    bool is_id = json_is_string(written) || json_is_number(written) || json_is_null(written);
    if (call->id == NULL) {
        FUZZ_CHECK(json_is_object(entry) && written == NULL);
        return;
    }
    json_t *id = json_loads(call->id, JSON_DECODE_ANY, NULL);
    FUZZ_CHECK(id != NULL);
    FUZZ_CHECK(is_id ? json_equal(id, written) : json_is_null(id) && call->error.code == RPC_INVALID_REQUEST);
    json_decref(id);
}

static void check_ids(const struct wire_message *message, const char *line, size_t length)
{
    json_t *root = json_loadb(line, length, JSON_DECODE_ANY, NULL);
    FUZZ_CHECK(root != NULL);
    FUZZ_CHECK(!message->is_batch || json_array_size(root) == message->call_count);
    bool is_refused_whole = json_is_array(root) && !message->is_batch;
    for (size_t i = 0; i < message->call_count && !is_refused_whole; i++)
        check_id(&message->calls[i], message->is_batch ? json_array_get(root, i) : root);
    json_decref(root);
}

static void parse(const char *line, size_t length)
{
    struct wire_message message;
    wire_parse(line, length, &arena, &message);
    FUZZ_CHECK(message.call_count >= 1 && message.call_count <= WIRE_BATCH_MAX);
    FUZZ_CHECK(message.is_batch || message.call_count == 1);
    check_against_grammar(&message, line, length);
    if (message.calls[0].error.code != RPC_PARSE_ERROR)
        check_ids(&message, line, length);
    for (size_t i = 0; i < message.call_count; i++)
        answer(&message.calls[i], length);
}

// The same line must be found when only a part of what follows it has come, and none before it is there.
static void check_cut(const char *bytes, size_t length, size_t line, size_t consumed)
{
    size_t again, taken;
    bool too_large;
    FUZZ_CHECK(bytes[consumed - 1] == '\n' && memchr(bytes, '\n', line) == NULL);
    FUZZ_CHECK(line == consumed - 1 - (consumed > 1 && bytes[consumed - 2] == '\r'));
    FUZZ_CHECK(!line_next(bytes, consumed - 1, LINE_MAX, &again, &taken, &too_large) && !too_large);
    size_t part = consumed + (length - consumed) / 2;
    FUZZ_CHECK(line_next(bytes, part, LINE_MAX, &again, &taken, &too_large) && again == line &&
               taken == consumed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (book == NULL) {
        fuzz_initialise();
        book = world_book(true);
    }
    // A copy of its own size, so that reading on is noticed.
    char *bytes = malloc(size > 0 ? size : 1);
    FUZZ_CHECK(bytes != NULL);
    if (size > 0)
        memcpy(bytes, data, size);
    size_t at = 0, line, consumed;
    bool too_large = false;
    while (line_next(bytes + at, size - at, LINE_MAX, &line, &consumed, &too_large)) {
        FUZZ_CHECK(!too_large && line < consumed && consumed <= size - at && line <= LINE_MAX);
        check_cut(bytes + at, size - at, line, consumed);
        parse(bytes + at, line);
        at += consumed;
    }
    FUZZ_CHECK(line == 0 && consumed == 0);
    // What is left has no end. It is parsed all the same, so that an input needs no newline.
    if (!too_large && at < size)
        parse(bytes + at, size - at);
    free(bytes);
    arena_reset(&arena);
    return 0;
}
