// What the ledger asks of the system itself, on the disk in memory: takes the place of src/ledger/disk.c.
#include "ledger/disk.h"

#include "base/memory.h"
#include "medium_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define DESCRIPTORS 64

static struct open_file {
    struct medium *medium;
    int inode; // −1: the folder
    bool locked;
} open_files[DESCRIPTORS];

static int fail(int error)
{
    errno = error;
    return -1;
}

static struct open_file *file_of(int descriptor)
{
    return &open_files[descriptor];
}

int disk_open(const char *path, int flags, mode_t mode)
{
    struct medium *medium = medium_mounted;
    (void)mode;
    bool is_folder = strcmp(path, MEDIUM_FOLDER) == 0;
    int inode = is_folder ? -1 : medium_find(medium, path);
    bool makes = !is_folder && inode < 0 && (flags & O_CREAT) != 0;
    if (!medium_call(medium, makes ? CALL_CHANGES : CALL_ASKS, NULL))
        return fail(EIO);
    if (inode >= 0 && (flags & O_CREAT) != 0 && (flags & O_EXCL) != 0)
        return fail(EEXIST);
    if (inode < 0 && !is_folder && !makes)
        return fail(ENOENT);
    if (makes)
        inode = medium_make(medium, path);
    for (int i = 0; i < DESCRIPTORS; i++)
        if (open_files[i].medium == NULL) {
            open_files[i] = (struct open_file){.medium = medium, .inode = inode};
            medium->open_files++;
            return i;
        }
    return fail(EMFILE);
}

void disk_close(int descriptor)
{
    file_of(descriptor)->medium->open_files--;
    *file_of(descriptor) = (struct open_file){0};
}

ssize_t disk_read(int descriptor, void *bytes, size_t count, off_t offset)
{
    struct open_file *file = file_of(descriptor);
    if (!medium_call(file->medium, CALL_ASKS, NULL))
        return fail(EIO);
    return (ssize_t)medium_read(file->medium, file->inode, bytes, count, offset);
}

ssize_t disk_write(int descriptor, const void *bytes, size_t count, off_t offset)
{
    struct open_file *file = file_of(descriptor);
    bool partly;
    bool whole = medium_call(file->medium, CALL_CHANGES, &partly);
    if (whole || partly)
        medium_write(file->medium, file->inode, bytes, count, offset);
    if (whole)
        return (ssize_t)count;
    return fail(file->medium->faults.full ? ENOSPC : EIO);
}

int disk_sync(int descriptor)
{
    struct open_file *file = file_of(descriptor);
    bool is_folder = file->inode < 0;
    if (is_folder ? !medium_call(file->medium, CALL_CHANGES, NULL) : !medium_call_sync(file->medium)) {
        if (!file->medium->faults.off && !is_folder)
            medium_sync_failed(file->medium, file->inode);
        return fail(EIO);
    }
    if (file->medium->faults.lies)
        return 0;
    if (is_folder)
        medium_sync_folder(file->medium);
    else
        medium_sync(file->medium, file->inode);
    return 0;
}

int disk_set_mode(int descriptor, mode_t mode)
{
    (void)mode;
    return medium_call(file_of(descriptor)->medium, CALL_ASKS, NULL) ? 0 : fail(EIO);
}

int disk_lock(int descriptor)
{
    struct open_file *file = file_of(descriptor);
    if (!medium_call(file->medium, CALL_ASKS, NULL))
        return fail(EIO);
    for (int i = 0; i < DESCRIPTORS; i++)
        if (open_files[i].locked && open_files[i].medium == file->medium &&
            open_files[i].inode == file->inode)
            return fail(EWOULDBLOCK);
    file->locked = true;
    return 0;
}

int64_t disk_size(const char *path)
{
    int inode = medium_find(medium_mounted, path);
    if (!medium_call(medium_mounted, CALL_ASKS, NULL))
        return fail(EIO);
    return inode < 0 ? fail(ENOENT) : medium_mounted->inodes[inode].size;
}

bool disk_exists(const char *path)
{
    return medium_call(medium_mounted, CALL_ASKS, NULL) && medium_find(medium_mounted, path) >= 0;
}

int disk_make_folder(const char *path, mode_t mode)
{
    (void)mode;
    if (!medium_call(medium_mounted, CALL_ASKS, NULL))
        return fail(EIO);
    return fail(strcmp(path, MEDIUM_FOLDER) == 0 ? EEXIST : EACCES);
}

int disk_link(const char *path, const char *other)
{
    int inode = medium_find(medium_mounted, path);
    if (!medium_call(medium_mounted, CALL_CHANGES, NULL))
        return fail(EIO);
    if (inode < 0 || medium_find(medium_mounted, other) >= 0)
        return fail(inode < 0 ? ENOENT : EEXIST);
    medium_name(medium_mounted, other, inode);
    return 0;
}

int disk_remove(const char *path)
{
    if (!medium_call(medium_mounted, CALL_CHANGES, NULL))
        return fail(EIO);
    if (medium_find(medium_mounted, path) < 0)
        return fail(ENOENT);
    medium_remove(medium_mounted, path);
    return 0;
}

char *disk_resolve(const char *path)
{
    bool found = medium_call(medium_mounted, CALL_ASKS, NULL) && medium_find(medium_mounted, path) >= 0;
    return found ? memory_copy_text(path) : NULL;
}
