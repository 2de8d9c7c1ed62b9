#include "gpu/cuda_probe.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"

namespace slipway::gpu {
namespace {

constexpr unsigned kSecondsToStart = 60;

struct Answer {
  int status = 0, devices = 0;
  std::array<char, 120> words{};
};

template <typename Function>
Function* find(void* library, const char* name) {
  return reinterpret_cast<Function*>(dlsym(library, name));
}

/// False where the library is none. Its handle is not closed: the process ends.
bool ask(const std::string& path, Answer& answer) {
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return false;
  const auto init = find<int(unsigned)>(library, "cuInit");
  const auto count = find<int(int*)>(library, "cuDeviceGetCount");
  if (init == nullptr || count == nullptr) return false;
  answer.status = init(0);
  if (answer.status == 0) answer.status = count(&answer.devices);
  const auto words = find<int(int, const char**)>(library, "cuGetErrorString");
  const char* text = nullptr;
  if (words != nullptr && words(answer.status, &text) == 0 && text != nullptr)
    std::strncpy(answer.words.data(), text, answer.words.size() - 1);
  return true;
}

}  // namespace

std::optional<CudaProbe> probe_cuda(const std::string& library) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return std::nullopt;
  if (child == 0) {
    // A library that crashes ends this process, in silence.
    for (const int signal : {SIGALRM, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT})
      ::signal(signal, SIG_DFL);
    const rlimit no_core{0, 0};
    (void)::setrlimit(RLIMIT_CORE, &no_core);
    ::alarm(kSecondsToStart);
    // A container does not inherit it either.
    ::unsetenv("CUDA_VISIBLE_DEVICES");
    Answer answer;
    if (!ask(library, answer)) ::_exit(1);
    ::_exit(::write(write_end.get(), &answer, sizeof answer) == sizeof answer ? 0 : 1);
  }
  write_end.reset();
  Answer answer;
  ssize_t size = 0;
  do {
    size = ::read(read_end.get(), &answer, sizeof answer);
  } while (size < 0 && errno == EINTR);
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (size != sizeof answer) return std::nullopt;
  return CudaProbe{answer.status, answer.devices, answer.words.data()};
}

}  // namespace slipway::gpu
