#include "heliograd/optimize/solver_contract_test.h"

namespace heliograd {
namespace {

INSTANTIATE_TEST_SUITE_P(Highs, SolverContract,
                         testing::Values(SolverUnderTest{.name = "highs", .make = MakeHighsSolver}), SolverName);
INSTANTIATE_TEST_SUITE_P(Highs, SolverProperties,
                         testing::Values(SolverUnderTest{.name = "highs", .make = MakeHighsSolver}), SolverName);

}  // namespace
}  // namespace heliograd
