// What passes between the daemon and the service manager that started it, when one did: systemd, or whatever
// speaks its protocol.
//
// Built without libsystemd, all of this does nothing and finds nothing, and the daemon runs as well.
#ifndef COLOSSUS_SERVER_SERVICE_MANAGER_H
#define COLOSSUS_SERVER_SERVICE_MANAGER_H

#include <stdint.h>

void service_manager_ready(void);
void service_manager_stopping(void);

// How long the service manager waits for a sign of life before it takes the daemon for hung, in milliseconds;
// 0 when it does not watch.
uint64_t service_manager_patience(void);
void service_manager_alive(void);

// The descriptor of a listening socket that the service manager has bound and passed on; −1 when there is
// none. When it passed something else than one stream socket at this path: −2, and *why says what, in a
// sentence.
#define NO_SOCKET_PASSED    (-1)
#define WRONG_SOCKET_PASSED (-2)
int service_manager_socket(const char *path, const char **why);

#endif
