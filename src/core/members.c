#include "core/members.h"

#include "core/transition.h"

static void refuse_unknown(struct builder *builder, bool is_group)
{
    builder_refuse(builder, VERDICT_NOT_FOUND,
                   is_group ? "there is no such group" : "there is no such reservation");
}

static void add_member(struct builder *builder, struct members *members, int64_t id)
{
    struct reservation_image *image = &members->images[members->count];
    enum reservation_state state;
    if (book_reservation(builder->book, id, builder->at, image)) {
        state = image->row.state;
        members->count++;
    } else {
        state = book_ended_state(builder->book, id);
    }
    if (members->first == STATE_NONE)
        members->first = state;
}

bool members_find(struct builder *builder, uint32_t tenant, const struct target *target,
                  struct members *members)
{
    const struct book *book = builder->book;
    *members = (struct members){.images = arena_allocate(builder->arena, LEGS_MAX * sizeof *members->images)};
    if (book_reservation_owner(book, target->id) != tenant) {
        refuse_unknown(builder, target->is_group);
        return false;
    }
    if (!target->is_group) {
        add_member(builder, members, target->id);
        return true;
    }
    const struct reservation *first = book_live(book, target->id);
    if (first != NULL ? first->row.group != target->id : !book_ended_group(book, target->id)) {
        refuse_unknown(builder, true);
        return false;
    }
    for (int64_t id = target->id; id < target->id + LEGS_MAX; id++) {
        const struct reservation *leg = book_live(book, id);
        if (id == target->id || (leg != NULL && leg->row.group == target->id))
            add_member(builder, members, id);
    }
    return true;
}

void members_in_state(struct builder *builder, struct members *members, uint32_t states, const char *message)
{
    size_t kept = 0;
    for (size_t i = 0; i < members->count; i++)
        if ((states >> members->images[i].row.state) & 1U)
            members->images[kept++] = members->images[i];
    members->count = kept;
    if (kept > 0)
        return;
    bool lapsed = members->first == STATE_EXPIRED;
    builder_refuse(builder, lapsed ? VERDICT_EXPIRED : VERDICT_INVALID_STATE,
                   lapsed ? "it was held, or waited, and has expired" : message)
        ->state = members->first;
}
