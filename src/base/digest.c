#include "base/digest.h"

#include <sodium.h>
#include <string.h>

_Static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(struct digest_state), "a running SHA-256 fits");
_Static_assert(crypto_hash_sha256_BYTES == DIGEST_SIZE, "SHA-256 is 32 bytes");

static crypto_hash_sha256_state *running(struct digest_state *state)
{
    return (crypto_hash_sha256_state *)(void *)state->opaque;
}

bool digest_initialise(void)
{
    return sodium_init() >= 0;
}

void digest_begin(struct digest_state *state)
{
    crypto_hash_sha256_init(running(state));
}

void digest_add(struct digest_state *state, const void *bytes, size_t length)
{
    crypto_hash_sha256_update(running(state), bytes, length);
}

void digest_add_integer(struct digest_state *state, int64_t value)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)((uint64_t)value >> (8 * i));
    digest_add(state, bytes, sizeof bytes);
}

void digest_add_text(struct digest_state *state, const char *text, size_t length)
{
    digest_add_integer(state, (int64_t)length);
    digest_add(state, text, length);
}

struct digest digest_end(struct digest_state *state)
{
    struct digest digest;
    crypto_hash_sha256_final(running(state), digest.bytes);
    return digest;
}

struct fingerprint fingerprint_of(const void *bytes, size_t length)
{
    struct fingerprint fingerprint;
    _Static_assert(sizeof fingerprint == 16, "a fingerprint is 128 bits");
    uint8_t hash[16];
    crypto_generichash(hash, sizeof hash, bytes, length, NULL, 0);
    memcpy(&fingerprint, hash, sizeof hash);
    return fingerprint;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
    return sodium_memcmp(a->bytes, b->bytes, DIGEST_SIZE) == 0;
}

void digest_to_hex(const struct digest *digest, char text[2 * DIGEST_SIZE + 1])
{
    sodium_bin2hex(text, 2 * DIGEST_SIZE + 1, digest->bytes, DIGEST_SIZE);
}

bool digest_from_hex(const char *text, size_t length, struct digest *result)
{
    size_t written;
    struct digest digest;
    if (length != 2 * DIGEST_SIZE ||
        sodium_hex2bin(digest.bytes, DIGEST_SIZE, text, length, NULL, &written, NULL) != 0 ||
        written != DIGEST_SIZE)
        return false;
    *result = digest;
    return true;
}

void random_bytes(void *out, size_t length)
{
    randombytes_buf(out, length);
}
