#include "models/train/nan_replay.hpp"

#include <algorithm>

#include "gradus/inspect/nan_trace.hpp"

namespace gradus {

namespace {

// The values of all leaves of the training graph before a step: the store's variables, and what it is fed.
template <class T>
Point point_before(const Step<T>& step, const ModelGraph& training, const Store<T>& store) {
  Point point;
  for (const std::string& name : store.names()) {
    const auto values = store.values(name);
    point[name].assign(values.begin(), values.end());
  }
  const auto& buffers = step.program.buffers;
  step.data.fill(step.rows, buffers);
  const auto inputs = training.inputs.size();
  for (std::size_t i = 0; i <= inputs; ++i) {
    const Expr& feed = i < inputs ? training.inputs[i] : training.target;
    point[training.graph[feed.id()].label].assign(buffers[i].begin(), buffers[i].end());
  }
  return point;
}

}  // namespace

template <class T> void NanReplay<T>::mark(const Store<T>& store, std::int64_t step) {
  const auto names = store.names();
  values_.resize(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto values = store.values(names[i]);
    values_[i].assign(values.begin(), values.end());
  }
  step_ = step;
}

template <class T>
std::optional<std::string> NanReplay<T>::find(const ModelGraph& training, Store<T>& store, std::int64_t bad,
                                              const BeginStep& begin_step) const {
  const auto names = store.names();
  for (std::size_t i = 0; i < values_.size(); ++i)
    std::ranges::copy(values_[i], store.values(names[i]).begin());
  std::vector<Expr> looked_at{training.loss};
  for (const Update& update : training.updates) looked_at.push_back(update.value);

  for (std::int64_t i = step_; i <= bad; ++i) {
    const Step<T> step = begin_step(i);
    // Parameters may have gone wrong one step before the loss.
    if (i >= bad - 1) {
      const Point point = point_before(step, training, store);
      if (const auto trace = trace_nan<T>(looked_at, point, static_cast<std::int64_t>(step.rows.size())))
        return trace->text;
    }
    if (i < bad) step.run();
  }
  return std::nullopt;
}

template class NanReplay<float>;
template class NanReplay<double>;

}  // namespace gradus
