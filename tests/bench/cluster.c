#include "cluster.h"

#include "broker.h"
#include "daemon.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// The first version with sockets in the abstract namespace.
enum { VERSION_LEAST = 14 };

enum {
    ARGUMENTS_MAX = 32,
    TEXT = 512,
    FILES_OPEN = 16,
    PROGRAM_MISSING = 127,
    START_SECONDS_MOST = 120,
    POLL_NANOSECONDS = 5000000,
    READY_LINE = 8, // of postmaster.pid
    MEMORY_MOST_MEGABYTES = 1024,
};

static void join(char path[PATH_MAX], const char *folder, const char *name)
{
    if (snprintf(path, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
        bench_fail("%s/%s: the path is too long", folder, name);
}

// ---- Processes

static bool become_user(const struct cluster *cluster)
{
    if (geteuid() == cluster->uid)
        return true;
    return setgroups(1, &cluster->gid) == 0 && setgid(cluster->gid) == 0 && setuid(cluster->uid) == 0;
}

// In the child. Nothing of the environment is passed on: what is in it for PostgreSQL means another server.
// The signal at the parent's death comes last, because a change of the user takes it back.
static void become_program(const struct cluster *cluster, const char *program, const char *const *arguments,
                           int death_signal, pid_t parent)
{
    char path[PATH_MAX], host[CLUSTER_TEXT + 8];
    const char *all[ARGUMENTS_MAX + 2] = {path}; // by which the programs find each other
    char *environment[] = {"LC_ALL=C", "TZ=UTC", "PATH=/usr/bin:/bin", "PGDATABASE=postgres", host, NULL};
    for (int i = 0; arguments[i] != NULL && i < ARGUMENTS_MAX; i++)
        all[i + 1] = arguments[i];
    snprintf(host, sizeof host, "PGHOST=%s", cluster->socket);
    join(path, cluster->programs, program);
    if (become_user(cluster) && chdir(cluster->folder) == 0 && prctl(PR_SET_PDEATHSIG, death_signal) == 0 &&
        getppid() == parent)
        execve(path, (char *const *)all, environment);
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    _exit(PROGRAM_MISSING);
}

static pid_t launch(const struct cluster *cluster, const char *program, const char *const *arguments,
                    int input, int output, int death_signal)
{
    pid_t parent = getpid(), child = fork();
    if (child < 0)
        bench_fail("no process for %s: %s", program, strerror(errno));
    if (child == 0) {
        if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
            dup2(output, STDERR_FILENO) < 0)
            _exit(PROGRAM_MISSING);
        become_program(cluster, program, arguments, death_signal, parent);
    }
    return child;
}

static int wait_for(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) != child)
        if (errno != EINTR)
            bench_fail("a process of PostgreSQL is lost: %s", strerror(errno));
    return status;
}

