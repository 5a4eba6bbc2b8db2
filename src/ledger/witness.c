#include "ledger/witness.h"

#include "base/memory.h"
#include "ledger/connection.h"
#include "ledger/disk.h"
#include "ledger/file.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WITNESS_SIZE   128
#define WITNESS_FORMAT "colossusd witness\nbatch %" PRId64 "\nhash %s\n"

static bool parse(const char *text, struct witness *witness)
{
    // A file of nothing or of zeros was made and then lost to a crash before anything was acknowledged.
    if (text[0] == '\0') {
        *witness = (struct witness){0};
        return true;
    }
    char hash[2 * DIGEST_SIZE + 1];
    int length = 0;
    if (sscanf(text, "colossusd witness\nbatch %" SCNd64 "\nhash %64[0-9a-f]\n%n", &witness->batch, hash,
               &length) != 2 ||
        length == 0 || strlen(hash) != 2 * DIGEST_SIZE || witness->batch < 0)
        return false;
    return digest_from_hex(hash, strlen(hash), &witness->hash);
}

static bool read_from(int descriptor, const char *path, struct witness *witness, struct ledger_error *error)
{
    char text[WITNESS_SIZE + 1] = {0};
    ssize_t length = disk_read(descriptor, text, WITNESS_SIZE, 0);
    if (length < 0) {
        ledger_fail(error, path, "can't read the witness: %s", strerror(errno));
        return false;
    }
    if (parse(text, witness))
        return true;
    ledger_fail(error, path,
                "the witness says nothing readable, so it can't be told whether the ledger has lost batches; "
                "run `colossus verify` and, if the ledger is what it should be, remove this file");
    return false;
}

int witness_open(const char *ledger_path, struct witness *witness, struct ledger_error *error)
{
    char *path = file_beside(ledger_path, "-witness");
    int descriptor = disk_open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0640);
    if (descriptor < 0) {
        ledger_fail(error, path, "can't open the witness: %s", strerror(errno));
    } else if (disk_set_mode(descriptor, 0640) != 0) {
        ledger_fail(error, path, "can't set the witness's mode: %s", strerror(errno));
        disk_close(descriptor);
        descriptor = -1;
    } else if (!read_from(descriptor, path, witness, error)) {
        disk_close(descriptor);
        descriptor = -1;
    }
    free(path);
    return descriptor;
}

bool witness_read(const char *ledger_path, struct witness *witness, struct ledger_error *error)
{
    *witness = (struct witness){0};
    char *path = file_beside(ledger_path, "-witness");
    int descriptor = disk_open(path, O_RDONLY, 0);
    bool read = descriptor < 0 && errno == ENOENT;
    if (descriptor < 0 && !read)
        ledger_fail(error, path, "can't open the witness: %s", strerror(errno));
    if (descriptor >= 0) {
        read = read_from(descriptor, path, witness, error);
        disk_close(descriptor);
    }
    free(path);
    return read;
}

bool witness_write(int descriptor, const struct witness *witness)
{
    char text[WITNESS_SIZE + 1] = {0};
    char hash[2 * DIGEST_SIZE + 1];
    digest_to_hex(&witness->hash, hash);
    snprintf(text, sizeof text, WITNESS_FORMAT, witness->batch, hash);
    // Always the same length in the same place, so that no write leaves a part of another.
    ssize_t written = disk_write(descriptor, text, WITNESS_SIZE, 0);
    if (written >= 0 && written != WITNESS_SIZE)
        errno = ENOSPC;
    return written == WITNESS_SIZE;
}
