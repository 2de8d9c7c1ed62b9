/// How many files a process may have open. Shells allow 1024, for the sake of programs that use
/// select(2); an image of a hundred layers, or a deep tree, takes more (the hard limit is for who
/// knows that, see getrlimit(2)). Ours uses poll; what it starts may not.
#pragma once

namespace slipway {

/// Up to the hard limit, from now on. Once, at the program's start.
void allow_many_open_files();

/// The limit that we were started with, for a child that is about to become another program.
/// Async-signal-safe.
void restore_open_files();

}  // namespace slipway