// False when the program's end is not a good one.
static bool run(const struct cluster *cluster, const char *program, const char *const *arguments,
                const char *input, char *output, size_t size)
{
    int ends[2], in = open(input, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        bench_fail("%s: %s", input, strerror(errno));
    if (pipe2(ends, O_CLOEXEC) != 0)
        bench_fail("no pipe: %s", strerror(errno));
    pid_t child = launch(cluster, program, arguments, in, ends[1], SIGTERM);
    close(in);
    close(ends[1]);
    size_t length = 0;
    ssize_t got;
    while ((got = read(ends[0], output + length, size - length)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            bench_fail("%s: %s", program, strerror(errno));
        length += (size_t)got;
        if (length == size)
            bench_fail("%s writes more than is expected", program);
    }
    output[length] = '\0';
    close(ends[0]);
    return wait_for(child) == 0;
}

void cluster_run(const struct cluster *cluster, const char *program, const char *const *arguments,
                 const char *input, char *output, size_t size)
{
    if (!run(cluster, program, arguments, input, output, size))
        bench_fail("%s did not end well: %s", program, output);
}

// ---- Looking for it

static bool find_user(struct cluster *cluster)
{
    struct passwd *user = getpwuid(geteuid());
    if (geteuid() == 0) {
        user = getpwnam("postgres");
        if (user == NULL)
            user = getpwnam("nobody");
    }
    if (user == NULL || snprintf(cluster->user, CLUSTER_TEXT, "%s", user->pw_name) >= CLUSTER_TEXT) {
        fprintf(stderr, "bench: PostgreSQL is not measured: there is no user as whom it can run\n");
        return false;
    }
    cluster->uid = user->pw_uid;
    cluster->gid = user->pw_gid;
    return true;
}

// The folders above the cluster's may be closed to the user.
static bool reaches_folder(const struct cluster *cluster)
{
    pid_t child = fork();
    if (child < 0)
        bench_fail("no process: %s", strerror(errno));
    if (child == 0)
        _exit(become_user(cluster) && access(cluster->folder, R_OK | W_OK | X_OK) == 0 ? EXIT_SUCCESS
                                                                                       : EXIT_FAILURE);
    return wait_for(child) == 0;
}

// Keeps the folder when it has all the programs and their version is above `major`, and gives that version.
static int try_programs(struct cluster *cluster, const char *folder, int major)
{
    static const char *const needed[] = {"initdb", "postgres", "psql", "pgbench"};
    static const char *const arguments[] = {"--version", NULL};
    struct cluster tried = *cluster;
    char line[TEXT], path[PATH_MAX];
    int found = 0;
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        join(path, folder, needed[i]);
        if (access(path, X_OK) != 0)
            return major;
    }
    snprintf(tried.programs, PATH_MAX, "%s", folder);
    if (!run(&tried, "postgres", arguments, "/dev/null", line, sizeof line) ||
        sscanf(line, "postgres (PostgreSQL) %63s", tried.version) != 1 ||
        sscanf(tried.version, "%d", &found) != 1 || found <= major)
        return major;
    *cluster = tried;
    return found;
}

static bool find_programs(struct cluster *cluster)
{
    int major = VERSION_LEAST - 1;
    const char *path = getenv("PATH");
    glob_t found;
    for (const char *place = path; place != NULL && *place != '\0';) {
        char folder[PATH_MAX];
        size_t length = strcspn(place, ":");
        if (place[0] == '/' && length < PATH_MAX) {
            memcpy(folder, place, length);
            folder[length] = '\0';
            major = try_programs(cluster, folder, major);
        }
        place += length + (place[length] == ':');
    }
    if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            major = try_programs(cluster, found.gl_pathv[i], major);
        globfree(&found);
    }
    if (major < VERSION_LEAST)
        fprintf(stderr,
                "bench: PostgreSQL is not measured: neither PATH nor /usr/lib/postgresql has a folder with "
                "initdb, postgres, psql and pgbench from version %d on\n",
                VERSION_LEAST);
    return major >= VERSION_LEAST;
}

// The folder without the cluster in it.
static void make_folder(const struct cluster *cluster)
{
    folder_make(cluster->folder);
    if (geteuid() != cluster->uid && chown(cluster->folder, cluster->uid, cluster->gid) != 0)
        bench_fail("%s: %s", cluster->folder, strerror(errno));
}

bool cluster_find(struct cluster *cluster, const char *folder)
{
    *cluster = (struct cluster){0};
    if (snprintf(cluster->folder, PATH_MAX, "%s", folder) >= PATH_MAX)
        bench_fail("%s: the path is too long", folder);
    join(cluster->data, folder, "data");
    join(cluster->log, folder, "log");
    snprintf(cluster->socket, CLUSTER_TEXT, "@colossus-bench-%d", (int)getpid());
    if (!find_user(cluster))
        return false;
    cluster_remove(cluster);
    make_folder(cluster);
    bool reached = reaches_folder(cluster), found = reached && find_programs(cluster);
    if (!reached)
        fprintf(stderr,
                "bench: PostgreSQL is not measured: it has to run as the user %s, who can't reach %s; set "
                "BENCH_DIR to a folder that everyone can reach\n",
                cluster->user, folder);
    cluster_remove(cluster);
    return found;
}

