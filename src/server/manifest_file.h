// The manifest that is given on the command line: read and checked, then applied like an operator's request.
#ifndef COLOSSUS_SERVER_MANIFEST_FILE_H
#define COLOSSUS_SERVER_MANIFEST_FILE_H

#include "base/arena.h"
#include "core/manifest.h"
#include "server/config.h"
#include <stdbool.h>

struct writer;

// Reads it into the arena. False with a sentence in error that names the file and the place in it.
bool manifest_file_read(const char *path, struct arena *arena, struct manifest *manifest,
                        char error[CONFIG_ERROR_SIZE]);

// Reads it, decides it and puts it into the open batch. False with a sentence in error.
bool manifest_file_apply(const char *path, struct writer *writer, char error[CONFIG_ERROR_SIZE]);

#endif
