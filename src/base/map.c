// Hash tables with open addressing and linear probing, at most three quarters full, so that a free place ends
// every search.
#include "base/map.h"

#include "base/memory.h"
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64 // capacities are powers of two

// How many places of an old table are moved with each put. One and a third would be enough for all of it to
// have been moved when the new one is full.
#define PLACES_MOVED 8

static bool is_crowded(size_t count, size_t capacity)
{
    return (count + 1) * 4 > capacity * 3;
}

// FNV-1a. Names are the operators' own, so nobody gains by making them collide.
static uint64_t hash_of_name(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char *c = name; *c != '\0'; c++) {
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
    }
    return hash ^ (hash >> 32);
}

// The place of a name, or the free place where it would go.
static struct name_entry *find_name(struct name_entry *entries, size_t capacity, const char *name)
{
    size_t place = (size_t)hash_of_name(name) & (capacity - 1);
    while (entries[place].name != NULL && strcmp(entries[place].name, name) != 0) {
        place = (place + 1) & (capacity - 1);
    }
    return &entries[place];
}

static void grow_names(struct name_map *map)
{
    size_t capacity = map->capacity == 0 ? FIRST_CAPACITY : map->capacity * 2;
    struct name_entry *entries = memory_allocate(capacity, sizeof *entries);
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->entries[i].name != NULL) {
            *find_name(entries, capacity, map->entries[i].name) = map->entries[i];
        }
    }
    free(map->entries);
    map->entries = entries;
    map->capacity = capacity;
}

uint64_t name_map_get(const struct name_map *map, const char *name)
{
    return map->capacity == 0 ? 0 : find_name(map->entries, map->capacity, name)->value;
}

void name_map_put(struct name_map *map, const char *name, uint64_t value)
{
    assert(value > 0);
    if (is_crowded(map->count, map->capacity)) {
        grow_names(map);
    }
    struct name_entry *entry = find_name(map->entries, map->capacity, name);
    if (entry->name == NULL) {
        entry->name = memory_copy_text(name);
        map->count++;
    }
    entry->value = value;
}

void name_map_free(struct name_map *map)
{
    for (size_t i = 0; i < map->capacity; i++) {
        free(map->entries[i].name);
    }
    free(map->entries);
    *map = (struct name_map){0};
}

// The place of a key, or the free place where it would go. A fingerprint is evenly spread already.
static struct fingerprint_entry *find_fingerprint(struct fingerprint_entry *entries, size_t capacity,
                                                  struct fingerprint key)
{
    size_t place = (size_t)(key.high ^ key.low) & (capacity - 1);
    while (entries[place].value != 0 &&
           (entries[place].key.high != key.high || entries[place].key.low != key.low)) {
        place = (place + 1) & (capacity - 1);
    }
    return &entries[place];
}

static void move_some(struct fingerprint_map *map)
{
    for (int i = 0; i < PLACES_MOVED && map->moved < map->old_capacity; i++) {
        const struct fingerprint_entry *entry = &map->old[map->moved++];
        struct fingerprint_entry *place = find_fingerprint(map->entries, map->capacity, entry->key);
        // What was put again since is newer.
        if (entry->value != 0 && place->value == 0) {
            *place = *entry;
        }
    }
    if (map->moved == map->old_capacity) {
        free(map->old);
        map->old = NULL;
        map->old_capacity = map->moved = 0;
    }
}

static void grow_fingerprints(struct fingerprint_map *map)
{
    assert(map->old == NULL);
    map->old = map->entries;
    map->old_capacity = map->capacity;
    map->capacity = map->capacity == 0 ? FIRST_CAPACITY : map->capacity * 2;
    map->entries = memory_allocate(map->capacity, sizeof *map->entries);
}

const struct fingerprint_entry *fingerprint_map_get(const struct fingerprint_map *map, struct fingerprint key)
{
    if (map->capacity == 0) {
        return NULL;
    }
    const struct fingerprint_entry *entry = find_fingerprint(map->entries, map->capacity, key);
    if (entry->value == 0 && map->old != NULL) {
        entry = find_fingerprint(map->old, map->old_capacity, key);
    }
    return entry->value == 0 ? NULL : entry;
}

void fingerprint_map_put(struct fingerprint_map *map, struct fingerprint key, uint64_t value, uint64_t detail)
{
    assert(value > 0);
    if (map->old != NULL) {
        move_some(map);
    }
    if (fingerprint_map_get(map, key) == NULL) {
        if (is_crowded(map->count, map->capacity)) {
            grow_fingerprints(map);
        }
        map->count++;
    }
    *find_fingerprint(map->entries, map->capacity, key) =
        (struct fingerprint_entry){.key = key, .value = value, .detail = detail};
}

void fingerprint_map_free(struct fingerprint_map *map)
{
    free(map->entries);
    free(map->old);
    *map = (struct fingerprint_map){0};
}
