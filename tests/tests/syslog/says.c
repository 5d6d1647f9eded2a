/* Logs each line of standard input by syslog(3), over one connection, and says so on standard output. With the
 * argument `count`, what it logs is so many messages of a kilobyte, numbered. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

int main(int argc, char **argv)
{
	static char line[2000], filling[1025];

	setvbuf(stdout, NULL, _IOLBF, 0);
	memset(filling, 'x', sizeof filling - 1);
	openlog("says", argc > 1 ? LOG_NDELAY : 0, LOG_DAEMON);
	while (fgets(line, sizeof line, stdin)) {
		int count = atoi(line);

		line[strcspn(line, "\n")] = 0;
		if (count == 0)
			syslog(LOG_INFO, "%s", line);
		for (int i = 0; i < count; i++)
			syslog(LOG_INFO, "%d %s", i, filling);
		printf("said %s\n", line);
	}
	return 0;
}
