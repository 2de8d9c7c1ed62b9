/* What must not reach the bytes of an image, shaken: loaded into Slipway (LD_PRELOAD) and by itself
 * into whatever Slipway starts, also in its sandbox, where it comes along as a memory file.
 *
 *   SHAKE_ORDER=N    readdir(3) gives the names of a folder in another order, by the seed N
 *   SHAKE_SECONDS=N  the clock is N seconds ahead
 *   SHAKE_KERNEL=S   uname(2) says that the kernel has this release */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { own_fd = 200, most_variables = 512 };

static char *own_bytes;
static size_t own_size;
static char variables[3][128];
static unsigned long order_seed;
static long ahead;
static const char *release;

#define real(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void keep(int place, const char *name) {
  const char *value = getenv(name);
  if (value) snprintf(variables[place], sizeof variables[place], "%s=%s", name, value);
}

__attribute__((constructor)) static void start(void) {
  const char *order = getenv("SHAKE_ORDER"), *seconds = getenv("SHAKE_SECONDS");
  order_seed = order ? strtoul(order, 0, 10) : 0;
  ahead = seconds ? strtol(seconds, 0, 10) : 0;
  release = getenv("SHAKE_KERNEL");
  keep(0, "SHAKE_ORDER"), keep(1, "SHAKE_SECONDS"), keep(2, "SHAKE_KERNEL");
  Dl_info info;
  struct stat status;
  if (!dladdr((void *)start, &info)) return;
  int fd = open(info.dli_fname, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &status) != 0) return;
  own_bytes = mmap(0, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  own_size = (size_t)status.st_size;
  close(fd);
}

/* Called between fork and exec: nothing here allocates. */
int execve(const char *path, char *const arguments[], char *const environment[]) {
  int (*next)(const char *, char *const *, char *const *) = real(execve);
  char *changed[most_variables + 8];
  size_t count = 0;
  for (; environment[count] && count < most_variables; ++count) {
    if (strncmp(environment[count], "LD_PRELOAD=", 11) == 0) return next(path, arguments, environment);
    changed[count] = environment[count];
  }
  int fd = memfd_create("shake", 0);
  if (fd < 0 || write(fd, own_bytes, own_size) != (ssize_t)own_size || dup2(fd, own_fd) < 0)
    return next(path, arguments, environment);
  close(fd);
  changed[count++] = "LD_PRELOAD=/proc/self/fd/200";
  for (int i = 0; i < 3; ++i)
    if (variables[i][0]) changed[count++] = variables[i];
  changed[count] = 0;
  return next(path, arguments, changed);
}

/* Folders that are being read: their names, in the order in which they are told. */
struct reading {
  DIR *stream;
  struct dirent **names;
  size_t count, next;
  struct reading *following;
};
static struct reading *readings;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static unsigned long random_next(unsigned long *state) {
  *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
  return *state;
}

static struct reading *read_all(DIR *stream) {
  struct dirent *(*next)(DIR *) = real(readdir);
  struct reading *all = calloc(1, sizeof *all);
  all->stream = stream;
  for (struct dirent *entry; (entry = next(stream));) {
    all->names = realloc(all->names, (all->count + 1) * sizeof *all->names);
    all->names[all->count] = malloc(sizeof(struct dirent));
    memcpy(all->names[all->count++], entry, entry->d_reclen);
  }
  unsigned long state = order_seed * 0x9e3779b97f4a7c15UL + all->count + 1;
  for (size_t i = all->count; i > 1; --i) {
    size_t other = random_next(&state) % i;
    struct dirent *name = all->names[i - 1];
    all->names[i - 1] = all->names[other];
    all->names[other] = name;
  }
  return all;
}

static void forget(DIR *stream) {
  pthread_mutex_lock(&mutex);
  for (struct reading **at = &readings; *at; at = &(*at)->following) {
    struct reading *found = *at;
    if (found->stream != stream) continue;
    *at = found->following;
    for (size_t i = 0; i < found->count; ++i) free(found->names[i]);
    free(found->names);
    free(found);
    break;
  }
  pthread_mutex_unlock(&mutex);
}

struct dirent *readdir(DIR *stream) {
  if (order_seed == 0) return real(readdir)(stream);
  pthread_mutex_lock(&mutex);
  struct reading *at = readings;
  while (at && at->stream != stream) at = at->following;
  if (!at) {
    at = read_all(stream);
    at->following = readings;
    readings = at;
  }
  struct dirent *entry = at->next < at->count ? at->names[at->next++] : 0;
  pthread_mutex_unlock(&mutex);
  return entry;
}
struct dirent64 *readdir64(DIR *stream) { return (struct dirent64 *)readdir(stream); }

int closedir(DIR *stream) {
  forget(stream);
  return real(closedir)(stream);
}
void rewinddir(DIR *stream) {
  forget(stream);
  real(rewinddir)(stream);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = real(clock_gettime)(clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += ahead;
  return result;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  int result = real(gettimeofday)(now, zone);
  if (result == 0) now->tv_sec += ahead;
  return result;
}
time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}

int uname(struct utsname *system) {
  int result = real(uname)(system);
  if (result == 0 && release) snprintf(system->release, sizeof system->release, "%s", release);
  return result;
}
