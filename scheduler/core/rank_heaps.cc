#include "scheduler/core/rank_heaps.h"

namespace switchyard::scheduler {

uint32_t RankHeaps::Add(uint32_t owner) {
  const uint32_t node = nodes_.Add();
  nodes_[node].owner = owner;
  return node;
}

void RankHeaps::Put(uint32_t number, uint32_t parent, NodeRank rank) {
  Node& node = nodes_[number];
  Heap& heap = nodes_[parent].children;
  if (node.parent != parent) {
    Take(number);
    node.parent = parent;
    node.position = static_cast<uint32_t>(heap.size());
    heap.push_back({rank, number});
    return Up(heap, node.position);
  }
  const NodeRank before = heap[node.position].rank;
  heap[node.position].rank = rank;
  if (rank < before) return Up(heap, node.position);
  if (before < rank) Down(heap, node.position);
}

void RankHeaps::Take(uint32_t number) {
  Node& node = nodes_[number];
  if (node.parent == kNone) return;
  Heap& heap = nodes_[node.parent].children;
  node.parent = kNone;
  const Entry last = heap.back();
  heap.pop_back();
  if (node.position == heap.size()) return;
  Set(heap, node.position, last);
  Up(heap, node.position);
  Down(heap, nodes_[last.node].position);
}

void RankHeaps::Set(Heap& heap, size_t at, const Entry& entry) {
  heap[at] = entry;
  nodes_[entry.node].position = static_cast<uint32_t>(at);
}

void RankHeaps::Up(Heap& heap, size_t at) {
  const Entry entry = heap[at];
  for (; at > 0 && entry.rank < heap[(at - 1) / 2].rank; at = (at - 1) / 2) {
    Set(heap, at, heap[(at - 1) / 2]);
  }
  Set(heap, at, entry);
}

void RankHeaps::Down(Heap& heap, size_t at) {
  const Entry entry = heap[at];
  for (size_t child; (child = 2 * at + 1) < heap.size(); at = child) {
    if (child + 1 < heap.size() && heap[child + 1].rank < heap[child].rank) ++child;
    if (!(heap[child].rank < entry.rank)) break;
    Set(heap, at, heap[child]);
  }
  Set(heap, at, entry);
}

}  // namespace switchyard::scheduler
