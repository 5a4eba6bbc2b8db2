#include "grammar.h"

#include <string.h>

struct cursor {
    const unsigned char *at, *end;
    struct grammar *found;
};

static bool next_is(struct cursor *cursor, char wanted)
{
    if (cursor->at == cursor->end || *cursor->at != (unsigned char)wanted)
        return false;
    cursor->at++;
    return true;
}

static void skip_space(struct cursor *cursor)
{
    while (cursor->at < cursor->end &&
           (*cursor->at == ' ' || *cursor->at == '\t' || *cursor->at == '\n' || *cursor->at == '\r'))
        cursor->at++;
}

static size_t skip_digits(struct cursor *cursor)
{
    const unsigned char *begin = cursor->at;
    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9')
        cursor->at++;
    return (size_t)(cursor->at - begin);
}

static bool number(struct cursor *cursor)
{
    next_is(cursor, '-');
    const unsigned char *begin = cursor->at;
    size_t digits = skip_digits(cursor);
    if (digits == 0 || (digits > 1 && *begin == '0'))
        return false;
    cursor->found->long_number = cursor->found->long_number || digits >= 18;
    if (next_is(cursor, '.') && skip_digits(cursor) == 0)
        return false;
    if (next_is(cursor, 'e') || next_is(cursor, 'E')) {
        cursor->found->long_number = true;
        if (!next_is(cursor, '+'))
            next_is(cursor, '-');
        return skip_digits(cursor) > 0;
    }
    return true;
}

static bool literal(struct cursor *cursor, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(cursor->end - cursor->at) < length || memcmp(cursor->at, word, length) != 0)
        return false;
    cursor->at += length;
    return true;
}

// One character of several bytes: the table of well-formed sequences of the Unicode standard (3-7).
static bool long_character(struct cursor *cursor)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high, length;
    } forms[] = {
        {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
        {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
        {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (*cursor->at < forms[i].first_low || *cursor->at > forms[i].first_high)
            continue;
        if (cursor->end - cursor->at < forms[i].length || cursor->at[1] < forms[i].second_low ||
            cursor->at[1] > forms[i].second_high)
            return false;
        for (size_t k = 2; k < forms[i].length; k++)
            if (cursor->at[k] < 0x80 || cursor->at[k] > 0xBF)
                return false;
        cursor->at += forms[i].length;
        return true;
    }
    return false;
}

static bool four_digits(struct cursor *cursor, unsigned *value)
{
    *value = 0;
    if (cursor->end - cursor->at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdef";
        unsigned char c = *cursor->at++;
        const char *found = strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
        if (c == '\0' || found == NULL)
            return false;
        *value = *value * 16 + (unsigned)(found - digits);
    }
    return true;
}

static bool escape(struct cursor *cursor)
{
    if (cursor->at == cursor->end)
        return false;
    unsigned char c = *cursor->at++;
    if (c != 'u')
        return c != '\0' && strchr("\"\\/bfnrt", c) != NULL;
    unsigned high, low;
    if (!four_digits(cursor, &high))
        return false;
    cursor->found->has_nul = cursor->found->has_nul || high == 0;
    if (high < 0xD800 || high > 0xDFFF)
        return true;
    return high < 0xDC00 && literal(cursor, "\\u") && four_digits(cursor, &low) && low >= 0xDC00 &&
           low <= 0xDFFF;
}

static bool string(struct cursor *cursor)
{
    if (!next_is(cursor, '"'))
        return false;
    while (cursor->at < cursor->end) {
        unsigned char c = *cursor->at;
        if (c < 0x20)
            return false;
        if (c >= 0x80) {
            if (!long_character(cursor))
                return false;
            continue;
        }
        cursor->at++;
        if (c == '"')
            return true;
        if (c == '\\' && !escape(cursor))
            return false;
    }
    return false;
}

static bool scalar(struct cursor *cursor)
{
    if (cursor->at == cursor->end)
        return false;
    switch (*cursor->at) {
    case '"':
        return string(cursor);
    case 't':
        return literal(cursor, "true");
    case 'f':
        return literal(cursor, "false");
    case 'n':
        return literal(cursor, "null");
    default:
        return number(cursor);
    }
}

// A member's name and its colon.
static bool key(struct cursor *cursor)
{
    skip_space(cursor);
    if (!string(cursor))
        return false;
    skip_space(cursor);
    return next_is(cursor, ':');
}

// After a value: closes what ends here. True when another value must follow; *done at the end of the whole.
static bool after_value(struct cursor *cursor, char *open, size_t *depth, bool *done)
{
    for (;;) {
        skip_space(cursor);
        *done = *depth == 0;
        if (*done)
            return false;
        if (next_is(cursor, ','))
            return open[*depth] != '}' || key(cursor);
        if (!next_is(cursor, open[*depth]))
            return false;
        (*depth)--;
    }
}

static bool value(struct cursor *cursor)
{
    char open[GRAMMAR_DEPTH_MAX + 1]; // what closes each level
    size_t depth = 0;
    bool done = false;
    do {
        skip_space(cursor);
        bool is_object = next_is(cursor, '{');
        if (is_object || next_is(cursor, '[')) {
            if (depth == GRAMMAR_DEPTH_MAX)
                return false;
            open[++depth] = is_object ? '}' : ']';
            if (depth > cursor->found->depth)
                cursor->found->depth = depth;
            skip_space(cursor);
            if (!next_is(cursor, open[depth])) {
                if (is_object && !key(cursor))
                    return false;
                continue; // with the first value in it
            }
            depth--;
        } else if (!scalar(cursor)) {
            return false;
        }
        if (!after_value(cursor, open, &depth, &done))
            return done;
    } while (true);
}

struct grammar grammar_judge(const char *text, size_t length)
{
    struct grammar found = {0};
    const unsigned char *bytes = (const unsigned char *)text;
    struct cursor cursor = {.at = bytes, .end = bytes + length, .found = &found};
    if (length == 0)
        return found;
    found.is_json = value(&cursor);
    if (found.is_json) {
        skip_space(&cursor);
        found.is_json = cursor.at == cursor.end;
    }
    return found;
}
