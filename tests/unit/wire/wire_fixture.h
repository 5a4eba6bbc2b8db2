// What the tests of the wire share: parsing a line, and looking into JSON texts.
#ifndef TESTS_UNIT_WIRE_FIXTURE_H
#define TESTS_UNIT_WIRE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// Before base/json.h, which has names in common with it.
#include <jansson.h>

#include "wire/wire.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Parses bytes that end where their memory ends, so that reading on is noticed.
static inline struct wire_message parse_bytes(struct arena *arena, const char *bytes, size_t length)
{
    char *exact = malloc(length == 0 ? 1 : length);
    assert_non_null(exact);
    memcpy(exact, bytes, length);
    struct wire_message message;
    wire_parse(exact, length, arena, &message);
    free(exact);
    return message;
}

static inline struct wire_message parse_line(struct arena *arena, const char *line)
{
    return parse_bytes(arena, line, strlen(line));
}

// The only call of a line.
static inline struct wire_call parse_one(struct arena *arena, const char *line)
{
    struct wire_message message = parse_line(arena, line);
    assert_int_equal(message.call_count, 1);
    assert_false(message.is_batch);
    return message.calls[0];
}

// The call of a method with parameters.
static inline struct wire_call parse_method(struct arena *arena, const char *method, const char *params)
{
    size_t size = strlen(method) + strlen(params) + 80;
    char *line = malloc(size);
    assert_non_null(line);
    snprintf(line, size, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method, params);
    struct wire_call call = parse_one(arena, line);
    free(line);
    return call;
}

static inline void assert_error(const struct wire_call *call, const char *id, int code)
{
    assert_int_equal(call->error.code, code);
    assert_null(call->row);
    assert_non_null(call->error.message);
    if (id == NULL)
        assert_null(call->id);
    else
        assert_string_equal(call->id, id);
}

// The value at a path of names and indices: "error.data.kind", "pools.0.free". NULL when there is none.
static inline json_t *value_at(json_t *root, const char *path)
{
    char copy[200];
    assert_true(strlen(path) < sizeof copy);
    strcpy(copy, path);
    json_t *value = root;
    for (char *part = strtok(copy, "."); part != NULL && value != NULL; part = strtok(NULL, "."))
        value =
            json_is_array(value) ? json_array_get(value, (size_t)atoi(part)) : json_object_get(value, part);
    return value;
}

static inline void assert_text_at(json_t *root, const char *path, const char *expected)
{
    json_t *value = value_at(root, path);
    if (!json_is_string(value))
        fail_msg("%s is no string", path);
    assert_string_equal(json_string_value(value), expected);
}

static inline void assert_integer_at(json_t *root, const char *path, int64_t expected)
{
    json_t *value = value_at(root, path);
    if (!json_is_integer(value))
        fail_msg("%s is no integer", path);
    assert_int_equal(json_integer_value(value), expected);
}

static inline void assert_null_at(json_t *root, const char *path)
{
    if (!json_is_null(value_at(root, path)))
        fail_msg("%s is not null", path);
}

static inline void assert_nothing_at(json_t *root, const char *path)
{
    if (value_at(root, path) != NULL)
        fail_msg("%s is there", path);
}

static inline json_t *load(const struct buffer *text)
{
    json_error_t error;
    json_t *root = json_loadb(text->data, text->length, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        fail_msg("%s: %s", error.text, text->data);
    return root;
}

// A file of the project, whose root is the folder that the tests run in.
static inline char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s can't be opened: the tests run in the project's root", path);
    size_t capacity = 1 << 20;
    char *text = malloc(capacity);
    assert_non_null(text);
    *length = fread(text, 1, capacity, file);
    assert_true(*length < capacity);
    fclose(file);
    return text;
}

#endif
