#include "disk.h"

#include "broker.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, PAGES = 256 };

void disk_check(const char *folder)
{
    struct statfs system;
    if (statfs(folder, &system) != 0)
        bench_fail("%s: %s", folder, strerror(errno));
    if (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC)
        bench_fail("%s is in memory: set BENCH_DIR to a folder on a disk", folder);
}

void disk_measure_syncs(const char *folder, double seconds, struct histogram *syncs)
{
    static char page[PAGE_BYTES];
    char path[PATH_MAX + 8];
    snprintf(path, sizeof path, "%s/pages", folder);
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (file < 0)
        bench_fail("%s: %s", path, strerror(errno));
    memset(page, 'x', sizeof page);
    for (int i = 0; i < PAGES; i++)
        if (pwrite(file, page, sizeof page, (off_t)i * PAGE_BYTES) != PAGE_BYTES)
            bench_fail("%s: %s", path, strerror(errno));
    if (fsync(file) != 0)
        bench_fail("%s: %s", path, strerror(errno));
    int64_t begun = nanoseconds(), end = begun + (int64_t)(seconds * 1e9);
    for (int64_t at = begun, i = 0; at < end; i++) {
        if (pwrite(file, page, sizeof page, (off_t)(i % PAGES) * PAGE_BYTES) != PAGE_BYTES ||
            fdatasync(file) != 0)
            bench_fail("%s: %s", path, strerror(errno));
        int64_t now = nanoseconds();
        histogram_add(syncs, now - at);
        at = now;
    }
    close(file);
    if (unlink(path) != 0)
        bench_fail("%s: %s", path, strerror(errno));
}
