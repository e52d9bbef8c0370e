// `heliograd reproduce`: the study's figures and tables, ours beside its.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "heliograd/app/command_line.h"
#include "heliograd/app/interrupt.h"
#include "heliograd/app/output_check.h"
#include "heliograd/app/parallel.h"
#include "heliograd/app/reproduce.h"
#include "heliograd/base/file.h"
#include "heliograd/base/path.h"
#include "heliograd/base/text.h"
#include "heliograd/report/gnuplot.h"
#include "heliograd/report/page.h"

namespace heliograd {
namespace {

const std::vector<std::string> kKnown = {"all",   "fig10", "fig11",  "fig12",  "fig13",  "fig14",
                                         "fig15", "fig16", "table3", "table4", "table5", "table6"};

/// What was asked for, and what it yields.
struct Reproduction {
  std::vector<StudyFigure> figures;
  std::vector<StudyTable> tables;
  std::vector<Claim> claims;
};

class Wanted {
 public:
  explicit Wanted(const std::vector<std::string>& names) : names_(names) {}
  bool Any(const std::vector<std::string>& of) const {
    return std::any_of(of.begin(), of.end(), [this](const auto& name) { return Has(name); });
  }
  bool Has(const std::string& name) const {
    // fig10b belongs to fig10.
    const std::string base = name.back() == 'b' ? name.substr(0, name.size() - 1) : name;
    return names_.empty() ||
           std::any_of(names_.begin(), names_.end(), [&](const auto& n) { return n == "all" || n == base; });
  }

