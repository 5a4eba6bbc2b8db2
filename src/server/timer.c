#include "server/timer.h"

#include "base/log.h"
#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

static void fired(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct timer *timer = poll->data;
    uint64_t count;
    // The read fails with ECANCELED when the clock was set; either way the turn looks at the clock and arms
    // the timer anew.
    if (read(timer->descriptor, &count, sizeof(count)) < 0 && errno == EAGAIN) {
        return;
    }
    timer->is_armed = false;
}

bool timer_open(struct timer *timer, uv_loop_t *loop)
{
    *timer = (struct timer){.descriptor = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC)};
    if (timer->descriptor < 0) {
        return false;
    }
    timer->poll.data = timer;
    int status = uv_poll_init(loop, &timer->poll, timer->descriptor);
    status = status == 0 ? uv_poll_start(&timer->poll, UV_READABLE, fired) : status;
    if (status != 0) {
        errno = -status;
        return false;
    }
    return true;
}

static void set(struct timer *timer, struct instant at)
{
    // An instant of zero would disarm it.
    struct itimerspec time = {.it_value = {.tv_sec = at.seconds, .tv_nsec = at.seconds == 0 ? 1 : 0}};
    if (timerfd_settime(timer->descriptor, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &time, NULL) != 0) {
        log_error("timer could not be set", "error=\"%s\"", strerror(errno));
    }
}

void timer_arm(struct timer *timer, struct instant at)
{
    struct instant wanted = {at.seconds < 0 ? 0 : at.seconds};
    if (!timer->is_armed || timer->armed_for.seconds != wanted.seconds) {
        set(timer, wanted);
        timer->is_armed = true;
        timer->armed_for = wanted;
    }
}

void timer_disarm(struct timer *timer)
{
    if (timer->is_armed) {
        struct itimerspec never = {0};
        timerfd_settime(timer->descriptor, 0, &never, NULL);
        timer->is_armed = false;
    }
}

static void closed(uv_handle_t *handle)
{
    struct timer *timer = handle->data;
    close(timer->descriptor);
    timer->descriptor = -1;
}

void timer_close(struct timer *timer)
{
    if (timer->descriptor >= 0 && !uv_is_closing((uv_handle_t *)&timer->poll)) {
        uv_close((uv_handle_t *)&timer->poll, closed);
    }
}
