// The inside of the manifest's reader: what its two files share.
#ifndef COLOSSUS_WIRE_MANIFEST_READ_H
#define COLOSSUS_WIRE_MANIFEST_READ_H

#include "base/map.h"
#include "core/manifest.h"
#include "wire/reader.h"

// Have the hours that the elements of a list begin with an order? Each element of the array begins with a
// struct hour, which is the member `name` of the list's elements.
bool manifest_ascending(struct reader *reader, const void *elements, size_t element_size, size_t count,
                        const char *name);

// A name that is listed a second time is refused.
bool manifest_unique(struct reader *reader, struct name_map *names, const char *name, const char *member);

// The list of contracts.
bool manifest_contracts(struct reader *reader, json_t *object, struct manifest *manifest);

#endif
