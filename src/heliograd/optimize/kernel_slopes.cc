#include "heliograd/optimize/kernel_slopes.h"

#include <algorithm>
#include <cmath>

namespace heliograd::kernel {
namespace {

/// How far two ends may miss each other by rounding, kWh.
constexpr double kRounding = 1e-10;

/// Appends pieces while the bus draws less and less for the cells: z rises.
class ListWriter {
 public:
  ListWriter(const Problem& problem, double most_m, double least_m, SlotList& list)
      : problem_(problem), most_m_(most_m), least_m_(least_m), list_(list) {
    list.pieces.clear();
    list.empty = true;
  }

  void Begin(double m, double cost, double work) {
    m_ = m;
    list_.cost_low = cost;
    list_.work_low = work;
  }

  /// m falls by `length`. False once the end is reached.
  bool Fall(double slope, double length, double work) {
    if (m_ > most_m_) {  // more than the cells can take
      const double skipped = std::min(length, m_ - most_m_);
      list_.cost_low -= slope * skipped;
      list_.work_low += work * skipped;
      if (skipped == length) {
        m_ -= skipped;
        return true;
      }
      m_ = most_m_;
      length -= skipped;
    }
    if (list_.empty) Start();
    if (m_ > 0) {
      const double charging = std::min({length, m_, m_ - least_m_});
      if (charging > 0) {
        const double alpha = problem_.alpha;
        list_.pieces.push_back({-slope / alpha, charging * alpha, work / alpha, 0});
        m_ -= charging;
        length -= charging;
      }
    }
    const double discharging = std::min(length, m_ - least_m_);
    if (discharging > 0) {
      const double beta = problem_.beta;
      list_.pieces.push_back({problem_.wear - beta * slope, discharging / beta, work * beta, 0});
      m_ -= discharging;
    }
    return m_ > least_m_;
  }

  void End() {
    if (list_.empty && m_ <= most_m_ + kRounding) Start();
  }

 private:
  void Start() {
    if (m_ < least_m_ - kRounding) return;
    list_.empty = false;
    list_.z_low = m_ > 0 ? -m_ * problem_.alpha : -m_ / problem_.beta;
    if (m_ < 0) list_.cost_low += problem_.wear * list_.z_low;
  }

