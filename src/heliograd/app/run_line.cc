#include "heliograd/app/run_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "heliograd/app/run_preparation.h"
#include "heliograd/report/number_text.h"

namespace heliograd {
namespace {

void Write(const std::string& text) { static_cast<void>(!write(STDERR_FILENO, text.data(), text.size())); }

}  // namespace

void RunLine::Clear() {
  if (std::exchange(drawn_, false)) Write("\r\x1b[K");
}

void RunLine::Draw(const RunState& state) {
  if (!shown_) return;
  const DispatchProblem& problem = plan_.problem;
  std::string text =
      fmt::format("slot {}/{}  {}", std::min(state.slot + 1, problem.horizon.slots), problem.horizon.slots,
                  state.limit_unknown ? "limit not known" : LevelText(problem, state.level));
  if (state.full_power) text += " (full power)";
  if (state.power) text += fmt::format("  {:.0f} W now", InWatts(*state.power));
  text += fmt::format("  {:.1f} % done, plan {:.1f} %", 100 * state.work_done / problem.work,
                      100 * state.work_planned / problem.work);
  text += fmt::format("  {} {}", ClockText(plan_.zone.ToCivil(state.next_change)),
                      state.next_change >= problem.horizon.end() ? "deadline" : LevelText(problem, state.next_level));
  Write("\r\x1b[K" + text.substr(0, 200));
  drawn_ = true;
}

}  // namespace heliograd
