#pragma once

#include <string>

#include "gradus/data/tensor_bytes.hpp"

namespace gradus {

/// The number of this type, one that NumPy has, that is nearest to a number; of whole numbers, the number as
/// it is.
double in_type(double number, ElementType type);

/// An element as text: the shortest that stands for it in its own type, so that 0.1 is "0.1" in all types,
/// and whole numbers with all their digits.
std::string element_text(const TensorBytes& tensor, std::size_t index);

}  // namespace gradus
