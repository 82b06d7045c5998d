// Stands in for fann_network.cpp where FANN was not found.
#include "fann_network.hpp"
#include "gradus/base/error.hpp"

namespace gradus::benchmarks {

bool FannNetwork::is_available() { return false; }

FannNetwork::FannNetwork(unsigned, unsigned, unsigned, double) {
  throw Error("FANN was not found when this program was built; install libfann-dev and configure again");
}

void FannNetwork::Destroy::operator()(fann*) const {}
void FannNetwork::step(std::span<const double>, std::span<const double>) {}
std::vector<double> FannNetwork::parameters() const { return {}; }
void FannNetwork::start_at(std::span<const double>) {}

}  // namespace gradus::benchmarks
