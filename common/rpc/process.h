// What every process that speaks gRPC does before anything else.
#pragma once

namespace switchyard {

// Turns off Abseil's search for lock-order cycles, which Debian's build has on and gRPC pays for on
// every lock (about 2 % of the gateway's time). Called by main, before threads.
void PrepareRpcProcess();

}  // namespace switchyard
