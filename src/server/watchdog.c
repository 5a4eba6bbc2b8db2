#include "server/watchdog.h"

#include "server/server.h"
#include "server/service_manager.h"

static void look(uv_timer_t *timer)
{
    struct watchdog *watchdog = timer->data;
    struct writer *writer = &watchdog->server->writer;
    if (writer->proofs != watchdog->seen) {
        watchdog->seen = writer->proofs;
        service_manager_alive();
    }
    writer_probe(writer);
}

bool watchdog_set_up(struct watchdog *watchdog, struct server *server)
{
    watchdog->server = server;
    watchdog->timer.data = watchdog;
    return uv_timer_init(&server->loop, &watchdog->timer) == 0;
}

void watchdog_start(struct watchdog *watchdog)
{
    uint64_t patience = service_manager_patience();
    if (patience > 0) {
        uint64_t quarter = patience < 4 ? 1 : patience / 4;
        uv_timer_start(&watchdog->timer, look, quarter, quarter);
    }
}
