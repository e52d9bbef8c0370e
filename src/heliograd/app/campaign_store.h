// The finished cells of a campaign, in an SQLite file: what is in it is on the disk, whatever ends the program.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "heliograd/app/campaign_file.h"
#include "heliograd/base/result.h"
#include "heliograd/trace/sqlite.h"

namespace heliograd {

/// How a cell ended.
struct FinishedCell {
  CampaignCell cell;
  std::string hardware;
  std::string settings;  // all that its numbers depend on; another text is another cell
  bool ok = false;
  std::string json;   // what `profile --json` printed, if ok
  std::string error;  // its last message, if not
  double seconds = 0;
};

/// One writer at a time. A sweep's cells lie in a table of their own, which files of before have not.
class CampaignStore {
 public:
  /// Makes the file where it is missing. Errors: it is no campaign's, or cannot be written.
  static Result<CampaignStore> Open(const std::string& path);

  /// Replaces an earlier end of the same cell.
  Result<void> Put(const FinishedCell& cell);
  /// All cells, in the order in which they were finished.
  Result<std::vector<FinishedCell>> Cells() const;

 private:
  explicit CampaignStore(Database database) : database_(std::move(database)) {}
  Database database_;
};

}  // namespace heliograd
