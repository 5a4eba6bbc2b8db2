#include "ledger/disk.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int disk_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags | O_CLOEXEC, mode);
}

void disk_close(int descriptor)
{
    close(descriptor); // what has to be on the disk was synced before
}

ssize_t disk_read(int descriptor, void *bytes, size_t count, off_t offset)
{
    return pread(descriptor, bytes, count, offset);
}

ssize_t disk_write(int descriptor, const void *bytes, size_t count, off_t offset)
{
    return pwrite(descriptor, bytes, count, offset);
}

int disk_sync(int descriptor)
{
    return fsync(descriptor);
}

int disk_set_mode(int descriptor, mode_t mode)
{
    return fchmod(descriptor, mode);
}

int disk_lock(int descriptor)
{
    return flock(descriptor, LOCK_EX | LOCK_NB);
}

int64_t disk_size(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (int64_t)status.st_size : -1;
}

bool disk_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

int disk_make_folder(const char *path, mode_t mode)
{
    return mkdir(path, mode);
}

int disk_link(const char *path, const char *other)
{
    return link(path, other);
}

int disk_remove(const char *path)
{
    return unlink(path);
}

char *disk_resolve(const char *path)
{
    return realpath(path, NULL);
}
