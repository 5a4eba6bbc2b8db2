// Hashes, random bytes and comparison in constant time, from libsodium.
//
// SHA-256 chains the ledger's batches and keeps tokens; a BLAKE2b fingerprint of 128 bits stands for a text
// where collisions, even sought ones, must not happen. A keyed fingerprint (SipHash-2-4 of 128 bits) costs a
// fifth of that: who does not know the key can't seek collisions, and where they would harm only those who
// seek them the key may be known.
#ifndef COLOSSUS_BASE_DIGEST_H
#define COLOSSUS_BASE_DIGEST_H

#include "base/map.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE 32

struct digest {
    uint8_t bytes[DIGEST_SIZE];
};

// An opaque running SHA-256.
struct digest_state {
    _Alignas(8) uint8_t opaque[128];
};

// Call once before anything else here; false when libsodium has no source of randomness.
bool digest_initialise(void);

void digest_begin(struct digest_state *state);
void digest_add(struct digest_state *state, const void *bytes, size_t length);
struct digest digest_end(struct digest_state *state);

struct fingerprint fingerprint_of(const void *bytes, size_t length);

#define FINGERPRINT_KEY_SIZE 16

struct fingerprint fingerprint_keyed(const uint8_t key[FINGERPRINT_KEY_SIZE], const void *bytes,
                                     size_t length);

bool digest_equal(const struct digest *a, const struct digest *b); // in constant time
void digest_to_hex(const struct digest *digest, char text[2 * DIGEST_SIZE + 1]);
bool digest_from_hex(const char *text, size_t length, struct digest *result);

void random_bytes(void *out, size_t length);

// Writes length random characters of base64url, six bits each, and a NUL.
void random_text(char *text, size_t length);

#endif
