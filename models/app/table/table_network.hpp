#pragma once

#include <string>
#include <vector>

#include "gradus/train/model.hpp"
#include "models/app/table/recipe.hpp"

namespace GRADUS_PUBLIC gradus {

/// relu, tanh, sigmoid and so on, as `activation` names them.
std::vector<std::string> activation_names();

/// OptionError for what only hidden layers have in a model without them.
void check_network(const TableRecipe& recipe);

/// Hidden layers with their activation, then a linear one: logits of the classes with cross-entropy and
/// accuracy, or the standardised target with mean square and absolute error. Error for an activation or a
/// normalization that there is not, or a size below 1.
ModelDefinition model_of(const TableRecipe& recipe, const Optimizer& optimizer = adam());

}  // namespace gradus
