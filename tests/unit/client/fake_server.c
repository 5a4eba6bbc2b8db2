#include "fake_server.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define REQUESTS_MOST 8192

struct fake_server {
    char folder[32], path[64];
    const char *const *script;
    bool hangs_up;
    const char *greeting;
    int listener;
    pthread_t thread;
    bool is_running;
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    bool has_hung_up, is_stopping;
    int connection; // −1: none
    char *requests[REQUESTS_MOST];
    size_t count, step;
};

static bool is_step(const char *entry, const char *step)
{
    return strcmp(entry, step) == 0;
}

static bool write_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, text, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        text += sent;
        length -= (size_t)sent;
    }
    return true;
}

// The request's id as it is written.
static void write_id(FILE *out, const char *request)
{
    const char *id = strstr(request, "\"id\":");
    id = id == NULL ? "null" : id + 5;
    fwrite(id, 1, strcspn(id, ",}"), out);
}

static bool send_reply(int fd, const char *entry, const char *request)
{
    char *line = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&line, &length);
    if (out == NULL)
        return false;
    const char *id = strstr(entry, "$id");
    if (id != NULL) {
        fwrite(entry, 1, (size_t)(id - entry), out);
        write_id(out, request);
        entry = id + 3;
    }
    fprintf(out, "%s\n", entry);
    fclose(out);
    bool sent = write_all(fd, line, length);
    free(line);
    return sent;
}

// Does the next step. False: the connection is to be closed.
static bool answer(struct fake_server *fake, int fd, const char *request)
{
    const char *entry = fake->script[fake->step];
    if (entry == NULL)
        return false;
    fake->step++;
    if (is_step(entry, FAKE_SILENT))
        return true;
    if (is_step(entry, FAKE_CLOSE))
        return false;
    if (is_step(entry, FAKE_HALF)) {
        write_all(fd, "{\"jsonrpc\":", 11);
        return false;
    }
    if (strncmp(entry, FAKE_LAST, strlen(FAKE_LAST)) == 0) {
        send_reply(fd, entry + strlen(FAKE_LAST), request);
        return false;
    }
    return send_reply(fd, entry, request) && fake->script[fake->step] != NULL;
}

static void serve(struct fake_server *fake, int fd)
{
    FILE *in = fdopen(fd, "r");
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    while (in != NULL && (length = getline(&line, &size, in)) > 0 && line[length - 1] == '\n') {
        line[length - 1] = '\0';
        if (fake->count < REQUESTS_MOST)
            fake->requests[fake->count++] = strdup(line);
        if (!answer(fake, fd, line))
            break;
    }
    free(line);
    if (in != NULL)
        fclose(in);
}

static void hang_up(struct fake_server *fake, int fd)
{
    if (fake->greeting != NULL)
        write_all(fd, fake->greeting, strlen(fake->greeting));
    close(fd);
    pthread_mutex_lock(&fake->mutex);
    fake->has_hung_up = true;
    pthread_cond_signal(&fake->condition);
    pthread_mutex_unlock(&fake->mutex);
}

// Makes the connection known, so that stopping can end a read that waits. False: it is being stopped.
static bool hold_connection(struct fake_server *fake, int fd)
{
    pthread_mutex_lock(&fake->mutex);
    bool goes_on = !fake->is_stopping;
    fake->connection = goes_on ? dup(fd) : -1;
    pthread_mutex_unlock(&fake->mutex);
    return goes_on;
}

static void release_connection(struct fake_server *fake)
{
    pthread_mutex_lock(&fake->mutex);
    if (fake->connection >= 0)
        close(fake->connection);
    fake->connection = -1;
    pthread_mutex_unlock(&fake->mutex);
}

static void *run(void *context)
{
    struct fake_server *fake = context;
    int fd;
    // Signals are for the test.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    while ((fd = accept(fake->listener, NULL, NULL)) >= 0) {
        if (fake->hangs_up) {
            hang_up(fake, fd);
            continue;
        }
        if (!hold_connection(fake, fd)) {
            close(fd);
            break;
        }
        serve(fake, fd);
        release_connection(fake);
    }
    return NULL;
}

static struct fake_server *start(const char *const *script, bool hangs_up, const char *greeting)
{
    struct fake_server *fake = calloc(1, sizeof *fake);
    assert_non_null(fake);
    *fake =
        (struct fake_server){.script = script, .hangs_up = hangs_up, .greeting = greeting, .connection = -1};
    pthread_mutex_init(&fake->mutex, NULL);
    pthread_cond_init(&fake->condition, NULL);
    strcpy(fake->folder, "/tmp/colossus-fake-XXXXXX");
    assert_non_null(mkdtemp(fake->folder));
    snprintf(fake->path, sizeof fake->path, "%s/socket", fake->folder);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, fake->path);
    fake->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(fake->listener >= 0);
    assert_int_equal(bind(fake->listener, (const struct sockaddr *)(const void *)&address, sizeof address),
                     0);
    assert_int_equal(listen(fake->listener, 8), 0);
    assert_int_equal(pthread_create(&fake->thread, NULL, run, fake), 0);
    fake->is_running = true;
    return fake;
}

struct fake_server *fake_start(const char *const *script)
{
    return start(script, false, NULL);
}

struct fake_server *fake_start_hanging_up(const char *greeting)
{
    return start(NULL, true, greeting);
}

const char *fake_path(const struct fake_server *fake)
{
    return fake->path;
}

void fake_wait_hung_up(struct fake_server *fake)
{
    pthread_mutex_lock(&fake->mutex);
    while (!fake->has_hung_up)
        pthread_cond_wait(&fake->condition, &fake->mutex);
    pthread_mutex_unlock(&fake->mutex);
}

void fake_stop(struct fake_server *fake)
{
    if (!fake->is_running)
        return;
    pthread_mutex_lock(&fake->mutex);
    fake->is_stopping = true;
    // What was sent before is still read; then the reading ends.
    if (fake->connection >= 0)
        shutdown(fake->connection, SHUT_RD);
    pthread_mutex_unlock(&fake->mutex);
    shutdown(fake->listener, SHUT_RDWR);
    pthread_join(fake->thread, NULL);
    fake->is_running = false;
}

const char *fake_request(const struct fake_server *fake, size_t number)
{
    return number < fake->count ? fake->requests[number] : NULL;
}

size_t fake_request_count(const struct fake_server *fake)
{
    return fake->count;
}

void fake_free(struct fake_server *fake)
{
    fake_stop(fake);
    close(fake->listener);
    unlink(fake->path);
    rmdir(fake->folder);
    for (size_t i = 0; i < fake->count; i++)
        free(fake->requests[i]);
    pthread_cond_destroy(&fake->condition);
    pthread_mutex_destroy(&fake->mutex);
    free(fake);
}
