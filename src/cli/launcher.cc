// Starts a program of a folder that `make dist` made: with the libraries and the dynamic loader of
// that folder, whatever C library this machine has. Linked statically, with nothing of Slipway's:
// base/own_program.h has the layout. Takes its name, and so what it starts, from its own file.
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <initializer_list>

namespace {

[[noreturn]] void fail(const char* what, const char* path, const char* why) {
  (void)fprintf(stderr, "error: %s `%s`: %s\n", what, path, why);
  _exit(125);
}

char* cut_name(char* path) {
  char* const slash = strrchr(path, '/');
  if (slash == nullptr) fail("no folder around", path, "this file must stay in `bin`");
  *slash = '\0';
  return slash + 1;
}

}  // namespace

int main(int argc, char** argv) {
  static char own[PATH_MAX], folder[PATH_MAX];
  static char loader[PATH_MAX + 16], libraries[PATH_MAX + 16], program[PATH_MAX + 16];
  const ssize_t size = readlink("/proc/self/exe", own, sizeof own - 1);
  if (size <= 0) fail("cannot read", "/proc/self/exe", strerror(errno));
  memcpy(folder, own, sizeof own);
  const char* const name = cut_name(folder);
  (void)cut_name(folder);
  // The loader's own signs in a list of folders, for which it has no escape.
  if (strpbrk(folder, ":;$") != nullptr) fail("cannot work in", folder, "a `:`, `;` or `$` in it");
  (void)snprintf(loader, sizeof loader, "%s/loader/%s", folder, name);
  (void)snprintf(libraries, sizeof libraries, "%s/lib", folder);
  (void)snprintf(program, sizeof program, "%s/libexec/%s", folder, name);

  char** const arguments =
      static_cast<char**>(calloc(static_cast<size_t>(argc) + 8, sizeof(char*)));
  if (arguments == nullptr) fail("cannot start", program, strerror(errno));
  char** next = arguments;
  char by_name[] = "--argv0", search[] = "--library-path";
  for (char* word : {loader, by_name, own, search, libraries, program}) *next++ = word;
  for (int i = 1; i < argc; ++i) *next++ = argv[i];
  // Made for the machine's own C library: another's cannot be trusted with them.
  unsetenv("LD_PRELOAD");
  unsetenv("LD_AUDIT");
  execv(loader, arguments);
  fail("cannot start", loader, strerror(errno));
}
