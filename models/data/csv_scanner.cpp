#include "models/data/csv_scanner.hpp"

#include <algorithm>

#include "gradus/base/error.hpp"
#include "models/data/utf8.hpp"

namespace gradus {

char named_delimiter(std::string_view line) {
  constexpr std::string_view start = "sep=", delimiters = ",;\t|: ";
  const auto same = [](char a, char b) { return a == b || (a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b); };
  if (line.size() <= start.size() || !std::ranges::equal(line.substr(0, start.size()), start, same))
    return '\0';
  line.remove_prefix(start.size());
  const bool tab = line.starts_with("\\t");
  const bool only = line.find_first_not_of(delimiters, tab ? 2 : 0) == std::string_view::npos;
  const std::size_t sign = std::min(line.find_first_not_of(' '), line.size() - 1);
  return !only ? '\0' : tab ? '\t' : line[sign];
}

CsvScanner::CsvScanner(std::string_view bytes, char delimiter)
    : at_(bytes.data()), end_(bytes.data() + bytes.size()), delimiter_(delimiter) {
  if (bytes.starts_with(byte_order_mark)) at_ += byte_order_mark.size();
  lone_ = first_line_ends_with_lone();
  if (const char named = named_delimiter(rest_of_line()); named != '\0') {
    delimiter_ = named;
    named_ = true;
    skip_line();
  }
  skip_aligning_blanks();
}

bool CsvScanner::first_line_ends_with_lone() const {
  bool quoted = false;
  for (const char* c = at_; c < end_; ++c) {
    if (*c == '"') quoted = !quoted;
    if (quoted) continue;
    if (*c == '\n') return false;
    if (*c == '\r') return c + 1 < end_ && c[1] != '\n';
  }
  return false;
}

void CsvScanner::pass_line_end() {
  if (at_ < end_ && *at_ == '\r' && at_ + 1 < end_ && at_[1] == '\n') ++at_;
  if (at_ < end_) ++at_;
  line_ += 1 + breaks_;
  breaks_ = 0;
  skip_aligning_blanks();
}

std::size_t CsvScanner::skip_empty_lines() {
  std::size_t count = 0;
  for (; at_ < end_; ++count) {
    const char* c = at_;
    while (c < end_ && (*c == ' ' || *c == '\t') && *c != delimiter_) ++c;
    if (!ends_line(c)) break;
    at_ = c;
    pass_line_end();
  }
  return count;
}

void CsvScanner::skip_aligning_blanks() {
  while (delimiter_ == ' ' && at_ < end_ && *at_ == ' ') ++at_;
}

std::size_t CsvScanner::blank_end() const {
  const std::string_view left(at_, static_cast<std::size_t>(end_ - at_));
  return left.size() - 1 - left.find_last_not_of(std::string{delimiter_, ' ', '\t', '\n', '\r'});
}

std::string_view CsvScanner::rest_of_line() const {
  const char* c = at_;
  while (!ends_line(c)) ++c;
  return {at_, static_cast<std::size_t>(c - at_)};
}

void CsvScanner::skip_line() {
  at_ += rest_of_line().size();
  pass_line_end();
}

std::string_view CsvScanner::read_field() {
  const char* start = at_;
  while (at_ < end_ && (*at_ == ' ' || *at_ == '\t') && *at_ != delimiter_) ++at_;
  if (at_ < end_ && *at_ == '"') return read_quoted();
  while (at_ < end_ && *at_ != delimiter_ && *at_ != '\n' && *at_ != '\r') ++at_;
  // A lone carriage return belongs to the field, unless lines end with one.
  while (!(at_line_end() || *at_ == delimiter_)) ++at_;
  return {start, static_cast<std::size_t>(at_ - start)};
}

std::string_view CsvScanner::read_quoted() {
  unquoted_.clear();
  for (++at_;; ++at_) {
    if (at_ == end_) throw Error("the quote is never closed; add the closing \"");
    if (*at_ == '"') {
      if (at_ + 1 == end_ || at_[1] != '"') break;
      ++at_;
    }
    breaks_ += *at_ == '\n' || (*at_ == '\r' && lone_) ? 1 : 0;
    unquoted_ += *at_;
  }
  ++at_;
  while (at_ < end_ && (*at_ == ' ' || *at_ == '\t') && *at_ != delimiter_) ++at_;
  if (!at_line_end() && *at_ != delimiter_)
    throw Error("there is text behind the closing quote; write \"\" for a quote inside of quotes");
  return unquoted_;
}

}  // namespace gradus
