// Damages a ledger's files, one fault at a time, and sees whether it is found.
//
//     flip COUNT SEED
//
// A ledger with something of everything is made, part of it in the file and part in the WAL, with older
// frames behind, as a daemon leaves it that was killed. Then, COUNT times: the files are put back as they
// were, one of them is damaged (a bit flipped, the end cut off, a sector lost, a page written to the wrong
// place), and a child opens it as the daemon would and asks for all that can be served, and verifies it, in
// either order. The fault must be found, with words, by one of the two; else what is served must be what it
// was, to the byte. A child that crashes or hangs has found nothing.
//
// Prints what became of the faults and ends with 0 when all were found or without effect, and 1 at the first
// that was not, of which it says enough to try it again.
#include "../unit/ledger/workshop.h"
#include "served.h"

#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAL_HEADER       32
#define WAL_FRAME        4120 // with its header of 24 bytes
#define WAL_FRAME_HEADER 24
#define SECTOR           512
#define PAGE             4096
#define PATIENCE         60 // seconds

enum file { FILE_LEDGER, FILE_WAL, FILE_WITNESS, FILE_INDEX, FILE_COUNT };
static const char *const suffixes[FILE_COUNT] = {"", "-wal", "-witness", "-shm"};

struct content {
    char *bytes;
    size_t length;
};

// What the child says.
enum finding { FINDING_NONE, FINDING_AT_START, FINDING_BY_VERIFY, FINDING_BY_BOTH, FINDING_WRONG };

struct report {
    enum finding finding;
    bool lists_differ, totals_differ; // what is served before verify has found it
    char said[2 * LEDGER_ERROR_SIZE];
};

struct trial {
    struct workshop workshop;
    char path[PATH_SIZE]; // of the damaged ledger
    struct content contents[FILE_COUNT];
    struct served expected;
    struct report *report; // shared with the child
    uint64_t random;
    char damage[200];
};

// ---- Files

static void path_of(const struct trial *trial, enum file file, char path[2 * PATH_SIZE])
{
    snprintf(path, 2 * PATH_SIZE, "%s%s", trial->path, suffixes[file]);
}

static void stop(const char *what, const char *path)
{
    fprintf(stderr, "flip: %s: %s: %s\n", path, what, strerror(errno));
    exit(70);
}

static struct content read_content(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        stop("can't be read", path);
    }
    struct content content = {.length = (size_t)ftell(file)};
    content.bytes = malloc(content.length + 1);
    rewind(file);
    if (content.bytes == NULL || fread(content.bytes, 1, content.length, file) != content.length) {
        stop("can't be read", path);
    }
    fclose(file);
    return content;
}

static void write_content(const char *path, const char *bytes, size_t length)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (descriptor < 0 || write(descriptor, bytes, length) != (ssize_t)length || close(descriptor) != 0) {
        stop("can't be written", path);
    }
}

static void put_back(const struct trial *trial)
{
    for (enum file file = 0; file < FILE_COUNT; file++) {
        char path[2 * PATH_SIZE];
        path_of(trial, file, path);
        write_content(path, trial->contents[file].bytes, trial->contents[file].length);
    }
}

// ---- The ledger

static void book_some(struct workshop *workshop, int count, const char *tenant)
{
    for (int i = 0; i < count; i++) {
        workshop_create(workshop, tenant, 8, "2027-02-01T00:00:00Z", "2027-02-03T00:00:00Z", NULL);
        if (i % 4 == 3) {
            workshop_cancel(workshop, tenant, workshop->decision.outcomes[0].image.row.id);
        }
        if (i % 3 == 2) {
            workshop_commit(workshop);
        }
    }
    workshop_commit(workshop);
}

// What was moved into the file stays in the WAL behind the frames that are written next.
static void make_ledger(struct trial *trial)
{
    struct workshop *workshop = &trial->workshop;
    workshop_begin(workshop);
    workshop_live(workshop);
    book_some(workshop, 120, "acme");
    workshop_close(workshop);
    workshop_open(workshop);
    if (!workshop_execute(workshop->path, "PRAGMA wal_checkpoint(RESTART)")) {
        stop("can't be checkpointed", workshop->path);
    }
    book_some(workshop, 12, "acme");
    for (enum file file = 0; file < FILE_COUNT; file++) {
        char path[2 * PATH_SIZE];
        snprintf(path, sizeof path, "%s%s", workshop->path, suffixes[file]);
        trial->contents[file] = read_content(path);
    }
    workshop_path(workshop, "damaged.db", trial->path);
}

static struct ledger_options options_of(const struct trial *trial)
{
    struct ledger_options options = workshop_options(&trial->workshop);
    options.path = trial->path;
    return options;
}

// ---- Damage

