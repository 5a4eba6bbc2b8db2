#include "medium_internal.h"

#include "base/memory.h"
#include <assert.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define SECTORS (MEDIUM_BLOCK / MEDIUM_SECTOR)

struct medium *medium_mounted;

uint32_t medium_random(struct medium *medium, uint32_t bound)
{
    // SplitMix64
    uint64_t z = medium->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)((z ^ (z >> 31)) % bound);
}

// ---- Blocks

static struct block *block_make(struct medium *medium, const struct block *like)
{
    struct block *block = memory_allocate(1, sizeof *block);
    if (like != NULL)
        memcpy(block->bytes, like->bytes, MEDIUM_BLOCK);
    block->owners = 1;
    block->stamp = ++medium->stamp;
    return block;
}

static struct block *block_share(struct block *block)
{
    if (block != NULL)
        block->owners++;
    return block;
}

static void block_leave(struct block *block)
{
    if (block != NULL && --block->owners == 0)
        free(block);
}

// ---- Media

struct medium *medium_create(uint64_t random)
{
    struct medium *medium = memory_allocate(1, sizeof *medium);
    medium->random = random;
    return medium;
}

static void copy_inode(struct inode *copy, const struct inode *inode)
{
    *copy = (struct inode){.size = inode->size, .durable_size = inode->durable_size, .count = inode->count};
    copy->capacity = inode->count;
    copy->pages = memory_allocate(inode->count + 1, sizeof *copy->pages);
    for (size_t i = 0; i < inode->count; i++) {
        copy->pages[i] = inode->pages[i];
        block_share(copy->pages[i].now);
        block_share(copy->pages[i].durable);
    }
    copy->version_count = copy->version_capacity = inode->version_count;
    copy->versions = memory_allocate(inode->version_count + 1, sizeof *copy->versions);
    for (size_t i = 0; i < inode->version_count; i++) {
        copy->versions[i] = inode->versions[i];
        block_share(copy->versions[i].block);
    }
}

struct medium *medium_copy(const struct medium *medium, uint64_t random)
{
    struct medium *copy = memory_allocate(1, sizeof *copy);
    *copy =
        (struct medium){.random = random, .stamp = medium->stamp, .temporary_names = medium->temporary_names};
    copy->inode_count = copy->inode_capacity = medium->inode_count;
    copy->inodes = memory_allocate(medium->inode_count + 1, sizeof *copy->inodes);
    for (size_t i = 0; i < medium->inode_count; i++)
        copy_inode(&copy->inodes[i], &medium->inodes[i]);
    copy->entry_count = copy->entry_capacity = medium->entry_count;
    copy->entries = memory_allocate(medium->entry_count + 1, sizeof *copy->entries);
    if (medium->entry_count > 0)
        memcpy(copy->entries, medium->entries, medium->entry_count * sizeof *copy->entries);
    return copy;
}

static void forget_versions(struct inode *inode)
{
    for (size_t i = 0; i < inode->version_count; i++)
        block_leave(inode->versions[i].block);
    inode->version_count = 0;
}

static void empty_inode(struct inode *inode)
{
    forget_versions(inode);
    for (size_t i = 0; i < inode->count; i++) {
        block_leave(inode->pages[i].now);
        block_leave(inode->pages[i].durable);
    }
    free(inode->pages);
    free(inode->versions);
    *inode = (struct inode){0};
}

void medium_free(struct medium *medium)
{
    if (medium == NULL)
        return;
    assert(medium->open_files == 0);
    for (size_t i = 0; i < medium->inode_count; i++)
        empty_inode(&medium->inodes[i]);
    free(medium->inodes);
    free(medium->entries);
    if (medium_mounted == medium)
        medium_mounted = NULL;
    free(medium);
}

void medium_register(void)
{
    static bool registered;
    if (registered)
        return;
    // There is one thread, and what takes most of the time is the opening of ledgers: no mutexes, and small
    // pieces of memory from one large one.
    (void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    (void)sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 1200, 3000);
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 28);
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 28);
    if (sqlite3_vfs_register(medium_vfs(), 1) != SQLITE_OK)
        abort();
    registered = true;
}

void medium_mount(struct medium *medium)
{
    medium_mounted = medium;
}

struct medium_faults *medium_faults(struct medium *medium)
{
    return &medium->faults;
}

