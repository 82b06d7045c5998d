#include "framework/compile/lower_loop.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <unordered_map>

namespace gradus {

namespace {

// All tiles of a loop together stay within half of a small first-level cache.
constexpr std::size_t tile_budget = 16UL * 1024;
constexpr std::size_t smallest_tile = 128;
constexpr std::size_t largest_tile = 1024;
// The largest tile of a loop that needs no tiles of its own, as all its values lie in buffers.
constexpr std::size_t largest_without_tiles = 4096;

constexpr std::size_t forever = std::numeric_limits<std::size_t>::max();

template <class T> void copy_block(const Op*, const T* const* inputs, T* const* outputs, std::size_t n) {
  if (inputs[0] != outputs[0]) std::memcpy(outputs[0], inputs[0], n * sizeof(T));
}

// Turns a fused step into a TileLoop: gives every value a register, chooses a block for every node, then
// sizes the tiles and resolves the registers to pointers.
template <class T> class LoopLowering {
 public:
  LoopLowering(const Plan& plan, const Step& step, const KernelCall<T>& call)
      : plan_(plan),
        step_(step),
        call_(call),
        count_(static_cast<std::size_t>(element_count(plan.buffer(step.results.front().buffer).extents))) {}

  TileLoop<T> make(Share share) {
    if (step_.producer_operands > 0) add_producer(share);
    add_operands();
    for (std::size_t n = step_.first_in_loop(); n < step_.nodes.size(); ++n) add_node(n);
    for (std::size_t i = 0; i < step_.results.size(); ++i)
      if (step_.results[i].deferred)
        add_code(&copy_block<T>, nullptr, {register_of_.at(step_.results[i].node)},
                 {add_register(Kind::buffer, call_.outputs[i])});
    size_tiles(share);
    resolve();
    return std::move(loop_);
  }

 private:
  // The place of a tile's worth of numbers: a buffer that the tiles move along, a tile of its own, a single
  // number, or the panel that the producer has just made. Tiles and panel have no pointer until they are
  // sized.
  enum class Kind { buffer, tile, scalar, panel };
  struct Register {
    Kind kind;
    T* base;
    std::size_t busy_until = forever;  // a tile: until this node, which may write over it
  };
  using RegisterId = std::size_t;
  struct Code {
    Block<T> block;
    const Op* op = nullptr;
    std::size_t inputs = 0, outputs = 0;  // where its operands begin
  };

  RegisterId add_register(Kind kind, T* base = nullptr) {
    registers_.push_back({kind, base});
    return registers_.size() - 1;
  }

  void add_code(Block<T> block, const Op* op, const std::vector<RegisterId>& inputs,
                const std::vector<RegisterId>& outputs) {
    codes_.push_back({block, op, operands_.size(), operands_.size() + inputs.size()});
    operands_.insert(operands_.end(), inputs.begin(), inputs.end());
    operands_.insert(operands_.end(), outputs.begin(), outputs.end());
  }

  void add_producer(Share share) {
    const NodeId id = step_.nodes.front();
    KernelShapes shapes = plan_.shapes(id);
    const Op& op = *plan_.node(id).op();
    const std::int64_t rows = shapes.output().front();
    const std::int64_t first = share.begin(rows), last = share.end(rows);
    loop_.row_size = count_ / static_cast<std::size_t>(rows);
    std::int64_t panel = last - first;
    const std::size_t bytes = panel_bytes(op, shapes);
    if (count_ * sizeof(T) > bytes && op.rows_are_cheap(shapes, plan_.dtype))
      panel =
          std::clamp<std::int64_t>(static_cast<std::int64_t>(bytes / (loop_.row_size * sizeof(T))), 1, panel);
    shapes.in_parts = panel < rows;
    loop_.panel = static_cast<std::size_t>(panel) * loop_.row_size;
    loop_.producer = call_;
    loop_.producer.kernel = std::get<Kernel<T>>(op.kernel(shapes, plan_.dtype));
    loop_.producer.inputs.resize(step_.producer_operands);
    loop_.producer.from = first;
    loop_.producer.to = last;
    loop_.begin = static_cast<std::size_t>(first) * loop_.row_size;
    loop_.end = static_cast<std::size_t>(last) * loop_.row_size;
    register_of_[id] = add_register(Kind::panel);
  }

  void add_operands() {
    // Numbers keep their places from the start.
    loop_.numbers.reserve(step_.operands.size());
    for (std::size_t i = step_.producer_operands; i < step_.operands.size(); ++i) {
      const auto& [buffer, node, access, period] = step_.operands[i];
      const T* base = call_.inputs[i];
      if (buffer == no_buffer)
        base = &loop_.numbers.emplace_back(static_cast<T>(plan_.node(node).full()->resolve(plan_.dims)));
      const bool spread = access == Access::row || access == Access::column;
      // Not written to: a block's inputs are read alone.
      register_of_[node] =
          spread ? add_spread(base, access, static_cast<std::size_t>(period))
                 : add_register(access == Access::full ? Kind::buffer : Kind::scalar, const_cast<T*>(base));
    }
  }

  // The tile that an operand is spread over.
  RegisterId add_spread(const T* source, Access access, std::size_t period) {
    loop_.spreads.push_back({source, access, period, nullptr, access == Access::column});
    spread_tiles_.push_back(add_register(Kind::tile));
    return spread_tiles_.back();
  }

  void add_node(std::size_t n) {
    const NodeId id = step_.nodes[n];
    const Node& node = plan_.node(id);
    std::vector<RegisterId> inputs, outputs;
    for (const NodeId input : node.inputs)
      inputs.push_back(register_of_.at(read_through(plan_, step_, input)));
    const Block<T> block = choose_block(*node.op()->elementwise(), inputs);
    if (node.tuple)
      for (const Expr& output : plan_.program.graph->outputs(id))
        outputs.push_back(add_output(output.id(), n));
    else
      outputs.push_back(add_output(id, n));
    add_code(block, node.op(), inputs, outputs);
  }

  // A value's own buffer, if it is wanted outside and may be written at once; a tile, if not.
  RegisterId add_output(NodeId value, std::size_t n) {
    const auto result = std::ranges::find(step_.results, value, &Step::Result::node);
    const bool is_result = result != step_.results.end();
    if (is_result && !result->deferred)
      return register_of_[value] = add_register(
                 Kind::buffer, call_.outputs[static_cast<std::size_t>(result - step_.results.begin())]);
    const RegisterId tile = take_tile(n);
    registers_[tile].busy_until = is_result ? forever : std::max(n + 1, last_reader(plan_, step_, value));
    return register_of_[value] = tile;
  }

  // A tile of which node n is the last reader, or that nobody reads from then on, or else a new one.
  RegisterId take_tile(std::size_t n) {
    const auto free = std::ranges::find_if(
        registers_, [&](const Register& r) { return r.kind == Kind::tile && r.busy_until <= n; });
    return free == registers_.end() ? add_register(Kind::tile)
                                    : static_cast<RegisterId>(free - registers_.begin());
  }

  // The block that takes the most of the scalars as such; the others are spread over tiles.
  Block<T> choose_block(const ElementwiseOp& op, std::vector<RegisterId>& inputs) {
    unsigned scalars = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (registers_[inputs[i]].kind == Kind::scalar) scalars |= 1U << i;
    unsigned taken = scalars;
    Block<T> block = nullptr;
    while ((block = std::get<Block<T>>(op.block(plan_.dtype, taken))) == nullptr)
      taken = (taken - 1) & scalars;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (((scalars & ~taken) >> i & 1U) != 0)
        inputs[i] = add_spread(registers_[inputs[i]].base, Access::scalar, 1);
    return block;
  }

  void size_tiles(Share share) {
    tiles_ = static_cast<std::size_t>(std::ranges::count(registers_, Kind::tile, &Register::kind));
    const std::size_t largest = tiles_ == 0 ? largest_without_tiles : largest_tile;
    const std::size_t affordable = tile_budget / (std::max<std::size_t>(tiles_, 1) * sizeof(T));
    std::size_t tile = std::clamp(affordable, smallest_tile, largest) / 16 * 16;
    // A tile of whole rows: a row operand is then spread once a run, not once a tile.
    std::size_t row = 1;
    for (const auto& spread : loop_.spreads)
      if (spread.access == Access::row) row = std::max(row, spread.period);
    if (row <= tile) tile = tile / row * row;
    loop_.tile = std::min(tile, loop_.panel > 0 ? loop_.panel : count_);
    if (loop_.panel > 0) return;
    // A share is of whole tiles, like every other tile.
    const auto tiles = static_cast<std::int64_t>((count_ + loop_.tile - 1) / loop_.tile);
    loop_.begin = static_cast<std::size_t>(share.begin(tiles)) * loop_.tile;
    loop_.end = std::min(static_cast<std::size_t>(share.end(tiles)) * loop_.tile, count_);
  }

  void resolve() {
    const std::size_t stride = align_up(loop_.tile * sizeof(T));
    loop_.memory = allocate_aligned(stride * tiles_ + loop_.panel * sizeof(T));
    std::byte* free = loop_.memory.get();
    for (Register& r : registers_)
      if (r.kind == Kind::tile) {
        r.base = reinterpret_cast<T*>(free);
        free += stride;
      }
    if (loop_.panel > 0) {
      loop_.producer.outputs = {reinterpret_cast<T*>(free)};
      registers_[register_of_.at(step_.nodes.front())].base = loop_.producer.outputs.front();
    }
    for (std::size_t i = 0; i < loop_.spreads.size(); ++i) {
      auto& spread = loop_.spreads[i];
      spread.tile = registers_[spread_tiles_[i]].base;
      if (spread.access == Access::row)
        spread.every_tile = loop_.tile % spread.period != 0 && loop_.tile < count_;
    }
    for (const RegisterId id : operands_) {
      const Register& r = registers_[id];
      if (r.kind == Kind::buffer || r.kind == Kind::panel)
        loop_.cursors.push_back({loop_.pointers.size(), r.base, r.kind == Kind::panel});
      loop_.pointers.push_back(r.base);
    }
    T** const pointers = loop_.pointers.data();
    for (const Code& code : codes_)
      loop_.calls.push_back({code.block, code.op, pointers + code.inputs, pointers + code.outputs});
  }

  const Plan& plan_;
  const Step& step_;
  const KernelCall<T>& call_;
  std::size_t count_;
  TileLoop<T> loop_;
  std::vector<Register> registers_;
  std::vector<Code> codes_;
  std::vector<RegisterId> operands_;                    // the registers of all codes
  std::unordered_map<NodeId, RegisterId> register_of_;  // by what the loop reads and computes
  std::vector<RegisterId> spread_tiles_;                // by spread
  std::size_t tiles_ = 0;
};

}  // namespace

template <class T>
TileLoop<T> lower_loop(const Plan& plan, const Step& step, const KernelCall<T>& call, Share share) {
  return LoopLowering<T>(plan, step, call).make(share);
}

template TileLoop<float> lower_loop(const Plan&, const Step&, const KernelCall<float>&, Share);
template TileLoop<double> lower_loop(const Plan&, const Step&, const KernelCall<double>&, Share);

}  // namespace gradus
