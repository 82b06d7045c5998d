#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "gradus/framework/compile/aligned.hpp"
#include "gradus/framework/compile/plan.hpp"

namespace gradus {

/// A fused group: runs its ops' block kernels over tiles that stay in the first-level cache, so that only
/// what the group reads and writes travels through memory.
template <class T>
class ElementwiseProgram {
 public:
  /// `operands` and `results` point to the buffers of the step's operands (null for numbers) and results.
  ElementwiseProgram(const Plan& plan, const Step& step, const std::vector<const T*>& operands,
                     const std::vector<T*>& results);

  void run();

  /// Reads operand `index` of the step from elsewhere from now on.
  void rebind(std::size_t index, const T* data);

 private:
  static constexpr std::size_t largest_arity = 5;
  // Where a tile's worth of numbers is: a buffer that the tiles walk along, a tile of its own, or a single
  // number.
  enum class Kind { walking, tile, scalar };
  struct Register {
    T* base = nullptr;
    Kind kind = Kind::tile;
  };
  struct Code {
    Block<T> block;
    const Op* op;
    std::uint32_t arity;
    std::array<std::uint32_t, largest_arity> inputs;
    std::uint32_t output;
  };
  // A row or column is spread over a tile first.
  struct Spread {
    const T* source;
    Access access;
    std::size_t period;
    std::uint32_t tile;
    std::size_t operand;
    bool every_tile;
  };

  std::uint32_t add_register(T* base, Kind kind);
  void assemble(const Plan& plan, const Step& step, const std::vector<const T*>& operands,
                const std::vector<T*>& results);
  std::uint32_t add_operand(const Plan& plan, const Operand& operand, std::size_t index, const T* data);
  void choose_block(Code& code, unsigned scalars);
  void make_tiles();
  void spread(const Spread& what, std::size_t start, std::size_t n);

  std::size_t count_ = 0;
  std::size_t tile_ = 0;
  std::vector<Register> registers_;
  std::vector<Code> codes_;
  std::vector<Spread> spreads_;
  std::vector<std::pair<std::uint32_t, T>> numbers_;                   // by register
  std::vector<std::pair<std::uint32_t, std::uint32_t>> scalar_tiles_;  // a scalar and the tile that it fills
  std::vector<std::uint32_t> tile_registers_;
  std::vector<std::pair<std::size_t, std::uint32_t>> operand_registers_;  // read where they lie
  AlignedBytes memory_;
};

extern template class ElementwiseProgram<float>;
extern template class ElementwiseProgram<double>;

}  // namespace gradus
