/* The floor: a tree is read by two threads, or as many as are asked for, and nothing is looked at.
 * Each name is asked for by statx(2) with the fields that an audit needs; directories are opened relative to their
 * parents. Prints how many names there were.
 *
 *   bare DIR [THREADS]
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PIECE = 32 * 1024, MOST = 1 << 20 };
enum { FIELDS = STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_UID | STATX_GID | STATX_INO };
enum { FLAGS = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC };

struct entry {
    unsigned long long ino;
    long long offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

/* Directories that are open and have not been read. */
static int *stack;
static size_t depth;
static size_t busy;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static atomic_ulong names;
static atomic_int idle;

static int fail(const char *what) {
    perror(what);
    exit(1);
}

static void give(int fd) {
    pthread_mutex_lock(&lock);
    if (depth == MOST) fail("too many directories");
    stack[depth++] = fd;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static int take(void) {
    int fd = -1;
    pthread_mutex_lock(&lock);
    busy--;
    atomic_fetch_add(&idle, 1);
    while (depth == 0 && busy > 0) pthread_cond_wait(&changed, &lock);
    if (depth > 0) {
        fd = stack[--depth];
        busy++;
        atomic_fetch_sub(&idle, 1);
    } else {
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

/* Goes down on its own, and gives directories away while somebody is idle. */
static void walk(int fd) {
    char *piece = malloc(PIECE);
    char *below = NULL;
    size_t used = 0, room = 0;
    unsigned long count = 0;
    long got;
    while ((got = syscall(SYS_getdents64, fd, piece, PIECE)) > 0) {
        for (long at = 0; at < got;) {
            struct entry *entry = (struct entry *)(piece + at);
            at += entry->length;
            if (!strcmp(entry->name, ".") || !strcmp(entry->name, "..")) continue;
            count++;
            struct statx found;
            if (syscall(SYS_statx, fd, entry->name, FLAGS, FIELDS, &found)) continue;
            if (!S_ISDIR(found.stx_mode)) continue;
            size_t size = strlen(entry->name) + 1;
            if (used + size > room) below = realloc(below, room = 2 * (used + size));
            memcpy(below + used, entry->name, size);
            used += size;
        }
    }
    free(piece);
    atomic_fetch_add(&names, count);
    for (size_t at = 0; at < used; at += strlen(below + at) + 1) {
        int dir = openat(fd, below + at, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir == -1) continue;
        if (atomic_load_explicit(&idle, memory_order_relaxed) > 0) give(dir);
        else walk(dir);
    }
    free(below);
    close(fd);
}

static void *work(void *unused) {
    int fd;
    while ((fd = take()) != -1) walk(fd);
    return unused;
}

int main(int argc, char **argv) {
    int threads = argc > 2 ? atoi(argv[2]) : 2;
    if (argc < 2 || threads < 1 || threads > 64) {
        fprintf(stderr, "usage: bare DIR [THREADS]\n");
        return 2;
    }
    stack = malloc(MOST * sizeof *stack);
    int fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd == -1) fail(argv[1]);
    busy = (size_t)threads;
    stack[depth++] = fd;
    pthread_t thread[64];
    for (int n = 0; n < threads; n++) pthread_create(&thread[n], NULL, work, NULL);
    for (int n = 0; n < threads; n++) pthread_join(thread[n], NULL);
    printf("%lu\n", atomic_load(&names));
    return 0;
}
