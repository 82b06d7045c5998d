#include "gradus/runtime/executable.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "framework/compile/compile.hpp"
#include "framework/compile/lower.hpp"
#include "framework/runtime/execute.hpp"
#include "framework/runtime/row_feeder.hpp"
#include "framework/runtime/store_state.hpp"
#include "gradus/runtime/flush_to_zero.hpp"

namespace gradus {

template <class T> T TensorView<T>::item() const {
  if (values.size() != 1)
    throw Error(fmt::format("item: the output has shape {}, not one element", to_string(extents)));
  return values.front();
}

namespace {

constexpr int most_threads = 256;

// Error when an update is left out that the graph requires, of a program that trains or reads the state.
void require_updates(const Graph& graph, std::span<const Update> updates, const Graph& program) {
  for (const NodeId owed : graph.required_updates()) {
    const Node& state = graph[owed];
    const auto is_it = [&](const Update& update) { return update.variable.id() == owed; };
    if (std::ranges::any_of(updates, is_it)) continue;
    bool is_read = false;
    for (NodeId id = 0; id < program.size(); ++id) is_read |= program[id].identity() == state.identity();
    if (is_read || !updates.empty())
      throw Error(fmt::format(
          "compile: each step of training is to update '{}', made at {}, but the updates lack it; append "
          "those of the mode, mode.updates(), to those of the optimizer",
          state.label, to_string(state.where)));
  }
}

// A store serves one run at a time; two at once would read each other's half-made updates. Checked where it
// costs nothing that matters: in builds without NDEBUG.
class RunGuard {
 public:
#ifdef NDEBUG
  explicit RunGuard(std::atomic<bool>&) {}
#else
  explicit RunGuard(std::atomic<bool>& running) : running_(running) {
    if (running_.exchange(true, std::memory_order_acquire))
      throw Error(
          "run: another executable is running on the same store; give each thread a store of its own");
  }
  ~RunGuard() { running_.store(false, std::memory_order_release); }
  RunGuard(const RunGuard&) = delete;
  RunGuard& operator=(const RunGuard&) = delete;

