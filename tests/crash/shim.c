// A library that stands between the daemon and the system (LD_PRELOAD): it counts the calls that change
// files, and can kill the process at one of them or make calls fail; and it can move the system's clock.
//
// CRASH_CONTROL names a file that holds a struct control, mapped by the daemon and by the test, so that the
// test may change it while the daemon runs. What counts: writing, cutting, syncing, removing, renaming,
// making files and folders; not the log (descriptors up to 2), and no sockets, pipes and events. Without
// CRASH_CONTROL nothing is changed.
//
// The calls are made with syscall, not by the next library's function, so that the shim may be loaded before
// a sanitizer's own wrappers and be called before they are ready.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define PAGE_BYTES 4096

enum action {
    ACTION_NONE,
    ACTION_KILL_BEFORE, // SIGKILL in place of call `at`
    ACTION_KILL_WITHIN, // a write is cut, then SIGKILL; another call is made first
    ACTION_KILL_AFTER,  // SIGKILL when call `at` was made
    ACTION_FAIL_ONCE,   // the first of the `kinds` from call `at` on is not made and fails with `error`
    ACTION_FAIL_FROM,   // all of the `kinds` from call `at` on
    ACTION_FAIL_WITHIN, // as once, but a write is cut before it fails
};

// As the tests pack it: seven numbers of 64 bits.
struct control {
    _Atomic int64_t count;  // calls so far
    _Atomic int64_t at;     // the call, from 1, at which something happens
    _Atomic int64_t action; // enum action
    _Atomic int64_t error;  // errno of a call that fails
    _Atomic int64_t kinds;  // which calls may fail: a set of enum kind; 0 for all. All count.
    _Atomic int64_t failed; // how many were made to fail
    _Atomic int64_t clock;  // seconds by which the system's clock is ahead
};

enum kind { KIND_WRITE = 1, KIND_SYNC = 2, KIND_CUT = 4, KIND_NAME = 8 };

static struct control *control;

// The timer of the daemon, for which a step of the clock is made to be seen.
static _Atomic int timer = -1;
static _Atomic bool timer_cancelled;

static void *watch_clock(void *unused);

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("CRASH_CONTROL");
    if (path == NULL) {
        return;
    }
    int descriptor = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    void *mapped = descriptor < 0 ? MAP_FAILED
                                  : mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED,
                                         descriptor, 0);
    if (mapped == MAP_FAILED) {
        abort(); // a test that goes on without its faults would pass for nothing
    }
    close(descriptor);
    control = mapped;
    pthread_t thread;
    if (getenv("CRASH_CLOCK") != NULL && pthread_create(&thread, NULL, watch_clock, NULL) != 0) {
        abort();
    }
}

// ---- Calls that change files

// What is to become of a call.
enum fate { FATE_DONE, FATE_FAILS, FATE_CUT, FATE_CUT_AND_DIES, FATE_DONE_AND_DIES };

static void die(void)
{
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    for (;;) {
        pause();
    }
}

static enum fate fate_of(enum kind kind)
{
    if (control == NULL) {
        return FATE_DONE;
    }
    int64_t call = atomic_fetch_add(&control->count, 1) + 1;
    int64_t at = control->at, action = control->action;
    bool may_fail = control->kinds == 0 || (control->kinds & kind) != 0;
    bool kills = action >= ACTION_KILL_BEFORE && action <= ACTION_KILL_AFTER;
    if (action == ACTION_NONE || call < at || (call > at && kills)) {
        return FATE_DONE;
    }
    if (action == ACTION_KILL_BEFORE) {
        die();
    }
    if (action == ACTION_KILL_AFTER) {
        return FATE_DONE_AND_DIES;
    }
    if (action == ACTION_KILL_WITHIN) {
        return kind == KIND_WRITE ? FATE_CUT_AND_DIES : FATE_DONE_AND_DIES;
    }
    if (!may_fail || (action != ACTION_FAIL_FROM &&
                      !atomic_compare_exchange_strong(&control->action, &action, ACTION_NONE))) {
        return FATE_DONE;
    }
    atomic_fetch_add(&control->failed, 1);
    return action == ACTION_FAIL_WITHIN && kind == KIND_WRITE ? FATE_CUT : FATE_FAILS;
}

static long end(enum fate fate, long result)
{
    if (fate == FATE_DONE_AND_DIES) {
        die();
    }
    return result;
}

static long fail(void)
{
    errno = (int)control->error;
    return -1;
}

