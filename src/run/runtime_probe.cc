#include "run/runtime_probe.h"

#include <elf.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <array>
#include <cstring>

#include "base/file.h"
#include "base/sandbox_room.h"
#include "base/user_namespace.h"
#include "run/bundle.h"
#include "run/record.h"
#include "run/streams.h"

namespace slipway::run {
namespace {

constexpr const char* kProgram = "/slipway-probe";

// exit(0), as the C library's syscall(2) would do it.
#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
constexpr std::array<unsigned char, 9> kCode{0x31, 0xff,                    // xor edi, edi
                                             0xb8, 0x3c, 0x00, 0x00, 0x00,  // mov eax, 60
                                             0x0f, 0x05};                   // syscall
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
constexpr std::array<unsigned char, 12> kCode{0x00, 0x00, 0x80, 0xd2,   // mov x0, #0
                                              0xa8, 0x0b, 0x80, 0xd2,   // mov x8, #93
                                              0x01, 0x00, 0x00, 0xd4};  // svc #0
#else
constexpr Elf64_Half kMachine = EM_NONE;
constexpr std::array<unsigned char, 0> kCode{};
#endif

Result<void> make_tree(const std::string& root) {
  for (const char* folder : {"", "/proc", "/sys", "/dev"}) TRY(make_folders(root + folder, 0755));
  const std::string program = make_tiny_program();
  if (program.empty()) return {};
  TRY(write_scratch_file(root + kProgram, program));
  if (::chmod((root + kProgram).c_str(), 0755) == 0) return {};
  return errno_error("cannot make a program");
}

std::string make_config(const RuntimeProbe& probe, const std::string& root) {
  RunRequest request;
  request.command = {kProgram};
  request.uid = request.gid = 0;
  request.network = probe.network;
  BundleFacts facts;
  facts.root_path = root;
  facts.limits = probe.limits;
  facts.cgroup_path = probe.group;
  facts.in_user_namespace = in_user_namespace();
  facts.has_one_id = has_one_id();
  facts.most_open_files = hard_limit(RLIMIT_NOFILE);
  facts.most_locked_bytes = hard_limit(RLIMIT_MEMLOCK);
  return write_bundle_config(request, facts);
}

RoomRequest make_room(const RuntimeProbe& probe, const RuntimeCall& call, int null) {
  RoomRequest room;
  if (probe.network == Network::Private) room.namespaces |= CLONE_NEWNET;
  room.steps.push_back(make_mounts_private());
  room.steps.push_back(make_mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC));
  for (ChildStep& step : make_runtime_steps(probe.program, probe.host, in_user_namespace())) {
    room.steps.push_back(std::move(step));
  }
  room.arguments = make_run_arguments(probe.program, call);
  room.environment = runtime_environment();
  room.working_folder = call.bundle_folder;
  room.input = room.output = room.error_output = null;
  room.left_behind = RoomRequest::LeftBehind{{}, join_path(call.bundle_folder, "pid"), -1};
  return room;
}

}  // namespace

std::string make_tiny_program() {
  if (kCode.empty()) return "";
  constexpr Elf64_Addr kAddress = 0x400000;
  Elf64_Ehdr head{};
  std::memcpy(head.e_ident, ELFMAG, SELFMAG);
  head.e_ident[EI_CLASS] = ELFCLASS64;
  head.e_ident[EI_DATA] = ELFDATA2LSB;
  head.e_ident[EI_VERSION] = EV_CURRENT;
  head.e_type = ET_EXEC;
  head.e_machine = kMachine;
  head.e_version = EV_CURRENT;
  head.e_ehsize = sizeof head;
  head.e_phoff = sizeof head;
  head.e_phentsize = sizeof(Elf64_Phdr);
  head.e_phnum = 1;
  head.e_entry = kAddress + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
  Elf64_Phdr part{};
  part.p_type = PT_LOAD;
  part.p_flags = PF_R | PF_X;
  part.p_vaddr = part.p_paddr = kAddress;
  part.p_filesz = part.p_memsz = sizeof head + sizeof part + kCode.size();
  part.p_align = 0x10000;
  std::string text(sizeof head + sizeof part, '\0');
  std::memcpy(text.data(), &head, sizeof head);
  std::memcpy(text.data() + sizeof head, &part, sizeof part);
  for (const unsigned char byte : kCode) text.push_back(static_cast<char>(byte));
  return text;
}

Result<std::string> probe_runtime(const RuntimeProbe& probe) {
  const std::string root = join_path(probe.folder, "root");
  const std::string bundle = join_path(probe.folder, "bundle");
  TRY(make_tree(root));
  TRY(make_folders(bundle, 0700));
  TRY(write_scratch_file(join_path(bundle, "config.json"), make_config(probe, root)));
  const RuntimeCall call{join_path(probe.folder, "state"), join_path(probe.folder, "log"), bundle,
                         probe.id, !probe.group.empty()};
  const UniqueFd null = TRY(open_null(O_RDWR));
  const RoomRequest request = make_room(probe, call, null.get());
  Room room = TRY(Room::start(request));
  const RoomEnd end = room.wait();
  if (end.kind == RoomEnd::Kind::StepFailed) return room_error(end, request);
  return find_runtime_error(end, request, call.log_path);
}

}  // namespace slipway::run
