#include "heliograd/optimize/diagnose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heliograd/optimize/test_problems.h"

namespace heliograd {
namespace {

using testing::HasSubstr;

class DiagnoseTest : public testing::Test {
 protected:
  DiagnoseTest() : solver_(MakeHighsSolver()) {}

  /// A diagnosis of `make(slots)`, which must be infeasible; each mend that it names is solved here once more.
  Diagnosis Diagnosed(const std::function<DispatchProblem(int)>& make, int slots, Formulation formulation,
                      std::vector<Level> all_levels = {}, int data_slots = 1000) {
    const ProblemForSlots problem_for_slots = [&](int n) -> Result<DispatchProblem> {
      if (n > data_slots) return Fail("the prices end.");
      return make(n);
    };
    const DispatchProblem problem = make(slots);
    EXPECT_FALSE(Feasible(problem, formulation));
    DiagnosisContext context{
        *solver_, problem_for_slots,
        [](Stamp stamp) { return FormatCivil(TimeZone::Fixed(std::chrono::hours(1)).ToCivil(stamp)); },
        std::move(all_levels)};
    const Result<Diagnosis> diagnosis = Diagnose(problem, formulation, context);
    EXPECT_TRUE(diagnosis) << diagnosis.error().Message();
    ExpectMends(problem, formulation, make, *diagnosis);
    return *diagnosis;
  }

  bool Feasible(const DispatchProblem& problem, Formulation formulation) const {
    const auto solution = solver_->Solve(problem, formulation, {Euros(10), {}});
    EXPECT_TRUE(solution);
    return !solution->decisions.empty();
  }

 private:
  void ExpectMends(const DispatchProblem& problem, Formulation formulation,
                   const std::function<DispatchProblem(int)>& make, const Diagnosis& diagnosis) const {
    if (diagnosis.slots) {
      EXPECT_TRUE(Feasible(make(*diagnosis.slots), formulation));
      EXPECT_FALSE(Feasible(make(*diagnosis.slots - 1), formulation));
    }
    DispatchProblem mended = problem;
    if (diagnosis.import_limit) {
      mended.grid.import_limit = diagnosis.import_limit;
      EXPECT_TRUE(Feasible(mended, formulation));
      mended.grid.import_limit = *diagnosis.import_limit - Watts(1);
      EXPECT_FALSE(Feasible(mended, formulation));
    }
    if (diagnosis.export_limit) {
      mended.grid.export_limit = diagnosis.export_limit;
      EXPECT_TRUE(Feasible(mended, formulation));
      mended.grid.export_limit = *diagnosis.export_limit - Watts(1);
      EXPECT_FALSE(Feasible(mended, formulation));
    }
    if (diagnosis.final_energy) {
      mended.battery.final_min = *diagnosis.final_energy;
      EXPECT_TRUE(Feasible(mended, formulation));
      mended.battery.final_min = *diagnosis.final_energy + WattHours(1);
      EXPECT_FALSE(Feasible(mended, formulation));
    }
  }

