// Where the first value that is not finite came from: a training is the same bits whenever it is repeated, so
// the steps since the mark are run again, up to the one whose values are then looked at node by node.
#include <fmt/format.h>

#include <algorithm>

#include "gradus/inspect/nan_trace.hpp"
#include "models/train/trainer_impl.hpp"

namespace gradus {

template <class T>
void Trainer<T>::Impl::mark() {
  const auto names = store.names();
  marked.resize(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto values = store.values(names[i]);
    marked[i].assign(values.begin(), values.end());
  }
  mark_step = at.step;
}

template <class T>
std::string Trainer<T>::Impl::find_nan() {
  const auto names = store.names();
  for (std::size_t i = 0; i < marked.size(); ++i)
    std::ranges::copy(marked[i], store.values(names[i]).begin());
  std::vector<Expr> looked_at{training->loss};
  for (const Update& update : training->updates) looked_at.push_back(update.value);

  const std::int64_t bad = at.step - 1;
  for (at.step = mark_step; at.step <= bad; ++at.step) {
    for (const auto& callback : step_callbacks) callback->on_step_begin(*this);
    const auto wanted = rows_of_step(at.step);
    auto& program = step_programs.at(static_cast<std::int64_t>(wanted.size()));
    // Parameters may have gone wrong one step before the loss.
    if (at.step >= bad - 1) {
      data->fill(wanted, program.buffers);
      Point point;
      for (const std::string& name : names) {
        const auto values = store.values(name);
        point[name].assign(values.begin(), values.end());
      }
      const auto feeds = training->inputs.size();
      for (std::size_t i = 0; i <= feeds; ++i) {
        const Expr& feed = i < feeds ? training->inputs[i] : training->target;
        point[training->graph[feed.id()].label].assign(program.buffers[i].begin(), program.buffers[i].end());
      }
      const auto batch = static_cast<std::int64_t>(wanted.size());
      if (const auto trace = trace_nan<T>(looked_at, point, batch))
        return fmt::format("epoch {}, step {}: {}", at.epoch + 1, at.step + 1, trace->text);
    }
    if (at.step < bad) run_step(program, at.step);
  }
  return fmt::format(
      "epoch {}, step {}: the loss is not finite, though every node is when computed by itself", at.epoch + 1,
      bad + 1);
}

template void Trainer<float>::Impl::mark();
template void Trainer<double>::Impl::mark();
template std::string Trainer<float>::Impl::find_nan();
template std::string Trainer<double>::Impl::find_nan();

}  // namespace gradus
