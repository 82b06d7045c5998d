// Reads a file in one way, once, and prints the seconds of processor time that it took and a sum of what was
// read, for compare.py, which starts it in turn with Python's readers.
//
//   read_files npy-load FILE   into memory of its own
//   read_files npy-sum FILE    mapped, and every 8-byte word added up
//   read_files csv FILE        a table of numbers and labels
#include <fmt/format.h>
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <string>

#include "gradus/base/error.hpp"
#include "gradus/data/csv.hpp"
#include "gradus/data/npy.hpp"

namespace {

using namespace gradus;

// Processor time, the kernel's share included: neighbours disturb it less.
double seconds_now() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// For wider vectors where there are any, as NumPy's sum is.
[[gnu::target_clones("avx2", "default")]] std::uint64_t sum_of(std::span<const std::byte> bytes) {
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
  // NumPy, too, asks for large pages; without them most of the time goes into handing out small ones.
  constexpr std::size_t page = std::size_t{1} << 21U;
  const std::size_t size = (file.tensor().bytes.size() + page - 1) / page * page;
  const std::unique_ptr<void, decltype(&std::free)> memory(std::aligned_alloc(page, size), &std::free);
  if (memory == nullptr) throw std::bad_alloc();
  madvise(memory.get(), size, MADV_HUGEPAGE);
  const std::span values(static_cast<float*>(memory.get()), file.tensor().count());
  // Piece by piece: what the kernel has just cleared is then still in the cache.
  constexpr std::size_t piece = std::size_t{1} << 17U;
  for (std::size_t at = 0; at < values.size(); at += piece)
    convert(file.tensor(), at, values.subspan(at, std::min(piece, values.size() - at)));
  report(start, [&] { return sum_of(std::as_bytes(values)); });
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
