#include "wire/reader.h"

#include "base/buffer.h"
#include "wire/json_memory.h"
#include "wire/scan.h"
#include "wire/wire.h"
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char NO_MEMORY_TO_READ[] = "there was no memory to read this: nothing was done";

// ---- Where the reader is

void reader_enter(struct reader *reader, const char *name)
{
    assert(reader->depth < READER_DEPTH);
    reader->places[reader->depth++] = (struct place){.name = name};
}

void reader_enter_index(struct reader *reader, size_t index)
{
    assert(reader->depth < READER_DEPTH);
    reader->places[reader->depth++] = (struct place){.index = index};
}

void reader_leave(struct reader *reader)
{
    assert(reader->depth > 0);
    reader->depth--;
}

// How many bytes of a name are shown: whole characters only.
static size_t shown_length(const char *name)
{
    size_t length = strlen(name);
    if (length <= SHOWN_NAME_MAX)
        return length;
    length = SHOWN_NAME_MAX;
    while (length > 0 && ((unsigned char)name[length] & 0xC0) == 0x80)
        length--;
    return length;
}

static void append_path(struct buffer *text, const struct reader *reader)
{
    for (size_t i = 0; i < reader->depth; i++) {
        const struct place *place = &reader->places[i];
        if (place->name == NULL) {
            buffer_append_format(text, "[%zu]", place->index);
            continue;
        }
        if (i > 0)
            buffer_append_text(text, ".");
        buffer_append(text, place->name, shown_length(place->name));
    }
}

bool reader_fail(struct reader *reader, const char *format, ...)
{
    if (reader->message != NULL)
        return false;
    char problem[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem, sizeof problem, format, arguments);
    va_end(arguments);

    struct buffer text = {0};
    append_path(&text, reader);
    reader->path = arena_copy(reader->arena, text.length == 0 ? "" : text.data, text.length);
    if (text.length == 0)
        buffer_append_text(&text, reader->subject);
    buffer_append_text(&text, " ");
    buffer_append_text(&text, problem);
    reader->message = arena_copy(reader->arena, text.data, text.length);
    buffer_free(&text);
    return false;
}

bool reader_fail_member(struct reader *reader, const char *name, const char *problem)
{
    reader_enter(reader, name);
    reader_fail(reader, "%s", problem);
    reader_leave(reader);
    return false;
}

// ---- Text

// The code points of valid UTF-8: every byte that does not continue one begins one.
static size_t character_count(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

static bool is_name(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!is_name_character(text[i]))
            return false;
    return length >= 1 && length <= 64;
}

static bool is_pool_name(const char *text, size_t length)
{
    const char *slash = memchr(text, '/', length);
    if (slash == NULL)
        return false;
    size_t site = (size_t)(slash - text);
    return is_name(text, site) && is_name(slash + 1, length - site - 1);
}

static bool is_file_name(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!is_name_character(text[i]) && !(text[i] >= 'A' && text[i] <= 'Z'))
            return false;
    return length > 0 && text[0] != '.';
}

static bool is_printable(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] < 0x20 || text[i] > 0x7E)
            return false;
    return true;
}

// Control characters are U+0000 to U+001F, U+007F, and U+0080 to U+009F, which UTF-8 writes as C2 80 to C2
// 9F.
static bool has_control_character(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == 0x7F)
            return true;
        if (c == 0xC2 && i + 1 < length && (unsigned char)text[i + 1] < 0xA0)
            return true;
    }
    return false;
}

static bool follows_rule(struct reader *reader, const char *text, size_t length, enum text_rule rule)
{
    switch (rule) {
    case TEXT_FREE:
        return !has_control_character(text, length) ||
               reader_fail(reader, "must not hold control characters");
    case TEXT_PRINTABLE:
        return is_printable(text, length) || reader_fail(reader, "must be printable ASCII characters");
    case TEXT_NAME:
        return is_name(text, length) ||
               reader_fail(reader, "must be 1 to 64 characters of a-z, 0-9, '.', '_' and '-'");
    case TEXT_POOL_NAME:
        return is_pool_name(text, length) ||
               reader_fail(reader, "must be the site's name, a slash and the pool's own name, each 1 to 64 "
                                   "characters of a-z, 0-9, '.', '_' and '-'");
    case TEXT_FILE_NAME:
        return is_file_name(text, length) ||
               reader_fail(reader, "must be letters, digits, '.', '_' and '-', and not begin with a dot");
    }
    return false;
}

bool read_text(struct reader *reader, const json_t *value, enum text_rule rule, size_t least, size_t most,
               const char **result)
{
    if (!json_is_string(value))
        return reader_fail(reader, "must be a string");
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);
    size_t count = character_count(text, length);
    if (count < least || count > most)
        return reader_fail(reader, "must be %zu to %zu characters", least, most);
    if (!follows_rule(reader, text, length, rule))
        return false;
    *result = arena_copy(reader->arena, text, length);
    return true;
}

// ---- Numbers and times

bool read_integer(struct reader *reader, const json_t *value, int64_t least, int64_t most, int64_t *result)
{
    // 8.0 and 8e0 are reals in JSON's text and are refused: what is counted is written as an integer.
    if (json_is_real(value))
        return reader_fail(reader, "must be an integer, written without a fraction or an exponent");
    if (!json_is_integer(value))
        return reader_fail(reader, "must be an integer");
    int64_t number = json_integer_value(value);
    if (number < least || number > most) {
        if (most == INT64_MAX)
            return reader_fail(reader, "must be an integer from %" PRId64 " on", least);
        return reader_fail(reader, "must be an integer from %" PRId64 " to %" PRId64, least, most);
    }
    *result = number;
    return true;
}

