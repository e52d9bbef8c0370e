// Measured PV of one year: rows of local standard time, matched to the calendar.
//
// Enters: bytes of a CSV file. Leaves: 8760 hours as trace/typical_year.h has them, per watt of panel or in watts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"

namespace heliograd {

struct MeasuredPv {
  std::vector<double> hourly;      // entry 0 = the mean over 1 January 00:00..01:00 local standard time
  bool per_watt = false;           // W of AC per W of panel; else W
  int year = 0;                    // of the rows; 0 where the file does not say
  std::vector<std::string> notes;  // what was put right, for people
};

/// Three layouts, found by the header:
///  - `time,ac_w` or `time,ac_w_per_w`: time is the beginning of an hour on the local standard clock (no daylight
///    saving), one row for each hour of a calendar year in order; rows of 29 February are left out. Further columns are
///    not read.
///  - `time,measured_w_per_wp`: the same, the layout of G. Montanari Roseo's measurements of a roof in Turin (doi
///    10.1016/j.rser.2024.115044). There the rows after the last Sunday of October, 02:00, run an hour early; they are
///    put right, which a note says.
///  - `hour,ac_w`: the layout of pv_series_file.h.
/// All mistakes are listed, each with its line; a gap is one.
Result<MeasuredPv> ParseMeasuredPv(std::string_view content, const std::string& name);

}  // namespace heliograd
