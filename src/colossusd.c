// colossusd: options, config, open, loop, close.
#include "base/log.h"
#include "base/memory.h"
#include "server/config.h"
#include "server/limits.h"
#include "server/manifest_file.h"
#include "server/options.h"
#include "server/server.h"
#include "wire/wire.h"
#include <stdlib.h>

// What can be known to be wrong before anything is opened.
static int check(const struct config *config)
{
    char error[CONFIG_ERROR_SIZE];
    struct arena arena = {0};
    struct manifest manifest = {0};
    bool good = config->manifest == NULL || manifest_file_read(config->manifest, &arena, &manifest, error);
    if (!good) {
        log_error("manifest is refused", "error=\"%s\"", error);
    }
    arena_free(&arena);
    return good ? EXIT_FINE : EXIT_DATA;
}

static int serve(const struct config *config)
{
    if (!memory_reserve(MEMORY_RESERVE)) {
        log_error("there is no memory for the reserve", "bytes=%zu", MEMORY_RESERVE);
        return EXIT_UNAVAILABLE;
    }
    struct server *server = memory_allocate(1, sizeof(*server));
    int code = server_open(server, config);
    if (code == EXIT_FINE) {
        server_run(server);
    }
    server_close(server);
    free(server);
    memory_release_reserve();
    return code;
}

int main(int argument_count, char **arguments)
{
    struct options options;
    struct config config = {0};
    char error[CONFIG_ERROR_SIZE];
    enum options_result result = options_parse(argument_count, arguments, &options);
    if (result != OPTIONS_RUN) {
        return result == OPTIONS_DONE ? EXIT_FINE : EXIT_USAGE;
    }
    wire_set_up();
    int code = EXIT_DATA;
    if (!config_load(&config, &options, error)) {
        log_error("config is refused", "error=\"%s\"", error);
    } else {
        log_set_level(config.log_level);
        code = check(&config);
        code = code == EXIT_FINE && !options.check ? serve(&config) : code;
    }
    config_free(&config);
    return code;
}
