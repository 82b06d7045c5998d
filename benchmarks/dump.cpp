#include "dump.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <fstream>
#include <nlohmann/json.hpp>

#include "contenders.hpp"
#include "gradients.hpp"
#include "gradus/base/error.hpp"

namespace gradus::benchmarks {

namespace {

static_assert(std::endian::native == std::endian::little);

// NumPy's format, version 1.0: a header padded to 64 bytes, then the numbers.
template <class T>
void write_npy(const std::filesystem::path& path, std::span<const T> values, std::size_t rows) {
  const std::string shape =
      rows == 0 ? fmt::format("({},)", values.size()) : fmt::format("({}, {})", rows, values.size() / rows);
  std::string header =
      fmt::format("{{'descr': '<f{}', 'fortran_order': False, 'shape': {}, }}", sizeof(T), shape);
  constexpr std::size_t preamble = 10;
  constexpr std::size_t alignment = 64;
  header.resize((preamble + header.size() + alignment) / alignment * alignment - preamble, ' ');
  header.back() = '\n';
  std::ofstream file(path, std::ios::binary);
  file << "\x93NUMPY\x01" << '\0' << static_cast<char>(header.size() % 256)
       << static_cast<char>(header.size() / 256) << header;
  file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size_bytes()));
  if (!file) throw Error(fmt::format("{} cannot be written", path.string()));
}

template <class T> std::vector<T> gradients_at_start(const Work& work) {
  Gradients<T> gradients(work);
  gradients.run(0);
  std::vector<T> all;
  for (std::size_t p = 0; p < gradients.size(); ++p)
    all.insert(all.end(), gradients[p].begin(), gradients[p].end());
  return all;
}

template <class T> nlohmann::json dump(const Work& work, const std::filesystem::path& directory) {
  const std::string name = work.name(precision_name<T>);
  const auto write = [&](std::string_view stem, std::string_view what, std::span<const T> values,
                         std::size_t rows = 0) {
    std::string file = fmt::format("{}.{}.npy", stem, what);
    std::ranges::replace(file, '/', '.');
    write_npy(directory / file, values, rows);
    return file;
  };
  const std::string of_tutorial = fmt::format("{}/{}", work.tutorial, precision_name<T>);
  const auto& samples = Samples<T>::of(work.tutorial);
  Gradus<T> gradus(work);
  nlohmann::json entry{{"name", name},
                       {"tutorial", work.tutorial},
                       {"optimizer", optimizer_name(work.optimizer)},
                       {"precision", precision_name<T>},
                       {"batch", work.batch},
                       {"x", write(of_tutorial, "x", samples.inputs, samples.count)},
                       {"target", write(of_tutorial, "target", samples.targets, samples.count)},
                       {"start", write(of_tutorial, "start", gradus.parameters())},
                       {"gradients", write(name, "gradients", gradients_at_start<T>(work))}};
  gradus.step();
  entry["after_one_step"] = write(name, "after_one_step", gradus.parameters());
  return entry;
}

}  // namespace

void dump_check(const std::filesystem::path& directory) {
  std::filesystem::create_directories(directory);
  nlohmann::json works = nlohmann::json::array();
  for_all_work([&]<class First, class... Others>(const Work& work) {
    if (work.threads == 1) works.push_back(dump<typename First::Number>(work, directory));
  });
  std::ofstream(directory / "checks.json") << works.dump(1) << '\n';
}

}  // namespace gradus::benchmarks
