#include "layer/bytecode_script.h"

namespace slipway::layer {

// The header of an unchecked hash-based pyc: magic, the flag word 1, the source's hash (PEP 552).
// co_filename is the path in the image, whatever folder the source was read from. A null byte or a
// too deep nesting are failures to compile like a syntax error: pip passes over those too.
const std::string_view kBytecodeScript = R"python(
import sys
import _imp
import marshal
import posix
from importlib import _bootstrap_external as loader

read_folder, write_folder = sys.argv[1], sys.argv[2]
magic = loader.MAGIC_NUMBER
raw_magic = int.from_bytes(magic, 'little')
suffix = '.' + sys.implementation.cache_tag + '.pyc'
made = set()

def make_folder(path):
    if path in made:
        return
    made.add(path)
    try:
        posix.mkdir(path, 0o755)
    except FileExistsError:
        pass
    except FileNotFoundError:
        make_folder(path.rpartition('/')[0])
        posix.mkdir(path, 0o755)

def compile_one(path):
    with open(read_folder + '/' + path, 'rb', buffering=0) as file:
        source = file.read()
    try:
        code = compile(source, '/' + path, 'exec', dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return 0
    data = b''.join((magic, b'\x01\0\0\0', _imp.source_hash(raw_magic, source), marshal.dumps(code)))
    folder, _, name = path.rpartition('/')
    folder = write_folder + '/' + (folder + '/' if folder else '') + '__pycache__'
    make_folder(folder)
    with open(folder + '/' + name[:-3] + suffix, 'xb', buffering=0) as file:
        file.write(data)
    return 1

count = 0
for line in sys.stdin:
    path = line.rstrip('\n')
    if not path:
        break
    count += compile_one(path)
print(count)
)python";

Result<void> compile_in_sandbox(SandboxRequest room, const std::string& interpreter,
                                const std::string& read_folder, const std::string& write_folder,
                                const std::vector<std::string>& sources,
                                const CancelToken& cancel) {
  for (const auto& source : sources) {
    if (source.find('\n') != std::string::npos || !source.ends_with(".py")) {
      return make_error(ErrorKind::InvalidInput, "`{}` is no source file", source);
    }
    room.input += source + "\n";
  }
  room.input += "\n";
  // -I: nothing of the environment or the working folder; -S: no site; -B: it leaves no bytecode of
  // its own; -W ignore: warnings of the compiler (invalid escapes) are the authors' to read.
  room.arguments = {interpreter, "-I",        "-S",   "-B", "-W",
                    "ignore",    "-X",        "utf8", "-c", std::string(kBytecodeScript),
                    read_folder, write_folder};
  room.environment = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "PYTHONHASHSEED=0"};
  const auto result = TRY(run_in_sandbox(room, cancel));
  if (result.status != 0) {
    const auto& text = result.error_output;
    return make_error(ErrorKind::Io, "the interpreter that makes bytecode ended with status {}",
                      result.status)
        .reason(text.substr(text.size() > 2000 ? text.size() - 2000 : 0));
  }
  return {};
}

}  // namespace slipway::layer
