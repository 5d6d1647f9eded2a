/* What a launcher into namespaces can't do without: mount, pid, ipc, uts, cgroup and network namespaces of its own, the
 * root pivoted to, a private /proc, out of the ids, into the program; its status.
 * namespaces ROOT UID PROGRAM; static. NO_NET in the environment leaves the network out; compiled with -DLOOPBACK, the
 * network's loopback is brought up; with -DFILTER="FILE", a compiled filter of system calls is put in force. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char stack[65536];
static char **words;
static struct sock_fprog filter;

static int inside(void *unused) {
    unsigned id = (unsigned)strtoul(words[2], 0, 10);
    (void)unused;
#ifdef LOOPBACK
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int socket_of_it = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket_of_it < 0 || ioctl(socket_of_it, SIOCSIFFLAGS, &loopback) || close(socket_of_it))
        _exit(125);
#endif
    if (mount(0, "/", 0, MS_REC | MS_PRIVATE, 0) || mount(words[1], words[1], 0, MS_BIND | MS_REC, 0) ||
        chdir(words[1]) || mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0) ||
        syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/") ||
        setgroups(0, 0) || setresgid(id, id, id) || setresuid(id, id, id))
        _exit(125);
    if (filter.len &&
        (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter)))
        _exit(125);
    execv(words[3], words + 3);
    _exit(126);
}

int main(int argc, char **argv) {
    int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_VM | CLONE_VFORK;
    int status, pid;
    if (argc < 4)
        return 125;
    if (!getenv("NO_NET"))
        flags |= CLONE_NEWNET;
#ifdef FILTER
    static char bytes[8 * 4096];
    ssize_t length = read(open(FILTER, O_RDONLY | O_CLOEXEC), bytes, sizeof bytes);
    if (length <= 0)
        return 125;
    filter = (struct sock_fprog){length / 8, (struct sock_filter *)bytes};
#endif
    words = argv;
    pid = clone(inside, stack + sizeof stack, flags | SIGCHLD, 0);
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return 125;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
