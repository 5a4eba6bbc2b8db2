#include "core/calendar.h"

#include "base/memory.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

// Room for a window to move on without work: a year.
#define SLACK_HOURS (366 * HOURS_PER_DAY)

// Node 1 is the root, the children of n are 2n and 2n + 1, and the leaves are the hours, from `size` on. What
// is added to a whole subtree is noted at its top in `add` and never pushed down: `least` and `most` of a
// node count its own `add` but not that of the nodes above it.
struct calendar {
    struct hour origin;
    int32_t size; // hours: a power of two
    int32_t *least, *most, *add;
};

// Depth first needs at most two nodes a level.
#define STACK_SIZE 64

struct visit {
    int32_t node, first, count; // the node's hours
    int32_t above;              // what the nodes above it add
};

static struct calendar *create(struct hour origin, int32_t size)
{
    struct calendar *calendar = memory_allocate(1, sizeof *calendar);
    calendar->origin = origin;
    calendar->size = size;
    size_t nodes = (size_t)size * 2;
    calendar->least = memory_allocate(nodes, sizeof *calendar->least);
    calendar->most = memory_allocate(nodes, sizeof *calendar->most);
    calendar->add = memory_allocate((size_t)size, sizeof *calendar->add);
    return calendar;
}

struct calendar *calendar_create(struct hour origin, int32_t hours)
{
    int32_t size = 1;
    while (size < hours + SLACK_HOURS)
        size *= 2;
    return create(origin, size);
}

struct calendar *calendar_copy(const struct calendar *calendar)
{
    struct calendar *copy = create(calendar->origin, calendar->size);
    size_t nodes = (size_t)calendar->size * 2;
    memcpy(copy->least, calendar->least, nodes * sizeof *copy->least);
    memcpy(copy->most, calendar->most, nodes * sizeof *copy->most);
    memcpy(copy->add, calendar->add, (size_t)calendar->size * sizeof *copy->add);
    return copy;
}

void calendar_destroy(struct calendar *calendar)
{
    if (calendar == NULL)
        return;
    free(calendar->least);
    free(calendar->most);
    free(calendar->add);
    free(calendar);
}

struct hour calendar_origin(const struct calendar *calendar)
{
    return calendar->origin;
}

struct hour calendar_end(const struct calendar *calendar)
{
    return (struct hour){calendar->origin.number + calendar->size};
}

static void reckon(struct calendar *calendar, int32_t node)
{
    int32_t left = 2 * node, right = left + 1;
    int32_t least =
        calendar->least[left] < calendar->least[right] ? calendar->least[left] : calendar->least[right];
    int32_t most =
        calendar->most[left] > calendar->most[right] ? calendar->most[left] : calendar->most[right];
    calendar->least[node] = least + calendar->add[node];
    calendar->most[node] = most + calendar->add[node];
}

static void add_to(struct calendar *calendar, int32_t node, int32_t gpus)
{
    calendar->least[node] += gpus;
    calendar->most[node] += gpus;
    if (node < calendar->size)
        calendar->add[node] += gpus;
}

void calendar_advance(struct calendar *calendar, struct hour origin)
{
    assert(origin.number >= calendar->origin.number);
    int32_t size = calendar->size;
    for (int32_t node = 1; node < size; node++) {
        add_to(calendar, 2 * node, calendar->add[node]);
        add_to(calendar, 2 * node + 1, calendar->add[node]);
        calendar->add[node] = 0;
    }
    int64_t shift = (int64_t)origin.number - calendar->origin.number;
    for (int32_t i = 0; i < size; i++) {
        int64_t source = i + shift < size ? i + shift : size - 1;
        calendar->least[size + i] = calendar->most[size + i] = calendar->least[size + source];
    }
    for (int32_t node = size - 1; node >= 1; node--)
        reckon(calendar, node);
    calendar->origin = origin;
}

void calendar_add(struct calendar *calendar, struct hour start, struct hour end, int32_t gpus)
{
    int64_t from = (int64_t)start.number - calendar->origin.number;
    int64_t to = (int64_t)end.number - calendar->origin.number;
    if (from < 0)
        from = 0;
    if (to > calendar->size)
        to = calendar->size;
    if (from >= to || gpus == 0)
        return;
    int32_t left = (int32_t)from + calendar->size, right = (int32_t)to + calendar->size;
    int32_t first = left, last = right - 1;
    for (; left < right; left /= 2, right /= 2) {
        if (left % 2 == 1)
            add_to(calendar, left++, gpus);
        if (right % 2 == 1)
            add_to(calendar, --right, gpus);
    }
    for (first /= 2, last /= 2; first >= 1; first /= 2, last /= 2) {
        reckon(calendar, first);
        if (last != first)
            reckon(calendar, last);
    }
}

