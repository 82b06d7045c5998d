#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "gradus/models/cli/commands.hpp"

namespace gradus::cli {

namespace {
[[noreturn]] void fail(const std::string& path, int error) {
  throw Error(fmt::format("{}: cannot be written: {}", path, std::strerror(error)));
}
}  // namespace

void write_file(const std::string& path, const std::string& content) {
  if (std::filesystem::is_directory(path)) fail(path, EISDIR);
  const std::string temporary = fmt::format("{}.{}.tmp", path, getpid());
  std::FILE* file = std::fopen(temporary.c_str(), "wb");
  if (file == nullptr) fail(path, errno);
  bool good = std::fwrite(content.data(), 1, content.size(), file) == content.size();
  good = std::fflush(file) == 0 && good;
  good = fsync(fileno(file)) == 0 && good;
  const int error = errno;
  good = std::fclose(file) == 0 && good;
  if (good && std::rename(temporary.c_str(), path.c_str()) == 0) return;
  const int reason = good ? errno : error;
  std::remove(temporary.c_str());
  fail(path, reason);
}

}  // namespace gradus::cli
