#include "plan/run_image.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/environment.h"
#include "base/file.h"
#include "base/nearest.h"
#include "gpu/extra_devices.h"
#include "plan/base_image.h"
#include "plan/cdi_devices.h"
#include "plan/foreign_init.h"
#include "plan/id_records.h"
#include "plan/image_files.h"
#include "plan/image_frame.h"
#include "plan/image_tree.h"
#include "plan/kept_flags.h"
#include "plan/lazy_space.h"
#include "plan/notebook_run.h"
#include "plan/read_order.h"
#include "plan/read_recorder.h"
#include "plan/run_gpu.h"
#include "plan/run_words.h"
#include "run/container.h"
#include "run/control.h"
#include "run/early_grace.h"

namespace slipway::plan {
namespace {

constexpr const char* kUsualPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

Error bad_flag(std::string_view flag, std::string_view value, std::string hint) {
  return make_error(ErrorKind::InvalidInput, "`{} {}` cannot be read", flag, value)
      .hint(std::move(hint));
}

Result<std::vector<std::string>> environment_of(const StoredImage& image, const RunFlags& flags) {
  if (flags.again) return flags.again->environment;
  std::vector<std::string> environment = image.config.env;
  // As every engine does for an image that says nothing.
  if (std::ranges::none_of(environment, [](const auto& one) { return one.starts_with("PATH="); })) {
    environment.insert(environment.begin(), kUsualPath);
  }
  if (flags.terminal == RunFlags::Terminal::Yes) {
    set_variable(environment, "TERM=" + find_environment("TERM").value_or("xterm"));
  }
  std::vector<std::string> given;
  for (const std::string& path : flags.environment_files) {
    for (std::string& variable : TRY(read_environment_file(join_path(flags.folder, path)))) {
      given.push_back(std::move(variable));
    }
  }
  given.insert(given.end(), flags.environment.begin(), flags.environment.end());
  for (const std::string& text : given) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || text.empty()) {
      return bad_flag("--env", text, "write `--env NAME=value`, or `--env NAME` to pass yours on");
    }
    if (equals != std::string::npos) {
      set_variable(environment, text);
    } else if (const auto value = find_environment(text.c_str())) {
      set_variable(environment, text + "=" + *value);
    }
  }
  return environment;
}

Result<std::vector<std::string>> mode_command(const StoredImage& image, const std::string& mode) {
  std::vector<std::string> names;
  const auto label = image.config.labels.find(kModesLabel);
  if (label != image.config.labels.end()) {
    const auto modes = nlohmann::json::parse(label->second, nullptr, /*allow_exceptions=*/false);
    for (const auto& [name, command] : modes.items()) {
      if (name == mode && command.is_array()) {
        std::vector<std::string> words;
        for (const auto& word : command) {
          if (word.is_string()) words.push_back(word.get<std::string>());
        }
        if (!words.empty()) return words;
      }
      names.push_back(name);
    }
  }
  Error error = make_error(ErrorKind::InvalidInput, "`{}` has no mode `{}`", image.reference, mode);
  const auto nearest = find_nearest(mode, names);
  if (!nearest.empty()) {
    error.hints.push_back(did_you_mean(nearest));
  } else if (!names.empty()) {
    error.hints.push_back(fmt::format("it has `{}`", fmt::join(names, "`, `")));
  } else {
    error.hints.push_back("a mode is a table of slipway.toml: `[modes.train]` with a `command`");
  }
  return error;
}

/// Our images start through catatonit, which is told apart so that the run can do without.
bool starts_with_init(const StoredImage& image) {
  const auto& entrypoint = image.config.entrypoint;
  return entrypoint.size() == 2 && entrypoint[0] == kInit && entrypoint[1] == "--";
}

/// One of ours whose base is an image of others, which brings no catatonit.
bool stands_on_base_image(const StoredImage& image) {
  return image.config.entrypoint.empty() && image.config.labels.contains(kLockLabel) &&
         image.config.labels.contains(kBaseDigestLabel);
}

Result<std::vector<std::string>> command_of(const StoredImage& image, const RunFlags& flags) {
  if (flags.again) return flags.again->command;
  std::vector<std::string> words = flags.command;
  if (flags.mode) {
    std::vector<std::string> command = TRY(mode_command(image, *flags.mode));
    command.insert(command.end(), words.begin(), words.end());
    words = std::move(command);
  }
  if (flags.entrypoint) {
    if (!flags.entrypoint->empty()) words.insert(words.begin(), *flags.entrypoint);
  } else if (words.empty()) {
    words = image.config.cmd;
  }
  if (!flags.entrypoint && !starts_with_init(image)) {
    words.insert(words.begin(), image.config.entrypoint.begin(), image.config.entrypoint.end());
  }
  if (words.empty()) {
    return make_error(ErrorKind::InvalidInput, "`{}` names no command to run", image.reference)
        .hint("give one: `slipway run IMAGE -- COMMAND`");
  }
  return words;
}

