#include "gradus/runtime/executable.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "framework/compile/elementwise_program.hpp"
#include "framework/compile/plan.hpp"
#include "framework/runtime/store_state.hpp"
#include "framework/runtime/workers.hpp"
#include "gradus/graph/leaf.hpp"
#include "gradus/runtime/flush_to_zero.hpp"

namespace gradus {

template <class T>
T TensorView<T>::item() const {
  if (values.size() != 1)
    throw Error(fmt::format("item: the output has shape {}, not one element", to_string(extents)));
  return values.front();
}

namespace {

// One step with everything resolved: a kernel, or calls of blocks, or both; or a part for each thread.
template <class T>
struct Instruction {
  Kernel<T> kernel;
  std::vector<const T*> inputs;
  T* output;
  std::vector<BlockCall<T>> calls{};
  std::size_t count = 0;                           // of the elements that they work on
  std::shared_ptr<ElementwiseProgram<T>> owner{};  // of the memory that they work on
  std::vector<std::function<void()>> parts{};
};

// Sharing a step out costs some microseconds, as both threads wait for each other; below ten, one thread is
// as fast. What a core does in a nanosecond is meant roughly.
constexpr double least_nanoseconds = 10'000;
constexpr double flop_per_nanosecond = 32;
constexpr double bytes_per_nanosecond = 16;

double estimated_nanoseconds(const Plan& plan, const Step& step) {
  double flop = 0;
  for (const NodeId id : step.nodes)
    flop += plan.node(id).op->flop(signature_of(*plan.program.graph, id, plan.batch));
  std::size_t bytes = 0;
  for (const Operand& operand : step.operands)
    if (operand.value >= 0) bytes += plan.value(operand.value).bytes;
  for (const auto& result : step.results) bytes += plan.value(result.value).bytes;
  return flop / flop_per_nanosecond + static_cast<double>(bytes) / bytes_per_nanosecond;
}

constexpr int most_threads = 256;

// A store serves one run at a time; two at once would read each other's half-made updates. Checked where it
// costs nothing that matters: in builds without NDEBUG.
class RunGuard {
 public:
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
};

#ifdef NDEBUG
constexpr bool checks_runs = false;
#else
constexpr bool checks_runs = true;
#endif

}  // namespace

template <class T>
struct Executable<T>::Impl {
  struct Slot {
    const Op* leaf = nullptr;
    std::string label;
    Extents extents;
    std::size_t count = 0;
    T* data = nullptr;
    bool fed = false;
  };

  Impl(Plan made, Store<T>& store, const CompileOptions& options)
      : plan(std::move(made)),
        state(store.state_),
        poison(options.reuse == Reuse::poisoned),
        threads(options.threads) {
    arena = allocate_aligned(plan.arena_bytes);
    pinned = allocate_aligned(plan.pinned_bytes);
    for (const Value& value : plan.values)
      if (value.place == Value::Place::constant) fill_constant(value);
    for (const NodeId id : plan.program.inputs) add_input(id);
    for (const Step& step : plan.steps) instructions.push_back(instruction(step));
    const auto is_shared = [](const Instruction<T>& i) { return !i.parts.empty(); };
    if (std::ranges::any_of(instructions, is_shared))
      workers = std::make_unique<Workers>(static_cast<std::size_t>(threads) - 1);
    for (std::size_t i = 0; i < plan.outputs.size(); ++i)
      outputs.push_back(
          {plan.node(plan.program.outputs[i]).shape.resolve(plan.batch), data(plan.value(plan.outputs[i]))});
  }

  T* data(const Value& value) const {
    if (value.place == Value::Place::variable)
      return state->find(dynamic_cast<const Variable&>(*plan.node(value.node).op).label).data();
    const auto& memory = value.place == Value::Place::arena ? arena : pinned;
    return reinterpret_cast<T*>(memory.get() + value.offset);
  }

  void fill_constant(const Value& value) {
    const Op& op = *plan.node(value.node).op;
    const auto count = static_cast<std::size_t>(element_count(value.extents));
    if (const auto* full = dynamic_cast<const Full*>(&op))
      std::fill_n(data(value), count, static_cast<T>(full->resolve(plan.batch)));
    else
      std::ranges::transform(dynamic_cast<const Constant&>(op).values, data(value),
                             [](double v) { return static_cast<T>(v); });
  }