int medium_open_files(const struct medium *medium)
{
    return medium->open_files;
}

bool medium_struck(const struct medium *medium)
{
    return medium->faults.off ||
           (medium->faults.sync_at != 0 && medium->faults.syncs >= medium->faults.sync_at) ||
           (medium->faults.fail_at != 0 && medium->faults.calls >= medium->faults.fail_at);
}

bool medium_has(const struct medium *medium, const char *name)
{
    return medium_find(medium, name) >= 0;
}

bool medium_call(struct medium *medium, enum call_kind kind, bool *partly)
{
    struct medium_faults *faults = &medium->faults;
    if (partly != NULL)
        *partly = false;
    if (faults->off)
        return false;
    faults->calls++;
    faults->changes += kind == CALL_CHANGES;
    if (faults->observer != NULL)
        faults->observer(faults->context, medium, kind == CALL_CHANGES);
    if (kind == CALL_CHANGES) {
        if (faults->changes == faults->cut_at) {
            faults->off = true;
            // What was on its way when the power went may still be found, whole or in part.
            if (partly != NULL)
                *partly = true;
            return false;
        }
    }
    bool fails = faults->fail_at != 0 &&
                 (faults->fail_on ? faults->calls >= faults->fail_at : faults->calls == faults->fail_at);
    if (fails && partly != NULL)
        *partly = medium_random(medium, 2) == 0;
    return !fails;
}

// ---- The folder

int medium_find(const struct medium *medium, const char *name)
{
    for (size_t i = medium->entry_count; i > 0; i--)
        if (medium->entries[i - 1].now && strcmp(medium->entries[i - 1].name, name) == 0)
            return medium->entries[i - 1].inode;
    return -1;
}

void medium_name(struct medium *medium, const char *name, int inode)
{
    assert(strlen(name) < NAME_SIZE);
    medium->entries =
        memory_grow(medium->entries, medium->entry_count, &medium->entry_capacity, sizeof *medium->entries);
    struct entry *entry = &medium->entries[medium->entry_count++];
    *entry = (struct entry){.inode = inode, .now = true};
    memcpy(entry->name, name, strlen(name) + 1);
}

int medium_make(struct medium *medium, const char *name)
{
    medium->inodes =
        memory_grow(medium->inodes, medium->inode_count, &medium->inode_capacity, sizeof *medium->inodes);
    int inode = (int)medium->inode_count++;
    medium->inodes[inode] = (struct inode){0};
    medium_name(medium, name, inode);
    return inode;
}

void medium_remove(struct medium *medium, const char *name)
{
    for (size_t i = 0; i < medium->entry_count; i++)
        if (strcmp(medium->entries[i].name, name) == 0)
            medium->entries[i].now = false;
}

static void drop_entries(struct medium *medium)
{
    size_t kept = 0;
    for (size_t i = 0; i < medium->entry_count; i++)
        if (medium->entries[i].now || medium->entries[i].durable)
            medium->entries[kept++] = medium->entries[i];
    medium->entry_count = kept;
}

void medium_sync_folder(struct medium *medium)
{
    for (size_t i = 0; i < medium->entry_count; i++)
        medium->entries[i].durable = medium->entries[i].now;
    drop_entries(medium);
}

// ---- Files

size_t medium_read(const struct medium *medium, int number, void *bytes, size_t count, int64_t offset)
{
    const struct inode *inode = &medium->inodes[number];
    size_t there = offset >= inode->size                   ? 0
                   : (int64_t)count > inode->size - offset ? (size_t)(inode->size - offset)
                                                           : count;
    memset(bytes, 0, count);
    for (size_t done = 0; done < there;) {
        size_t place = (size_t)offset + done, page = place / MEDIUM_BLOCK, within = place % MEDIUM_BLOCK;
        size_t piece = MEDIUM_BLOCK - within < there - done ? MEDIUM_BLOCK - within : there - done;
        if (page < inode->count && inode->pages[page].now != NULL)
            memcpy((char *)bytes + done, inode->pages[page].now->bytes + within, piece);
        done += piece;
    }
    return there;
}

