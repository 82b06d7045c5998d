#pragma once

#include "gradus/graph/expr.hpp"

namespace GRADUS_PUBLIC gradus {

/// After a run, `variable` holds `value`. All values of a program's updates are computed from the variables'
/// values before the run, whatever their order.
struct Update {
  Expr variable;  ///< a parameter or state
  Expr value;     ///< what it is to hold
};

/// How values share the arena.
enum class Reuse {
  full,      ///< a value takes the place of one that is no longer needed
  none,      ///< every value has a place of its own
  poisoned,  ///< as full, and the arena is filled with NaN before each run: shows reads of stale values
};

/// How a graph is compiled.
struct CompileOptions {
  bool optimize = true;       ///< false: every node is computed as it was written, without folding or fusion
  Reuse reuse = Reuse::full;  ///< how values share the arena
  /// Threads of a run, the caller's among them. Steps that are large enough are shared out by rows, always in
  /// the same way: results have the same bits for the same number of threads.
  int threads = 1;
  /// Every sum is taken over a tree that depends on the shapes alone: results have the same bits for any
  /// number of threads, with AVX2 as with AVX-512, and whatever is fused. Matrix products are then never left
  /// to BLAS.
  bool reproducible = false;
  /// Allows a program that leaves out an update which its graph requires, as that of a random generator: each
  /// run then draws the same numbers. For checks and pictures.
  bool same_draws = false;
  /// Check each stage of the compiler with an independent verifier (builds without NDEBUG always do).
  bool verify = false;

  /// Equal in all of them.
  friend bool operator==(const CompileOptions&, const CompileOptions&) = default;
};

}  // namespace gradus