// The window's place in the tree. It lies in the calendar and is not empty.
static void place_window(const struct calendar *calendar, struct hour start, struct hour end, int32_t *from,
                         int32_t *to)
{
    *from = start.number - calendar->origin.number;
    *to = end.number - calendar->origin.number;
    assert(*from >= 0 && *to <= calendar->size && *from < *to);
}

static struct visit root_of(const struct calendar *calendar)
{
    return (struct visit){.node = 1, .first = 0, .count = calendar->size, .above = 0};
}

static struct visit child_of(const struct calendar *calendar, struct visit visit, bool right)
{
    int32_t half = visit.count / 2;
    return (struct visit){
        .node = 2 * visit.node + right,
        .first = visit.first + (right ? half : 0),
        .count = half,
        .above = visit.above + calendar->add[visit.node],
    };
}

static int32_t lesser(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

// Up from the window's two ends: at each level what lies between them and has the same parent as one of them
// is taken in, until the two are neighbours.
int32_t calendar_least(const struct calendar *calendar, struct hour start, struct hour end)
{
    int32_t from, to;
    place_window(calendar, start, end, &from, &to);
    const int32_t *least = calendar->least;
    int32_t left = from + calendar->size, right = to - 1 + calendar->size;
    int32_t least_left = least[left], least_right = least[right];
    while (left / 2 != right / 2) {
        if (left % 2 == 0)
            least_left = lesser(least_left, least[left + 1]);
        if (right % 2 == 1)
            least_right = lesser(least_right, least[right - 1]);
        left /= 2;
        right /= 2;
        least_left += calendar->add[left];
        least_right += calendar->add[right];
    }
    int32_t result = lesser(least_left, least_right);
    for (int32_t node = left / 2; node >= 1; node /= 2)
        result += calendar->add[node];
    return result;
}

int32_t calendar_at(const struct calendar *calendar, struct hour hour)
{
    return calendar_least(calendar, hour, (struct hour){hour.number + 1});
}

enum search { FIRST_BELOW, FIRST_AT_LEAST };

// May the subtree hold an hour that is looked for?
static bool may_hold(const struct calendar *calendar, struct visit visit, enum search search, int32_t gpus)
{
    if (search == FIRST_AT_LEAST)
        return calendar->most[visit.node] + visit.above >= gpus;
    return calendar->least[visit.node] + visit.above < gpus;
}

static bool find(const struct calendar *calendar, struct hour start, struct hour end, enum search search,
                 int32_t gpus, struct hour *found)
{
    if (start.number >= end.number)
        return false;
    int32_t from, to;
    place_window(calendar, start, end, &from, &to);
    struct visit stack[STACK_SIZE];
    int depth = 0;
    stack[depth++] = root_of(calendar);
    while (depth > 0) {
        struct visit visit = stack[--depth];
        if (visit.first >= to || visit.first + visit.count <= from ||
            !may_hold(calendar, visit, search, gpus))
            continue;
        if (visit.count == 1) {
            found->number = calendar->origin.number + visit.first;
            return true;
        }
        stack[depth++] = child_of(calendar, visit, true);
        stack[depth++] = child_of(calendar, visit, false);
    }
    return false;
}

bool calendar_first_below(const struct calendar *calendar, struct hour start, struct hour end, int32_t gpus,
                          struct hour *found)
{
    return find(calendar, start, end, FIRST_BELOW, gpus, found);
}

bool calendar_first_at_least(const struct calendar *calendar, struct hour start, struct hour end,
                             int32_t gpus, struct hour *found)
{
    return find(calendar, start, end, FIRST_AT_LEAST, gpus, found);
}

void calendar_step(const struct calendar *calendar, struct hour from, struct hour end, int32_t *free,
                   struct hour *until)
{
    *free = calendar_at(calendar, from);
    *until = end;
    struct hour other;
    if (calendar_first_below(calendar, from, *until, *free, &other))
        *until = other;
    if (*free < INT32_MAX && calendar_first_at_least(calendar, from, *until, *free + 1, &other))
        *until = other;
}

// The first, or the last, place with less than gpus in a subtree that has one.
static int32_t outermost_below(const struct calendar *calendar, struct visit visit, bool last, int32_t gpus)
{
    while (visit.count > 1) {
        struct visit child = child_of(calendar, visit, last);
        if (!may_hold(calendar, child, FIRST_BELOW, gpus))
            child = child_of(calendar, visit, !last);
        visit = child;
    }
    return visit.first;
}

// A search for the first run of places that is long enough: the subtrees from left to right or, backward,
// from right to left. Places are counted in the direction of the search.
struct run_search {
    const struct calendar *calendar;
    bool backward;
    int32_t from, to; // the places that may be used
    int32_t length, gpus;
    int32_t start;  // of the run so far: every place from here to the subtree that comes next has enough
    int32_t passed; // how many blocked subtrees
};

static int32_t first_place(const struct run_search *search, struct visit visit)
{
    return search->backward ? search->calendar->size - visit.first - visit.count : visit.first;
}

// The first, or the last, place with less than gpus in a subtree that has one.
static int32_t blocked_place(const struct run_search *search, struct visit visit, bool last)
{
    int32_t place = outermost_below(search->calendar, visit, last != search->backward, search->gpus);
    return search->backward ? search->calendar->size - 1 - place : place;
}

// Takes in the next subtree, which lies between from and to. False when its halves must be looked at instead.
static bool pass_subtree(struct run_search *search, struct visit visit)
{
    const struct calendar *calendar = search->calendar;
    int32_t end = first_place(search, visit) + visit.count;
    if (calendar->least[visit.node] + visit.above >= search->gpus)
        return true;
    if (calendar->most[visit.node] + visit.above < search->gpus) {
        search->start = end;
        search->passed++;
        return true;
    }
    if (visit.count > search->length)
        return false;
    // No run between two blocked places in here is long enough: what counts is where the run that comes in
    // ends, and where the one that goes out begins.
    if (end - search->start > search->length &&
        blocked_place(search, visit, false) - search->start >= search->length)
        return true;
    search->start = blocked_place(search, visit, true) + 1;
    search->passed++;
    return true;
}

enum run_result { RUN_FOUND, RUN_NONE, RUN_UNKNOWN };

// Leaves the run that was found, or the first that is not ruled out, in search->start.
static enum run_result find_run(struct run_search *search, int32_t limit)
{
    struct visit stack[STACK_SIZE];
    int depth = 0;
    stack[depth++] = root_of(search->calendar);
    while (depth > 0) {
        struct visit visit = stack[--depth];
        int32_t first = first_place(search, visit), last = first + visit.count;
        if (first >= search->to || last <= search->from)
            continue;
        // So far every place from the run's start to this subtree has enough.
        if (search->start + search->length <= first)
            break;
        if (search->start + search->length > search->to)
            return RUN_NONE;
        if (search->passed >= limit)
            return RUN_UNKNOWN;
        if (first >= search->from && last <= search->to && pass_subtree(search, visit))
            continue;
        stack[depth++] = child_of(search->calendar, visit, !search->backward);
        stack[depth++] = child_of(search->calendar, visit, search->backward);
    }
    return search->start + search->length > search->to ? RUN_NONE : RUN_FOUND;
}

bool calendar_next_fit(const struct calendar *calendar, struct hour from, int32_t hours, int32_t gpus,
                       struct hour end, int32_t limit, struct hour *found, struct hour *searched_until)
{
    struct run_search search = {.calendar = calendar, .length = hours, .gpus = gpus};
    *searched_until = end;
    if ((int64_t)from.number + hours > end.number)
        return false;
    place_window(calendar, from, end, &search.from, &search.to);
    search.start = search.from;
    enum run_result result = find_run(&search, limit);
    if (result == RUN_NONE)
        return false;
    searched_until->number = calendar->origin.number + search.start;
    if (result == RUN_FOUND)
        *found = *searched_until;
    return result == RUN_FOUND;
}

enum calendar_fit calendar_fit(const struct calendar *calendar, bool last, struct hour from, int32_t hours,
                               int32_t gpus, struct hour end, int32_t *budget, struct hour *found)
{
    struct run_search search = {.calendar = calendar, .backward = last, .length = hours, .gpus = gpus};
    if ((int64_t)from.number + hours > end.number)
        return CALENDAR_NO_FIT;
    int32_t first, end_place;
    place_window(calendar, from, end, &first, &end_place);
    search.from = last ? calendar->size - end_place : first;
    search.to = last ? calendar->size - first : end_place;
    search.start = search.from;
    enum run_result result = find_run(&search, *budget);
    *budget -= search.passed;
    if (result == RUN_NONE)
        return CALENDAR_NO_FIT;
    int32_t start = last ? calendar->size - search.start - hours : search.start;
    found->number = calendar->origin.number + start;
    return result == RUN_FOUND ? CALENDAR_FIT : CALENDAR_GAVE_UP;
}

void calendar_read(const struct calendar *calendar, struct hour start, struct hour end, int32_t *free)
{
    int32_t from, to;
    place_window(calendar, start, end, &from, &to);
    struct visit stack[STACK_SIZE];
    int depth = 0;
    stack[depth++] = root_of(calendar);
    while (depth > 0) {
        struct visit visit = stack[--depth];
        if (visit.first >= to || visit.first + visit.count <= from)
            continue;
        if (visit.count == 1) {
            free[visit.first - from] = calendar->least[visit.node] + visit.above;
            continue;
        }
        stack[depth++] = child_of(calendar, visit, true);
        stack[depth++] = child_of(calendar, visit, false);
    }
}
