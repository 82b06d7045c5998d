#pragma once

#include <span>
#include <string>
#include <vector>

#include "framework/compile/instruction.hpp"
#include "gradus/runtime/executable.hpp"

namespace gradus {

/// An input of a program, and its memory.
template <class T> struct InputSlot {
  /// A pointer of an instruction into the memory of the input, so many elements from its start.
  struct Pointer {
    const T** where;
    std::ptrdiff_t offset;
  };

  const Input* leaf = nullptr;
  std::string name;
  Extents extents;
  std::size_t count = 0;  ///< elements
  T* data = nullptr;
  bool has_rows = false;            ///< its first axis is the batch
  std::vector<Pointer> pointers{};  ///< all that the program reads it through
  bool fed = false;
  const T* rows = nullptr;   ///< what a RowFeeder feeds it with, if any
  std::size_t row_size = 0;  ///< of these

  /// From now on the program reads the input from here.
  void point_to(const T* memory) const {
    for (const Pointer& pointer : pointers) *pointer.where = memory + pointer.offset;
  }
};

/// If this points into the memory of an input, the input notes it. The inputs are in the order of their
/// memory.
template <class T> void note_pointer(const T*& pointer, std::span<InputSlot<T>> inputs);

/// Notes the pointers of all instructions.
template <class T> void find_pointers(std::span<Instruction<T>> instructions, std::span<InputSlot<T>> inputs);

/// While it lives, some inputs are fed with rows of data, step by step: where the rows of a batch follow each
/// other, the program is pointed there; else they are copied. Afterwards these inputs count as not fed.
template <class T> class RowFeeder {
 public:
  /// Both must outlive it.
  RowFeeder(std::span<InputSlot<T>> inputs, const Steps<T>& steps, std::int64_t batch)
      : inputs_(inputs), steps_(steps), batch_(static_cast<std::size_t>(batch)) {}
  ~RowFeeder();
  RowFeeder(const RowFeeder&) = delete;
  RowFeeder& operator=(const RowFeeder&) = delete;

  /// Has an input fed with these rows. Error when it has no rows, or not as many as the others.
  void use(InputSlot<T>& input, std::span<const T> rows);
  /// Error when the rows are too few for a batch, the order has one that does not exist, or there are less
  /// than no steps.
  void check() const;
  /// Feeds the next batch, which is the first one when no rows for another are left.
  void feed();

 private:
  std::size_t rows_taken() const { return steps_.order.empty() ? rows_ : steps_.order.size(); }

  std::span<InputSlot<T>> inputs_;
  const Steps<T>& steps_;
  std::size_t batch_;
  std::size_t rows_ = 0;  // of each input
  std::size_t next_ = 0;  // of the rows taken: where the next batch begins
};

}  // namespace gradus
