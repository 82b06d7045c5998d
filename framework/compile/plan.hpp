#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "framework/compile/program.hpp"

namespace GRADUS_PUBLIC gradus {

/// How a fused group reads an operand at element i.
enum class Access {
  full,    ///< [i]
  scalar,  ///< [0]
  row,     ///< [i mod period]: the operand's shape is the end of the group's
  column,  ///< [i / period]: the operand's last extents are 1
};

/// A value's number in its plan.
using ValueId = std::int32_t;

/// A buffer's worth of numbers. Views share their origin's value.
struct Value {
  /// Where a value lies: in the arena of temporaries, in the store, in a fed input, in a constant.
  enum class Place { arena, variable, input, constant };
  Place place = Place::arena;  ///< where it lies
  NodeId node = -1;            ///< the node that defines it
  Extents extents;             ///< of that node
  std::size_t bytes = 0;       ///< that it takes
  std::size_t offset = 0;      ///< in the arena, or in the arena of constants and inputs
  bool in_place = false;       ///< took over the buffer of an operand
};

/// How a step reads a value.
struct Operand {
  ValueId value = -1;            ///< which value; -1 for a number
  NodeId node = -1;              ///< the node read
  Access access = Access::full;  ///< how it is spread
  std::int64_t period = 1;       ///< of `Access::row` and `Access::column`
};

/// What one instruction does.
struct Step {
  /// A single op, a fused group of elementwise ops, or a copy of a value.
  enum class Kind { op, group, copy };
  Kind kind = Kind::op;           ///< which of them
  std::vector<NodeId> nodes;      ///< one op, or a fused group of elementwise ops in topological order
  std::vector<Operand> operands;  ///< what is read; for a group, each (node, access) once
  /// Not 0: the group's first node is another op, whose output the group reads row by row as it is made, and
  /// so many of the operands, the first ones, are that op's.
  std::size_t producer_operands = 0;
  struct Result {
    NodeId node;    ///< the node computed
    ValueId value;  ///< where it goes
  };
  std::vector<Result> results;  ///< what is written
};

/// A program with its schedule and the place of every value, for one batch size and one element size.
struct Plan {
  Program program;                ///< what is computed
  std::int64_t batch = 1;         ///< the size that B stands for
  std::size_t element_bytes = 0;  ///< 4 for float, 8 for double
  std::vector<Value> values;      ///< by number
  std::vector<Step> steps;        ///< in order of execution
  std::vector<ValueId> outputs;   ///< the value of each output of the program
  std::size_t arena_bytes = 0;    ///< temporaries and outputs, which share memory
  std::size_t pinned_bytes = 0;   ///< inputs and constants, which persist between runs

  /// A value by its number.
  const Value& value(ValueId id) const { return values[static_cast<std::size_t>(id)]; }
  /// A node of the program's graph.
  const Node& node(NodeId id) const { return (*program.graph)[id]; }
};

/// What the planner may do.
struct PlanOptions {
  Reuse reuse = Reuse::full;  ///< how values share the arena
  bool fuse = true;           ///< whether elementwise ops become groups
};

/// Outputs of producers up to this size are made at once, larger ones in panels of it: they stay in the
/// first-level cache until the group has read them.
constexpr std::size_t panel_bytes = 16UL * 1024;

/// What the kernel of a node is made for.
Signature signature_of(const Graph& graph, NodeId id, std::int64_t batch);

/// Groups, schedules, and places every value.
Plan make_plan(Program program, std::int64_t batch, std::size_t element_bytes, const PlanOptions& options);

}  // namespace gradus
