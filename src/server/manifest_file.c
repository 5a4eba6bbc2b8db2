#include "server/manifest_file.h"

#include "base/log.h"
#include "server/server.h"
#include "wire/wire.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// "file: contracts[2].start: what is wrong"; a message that begins with the place says it once.
static void explain(char error[CONFIG_ERROR_SIZE], const char *file, const char *path, const char *message)
{
    const char *text = message != NULL ? message : "the manifest is refused";
    bool has_path = path != NULL && path[0] != '\0' && strncmp(text, path, strlen(path)) != 0;
    snprintf(error, CONFIG_ERROR_SIZE, "%.150s: %.150s%s%.200s", file, has_path ? path : "",
             has_path ? ": " : "", text);
}

bool manifest_file_read(const char *path, struct arena *arena, struct manifest *manifest,
                        char error[CONFIG_ERROR_SIZE])
{
    size_t length = 0;
    char *text = file_read(path, &length, error);
    if (text == NULL) {
        return false;
    }
    const char *place = NULL, *message = NULL;
    bool good = wire_parse_manifest(text, length, arena, manifest, &place, &message);
    if (!good) {
        explain(error, path, place, message);
    }
    free(text);
    return good;
}

bool manifest_file_apply(const char *path, struct writer *writer, char error[CONFIG_ERROR_SIZE])
{
    struct server *server = writer->server;
    struct manifest manifest = {0};
    struct instant now;
    if (!manifest_file_read(path, &server->parsing, &manifest, error) || !writer_begin(writer, &now)) {
        return false;
    }
    struct request request = {
        .kind = REQUEST_MANIFEST_APPLY,
        .actor = {.role = ROLE_OPERATOR, .name = "manifest"},
        .manifest = &manifest,
    };
    struct decision decision = {0};
    book_decide(server->store.book, &request, now, writer_arena(writer), &decision);
    if (decision.verdict != VERDICT_DONE) {
        explain(error, path, decision.refusal.path, decision.refusal.message);
    } else if (decision.row_count > 0) {
        writer_apply(writer, &decision);
    }
    log_info("manifest", "file=\"%s\" rows=%zu", path, decision.row_count);
    arena_reset(&server->parsing);
    return decision.verdict == VERDICT_DONE;
}