// splitmix64
static uint64_t draw(struct trial *trial)
{
    uint64_t number = trial->random += UINT64_C(0x9e3779b97f4a7c15);
    number = (number ^ (number >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ (number >> 27)) * UINT64_C(0x94d049bb133111eb);
    return number ^ (number >> 31);
}

static size_t below(struct trial *trial, size_t limit)
{
    return (size_t)(draw(trial) % limit);
}

struct place {
    enum file file;
    size_t offset;
};

// The frames that belong to the WAL as it is: they have its salt.
static size_t live_frames(const struct content *wal)
{
    size_t count = 0, offset = WAL_HEADER;
    while (offset + WAL_FRAME <= wal->length && memcmp(wal->bytes + offset + 8, wal->bytes + 16, 8) == 0) {
        count++;
        offset += WAL_FRAME;
    }
    return count;
}

// Headers are hit far more often than their size would have it: what stands in them has an effect.
static struct place draw_place(struct trial *trial)
{
    const struct content *contents = trial->contents;
    size_t kind = below(trial, 100);
    size_t frame = WAL_HEADER + below(trial, live_frames(&contents[FILE_WAL])) * WAL_FRAME;
    if (kind < 10) {
        return (struct place){FILE_LEDGER, below(trial, 100)};
    }
    if (kind < 50) {
        return (struct place){FILE_LEDGER, below(trial, contents[FILE_LEDGER].length)};
    }
    if (kind < 58) {
        return (struct place){FILE_WAL, below(trial, WAL_HEADER)};
    }
    if (kind < 68) {
        return (struct place){FILE_WAL, frame + below(trial, WAL_FRAME_HEADER)};
    }
    if (kind < 87) {
        return (struct place){FILE_WAL, frame + below(trial, WAL_FRAME)};
    }
    if (kind < 89) {
        return (struct place){FILE_WAL, below(trial, contents[FILE_WAL].length)};
    }
    if (kind < 98) {
        return (struct place){FILE_WITNESS, below(trial, contents[FILE_WITNESS].length)};
    }
    return (struct place){FILE_INDEX, below(trial, contents[FILE_INDEX].length)};
}

static void flip_bit(struct trial *trial, char *bytes, struct place place)
{
    int bit = (int)below(trial, 8);
    bytes[place.offset] = (char)(bytes[place.offset] ^ (1 << bit));
    snprintf(trial->damage, sizeof trial->damage, "bit %d of byte %zu of ledger.db%s flipped", bit,
             place.offset, suffixes[place.file]);
}

static void lose_sector(struct trial *trial, char *bytes, size_t length, struct place place)
{
    size_t begin = place.offset / SECTOR * SECTOR;
    size_t count = length - begin < SECTOR ? length - begin : SECTOR;
    memset(bytes + begin, 0, count);
    snprintf(trial->damage, sizeof trial->damage, "%zu bytes from %zu of ledger.db%s are zeros", count, begin,
             suffixes[place.file]);
}

static void misplace_page(struct trial *trial, char *bytes, size_t length, struct place place)
{
    size_t from = below(trial, length / PAGE) * PAGE, to = place.offset / PAGE * PAGE;
    if (to + PAGE <= length) {
        memmove(bytes + to, bytes + from, PAGE);
    }
    snprintf(trial->damage, sizeof trial->damage,
             "the page at %zu of ledger.db%s was written over that at %zu", from, suffixes[place.file], to);
}

static void damage(struct trial *trial)
{
    struct place place = draw_place(trial);
    const struct content *content = &trial->contents[place.file];
    size_t length = content->length, kind = below(trial, 100);
    char path[2 * PATH_SIZE], *bytes = malloc(length + 1);
    if (bytes == NULL) {
        stop("no memory", trial->path);
    }
    memcpy(bytes, content->bytes, length);
    if (kind < 75) {
        flip_bit(trial, bytes, place);
    } else if (kind < 88) {
        length = place.offset;
        snprintf(trial->damage, sizeof trial->damage, "ledger.db%s cut to %zu bytes", suffixes[place.file],
                 length);
    } else if (kind < 95 || length < PAGE) {
        lose_sector(trial, bytes, length, place);
    } else {
        misplace_page(trial, bytes, length, place);
    }
    path_of(trial, place.file, path);
    write_content(path, bytes, length);
    free(bytes);
}

// ---- The child

static bool is_sound(const struct trial *trial, struct report *report)
{
    struct verify_report found = {0};
    struct ledger_error error = {0};
    bool sound = ledger_verify(trial->path, NULL, NULL, &found, &error) && found.sound;
    if (!sound) {
        snprintf(report->said, LEDGER_ERROR_SIZE, "%s",
                 found.message[0] != '\0' ? found.message : error.message);
    }
    return sound;
}

static bool is_same(const struct buffer *a, const struct buffer *b)
{
    return a->length == b->length && (a->length == 0 || memcmp(a->data, b->data, a->length) == 0);
}

static void try(const struct trial *trial, bool verify_first)
{
    struct report *report = trial->report;
    struct ledger_options options = options_of(trial);
    struct ledger_error error = {0};
    struct served out;
    bool sound = !verify_first || is_sound(trial, report);
    bool starts = served(&options, &out, &error);
    sound = sound && (verify_first || is_sound(trial, report));
    report->lists_differ = starts && !is_same(&out.lists, &trial->expected.lists);
    report->totals_differ = starts && !is_same(&out.totals, &trial->expected.totals);
    bool same = starts && !report->lists_differ && !report->totals_differ;
    if (!starts) {
        snprintf(report->said + strlen(report->said), LEDGER_ERROR_SIZE, "%s", error.message);
    }
    if (starts && sound) {
        report->finding = same ? FINDING_NONE : FINDING_WRONG;
    } else if (report->said[0] == '\0') {
        report->finding = FINDING_WRONG; // found, without words
    } else {
        report->finding = starts ? FINDING_BY_VERIFY : sound ? FINDING_AT_START : FINDING_BY_BOTH;
    }
    served_free(&out);
}

static void in_child(struct trial *trial, bool verify_first)
{
    *trial->report = (struct report){.finding = FINDING_WRONG};
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        alarm(PATIENCE);
        try(trial, verify_first);
        _exit(0);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child) {
        stop("no child", trial->path);
    }
    if (status != 0) {
        trial->report->finding = FINDING_WRONG;
        snprintf(trial->report->said, sizeof trial->report->said, "the process ended with %s %d",
                 WIFSIGNALED(status) ? "signal" : "status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
}

// ---- All

static void remove_all(struct trial *trial)
{
    char path[PATH_SIZE * 2];
    for (enum file file = 0; file < FILE_COUNT; file++) {
        path_of(trial, file, path);
        unlink(path);
        free(trial->contents[file].bytes);
    }
    served_free(&trial->expected);
    workshop_end(&trial->workshop); // which removes what is left
}

static int64_t number_of(const char *text)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    return errno != 0 || *end != '\0' || number < 0 ? -1 : number;
}

int main(int count_of_arguments, char **arguments)
{
    int64_t count = count_of_arguments == 3 ? number_of(arguments[1]) : -1;
    int64_t seed = count_of_arguments == 3 ? number_of(arguments[2]) : -1;
    if (count < 1 || seed < 0) {
        fprintf(stderr, "usage: flip COUNT SEED\n");
        return 64;
    }
    static struct trial trial;
    int64_t found[FINDING_WRONG + 1] = {0}, lists = 0, totals = 0;
    trial.random = (uint64_t)seed;
    log_set_level(LOG_ERROR);
    trial.report =
        mmap(NULL, sizeof *trial.report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (trial.report == MAP_FAILED) {
        stop("no memory", "the report");
    }
    make_ledger(&trial);
    put_back(&trial);
    struct ledger_options options = options_of(&trial);
    struct ledger_error error = {0};
    if (!served(&options, &trial.expected, &error) || !is_sound(&trial, trial.report)) {
        fprintf(stderr, "flip: the ledger is not sound before it is damaged: %s%s\n", error.message,
                trial.report->said);
        return 70;
    }
    for (int64_t i = 0; i < count && found[FINDING_WRONG] == 0; i++) {
        put_back(&trial);
        damage(&trial);
        bool verify_first = below(&trial, 2) == 0;
        in_child(&trial, verify_first);
        found[trial.report->finding]++;
        lists += trial.report->lists_differ;
        totals += trial.report->totals_differ;
        if (trial.report->finding == FINDING_WRONG) {
            printf("fault %" PRId64 " of seed %" PRId64 ": %s (verified %s): not found, and %s\n", i + 1,
                   seed, trial.damage, verify_first ? "first" : "last",
                   trial.report->said[0] != '\0' ? trial.report->said : "something else is served");
        }
    }
    printf("%" PRId64 " faults: %" PRId64 " found at the start and by verify, %" PRId64
           " at the start, %" PRId64 " by verify (before it, %" PRId64 " change a list and %" PRId64
           " a total), %" PRId64 " without effect, %" PRId64 " not found\n",
           count, found[FINDING_BY_BOTH], found[FINDING_AT_START], found[FINDING_BY_VERIFY], lists, totals,
           found[FINDING_NONE], found[FINDING_WRONG]);
    remove_all(&trial);
    return found[FINDING_WRONG] == 0 ? 0 : 1;
}
