#include "models/app/fetch/fetch_mnist.hpp"

#include <fmt/format.h>
#include <sha2.h>

#include <array>
#include <cstdlib>
#include <sstream>
#include <vector>

#include "gradus/data/idx.hpp"
#include "gradus/data/mnist.hpp"
#include "gradus/data/option_error.hpp"
#include "models/app/fetch/fetch_file.hpp"

namespace gradus {

namespace {

// A gzip file may be this much larger than what is in it.
std::int64_t most_compressed(std::int64_t bytes) { return bytes + bytes / 1000 + 4096; }

std::vector<std::string> mirrors() {
  const char* variable = std::getenv("GRADUS_MIRROR");
  if (variable == nullptr || std::string_view(variable).empty())
    return {mnist_mirrors.begin(), mnist_mirrors.end()};
  std::vector<std::string> named;
  std::string shown;
  std::istringstream words(variable);
  words.exceptions(std::ios::badbit);  // or memory that runs out would be the end of the words
  for (std::string word; words >> word; named.push_back(word))
    shown += (shown.empty() ? "" : " ") + without_password(word);
  for (const std::string& word : named) {
    const std::string start = word.substr(0, word.find("://"));
    if (start == word || (start != "http" && start != "https" && start != "file"))
      throw Error(
          fmt::format("GRADUS_MIRROR is '{}': '{}' is no address; each must begin with http://, "
                      "https:// or file://, as {}{}",
                      shown, without_password(word), word.starts_with('/') ? "file://" : "https://",
                      word.starts_with('/') ? word : "host/mnist"));
  }
  if (named.empty()) throw Error("GRADUS_MIRROR is blank; unset it, or name a mirror in it");
  return named;
}

// Whether the right contents are there under another name, plain or dotted. Error for wrong contents that
// would be read in place of the file that is wanted.
bool is_there_otherwise(const WantedFile& wanted, std::string_view name, const FetchOptions& how) {
  const auto found = find_mnist_file(how.folder, name);
  if (!found || found->filename() == wanted.name) return false;
  if (is_right(wanted, *found)) {
    if (how.print) how.print(fmt::format("{}: it is there already\n", found->filename().string()));
    return true;
  }
  if (found->extension() == ".gz") return false;  // the wanted one is read before it
  throw OptionError({"data"},
                    fmt::format("{}: this is not the original, and it is read before {}; rename it, remove "
                                "it or name another folder",
                                found->string(), wanted.name));
}

}  // namespace

std::string sha256_of_idx(const std::filesystem::path& path) {
  const IdxFile idx = read_idx(path);
  if (idx.type != ElementType::u8) return fmt::format("of elements of type {}", name_of(idx.type));
  std::vector<std::uint8_t> header{0, 0, 8, static_cast<std::uint8_t>(idx.extents.size())};
  for (const std::int64_t extent : idx.extents)
    for (const int shift : {24, 16, 8, 0}) header.push_back(static_cast<std::uint8_t>(extent >> shift));
  SHA2_CTX state;
  std::array<char, SHA256_DIGEST_STRING_LENGTH> text{};
  SHA256Init(&state);
  SHA256Update(&state, header.data(), header.size());
  SHA256Update(&state, idx.values.data(), idx.values.size());
  SHA256End(&state, text.data());
  return text.data();
}

std::filesystem::path fetch_mnist(const FetchMnistOptions& options) {
  std::vector<std::string> unreachable;
  FetchOptions how{.mirrors = mirrors(),
                   .folder = options.folder,
                   .print = options.print,
                   .unreachable = [&](const std::string& mirror) { unreachable.push_back(mirror); }};
  if (how.folder.empty()) {
    const auto usual = mnist_folder();
    if (!usual) throw OptionError({"data"}, "HOME is not set, so there is no usual place; name a folder");
    how.folder = *usual;
  }
  for (const MnistFile& file : mnist_files) {
    const WantedFile wanted{.name = std::string(file.name) + ".gz",
                            .sha256 = std::string(file.sha256),
                            .most_bytes = most_compressed(file.bytes),
                            .sum = sha256_of_idx};
    if (!is_there_otherwise(wanted, file.name, how)) fetch_file(wanted, how);
    for (const std::string& mirror : unreachable) std::erase(how.mirrors, mirror);
  }
  return how.folder;
}

}  // namespace gradus
