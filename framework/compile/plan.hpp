#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "framework/compile/program.hpp"
#include "framework/graph/by_id.hpp"
#include "gradus/compile/options.hpp"

namespace GRADUS_PUBLIC gradus {

/// How a fused loop reads an operand at element i.
enum class Access {
  full,    ///< [i]
  scalar,  ///< [0]
  row,     ///< [i mod period]: the operand's shape is the end of the loop's
  column,  ///< [i / period]: the operand's last extents are 1
};

/// A buffer's number in its plan.
using BufferId = std::int32_t;
/// The number of no buffer.
inline constexpr BufferId no_buffer = -1;

/// Memory for the value of one node. Views share their origin's buffer.
struct Buffer {
  /// The kinds of memory: the arena of temporaries, the store, a fed input, a constant.
  enum class Space { arena, variable, input, constant };
  Space space = Space::arena;  ///< where it lies
  NodeId node = -1;            ///< the node that defines it; -1 for workspace
  Extents extents = {};        ///< of that node
  std::size_t bytes = 0;       ///< its size
  std::size_t offset = 0;      ///< in the arena, or in the memory of constants and inputs
  bool in_place = false;       ///< took over the memory of an operand
};

/// How a step reads a value.
struct Operand {
  BufferId buffer = no_buffer;   ///< where it lies; no_buffer for a number
  NodeId node = -1;              ///< the node read
  Access access = Access::full;  ///< how it is spread over a fused loop
  std::int64_t period = 1;       ///< of `Access::row` and `Access::column`
};

/// The work of one instruction.
struct Step {
  /// A single op's kernel, a fused loop of elementwise ops, or a copy of a value.
  enum class Kind { op, fused, copy };
  Kind kind = Kind::op;           ///< which of them
  std::vector<NodeId> nodes;      ///< what is computed, in topological order
  std::vector<Operand> operands;  ///< what is read; in a fused loop, each node once
  /// Not 0: the fused loop's first node is its producer, another op whose output the loop reads panel by
  /// panel as it is made, and that many of the operands, the first ones, are the producer's.
  std::size_t producer_operands = 0;
  /// A value that is written.
  struct Result {
    NodeId node = -1;             ///< the node computed
    BufferId buffer = no_buffer;  ///< where it goes
    bool deferred = false;        ///< written after the loop's last op, as an operand of that lies there
  };
  std::vector<Result> results;     ///< what is written; of an op, each output in order
  BufferId workspace = no_buffer;  ///< scratch memory of the op, for each thread one after the other

  /// The position in `nodes` of a fused loop's first elementwise node: its producer lies before it.
  std::size_t first_in_loop() const { return producer_operands > 0 ? 1 : 0; }
  /// The operands that a fused loop reads itself, without those of its producer.
  std::span<const Operand> loop_operands() const { return std::span(operands).subspan(producer_operands); }
  /// Whether a fused loop has this node among its own operands.
  bool reads(NodeId node) const {
    return std::ranges::find(loop_operands(), node, &Operand::node) != loop_operands().end();
  }
  /// The buffers of all operands that have one.
  std::vector<BufferId> buffers_read() const {
    std::vector<BufferId> found;
    for (const Operand& operand : operands)
      if (operand.buffer != no_buffer) found.push_back(operand.buffer);
    return found;
  }
};

/// A program as steps with a buffer for every value, for one element type and given sizes. The stages of
/// compile.hpp fill it in.
struct Plan {
  Program program;                ///< what is computed
  DimBindings dims;               ///< what symbols stand for
  DType dtype = DType::float32;   ///< of all tensors
  bool reproducible = false;      ///< the bits may depend on the shapes alone
  ById<Buffer> buffers;           ///< by number
  ById<Step> steps;               ///< in order of execution
  std::vector<BufferId> outputs;  ///< the buffer of each output of the program
  bool placed = false;            ///< whether buffers have their offsets yet
  std::size_t arena_bytes = 0;    ///< temporaries and outputs, which share memory
  std::size_t pinned_bytes = 0;   ///< inputs and constants, which persist between runs

  /// A buffer by its number.
  const Buffer& buffer(BufferId id) const { return buffers[id]; }
  /// A node of the program's graph.
  const Node& node(NodeId id) const { return (*program.graph)[id]; }
  /// The sizes for which a node's kernel is made.
  KernelShapes shapes(NodeId id) const {
    KernelShapes shapes = kernel_shapes(*program.graph, id, dims);
    shapes.reproducible = reproducible;
    return shapes;
  }
};

/// A producer's output is made in panels of about so many bytes, which stay in the first-level cache until
/// the fused loop has read them; or, where the op does much for each element and so gains by larger panels,
/// in the second-level cache.
std::size_t panel_bytes(const Op& op, const KernelShapes& shapes);

/// The node that a fused loop really reads for an input of one of its nodes: the input itself or, where the
/// loop spreads it on its own, what the input broadcasts.
NodeId read_through(const Plan& plan, const Step& loop, NodeId input);

/// The position in `loop.nodes` of the last node of a fused loop, its producer aside, that reads a value; 0
/// when none does.
std::size_t last_reader(const Plan& plan, const Step& loop, NodeId value);

/// The position in `loop.nodes` of the node that computes a value.
std::size_t position_of(const Plan& plan, const Step& loop, NodeId value);

}  // namespace gradus
