#include "core/members.h"

#include "core/transition.h"

static void refuse_unknown(struct builder *builder, bool is_group)
{
    builder_refuse(builder, VERDICT_NOT_FOUND,
                   is_group ? "there is no such group" : "there is no such reservation");
}

static void add_member(struct builder *builder, struct members *members, int64_t id)
{
    if (book_reservation(builder->book, id, builder->at, &members->images[members->count]))
        members->count++;
    else if (members->ended == STATE_NONE)
        members->ended = book_ended_state(builder->book, id);
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
    enum reservation_state other = members->ended;
    for (size_t i = 0; i < members->count; i++) {
        enum reservation_state state = members->images[i].row.state;
        if ((states >> state) & 1U)
            members->images[kept++] = members->images[i];
        else
            other = state;
    }
    members->count = kept;
    if (kept > 0)
        return;
    if (other == STATE_EXPIRED) {
        builder_refuse(builder, VERDICT_EXPIRED, "the hold has lapsed")->state = other;
        return;
    }
    builder_refuse(builder, VERDICT_INVALID_STATE, message)->state = other;
}
