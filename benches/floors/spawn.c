/* The system calls of isol's child, by nothing but C: clone(CLONE_VM | CLONE_VFORK | CLONE_FILES), then
 * the same calls in the same order, up to execve. As benches/src/spawn.rs has isol do it.
 * spawn ROOT UID PROGRAM ROUNDS GIBIBYTES DESCRIPTORS [FILTER]; prints the nanoseconds of each.
 * FILTER is a compiled filter of system calls: isol's own. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int root;
static unsigned id;
static struct sock_fprog filter;
static char *program, *arguments[2], *environment[1];

struct action {
    void (*handler)(int);
    unsigned long rest[3];
};

#define MUST(call)    \
    do {              \
        if ((call))   \
            return 1; \
    } while (0)

static const int refused[] = {SYS_keyctl, SYS_request_key, SYS_bpf, SYS_perf_event_open};

static int child(void *unused) {
    struct action dfl = {0}, old;
    unsigned long none = 0, mask;
    struct itimerval stopped = {0}, timer;
    struct rlimit core = {0, 0}, limit;
    struct stat stat;
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct caps[2] = {0};
    unsigned char cpus[128];
    char here[4096];
    gid_t groups[2];
    unsigned r, e, s;
    fd_set beyond = {0};
    struct timespec now = {0, 0};
    int number, capability, i, j;
    (void)unused;
    for (i = 1; i <= 64; i++)
        if (i != SIGKILL && i != SIGSTOP)
            MUST(syscall(SYS_rt_sigaction, i, &dfl, 0, 8));
    MUST(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, &mask, 8));
    for (i = 0; i < 3; i++)
        MUST(setitimer(i, &stopped, 0));
    umask(022);
    syscall(SYS_sched_setscheduler, 0, 0, &(int){0});
    syscall(SYS_ioprio_set, 1, 0, 0);
    memset(cpus, 0xff, sizeof cpus);
    syscall(SYS_sched_setaffinity, 0, sizeof cpus, cpus);
    MUST(setpriority(PRIO_PROCESS, 0, 0));
    personality(0);
    MUST(setrlimit(RLIMIT_CORE, &core));
    setsid();
    syscall(SYS_keyctl, 1, 0);
    MUST(fchdir(root));
    MUST(fstatat(AT_FDCWD, ".", &stat, 0));
    MUST(syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_UNSHARE));
    MUST(syscall(SYS_close_range, 3, 0x7fffffff, 0));
    MUST(chroot("."));
    MUST(chdir("/"));
    MUST(chdir("/"));
    for (capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; capability++) {
    }
    prctl(PR_GET_SECUREBITS);
    MUST(prctl(PR_SET_SECUREBITS, 0xeb, 0, 0, 0));
    MUST(syscall(SYS_setgroups, 0, groups));
    MUST(syscall(SYS_setresgid, id, id, id));
    MUST(syscall(SYS_setresuid, id, id, id));
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    MUST(syscall(SYS_capset, &header, caps));
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    MUST(prctl(PR_SET_PDEATHSIG, 0));
    if (filter.len)
        MUST(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter));
    /* Read back. */
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, 0, &mask, 8);
    MUST(mask);
    for (i = 1; i <= 64; i++)
        if (i != SIGKILL && i != SIGSTOP) {
            MUST(syscall(SYS_rt_sigaction, i, 0, &old, 8));
            MUST(old.handler == SIG_IGN);
        }
    for (i = 0; i < 3; i++)
        MUST(getitimer(i, &timer));
    umask(umask(0));
    getpriority(PRIO_PROCESS, 0);
    sched_getscheduler(0);
    personality(0xffffffff);
    MUST(getrlimit(RLIMIT_CORE, &limit));
    for (i = 0; i < 3; i++)
        ioctl(i, TIOCGSID, &number);
    MUST(fstatat(AT_FDCWD, "/", &stat, 0));
    for (i = 0; i < 3; i++)
        MUST(fcntl(i, F_GETFD) == -1);
    for (i = 3; i < 64; i++)
        MUST(fcntl(i, F_GETFD) != -1);
    /* The table ends there. */
    FD_SET(64, &beyond);
    MUST(pselect(65, &beyond, 0, 0, &now, 0) != 0 || fcntl(64, F_GETFD) != -1);
    MUST(fstatat(AT_FDCWD, "/", &stat, 0));
    MUST(fstatat(AT_FDCWD, "/..", &stat, 0));
    MUST(syscall(SYS_getcwd, here, sizeof here) < 0);
    for (capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 0; capability++) {
    }
    prctl(PR_GET_SECUREBITS);
    MUST(getgroups(2, groups));
    for (j = 0; j < 2; j++) {
        int get = j ? SYS_getresuid : SYS_getresgid, set = j ? SYS_setresuid : SYS_setresgid;
        MUST(syscall(get, &r, &e, &s));
        MUST(syscall(set, 0, -1, -1) != -1);
        MUST(syscall(set, -1, 0, -1) != -1);
        MUST(syscall(set, -1, -1, 0) != -1);
        MUST(syscall(get, &r, &e, &s));
        MUST(r != id || e != id || s != id);
    }
    MUST(syscall(SYS_capget, &header, caps));
    MUST(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1);
    MUST(prctl(PR_GET_PDEATHSIG, &number));
    if (filter.len) {
        MUST(prctl(PR_GET_SECCOMP) != SECCOMP_MODE_FILTER);
        /* What it refuses, with arguments that make no sense. */
        MUST(syscall(SYS_clone3, 0, 0) == 0 || errno != ENOSYS);
        for (j = 0; j < 4; j++)
            MUST(syscall(refused[j], 0, 0, 0, 0, 0, 0) == 0 || errno != EPERM);
        MUST(syscall(SYS_io_uring_setup, 0, 0) == 0 || errno != EPERM);
        MUST(socket(AF_VSOCK, 0, 0) != -1 || errno != EPERM);
    }
    execve(program, arguments, environment);
    return 126;
}

