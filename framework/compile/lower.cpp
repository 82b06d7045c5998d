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
  for (const BufferId buffer : step.buffers_read()) bytes += plan.buffer(buffer).bytes;
  for (const auto& result : step.results) bytes += plan.buffer(result.buffer).bytes;
  return flop / flop_per_nanosecond + static_cast<double>(bytes) / bytes_per_nanosecond;
}

template <class T> bool is_straight(const TileLoop<T>& loop) {
  const bool whole = loop.begin == 0 && loop.end <= loop.tile && loop.spreads.empty();
  return whole && (loop.panel == 0 || loop.panel >= loop.end);
}

template <class T> class Lowering {
 public:
  Lowering(const Plan& plan, const Locate<T>& locate, int threads)
      : plan_(plan), locate_(locate), threads_(threads) {}

  Instruction<T> lower(const Step& step) const {
    KernelCall<T> call;
    for (const Operand& operand : step.operands)
      call.inputs.push_back(operand.buffer == no_buffer ? nullptr : locate_(plan_.buffer(operand.buffer)));
    for (const auto& result : step.results) call.outputs.push_back(locate_(plan_.buffer(result.buffer)));
    if (step.workspace != no_buffer)
      call.workspace = reinterpret_cast<std::byte*>(locate_(plan_.buffer(step.workspace)));
    if (is_shared(step)) return parts(step, call);
    if (step.kind == Step::Kind::fused) {
      TileLoop<T> loop = lower_loop(plan_, step, call);
      if (is_straight(loop)) return StraightCalls<T>{std::move(loop)};
      return loop;
    }
    if (step.kind == Step::Kind::op) return kernel_call(step, std::move(call), {});
    const std::size_t bytes = plan_.buffer(step.results.front().buffer).bytes;
    call.kernel = [bytes](const KernelArgs<T>& args) { std::memcpy(args.output(), args.input(), bytes); };
    return call;
  }

 private:
  std::int64_t rows_of(const Step& step) const {
    const Extents& extents = plan_.buffer(step.results.front().buffer).extents;
    return extents.empty() ? 1 : extents.front();
  }

  // Whether a step is large enough to be shared out, and can be.
  bool is_shared(const Step& step) const {
    if (threads_ == 1 || step.kind == Step::Kind::copy) return false;
    const bool loop_alone = step.kind == Step::Kind::fused && step.producer_operands == 0;
    const bool by_rows = plan_.node(step.nodes.front()).traits().by_rows && rows_of(step) >= threads_;
    return (loop_alone || by_rows) && estimated_nanoseconds(plan_, step) >= least_nanoseconds;
  }

  ParallelParts<T> parts(const Step& step, const KernelCall<T>& call) const {
    ParallelParts<T> made;
    for (Share share{0, threads_}; share.index < share.count; ++share.index) {
      KernelCall<T> own = call;
      if (step.workspace != no_buffer)
        own.workspace += share.begin(static_cast<std::int64_t>(plan_.buffer(step.workspace).bytes));
      if (step.kind == Step::Kind::fused)
        made.parts.emplace_back(lower_loop(plan_, step, own, share));
      else
        made.parts.emplace_back(kernel_call(step, std::move(own), share));
    }
    return made;
  }

  // The call with the op's kernel and, if that works by rows, the rows of the share.
  KernelCall<T> kernel_call(const Step& step, KernelCall<T> call, Share share) const {
    const NodeId id = step.nodes.front();
    KernelShapes shapes = plan_.shapes(id);
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
