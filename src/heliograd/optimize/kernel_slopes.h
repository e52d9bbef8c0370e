// Convex piecewise linear functions as lists of slopes, and the two of them that one slot is made of.
//
// Enters: a slot, a price of work and the modes that are allowed. Leaves: the slot's cost as a convex function of the
// energy z that leaves the cells (less than zero: enters), and that function merged into a value function. It knows no
// search and no plan (docs/kernel.md, sections 2 and 3).
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "heliograd/optimize/kernel_functions.h"
#include "heliograd/optimize/kernel_slots.h"

namespace heliograd::kernel {

/// A stretch of a convex function. Along it the GPU's work rises by `work` per unit.
struct Piece {
  double slope, length, work;
  /// In a value function: how much of a unit of stored energy stays in the cells (1) rather than being released (0).
  double kept;
};

/// Cost of one slot less the worth of its work, over z: pieces of rising slope from z_low on.
struct SlotList {
  double z_low = 0, cost_low = 0, work_low = 0;
  bool empty = true;  // the slot cannot be served at all
  std::vector<Piece> room;
  size_t count = 0;  // of pieces, at the beginning of `room`

  std::span<const Piece> pieces() const { return {room.data(), count}; }
};

/// The same as a function. Precondition: not empty.
void WriteFunction(const SlotList& list, Function& f);

/// The list of one curve with the GPU at one point. Convex where a charge and a discharge are not both open in a slot
/// that burns.
void DrawAtPoint(const Problem& problem, const Slot& slot, const BusCurve& curve, const GpuPoint& point, Modes modes,
                 SlotList& list);

/// A value function over stored energy, its pieces elsewhere.
struct ValueHead {
  double low = 0, cost_low = 0;       // its left end
  double high = 0;                    // its right end
  double kept_low = 0, work_low = 0;  // what stays in the cells, and the work of the slot, at the left end
  size_t first = 0, count = 0;        // of its pieces
};

/// A stretch along which the bus draws less and less for the cells: EUR/kWh, kWh, work per kWh.
struct FallingPiece {
  double slope, length, work;
};

/// A corner of a list.
struct ListVertex {
  double z, cost, work;
};

/// Builds slot lists; keeps its work arrays, so that it allocates nothing once they have grown.
class SlotLists {
 public:
  explicit SlotLists(const Problem& problem);

  /// At that price of work, EUR for the whole job. The list is valid until the next call. With modes still open the
  /// list is the convex envelope of what each of them allows: a lower bound. A slot like the one before costs nothing.
  const SlotList& Build(const Slot& slot, double work_price, Modes modes);
  /// Cost and work at z, of modes that leave one way; the cost is infinite where z cannot be.
  std::pair<double, double> At(const Slot& slot, double work_price, Modes modes, double z);

 private:
  void SetWorkPrice(double work_price);
  const SlotList& Draw(const Slot& slot, Modes modes);
  /// One curve's list, with charge and discharge as allowed.
  void DrawCurve(const BusCurve& curve, Modes modes, SlotList& list) const;

  const Problem& problem_;
  std::vector<FallingPiece> segments_;  // of the GPU, from the most worthwhile on
  double work_price_ = -1;
  SlotList list_, sale_list_, envelope_;
  std::vector<ListVertex> chain_;
  const Slot* last_slot_ = nullptr;  // what `last_` is of
  Modes last_modes_ = 0;
  const SlotList* last_ = nullptr;
};

/// The value function before a slot, from the one after it: min over z of list(z) + after(rho (E - z)), cut to
/// [0, capacity]. Writes its pieces to `out`, which must have room for all of both lists. False where it has no domain.
bool MergeSlot(const ValueHead& after, const Piece* after_pieces, const SlotList& list, double rho, double capacity,
               Piece* out, ValueHead& head);

}  // namespace heliograd::kernel
