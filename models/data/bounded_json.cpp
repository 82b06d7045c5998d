#include "models/data/bounded_json.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "gradus/base/error.hpp"
#include "models/data/printable.hpp"

namespace gradus {

namespace {

// Passes over a text and refuses what JSON parsers let pass: lists and objects that are nested deeper, and
// keys that occur twice in one object. (As a callback of the parser it would take quadratic time: that looks
// through all of an object after each of its entries.)
class JsonGuard final : public nlohmann::json_sax<Json> {
 public:
  bool start_object(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    if (!open_.back().insert(name).second)
      throw Error(fmt::format("the name '{}' is given twice", shortened(name)));
    return true;
  }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(std::int64_t) override { return true; }
  bool number_unsigned(std::uint64_t) override { return true; }
  bool number_float(double, const std::string&) override { return true; }
  bool string(std::string&) override { return true; }
  bool binary(Json::binary_t&) override { return true; }
  // The parser, which comes next, says why.
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override { return false; }

 private:
  bool open() {
    if (open_.size() >= most_json_levels)
      throw Error(fmt::format("it is nested deeper than {} levels", most_json_levels));
    open_.emplace_back();
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::vector<std::set<std::string>> open_;  // the names in what is open; of a list, none
};

}  // namespace

Json parsed_json(std::string_view text) {
  JsonGuard guard;
  Json::sax_parse(text.begin(), text.end(), &guard);
  return Json::parse(text.begin(), text.end());
}

}  // namespace gradus