 private:
  std::vector<std::string> names_;
};

template <typename T>
void Append(std::vector<T>& to, std::vector<T> from, const Wanted& wanted) {
  for (T& item : from) {
    if (wanted.Has(item.name)) to.push_back(std::move(item));
  }
}

void Append(std::vector<Claim>& to, const std::vector<Claim>& from) { to.insert(to.end(), from.begin(), from.end()); }

Result<Reproduction> Compute(const Wanted& wanted, bool on_terminal) {
  InputCache cache;
  Reproduction made;
  if (wanted.Any({"fig10", "fig11", "fig12"})) {
    const auto study = RunOffgridStudy(cache);
    if (!study) return Fail(study.error());
    Append(made.figures, OffgridFigures(*study), wanted);
    Append(made.claims, OffgridClaims(*study));
  }
  if (wanted.Any({"fig13", "fig14", "fig15", "table6"})) {
    const auto study = RunOngridStudy(cache, on_terminal);
    if (!study) return Fail(study.error());
    Append(made.figures, OngridFigures(*study), wanted);
    Append(made.tables, {TableSix(*study)}, wanted);
    Append(made.claims, OngridClaims(*study));
  }
  if (wanted.Has("fig16")) {
    const auto power_w = FirstDaysOfPv(cache);
    if (!power_w) return Fail(power_w.error());
    made.figures.push_back(PvFigure(*power_w));
  }
  Append(made.tables, DataTables(), wanted);
  std::sort(made.tables.begin(), made.tables.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  if (wanted.Has("table4")) made.claims.push_back(TableFourClaim());
  return made;
}

std::string TableCsv(const StudyTable& table) {
  std::string text;
  std::vector<std::vector<std::string>> rows = table.rows;
  rows.insert(rows.begin(), table.columns);
  for (const auto& row : rows) {
    std::vector<std::string> cells;
    for (const std::string& cell : row) cells.push_back(CsvCell(cell));
    text += fmt::format("{}\n", fmt::join(cells, ","));
  }
  return text;
}

/// SVG of every figure, by name; files are written as they are made.
Result<std::map<std::string, std::string>> WriteFigures(const std::vector<StudyFigure>& figures,
                                                        const std::string& folder) {
  std::vector<Result<std::string>> drawn(figures.size(), Result<std::string>(""));
  ParallelFor(figures.size(), [&](size_t i) {
    const Figure figure = LineFigure(figures[i].chart);
    drawn[i] = RenderFigure(figure, FigureFormat::kSvg).and_then([&](const std::string& svg) -> Result<std::string> {
      const std::string path = folder + "/" + figures[i].name;
      if (auto done = WriteFile(path + ".svg", svg); !done) return Fail(done.error());
      if (auto done = WriteFigure(figure, path + ".png"); !done) return Fail(done.error());
      return svg;
    });
  });
  std::map<std::string, std::string> svgs;
  for (size_t i = 0; i < figures.size(); ++i) {
    if (!drawn[i]) return Fail(drawn[i].error());
    svgs[figures[i].name] = *drawn[i];
  }
  return svgs;
}

std::string PageOf(const Reproduction& made, const std::map<std::string, std::string>& svgs) {
  Page page("The study repeated");
  page.AddParagraph(
      "Source: Yin, Chen, Vallero, Meo, \"Energy Sustainability Analysis of Deep Neural Network\", MSWiM 2025, pp. "
      "340-349, doi "
      "10.1109/MSWiM67937.2025.11309062. Our numbers are modelled: PVWatts version 8 on a typical year near Turin "
      "(PVGIS (c) European "
      "Union, 2001-2025), the study's Table IV with draw equal to the limit, its battery and its tariff. Every plan "
      "was proven within "
      "0.001 EUR and passed the checker.");
  if (!made.claims.empty()) {
    page.AddHeading("Claims and numbers");
    std::vector<std::vector<std::string>> rows;
    for (const Claim& claim : made.claims) {
      rows.push_back({claim.claim, claim.study, claim.ours, std::string(VerdictText(claim.verdict)), claim.why});
    }
    page.AddTable({"claim", "study", "ours", "holds?", "how we judge, and why"}, rows);
  }
  page.AddHeading("Where the study contradicts itself, and what that does here");
  for (const std::string& paragraph : Contradictions()) page.AddParagraph(paragraph);
  if (!made.figures.empty()) page.AddHeading("Figures");
  for (const StudyFigure& figure : made.figures) {
    const auto svg = svgs.find(figure.name);
    if (svg != svgs.end())
      page.AddFigure(svg->second, figure.name + ": " + figure.chart.title + ". " + figure.caption, figure.chart.title);
    page.AddLink(figure.name + ".csv", figure.name + " as CSV");
  }
  if (!made.tables.empty()) page.AddHeading("Tables");
  for (const StudyTable& table : made.tables) {
    page.AddParagraph(table.name + ": " + table.title + ".");
    page.AddTable(table.columns, table.rows);
    if (!table.note.empty()) page.AddParagraph(table.note);
    page.AddLink(table.name + ".csv", table.name + " as CSV");
  }
  return page.Html();
}

std::string ClaimsJson(const std::vector<Claim>& claims) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Claim& claim : claims) {
    json.push_back({{"claim", claim.claim},
                    {"study", claim.study},
                    {"ours", claim.ours},
                    {"holds", VerdictText(claim.verdict)},
                    {"why", claim.why}});
  }
  return json.dump(2) + "\n";
}

std::string ClaimsText(const std::vector<Claim>& claims) {
  std::string text;
  for (const Claim& claim : claims) {
    text += fmt::format("{:<8} {}\n         study: {}; ours: {}\n", VerdictText(claim.verdict), claim.claim,
                        claim.study, claim.ours);
  }
  return text;
}

Result<int> RunReproduce(const std::vector<std::string>& what, const std::string& folder, bool json) {
  for (const std::string& name : what) {
    if (std::find(kKnown.begin(), kKnown.end(), name) != kKnown.end()) continue;
    return Fail(fmt::format("{} cannot be reproduced here.{} Expected some of {}.", Quoted(name),
                            DidYouMean(name, kKnown), fmt::join(kKnown, ", ")),
                ErrorKind::kUsage);
  }
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) return FailAt(folder, "the folder cannot be made", code);
  if (auto sound = CheckPageOutput(folder + "/index.html", "The study repeated"); !sound) return Fail(sound.error());
  CatchInterrupts();
  const auto made = Compute(Wanted(what), isatty(STDERR_FILENO) != 0);
  if (!made) return Fail(made.error());
  if (Interrupted()) return Fail("interrupted: nothing is written.", ErrorKind::kInterrupted);
  for (const StudyFigure& figure : made->figures) {
    if (auto done = WriteFile(folder + "/" + figure.name + ".csv", LineCsv(figure.chart)); !done)
      return Fail(done.error());
  }
  for (const StudyTable& table : made->tables) {
    if (auto done = WriteFile(folder + "/" + table.name + ".csv", TableCsv(table)); !done) return Fail(done.error());
  }
  // Without gnuplot the numbers and the page are still of use; what is missing is said at the end.
  const auto svgs = WriteFigures(made->figures, folder);
  const std::string page = PageOf(*made, svgs ? *svgs : std::map<std::string, std::string>());
  if (auto done = WriteFile(folder + "/index.html", page); !done) return Fail(done.error());
  if (auto done = Print(json ? ClaimsJson(made->claims) : ClaimsText(made->claims)); !done) return Fail(done.error());
  if (!svgs) return Fail(svgs.error());
  PrintMessage(fmt::format("{}/index.html written, with {} figures and {} tables beside it", folder,
                           made->figures.size(), made->tables.size()));
  return kExitOk;
}

}  // namespace

void AddReproduceCommand(CLI::App& program, Commands& commands) {
  CLI::App* app = AddCommand(program, "reproduce", "Repeats the study's figures and tables, ours beside its",
                             {"heliograd reproduce -o out/reproduce", "heliograd reproduce fig13 table6 -o out",
                              "heliograd reproduce --json"});
  struct Flags {
    std::vector<std::string> what;
    std::string folder = "out/reproduce";
    bool json = false;
  };
  auto flags = std::make_shared<Flags>();
  app->add_option("WHAT", flags->what, fmt::format("some of {} (default all)", fmt::join(kKnown, ", ")));
  app->add_option("-o,--output", flags->folder, "folder for figures, tables and index.html (default out/reproduce)");
  app->add_flag("--json", flags->json, "the claims and numbers as JSON on standard output");
  commands.push_back({app, [flags] { return RunReproduce(flags->what, flags->folder, flags->json); }});
}

}  // namespace heliograd
