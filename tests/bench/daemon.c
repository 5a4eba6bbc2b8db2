#include "daemon.h"

#include "broker.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START_SECONDS_MOST = 120, POLL_NANOSECONDS = 200000, TEXT = 512 };

// ---- Folders and files

void folder_make(const char *folder)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s", folder) >= (int)sizeof path)
        bench_fail("the name of the folder is too long");
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST)
            bench_fail("%s: %s", path, strerror(errno));
        *slash = '/';
    }
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        bench_fail("%s: %s", path, strerror(errno));
}

static void join(char path[PATH_MAX], const char *folder, const char *name)
{
    if (snprintf(path, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
        bench_fail("%s/%s: the path is too long", folder, name);
}

void folder_remove(const char *folder)
{
    DIR *files = opendir(folder);
    if (files == NULL && errno == ENOENT)
        return;
    if (files == NULL)
        bench_fail("%s: %s", folder, strerror(errno));
    for (struct dirent *file = readdir(files); file != NULL; file = readdir(files)) {
        char path[PATH_MAX];
        if (strcmp(file->d_name, ".") == 0 || strcmp(file->d_name, "..") == 0)
            continue;
        join(path, folder, file->d_name);
        if (unlink(path) != 0)
            bench_fail("%s: %s", path, strerror(errno));
    }
    closedir(files);
    if (rmdir(folder) != 0)
        bench_fail("%s: %s", folder, strerror(errno));
}

// Synced, so that the disk is not still busy with the copy when the measuring begins.
static void copy_file(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (in < 0 || out < 0)
        bench_fail("%s can't be copied to %s: %s", from, to, strerror(errno));
    ssize_t copied;
    do {
        copied = copy_file_range(in, NULL, out, NULL, 1 << 30, 0);
    } while (copied > 0);
    if (copied < 0 || fsync(out) != 0 || close(out) != 0)
        bench_fail("%s can't be copied to %s: %s", from, to, strerror(errno));
    close(in);
}

void daemon_prepare(struct daemon *daemon, const char *folder, const char *seeded_ledger)
{
    static const char *const endings[] = {"", "-wal", "-witness"};
    *daemon = (struct daemon){0};
    folder_remove(folder);
    folder_make(folder);
    join(daemon->ledger, folder, "ledger.db");
    join(daemon->socket, folder, "socket");
    join(daemon->log, folder, "log");
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        char from[PATH_MAX], to[PATH_MAX];
        if (snprintf(from, sizeof from, "%s%s", seeded_ledger, endings[i]) >= PATH_MAX ||
            snprintf(to, sizeof to, "%s%s", daemon->ledger, endings[i]) >= PATH_MAX)
            bench_fail("%s: the path is too long", seeded_ledger);
        if (access(from, F_OK) == 0)
            copy_file(from, to);
    }
}

// ---- The process

static int try_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        bench_fail("%s: too long for a socket; set BENCH_DIR to a shorter path", path);
    memcpy(address.sun_path, path, strlen(path));
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        bench_fail("no socket: %s", strerror(errno));
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0)
        return descriptor;
    close(descriptor);
    return -1;
}

int socket_connect(const char *path)
{
    int descriptor = try_connect(path);
    if (descriptor < 0)
        bench_fail("%s: %s", path, strerror(errno));
    return descriptor;
}

