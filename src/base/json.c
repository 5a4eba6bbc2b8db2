#include "base/json.h"

#include <string.h>

// What comes before a value: a comma, and its key.
static void begin_value(struct json *json, const char *key)
{
    if (json->needs_comma)
        buffer_append(json->out, ",", 1);
    json->needs_comma = true;
    if (key == NULL)
        return;
    buffer_append(json->out, "\"", 1);
    buffer_append_text(json->out, key);
    buffer_append(json->out, "\":", 2);
}

static void open(struct json *json, const char *key, const char *bracket)
{
    begin_value(json, key);
    buffer_append(json->out, bracket, 1);
    json->needs_comma = false;
}

static void close(struct json *json, const char *bracket)
{
    buffer_append(json->out, bracket, 1);
    json->needs_comma = true;
}

void json_object(struct json *json, const char *key)
{
    open(json, key, "{");
}

void json_object_end(struct json *json)
{
    close(json, "}");
}

void json_array(struct json *json, const char *key)
{
    open(json, key, "[");
}

void json_array_end(struct json *json)
{
    close(json, "]");
}

static void append_escape(struct buffer *out, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    switch (c) {
    case '"':
        buffer_append(out, "\\\"", 2);
        return;
    case '\\':
        buffer_append(out, "\\\\", 2);
        return;
    case '\n':
        buffer_append(out, "\\n", 2);
        return;
    case '\t':
        buffer_append(out, "\\t", 2);
        return;
    default: {
        char escape[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
        buffer_append(out, escape, sizeof escape);
    }
    }
}

void json_text_length(struct json *json, const char *key, const char *text, size_t length)
{
    begin_value(json, key);
    buffer_append(json->out, "\"", 1);
    size_t plain = 0; // where the run begins that needs no escape
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        buffer_append(json->out, text + plain, i - plain);
        append_escape(json->out, c);
        plain = i + 1;
    }
    buffer_append(json->out, text + plain, length - plain);
    buffer_append(json->out, "\"", 1);
}

void json_text(struct json *json, const char *key, const char *text)
{
    if (text == NULL)
        json_null(json, key);
    else
        json_text_length(json, key, text, strlen(text));
}

void json_integer(struct json *json, const char *key, int64_t value)
{
    begin_value(json, key);
    char text[20];
    size_t place = sizeof text;
    uint64_t rest = value < 0 ? UINT64_C(0) - (uint64_t)value : (uint64_t)value;
    do {
        text[--place] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        buffer_append(json->out, "-", 1);
    buffer_append(json->out, text + place, sizeof text - place);
}

void json_bool(struct json *json, const char *key, bool value)
{
    begin_value(json, key);
    buffer_append_text(json->out, value ? "true" : "false");
}

void json_null(struct json *json, const char *key)
{
    begin_value(json, key);
    buffer_append(json->out, "null", 4);
}

void json_amount(struct json *json, const char *key, struct amount amount)
{
    char text[AMOUNT_TEXT_SIZE];
    size_t length = amount_format(amount, text);
    json_text_length(json, key, text, length);
}

void json_instant(struct json *json, const char *key, struct instant instant)
{
    char text[INSTANT_TEXT_SIZE];
    size_t length = instant_format(instant, text);
    json_text_length(json, key, text, length);
}

void json_hour(struct json *json, const char *key, struct hour hour)
{
    json_instant(json, key, hour_start(hour));
}

void json_percent(struct json *json, const char *key, int64_t basis_points)
{
    json_integer(json, key, basis_points / 100);
    int64_t rest = basis_points % 100;
    if (rest < 0)
        rest = -rest;
    if (rest == 0)
        return;
    char fraction[] = {'.', (char)('0' + rest / 10), (char)('0' + rest % 10)};
    buffer_append(json->out, fraction, rest % 10 == 0 ? 2 : 3);
}

void json_raw(struct json *json, const char *key, const char *text, size_t length)
{
    begin_value(json, key);
    buffer_append(json->out, text, length);
}