// A page's block, to be written to: a new one, so that what it was before can still be what a cut leaves.
static struct block *block_to_write(struct medium *medium, struct inode *inode, size_t number)
{
    while (inode->count <= number) {
        inode->pages = memory_grow(inode->pages, inode->count, &inode->capacity, sizeof *inode->pages);
        inode->pages[inode->count++] = (struct page){0};
    }
    struct page *page = &inode->pages[number];
    struct block *block = block_make(medium, page->now);
    if (page->state == PAGE_DIRTY && page->now != NULL) {
        inode->versions = memory_grow(inode->versions, inode->version_count, &inode->version_capacity,
                                      sizeof *inode->versions);
        inode->versions[inode->version_count++] = (struct version){number, page->now};
    } else {
        block_leave(page->now);
    }
    page->now = block;
    page->state = PAGE_DIRTY;
    return block;
}

void medium_write(struct medium *medium, int number, const void *bytes, size_t count, int64_t offset)
{
    struct inode *inode = &medium->inodes[number];
    for (size_t done = 0; done < count;) {
        size_t place = (size_t)offset + done, within = place % MEDIUM_BLOCK;
        size_t piece = MEDIUM_BLOCK - within < count - done ? MEDIUM_BLOCK - within : count - done;
        struct block *block = block_to_write(medium, inode, place / MEDIUM_BLOCK);
        memcpy(block->bytes + within, (const char *)bytes + done, piece);
        done += piece;
    }
    if (offset + (int64_t)count > inode->size)
        inode->size = offset + (int64_t)count;
}

void medium_truncate(struct medium *medium, int number, int64_t size)
{
    struct inode *inode = &medium->inodes[number];
    if (size < inode->size) {
        size_t kept = ((size_t)size + MEDIUM_BLOCK - 1) / MEDIUM_BLOCK;
        if (size % MEDIUM_BLOCK != 0) {
            struct block *block = block_to_write(medium, inode, kept - 1);
            memset(block->bytes + size % MEDIUM_BLOCK, 0, MEDIUM_BLOCK - (size_t)(size % MEDIUM_BLOCK));
        }
        for (size_t i = kept; i < inode->count; i++) {
            block_leave(inode->pages[i].now);
            inode->pages[i].now = NULL;
            inode->pages[i].state = PAGE_DIRTY;
        }
    }
    inode->size = size;
}

static void settle_page(struct page *page)
{
    block_leave(page->durable);
    page->durable = block_share(page->now);
    page->state = PAGE_CLEAN;
}

void medium_sync(struct medium *medium, int number)
{
    struct inode *inode = &medium->inodes[number];
    for (size_t i = 0; i < inode->count; i++)
        if (inode->pages[i].state == PAGE_DIRTY)
            settle_page(&inode->pages[i]);
    forget_versions(inode);
    inode->durable_size = inode->size;
}

void medium_sync_failed(struct medium *medium, int number)
{
    struct inode *inode = &medium->inodes[number];
    for (size_t i = 0; i < inode->count; i++) {
        if (inode->pages[i].state != PAGE_DIRTY)
            continue;
        if (medium_random(medium, 2) == 0)
            settle_page(&inode->pages[i]);
        else
            inode->pages[i].state = PAGE_GIVEN_UP;
    }
    forget_versions(inode);
    if (medium_random(medium, 2) == 0)
        inode->durable_size = inode->size;
}

bool medium_call_sync(struct medium *medium)
{
    struct medium_faults *faults = &medium->faults;
    if (!medium_call(medium, CALL_CHANGES, NULL))
        return false;
    faults->syncs++;
    return faults->syncs != faults->sync_at;
}

void medium_give_up(struct medium *medium)
{
    for (size_t i = 0; i < medium->inode_count; i++)
        medium_sync_failed(medium, (int)i);
}

// ---- The end of a process, and of the power

// A page as the disk has it: one of what it was since the last sync, or a mixture by sectors.
static void cut_page(struct medium *medium, struct inode *inode, size_t number, enum medium_cut cut,
                     uint64_t moment)
{
    struct page *page = &inode->pages[number];
    struct block *candidates[16], *chosen = page->durable;
    uint32_t count = 0;
    candidates[count++] = page->durable;
    for (size_t i = 0; i < inode->version_count && count < 15; i++)
        if (inode->versions[i].page == number)
            candidates[count++] = inode->versions[i].block;
    candidates[count++] = page->now;
    if (cut == CUT_KEEPS)
        chosen = page->now;
    if (cut == CUT_PAGES)
        chosen = candidates[medium_random(medium, count)];
    for (uint32_t i = 1; i < count && cut == CUT_ORDERED; i++)
        if (candidates[i] != NULL ? candidates[i]->stamp <= moment : moment == medium->stamp)
            chosen = candidates[i];
    if (cut == CUT_SECTORS) {
        chosen = block_make(medium, NULL);
        for (int sector = 0; sector < SECTORS; sector++) {
            const struct block *source = candidates[medium_random(medium, count)];
            if (source != NULL)
                memcpy(chosen->bytes + sector * MEDIUM_SECTOR, source->bytes + sector * MEDIUM_SECTOR,
                       MEDIUM_SECTOR);
        }
    } else {
        block_share(chosen);
    }
    block_leave(page->durable);
    page->durable = chosen;
}

