#include "heliograd/app/campaign_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>

#include "heliograd/app/campaign_energy.h"
#include "heliograd/app/campaign_sweep.h"
#include "heliograd/app/energy_law_file.h"
#include "heliograd/app/law_report.h"
#include "heliograd/app/profile_json.h"
#include "heliograd/app/study_measurements.h"
#include "heliograd/base/file.h"
#include "heliograd/base/path.h"
#include "heliograd/model/energy_law.h"
#include "heliograd/report/gnuplot.h"
#include "heliograd/report/law_figure.h"
#include "heliograd/report/page.h"
#include "heliograd/report/study_figure.h"

namespace heliograd {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kTraceGrid = 240;
constexpr int kStudyEpochs = 5;
constexpr const char* kListStart = "network,data,hardware,limit W,";  // of the lists of cells, those of before too

/// A cell that ended well, with its numbers.
struct Measured {
  std::string hardware;
  CampaignCell cell;
  TrainingProfile profile;
  std::string why_no_energy;  // where it is empty

  double EnergyPerImage() const { return InJoules(profile.iteration_energy->energy) / profile.batch; }
  double HalfWidthPerImage() const { return InJoules(HalfWidthOf(*profile.iteration_energy)) / profile.batch; }
  double SecondsPerImage() const { return InSeconds(profile.iteration) / profile.batch; }
  bool HasEnergy() const { return why_no_energy.empty(); }
  std::string Line() const { return cell.data + ", " + hardware; }
};

std::vector<Measured> ReadCells(const std::vector<FinishedCell>& cells) {
  std::vector<Measured> read;
  for (const FinishedCell& cell : cells) {
    if (!cell.ok || cell.cell.IsOfSweep()) continue;
    auto profile = ProfileFromJson(cell.json, cell.cell.Name());
    if (!profile) continue;
    std::string why = WhyNoEnergy(*profile);
    read.push_back({cell.hardware, cell.cell, std::move(*profile), std::move(why)});
  }
  return read;
}

/// In order of first appearance.
template <typename Key>
std::vector<std::string> Distinct(const std::vector<Measured>& cells, const Key& key) {
  std::vector<std::string> found;
  for (const Measured& cell : cells) {
    if (std::find(found.begin(), found.end(), key(cell)) == found.end()) found.push_back(key(cell));
  }
  return found;
}

struct PageTable {
  std::string name, title;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  /// With its columns, where a program is told another text than a reader; else empty.
  std::vector<std::vector<std::string>> csv = {};
};

std::string CsvOf(const PageTable& table) {
  std::string text;
  const auto add = [&](const std::vector<std::string>& cells) {
    std::vector<std::string> safe;
    for (const std::string& cell : cells) safe.push_back(CsvCell(cell));
    text += fmt::format("{}\n", fmt::join(safe, ","));
  };
  if (table.csv.empty()) add(table.columns);
  for (const auto& row : table.csv.empty() ? table.rows : table.csv) add(row);
  return text;
}

std::vector<std::string> StudyCounts(const std::string& network) {
  const auto study = std::find_if(kStudySamples.begin(), kStudySamples.end(),
                                  [&](const StudySamples& one) { return one.network == network; });
  if (study == kStudySamples.end()) return {"", "", "", ""};
  return {std::to_string(study->fashion_h1), std::to_string(study->cifar_h1), std::to_string(study->fashion_h2),
          std::to_string(study->cifar_h2)};
}

/// An interval stands beside each energy: in percent on the page, in joules in the CSV. An energy that tells nothing
/// gives way to the reason.
PageTable TableOne(const std::vector<Measured>& cells) {
  PageTable table = {"table1", "Table I: samples and durations; the study's counts are of five epochs", {}, {}};
  table.columns = {"network",    "data",       "hardware",   "power",       "samples",
                   "duration s", "iterations", "images/s",   "J per image", "interval",
                   "study F,H1", "study C,H1", "study F,H2", "study C,H2",  "why no energy"};
  table.csv = {table.columns};
  constexpr size_t kInterval = 9;
  table.csv.front()[kInterval] = "half-width J per image";
  for (const Measured& cell : cells) {
    std::vector<std::string> row = {cell.cell.network,
                                    cell.cell.data,
                                    cell.hardware,
                                    PowerSourceName(cell.profile.power_source),
                                    std::to_string(cell.profile.samples),
                                    fmt::format("{:.2f}", InSeconds(cell.profile.duration)),
                                    std::to_string(cell.profile.iterations),
                                    fmt::format("{:.4g}", cell.profile.images_per_second),
                                    cell.HasEnergy() ? fmt::format("{:.4g}", cell.EnergyPerImage()) : "-",
                                    cell.HasEnergy() ? IntervalText(*cell.profile.iteration_energy) : "-"};
    for (std::string& count : StudyCounts(cell.cell.network)) row.push_back(std::move(count));
    row.push_back(cell.why_no_energy);
    table.rows.push_back(row);
    if (cell.HasEnergy()) row[kInterval] = fmt::format("{:.4g}", cell.HalfWidthPerImage());
    table.csv.push_back(std::move(row));
  }
  return table;
}

std::optional<LineChart> PowerChart(const std::vector<Measured>& cells, const std::string& line) {
  LineChart chart;
  chart.x_label = "time, s";
  chart.y_label = "power, W";
  chart.y_from_zero = true;
  double longest_s = 0;
  std::vector<const Measured*> shown;
  for (const Measured& cell : cells) {
    const std::string& name = cell.cell.network;
    const bool is_the_studys = name == "alexnet" || name == "resnet18" || name == "googlenet" || name == "vgg11";
    if (cell.Line() != line || !is_the_studys || cell.profile.trace.empty()) continue;
    shown.push_back(&cell);
    longest_s = std::max(longest_s, InSeconds(cell.profile.trace.back().at));
  }
  if (shown.empty()) return std::nullopt;
  chart.title = fmt::format("Fig 1: power against time, {} ({} power)", line,
                            PowerSourceName(shown.front()->profile.power_source));
  for (size_t i = 0; i <= kTraceGrid; ++i) chart.x.push_back(longest_s * static_cast<double>(i) / kTraceGrid);
  for (const Measured* cell : shown) {
    LineSeries series{.name = cell->cell.network};
    const std::vector<TracePoint>& trace = cell->profile.trace;
    size_t next = 0;
    for (const double x : chart.x) {
      while (next + 1 < trace.size() && InSeconds(trace[next].at) < x) ++next;
      series.y.push_back(x <= InSeconds(trace.back().at) ? InWatts(trace[next].power) : kNone);
    }
    chart.series.push_back(std::move(series));
  }
  return chart;
}

std::optional<LineChart> MacChart(const std::vector<Measured>& cells) {
  LineChart chart;
  chart.title = "Figs 2, 3: energy of five epochs against MACs";
  chart.x_label = "MACs of one image forward, G";
  chart.y_label = "energy of five epochs, J per image";
  chart.y_from_zero = true;
  std::map<int64_t, size_t> places;
  for (const Measured& cell : cells) {
    if (cell.HasEnergy()) places[cell.profile.macs] = 0;
  }
  if (places.size() < 2) return std::nullopt;
  for (auto& [macs, place] : places) {
    place = chart.x.size();
    chart.x.push_back(static_cast<double>(macs) / 1e9);
  }
  for (const std::string& line : Distinct(cells, [](const Measured& cell) { return cell.Line(); })) {
    LineSeries series{.name = line};
    series.y.assign(chart.x.size(), kNone);
    PowerSource source = PowerSource::kMeasured;
    for (const Measured& cell : cells) {
      if (cell.Line() != line || !cell.HasEnergy()) continue;
      series.y[places[cell.profile.macs]] = cell.EnergyPerImage() * kStudyEpochs;
      source = cell.profile.power_source;
    }
    series.name += " (" + PowerSourceName(source) + " power)";
    chart.series.push_back(std::move(series));
  }
  return chart;
}

std::optional<BarChart> StepChart(const std::vector<Measured>& cells, const std::string& line) {
  BarChart chart;
  chart.y_label = "energy, J per iteration";
  std::vector<const Measured*> shown;
  for (const Measured& cell : cells) {
    if (cell.Line() == line && cell.HasEnergy()) shown.push_back(&cell);
  }
  if (shown.empty()) return std::nullopt;
  chart.title = fmt::format("Fig 4: energy of the steps, {} ({} power)", line,
                            PowerSourceName(shown.front()->profile.power_source));
  for (const Measured* cell : shown) chart.categories.push_back(cell->cell.network);
  for (const char* name : {"To Device", "Forward", "Loss", "Backward", "Optimizer"}) {
    BarChart::Group group{name, {}};
    for (const Measured* cell : shown) {
      const auto& steps = cell->profile.steps;
      const auto step = std::find_if(steps.begin(), steps.end(), [&](const auto& one) { return one.name == name; });
      group.y.push_back(step != steps.end() && step->energy ? InJoules(step->energy->energy) : kNone);
    }
    chart.groups.push_back(std::move(group));
  }
  return chart;
}

std::vector<LawPoint> PointsOf(const std::vector<Measured>& cells, const std::string& line) {
  std::vector<LawPoint> points;
  for (const Measured& cell : cells) {
    if (cell.Line() != line || !cell.HasEnergy()) continue;
    const ProfiledEnergy& energy = *cell.profile.iteration_energy;
    const double batch = cell.profile.batch;
    LawPoint point;
    point.name = cell.cell.network;
    point.macs = static_cast<double>(cell.profile.macs);
    point.energy = energy.energy / batch;
    const double middle = InJoules(energy.energy), half = InJoules(energy.high - energy.low) / 2;
    const double gain = cell.profile.gain_half_width * middle;
    const double own = std::sqrt(std::max(0.0, half * half - gain * gain));
    if (own > 0 && own < middle) {
      point.low = Joules((middle - own) / batch);
      point.high = Joules((middle + own) / batch);
    }
    point.time = Seconds(cell.SecondsPerImage());
    point.traffic_bytes = cell.profile.traffic_bytes;
    points.push_back(point);
  }
  return points;
}

/// What `heliograd estimate --law` reads. Intervals there are without the gain, which is common to all.
EnergyLawFile LawFileOf(const std::vector<Measured>& cells, const std::string& line) {
  EnergyLawFile file;
  file.points = PointsOf(cells, line);
  for (const Measured& cell : cells) {
    if (cell.Line() != line) continue;
    file.hardware = cell.hardware;
    file.dataset = cell.cell.data;
    file.batch = cell.profile.batch;
    file.simulated = cell.profile.power_source == PowerSource::kSimulated;
    file.gain_half_width = cell.profile.gain_half_width;
  }
  return file;
}

/// Collects files and page; a figure that cannot be drawn is said once.
class Writer {
 public:
  explicit Writer(std::string folder) : folder_(std::move(folder)), page_("A training campaign beside the study") {}

