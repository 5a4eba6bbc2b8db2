// SQLite's way to the disk in memory: behaves as SQLite's own on Linux does, with its locks and the memory
// that connections of one process share.
#include "medium_internal.h"

#include "base/memory.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REGIONS_MAX 64
#define SLOTS       SQLITE_SHM_NLOCK

// As a process starts it is zeros: SQLite builds it anew from the WAL.
struct shared_memory {
    int users;
    void *regions[REGIONS_MAX];
    int shared[SLOTS];
    const void *exclusive[SLOTS];
};

struct file {
    sqlite3_file base;
    struct medium *medium;
    int inode;
    char name[NAME_SIZE];
    int level; // of its lock
    bool syncs_folder, removes, keeps_wal, has_memory;
    uint16_t shared, exclusive; // the slots it has locked
};

static struct file *file_of(sqlite3_file *base)
{
    return (struct file *)(void *)base;
}

static struct inode *inode_of(const struct file *file)
{
    return &file->medium->inodes[file->inode];
}

// ---- Bytes

static int file_read(sqlite3_file *base, void *bytes, int count, sqlite3_int64 offset)
{
    struct file *file = file_of(base);
    if (!medium_call(file->medium, CALL_ASKS, NULL))
        return SQLITE_IOERR_READ;
    size_t there = medium_read(file->medium, file->inode, bytes, (size_t)count, offset);
    return there == (size_t)count ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *base, const void *bytes, int count, sqlite3_int64 offset)
{
    struct file *file = file_of(base);
    struct medium *medium = file->medium;
    bool partly;
    if (medium_call(medium, CALL_CHANGES, &partly)) {
        medium_write(medium, file->inode, bytes, (size_t)count, offset);
        return SQLITE_OK;
    }
    if (partly && medium->faults.off) // what of it is found is decided when the power has gone
        medium_write(medium, file->inode, bytes, (size_t)count, offset);
    else if (partly) // the first part was written before it failed
        medium_write(medium, file->inode, bytes, medium_random(medium, (uint32_t)count), offset);
    return medium->faults.full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct file *file = file_of(base);
    bool partly;
    bool whole = medium_call(file->medium, CALL_CHANGES, &partly);
    if (whole || partly)
        medium_truncate(file->medium, file->inode, size);
    return whole ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

static int file_sync(sqlite3_file *base, int flags)
{
    struct file *file = file_of(base);
    struct medium *medium = file->medium;
    (void)flags;
    if (!medium_call_sync(medium)) {
        if (!medium->faults.off)
            medium_sync_failed(medium, file->inode);
        return SQLITE_IOERR_FSYNC;
    }
    if (medium->faults.lies)
        return SQLITE_OK;
    medium_sync(medium, file->inode);
    // The first sync of a journal or a WAL makes its name durable too.
    if (file->syncs_folder) {
        if (!medium_call(medium, CALL_CHANGES, NULL))
            return SQLITE_IOERR_DIR_FSYNC;
        medium_sync_folder(medium);
        file->syncs_folder = false;
    }
    return SQLITE_OK;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size)
{
    struct file *file = file_of(base);
    if (!medium_call(file->medium, CALL_ASKS, NULL))
        return SQLITE_IOERR_FSTAT;
    *size = inode_of(file)->size;
    return SQLITE_OK;
}

// ---- Locks. Giving one back never fails, and goes on when the power is off.

static int file_unlock(sqlite3_file *base, int level)
{
    struct file *file = file_of(base);
    struct inode *inode = inode_of(file);
    if (file->level <= level)
        return SQLITE_OK;
    inode->exclusive = inode->exclusive == file ? NULL : inode->exclusive;
    inode->pending = inode->pending == file ? NULL : inode->pending;
    inode->reserved = inode->reserved == file ? NULL : inode->reserved;
    if (level == SQLITE_LOCK_NONE)
        inode->shared--;
    file->level = level;
    return SQLITE_OK;
}

static int file_lock(sqlite3_file *base, int level)
{
    struct file *file = file_of(base);
    struct inode *inode = inode_of(file);
    if (file->level >= level)
        return SQLITE_OK;
    if (!medium_call(file->medium, CALL_ASKS, NULL))
        return SQLITE_IOERR_LOCK;
    bool others_pend = inode->pending != NULL && inode->pending != file;
    if (inode->exclusive != NULL || (level == SQLITE_LOCK_SHARED && others_pend))
        return SQLITE_BUSY;
    if (level == SQLITE_LOCK_SHARED) {
        inode->shared++;
    } else if (level == SQLITE_LOCK_RESERVED) {
        if (inode->reserved != NULL)
            return SQLITE_BUSY;
        inode->reserved = file;
    } else {
        if (others_pend || (inode->reserved != NULL && inode->reserved != file))
            return SQLITE_BUSY;
        inode->pending = file;
        if (inode->shared > 1) {
            file->level = SQLITE_LOCK_PENDING;
            return SQLITE_BUSY;
        }
        inode->exclusive = file;
    }
    file->level = level;
    return SQLITE_OK;
}

static int file_check_reserved(sqlite3_file *base, int *reserved)
{
    struct file *file = file_of(base);
    if (!medium_call(file->medium, CALL_ASKS, NULL))
        return SQLITE_IOERR_CHECKRESERVEDLOCK;
    *reserved = inode_of(file)->reserved != NULL || inode_of(file)->exclusive != NULL;
    return SQLITE_OK;
}

// ---- Shared memory

static int memory_map(sqlite3_file *base, int region, int size, int extend, void volatile **place)
{
    struct file *file = file_of(base);
    *place = NULL;
    if (!medium_call(file->medium, CALL_ASKS, NULL))
        return SQLITE_IOERR_SHMMAP;
    struct inode *inode = inode_of(file);
    if (inode->memory == NULL)
        inode->memory = memory_allocate(1, sizeof *inode->memory);
    if (!file->has_memory) {
        file->has_memory = true;
        inode->memory->users++;
    }
    if (region >= REGIONS_MAX)
        return SQLITE_IOERR_SHMSIZE;
    if (inode->memory->regions[region] == NULL && extend != 0)
        inode->memory->regions[region] = memory_allocate((size_t)size, 1);
    *place = inode->memory->regions[region];
    return SQLITE_OK;
}

static int memory_lock(sqlite3_file *base, int first, int count, int flags)
{
    struct file *file = file_of(base);
    struct shared_memory *memory = inode_of(file)->memory;
    uint16_t mask = (uint16_t)(((1 << count) - 1) << first);
    if (memory == NULL)
        return SQLITE_IOERR_SHMLOCK;
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
        for (int i = first; i < first + count; i++) {
            if ((file->exclusive & (1 << i)) != 0)
                memory->exclusive[i] = NULL;
            if ((file->shared & (1 << i)) != 0)
                memory->shared[i]--;
        }
        file->exclusive &= (uint16_t)~mask;
        file->shared &= (uint16_t)~mask;
        return SQLITE_OK;
    }
    if (!medium_call(file->medium, CALL_ASKS, NULL))
        return SQLITE_IOERR_SHMLOCK;
    bool is_shared = (flags & SQLITE_SHM_SHARED) != 0;
    for (int i = first; i < first + count; i++) {
        int others = memory->shared[i] - ((file->shared >> i) & 1);
        bool is_own = memory->exclusive[i] == file;
        if ((memory->exclusive[i] != NULL && !is_own) || (!is_shared && others > 0))
            return SQLITE_BUSY;
    }
    for (int i = first; i < first + count; i++) {
        if (!is_shared)
            memory->exclusive[i] = file;
        else if ((file->shared & (1 << i)) == 0)
            memory->shared[i]++;
    }
    if (is_shared)
        file->shared |= mask;
    else
        file->exclusive |= mask;
    return SQLITE_OK;
}

