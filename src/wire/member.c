#include "wire/member.h"

#include <string.h>

// More elements than any list of a manifest has use for.
#define LIST_MAX 100000

#define NOTE_MAX 1024

// The member's value, or NULL when it is left out.
static json_t *find(json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);
    return json_is_null(value) ? NULL : value;
}

bool member_given(json_t *object, const char *name)
{
    return find(object, name) != NULL;
}

// What is to be said of a member that is left out.
static bool left_out(struct reader *reader, const char *name, enum presence presence)
{
    return presence == OPTIONAL || reader_fail_member(reader, name, "is missing");
}

// Leaves the member when it was read well; else the reader has failed and stays where it is.
static bool leave(struct reader *reader, bool read_well)
{
    if (read_well)
        reader_leave(reader);
    return read_well;
}

bool member_text(struct reader *reader, json_t *object, const char *name, enum presence presence,
                 enum text_rule rule, size_t least, size_t most, const char **result)
{
    json_t *value = find(object, name);
    if (value == NULL)
        return left_out(reader, name, presence);
    reader_enter(reader, name);
    return leave(reader, read_text(reader, value, rule, least, most, result));
}

bool member_integer(struct reader *reader, json_t *object, const char *name, enum presence presence,
                    int64_t least, int64_t most, int64_t *result)
{
    json_t *value = find(object, name);
    if (value == NULL)
        return left_out(reader, name, presence);
    reader_enter(reader, name);
    return leave(reader, read_integer(reader, value, least, most, result));
}

bool member_integer32(struct reader *reader, json_t *object, const char *name, enum presence presence,
                      int32_t least, int32_t most, int32_t *result)
{
    int64_t wide = *result;
    if (!member_integer(reader, object, name, presence, least, most, &wide))
        return false;
    *result = (int32_t)wide;
    return true;
}

bool member_bool(struct reader *reader, json_t *object, const char *name, bool *result)
{
    json_t *value = find(object, name);
    if (value == NULL)
        return true;
    reader_enter(reader, name);
    return leave(reader, read_bool(reader, value, result));
}

bool member_hour(struct reader *reader, json_t *object, const char *name, enum presence presence,
                 struct hour *result)
{
    json_t *value = find(object, name);
    if (value == NULL)
        return left_out(reader, name, presence);
    reader_enter(reader, name);
    return leave(reader, read_hour(reader, value, result));
}

bool member_amount(struct reader *reader, json_t *object, const char *name, enum presence presence,
                   struct amount *result)
{
    json_t *value = find(object, name);
    if (value == NULL)
        return left_out(reader, name, presence);
    reader_enter(reader, name);
    return leave(reader, read_amount(reader, value, result));
}

bool member_percent(struct reader *reader, json_t *object, const char *name, int64_t most_bp,
                    int64_t *basis_points)
{
    json_t *value = find(object, name);
    if (value == NULL)
        return true;
    reader_enter(reader, name);
    return leave(reader, read_percent(reader, value, most_bp, basis_points));
}

bool member_note(struct reader *reader, json_t *object, const char **result)
{
    return member_text(reader, object, "note", OPTIONAL, TEXT_FREE, 0, NOTE_MAX, result);
}

static bool fail_choice(struct reader *reader, const char *const *names)
{
    char list[200] = "";
    for (size_t i = 0; names[i] != NULL; i++) {
        if (i > 0)
            strncat(list, names[i + 1] == NULL ? " or " : ", ", sizeof list - strlen(list) - 1);
        strncat(list, names[i], sizeof list - strlen(list) - 1);
    }
    return reader_fail(reader, "must be one of: %s", list);
}

bool member_choice(struct reader *reader, json_t *object, const char *name, enum presence presence,
                   const char *const *names, size_t *result)
{
    json_t *value = find(object, name);
    if (value == NULL)
        return left_out(reader, name, presence);
    reader_enter(reader, name);
    for (size_t i = 0; json_is_string(value) && names[i] != NULL; i++) {
        if (strcmp(json_string_value(value), names[i]) == 0) {
            *result = i;
            return leave(reader, true);
        }
    }
    return fail_choice(reader, names);
}

json_t *member_object(struct reader *reader, json_t *object, const char *name, const char *const *names)
{
    json_t *value = find(object, name);
    if (value == NULL)
        return NULL;
    reader_enter(reader, name);
    if (!read_object(reader, value) || !read_known_members(reader, value, names))
        return NULL;
    return value;
}

void *member_list(struct reader *reader, json_t *object, const char *name, size_t element_size, size_t *count,
                  json_t **list)
{
    *list = find(object, name);
    *count = 0;
    reader_enter(reader, name);
    if (*list != NULL) {
        if (!read_array(reader, *list, 0, LIST_MAX))
            return NULL;
        *count = json_array_size(*list);
    }
    return arena_allocate(reader->arena, (*count + 1) * element_size);
}