  Page& page() { return page_; }

  Result<void> Keep(const std::string& name, const std::string& content) {
    if (Result<void> done = WriteFile(folder_ + "/" + name, content); !done) return done;
    files_.push_back(name);
    return {};
  }

  Result<void> Add(const Figure& figure, const std::string& name, const std::string& title, const std::string& csv) {
    if (!csv.empty()) {
      if (Result<void> done = Keep(name + ".csv", csv); !done) return done;
    }
    const auto svg = RenderFigure(figure, FigureFormat::kSvg);
    if (!svg) {
      if (!said_) page_.AddParagraph("No figures: " + svg.error().Message());
      said_ = true;
      return {};
    }
    page_.AddFigure(*svg, title, title);
    if (!csv.empty()) page_.AddLink(name + ".csv", name + " as CSV");
    return Keep(name + ".svg", *svg);
  }

  Result<void> Add(const PageTable& table) {
    page_.AddParagraph(table.title);
    page_.AddTable(table.columns, table.rows);
    page_.AddLink(table.name + ".csv", table.name + " as CSV");
    return Keep(table.name + ".csv", CsvOf(table));
  }

  /// What is not written is told on the page and in the terminal.
  void Note(const std::string& sentence) {
    page_.AddParagraph("Note: " + sentence + ".");
    notes_.push_back(sentence);
  }

