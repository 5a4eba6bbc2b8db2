// The inside of the disk in memory, for its two ways in: SQLite's and the ledger's own.
#ifndef COLOSSUS_TESTS_SIM_MEDIUM_INTERNAL_H
#define COLOSSUS_TESTS_SIM_MEDIUM_INTERNAL_H

#include "medium.h"
#include <sqlite3.h>

#define NAME_SIZE 96

// 4 KiB of a file at some moment. Never changed when it has more than one owner.
struct block {
    uint32_t owners;
    uint64_t stamp; // when it was written: the higher, the later
    unsigned char bytes[MEDIUM_BLOCK];
};

// CLEAN: as synced. DIRTY: written since. GIVEN_UP: a sync failed, after which the system takes the page for
// written: it is read as it was written as long as it stays in memory, and no sync writes it.
enum page_state { PAGE_CLEAN, PAGE_DIRTY, PAGE_GIVEN_UP };

struct page {
    struct block *now, *durable; // NULL: zeros
    enum page_state state;
};

// What a page was between two syncs: the disk may have got as far as that.
struct version {
    size_t page;
    struct block *block;
};

struct inode {
    int64_t size, durable_size;
    struct page *pages;
    size_t count, capacity;
    struct version *versions;
    size_t version_count, version_capacity;
    // SQLite's locks: how many share it, and who has more.
    int shared;
    const void *reserved, *pending, *exclusive;
    struct shared_memory *memory;
};

struct entry {
    char name[NAME_SIZE];
    int inode;
    bool now, durable;
};

struct medium {
    struct inode *inodes;
    size_t inode_count, inode_capacity;
    struct entry *entries;
    size_t entry_count, entry_capacity;
    uint64_t random, stamp;
    int open_files, temporary_names;
    struct medium_faults faults;
};

// The one that is mounted.
extern struct medium *medium_mounted;

enum call_kind { CALL_ASKS, CALL_CHANGES };

// Before every call. True: it goes on. False: it fails, and *partly says that some of a write is done first.
bool medium_call(struct medium *medium, enum call_kind kind, bool *partly);

// Before a sync of a file.
bool medium_call_sync(struct medium *medium);

uint32_t medium_random(struct medium *medium, uint32_t bound);

// −1 when there is none of this name.
int medium_find(const struct medium *medium, const char *name);
int medium_make(struct medium *medium, const char *name);
void medium_name(struct medium *medium, const char *name, int inode);
void medium_remove(struct medium *medium, const char *name);
void medium_sync_folder(struct medium *medium);

// How many bytes of what was asked for there are; the rest is zeroed.
size_t medium_read(const struct medium *medium, int inode, void *bytes, size_t count, int64_t offset);
void medium_write(struct medium *medium, int inode, const void *bytes, size_t count, int64_t offset);
void medium_truncate(struct medium *medium, int inode, int64_t size);
void medium_sync(struct medium *medium, int inode);
// A sync that fails: some of it is durable, and of the rest nobody thinks any more.
void medium_sync_failed(struct medium *medium, int inode);

sqlite3_vfs *medium_vfs(void);

#endif
