#include "heliograd/optimize/kernel_slopes.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace heliograd::kernel {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// How far two ends may miss each other by rounding, kWh.
constexpr double kRounding = 1e-10;

/// The pieces of a curve and the segments of the GPU in one order of falling slopes. Along a piece x falls, along a
/// segment the GPU's energy rises: m = x - energy falls along both.
class FallingPieces {
 public:
  FallingPieces(const BusCurve& curve, std::span<const FallingPiece> segments)
      : piece_(curve.pieces.data()),
        pieces_end_(piece_ + curve.count),
        segment_(segments.data()),
        segments_end_(segment_ + segments.size()) {}

  bool Next(FallingPiece& next) {
    if (piece_ != pieces_end_ && (segment_ == segments_end_ || piece_->slope >= segment_->slope)) {
      next = {piece_->slope, piece_->length, 0};
      ++piece_;
      return true;
    }
    if (segment_ == segments_end_) return false;
    next = *segment_++;
    return true;
  }

 private:
  const BusCurve::Piece *piece_, *pieces_end_;
  const FallingPiece *segment_, *segments_end_;
};

/// What the bus may draw for the cells.
struct DrawRange {
  double least, most;
};

DrawRange RangeOf(const Problem& problem, Modes modes) {
  return {(modes & kDischarges) != 0 ? -problem.beta * problem.most_discharge : 0,
          (modes & kCharges) != 0 ? problem.most_charge : 0};
}

/// The first curve of what is open.
const BusCurve& CurveOf(const Slot& slot, Modes modes) {
  return slot.two_curves && (modes & kBuys) == 0 ? slot.sale_curve : slot.curve;
}

/// Turns what the bus draws for the cells, m, falling along `pieces`, into a list over z, rising. Its left end is where
/// m is the most that may be drawn; cost and work are those of `m`.
void WriteList(const Problem& problem, DrawRange range, double m, double cost, double work, FallingPieces pieces,
               SlotList& list) {
  list.empty = true;
  list.count = 0;
  FallingPiece piece{};
  while (m > range.most && pieces.Next(piece)) {  // more than the cells can take
    const double skipped = std::min(piece.length, m - range.most);
    cost -= piece.slope * skipped;
    work += piece.work * skipped;
    m = skipped < piece.length ? range.most : m - skipped;
    piece.length -= skipped;
  }
  if (m > range.most + kRounding || m < range.least - kRounding) return;
  list.empty = false;
  list.z_low = m > 0 ? -m * problem.alpha : -m / problem.beta;
  list.cost_low = m < 0 ? cost + problem.wear * list.z_low : cost;
  list.work_low = work;
  Piece* end = list.room.data();
  const double alpha = problem.alpha, per_alpha = 1 / alpha, beta = problem.beta, per_beta = 1 / beta;
  bool more = piece.length > 0 || pieces.Next(piece);
  while (m > 0 && more) {
    const double charging = std::min(piece.length, m);
    if (charging > 0) *end++ = {-piece.slope * per_alpha, charging * alpha, piece.work * per_alpha, 0};
    m -= charging;
    piece.length -= charging;
    if (piece.length <= 0) more = pieces.Next(piece);
  }
  while (m > range.least && more) {
    const double discharging = std::min(piece.length, m - range.least);
    if (discharging > 0) *end++ = {problem.wear - beta * piece.slope, discharging * per_beta, piece.work * beta, 0};
    m -= discharging;
    more = pieces.Next(piece);
  }
  list.count = static_cast<size_t>(end - list.room.data());
}

/// A list gives up to this many pieces: one more where charging ends within one.
size_t MostPieces(size_t segments) { return std::tuple_size_v<decltype(BusCurve::pieces)> + segments + 1; }

/// Goes along the corners of a list.
class VertexWalk {
 public:
  explicit VertexWalk(const SlotList& list)
      : at_{list.z_low, list.cost_low, list.work_low},
        next_(list.room.data()),
        end_(next_ + list.count),
        done_(list.empty) {}

  bool done() const { return done_; }
  const ListVertex& at() const { return at_; }
  void Step() {
    if (next_ == end_) {
      done_ = true;
      return;
    }
    at_.z += next_->length;
    at_.cost += next_->slope * next_->length;
    at_.work += next_->work * next_->length;
    ++next_;
  }

 private:
  ListVertex at_;
  const Piece *next_, *end_;
  bool done_;
};

