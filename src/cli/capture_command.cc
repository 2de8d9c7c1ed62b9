#include <fmt/format.h>

#include "base/environment.h"
#include "base/file.h"
#include "base/size_text.h"
#include "cli/acting_as_root.h"
#include "cli/all_commands.h"
#include "cli/image_json.h"
#include "plan/capture.h"
#include "plan/captured_origins.h"

namespace slipway::cli {
namespace {

constexpr std::size_t kMostLines = 10;

void note_list(Reporter& reporter, std::string_view what, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  reporter.note(fmt::format("{}: {}", lines.size(), what));
  for (std::size_t i = 0; i < lines.size() && i < kMostLines; ++i) {
    reporter.note(fmt::format("  {}", lines[i]));
  }
  if (lines.size() > kMostLines) {
    reporter.note(fmt::format("  … and {} more", lines.size() - kMostLines));
  }
}

void tell(const plan::Capture& capture, Reporter& reporter) {
  std::vector<std::string> changed, missing, outside, unrecorded;
  for (const plan::CapturedPackage& package : capture.packages.packages) {
    for (const auto& path : package.changed) changed.push_back(package.name + ": " + path);
    for (const auto& path : package.missing) missing.push_back(package.name + ": " + path);
    for (const auto& path : package.outside) outside.push_back(package.name + ": " + path);
    if (!package.has_record) unrecorded.push_back(package.name + " " + package.version);
  }
  note_list(reporter, "files that differ from their package's RECORD, kept as they are", changed);
  note_list(reporter, "files that a RECORD names and that are not there", missing);
  note_list(reporter, "names in a RECORD that lead outside the environment, not believed", outside);
  note_list(reporter, "packages without a readable RECORD, kept as they are", unrecorded);
  note_list(reporter, "left out: settings with passwords, special files", capture.tree.left_out());
  note_list(reporter, "links that lead out of the image", capture.dangling);
  note_list(reporter, "libraries that this host lacks, too", capture.needs.unfound);
  note_list(reporter, "libraries that LD_LIBRARY_PATH finds: the image sets it, too",
            capture.needs.by_variable);
  note_list(reporter, "libraries of the GPU's driver: a run brings its host's",
            capture.needs.driver);
}

void tell_origins(const plan::OriginReport& origins, Reporter& reporter) {
  note_list(reporter, "packages of no wheel that is known", origins.unmatched);
  if (!origins.unreachable.empty()) {
    reporter.note("not all packages were looked for at an index: " + origins.unreachable);
  }
}

Result<int> run(const Invocation& call, Context& context) {
  plan::CaptureRequest request;
  request.venv = call.find("venv").value_or("");
  request.python = call.find("python").value_or("");
  if (request.venv.empty() == request.python.empty()) {
    return make_error(ErrorKind::InvalidInput,
                      "what is to be captured is said by `--venv` or `--python`")
        .hint("`slipway capture --venv .venv --name NAME:TAG`");
  }
  if (!request.venv.empty()) request.venv = join_path(context.folder, request.venv);
  request.library_path = find_environment("LD_LIBRARY_PATH").value_or("");
  for (const std::string& folder : call.all("include")) {
    request.include.push_back(join_path(context.folder, folder));
  }
  const store::ImageName name =
      TRY(store::parse_image_name(call.find("name").value_or("captured:latest")));
  plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  plan::Capture capture = TRY(plan::read_capture(request, tools));
  // Before any thread is started: the network needs some.
  TRY(act_as_root({0, 0, {}, kOneIsEnough}, tools));
  const plan::OriginReport origins = TRY(plan::find_origins(
      capture.packages, call.has("offline") ? plan::AskIndexes::No : plan::AskIndexes::Yes, tools));
  if (const auto file = call.find("lock")) {
    TRY(write_file(join_path(context.folder, *file),
                   spec::write_lock(plan::make_capture_lock(capture))));
  }
  const plan::Bytecode bytecode =
      call.has("no-bytecode") ? plan::Bytecode::No : plan::Bytecode::Yes;
  const plan::BuiltImage image = TRY(plan::build_capture(capture, name, bytecode, tools));
  tell(capture, context.reporter);
  tell_origins(origins, context.reporter);
  if (call.has("json")) {
    TRY(print(json_text(image)));
    return 0;
  }
  context.reporter.done(fmt::format(
      "captured `{}`: Python {}, {} packages ({} from known wheels), {} other files, {} "
      "layers, {} compressed, {}",
      image.reference, capture.python.version, capture.packages.packages.size(), origins.matched,
      capture.rest.size(), image.layers.size(), size_text(image.size_bytes()),
      image.digest.text()));
  return 0;
}

}  // namespace

Command capture_command() {
  return {"capture",
          "make an image of an environment that works on this host",
          Operand::None,
          "",
          {{"--venv", "FOLDER", "a virtual environment"},
           {"--python", "PROGRAM", "or an interpreter with its own packages"},
           {"--name", "NAME:TAG", "of the image (captured:latest)"},
           {"--include", "FOLDER", "bring this folder, too: that of an editable install"},
           {"--offline", "", "ask no index which wheels the packages came from"},
           {"--no-bytecode", "", "leave out the compiled Python files: faster now, slower starts"},
           {"--lock", "FILE", "write what was captured, as a lock"},
           json_option()},
          {{"slipway capture --venv .venv --name mine:1",
            "the environment, at its own path, with its Python"},
           {"slipway capture --python python3.11 --name site:1",
            "an interpreter with its site-packages"}},
          run};
}

}  // namespace slipway::cli
