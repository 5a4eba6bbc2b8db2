// The ledger's thread: each piece of work is done off the loop, and its end is told on the loop.
#include "server/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { PIECES = 1000 };

// The thread may be kept from running at any place: here before it tells of its end.
static bool telling_takes_long;
int __real_uv_async_send(uv_async_t *handle);
int __wrap_uv_async_send(uv_async_t *handle);
int __wrap_uv_async_send(uv_async_t *handle)
{
    if (telling_takes_long)
        uv_sleep(100);
    return __real_uv_async_send(handle);
}

struct relay {
    struct worker worker;
    uv_thread_t loop_thread;
    int worked, told;
    bool on_loop; // a piece was done there
    bool early;   // a piece was done before the end of the one before was told
};

static void work(void *context)
{
    struct relay *relay = context;
    uv_thread_t here = uv_thread_self();
    relay->on_loop = relay->on_loop || uv_thread_equal(&here, &relay->loop_thread);
    relay->early = relay->early || relay->worked != relay->told;
    relay->worked++;
}

static void after(void *context)
{
    struct relay *relay = context;
    uv_thread_t here = uv_thread_self();
    assert_true(uv_thread_equal(&here, &relay->loop_thread));
    relay->told++;
    assert_false(relay->on_loop || relay->early);
    assert_int_equal(relay->worked, relay->told);
    if (relay->told < PIECES)
        worker_run(&relay->worker, work, after, relay);
    else
        worker_close(&relay->worker);
}

static void pieces_follow_each_other(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct relay relay = {.loop_thread = uv_thread_self()};
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_true(worker_open(&relay.worker, &loop));
    worker_run(&relay.worker, work, after, &relay);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(relay.told, PIECES);
    worker_free(&relay.worker);
    worker_free(&relay.worker); // again is no mistake
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void nothing(void *context)
{
    (void)context;
}

static void close_worker(void *context)
{
    worker_close(context);
}

static void poll_worker(uv_idle_t *idle)
{
    struct worker *worker = idle->data;
    worker_poll(worker);
    if (uv_is_closing((uv_handle_t *)&worker->finished))
        uv_close((uv_handle_t *)idle, NULL);
}

// Who looks may see the end of a piece before it is told, and close everything.
static void nothing_is_told_to_a_loop_that_is_gone(void **state)
{
    (void)state;
    uv_loop_t loop;
    uv_idle_t idle;
    struct worker worker;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_true(worker_open(&worker, &loop));
    assert_int_equal(uv_idle_init(&loop, &idle), 0);
    idle.data = &worker;
    assert_int_equal(uv_idle_start(&idle, poll_worker), 0);
    telling_takes_long = true;
    worker_run(&worker, nothing, close_worker, &worker);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
    worker_free(&worker);
    telling_takes_long = false;
}

static void a_worker_without_work_ends(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct worker worker = {0};
    worker_close(&worker); // one that was never opened
    worker_free(&worker);
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_true(worker_open(&worker, &loop));
    worker_close(&worker);
    worker_close(&worker);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    worker_free(&worker);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_follow_each_other),
        cmocka_unit_test(nothing_is_told_to_a_loop_that_is_gone),
        cmocka_unit_test(a_worker_without_work_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
