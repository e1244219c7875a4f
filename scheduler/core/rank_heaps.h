// Heaps under heaps: nodes that stand in the heap of a parent by rank, whose own heap ranks their
// children. Internal to the core.
//
// The waiting queue keeps tenants under a level, keys under a tenant and streams under a key this
// way, so that holding a tenant or key back is taking one node out, whatever stands under it.
#pragma once

#include <cstdint>
#include <vector>

#include "scheduler/core/slab.h"
#include "scheduler/core/types.h"

namespace switchyard::scheduler {

// Smaller is better.
struct NodeRank {
  uint64_t charge = 0;
  uint64_t due = 0;  // policy/patience.h.
  friend auto operator<=>(const NodeRank&, const NodeRank&) = default;
};

// Not thread-safe.
class RankHeaps {
 public:
  // `owner` is the caller's own number for it.
  uint32_t Add(uint32_t owner);
  // REQUIRES: it stands in no heap and has no children.
  void Remove(uint32_t node) { nodes_.Remove(node); }

  // Puts the node into the parent's heap at this rank, from wherever it stood.
  void Put(uint32_t node, uint32_t parent, NodeRank rank);
  // Takes it out of the heap it stands in, if any.
  void Take(uint32_t node);

  bool empty(uint32_t parent) const { return nodes_[parent].children.empty(); }
  // The best child. REQUIRES: not empty.
  uint32_t Top(uint32_t parent) const { return nodes_[parent].children.front().node; }
  const NodeRank& TopRank(uint32_t parent) const { return nodes_[parent].children.front().rank; }
  uint32_t Parent(uint32_t node) const { return nodes_[node].parent; }  // kNone: in no heap.
  uint32_t Owner(uint32_t node) const { return nodes_[node].owner; }
  const NodeRank& Rank(uint32_t node) const {
    return nodes_[nodes_[node].parent].children[nodes_[node].position].rank;
  }

 private:
  struct Entry {
    NodeRank rank;
    uint32_t node;
  };
  using Heap = std::vector<Entry>;
  struct Node {
    uint32_t owner = 0;
    uint32_t parent = kNone;
    uint32_t position = 0;
    Heap children;
  };

  void Set(Heap& heap, size_t at, const Entry& entry);
  void Up(Heap& heap, size_t at);
  void Down(Heap& heap, size_t at);

  Slab<Node> nodes_;
};

}  // namespace switchyard::scheduler
