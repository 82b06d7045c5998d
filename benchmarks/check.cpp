#include "check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradus/framework/graph/gradient.hpp"
#include "work.hpp"

namespace gradus::benchmarks {

namespace {

constexpr int steps = 3;

// Of a tensor's largest entry.
template <class T>
constexpr double tolerance = sizeof(T) == sizeof(float) ? 1e-5 : 1e-12;

// Error unless both tensors hold the same, up to rounding. Written so that NaN is never the same.
template <class T>
void expect_same(const std::string& what, std::span<const T> ours, std::span<const T> theirs,
                 std::string_view our_name, std::string_view their_name) {
  double largest = 0;
  for (const auto& values : {ours, theirs})
    for (const T value : values) largest = std::max(largest, std::abs(static_cast<double>(value)));
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const double deviation = std::abs(static_cast<double>(ours[i]) - static_cast<double>(theirs[i]));
    if (!(deviation <= tolerance<T> * largest))
      throw Error(fmt::format(
          "{}: element {} is {:.17g} with {} and {:.17g} with {}, which is {:.2g} of the "
          "largest entry {:.3g} apart; {:.0e} is allowed",
          what, i, ours[i], our_name, theirs[i], their_name, deviation / largest, largest, tolerance<T>));
  }
}

template <class Reference>
void check_steps(const Work& work, Flags flags) {
  using T = typename Reference::Number;
  Gradus<T> gradus(work);
  Reference reference(work, flags);
  start_alike(gradus, reference);
  const std::string where =
      fmt::format("{} after {} steps, against {}", work.name(precision_name<T>), steps, flags_text(flags));
  const auto compare = [](const std::string& what, std::span<const T> ours, std::span<const T> theirs) {
    expect_same<T>(what, ours, theirs, "gradus", "the hand-written step");
  };
  for (int step = 0; step < steps; ++step) {
    gradus.step();
    reference.step();
  }
  if constexpr (requires { reference.loss(); }) {
    const T ours = gradus.loss();
    const T theirs = reference.loss();
    compare(fmt::format("{}: loss", where), {&ours, 1}, {&theirs, 1});
  }
  std::size_t from = 0;
  for (const auto& [name, values] : gradus.parameters()) {
    compare(fmt::format("{}: {}", where, name), values, reference.parameters().subspan(from, values.size()));
    from += values.size();
  }
  if (from != reference.parameters().size())
    throw Error(fmt::format("{}: gradus has {} parameters, the hand-written step {}", where, from,
                            reference.parameters().size()));
}

// All gradients of mnist's loss for one batch size, an executable each.
template <class T>
class Gradients {
 public:
  Gradients(const Problem& problem, std::span<const Expr> gradients, std::size_t batch, Store<T>& store)
      : x_(problem.graph->find("x")),
        target_(problem.graph->find("target")),
        executable_(compile<T>(gradients, {}, static_cast<std::int64_t>(batch), store)) {}

  void run(std::size_t first_sample) {
    const auto batch = static_cast<std::size_t>(executable_.batch());
    const auto& samples = Samples<T>::of("mnist");
    executable_.feed(x_, std::span(samples.inputs).subspan(first_sample * mnist_in, batch * mnist_in));
    executable_.feed(target_,
                     std::span(samples.targets).subspan(first_sample * mnist_out, batch * mnist_out));
    executable_.run();
  }
  std::span<const T> operator[](std::size_t parameter) const { return executable_.output(parameter).values; }

 private:
  Expr x_;
  Expr target_;
  Executable<T> executable_;
};

template <class T>
void check_gradients_combine() {
  constexpr std::size_t batch = 32;
  const Problem problem = find_tutorial("mnist").problem();
  const auto parameters = problem.graph->parameters();
  const auto gradients = grad(problem.loss, parameters);
  Store<T> store;
  Gradients<T> whole(problem, gradients, batch, store);
  Gradients<T> single(problem, gradients, 1, store);
  whole.run(0);
  std::vector<std::vector<T>> means;
  for (std::size_t p = 0; p < parameters.size(); ++p) means.emplace_back(whole[p].size(), T(0));
  for (std::size_t sample = 0; sample < batch; ++sample) {
    single.run(sample);
    for (std::size_t p = 0; p < parameters.size(); ++p)
      std::ranges::transform(means[p], single[p], means[p].begin(),
                             [](T sum, T gradient) { return sum + gradient / T(batch); });
  }
  for (std::size_t p = 0; p < parameters.size(); ++p)
    expect_same<T>(fmt::format("mnist/{}: gradient of {}", precision_name<T>,
                               problem.graph->describe(parameters[p].id())),
                   whole[p], means[p], fmt::format("a batch of {}", batch), "the mean of single samples");
}

}  // namespace

void check_contenders() {
  const auto both_flags = []<class Reference>(const Work& work) {
    check_steps<Reference>(work, Flags::fast_math);
    check_steps<Reference>(work, Flags::no_errno);
  };
  for_all_work(both_flags);
  // Not measured, but where single precision is, double shows a wrong formula that rounding might hide.
  for (const std::size_t batch : {1, 32}) {
    both_flags.operator()<MnistReference<double>>(Work{"mnist", Optimizer::adam, batch});
    both_flags.operator()<MnistReference<double>>(Work{"mnist", Optimizer::sgd, batch});
  }
  check_gradients_combine<float>();
  check_gradients_combine<double>();
}

}  // namespace gradus::benchmarks
