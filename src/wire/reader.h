// Reading typed values out of JSON, and saying where the first wrong one stands.
//
// A reader keeps the place it is at as a short path of names and indices. Each read_* function takes a value,
// checks its type and range and fills in the result; on failure it returns false, and the reader has the
// sentence and the path ("legs[1].gpus"). Only the first failure is kept. Texts are copied into the arena, so
// the JSON tree can go when the reading is done.
#ifndef COLOSSUS_WIRE_READER_H
#define COLOSSUS_WIRE_READER_H

#include "base/amount.h"
#include "base/arena.h"
#include "base/hour.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define READER_DEPTH 8

// A name that a client made up is shown no longer than this, in bytes.
#define SHOWN_NAME_MAX 128

// The end of the last hour of the year 9998, with which the times that can be read end.
#define HOUR_READ_MAX 70380768

struct reader {
    struct arena *arena;
    struct place {
        const char *name; // NULL: an index
        size_t index;
    } places[READER_DEPTH];
    size_t depth;
    const char *subject; // what is read, as a sentence about the whole of it begins: "the manifest"
    const char *message; // NULL while nothing is wrong
    const char *path;    // "" for the whole
};

void reader_enter(struct reader *reader, const char *name);
void reader_enter_index(struct reader *reader, size_t index);
void reader_leave(struct reader *reader);

// Notes what is wrong at the present place, as the rest of a sentence that begins with the path ("must be an
// integer"). Always returns false.
bool reader_fail(struct reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));

// The same for the member `name` of the present place.
bool reader_fail_member(struct reader *reader, const char *name, const char *problem);

enum text_rule {
    TEXT_FREE,      // any characters but control characters
    TEXT_PRINTABLE, // printable ASCII
    TEXT_NAME,      // a-z, 0-9, dot, underscore, hyphen
    TEXT_POOL_NAME, // two such names with a slash between them
    TEXT_FILE_NAME, // letters, digits, dot, underscore, hyphen; not beginning with a dot
};

// Lengths are in characters (code points).
bool read_text(struct reader *reader, const json_t *value, enum text_rule rule, size_t least, size_t most,
               const char **result);
bool read_integer(struct reader *reader, const json_t *value, int64_t least, int64_t most, int64_t *result);
bool read_bool(struct reader *reader, const json_t *value, bool *result);
bool read_instant(struct reader *reader, const json_t *value, struct instant *result);
bool read_hour(struct reader *reader, const json_t *value, struct hour *result);
bool read_amount(struct reader *reader, const json_t *value, struct amount *result); // not below zero

// A percentage with at most 2 decimals, from 0 to most_bp basis points.
bool read_percent(struct reader *reader, const json_t *value, int64_t most_bp, int64_t *basis_points);

// A decimal text of kilowatts with at most 3 decimals, as watts; above zero.
bool read_kilowatts(struct reader *reader, const json_t *value, int64_t *watts);

// Is it an object, or an array of least to most elements?
bool read_object(struct reader *reader, const json_t *value);
bool read_array(struct reader *reader, const json_t *value, size_t least, size_t most);

// Is every member of the object among these? The list ends with NULL.
bool read_known_members(struct reader *reader, json_t *object, const char *const *names);

// A JSON text as the protocol allows it: valid UTF-8 without NUL, no duplicate keys, numbers in range,
// nesting up to WIRE_DEPTH_MAX. Returns NULL with a sentence in *message (in the arena or a literal); it is
// NO_MEMORY_TO_READ, by its address, when nothing is wrong with the text.
extern const char NO_MEMORY_TO_READ[];
json_t *read_json(const char *text, size_t length, struct arena *arena, const char **message);

#endif