static long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc < 7)
        return 125;
    root = open(argv[1], O_DIRECTORY | O_CLOEXEC);
    id = (unsigned)strtoul(argv[2], 0, 10);
    program = arguments[0] = argv[3];
    int rounds = atoi(argv[4]), descriptors = atoi(argv[6]), i;
    size_t memory = strtoul(argv[5], 0, 10) << 30;
    if (argc > 7) {
        static char bytes[8 * 4096];
        ssize_t length = read(open(argv[7], O_RDONLY | O_CLOEXEC), bytes, sizeof bytes);
        if (length <= 0)
            return 125;
        filter = (struct sock_fprog){length / 8, (struct sock_filter *)bytes};
    }
    if (memory) {
        char *touched = mmap(0, memory, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (touched == MAP_FAILED)
            return 125;
        for (size_t at = 0; at < memory; at += 4096)
            touched[at] = 1;
    }
    while (descriptors-- > 10)
        if (dup(0) == -1)
            return 125;
    /* As spawn.rs does. */
    long begun = now();
    if (argc > 8)
        while (now() - begun < 300000000L) {
        }
    else
        usleep(300000);
    char *stack = mmap(0, 1 << 18, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long *taken = malloc(rounds * sizeof *taken);
    unsigned long all = ~0UL, mask;
    for (i = -10; i < rounds; i++) {
        int status;
        long start = now();
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &mask, 8);
        pid_t pid = clone(child, stack + (1 << 18), CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, 0);
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, 8);
        long started = now();
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
            fprintf(stderr, "pid %d, status %x: %s\n", pid, status, strerror(errno));
            return 1;
        }
        if (i >= 0)
            taken[i] = started - start;
    }
    for (i = 0; i < rounds; i++)
        printf("%ld\n", taken[i]);
    return 0;
}