template <typename T>
std::optional<run::Limit<T>> limit_of(const std::optional<T>& flag,
                                      const std::optional<T>& ceiling) {
  if (flag) return run::Limit<T>{*flag, run::Strictness::Exact};
  if (ceiling) return run::Limit<T>{*ceiling, run::Strictness::Ceiling};
  return std::nullopt;
}

/// Published ports need a network that they lead into: with them, it is private.
Result<void> set_network(const RunFlags& flags, run::RunRequest& request) {
  for (const std::string& text : flags.ports) {
    request.ports.push_back(TRY(run::parse_port_map(text)));
  }
  const std::string name = flags.network.value_or(request.ports.empty() ? "host" : "private");
  if (name == "host") {
    request.network = run::Network::Host;
  } else if (name == "none") {
    request.network = run::Network::None;
  } else if (name == "private" || name == "bridge") {  // docker's word for it
    request.network = run::Network::Private;
  } else {
    return bad_flag("--network", name, "use `host`, `none` or `private`");
  }
  if (request.network == run::Network::Private) return run::claim_ports(request.ports);
  if (request.ports.empty()) return {};
  return make_error(ErrorKind::InvalidInput, "`-p {}` leads nowhere with `--network {}`",
                    flags.ports[0], name)
      .hint(name == "host" ? "leave out `-p`: every port of the container is the host's own"
                           : "leave out `--network`: `-p` brings a private one");
}

Result<std::vector<gid_t>> find_groups(const StoredImage& image, const RunFlags& flags,
                                       const Tools& tools) {
  std::vector<gid_t> gids;
  for (const std::string& group : flags.groups) {
    gids.push_back(TRY(find_image_ids(image, "0:" + group, tools)).gid);
  }
  return gids;
}

Result<void> add_wishes(const RunFlags& flags, const StoredImage& image, const Tools& tools,
                        run::RunRequest& request) {
  for (const std::string& text : flags.volumes) {
    request.volumes.push_back(TRY(parse_volume(text, flags.folder, tools.store_folder)));
  }
  for (const std::string& text : flags.tmpfs) request.tmpfs.push_back(TRY(parse_tmpfs(text)));
  for (const std::string& text : flags.devices) {
    if (gpu::is_extra_device(text)) {
      TRY(add_extra_devices(text, request));
    } else if (!is_gpu_device(text)) {
      request.devices.push_back(TRY(parse_device(text)));
    }
  }
  for (const std::string& text : flags.ulimits) {
    request.resource_limits.push_back(TRY(parse_ulimit(text)));
  }
  request.additional_gids = TRY(find_groups(image, flags, tools));
  if (!flags.id_file.empty()) request.id_file = join_path(flags.folder, flags.id_file);
  return {};
}

Result<run::RunFacts> about_of(const StoredImage& image, const RunFlags& flags) {
  if (flags.again) {
    run::RunFacts about = *flags.again;
    about.is_detached = true;
    return about;
  }
  run::RunFacts about;
  about.name = flags.name;
  about.image = image.reference;
  about.image_digest = image.digest.text();
  const auto lock = image.config.labels.find(kLockLabel);
  if (lock != image.config.labels.end()) about.lock = lock->second;
  about.is_detached = flags.attendance == RunFlags::Attendance::Detached;
  about.removes_itself = flags.afterwards == RunFlags::Afterwards::Removed;
  about.restart = TRY(run::parse_restart_policy(flags.restart));
  if (about.restart.when != run::RestartPolicy::When::No) {
    if (about.removes_itself) {
      return make_error(ErrorKind::InvalidInput, "`--restart` and `--rm` exclude each other");
    }
    if (!about.is_detached) {
      return make_error(ErrorKind::InvalidInput, "`--restart` needs a run of its own: `-d`");
    }
  }
  if (!flags.stop_signal.empty()) about.stop_signal = TRY(run::parse_signal(flags.stop_signal));
  about.stop_seconds = flags.stop_seconds;
  for (const std::string& text : flags.labels) about.labels.insert(parse_label(text));
  about.log = flags.log;
  return about;
}

Result<void> set_streams(const RunFlags& flags, run::RunRequest& request) {
  const bool has_input =
      flags.again ? flags.again->has_input : flags.input == RunFlags::Input::Ours;
  const bool has_terminal =
      flags.again ? flags.again->has_terminal : flags.terminal == RunFlags::Terminal::Yes;
  request.input = has_input ? run::Input::Ours : run::Input::Null;
  if (!has_terminal) return {};
  const bool is_here = flags.attendance == RunFlags::Attendance::Foreground;
  if (is_here && (::isatty(0) == 0 || ::isatty(1) == 0)) {
    return make_error(ErrorKind::InvalidInput, "`--tty` needs a terminal, and there is none here")
        .hint("leave out `-t`");
  }
  request.terminal = run::Terminal::Yes;
  return {};
}

Result<ReadRecorder> start_recorder(const std::vector<LayerFolder>& tree, const RunFlags& flags,
                                    const store::Store& store) {
  if (flags.attendance != RunFlags::Attendance::Foreground) {
    return make_error(ErrorKind::InvalidInput, "`--record-reads` and `-d` exclude each other");
  }
  return ReadRecorder::start(tree, store);
}

