// The socket: its lock, its folder, and the taking in of connections.
//
// A lock file beside the socket ("colossus.sock.lock") is held as long as the daemon runs, so that two
// daemons never fight over one socket; whoever holds it may remove a socket that a daemon left behind when it
// was killed. The lock file stays: removing it would let two daemons each lock their own.
//
// A socket that the service manager has bound and passed on is taken as it is, and left when the daemon ends:
// clients that come while the daemon starts, or while another takes its place, wait in it.
#ifndef COLOSSUS_SERVER_LISTENER_H
#define COLOSSUS_SERVER_LISTENER_H

#include <stdbool.h>
#include <uv.h>

struct server;

struct listener {
    struct server *server;
    const char *path;
    int lock; // −1 when it is not held
    uv_pipe_t pipe;
    bool is_open;
    int accepted;    // in this turn
    bool is_waiting; // a connection has come that the next turn takes in
};

#define LISTENER_ERROR_SIZE 512

// Creates the folder and takes the lock. False with a sentence in error.
bool listener_lock(struct listener *listener, const char *path, char error[LISTENER_ERROR_SIZE]);

// Binds the socket, mode 0666, or takes the one that was passed, and listens. The lock is held.
bool listener_open(struct listener *listener, struct server *server, char error[LISTENER_ERROR_SIZE]);

// At the beginning of a turn. Only some connections are taken in during one: a flood of them leaves those
// that are here their time.
void listener_turn(struct listener *listener);

// Takes in no more connections, and removes the socket if it was bound here.
void listener_close(struct listener *listener);

// Releases the lock.
void listener_unlock(struct listener *listener);

#endif
