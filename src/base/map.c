#include "base/map.h"

#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64

// FNV-1a: names come from the operator's manifest, so nobody chooses them to collide.
static uint64_t hash_name(const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(1099511628211);
    return hash;
}

// Where a name is, or the free place where it would be. Capacities are powers of two.
static size_t name_place(const struct name_map *map, const char *name)
{
    size_t place = hash_name(name) & (map->capacity - 1);
    while (map->entries[place].name != NULL && strcmp(map->entries[place].name, name) != 0)
        place = (place + 1) & (map->capacity - 1);
    return place;
}

uint64_t name_map_get(const struct name_map *map, const char *name)
{
    return map->capacity == 0 ? 0 : map->entries[name_place(map, name)].value;
}

static void grow_names(struct name_map *map)
{
    struct name_map grown = {.count = map->count,
                             .capacity = map->capacity == 0 ? FIRST_CAPACITY : map->capacity * 2};
    grown.entries = memory_allocate(grown.capacity, sizeof *grown.entries);
    for (size_t i = 0; i < map->capacity; i++)
        if (map->entries[i].name != NULL)
            grown.entries[name_place(&grown, map->entries[i].name)] = map->entries[i];
    free(map->entries);
    *map = grown;
}

void name_map_put(struct name_map *map, const char *name, uint64_t value)
{
    if (map->count * 4 >= map->capacity * 3)
        grow_names(map);
    struct name_entry *entry = &map->entries[name_place(map, name)];
    if (entry->name == NULL) {
        entry->name = memory_copy_text(name);
        map->count++;
    }
    entry->value = value;
}

void name_map_free(struct name_map *map)
{
    for (size_t i = 0; i < map->capacity; i++)
        free(map->entries[i].name);
    free(map->entries);
    *map = (struct name_map){0};
}

// A fingerprint is a hash already.
static size_t fingerprint_place(const struct fingerprint_map *map, struct fingerprint key)
{
    size_t place = key.low & (map->capacity - 1);
    while (map->entries[place].value != 0 &&
           (map->entries[place].key.low != key.low || map->entries[place].key.high != key.high))
        place = (place + 1) & (map->capacity - 1);
    return place;
}

const struct fingerprint_entry *fingerprint_map_get(const struct fingerprint_map *map, struct fingerprint key)
{
    if (map->capacity == 0)
        return NULL;
    const struct fingerprint_entry *entry = &map->entries[fingerprint_place(map, key)];
    return entry->value == 0 ? NULL : entry;
}

static void grow_fingerprints(struct fingerprint_map *map)
{
    struct fingerprint_map grown = {.count = map->count,
                                    .capacity = map->capacity == 0 ? FIRST_CAPACITY : map->capacity * 2};
    grown.entries = memory_allocate(grown.capacity, sizeof *grown.entries);
    for (size_t i = 0; i < map->capacity; i++)
        if (map->entries[i].value != 0)
            grown.entries[fingerprint_place(&grown, map->entries[i].key)] = map->entries[i];
    free(map->entries);
    *map = grown;
}

void fingerprint_map_put(struct fingerprint_map *map, struct fingerprint key, uint64_t value, uint64_t detail)
{
    if (map->count * 4 >= map->capacity * 3)
        grow_fingerprints(map);
    struct fingerprint_entry *entry = &map->entries[fingerprint_place(map, key)];
    if (entry->value == 0)
        map->count++;
    *entry = (struct fingerprint_entry){.key = key, .value = value, .detail = detail};
}

void fingerprint_map_free(struct fingerprint_map *map)
{
    free(map->entries);
    *map = (struct fingerprint_map){0};
}
