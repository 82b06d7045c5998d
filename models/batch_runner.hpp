#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "gradus/framework/compile/executable.hpp"

namespace gradus {

/// Row numbers of a data set.
using Rows = std::vector<std::uint32_t>;

/// 0, 1, … count − 1.
Rows rows_in_order(std::int64_t count);

/// Writes the given rows' inputs and targets, row after row.
template <class T>
using RowSource =
    std::function<void(std::span<const std::uint32_t> rows, std::span<T> inputs, std::span<T> targets)>;

/// Two matrices of doubles as a data set: `inputs` and `targets` are row-major with as many rows.
template <class T>
RowSource<T> rows_of(std::vector<double> inputs, std::vector<double> targets, std::int64_t count);

/// Runs one program over the rows of a data set, batch by batch, the last one smaller if need be: an
/// executable for each batch size that occurs, all over one store.
template <class T>
class BatchRunner {
 public:
  /// The outputs must be scalars that are means over the batch (a loss, an accuracy).
  BatchRunner(std::vector<Expr> outputs, std::vector<Update> updates, Expr inputs, Expr targets,
              Store<T> store);

  /// Called after each batch with the rows done so far and the outputs' means over them.
  using Progress = std::function<void(std::int64_t rows_done, const std::vector<double>& means)>;

  /// One pass over `rows` in the given order. Returns each output's mean over the rows. Error when the batch
  /// is below 1.
  std::vector<double> run(std::span<const std::uint32_t> rows, std::int64_t batch, const RowSource<T>& source,
                          const Progress& progress = {});

 private:
  Executable<T>& executable(std::int64_t batch);

  std::vector<Expr> outputs_;
  std::vector<Update> updates_;
  Expr inputs_;
  Expr targets_;
  Store<T> store_;
  std::map<std::int64_t, Executable<T>> executables_;
};

extern template class BatchRunner<float>;
extern template class BatchRunner<double>;

}  // namespace gradus
