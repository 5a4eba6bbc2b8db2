// The witness: a small file beside the ledger that says which batch was the last to be acknowledged, and its
// hash.
//
// A flipped bit in the WAL makes SQLite drop, without a word, every committed transaction after it; the
// ledger is then sound and too short. The witness, written after each commit in a file of its own, tells. It
// is not synced with each commit (it follows within the system's usual delay), so it may lag behind the
// ledger, which is no fault; it is never ahead of it unless commits were lost. It costs one write of 128
// bytes in place.
#ifndef COLOSSUS_LEDGER_WITNESS_H
#define COLOSSUS_LEDGER_WITNESS_H

#include "base/digest.h"
#include "ledger/ledger.h"

struct witness {
    int64_t batch; // 0: nothing was acknowledged yet, or there is no witness
    struct digest hash;
};

// Opens or makes the witness of a ledger, and reads it. Returns the descriptor, −1 after an error. A witness
// that says nothing readable is an error: whether anything was lost can't be told.
int witness_open(const char *ledger_path, struct witness *witness, struct ledger_error *error);

// Reads the witness of a ledger without making one. False after an error.
bool witness_read(const char *ledger_path, struct witness *witness, struct ledger_error *error);

// False with errno when the file can't be written.
bool witness_write(int descriptor, const struct witness *witness);

#endif
