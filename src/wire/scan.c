#include "wire/scan.h"

#include <stdbool.h>
#include <string.h>

// The place behind the string that begins at `start`, or the text's end when it never ends.
static size_t skip_string(const char *text, size_t length, size_t start)
{
    size_t i = start + 1;
    while (i < length && text[i] != '"')
        i += text[i] == '\\' ? 2 : 1;
    return i < length ? i + 1 : length;
}

enum scan_result scan_nesting(const char *text, size_t length, size_t depth_most)
{
    if (length > 0 && memchr(text, '\0', length) != NULL)
        return SCAN_NUL;
    size_t depth = 0;
    for (size_t i = 0; i < length;) {
        char c = text[i];
        if (c == '"') {
            i = skip_string(text, length, i);
            continue;
        }
        if ((c == '{' || c == '[') && ++depth > depth_most)
            return SCAN_TOO_DEEP;
        if ((c == '}' || c == ']') && depth > 0)
            depth--;
        i++;
    }
    return SCAN_FINE;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_mark(char c)
{
    return c == ',' || c == ':' || c == '{' || c == '}' || c == '[' || c == ']';
}

// The place behind a number or a literal that begins at `start`.
static size_t skip_word(const char *text, size_t length, size_t start)
{
    size_t i = start;
    while (i < length && !is_space(text[i]) && !is_mark(text[i]) && text[i] != '"')
        i++;
    return i;
}

struct id_scan {
    size_t depth;
    size_t level;          // the depth of the members of a request: 1, or 2 in an array
    size_t index;          // of the request
    struct span last_text; // the last string at that level
    bool wants_value;      // the next value is an id
};

static void scan_mark(struct id_scan *scan, const char *text, char c)
{
    switch (c) {
    case '{':
    case '[':
        scan->depth++;
        scan->wants_value = false;
        break;
    case '}':
    case ']':
        scan->depth -= scan->depth > 0;
        break;
    case ',':
        scan->index += scan->level == 2 && scan->depth == 1;
        scan->last_text.length = 0;
        break;
    case ':':
        scan->wants_value = scan->depth == scan->level && scan->last_text.length == 4 &&
                            memcmp(text + scan->last_text.start, "\"id\"", 4) == 0;
        scan->last_text.length = 0;
        break;
    default:
        break;
    }
}

void scan_ids(const char *text, size_t length, struct span *ids, size_t count)
{
    memset(ids, 0, count * sizeof *ids);
    size_t i = 0;
    while (i < length && is_space(text[i]))
        i++;
    struct id_scan scan = {.level = i < length && text[i] == '[' ? 2 : 1};
    while (i < length) {
        size_t end = i;
        if (text[i] == '"')
            end = skip_string(text, length, i);
        else if (!is_space(text[i]) && !is_mark(text[i]))
            end = skip_word(text, length, i);
        if (end == i) {
            scan_mark(&scan, text, text[i]);
            i++;
            continue;
        }
        struct span value = {.start = i, .length = end - i};
        if (scan.wants_value && scan.index < count)
            ids[scan.index] = value;
        scan.wants_value = false;
        if (text[i] == '"' && scan.depth == scan.level)
            scan.last_text = value;
        i = end;
    }
}
