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

std::int64_t rows_of(const Plan& plan, const Step& step) {
  const Extents& extents = plan.buffer(step.results.front().buffer).extents;
  return extents.empty() ? 1 : extents.front();
}

// Whether a step is large enough to be shared out, and can be.
bool is_shared(const Plan& plan, const Step& step, int threads) {
  if (threads == 1 || step.kind == Step::Kind::copy) return false;
  const bool loop_alone = step.kind == Step::Kind::fused && step.producer_operands == 0;
  const bool by_rows = plan.node(step.nodes.front()).traits().by_rows && rows_of(plan, step) >= threads;
  return (loop_alone || by_rows) && estimated_nanoseconds(plan, step) >= least_nanoseconds;
}

// The call with the op's kernel and, if that works by rows, the rows of the share.
template <class T>
KernelCall<T> kernel_call(const Plan& plan, const Step& step, KernelCall<T> call, Share share = {}) {
  const NodeId id = step.nodes.front();
  KernelShapes shapes = plan.shapes(id);
  if (plan.node(id).traits().by_rows) {
    const std::int64_t rows = rows_of(plan, step);
    call.from = share.begin(rows);
    call.to = share.end(rows);
    shapes.in_parts = share.count > 1;
    for (std::size_t i = 0; i < call.outputs.size(); ++i)
      call.outputs[i] += call.from * (element_count(shapes.outputs[i]) / rows);
  }
  call.kernel = std::get<Kernel<T>>(plan.node(id).op()->kernel(shapes, plan.dtype));
  return call;
}

template <class T>
ParallelParts<T> parts(const Plan& plan, const Step& step, const KernelCall<T>& call, int threads) {
  ParallelParts<T> made;
  for (Share share{0, threads}; share.index < share.count; ++share.index) {
    KernelCall<T> own = call;
    if (step.workspace != no_buffer)
      own.workspace += share.begin(static_cast<std::int64_t>(plan.buffer(step.workspace).bytes));
    if (step.kind == Step::Kind::fused)
      made.parts.emplace_back(lower_loop(plan, step, own, share));
    else
      made.parts.emplace_back(kernel_call(plan, step, std::move(own), share));
  }
  return made;
}

template <class T>
Instruction<T> lower_step(const Plan& plan, const Step& step, const Locate<T>& locate, int threads) {
  KernelCall<T> call;
  for (const Operand& operand : step.operands)
    call.inputs.push_back(operand.buffer == no_buffer ? nullptr : locate(plan.buffer(operand.buffer)));
  for (const auto& result : step.results) call.outputs.push_back(locate(plan.buffer(result.buffer)));
  if (step.workspace != no_buffer)
    call.workspace = reinterpret_cast<std::byte*>(locate(plan.buffer(step.workspace)));
  if (is_shared(plan, step, threads)) return parts(plan, step, call, threads);
  if (step.kind == Step::Kind::op) return kernel_call(plan, step, std::move(call));
  if (step.kind == Step::Kind::copy) {
    const std::size_t bytes = plan.buffer(step.results.front().buffer).bytes;
    call.kernel = [bytes](const KernelArgs<T>& args) { std::memcpy(args.output(), args.input(), bytes); };
    return call;
  }
  TileLoop<T> loop = lower_loop(plan, step, call);
  const bool is_straight = loop.begin == 0 && loop.end <= loop.tile && loop.spreads.empty() &&
                           (loop.panel == 0 || loop.panel >= loop.end);
  if (is_straight) return StraightCalls<T>{std::move(loop)};
  return loop;
}

}  // namespace

double estimated_nanoseconds(const Plan& plan, const Step& step) {
  double flop = 0;
  for (const NodeId id : step.nodes) flop += plan.node(id).op()->flop(plan.shapes(id));
  std::size_t bytes = 0;
  for (const BufferId buffer : step.buffers_read()) bytes += plan.buffer(buffer).bytes;
  for (const auto& result : step.results) bytes += plan.buffer(result.buffer).bytes;
  return flop / flop_per_nanosecond + static_cast<double>(bytes) / bytes_per_nanosecond;
}

template <class T> std::vector<Instruction<T>> lower(const Plan& plan, const Locate<T>& locate, int threads) {
  std::vector<Instruction<T>> instructions;
  instructions.reserve(plan.steps.size());
  for (const Step& step : plan.steps) instructions.push_back(lower_step(plan, step, locate, threads));
  return instructions;
}

template std::vector<Instruction<float>> lower(const Plan&, const Locate<float>&, int);
template std::vector<Instruction<double>> lower(const Plan&, const Locate<double>&, int);

}  // namespace gradus