static void memory_barrier(sqlite3_file *base)
{
    (void)base; // there is one thread
}

static int memory_unmap(sqlite3_file *base, int removes)
{
    struct file *file = file_of(base);
    struct inode *inode = inode_of(file);
    (void)removes;
    if (!file->has_memory)
        return SQLITE_OK;
    (void)memory_lock(base, 0, SLOTS, SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE);
    file->has_memory = false;
    if (--inode->memory->users == 0) {
        for (int i = 0; i < REGIONS_MAX; i++)
            free(inode->memory->regions[i]);
        free(inode->memory);
        inode->memory = NULL;
    }
    return SQLITE_OK;
}

// ---- The rest of a file

static int file_close(sqlite3_file *base)
{
    struct file *file = file_of(base);
    memory_unmap(base, 0);
    file_unlock(base, SQLITE_LOCK_NONE);
    if (file->removes)
        medium_remove(file->medium, file->name);
    file->medium->open_files--;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int operation, void *argument)
{
    struct file *file = file_of(base);
    int *flag = argument;
    if (operation != SQLITE_FCNTL_PERSIST_WAL)
        return SQLITE_NOTFOUND;
    if (*flag < 0)
        *flag = file->keeps_wal;
    else
        file->keeps_wal = *flag != 0;
    return SQLITE_OK;
}