/// Keeps what is convex of the corners that it is given from left to right.
class ConvexChain {
 public:
  explicit ConvexChain(ListVertex* room) : room_(room) {}

  void Add(const ListVertex& next) {
    // Of vertices at one z the one that costs least stays.
    if (count_ > 0 && next.z - room_[count_ - 1].z < 1e-13) {
      if (next.cost > room_[count_ - 1].cost) return;
      --count_;
    }
    while (count_ >= 2) {
      const ListVertex &a = room_[count_ - 2], &b = room_[count_ - 1];
      if ((b.cost - a.cost) * (next.z - a.z) < (next.cost - a.cost) * (b.z - a.z)) break;
      --count_;
    }
    room_[count_++] = next;
  }
  size_t count() const { return count_; }

 private:
  ListVertex* room_;
  size_t count_ = 0;
};

/// The convex envelope of the lower of two lists, neither of which need be convex. `chain` has room for all corners.
void Convexify(const SlotList& first, const SlotList& second, ListVertex* chain, SlotList& envelope) {
  ConvexChain kept(chain);
  VertexWalk a(first), b(second);
  while (!a.done() || !b.done()) {
    const bool take_a =
        b.done() || (!a.done() && (a.at().z < b.at().z || (a.at().z == b.at().z && a.at().cost > b.at().cost)));
    VertexWalk& walk = take_a ? a : b;
    kept.Add(walk.at());
    walk.Step();
  }
  envelope.count = 0;
  envelope.empty = kept.count() == 0;
  if (envelope.empty) return;
  envelope.z_low = chain[0].z;
  envelope.cost_low = chain[0].cost;
  envelope.work_low = chain[0].work;
  for (size_t i = 1; i < kept.count(); ++i) {
    const ListVertex &from = chain[i - 1], &to = chain[i];
    const double length = to.z - from.z, per_length = 1 / length;
    envelope.room[envelope.count++] = {(to.cost - from.cost) * per_length, length, (to.work - from.work) * per_length,
                                       0};
  }
}

}  // namespace

void WriteFunction(const SlotList& list, Function& f) {
  f.clear();
  double z = list.z_low, cost = list.cost_low;
  f.push_back({z, z, cost, 0});
  for (const Piece& piece : list.pieces()) {
    if (f.back().high <= f.back().low) f.pop_back();
    f.push_back({z, z + piece.length, cost, piece.slope});
    z += piece.length;
    cost += piece.slope * piece.length;
  }
}

SlotLists::SlotLists(const Problem& problem) : problem_(problem), segments_(problem.gpu.size() - 1) {
  const size_t most = MostPieces(segments_.size());
  list_.room.resize(most);
  sale_list_.room.resize(most);
  envelope_.room.resize(2 * most);
  chain_.resize(2 * most + 2);
}

void SlotLists::SetWorkPrice(double work_price) {
  work_price_ = work_price;
  last_slot_ = nullptr;
  for (size_t k = 0; k < segments_.size(); ++k) {
    const GpuPoint &a = problem_.gpu[k], &b = problem_.gpu[k + 1];
    const double rate = (b.work - a.work) / (b.energy - a.energy);
    segments_[k] = {work_price * rate, b.energy - a.energy, rate};
  }
}

void SlotLists::DrawCurve(const BusCurve& curve, Modes modes, SlotList& list) const {
  const GpuPoint& off = problem_.gpu.front();
  WriteList(problem_, RangeOf(problem_, modes), curve.x_high - off.energy, curve.cost_high - work_price_ * off.work,
            off.work, {curve, segments_}, list);
}

void DrawAtPoint(const Problem& problem, const Slot& slot, const BusCurve& curve, const GpuPoint& point, Modes modes,
                 SlotList& list) {
  list.room.resize(MostPieces(0));
  const DrawRange range = RangeOf(problem, modes);
  if (slot.sells_all) {  // the charger buys and the cells sell, whatever the GPU does
    BusCurve cells;
    cells.Begin(range.most, slot.import_price * (point.energy + range.most) - slot.export_price * slot.pv);
    cells.Add(slot.import_price, range.most);
    cells.Add(slot.export_price, -range.least);
    WriteList(problem, range, cells.x_high, cells.cost_high, point.work, {cells, {}}, list);
  } else {
    WriteList(problem, range, curve.x_high - point.energy, curve.cost_high, point.work, {curve, {}}, list);
  }
}

