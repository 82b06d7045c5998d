#include "framework/check/gradient_jacobian.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "framework/check/gradient_verdict.hpp"
#include "gradus/base/random.hpp"

namespace gradus {

namespace {

// A point with more kinks than this is of no use.
constexpr std::size_t most_kinks = 20;
// In the fast mode, the combination of more outputs than these is compared in place of each.
constexpr std::size_t most_outputs = 1000;

// The gradients for one cotangent of the outputs.
class Row {
 public:
  Row(const CheckedFunction& system, std::vector<double> of_cotangent)
      : cotangent(std::move(of_cotangent)), gradients(system.pull(cotangent)), system_(&system) {}

  std::vector<double> cotangent;
  std::vector<std::vector<double>> gradients;

  // By how much those are rounded: measured for what disagrees.
  const std::vector<std::vector<double>>& rounding() {
    if (rounding_.empty()) rounding_ = system_->gradient_rounding(cotangent);
    return rounding_;
  }

 private:
  const CheckedFunction* system_;
  std::vector<std::vector<double>> rounding_;
};

// Else it is looked at once more, with its rounding measured.
bool is_shown(double analytic, const Difference& difference) {
  return compare(analytic, difference) != Agreement::none && !std::isinf(difference.uncertainty);
}

// The automatic mode looks at every entry as long as that is estimated to take less than some seconds, and
// the gradients of every output, which are kept, less than a quarter of a gigabyte.
bool checks_every_entry(const CheckedFunction& system, const GradientCheckOptions& options) {
  if (options.mode != GradientCheckOptions::Mode::automatic)
    return options.mode == GradientCheckOptions::Mode::full;
  constexpr double most_nanoseconds = 5e9, most_bytes = 2.5e8, pushes = 27, of_a_push = 1000,
                   of_an_output = 100;
  const auto outputs = static_cast<double>(system.output_count());
  const auto entries = static_cast<double>(system.entry_count());
  const double push = system.estimated_nanoseconds() + of_a_push + of_an_output * outputs;
  return outputs * (outputs + entries) * sizeof(double) <= most_bytes &&
         (entries * pushes + outputs) * push <= most_nanoseconds;
}

// Compares the Jacobian of several outputs with differences.
class JacobianCheck {
 public:
  JacobianCheck(const CheckedFunction& system, const GradientCheckOptions& options, int order)
      : system_(system), options_(options), order_(order), random_(options.seed, stream_of("directions")) {}

  std::vector<CheckedTensor> run() {
    for (std::size_t t = 0; t < system_.names.size(); ++t)
      verdicts_.emplace_back(system_.names[t], system_.extents[t], order_);
    at_kink_.resize(system_.names.size());
    wrong_.resize(system_.names.size());
    const bool all = checks_every_entry(system_, options_);
    if (all)
      full();
    else
      fast();
    std::vector<CheckedTensor> tensors;
    for (Verdict& verdict : verdicts_) tensors.push_back(verdict.finish());
    for (CheckedTensor& tensor : tensors) tensor.sampled = !all;
    return tensors;
  }

 private:
  const std::vector<double>& tensor(std::size_t t) const { return system_.values(t); }

  void full() {
    const std::size_t outputs = system_.output_count();
    std::vector<Row> rows;
    for (std::size_t j = 0; j < outputs; ++j) {
      std::vector<double> cotangent(outputs, 0);
      cotangent[j] = 1;
      rows.emplace_back(system_, std::move(cotangent));
    }
    to_do_ = system_.entry_count();
    for (std::size_t t = 0; t < system_.names.size(); ++t)
      for (std::size_t i = 0; i < tensor(t).size(); ++i) {
        tell_progress();
        const auto columns = entry_differences(t, i);
        std::vector<Difference> closer;
        for (std::size_t j = 0; j < outputs; ++j) {
          const double analytic = rows[j].gradients[t][i];
          Difference column = columns[j];
          if (!is_shown(analytic, column)) {
            if (closer.empty()) closer = entry_differences(t, i, system_.output_rounding());
            column = closer[j];
            column.uncertainty += rows[j].rounding()[t][i];
          }
          verdicts_[t].add(entry_text(t, i, j), analytic, column);
        }
      }
  }

  void tell_progress() {
    if (options_.progress != nullptr)
      (*options_.progress)({order_ == 2 ? "second gradient" : "gradient", done_, to_do_});
    ++done_;
  }

