#include "framework/compile/lower_loop.hpp"

#include <algorithm>
#include <cstring>
#include <unordered_map>

namespace gradus {

namespace {

// All tiles of a loop together stay within half of a small first-level cache.
constexpr std::size_t tile_budget = 16UL * 1024;
constexpr std::size_t smallest_tile = 128;
constexpr std::size_t largest_tile = 1024;
// The largest tile of a loop that needs no tiles of its own, as all its values lie in buffers.
constexpr std::size_t largest_without_tiles = 4096;

template <class T> void copy_block(const Op*, const T* const* inputs, T* const* outputs, std::size_t n) {
  if (inputs[0] != outputs[0]) std::memcpy(outputs[0], inputs[0], n * sizeof(T));
}

// Turns a fused step into a TileLoop: gives every value a register, chooses a block for every node, then
// sizes the tiles and resolves the registers to pointers.
template <class T> class LoopLowering {
 public:
  LoopLowering(const Plan& plan, const Step& step, const StepPointers<T>& pointers)
      : plan_(plan),
        step_(step),
        pointers_(pointers),
        count_(static_cast<std::size_t>(element_count(plan.buffer(step.results.front().buffer).extents))) {}

  TileLoop<T> make(Share share) {
    if (step_.producer_operands > 0) add_producer(share);
    add_operands();
    for (std::size_t n = first_node(); n < step_.nodes.size(); ++n) add_node(n);
    for (const auto& [from, to] : deferred_)
      codes_.push_back({&copy_block<T>, nullptr, {from}, {add_register(Kind::buffer, to)}});
    size_tiles();
    resolve();
    take_share(share);
    return std::move(loop_);
  }

 private:
  // The place of a tile's worth of numbers: a buffer that the tiles move along, a tile of its own, a single
  // number, or the panel that the producer has just made.
  enum class Kind { buffer, tile, scalar, panel };
  struct Register {
    Kind kind;
    T* base = nullptr;
  };
  using RegisterId = std::size_t;
  struct Code {
    Block<T> block;
    const Op* op = nullptr;
    std::vector<RegisterId> inputs;
    std::vector<RegisterId> outputs;
  };
  struct PendingSpread {
    const T* source;  // or null for the scalar of a register
    RegisterId scalar;
    Access access;
    std::size_t period;
    RegisterId tile;
  };

  std::size_t first_node() const { return step_.producer_operands > 0 ? 1 : 0; }

  RegisterId add_register(Kind kind, T* base = nullptr) {
    registers_.push_back({kind, base});
    if (kind == Kind::tile) tiles_.push_back(registers_.size() - 1);
    return registers_.size() - 1;
  }

  void add_producer(Share share) {
    const NodeId id = step_.nodes.front();
    KernelShapes shapes = plan_.shapes(id);
    const Op& op = *plan_.node(id).op();
    const std::int64_t rows = shapes.output().front();
    const std::int64_t first = share.begin(rows), last = share.end(rows);
    loop_.row_size = count_ / static_cast<std::size_t>(rows);
    std::int64_t panel = last - first;
    if (count_ * sizeof(T) > panel_bytes && op.rows_are_cheap(shapes, plan_.dtype))
      panel = std::clamp<std::int64_t>(static_cast<std::int64_t>(panel_bytes / (loop_.row_size * sizeof(T))),
                                       1, panel);
    shapes.in_parts = panel < rows;
    loop_.panel = static_cast<std::size_t>(panel) * loop_.row_size;
    loop_.producer = {std::get<Kernel<T>>(op.kernel(shapes, plan_.dtype)),
                      {pointers_.operands.begin(),
                       pointers_.operands.begin() + static_cast<std::ptrdiff_t>(step_.producer_operands)},
                      {nullptr},
                      pointers_.workspace,
                      first,
                      last};
    register_of_.emplace(id, add_register(Kind::panel));
  }

  void add_operands() {
    for (std::size_t i = step_.producer_operands; i < step_.operands.size(); ++i) {
      const Operand& operand = step_.operands[i];
      RegisterId id = 0;
      if (operand.buffer == no_buffer) {
        id = add_register(Kind::scalar);
        numbers_.emplace_back(id, static_cast<T>(plan_.node(operand.node).full()->resolve(plan_.dims)));
      } else if (operand.access == Access::full || operand.access == Access::scalar) {
        // Not written to: a code's inputs are read alone.
        id = add_register(operand.access == Access::full ? Kind::buffer : Kind::scalar,
                          const_cast<T*>(pointers_.operands[i]));
      } else {
        id = add_register(Kind::tile);
        spreads_.push_back(
            {pointers_.operands[i], 0, operand.access, static_cast<std::size_t>(operand.period), id});
      }
      operand_registers_.push_back(id);
    }
  }

  // The register that a node reads for one of its inputs.
  RegisterId read(NodeId input) {
    const auto found = register_of_.find(read_through(plan_, step_, input));
    if (found != register_of_.end()) return found->second;
    return operand_registers_[*operand_of(plan_, step_, input) - step_.producer_operands];
  }

  void add_node(std::size_t n) {
    const NodeId id = step_.nodes[n];
    const Node& node = plan_.node(id);
    Code code{nullptr, node.op(), {}, {}};
    for (const NodeId input : node.inputs) code.inputs.push_back(read(input));
    release_tiles(n);
    choose_block(code);
    if (node.traits().outputs == 1) {
      code.outputs.push_back(add_output(id, n));
    } else {
      const std::vector<Expr> outputs = plan_.program.graph->outputs(id);
      for (const Expr& output : outputs) code.outputs.push_back(add_output(output.id(), n));
    }
    codes_.push_back(std::move(code));
  }

  // A value's own buffer, if it is wanted outside and may be written at once; a tile, if not.
  RegisterId add_output(NodeId value, std::size_t n) {
    const auto result = std::ranges::find(step_.results, value, &Step::Result::node);
    T* destination = result == step_.results.end()
                         ? nullptr
                         : pointers_.results[static_cast<std::size_t>(result - step_.results.begin())];
    RegisterId id = 0;
    if (destination != nullptr && !result->deferred) {
      id = add_register(Kind::buffer, destination);
    } else {
      id = take_tile();
      if (destination != nullptr)
        deferred_.emplace_back(id, destination);
      else
        last_use_.emplace_back(last_reader(value, n), id);
    }
    return register_of_[value] = id;
  }

  std::size_t last_reader(NodeId value, std::size_t n) const {
    for (std::size_t reader = step_.nodes.size() - 1; reader > n; --reader)
      for (const NodeId input : plan_.node(step_.nodes[reader]).inputs)
        if (read_through(plan_, step_, input) == value) return reader;
    return n;
  }

  RegisterId take_tile() {
    if (free_tiles_.empty()) return add_register(Kind::tile);
    const RegisterId id = free_tiles_.back();
    free_tiles_.pop_back();
    return id;
  }

  // Tiles whose values node n reads for the last time, or that nobody has read by then, serve again.
  void release_tiles(std::size_t n) {
    std::erase_if(last_use_, [&](const auto& use) {
      if (use.first > n) return false;
      free_tiles_.push_back(use.second);
      return true;
    });
  }

  // The block that takes the most of the scalars as such; the others are spread over tiles.
  void choose_block(Code& code) {
    unsigned scalars = 0;
    for (std::size_t i = 0; i < code.inputs.size(); ++i)
      if (registers_[code.inputs[i]].kind == Kind::scalar) scalars |= 1U << i;
    const ElementwiseOp& op = *code.op->elementwise();
    unsigned taken = scalars;
    while ((code.block = std::get<Block<T>>(op.block(plan_.dtype, taken))) == nullptr)
      taken = (taken - 1) & scalars;
    for (std::size_t i = 0; i < code.inputs.size(); ++i) {
      if (((scalars & ~taken) >> i & 1U) == 0) continue;
      const RegisterId tile = add_register(Kind::tile);
      spreads_.push_back({nullptr, code.inputs[i], Access::scalar, 1, tile});
      code.inputs[i] = tile;
    }
  }

  void size_tiles() {
    const std::size_t tiles = std::max<std::size_t>(tiles_.size(), 1);
    const std::size_t largest = tiles_.empty() ? largest_without_tiles : largest_tile;
    std::size_t tile = std::clamp(tile_budget / (tiles * sizeof(T)), smallest_tile, largest) / 16 * 16;
    // A tile of whole rows: a row operand is then spread once a run, not once a tile.
    std::size_t row = 1;
    for (const PendingSpread& s : spreads_)
      if (s.access == Access::row) row = std::max(row, s.period);
    if (row <= tile) tile = tile / row * row;
    loop_.tile = std::min(tile, loop_.panel > 0 ? loop_.panel : count_);
  }

  void resolve() {
    const std::size_t stride = align_up(loop_.tile * sizeof(T));
    loop_.memory = allocate_aligned(stride * tiles_.size() + loop_.panel * sizeof(T));
    const auto memory = [&](std::size_t bytes) { return reinterpret_cast<T*>(loop_.memory.get() + bytes); };
    for (std::size_t i = 0; i < tiles_.size(); ++i) registers_[tiles_[i]].base = memory(i * stride);
    if (loop_.panel > 0) {
      T* const panel = memory(stride * tiles_.size());
      registers_[register_of_.at(step_.nodes.front())].base = panel;
      loop_.producer.outputs = {panel};
    }
    loop_.numbers.reserve(numbers_.size());
    for (const auto& [id, number] : numbers_) {
      loop_.numbers.push_back(number);
      registers_[id].base = &loop_.numbers.back();
    }
    for (const PendingSpread& s : spreads_)
      loop_.spreads.push_back(
          {s.source != nullptr ? s.source : registers_[s.scalar].base, s.access, s.period,
           registers_[s.tile].base,
           s.access == Access::column ||
               (s.access == Access::row && loop_.tile % s.period != 0 && loop_.tile < count_)});
    point();
  }

  void point() {
    for (const Code& code : codes_)
      for (const auto* ids : {&code.inputs, &code.outputs})
        for (const RegisterId id : *ids) {
          const auto& [kind, base] = registers_[id];
          if (kind == Kind::buffer || kind == Kind::panel)
            loop_.cursors.push_back({loop_.pointers.size(), base, kind == Kind::panel});
          loop_.pointers.push_back(base);
        }
    T** pointer = loop_.pointers.data();
    for (const Code& code : codes_) {
      T** const outputs = pointer + code.inputs.size();
      loop_.calls.push_back({code.block, code.op, pointer, outputs});
      pointer = outputs + code.outputs.size();
    }
  }

  void take_share(Share share) {
    if (loop_.panel > 0) {
      loop_.begin = static_cast<std::size_t>(loop_.producer.from) * loop_.row_size;
      loop_.end = static_cast<std::size_t>(loop_.producer.to) * loop_.row_size;
      return;
    }
    // Whole tiles, like every other tile.
    const auto tiles = static_cast<std::int64_t>((count_ + loop_.tile - 1) / loop_.tile);
    loop_.begin = static_cast<std::size_t>(share.begin(tiles)) * loop_.tile;
    loop_.end = std::min(static_cast<std::size_t>(share.end(tiles)) * loop_.tile, count_);
  }

  const Plan& plan_;
  const Step& step_;
  const StepPointers<T>& pointers_;
  std::size_t count_;
  TileLoop<T> loop_;
  std::vector<Register> registers_;
  std::vector<Code> codes_;
  std::unordered_map<NodeId, RegisterId> register_of_;  // of values that the loop computes
  std::vector<RegisterId> operand_registers_;
  std::vector<PendingSpread> spreads_;
  std::vector<std::pair<RegisterId, T>> numbers_;
  std::vector<RegisterId> tiles_;
  std::vector<RegisterId> free_tiles_;
  std::vector<std::pair<std::size_t, RegisterId>> last_use_;  // of tiles that values lie in: by which node
  std::vector<std::pair<RegisterId, T*>> deferred_;
};

}  // namespace

template <class T>
TileLoop<T> lower_loop(const Plan& plan, const Step& step, const StepPointers<T>& pointers, Share share) {
  return LoopLowering<T>(plan, step, pointers).make(share);
}

template <class T> std::optional<StraightCalls<T>> straighten(TileLoop<T>& loop) {
  const bool whole = loop.begin == 0 && loop.end <= loop.tile && loop.spreads.empty();
  if (!whole || (loop.panel > 0 && loop.panel < loop.end)) return std::nullopt;
  return StraightCalls<T>{std::move(loop.producer), std::move(loop.calls),   loop.end,
                          std::move(loop.pointers), std::move(loop.numbers), std::move(loop.memory)};
}

template TileLoop<float> lower_loop(const Plan&, const Step&, const StepPointers<float>&, Share);
template TileLoop<double> lower_loop(const Plan&, const Step&, const StepPointers<double>&, Share);
template std::optional<StraightCalls<float>> straighten(TileLoop<float>&);
template std::optional<StraightCalls<double>> straighten(TileLoop<double>&);

}  // namespace gradus
