#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gradus/base/public.hpp"

/// Names that were mistyped.
namespace GRADUS_PUBLIC gradus {

/// The name among these that was probably meant; empty when none is near.
std::string near_name(std::string_view name, const std::vector<std::string>& names);

/// "; did you mean 'price'?", for the end of a message, or nothing.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& names);

/// The message for a name that is none of a short list of these, such as "there is no optimizer 'adma'; there
/// are: adam, sgd; did you mean 'adam'?".
std::string no_such_name(std::string_view what, std::string_view name, const std::vector<std::string>& names);

}  // namespace gradus
