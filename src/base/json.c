// Writing JSON text. Numbers are formatted here and not by printf: events are written for every decision, and
// the core, which writes them, has no stdio.
#include "base/json.h"

#include <assert.h>
#include <string.h>

// "-9223372036854775808"
#define INTEGER_TEXT_SIZE 20

static void append_integer(struct buffer *out, int64_t value)
{
    char text[INTEGER_TEXT_SIZE];
    size_t at = sizeof text;
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        text[--at] = (char)('0' + size % 10);
        size /= 10;
    } while (size > 0);
    if (value < 0) {
        text[--at] = '-';
    }
    buffer_append(out, text + at, sizeof text - at);
}

// The comma before a value, and its key. What follows the value needs a comma.
static void begin_value(struct json *json, const char *key)
{
    if (json->needs_comma) {
        buffer_append(json->out, ",", 1);
    }
    json->needs_comma = true;
    if (key != NULL) {
        buffer_append(json->out, "\"", 1);
        buffer_append_text(json->out, key);
        buffer_append(json->out, "\":", 2);
    }
}

static void begin_container(struct json *json, const char *key, const char *bracket)
{
    begin_value(json, key);
    buffer_append(json->out, bracket, 1);
    json->needs_comma = false;
}

static void end_container(struct json *json, const char *bracket)
{
    buffer_append(json->out, bracket, 1);
    json->needs_comma = true;
}

void json_write_object(struct json *json, const char *key)
{
    begin_container(json, key, "{");
}

void json_write_object_end(struct json *json)
{
    end_container(json, "}");
}

void json_write_array(struct json *json, const char *key)
{
    begin_container(json, key, "[");
}

void json_write_array_end(struct json *json)
{
    end_container(json, "]");
}

static void append_escaped(struct buffer *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    // The control characters that have a short form, each before its letter.
    static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (size_t i = 0; i + 1 < sizeof short_forms; i += 2) {
        if (c == (unsigned char)short_forms[i]) {
            char text[2] = {'\\', short_forms[i + 1]};
            buffer_append(out, text, sizeof text);
            return;
        }
    }
    char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    buffer_append(out, text, sizeof text);
}

static void append_quoted(struct buffer *out, const char *text, size_t length)
{
    buffer_append(out, "\"", 1);
    size_t plain = 0; // where the run of characters begins that need no escape
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
            continue;
        }
        buffer_append(out, text + plain, i - plain);
        append_escaped(out, c);
        plain = i + 1;
    }
    buffer_append(out, text + plain, length - plain);
    buffer_append(out, "\"", 1);
}

void json_write_text(struct json *json, const char *key, const char *text)
{
    if (text == NULL) {
        json_write_null(json, key);
    } else {
        json_write_text_length(json, key, text, strlen(text));
    }
}

void json_write_text_length(struct json *json, const char *key, const char *text, size_t length)
{
    begin_value(json, key);
    append_quoted(json->out, text, length);
}

void json_write_integer(struct json *json, const char *key, int64_t value)
{
    begin_value(json, key);
    append_integer(json->out, value);
}

void json_write_bool(struct json *json, const char *key, bool value)
{
    begin_value(json, key);
    buffer_append_text(json->out, value ? "true" : "false");
}

void json_write_null(struct json *json, const char *key)
{
    begin_value(json, key);
    buffer_append(json->out, "null", 4);
}

void json_write_amount(struct json *json, const char *key, struct amount amount)
{
    char text[AMOUNT_TEXT_SIZE];
    json_write_text_length(json, key, text, amount_format(amount, text));
}

void json_write_instant(struct json *json, const char *key, struct instant instant)
{
    char text[INSTANT_TEXT_SIZE];
    json_write_text_length(json, key, text, instant_format(instant, text));
}

void json_write_hour(struct json *json, const char *key, struct hour hour)
{
    json_write_instant(json, key, hour_start(hour));
}

void json_write_percent(struct json *json, const char *key, int64_t basis_points)
{
    begin_value(json, key);
    uint64_t size = basis_points < 0 ? 0 - (uint64_t)basis_points : (uint64_t)basis_points;
    if (basis_points < 0) {
        buffer_append(json->out, "-", 1);
    }
    append_integer(json->out, (int64_t)(size / 100));
    char decimals[3] = {'.', (char)('0' + size / 10 % 10), (char)('0' + size % 10)};
    if (decimals[2] != '0') {
        buffer_append(json->out, decimals, 3);
    } else if (decimals[1] != '0') {
        buffer_append(json->out, decimals, 2);
    }
}

void json_write_raw(struct json *json, const char *key, const char *text, size_t length)
{
    assert(length > 0);
    begin_value(json, key);
    buffer_append(json->out, text, length);
}