Result<void> keep_reads(ReadRecorder& recorder, const StoredImage& image, const store::Store& store,
                        const Tools& tools) {
  const std::vector<std::string> paths = TRY(recorder.finish());
  const store::Lease lease = TRY(store.lease(tools.reporter, tools.cancel));
  TRY(store_read_order(store, image, paths));
  tools.reporter.done(fmt::format(
      "noted {} files that this run has read: `slipway push` sends the list, and `pull --lazy` "
      "fetches them first",
      paths.size()));
  return {};
}

}  // namespace

Result<ImageIds> find_image_ids(const StoredImage& image, const std::string& user,
                                const Tools& tools) {
  // Then no layer needs to be looked into.
  if (const std::optional<ImageIds> ids = find_numeric_ids(user)) return *ids;
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const ImageFiles files(image, store);
  if (::geteuid() != 0 && !files.are_shown()) return find_ids_through_server(image, user, tools);
  return find_ids(user, files.text("/etc/passwd"), files.text("/etc/group"), image.reference);
}

Result<RunEnd> run_image(const StoredImage& image, const RunFlags& flags,
                         const spec::Resources* resources, const Tools& tools) {
  const run::EarlyGrace grace;
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  run::RunRequest request;
  std::optional<store::Lease> lease = TRY(store.lease(tools.reporter, tools.cancel));
  if (const auto name = store::parse_image_name(image.reference); name.ok()) store.note_use(*name);
  const std::vector<LayerFolder> tree = TRY(find_image_tree(image, store, tools));
  std::optional<ReadRecorder> recorder;
  // What the recorder has in the store's tmp/ stays only under a lease.
  request.on_record = [&] {
    if (!recorder) lease.reset();
  };
  if (flags.reads == RunFlags::Reads::Noted) {
    recorder.emplace(TRY(start_recorder(tree, flags, store)));
    request.lower_folders = {recorder->tree()};
  } else {
    for (const LayerFolder& layer : tree) request.lower_folders.push_back(layer.path);
  }
  request.command = TRY(command_of(image, flags));
  request.environment = TRY(environment_of(image, flags));
  request.working_folder = flags.working_folder.value_or(
      image.config.working_folder.empty() ? "/" : image.config.working_folder);
  if (flags.again) request.working_folder = flags.again->working_folder;
  const ImageIds ids = TRY(find_image_ids(image, flags.user.value_or(image.config.user), tools));
  request.uid = ids.uid;
  request.gid = ids.gid;
  request.owner = {tools.owner.uid, tools.owner.gid};
  TRY(add_wishes(flags, image, tools, request));
  request.about = TRY(about_of(image, flags));
  const spec::Resources none{"auto", {}, {}, {}};
  const spec::Resources& ceilings = resources != nullptr ? *resources : none;
  request.limits.memory_bytes = limit_of(flags.memory_bytes, ceilings.memory_bytes);
  request.limits.cpus = limit_of(flags.cpus, ceilings.cpus);
  request.limits.shm_bytes = limit_of(flags.shm_bytes, ceilings.shm_bytes);
  TRY(set_network(flags, request));
  TRY(prepare_notebook(request, tools.reporter));
  TRY(set_streams(flags, request));
  if (flags.check == RunFlags::Check::Yes) request.check = run::RunRequest::Check::Yes;
  if (flags.root == RunFlags::Root::ReadOnly) request.root = run::Access::ReadOnly;
  if (flags.host_name) request.host_name = *flags.host_name;
  if (starts_with_init(image)) request.init_path = kInit;
  const gpu::GpuChoice gpus = TRY(find_choice(flags, ceilings.gpus));
  const ImageFiles files(tree);
  TRY(add_gpus(gpus, flags.cuda_compat, files, request, tools.reporter));
  check_places(files, request, tools.reporter);
  if (flags.init == RunFlags::Init::Wanted && request.init_path.empty()) {
    TRY(add_foreign_init(request));
  } else if (stands_on_base_image(image) && request.init_path.empty()) {
    // As good as the machine can: Docker starts such an image without one too.
    (void)add_foreign_init(request);
  }
  TRY(add_cdi_devices(flags, files, request, tools.reporter));

  request.store_folder = store.home();
  request.runs_folder = store.home() + "/runs";
  // A run that removes itself is never started again.
  if (!flags.again && !request.about.removes_itself) {
    request.kept_flags = write_kept_flags(flags, resources);
  }
  if (flags.attendance == RunFlags::Attendance::Foreground) {
    RunEnd end{TRY(run::run_container(request, tools.reporter, tools.cancel)), "", {}};
    if (recorder) TRY(keep_reads(*recorder, image, store, tools));
    return end;
  }
  request.attach = flags.attach;
  run::DetachedStart start = TRY(run::start_container(request, tools.reporter, tools.cancel));
  return RunEnd{start.status, std::move(start.id), std::move(start.attached)};
}

}  // namespace slipway::plan
