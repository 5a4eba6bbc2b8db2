#include "load.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "broker.h"
#include "daemon.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECOND            INT64_C(1000000000)
#define WATCH_NANOSECONDS (10 * INT64_C(1000000))

// Open loop sends what is due no more often than this, or the sending would take more of the machine than the
// daemon has left. A latency begins when its request was due all the same.
#define TICK_NANOSECONDS (INT64_C(200) * 1000)

#define DRAIN_NANOSECONDS (30 * SECOND)
#define READ_BYTES        65536
#define REPLY_SHOWN       600
#define EVENTS_MOST       256

// The warm-up is a fifth of what is measured, and at most a second.
#define WARM_UP_PART 5

struct sent {
    int64_t at; // when it was due in open loop, else when it was sent
    int64_t number;
    size_t line;
};

struct channel {
    int descriptor;
    struct buffer input, output;
    size_t written;    // of the output
    struct sent *sent; // a ring of those not yet answered; its capacity is a power of two
    size_t first, count, capacity;
    bool waits_to_write, has_new;
};

struct run {
    const struct load *load;
    struct load_result *result;
    struct channel *channels;
    int epoll;
    int64_t begun, measure_from, measure_until; // nanoseconds
    int64_t sent, answered, counted, watched_at;
};

// ---- Sending

static void push_sent(struct channel *channel, const struct sent *sent)
{
    if (channel->count == channel->capacity) {
        size_t capacity = channel->capacity == 0 ? 64 : 2 * channel->capacity;
        struct sent *ring = memory_allocate(capacity, sizeof *ring);
        for (size_t i = 0; i < channel->count; i++)
            ring[i] = channel->sent[(channel->first + i) % channel->capacity];
        free(channel->sent);
        channel->sent = ring;
        channel->first = 0;
        channel->capacity = capacity;
    }
    channel->sent[(channel->first + channel->count++) & (channel->capacity - 1)] = *sent;
}

// Writes a number over a place of NUMBER_DIGITS, spaces after it.
static void put_number(char *place, int64_t number)
{
    char digits[NUMBER_DIGITS];
    int count = 0;
    for (; number > 0 && count < NUMBER_DIGITS; number /= 10)
        digits[count++] = (char)('0' + number % 10);
    for (int i = 0; i < NUMBER_DIGITS; i++)
        place[i] = i < count ? digits[count - 1 - i] : ' ';
}

static void put_target(struct run *run, const struct prepared *line, char *text)
{
    struct target_reservation target;
    struct targets *targets = run->load->targets;
    bool there = targets != NULL &&
                 (line->use == USE_TAKES ? targets_take(targets, &target) : targets_look(targets, &target));
    if (!there)
        bench_fail("there is no reservation left to cancel, change or get");
    put_number(text + line->reservation, target.id);
    text[line->tenant + 7] = (char)('0' + target.tenant / 10);
    text[line->tenant + 8] = (char)('0' + target.tenant % 10);
}

static void queue_request(struct run *run, struct channel *channel, int64_t at)
{
    const struct requests *requests = run->load->requests;
    struct sent sent = {
        .at = at, .number = NUMBER_FIRST + run->sent, .line = (size_t)run->sent % requests->count};
    const struct prepared *line = &requests->all[sent.line];
    char *text = buffer_reserve(&channel->output, line->length);
    buffer_append(&channel->output, requests->text.data + line->begin, line->length);
    put_number(text + line->number, sent.number);
    if (line->reference != 0)
        put_number(text + line->reference, sent.number);
    if (line->reservation != 0)
        put_target(run, line, text);
    push_sent(channel, &sent);
    channel->has_new = true;
    run->sent++;
}

static void watch_writing(struct run *run, struct channel *channel, bool waits)
{
    if (channel->waits_to_write == waits)
        return;
    struct epoll_event event = {.events = EPOLLIN | (waits ? (uint32_t)EPOLLOUT : 0), .data.ptr = channel};
    if (epoll_ctl(run->epoll, EPOLL_CTL_MOD, channel->descriptor, &event) != 0)
        bench_fail("epoll: %s", strerror(errno));
    channel->waits_to_write = waits;
}

static void flush(struct run *run, struct channel *channel)
{
    channel->has_new = false;
    while (channel->written < channel->output.length) {
        ssize_t count = send(channel->descriptor, channel->output.data + channel->written,
                             channel->output.length - channel->written, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno != EAGAIN)
            bench_fail("the daemon takes no request: %s", strerror(errno));
        if (count < 0)
            break;
        channel->written += (size_t)count;
    }
    bool done = channel->written == channel->output.length;
    if (done) {
        buffer_clear(&channel->output);
        channel->written = 0;
    }
    watch_writing(run, channel, !done);
}

