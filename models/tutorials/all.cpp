#include "models/tutorials/all.hpp"

#include <algorithm>

#include "gradus/base/error.hpp"
#include "models/data/near_name.hpp"
#include "models/tutorials/bp_network.hpp"
#include "models/tutorials/exam_score.hpp"
#include "models/tutorials/feedforward.hpp"
#include "models/tutorials/height_weight.hpp"
#include "models/tutorials/mnist.hpp"
#include "models/tutorials/neuron.hpp"
#include "models/tutorials/sine.hpp"
#include "models/tutorials/two_targets.hpp"

namespace gradus {

const std::vector<const Tutorial*>& tutorials() {
  static const std::vector<const Tutorial*> all{&neuron(),      &feedforward(), &height_weight(),
                                                &two_targets(), &exam_score(),  &bp_network(),
                                                &mnist(),       &sine()};
  return all;
}

const Tutorial& find_tutorial(std::string_view name) {
  const auto found = std::ranges::find(tutorials(), name, &Tutorial::name);
  if (found != tutorials().end()) return **found;
  std::vector<std::string> names;
  for (const Tutorial* tutorial : tutorials()) names.emplace_back(tutorial->name());
  throw Error(no_such_name("tutorial", name, names));
}

}  // namespace gradus
