#include "plan/kept_flags.h"

#include <doctest/doctest.h>

namespace slipway::plan {
namespace {

RunFlags full_flags() {
  RunFlags flags;
  flags.folder = "/home/me/project";
  flags.volumes = {"data:/data:ro", "/a:/b"};
  flags.tmpfs = {"/scratch:size=1m"};
  flags.devices = {"/dev/fuse"};
  flags.cdi = cdi::Selection{{"vendor.com/card=0"}, {}, {}};
  flags.cdi_folders = {"specs", "/etc/other"};
  flags.hooks = RunFlags::Hooks::LeftOut;
  flags.user = "dev:staff";
  flags.groups = {"video"};
  flags.memory_bytes = std::uint64_t{1} << 40;
  flags.shm_bytes = 1 << 20;
  flags.cpus = 0.5;
  flags.ulimits = {"nofile=1024"};
  flags.gpus = gpu::parse_gpu_choice("0,2").value();
  flags.cuda_compat = RunFlags::CudaCompat::Never;
  flags.network = "private";
  flags.ports = {"8080:80"};
  flags.host_name = "box";
  flags.init = RunFlags::Init::Wanted;
  flags.root = RunFlags::Root::ReadOnly;
  flags.check = RunFlags::Check::Yes;
  return flags;
}

TEST_CASE("flags that are kept come back") {
  const spec::Resources ceilings{"all", std::uint64_t{32} << 30, 8.0, std::nullopt};
  const std::string text = write_kept_flags(full_flags(), &ceilings);
  const KeptFlags kept = parse_kept_flags(text).value();
  CHECK(kept.ceilings == ceilings);
  CHECK(kept.flags.devices == std::vector<std::string>{"/dev/fuse", "vendor.com/card=0"});
  CHECK(kept.flags.cdi_folders == std::vector<std::string>{"/home/me/project/specs", "/etc/other"});
  CHECK(kept.flags.gpus == full_flags().gpus);
  CHECK(kept.flags.cpus == 0.5);
  // Every field: what was read is written as before.
  CHECK(write_kept_flags(kept.flags, &ceilings) == text);

  RunFlags few;
  few.folder = "/";
  const std::string short_text = write_kept_flags(few, nullptr);
  const KeptFlags none = parse_kept_flags(short_text).value();
  CHECK(!none.ceilings);
  CHECK(!none.flags.gpus);
  CHECK(write_kept_flags(none.flags, nullptr) == short_text);
}

TEST_CASE("what cannot be flags") {
  for (const char* text :
       {"", "[]", "{}", R"({"schema": 2, "folder": "/"})", R"({"schema": 1})",
        R"({"schema": 1, "folder": "here"})", R"({"schema": 1, "folder": "/", "volumes": "x"})",
        R"({"schema": 1, "folder": "/", "volumes": [1]})",
        R"({"schema": 1, "folder": "/", "memory_bytes": -1})",
        R"({"schema": 1, "folder": "/", "read_only": 1})",
        R"({"schema": 1, "folder": "/", "ceilings": []})",
        R"({"schema": 1, "folder": "/", "ceilings": {"cpus": "8"}})",
        R"({"schema": 1, "folder": "/", "gpus": "0:"})"}) {
    CAPTURE(text);
    CHECK(!parse_kept_flags(text).ok());
  }
  CHECK(parse_kept_flags(R"({"schema": 1, "folder": "/", "user": null, "more": 1})").ok());
}

}  // namespace
}  // namespace slipway::plan