  std::string entry_text(std::size_t t, std::size_t i, std::size_t output) const {
    const std::string index = index_text(i, system_.extents[t]);
    return system_.output_count() == 1 ? index : fmt::format("output {}, {}", output, index);
  }

  std::vector<Difference> entry_differences(std::size_t t, std::size_t i,
                                            std::span<const double> rounding = {}) {
    std::vector<double> moved = tensor(t);
    const double x = moved[i];
    auto found = differentiate(
        [&](double offset, std::span<double> outputs) {
          moved[i] = x + offset;
          system_.put(t, moved);
          system_.push(outputs);
        },
        system_.output_count(), first_step(x, tensor(t)), rounding, finest_step(x));
    system_.put(t, tensor(t));
    return found;
  }

  void fast() {
    const auto tensors = static_cast<std::int64_t>(system_.names.size());
    const std::int64_t each = (options_.samples + tensors - 1) / tensors;
    to_do_ = static_cast<std::size_t>(options_.directions);
    for (std::size_t t = 0; t < system_.names.size(); ++t)
      to_do_ += std::min(tensor(t).size(), static_cast<std::size_t>(each));
    for (std::int64_t k = 0; k < options_.directions; ++k) {
      tell_progress();
      direction(static_cast<std::size_t>(k % tensors), k);
    }
    // Sampled entries, each against a random combination of the outputs.
    Row row(system_, random_cotangent());
    for (std::size_t t = 0; t < system_.names.size(); ++t)
      for (const std::size_t i : sampled(tensor(t).size(), each)) {
        tell_progress();
        if (at_kink_[t].contains(i) || wrong_[t] == i) continue;
        verdicts_[t].add(index_text(i, system_.extents[t]), row.gradients[t][i], entry_difference(t, i, row));
      }
  }

  Difference entry_difference(std::size_t t, std::size_t i, Row& row) {
    if (system_.output_count() > most_outputs) return combined_difference(t, i, row);
    Difference found = combine(entry_differences(t, i), row.cotangent);
    if (is_shown(row.gradients[t][i], found)) return found;
    found = combine(entry_differences(t, i, system_.output_rounding()), row.cotangent);
    found.uncertainty += row.rounding()[t][i];
    return found;
  }

  // The same for so many outputs that each by itself would take too long.
  Difference combined_difference(std::size_t t, std::size_t i, Row& row) {
    std::vector<double> tangent(tensor(t).size(), 0.0);
    tangent[i] = 1;
    return along(t, tangent, row).difference;
  }

  // Different ones; all, if they are few.
  std::set<std::size_t> sampled(std::size_t size, std::int64_t count) {
    std::set<std::size_t> chosen;
    while (chosen.size() < std::min(size, static_cast<std::size_t>(count)))
      chosen.insert(static_cast<std::size_t>(random_.below(size)));
    return chosen;
  }

  std::vector<double> random_cotangent() {
    std::vector<double> cotangent(system_.output_count(), 1);
    if (cotangent.size() > 1)
      for (double& v : cotangent) v = random_.normal();
    return cotangent;
  }

  static Difference combine(const std::vector<Difference>& columns, const std::vector<double>& cotangent) {
    Difference sum{.settled = true};
    for (std::size_t j = 0; j < columns.size(); ++j) {
      sum.settled = sum.settled && columns[j].settled;
      sum.value += cotangent[j] * columns[j].value;
      sum.uncertainty += std::abs(cotangent[j]) * columns[j].uncertainty;
      sum.kink = sum.kink || columns[j].kink;
      sum.left += cotangent[j] * (columns[j].kink ? columns[j].left : columns[j].value);
      sum.right += cotangent[j] * (columns[j].kink ? columns[j].right : columns[j].value);
    }
    return sum;
  }

  struct Comparison {
    double analytic;
    Difference difference;
    Agreement agreement() const { return compare(analytic, difference); }
    // By how much the two are apart.
    double gap() const {
      const double apart = std::abs(analytic - difference.value);
      return std::isnan(apart) ? std::numeric_limits<double>::infinity() : apart;
    }
  };

  // ⟨v, J u⟩ with v a cotangent and u along one tensor, by its gradients for v and by differences.
  Comparison along(std::size_t t, const std::vector<double>& tangent, Row& row) {
    Comparison found = along(t, tangent, row, 0);
    if (is_shown(found.analytic, found.difference)) return found;
    double rounding = 0;
    for (std::size_t j = 0; j < row.cotangent.size(); ++j)
      rounding += std::abs(row.cotangent[j]) * system_.output_rounding()[j];
    found = along(t, tangent, row, rounding);
    for (std::size_t i = 0; i < tangent.size(); ++i)
      found.difference.uncertainty += std::abs(tangent[i]) * row.rounding()[t][i];
    return found;
  }

