#include "framework/compile/elementwise_program.hpp"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "gradus/graph/leaf.hpp"

namespace gradus {

namespace {

// All tiles of a group together stay within half of a small first-level cache.
constexpr std::size_t tile_budget = 16UL * 1024;
constexpr std::size_t smallest_tile = 128;
constexpr std::size_t largest_tile = 1024;
// Where all is in buffers that are walked along.
constexpr std::size_t largest_without_tiles = 4096;

template <class T>
void copy_block(const Op* const*, const T* const* inputs, T* const* outputs, std::size_t n) {
  if (inputs[0] != outputs[0]) std::memcpy(outputs[0], inputs[0], n * sizeof(T));
}

}  // namespace

template <class T>
std::uint32_t ElementwiseProgram<T>::add_register(T* base, Kind kind) {
  registers_.push_back({base, kind});
  const auto index = static_cast<std::uint32_t>(registers_.size() - 1);
  if (kind == Kind::tile) tile_registers_.push_back(index);
  return index;
}

template <class T>
ElementwiseProgram<T>::ElementwiseProgram(const Plan& plan, const Step& step,
                                          const std::vector<const T*>& operands,
                                          const std::vector<T*>& results, Share share) {
  count_ = static_cast<std::size_t>(element_count(plan.value(step.results.front().value).extents));
  if (step.producer_operands > 0) make_producer(plan, step, operands, share);
  assemble(plan, step, operands, results);
  join();
  make_tiles();
  link();
  take_share(share);
}

template <class T>
void ElementwiseProgram<T>::take_share(Share share) {
  if (panel_rows_ > 0) {
    from_ = static_cast<std::size_t>(first_row_) * row_size_;
    to_ = static_cast<std::size_t>(last_row_) * row_size_;
    return;
  }
  // Of whole tiles, as every other tile.
  const auto tiles = static_cast<std::int64_t>((count_ + tile_ - 1) / tile_);
  from_ = static_cast<std::size_t>(share.begin(tiles)) * tile_;
  to_ = std::min(static_cast<std::size_t>(share.end(tiles)) * tile_, count_);
}

template <class T>
std::optional<StraightProgram<T>> ElementwiseProgram<T>::straight() const {
  if (tile_ < count_ || to_ - from_ < count_ || produce_ != nullptr || !spreads_.empty() ||
      !scalar_tiles_.empty())
    return std::nullopt;
  return StraightProgram<T>{produce_all_, producer_inputs_, produce_all_ ? registers_[panel_].base : nullptr,
                            calls_, count_};
}

template <class T>
void ElementwiseProgram<T>::make_producer(const Plan& plan, const Step& step,
                                          const std::vector<const T*>& operands, Share share) {
  const NodeId id = step.nodes.front();
  const Signature signature = signature_of(*plan.program.graph, id, plan.batch);
  producer_inputs_.assign(operands.begin(),
                          operands.begin() + static_cast<std::ptrdiff_t>(step.producer_operands));
  panel_ = add_register(nullptr, Kind::panel);
  const Op& op = *plan.node(id).op;
  const std::int64_t rows = signature.output.front();
  first_row_ = share.begin(rows);
  last_row_ = share.end(rows);
  row_size_ = count_ / static_cast<std::size_t>(rows);
  const std::size_t fitting = panel_bytes / (row_size_ * sizeof(T));
  panel_rows_ = last_row_ - first_row_;
  if (count_ * sizeof(T) > panel_bytes && op.rows_are_cheap(signature, sizeof(T)))
    panel_rows_ = std::clamp<std::int64_t>(static_cast<std::int64_t>(fitting), 1, panel_rows_);
  if (panel_rows_ == rows)
    produce_all_ = op.kernel(signature, T{});
  else
    produce_ = op.row_kernel(signature, T{});
}

template <class T>
void ElementwiseProgram<T>::assemble(const Plan& plan, const Step& step,
                                     const std::vector<const T*>& operands, const std::vector<T*>& results) {
  std::unordered_map<NodeId, std::uint32_t> registers;  // by operand, or by node that the group computes
  for (std::size_t i = step.producer_operands; i < step.operands.size(); ++i)
    registers.emplace(step.operands[i].node, add_operand(plan, step.operands[i], operands[i]));
  const std::size_t first = step.producer_operands > 0 ? 1 : 0;
  if (first > 0) registers.emplace(step.nodes.front(), panel_);
  for (std::size_t c = first; c < step.nodes.size(); ++c) registers.emplace(step.nodes[c], 0);
  // What stands for a node's input: itself, or the operand that it broadcasts.
  const auto read_as = [&](NodeId input) {
    return registers.contains(input) ? input : plan.node(input).inputs.front();
  };
  std::unordered_map<NodeId, std::size_t> last_reader;
  for (std::size_t c = first; c < step.nodes.size(); ++c)
    for (const NodeId input : plan.node(step.nodes[c]).inputs) last_reader[read_as(input)] = c;
  // A result may lie where an operand lies, and must not be written while that is still to be read.
  const auto read_after = [&](const T* buffer, std::size_t c) {
    for (std::size_t i = step.producer_operands; i < step.operands.size(); ++i)
      if (operands[i] == buffer && last_reader.at(step.operands[i].node) > c) return true;
    return false;
  };

  struct Late {
    std::uint32_t from;
    T* to;
  };
  std::vector<Late> late;
  std::vector<std::uint32_t> free_tiles;
  std::unordered_map<NodeId, bool> in_tile;  // temporaries, which give their tile back
  for (std::size_t c = first; c < step.nodes.size(); ++c) {
    const NodeId id = step.nodes[c];
    const Node& node = plan.node(id);
    Code code{nullptr, 0, {node.op.get()}, {}, {}};
    unsigned scalars = 0;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const NodeId input = read_as(node.inputs[i]);
      const std::uint32_t reg = registers.at(input);
      code.inputs.push_back(reg);
      if (registers_[reg].kind == Kind::scalar) scalars |= 1U << i;
      if (last_reader.at(input) == c && in_tile[input]) {
        free_tiles.push_back(reg);
        in_tile[input] = false;
      }
    }
    choose_block(code, scalars);
    const auto result = std::ranges::find(step.results, id, &Step::Result::node);
    T* destination = result == step.results.end()
                         ? nullptr
                         : results[static_cast<std::size_t>(result - step.results.begin())];
    std::uint32_t output = 0;
    if (destination != nullptr && !read_after(destination, c)) {
      output = add_register(destination, Kind::walking);
    } else if (!free_tiles.empty()) {
      output = free_tiles.back();
      free_tiles.pop_back();
    } else {
      output = add_register(nullptr, Kind::tile);
    }
    if (destination == nullptr) in_tile[id] = true;
    if (destination != nullptr && registers_[output].kind == Kind::tile)
      late.push_back({output, destination});
    registers[id] = output;
    code.outputs.push_back(output);
    codes_.push_back(std::move(code));
  }
  for (const Late& l : late)
    codes_.push_back({&copy_block<T>, 0, {}, {l.from}, {add_register(l.to, Kind::walking)}});
}

