#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "gradus/runtime/executable.hpp"
#include "gradus/train/dataset.hpp"
#include "models/train/counted_rows.hpp"

namespace gradus {

/// Outputs and updates of one graph, compiled for each batch size that occurs, over one store. A batch's rows
/// are written straight into the program's inputs.
template <class T> class Programs {
 public:
  struct Program {
    Executable<T> executable;
    std::vector<std::span<T>> buffers;   ///< one for each of `feeds`
    std::vector<std::vector<T>> unread;  ///< of those that the program does not read
    std::vector<std::span<const T>> results;
    CountedRows<T> counted;
    Rows fed;  ///< which row of the data each sample of the last batch was

    // Writes a batch into the inputs, without the samples that do not count.
    std::span<const std::uint32_t> fill(const Dataset<T>& data, std::span<const std::uint32_t> rows) {
      data.fill(rows, buffers);
      fed.assign(rows.begin(), rows.end());
      counted.replace(buffers, fed);
      counted.require_classes(buffers, fed);
      return fed;
    }

    // The Error about a row that a kernel cannot take says which row of the data it is.
    void run(const Dataset<T>& data, std::span<const std::uint32_t> rows) {
      fill(data, rows);
      try {
        executable.run();
      } catch (const RowError& error) {
        const auto sample = error.row() * static_cast<std::int64_t>(rows.size()) / error.rows();
        throw Error(error.text_for(fmt::format("row {} of the data", fed[static_cast<std::size_t>(sample)])));
      }
    }
  };

  Programs(std::vector<Expr> outputs, std::vector<Update> updates, std::vector<Expr> feeds, Store<T> store,
           CountedRows<T> counted = {})
      : outputs_(std::move(outputs)),
        updates_(std::move(updates)),
        feeds_(std::move(feeds)),
        store_(std::move(store)),
        counted_(std::move(counted)) {}

  /// Compiles with these options from now on.
  void set_options(const CompileOptions& options) {
    if (options == options_) return;
    options_ = options;
    programs_.clear();
    last_ = nullptr;
  }

  /// Forgets programs of variables that the store has dropped: they are compiled anew.
  void renew() {
    std::erase_if(programs_, [](const auto& each) { return !each.second.executable.is_current(); });
    last_ = nullptr;
  }

  Program& at(std::int64_t batch) {
    if (last_ == nullptr || last_batch_ != batch) {
      const auto found = programs_.find(batch);
      last_ = found != programs_.end() ? &found->second : &add(batch);
      last_batch_ = batch;
    }
    return *last_;
  }

 private:
  Program& add(std::int64_t batch) {
    Program made{compile<T>(std::span(outputs_), std::span(updates_), batch, store_, options_),
                 {},
                 {},
                 {},
                 counted_,
                 Rows(static_cast<std::size_t>(batch))};
    made.unread.reserve(feeds_.size());
    for (const Expr& feed : feeds_) {
      if (made.executable.has_input(feed.graph()[feed.id()].label)) {
        made.buffers.push_back(made.executable.buffer(feed));
      } else {
        made.unread.emplace_back(static_cast<std::size_t>(element_count(feed.shape().resolve(batch))));
        made.buffers.emplace_back(made.unread.back());
      }
    }
    for (std::size_t i = 0; i < outputs_.size(); ++i)
      made.results.push_back(made.executable.output(i).values);
    return programs_.emplace(batch, std::move(made)).first->second;
  }

  std::vector<Expr> outputs_;
  std::vector<Update> updates_;
  std::vector<Expr> feeds_;
  Store<T> store_;
  CountedRows<T> counted_;
  CompileOptions options_;
  std::map<std::int64_t, Program> programs_;
  Program* last_ = nullptr;
  std::int64_t last_batch_ = 0;
};

/// A training step: a program, and the rows of the data that it is fed.
template <class T> struct Step {
  typename Programs<T>::Program& program;
  const Dataset<T>& data;
  std::span<const std::uint32_t> rows;

  void run() const { program.run(data, rows); }
};

}  // namespace gradus
