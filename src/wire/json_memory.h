// jansson's memory, so that a text for which there is none is given up in order.
//
// jansson doesn't check all of its own allocations: one that fails in the middle of a text ends in an
// assertion, in a wild read, or in the claim that the text is wrong. So none is ever seen to fail: the parser
// is left at once, and what it had allocated is freed.
//
//     wire_set_up()            once, before anything else uses jansson (wire/wire.h)
//     json_load(...)           instead of json_loadb
//
// Without the first, jansson has the memory it was made with, and json_load is json_loadb. Elsewhere than in
// json_load an allocation that fails ends the process, as everywhere (base/memory.h).
#ifndef COLOSSUS_WIRE_JSON_MEMORY_H
#define COLOSSUS_WIRE_JSON_MEMORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

// NULL when the text is wrong, as *error says, or when *no_memory is true.
json_t *json_load(const char *text, size_t length, size_t flags, json_error_t *error, bool *no_memory);

#endif
