#include "models/app/fetch/fetch_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <system_error>

#include "gradus/base/error.hpp"
#include "gradus/data/atomic_file.hpp"
#include "gradus/data/option_error.hpp"
#include "models/app/progress/progress.hpp"

namespace gradus {

namespace {

namespace fs = std::filesystem;

// Whether a file is the right one, and what is wrong with it.
struct Verdict {
  bool right = false;
  bool damaged = false;
  std::string why = {};
};

Verdict judge(const WantedFile& wanted, const fs::path& path) {
  try {
    const std::string found = wanted.sum(path);
    if (found == wanted.sha256) return {.right = true};
    return {.why = fmt::format("expected contents with the SHA-256 {}, found {}", wanted.sha256, found)};
  } catch (const Error& error) {
    return {.damaged = true,
            .why = fmt::format("expected contents with the SHA-256 {}, found none that can be read: {}",
                               wanted.sha256, error.what())};
  }
}

// Error when something else is there that somebody may want to keep.
bool is_there(const WantedFile& wanted, const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return false;
  const Verdict verdict = judge(wanted, path);
  if (verdict.right || verdict.damaged) return verdict.right;
  throw OptionError({"data"}, fmt::format("{}: this holds something else: {}; name another folder, or rename "
                                          "or remove the file",
                                          path.string(), verdict.why));
}

std::string url_of(const std::string& mirror, const std::string& name) {
  return mirror + (mirror.ends_with('/') ? "" : "/") + name;
}

// Fetches into the part from one mirror; the reason when it cannot be had there. A transfer that was cut is
// taken up again as long as that brings more than there ever was.
std::optional<std::string> fetch_from(const std::string& mirror, const WantedFile& wanted, PartFile& part,
                                      const FetchOptions& options, const TransferOptions& patience) {
  constexpr int most_in_vain = 2;
  constexpr int most_attempts = 100;
  std::int64_t reached = 0;
  int in_vain = 0;
  std::string why;
  for (int attempt = 0; attempt < most_attempts && in_vain < most_in_vain; ++attempt) {
    const bool resumed = part.size() > 0;
    const Transfer made = transfer(url_of(mirror, wanted.name), part, patience);
    if (made.end == Transfer::End::unreachable && options.unreachable) options.unreachable(mirror);
    if (made.end == Transfer::End::refused || made.end == Transfer::End::unreachable) return made.why;
    if (made.end != Transfer::End::no_range) {
      // The sum alone counts: a server may be wrong about the length.
      const Verdict verdict = judge(wanted, part.part());
      if (verdict.right) return std::nullopt;
      why = made.end == Transfer::End::complete ? verdict.why : made.why;
    }
    // The beginning may have come from another place.
    if (made.end != Transfer::End::cut) part.clear();
    if (made.end == Transfer::End::complete && !resumed) return why;
    in_vain = part.size() > reached ? 0 : in_vain + 1;
    reached = std::max(reached, part.size());
  }
  return why;
}

// Puts the file into the folder and says how.
std::string fetch(const WantedFile& wanted, const FetchOptions& options, Progress& progress) {
  const fs::path path = options.folder / wanted.name;
  std::string there = fmt::format("{}: it is there already\n", wanted.name);
  if (is_there(wanted, path)) return there;
  PartFile part(path);
  if (is_there(wanted, path)) return there;  // another process has fetched it in the meantime
  const TransferOptions patience{.stall_seconds = options.stall_seconds,
                                 .connect_seconds = options.connect_seconds,
                                 .most_bytes = wanted.most_bytes,
                                 .progress = [&](auto done, auto all) { progress.at(done, all); }};
  std::string answers;
  for (const std::string& mirror : options.mirrors) {
    const std::string url = without_password(url_of(mirror, wanted.name));
    const auto why = fetch_from(mirror, wanted, part, options, patience);
    if (!why) {
      part.keep();  // complete, whatever becomes of its name
      part.publish();
      return fmt::format("{}: {} bytes from {}\n", wanted.name, part.size(), url);
    }
    answers += fmt::format("\n  {}: {}", url, *why);
  }
  const bool begun = part.size() > 0;
  if (begun) part.keep();
  throw Error(
      fmt::format("{} could not be fetched into {}:{}\nCheck the connection, or name another mirror{}",
                  wanted.name, options.folder.string(), answers,
                  begun ? "; what has come so far is kept, and the next attempt goes on from there" : ""));
}

}  // namespace

bool is_right(const WantedFile& wanted, const fs::path& path) { return judge(wanted, path).right; }

void fetch_file(const WantedFile& wanted, const FetchOptions& options) {
  make_folder(options.folder, "data");
  std::string line;
  {
    Progress progress("fetching " + wanted.name);
    line = fetch(wanted, options, progress);
  }
  if (options.print) options.print(line);
}

}  // namespace gradus