// ---- Replies

static void fail_reply(const struct run *run, const struct sent *sent, const char *reply, size_t length)
{
    const struct requests *requests = run->load->requests;
    const struct prepared *line = &requests->all[sent->line];
    bench_fail("a reply is not the expected one.\nThe request was like %.*sThe reply is %.*s",
               (int)line->length, requests->text.data + line->begin,
               (int)(length < REPLY_SHOWN ? length : REPLY_SHOWN), reply);
}

static bool starts_with(const char **place, const char *end, const char *text)
{
    size_t length = strlen(text);
    if ((size_t)(end - *place) < length || memcmp(*place, text, length) != 0)
        return false;
    *place += length;
    return true;
}

static int64_t read_number(const char **place, const char *end)
{
    int64_t number = 0;
    for (; *place < end && **place >= '0' && **place <= '9' && number < INT64_MAX / 16; (*place)++)
        number = 10 * number + (**place - '0');
    return number;
}

static bool is_expected(const struct run *run, const struct sent *sent, const char *place, const char *end)
{
    const struct prepared *line = &run->load->requests->all[sent->line];
    if (!starts_with(&place, end, "{\"jsonrpc\":\"2.0\",\"id\":") || read_number(&place, end) != sent->number)
        return false;
    if (line->code != 0 &&
        (!starts_with(&place, end, ",\"error\":{\"code\":") || read_number(&place, end) != line->code))
        return false;
    if (line->code == 0 && !starts_with(&place, end, ",\"result\":{"))
        return false;
    if (line->in_reply != NULL &&
        memmem(place, (size_t)(end - place), line->in_reply, strlen(line->in_reply)) == NULL)
        return false;
    if (line->use != USE_MAKES || run->load->targets == NULL)
        return true;
    struct target_reservation made;
    if (!starts_with(&place, end, "\"id\":"))
        return false;
    made.id = read_number(&place, end);
    if (!starts_with(&place, end, ",\"tenant\":\"tenant-"))
        return false;
    made.tenant = (int)read_number(&place, end);
    targets_add(run->load->targets, made);
    return true;
}

static void take_reply(struct run *run, struct channel *channel, const char *reply, size_t length,
                       int64_t now)
{
    if (channel->count == 0)
        bench_fail("a reply to nothing: %.*s", (int)(length < REPLY_SHOWN ? length : REPLY_SHOWN), reply);
    struct sent sent = channel->sent[channel->first];
    channel->first = (channel->first + 1) & (channel->capacity - 1);
    channel->count--;
    run->answered++;
    if (!is_expected(run, &sent, reply, reply + length))
        fail_reply(run, &sent, reply, length);
    int64_t counts_at = run->load->rate > 0 ? sent.at : now;
    if (counts_at >= run->measure_from && counts_at < run->measure_until) {
        run->counted++;
        histogram_add(&run->result->latencies, now - sent.at);
    }
    if (run->load->rate <= 0 && now < run->measure_until)
        queue_request(run, channel, now);
}

static void take_replies(struct run *run, struct channel *channel)
{
    char *room = buffer_reserve(&channel->input, READ_BYTES);
    ssize_t count = recv(channel->descriptor, room, READ_BYTES, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count <= 0)
        bench_fail("the daemon closed a connection: %s", count < 0 ? strerror(errno) : "end of stream");
    channel->input.length += (size_t)count;
    int64_t now = nanoseconds();
    const char *begin = channel->input.data, *end = begin + channel->input.length, *newline;
    // What was there before has no newline.
    const char *unseen = end - count;
    while ((newline = memchr(unseen, '\n', (size_t)(end - unseen))) != NULL) {
        take_reply(run, channel, begin, (size_t)(newline - begin), now);
        begin = unseen = newline + 1;
    }
    buffer_consume(&channel->input, (size_t)(begin - channel->input.data));
}

// ---- The run

