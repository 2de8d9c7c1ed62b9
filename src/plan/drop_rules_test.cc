#include "plan/drop_rules.h"

#include <doctest/doctest.h>

#include <string>

namespace slipway::plan {
namespace {

TEST_CASE("which rule takes which file") {
  struct Case {
    std::string path, rule;
  };
  const Case cases[] = {
      {"torch/include/ATen/ATen.h", "headers"},
      {"nvidia/cuda_runtime/include/cuda_fp16.hpp", "headers"},
      {"torch/include/ATen/cuda/Atomic.cuh", "headers"},
      {"../../../include/site/python3.11/greenlet/greenlet.h", "headers"},
      {"nvidia/cuda_runtime/lib/libcudart_static.a", "static"},
      {"pandas/tests/frame/test_api.py", "tests"},
      {"pandas/tests/io/data/one.csv", "tests"},
      {"sympy/core/tests/test_arit.py", "tests"},
      {"numpy/conftest.py", ""},
      {"numpy/_core/tests/conftest.py", "tests"},
      // What somebody imports.
      {"astropy/tests/runner.py", ""},
      {"django/test/client.py", ""},
      {"numpy/_core/_multiarray_tests.cpython-311-x86_64-linux-gnu.so", ""},
      {"scipy/special/tests/_helper.cpython-311-x86_64-linux-gnu.so", ""},
      {"torch/testing/_internal/common_utils.py", ""},
      {"tests/test_x.py", ""},
      {"x/tests/LICENSE", ""},
      {"x/tests/__pycache__/test_a.cpython-311.pyc", ""},
      {"torch/lib/libtorch_cuda.so", ""},
      {"torch/share/cmake/Torch/TorchConfig.cmake", ""},
      {"x-1.0.dist-info/tests/data", ""},
      {"a.h", "headers"},
      {"", ""},
  };
  for (const Case& one : cases) {
    CAPTURE(one.path);
    std::string taken;
    for (const DropRule& rule : drop_rules()) {
      if (rule.matches(one.path)) taken += rule.name;
    }
    CHECK(taken == one.rule);
  }
  CHECK(find_drop_rule("static").value()->name == "static");
  CHECK(find_drop_rule("header").error().hints[0].find("headers") != std::string::npos);
}

}  // namespace
}  // namespace slipway::plan