  void add_input(NodeId id) {
    const auto used = std::ranges::find_if(
        plan.values, [&](const Value& v) { return v.node == id && v.place == Value::Place::input; });
    const auto& leaf = dynamic_cast<const Input&>(*plan.node(id).op);
    const auto count = static_cast<std::size_t>(element_count(used->extents));
    inputs.push_back({&leaf, leaf.label, used->extents, count, data(*used), false});
  }

  Instruction<T> instruction(const Step& step) {
    std::vector<const T*> operands;
    std::vector<T*> results;
    for (const Operand& operand : step.operands)
      operands.push_back(operand.value < 0 ? nullptr : data(plan.value(operand.value)));
    for (const auto& result : step.results) results.push_back(data(plan.value(result.value)));
    if (auto shared = parts(step, operands, results); !shared.empty()) {
      Instruction<T> instruction{};
      instruction.parts = std::move(shared);
      return instruction;
    }
    if (step.kind == Step::Kind::group) {
      auto program = std::make_shared<ElementwiseProgram<T>>(plan, step, operands, results);
      if (auto straight = program->straight())
        return {std::move(straight->producer),
                std::move(straight->inputs),
                straight->output,
                std::move(straight->calls),
                straight->count,
                std::move(program)};
      return {[program](const T* const*, T*) { program->run(); }, std::move(operands), nullptr};
    }
    if (step.kind == Step::Kind::copy) {
      const std::size_t bytes = plan.value(step.results.front().value).bytes;
      return {[bytes](const T* const* in, T* out) { std::memcpy(out, in[0], bytes); }, std::move(operands),
              results.front()};
    }
    const Node& node = plan.node(step.nodes.front());
    const Signature signature = signature_of(*plan.program.graph, step.nodes.front(), plan.batch);
    return {node.op->kernel(signature, T{}), std::move(operands), results.front()};
  }

  // None where the step cannot be shared out, or is too small for that.
  std::vector<std::function<void()>> parts(const Step& step, const std::vector<const T*>& operands,
                                           const std::vector<T*>& results) const {
    std::vector<std::function<void()>> made;
    if (threads == 1 || step.kind == Step::Kind::copy ||
        estimated_nanoseconds(plan, step) < least_nanoseconds)
      return made;
    const Extents& extents = plan.value(step.results.front().value).extents;
    const bool is_group = step.kind == Step::Kind::group;
    const std::int64_t rows = extents.empty() ? 1 : extents.front();
    if ((!is_group || step.producer_operands > 0) && rows < threads) return made;
    for (Share share{0, threads}; share.index < share.count; ++share.index) {
      if (is_group) {
        made.push_back([program = std::make_shared<ElementwiseProgram<T>>(plan, step, operands, results,
                                                                          share)] { program->run(); });
        continue;
      }
      const NodeId id = step.nodes.front();
      const std::int64_t from = share.begin(rows), to = share.end(rows);
      auto kernel = plan.node(id).op->row_kernel(signature_of(*plan.program.graph, id, plan.batch), T{});
      if (kernel == nullptr) return {};
      T* first = results.front() + from * (element_count(extents) / rows);
      made.push_back([kernel = std::move(kernel), operands, first, from, to] {
        kernel(operands.data(), first, from, to);
      });
    }
    return made;
  }

  Slot& find(const Expr& expr) {
    const Op* leaf = expr.graph()[expr.id()].op.get();
    const auto found = std::ranges::find(inputs, leaf, &Slot::leaf);
    if (found == inputs.end()) unknown(expr.graph().describe(expr.id()));
    return *found;
  }

  Slot& find(std::string_view name) {
    const auto found = std::ranges::find(inputs, name, &Slot::label);
    if (found == inputs.end()) unknown(fmt::format("'{}'", name));
    return *found;
  }