// The kernel that takes the most of these inputs as scalars; the others are spread over tiles.
template <class T>
void ElementwiseProgram<T>::choose_block(Code& code, unsigned scalars) {
  code.scalars = scalars;
  while ((code.block = code.ops.front()->block(T{}, code.scalars)) == nullptr)
    code.scalars = (code.scalars - 1) & scalars;
  for (std::size_t i = 0; i < code.inputs.size(); ++i) {
    if (((scalars & ~code.scalars) >> i & 1U) == 0) continue;
    const std::uint32_t tile = add_register(nullptr, Kind::tile);
    scalar_tiles_.emplace_back(code.inputs[i], tile);
    code.inputs[i] = tile;
  }
}

template <class T>
std::uint32_t ElementwiseProgram<T>::add_operand(const Plan& plan, const Operand& operand, const T* data) {
  if (operand.value < 0) {
    const auto number = dynamic_cast<const Full&>(*plan.node(operand.node).op).resolve(plan.batch);
    numbers_.emplace_back(add_register(nullptr, Kind::scalar), static_cast<T>(number));
    return numbers_.back().first;
  }
  if (operand.access == Access::full || operand.access == Access::scalar) {
    const Kind kind = operand.access == Access::full ? Kind::walking : Kind::scalar;
    return add_register(const_cast<T*>(data), kind);
  }
  const std::uint32_t tile = add_register(nullptr, Kind::tile);
  spreads_.push_back({data, operand.access, static_cast<std::size_t>(operand.period), tile, true});
  return tile;
}

