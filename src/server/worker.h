// A thread of its own for the ledger's work: one piece at a time, and the loop is told when it is done.
//
//     worker_open      starts the thread
//     worker_run       hands it a piece of work; `after` is called on the loop when that is done
//     worker_poll      is it done? Then `after` is called at once, instead of when the loop next polls
//     worker_close     closes the loop's handle; worker_free then ends the thread
//
// libuv's pool would do the same, but hands each piece to another thread: what a commit needs then lies in
// the cache of another processor, and its memory in the allocator's region of another thread. And work on the
// pool can wait for a thread, which a commit never should.
#ifndef COLOSSUS_SERVER_WORKER_H
#define COLOSSUS_SERVER_WORKER_H

#include <stdbool.h>
#include <uv.h>

struct worker {
    uv_thread_t thread;
    uv_async_t finished;
    uv_mutex_t mutex; // of all that follows
    uv_cond_t changed;
    void (*work)(void *context); // what the thread is to do or does; else NULL
    void (*after)(void *context);
    void *context;
    bool done, ending;
    bool has_thread;
};

// False when the system gives no thread; then worker_close and worker_free are still called.
bool worker_open(struct worker *worker, uv_loop_t *loop);

// No other piece may be on its way.
void worker_run(struct worker *worker, void (*work)(void *context), void (*after)(void *context),
                void *context);

// On the loop, which may be busy for a while with other things.
void worker_poll(struct worker *worker);

// Nothing may be on its way. The handle is closed when the loop has run once more.
void worker_close(struct worker *worker);
void worker_free(struct worker *worker);

#endif
