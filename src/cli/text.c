#include "cli/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

// ---- Memory

static _Noreturn void out_of_memory(void)
{
    fputs("colossus: out of memory\n", stderr);
    exit(1);
}

void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count == 0 ? 1 : count, size);
    if (memory == NULL)
        out_of_memory();
    return memory;
}

char *text_copy(const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL)
        out_of_memory();
    return copy;
}

char *text_format(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        out_of_memory();
    return text;
}

// ---- UTF-8

// The next character and how many bytes it has; 0 bytes when they are no UTF-8.
static size_t next_character(const char *text, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *byte = (const unsigned char *)text;
    size_t length = byte[0] < 0x80             ? 1
                    : (byte[0] & 0xE0) == 0xC0 ? 2
                    : (byte[0] & 0xF0) == 0xE0 ? 3
                    : (byte[0] & 0xF8) == 0xF0 ? 4
                                               : 0;
    if (length <= 1) {
        *character = byte[0];
        return length;
    }
    *character = byte[0] & (0xFFU >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((byte[i] & 0xC0) != 0x80)
            return 0;
        *character = *character << 6 | (byte[i] & 0x3F);
    }
    bool good =
        *character >= least[length] && *character <= 0x10FFFF && (*character < 0xD800 || *character > 0xDFFF);
    return good ? length : 0;
}

// Control characters, and those that turn the direction of writing or hide.
static bool steers(uint32_t character)
{
    return character < 0x20 || (character >= 0x7F && character < 0xA0) ||
           (character >= 0x200B && character <= 0x200F) || (character >= 0x2028 && character <= 0x202E) ||
           (character >= 0x2066 && character <= 0x2069) || character == 0xFEFF;
}

char *text_clean(const char *text)
{
    char *clean = allocate(strlen(text) + 1, 1), *out = clean;
    while (*text != '\0') {
        uint32_t character;
        size_t length = next_character(text, &character);
        if (length == 0 || steers(character)) {
            *out++ = '?';
            text += length == 0 ? 1 : length;
            continue;
        }
        memcpy(out, text, length);
        out += length;
        text += length;
    }
    return clean;
}

size_t text_width(const char *text)
{
    size_t width = 0;
    while (*text != '\0') {
        uint32_t character;
        size_t length = next_character(text, &character);
        int columns = length <= 1 ? 1 : wcwidth((wchar_t)character);
        width += columns < 0 ? 1 : (size_t)columns;
        text += length == 0 ? 1 : length;
    }
    return width;
}

// ---- Numbers

static char *with_commas(const char *sign, const char *symbol, const char *digits, size_t whole)
{
    size_t commas = whole == 0 ? 0 : (whole - 1) / 3;
    char *text = allocate(strlen(sign) + strlen(symbol) + strlen(digits) + commas + 1, 1);
    char *out = stpcpy(stpcpy(text, sign), symbol);
    for (size_t i = 0; i < whole; i++) {
        if (i > 0 && (whole - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    strcpy(out, digits + whole);
    return text;
}

char *text_of_money(const char *decimal)
{
    const char *digits = decimal + (decimal[0] == '-');
    size_t whole = strspn(digits, "0123456789");
    const char *rest = digits + whole;
    size_t decimals = rest[0] == '.' ? strspn(rest + 1, "0123456789") : 0;
    bool good = whole > 0 && (rest[0] == '\0' || (decimals > 0 && rest[1 + decimals] == '\0'));
    return good ? with_commas(decimal[0] == '-' ? "-" : "", "$", digits, whole) : text_copy(decimal);
}

char *text_of_count(int64_t count)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%lld", (long long)count);
    const char *first = digits + (digits[0] == '-');
    return with_commas(digits[0] == '-' ? "-" : "", "", first, strlen(first));
}

// ---- Likeness

#define DISTANCE_LENGTH_MOST 32

static size_t least_of(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

size_t text_distance(const char *a, const char *b)
{
    size_t row[DISTANCE_LENGTH_MOST + 1], length_a = strlen(a), length_b = strlen(b);
    if (length_a > DISTANCE_LENGTH_MOST || length_b > DISTANCE_LENGTH_MOST)
        return length_a > length_b ? length_a : length_b;
    for (size_t j = 0; j <= length_b; j++)
        row[j] = j;
    for (size_t i = 1; i <= length_a; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= length_b; j++) {
            size_t above = row[j];
            row[j] = least_of(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[length_b];
}
