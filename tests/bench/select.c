#include "select.h"

#include "broker.h"
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

// Reads every reservation as an operator sees it. On a small ledger it is soon done, so it is asked again and
// again within the same snapshot, which has the same effect as one that takes long.
#define LONG_SELECT                                                                                          \
    "SELECT tenant, pool, count(*), sum(gpu_hours), max(\"end\") FROM v_reservation GROUP BY 1, 2"

static void ask(sqlite3 *database, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(database, sql, NULL, NULL, &message) != SQLITE_OK)
        bench_fail("the long SELECT: %s", message == NULL ? "no memory" : message);
}

static void read_for_ever(const char *ledger, int ready, pid_t parent)
{
    sqlite3 *database;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(EXIT_FAILURE);
    if (sqlite3_open_v2(ledger, &database, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        bench_fail("%s: %s", ledger, sqlite3_errmsg(database));
    ask(database, "BEGIN");
    ask(database, "SELECT max(seq) FROM batch");
    if (write(ready, "", 1) != 1)
        _exit(EXIT_FAILURE);
    for (;;)
        ask(database, LONG_SELECT);
}

void select_start(struct select_reader *reader, const char *ledger)
{
    int ready[2];
    char byte;
    pid_t parent = getpid();
    if (pipe(ready) != 0 || (reader->pid = fork()) < 0)
        bench_fail("no process for the long SELECT: %s", strerror(errno));
    if (reader->pid == 0) {
        close(ready[0]);
        read_for_ever(ledger, ready[1], parent);
    }
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1)
        bench_fail("the long SELECT can't read the ledger");
    close(ready[0]);
}

double select_stop(struct select_reader *reader)
{
    int status;
    struct rusage used;
    if (kill(reader->pid, SIGTERM) != 0 || wait4(reader->pid, &status, 0, &used) != reader->pid)
        bench_fail("the long SELECT can't be stopped: %s", strerror(errno));
    if (!WIFSIGNALED(status))
        bench_fail("the long SELECT ended before it was stopped");
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}
