// verify: checks a ledger from its file alone. This is the one place of the command line that knows the
// ledger.
#include "cli/cli.h"

#include "ledger/ledger.h"

#include <time.h>
#include <unistd.h>

// Nobody needs to see progress of what is over in a second.
#define QUIET_SECONDS 1.0

struct progress {
    struct cli *cli;
    struct timespec started;
    int shown_percent;
    bool is_shown;
};

static double seconds_since(const struct timespec *started)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - started->tv_sec) + (double)(now.tv_nsec - started->tv_nsec) / 1e9;
}

static void show_progress(void *context, const char *step, int64_t done, int64_t total)
{
    struct progress *progress = context;
    int percent = total <= 0 ? 0 : (int)((double)done * 100 / (double)total);
    if (seconds_since(&progress->started) < QUIET_SECONDS || percent == progress->shown_percent)
        return;
    progress->is_shown = true;
    progress->shown_percent = percent;
    fprintf(progress->cli->err, "\r\033[K%s %d %%", step, percent);
    fflush(progress->cli->err);
}

static void show_report(struct cli *cli, const struct verify_report *report)
{
    if (!cli->is_json) {
        fprintf(cli->out, "The ledger is sound: %s.\n", report->message);
        return;
    }
    json_t *result =
        json_pack("{s:b, s:s, s:I, s:I, s:I, s:I}", "sound", report->sound, "message", report->message,
                  "batches", (json_int_t)report->batches, "events", (json_int_t)report->events, "transfers",
                  (json_int_t)report->transfers, "reservations", (json_int_t)report->reservations);
    if (result != NULL)
        show_result(cli, result);
    json_decref(result);
}

int run_verify(struct cli *cli)
{
    const char *path = cli->arguments.positionals[0];
    struct progress progress = {.cli = cli, .shown_percent = -1};
    struct verify_report report = {0};
    struct ledger_error error = {0};
    bool has_terminal = isatty(fileno(cli->err));
    clock_gettime(CLOCK_MONOTONIC, &progress.started);
    bool read = ledger_verify(path, has_terminal ? show_progress : NULL, &progress, &report, &error);
    if (progress.is_shown)
        fputs("\r\033[K", cli->err);
    if (!read)
        return complain(cli, STATUS_REFUSED, "%s", error.message);
    if (report.sound || cli->is_json)
        show_report(cli, &report);
    return report.sound ? STATUS_DONE : complain(cli, STATUS_REFUSED, "%s: %s", path, report.message);
}
