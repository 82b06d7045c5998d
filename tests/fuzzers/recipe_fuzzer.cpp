// Fuzzes recipe_of: whatever the metadata of a model file say, they are a recipe that fits the file's tensors
// and is written the same again, or are refused with gradus::Error. LENGTH is 1024; how to run it is in
// support.hpp.
#include <string>
#include <vector>

#include "gradus/data/safetensors.hpp"
#include "gradus/data/tensor_file.hpp"
#include "models/app/table/recipe.hpp"
#include "support.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gradus;
  const std::string text(reinterpret_cast<const char*>(data), size);
  static const std::vector<float> numbers(6);
  const std::vector<TensorBytes> tensors{tensor_bytes("hidden1/W", {2, 3}, numbers),
                                         tensor_bytes("output/W", {3, 2}, numbers)};
  const auto file_with = [&](const std::string& recipe) {
    std::string bytes = safetensors_header("f", tensors, {{"recipe", recipe}});
    return bytes.append(12 * sizeof(float), '\0');
  };
  const auto bytes = fuzz::read([&] { return file_with(text); }, "f: ");
  if (!bytes) return 0;  // no UTF-8
  const TensorFile file(*bytes, "f");
  const auto recipe = fuzz::read([&] { return recipe_of(file); }, "model file 'f': ");
  if (!recipe) return 0;
  fuzz::require(recipe->inputs() == 2 && recipe->outputs() == 2, "a recipe does not fit the tensors");
  const std::string again = file_with(recipe->json());
  fuzz::require(recipe_of(TensorFile(again, "again")).json() == recipe->json(),
                "a recipe is not the same when it is written again");
  return 0;
}
