#include "server/config.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "server/options.h"
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES_MOST (64 << 20)

void config_defaults(struct config *config)
{
    *config = (struct config){
        .log_level = LOG_INFO,
        .horizon_years = 10,
        .hold_seconds_max = 7 * 24 * 3600,
        .min_free_bytes = 64 << 20,
        .wal_warn_bytes = 256 << 20,
    };
#define LIMIT(name, initial, least, most) config->limits.name = (initial);
    LIMITS(LIMIT)
#undef LIMIT
}

// A member that is a whole number, where it goes and its range.
struct number_member {
    const char *name;
    size_t offset;
    int64_t least, most;
};

static const struct number_member config_numbers[] = {
    {"horizon_years", offsetof(struct config, horizon_years), 1, 100},
    {"hold_seconds_max", offsetof(struct config, hold_seconds_max), 1, 365 * 24 * 3600},
    {"min_free_bytes", offsetof(struct config, min_free_bytes), 0, INT64_MAX},
    {"wal_warn_bytes", offsetof(struct config, wal_warn_bytes), 1, INT64_MAX},
};

static const struct number_member limit_numbers[] = {
#define LIMIT(name, initial, least, most) {#name, offsetof(struct limits, name), least, most},
    LIMITS(LIMIT)
#undef LIMIT
};

struct text_member {
    const char *name;
    size_t offset;
};

static const struct text_member config_texts[] = {
    {"ledger", offsetof(struct config, ledger)},
    {"socket", offsetof(struct config, socket)},
    {"writer", offsetof(struct config, writer)},
};

static void replace_text(char **place, const char *text)
{
    free(*place);
    *place = memory_copy_text(text);
}

// Sets the member of that name. *known is false when the table has no such member.
static bool read_number(const struct number_member *members, size_t count, void *object, const char *name,
                        const json_t *value, bool *known, char error[CONFIG_ERROR_SIZE])
{
    for (size_t i = 0; i < count; i++) {
        const struct number_member *member = &members[i];
        if (strcmp(member->name, name) != 0) {
            continue;
        }
        *known = true;
        int64_t number = json_integer_value(value);
        if (!json_is_integer(value) || number < member->least || number > member->most) {
            snprintf(error, CONFIG_ERROR_SIZE, "%s must be a whole number from %lld to %lld", name,
                     (long long)member->least, (long long)member->most);
            return false;
        }
        memcpy((char *)object + member->offset, &number, sizeof(number));
        return true;
    }
    *known = false;
    return true;
}

static bool read_limits(struct limits *limits, const json_t *object, char error[CONFIG_ERROR_SIZE])
{
    if (!json_is_object(object)) {
        snprintf(error, CONFIG_ERROR_SIZE, "limits must be an object");
        return false;
    }
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        bool known = false;
        if (!read_number(limit_numbers, sizeof(limit_numbers) / sizeof(limit_numbers[0]), limits, name, value,
                         &known, error)) {
            return false;
        }
        if (!known) {
            snprintf(error, CONFIG_ERROR_SIZE, "limits has no member '%.100s'", name);
            return false;
        }
    }
    return true;
}

static bool read_text(struct config *config, const char *name, const json_t *value, bool *known,
                      char error[CONFIG_ERROR_SIZE])
{
    *known = false;
    for (size_t i = 0; i < sizeof(config_texts) / sizeof(config_texts[0]); i++) {
        if (strcmp(config_texts[i].name, name) != 0) {
            continue;
        }
        *known = true;
        if (!json_is_string(value) || json_string_length(value) == 0) {
            snprintf(error, CONFIG_ERROR_SIZE, "%s must be a text that is not empty", name);
            return false;
        }
        char **place = (char **)(void *)((char *)config + config_texts[i].offset);
        replace_text(place, json_string_value(value));
    }
    return true;
}

static bool read_member(struct config *config, const char *name, const json_t *value,
                        char error[CONFIG_ERROR_SIZE])
{
    bool known = false;
    if (!read_number(config_numbers, sizeof(config_numbers) / sizeof(config_numbers[0]), config, name, value,
                     &known, error)) {
        return false;
    }
    if (!known && !read_text(config, name, value, &known, error)) {
        return false;
    }
    if (known) {
        return true;
    }
    if (strcmp(name, "limits") == 0) {
        return read_limits(&config->limits, value, error);
    }
    if (strcmp(name, "log_level") == 0) {
        if (!json_is_string(value) || !log_level_parse(json_string_value(value), &config->log_level)) {
            snprintf(error, CONFIG_ERROR_SIZE, "log_level must be error, warn, info or debug");
            return false;
        }
        return true;
    }
    snprintf(error, CONFIG_ERROR_SIZE, "there is no member '%.100s'", name);
    return false;
}

