#include "fann_network.hpp"

#include <doublefann.h>

#include <new>

namespace gradus::benchmarks {

namespace {

// Calls f(ours, FANN's) with the indices of every parameter. FANN keeps for each unit of a later layer the
// weights of its inputs, its bias last.
template <class F> void for_all_parameters(const fann& network, F f) {
  std::size_t first = 0;
  for (const fann_layer* layer = network.first_layer + 1; layer != network.last_layer; ++layer) {
    // Every layer has a unit more for the next one's bias.
    const auto inputs = static_cast<std::size_t>(layer[-1].last_neuron - layer[-1].first_neuron - 1);
    const auto outputs = static_cast<std::size_t>(layer->last_neuron - layer->first_neuron - 1);
    for (std::size_t o = 0; o < outputs; ++o)
      for (std::size_t i = 0; i <= inputs; ++i)
        f(first + i * outputs + o, layer->first_neuron[o].first_con + i);
    first += (inputs + 1) * outputs;
  }
}

}  // namespace

bool FannNetwork::is_available() { return true; }

FannNetwork::FannNetwork(unsigned inputs, unsigned hidden, unsigned outputs, double rate)
    : network_(fann_create_standard(3, inputs, hidden, outputs)) {
  if (!network_) throw std::bad_alloc();
  fann* const network = network_.get();
  // FANN's sigmoid is 1 / (1 + exp(-2 steepness x)).
  for (const auto set_function : {fann_set_activation_function_hidden, fann_set_activation_function_output})
    set_function(network, FANN_SIGMOID);
  for (const auto set_steepness :
       {fann_set_activation_steepness_hidden, fann_set_activation_steepness_output})
    set_steepness(network, 0.5);
  fann_set_training_algorithm(network, FANN_TRAIN_INCREMENTAL);
  fann_set_train_error_function(network, FANN_ERRORFUNC_LINEAR);
  fann_set_learning_momentum(network, 0);
  fann_set_learning_rate(network, static_cast<float>(rate));
}

void FannNetwork::Destroy::operator()(fann* network) const { fann_destroy(network); }

void FannNetwork::step(std::span<const double> x, std::span<const double> target) {
  // It only reads them.
  fann_train(network_.get(), const_cast<double*>(x.data()), const_cast<double*>(target.data()));
}

std::vector<double> FannNetwork::parameters() const {
  std::vector<double> parameters(network_->total_connections);
  for_all_parameters(
      *network_, [&](std::size_t ours, std::size_t theirs) { parameters[ours] = network_->weights[theirs]; });
  return parameters;
}

void FannNetwork::start_at(std::span<const double> parameters) {
  for_all_parameters(
      *network_, [&](std::size_t ours, std::size_t theirs) { network_->weights[theirs] = parameters[ours]; });
}

}  // namespace gradus::benchmarks
