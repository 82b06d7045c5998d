#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cctype>

#include "recipe.hpp"

namespace gradus::fuzz {

namespace {

std::string text_of(Dim d) {
  const std::int64_t a = d.per_batch();
  const std::int64_t c = d.constant();
  if (a == 0) return std::to_string(c);
  const std::string scaled = a == 1 ? "B" : fmt::format("{} * B", a);
  return c == 0 ? scaled : fmt::format("{} {} {}", scaled, c < 0 ? '-' : '+', std::abs(c));
}
std::string text_of(double v) { return fmt::format("{}", v); }
std::string text_of(std::int64_t v) { return std::to_string(v); }
std::string text_of(bool v) { return v ? "true" : "false"; }

template <class Items> std::string list_of(const Items& items) {
  std::vector<std::string> texts;
  for (const auto& item : items) texts.push_back(text_of(item));
  return fmt::format("{{{}}}", fmt::join(texts, ", "));
}

// One, by its digit, or all of a step's members.
template <class Items> std::string chosen(const Items& items, char which) {
  return which == '*' ? list_of(items) : text_of(items.at(static_cast<std::size_t>(which - '0')));
}

std::string operand(const Recipe& recipe, std::size_t step) {
  const Step& at = recipe.steps[step];
  return at.form->kind == Form::Kind::number ? text_of(at.numbers.front()) : name_of(recipe, step);
}

std::string operands(const Recipe& recipe, const Step& step, char which) {
  if (which != '*') return operand(recipe, step.in.at(static_cast<std::size_t>(which - '0')));
  std::vector<std::string> names;
  for (const std::size_t in : step.in) names.push_back(operand(recipe, in));
  return fmt::format("{}", fmt::join(names, ", "));
}

// The form's text with its marks replaced.
std::string expression(const Recipe& recipe, std::size_t number) {
  const Step& step = recipe.steps[number];
  const std::string& text = step.form->text;
  std::string code;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '&') {
      code += list_of(step.shape);
      continue;
    }
    const char which = i + 1 < text.size() ? text[i + 1] : ' ';
    const bool marked = which == '*' || which == 'n' || std::isdigit(static_cast<unsigned char>(which)) != 0;
    const std::string_view marks = "$#~?^";
    if (!marked || marks.find(text[i]) == std::string_view::npos) {
      code += text[i];
      continue;
    }
    ++i;
    if (text[i - 1] == '$') code += which == 'n' ? name_of(recipe, number) : operands(recipe, step, which);
    if (text[i - 1] == '#') code += chosen(step.numbers, which);
    if (text[i - 1] == '~') code += chosen(step.axes, which);
    if (text[i - 1] == '?') code += chosen(step.flags, which);
    if (text[i - 1] == '^') code += chosen(step.dims, which);
  }
  return code;
}

constexpr const char* head = R"(#include <fmt/ranges.h>

#include <cstdio>

#include "gradus/check/gradient_check.hpp"
#include "framework/check/gradient_system.hpp"
#include "gradus/ops.hpp"

using namespace gradus;

)";

constexpr const char* tail = R"(  for (const bool optimize : {{false, true}}) {{
    Store<double> store;
    auto program = compile<double>(std::span<const Expr>(outputs), updates, batch, store, {{.optimize = optimize}});
    put(point, program, store);
    for (int run = 0; run < 3; ++run) {{
      program.run();
      for (std::size_t i = 0; i < outputs.size(); ++i)
        fmt::print("optimize {{}}, run {{}}, output {{}}: {{}}\n", optimize, run, i, program.output(i).values);
      for (const Update& u : updates) {{
        const std::string& name = g[u.variable.id()].label;
        fmt::print("optimize {{}}, run {{}}, {{}}: {{}}\n", optimize, run, name, store.values(name));
      }}
    }}
  }}
  for (const Expr& output : outputs)
    if (!gradient_leaves(output).empty())
      std::puts(check_gradient(output, point, batch, {{.order = 2, .mixes_batch = {}}}).text().c_str());
}}
)";

}  // namespace

std::string cpp_text(const Recipe& recipe) {
  const Built built(recipe);
  std::string code =
      fmt::format("// Random graph of seed {}.\n{}int main() {{\n  Graph g;\n", recipe.seed, head);
  for (std::size_t i = 0; i < recipe.steps.size(); ++i)
    if (!built.is_number(i))
      code += fmt::format("  const Expr {} = {};\n", name_of(recipe, i), expression(recipe, i));
  code += "  const Point point{";
  const char* separator = "\n";
  for (const auto& [name, values] : built.point) {
    code += fmt::format("{}      {{\"{}\", {{{}}}}}", separator, name, fmt::join(values, ", "));
    separator = ",\n";
  }
  bool mixes = false;
  std::vector<std::string> outputs;
  for (const std::size_t step : recipe.outputs) {
    outputs.push_back(name_of(recipe, step));
    mixes = mixes || built.facts[step].samples == Samples::mixed;
  }
  std::vector<std::string> updates;
  for (const auto& [variable, value] : recipe.updates)
    updates.push_back(fmt::format("{{{}, {}}}", name_of(recipe, variable), operand(recipe, value)));
  code += fmt::format(
      "}};\n  const std::int64_t batch = {};\n  const std::vector<Expr> outputs{{{}}};\n"
      "  const std::vector<Update> updates{{{}}};\n",
      recipe.batch, fmt::join(outputs, ", "), fmt::join(updates, ", "));
  return code + fmt::format(fmt::runtime(tail), mixes);
}

}  // namespace gradus::fuzz
