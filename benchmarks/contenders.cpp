#include "contenders.hpp"

#include <algorithm>
#include <utility>

#include "environment.hpp"

namespace gradus::benchmarks {

namespace {

// Threads are asked for where this version of gradus knows of them.
template <class Options>
concept Threaded = requires(Options options) {
  options.threads;
};

template <class Options> Options options_for(const Work& work) {
  Options options;
  if constexpr (Threaded<Options>) options.threads = work.threads;
  return options;
}

template <class T> Executable<T> executable_of(const Work& work, const Problem& problem, Store<T>& store) {
  std::vector<Expr> outputs;
  if (work.wants_loss()) outputs.push_back(problem.loss);
  return compile<T>(std::span(std::as_const(outputs)), std::span(problem.updates),
                    static_cast<std::int64_t>(work.batch), store, options_for<CompileOptions>(work));
}

struct FannSizes {
  unsigned inputs, hidden, outputs;
  double rate;  // for the gradient of ½ Σ (o − t)²
};

FannSizes sizes_of(const Work& work) {
  if (work.tutorial == mnist_sigmoid) return {mnist_in, mnist_hidden, mnist_out, mnist_sgd_rate};
  // The tutorial's rate of 0.1 is for the gradient of (o − t)².
  return {2, 2, 1, 0.2};
}

}  // namespace

template <class T> bool Gradus<T>::takes_part(const Work& work) {
  return work.threads == 1 || Threaded<CompileOptions>;
}

template <class T>
Gradus<T>::Gradus(const Work& work)
    : problem_(problem_of(work)),
      executable_(executable_of(work, problem_, store_)),
      inputs_(executable_.buffer(problem_.graph->find("x"))),
      targets_(executable_.buffer(problem_.graph->find("target"))),
      batches_(work),
      // The whole data set is one batch: fed once, it stays, as it does in the reference.
      feeds_(work.batch != Samples<T>::of(work.tutorial).count) {
  // Those threads are its own: a product is not shared out once more.
  use_blas_threads(1);
  if (!feeds_) feed();
  for (const Expr& parameter : problem_.graph->parameters()) {
    const std::string& name = (*problem_.graph)[parameter.id()].label;
    named_parameters_.push_back({name, store_.values(name)});
  }
}

template <class T> std::vector<T> Gradus<T>::parameters() const {
  std::vector<T> all;
  for (const Parameter& parameter : named_parameters_)
    all.insert(all.end(), parameter.values.begin(), parameter.values.end());
  return all;
}

template <class T> double Gradus<T>::flop() const {
  double sum = 0;
  for (const Step& step : plan().steps)
    for (const NodeId id : step.nodes)
      if (const Op* op = plan().node(id).op()) sum += op->flop(plan().shapes(id));
  return sum;
}

template <class T> void Gradus<T>::start_at(std::span<const T> parameters) {
  auto from = parameters.begin();
  for (const Parameter& parameter : named_parameters_) {
    std::copy_n(from, parameter.values.size(), parameter.values.begin());
    from += static_cast<std::ptrdiff_t>(parameter.values.size());
  }
}

template <class T> GradusLoop<T>::GradusLoop(const Work& work) : Gradus<T>(work) {
  if (!this->feeds()) return;
  const auto& samples = Samples<T>::of(work.tutorial);
  Graph& graph = *this->problem().graph;
  steps_.inputs = {{graph.find("x"), samples.inputs}, {graph.find("target"), samples.targets}};
}

Fann::Fann(const Work& work)
    : network_(sizes_of(work).inputs, sizes_of(work).hidden, sizes_of(work).outputs, sizes_of(work).rate),
      batches_(work) {}

template class Gradus<float>;
template class Gradus<double>;
template class GradusLoop<float>;
template class GradusLoop<double>;

}  // namespace gradus::benchmarks
