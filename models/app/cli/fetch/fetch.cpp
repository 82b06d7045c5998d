#include "models/app/cli/fetch/fetch.hpp"

#include <fmt/format.h>

#include "models/app/cli/standard_output.hpp"
#include "models/app/fetch/fetch_mnist.hpp"

namespace gradus::cli {

bool can_fetch() { return true; }

int fetch(const FetchCommandOptions& options) {
  const auto folder = fetch_mnist({.folder = options.data, .print = [](std::string_view text) {
                                     print_text(text);
                                     flush_output();
                                   }});
  print("MNIST is in {}\n", folder.string());
  return 0;
}

}  // namespace gradus::cli