  /// A list under a heading of its own; one of before goes where nothing is in it any more.
  Result<void> AddList(const std::string& heading, const PageTable& table) {
    if (!table.rows.empty()) {
      page_.AddHeading(heading);
      return Add(table);
    }
    const std::string path = folder_ + "/" + table.name + ".csv";
    if (const auto content = ReadFile(path); !content || !content->starts_with(kListStart)) return {};
    std::error_code failed;
    std::filesystem::remove(path, failed);
    if (failed) return FailAt(path, "cannot be removed", failed);
    return {};
  }

  bool Holds(const std::string& name) const {
    std::error_code ignored;
    return std::filesystem::exists(folder_ + "/" + name, ignored);
  }

  Result<CampaignPage> Finish() {
    if (Result<void> done = Keep("index.html", page_.Html()); !done) return Fail(done.error());
    return CampaignPage{files_, notes_};
  }

 private:
  std::string folder_;
  Page page_;
  std::vector<std::string> files_, notes_;
  bool said_ = false;
};

/// The law of each hardware and data set, as `heliograd estimate --law` tells it.
Result<void> AddLaws(Writer& writer, const std::vector<Measured>& cells) {
  writer.page().AddHeading("Energy law");
  int number = 0;
  for (const std::string& line : Distinct(cells, [](const Measured& cell) { return cell.Line(); })) {
    ++number;
    const EnergyLawFile file = LawFileOf(cells, line);
    if (file.points.empty()) continue;
    const std::string name = fmt::format("energy_law_{}.toml", number);
    if (Result<void> done = writer.Keep(name, EnergyLawToml(file)); !done) return done;
    writer.page().AddLink(name, line + ": for heliograd estimate --law");
    const auto laws = FitLaws(file, {});
    if (!laws) {
      writer.page().AddParagraph(line + ": no law: " + laws.error().Message());
      continue;
    }
    writer.page().AddPreformatted(LawText(*laws));
    if (const auto chart = LawChartOf(*laws, Scatter::kConstant)) {
      const std::string figure = fmt::format("law_{}", number);
      if (auto done = writer.Add(LawFigure(*chart), figure, chart->title, ""); !done) return done;
    }
  }
  return {};
}

Result<void> AddFigures(Writer& writer, const std::vector<Measured>& cells) {
  writer.page().AddHeading("Figures");
  int number = 0;
  for (const std::string& line : Distinct(cells, [](const Measured& cell) { return cell.Line(); })) {
    ++number;
    if (const auto chart = PowerChart(cells, line)) {
      const std::string name = fmt::format("fig1_{}", number);
      if (auto done = writer.Add(LineFigure(*chart), name, chart->title, LineCsv(*chart)); !done) return done;
    }
    if (const auto chart = StepChart(cells, line)) {
      const std::string name = fmt::format("fig4_{}", number);
      if (auto done = writer.Add(BarFigure(*chart), name, chart->title, BarCsv(*chart)); !done) return done;
    }
  }
  if (const auto chart = MacChart(cells)) {
    if (auto done = writer.Add(LineFigure(*chart), "fig2", chart->title, LineCsv(*chart)); !done) return done;
  }
  for (const Measured& cell : cells) {
    if (cell.profile.layers.empty()) continue;
    const std::string name = "layers_" + cell.cell.network;
    const std::string title = "Figs 5, 6: energy of each layer of " + cell.cell.network + " (" +
                              PowerSourceName(cell.profile.power_source) + " power)";
    if (auto done = writer.Add(LayerFigure(cell.profile), name, title, ""); !done) return done;
  }
  return {};
}

/// Figs 7 and 8 of each network that was trained under several limits, and a curve for plans.
Result<void> AddSweeps(Writer& writer, const std::vector<FinishedCell>& cells) {
  const std::vector<SweepReport> sweeps = ReportSweeps(cells);
  if (sweeps.empty()) return {};
  writer.page().AddHeading("Power limits");
  writer.page().AddParagraph(
      "Every training of a sweep begins with the same parameters and sees the same images: their seed is one. The "
      "study's numbers are of ResNet18 on Fashion-MNIST on an RTX 4070, of all 5 epochs.");
  int number = 0;
  for (const SweepReport& sweep : sweeps) {
    ++number;
    const std::string figure = fmt::format("fig7_8_{}", number), curve = fmt::format("curve_{}.toml", number);
    if (auto done = writer.Add(StepSweepFigure(sweep.chart), figure, sweep.chart.title, ""); !done) return done;
    if (!sweep.claims.empty()) writer.page().AddTable({"claim", "the study", "here"}, sweep.claims);
    for (const std::string& note : sweep.notes) writer.page().AddParagraph("Note: " + note + ".");
    if (auto done = writer.Add({fmt::format("sweep_{}", number), sweep.title, sweep.columns, sweep.rows}); !done) {
      return done;
    }
    if (sweep.curve_toml.empty()) {
      writer.Note(fmt::format("{}: there is no {}: {}{}", sweep.title, curve, sweep.why_no_curve,
                              writer.Holds(curve) ? "; the one in the folder is from before" : ""));
      continue;
    }
    if (auto done = writer.Keep(curve, sweep.curve_toml); !done) return done;
    writer.page().AddLink(curve, sweep.title + ": for gpu.curve of a scenario");
  }
  return {};
}

/// Cells for which `why` has a sentence.
template <typename Why>
PageTable CellList(const std::string& name, const std::string& title, const std::vector<FinishedCell>& cells,
                   const Why& why) {
  PageTable table = {name, title, {"network", "data", "hardware", "limit W", "round", "why"}, {}};
  for (const FinishedCell& finished : cells) {
    const CampaignCell& cell = finished.cell;
    const std::string reason = why(finished);
    if (reason.empty()) continue;
    const bool is_of_sweep = cell.IsOfSweep();
    table.rows.push_back({cell.network, cell.data, finished.hardware,
                          is_of_sweep ? fmt::format("{:g}", cell.limit_w) : "",
                          is_of_sweep ? std::to_string(cell.round) : "", reason});
  }
  return table;
}

Result<void> AddLists(Writer& writer, const std::vector<FinishedCell>& cells) {
  const PageTable without =
      CellList("no_energy", "Cells that were trained, whose energies are not told: the next start measures them again",
               cells, [](const FinishedCell& cell) { return cell.ok ? WhyNoEnergy(cell) : std::string(); });
  if (Result<void> done = writer.AddList("What has no energy", without); !done) return done;
  const PageTable failed = CellList("failed", "Cells that failed: the next start measures them again", cells,
                                    [](const FinishedCell& cell) { return cell.ok ? std::string() : cell.error; });
  return writer.AddList("What failed", failed);
}

}  // namespace

Result<CampaignPage> WriteCampaignPage(const std::vector<FinishedCell>& finished, const std::string& folder) {
  const std::vector<Measured> cells = ReadCells(finished);
  Writer writer(folder);
  writer.page().AddParagraph(
      "The study: Yin, Chen, Vallero, Meo, \"Energy Sustainability Analysis of Deep Neural Network\", MSWiM 2025, doi "
      "10.1109/MSWiM67937.2025.11309062. Times are measured; where the power is simulated, a title says so and the "
      "energies tell of the method, not of a GPU. The study leaves its GoogLeNet modifications and its transformer "
      "undefined: those here are this project's own.");
  if (!cells.empty()) {
    if (Result<void> done = writer.Add(TableOne(cells)); !done) return Fail(done.error());
    if (Result<void> done = AddFigures(writer, cells); !done) return Fail(done.error());
  }
  if (Result<void> done = AddSweeps(writer, finished); !done) return Fail(done.error());
  if (!cells.empty()) {
    if (Result<void> done = AddLaws(writer, cells); !done) return Fail(done.error());
  }
  if (Result<void> done = AddLists(writer, finished); !done) return Fail(done.error());
  return writer.Finish();
}

}  // namespace heliograd
