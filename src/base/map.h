// Two hash tables: names to numbers, and 128-bit fingerprints to numbers.
//
// Both are open-addressed with linear probing and grow by doubling. Values are 64-bit numbers; 0 means "not
// there". Names are copied. Nothing is ever removed singly: what the book knows by name or by reference it
// knows for ever.
//
// There may be millions of fingerprints, so their table moves to its larger place a little with every put:
// none takes long.
#ifndef COLOSSUS_BASE_MAP_H
#define COLOSSUS_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct name_map {
    struct name_entry {
        char *name;
        uint64_t value;
    } * entries;
    size_t count, capacity;
};

uint64_t name_map_get(const struct name_map *map, const char *name);
void name_map_put(struct name_map *map, const char *name, uint64_t value); // value is above 0
void name_map_free(struct name_map *map);

struct fingerprint {
    uint64_t high, low;
};

struct fingerprint_map {
    struct fingerprint_entry {
        struct fingerprint key;
        uint64_t value;  // 0 marks a free place
        uint64_t detail; // the owner's second word
    } * entries;
    size_t count, capacity;
    // The table before it was doubled, while not all of it has been moved: the first `moved` places have.
    struct fingerprint_entry *old;
    size_t old_capacity, moved;
};

// Returns NULL when the key is not there. The entry is valid until the next put.
const struct fingerprint_entry *fingerprint_map_get(const struct fingerprint_map *map,
                                                    struct fingerprint key);
void fingerprint_map_put(struct fingerprint_map *map, struct fingerprint key, uint64_t value,
                         uint64_t detail);
void fingerprint_map_free(struct fingerprint_map *map);

#endif
