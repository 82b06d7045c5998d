#pragma once

#include <algorithm>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace gradus {

/// Says what is wrong with a text as XML, or, with elements that are never closed, as HTML; empty when it is
/// well-formed: elements nest, attributes are quoted and given once, and no bare & or < stands in the text.
inline std::string flaw_in_markup(const std::string& text, const std::set<std::string>& never_closed = {}) {
  static const std::regex entity("&(amp|lt|gt|quot|apos|nbsp|#[0-9]+|#x[0-9A-Fa-f]+);");
  const auto bad_text = [&](const std::string& part) {
    for (std::size_t at = part.find('&'); at != std::string::npos; at = part.find('&', at + 1)) {
      const std::string rest = part.substr(at, 12);
      if (!std::regex_search(rest, entity, std::regex_constants::match_continuous)) return true;
    }
    return false;
  };
  std::vector<std::string> open;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t begin = text.find('<', at);
    if (bad_text(text.substr(at, begin - at))) return "a bare & before byte " + std::to_string(begin);
    if (begin == std::string::npos) break;
    const bool comment = text.compare(begin, 4, "<!--") == 0;
    const std::size_t end = comment ? text.find("-->", begin) : text.find('>', begin);
    if (end == std::string::npos) return "a tag without end at byte " + std::to_string(begin);
    at = end + (comment ? 3 : 1);
    if (comment || text[begin + 1] == '?' || text[begin + 1] == '!') continue;
    const bool closing = text[begin + 1] == '/';
    const std::size_t name_at = begin + (closing ? 2 : 1);
    const std::string name = text.substr(name_at, text.find_first_of(" \t\n/>", name_at) - name_at);
    if (name.empty()) return "a bare < at byte " + std::to_string(begin);
    if (closing) {
      if (open.empty() || open.back() != name) return "</" + name + "> at byte " + std::to_string(begin);
      open.pop_back();
      continue;
    }
    std::string inside = text.substr(name_at + name.size(), end - name_at - name.size());
    const bool empty = !inside.empty() && inside.back() == '/';
    if (empty) inside.pop_back();
    std::set<std::string> names;
    // Pictures within are attributes of a megabyte: no regular expression for these.
    for (std::size_t i = inside.find_first_not_of(" \t\n"); i != std::string::npos;
         i = inside.find_first_not_of(" \t\n", i)) {
      const std::size_t equal = inside.find('=', i);
      if (equal == std::string::npos)
        return "<" + name + inside.substr(0, 80) + ">: an attribute without a value";
      const std::size_t value = std::min(inside.find_first_not_of(" \t\n", equal + 1), inside.size() - 1);
      const char quote = inside[value];
      const std::size_t stop = inside.find(quote, value + 1);
      if ((quote != '"' && quote != '\'') || stop == std::string::npos)
        return "<" + name + ">: an unquoted attribute";
      if (!names.insert(inside.substr(i, inside.find_first_of(" \t\n=", i) - i)).second)
        return "<" + name + ">: an attribute given twice";
      if (bad_text(inside.substr(equal, stop - equal))) return "<" + name + ">: a bare & in an attribute";
      i = stop + 1;
    }
    if (!empty && !never_closed.contains(name)) open.push_back(name);
  }
  return open.empty() ? "" : "<" + open.back() + "> is never closed";
}

}  // namespace gradus
