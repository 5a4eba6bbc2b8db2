// Requests and replies as JSON. The caller's parameters are checked and sent as they were written, not
// rewritten, so that the daemon judges the numbers that the caller meant.
#include "client/internal.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_json_object(const char *params, char message[COLOSSUS_MESSAGE_SIZE])
{
    json_error_t error;
    json_t *parsed = json_loads(params, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    bool good = json_is_object(parsed);
    if (parsed == NULL)
        snprintf(message, COLOSSUS_MESSAGE_SIZE, "the parameters are no JSON: line %d, column %d: %s",
                 error.line, error.column, error.text);
    else if (!good)
        snprintf(message, COLOSSUS_MESSAGE_SIZE, "the parameters must be a JSON object");
    json_decref(parsed);
    return good;
}

// A request is one line. In valid JSON a line break only ever stands between tokens.
static void join_lines(char *text)
{
    for (char *c = text; *c != '\0'; c++)
        if (*c == '\n' || *c == '\r')
            *c = ' ';
}

char *colossus_request_line(int64_t id, const char *method, const char *params, size_t *length, bool *misuse,
                            char message[COLOSSUS_MESSAGE_SIZE])
{
    *misuse = params != NULL && !is_json_object(params, message);
    if (*misuse)
        return NULL;
    json_t *name = json_string(method);
    *misuse = name == NULL;
    if (name == NULL) {
        snprintf(message, COLOSSUS_MESSAGE_SIZE, "the method's name is not UTF-8");
        return NULL;
    }
    char *quoted = json_dumps(name, JSON_ENCODE_ANY);
    json_decref(name);
    if (quoted == NULL)
        return NULL;
    static const char format[] = "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"method\":%s%s%s}";
    const char *comma = params == NULL ? "" : ",\"params\":";
    const char *text = params == NULL ? "" : params;
    size_t size = sizeof format + 20 + strlen(quoted) + strlen(comma) + strlen(text) + 1;
    char *line = malloc(size);
    if (line != NULL) {
        *length = (size_t)snprintf(line, size, format, (long long)id, quoted, comma, text);
        join_lines(line);
        line[(*length)++] = '\n';
        line[*length] = '\0';
    }
    free(quoted);
    return line;
}

// The value as text; *failed when there is a value and no memory for its text.
static char *text_of_json(const json_t *value, bool *failed)
{
    if (value == NULL)
        return NULL;
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    *failed = *failed || text == NULL;
    return text;
}

static char *text_copy(const json_t *value, const char *otherwise, bool *failed)
{
    const char *text = json_is_string(value) ? json_string_value(value) : otherwise;
    char *copy = strdup(text);
    *failed = *failed || copy == NULL;
    return copy;
}

static bool is_unknown_outcome(const json_t *data)
{
    const char *outcome = json_string_value(json_object_get(data, "outcome"));
    return outcome != NULL && strcmp(outcome, "unknown") == 0;
}

static enum colossus_line_kind read_error(const json_t *error, struct colossus_reply *reply)
{
    const json_t *data = json_object_get(error, "data");
    json_int_t code = json_integer_value(json_object_get(error, "code"));
    if (code == 0 || code < INT32_MIN || code > INT32_MAX)
        return COLOSSUS_LINE_SENSELESS;
    const char *kind = colossus_kind((int)code);
    bool failed = false;
    reply->status = is_unknown_outcome(data) ? COLOSSUS_OUTCOME_UNKNOWN : COLOSSUS_REFUSED;
    reply->code = (int)code;
    reply->kind = text_copy(json_object_get(data, "kind"), kind == NULL ? "" : kind, &failed);
    reply->message = text_copy(json_object_get(error, "message"), "", &failed);
    reply->data = text_of_json(data, &failed);
    return failed ? COLOSSUS_LINE_NO_MEMORY : COLOSSUS_LINE_REPLY;
}

static enum colossus_line_kind read_object(const json_t *object, int64_t id, struct colossus_reply *reply)
{
    const json_t *answered = json_object_get(object, "id");
    const json_t *result = json_object_get(object, "result"), *error = json_object_get(object, "error");
    if (answered == NULL && json_object_get(object, "method") != NULL)
        return COLOSSUS_LINE_NOTIFICATION;
    bool is_mine = json_is_integer(answered) && json_integer_value(answered) == id;
    if (is_mine && json_is_object(result) && error == NULL) {
        bool failed = false;
        reply->status = COLOSSUS_OK;
        reply->result = text_of_json(result, &failed);
        return failed ? COLOSSUS_LINE_NO_MEMORY : COLOSSUS_LINE_REPLY;
    }
    if ((is_mine || json_is_null(answered)) && json_is_object(error) && result == NULL)
        return read_error(error, reply);
    return COLOSSUS_LINE_SENSELESS;
}

static json_t *load(const char *line, size_t length, enum colossus_line_kind *kind)
{
    json_error_t error;
    json_t *object = json_loadb(line, length, JSON_ALLOW_NUL, &error);
    *kind = object == NULL && json_error_code(&error) == json_error_out_of_memory ? COLOSSUS_LINE_NO_MEMORY
                                                                                  : COLOSSUS_LINE_SENSELESS;
    return object;
}

enum colossus_line_kind colossus_reply_read(const char *line, size_t length, int64_t id,
                                            struct colossus_reply *reply)
{
    enum colossus_line_kind kind;
    json_t *object = load(line, length, &kind);
    if (object != NULL)
        kind = read_object(object, id, reply);
    json_decref(object);
    return kind;
}

static enum colossus_line_kind read_notification(const json_t *object, struct colossus_reply *reply)
{
    const char *method = json_string_value(json_object_get(object, "method"));
    bool failed = false;
    if (method != NULL && strcmp(method, "event") == 0)
        reply->result = text_of_json(json_object_get(object, "params"), &failed);
    return failed ? COLOSSUS_LINE_NO_MEMORY : COLOSSUS_LINE_NOTIFICATION;
}

enum colossus_line_kind colossus_event_read(const char *line, size_t length, struct colossus_reply *reply)
{
    enum colossus_line_kind kind;
    json_t *object = load(line, length, &kind);
    const json_t *id = json_object_get(object, "id"), *error = json_object_get(object, "error");
    if (id == NULL && json_object_get(object, "method") != NULL)
        kind = read_notification(object, reply);
    else if (json_is_null(id) && json_is_object(error))
        kind = read_error(error, reply);
    json_decref(object);
    return kind;
}
