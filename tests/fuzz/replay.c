// Runs a fuzz target over files that are kept, without a fuzzer: the corpus, and every input that once found
// something.
//
//     replay_request FOLDER...
//
// Each file has a process of its own, so that one that fails does not hide the others. Says what failed and,
// last, how many passed and failed.
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define INPUT_MAX ((size_t)1 << 20)

static int run_file(const char *path)
{
    static uint8_t input[INPUT_MAX];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return EXIT_FAILURE;
    size_t length = fread(input, 1, sizeof input, file);
    int status = ferror(file) || length == sizeof input ? EXIT_FAILURE : EXIT_SUCCESS;
    fclose(file);
    if (status == EXIT_SUCCESS)
        LLVMFuzzerTestOneInput(input, length);
    return status;
}

static bool passes(const char *path)
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(run_file(path));
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("a process for a file");
        return false;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool run_folder(const char *folder, int *passed, int *failed)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_shown, alphasort);
    if (count < 0) {
        perror(folder);
        return false;
    }
    for (int i = 0; i < count; i++) {
        char path[4096];
        int length = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        bool good = length > 0 && (size_t)length < sizeof path && passes(path);
        if (!good)
            printf("FAIL %s\n", path);
        *passed += good;
        *failed += !good;
        free(entries[i]);
    }
    free(entries);
    return true;
}

int main(int argc, char **argv)
{
    int passed = 0, failed = 0;
    for (int i = 1; i < argc; i++)
        failed += !run_folder(argv[i], &passed, &failed);
    printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 && passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
