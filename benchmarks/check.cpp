#include "check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "contenders.hpp"
#include "environment.hpp"
#include "gradients.hpp"

namespace gradus::benchmarks {

namespace {

constexpr int steps = 3;

// Of a tensor's largest entry. In single precision Adam divides gradients that are little more than rounding
// by their own size.
template <class T> constexpr double tolerance = sizeof(T) == sizeof(float) ? 1e-4 : 1e-12;
template <class Contender> constexpr double tolerance_of = tolerance<typename Contender::Number>;
// Its rate is a float.
template <> constexpr double tolerance_of<Fann> = 1e-7;

// The tutorial's starting weights are taken this large.
template <class> constexpr double start_scale = 1;
// Where no sigmoid leaves 0.01 ... 0.99, beyond which FANN changes slopes.
template <> constexpr double start_scale<Fann> = 0.1;

// Error unless both tensors hold the same, up to rounding. Written so that NaN is never the same.
template <class T>
void expect_same(const std::string& what, std::span<const T> ours, std::span<const T> theirs,
                 std::string_view our_name, std::string_view their_name, double allowed = tolerance<T>) {
  if (ours.size() != theirs.size())
    throw Error(fmt::format("{}: {} elements with {}, {} with {}", what, ours.size(), our_name, theirs.size(),
                            their_name));
  double largest = 0;
  for (const auto& values : {ours, theirs})
    for (const T value : values) largest = std::max(largest, std::abs(static_cast<double>(value)));
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const double deviation = std::abs(static_cast<double>(ours[i]) - static_cast<double>(theirs[i]));
    if (!(deviation <= allowed * largest))
      throw Error(fmt::format(
          "{}: element {} is {:.17g} with {} and {:.17g} with {}, which is {:.2g} of the "
          "largest entry {:.3g} apart; {:.0e} is allowed",
          what, i, ours[i], our_name, theirs[i], their_name, deviation / largest, largest, allowed));
  }
}

template <class Contender, class... Arguments> void check_steps(const Work& work, Arguments... arguments) {
  using T = typename Contender::Number;
  use_blas_threads(work.threads);
  Gradus<T> gradus(work);
  Contender contender(work, arguments...);
  auto start = gradus.parameters();
  for (T& parameter : start) parameter *= static_cast<T>(start_scale<Contender>);
  gradus.start_at(start);
  contender.start_at(start);
  for (int step = 0; step < steps; ++step) gradus.step();
  if constexpr (requires { contender.steps(steps); })
    contender.steps(steps);
  else
    for (int step = 0; step < steps; ++step) contender.step();
  const std::string where =
      fmt::format("{}/{}{} after {} steps", work.name(precision_name<T>), Contender::name,
                  (fmt::format(" with {}", flags_text(arguments)) + ... + ""), steps);
  const auto compare = [&](const std::string& what, std::span<const T> ours, std::span<const T> theirs) {
    expect_same<T>(what, ours, theirs, Gradus<T>::name, Contender::name, tolerance_of<Contender>);
  };
  if constexpr (requires { contender.loss(); })
    if (work.wants_loss()) {
      const T ours = gradus.loss();
      const T theirs = contender.loss();
      compare(where + ": loss", {&ours, 1}, {&theirs, 1});
    }
  const std::vector<T> all = contender.parameters();
  auto rest = std::span(all);
  for (const auto& [name, values] : gradus.named_parameters()) {
    const std::size_t count = std::min(values.size(), rest.size());
    compare(fmt::format("{}: {}", where, name), values, rest.first(count));
    rest = rest.subspan(count);
  }
  if (!rest.empty()) throw Error(fmt::format("{}: {} parameters too many", where, rest.size()));
}

template <class T> void check_gradients_combine() {
  constexpr std::size_t batch = 32;
  Gradients<T> whole(Work{"mnist", Optimizer::sgd, batch});
  Gradients<T> single(Work{"mnist", Optimizer::sgd, 1});
  whole.run(0);
  std::vector<std::vector<T>> means;
  for (std::size_t p = 0; p < whole.size(); ++p) means.emplace_back(whole[p].size(), T(0));
  for (std::size_t sample = 0; sample < batch; ++sample) {
    single.run(sample);
    for (std::size_t p = 0; p < whole.size(); ++p)
      std::ranges::transform(means[p], single[p], means[p].begin(),
                             [](T sum, T gradient) { return sum + gradient / T(batch); });
  }
  for (std::size_t p = 0; p < whole.size(); ++p)
    expect_same<T>(fmt::format("mnist/{}: gradient of {}", precision_name<T>, whole.name(p)), whole[p],
                   means[p], fmt::format("a batch of {}", batch), "the mean of single samples");
}

}  // namespace

void check_contenders() {
  const auto check = []<class... Contenders>(const Work& work) {
    const auto check_one = [&]<class Contender>(std::type_identity<Contender>) {
      if constexpr (std::is_constructible_v<Contender, Work, Flags>) {
        check_steps<Contender>(work, Flags::fast_math);
        check_steps<Contender>(work, Flags::no_errno);
      } else if (Contender::takes_part(work)) {
        check_steps<Contender>(work);
      }
    };
    check_one(std::type_identity<
              GradusLoop<typename std::tuple_element_t<0, std::tuple<Contenders...>>::Number>>());
    (check_one(std::type_identity<Contenders>()), ...);
  };
  for_all_work(check);
  // Not measured, but where single precision is, double shows a wrong formula that rounding might hide.
  for (const std::size_t batch : {1, 32})
    for (const Optimizer optimizer : {Optimizer::adam, Optimizer::sgd})
      check.operator()<HandwrittenMnist<double, Schedule::complete>,
                       HandwrittenMnist<double, Schedule::fused>>(Work{"mnist", optimizer, batch});
  check_gradients_combine<float>();
  check_gradients_combine<double>();
}

}  // namespace gradus::benchmarks
