// Starts one kind of sandbox N times, from a small process as a supervisor's spawn would be, and prints the
// microseconds of each start-to-exit. Usage: driver N DIRECTORY COMMAND…
//   COMMAND "shim" PATH: replays DIRECTORY/options and DIRECTORY/filter on the shim at PATH
//   COMMAND "floor" PATH WORD…: executes the floor at PATH
//   COMMAND "grouped" WORD…: executes the words
// These in control groups of their own, which are made, joined and removed within the time: one for each line of
// DIRECTORY/groups, with the limits there but for the floor.
//   else: executes the command (descriptor 9 is DIRECTORY/filter, for bwrap --seccomp)
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static pid_t spawn(const char *path, char **argv, char **env, const int *descriptors, int count) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    int copies[32];
    for (int i = 0; i < count; i++) {
        copies[i] = fcntl(descriptors[i], F_DUPFD_CLOEXEC, 64);
        posix_spawn_file_actions_adddup2(&actions, copies[i], i);
    }
    pid_t pid;
    if ((errno = posix_spawnp(&pid, path, &actions, NULL, argv, env)) != 0) die(path);
    posix_spawn_file_actions_destroy(&actions);
    for (int i = 0; i < count; i++) close(copies[i]);
    return pid;
}

enum { MAX_GROUPS = 8 };
static struct group {
    char *base, *settings;  // tab-separated FILE=VALUE
    int is_unified, open;
    char path[4096];
} groups[MAX_GROUPS];
static int group_count;

static void read_groups(const char *directory) {
    char path[4096], line[4096];
    snprintf(path, sizeof path, "%s/groups", directory);
    FILE *file = fopen(path, "re");
    if (file == NULL) die(path);
    while (group_count < MAX_GROUPS && fgets(line, sizeof line, file) != NULL) {
        struct group *group = &groups[group_count++];
        line[strcspn(line, "\n")] = '\0';
        char *rest = line;
        group->is_unified = strcmp(strsep(&rest, "\t"), "v2") == 0;
        group->base = strdup(strsep(&rest, "\t"));
        group->settings = strdup(rest == NULL ? "" : rest);
    }
    fclose(file);
}

static void make_groups(int number, int limited) {
    for (int i = 0; i < group_count; i++) {
        struct group *group = &groups[i];
        char path[8192], *copy = strdup(group->settings), *rest = copy, *setting;
        snprintf(group->path, sizeof group->path, "%s/bench-%d-%d", group->base, (int)getpid(), number);
        if (mkdir(group->path, 0755) != 0) die(group->path);
        while (limited && (setting = strsep(&rest, "\t")) != NULL && *setting != '\0') {
            char *file = strsep(&setting, "=");
            snprintf(path, sizeof path, "%s/%s", group->path, file);
            int out = open(path, O_WRONLY | O_CLOEXEC);
            if (out < 0 || write(out, setting, strlen(setting)) < 0) die(path);
            close(out);
        }
        free(copy);
        snprintf(path, sizeof path, "%s%s", group->path, group->is_unified ? "" : "/cgroup.procs");
        group->open = open(path, (group->is_unified ? O_RDONLY | O_DIRECTORY : O_WRONLY) | O_CLOEXEC);
        if (group->open < 0) die(path);
    }
}

static void remove_groups(void) {
    for (int i = 0; i < group_count; i++) {
        close(groups[i].open);
        for (int turn = 0; rmdir(groups[i].path) != 0; turn++) {
            if (errno != EBUSY || turn == 2000) die(groups[i].path);
            usleep(500);
        }
    }
}

static void receive(int channel) {
    char space[CMSG_SPACE(sizeof(int))], tag;
    struct iovec data = {&tag, 1};
    for (;;) {
        struct msghdr m = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
        if (recvmsg(channel, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1) return;
        struct cmsghdr *h = CMSG_FIRSTHDR(&m);
        int descriptor;
        if (h == NULL) return;
        memcpy(&descriptor, CMSG_DATA(h), sizeof descriptor);
        close(descriptor);  // after the run: nothing was refused
    }
}

static void run_shim(const char *path, int options, int filter, int null) {
    int status[2], channel[2], lifeline[2], child;
    if (pipe2(status, O_CLOEXEC) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, lifeline)) die("pipes");
    int list[9 + MAX_GROUPS] = {null, null, 2, options, status[1], channel[1], lifeline[1], null, filter};
    for (int i = 0; i < group_count; i++) list[9 + i] = groups[i].open;
    char *argv[] = {"codeforge-sandbox", NULL}, *env[] = {NULL};
    child = spawn(path, argv, env, list, 9 + group_count);
    close(status[1]), close(channel[1]), close(lifeline[1]);
    char text[4096];
    size_t used = 0;
    for (ssize_t n; (n = read(status[0], text + used, sizeof text - 1 - used)) > 0;) used += (size_t)n;
    text[used] = '\0';
    waitpid(child, NULL, 0);
    char *born = strstr(text, "\"pid\":");
    if (born != NULL) waitpid(atoi(born + 6), NULL, 0);
    if (strstr(text, "\"exit\",\"code\":0") == NULL) {
        fprintf(stderr, "%s", text);
        exit(1);
    }
    receive(channel[0]);
    close(status[0]), close(channel[0]), close(lifeline[0]);
}

