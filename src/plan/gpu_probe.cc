#include "plan/gpu_probe.h"

#include <nlohmann/json.hpp>

namespace slipway::plan {
namespace {

using gpu::HostFinding;
using gpu::HostFindings;
using gpu::Severity;
using Json = nlohmann::json;

constexpr std::string_view kAnswer = "slipway-probe ";

constexpr const char* kProgram = R"(
import json, signal
signal.alarm(300)
answer = {"stage": "import", "torch": None, "cuda": None, "code": [], "devices": [], "error": None}

def product(torch, place):
    torch.manual_seed(0)
    a = torch.randint(0, 8, (512, 512)).float()
    b = torch.randint(0, 8, (512, 512)).float()
    return torch.equal(a @ b, (a.to(place) @ b.to(place)).cpu())

def multiply():
    import torch
    answer.update(stage="cpu", torch=torch.__version__, cuda=torch.version.cuda)
    if not product(torch, "cpu"):
        raise RuntimeError("two products on the CPU differ")
    if answer["cuda"] is None:
        return
    answer["stage"] = "init"
    if GPU:
        torch.cuda.init()
        answer["code"] = torch.cuda.get_arch_list()
        answer["stage"] = "gpu"
        for i in range(torch.cuda.device_count()):
            major, minor = torch.cuda.get_device_capability(i)
            one = {"name": torch.cuda.get_device_name(i), "capability": f"{major}.{minor}",
                   "equal": False, "error": None}
            answer["devices"].append(one)
            try:
                one["equal"] = product(torch, f"cuda:{i}")
            except Exception as error:
                one["error"] = str(error)

try:
    multiply()
except ModuleNotFoundError as error:
    answer.update(stage="no-torch" if error.name == "torch" else "import", error=str(error))
except Exception as error:
    answer["error"] = str(error)
print("slipway-probe " + json.dumps(answer), flush=True)
)";

std::string text_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// The first line, for errors that go on for a page.
std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

/// The words behind `error: ` in what `slipway run` said, or its last line.
std::string reason_in(std::string_view said) {
  constexpr std::string_view kError = "error: ";
  std::string last;
  while (!said.empty()) {
    const std::string line = first_line(said);
    said.remove_prefix(std::min(line.size() + 1, said.size()));
    if (line.starts_with(kError)) return line.substr(kError.size());
    if (!line.empty()) last = line;
  }
  return last;
}

Json find_answer(std::string_view output) {
  const std::size_t at = output.rfind(kAnswer);
  if (at == std::string_view::npos) return {};
  const std::string line = first_line(output.substr(at + kAnswer.size()));
  Json answer = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  return answer.is_object() ? answer : Json();
}

HostFinding about(std::string id, Severity severity, std::string message, std::string symptom = "",
                  std::string remedy = "") {
  return {std::move(id),      "image",          severity, std::move(message),
          std::move(symptom), std::move(remedy)};
}

HostFinding judge_silence(const ProcessResult& result, const ProbeSubject& subject) {
  constexpr int kTimedOut = 128 + 14;  // SIGALRM
  if (result.status == 126 || result.status == 127) {
    return about("image-no-python", Severity::Note,
                 fmt::format("`{}` has no Python: nothing was multiplied", subject.image));
  }
  if (result.status == kTimedOut) {
    return about("image-hangs", Severity::Broken,
                 fmt::format("the product in `{}` was not done after five minutes", subject.image),
                 "training hangs", "sudo dmesg | grep -i nvrm | tail");
  }
  const std::string reason = reason_in(result.error_output);
  return about("image-fails", Severity::Broken,
               fmt::format("`{}` does not run: {}", subject.image,
                           reason.empty() ? fmt::format("status {}", result.status) : reason),
               "", fmt::format("slipway run {} -- true", subject.image));
}

HostFinding judge_device(const Json& device, const Json& answer, const ProbeSubject& subject) {
  const std::string name = text_in(device, "name");
  const std::string error = first_line(text_in(device, "error"));
  const std::string torch = "torch " + text_in(answer, "torch");
  const std::string capability = text_in(device, "capability");
  if (error.find("no kernel image") != std::string::npos) {
    std::string digits = capability;
    std::erase(digits, '.');
    return about("image-no-kernel", Severity::Broken,
                 fmt::format("{} in `{}` has no code for {} (compute capability {})", torch,
                             subject.image, name, capability),
                 "`no kernel image is available for execution on the device`",
                 fmt::format("slipway check {} --gpu sm_{}", subject.image, digits));
  }
  if (!error.empty()) {
    return about("image-gpu-fails", Severity::Broken,
                 fmt::format("{} in `{}` fails on {}: {}", torch, subject.image, name, error),
                 "training ends with this error", "");
  }
  const auto equal = device.find("equal");
  if (equal == device.end() || !equal->is_boolean() || !equal->get<bool>()) {
    return about("image-wrong-result", Severity::Broken,
                 fmt::format("a product on {} differs from the CPU's", name),
                 "training diverges, results are not repeatable", "nvidia-smi -q -d ECC");
  }
  return about(
      "image-multiplies", Severity::Ok,
      fmt::format("{} in `{}` multiplies on {} as on the CPU", torch, subject.image, name));
}

HostFindings judge_devices(const Json& answer, const ProbeSubject& subject) {
  HostFindings findings;
  const auto devices = answer.find("devices");
  if (devices != answer.end() && devices->is_array()) {
    for (const Json& device : *devices) {
      if (!device.is_object()) continue;
      HostFinding finding = judge_device(device, answer, subject);
      // Eight equal GPUs are one line.
      if (findings.empty() || findings.back() != finding) findings.push_back(std::move(finding));
    }
  }
  if (findings.empty()) {
    findings.push_back(about(
        "image-no-gpu", Severity::Broken, fmt::format("torch in `{}` sees no GPU", subject.image),
        "`torch.cuda.is_available()` is False",
        fmt::format("slipway run --gpus all {} -- nvidia-smi", subject.image)));
  }
  return findings;
}

}  // namespace

