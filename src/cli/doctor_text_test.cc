#include "cli/doctor_text.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace slipway::cli {
namespace {

using gpu::Severity;

plan::Diagnosis diagnosis() {
  plan::Diagnosis found;
  gpu::GpuState one;
  one.gpu = {"NVIDIA \x1b[2JH200\xff", "GPU-1", 3, 9, 0, 141ULL << 30};
  one.persistence = true;
  gpu::GpuState lost;
  lost.index = 1;
  lost.status = 15;
  lost.status_words = "GPU is lost";
  found.driver.gpus = {one, lost};
  found.driver.library_found = true;
  found.driver.host.driver_version = "570.86.15";
  found.machine.cgroups = run::CgroupLayout::V2;
  found.findings = {
      {"gpu", "gpu", Severity::Ok, "0: NVIDIA \x1b[2JH200", "", ""},
      {"gpu-lost", "gpu", Severity::Broken, "GPU 1 is lost", "programs on it hang",
       "sudo reboot\nsudo shutdown now"},
      {"memory-low", "system", Severity::Warning, "little memory", "", ""},
  };
  return found;
}

TEST_CASE("the table") {
  CHECK(doctor_table(diagnosis(), Colour::No, 100) ==
        "gpu        ok       0: NVIDIA ?[2JH200\n"
        "           broken   GPU 1 is lost\n"
        "                    shows: programs on it hang\n"
        "                    mend: sudo reboot\n"
        "                          sudo shutdown now\n"
        "system     warning  little memory\n"
        "\n"
        "1 thing is broken, 1 warning\n");
  CHECK(doctor_table(diagnosis(), Colour::Yes, 100)
            .find("\x1b[1;31mbroken   \x1b[0mGPU 1 is lost\n") != std::string::npos);
}

TEST_CASE("text is wrapped, commands are not") {
  plan::Diagnosis found;
  found.findings = {{"x", "gpu", Severity::Note, "one two three four five six", "seven eight nine",
                     "a command that is longer than the terminal is wide"}};
  CHECK(doctor_table(found, Colour::No, 36) ==
        "gpu        note     one two three\n"
        "                    four five six\n"
        "                    shows: seven\n"
        "                           eight\n"
        "                           nine\n"
        "                    mend: a command that is longer than the terminal is wide\n"
        "\n"
        "ready: images run here, on the CPU\n");
}

TEST_CASE("the last sentence") {
  plan::Diagnosis found = diagnosis();
  found.findings.clear();
  CHECK(doctor_summary(found) == "ready: images run here, on the GPU");
  found.driver.gpus.clear();
  found.findings = {{"a", "gpu", Severity::Warning, "", "", ""},
                    {"b", "gpu", Severity::Warning, "", "", ""},
                    {"c", "gpu", Severity::Note, "", "", ""}};
  CHECK(doctor_summary(found) == "ready: images run here, on the CPU, 2 warnings");
  found.findings.push_back({"d", "gpu", Severity::Broken, "", "", ""});
  found.findings.push_back({"e", "gpu", Severity::Broken, "", "", ""});
  CHECK(doctor_summary(found) == "2 things are broken, 2 warnings");
}

TEST_CASE("the object") {
  const auto json = nlohmann::json::parse(doctor_json(diagnosis()));
  CHECK(json["schema"] == 1);
  CHECK(json["verdict"] == "broken");
  CHECK(json["driver"]["version"] == "570.86.15");
  CHECK(json["driver"]["module_version"].is_null());
  CHECK(json["driver"]["cuda_status"].is_null());
  CHECK(json["gpus"].size() == 2);
  CHECK(json["gpus"][0]["compute_capability"] == "9.0");
  CHECK(json["gpus"][0]["minor"] == 3);
  CHECK(json["gpus"][0]["persistence"] == true);
  CHECK(json["gpus"][0]["mig"].is_null());
  CHECK(json["gpus"][1]["error"] == "GPU is lost");
  CHECK(json["host"]["cgroups"] == "v2");
  CHECK(json["findings"][1]["severity"] == "broken");
  CHECK(json["findings"][1]["remedy"] == "sudo reboot\nsudo shutdown now");
  CHECK(json["findings"][2]["remedy"].is_null());
  CHECK(nlohmann::json::parse(doctor_json({}))["driver"].is_null());
}

}  // namespace
}  // namespace slipway::cli
