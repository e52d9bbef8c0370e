#include "heliograd/plan/plan_csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "heliograd/base/text.h"
#include "heliograd/plan/test_problems.h"

namespace heliograd {
namespace {

std::vector<std::vector<std::string>> Rows(const std::string& csv) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream stream(csv);
  for (std::string line; std::getline(stream, line);) rows.push_back(SplitCsvLine(line));
  return rows;
}

class PlanCsv : public ::testing::Test {
 protected:
  std::string Field(size_t row, const std::string& column) const {
    const auto rows = Rows(PlanToCsv(problem_, plan_, TimeZone::Fixed(std::chrono::hours(1))));
    const auto found = std::find(rows[0].begin(), rows[0].end(), column);
    return found == rows[0].end() ? "no such column" : rows[row].at(static_cast<size_t>(found - rows[0].begin()));
  }

  DispatchProblem problem_ = RichProblem();
  Plan plan_ = RichPlan(problem_);
};

TEST_F(PlanCsv, OneRowPerSlotAllOfOneWidth) {
  const auto rows = Rows(PlanToCsv(problem_, plan_, TimeZone()));
  ASSERT_EQ(rows.size(), 25u);
  for (const auto& row : rows) EXPECT_EQ(row.size(), rows[0].size());
}

TEST_F(PlanCsv, NumbersStandUnderTheirNames) {
  EXPECT_EQ(Field(1, "start"), "2025-01-01T05:00:00Z");
  EXPECT_EQ(Field(1, "start_local"), "2025-01-01T06:00:00+01:00");
  EXPECT_EQ(Field(1, "level_limits_w"), "110;150");
  EXPECT_EQ(Field(1, "level_shares"), "0.6;0.3");
  EXPECT_EQ(Field(1, "battery_charge_wh"), "100");
  EXPECT_EQ(Field(1, "battery_wh"), "50");
  EXPECT_EQ(Field(1, "import_price_eur_per_kwh"), "0.25");
  EXPECT_EQ(Field(1, "stored_value_eur_per_kwh"), "");
}

TEST_F(PlanCsv, AReasonWithCommasAndQuotesStaysOneField) {
  plan_.slots[2].reason = "a, \"b\"";
  EXPECT_EQ(Field(3, "reason"), plan_.slots[2].reason);
}

TEST_F(PlanCsv, AnInfeasiblePlanIsAHeader) { EXPECT_EQ(Rows(PlanToCsv(problem_, Plan(), TimeZone())).size(), 1u); }

}  // namespace
}  // namespace heliograd
