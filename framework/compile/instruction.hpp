#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "framework/base/aligned.hpp"
#include "framework/compile/plan.hpp"

namespace gradus {

/// A kernel with what it works on.
template <class T> struct KernelCall {
  Kernel<T> kernel;
  std::vector<const T*> inputs;
  std::vector<T*> outputs;
  std::byte* workspace = nullptr;
  std::int64_t from = 0;  ///< rows, where the kernel was made for parts
  std::int64_t to = 0;

  void operator()() const { kernel({inputs.data(), outputs.data(), workspace, from, to}); }
};

/// The loop of an elementwise op with what it works on; the pointers change from tile to tile.
template <class T> struct BlockCall {
  Block<T> block;
  const Op* op;
  const T* const* inputs;
  T* const* outputs;

  void operator()(std::size_t count) const { block(op, inputs, outputs, count); }
};

/// A fused loop, or a thread's share of it: runs its ops' blocks over tiles that stay in the first-level
/// cache, so that only what the loop reads and writes travels through memory. A producer runs panel by panel
/// before it.
template <class T> struct TileLoop {
  /// A pointer that moves on from tile to tile, from the start of a buffer or of the panel.
  struct Cursor {
    std::size_t pointer;  ///< which
    T* base;
    bool in_panel;
  };
  /// A row, column or scalar that is spread over a tile before the blocks read it.
  struct Spread {
    const T* source;
    Access access;
    std::size_t period;
    T* tile;
    bool every_tile;  ///< else once a run
  };

  std::size_t begin = 0;  ///< of the elements that it computes
  std::size_t end = 0;
  std::size_t tile = 0;  ///< how many at a time
  std::vector<BlockCall<T>> calls;
  std::vector<T*> pointers;  ///< what the calls point into
  std::vector<Cursor> cursors;
  std::vector<Spread> spreads;
  std::vector<T> numbers;    ///< what some of the pointers point to
  AlignedBytes memory;       ///< tiles and panel
  KernelCall<T> producer;    ///< without a kernel if there is none; its output is the panel
  std::size_t panel = 0;     ///< elements that it makes at a time
  std::size_t row_size = 1;  ///< elements in one of its rows
};

/// A fused loop small enough to be done in one go, by straight-line code: one tile holds everything, and
/// nothing has to be spread.
template <class T> struct StraightCalls { TileLoop<T> loop; };

/// One thread's part of a step.
template <class T> using Part = std::variant<KernelCall<T>, TileLoop<T>>;

/// A step that is shared out: a part for each thread.
template <class T> struct ParallelParts { std::vector<Part<T>> parts; };

/// One step with everything resolved.
template <class T>
using Instruction = std::variant<StraightCalls<T>, KernelCall<T>, TileLoop<T>, ParallelParts<T>>;

}  // namespace gradus