  const Problem& problem_;
  const double most_m_, least_m_;
  SlotList& list_;
  double m_ = 0;
};

}  // namespace

Function FunctionOf(const SlotList& list) {
  Function f;
  double z = list.z_low, cost = list.cost_low;
  f.push_back({z, z, cost, 0});
  for (const Piece& piece : list.pieces) {
    if (f.back().high <= f.back().low) f.pop_back();
    f.push_back({z, z + piece.length, cost, piece.slope});
    z += piece.length;
    cost += piece.slope * piece.length;
  }
  return f;
}

SlotLists::SlotLists(const Problem& problem) : problem_(problem) { segments_.resize(problem.gpu.size() - 1); }

void SlotLists::SetWorkPrice(double work_price) {
  work_price_ = work_price;
  for (size_t k = 0; k < segments_.size(); ++k) {
    const GpuPoint &a = problem_.gpu[k], &b = problem_.gpu[k + 1];
    const double rate = (b.work - a.work) / (b.energy - a.energy);
    segments_[k] = {work_price * rate, b.energy - a.energy, rate};
  }
}

void SlotLists::Draw(const BusCurve& curve, Modes modes, SlotList& list) const {
  const GpuPoint& off = problem_.gpu.front();
  const double most_m = (modes & kCharges) != 0 ? problem_.most_charge : 0;
  const double least_m = (modes & kDischarges) != 0 ? -problem_.beta * problem_.most_discharge : 0;
  ListWriter writer(problem_, most_m, least_m, list);
  writer.Begin(curve.x_high - off.energy, curve.cost_high - work_price_ * off.work, off.work);
  // x falls along the curve and the GPU's energy rises along its segments: m = x - energy falls along both.
  const BusCurve::Piece* piece = curve.pieces.data();
  const BusCurve::Piece* const pieces_end = piece + curve.count;
  auto segment = segments_.begin();
  bool more = true;
  while (more) {
    if (piece != pieces_end && (segment == segments_.end() || piece->slope >= segment->worth)) {
      more = writer.Fall(piece->slope, piece->length, 0);
      ++piece;
    } else if (segment != segments_.end()) {
      more = writer.Fall(segment->worth, segment->length, segment->work);
      ++segment;
    } else {
      break;
    }
  }
  writer.End();
}

void DrawAtPoint(const Problem& problem, const Slot& slot, const BusCurve& curve, const GpuPoint& point, Modes modes,
                 SlotList& list) {
  const double most_m = (modes & kCharges) != 0 ? problem.most_charge : 0;
  const double least_m = (modes & kDischarges) != 0 ? -problem.beta * problem.most_discharge : 0;
  ListWriter writer(problem, most_m, least_m, list);
  if (slot.sells_all) {  // the charger buys and the cells sell, whatever the GPU does
    writer.Begin(most_m, slot.import_price * (point.energy + most_m) - slot.export_price * slot.pv, point.work);
    if (writer.Fall(slot.import_price, most_m, 0)) writer.Fall(slot.export_price, -least_m, 0);
  } else {
    writer.Begin(curve.x_high - point.energy, curve.cost_high, point.work);
    for (int i = 0; i < curve.count; ++i) {
      const BusCurve::Piece& piece = curve.pieces[static_cast<size_t>(i)];
      if (!writer.Fall(piece.slope, piece.length, 0)) break;
    }
  }
  writer.End();
}

void SlotLists::Convexify(std::span<const SlotList* const> lists, SlotList& envelope) {
  vertices_.clear();
  for (const SlotList* list : lists) {
    if (list->empty) continue;
    Vertex at{list->z_low, list->cost_low, list->work_low};
    vertices_.push_back(at);
    for (const Piece& piece : list->pieces) {
      at.z += piece.length;
      at.cost += piece.slope * piece.length;
      at.work += piece.work * piece.length;
      vertices_.push_back(at);
    }
  }
  envelope.pieces.clear();
  envelope.empty = vertices_.empty();
  if (envelope.empty) return;
  std::sort(vertices_.begin(), vertices_.end(),
            [](const Vertex& a, const Vertex& b) { return a.z != b.z ? a.z < b.z : a.cost > b.cost; });
  chain_.clear();
  for (const Vertex& next : vertices_) {
    // Of vertices at one z the last, which costs least, stays.
    if (!chain_.empty() && next.z - chain_.back().z < 1e-13) {
      if (next.cost > chain_.back().cost) continue;
      chain_.pop_back();
    }
    while (chain_.size() >= 2) {
      const Vertex &a = chain_[chain_.size() - 2], &b = chain_.back();
      if ((b.cost - a.cost) * (next.z - a.z) < (next.cost - a.cost) * (b.z - a.z)) break;
      chain_.pop_back();
    }
    chain_.push_back(next);
  }
  envelope.z_low = chain_.front().z;
  envelope.cost_low = chain_.front().cost;
  envelope.work_low = chain_.front().work;
  for (size_t i = 1; i < chain_.size(); ++i) {
    const Vertex &a = chain_[i - 1], &b = chain_[i];
    const double length = b.z - a.z;
    envelope.pieces.push_back({(b.cost - a.cost) / length, length, (b.work - a.work) / length, 0});
  }
}

const SlotList& SlotLists::Build(const Slot& slot, double work_price, Modes modes) {
  if (work_price != work_price_) SetWorkPrice(work_price);
  const bool sells_only = slot.two_curves && (modes & kBuys) == 0;
  Draw(sells_only ? slot.sale_curve : slot.curve, modes, list_);
  const bool both_curves = slot.two_curves && (modes & kBuys) != 0 && (modes & kSells) != 0;
  const bool both_ways = slot.burns && (modes & kCharges) != 0 && (modes & kDischarges) != 0;
  if (!both_curves && !both_ways) return list_;
  if (both_curves) Draw(slot.sale_curve, modes, sale_list_);
  const SlotList* const lists[] = {&list_, &sale_list_};
  Convexify({lists, both_curves ? size_t{2} : size_t{1}}, envelope_);
  return envelope_;
}

bool MergeSlot(const ValueHead& after, const Piece* after_pieces, const SlotList& list, double rho, double capacity,
               Piece* out, ValueHead& head) {
  if (list.empty) return false;
  const Piece* kept = after_pieces;
  const Piece* const kept_end = kept + after.count;
  const Piece* released = list.pieces.data();
  const Piece* const released_end = released + list.pieces.size();
  const double to_after = rho, to_before = 1 / rho;
  head.kept_low = after.low * to_before;
  head.work_low = list.work_low;
  head.cost_low = after.cost_low + list.cost_low;
  double stored = head.kept_low + list.z_low;
  Piece* end = out;
  const auto next = [&]() -> Piece {
    if (released == released_end || (kept != kept_end && kept->slope * to_after <= released->slope)) {
      const Piece& piece = *kept++;
      return {piece.slope * to_after, piece.length * to_before, 0, 1};
    }
    return *released++;
  };
  const auto left = [&] { return kept != kept_end || released != released_end; };

  while (stored < 0 && left()) {  // less than empty
    Piece piece = next();
    const double cut = std::min(piece.length, -stored);
    stored = cut < piece.length ? 0 : stored + cut;
    head.cost_low += piece.slope * cut;
    head.kept_low += piece.kept * cut;
    head.work_low += piece.work * cut;
    piece.length -= cut;
    if (piece.length > 0) {
      if (piece.length > capacity) piece.length = capacity;
      if (piece.length > 0) *end++ = piece;
      head.low = 0;
      stored = piece.length;
      break;
    }
  }
  if (end == out) {
    if (stored < -kRounding || stored > capacity + kRounding) return false;
    stored = std::clamp(stored, 0.0, capacity);
    head.low = stored;
  }
  while (stored < capacity && left()) {
    Piece piece = next();
    const double room = capacity - stored;
    if (piece.length >= room) {
      piece.length = room;
      stored = capacity;
    } else {
      stored += piece.length;
    }
    if (piece.length > 0) *end++ = piece;
  }
  head.high = stored;
  head.count = static_cast<size_t>(end - out);
  return true;
}

}  // namespace heliograd::kernel
