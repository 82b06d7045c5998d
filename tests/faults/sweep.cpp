#include "tests/faults/sweep.hpp"

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstring>
#include <optional>
#include <stdexcept>

#include "gradus/base/random.hpp"

namespace gradus::faults {

namespace {

struct Error {
  std::string_view name;
  std::string_view text;  // that a message must have
};

constexpr Error interrupted{"EINTR", {}}, in_part{"short", {}};
constexpr Error no_memory{"ENOMEM", "memory"}, io{"EIO", "Input/output error"},
    full{"ENOSPC", "No space left on device"}, many_files{"EMFILE", "Too many open files"},
    busy{"EAGAIN", "Resource temporarily unavailable"}, no_lock{"ENOLCK", "No locks available"},
    no_support{"EOPNOTSUPP", "Operation not supported"}, no_access{"EACCES", "Permission denied"};

// The errors of the calls of a kind.
std::vector<Error> errors_of(Kind kind) {
  switch (kind) {
    case Kind::malloc:
    case Kind::mmap:
      return {no_memory};
    case Kind::read:
      return {io, interrupted, in_part};
    case Kind::write:
      return {full, io, interrupted, in_part};
    case Kind::open:
      return {many_files, no_access, interrupted};
    case Kind::fsync:
      return {io, full, interrupted};
    case Kind::flock:
      return {no_lock, no_support, interrupted};
    case Kind::rename:
    case Kind::link:
    case Kind::mkdir:
      return {full, io};
    case Kind::poll:
      return {interrupted, no_memory};
    case Kind::thread:
    case Kind::spawn:
      return {busy};
    case Kind::socketpair:
      return {many_files};
    case Kind::wait:
      return {interrupted};
    case Kind::send:
      return {interrupted, in_part, no_memory};
    case Kind::close:
      return {io, interrupted};
    default:
      return {io};
  }
}

bool is_transient(const Error& error) { return error.text.empty(); }

// A text without its numbers and their units, which are times in some outputs.
std::string without_numbers(const std::string& text) {
  std::string kept;
  for (const char c : text)
    if (std::string_view("0123456789+-. \r\bemnsu").find(c) == std::string_view::npos) kept += c;
  return kept;
}

// Whether two files have the same beginning and the same end.
bool is_same_outside(const std::string& a, const std::string& b) {
  constexpr std::size_t many = 500;
  return a.substr(0, many) == b.substr(0, many) && b.size() > many &&
         a.ends_with(b.substr(b.size() - many / 10));
}

// An undisturbed run, and what of it no second one repeats.
class Right {
 public:
  Right(Runner& runner, const Job& job, const Files& before) : before_(before) {
    Files first = before;
    outcome_ = runner.run(job, first, "");
    log_ = job.log;
    facts_ = job.facts;
    if (outcome_.signal != 0 || outcome_.status != 0)
      throw std::runtime_error(job.name + " fails undisturbed: " + outcome_.errors);
    for (const auto& [name, content] : first)
      if (!is_log(name)) files_[name] = {content};
    // Times may be the same by chance.
    constexpr int more = 4;
    for (int i = 0; i < more; ++i) {
      Files again = before;
      const Outcome outcome = runner.run(job, again, "");
      output_is_steady_ = output_is_steady_ && outcome_.output == outcome.output;
      output_has_form_ =
          output_has_form_ && without_numbers(outcome_.output) == without_numbers(outcome.output);
      for (auto& [name, file] : files_)
        file.is_steady = file.is_steady && again.contains(name) && again.at(name) == file.content;
    }
  }

  const Outcome& outcome() const { return outcome_; }

  bool is_right(const std::string& output) const {
    if (output_is_steady_) return output == outcome_.output;
    return !output_has_form_ || without_numbers(output) == without_numbers(outcome_.output);
  }

  // What is wrong with the files that a run has left.
  std::optional<Failure> judged(const Files& after, bool succeeded) const {
    for (const auto& [name, content] : before_)
      if (!after.contains(name) || (after.at(name) != content && !is_new(name, after.at(name))))
        return Failure{Fault::lost, name};
    for (const auto& [name, content] : after) {
      const bool is_old = before_.contains(name) && before_.at(name) == content;
      if (is_old || is_log(name) || is_new(name, content)) continue;
      return Failure{files_.contains(name) ? Fault::half : Fault::litter, name};
    }
    for (const auto& [name, right] : files_)
      if (succeeded && (!after.contains(name) || !is_new(name, after.at(name))))
        return Failure{Fault::silent, name};
    return std::nullopt;
  }

 private:
  struct File {
    std::string content;
    bool is_steady = true;
  };