template <class T>
void ElementwiseProgram<T>::make_tiles() {
  const std::size_t tiles = std::max<std::size_t>(tile_registers_.size(), 1);
  const std::size_t largest = tile_registers_.empty() ? largest_without_tiles : largest_tile;
  tile_ = std::clamp(tile_budget / (tiles * sizeof(T)), smallest_tile, largest) / 16 * 16;
  // A tile of whole rows: a row operand is then spread once a run, not once a tile.
  std::size_t row = 1;
  for (const Spread& s : spreads_)
    if (s.access == Access::row) row = std::max(row, s.period);
  if (row <= tile_) tile_ = tile_ / row * row;
  const std::size_t run = panel_rows_ > 0 ? static_cast<std::size_t>(panel_rows_) * row_size_ : count_;
  tile_ = std::min(tile_, run);
  for (Spread& s : spreads_)
    s.every_tile =
        s.access == Access::column || (s.access == Access::row && tile_ % s.period != 0 && tile_ < count_);

  const std::size_t stride = align_up(tile_ * sizeof(T));
  memory_ = allocate_aligned(stride * tile_registers_.size() + (panel_rows_ > 0 ? run * sizeof(T) : 0));
  for (std::size_t i = 0; i < tile_registers_.size(); ++i)
    registers_[tile_registers_[i]].base = reinterpret_cast<T*>(memory_.get() + i * stride);
  if (panel_rows_ > 0)
    registers_[panel_].base = reinterpret_cast<T*>(memory_.get() + stride * tile_registers_.size());
  for (auto& [reg, number] : numbers_) registers_[reg].base = &number;
}

// Codes take in those just before them that make their inputs.
template <class T>
void ElementwiseProgram<T>::join() {
  std::vector<Code> kept;
  for (Code& code : codes_) {
    take_makers(code, kept);
    kept.push_back(std::move(code));
  }
  codes_ = std::move(kept);
}

template <class T>
void ElementwiseProgram<T>::take_makers(Code& code, std::vector<Code>& before) {
  if (code.ops.empty()) return;                    // a copy
  std::vector<const Op*> ops(code.inputs.size());  // by input
  std::vector<const Code*> makers(code.inputs.size());
  const auto read_by_maker = [&](std::uint32_t reg) {
    return std::ranges::any_of(
        makers, [&](const Code* m) { return m != nullptr && std::ranges::count(m->inputs, reg) > 0; });
  };
  for (std::size_t first = before.size(); first > 0; --first) {
    const Code& maker = before[first - 1];
    const std::uint32_t output = maker.outputs.front();
    const auto input = static_cast<std::size_t>(std::ranges::find(code.inputs, output) - code.inputs.begin());
    // A joint block reads whatever is given before it writes: nothing but this one input may be what it
    // makes.
    if (std::ranges::count(code.inputs, output) != 1 || makers[input] != nullptr || maker.ops.size() != 1 ||
        maker.scalars != 0 || read_by_maker(output))
      return;
    makers[input] = &maker;
    ops[input] = maker.ops.front();
    const Block<T> block = code.ops.front()->joint_block(T{}, ops, code.scalars);
    if (block == nullptr) continue;
    Code joint{block, code.scalars, code.ops, {}, code.outputs};
    for (std::size_t i = 0; i < makers.size(); ++i) {
      if (makers[i] == nullptr) {
        joint.inputs.push_back(code.inputs[i]);
        continue;
      }
      joint.ops.push_back(ops[i]);
      joint.inputs.insert(joint.inputs.end(), makers[i]->inputs.begin(), makers[i]->inputs.end());
      joint.outputs.push_back(makers[i]->outputs.front());
    }
    before.resize(first - 1);
    code = std::move(joint);
    return;
  }
}