static int64_t cut_size(struct medium *medium, const struct inode *inode, enum medium_cut cut)
{
    int64_t low = inode->size < inode->durable_size ? inode->size : inode->durable_size;
    int64_t high = inode->size < inode->durable_size ? inode->durable_size : inode->size;
    if (cut == CUT_KEEPS || low == high)
        return inode->size;
    if (cut == CUT_LOSES)
        return inode->durable_size;
    // Files grow by sectors, and mostly the size is on the disk as a whole or not at all.
    uint32_t choice = medium_random(medium, 4);
    uint32_t sectors = (uint32_t)((high - low) / MEDIUM_SECTOR);
    int64_t between = (low / MEDIUM_SECTOR + medium_random(medium, sectors + 1)) * MEDIUM_SECTOR;
    return choice == 0 ? low : choice == 1 && between >= low ? between : high;
}

static void cut_inode(struct medium *medium, struct inode *inode, enum medium_cut cut, uint64_t moment)
{
    for (size_t i = 0; i < inode->count; i++) {
        struct page *page = &inode->pages[i];
        if (page->state == PAGE_DIRTY)
            cut_page(medium, inode, i, cut, moment);
        block_leave(page->now);
        page->now = block_share(page->durable);
        page->state = PAGE_CLEAN;
    }
    forget_versions(inode);
    inode->durable_size = inode->size = cut_size(medium, inode, cut);
    // What lies behind the end is nothing, and is zeros when the file grows again.
    for (size_t i = 0; i < inode->count; i++)
        if ((int64_t)(i * MEDIUM_BLOCK) >= inode->size) {
            block_leave(inode->pages[i].now);
            block_leave(inode->pages[i].durable);
            inode->pages[i] = (struct page){0};
        }
}

void medium_cut(struct medium *medium, enum medium_cut cut)
{
    assert(medium->open_files == 0);
    uint64_t low = medium->stamp, count = 0;
    for (size_t i = 0; i < medium->inode_count; i++)
        for (size_t k = 0; k < medium->inodes[i].count; k++)
            if (medium->inodes[i].pages[k].state == PAGE_DIRTY && medium->inodes[i].pages[k].now != NULL &&
                medium->inodes[i].pages[k].now->stamp < low)
                low = medium->inodes[i].pages[k].now->stamp;
    count = medium->stamp - low + 1;
    uint64_t moment = low + medium_random(medium, (uint32_t)count + 1) - (low > 0);
    for (size_t i = 0; i < medium->inode_count; i++)
        cut_inode(medium, &medium->inodes[i], cut, moment);
    for (size_t i = 0; i < medium->entry_count; i++) {
        struct entry *entry = &medium->entries[i];
        bool found = cut == CUT_LOSES               ? entry->durable
                     : cut == CUT_KEEPS             ? entry->now
                     : entry->now == entry->durable ? entry->now
                                                    : medium_random(medium, 2) == 0;
        entry->now = entry->durable = found;
    }
    drop_entries(medium);
    medium->faults = (struct medium_faults){0};
}

void medium_restart(struct medium *medium)
{
    assert(medium->open_files == 0);
    for (size_t i = 0; i < medium->inode_count; i++)
        for (size_t k = 0; k < medium->inodes[i].count; k++) {
            struct page *page = &medium->inodes[i].pages[k];
            // The system may drop a page that it takes for written, and read it anew.
            if (page->state == PAGE_GIVEN_UP && medium_random(medium, 2) == 0) {
                block_leave(page->now);
                page->now = block_share(page->durable);
                page->state = PAGE_CLEAN;
            }
        }
    medium->faults = (struct medium_faults){0};
}