static int file_sector_size(sqlite3_file *base)
{
    (void)base;
    return 4096; // what SQLite says on Linux
}

static int file_characteristics(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE; // and this
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = memory_map,
    .xShmLock = memory_lock,
    .xShmBarrier = memory_barrier,
    .xShmUnmap = memory_unmap,
};

// ---- The disk

static int disk_open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out)
{
    (void)vfs;
    struct file *file = file_of(base);
    struct medium *medium = medium_mounted;
    *file = (struct file){.medium = medium};
    if (name != NULL)
        snprintf(file->name, sizeof file->name, "%s", name);
    else
        snprintf(file->name, sizeof file->name, "temporary-%d", ++medium->temporary_names);
    file->inode = medium_find(medium, file->name);
    bool makes = file->inode < 0 && (flags & SQLITE_OPEN_CREATE) != 0;
    if (!medium_call(medium, makes ? CALL_CHANGES : CALL_ASKS, NULL) || (file->inode < 0 && !makes))
        return SQLITE_CANTOPEN;
    if (makes)
        file->inode = medium_make(medium, file->name);
    file->removes = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    file->syncs_folder = makes && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
    medium->open_files++;
    base->pMethods = &methods;
    if (out != NULL)
        *out = flags;
    return SQLITE_OK;
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int syncs_folder)
{
    (void)vfs;
    struct medium *medium = medium_mounted;
    bool partly;
    bool whole = medium_call(medium, CALL_CHANGES, &partly);
    bool is_there = medium_find(medium, name) >= 0;
    if (whole || partly)
        medium_remove(medium, name);
    if (!whole)
        return SQLITE_IOERR_DELETE;
    if (!is_there)
        return SQLITE_IOERR_DELETE_NOENT;
    if (syncs_folder != 0) {
        if (!medium_call(medium, CALL_CHANGES, NULL))
            return SQLITE_IOERR_DIR_FSYNC;
        if (!medium->faults.lies)
            medium_sync_folder(medium);
    }
    return SQLITE_OK;
}

static int disk_access(sqlite3_vfs *vfs, const char *name, int flags, int *result)
{
    (void)vfs;
    *result = 0;
    if (!medium_call(medium_mounted, CALL_ASKS, NULL))
        return SQLITE_IOERR_ACCESS;
    int inode = medium_find(medium_mounted, name);
    *result = inode >= 0 && (flags != SQLITE_ACCESS_EXISTS || medium_mounted->inodes[inode].size > 0);
    return SQLITE_OK;
}

static int disk_full_name(sqlite3_vfs *vfs, const char *name, int size, char *full)
{
    (void)vfs;
    return snprintf(full, (size_t)size, "%s", name) < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

// SQLite asks once, when it is first used; a world then gives it a seed of its own.
static int disk_randomness(sqlite3_vfs *vfs, int count, char *bytes)
{
    (void)vfs;
    memset(bytes, 1, (size_t)count);
    return count;
}

// Nobody else runs meanwhile, so waiting is of no use and takes no time.
static int disk_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    return microseconds;
}

static int disk_time(sqlite3_vfs *vfs, sqlite3_int64 *milliseconds)
{
    (void)vfs;
    *milliseconds = INT64_C(212627000000000); // some day in 2025, always the same
    return SQLITE_OK;
}

static int disk_time_of_day(sqlite3_vfs *vfs, double *days)
{
    sqlite3_int64 milliseconds;
    int code = disk_time(vfs, &milliseconds);
    *days = (double)milliseconds / 86400000.0;
    return code;
}

static int disk_last_error(sqlite3_vfs *vfs, int size, char *text)
{
    (void)vfs;
    if (size > 0)
        text[0] = '\0';
    return 0;
}

sqlite3_vfs *medium_vfs(void)
{
    static sqlite3_vfs vfs = {
        .iVersion = 2,
        .szOsFile = sizeof(struct file),
        .mxPathname = NAME_SIZE - 1,
        .zName = "medium",
        .xOpen = disk_open_file,
        .xDelete = disk_delete,
        .xAccess = disk_access,
        .xFullPathname = disk_full_name,
        .xRandomness = disk_randomness,
        .xSleep = disk_sleep,
        .xCurrentTime = disk_time_of_day,
        .xGetLastError = disk_last_error,
        .xCurrentTimeInt64 = disk_time,
    };
    return &vfs;
}
