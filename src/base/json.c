// Writing JSON text. Numbers are formatted here and not by printf: events are written for every decision, and
// the core, which writes them, has no stdio.
#include "base/json.h"

#include <assert.h>
#include <string.h>

// "-9223372036854775808"
#define INTEGER_TEXT_SIZE 20

// The longest form of one character: "\u0000".
#define ESCAPE_SIZE 6

// A value is written in one go: begin_value finds room for all of it and writes what goes before it, the
// value is put there, and end_value takes note of how far that came.

// The comma before a value, and its key. Returns where the value goes, with room for `room` bytes.
static char *begin_value(struct json *json, const char *key, size_t room)
{
    size_t key_length = key == NULL ? 0 : strlen(key);
    char *end = buffer_reserve(json->out, room + key_length + sizeof ",\"\":" - 1);
    if (json->needs_comma) {
        *end++ = ',';
    }
    json->needs_comma = true;
    if (key != NULL) {
        *end++ = '"';
        memcpy(end, key, key_length);
        end += key_length;
        *end++ = '"';
        *end++ = ':';
    }
    return end;
}

static void end_value(struct json *json, char *end)
{
    json->out->length = (size_t)(end - json->out->data);
    *end = '\0';
}

static char *put_integer(char *end, int64_t value)
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
    memcpy(end, text + at, sizeof text - at);
    return end + (sizeof text - at);
}

static void begin_container(struct json *json, const char *key, char bracket)
{
    char *end = begin_value(json, key, 1);
    *end++ = bracket;
    end_value(json, end);
    json->needs_comma = false;
}

static void end_container(struct json *json, const char *bracket)
{
    buffer_append(json->out, bracket, 1);
    json->needs_comma = true;
}

void json_write_object(struct json *json, const char *key)
{
    begin_container(json, key, '{');
}

void json_write_object_end(struct json *json)
{
    end_container(json, "}");
}

void json_write_array(struct json *json, const char *key)
{
    begin_container(json, key, '[');
}

void json_write_array_end(struct json *json)
{
    end_container(json, "]");
}

static bool needs_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\' || c == 0x7f;
}

static char *put_escaped(char *end, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    // The control characters that have a short form, each before its letter.
    static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    *end++ = '\\';
    for (size_t i = 0; i + 1 < sizeof short_forms; i += 2) {
        if (c == (unsigned char)short_forms[i]) {
            *end++ = short_forms[i + 1];
            return end;
        }
    }
    memcpy(end, "u00", 3);
    end[3] = hex[c >> 4];
    end[4] = hex[c & 15];
    return end + 5;
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
    size_t escapes = 0;
    for (size_t i = 0; i < length; i++) {
        escapes += needs_escape((unsigned char)text[i]);
    }
    char *end = begin_value(json, key, length + escapes * (ESCAPE_SIZE - 1) + 2);
    *end++ = '"';
    if (escapes == 0) {
        memcpy(end, text, length);
        end += length;
    } else {
        for (size_t i = 0; i < length; i++) {
            unsigned char c = (unsigned char)text[i];
            if (needs_escape(c)) {
                end = put_escaped(end, c);
            } else {
                *end++ = (char)c;
            }
        }
    }
    *end++ = '"';
    end_value(json, end);
}

void json_write_integer(struct json *json, const char *key, int64_t value)
{
    end_value(json, put_integer(begin_value(json, key, INTEGER_TEXT_SIZE), value));
}

void json_write_bool(struct json *json, const char *key, bool value)
{
    json_write_raw(json, key, value ? "true" : "false", value ? 4 : 5);
}

void json_write_null(struct json *json, const char *key)
{
    json_write_raw(json, key, "null", 4);
}

void json_write_amount(struct json *json, const char *key, struct amount amount)
{
    char *end = begin_value(json, key, AMOUNT_TEXT_SIZE + 2);
    *end++ = '"';
    end += amount_format(amount, end);
    *end++ = '"';
    end_value(json, end);
}

void json_write_instant(struct json *json, const char *key, struct instant instant)
{
    char *end = begin_value(json, key, INSTANT_TEXT_SIZE + 2);
    *end++ = '"';
    end += instant_format(instant, end);
    *end++ = '"';
    end_value(json, end);
}

void json_write_hour(struct json *json, const char *key, struct hour hour)
{
    json_write_instant(json, key, hour_start(hour));
}

void json_write_percent(struct json *json, const char *key, int64_t basis_points)
{
    char *end = begin_value(json, key, INTEGER_TEXT_SIZE + 3);
    uint64_t size = basis_points < 0 ? 0 - (uint64_t)basis_points : (uint64_t)basis_points;
    if (basis_points < 0) {
        *end++ = '-';
    }
    end = put_integer(end, (int64_t)(size / 100));
    char tenth = (char)('0' + size / 10 % 10), hundredth = (char)('0' + size % 10);
    if (tenth != '0' || hundredth != '0') {
        *end++ = '.';
        *end++ = tenth;
    }
    if (hundredth != '0') {
        *end++ = hundredth;
    }
    end_value(json, end);
}

void json_write_raw(struct json *json, const char *key, const char *text, size_t length)
{
    assert(length > 0);
    char *end = begin_value(json, key, length);
    memcpy(end, text, length);
    end_value(json, end + length);
}
