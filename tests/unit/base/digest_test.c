// Hashes against published values.
#include "base/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int initialise(void **state)
{
    (void)state;
    return digest_initialise() ? 0 : 1;
}

static void assert_hex(struct digest digest, const char *expected)
{
    char text[2 * DIGEST_SIZE + 1];
    digest_to_hex(&digest, text);
    assert_string_equal(text, expected);
}

// FIPS 180-2, appendix B.
static void test_sha256(void **state)
{
    (void)state;
    struct digest_state hash;
    digest_begin(&hash);
    digest_add(&hash, NULL, 0);
    assert_hex(digest_end(&hash), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest_begin(&hash);
    digest_add(&hash, "a", 1);
    digest_add(&hash, "bc", 2);
    assert_hex(digest_end(&hash), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_hex(void **state)
{
    (void)state;
    static const char good[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    struct digest digest = {{1}};
    assert_true(digest_from_hex(good, 64, &digest));
    assert_hex(digest, good);

    struct digest before = digest;
    assert_false(digest_from_hex(good, 63, &digest));
    assert_false(digest_from_hex("", 0, &digest));
    assert_false(
        digest_from_hex("zz7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 64, &digest));
    assert_false(
        digest_from_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a ", 64, &digest));
    assert_true(digest_equal(&before, &digest));
}

static void test_fingerprints(void **state)
{
    (void)state;
    struct fingerprint a = fingerprint_of("ref-1", 5), b = fingerprint_of("ref-1", 5),
                       c = fingerprint_of("ref-2", 5);
    assert_true(a.high == b.high && a.low == b.low);
    assert_true(a.high != c.high && a.low != c.low);
    // BLAKE2b with 16 bytes of "abc", as b2sum -l 128 prints it.
    struct fingerprint abc = fingerprint_of("abc", 3);
    assert_true(abc.high == UINT64_C(0x2b8d2bc691b74acf) && abc.low == UINT64_C(0x1678287502c90921));
    fingerprint_of(NULL, 0);
}

static void test_keyed_fingerprints(void **state)
{
    (void)state;
    uint8_t key[FINGERPRINT_KEY_SIZE];
    for (size_t i = 0; i < sizeof key; i++) {
        key[i] = (uint8_t)i;
    }
    // The first two test vectors of SipHash-2-4 with 128 bits.
    struct fingerprint none = fingerprint_keyed(key, NULL, 0), zero = fingerprint_keyed(key, "", 1);
    assert_true(none.high == UINT64_C(0xe6a825ba047f81a3) && none.low == UINT64_C(0x930255c71472f66d));
    assert_true(zero.high == UINT64_C(0x44af996bd8c187da) && zero.low == UINT64_C(0x45fc229b11597634));
    key[0] = 1;
    assert_true(fingerprint_keyed(key, NULL, 0).high != none.high);
}

static void test_random(void **state)
{
    (void)state;
    unsigned char a[32] = {0}, b[32] = {0};
    random_bytes(a, sizeof a);
    random_bytes(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

static void test_random_text(void **state)
{
    (void)state;
    char a[44], b[44];
    memset(a, '!', sizeof a);
    random_text(a, 43);
    random_text(b, 43);
    assert_int_equal(strlen(a), 43);
    assert_int_equal(strspn(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 43);
    assert_string_not_equal(a, b);
    random_text(a, 0);
    assert_string_equal(a, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256),       cmocka_unit_test(test_hex),
        cmocka_unit_test(test_fingerprints), cmocka_unit_test(test_keyed_fingerprints),
        cmocka_unit_test(test_random),       cmocka_unit_test(test_random_text),
    };
    return cmocka_run_group_tests(tests, initialise, NULL);
}