bool config_parse(struct config *config, const char *text, size_t length, char error[CONFIG_ERROR_SIZE])
{
    json_error_t parse_error;
    json_t *object = json_loadb(text, length, JSON_REJECT_DUPLICATES, &parse_error);
    if (object == NULL) {
        snprintf(error, CONFIG_ERROR_SIZE, "line %d, column %d: %s", parse_error.line, parse_error.column,
                 parse_error.text);
        return false;
    }
    bool good = json_is_object(object);
    if (!good) {
        snprintf(error, CONFIG_ERROR_SIZE, "the config must be a JSON object");
    }
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        good = good && read_member(config, name, value, error);
    }
    json_decref(object);
    return good;
}

char *file_read(const char *path, size_t *length, char error[CONFIG_ERROR_SIZE])
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        snprintf(error, CONFIG_ERROR_SIZE, "%.300s: %s", path, strerror(errno));
        return NULL;
    }
    struct buffer text = {0};
    size_t got = 0;
    do {
        char *room = buffer_reserve(&text, READ_BUFFER_BYTES);
        got = fread(room, 1, READ_BUFFER_BYTES, file);
        text.length += got;
    } while (got > 0 && text.length <= FILE_BYTES_MOST);
    bool failed = ferror(file) != 0;
    int read_errno = errno;
    fclose(file);
    if (failed || text.length > FILE_BYTES_MOST) {
        snprintf(error, CONFIG_ERROR_SIZE, "%.300s: %s", path,
                 failed ? strerror(read_errno) : "the file is larger than 64 MiB");
        buffer_free(&text);
        return NULL;
    }
    buffer_append(&text, "", 1);
    *length = text.length - 1;
    return text.data;
}

static bool config_read_file(struct config *config, const char *path, char error[CONFIG_ERROR_SIZE])
{
    size_t length = 0;
    char *text = file_read(path, &length, error);
    if (text == NULL) {
        return false;
    }
    char reason[CONFIG_ERROR_SIZE];
    bool good = config_parse(config, text, length, reason);
    if (!good) {
        snprintf(error, CONFIG_ERROR_SIZE, "%.150s: %.350s", path, reason);
    }
    free(text);
    return good;
}

// The first that is given: the option, the environment, what the config said, the built-in place.
static void settle_path(char **place, const char *option, const char *environment, char *built_in)
{
    const char *variable = getenv(environment);
    if (option != NULL) {
        replace_text(place, option);
    } else if (variable != NULL && variable[0] != '\0') {
        replace_text(place, variable);
    } else if (*place == NULL && built_in != NULL) {
        replace_text(place, built_in);
    }
    free(built_in);
}

static char *path_below(const char *folder, const char *rest)
{
    struct buffer path = {0};
    buffer_append_format(&path, "%s%s", folder, rest);
    return path.data;
}

static char *built_in_ledger(void)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    if (geteuid() == 0) {
        return memory_copy_text("/var/lib/colossus/ledger.db");
    }
    if (state != NULL && state[0] == '/') {
        return path_below(state, "/colossus/ledger.db");
    }
    return home == NULL ? NULL : path_below(home, "/.local/state/colossus/ledger.db");
}

static char *built_in_socket(void)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    if (geteuid() == 0) {
        return memory_copy_text("/run/colossus/colossus.sock");
    }
    return runtime == NULL || runtime[0] != '/' ? NULL : path_below(runtime, "/colossus.sock");
}

static void settle_writer(struct config *config)
{
    if (config->writer == NULL) {
        char host[HOST_NAME_MAX + 1] = "";
        if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0') {
            snprintf(host, sizeof(host), "localhost");
        }
        config->writer = memory_copy_text(host);
    }
}

bool config_load(struct config *config, const struct options *options, char error[CONFIG_ERROR_SIZE])
{
    config_defaults(config);
    if (options->config != NULL && !config_read_file(config, options->config, error)) {
        return false;
    }
    settle_path(&config->ledger, options->ledger, "COLOSSUS_LEDGER", built_in_ledger());
    settle_path(&config->socket, options->socket, "COLOSSUS_SOCKET", built_in_socket());
    settle_writer(config);
    config->manifest = memory_copy_text(options->manifest);
    config->manual_clock = options->manual_clock;
    config->manual_time = options->manual_time;
    if (options->has_log_level) {
        config->log_level = options->log_level;
    }
    if (config->ledger == NULL || config->socket == NULL) {
        snprintf(error, CONFIG_ERROR_SIZE, "no place for the %s: give --%s, or set %s",
                 config->ledger == NULL ? "ledger" : "socket", config->ledger == NULL ? "ledger" : "socket",
                 config->ledger == NULL ? "HOME or XDG_STATE_HOME" : "XDG_RUNTIME_DIR");
        return false;
    }
    return true;
}

void config_free(struct config *config)
{
    free(config->ledger);
    free(config->socket);
    free(config->writer);
    free(config->manifest);
    *config = (struct config){0};
}
