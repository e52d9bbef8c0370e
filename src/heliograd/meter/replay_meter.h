// Plays a recorded run back as if its device were here.
#pragma once

#include <memory>
#include <vector>

#include "heliograd/base/clock.h"
#include "heliograd/meter/meter.h"
#include "heliograd/trace/run_store.h"

namespace heliograd {

/// A meter whose readings are those of `device` in the run, shifted so that the recording starts when the meter is
/// opened on `clock`. Inside a gap of the recording, before its first value and after its end there is no reading.
/// Errors: no such device, or the run has no samples. The clock must outlive the meter.
Result<std::unique_ptr<PowerMeter>> OpenReplayMeter(const RunReader& run, int device, const Clock& clock);

}  // namespace heliograd
