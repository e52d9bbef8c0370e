// Public holidays, by rule and for any year of the Gregorian calendar from 1900 to 2299. Pure functions of a date.
#pragma once

#include "heliograd/base/time.h"

namespace heliograd {

enum class HolidayCalendar { kNone, kItaly };

/// True on national holidays of the calendar; the time of day is ignored. Italy: the days that ARERA's resolution
/// 181/06 counts as holidays (1 and 6 January, Easter Monday, 25 April, 1 May, 2 June, 15 August, 1 November, 8, 25 and
/// 26 December); the feasts of local patron saints are not among them.
bool IsHoliday(const CivilTime& date, HolidayCalendar calendar);

/// Easter Sunday of the Western churches (J. Meeus, Astronomical Algorithms, 2nd ed., chapter 8).
CivilTime EasterSunday(int year);

}  // namespace heliograd
