#include "heliograd/base/result.h"

#include <gtest/gtest.h>

namespace heliograd {
namespace {

Result<int> Half(int number) {
  if (number % 2 != 0) return Fail("odd: expected an even number.", ErrorKind::kUsage);
  return number / 2;
}

Result<std::string> HalfInWords(int number) {
  const auto half = Half(number);
  if (!half) return Fail(half.error());
  return std::to_string(*half);
}

TEST(Result, CarriesAValueOrAnError) {
  EXPECT_EQ(Half(4).value(), 2);
  ASSERT_FALSE(Half(3));
  EXPECT_EQ(Half(3).error().kind, ErrorKind::kUsage);
}

TEST(Result, ErrorsPassOnToAnotherType) {
  EXPECT_EQ(HalfInWords(4).value(), "2");
  EXPECT_EQ(HalfInWords(3).error().Message(), "odd: expected an even number.");
  EXPECT_EQ(HalfInWords(3).error().kind, ErrorKind::kUsage);
}

TEST(Error, MessageHasOneProblemPerLine) {
  EXPECT_EQ((Error{ErrorKind::kFailure, {"a", "b"}}.Message()), "a\nb");
  EXPECT_EQ(Error{}.Message(), "");
}

}  // namespace
}  // namespace heliograd