const SlotList& SlotLists::Draw(const Slot& slot, Modes modes) {
  DrawCurve(CurveOf(slot, modes), modes, list_);
  const bool both_curves = slot.two_curves && (modes & kBuys) != 0 && (modes & kSells) != 0;
  const bool both_ways = slot.burns && (modes & kCharges) != 0 && (modes & kDischarges) != 0;
  if (!both_curves && !both_ways) return list_;
  if (both_curves) {
    DrawCurve(slot.sale_curve, modes, sale_list_);
  } else {
    sale_list_.empty = true;
  }
  Convexify(list_, sale_list_, chain_.data(), envelope_);
  return envelope_;
}

const SlotList& SlotLists::Build(const Slot& slot, double work_price, Modes modes) {
  if (work_price != work_price_) SetWorkPrice(work_price);
  if (last_slot_ == nullptr || modes != last_modes_ || !Alike(slot, *last_slot_)) last_ = &Draw(slot, modes);
  last_slot_ = &slot;
  last_modes_ = modes;
  return *last_;
}

std::pair<double, double> SlotLists::At(const Slot& slot, double work_price, Modes modes, double z) {
  if (work_price != work_price_) SetWorkPrice(work_price);
  const BusCurve& curve = CurveOf(slot, modes);
  const GpuPoint& off = problem_.gpu.front();
  const DrawRange range = RangeOf(problem_, modes);
  const double drawn = problem_.Drawn(z);
  double m = curve.x_high - off.energy, cost = curve.cost_high - work_price_ * off.work, work = off.work;
  FallingPieces pieces(curve, segments_);
  FallingPiece piece{};
  while (m > drawn && pieces.Next(piece)) {
    const double step = std::min(piece.length, m - drawn);
    cost -= piece.slope * step;
    work += piece.work * step;
    m -= step;
  }
  const bool possible =
      drawn >= range.least - kRounding && drawn <= std::min(m, range.most) + kRounding && m <= drawn + kRounding;
  return {possible ? cost + problem_.wear * std::max(z, 0.0) : kInfinity, work};
}

bool MergeSlot(const ValueHead& after, const Piece* after_pieces, const SlotList& list, double rho, double capacity,
               Piece* out, ValueHead& head) {
  if (list.empty) return false;
  const Piece* kept = after_pieces;
  const Piece* const kept_end = kept + after.count;
  const Piece* released = list.room.data();
  const Piece* const released_end = released + list.count;
  const double per_rho = 1 / rho;
  head.kept_low = after.low * per_rho;
  head.work_low = list.work_low;
  head.cost_low = after.cost_low + list.cost_low;
  double stored = head.kept_low + list.z_low;
  Piece* end = out;
  // Of the next piece that is released; the pieces that stay and are no steeper come before it.
  const auto released_slope = [&] { return released != released_end ? released->slope : kInfinity; };
  const auto append = [&](const Piece& piece) {  // false once the cells are full
    const double room = capacity - stored;
    const bool fits = piece.length < room;
    *end = piece;
    end->length = fits ? piece.length : room;
    ++end;
    stored = fits ? stored + piece.length : capacity;
    return fits;
  };

  while (stored < 0 && (kept != kept_end || released != released_end)) {  // less than empty
    Piece piece{};
    if (kept != kept_end && kept->slope * rho <= released_slope()) {
      piece = {kept->slope * rho, kept->length * per_rho, 0, 1};
      ++kept;
    } else {
      piece = *released++;
    }
    const double cut = std::min(piece.length, -stored);
    head.cost_low += piece.slope * cut;
    head.kept_low += piece.kept * cut;
    head.work_low += piece.work * cut;
    stored = cut < piece.length ? 0 : stored + cut;
    piece.length -= cut;
    if (piece.length > 0 && capacity > 0) append(piece);
  }
  head.low = end == out ? stored : 0;
  if (head.low < -kRounding || head.low > capacity + kRounding) return false;
  if (end == out) stored = head.low = std::clamp(stored, 0.0, capacity);
  bool fits = stored < capacity;
  while (fits) {
    const double limit = released_slope();
    while (fits && kept != kept_end && kept->slope * rho <= limit) {
      fits = append({kept->slope * rho, kept->length * per_rho, 0, 1});
      ++kept;
    }
    if (released == released_end) break;
    if (fits) fits = append(*released++);
  }
  head.high = stored;
  head.count = static_cast<size_t>(end - out);
  return true;
}

}  // namespace heliograd::kernel