// ---- The cluster

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status, (void)type, (void)place;
    return remove(path);
}

void cluster_remove(struct cluster *cluster)
{
    if (nftw(cluster->folder, remove_one, FILES_OPEN, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        bench_fail("%s can't be removed: %s", cluster->folder, strerror(errno));
}

void cluster_make(struct cluster *cluster)
{
    const char *const arguments[] = {"--pgdata",    cluster->data, "--encoding",  "UTF8",         "--locale",
                                     "C",           "--username",  cluster->user, "--auth-local", "peer",
                                     "--auth-host", "reject",      NULL};
    char output[8192];
    cluster_remove(cluster);
    make_folder(cluster);
    cluster_run(cluster, "initdb", arguments, "/dev/null", output, sizeof output);
}

static void fail_with_log(const struct cluster *cluster, const char *what)
{
    char line[TEXT] = "", last[TEXT] = "";
    FILE *log = fopen(cluster->log, "re");
    while (log != NULL && fgets(line, sizeof line, log) != NULL)
        memcpy(last, line, sizeof last);
    bench_fail("%s; the last line of %s: %s", what, cluster->log, last);
}

// The server keeps in postmaster.pid how far it is.
static bool is_ready(const struct cluster *cluster)
{
    char path[PATH_MAX], line[TEXT] = "";
    join(path, cluster->data, "postmaster.pid");
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    int number = 0;
    while (number < READY_LINE && fgets(line, sizeof line, file) != NULL)
        number++;
    fclose(file);
    return number == READY_LINE && strncmp(line, "ready", 5) == 0;
}

static long buffer_megabytes(void)
{
    struct sysinfo memory;
    if (sysinfo(&memory) != 0)
        bench_fail("the memory is unknown: %s", strerror(errno));
    unsigned long long quarter =
        (unsigned long long)memory.totalram * memory.mem_unit / (UINT64_C(4) * 1024 * 1024);
    return quarter < MEMORY_MOST_MEGABYTES ? (long)quarter : MEMORY_MOST_MEGABYTES;
}

void cluster_start(struct cluster *cluster)
{
    char socket[CLUSTER_TEXT + 32], buffers[CLUSTER_TEXT];
    snprintf(socket, sizeof socket, "unix_socket_directories=%s", cluster->socket);
    snprintf(buffers, sizeof buffers, "shared_buffers=%ldMB", buffer_megabytes());
    // Checkpoints come as seldom as one would let them, and files of the WAL are used again.
    const char *const arguments[] = {"-D", cluster->data,
                                     "-c", "listen_addresses=",
                                     "-c", socket,
                                     "-c", buffers,
                                     "-c", "max_connections=120",
                                     "-c", "max_wal_size=8GB",
                                     "-c", "min_wal_size=2GB",
                                     "-c", "checkpoint_timeout=15min",
                                     NULL};
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC), status;
    int log = open(cluster->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (nothing < 0 || log < 0)
        bench_fail("%s: %s", log < 0 ? cluster->log : "/dev/null", strerror(errno));
    int64_t begun = nanoseconds();
    cluster->server = launch(cluster, "postgres", arguments, nothing, log, SIGINT);
    close(nothing);
    close(log);
    while (!is_ready(cluster)) {
        if (waitpid(cluster->server, &status, WNOHANG) == cluster->server)
            fail_with_log(cluster, "PostgreSQL ended before it was ready");
        if (nanoseconds() - begun > INT64_C(1000000000) * START_SECONDS_MOST)
            fail_with_log(cluster, "PostgreSQL is not ready in two minutes");
        nanosleep(&(struct timespec){.tv_nsec = POLL_NANOSECONDS}, NULL);
    }
}

void cluster_stop(struct cluster *cluster)
{
    if (kill(cluster->server, SIGINT) != 0)
        bench_fail("PostgreSQL can't be stopped: %s", strerror(errno));
    int status = wait_for(cluster->server);
    cluster->server = 0;
    if (status != 0)
        fail_with_log(cluster, "PostgreSQL did not end well");
}
