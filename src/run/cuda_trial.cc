#include "run/cuda_trial.h"

#include <charconv>

#include "base/error.h"

namespace slipway::run {
namespace {

constexpr std::string_view kAnswer = "slipway-cuda ";
constexpr int kNotFound = 127;

// The older target is for GPUs that a newer one cannot reach, the newer for drivers that have
// dropped the older.
constexpr const char* kProgram = R"py(
import ctypes, signal, sys

signal.alarm(120)
KERNEL = b'''.version %s
.target %s
.address_size 64
.visible .entry next_number(.param .u64 place, .param .u32 number)
{
  .reg .b32 %%r<3>;
  .reg .b64 %%d<3>;
  ld.param.u64 %%d1, [place];
  ld.param.u32 %%r1, [number];
  cvta.to.global.u64 %%d2, %%d1;
  add.u32 %%r2, %%r1, 1;
  st.global.u32 [%%d2], %%r2;
  ret;
}
'''

def end(text):
    print("slipway-cuda " + text, flush=True)
    sys.exit(0)

try:
    cuda = ctypes.CDLL("libcuda.so.1")
except OSError as error:
    end(f"failed: {error}")

def call(name, *arguments):
    status = getattr(cuda, name)(*arguments)
    if status != 0:
        words = ctypes.c_char_p()
        known = cuda.cuGetErrorString(status, ctypes.byref(words)) == 0 and words.value
        end(f"failed: {name}: {words.value.decode() if known else 'error'} ({status})")

def load(module):
    for version, target in ((b"6.0", b"sm_50"), (b"8.0", b"sm_75")):
        if cuda.cuModuleLoadData(ctypes.byref(module), KERNEL % (version, target)) == 0:
            return
    call("cuModuleLoadData", ctypes.byref(module), KERNEL % (version, target))

call("cuInit", 0)
count = ctypes.c_int()
call("cuDeviceGetCount", ctypes.byref(count))
for index in range(count.value):
    device, context, module, function = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    place, number, answer = ctypes.c_uint64(), ctypes.c_uint32(41 + index), ctypes.c_uint32()
    call("cuDeviceGet", ctypes.byref(device), index)
    call("cuCtxCreate_v2", ctypes.byref(context), 0, device)
    load(module)
    call("cuModuleGetFunction", ctypes.byref(function), module, b"next_number")
    call("cuMemAlloc_v2", ctypes.byref(place), ctypes.c_size_t(4))
    given = (ctypes.c_void_p * 2)(*(ctypes.cast(ctypes.byref(one), ctypes.c_void_p) for one in (place, number)))
    call("cuLaunchKernel", function, 1, 1, 1, 1, 1, 1, 0, None, given, None)
    call("cuCtxSynchronize")
    call("cuMemcpyDtoH_v2", ctypes.byref(answer), place, ctypes.c_size_t(4))
    call("cuCtxDestroy_v2", context)
    if answer.value != number.value + 1:
        end(f"failed: GPU {index} computed {answer.value} instead of {number.value + 1}")
end(f"ok {count.value}")
)py";

std::string last_line(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return std::string(text.substr(text.rfind('\n') + 1));
}

}  // namespace

std::vector<std::string> cuda_trial_command() { return {"python3", "-I", "-c", kProgram}; }

CudaTrial judge_cuda_trial(int status, std::string_view output) {
  CudaTrial test;
  const std::string line = last_line(output);
  std::string_view answer = line;
  if (!answer.starts_with(kAnswer)) {
    test.could_run = status != kNotFound;
    test.trouble = fmt::format("the test of CUDA ended with status {}{}{}", status,
                               line.empty() ? "" : ": ", line);
    return test;
  }
  answer.remove_prefix(kAnswer.size());
  if (answer.starts_with("ok ")) {
    answer.remove_prefix(3);
    (void)std::from_chars(answer.data(), answer.data() + answer.size(), test.devices);
    if (test.devices == 0) test.trouble = "CUDA starts, and sees no GPU";
    return test;
  }
  constexpr std::string_view kFailed = "failed: ";
  if (answer.starts_with(kFailed)) answer.remove_prefix(kFailed.size());
  test.trouble = answer;
  return test;
}

}  // namespace slipway::run
