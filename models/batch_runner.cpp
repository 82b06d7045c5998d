#include "gradus/models/batch_runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace gradus {

Rows rows_in_order(std::int64_t count) {
  Rows rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

template <class T>
RowSource<T> rows_of(std::vector<double> inputs, std::vector<double> targets, std::int64_t count) {
  const auto width = inputs.size() / static_cast<std::size_t>(count);
  const auto target_width = targets.size() / static_cast<std::size_t>(count);
  return [=](std::span<const std::uint32_t> rows, std::span<T> x, std::span<T> t) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::copy_n(inputs.begin() + static_cast<std::ptrdiff_t>(rows[i] * width), width, &x[i * width]);
      std::copy_n(targets.begin() + static_cast<std::ptrdiff_t>(rows[i] * target_width), target_width,
                  &t[i * target_width]);
    }
  };
}

template <class T>
BatchRunner<T>::BatchRunner(std::vector<Expr> outputs, std::vector<Update> updates, Expr inputs, Expr targets,
                            Store<T> store)
    : outputs_(std::move(outputs)),
      updates_(std::move(updates)),
      inputs_(inputs),
      targets_(targets),
      store_(std::move(store)) {}

template <class T>
Executable<T>& BatchRunner<T>::executable(std::int64_t batch) {
  const auto found = executables_.find(batch);
  if (found != executables_.end()) return found->second;
  return executables_.emplace(batch, compile<T>(std::span(outputs_), std::span(updates_), batch, store_))
      .first->second;
}

template <class T>
std::vector<double> BatchRunner<T>::run(std::span<const std::uint32_t> rows, std::int64_t batch,
                                        const RowSource<T>& source, const Progress& progress) {
  if (batch < 1) throw Error(fmt::format("the batch size is {}; it must be at least 1", batch));
  std::vector<double> sums(outputs_.size(), 0);
  std::vector<double> means(outputs_.size(), 0);
  for (std::size_t done = 0; done < rows.size();) {
    const auto n = std::min(rows.size() - done, static_cast<std::size_t>(batch));
    Executable<T>& program = executable(static_cast<std::int64_t>(n));
    source(rows.subspan(done, n), program.buffer(inputs_), program.buffer(targets_));
    program.run();
    done += n;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      sums[i] += static_cast<double>(program.output(i).item()) * static_cast<double>(n);
      means[i] = sums[i] / static_cast<double>(done);
    }
    if (progress) progress(static_cast<std::int64_t>(done), means);
  }
  return means;
}

template class BatchRunner<float>;
template class BatchRunner<double>;
template RowSource<float> rows_of(std::vector<double>, std::vector<double>, std::int64_t);
template RowSource<double> rows_of(std::vector<double>, std::vector<double>, std::int64_t);

}  // namespace gradus
