#include "server/listener.h"

#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/connection.h"
#include "server/limits.h"
#include "server/server.h"
#include "server/service_manager.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool failed(char error[LISTENER_ERROR_SIZE], const char *path, const char *what)
{
    snprintf(error, LISTENER_ERROR_SIZE, "%.300s: %s", path, what);
    return false;
}

// Makes the folder and those above it, 0755.
static bool make_folders(const char *folder)
{
    char *path = memory_copy_text(folder);
    bool good = true;
    for (char *slash = strchr(path + 1, '/'); good && slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        good = mkdir(path, 0755) == 0 || errno == EEXIST;
        *slash = '/';
    }
    good = good && (mkdir(path, 0755) == 0 || errno == EEXIST);
    free(path);
    return good;
}

static bool make_folder_of(const char *path)
{
    char *copy = memory_copy_text(path);
    bool good = make_folders(dirname(copy));
    free(copy);
    return good;
}

bool listener_lock(struct listener *listener, const char *path, char error[LISTENER_ERROR_SIZE])
{
    listener->path = path;
    listener->lock = -1;
    if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
        return failed(error, path, "the path is too long for a socket (107 bytes are the most)");
    }
    if (!make_folder_of(path)) {
        return failed(error, path, strerror(errno));
    }
    struct buffer lock = {0};
    buffer_append_format(&lock, "%s.lock", path);
    listener->lock = open(lock.data, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    buffer_free(&lock);
    if (listener->lock < 0) {
        return failed(error, path, strerror(errno));
    }
    if (flock(listener->lock, LOCK_EX | LOCK_NB) != 0) {
        listener_unlock(listener);
        return failed(error, path, "another colossusd serves this socket");
    }
    return true;
}

void listener_unlock(struct listener *listener)
{
    if (listener->lock >= 0) {
        close(listener->lock);
        listener->lock = -1;
    }
}

// True when someone accepts connections there.
static bool is_alive(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path) + 1);
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool alive =
        probe >= 0 && (connect(probe, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN);
    if (probe >= 0) {
        close(probe);
    }
    return alive;
}

// Removes what a daemon that was killed left behind, and nothing else.
static bool make_way(const char *path, char error[LISTENER_ERROR_SIZE])
{
    struct stat status;
    if (lstat(path, &status) != 0) {
        return errno == ENOENT || failed(error, path, strerror(errno));
    }
    if (!S_ISSOCK(status.st_mode)) {
        return failed(error, path, "there is something that is no socket");
    }
    if (is_alive(path)) {
        return failed(error, path, "another program serves this socket");
    }
    return unlink(path) == 0 || failed(error, path, strerror(errno));
}

static void arrived(uv_stream_t *stream, int status)
{
    struct listener *listener = stream->data;
    if (status != 0) {
        log_warn("accepting failed", "error=\"%s\"", uv_strerror(status));
    } else if (listener->accepted == ACCEPTED_PER_TURN) {
        listener->is_waiting = true; // libuv accepts no other before this one is taken
    } else {
        listener->accepted++;
        connection_accept(listener->server, stream);
    }
}

void listener_turn(struct listener *listener)
{
    listener->accepted = 0;
    if (listener->is_waiting && listener->is_open) {
        listener->is_waiting = false;
        listener->accepted++;
        connection_accept(listener->server, (uv_stream_t *)&listener->pipe);
    }
}

// Anyone may connect: who may do what is decided by who the peer is.
static int bind_socket(struct listener *listener)
{
    mode_t mask = umask(0111);
    int status = uv_pipe_bind(&listener->pipe, listener->path);
    umask(mask);
    return status;
}

bool listener_open(struct listener *listener, struct server *server, char error[LISTENER_ERROR_SIZE])
{
    const char *why = NULL;
    int passed = service_manager_socket(listener->path, &why);
    if (passed == WRONG_SOCKET_PASSED) {
        return failed(error, listener->path, why);
    }
    if (passed == NO_SOCKET_PASSED && !make_way(listener->path, error)) {
        return false;
    }
    listener->server = server;
    int status = uv_pipe_init(&server->loop, &listener->pipe, 0);
    if (status != 0) {
        return failed(error, listener->path, uv_strerror(status));
    }
    listener->pipe.data = listener;
    listener->is_open = true;
    status = passed == NO_SOCKET_PASSED ? bind_socket(listener) : uv_pipe_open(&listener->pipe, passed);
    status = status == 0 ? uv_listen((uv_stream_t *)&listener->pipe, LISTEN_BACKLOG, arrived) : status;
    return status == 0 || failed(error, listener->path, uv_strerror(status));
}

void listener_close(struct listener *listener)
{
    if (listener->is_open) {
        listener->is_open = false;
        uv_close((uv_handle_t *)&listener->pipe, NULL); // which removes a socket that was bound here
    }
}
