// Fuzzing the manifest: any bytes as a manifest's file, then decided and applied.
//
// Checked: a manifest that is refused has a sentence and leaves no rows; one that is done and applied changes
// nothing the second time; its export is read again, changes nothing in the book it came from, and makes in
// an empty book one with the same export.
#include "fuzz.h"

#include "grammar.h"
#include "wire/wire.h"
#include <stdlib.h>
#include <string.h>

// A pool's calendar is some hundred kilobytes, so that many pools are slow and find nothing more.
#define POOLS_APPLIED 6

static struct book *standing; // the world, in which nothing is ever applied
static struct arena arena;

static bool read(const char *text, size_t length, struct manifest *manifest)
{
    const char *path = NULL, *message = NULL;
    if (wire_parse_manifest(text, length, &arena, manifest, &path, &message))
        return true;
    FUZZ_CHECK(path != NULL && message != NULL && message[0] != '\0');
    return false;
}

static void decide(const struct book *book, const struct manifest *manifest, struct decision *decision)
{
    struct request request = manifest_request(manifest);
    book_decide(book, &request, WORLD_NOW, &arena, decision);
    if (decision->verdict == VERDICT_DONE)
        return;
    FUZZ_CHECK(decision->row_count == 0 && decision->refusal.message != NULL);
    FUZZ_CHECK(decision->verdict != VERDICT_INVALID_MANIFEST || decision->refusal.path != NULL);
}

static void export(const struct book *book, struct buffer *text)
{
    struct json json = json_begin(text);
    json_write_object(&json, NULL);
    book_write_manifest(book, &json);
    json_write_object_end(&json);
    FUZZ_CHECK(grammar_judge(text->data, text->length).is_json);
}

static struct book *apply(const struct manifest *manifest)
{
    struct book *book = world_empty();
    struct decision decision;
    decide(book, manifest, &decision);
    if (decision.verdict != VERDICT_DONE) {
        book_destroy(book);
        return NULL;
    }
    world_apply(book, &decision, WORLD_NOW, &arena);
    return book;
}

static void check_unchanged_by(const struct book *book, const struct manifest *manifest, const char *what)
{
    struct decision decision;
    decide(book, manifest, &decision);
    if (decision.verdict != VERDICT_DONE)
        FUZZ_FAIL("%s is refused at %s: %s", what, decision.refusal.path, decision.refusal.message);
    if (decision.row_count > 0)
        FUZZ_FAIL("%s changes something", what);
}

// What is exported is the manifest that would recreate the present.
static void check_export(const struct book *book)
{
    struct buffer exported = {0}, again = {0};
    struct manifest manifest;
    export(book, &exported);
    if (!read(exported.data, exported.length, &manifest))
        FUZZ_FAIL("an export can't be read: %s", exported.data);
    check_unchanged_by(book, &manifest, "an export");
    struct book *recreated = apply(&manifest);
    FUZZ_CHECK(recreated != NULL);
    export(recreated, &again);
    if (exported.length != again.length || memcmp(exported.data, again.data, again.length) != 0)
        FUZZ_FAIL("an export does not make the same again:\n%s\n%s", exported.data, again.data);
    book_destroy(recreated);
    buffer_free(&exported);
    buffer_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (standing == NULL) {
        fuzz_initialise();
        standing = world_book(true);
    }
    char *text = malloc(size > 0 ? size : 1);
    FUZZ_CHECK(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    struct manifest manifest;
    bool is_read = read(text, size, &manifest);
    free(text); // nothing that was read may point into it
    if (is_read) {
        struct decision decision;
        decide(standing, &manifest, &decision);
        struct book *book = manifest.pool_count <= POOLS_APPLIED ? apply(&manifest) : NULL;
        if (book != NULL) {
            check_unchanged_by(book, &manifest, "a manifest that is applied twice");
            check_export(book);
            book_destroy(book);
        }
    }
    arena_reset(&arena);
    return 0;
}