  std::unique_ptr<DispatchSolver> solver_;
};

DispatchProblem Study(int slots) { return StudyProblem({2025, 1, 1, 20}, slots); }

TEST_F(DiagnoseTest, DeadlineTooShortNamesHoursShortAndTheLaterDeadline) {
  // The fastest level takes 13.66 h: 12 h are 1.66 h short, 14 h suffice.
  for (const Formulation formulation : {Formulation::kPaper, Formulation::kLevels, Formulation::kBlend}) {
    const Diagnosis diagnosis = Diagnosed(Study, 12, formulation);
    EXPECT_EQ(diagnosis.cause, InfeasibleCause::kDeadline);
    EXPECT_NEAR(InHours(diagnosis.gpu_time_short), 1.66, 1e-9);
    EXPECT_EQ(diagnosis.slots, 14);
    EXPECT_EQ(diagnosis.sentence, "1.7 h of GPU time at 280 W short by 2025-01-02 08:00: allow 14 h.");
  }
}

TEST_F(DiagnoseTest, CappedLevelsNameTheLowestLimitThatMakesIt) {
  const auto capped = [](int slots) {
    DispatchProblem problem = Study(slots);
    problem.gpu.levels.resize(3);  // 100, 110, 120 W: 20.85 h at the fastest
    return problem;
  };
  const Diagnosis diagnosis = Diagnosed(capped, 17, Formulation::kBlend, StudyLevels());
  EXPECT_EQ(diagnosis.cause, InfeasibleCause::kDeadline);
  EXPECT_EQ(diagnosis.slots, 21);
  EXPECT_EQ(diagnosis.level_limit, Watts(140));  // 130 W takes 18.54 h, 140 W 16.86 h
  EXPECT_EQ(diagnosis.sentence,
            "3.9 h of GPU time at 120 W short by 2025-01-02 13:00: allow 21 h or raise the limit to 140 W.");
}

TEST_F(DiagnoseTest, ImportLimitNamesTheLeastThatSuffices) {
  // 100 W alone can be run: 27.52 h.
  const auto limited = [](int slots) {
    DispatchProblem problem = Study(slots);
    problem.battery = {};
    problem.grid.import_limit = Watts(105);
    return problem;
  };
  const Diagnosis levels = Diagnosed(limited, 19, Formulation::kLevels);
  EXPECT_EQ(levels.cause, InfeasibleCause::kImportLimit);
  EXPECT_EQ(levels.import_limit, Watts(130));  // 18.54 h
  EXPECT_EQ(levels.slots, 28);
  EXPECT_THAT(levels.sentence, HasSubstr("import limit of 105 W is too small"));
  EXPECT_THAT(levels.sentence, HasSubstr("allow 28 h or raise the import limit to 130 W"));
  const Diagnosis blend = Diagnosed(limited, 19, Formulation::kBlend);
  EXPECT_EQ(blend.cause, InfeasibleCause::kImportLimit);
  ASSERT_TRUE(blend.import_limit && blend.slots);
  EXPECT_LT(*blend.import_limit, Watts(130));
  EXPECT_LT(*blend.slots, 28);
}

TEST_F(DiagnoseTest, IdlePowerAboveTheImportLimitIsFound) {
  const auto limited = [](int slots) {
    DispatchProblem problem = PlainProblem(std::vector<double>(static_cast<size_t>(slots), 0.2), 2);
    problem.gpu.idle = Watts(15);
    problem.grid.import_limit = Watts(10);
    problem.pv[0] = problem.pv[1] = WattHours(300);
    return problem;
  };
  const Diagnosis diagnosis = Diagnosed(limited, 4, Formulation::kBlend);
  EXPECT_EQ(diagnosis.cause, InfeasibleCause::kImportLimit);
  EXPECT_EQ(diagnosis.import_limit, Watts(15));
  EXPECT_EQ(diagnosis.slots, std::nullopt);
}

TEST_F(DiagnoseTest, WholeLevelsPointToTheBlend) {
  const auto limited = [](int slots) {
    DispatchProblem problem = PlainProblem(std::vector<double>(static_cast<size_t>(slots), 0.2), 2);
    problem.grid.import_limit = Watts(60);
    return problem;
  };
  const Diagnosis diagnosis = Diagnosed(limited, 4, Formulation::kLevels);
  EXPECT_EQ(diagnosis.cause, InfeasibleCause::kWholeLevels);
  EXPECT_THAT(diagnosis.sentence, HasSubstr("slots of 60 min"));
  EXPECT_THAT(diagnosis.sentence, HasSubstr("plan it as `blend` or raise the import limit to 100 W"));
}

TEST_F(DiagnoseTest, FinalEnergyNamesTheMostThatIsWithinReach) {
  const auto hoarding = [](int slots) {
    DispatchProblem problem = Study(slots);
    problem.battery.max_charge = Watts(10);
    problem.battery.final_min = WattHours(200);
    return problem;
  };
  const Diagnosis diagnosis = Diagnosed(hoarding, 16, Formulation::kBlend);
  EXPECT_EQ(diagnosis.cause, InfeasibleCause::kFinalEnergy);
  // 16 h of 9 Wh into the cells, each shrinking by 0.005 an hour: 9 * 0.995 * (1 - 0.995^16) / 0.005 = 138.04 Wh.
  EXPECT_EQ(diagnosis.final_energy, WattHours(138));
  EXPECT_EQ(diagnosis.slots, 24);
  EXPECT_THAT(diagnosis.sentence, HasSubstr("cannot hold 200 Wh at 2025-01-02 12:00"));
  EXPECT_THAT(diagnosis.sentence, HasSubstr("ask for 138 Wh or less or allow 24 h"));
}

TEST_F(DiagnoseTest, ExportLimitStopsThePaperFormulationOnly) {
  const auto sunny = [](int slots) {
    DispatchProblem problem = Study(slots);
    problem.battery = {};
    problem.pv.assign(problem.pv.size(), WattHours(500));
    problem.grid.export_limit = Watts(150);
    return problem;
  };
  const Diagnosis diagnosis = Diagnosed(sunny, 16, Formulation::kPaper);
  EXPECT_EQ(diagnosis.cause, InfeasibleCause::kExportLimit);
  ASSERT_TRUE(diagnosis.export_limit);
}

TEST_F(DiagnoseTest, TwoLimitsTogetherAreSaidToBeSeveral) {
  const auto both = [](int slots) {
    DispatchProblem problem = Study(slots);
    problem.grid.import_limit = Watts(60);
    problem.battery.final_min = WattHours(200);
    problem.battery.max_charge = Watts(5);
    return problem;
  };
  const Diagnosis diagnosis = Diagnosed(both, 16, Formulation::kBlend);
  EXPECT_EQ(diagnosis.cause, InfeasibleCause::kSeveral);
  EXPECT_THAT(diagnosis.sentence, HasSubstr("several limits together"));
}

TEST_F(DiagnoseTest, ALaterDeadlineIsFoundUpToTheEndOfTheData) {
  const Diagnosis diagnosis = Diagnosed(
      [](int slots) {
        DispatchProblem problem = Study(slots);
        problem.grid.import_limit = Watts(100);
        problem.battery = {};
        return problem;
      },
      16, Formulation::kLevels, {}, 29);
  EXPECT_EQ(diagnosis.slots, 28);  // 27.52 h at 100 W; strides from 16 would go 17, 19, 23, 31
}

TEST_F(DiagnoseTest, WhereTheDataEndsNoLaterDeadlineIsOffered) {
  const Diagnosis diagnosis = Diagnosed(Study, 12, Formulation::kBlend, {}, 13);
  EXPECT_EQ(diagnosis.slots, std::nullopt);
  EXPECT_THAT(diagnosis.sentence, HasSubstr("no later deadline that the data reaches mends it"));
}

}  // namespace
}  // namespace heliograd