static void open_channels(struct run *run)
{
    run->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (run->epoll < 0)
        bench_fail("epoll: %s", strerror(errno));
    run->channels = memory_allocate((size_t)run->load->connections, sizeof *run->channels);
    for (int i = 0; i < run->load->connections; i++) {
        struct channel *channel = &run->channels[i];
        channel->descriptor = socket_connect(run->load->socket);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = channel};
        if (fcntl(channel->descriptor, F_SETFL, O_NONBLOCK) != 0 ||
            epoll_ctl(run->epoll, EPOLL_CTL_ADD, channel->descriptor, &event) != 0)
            bench_fail("a connection can't be watched: %s", strerror(errno));
    }
}

static void close_channels(struct run *run)
{
    for (int i = 0; i < run->load->connections; i++) {
        struct channel *channel = &run->channels[i];
        close(channel->descriptor);
        buffer_free(&channel->input);
        buffer_free(&channel->output);
        free(channel->sent);
    }
    free(run->channels);
    close(run->epoll);
}

static void fill_closed_loop(struct run *run)
{
    for (int i = 0; i < run->load->connections; i++) {
        for (int k = 0; k < run->load->depth; k++)
            queue_request(run, &run->channels[i], nanoseconds());
        flush(run, &run->channels[i]);
    }
}

// When the next request is due in open loop.
static int64_t due_at(const struct run *run)
{
    return run->begun + (int64_t)((double)run->sent * (double)SECOND / run->load->rate);
}

static void send_what_is_due(struct run *run, int64_t now)
{
    for (int64_t due = due_at(run); due <= now && due < run->measure_until; due = due_at(run))
        queue_request(run, &run->channels[run->sent % run->load->connections], due);
    for (int i = 0; i < run->load->connections; i++)
        if (run->channels[i].has_new && !run->channels[i].waits_to_write)
            flush(run, &run->channels[i]);
}

static void wait_for_events(struct run *run, int64_t now)
{
    struct epoll_event events[EVENTS_MOST];
    int64_t wait = WATCH_NANOSECONDS;
    if (run->load->rate > 0 && due_at(run) < run->measure_until && due_at(run) - now < wait)
        wait = due_at(run) - now > TICK_NANOSECONDS ? due_at(run) - now : TICK_NANOSECONDS;
    int count = epoll_pwait2(run->epoll, events, EVENTS_MOST,
                             &(struct timespec){.tv_sec = wait / SECOND, .tv_nsec = wait % SECOND}, NULL);
    if (count < 0 && errno != EINTR)
        bench_fail("epoll: %s", strerror(errno));
    for (int i = 0; i < count; i++) {
        struct channel *channel = events[i].data.ptr;
        if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
            take_replies(run, channel);
        if (channel->has_new || (events[i].events & EPOLLOUT) != 0)
            flush(run, channel);
    }
}

static void loop(struct run *run)
{
    bool open = run->load->rate > 0;
    for (int64_t now = nanoseconds(); now < run->measure_until || run->answered < run->sent;
         now = nanoseconds()) {
        if (open)
            send_what_is_due(run, now);
        wait_for_events(run, now);
        if (now > run->measure_until + DRAIN_NANOSECONDS)
            bench_fail("%lld requests are not answered half a minute after the last was sent",
                       (long long)(run->sent - run->answered));
        if (run->load->watch != NULL && now - run->watched_at >= WATCH_NANOSECONDS) {
            run->watched_at = now;
            run->load->watch(run->load->context);
        }
    }
}

static double processor_seconds(void)
{
    struct rusage used;
    if (getrusage(RUSAGE_SELF, &used) != 0)
        bench_fail("the processor time can't be read");
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

void load_run(const struct load *load, struct load_result *result)
{
    struct run run = {.load = load, .result = result};
    double warm_up = load->seconds / WARM_UP_PART < 1 ? load->seconds / WARM_UP_PART : 1;
    double used = processor_seconds();
    *result = (struct load_result){0};
    // So that what is due in open loop is not sent 50 microseconds late.
    if (prctl(PR_SET_TIMERSLACK, 1) != 0)
        bench_fail("the timers can't be made exact: %s", strerror(errno));
    open_channels(&run);
    run.begun = nanoseconds();
    run.measure_from = run.begun + (int64_t)(warm_up * (double)SECOND);
    run.measure_until = run.measure_from + (int64_t)(load->seconds * (double)SECOND);
    if (load->rate <= 0)
        fill_closed_loop(&run);
    loop(&run);
    close_channels(&run);
    if (run.counted == 0)
        bench_fail("nothing was answered while it was measured");
    result->per_second = (double)run.counted / load->seconds;
    result->answered = run.answered;
    result->processor_seconds = processor_seconds() - used;
}
