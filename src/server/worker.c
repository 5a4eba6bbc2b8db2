#include "server/worker.h"

#include <assert.h>

static void run_thread(void *argument)
{
    struct worker *worker = argument;
    uv_mutex_lock(&worker->mutex);
    for (;;) {
        while (!worker->ending && (worker->work == NULL || worker->done)) {
            uv_cond_wait(&worker->changed, &worker->mutex);
        }
        if (worker->ending) {
            break;
        }
        uv_mutex_unlock(&worker->mutex);
        worker->work(worker->context);
        uv_mutex_lock(&worker->mutex);
        worker->done = true;
        // Not after the mutex: the loop may find by itself that it is done, and then close the handle.
        uv_async_send(&worker->finished);
    }
    uv_mutex_unlock(&worker->mutex);
}

void worker_poll(struct worker *worker)
{
    uv_mutex_lock(&worker->mutex);
    bool done = worker->done;
    void (*after)(void *) = worker->after;
    if (done) {
        worker->work = NULL;
        worker->done = false;
    }
    uv_mutex_unlock(&worker->mutex);
    if (done) {
        after(worker->context);
    }
}

static void tell(uv_async_t *handle)
{
    worker_poll(handle->data);
}

bool worker_open(struct worker *worker, uv_loop_t *loop)
{
    *worker = (struct worker){0};
    if (uv_async_init(loop, &worker->finished, tell) != 0) {
        return false;
    }
    worker->finished.data = worker;
    if (uv_mutex_init(&worker->mutex) != 0) {
        return false;
    }
    if (uv_cond_init(&worker->changed) != 0) {
        uv_mutex_destroy(&worker->mutex);
        return false;
    }
    worker->has_thread = uv_thread_create(&worker->thread, run_thread, worker) == 0;
    if (!worker->has_thread) {
        uv_cond_destroy(&worker->changed);
        uv_mutex_destroy(&worker->mutex);
    }
    return worker->has_thread;
}

void worker_run(struct worker *worker, void (*work)(void *context), void (*after)(void *context),
                void *context)
{
    uv_mutex_lock(&worker->mutex);
    assert(worker->work == NULL);
    worker->work = work;
    worker->after = after;
    worker->context = context;
    uv_mutex_unlock(&worker->mutex);
    uv_cond_signal(&worker->changed);
}

void worker_close(struct worker *worker)
{
    if (worker->finished.data != NULL && !uv_is_closing((uv_handle_t *)&worker->finished)) {
        uv_close((uv_handle_t *)&worker->finished, NULL);
    }
}

void worker_free(struct worker *worker)
{
    if (!worker->has_thread) {
        return;
    }
    uv_mutex_lock(&worker->mutex);
    assert(worker->work == NULL);
    worker->ending = true;
    uv_cond_signal(&worker->changed);
    uv_mutex_unlock(&worker->mutex);
    uv_thread_join(&worker->thread);
    uv_cond_destroy(&worker->changed);
    uv_mutex_destroy(&worker->mutex);
    worker->has_thread = false;
}