std::vector<std::string> probe_command() {
  // Without NVIDIA's nodes torch.cuda.init() fails: that is no fault of the image.
  return {"python3", "-c",
          std::string("import os\nGPU = os.path.exists('/dev/nvidiactl') or "
                      "os.path.exists('/dev/dxg')\n") +
              kProgram};
}

gpu::HostFindings judge_probe(const ProcessResult& result, const ProbeSubject& subject) {
  const Json answer = find_answer(result.output);
  if (answer.is_null()) return {judge_silence(result, subject)};
  const std::string stage = text_in(answer, "stage");
  const std::string error = first_line(text_in(answer, "error"));
  const std::string torch = "torch " + text_in(answer, "torch");
  if (stage == "no-torch") {
    return {about(
        "image-no-torch", Severity::Note,
        fmt::format("`{}` starts; it has no torch, so nothing was multiplied", subject.image))};
  }
  if (stage == "import" || stage == "cpu") {
    if (!error.empty()) {
      return {about("image-torch-fails", Severity::Broken,
                    fmt::format("torch in `{}` fails without any GPU: {}", subject.image, error),
                    "`import torch` fails",
                    fmt::format("slipway run {} -- python3 -c 'import torch'", subject.image))};
    }
  }
  if (!subject.no_gpu_because.empty()) {
    return {about("image-gpu-skipped", Severity::Note,
                  fmt::format("`{}` starts and {} multiplies on the CPU; not tried on a GPU: {}",
                              subject.image, torch, subject.no_gpu_because))};
  }
  if (text_in(answer, "cuda").empty()) {
    return {about("image-cpu-build", Severity::Broken,
                  fmt::format("{} in `{}` is a build for CPUs only", torch, subject.image),
                  "`torch.cuda.is_available()` is False",
                  fmt::format("slipway why torch  # in the project of {}", subject.image))};
  }
  if (stage == "init" && !error.empty()) {
    return {about("image-cuda-fails", Severity::Broken,
                  fmt::format("{} in `{}` cannot start CUDA: {}", torch, subject.image, error),
                  "`torch.cuda.is_available()` is False", "")};
  }
  return judge_devices(answer, subject);
}

}  // namespace slipway::plan
