#include "server/service_manager.h"

#ifdef HAVE_SYSTEMD

#include "base/log.h"
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

static void tell(const char *state)
{
    int result = sd_notify(0, state);
    if (result < 0) {
        log_warn("service manager could not be told", "error=\"%s\"", strerror(-result));
    }
}

void service_manager_ready(void)
{
    tell("READY=1");
}

void service_manager_stopping(void)
{
    tell("STOPPING=1");
}

uint64_t service_manager_patience(void)
{
    uint64_t microseconds = 0;
    return sd_watchdog_enabled(0, &microseconds) > 0 ? microseconds / 1000 : 0;
}

void service_manager_alive(void)
{
    tell("WATCHDOG=1");
}

int service_manager_socket(const char *path, const char **why)
{
    int count = sd_listen_fds(1);
    if (count == 0) {
        return NO_SOCKET_PASSED;
    }
    if (count < 0) {
        *why = "what the service manager says of the sockets it passed can't be understood";
        return WRONG_SOCKET_PASSED;
    }
    if (count > 1) {
        *why = "the service manager passed more than one socket";
        return WRONG_SOCKET_PASSED;
    }
    if (sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, path, 0) <= 0) {
        *why = "the socket that the service manager passed is not a stream socket at this path";
        return WRONG_SOCKET_PASSED;
    }
    return SD_LISTEN_FDS_START;
}

#else

void service_manager_ready(void)
{
}

void service_manager_stopping(void)
{
}

uint64_t service_manager_patience(void)
{
    return 0;
}

void service_manager_alive(void)
{
}

int service_manager_socket(const char *path, const char **why)
{
    (void)path;
    (void)why;
    return NO_SOCKET_PASSED;
}

#endif
