#include "machine.h"

#include "broker.h"
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { LINE = 256 };

// "model name : ...", where the system says it.
static void read_model(char model[LINE])
{
    char line[LINE];
    FILE *file = fopen("/proc/cpuinfo", "re");
    snprintf(model, LINE, "unknown model");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || colon == NULL)
            continue;
        snprintf(model, LINE, "%s", colon + 2);
        model[strcspn(model, "\n")] = '\0';
        break;
    }
    if (file != NULL)
        fclose(file);
}

void machine_print(const struct settings *settings, const struct peer *peer)
{
    char model[LINE];
    struct utsname system;
    struct sysinfo memory;
    read_model(model);
    if (uname(&system) != 0 || sysinfo(&memory) != 0)
        bench_fail("the machine is unknown: %s", strerror(errno));
    printf("%ld processors (%s), %.0f GiB of memory, %s %s, SQLite %s%s%s; %g s a case, seed %llu.\n\n",
           sysconf(_SC_NPROCESSORS_ONLN), model,
           (double)memory.totalram * (double)memory.mem_unit / (1024.0 * 1024 * 1024), system.sysname,
           system.release, sqlite3_libversion(), peer != NULL ? ", PostgreSQL " : "",
           peer != NULL ? peer->cluster.version : "", settings->seconds, (unsigned long long)settings->seed);
}