static void become(const struct daemon *daemon, const char *program, pid_t parent)
{
    int log = open(daemon->log, O_WRONLY | O_CREAT | O_APPEND, 0640);
    if (log < 0 || dup2(log, STDERR_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0)
        _exit(127);
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
        _exit(127);
    execl(program, program, "--ledger", daemon->ledger, "--socket", daemon->socket, (char *)NULL);
    fprintf(stderr, "%s: %s\n", program, strerror(errno));
    _exit(127);
}

static void fail_to_start(const struct daemon *daemon, const char *what)
{
    char line[TEXT] = "", last[TEXT] = "";
    FILE *log = fopen(daemon->log, "re");
    while (log != NULL && fgets(line, sizeof line, log) != NULL)
        memcpy(last, line, sizeof last);
    bench_fail("the daemon %s; the last line of its log: %s", what, last);
}

static void wait_until_ready(const struct daemon *daemon, int64_t begun)
{
    static const char ping[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server.ping\"}\n";
    char reply[TEXT];
    int descriptor;
    while ((descriptor = try_connect(daemon->socket)) < 0) {
        int status;
        if (waitpid(daemon->pid, &status, WNOHANG) == daemon->pid)
            fail_to_start(daemon, "ended before it was ready");
        if (nanoseconds() - begun > INT64_C(1000000000) * START_SECONDS_MOST)
            fail_to_start(daemon, "is not ready in two minutes");
        nanosleep(&(struct timespec){.tv_nsec = POLL_NANOSECONDS}, NULL);
    }
    if (write(descriptor, ping, sizeof ping - 1) != (ssize_t)sizeof ping - 1 ||
        read(descriptor, reply, sizeof reply) <= 0)
        fail_to_start(daemon, "does not answer");
    close(descriptor);
}

double daemon_start(struct daemon *daemon, const char *program)
{
    pid_t parent = getpid();
    int64_t begun = nanoseconds();
    daemon->pid = fork();
    if (daemon->pid < 0)
        bench_fail("no process for the daemon: %s", strerror(errno));
    if (daemon->pid == 0)
        become(daemon, program, parent);
    wait_until_ready(daemon, begun);
    return (double)(nanoseconds() - begun) / 1e9;
}

void daemon_stop(struct daemon *daemon)
{
    int status = 0;
    if (kill(daemon->pid, SIGTERM) != 0 || waitpid(daemon->pid, &status, 0) != daemon->pid)
        bench_fail("the daemon can't be stopped: %s", strerror(errno));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_to_start(daemon, "did not end well");
    daemon->pid = 0;
}

// ---- What it uses

// Adds up the numbers after a name in a status file of /proc.
static int64_t status_number(const char *path, const char *name)
{
    char line[TEXT];
    size_t length = strlen(name);
    FILE *status = fopen(path, "re");
    if (status == NULL)
        return -1; // a thread that has just ended
    int64_t number = -1;
    while (number < 0 && fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, name, length) == 0 && line[length] == ':')
            number = strtoll(line + length + 1, NULL, 10);
    fclose(status);
    return number;
}

int64_t daemon_resident_bytes(const struct daemon *daemon)
{
    char path[TEXT];
    snprintf(path, sizeof path, "/proc/%d/status", (int)daemon->pid);
    int64_t kibibytes = status_number(path, "VmRSS");
    if (kibibytes < 0)
        bench_fail("%s has no VmRSS", path);
    return kibibytes * 1024;
}

int64_t daemon_sleeps(const struct daemon *daemon)
{
    char folder[TEXT];
    int64_t sum = 0;
    snprintf(folder, sizeof folder, "/proc/%d/task", (int)daemon->pid);
    DIR *threads = opendir(folder);
    if (threads == NULL)
        bench_fail("%s: %s", folder, strerror(errno));
    for (struct dirent *thread = readdir(threads); thread != NULL; thread = readdir(threads)) {
        char path[PATH_MAX];
        if (thread->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s/status", folder, thread->d_name);
        int64_t sleeps = status_number(path, "voluntary_ctxt_switches");
        sum += sleeps > 0 ? sleeps : 0;
    }
    closedir(threads);
    return sum;
}

double daemon_processor_seconds(const struct daemon *daemon)
{
    struct timespec used;
    clockid_t clock;
    if (clock_getcpuclockid(daemon->pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        bench_fail("the daemon's processor time can't be read");
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

int64_t daemon_wal_bytes(const struct daemon *daemon)
{
    char path[PATH_MAX + 8];
    struct stat file;
    snprintf(path, sizeof path, "%s-wal", daemon->ledger);
    if (stat(path, &file) != 0)
        bench_fail("%s: %s", path, strerror(errno));
    return file.st_size;
}
