// Signs of life for a service manager that watches the daemon.
//
// That the loop turns is no proof that the daemon serves: a commit may hang on a disk that no longer answers.
// So a sign is given only after the ledger has been reached since the last one, by a commit or, when there
// was none, by a probe on the ledger's thread (ledger_probe). A quarter of the service manager's patience
// passes between two looks. Without a service manager that watches there is no timer.
#ifndef COLOSSUS_SERVER_WATCHDOG_H
#define COLOSSUS_SERVER_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct server;

struct watchdog {
    struct server *server;
    uv_timer_t timer;
    int64_t seen; // of writer.proofs, at the last sign
};

// Once the loop is there.
bool watchdog_set_up(struct watchdog *watchdog, struct server *server);

// When the daemon is ready.
void watchdog_start(struct watchdog *watchdog);

#endif