// Places where the first tile begins.
template <class T>
void ElementwiseProgram<T>::link() {
  for (const Code& code : codes_)
    for (const auto* registers : {&code.inputs, &code.outputs})
      for (const std::uint32_t reg : *registers) {
        if (registers_[reg].kind == Kind::walking || registers_[reg].kind == Kind::panel)
          walkers_.push_back({places_.size(), reg});
        places_.push_back(registers_[reg].base);
      }
  T** place = places_.data();
  for (const Code& code : codes_) {
    T** const outputs = place + code.inputs.size();
    calls_.push_back({code.block, code.ops.data(), place, outputs});
    place = outputs + code.outputs.size();
  }
}

template <class T>
void ElementwiseProgram<T>::spread(const Spread& what, std::size_t start, std::size_t n) {
  T* tile = registers_[what.tile].base;
  if (what.access == Access::row) {
    // The row from `start` on, and then again and again all that is there already.
    const std::size_t from = start % what.period;
    std::size_t done = std::min(what.period - from, n);
    std::copy_n(what.source + from, done, tile);
    if (done < n) {
      const std::size_t rest = std::min(from, n - done);
      std::copy_n(what.source, rest, tile + done);
      done += rest;
    }
    while (done < n) {
      const std::size_t length = std::min(done, n - done);
      std::copy_n(tile, length, tile + done);
      done += length;
    }
  } else {
    for (std::size_t done = 0; done < n;) {
      const std::size_t index = (start + done) / what.period;
      const std::size_t length = std::min((index + 1) * what.period - (start + done), n - done);
      std::fill_n(tile + done, length, what.source[index]);
      done += length;
    }
  }
}

template <class T>
void ElementwiseProgram<T>::run() {
  for (const Spread& s : spreads_)
    if (!s.every_tile) spread(s, 0, tile_);
  for (const auto& [scalar, tile] : scalar_tiles_)
    std::fill_n(registers_[tile].base, tile_, *registers_[scalar].base);
  if (produce_ == nullptr) {
    if (produce_all_ != nullptr) produce_all_(producer_inputs_.data(), registers_[panel_].base);
    return run_range(from_, to_);
  }
  for (std::int64_t row = first_row_; row < last_row_; row += panel_rows_) {
    const std::int64_t end = std::min(last_row_, row + panel_rows_);
    produce_(producer_inputs_.data(), registers_[panel_].base, row, end);
    panel_start_ = static_cast<std::size_t>(row) * row_size_;
    run_range(panel_start_, static_cast<std::size_t>(end) * row_size_);
  }
}

template <class T>
void ElementwiseProgram<T>::run_range(std::size_t from, std::size_t to) {
  for (const Walker& w : walkers_) {
    const Register& r = registers_[w.from];
    places_[w.place] = r.base + (r.kind == Kind::panel ? from - panel_start_ : from);
  }
  for (std::size_t start = from; start < to; start += tile_) {
    const std::size_t n = std::min(tile_, to - start);
    for (const Spread& s : spreads_)
      if (s.every_tile) spread(s, start, n);
    for (const BlockCall<T>& call : calls_) call.block(call.ops, call.inputs, call.outputs, n);
    for (const Walker& w : walkers_) places_[w.place] += n;
  }
}

template class ElementwiseProgram<float>;
template class ElementwiseProgram<double>;

}  // namespace gradus
