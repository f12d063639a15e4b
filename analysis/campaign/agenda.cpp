#include "analysis/campaign/agenda.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "analysis/page/human_number.hpp"

namespace tokenyard::analysis {

Agenda::Agenda(const Campaign& campaign, const SettledRuns& settled, const Shard& shard)
    : campaign_(campaign), before_(settled), cells_(campaign.cells()) {
  const Repetitions& repetitions = campaign.repetitions();
  for (std::size_t repetition = 0; repetition < repetitions.minimum; ++repetition) {
    for (std::size_t cell = 0; cell < cells_.size(); ++cell) {
      const std::size_t ordinal = repetitions.fixed() ? repetition * cells_.size() + cell : cell;
      if (ordinal % shard.of + 1 == shard.index) ask({cell, repetition});
    }
  }
  for (std::size_t cell = 0; cell < cells_.size(); ++cell) extend(cell);
}

void Agenda::ask(RunId run) {
  Cell& cell = cells_[run.cell];
  ++cell.target;
  ++cell.open;
  const auto known = before_.find(campaign_.key(run));
  if (known == before_.end()) {
    ready_.push_back(run);
  } else {
    note(run, known->second.done, known->second.metric);
  }
}

void Agenda::note(RunId run, bool done, std::optional<double> metric) {
  Cell& cell = cells_[run.cell];
  --cell.open;
  ++settled_;
  cell.failed = cell.failed || !done;
  if (campaign_.repetitions().fixed()) return;
  cell.values.resize(std::max(cell.values.size(), run.repetition + 1));
  cell.values[run.repetition] = metric;
}

void Agenda::extend(std::size_t index) {
  Cell& cell = cells_[index];
  while (cell.target > 0 && cell.open == 0 && !cell.failed) {
    const std::size_t more = campaign_.repetitions().more(cell.target, cell.values);
    if (more == 0) {
      wide_ += campaign_.repetitions().narrow(cell.values) ? 0 : 1;
      return;
    }
    for (std::size_t i = 0; i < more; ++i) ask({index, cell.target});
  }
}

std::optional<RunId> Agenda::next() {
  if (ready_.empty()) return {};
  const RunId run = ready_.front();
  ready_.pop_front();
  ++under_way_;
  return run;
}

void Agenda::settle(RunId run, const RunOutcome& result) {
  --under_way_;
  const auto& outputs = result.outputs;
  const auto found = std::find_if(outputs.begin(), outputs.end(),
                                  [&](const auto& output) { return output.first == campaign_.repetitions().metric; });
  note(run, result.done(), found == outputs.end() ? std::nullopt : found->second);
  extend(run.cell);
}

std::string wide_text(const Campaign& campaign, std::size_t wide) {
  if (wide == 0) return {};
  const Repetitions& repetitions = campaign.repetitions();
  return fmt::format("{} of {} stopped at {} repetitions (max): the 95 % interval of {} is wider than ±{:.3g} %.\n",
                     wide, counted(static_cast<double>(campaign.cells()), "cell", "cells"), repetitions.maximum,
                     repetitions.metric, repetitions.half_width * 100);
}

}  // namespace tokenyard::analysis
