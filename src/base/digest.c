// Hashes over libsodium. A fingerprint is put together byte by byte, so that it is the same on every machine.
#include "base/digest.h"

#include <sodium.h>
#include <string.h>

_Static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(struct digest_state), "the state must fit");
_Static_assert(_Alignof(crypto_hash_sha256_state) <= _Alignof(struct digest_state), "and be aligned");
_Static_assert(DIGEST_SIZE == crypto_hash_sha256_BYTES, "a digest is a SHA-256");

#define FINGERPRINT_SIZE 16
_Static_assert(crypto_shorthash_siphashx24_BYTES == FINGERPRINT_SIZE, "a fingerprint has 128 bits");
_Static_assert(crypto_shorthash_siphashx24_KEYBYTES == FINGERPRINT_KEY_SIZE, "and its key as many");

bool digest_initialise(void)
{
    return sodium_init() >= 0;
}

static crypto_hash_sha256_state *inside(struct digest_state *state)
{
    return (crypto_hash_sha256_state *)(void *)state->opaque;
}

// libsodium's SHA-256 has no way to fail; its results are always zero.
void digest_begin(struct digest_state *state)
{
    (void)crypto_hash_sha256_init(inside(state));
}

void digest_add(struct digest_state *state, const void *bytes, size_t length)
{
    if (length > 0) {
        (void)crypto_hash_sha256_update(inside(state), bytes, length);
    }
}

struct digest digest_end(struct digest_state *state)
{
    struct digest digest;
    (void)crypto_hash_sha256_final(inside(state), digest.bytes);
    return digest;
}

static uint64_t read_integer(const uint8_t bytes[8])
{
    uint64_t value = 0;
    for (size_t i = 0; i < 8; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    return value;
}

struct fingerprint fingerprint_of(const void *bytes, size_t length)
{
    uint8_t hash[FINGERPRINT_SIZE];
    // It fails only for sizes that are out of range, and this one is not.
    (void)crypto_generichash(hash, sizeof hash, bytes, length, NULL, 0);
    return (struct fingerprint){.high = read_integer(hash), .low = read_integer(hash + 8)};
}

struct fingerprint fingerprint_keyed(const uint8_t key[FINGERPRINT_KEY_SIZE], const void *bytes,
                                     size_t length)
{
    uint8_t hash[FINGERPRINT_SIZE];
    (void)crypto_shorthash_siphashx24(hash, bytes, length, key); // it has no way to fail
    return (struct fingerprint){.high = read_integer(hash), .low = read_integer(hash + 8)};
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
    return sodium_memcmp(a->bytes, b->bytes, DIGEST_SIZE) == 0;
}

void digest_to_hex(const struct digest *digest, char text[2 * DIGEST_SIZE + 1])
{
    (void)sodium_bin2hex(text, 2 * DIGEST_SIZE + 1, digest->bytes, DIGEST_SIZE);
}

bool digest_from_hex(const char *text, size_t length, struct digest *result)
{
    struct digest digest;
    size_t read = 0;
    if (length != (size_t)2 * DIGEST_SIZE ||
        sodium_hex2bin(digest.bytes, DIGEST_SIZE, text, length, NULL, &read, NULL) != 0 ||
        read != DIGEST_SIZE) {
        return false;
    }
    *result = digest;
    return true;
}

void random_bytes(void *out, size_t length)
{
    randombytes_buf(out, length);
}

void random_text(char *text, size_t length)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    random_bytes(text, length);
    for (size_t i = 0; i < length; i++) {
        text[i] = alphabet[(unsigned char)text[i] & 63];
    }
    text[length] = '\0';
}
