#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fann/fann_network.hpp"
#include "framework/compile/plan.hpp"
#include "gradus/runtime/executable.hpp"
#include "handwritten/handwritten.hpp"
#include "work.hpp"

/// Who does the work. Every contender makes a step, tells its parameters as one array (weights of a layer,
/// inputs x outputs, then its biases), and can be set to others.
namespace gradus::benchmarks {

/// gradus, used as its users would: write a batch where the program reads it, run.
template <class T> class Gradus {
 public:
  using Number = T;
  static constexpr std::string_view name = "gradus";
  static bool takes_part(const Work& work);

  explicit Gradus(const Work& work);

  void step() {
    if (feeds_) feed();
    executable_.run();
  }

  /// Where the parameters live, in the order of their creation.
  struct Parameter {
    std::string name;
    std::span<T> values;
  };
  const std::vector<Parameter>& named_parameters() const { return named_parameters_; }
  std::vector<T> parameters() const;
  void start_at(std::span<const T> parameters);

  /// The loss of the last step, where the work wants it.
  T loss() const { return executable_.output().item(); }
  const Plan& plan() const { return executable_.plan(); }
  /// Of a step.
  double flop() const;

 protected:
  Problem& problem() { return problem_; }
  Executable<T>& executable() { return executable_; }
  bool feeds() const { return feeds_; }

 private:
  void feed() {
    const auto batch = batches_.next();
    std::ranges::copy(batch.inputs, inputs_.begin());
    std::ranges::copy(batch.targets, targets_.begin());
  }

  Problem problem_;
  Store<T> store_;
  Executable<T> executable_;
  std::span<T> inputs_;
  std::span<T> targets_;
  Batches<T> batches_;
  bool feeds_;
  std::vector<Parameter> named_parameters_;
};

/// The same with many steps in one call, over data that is in memory.
template <class T> class GradusLoop : public Gradus<T> {
 public:
  static constexpr std::string_view name = "gradus_loop";
  explicit GradusLoop(const Work& work);

  /// As many at a time as take some milliseconds.
  static std::int64_t steps_together(const Work& work) {
    return std::max<std::int64_t>(1, 4096 / static_cast<std::int64_t>(work.batch));
  }
  void steps(std::int64_t count) {
    steps_.count = count;
    this->executable().run(steps_);
  }

 private:
  Steps<T> steps_;
};

/// The hand-written references: C++ by hand, one of two sets of compiler flags.
template <class Network> class Handwritten {
 public:
  using Number = std::remove_pointer_t<decltype(std::declval<Network&>().parameters())>;

  std::vector<Number> parameters() {
    return {network_.parameters(), network_.parameters() + Network::parameter_count};
  }
  void start_at(std::span<const Number> parameters) { std::ranges::copy(parameters, network_.parameters()); }

 protected:
  template <class... Arguments> explicit Handwritten(Arguments... arguments) : network_(arguments...) {}

  Network network_;
};

class HandwrittenHeightWeight : public Handwritten<HeightWeight> {
 public:
  static constexpr std::string_view name = "handwritten";
  HandwrittenHeightWeight(const Work& work, Flags flags) : Handwritten(flags), batches_(work) {}
  void step() {
    const auto batch = batches_.next();
    network_.step(batch.inputs.data(), batch.targets.front());
  }

 private:
  Batches<double> batches_;
};

class HandwrittenSine : public Handwritten<Sine> {
 public:
  static constexpr std::string_view name = "handwritten";
  HandwrittenSine(const Work& work, Flags flags)
      : Handwritten(Samples<double>::of(work.tutorial).inputs.data(),
                    Samples<double>::of(work.tutorial).targets.data(), flags) {}
  void step() { network_.step(); }
};

template <class T, Schedule schedule> class HandwrittenMnist : public Handwritten<Mnist<T>> {
 public:
  static constexpr std::string_view name =
      schedule == Schedule::complete ? "handwritten" : "handwritten_fused";
  HandwrittenMnist(const Work& work, Flags flags)
      : Handwritten<Mnist<T>>(static_cast<int>(work.batch), work.optimizer, schedule, work.threads, flags),
        batches_(work) {}
  void step() {
    const auto batch = batches_.next();
    this->network_.step(batch.inputs.data(), batch.targets.data());
  }
  T loss() const { return this->network_.loss(); }

 private:
  Batches<T> batches_;
};

/// FANN in double: incremental training, sigmoids, the squared error without its tanh.
class Fann {
 public:
  using Number = double;
  static constexpr std::string_view name = "fann";
  static bool takes_part(const Work&) { return FannNetwork::is_available(); }

  explicit Fann(const Work& work);
  void step() {
    const auto batch = batches_.next();
    network_.step(batch.inputs, batch.targets);
  }
  std::vector<double> parameters() const { return network_.parameters(); }
  void start_at(std::span<const double> parameters) { network_.start_at(parameters); }

 private:
  FannNetwork network_;
  Batches<double> batches_;
};

/// Calls `f.template operator()<Contender...>(work)` for all that is measured, with those who do it beside
/// gradus.
template <class F> void for_all_work(F f) {
  using Plain = HandwrittenMnist<float, Schedule::complete>;
  using Fused = HandwrittenMnist<float, Schedule::fused>;
  f.template operator()<HandwrittenHeightWeight, Fann>(Work{"height-weight", Optimizer::sgd, 1});
  f.template operator()<HandwrittenSine>(Work{"sine", Optimizer::sgd, Sine::batch});
  f.template operator()<Plain, Fused>(Work{"mnist", Optimizer::sgd, 1});
  for (const std::size_t batch : {1, 4, 16, 32, 64, 256, 1024})
    f.template operator()<Plain, Fused>(Work{"mnist", Optimizer::adam, batch});
  for (const std::size_t batch : {256, 1024})
    f.template operator()<Plain>(Work{"mnist", Optimizer::adam, batch, 2});
  f.template operator()<Fann>(Work{mnist_sigmoid, Optimizer::sgd, 1});
}

extern template class Gradus<float>;
extern template class Gradus<double>;
extern template class GradusLoop<float>;
extern template class GradusLoop<double>;

}  // namespace gradus::benchmarks
