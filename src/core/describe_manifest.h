// The present inventory, tenants and contracts as a manifest.
#ifndef COLOSSUS_CORE_DESCRIBE_MANIFEST_H
#define COLOSSUS_CORE_DESCRIBE_MANIFEST_H

#include "base/arena.h"
#include "core/book.h"
#include "core/manifest.h"

// Fills in a manifest that recreates what the book has in an empty one, and changes nothing in this one. Its
// arrays are in the arena; its texts are the book's, valid until the next apply.
void book_manifest(const struct book *book, struct arena *arena, struct manifest *manifest);

// The dated changes of a pool as a manifest lists them, in the arena but for their notes.
void book_manifest_changes(const struct book *book, uint32_t pool, struct arena *arena,
                           struct manifest_change **changes, size_t *count);

#endif
