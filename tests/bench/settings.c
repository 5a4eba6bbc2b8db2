#include "settings.h"

#include "broker.h"
#include "daemon.h"
#include "disk.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_SIZES   "1000,100000,1000000"
#define DEFAULT_SECONDS "5"
#define DEFAULT_SEED    "1"

static const char *variable(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value == NULL || value[0] == '\0' ? otherwise : value;
}

static void read_sizes(struct settings *settings, const char *text)
{
    for (const char *place = text; *place != '\0';) {
        char *end;
        errno = 0;
        long long size = strtoll(place, &end, 10);
        if (end == place || errno != 0 || size < 1 || (*end != ',' && *end != '\0'))
            bench_fail("BENCH_SIZES must be numbers from 1 on with commas between, and is '%s'", text);
        if (settings->size_count == SIZES_MOST)
            bench_fail("BENCH_SIZES has more than %d sizes", SIZES_MOST);
        settings->sizes[settings->size_count++] = size;
        place = *end == ',' ? end + 1 : end;
    }
    if (settings->size_count == 0)
        bench_fail("BENCH_SIZES is empty");
}

static double read_seconds(const char *text)
{
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !(seconds >= 0.1 && seconds <= 3600))
        bench_fail("BENCH_SECONDS must be a number from 0.1 to 3600, and is '%s'", text);
    return seconds;
}

static uint64_t read_seed(const char *text)
{
    char *end;
    errno = 0;
    unsigned long long seed = strtoull(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0)
        bench_fail("BENCH_SEED must be a number, and is '%s'", text);
    return seed;
}

void settings_read(struct settings *settings)
{
    const char *build = variable("BUILD_DIR", "build"), *folder = variable("BENCH_DIR", NULL);
    *settings = (struct settings){.seconds = read_seconds(variable("BENCH_SECONDS", DEFAULT_SECONDS)),
                                  .only = variable("BENCH_CASES", NULL),
                                  .with_peer = strcmp(variable("BENCH_PG", "0"), "0") != 0,
                                  .seed = read_seed(variable("BENCH_SEED", DEFAULT_SEED))};
    read_sizes(settings, variable("BENCH_SIZES", DEFAULT_SIZES));
    char given[PATH_MAX];
    int length = folder != NULL ? snprintf(given, sizeof given, "%s", folder)
                                : snprintf(given, sizeof given, "%s/bench", build);
    if (length >= (int)sizeof given ||
        snprintf(settings->program, PATH_MAX, "%s/colossusd", build) >= PATH_MAX)
        bench_fail("the name of the folder is too long");
    folder_make(given);
    if (realpath(given, settings->folder) == NULL)
        bench_fail("%s: %s", given, strerror(errno));
    disk_check(settings->folder);
}

bool settings_wants(const struct settings *settings, const char *name)
{
    return settings->only == NULL || strstr(name, settings->only) != NULL;
}
