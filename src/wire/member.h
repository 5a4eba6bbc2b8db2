// Reading the members of an object by their names: each function finds one, reads it as reader.h does, and
// says what is wrong at the member's own path. A member that is left out, or null, leaves the result as it
// was, unless it is required.
#ifndef COLOSSUS_WIRE_MEMBER_H
#define COLOSSUS_WIRE_MEMBER_H

#include "wire/reader.h"

enum presence { OPTIONAL, REQUIRED };

bool member_given(json_t *object, const char *name);

bool member_text(struct reader *reader, json_t *object, const char *name, enum presence presence,
                 enum text_rule rule, size_t least, size_t most, const char **result);
bool member_integer(struct reader *reader, json_t *object, const char *name, enum presence presence,
                    int64_t least, int64_t most, int64_t *result);
bool member_integer32(struct reader *reader, json_t *object, const char *name, enum presence presence,
                      int32_t least, int32_t most, int32_t *result);
bool member_bool(struct reader *reader, json_t *object, const char *name, bool *result);
bool member_hour(struct reader *reader, json_t *object, const char *name, enum presence presence,
                 struct hour *result);
bool member_amount(struct reader *reader, json_t *object, const char *name, enum presence presence,
                   struct amount *result);
bool member_percent(struct reader *reader, json_t *object, const char *name, int64_t most_bp,
                    int64_t *basis_points);
bool member_note(struct reader *reader, json_t *object, const char **result);

// One of the names, the list of which ends with NULL; *result is its place in the list.
bool member_choice(struct reader *reader, json_t *object, const char *name, enum presence presence,
                   const char *const *names, size_t *result);

// Enters an object, and checks that it has no members but these. NULL: it is left out, or wrong.
json_t *member_object(struct reader *reader, json_t *object, const char *name, const char *const *names);

// Enters a list and makes room for its elements in the arena. NULL: it is wrong. A list that is left out has
// none. The caller goes through the elements, each within reader_enter_index and reader_leave, and then
// leaves the list.
void *member_list(struct reader *reader, json_t *object, const char *name, size_t element_size, size_t *count,
                  json_t **list);

#endif
