// Where the daemon's socket is, by the rules that the daemon follows too.
#include <colossus.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum colossus_status colossus_socket_path(char path[COLOSSUS_PATH_SIZE], char message[COLOSSUS_MESSAGE_SIZE])
{
    const char *named = getenv("COLOSSUS_SOCKET");
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    int length;
    if (named != NULL && named[0] != '\0') {
        length = snprintf(path, COLOSSUS_PATH_SIZE, "%s", named);
    } else if (geteuid() == 0) {
        length = snprintf(path, COLOSSUS_PATH_SIZE, "/run/colossus/colossus.sock");
    } else if (runtime != NULL && runtime[0] == '/') {
        length = snprintf(path, COLOSSUS_PATH_SIZE, "%s/colossus.sock", runtime);
    } else {
        snprintf(message, COLOSSUS_MESSAGE_SIZE,
                 "no socket is named: COLOSSUS_SOCKET and XDG_RUNTIME_DIR are not set");
        return COLOSSUS_MISUSED;
    }
    if (length < 0 || length >= COLOSSUS_PATH_SIZE) {
        snprintf(message, COLOSSUS_MESSAGE_SIZE, "the socket's path is longer than %d bytes",
                 COLOSSUS_PATH_SIZE - 1);
        return COLOSSUS_MISUSED;
    }
    return COLOSSUS_OK;
}
