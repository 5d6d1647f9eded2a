/* What a launcher can't do without: into the root, out of the ids, into the program.
 * launch ROOT UID PROGRAM; static. */
#define _GNU_SOURCE
#include <grp.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc < 4)
        return 125;
    unsigned id = (unsigned)strtoul(argv[2], 0, 10);
    if (chdir(argv[1]) || chroot(".") || chdir("/") || setgroups(0, 0) ||
        setresgid(id, id, id) || setresuid(id, id, id))
        return 125;
    execv(argv[3], argv + 3);
    return 126;
}
