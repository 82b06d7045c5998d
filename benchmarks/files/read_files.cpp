// Reads a file in one way, once, and prints the seconds that it took and a sum of what was read, for
// compare.py, which starts it in turn with Python's readers.
//
//   read_files npy-load FILE   into memory of its own
//   read_files npy-sum FILE    mapped, and every 8-byte word added up
//   read_files csv FILE        a table of numbers and labels
#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "gradus/framework/graph/error.hpp"
#include "gradus/models/data/csv.hpp"
#include "gradus/models/data/npy.hpp"

namespace {

using namespace gradus;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::uint64_t sum_of(std::span<const std::byte> bytes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i + 8 <= bytes.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, 8);
    sum += word;
  }
  return sum;
}

void report(double start, const std::function<std::uint64_t()>& sum) {
  const double seconds = seconds_now() - start;
  fmt::print("{:.6f} {}\n", seconds, sum());
}

void load(const std::string& path) {
  const double start = seconds_now();
  const NpyFile file(path);
  const std::size_t count = file.tensor().count();
  const auto values = std::make_unique_for_overwrite<float[]>(count);
  convert(file.tensor(), 0, std::span(values.get(), count));
  report(start, [&] { return sum_of(std::as_bytes(std::span(values.get(), count))); });
}

void sum(const std::string& path) {
  const double start = seconds_now();
  const NpyFile file(path);
  const std::uint64_t total = sum_of(file.tensor().bytes);
  report(start, [&] { return total; });
}

void csv(const std::string& path) {
  const double start = seconds_now();
  const Table table = read_csv(path);
  report(start, [&] { return table.rows() * table.columns().size(); });
}

const std::map<std::string, void (*)(const std::string&)> ways{
    {"npy-load", load}, {"npy-sum", sum}, {"csv", csv}};

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3 || !ways.contains(argv[1])) throw Error("expected npy-load, npy-sum or csv, and a file");
  ways.at(argv[1])(argv[2]);
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "read_files: {}\n", error.what());
  return 1;
}
