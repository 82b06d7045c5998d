#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "framework/base/aligned.hpp"
#include "framework/compile/plan.hpp"

namespace gradus {

/// A block kernel with what it works on; the places change from tile to tile.
template <class T>
struct BlockCall {
  Block<T> block;
  const Op* const* ops;
  const T* const* inputs;
  T* const* outputs;
};

/// What a group comes to that is small enough to be done in one go, without tiles: a kernel, if it has a
/// producer, and then the calls, over `count` elements each.
template <class T>
struct StraightProgram {
  Kernel<T> producer{};
  std::vector<const T*> inputs{};
  T* output = nullptr;
  std::vector<BlockCall<T>> calls{};
  std::size_t count = 0;
};

/// One of so many parts of the rows, or of the elements.
struct Share {
  std::int64_t index = 0;
  std::int64_t count = 1;

  /// Where the share begins and ends, out of `size`.
  std::int64_t begin(std::int64_t size) const { return size * index / count; }
  std::int64_t end(std::int64_t size) const { return size * (index + 1) / count; }
};

/// A fused group, or a part of one: runs its ops' block kernels over tiles that stay in the first-level
/// cache, so that only what the group reads and writes travels through memory. A producer (see Step) runs
/// panel by panel before it.
template <class T>
class ElementwiseProgram {
 public:
  /// `operands` and `results` point to the buffers of the step's operands (null for numbers) and results.
  ElementwiseProgram(const Plan& plan, const Step& step, const std::vector<const T*>& operands,
                     const std::vector<T*>& results, Share share = {});

  void run();

  /// The same without this object's bookkeeping, over its memory; nothing where that would not do.
  std::optional<StraightProgram<T>> straight() const;

 private:
  // Where a tile's worth of numbers is: a buffer that the tiles walk along, a tile of its own, a single
  // number, or the panel that the producer has just made.
  enum class Kind { walking, tile, scalar, panel };
  struct Register {
    T* base = nullptr;
    Kind kind = Kind::tile;
  };
  struct Code {
    Block<T> block = nullptr;
    unsigned scalars = 0;  // which inputs the block takes as such
    std::vector<const Op*> ops;
    std::vector<std::uint32_t> inputs;  // registers
    std::vector<std::uint32_t> outputs;
  };
  // One of places_ that moves on from tile to tile.
  struct Walker {
    std::size_t place;
    std::uint32_t from;  // a register
  };
  // A row or column is spread over a tile first.
  struct Spread {
    const T* source;
    Access access;
    std::size_t period;
    std::uint32_t tile;
    bool every_tile;
  };

  std::uint32_t add_register(T* base, Kind kind);
  void assemble(const Plan& plan, const Step& step, const std::vector<const T*>& operands,
                const std::vector<T*>& results);
  std::uint32_t add_operand(const Plan& plan, const Operand& operand, const T* data);
  void make_producer(const Plan& plan, const Step& step, const std::vector<const T*>& operands, Share share);
  void take_share(Share share);
  void run_range(std::size_t from, std::size_t to);
  void choose_block(Code& code, unsigned scalars);
  void join();
  static void take_makers(Code& code, std::vector<Code>& before);
  void make_tiles();
  void link();
  void spread(const Spread& what, std::size_t start, std::size_t n);

  std::size_t count_ = 0;
  std::size_t from_ = 0;  // of the elements: the share
  std::size_t to_ = 0;
  std::size_t tile_ = 0;
  std::vector<Register> registers_;
  std::vector<Code> codes_;
  // The codes with the places of their registers.
  std::vector<BlockCall<T>> calls_;
  std::vector<T*> places_;
  std::vector<Walker> walkers_;
  std::vector<Spread> spreads_;
  std::vector<std::pair<std::uint32_t, T>> numbers_;                   // by register
  std::vector<std::pair<std::uint32_t, std::uint32_t>> scalar_tiles_;  // a scalar and the tile that it fills
  std::vector<std::uint32_t> tile_registers_;
  // The producer, if there is one: at once, or so many of its rows at a time.
  Kernel<T> produce_all_;
  RowKernel<T> produce_;
  std::vector<const T*> producer_inputs_;
  std::uint32_t panel_ = 0;
  std::int64_t first_row_ = 0;
  std::int64_t last_row_ = 0;
  std::int64_t panel_rows_ = 0;
  std::size_t row_size_ = 0;
  std::size_t panel_start_ = 0;
  AlignedBytes memory_;
};

extern template class ElementwiseProgram<float>;
extern template class ElementwiseProgram<double>;

}  // namespace gradus
