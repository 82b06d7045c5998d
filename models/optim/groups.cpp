// Groups: the first pattern that matches a parameter's name says which optimizer trains it.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "gradus/optim/optimizer.hpp"

namespace gradus {

namespace {

const std::string& name_of(const Expr& parameter) { return parameter.graph()[parameter.id()].label; }

// A mismatch goes back to the last star and lets it stand for one more byte.
bool matches(std::string_view pattern, std::string_view name) {
  constexpr std::size_t none = std::string_view::npos;
  std::size_t p = 0, n = 0, star = none, after_star = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after_star = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != none) {
      p = star + 1;
      n = ++after_star;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == none;
}

template <class List, class Text>
std::string joined(const List& list, Text text) {
  std::string all;
  for (const auto& each : list) all += (all.empty() ? "" : ", ") + text(each);
  return all.empty() ? "none" : all;
}

}  // namespace

Optimizer groups(std::vector<ParameterGroup> groups, Location where) {
  Optimizer made(fmt::format("groups at {}", to_string(where)), nullptr);
  if (groups.empty())
    throw Error(fmt::format("{}: there is no group; give a pattern and an optimizer", made.name_));
  made.groups_ = std::move(groups);
  std::set<std::string_view> names;
  for (const Optimizer* each : made.rules())
    if (!names.insert(each->name_).second)
      throw Error(
          fmt::format("{}: two of the optimizers are named '{}'; give one a name of its own with "
                      ".named(\"…\")",
                      made.name_, each->name_));
  return made;
}

Optimizer frozen() { return {"frozen", nullptr}; }

// The optimizers with a rule: this one, or those of the groups in their order.
std::vector<const Optimizer*> Optimizer::rules() const {
  std::vector<const Optimizer*> all;
  if (rule_) all.push_back(this);
  for (const ParameterGroup& group : groups_)
    for (const Optimizer* each : group.optimizer.rules()) all.push_back(each);
  return all;
}

const ParameterGroup& Optimizer::group_of(const Expr& parameter) const {
  const std::string& name = name_of(parameter);
  const auto found = std::ranges::find_if(
      groups_, [&](const ParameterGroup& group) { return matches(group.pattern, name); });
  if (found == groups_.end())
    throw Error(
        fmt::format("{}: no pattern matches the parameter '{}'; there are: {}. Add one that does, as "
                    "in {{\"*\", frozen()}}",
                    name_, name, joined(groups_, [](const auto& group) { return group.pattern; })));
  return *found;
}

// The places of the group's parameters.
std::vector<std::size_t> Optimizer::members(const ParameterGroup& group,
                                            const std::vector<Expr>& parameters) const {
  std::vector<std::size_t> own;
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (&group_of(parameters[i]) == &group) own.push_back(i);
  return own;
}

// The places of the parameters that are not frozen, in order.
std::vector<std::size_t> Optimizer::trained(const std::vector<Expr>& parameters) const {
  std::vector<std::size_t> all;
  if (rule_) {
    all.resize(parameters.size());
    std::iota(all.begin(), all.end(), 0U);
  }
  for (const ParameterGroup& group : groups_) {
    const auto own = members(group, parameters);
    if (own.empty())
      throw Error(
          fmt::format("{}: the pattern '{}' decides no parameter: none matches, or earlier groups have "
                      "those that do; the parameters are: {}",
                      name_, group.pattern, joined(parameters, name_of)));
    std::vector<Expr> its;
    its.reserve(own.size());
    for (const std::size_t i : own) its.push_back(parameters[i]);
    for (const std::size_t i : group.optimizer.trained(its)) all.push_back(own[i]);
  }
  std::ranges::sort(all);
  return all;
}

}  // namespace gradus