static void run_command(char **argv, int null, int filter) {
    lseek(filter, 0, SEEK_SET);
    int list[10] = {null, null, 2, null, null, null, null, null, null, filter};
    int status;
    waitpid(spawn(argv[0], argv, environ, list, 10), &status, 0);
    if (status != 0) {
        fprintf(stderr, "%s: status %x\n", argv[0], status);
        exit(1);
    }
}

// As run_command, in the groups: what a supervisor that starts another launcher would have to do.
static void run_grouped(char **argv, int filter) {
    lseek(filter, 0, SEEK_SET);
    int status;
    pid_t pid = vfork();
    if (pid == 0) {
        for (int i = 0; i < group_count; i++) {
            int list = groups[i].is_unified ? openat(groups[i].open, "cgroup.procs", O_WRONLY | O_CLOEXEC) : groups[i].open;
            if (list < 0 || write(list, "0", 1) != 1) _exit(126);
        }
        if (dup2(filter, 9) != 9) _exit(126);
        execvp(argv[0], argv);
        _exit(127);
    }
    if (pid < 0) die("vfork");
    waitpid(pid, &status, 0);
    if (status != 0) {
        fprintf(stderr, "%s: status %x\n", argv[0], status);
        exit(1);
    }
}

// The floor's words: its v2 group or -1, the first v1 group and how many, then what was given.
static void run_floor(char **words, int null) {
    int list[9 + MAX_GROUPS] = {null, null, 2, null, null, null, null, null, null}, status;
    for (int i = 0; i < group_count; i++) list[9 + i] = groups[i].open;
    int has_unified = group_count > 0 && groups[0].is_unified;
    char first[16], count[16], *argv[32] = {words[0], has_unified ? "9" : "-1", first, count};
    snprintf(first, sizeof first, "%d", 9 + has_unified);
    snprintf(count, sizeof count, "%d", group_count - has_unified);
    for (int i = 1; words[i] != NULL && i < 28; i++) argv[3 + i] = words[i];
    waitpid(spawn(words[0], argv, environ, list, 9 + group_count), &status, 0);
    if (status != 0) {
        fprintf(stderr, "%s: status %x\n", words[0], status);
        exit(1);
    }
}

// The list, with the worker's own uid range when there are several: CODEFORGE_BENCH_WORKER is added to the slot.
static int option_list(const char *directory) {
    char path[4096], *text = malloc(1 << 20);
    snprintf(path, sizeof path, "%s/options", directory);
    int file = open(path, O_RDONLY | O_CLOEXEC), memory = memfd_create("options", MFD_CLOEXEC);
    ssize_t size = read(file, text, 1 << 20);
    if (size <= 0) die(path);
    const char *worker = getenv("CODEFORGE_BENCH_WORKER");
    for (ssize_t i = 0; worker != NULL && i + 16 < size; i++) {
        if (memcmp(text + i, "\0range", 7) != 0) continue;
        char number[16];
        snprintf(number, sizeof number, "%lu", strtoul(text + i + 7, NULL, 10) - 65536ul * strtoul(worker, NULL, 10));
        memcpy(text + i + 7, number, strlen(number));  // ten digits before and after
        break;
    }
    if (write(memory, text, (size_t)size) != size) die("memfd");
    free(text);
    return memory;
}

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    int count = atoi(argv[1]), null = open("/dev/null", O_RDWR | O_CLOEXEC), options = option_list(argv[2]);
    char path[4096];
    snprintf(path, sizeof path, "%s/filter", argv[2]);
    int filter = open(path, O_RDONLY | O_CLOEXEC);
    if (filter < 0) die(path);
    int is_shim = strcmp(argv[3], "shim") == 0, is_floor = strcmp(argv[3], "floor") == 0;
    int is_grouped = strcmp(argv[3], "grouped") == 0;
    if (is_shim || is_floor || is_grouped) read_groups(argv[2]);
    for (int i = 0; i < count; i++) {
        double start = now();
        make_groups(i, is_shim || is_grouped);
        if (is_shim) run_shim(argv[4], options, filter, null);
        else if (is_floor) run_floor(argv + 4, null);
        else if (is_grouped) run_grouped(argv + 4, filter);
        else run_command(argv + 3, null, filter);
        remove_groups();
        printf("%.0f\n", now() - start);
    }
    return 0;
}
