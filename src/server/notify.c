#include "server/notify.h"

#ifdef HAVE_SYSTEMD

#include "base/log.h"
#include <string.h>
#include <systemd/sd-daemon.h>

static void tell(const char *state)
{
    int result = sd_notify(0, state);
    if (result < 0) {
        log_warn("service manager could not be told", "error=\"%s\"", strerror(-result));
    }
}

void notify_ready(void)
{
    tell("READY=1");
}

void notify_stopping(void)
{
    tell("STOPPING=1");
}

#else

void notify_ready(void)
{
}

void notify_stopping(void)
{
}

#endif
