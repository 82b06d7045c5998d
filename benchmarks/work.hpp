#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/framework/compile/executable.hpp"
#include "gradus/models/tutorials/tutorial.hpp"
#include "handwritten/handwritten.hpp"

/// What is measured, and the two contenders that do it.
namespace gradus::benchmarks {

/// One training step of a tutorial's network, to be made in one precision.
struct Work {
  std::string_view tutorial;
  Optimizer optimizer;
  std::size_t batch;

  /// Each contender computes the loss, or neither does.
  bool wants_loss() const { return tutorial == "mnist"; }
  /// "train_step/mnist/adam/float/batch:32/threads:1".
  std::string name(std::string_view precision) const;
};

template <class T>
constexpr std::string_view precision_name = sizeof(T) == sizeof(float) ? "float" : "double";

/// Samples to train on: the tutorial's own, or made-up images for mnist, so that no data is needed. Made
/// once.
template <class T>
struct Samples {
  std::vector<T> inputs;
  std::vector<T> targets;
  std::size_t count;

  static const Samples& of(std::string_view tutorial);
};

/// Goes round and round through the samples, batch by batch.
template <class T>
class Batches {
 public:
  explicit Batches(const Work& work)
      : samples_(Samples<T>::of(work.tutorial)),
        inputs_(work.batch * (samples_.inputs.size() / samples_.count)),
        targets_(work.batch * (samples_.targets.size() / samples_.count)),
        batches_(samples_.count / work.batch) {}

  struct Batch {
    std::span<const T> inputs;
    std::span<const T> targets;
  };
  Batch next() {
    const std::size_t now = next_;
    next_ = next_ + 1 == batches_ ? 0 : next_ + 1;
    return {{samples_.inputs.data() + now * inputs_, inputs_},
            {samples_.targets.data() + now * targets_, targets_}};
  }

 private:
  const Samples<T>& samples_;
  std::size_t inputs_;
  std::size_t targets_;
  std::size_t batches_;
  std::size_t next_ = 0;
};

/// gradus, used as its users would: feed a batch, run.
template <class T>
class Gradus {
 public:
  using Number = T;

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
  const std::vector<Parameter>& parameters() const { return parameters_; }
  bool is_finite() const;

  /// The loss of the last step, where the work wants it.
  T loss() const { return executable_.output().item(); }
  const Plan& plan() const { return executable_.plan(); }

 private:
  void feed() {
    const auto batch = batches_.next();
    executable_.feed(inputs_, batch.inputs);
    executable_.feed(targets_, batch.targets);
  }

  Problem problem_;
  Expr inputs_;
  Expr targets_;
  Store<T> store_;
  Executable<T> executable_;
  Batches<T> batches_;
  bool feeds_;
  std::vector<Parameter> parameters_;
};

/// The hand-written references behind one interface, at the same starting weights as gradus.
class HeightWeightReference {
 public:
  using Number = double;
  HeightWeightReference(const Work& work, Flags flags) : network_(flags), batches_(work) {}
  void step() {
    const auto batch = batches_.next();
    network_.step(batch.inputs.data(), batch.targets.front());
  }
  std::span<double> parameters() { return {network_.parameters(), HeightWeight::parameter_count}; }

 private:
  HeightWeight network_;
  Batches<double> batches_;
};

class SineReference {
 public:
  using Number = double;
  SineReference(const Work& work, Flags flags)
      : network_(Samples<double>::of(work.tutorial).inputs.data(),
                 Samples<double>::of(work.tutorial).targets.data(), flags) {}
  void step() { network_.step(); }
  std::span<double> parameters() { return {network_.parameters(), Sine::parameter_count}; }

 private:
  Sine network_;
};

template <class T>
class MnistReference {
 public:
  using Number = T;
  MnistReference(const Work& work, Flags flags)
      : network_(static_cast<int>(work.batch), work.optimizer, flags), batches_(work) {}
  void step() {
    const auto batch = batches_.next();
    network_.step(batch.inputs.data(), batch.targets.data());
  }
  std::span<T> parameters() { return {network_.parameters(), Mnist<T>::parameter_count}; }
  T loss() const { return network_.loss(); }

 private:
  Mnist<T> network_;
  Batches<T> batches_;
};

/// Copies gradus's weights, as they are now, to a reference.
template <class Reference>
void start_alike(const Gradus<typename Reference::Number>& gradus, Reference& reference) {
  auto to = reference.parameters().begin();
  for (const auto& parameter : gradus.parameters()) to = std::ranges::copy(parameter.values, to).out;
}

/// Calls `f.template operator()<Reference>(work)` for all that is measured.
template <class F>
void for_all_work(F f) {
  f.template operator()<HeightWeightReference>(Work{"height-weight", Optimizer::sgd, 1});
  f.template operator()<SineReference>(Work{"sine", Optimizer::sgd, Sine::batch});
  for (const std::size_t batch : {1, 32, 256, 1024})
    f.template operator()<MnistReference<float>>(Work{"mnist", Optimizer::adam, batch});
  f.template operator()<MnistReference<float>>(Work{"mnist", Optimizer::sgd, 1});
}

extern template struct Samples<float>;
extern template struct Samples<double>;
extern template class Gradus<float>;
extern template class Gradus<double>;

}  // namespace gradus::benchmarks
