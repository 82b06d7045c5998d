#include "framework/compile/lower.hpp"

#include <cstring>

#include "framework/compile/lower_loop.hpp"

namespace gradus {

namespace {

// To share a step out costs some microseconds, as both threads wait for each other; below ten, one thread is
// as fast. What a core does in a nanosecond is a rough figure.
constexpr double least_nanoseconds = 10'000;
constexpr double flop_per_nanosecond = 32;
constexpr double bytes_per_nanosecond = 16;

double estimated_nanoseconds(const Plan& plan, const Step& step) {
  double flop = 0;
  for (const NodeId id : step.nodes) flop += plan.node(id).op()->flop(plan.shapes(id));
  std::size_t bytes = 0;
  for (const Operand& operand : step.operands)
    if (operand.buffer != no_buffer) bytes += plan.buffer(operand.buffer).bytes;
  for (const auto& result : step.results) bytes += plan.buffer(result.buffer).bytes;
  return flop / flop_per_nanosecond + static_cast<double>(bytes) / bytes_per_nanosecond;
}

template <class T> class Lowering {
 public:
  Lowering(const Plan& plan, const Locate<T>& locate, int threads)
      : plan_(plan), locate_(locate), threads_(threads) {}

  Instruction<T> lower(const Step& step) const {
    StepPointers<T> pointers;
    for (const Operand& operand : step.operands)
      pointers.operands.push_back(operand.buffer == no_buffer ? nullptr
                                                              : locate_(plan_.buffer(operand.buffer)));
    for (const auto& result : step.results) pointers.results.push_back(locate_(plan_.buffer(result.buffer)));
    if (step.workspace != no_buffer)
      pointers.workspace = reinterpret_cast<std::byte*>(locate_(plan_.buffer(step.workspace)));
    if (is_shared(step)) return ParallelParts<T>{parts(step, pointers)};
    if (step.kind == Step::Kind::copy) return copy(step, std::move(pointers));
    if (step.kind == Step::Kind::op) return kernel_call(step, std::move(pointers), {});
    TileLoop<T> loop = lower_loop(plan_, step, pointers);
    if (auto straight = straighten(loop)) return std::move(*straight);
    return loop;
  }

 private:
  std::int64_t rows_of(const Step& step) const {
    const Extents& extents = plan_.buffer(step.results.front().buffer).extents;
    return extents.empty() ? 1 : extents.front();
  }

  // Whether a step is large enough to be shared out, and can be.
  bool is_shared(const Step& step) const {
    if (threads_ == 1 || step.kind == Step::Kind::copy ||
        estimated_nanoseconds(plan_, step) < least_nanoseconds)
      return false;
    const bool by_rows = step.kind == Step::Kind::op || step.producer_operands > 0;
    if (by_rows && rows_of(step) < threads_) return false;
    return step.kind == Step::Kind::fused || plan_.node(step.nodes.front()).traits().by_rows;
  }

  std::vector<Part<T>> parts(const Step& step, const StepPointers<T>& pointers) const {
    std::vector<Part<T>> made;
    made.reserve(static_cast<std::size_t>(threads_));
    for (Share share{0, threads_}; share.index < share.count; ++share.index) {
      StepPointers<T> own = pointers;
      if (step.workspace != no_buffer)
        own.workspace += plan_.buffer(step.workspace).bytes / static_cast<std::size_t>(threads_) *
                         static_cast<std::size_t>(share.index);
      if (step.kind == Step::Kind::fused)
        made.emplace_back(lower_loop(plan_, step, own, share));
      else
        made.emplace_back(kernel_call(step, std::move(own), share));
    }
    return made;
  }

  KernelCall<T> kernel_call(const Step& step, StepPointers<T> pointers, Share share) const {
    const NodeId id = step.nodes.front();
    KernelShapes shapes = plan_.shapes(id);
    KernelCall<T> call{{}, std::move(pointers.operands), std::move(pointers.results), pointers.workspace, 0,
                       0};
    if (plan_.node(id).traits().by_rows) {
      const std::int64_t rows = rows_of(step);
      call.from = share.begin(rows);
      call.to = share.end(rows);
      shapes.in_parts = share.count > 1;
      for (std::size_t i = 0; i < call.outputs.size(); ++i)
        call.outputs[i] += call.from * (element_count(shapes.outputs[i]) / rows);
    }
    call.kernel = std::get<Kernel<T>>(plan_.node(id).op()->kernel(shapes, plan_.dtype));
    return call;
  }

  KernelCall<T> copy(const Step& step, StepPointers<T> pointers) const {
    const std::size_t bytes = plan_.buffer(step.results.front().buffer).bytes;
    return {[bytes](const KernelArgs<T>& args) { std::memcpy(args.output(), args.input(), bytes); },
            std::move(pointers.operands), std::move(pointers.results)};
  }

  const Plan& plan_;
  const Locate<T>& locate_;
  int threads_;
};

}  // namespace

template <class T> std::vector<Instruction<T>> lower(const Plan& plan, const Locate<T>& locate, int threads) {
  const Lowering<T> lowering(plan, locate, threads);
  std::vector<Instruction<T>> instructions;
  instructions.reserve(plan.steps.size());
  for (const Step& step : plan.steps) instructions.push_back(lowering.lower(step));
  return instructions;
}

template std::vector<Instruction<float>> lower(const Plan&, const Locate<float>&, int);
template std::vector<Instruction<double>> lower(const Plan&, const Locate<double>&, int);

}  // namespace gradus