bool read_bool(struct reader *reader, const json_t *value, bool *result)
{
    if (!json_is_boolean(value))
        return reader_fail(reader, "must be true or false");
    *result = json_is_true(value);
    return true;
}

bool read_instant(struct reader *reader, const json_t *value, struct instant *result)
{
    if (!json_is_string(value) || !instant_parse(json_string_value(value), json_string_length(value), result))
        return reader_fail(reader, "must be a time as in RFC 3339, such as \"2026-12-01T00:00:00Z\"");
    return true;
}

bool read_hour(struct reader *reader, const json_t *value, struct hour *result)
{
    struct instant instant;
    if (!read_instant(reader, value, &instant))
        return false;
    if (!hour_parse(json_string_value(value), json_string_length(value), result))
        return reader_fail(reader, "must be on a whole UTC hour");
    return true;
}

bool read_amount(struct reader *reader, const json_t *value, struct amount *result)
{
    if (json_is_number(value))
        return reader_fail(reader, "must be a decimal string, such as \"26880.00\": money is never a number");
    struct amount amount;
    if (!json_is_string(value) || !amount_parse(json_string_value(value), json_string_length(value), &amount))
        return reader_fail(reader, "must be a decimal string with at most 6 decimals, such as \"26880.00\"");
    if (amount.micro < 0)
        return reader_fail(reader, "must not be negative");
    *result = amount;
    return true;
}

bool read_percent(struct reader *reader, const json_t *value, int64_t most_bp, int64_t *basis_points)
{
    if (!json_is_number(value))
        return reader_fail(reader, "must be a number of percent");
    double percent = json_number_value(value);
    double most = (double)most_bp / 100.0;
    if (!(percent >= 0.0 && percent <= most))
        return reader_fail(reader, "must be from 0 to %" PRId64 " percent", most_bp / 100);
    // A text with 2 decimals is read as the double nearest to it, and so is the quotient: they are the same
    // double exactly when the text had no more than 2 decimals.
    int64_t rounded = (int64_t)(percent * 100.0 + 0.5);
    if ((double)rounded / 100.0 != percent)
        return reader_fail(reader, "must have at most 2 decimals");
    *basis_points = rounded;
    return true;
}

bool read_kilowatts(struct reader *reader, const json_t *value, int64_t *watts)
{
    struct amount kilowatts;
    // Millionths of a kilowatt, read as exactly as money is; a watt is a thousand of them.
    if (!json_is_string(value) ||
        !amount_parse(json_string_value(value), json_string_length(value), &kilowatts) ||
        kilowatts.micro % 1000 != 0)
        return reader_fail(reader, "must be a decimal string with at most 3 decimals, such as \"1.275\"");
    if (kilowatts.micro <= 0 || kilowatts.micro > INT64_C(1000000000000))
        return reader_fail(reader, "must be above 0 and at most 1000000 kW");
    *watts = kilowatts.micro / 1000;
    return true;
}

// ---- Objects and arrays

bool read_object(struct reader *reader, const json_t *value)
{
    return json_is_object(value) || reader_fail(reader, "must be an object");
}

bool read_array(struct reader *reader, const json_t *value, size_t least, size_t most)
{
    if (!json_is_array(value))
        return reader_fail(reader, "must be an array");
    size_t size = json_array_size(value);
    if (size < least || size > most)
        return reader_fail(reader, "must have %zu to %zu elements", least, most);
    return true;
}

bool read_known_members(struct reader *reader, json_t *object, const char *const *names)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        bool known = false;
        for (size_t i = 0; names[i] != NULL && !known; i++)
            known = strcmp(names[i], key) == 0;
        if (!known)
            return reader_fail_member(reader, key, "is not a member that is known here");
    }
    return true;
}

// ---- The whole text

// jansson's own sentences quote the input, perhaps cut inside a character, so they are not passed on.
static const char *load_problem(enum json_error_code code)
{
    switch (code) {
    case json_error_invalid_utf8:
        return "this is not valid UTF-8";
    case json_error_premature_end_of_input:
        return "the JSON text ends too early";
    case json_error_end_of_input_expected:
        return "something follows the end of the JSON text";
    case json_error_duplicate_key:
        return "a member is there twice in an object";
    case json_error_numeric_overflow:
        return "a number is out of range";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "a text holds a NUL character";
    default:
        return "this is not JSON";
    }
}

json_t *read_json(const char *text, size_t length, struct arena *arena, const char **message)
{
    switch (scan_nesting(text, length, WIRE_DEPTH_MAX)) {
    case SCAN_FINE:
        break;
    case SCAN_TOO_DEEP:
        *message = "arrays and objects are nested more than 32 deep";
        return NULL;
    case SCAN_NUL:
        *message = "the text holds a NUL byte";
        return NULL;
    }
    json_error_t error = {0};
    bool no_memory;
    json_t *root = json_load(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error, &no_memory);
    if (no_memory) {
        *message = NO_MEMORY_TO_READ;
        return NULL;
    }
    if (root != NULL)
        return root;
    struct buffer sentence = {0};
    buffer_append_format(&sentence, "%s (near byte %d)", load_problem(json_error_code(&error)),
                         error.position);
    *message = arena_copy(arena, sentence.data, sentence.length);
    buffer_free(&sentence);
    return NULL;
}