 private:
  std::atomic<bool>& running_;
#endif
};

}  // namespace

template <class T> struct Executable<T>::Impl {
  using Slot = InputSlot<T>;

  Impl(Plan made, Store<T>& store, const CompileOptions& options)
      : plan(std::move(made)), state(store.state_), poison(options.reuse == Reuse::poisoned) {
    arena = allocate_aligned(plan.arena_bytes);
    pinned = allocate_aligned(plan.pinned_bytes);
    for (const Buffer& buffer : plan.buffers) {
      if (buffer.space == Buffer::Space::constant) fill_constant(buffer);
      if (buffer.space == Buffer::Space::variable) {
        const std::string& name = plan.node(buffer.node).variable()->name;
        variables.emplace_back(name, state->find(name).memory);
      }
    }
    for (const NodeId id : plan.program.inputs) add_input(id);
    instructions = lower<T>(
        plan, [this](const Buffer& buffer) { return data(buffer); }, options.threads);
    find_pointers<T>(instructions, inputs);
    const auto is_parallel = [](const Instruction<T>& i) {
      return std::holds_alternative<ParallelParts<T>>(i);
    };
    if (std::ranges::any_of(instructions, is_parallel))
      workers = std::make_unique<Workers>(static_cast<std::size_t>(options.threads) - 1);
    for (std::size_t i = 0; i < plan.outputs.size(); ++i)
      outputs.push_back(
          {plan.node(plan.program.outputs[i]).shape.resolve(plan.dims), data(plan.buffer(plan.outputs[i]))});
    for (Output& output : outputs) note_pointer<T>(output.data, inputs);
  }

  T* data(const Buffer& buffer) const {
    if (buffer.space == Buffer::Space::variable)
      return state->find(plan.node(buffer.node).variable()->name).data();
    const auto& memory = buffer.space == Buffer::Space::arena ? arena : pinned;
    return reinterpret_cast<T*>(memory.get() + buffer.offset);
  }

  void fill_constant(const Buffer& buffer) {
    const Node& node = plan.node(buffer.node);
    if (const Full* full = node.full())
      std::fill_n(data(buffer), element_count(buffer.extents), static_cast<T>(full->resolve(plan.dims)));
    else
      std::ranges::transform(node.constant()->values, data(buffer),
                             [](double v) { return static_cast<T>(v); });
  }

  void add_input(NodeId id) {
    const auto buffer = std::ranges::find_if(
        plan.buffers, [&](const Buffer& b) { return b.node == id && b.space == Buffer::Space::input; });
    const Input* leaf = plan.node(id).input();
    const auto count = static_cast<std::size_t>(element_count(buffer->extents));
    const Shape& shape = plan.node(id).shape;
    const bool has_rows = shape.rank() > 0 && shape[0].per_batch() > 0 && shape[0].constant() == 0;
    inputs.push_back({leaf, leaf->name, buffer->extents, count, data(*buffer), has_rows});
  }

  Slot& find(const Expr& expr) {
    const auto found = std::ranges::find(inputs, expr.graph()[expr.id()].input(), &Slot::leaf);
    if (found == inputs.end()) unknown(expr.graph().describe(expr.id()));
    return *found;
  }

  Slot& find(std::string_view name) {
    const auto found = std::ranges::find(inputs, name, &Slot::name);
    if (found == inputs.end()) unknown(fmt::format("'{}'", name));
    return *found;
  }

  [[noreturn]] void unknown(const std::string& what) const {
    std::vector<std::string_view> names;
    for (const Slot& slot : inputs) names.push_back(slot.name);
    throw Error(fmt::format("feed: {} is not an input of this program; its inputs are: {}", what,
                            names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
  }

  static void feed(Slot& slot, std::span<const T> values) {
    if (values.size() != slot.count)
      throw Error(fmt::format("feed: '{}' has shape {}: {} values, not {}", slot.name,
                              to_string(slot.extents), slot.count, values.size()));
    std::copy_n(values.data(), values.size(), slot.data);
    slot.fed = true;
  }

  static void feed(Slot& slot, std::span<const T> values, const Extents& extents) {
    if (extents != slot.extents)
      throw Error(fmt::format(
          "feed: '{}' has shape {}, not {}; reshape or transpose the values, or compile for another batch",
          slot.name, to_string(slot.extents), to_string(extents)));
    feed(slot, values);
  }

  void check_fed() {
    const auto unfed = std::ranges::find(inputs, false, &Slot::fed);
    if (unfed != inputs.end())
      throw Error(fmt::format("run: input '{}' {} was never fed", unfed->name, to_string(unfed->extents)));
    all_fed = true;
  }

  template <class AfterStep = std::nullptr_t> void run(AfterStep after_step = {}) {
    if (!all_fed) check_fed();
    const FlushToZero flush;
    const RunGuard guard(state->running);
    run_instructions(after_step);
  }

  void run(const Steps<T>& steps) {
    if (!steps.losses.empty()) check_losses(steps);
    RowFeeder<T> feeder(inputs, steps, plan.dims.batch);
    for (const auto& [input, values] : steps.inputs) feeder.use(find(input), values);
    feeder.check();
    check_fed();
    all_fed = steps.inputs.empty();
    const FlushToZero flush;
    const RunGuard guard(state->running);
    for (std::int64_t i = 0; i < steps.count; ++i) {
      feeder.feed();
      run_instructions();
      if (!steps.losses.empty()) steps.losses[static_cast<std::size_t>(i)] = *outputs.front().data;
    }
  }

  void check_losses(const Steps<T>& steps) const {
    if (!std::cmp_equal(steps.losses.size(), steps.count))
      throw Error(
          fmt::format("run: there is room for {} losses of {} steps", steps.losses.size(), steps.count));
    if (outputs.empty() || element_count(outputs.front().extents) != 1)
      throw Error(fmt::format("run: losses are those of the first output, which {}",
                              outputs.empty() ? "the program lacks" : "is not a single number"));
  }

  // All instructions in one go or, with a function to be called after each, one by one.
  template <class AfterStep = std::nullptr_t> void run_instructions(AfterStep after_step = {}) {
    // All bits set is a NaN.
    if (poison) std::memset(arena.get(), 0xFF, plan.arena_bytes);
    std::size_t at = 0;
    try {
      if constexpr (std::is_null_pointer_v<AfterStep>) {
        execute(std::span(instructions), workers.get(), at);
      } else {
        while (at < instructions.size()) {
          execute(std::span(instructions).subspan(at, 1), workers.get(), at);
          after_step();
        }
      }
    } catch (const RowError& error) {
      throw error.behind(place_of(at));
    } catch (const Error& error) {
      throw Error(place_of(at) + error.what());
    }
  }

  std::string place_of(std::size_t step) const {
    const Node& node = plan.node(plan.steps[step].nodes.front());
    return fmt::format("{} at {}: ", node.name(), to_string(node.where));
  }

  Plan plan;
  std::shared_ptr<typename Store<T>::State> state;
  bool poison;
  bool all_fed = false;
  AlignedBytes arena;
  AlignedBytes pinned;
  // Names and values, which a store may drop.
  std::vector<std::pair<std::string, std::shared_ptr<std::byte[]>>> variables;
  std::vector<Slot> inputs;
  std::vector<Instruction<T>> instructions;
  std::unique_ptr<Workers> workers;  // where any instruction has parts
  struct Output {
    Extents extents;
    const T* data;
  };
  std::vector<Output> outputs;
};

template <class T> Executable<T>::Executable(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
template <class T> Executable<T>::Executable(Executable&&) noexcept = default;
template <class T> Executable<T>& Executable<T>::operator=(Executable&&) noexcept = default;
template <class T> Executable<T>::~Executable() = default;

template <class T> void Executable<T>::feed(const Expr& input, std::span<const T> values) {
  Impl::feed(impl_->find(input), values);
}

template <class T> void Executable<T>::feed(std::string_view name, std::span<const T> values) {
  Impl::feed(impl_->find(name), values);
}

template <class T>
void Executable<T>::feed(const Expr& input, std::span<const T> values, const Extents& extents) {
  Impl::feed(impl_->find(input), values, extents);
}

template <class T>
void Executable<T>::feed(std::string_view name, std::span<const T> values, const Extents& extents) {
  Impl::feed(impl_->find(name), values, extents);
}

template <class T> bool Executable<T>::has_input(std::string_view name) const {
  return std::ranges::find(impl_->inputs, name, &Impl::Slot::name) != impl_->inputs.end();
}

template <class T> std::span<T> Executable<T>::buffer(const Expr& input) {
  auto& slot = impl_->find(input);
  slot.fed = true;
  return {slot.data, slot.count};
}

template <class T> void Executable<T>::run() { impl_->run(); }
template <class T> void Executable<T>::run(const Steps<T>& steps) { impl_->run(steps); }

template <class T> std::vector<double> Executable<T>::run_timed() {
  using Clock = std::chrono::steady_clock;
  std::vector<double> taken;
  taken.reserve(impl_->instructions.size());
  auto before = Clock::now();
  impl_->run([&] {
    const auto after = Clock::now();
    taken.push_back(std::chrono::duration<double, std::nano>(after - before).count());
    before = Clock::now();
  });
  return taken;
}

template <class T> TensorView<T> Executable<T>::output(std::size_t index) const {
  const Plan& plan = impl_->plan;
  if (index >= plan.outputs.size())
    throw Error(fmt::format("output: there is no output {}; the program has {}", index, plan.outputs.size()));
  const auto& [extents, data] = impl_->outputs[index];
  return {{data, static_cast<std::size_t>(element_count(extents))}, extents};
}

template <class T> bool Executable<T>::is_current() const {
  return std::ranges::all_of(impl_->variables, [&](const auto& variable) {
    const auto found = impl_->state->slots.find(variable.first);
    return found != impl_->state->slots.end() && found->second.memory == variable.second;
  });
}

template <class T> std::int64_t Executable<T>::batch() const { return impl_->plan.dims.batch; }

template <class T> const Plan& Executable<T>::plan() const { return impl_->plan; }

template <class T>
Executable<T> compile(std::span<const Expr> outputs, std::span<const Update> updates, std::int64_t batch,
                      Store<T>& store, const CompileOptions& options) {
  if (batch < 1) throw Error(fmt::format("compile: the batch is {}; it must be at least 1", batch));
  if (options.threads < 1 || options.threads > most_threads)
    throw Error(fmt::format("compile: {} threads; there must be 1 to {}", options.threads, most_threads));
  Plan plan = make_plan(outputs, updates,
                        {.dims = batch,
                         .dtype = dtype_of<T>,
                         .optimize = options.optimize,
                         .reuse = options.reuse,
                         .threads = options.threads,
                         .reproducible = options.reproducible,
                         .verify = options.verify});
  if (!options.same_draws)
    require_updates(updates.empty() ? outputs.front().graph() : updates.front().variable.graph(), updates,
                    *plan.program.graph);
  store.create(*plan.program.graph);
  return Executable<T>(std::make_unique<typename Executable<T>::Impl>(std::move(plan), store, options));
}

template class Executable<float>;
template class Executable<double>;
template struct TensorView<float>;
template struct TensorView<double>;
template Executable<float> compile GRADUS_PUBLIC(std::span<const Expr>, std::span<const Update>, std::int64_t,
                                                 Store<float>&, const CompileOptions&);
template Executable<double> compile GRADUS_PUBLIC(std::span<const Expr>, std::span<const Update>,
                                                  std::int64_t, Store<double>&, const CompileOptions&);

}  // namespace gradus