  Comparison along(std::size_t t, const std::vector<double>& tangent, const Row& row, double rounding) {
    const std::vector<double>& at = tensor(t);
    std::vector<double> moved = at;
    std::vector<double> values(system_.output_count());
    const auto found = differentiate(
        [&](double offset, std::span<double> output) {
          for (std::size_t i = 0; i < moved.size(); ++i) moved[i] = at[i] + offset * tangent[i];
          system_.put(t, moved);
          system_.push(values);
          output[0] = 0;
          for (std::size_t j = 0; j < values.size(); ++j) output[0] += row.cotangent[j] * values[j];
        },
        1, first_step(0, at), {&rounding, 1}, finest_step(at, tangent));
    system_.put(t, tensor(t));
    Comparison sum{0, found.front()};
    for (std::size_t i = 0; i < tangent.size(); ++i) {
      if (tangent[i] == 0) continue;
      const double term = tangent[i] * row.gradients[t][i];
      sum.analytic += term;
      sum.difference.uncertainty += std::numeric_limits<double>::epsilon() * std::abs(term);
    }
    return sum;
  }

  // The entry on account of which a direction disagrees, by halving the direction; nothing when no half does.
  std::optional<std::size_t> culprit(std::size_t t, const std::vector<double>& tangent, Row& row) {
    std::size_t first = 0;
    std::size_t last = tangent.size();
    while (last - first > 1) {
      const std::size_t middle = first + (last - first) / 2;
      std::vector<double> left(tangent.size(), 0.0);
      std::vector<double> right = left;
      for (std::size_t i = first; i < last; ++i) (i < middle ? left : right)[i] = tangent[i];
      const Comparison lower = along(t, left, row);
      const Comparison upper = along(t, right, row);
      const bool is_lower = lower.gap() >= upper.gap();
      if ((is_lower ? lower : upper).agreement() == Agreement::full) return std::nullopt;
      (is_lower ? last : first) = middle;
    }
    return first;
  }

  // A random direction along one tensor. If it disagrees, the entry that makes it do so is looked for:
  // entries at a kink are left out from then on.
  void direction(std::size_t t, std::int64_t number) {
    Row row(system_, random_cotangent());
    // The direction has length 1: with many entries a longer one would cross kink after kink.
    std::vector<double> tangent(tensor(t).size());
    double squares = 0;
    for (double& u : tangent) {
      u = random_.normal();
      squares += u * u;
    }
    for (double& u : tangent) u /= std::sqrt(squares);
    for (const std::size_t i : at_kink_[t]) tangent[i] = 0;
    while (true) {
      const Comparison whole = along(t, tangent, row);
      const bool look = whole.agreement() != Agreement::full && !wrong_[t] && at_kink_[t].size() < most_kinks;
      const auto i = look ? culprit(t, tangent, row) : std::nullopt;
      if (i) {
        const auto alone = entry_difference(t, *i, row);
        const Agreement agreement = compare(row.gradients[t][*i], alone);
        if (agreement != Agreement::full)
          verdicts_[t].add(index_text(*i, system_.extents[t]), row.gradients[t][*i], alone);
        if (agreement == Agreement::kink) {
          at_kink_[t].insert(*i);
          tangent[*i] = 0;
          continue;
        }
        if (agreement == Agreement::none) wrong_[t] = i;
      }
      // A direction across that many kinks proves nothing; the kinks themselves are reported.
      if (at_kink_[t].size() >= most_kinks && whole.agreement() != Agreement::full) return;
      verdicts_[t].add(fmt::format("direction {}", number), whole.analytic, whole.difference, true);
      return;
    }
  }

  const CheckedFunction& system_;
  const GradientCheckOptions& options_;
  int order_;
  Random random_;
  std::vector<Verdict> verdicts_;
  // By tensor: what the directions found, entries at a kink and one that is wrong.
  std::vector<std::set<std::size_t>> at_kink_;
  std::vector<std::optional<std::size_t>> wrong_;
  std::size_t done_ = 0;  // comparisons
  std::size_t to_do_ = 0;
};

}  // namespace

std::vector<CheckedTensor> check_jacobian(const CheckedFunction& system, const GradientCheckOptions& options,
                                          int order) {
  return JacobianCheck(system, options, order).run();
}

}  // namespace gradus
