// The JSON-RPC envelope: a line to calls.
#include "wire/parameter.h"
#include "wire/reader.h"
#include "wire/scan.h"
#include "wire/wire.h"
#include <string.h>

static void set_error(struct wire_call *call, int code, const char *message, const char *member)
{
    call->row = NULL;
    call->error.code = code;
    call->error.message = message;
    call->error.member = member == NULL || member[0] == '\0' ? NULL : member;
}

// A request that is not one is always answered, with its id where that could be read.
static void refuse_request(struct wire_call *call, const char *message)
{
    if (call->id == NULL)
        call->id = "null";
    set_error(call, RPC_INVALID_REQUEST, message, NULL);
}

static void answer_with_one_error(struct arena *arena, struct wire_message *message, int code,
                                  const char *sentence)
{
    message->calls = arena_allocate(arena, sizeof *message->calls);
    message->call_count = 1;
    message->calls->id = "null";
    set_error(message->calls, code, sentence, NULL);
}

// The id as it was written. A key with escapes in it has no span: then the value is written anew.
static bool read_id(const json_t *id, const char *line, struct span span, struct arena *arena,
                    const char **text)
{
    *text = NULL;
    if (id == NULL)
        return true;
    if (!json_is_string(id) && !json_is_number(id) && !json_is_null(id))
        return false;
    if (span.length > 0) {
        *text = arena_copy(arena, line + span.start, span.length);
        return true;
    }
    size_t size = json_dumpb(id, NULL, 0, JSON_ENCODE_ANY | JSON_COMPACT);
    char *written = arena_allocate(arena, size + 1);
    *text = written;
    return size > 0 && json_dumpb(id, written, size, JSON_ENCODE_ANY | JSON_COMPACT) == size;
}

static bool envelope_is_known(json_t *entry)
{
    static const char *const names[] = {"jsonrpc", "id", "method", "params"};
    const char *key;
    json_t *value;
    json_object_foreach(entry, key, value)
    {
        bool known = false;
        for (size_t i = 0; i < sizeof names / sizeof names[0] && !known; i++)
            known = strcmp(names[i], key) == 0;
        if (!known)
            return false;
    }
    return true;
}

// What is wrong with the request as such; NULL when nothing is.
static const char *envelope_problem(json_t *entry)
{
    const json_t *version = json_object_get(entry, "jsonrpc");
    if (!json_is_string(version) || strcmp(json_string_value(version), "2.0") != 0)
        return "jsonrpc must be \"2.0\"";
    if (!json_is_string(json_object_get(entry, "method")))
        return "method must be a string";
    if (!envelope_is_known(entry))
        return "a request has the members jsonrpc, id, method and params, and no others";
    return NULL;
}

static void parse_params(json_t *params, struct arena *arena, struct wire_call *call)
{
    if (params != NULL && !json_is_null(params) && !json_is_object(params)) {
        set_error(call, RPC_INVALID_PARAMS, "params is an object", NULL);
        return;
    }
    json_t *object = json_is_object(params) ? json_incref(params) : json_object();
    if (object == NULL) {
        set_error(call, RPC_INTERNAL_ERROR, NO_MEMORY_TO_READ, NULL);
        return;
    }
    struct reader reader = {.arena = arena, .subject = "params"};
    bool in_manifest;
    if (!parameters_read(&reader, object, call->row, &call->parameters, &in_manifest))
        set_error(call, in_manifest ? RPC_INVALID_MANIFEST : RPC_INVALID_PARAMS, reader.message, reader.path);
    json_decref(object);
}

static void parse_call(json_t *entry, const char *line, struct span id, struct arena *arena,
                       struct wire_call *call)
{
    if (!json_is_object(entry)) {
        refuse_request(call, "a request is an object");
        return;
    }
    if (!read_id(json_object_get(entry, "id"), line, id, arena, &call->id)) {
        refuse_request(call, "id must be a string, a number or null");
        return;
    }
    const char *problem = envelope_problem(entry);
    if (problem != NULL) {
        refuse_request(call, problem);
        return;
    }
    call->row = call->named = method_by_name(json_string_value(json_object_get(entry, "method")));
    if (call->row == NULL) {
        set_error(call, RPC_METHOD_NOT_FOUND, "there is no such method", NULL);
        return;
    }
    parse_params(json_object_get(entry, "params"), arena, call);
}

static void parse_batch(json_t *root, const char *line, size_t length, struct arena *arena,
                        struct wire_message *message)
{
    size_t count = json_array_size(root);
    if (count == 0) {
        answer_with_one_error(arena, message, RPC_INVALID_REQUEST, "a batch has at least one request");
        return;
    }
    if (count > WIRE_BATCH_MAX) {
        answer_with_one_error(arena, message, RPC_INVALID_REQUEST, "a batch has at most 256 requests");
        return;
    }
    struct span ids[WIRE_BATCH_MAX];
    scan_ids(line, length, ids, count);
    message->is_batch = true;
    message->call_count = count;
    message->calls = arena_allocate(arena, count * sizeof *message->calls);
    for (size_t i = 0; i < count; i++)
        parse_call(json_array_get(root, i), line, ids[i], arena, &message->calls[i]);
}

void wire_parse(const char *line, size_t length, struct arena *arena, struct wire_message *message)
{
    *message = (struct wire_message){0};
    const char *problem;
    json_t *root = read_json(line, length, arena, &problem);
    if (root == NULL) {
        answer_with_one_error(arena, message,
                              problem == NO_MEMORY_TO_READ ? RPC_INTERNAL_ERROR : RPC_PARSE_ERROR, problem);
        return;
    }
    if (json_is_array(root)) {
        parse_batch(root, line, length, arena, message);
    } else {
        struct span id;
        scan_ids(line, length, &id, 1);
        message->call_count = 1;
        message->calls = arena_allocate(arena, sizeof *message->calls);
        parse_call(root, line, id, arena, message->calls);
    }
    json_decref(root);
}
