#include "server/watch.h"

#include "base/log.h"
#include "base/memory.h"
#include "server/connection.h"
#include "server/server.h"
#include "wire/wire.h"
#include <assert.h>
#include <stdlib.h>

bool watches_set_up(struct watches *watches, struct server *server)
{
    *watches = (struct watches){.server = server};
    watches->work.data = watches->patience.data = watches->retry.data = watches;
    return uv_timer_init(&server->loop, &watches->patience) == 0 &&
           uv_timer_init(&server->loop, &watches->retry) == 0;
}

static void close_timer(uv_timer_t *timer)
{
    if (!uv_is_closing((uv_handle_t *)timer)) {
        uv_close((uv_handle_t *)timer, NULL);
    }
}

void watches_close(struct watches *watches)
{
    close_timer(&watches->patience);
    close_timer(&watches->retry);
}

static void close_handle(struct watches *watches)
{
    ledger_reader_close(watches->handle);
    watches->handle = NULL;
    watches->handle_is_stale = false;
}

void watches_free(struct watches *watches)
{
    close_handle(watches);
    arena_free(&watches->page.arena);
    buffer_free(&watches->text);
}

bool watches_are_idle(const struct watches *watches)
{
    return !watches->is_running;
}

// ---- Lists

static void leave_list(struct watch *watch)
{
    struct watch_list *list = watch->list;
    if (list == NULL) {
        return;
    }
    if (watch->previous != NULL) {
        watch->previous->next = watch->next;
    } else {
        list->first = watch->next;
    }
    if (watch->next != NULL) {
        watch->next->previous = watch->previous;
    } else {
        list->last = watch->previous;
    }
    watch->list = NULL;
    watch->previous = watch->next = NULL;
}

// At the end of the list, out of the one where it was.
static void enter_list(struct watch_list *list, struct watch *watch)
{
    leave_list(watch);
    watch->list = list;
    watch->previous = list->last;
    if (list->last != NULL) {
        list->last->next = watch;
    } else {
        list->first = watch;
    }
    list->last = watch;
}

static struct watches *watches_of(const struct watch *watch)
{
    return &watch->connection->server->watches;
}

// ---- Who doesn't take what was sent

static void patience_over(uv_timer_t *timer);

static void be_patient(struct watches *watches, uint64_t milliseconds)
{
    if (!uv_is_active((uv_handle_t *)&watches->patience) &&
        !uv_is_closing((uv_handle_t *)&watches->patience)) {
        uv_timer_start(&watches->patience, patience_over, milliseconds, 0);
    }
}

static void stall(struct watch *watch)
{
    struct watches *watches = watches_of(watch);
    watch->since = uv_now(&watches->server->loop);
    enter_list(&watches->stalled, watch);
    be_patient(watches, (uint64_t)watches->server->config->limits.watch_milliseconds);
}

static bool has_taken_all(const struct watch *watch)
{
    return watch->connection->taken >= watch->mark;
}

static void give_up(struct watch *watch)
{
    struct connection *connection = watch->connection;
    log_info("watcher does not keep up", "actor=\"%s\" after=%lld", connection->session.actor,
             (long long)watch->after);
    struct slot *slot = connection_last_slot(connection);
    wire_reply_watch_ended(&slot->text, watch->after);
    connection_filled(connection, slot, 0);
    watch_end(connection);
    connection_leave_soon(connection);
}

// All have the same patience, so the first of the list is the first that is over.
static void patience_over(uv_timer_t *timer)
{
    struct watches *watches = timer->data;
    uint64_t now = uv_now(&watches->server->loop);
    uint64_t patience = (uint64_t)watches->server->config->limits.watch_milliseconds;
    struct watch *watch;
    while ((watch = watches->stalled.first) != NULL && now - watch->since >= patience) {
        if (has_taken_all(watch)) {
            stall(watch); // it waits for a line of ours to be ended, which is not its fault
        } else {
            give_up(watch);
        }
    }
    if (watch != NULL) {
        be_patient(watches, watch->since + patience - now);
    }
}

// ---- Beginning and ending

void watch_begin(struct connection *connection, uint32_t tenant, int64_t after, struct slot *slot)
{
    struct watch *watch = &connection->watch;
    assert(!watch->is_on);
    *watch = (struct watch){.is_on = true, .connection = connection, .tenant = tenant, .after = after};
    slot->fate = &watch->reply;
    watches_of(watch)->count++;
}

void watch_end(struct connection *connection)
{
    struct watch *watch = &connection->watch;
    if (watch->is_on) {
        leave_list(watch);
        watch->is_on = false;
        watches_of(watch)->count--;
    }
}

// A page may be put behind what the connection has to send: not into the middle of a line, which the reply to
// a batch can be, and not on top of what its client doesn't take.
static bool can_take(const struct watch *watch)
{
    const struct connection *connection = watch->connection;
    return has_taken_all(watch) && !connection->slots.in_line && connection_takes_replies(connection);
}

static void be_ready(struct watch *watch)
{
    if (can_take(watch)) {
        enter_list(&watches_of(watch)->ready, watch);
    } else {
        stall(watch);
    }
}

