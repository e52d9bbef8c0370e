#include "heliograd/plan/plan_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "heliograd/plan/baselines.h"
#include "heliograd/plan/test_problems.h"

namespace heliograd {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using Json = nlohmann::ordered_json;

const TimeZone kZone = TimeZone::Fixed(std::chrono::hours(1));

/// A plan with something in every field.
Plan FullPlan(const DispatchProblem& problem) {
  Plan plan = RichPlan(problem);
  plan.solve_time = Seconds(0.0123);
  plan.solver = "a solver 1.0";
  plan.baselines = MakeBaselines(problem, plan.formulation);
  plan.levers = SplitSaving(plan.baselines, plan.totals.cost);
  plan.deadline_price = {Euros(-0.01), std::nullopt};
  plan.work_price = Euros(0.7281);
  plan.notes = {"280 W beats 290 W", "über \"alles\""};
  plan.slots[3].stored_value = EurosPerKilowattHour(0.41);
  plan.slots[3].reason = "PV covers the GPU";
  return plan;
}

std::string FullText() {
  const DispatchProblem problem = RichProblem();
  return PlanToJson(problem, FullPlan(problem), kZone);
}

/// The problems of reading the full plan after a change.
template <typename Change>
std::vector<std::string> Mistakes(Change change) {
  Json json = Json::parse(FullText());
  change(json);
  const auto file = PlanFromJson(json.dump(), "p.json");
  return file ? std::vector<std::string>{} : file.error().problems;
}

TEST(PlanJson, HasEveryPromisedKey) {
  const Json json = Json::parse(FullText());
  for (const char* key :
       {"status", "formulation",   "cost_eur",       "bound_eur", "grid_import_wh",    "grid_export_wh",
        "pv_wh",  "gpu_energy_wh", "carbon_kg",      "solve_ms",  "baselines",         "slots",
        "cost",   "levers",        "deadline_price", "notes",     "infeasible_reason", "solver",
        "labels", "format",        "problem"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  for (const char* key : {"name", "cost_eur", "grid_import_wh"}) EXPECT_TRUE(json["baselines"][0].contains(key)) << key;
  for (const char* key : {"start",
                          "duration_s",
                          "gpu_power_w",
                          "levels",
                          "pv_wh",
                          "pv_to_gpu_wh",
                          "pv_to_battery_wh",
                          "pv_to_grid_wh",
                          "grid_to_gpu_wh",
                          "grid_to_battery_wh",
                          "battery_to_gpu_wh",
                          "battery_to_grid_wh",
                          "battery_wh",
                          "import_price_eur_per_kwh",
                          "export_price_eur_per_kwh",
                          "progress",
                          "start_local",
                          "battery_end_wh",
                          "reason",
                          "progress_total",
                          "pv_curtailed_wh",
                          "stored_value_eur_per_kwh",
                          "carbon_g_per_kwh"}) {
    EXPECT_TRUE(json["slots"][0].contains(key)) << key;
  }
}

TEST(PlanJson, SaysWhatTheNumbersMean) {
  const Json json = Json::parse(FullText());
  EXPECT_EQ(json["format"], "heliograd-plan-1");
  EXPECT_EQ(json["status"], "optimal");
  const Json& slot = json["slots"][1];  // discharges 80 Wh from the cells, 72 Wh at the bus
  EXPECT_EQ(slot["start"], "2025-01-01T06:00:00Z");
  EXPECT_EQ(slot["start_local"], "2025-01-01T07:00:00+01:00");
  EXPECT_EQ(slot["duration_s"], 3600);
  EXPECT_DOUBLE_EQ(slot["battery_discharge_wh"].get<double>(), 80);
  EXPECT_DOUBLE_EQ(slot["battery_to_gpu_wh"].get<double>(), 72);
  EXPECT_DOUBLE_EQ(slot["battery_wh"].get<double>(), json["slots"][0]["battery_end_wh"].get<double>());
  EXPECT_EQ(slot["levels"][0], Json({{"limit_w", 110.0}, {"draw_w", 110.0}, {"share", 0.6}}));
  EXPECT_NEAR(slot["gpu_power_w"].get<double>(), 0.6 * 170 + 0.3 * 210 + 0.1 * 15, 1e-9);
  const double progress = json["slots"][0]["progress"].get<double>() + slot["progress"].get<double>();
  EXPECT_DOUBLE_EQ(slot["progress_total"].get<double>(), progress);
  EXPECT_EQ(slot["stored_value_eur_per_kwh"], nullptr);
  EXPECT_EQ(json["slots"][3]["stored_value_eur_per_kwh"], 0.41);
  EXPECT_EQ(json["deadline_price"]["one_hour_earlier_eur"], nullptr);
  EXPECT_EQ(json["labels"]["pv_wh"], "modelled");
  EXPECT_EQ(json["problem"]["gpu"]["levels"][0]["job_time_h"], 27.52);
}

TEST(PlanJson, ReadAndWrittenAgainIsTheSameText) {
  const std::string text = FullText();
  const auto file = PlanFromJson(text, "p.json");
  ASSERT_TRUE(file) << file.error().Message();
  EXPECT_EQ(PlanToJson(file->problem, file->plan, file->zone, file->labels), text);
}

TEST(PlanJson, QuantitiesThatNoNumberOfTheirUnitGivesAreMovedOnlyOnce) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> scale(0.999, 1.001);
  for (int i = 0; i < 50; ++i) {
    DispatchProblem problem = RichProblem();
    for (Energy& pv : problem.pv) pv *= scale(random);
    problem.gpu.host *= scale(random);
    const std::string text = PlanToJson(problem, RichPlan(problem), kZone);
    const auto file = PlanFromJson(text, "p.json");
    ASSERT_TRUE(file) << file.error().Message();
    EXPECT_EQ(PlanToJson(file->problem, file->plan, file->zone), text);
  }
}

TEST(PlanJson, AFileWithoutFormatIsToldOnce) {
  for (const char* text : {"{}", R"({"format": 3})", R"({"format": "other"})"}) {
    const auto file = PlanFromJson(text, "p.json");
    ASSERT_FALSE(file);
    EXPECT_THAT(file.error().problems, testing::SizeIs(1)) << file.error().Message();
  }
  EXPECT_THAT(PlanFromJson("{}", "p.json").error().Message(),
              testing::HasSubstr("p.json: format is missing: expected 'heliograd-plan-"));
}

TEST(PlanJson, FilesFromBeforePlansKnewTheirGpuAndPriceOfWorkAreRead) {
  EXPECT_THAT(Mistakes([](Json& json) { json.erase("work_price_eur"); }), testing::IsEmpty());
  EXPECT_THAT(Mistakes([](Json& json) { json["labels"].erase("curve_gpu"); }), testing::IsEmpty());
  EXPECT_THAT(Mistakes([](Json& json) { json["labels"]["curve_gpu"].erase("uuid"); }), testing::SizeIs(1));
}

TEST(PlanJson, ValuesComeBackBitForBit) {
  const DispatchProblem problem = RichProblem();
  const Plan plan = FullPlan(problem);
  PlanLabels labels;
  labels.prices = Origin::kMeasured;
  labels.curve_gpu = {"RTX 4070", "GPU-1"};
  const auto file = PlanFromJson(PlanToJson(problem, plan, kZone, labels), "p.json");
  ASSERT_TRUE(file) << file.error().Message();
  EXPECT_EQ(file->labels, labels);
  EXPECT_EQ(file->zone.name(), "+01:00");
  EXPECT_EQ(file->problem.horizon, problem.horizon);
  EXPECT_EQ(file->problem.pv, problem.pv);
  EXPECT_EQ(file->problem.import_price, problem.import_price);
  EXPECT_EQ(file->problem.carbon, problem.carbon);
  EXPECT_EQ(file->problem.battery.max_charge, problem.battery.max_charge);
  EXPECT_EQ(file->problem.gpu.levels.back().job_time, problem.gpu.levels.back().job_time);
  EXPECT_EQ(file->plan.totals.cost, plan.totals.cost);
  EXPECT_EQ(file->plan.bound, plan.bound);
  EXPECT_EQ(file->plan.solve_time, plan.solve_time);
  EXPECT_EQ(file->plan.notes, plan.notes);
  ASSERT_EQ(file->plan.slots.size(), plan.slots.size());
  EXPECT_EQ(file->plan.slots[4].decision.battery_charge, plan.slots[4].decision.battery_charge);
  EXPECT_EQ(file->plan.slots[4].progress, plan.slots[4].progress);
  EXPECT_EQ(file->plan.slots[3].stored_value, plan.slots[3].stored_value);
  EXPECT_EQ(file->plan.baselines[3].limit, plan.baselines[3].limit);
}

TEST(PlanJson, AnInfeasiblePlanKeepsItsReasonAndItsBaselines) {
  const DispatchProblem problem = StudyProblem(20, 10);
  Plan plan;
  plan.infeasible_reason = "3.66 h of GPU time short: allow 14 h.";
  plan.baselines = MakeBaselines(problem, plan.formulation);
  const std::string text = PlanToJson(problem, plan, kZone);
  const Json json = Json::parse(text);
  EXPECT_EQ(json["status"], "infeasible");
  EXPECT_EQ(json["cost_eur"], nullptr);
  EXPECT_EQ(json["baselines"].size(), 4u);
  EXPECT_EQ(json["baselines"][0]["cost_eur"], nullptr);
  const auto file = PlanFromJson(text, "p.json");
  ASSERT_TRUE(file) << file.error().Message();
  EXPECT_EQ(file->plan.infeasible_reason, plan.infeasible_reason);
  EXPECT_EQ(PlanToJson(file->problem, file->plan, file->zone), text);
}

TEST(PlanJson, ABoundThatWasNeverFoundIsNull) {
  const DispatchProblem problem = RichProblem();
  Plan plan = RichPlan(problem);
  plan.status = PlanStatus::kFeasible;
  plan.bound = Euros(-std::numeric_limits<double>::infinity());
  const std::string text = PlanToJson(problem, plan, kZone);
  EXPECT_EQ(Json::parse(text)["bound_eur"], nullptr);
  const auto file = PlanFromJson(text, "p.json");
  ASSERT_TRUE(file) << file.error().Message();
  EXPECT_EQ(file->plan.bound, plan.bound);
}

TEST(PlanJson, TextThatIsNoJsonSaysWhere) {
  const auto message = [](std::string_view text) { return PlanFromJson(text, "p.json").error().Message(); };
  EXPECT_EQ(
      message("{\n \"status\": NaN}"),
      "p.json: line 2, column 12: 'NaN}' is not JSON here: expected a plan as 'heliograd plan --json' prints it.");
  EXPECT_THAT(message(""), HasSubstr("the end of the file is not JSON here"));
  EXPECT_THAT(message("[1]"), HasSubstr("holds a list: expected a plan"));
  EXPECT_THAT(message("{\"a\": 1e999}"), HasSubstr("too large for a double"));
  EXPECT_THAT(message("{\"a\": \"\xFF\"}"), HasSubstr("is not JSON here"));
  EXPECT_THAT(message(std::string(1000000, '[')), HasSubstr("nested deeper than 16 levels"));
  EXPECT_THAT(message("{\"a\": 1, \"a\": 2}"), HasSubstr("the key 'a' stands twice in one object."));
}

TEST(PlanJson, AnotherFormatIsRefusedFirst) {
  EXPECT_THAT(
      Mistakes([](Json& json) { json["format"] = "heliograd-plan-9"; }),
      ElementsAre("p.json: format is 'heliograd-plan-9': expected 'heliograd-plan-1', written by this version of "
                  "heliograd."));
  EXPECT_THAT(Mistakes([](Json& json) { json.erase("format"); }), Contains(HasSubstr("format is missing")));
}

TEST(PlanJson, AllMistakesAreListedWithTheirPlaces) {
  const auto mistakes = Mistakes([](Json& json) {
    json["problem"]["battery"]["capacity_wh"] = "250";
    json["problem"]["battery"].erase("wear_cost_eur_per_kwh");
    json["problem"]["battery"]["wear_cost"] = 0.1;
    json["problem"]["pv_wh"][2] = nullptr;
    json["slots"][5]["start"] = 7;
    json["slots"][6] = "off";
    json["status"] = "best";
    json["timezone"] = "Mars/Olympus";
    json["problem"]["slots"] = 2.5;
    json["problem"]["start"] = "2025-01-01 20:00";
  });
  EXPECT_THAT(mistakes, Contains("p.json: problem.battery.capacity_wh is '250': expected a number."));
  EXPECT_THAT(mistakes, Contains(HasSubstr("problem.battery.wear_cost_eur_per_kwh is missing.")));
  EXPECT_THAT(mistakes, Contains("p.json: problem.pv_wh[2] is null: expected a number."));
  EXPECT_THAT(mistakes, Contains("p.json: slots[6] is 'off': expected an object."));
  EXPECT_THAT(mistakes, Contains("p.json: status is 'best': expected one of optimal, feasible, infeasible."));
  EXPECT_THAT(mistakes, Contains(HasSubstr("timezone is 'Mars/Olympus': expected an IANA name")));
  EXPECT_THAT(mistakes, Contains("p.json: problem.slots is 2.5: expected a whole number from 0 to 200000."));
  EXPECT_THAT(mistakes, Contains(HasSubstr("problem.start is '2025-01-01 20:00': expected a time in UTC")));
}

TEST(PlanJson, AMisspeltKeyIsMissingAndTheLikelyOneNamed) {
  EXPECT_THAT(Mistakes([](Json& json) {
                json["problem"]["grid"].erase("import_limit_w");
                json["problem"]["grid"]["import_limt_w"] = 100;
              }),
              ElementsAre("p.json: problem.grid.import_limit_w is missing. Did you mean 'import_limt_w'?"));
}

TEST(PlanJson, EveryKeyIsRequired) {
  const Json whole = Json::parse(FullText());
  const auto refused = [&](const Json::json_pointer& object, const std::string& key) {
    Json json = whole;
    json[object].erase(key);
    return !PlanFromJson(json.dump(), "p.json");
  };
  for (const char* object :
       {"", "/cost", "/problem", "/problem/battery", "/problem/grid", "/problem/gpu", "/problem/gpu/levels/0",
        "/slots/0", "/slots/0/levels/0", "/baselines/1", "/levers/0", "/deadline_price"}) {
    for (const auto& [key, value] : whole[Json::json_pointer(object)].items()) {
      if (key == "work_price_eur") continue;  // files from before have none
      EXPECT_TRUE(refused(Json::json_pointer(object), key)) << object << "/" << key;
    }
  }
}

/// The full plan with carbon as its objective.
std::string CarbonText() {
  DispatchProblem problem = RichProblem();
  problem.objective = Objective::kCarbon;
  Plan plan = FullPlan(problem);
  plan.deadline_price = {Euros(-57.53), Euros(3.25)};
  plan.slots[3].stored_value = EurosPerKilowattHour(301.329);
  return PlanToJson(problem, plan, kZone);
}

TEST(PlanJson, ValuesOfTheObjectiveAreCarbonWhereThatIsMinimised) {
  const Json json = Json::parse(CarbonText());
  const auto file = PlanFromJson(CarbonText(), "p.json");
  ASSERT_TRUE(file) << file.error().Message();
  for (const char* key : {"objective_eur", "bound_eur"}) EXPECT_EQ(json[key], nullptr) << key;
  EXPECT_EQ(json["deadline_price"]["one_hour_later_eur"], nullptr);
  EXPECT_EQ(json["slots"][3]["stored_value_eur_per_kwh"], nullptr);
  // The money in the objective, and the carbon price that it leaves out, are below a gram per euro.
  EXPECT_NEAR(json["objective_carbon_kg"].get<double>(), json["carbon_kg"].get<double>(), 1e-3);
  EXPECT_DOUBLE_EQ(json["deadline_price"]["one_hour_later_carbon_kg"].get<double>(), -0.05753);
  EXPECT_DOUBLE_EQ(json["deadline_price"]["one_hour_earlier_carbon_kg"].get<double>(), 0.00325);
  EXPECT_DOUBLE_EQ(json["slots"][3]["stored_value_carbon_g_per_kwh"].get<double>(), 301.329);
  EXPECT_EQ(PlanToJson(file->problem, file->plan, file->zone, file->labels), CarbonText());
}

TEST(PlanJson, CarbonPlansOfEarlierVersionsAreRead) {
  Json json = Json::parse(CarbonText());
  const auto now = PlanFromJson(CarbonText(), "p.json");
  // They wrote a gram as a euro, under the keys in EUR.
  const auto as_before = [](Json& object, const std::string& name, const std::string& eur, double per) {
    object[name + eur] = object[name + (per > 1 ? "_carbon_kg" : "_carbon_g_per_kwh")].is_null()
                             ? Json()
                             : Json(per * object[name + (per > 1 ? "_carbon_kg" : "_carbon_g_per_kwh")].get<double>());
    object.erase(name + (per > 1 ? "_carbon_kg" : "_carbon_g_per_kwh"));
  };
  for (const char* name : {"objective", "bound"}) as_before(json, name, "_eur", 1000);
  for (const char* name : {"one_hour_later", "one_hour_earlier"}) as_before(json["deadline_price"], name, "_eur", 1000);
  for (Json& slot : json["slots"]) as_before(slot, "stored_value", "_eur_per_kwh", 1);
  const auto before = PlanFromJson(json.dump(), "p.json");
  ASSERT_TRUE(before) << before.error().Message();
  ASSERT_TRUE(now);
  EXPECT_NEAR(InEuros(before->plan.objective), InEuros(now->plan.objective), 1e-9);
  EXPECT_NEAR(InEuros(before->plan.bound), InEuros(now->plan.bound), 1e-9);
  EXPECT_NEAR(InEuros(*before->plan.deadline_price.one_hour_later), -57.53, 1e-9);
  EXPECT_NEAR(InEurosPerKilowattHour(*before->plan.slots[3].stored_value), 301.329, 1e-9);
}

TEST(PlanJson, HugeNumbersAndHorizonsAreRefused) {
  EXPECT_THAT(Mistakes([](Json& json) { json["problem"]["battery"]["capacity_wh"] = 1e308; }),
              Contains(HasSubstr("expected a number of sensible size")));
  EXPECT_THAT(Mistakes([](Json& json) { json["problem"]["slots"] = 18446744073709551615ull; }),
              Contains(HasSubstr("expected a whole number from 0 to 200000")));
  EXPECT_THAT(Mistakes([](Json& json) {
                json["problem"]["start"] = "2261-12-31T00:00:00Z";
                json["problem"]["slots"] = 200000;
              }),
              Contains(HasSubstr("expected a horizon that ends before the year 2262")));
  EXPECT_THAT(Mistakes([](Json& json) {
                for (int i = 0; i < 5000; ++i) json["problem"]["pv_wh"].push_back("x");
              }),
              SizeIs(20));
}

TEST(PlanJson, APlanThatBreaksItsProblemIsRefused) {
  EXPECT_THAT(Mistakes([](Json& json) { json["slots"][0]["grid_import_wh"] = 5; }),
              Contains(AllOf(HasSubstr("the plan is not sound: slot 2025-01-01T05:00:00Z"), HasSubstr("bus"))));
  EXPECT_THAT(Mistakes([](Json& json) { json["problem"]["battery"]["capacity_wh"] = 60; }),
              Contains(HasSubstr("more than 60")));
  EXPECT_THAT(Mistakes([](Json& json) { json["problem"]["import_price_eur_per_kwh"].erase(3); }),
              Contains(HasSubstr("import price has 23 values for 24 slots")));
  EXPECT_THAT(Mistakes([](Json& json) { json["slots"][0]["levels"][0]["limit_w"] = 115; }),
              Contains(HasSubstr("expected limit_w and draw_w of one of the levels of problem.gpu")));
}

TEST(PlanJson, DerivedNumbersThatDisagreeAreNamed) {
  EXPECT_THAT(Mistakes([](Json& json) { json["slots"][2]["gpu_power_w"] = 300; }),
              ElementsAre(HasSubstr("slots[2].gpu_power_w is 300: expected 166.5 from the rest of the file.")));
  EXPECT_THAT(Mistakes([](Json& json) { json["slots"][2]["start"] = "2025-01-01T05:00:00Z"; }),
              ElementsAre(HasSubstr("slots[2].start is '2025-01-01T05:00:00Z': expected '2025-01-01T07:00:00Z'.")));
}

}  // namespace
}  // namespace heliograd
