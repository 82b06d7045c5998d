#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "gradus/compile/options.hpp"
#include "gradus/runtime/store.hpp"

namespace GRADUS_PUBLIC gradus {

struct Plan;

/// The values of one output, row-major; valid until the next run.
template <class T> struct TensorView {
  std::span<const T> values;  ///< row-major
  const Extents& extents;     ///< of the tensor

  /// The only number of a scalar or one-element output.
  T item() const;
  operator T() const { return item(); }
};

/// Data in memory for one input, a row for each sample.
template <class T> struct InputRows {
  Expr input;                 ///< its first axis is the batch
  std::span<const T> values;  ///< row after row, row-major; read during the call alone
};

/// Many steps over data in memory. Step by step, each input is the next batch of its rows; with rows that no
/// longer fill a batch, it begins anew.
template <class T> struct Steps {
  std::vector<InputRows<T>> inputs;  ///< all with the same number of rows; other inputs stay as they were fed
  std::int64_t count = 1;            ///< how many steps
  std::span<const std::uint32_t> order =
      {};                    ///< the rows in the order in which they are taken; empty: as they lie
  std::span<T> losses = {};  ///< empty, or gets the first output, a single number, of each step
};

/// A graph, its gradient and its optimizer as one flat program over preallocated memory. `run` allocates
/// nothing, takes no lock and looks nothing up. Move-only; keeps its store's values alive.
template <class T> class Executable {
 public:
  /// Moves; programs are not copied.
  Executable(Executable&&) noexcept;
  Executable& operator=(Executable&&) noexcept;
  ~Executable();

  /// Copies an input's values, row-major; they stay for all later runs. By the leaf, or by its name. Error
  /// for an unknown input or a wrong count.
  void feed(const Expr& input, std::span<const T> values);
  void feed(std::string_view name, std::span<const T> values);
  void feed(const Expr& input, std::initializer_list<T> values) { feed(input, std::span(values)); }
  void feed(std::string_view name, std::initializer_list<T> values) { feed(name, std::span(values)); }
  /// As `feed`, checking the shape as well as the count.
  void feed(const Expr& input, std::span<const T> values, const Extents& extents);
  void feed(std::string_view name, std::span<const T> values, const Extents& extents);

  /// Whether the program reads an input of this name.
  bool has_input(std::string_view name) const;

  /// The input's own memory, to be filled by the caller: a feed without a copy. Counts as fed.
  std::span<T> buffer(const Expr& input);

  /// Computes the outputs, then sets the updated variables. Error when an input was never fed, or when a
  /// kernel meets a value that it cannot take (the updates are then undefined).
  void run();

  /// Runs many steps in one call. Rows that follow each other in memory are read where they lie, others are
  /// copied together; the results are those of feeding and running step by step. Afterwards the inputs that
  /// are named count as not fed. Allocates nothing. Error for an input without a batch axis or without rows
  /// enough for a batch, for numbers of rows that differ, for an order with a row that does not exist, and
  /// for another number of losses than of steps.
  void run(const Steps<T>& steps);

  /// As `run`, with a look at the clock after each step of the plan: the nanoseconds that it took. Allocates.
  std::vector<double> run_timed();

  /// The output given as `outputs[index]` to compile.
  TensorView<T> output(std::size_t index = 0) const;

  /// Whether its variables are still those of the store, which may have dropped one and made it anew.
  bool is_current() const;

  /// The batch size that it was compiled for.
  std::int64_t batch() const;
  /// Its steps and buffers, for dumps and pictures.
  const Plan& plan() const;

 private:
  struct Impl;
  explicit Executable(std::unique_ptr<Impl> impl);
  template <class U>
  friend Executable<U> compile(std::span<const Expr>, std::span<const Update>, std::int64_t, Store<U>&,
                               const CompileOptions&);

  std::unique_ptr<Impl> impl_;
};

/// Compiles outputs and updates for one batch size into a program over `store`, which gets the variables that
/// it lacks. Error when there is nothing to compute, the batch is below 1 or makes an extent less than 1, an
/// expression is a bare number, outputs and updates are of different graphs, or there are fewer threads than
/// 1 or more than 256.
template <class T>
Executable<T> compile(std::span<const Expr> outputs, std::span<const Update> updates, std::int64_t batch,
                      Store<T>& store, const CompileOptions& options = {});

/// The same, of outputs written out in braces.
template <class T>
Executable<T> compile(std::initializer_list<Expr> outputs, const std::vector<Update>& updates,
                      std::int64_t batch, Store<T>& store, const CompileOptions& options = {}) {
  return compile<T>(std::span(outputs.begin(), outputs.size()), std::span(updates), batch, store, options);
}

extern template class Executable<float>;
extern template class Executable<double>;

}  // namespace gradus