static bool counts(int descriptor)
{
    struct stat status;
    return control != NULL && descriptor > 2 && fstat(descriptor, &status) == 0 &&
           (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
}

// How much of a write is done when it is cut. Neither a signal nor a full disk cuts one but where a page of
// the file begins.
static size_t part_of(int descriptor, size_t size, off_t place, bool placed)
{
    off_t begin = placed ? place : (off_t)syscall(SYS_lseek, descriptor, 0, SEEK_CUR);
    off_t last = (begin + (off_t)size - 1) / PAGE_BYTES * PAGE_BYTES;
    return size == 0 || last <= begin ? 0 : (size_t)(last - begin);
}

static ssize_t write_at(int descriptor, const void *data, size_t size, off_t place, bool placed)
{
    enum fate fate = counts(descriptor) ? fate_of(KIND_WRITE) : FATE_DONE;
    if (fate == FATE_FAILS) {
        return fail();
    }
    bool cut = fate == FATE_CUT || fate == FATE_CUT_AND_DIES;
    size_t part = cut ? part_of(descriptor, size, place, placed) : size;
    long written = placed ? syscall(SYS_pwrite64, descriptor, data, part, place)
                          : syscall(SYS_write, descriptor, data, part);
    if (fate == FATE_CUT_AND_DIES) {
        die();
    }
    return fate == FATE_CUT ? fail() : end(fate, written);
}

ssize_t write(int descriptor, const void *data, size_t size)
{
    return write_at(descriptor, data, size, 0, false);
}

ssize_t pwrite(int descriptor, const void *data, size_t size, off_t place)
{
    return write_at(descriptor, data, size, place, true);
}

ssize_t pwrite64(int descriptor, const void *data, size_t size, off64_t place)
{
    return write_at(descriptor, data, size, place, true);
}

// A call on a descriptor that is made as a whole or not at all.
#define WHOLE_CALL(kind, descriptor, call)                                                                   \
    do {                                                                                                     \
        enum fate fate = counts(descriptor) ? fate_of(kind) : FATE_DONE;                                     \
        return (int)(fate == FATE_FAILS || fate == FATE_CUT ? fail() : end(fate, (call)));                   \
    } while (0)

int fsync(int descriptor)
{
    WHOLE_CALL(KIND_SYNC, descriptor, syscall(SYS_fsync, descriptor));
}

int fdatasync(int descriptor)
{
    WHOLE_CALL(KIND_SYNC, descriptor, syscall(SYS_fdatasync, descriptor));
}

int ftruncate(int descriptor, off_t size)
{
    WHOLE_CALL(KIND_CUT, descriptor, syscall(SYS_ftruncate, descriptor, size));
}

int ftruncate64(int descriptor, off64_t size)
{
    WHOLE_CALL(KIND_CUT, descriptor, syscall(SYS_ftruncate, descriptor, size));
}

int fchmod(int descriptor, mode_t mode)
{
    WHOLE_CALL(KIND_NAME, descriptor, syscall(SYS_fchmod, descriptor, mode));
}

// A call on a name.
#define NAME_CALL(call)                                                                                      \
    do {                                                                                                     \
        enum fate fate = fate_of(KIND_NAME);                                                                 \
        return (int)(fate == FATE_FAILS || fate == FATE_CUT ? fail() : end(fate, (call)));                   \
    } while (0)

int unlink(const char *path)
{
    NAME_CALL(syscall(SYS_unlink, path));
}

int rename(const char *from, const char *to)
{
    NAME_CALL(syscall(SYS_rename, from, to));
}

int link(const char *from, const char *to)
{
    NAME_CALL(syscall(SYS_link, from, to));
}

int mkdir(const char *path, mode_t mode)
{
    NAME_CALL(syscall(SYS_mkdir, path, mode));
}

static int open_at(const char *path, int flags, mode_t mode)
{
    if ((flags & O_CREAT) == 0) {
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    }
    NAME_CALL(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

static mode_t mode_of(int flags, va_list arguments)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_at(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_at(path, flags, mode);
}

// ---- The clock

static int64_t ahead(void)
{
    return control != NULL ? control->clock : 0;
}

int clock_gettime(clockid_t which, struct timespec *time)
{
    int status = (int)syscall(SYS_clock_gettime, which, time);
    if (status == 0 && which == CLOCK_REALTIME) {
        time->tv_sec += ahead();
    }
    return status;
}

int timerfd_settime(int descriptor, int flags, const struct itimerspec *value, struct itimerspec *old)
{
    struct itimerspec moved = *value;
    if ((flags & TFD_TIMER_ABSTIME) != 0 && (moved.it_value.tv_sec != 0 || moved.it_value.tv_nsec != 0)) {
        moved.it_value.tv_sec -= ahead();
        if (moved.it_value.tv_sec < 0) {
            moved.it_value = (struct timespec){.tv_nsec = 1};
        }
    }
    timer = descriptor;
    return (int)syscall(SYS_timerfd_settime, descriptor, flags, &moved, old);
}

// The kernel ends the wait of such a timer with ECANCELED when the clock is set.
ssize_t read(int descriptor, void *data, size_t size)
{
    long count = syscall(SYS_read, descriptor, data, size);
    if (count >= 0 && descriptor == timer && atomic_exchange(&timer_cancelled, false)) {
        errno = ECANCELED;
        return -1;
    }
    return count;
}

static void *watch_clock(void *unused)
{
    (void)unused;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    int64_t seen = ahead();
    for (;;) {
        syscall(SYS_nanosleep, &(struct timespec){.tv_nsec = 2000000}, NULL);
        if (ahead() != seen) {
            seen = ahead();
            if (timer >= 0) {
                const struct itimerspec now = {.it_value = {.tv_nsec = 1}};
                timer_cancelled = true;
                syscall(SYS_timerfd_settime, timer, 0, &now, NULL);
            }
        }
    }
    return NULL;
}
