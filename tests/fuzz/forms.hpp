#pragma once

#include "gradus/ops.hpp"
#include "random_graph.hpp"

/// The parts of the table of forms, and what they share.
namespace gradus::fuzz {

std::vector<Form> leaf_forms();
std::vector<Form> elementwise_forms();
std::vector<Form> reduction_forms();
std::vector<Form> structure_forms();

using Exprs = std::vector<Expr>;

/// The only axis that holds the batch, when it holds nothing else: its extent is a·B.
std::optional<std::size_t> batch_axis(const Shape& shape);

/// The samples of a result whose every element is made of elements of the same rows.
Samples rowwise(const Site& site);
/// The same for what is linear in all operands together (or, as a product, in one): sums and means of samples
/// stay what they are.
Samples linear(const Site& site, bool product = false);

/// From the least to the largest value of all operands.
Facts hull(const Site& site, Samples samples);

}  // namespace gradus::fuzz
