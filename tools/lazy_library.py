#!/usr/bin/env python3
"""Writes C++ that stands in for a shared library and loads it at the first call of one of its functions.

    lazy_library.py NAME LIBRARY OUTPUT SOURCE...

The functions are those that LIBRARY exports and the sources name. Each becomes a jump through a slot;
an empty slot loads the library (by its SONAME) and fills itself. Arguments stay in their registers, so
functions with variable arguments work as they are. x86-64 only.

Why: libcurl and libarchive bring some forty libraries along, and loading those takes longer than
starting a container, which needs none of them (docs/decisions/0010-libraries-when-needed.md).
"""
import re
import subprocess
import sys

name, library, output, *sources = sys.argv[1:]


def lines_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


exported = {line.split()[-1].split("@")[0] for line in lines_of("nm", "-D", "--defined-only", library)
            if line.split()[-2] in "TWi"}
soname = next(line.split("[")[1].split("]")[0] for line in lines_of("readelf", "-d", library)
              if "SONAME" in line)
named = set()
for source in sources:
    with open(source, encoding="utf-8") as file:
        named |= set(re.findall(r"[A-Za-z_]\w*", file.read()))
functions = sorted(exported & named)
if not functions:
    sys.exit(f"lazy_library: no source names a function of {library}")

prefix = f"slipway_lazy_{name}"
stubs = "".join(f"""
    ".globl {function}\\n.type {function}, @function\\n{function}:\\n"
    "  movq {prefix}_slots+{8 * index}(%rip), %r11\\n"
    "  testq %r11, %r11\\n  je 1f\\n  jmp *%r11\\n"
    "1:\\n  pushq ${index}\\n  jmp {prefix}_load\\n"
    ".size {function}, .-{function}\\n\""""
                for index, function in enumerate(functions))
saved = ["rax", "rdi", "rsi", "rdx", "rcx", "r8", "r9"]
pushes = "".join(f"  pushq %{register}\\n" for register in saved)
pops = "".join(f"  popq %{register}\\n" for register in reversed(saved))
to_stack = "".join(f"  movups %xmm{i}, {16 * i}(%rsp)\\n" for i in range(8))
from_stack = "".join(f"  movups {16 * i}(%rsp), %xmm{i}\\n" for i in range(8))

with open(output, "w", encoding="utf-8") as file:
    file.write(f"""// Written by tools/lazy_library.py: the functions of {soname}, loaded when one is called.
#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

extern "C" {{
__attribute__((visibility("hidden"))) void* {prefix}_slots[{len(functions)}];
__attribute__((visibility("hidden"), used)) void* {prefix}_find(unsigned long index);
}}

namespace {{
const char* const kNames[] = {{{", ".join(f'"{function}"' for function in functions)}}};

[[noreturn]] void fail(const char* what) {{
  const char* parts[] = {{"error: ", what, "\\n"}};
  for (const char* part : parts) (void)!::write(2, part, ::strlen(part));
  ::_exit(1);
}}
}}  // namespace

void* {prefix}_find(unsigned long index) {{
  static void* const library = ::dlopen("{soname}", RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) fail("`{soname}` cannot be loaded, and is needed here");
  void* const symbol = ::dlsym(library, kNames[index]);
  if (symbol == nullptr) fail("`{soname}` is not the one that slipway was built with");
  __atomic_store_n(&{prefix}_slots[index], symbol, __ATOMIC_RELEASE);
  return symbol;
}}

__asm__(
    ".text\\n"{stubs}
    ".type {prefix}_load, @function\\n{prefix}_load:\\n"
    // The stack is aligned for a call here: return address, index, seven registers, and this.
    "{pushes}  subq $136, %rsp\\n{to_stack}"
    "  movq 192(%rsp), %rdi\\n  call {prefix}_find\\n  movq %rax, %r11\\n"
    "{from_stack}  addq $136, %rsp\\n{pops}"
    "  addq $8, %rsp\\n  jmp *%r11\\n"
    ".size {prefix}_load, .-{prefix}_load\\n");
""")