void watch_turn(struct connection *connection)
{
    struct watch *watch = &connection->watch;
    if (!watch->is_on) {
        return;
    }
    if (watch->reply == SLOT_FAILED) {
        watch_end(connection);
    } else if (watch->reply == SLOT_LEFT && watch->list == NULL) {
        be_ready(watch);
    } else if (watch->list == &watches_of(watch)->stalled && can_take(watch)) {
        enter_list(&watches_of(watch)->ready, watch);
    }
}

// ---- News

void watches_durable(struct watches *watches)
{
    struct watch *next;
    for (struct watch *watch = watches->quiet.first; watch != NULL; watch = next) {
        next = watch->next;
        if (writer_has_news(&watches->server->writer, watch->tenant, watch->read_through)) {
            be_ready(watch);
        }
    }
}

void watches_reopened(struct watches *watches)
{
    watches->handle_is_stale = true;
    // A batch of which it was unknown whether it is in the ledger may be there.
    while (watches->quiet.first != NULL) {
        be_ready(watches->quiet.first);
    }
}

// ---- Pages

static void read_on_pool(uv_work_t *work)
{
    struct watches *watches = work->data;
    struct watch_page *page = &watches->page;
    page->succeeded = watches->handle != NULL ||
                      ledger_reader_open(watches->server->config->ledger, &watches->handle, &page->error);
    page->succeeded =
        page->succeeded && ledger_read_events(watches->handle, page->tenant, &page->page, &page->arena,
                                              &page->events, &page->count, &page->error);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void give(struct watch *watch, const struct watch_page *page, const struct buffer *text)
{
    struct watches *watches = watches_of(watch);
    struct connection *connection = watch->connection;
    if (text->length > 0) {
        buffer_append(&connection->output, text->data, text->length);
        watches->server->metrics.events_sent += (int64_t)page->count;
        watch->mark = connection->taken + (int64_t)connection_untaken(connection);
        connection_touch(connection);
    }
    if (page->page.has_next) {
        watch->after = page->page.next;
        be_ready(watch);
        return;
    }
    // There is nothing between what was found and the last event of that time.
    watch->after = later(watch->after, page->last_event);
    watch->after = later(watch->after, page->count > 0 ? page->events[page->count - 1].seq : 0);
    watch->read_through = page->read_through;
    if (writer_has_news(&watches->server->writer, watch->tenant, watch->read_through)) {
        be_ready(watch);
    } else {
        enter_list(&watches->quiet, watch);
    }
}

// The page as text, for all who stand where it begins.
static void give_out(struct watches *watches)
{
    const struct watch_page *page = &watches->page;
    const struct book *book = watches->server->store.book;
    buffer_clear(&watches->text);
    for (size_t i = 0; i < page->count; i++) {
        wire_event_notification(&watches->text, book, &page->events[i]);
    }
    struct watch *next, *last = watches->ready.last;
    for (struct watch *watch = watches->ready.first; watch != NULL; watch = next) {
        next = watch == last ? NULL : watch->next;
        if (watch->tenant != page->tenant || watch->after != page->page.after) {
            continue;
        }
        if (can_take(watch)) {
            give(watch, page, &watches->text);
        } else {
            stall(watch);
        }
    }
    if (watches->text.capacity > KEPT_BUFFER_BYTES * 4) {
        buffer_free(&watches->text);
        watches->text = (struct buffer){0};
    }
}

static void try_again(uv_timer_t *timer)
{
    (void)timer; // the turn that follows reads
}

static void retry_later(struct watches *watches)
{
    if (!uv_is_closing((uv_handle_t *)&watches->retry)) {
        uv_timer_start(&watches->retry, try_again,
                       (uint64_t)watches->server->config->limits.retry_milliseconds, 0);
    }
}

static void after_read(uv_work_t *work, int status)
{
    struct watches *watches = work->data;
    struct watch_page *page = &watches->page;
    assert(status == 0);
    (void)status;
    watches->is_running = false;
    if (!page->succeeded) {
        log_error("ledger can't be read", "sqlite_code=%d error=\"%s\"", page->error.sqlite_code,
                  page->error.message);
        watches->handle_is_stale = true;
        retry_later(watches);
    } else if (watches->server->store.book != NULL) {
        give_out(watches);
    }
    arena_reset(&page->arena);
}

static bool may_read(struct watches *watches)
{
    if (watches->is_running || watches->ready.first == NULL || watches->server->store.book == NULL ||
        watches->server->stopping || uv_is_active((uv_handle_t *)&watches->retry)) {
        return false;
    }
    if (memory_is_short() && !memory_reserve(MEMORY_RESERVE)) {
        retry_later(watches);
        return false;
    }
    return true;
}

void watches_turn(struct watches *watches)
{
    if (watches->handle_is_stale && !watches->is_running) {
        close_handle(watches);
    }
    if (!may_read(watches)) {
        return;
    }
    const struct watch *watch = watches->ready.first;
    struct watch_page *page = &watches->page;
    page->tenant = watch->tenant;
    page->page = (struct ledger_page){
        .after = watch->after,
        .limit = WATCH_PAGE_EVENTS,
        .bytes = WATCH_PAGE_BYTES,
    };
    page->read_through = watches->server->writer.durable;
    page->last_event = watches->server->writer.last_event;
    watches->is_running = true;
    watches->pages++;
    int status = uv_queue_work(&watches->server->loop, &watches->work, read_on_pool, after_read);
    assert(status == 0);
    (void)status;
}