  [[noreturn]] void unknown(const std::string& what) const {
    std::vector<std::string_view> names;
    for (const Slot& slot : inputs) names.push_back(slot.label);
    throw Error(fmt::format("feed: {} is not an input of this program; its inputs are: {}", what,
                            names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
  }

  static void feed(Slot& slot, std::span<const T> values) {
    if (values.size() != slot.count)
      throw Error(fmt::format("feed: '{}' has shape {}: {} values, not {}", slot.label,
                              to_string(slot.extents), slot.count, values.size()));
    std::ranges::copy(values, slot.data);
    slot.fed = true;
  }

  void check_fed() {
    const auto unfed = std::ranges::find(inputs, false, &Slot::fed);
    if (unfed != inputs.end())
      throw Error(fmt::format("run: input '{}' {} was never fed", unfed->label, to_string(unfed->extents)));
    all_fed = true;
  }

  template <class AfterStep>
  void run_instructions(AfterStep after_step) {
    std::size_t s = 0;
    try {
      for (; s < instructions.size(); ++s) {
        auto& i = instructions[s];
        if (!i.parts.empty()) workers->run(i.parts);
        if (i.kernel) i.kernel(i.inputs.data(), i.output);
        for (const BlockCall<T>& call : i.calls) call.block(call.ops, call.inputs, call.outputs, i.count);
        after_step();
      }
    } catch (const Error& error) {
      const NodeId id = plan.steps[s].nodes.front();
      const Node& node = plan.node(id);
      throw Error(fmt::format("{} at {}: {}", node.op->name(), to_string(node.where), error.what()));
    }
  }

  template <class AfterStep>
  void run(AfterStep after_step) {
    if (!all_fed) check_fed();
    const FlushToZero flush;
    // All bits set is a NaN.
    if (poison) std::memset(arena.get(), 0xFF, plan.arena_bytes);
    if constexpr (checks_runs) {
      const RunGuard guard(state->running);
      run_instructions(after_step);
    } else {
      run_instructions(after_step);
    }
  }

  Plan plan;
  std::shared_ptr<typename Store<T>::State> state;
  bool poison;
  int threads;
  bool all_fed = false;
  AlignedBytes arena;
  AlignedBytes pinned;
  std::vector<Slot> inputs;
  std::vector<Instruction<T>> instructions;
  std::unique_ptr<Workers> workers;  // where any instruction has parts
  struct Output {
    Extents extents;
    const T* data;
  };
  std::vector<Output> outputs;
};

template <class T>
Executable<T>::Executable(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
template <class T>
Executable<T>::Executable(Executable&&) noexcept = default;
template <class T>
Executable<T>& Executable<T>::operator=(Executable&&) noexcept = default;
template <class T>
Executable<T>::~Executable() = default;

template <class T>
void Executable<T>::feed(const Expr& input, std::span<const T> values) {
  Impl::feed(impl_->find(input), values);
}

template <class T>
void Executable<T>::feed(std::string_view name, std::span<const T> values) {
  Impl::feed(impl_->find(name), values);
}

template <class T>
void Executable<T>::feed(const Expr& input, std::span<const T> values, const Extents& extents) {
  auto& slot = impl_->find(input);
  if (extents != slot.extents)
    throw Error(fmt::format("feed: '{}' has shape {}, not {}", slot.label, to_string(slot.extents),
                            to_string(extents)));
  Impl::feed(slot, values);
}

template <class T>
bool Executable<T>::has_input(std::string_view name) const {
  return std::ranges::find(impl_->inputs, name, &Impl::Slot::label) != impl_->inputs.end();
}

template <class T>
std::span<T> Executable<T>::buffer(const Expr& input) {
  auto& slot = impl_->find(input);
  slot.fed = true;
  return {slot.data, slot.count};
}

template <class T>
void Executable<T>::run() {
  impl_->run([] {});
}

template <class T>
std::vector<double> Executable<T>::run_timed() {
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

template <class T>
TensorView<T> Executable<T>::output(std::size_t index) const {
  const Plan& plan = impl_->plan;
  if (index >= plan.outputs.size())
    throw Error(fmt::format("output: there is no output {}; the program has {}", index, plan.outputs.size()));
  const auto& [extents, data] = impl_->outputs[index];
  return {{data, static_cast<std::size_t>(element_count(extents))}, extents};
}

template <class T>
std::int64_t Executable<T>::batch() const {
  return impl_->plan.batch;
}

template <class T>
const Plan& Executable<T>::plan() const {
  return impl_->plan;
}

template <class T>
Executable<T> compile(std::span<const Expr> outputs, std::span<const Update> updates, std::int64_t batch,
                      Store<T>& store, const CompileOptions& options) {
  if (batch < 1) throw Error(fmt::format("compile: the batch is {}; it must be at least 1", batch));
  if (options.threads < 1 || options.threads > most_threads)
    throw Error(fmt::format("compile: {} threads; there must be 1 to {}", options.threads, most_threads));
  Program program = extract(outputs, updates);
  if (options.optimize) program = optimize(program, batch);
  store.create(*program.graph);
  Plan plan = make_plan(std::move(program), batch, sizeof(T), {options.reuse, options.optimize});
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
