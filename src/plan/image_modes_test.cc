#include "plan/image_modes.h"

#include <doctest/doctest.h>

namespace slipway::plan {
namespace {

spec::Lock lock_with(const std::string& package) {
  spec::Lock lock;
  lock.wheels.emplace_back();
  lock.wheels.back().name = package;
  return lock;
}

TEST_CASE("what a run without a command starts") {
  struct Case {
    const char* package;
    const char* wanted;  ///< image.default
    std::map<std::string, spec::Mode> modes;
    const char* mode;  ///< empty: refused
    const char* hint;
  };
  const spec::Mode train{{"python", "train.py"}};
  for (const Case& c : {
           Case{"numpy", "", {}, "shell", ""},
           Case{"jupyterlab", "", {}, "notebook", ""},
           Case{"jupyterlab-server", "", {}, "shell", ""},
           Case{"jupyterlab", "shell", {}, "shell", ""},
           Case{"numpy", "train", {{"train", train}}, "train", ""},
           Case{"numpy", "", {{"train", train}}, "shell", ""},
           Case{"numpy", "", {{"notebook", train}}, "notebook", ""},
           Case{"numpy", "notebook", {}, "", "add `jupyterlab` to [python] packages"},
           Case{"numpy", "trian", {{"train", train}}, "", "did you mean `train`?"},
           Case{"numpy", "serve", {{"train", train}}, "", "there are `shell`, `train`"},
       }) {
    CAPTURE(c.wanted);
    spec::Project project;
    project.image.default_mode = c.wanted;
    project.modes = c.modes;
    const auto mode = default_mode(project, lock_with(c.package));
    CHECK((mode.ok() ? *mode : "") == c.mode);
    if (!mode.ok()) CHECK(mode.error().hints.back() == c.hint);
  }
}

TEST_CASE("a mode of slipway.toml takes the place of a built-in one") {
  spec::Project project;
  const spec::Lock lock = lock_with("jupyterlab");
  CHECK(image_modes(project, lock).at("notebook") == notebook_command());
  CHECK(image_modes(project, lock).at("shell") == Command{"bash"});
  project.modes["notebook"].command = {"jupyter", "notebook"};
  CHECK(image_modes(project, lock).at("notebook") == Command{"jupyter", "notebook"});
}

}  // namespace
}  // namespace slipway::plan