  bool is_new(const std::string& name, const std::string& content) const {
    const auto right = files_.find(name);
    if (right == files_.end()) return false;
    const auto& [expected, is_steady] = right->second;
    if (name == facts_) return is_same_outside(expected, content);
    return is_steady ? content == expected : without_numbers(content) == without_numbers(expected);
  }

  bool is_log(const std::string& name) const { return !log_.empty() && name.starts_with(log_); }

  Files before_;
  std::string log_, facts_;
  std::map<std::string, File> files_;
  Outcome outcome_;
  bool output_is_steady_ = true, output_has_form_ = true;
};

bool has_any(const std::string& text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](auto word) { return text.find(word) != std::string::npos; });
}

std::optional<Failure> judged_message(const Job& job, const Outcome& outcome, Kind kind, const Error& error) {
  std::string text = outcome.errors;
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  if (has_any(text, {"damaged", "makes no sense", "another process", "write it again", "check the path",
                     "no such file", "incomplete", "diverged", "ends early", "no regular", "a regular file"}))
    return Failure{Fault::lies, {}};
  if (kind != Kind::malloc && !job.says.empty() && has_any(outcome.errors, {job.says})) return std::nullopt;
  if (is_transient(error)) return Failure{Fault::impatient, {}};
  std::string wanted(error.text);
  std::ranges::transform(wanted, wanted.begin(), [](unsigned char c) { return std::tolower(c); });
  // The message itself may have been what could not be written.
  if (kind == Kind::write && text.empty()) return std::nullopt;
  if (!has_any(text, {wanted, "cannot allocate memory"})) return Failure{Fault::unsaid, {}};
  return std::nullopt;
}

std::optional<Failure> judged(const Job& job, const Right& right, const Outcome& outcome, const Files& after,
                              Kind kind, const Error& error) {
  if (outcome.signal != 0) return Failure{outcome.signal == SIGALRM ? Fault::hang : Fault::crash, {}};
  const bool succeeded = outcome.status == 0;
  if (auto failure = right.judged(after, succeeded)) return failure;
  if (!succeeded) return judged_message(job, outcome, kind, error);
  if (!right.is_right(outcome.output)) return Failure{Fault::silent, "the standard output"};
  return std::nullopt;
}

// The numbers of the calls to fail, of `count`: all, or `most` of them, others at each turn.
std::vector<std::uint64_t> chosen_calls(std::uint64_t count, std::uint64_t most, std::uint64_t turn) {
  std::vector<std::uint64_t> calls;
  const std::uint64_t many = most == 0 ? count : std::min(count, most);
  const std::uint64_t shift = many == count ? 0 : Random(turn).below(count);
  for (std::uint64_t i = 0; i < many; ++i) calls.push_back(1 + (shift + i * count / many) % count);
  return calls;
}

std::string told(const Job& job, const std::string& fault, const Failure& failure, const Outcome& outcome) {
  return job.name + ", GRADUS_FAULT=\"" + fault +
         "\": " + std::string(fault_names[static_cast<std::size_t>(failure.fault)]) + " " + failure.what +
         " (status " + std::to_string(outcome.status) + ", signal " + std::to_string(outcome.signal) + ") " +
         outcome.errors.substr(0, 400);
}

}  // namespace

std::map<Kind, Tally> sweep(Runner& runner, const Job& job, const SweepOptions& options) {
  Files with_old = job.inputs;
  for (const std::string& name : job.outputs) with_old[name] = "old";
  const std::array<Files, 2> befores{job.inputs, with_old};
  const std::array<Right, 2> rights{Right(runner, job, befores[0]), Right(runner, job, befores[1])};
  std::map<Kind, Tally> tallies;
  std::size_t turn = 0;
  std::uint64_t chosen = 0;
  for (std::size_t k = 0; k < kinds; ++k) {
    const auto kind = static_cast<Kind>(k);
    if (!options.calls.empty() && std::ranges::find(options.calls, kind) == options.calls.end()) continue;
    Tally& tally = tallies[kind];
    for (const Error& error : errors_of(kind))
      for (const std::uint64_t call : chosen_calls(rights[0].outcome().counts[k], options.most, ++chosen))
        for (const bool stays : {false, true}) {
          if (stays && is_transient(error)) continue;  // that would never end
          turn = (turn + (stays ? 0 : 1)) % 2;
          Files files = befores[turn];
          const std::string fault = std::string(kind_names[k]) + " " + std::to_string(call) + " " +
                                    std::string(error.name) + (stays ? " on" : "");
          const Outcome outcome = runner.run(job, files, fault);
          ++tally.runs;
          tally.struck += outcome.struck;
          if (auto failure = judged(job, rights[turn], outcome, files, kind, error)) {
            failure->what = told(job, fault, *failure, outcome);
            tally.failures.push_back(std::move(*failure));
          }
        }
  }
  return tallies;
}

}  // namespace gradus::faults
