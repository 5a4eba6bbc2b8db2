// How a member of a result is shown to a person: by its name on the wire, since that says what it is.
#ifndef COLOSSUS_CLI_VALUE_H
#define COLOSSUS_CLI_VALUE_H

#include <jansson.h>
#include <stdbool.h>

// The text, to be freed; NULL for what has nothing to show.
char *value_text(const char *member, const json_t *value);

// Whether it is a number or money, and is aligned at its right.
bool value_is_number(const char *member, const json_t *value);

// What an event is about, in a few words, from its data; to be freed.
char *value_of_event(const json_t *event);

#endif
