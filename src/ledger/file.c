#include "ledger/file.h"

#include "base/memory.h"
#include "ledger/connection.h"
#include "ledger/disk.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

char *file_beside(const char *path, const char *suffix)
{
    size_t length = strlen(path), added = strlen(suffix);
    char *result = memory_allocate(length + added + 1, 1);
    memcpy(result, path, length);
    memcpy(result + length, suffix, added);
    return result;
}

char *file_resolve(const char *path)
{
    char *resolved = disk_resolve(path);
    return resolved != NULL ? resolved : memory_copy_text(path);
}

char *file_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return memory_copy_text(".");
    size_t length = slash == path ? 1 : (size_t)(slash - path);
    char *folder = memory_allocate(length + 1, 1);
    memcpy(folder, path, length);
    return folder;
}

bool file_make_folders(const char *path, struct ledger_error *error)
{
    char *folder = file_folder(path);
    size_t length = strlen(folder);
    bool made = true;
    for (size_t i = 1; i <= length && made; i++) {
        if (folder[i] != '/' && folder[i] != '\0')
            continue;
        char kept = folder[i];
        folder[i] = '\0';
        if (disk_make_folder(folder, 0750) == 0)
            made = file_sync_folder(folder, error);
        else if (errno != EEXIST) {
            ledger_fail(error, folder, "can't make the folder: %s", strerror(errno));
            made = false;
        }
        folder[i] = kept;
    }
    free(folder);
    return made;
}

bool file_make(const char *path, bool *made, struct ledger_error *error)
{
    int descriptor = disk_open(path, O_RDWR | O_CREAT | O_EXCL, 0640);
    *made = descriptor >= 0;
    if (descriptor < 0) {
        if (errno == EEXIST)
            return true;
        ledger_fail(error, path, "can't make the ledger: %s", strerror(errno));
        return false;
    }
    bool done = disk_set_mode(descriptor, 0640) == 0;
    if (!done)
        ledger_fail(error, path, "can't set the ledger's mode: %s", strerror(errno));
    disk_close(descriptor);
    return done;
}

static bool sync_path(const char *path, int flags, struct ledger_error *error)
{
    int descriptor = disk_open(path, O_RDONLY | flags, 0);
    bool synced = descriptor >= 0 && disk_sync(descriptor) == 0;
    if (!synced)
        ledger_fail(error, path, "can't be synced: %s", strerror(errno));
    if (descriptor >= 0)
        disk_close(descriptor);
    return synced;
}

bool file_sync_folder(const char *path, struct ledger_error *error)
{
    char *folder = file_folder(path);
    bool synced = sync_path(folder, O_DIRECTORY, error);
    free(folder);
    return synced;
}

bool file_sync(const char *path, struct ledger_error *error)
{
    return sync_path(path, 0, error);
}

int file_lock(const char *path, struct ledger_error *error)
{
    char *lock = file_beside(path, "-lock");
    int descriptor = disk_open(lock, O_RDWR | O_CREAT | O_NOFOLLOW, 0640);
    if (descriptor < 0) {
        ledger_fail(error, lock, "can't make the lock: %s", strerror(errno));
    } else if (disk_lock(descriptor) != 0) {
        if (errno == EWOULDBLOCK)
            ledger_fail(error, path, "another colossusd has this ledger open");
        else
            ledger_fail(error, lock, "can't be locked: %s", strerror(errno));
        disk_close(descriptor);
        descriptor = -1;
    }
    free(lock);
    return descriptor;
}

int64_t file_size(const char *path)
{
    int64_t size = disk_size(path);
    return size < 0 ? 0 : size;
}
